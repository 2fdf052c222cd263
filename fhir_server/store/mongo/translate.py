"""Plan nodes as MongoDB filters. Pure: no client, no clock.

`Chain`, `Has` and `Listed` lead to other types; `chains.resolve` has replaced them before.
User strings stand only as values; a regular expression is built of escaped text behind an
anchored prefix.

https://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import pi
from typing import Any, Final, NamedTuple, assert_never

from fhir_server.core.errors import TooCostly
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.plan import (
    And,
    Bound,
    Chain,
    Compare,
    Compartment,
    Containing,
    Everything,
    Has,
    Ids,
    Keys,
    Listed,
    Near,
    Node,
    Not,
    Nothing,
    Op,
    Or,
    Patient,
    Prefix,
    Present,
    Range,
    RangeField,
    Together,
    Updated,
)
from fhir_server.search.values import Interval
from fhir_server.store.mongo.documents import NARROW, PATHS, RANGES, WIDE

Filter = dict[str, Any]

TEXT_TOO_LONG: Final = Text(
    "A text of {length} characters is too long for `:contains`; {most} are allowed.",
    "Текст из {length} символов слишком длинен для `:contains`; допустимо {most}.",
    "Текст із {length} символів задовгий для `:contains`; дозволено {most}.",
)

_MAX_CONTAINED: Final = 1_000  # PCRE refuses a pattern of 32,764 bytes; a name is shorter
_EARTH_RADIUS: Final = 6_378_100.0  # metres; what MongoDB itself reckons with
_NOTHING: Final[Filter] = {"_id": {"$in": []}}
_LOWER: Final[Mapping[Op, str]] = {">": "$gt", ">=": "$gte"}
_UPPER: Final[Mapping[Op, str]] = {"<": "$lt", "<=": "$lte"}
_OTHER: Final[Mapping[Bound, Bound]] = {"lo": "hi", "hi": "lo"}


class Place(NamedTuple):
    """Where the fields of a filter are."""

    id: str = "_id"
    prefix: str = ""


CURRENT: Final = Place()
HISTORY: Final = Place("_id.id")


def to_filter(  # noqa: C901, PLR0912  # one case a node, and no more
    node: Node, place: Place = CURRENT
) -> Filter:
    """Write `node` as the filter of a find or `$match`; `{}` matches all.

    Raises:
        TooCostly: a text to be contained is longer than a pattern may be.
    """
    match node:
        case Everything():
            return {}
        case Nothing():
            return _NOTHING
        case Ids(ids):
            return {place.id: _any_of(ids)}
        case Keys(field, wanted):
            return {PATHS[field]: _any_of(_widened(field, wanted))}
        case Prefix(field, prefix):
            return {PATHS[field]: {"$elemMatch": _starting(prefix)}}
        case Containing(field, prefix, text):
            return {PATHS[field]: {"$elemMatch": _containing(prefix, text)}}
        case Range(field, key, value, arms):
            return _either(
                {RANGES[field]: {"$elemMatch": clause}}
                for arm in arms
                for clause in _clauses(field, key, _bounds(arm, value))
            )
        case Updated(value, arms):
            return _either(_updated(_bounds(arm, value)) for arm in arms)
        case Together(param, parts):
            return {"cmp": {"$elemMatch": {"p": param, "$and": [_part(p) for p in parts]}}}
        case Present(field, prefix):
            return _present(field, prefix)
        case Near():
            return _near(node)
        case Compartment(names):
            return {"in": _any_of(names)}
        case Patient(id_):
            return {"pt": id_}
        case Not(of):
            return {"$nor": [to_filter(of, place)]}
        case And(of):
            return _all(to_filter(each, place) for each in of)
        case Or(of):
            return _either(to_filter(each, place) for each in _gathered(of))
        case Chain() | Has() | Listed():
            raise UnresolvedError(node)
        case _:
            assert_never(node)


class UnresolvedError(TypeError):
    """A node that leads to another type has not been resolved: a defect of the store."""


def _any_of(values: Sequence[str]) -> object:
    return values[0] if len(values) == 1 else {"$in": list(values)}


def _widened(field: str, wanted: Sequence[str]) -> Sequence[str]:
    if field in RANGES:
        return [key for each in wanted for key in (each, WIDE + each)]
    return wanted


def _starting(prefix: str) -> Filter:
    return {"$gte": prefix, "$lt": prefix + keys.LAST}


def _containing(prefix: str, text: str) -> Filter:
    if len(text) > _MAX_CONTAINED:
        raise TooCostly(TEXT_TOO_LONG, length=len(text), most=_MAX_CONTAINED)
    # `(?s:.*)`: a text may hold line ends. The bounds let an index narrow the scan.
    pattern = f"^{_escaped(prefix)}(?s:.*){_escaped(text)}"
    return {**_starting(prefix), "$regex": pattern}


def _escaped(text: str) -> str:
    # A pattern ends at NUL in BSON, and `re.escape` leaves it as it is.
    return re.escape(text).replace("\0", r"\x00")


def _all(filters: Iterable[Filter]) -> Filter:
    parts = [each for each in filters if each]
    if len(parts) > 1:
        return {"$and": parts}
    return parts[0] if parts else {}


def _either(filters: Iterable[Filter]) -> Filter:
    parts = list(filters)
    if {} in parts:
        return {}
    if len(parts) > 1:
        return {"$or": parts}
    return parts[0] if parts else _NOTHING


def _gathered(of: Sequence[Node]) -> Iterable[Node]:
    """`of` with the Keys of one field as one node: one `$in` is planned as one scan."""
    wanted: dict[Any, list[str]] = {}
    for node in of:
        match node:
            case Keys(field, found):
                wanted.setdefault(field, []).extend(found)
            case _:
                yield node
    for field, several in wanted.items():
        yield Keys(field, tuple(dict.fromkeys(several)))


class _Limits(Filter):
    """The bounds on `lo` and `hi` of one value, the tightest of each side."""

    def narrow(self, bound: Bound, op: Op, limit: float) -> None:
        """Add `bound op limit`."""
        operators, pick = (_LOWER, max) if op in _LOWER else (_UPPER, min)
        side = self.setdefault(bound, {})
        strict, loose = operators.values()
        known = side.get(strict, side.get(loose))
        if known is not None and pick(known, limit) == known != limit:
            return
        if known == limit and strict in side:
            return
        side.pop(loose, None)
        side.pop(strict, None)
        side[operators[op]] = limit


def _bounds(arm: Sequence[Compare], value: Interval) -> _Limits:
    """One arm, with what `lo <= hi` implies: an index scan then has both its ends."""
    limits = _Limits()
    for left, op, right in ((c.left, c.op, c.right) for c in arm):
        limit: float = getattr(value, right)
        limits.narrow(left, op, limit)
        if (left == "hi") == (op in _UPPER):
            limits.narrow(_OTHER[left], op, limit)
    return limits


def _clauses(field: RangeField, key: str, limits: _Limits) -> Iterable[Filter]:
    """`limits` on one value under `key`, narrow and wide."""
    least = next((op for op in _LOWER.values() if op in limits.get("hi", {})), None)
    if least is None or any(op in limits.get("lo", {}) for op in _LOWER.values()):
        yield {"k": {"$in": [key, WIDE + key]}, **limits}
        return
    reach = {least: limits["hi"][least] - NARROW[field]}
    yield {"k": key, **limits, "lo": {**limits.get("lo", {}), **reach}}
    yield {"k": WIDE + key, **limits}


def _updated(limits: _Limits) -> Filter:
    """`limits` on the instant [at, at + 1)."""
    moved = {op: limit - 1 for op, limit in limits.get("hi", {}).items()}
    sides = [side for side in (limits.get("lo"), moved) if side]
    return _all({"at": side} for side in sides)


def _part(node: Node) -> Filter:
    """One part of a composite, on the value that `$elemMatch` holds."""
    match node:
        case Keys(_, wanted):
            return {"k": _any_of(wanted)}
        case Prefix(_, prefix):
            return {"k": {"$elemMatch": _starting(prefix)}}
        case Containing(_, prefix, text):
            return {"k": {"$elemMatch": _containing(prefix, text)}}
        case Range(_, key, value, arms):
            return _either(
                {"r": {"$elemMatch": {"k": key, **_bounds(arm, value)}}} for arm in arms
            )
        case Or(of):
            return _either(_part(each) for each in of)
        case _:
            raise UnresolvedError(node)


def _present(field: str, prefix: str) -> Filter:
    match field:
        case "dates":
            return {"date.k": _any_of(_widened(field, [prefix]))}
        case "quantities":
            return {"qty.k": _any_of(_widened(field, [keys.any_quantity(prefix)]))}
        case "combined":
            return {"cmp.p": prefix}
        case "tokens" | "strings" | "references" | "uris" | "words":
            return {PATHS[field]: {"$elemMatch": _starting(prefix)}}
        case _:
            raise UnresolvedError(field)


def _near(node: Near) -> Filter:
    radius = node.metres / _EARTH_RADIUS
    if radius >= pi:
        return {"geo": {"$exists": True}}
    circle = [[node.longitude, node.latitude], radius]
    return {"geo": {"$geoWithin": {"$centerSphere": circle}}}
