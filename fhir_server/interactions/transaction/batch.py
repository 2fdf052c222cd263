"""batch: each entry on its own; one that fails leaves the others as they are.

https://hl7.org/fhir/R4/http.html#brules
"""

import asyncio
from typing import Final

from fhir_server.core.errors import BadValue, FhirError
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import Command
from fhir_server.interactions.context import Context
from fhir_server.interactions.doors import command
from fhir_server.interactions.perform import perform
from fhir_server.interactions.results import Result
from fhir_server.interactions.transaction.entries import entry, rows
from fhir_server.interactions.transaction.places import at

NESTED: Final = Text(
    "A batch may not hold another batch, a transaction, `/metadata` or an operation.",
    "Внутри batch не может быть другого batch, transaction, `/metadata` или операции.",
    "Усередині batch не може бути іншого batch, transaction, `/metadata` чи операції.",
)

_OUTSIDE: Final = frozenset({"transaction", "capabilities", "operation"})


async def batch(ctx: Context, bundle: JsonObject) -> list[Result | FhirError]:
    """Carry out the entries one by one; what an entry raised stands in its place.

    Raises:
        TooLarge: there are more entries than the server takes.
    """
    results: list[Result | FhirError] = []
    for index, row in enumerate(rows(bundle, ctx.services.limits.entries)):
        try:
            asked = _read(ctx, index, row)
            with at(f"Bundle.entry[{index}]"):
                results.append(await perform(ctx, asked))
        except FhirError as error:
            results.append(error)
        await asyncio.sleep(0)  # a long batch must let others have their turn
    return results


def _read(ctx: Context, index: int, row: JsonObject) -> Command:
    read = entry(index, row, ctx.services.base_url)
    if read.code in _OUTSIDE:
        raise BadValue(NESTED, expression=f"{read.path}.request")
    return command(read.asked)
