"""What `Slot/$generate` is asked: a Parameters resource as a template.

https://hl7.org/fhir/R4/parameters.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import islice
from typing import Any, Final

from fhir_server.cabinet.booking.asked import NOT_ONE
from fhir_server.cabinet.booking.policy import DAY, HOUR, MINUTE
from fhir_server.cabinet.booking.template import (
    WEEKDAYS,
    Channel,
    Hours,
    Interval,
    Template,
    intervals,
)
from fhir_server.core import references
from fhir_server.core.errors import BadValue, MissingElement, TooCostly, UnknownParameter
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject

MOST_DAYS: Final = 370
MOST_PLACES: Final = 5_000
"""Of one call, which is one transaction: half a year of a doctor, as many as a Bundle has."""

NEEDED: Final = Text(
    "`{name}` is needed.", "Нужен параметр `{name}`.", "Потрібен параметр `{name}`."
)
NO_PARAMETER: Final = Text(
    "$generate has no parameter `{name}`.",
    "У $generate нет параметра `{name}`.",
    "У $generate немає параметра `{name}`.",
)
TOO_MUCH: Final = Text(
    "One call makes up to {places} places of up to {days} days; ask for a shorter period.",
    "За один вызов создаётся до {places} мест на срок до {days} дней; сократите период.",
    "За один виклик створюється до {places} місць на строк до {days} днів; скоротіть період.",
)

_DAYS: Final = {code: place for place, code in enumerate(WEEKDAYS)}
_UNITS: Final = {"min": MINUTE, "h": HOUR, "d": DAY}
_CONCEPTS: Final[Mapping[str, tuple[str, bool]]] = {
    "service-category": ("serviceCategory", True),
    "service-type": ("serviceType", True),
    "specialty": ("specialty", True),
    "appointment-type": ("appointmentType", False),
}
"""Parameter → element of Slot, and whether that may repeat."""
_KNOWN: Final = frozenset(
    {"schedule", "period", "hours", "break", "holiday", "duration", "channel", "capacity"}
    | {"dry-run", *_CONCEPTS}
)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The parameters, read."""

    schedule: str
    """Logical id."""
    template: Template
    capacity: int
    concepts: JsonObject
    """Elements of a Slot that were named."""
    dry: bool


def ordered(body: JsonObject | None, base: str, zone: str = "UTC") -> Ordered:
    """Read the Parameters `body`, valid; `zone` is the clinic's.

    Raises:
        UnknownParameter, MissingElement, BadValue: there is one that cannot be read.
        TooCostly: the period is too long.
    """
    given = _Given((body or {}).get("parameter", ()))
    named = references.parse(_reference(given.one("schedule")), base)
    if named.kind != "local" or named.type != "Schedule" or named.id is None:
        raise BadValue(NOT_ONE, name="schedule", expression="schedule")
    period = given.one("period")
    template = Template(
        zone=zone,
        first=_date("period", period.get("start")),
        last=_date("period", period.get("end")),
        hours=tuple(_hours("hours", each) for each in given.parts("hours")),
        duration=_duration(given.one("duration")),
        breaks=tuple(_hours("break", each, _DAYS) for each in given.parts("break")),
        holidays=frozenset(_date("holiday", each) for each in given.all("holiday")),
        channels=tuple(_channel(each) for each in given.parts("channel")),
    )
    if not template.hours:
        raise MissingElement(NEEDED, name="hours", expression="hours")
    if not 0 <= (template.last - template.first).days < MOST_DAYS:
        raise TooCostly(TOO_MUCH, places=MOST_PLACES, days=MOST_DAYS, expression="period")
    return Ordered(
        named.id,
        template,
        _count("capacity", given.maybe("capacity", 1), 1),
        dict(given.concepts()),
        given.maybe("dry-run", default=False) in (True, "true"),
    )


def wanted(template: Template) -> Sequence[Interval]:
    """The places that `template` has.

    Raises:
        TooCostly: they are more than one call makes.
    """
    found = list(islice(intervals(template), MOST_PLACES + 1))
    if len(found) > MOST_PLACES:
        raise TooCostly(TOO_MUCH, places=MOST_PLACES, days=MOST_DAYS, expression="period")
    return found


class _Given:
    """Parameters by their names."""

    def __init__(self, rows: Sequence[JsonObject]) -> None:
        self._rows = rows
        for row in rows:
            if row.get("name") not in _KNOWN:
                name = str(row.get("name"))[:80]
                raise UnknownParameter(NO_PARAMETER, name=name, expression=name)

    def parts(self, name: str) -> Iterator[JsonObject]:
        """The rows of that name that have parts."""
        return (row for row in self._rows if row["name"] == name)

    def all(self, name: str) -> list[Any]:
        return [_value(row) for row in self._rows if row["name"] == name]

    def one(self, name: str) -> Any:
        found = self.all(name)
        if len(found) != 1 or found[0] is None:
            raise MissingElement(NEEDED, name=name, expression=name)
        return found[0]

    def maybe(self, name: str, default: Any) -> Any:
        return self.one(name) if self.all(name) else default

    def concepts(self) -> Iterator[tuple[str, Any]]:
        for name, (element, repeats) in _CONCEPTS.items():
            found = self.all(name)
            if any(not isinstance(each, dict) for each in found):
                raise BadValue(NOT_ONE, name=name, expression=name)
            if found:
                yield element, found if repeats else found[0]


def _value(row: JsonObject) -> Any:
    return next((v for k, v in row.items() if k.startswith("value")), None)


def _of(row: JsonObject, name: str) -> list[Any]:
    return [_value(each) for each in row.get("part", ()) if each.get("name") == name]


def _hours(name: str, row: JsonObject, every: Mapping[str, int] | None = None) -> Hours:
    """`every`: the days that are meant where none is named."""
    named = _of(row, "day") or list(every or ())
    if not named or any(each not in _DAYS for each in named):
        raise BadValue(NOT_ONE, name="day", expression=name)
    start, end = (_time(name, _of(row, each)) for each in ("start", "end"))
    return Hours(frozenset(_DAYS[each] for each in named), start, end)


def _time(name: str, found: Sequence[Any]) -> time:
    try:
        read = time.fromisoformat(str(found[0]) if len(found) == 1 else "")
    except ValueError as error:
        raise BadValue(NOT_ONE, name=name, expression=name) from error
    if read.tzinfo is not None:
        raise BadValue(NOT_ONE, name=name, expression=name)
    return read


def _channel(row: JsonObject) -> Channel:
    code, quota = _of(row, "code"), _of(row, "quota")
    if len(code) != 1 or not isinstance(code[0], str):
        raise BadValue(NOT_ONE, name="channel", expression="channel")
    return Channel(code[0], _count("quota", quota[0], 0) if quota else None)


def _date(name: str, value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise BadValue(NOT_ONE, name=name, expression=name) from error


def _duration(value: Any) -> int:
    """Milliseconds, of whole minutes."""
    unit: int | None = MINUTE
    if isinstance(value, dict):
        unit, value = _UNITS.get(value.get("code", "")), value.get("value")
    try:
        found = int(value * unit) if unit is not None else 0
    except TypeError:
        found = 0
    if not MINUTE <= found <= DAY or found % MINUTE:
        raise BadValue(NOT_ONE, name="duration", expression="duration")
    return found


def _count(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadValue(NOT_ONE, name=name, expression=name)
    return value


def _reference(value: Any) -> str:
    text = value.get("reference", "") if isinstance(value, dict) else str(value)
    return text if "/" in text else f"Schedule/{text}"
