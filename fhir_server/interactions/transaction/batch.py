"""batch: each entry on its own; one that fails leaves the others as they are.

https://hl7.org/fhir/R4/http.html#brules
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import BadValue, FhirError
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import Write
from fhir_server.interactions.context import Context
from fhir_server.interactions.doors import command
from fhir_server.interactions.perform import perform
from fhir_server.interactions.results import Result
from fhir_server.interactions.transaction.answers import answered
from fhir_server.interactions.transaction.bounds import Budget, Patience
from fhir_server.interactions.transaction.entries import Entry, entry, rows, weight_of
from fhir_server.interactions.transaction.places import at

NESTED: Final = Text(
    "A batch may not hold another batch, a transaction or the status of a request.",
    "Внутри batch не может быть другого batch, transaction или состояния запроса.",
    "Усередині batch не може бути іншого batch, transaction чи стану запиту.",
)

_OUTSIDE: Final = frozenset({"transaction", "job-status", "job-cancel"})


class Journal(Protocol):
    """Which entries have been carried out before, and which are now."""

    @property
    def done(self) -> Mapping[int, bytes]:
        """By entry index, the entry of the response."""

    async def write(self, ctx: Context, index: int, asked: Write) -> Result:
        """Carry out a writing entry and note it in the same unit."""

    def postpones(self, error: FhirError) -> bool:
        """Whether to raise `error` of an entry, rather than give it as its answer."""

    async def reached(self, ctx: Context, index: int) -> Context:
        """All entries before `index` have been carried out; the context of this one, with the
        rights of now."""


async def batch(
    ctx: Context, bundle: JsonObject, journal: Journal | None = None
) -> list[Result | FhirError | bytes]:
    """Carry out the entries one by one; what an entry raised stands in its place.

    What `journal` has as done is not done again.

    Raises:
        TooLarge: there are more entries than the server takes.
    """
    results: list[Result | FhirError | bytes] = []
    budget, patience = Budget(ctx.services.limits.answers), Patience()
    for index, row in enumerate(rows(bundle, ctx.services.limits.entries)):
        if journal is not None:
            ctx = await journal.reached(ctx, index)
            if index in journal.done:
                results.append(journal.done[index])
                continue
        try:
            patience.check(index)
            weight = weight_of(row, ctx.size)
            read = await aside(weight, _read, ctx, index, row, least=HEAVY)
            with at(read.path):
                result = await _performed(ctx.sized(weight), read, budget, journal)
                results.append(answered(read.asked.method, budget.taken(result)))
            patience.answered(None)
        except FhirError as error:
            if journal is not None and journal.postpones(error):
                raise
            results.append(error)
            patience.answered(error)
        await asyncio.sleep(0)  # a long batch must let others have their turn
    return results


async def _performed(
    ctx: Context, read: Entry, budget: Budget, journal: Journal | None
) -> Result:
    """An operation that a lost worker leaves behind unnoted is carried out again, as its
    client would: what each of them changes may be changed twice."""
    beside = ctx.services.beside.get(read.code)
    if beside is not None:
        budget.check(read.asked)
        return await beside(ctx, read.asked)
    asked = command(read.asked)
    budget.check(asked)
    if journal is not None and isinstance(asked, Write):
        return await journal.write(ctx, read.index, asked)
    return await perform(ctx, asked)


def _read(ctx: Context, index: int, row: JsonObject) -> Entry:
    read = entry(index, row, ctx.services.base_url, ctx.services.offer)
    if read.code in _OUTSIDE:
        raise BadValue(NESTED, expression=f"{read.path}.request")
    return read
