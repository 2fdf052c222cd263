"""What is asked of the server beside the interactions with resources: its statement, its
operations. HTTP and the entries of a batch come here through `Services.beside`.

https://hl7.org/fhir/R4/http.html#capabilities
https://hl7.org/fhir/R4/operations.html#executing
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import BadValue, MethodNotAllowed, NotFound
from fhir_server.core.header_values import etags
from fhir_server.core.messages import Text
from fhir_server.interactions.audit_events import KIND, drained
from fhir_server.interactions.context import Beside, Context
from fhir_server.interactions.doors import Asked
from fhir_server.interactions.permits import check_letter
from fhir_server.interactions.results import Result
from fhir_server.interactions.step_up import check_sign_in_for
from fhir_server.interactions.trail import doing_of_request, noted
from fhir_server.interactions.views import part
from fhir_server.operations.call import Call, Operation

NO_OPERATION: Final = Text(
    "There is no operation `{name}` here.",
    "Операции `{name}` здесь нет.",
    "Операції `{name}` тут немає.",
)
NEEDS_POST: Final = Text(
    "`{method}` cannot carry this operation: it answers {allow}.",
    "`{method}` не годится для этой операции: возможны {allow}.",
    "`{method}` не підходить для цієї операції: можливі {allow}.",
)
BAD_MODE: Final = Text(
    "The mode `{mode}` is none of full, normative, terminology.",
    "Режим `{mode}` — не full, normative или terminology.",
    "Режим `{mode}` — не full, normative або terminology.",
)


def beside(
    operations: Iterable[Operation], capabilities: Mapping[str, bytes]
) -> Mapping[str, Beside]:
    """`Services.beside`; `capabilities` are `/metadata` by mode: full, normative,
    terminology, and are looked at when they are asked for."""
    by_name = {each.name: each for each in operations}

    async def state(ctx: Context, asked: Asked) -> Result:
        mode = dict(asked.pairs).get("mode", "full")
        if mode not in capabilities:
            raise BadValue(BAD_MODE, mode=mode, expression="mode")
        tag = _tag(capabilities[mode])
        headers = (("ETag", f'W/"{tag}"'),)
        if asked.if_none_match is not None:
            known = etags(asked.if_none_match)
            if known is None or tag in known:
                return Result(304, headers=headers, wanted=True)
        body = part(capabilities[mode], asked.pairs, ctx.services.limits.depth)
        return Result(200, body=body, headers=headers, wanted=True)

    async def operate(ctx: Context, asked: Asked) -> Result:
        call = Call(asked.target, asked.pairs, asked.resource, asked.media)
        found = _offered(ctx, by_name, call)
        if found.affects_state and asked.method != "POST":
            allow = ("POST", "OPTIONS")
            raise MethodNotAllowed(NEEDS_POST, method=asked.method, allow=allow)
        await _check(ctx, found, call)
        await aside(ctx.size, call.check_body, ctx.services.validator, least=HEAVY)
        if asked.target.type == KIND:
            await drained(ctx)
        result = await found.run(ctx, call)
        _mark(ctx, found, asked.target.type)
        return result

    async def told(ctx: Context, asked: Asked) -> Result:
        doing = doing_of_request("operation", asked.target, asked.pairs)
        return await noted(ctx.trail, doing, lambda: operate(ctx, asked))

    return {"capabilities": state, "operation": told}


async def _check(ctx: Context, operation: Operation, call: Call) -> None:
    """Raise what stands against the call, before anything of it is looked at: a scope that is
    missing, a caller who may not, a sign-in that will not do."""
    kind = call.target.type
    for letter, named in operation.scopes:
        check_letter(ctx, letter, named or kind)
    if operation.admits is not None:
        await operation.admits(ctx, call)
    needs = [(letter, named or kind or "") for letter, named in operation.scopes]
    check_sign_in_for(ctx, operation.name, needs)


def _mark(ctx: Context, operation: Operation, kind: str | None) -> None:
    """One that needs permissions and changes nothing has read a record."""
    reads = not operation.affects_state and bool(operation.scopes)
    if ctx.services.last_reads is not None and reads:
        ctx.services.last_reads.mark(ctx.principal, kind)


@lru_cache(maxsize=16)  # by mode; a statement that changes is other bytes
def _tag(body: bytes) -> str:
    return blake2b(body, digest_size=8).hexdigest()


def _offered(ctx: Context, by_name: Mapping[str, Operation], call: Call) -> Operation:
    name = call.target.operation or ""
    found = by_name.get(name)
    offered = ctx.services.offer.operations.get(call.target.type or "", frozenset())
    if found is None or name.removeprefix("$") not in offered or call.level not in found.levels:
        raise NotFound(NO_OPERATION, name=name)
    return found
