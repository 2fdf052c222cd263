"""From a request to its result: the part of the FHIR base that knows nothing of ASGI.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.core.errors import (
    BadValue,
    MethodNotAllowed,
    NotFound,
)
from fhir_server.core.messages import Language, Text
from fhir_server.core.negotiation import Prefer
from fhir_server.core.paths import Target
from fhir_server.interactions import later
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.doors import Asked, command
from fhir_server.interactions.perform import perform
from fhir_server.interactions.permits import check_letter
from fhir_server.interactions.results import Result
from fhir_server.interactions.views import part
from fhir_server.operations.call import Call, Operation
from fhir_server.rest.bodies import Body
from fhir_server.rest.bundles import process
from fhir_server.rest.gate import Caller

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


@dataclass(frozen=True, slots=True)
class Surface:
    """What is served: built once at start."""

    services: Services
    operations: Mapping[str, Operation]
    """By name with `$`."""
    capabilities: Mapping[str, bytes]
    """`/metadata` by mode: full, normative, terminology."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request, its body and headers already understood."""

    method: str
    target: Target
    code: str
    """Of the interaction."""
    pairs: Pairs
    headers: Mapping[str, str]
    body: Body
    prefer: Prefer
    language: Language
    caller: Caller


async def answer(surface: Surface, question: Question) -> Result:
    """Carry out `question`.

    Raises:
        FhirError: what is refused, and why.
    """
    surface.services.offer.check(
        question.method,
        question.code,
        question.target,
        conditional="if-none-exist" in question.headers,
    )
    ctx = Context(
        surface.services,
        question.caller.rights,
        question.caller.principal,
        language=question.language,
        lenient=question.prefer.handling == "lenient",
    )
    match question.code:
        case "capabilities":
            return _capabilities(surface, question.pairs)
        case "transaction":
            return await process(ctx, question.body.resource, question.prefer)
        case "job-status":
            return await later.status(ctx, question.target.id or "")
        case "job-cancel":
            return await later.cancel(ctx, question.target.id or "")
        case "operation":
            return await _operate(surface, ctx, question)
        case _:
            return await perform(ctx, command(_asked(question)))


def _asked(question: Question) -> Asked:
    headers, body = question.headers, question.body
    return Asked(
        question.method,
        question.target,
        question.pairs + body.pairs,
        body.resource,
        body.change,
        headers.get("if-match"),
        headers.get("if-none-match"),
        headers.get("if-modified-since"),
        headers.get("if-none-exist"),
    )


def _capabilities(surface: Surface, pairs: Pairs) -> Result:
    mode = dict(pairs).get("mode", "full")
    if mode not in surface.capabilities:
        raise BadValue(BAD_MODE, mode=mode, expression="mode")
    depth = surface.services.limits.depth
    return Result(200, body=part(surface.capabilities[mode], pairs, depth), wanted=True)


async def _operate(surface: Surface, ctx: Context, question: Question) -> Result:
    target = question.target
    name = target.operation or ""
    call = Call(target, question.pairs + question.body.pairs, question.body.resource)
    found = surface.operations.get(name)
    offered = surface.services.offer.operations.get(target.type or "", frozenset())
    if found is None or name.removeprefix("$") not in offered or call.level not in found.levels:
        raise NotFound(NO_OPERATION, name=name)
    if found.affects_state and question.method != "POST":
        allow = ("POST", "OPTIONS")
        raise MethodNotAllowed(NEEDS_POST, method=question.method, allow=allow)
    for letter, kind in found.scopes:
        check_letter(ctx, letter, kind or target.type)
    call.check_body(ctx.services.validator)
    return await found.run(ctx, call)
