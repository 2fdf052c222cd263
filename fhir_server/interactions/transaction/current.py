"""What is there under the identities that the entries of a transaction write.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections import defaultdict
from collections.abc import Iterable

from fhir_server.interactions.context import Context
from fhir_server.interactions.permits import is_limited
from fhir_server.interactions.transaction.entries import Entry
from fhir_server.interactions.transaction.identities import Identities
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.port import Stored, Unit


async def current(
    ctx: Context,
    unit: Unit,
    entries: Iterable[Entry],
    found: Identities,
    letter: ScopeLetter,
) -> dict[int, Stored | None]:
    """By entry index the live version or tombstone that it means, as far as the caller has
    `letter` for it; None where there is none.

    What an entry's criteria have found is that, and is not asked for again, unless to find a
    resource is one right and to write it another.
    """
    known: dict[int, Stored | None] = {}
    wanted: dict[str, list[int]] = defaultdict(list)
    for each in entries:
        kind = each.asked.target.type or ""
        match_ = found.matches.get(each.index)
        if match_ is not None and not is_limited(ctx, letter, kind):
            known[each.index] = match_
        else:
            wanted[kind].append(each.index)
    for kind, indexes in wanted.items():
        ids = [found.ids[index] for index in indexes]
        rows = await unit.read_each(kind, ids, within=ctx.rights.of(letter))
        known |= zip(indexes, rows, strict=True)
    return known
