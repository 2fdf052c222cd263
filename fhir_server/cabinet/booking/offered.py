"""Which places a caller may book now, as one predicate on Slots.

The guards decide by the same: a place is free, it begins in the future, and its channels have
the caller's.

https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.cabinet.booking.actors import actor_of
from fhir_server.cabinet.booking.names import PORTAL
from fhir_server.cabinet.booking.policy import DAY
from fhir_server.cabinet.booking.sought import Sought
from fhir_server.cabinet.booking.visits import AHEAD, visit_of
from fhir_server.core.errors import BadValue, TooCostly
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import (
    And,
    Compare,
    Ids,
    Keys,
    Node,
    Not,
    Nothing,
    Or,
    Present,
    Range,
    Search,
)
from fhir_server.search.values import Interval

TOO_LONG: Final = Text(
    "Days of the week can be asked for within {days} days.",
    "Дни недели можно указать для срока до {days} дней.",
    "Дні тижня можна вказати для строку до {days} днів.",
)
NO_END: Final = Text(
    "`end` lies before `start`.", "`end` раньше, чем `start`.", "`end` раніше, ніж `start`."
)

TOO_MANY: Final = Text(
    "More than {most} schedules answer this; narrow it by doctor, place or speciality.",
    "Подходит больше {most} расписаний; сузьте запрос врачом, местом или специальностью.",
    "Підходить понад {most} розкладів; звузьте запит лікарем, місцем або спеціальністю.",
)

_MOST_SCHEDULES: Final = 1_000
_AHEAD_DAYS: Final = 60
"""How far is looked where no `end` is named."""
_MOST_DAYS: Final = 100
_MOST_OWN: Final = 200
_MS: Final = 1000
_LAST: Final = 253_402_128_000_000
"""9999-12-30, in milliseconds since 1970: a day that the calendar has in every zone."""
_CHANNEL: Final = "booking-channel"
_FREE: Final = Keys("tokens", (keys.token("status", None, "free"),))
_OPEN: Final = Or((
    Not(Present("tokens", f"{_CHANNEL}|")),
    Keys("tokens", (keys.token(_CHANNEL, None, PORTAL),)),
))  # fmt: skip


def window(sought: Sought, now: int) -> tuple[int, int]:
    """From when until when is looked, in milliseconds since 1970; nothing is past.

    Raises:
        BadValue: the end lies before the start.
    """
    start = now if sought.start is None else sought.start
    end = max(now, start) + _AHEAD_DAYS * DAY if sought.end is None else sought.end
    if end < start:
        raise BadValue(NO_END, expression="end")
    return min(max(start, now + 1), _LAST), min(end, _LAST)


@dataclass(frozen=True, slots=True)
class Offered:
    """What answers a question."""

    slots: Node
    schedules: Mapping[str, JsonObject]
    """Those by their ids that had to be looked at, as far as the caller may see them."""


async def offered(ctx: Context, sought: Sought, own: tuple[str, ...] = ()) -> Offered:
    """The Slots that answer `sought`; `own` are the ids of those with visits of the caller's,
    which are shown besides.

    Raises:
        Invalid: a condition cannot be read, or more schedules answer than are looked at.
    """
    begin, end = window(sought, ctx.services.now())
    free: list[Node] = [_FREE, _OPEN] if actor_of(ctx.principal) == "person" else [_FREE]
    shown: Node = Or((And(tuple(free)), Ids(own))) if own else And(tuple(free))
    seen: dict[str, JsonObject] = {}
    conditions = [each async for each in _conditions(ctx, sought, seen)]
    days = _days(ctx, sought, begin, end)
    return Offered(intersection((between(begin, end), *days, shown, *conditions)), seen)


async def _conditions(
    ctx: Context, sought: Sought, seen: dict[str, JsonObject]
) -> AsyncIterator[Node]:
    """What is asked of Slots; Schedules that are met on the way are kept in `seen`."""
    compiler = ctx.services.compiler

    def of(kind: str, name: str, text: str) -> Node:
        return compiler.condition(kind, ((name, text),))

    wanted = [union(of("Schedule", *each) for each in any_of) for any_of in sought.schedules]
    if wanted:
        yield await _of_schedules(ctx, intersection(wanted), seen)
    for name, text in sought.codes:
        general = await _of_schedules(ctx, of("Schedule", name, text), seen)
        has_own = Present("tokens", f"{name}|")
        of_slot = of("Slot", name, text)
        yield union((of_slot, *_alone(general, Not(has_own))))


def _alone(general: Node, condition: Node) -> Iterator[Node]:
    if not isinstance(general, Nothing):
        yield And((condition, general))


async def _of_schedules(ctx: Context, where: Node, seen: dict[str, JsonObject]) -> Node:
    plan = Search("Schedule", where, count=_MOST_SCHEDULES)
    page = await ctx.reads.search(plan, within=ctx.rights.search)
    rows = page.rows
    if page.more:
        raise TooCostly(TOO_MANY, most=_MOST_SCHEDULES)
    depth = ctx.services.limits.depth
    seen |= {row.id: loads(row.body, max_depth=depth) for row in rows}
    found = tuple(keys.reference("schedule", f"Schedule/{row.id}") for row in rows)
    return Keys("references", found) if found else Nothing()


def _days(ctx: Context, sought: Sought, begin: int, end: int) -> Iterator[Node]:
    if not sought.days:
        return
    if end - begin > _MOST_DAYS * DAY:
        raise TooCostly(TOO_LONG, days=_MOST_DAYS, expression="end")
    zone = ZoneInfo(ctx.services.zone)
    day = datetime.fromtimestamp(begin / _MS, zone).date()
    found: list[Node] = []
    while (opens := round(datetime.combine(day, time(), zone).timestamp() * _MS)) < end:
        after = day + timedelta(days=1)
        if day.weekday() in sought.days:
            closes = round(datetime.combine(after, time(), zone).timestamp() * _MS)
            found.append(between(opens, closes))
        day = after
    yield Or(tuple(found)) if found else Nothing()


def patients_of(ctx: Context, sought: Sought) -> Sequence[str]:
    """Logical ids of those for whom places are looked for."""
    if sought.patient is not None:
        return (sought.patient.rpartition("/")[2],)
    return () if ctx.principal is None else ctx.principal.represented


async def own_visits(ctx: Context, sought: Sought) -> dict[str, str]:
    """Slots on which the caller's patients have visits in that time, each with a reference to
    the visit; only such as the caller may find."""
    patients = patients_of(ctx, sought)
    if not sought.is_mine or not patients:
        return {}
    begin, end = window(sought, ctx.services.now())
    where = And((
        Keys("references", tuple(keys.reference("patient", f"Patient/{p}") for p in patients)),
        Keys("tokens", tuple(keys.token("status", None, each) for each in sorted(AHEAD))),
        Range(
            "dates",
            "date",
            Interval(begin, end),
            ((Compare("hi", ">", "lo"), Compare("lo", "<", "hi")),),
        ),
    ))  # fmt: skip
    rows = await ctx.reads.find("Appointment", where, limit=_MOST_OWN, within=ctx.rights.search)
    found: dict[str, str] = {}
    for row in rows:
        resource = loads(row.body, max_depth=ctx.services.limits.depth)
        visit = visit_of(resource, ctx.services.base_url)
        if not visit.is_expired(ctx.services.now()):
            found |= dict.fromkeys(visit.slots, f"Appointment/{row.id}")
    return found
