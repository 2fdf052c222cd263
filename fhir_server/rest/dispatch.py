"""From a request to its result: the part of the FHIR base that knows nothing of ASGI.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fhir_server.access.repeats import Repeat
from fhir_server.core.messages import Language
from fhir_server.core.negotiation import Prefer
from fhir_server.core.paths import Target
from fhir_server.interactions import later
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.doors import Asked, command
from fhir_server.interactions.grants import Caller
from fhir_server.interactions.perform import perform
from fhir_server.interactions.repeats import repeat_of
from fhir_server.interactions.results import Result
from fhir_server.interactions.trail import Trail
from fhir_server.rest.bodies import Body
from fhir_server.rest.bundles import process


@dataclass(frozen=True, slots=True)
class Surface:
    """What is served: built once at start."""

    services: Services
    media: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By operation, with its `$`: media types that it answers in beside JSON and XML."""


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
    trail: Trail | None = None
    media: str | None = None
    """As in `Asked`."""


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
        question.caller.withheld,
        language=question.language,
        lenient=question.prefer.handling == "lenient",
        trail=question.trail,
        repeat=_repeat(question),
        size=question.body.size,
    )
    beside = surface.services.beside.get(question.code)
    if beside is not None:
        return await beside(ctx, _asked(question))
    match question.code:
        case "transaction":
            return await process(ctx, question.body.resource, question.prefer)
        case "job-status":
            return await later.status(ctx, question.target.id or "")
        case "job-cancel":
            return await later.cancel(ctx, question.target.id or "")
        case _:
            return await perform(ctx, command(_asked(question)))


def _repeat(question: Question) -> Repeat | None:
    """The key of a create or an operation, if it has one."""
    if question.code not in ("create", "operation"):
        return None
    target = question.target
    return repeat_of(
        question.headers.get("idempotency-key"),
        question.caller.principal,
        target.type,
        target.operation,
        question.body.resource,
    )


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
        question.media,
    )
