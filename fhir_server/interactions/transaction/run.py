"""transaction: every entry or none, in one unit of work.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from fhir_server.access.audit_log import AuditRow
from fhir_server.access.rights import UNLIMITED
from fhir_server.aside import HEAVY, aside
from fhir_server.core.errors import BadValue, FhirError, Issue, NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.interactions.audit_events import up_to_date
from fhir_server.interactions.context import Context
from fhir_server.interactions.delete import deleted, removed
from fhir_server.interactions.doors import command
from fhir_server.interactions.guards import written_with
from fhir_server.interactions.perform import perform
from fhir_server.interactions.permits import check_command, check_existence
from fhir_server.interactions.provenance import KIND as PROVENANCE
from fhir_server.interactions.provenance import attest, is_attested
from fhir_server.interactions.results import Result
from fhir_server.interactions.step_up import InsufficientSignIn, combined
from fhir_server.interactions.trail import Trail, doing_of
from fhir_server.interactions.transaction.answers import answered
from fhir_server.interactions.transaction.bounds import Budget, breath
from fhir_server.interactions.transaction.current import current
from fhir_server.interactions.transaction.entries import Entry, read, rows
from fhir_server.interactions.transaction.identities import Identities, check_urls, settle
from fhir_server.interactions.transaction.places import at
from fhir_server.interactions.transaction.writes import write
from fhir_server.interactions.versions import check_type
from fhir_server.interactions.withholding import withheld
from fhir_server.store.port import Unit

NOT_INSIDE: Final = Text(
    "`{method} {code}` cannot be part of a transaction; send it by itself.",
    "`{method} {code}` не может входить в транзакцию; отправьте отдельным запросом.",
    "`{method} {code}` не може входити в транзакцію; надішліть окремим запитом.",
)

_DELETES: Final = frozenset({"delete", "conditional-delete"})
_READS: Final = frozenset({"read", "vread", "search-type", "search-system"})
_WRITES: Final = frozenset(
    {"create", "update", "conditional-update", "patch", "conditional-patch"}
)

Seal: TypeAlias = Callable[[Unit, Sequence[Result]], Awaitable[None]]
"""Does what belongs into the same unit, when every entry has been carried out."""


async def transaction(
    ctx: Context, bundle: JsonObject, seal: Seal | None = None
) -> list[Result]:
    """Carry out every entry, or none; the results stand in the entries' order.

    Deletes, then creates, then updates and patches, then reads, on the new state; `seal` last.

    Raises:
        FhirError: with `Bundle.entry[n]` in its expression; nothing is written.
    """
    services = ctx.services
    raw = rows(bundle, services.limits.entries)
    entries = await read(raw, services.base_url, services.offer, ctx.size)
    _check_codes(entries)
    check_urls(entries)
    if ctx.rights is not UNLIMITED:
        _check_permits(ctx, entries)
    await _check_resources(ctx, entries)
    named = {e.asked.target.type or "" for e in entries if e.code not in _READS}
    kinds = written_with(ctx, named)
    if any(is_attested(ctx, kind) for kind in named):
        kinds.add(PROVENANCE)

    trail = ctx.trail
    for each in entries:
        if each.code in _READS:
            await up_to_date(ctx, command(each.asked))

    async def work(unit: Unit) -> tuple[list[Result], AuditRow | None]:
        # What is done is told as a whole, with the unit: not by each command, as it may be
        # done again.
        inside = replace(ctx.inside(unit), trail=None)
        found = await settle(inside, unit, entries)
        results = await _deletes(inside, unit, entries, found)
        written = [e for e in entries if e.code in _WRITES]
        made = await write(inside, unit, written, found)
        results |= {index: await withheld(inside, each) for index, each in made.items()}
        results |= await _reads(inside, entries)
        ordered = [results[index] for index in range(len(entries))]
        if seal is not None:
            await seal(unit, ordered)
        await attest(ctx, unit, ordered)
        row = None if trail is None else await _told(trail, unit, entries, ordered)
        return ordered, row

    results, row = await ctx.services.store.run(sorted(kinds), work)
    if trail is not None and row is not None:
        trail.committed(row)
    return results


def _check_permits(ctx: Context, entries: Sequence[Entry]) -> None:
    """Raise what stands against an entry; of sign-ins that will not do, all together: one
    that is stronger has to do for the whole."""
    weak: list[InsufficientSignIn] = []
    for each in entries:
        try:
            with at(each.path):
                check_command(ctx, command(each.asked))
        except InsufficientSignIn as error:
            weak.append(error)
    if weak:
        raise combined(weak)


async def _told(
    trail: Trail, unit: Unit, entries: Sequence[Entry], results: Sequence[Result]
) -> AuditRow:
    """Keep, with the unit, what its entries came to."""
    done = zip((doing_of(command(each.asked)) for each in entries), results, strict=True)
    row = trail.written(*done)
    await unit.log(row)
    return row


def _check_codes(entries: Sequence[Entry]) -> None:
    issues = [
        Issue(
            "not-supported",
            NOT_INSIDE,
            {"method": each.asked.method, "code": each.code},
            expression=(f"{each.path}.request",),
        )
        for each in entries
        if each.code not in _DELETES | _READS | _WRITES
    ]
    if issues:
        raise NotSupported.of(issues)


async def _check_resources(ctx: Context, entries: Sequence[Entry]) -> None:
    """Validate every body before a unit is opened: it is the long part of the work."""
    issues: list[Issue] = []
    for place, each in enumerate(entries):
        if each.asked.method in {"POST", "PUT"}:
            issues.extend(await aside(each.size, _issues, ctx, each, least=HEAVY))
        await breath(place)
    if issues:
        raise BadValue.of(issues)


def _issues(ctx: Context, entry: Entry) -> Sequence[Issue]:
    try:
        asked = command(entry.asked)
        resource = getattr(asked, "resource", None)
        if resource is not None:
            check_type(resource, entry.asked.target.type or "")
            ctx.services.validator.check(resource, entry.asked.target.type or "")
    except FhirError as error:
        return error.at(f"{entry.path}.resource").issues
    return ()


async def _deletes(
    ctx: Context, unit: Unit, entries: Sequence[Entry], found: Identities
) -> dict[int, Result]:
    results: dict[int, Result] = {}
    old = await current(ctx, unit, [e for e in entries if e.code == "delete"], found, "d")
    for place, each in enumerate(entries):
        kind = each.asked.target.type or ""
        if each.code == "conditional-delete":
            results[each.index] = await removed(ctx, unit, kind, found.removals[each.index])
        elif each.code == "delete":
            with at(each.path):
                version = old[each.index]
                check_existence(ctx, "d", kind, found.ids[each.index], version)
                asked = each.asked.if_match
                results[each.index] = await deleted(ctx, unit, version, asked)
        await breath(place)
    return results


async def _reads(ctx: Context, entries: Sequence[Entry]) -> dict[int, Result]:
    results: dict[int, Result] = {}
    budget = Budget(ctx.services.limits.answers)
    for each in entries:
        if each.code in _READS:
            with at(each.path):
                result = budget.taken(await perform(ctx, command(each.asked)))
                results[each.index] = answered(each.asked.method, result)
    return results
