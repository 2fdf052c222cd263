"""What `Appointment/$find` is asked, by IHE's names, from a query or from Parameters.

https://profiles.ihe.net/ITI/Scheduling/ITI-115.html
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.cabinet.booking.asked import NOT_ONE
from fhir_server.cabinet.booking.template import WEEKDAYS
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.errors import BadValue

Pairs = tuple[tuple[str, str], ...]

NAMES: Final = frozenset(
    {"start", "end", "specialty", "visit-type", "service-type", "practitioner"}
    | {"organization", "location-string", "location-reference", "schedule", "timing", "day"}
    | {"patient-reference", "patient-resource", "reason", "referral-identifier"}
    | {"referral-reference", "insurance-reference", "mine", "_count", "_cursor"}
    | {f"{each}.identifier" for each in ("practitioner", "organization")}
    | {"location-reference.identifier"}
)

TYPES: Final = {
    "practitioner": "Practitioner",
    "organization": "Organization",
    "location-reference": "Location",
    "schedule": "Schedule",
}
"""What a bare id means."""

Condition = tuple[str, str]
"""A search parameter of Schedule, and its value."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The question, read."""

    pairs: Pairs
    """Of the links of pages: all of it in words."""
    start: int | None
    """Milliseconds since 1970, as `end`; places begin at it or later, and before `end`."""
    end: int | None
    days: frozenset[int]
    """Of the week, 0 is Monday; none: all."""
    schedules: Sequence[Sequence[Condition]]
    """Any of each: what the Schedule of a place must be."""
    codes: Sequence[tuple[str, str]]
    """Search parameters of Slot and of Schedule alike: what a place is for."""
    patient: str | None
    """As it was written."""
    said: Pairs
    """What goes into the proposals as it is: reason, referral, insurance."""
    is_mine: bool


def sought(given: Iterable[tuple[str, Any]]) -> Sought:
    """Read the parameters, names and values.

    Raises:
        BadValue: one has a value that it cannot have.
    """
    pairs = tuple(pair for name, value in given for pair in _in_words(name, value))
    named: dict[str, list[str]] = {}
    for name, value in pairs:
        named.setdefault(name, []).append(value)
    once = {
        name: _once(name, named[name]) for name in ("start", "end", "mine") if name in named
    }
    patients = named.get("patient-reference", ())
    if len(patients) > 1:
        raise BadValue(NOT_ONE, name="patient-reference", expression="patient-reference")
    return Sought(
        pairs=tuple(pair for pair in pairs if pair[0] not in ("_count", "_cursor")),
        start=_moment("start", once.get("start")),
        end=_moment("end", once.get("end")),
        days=frozenset(_day(each) for each in named.get("day", ())),
        schedules=tuple(_schedules(named)),
        codes=tuple(_codes(named)),
        patient=patients[0] if patients else None,
        said=tuple(pair for pair in pairs if pair[0] in _SAID),
        is_mine=once.get("mine") == "true",
    )


_SAID: Final = frozenset(
    {"reason", "referral-identifier", "referral-reference", "insurance-reference"}
)


def _once(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise BadValue(NOT_ONE, name=name, expression=name)
    return values[0]


def _in_words(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A parameter as a query would say it."""
    if name == "patient-resource":
        return  # a patient who is not known here yet narrows nothing
    match value:
        case bool():
            yield name, "true" if value else "false"
        case {"reference": str(text)} | str(text):
            yield name, text
        case {"identifier": {"value": str(text), **more}}:
            yield f"{name}.identifier", f"{more.get('system', '')}|{text}"
        case {"coding": [{"code": str(code), **more}, *_]} | {"code": str(code), **more}:
            yield name, f"{more.get('system', '')}|{code}"
        case {"value": str(text), **more} if name == "referral-identifier":
            yield name, f"{more.get('system', '')}|{text}"
        case {"repeat": {"dayOfWeek": [*days], **others}} if name == "timing" and not others:
            yield from (("day", str(each)) for each in days)
        case int():
            yield name, str(value)
        case _:
            raise BadValue(NOT_ONE, name=name, expression=name)


def _moment(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_interval(text).lo
    except BadValue as error:
        raise BadValue(NOT_ONE, name=name, expression=name) from error


def _day(text: str) -> int:
    if text not in WEEKDAYS:
        raise BadValue(NOT_ONE, name="day", expression="day")
    return WEEKDAYS.index(text)


def _codes(named: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for parameter, names in (
        ("specialty", ("specialty",)),
        ("service-type", ("service-type", "visit-type")),
    ):
        values = [value for name in names for value in named.get(name, ())]
        if values:
            yield parameter, ",".join(values)


def _schedules(named: dict[str, list[str]]) -> Iterator[Sequence[Condition]]:
    for name, kind in TYPES.items():
        found = [
            condition
            for text in named.get(name, ())
            for condition in _of_reference(name, text if "/" in text else f"{kind}/{text}")
        ]
        found += [
            (f"{path}.identifier", text)
            for text in named.get(f"{name}.identifier", ())
            for path in _BY_IDENTIFIER.get(name, ())
        ]
        if found:
            yield found
    places = named.get("location-string", ())
    if places:
        yield [(f"{path}.address", text) for text in places for path in _LOCATIONS]


_LOCATIONS: Final = (
    "actor:Location",
    "actor:PractitionerRole.location",
    "actor:HealthcareService.location",
)
_BY_IDENTIFIER: Final = {
    "practitioner": ("actor:Practitioner", "actor:PractitionerRole.practitioner"),
    "organization": (
        "actor:PractitionerRole.organization",
        "actor:HealthcareService.organization",
        "actor:Location.organization",
    ),
    "location-reference": _LOCATIONS,
}


def _of_reference(name: str, text: str) -> Iterator[Condition]:
    if name == "schedule":
        yield "_id", text.rpartition("/")[2]
        return
    if name != "organization":
        yield "actor", text
    if "PractitionerRole/" not in text:
        others = (each for each in _BY_IDENTIFIER[name] if "." in each)
        yield from ((each, text) for each in others)
