"""Moves the dates of a seed bundle from the day it was written for to the day of loading.

The files of `seed_bundles/` are valid FHIR as they lie: every date in them is a real one,
counted from an anchor, a Monday that the bundle names in `Bundle.meta.tag`. Whole weeks are
added, so weekdays hold: a surgery hour of a Tuesday stays one.

- A resource tagged `relative` moves: every date, dateTime and instant of it, at any depth,
  partial ones too, extensions included.
- Birth dates and the periods of identifiers stay: an adult's birth date stands in his
  identifiers and in the examples of the handbook.
- A Patient, Person or RelatedPerson tagged `relative-birth` moves with its birth date, so
  that the newborn stays a newborn.
- Times of day and offsets stay as written.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES

ANCHOR_SYSTEM: Final = "https://fhir-server.example/seed-anchor"
SEED_SYSTEM: Final = "https://fhir-server.example/seed"
MOVES: Final = "relative"
MOVES_WITH_BIRTH: Final = "relative-birth"

_DATES: Final = frozenset({"date", "dateTime", "instant"})
_RESOURCES: Final = frozenset({"Resource", "DomainResource"})
_WEEK: Final = 7
_YEAR, _MONTH, _DAY = len("2026"), len("2026-01"), len("2026-01-05")


def loaded_on(bundle: JsonObject, today: date) -> JsonObject:
    """`bundle` as it is to be loaded on `today`; one without an anchor is given back as is."""
    anchor = _anchor(bundle)
    return shift(bundle, days_between(anchor, today)) if anchor else bundle


def days_between(anchor: date, today: date) -> int:
    """Count the days in whole weeks from `anchor` to `today`; never leads past `today`."""
    return (today - anchor).days // _WEEK * _WEEK


def shift(bundle: JsonObject, days: int) -> JsonObject:
    """`bundle` with the dates of its `relative` resources moved by `days`; anchor included."""
    return bundle | {
        "meta": _moved_anchor(bundle["meta"], days),
        "entry": [_entry(each, days) for each in bundle["entry"]],
    }


def _anchor(bundle: JsonObject) -> date | None:
    found = _codes(bundle, ANCHOR_SYSTEM)
    return date.fromisoformat(found[0]) if found else None


def _moved_anchor(meta: JsonObject, days: int) -> JsonObject:
    return meta | {"tag": [_moved_tag(each, days) for each in meta["tag"]]}


def _moved_tag(tag: JsonObject, days: int) -> JsonObject:
    if tag.get("system") != ANCHOR_SYSTEM:
        return tag
    return tag | {"code": moved(tag["code"], days)}


def _codes(resource: JsonObject, system: str) -> list[str]:
    tags = resource.get("meta", {}).get("tag", ())
    return [each["code"] for each in tags if each.get("system") == system]


def _entry(entry: JsonObject, days: int) -> JsonObject:
    resource = entry.get("resource")
    tags = _codes(resource, SEED_SYSTEM) if resource else []
    if resource is None or MOVES not in tags:
        return entry
    kept = frozenset(
        {"identifier"} if MOVES_WITH_BIRTH in tags else {"identifier", "birthDate"}
    )
    return entry | {"resource": _object(resource, resource["resourceType"], days, kept)}


def _object(value: JsonObject, kind: str, days: int, kept: frozenset[str]) -> JsonObject:
    return dict(_properties(value, kind, days, kept))


def _properties(
    value: JsonObject, kind: str, days: int, kept: frozenset[str]
) -> Iterator[tuple[str, Any]]:
    properties = TYPES[kind].properties
    for name, child in value.items():
        plain = name.removeprefix("_")
        if plain in kept or plain not in properties:
            yield name, child
        elif name != plain:
            yield name, _each(child, lambda v: _object(v, "Element", days, kept))
        else:
            code = properties[name].type.code
            yield name, _each(child, _mover(code, days, kept))


def _mover(code: str, days: int, kept: frozenset[str]) -> Callable[[Any], Any]:
    if code in _DATES:
        return lambda value: moved(value, days)
    if code in _RESOURCES:
        return lambda value: _object(value, value["resourceType"], days, kept)
    if TYPES[code].kind == "primitive":
        return lambda value: value
    return lambda value: _object(value, code, days, kept)


def _each(value: Any, move: Callable[[Any], Any]) -> Any:
    """`move` over a single value or each of an array; the nulls of arrays stay."""
    if isinstance(value, list):
        return [None if each is None else move(each) for each in value]
    return move(value)


def moved(text: str, days: int) -> str:
    """Move a date, dateTime or instant; its precision, time and offset stay.

    A month moves by its first day, a year by its first of July.
    """
    rest = text[_DAY:]
    if len(text) == _YEAR:
        return _add(f"{text}-07-01", days)[:_YEAR]
    if len(text) == _MONTH:
        return _add(f"{text}-01", days)[:_MONTH]
    return _add(text[:_DAY], days) + rest


def _add(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
