"""A Bundle posted to the base: transaction or batch.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Sequence
from typing import Final, Literal

from fhir_server.aside import aside
from fhir_server.core.errors import BadValue, FhirError, MethodNotAllowed, MissingElement
from fhir_server.core.messages import Text
from fhir_server.core.negotiation import Prefer
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.context import Context
from fhir_server.interactions.doors import NO_RESOURCE
from fhir_server.interactions.later import BUNDLE, order
from fhir_server.interactions.results import Result
from fhir_server.interactions.step_up import InsufficientSignIn, challenged
from fhir_server.interactions.transaction.answers import response_bundle
from fhir_server.interactions.transaction.batch import batch
from fhir_server.interactions.transaction.run import transaction
from fhir_server.interactions.versions import check_type

BAD_TYPE: Final = Text(
    "A Bundle posted here is a batch or a transaction, not `{type}`.",
    "Сюда отправляют Bundle типа batch или transaction, а не `{type}`.",
    "Сюди надсилають Bundle типу batch або transaction, а не `{type}`.",
)
SWITCHED_OFF: Final = Text(
    "This server takes no Bundle of this kind: {method} is not among {allow}.",
    "Сервер не принимает такие Bundle: {method} нет среди {allow}.",
    "Сервер не приймає такі Bundle: {method} немає серед {allow}.",
)


async def process(ctx: Context, bundle: JsonObject | None, prefer: Prefer) -> Result:
    """Carry out `bundle` and answer with its responses, later if so preferred.

    Raises:
        BadValue: it is no batch and no transaction.
        FhirError: a transaction failed as a whole.
    """
    if bundle is None:
        raise MissingElement(NO_RESOURCE)
    check_type(bundle, "Bundle")
    kind = _kind(bundle)
    if not ctx.services.offer.allows(kind, None):
        raise MethodNotAllowed(SWITCHED_OFF, method=kind, allow=("GET", "OPTIONS"))
    returns = prefer.returns or "minimal"
    if prefer.respond_async:
        given = await aside(ctx.size, dumps, bundle)
        return await order(ctx, BUNDLE, given, {"returns": returns})
    results: Sequence[Result | FhirError | bytes]
    results = await (transaction if kind == "transaction" else batch)(ctx, bundle)
    body = response_bundle(
        kind,
        results,
        base_url=ctx.services.base_url,
        language=ctx.language,
        returns=returns,
    )
    # Entries have no headers: what a stronger sign-in would let through is told of them all.
    weak = [each.demand for each in results if isinstance(each, InsufficientSignIn)]
    return Result(200, body=body, headers=tuple(challenged(*weak).items()), wanted=True)


def _kind(bundle: JsonObject) -> Literal["batch", "transaction"]:
    match bundle.get("type"):
        case "batch":
            return "batch"
        case "transaction":
            return "transaction"
        case other:
            raise BadValue(BAD_TYPE, type=other, expression="Bundle.type")
