"""The writing entries of a transaction, in as few calls to the store as they allow.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Sequence
from dataclasses import replace

from fhir_server.aside import HEAVY, aside
from fhir_server.core.types import JsonObject
from fhir_server.interactions.context import Context
from fhir_server.interactions.guards import ask, is_guarded
from fhir_server.interactions.patch import patched
from fhir_server.interactions.patching.documents import of_entry
from fhir_server.interactions.permits import check_existence
from fhir_server.interactions.read import live
from fhir_server.interactions.results import Result
from fhir_server.interactions.transaction.bounds import breath
from fhir_server.interactions.transaction.current import current
from fhir_server.interactions.transaction.entries import Entry
from fhir_server.interactions.transaction.identities import Identities
from fhir_server.interactions.transaction.places import at
from fhir_server.interactions.update import (
    check_body_id,
    check_free,
    check_if_none_match,
    made,
    matched_id,
    put,
)
from fhir_server.interactions.versions import (
    check_id,
    check_if_match,
    first_version,
    saying,
    written,
)
from fhir_server.store.port import Stored, Unit, Version


async def write(
    ctx: Context, unit: Unit, entries: Sequence[Entry], found: Identities
) -> dict[int, Result]:
    """Creates, then updates, then patches; results by entry index.

    Raises:
        FhirError: with the place of the entry that cannot be written.
    """
    results: dict[int, Result] = {}
    fresh: list[Version] = []
    for place, each in enumerate(entries):
        if each.code == "create" and each.index not in found.twins:
            results[each.index] = await _created(ctx, unit, each, found, fresh)
        await breath(place)
    for twin, first in found.twins.items():
        results[twin] = replace(results[first], status=200, located=False)
    changes = [e for e in entries if e.code != "create"]
    old = await current(ctx, unit, changes, found, "u")
    updates = [e for e in changes if e.code in {"update", "conditional-update"}]
    for place, each in enumerate(updates):
        sized = ctx.sized(each.size)
        results[each.index] = await _updated(sized, unit, each, found, old[each.index], fresh)
        await breath(place)
    if fresh:
        await unit.insert(fresh)
    patches = [e for e in changes if e.code in {"patch", "conditional-patch"}]
    for place, each in enumerate(patches):
        sized = ctx.sized(each.size)
        results[each.index] = await _patched(sized, unit, each, found, old[each.index])
        await breath(place)
    return results


async def _created(
    ctx: Context, unit: Unit, entry: Entry, found: Identities, fresh: list[Version]
) -> Result:
    match_ = found.matches.get(entry.index)
    if match_ is not None:
        return Result(200, match_)
    kind, id_ = entry.asked.target.type or "", found.ids[entry.index]
    resource = _linked(entry, found)
    await _shown(ctx, unit, kind, fresh)
    # Whether the caller may write it comes first: a rule would tell of others' plans.
    version = await aside(
        entry.size, first_version, ctx, kind, id_, resource, "POST", least=HEAVY
    )
    with at(f"{entry.path}.resource"):
        said = await ask(ctx, unit, kind, id_, before=None, after=resource)
    version = saying(ctx, version, said)
    fresh.append(version)
    return written(version, 201)


async def _shown(ctx: Context, unit: Unit, kind: str, fresh: list[Version]) -> None:
    """Let the guards of `kind` see what the entries before have made."""
    if fresh and is_guarded(ctx, kind):
        await unit.insert(fresh)
        fresh.clear()


def _linked(entry: Entry, found: Identities) -> JsonObject:
    if entry.linked is None:
        raise AssertionError(entry.path)  # the check of its type has refused it before
    return entry.linked.fill(found.links)


async def _updated(
    ctx: Context,
    unit: Unit,
    entry: Entry,
    found: Identities,
    old: Stored | None,
    fresh: list[Version],
) -> Result:
    kind, id_ = entry.asked.target.type or "", found.ids[entry.index]
    resource = _linked(entry, found)
    with at(entry.path):
        if not _has_new_id(entry, found):
            check_existence(ctx, "u", kind, id_, old)
        _check(entry, resource, found, old)
        if old is None or old.deleted:
            await _shown(ctx, unit, kind, fresh)
            said = await ask(ctx, unit, kind, id_, before=None, after=resource)
            version = saying(ctx, await made(ctx, old, kind, id_, resource), said)
            fresh.append(version)
            return written(version, 201)
        await _shown(ctx, unit, kind, fresh)
        return await put(ctx, unit, kind, id_, old, resource)


def _has_new_id(entry: Entry, found: Identities) -> bool:
    """Whether nothing can have the id of `entry`: the server has just made it."""
    is_unmatched = entry.code == "conditional-update" and found.matches[entry.index] is None
    return is_unmatched and "id" not in (entry.asked.resource or {})


def _check(entry: Entry, resource: JsonObject, found: Identities, old: Stored | None) -> None:
    check_if_match(entry.asked.if_match, old)
    if entry.code == "update":
        check_body_id(resource, found.ids[entry.index])
        check_if_none_match(entry.asked.if_none_match, old)
    elif found.matches[entry.index] is None:
        check_id(found.ids[entry.index])
        check_free(old)
    else:
        matched_id(resource, found.matches[entry.index])


async def _patched(
    ctx: Context, unit: Unit, entry: Entry, found: Identities, old: Stored | None
) -> Result:
    asked = entry.asked
    with at(entry.path):
        # What the links lead to is known by now: the patch is read anew.
        change = of_entry(_linked(entry, found)) if entry.linked else asked.change
        if change is None:
            raise AssertionError(entry.path)  # entries.read gave every PATCH its change
        kind, id_ = asked.target.type or "", found.ids[entry.index]
        check_existence(ctx, "u", kind, id_, old)
        version = live(old, kind, id_)
        return await patched(ctx, unit, version, change, asked.if_match)
