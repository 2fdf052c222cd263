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
    Begins,
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
    Only,
    Op,
    Or,
    Patient,
    Prefix,
    Present,
    Range,
    RangeField,
    Together,
    Updated,
    ValueField,
)
from fhir_server.search.values import Interval
from fhir_server.store.mongo.documents import NARROW, RANGES, WIDE
from fhir_server.store.mongo.leads import (
    exact_lead,
    is_text,
    quantity_lead,
    text_word,
    token_lead,
    word_leads,
)

Filter = dict[str, Any]

TEXT_TOO_LONG: Final = Text(
    "A text of {length} characters is too long for `:contains`; {most} are allowed.",
    "Текст из {length} символов слишком длинен для `:contains`; допустимо {most}.",
    "Текст із {length} символів задовгий для `:contains`; дозволено {most}.",
)

_MAX_CONTAINED: Final = 1_000  # PCRE refuses a pattern of 32,764 bytes; a name is shorter
_EARTH_RADIUS: Final = 6_378_100.0  # metres; what MongoDB itself reckons with
_PATHS: Final[Mapping[ValueField, str]] = {
    "tokens": "tok",
    "strings": "str",
    "references": "ref",
    "uris": "uri",
    "words": "txt",
}
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
            return _keys(field, wanted)
        case Prefix(field, prefix):
            return _matching(field, prefix, _starting(prefix))
        case Only(prefix, allowed):
            others = {**_starting(prefix), "$nin": list(allowed)}
            return {"ref": {"$not": {"$elemMatch": others}}}
        case Containing(field, prefix):
            return _matching(field, prefix, _containing(node))
        case Range():
            return _range(node)
        case Updated(value, arms):
            return _either(_updated(_bounds(arm, value, implied=False)) for arm in arms)
        case Begins(lo, hi):
            return {"sd": {"$gte": lo, "$lte": hi}}
        case Together(param, parts):
            value_ = {"cmp": {"$elemMatch": {"p": param, "$and": [_part(p) for p in parts]}}}
            return _all([value_, *_part_leads(parts)])
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


def _keys(field: ValueField, wanted: Sequence[str]) -> Filter:
    match field:
        case "tokens":
            return _token_keys(wanted)
        case "strings":
            return _either(_string_key(key) for key in wanted)
        case "references" | "uris" | "words":
            return {_PATHS[field]: _any_of(wanted)}
        case "dates" | "quantities" | "combined":
            raise UnresolvedError(field)
        case _:
            assert_never(field)


def _token_keys(wanted: Sequence[str]) -> Filter:
    leads = {key: token_lead(key) for key in wanted}
    others = [key for key, lead in leads.items() if lead != key]
    plain = [key for key, lead in leads.items() if lead == key]
    found: list[Filter] = []
    if plain:
        found.append({"tok": _any_of(plain)})
    if others:
        through = list(dict.fromkeys(leads[key] for key in others))
        found.append({"tok": _any_of(through), "tokx": _any_of(others)})
    return _either(found)


def _string_key(key: str) -> Filter:
    lead = exact_lead(key)
    if is_text(key):
        return {"strx": key, "txt": {"$in": list(word_leads(text_word(key)))}}
    if lead == key:
        return {"str": key}
    # Where the folded form is no value, the document has the exact one in its place.
    return {"str": {"$in": [lead, key]}, "$or": [{"strx": key}, {"str": key}]}


def _matching(field: ValueField, prefix: str, condition: Filter) -> Filter:
    """Some key of `field` that starts with `prefix` meets `condition`."""
    param, bar, _ = prefix.partition("|")
    match field:
        case "tokens" if prefix.startswith(keys.token_system(param, keys.ANY_SYSTEM)):
            return {"tok": {"$elemMatch": condition}}
        case "tokens" if bar:
            # The lead of any token has its parameter too.
            either = _in_either("tok", "tokx", condition)
            return {"tok": {"$elemMatch": _starting(param + bar)}, **either}
        case "tokens":
            return _in_either("tok", "tokx", condition)
        case "strings" if bar and is_text(prefix):
            return _all([{"strx": {"$elemMatch": condition}}, _text_leads(prefix)])
        case "strings" if not bar or param.endswith("="):
            return _in_either("str", "strx", condition)
        case "strings" | "references" | "uris" | "words":
            return {_PATHS[field]: {"$elemMatch": condition}}
        case "dates" | "quantities" | "combined":
            raise UnresolvedError(field)
        case _:
            assert_never(field)


def _in_either(indexed: str, beside: str, condition: Filter) -> Filter:
    return {"$or": [{indexed: {"$elemMatch": condition}}, {beside: {"$elemMatch": condition}}]}


def _text_leads(prefix: str) -> Filter:
    """What the words of a document have if a text of it starts with `prefix`."""
    found = word_leads(text_word(prefix))
    if " " in prefix:
        return {"txt": {"$in": list(found)}}
    return _either({"txt": {"$elemMatch": _starting(each)}} for each in found)


def _range(node: Range) -> Filter:
    path = RANGES[node.field]
    lead = quantity_lead(node.key) if node.field == "quantities" else node.key
    found: list[Filter] = []
    for arm in node.arms:
        limits = _bounds(arm, node.value)
        exact = {f"{path}x": {"$elemMatch": _wide_or_not(node.key, limits)}}
        for clause in _clauses(node.field, lead, limits):
            indexed = {path: {"$elemMatch": clause}}
            found.append(indexed if lead == node.key else indexed | exact)
    return _either(found)


def _part_leads(parts: Sequence[Node]) -> Iterable[Filter]:
    """The tokens that a document with these parts of a composite has."""
    for part in parts:
        match part:
            case Keys("tokens", wanted):
                plain = [token_lead(key.partition("|")[2]) for key in wanted]
                yield {"tok": {"$in": [*dict.fromkeys([*plain, *wanted])]}}
            case _:
                pass


def _starting(prefix: str) -> Filter:
    return {"$gte": prefix, "$lt": prefix + keys.LAST}


def _containing(node: Containing) -> Filter:
    prefix, text = node.prefix, node.text
    if len(text) > _MAX_CONTAINED:
        raise TooCostly(TEXT_TOO_LONG, length=len(text), most=_MAX_CONTAINED)
    # `(?s:.*)`: a text may hold line ends. The bounds let an index narrow the scan.
    end = r"\z" if node.at_end else ""
    pattern = f"^{_escaped(prefix)}(?s:.*){_escaped(text)}{end}"
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


def _bounds(arm: Sequence[Compare], value: Interval, *, implied: bool = True) -> _Limits:
    """One arm, with what `lo <= hi` implies: an index scan then has both its ends."""
    limits = _Limits()
    for left, op, right in ((c.left, c.op, c.right) for c in arm):
        limit: float = getattr(value, right)
        limits.narrow(left, op, limit)
        if implied and (left == "hi") == (op in _UPPER):
            limits.narrow(_OTHER[left], op, limit)
    return limits


def _clauses(field: RangeField, key: str, limits: _Limits) -> Iterable[Filter]:
    """`limits` on one value under `key`, narrow and wide."""
    least = next((op for op in _LOWER.values() if op in limits.get("hi", {})), None)
    if least is None or any(op in limits.get("lo", {}) for op in _LOWER.values()):
        yield _wide_or_not(key, limits)
        return
    reach = {least: limits["hi"][least] - NARROW[field]}
    yield {"k": key, **limits, "lo": {**limits.get("lo", {}), **reach}}
    yield {"k": WIDE + key, **limits}


def _wide_or_not(key: str, limits: _Limits) -> Filter:
    return {"k": {"$in": [key, WIDE + key]}, **limits}


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
        case Containing():
            return {"k": {"$elemMatch": _containing(node)}}
        case Range(_, key, value, arms):
            return _either(
                {"r": {"$elemMatch": {"k": key, **_bounds(arm, value)}}} for arm in arms
            )
        case Or(of):
            return _either(_part(each) for each in of)
        case _:
            raise UnresolvedError(node)


def _present(field: ValueField, prefix: str) -> Filter:
    match field:
        case "dates":
            return {"date.k": {"$in": [prefix, WIDE + prefix]}}
        case "quantities":
            lead = keys.any_quantity(prefix)
            return {"qty.k": {"$in": [lead, WIDE + lead]}}
        case "combined":
            return {"cmp.p": prefix}
        case "tokens":
            return {"tok": {"$elemMatch": _starting(prefix)}}
        case _:
            return _matching(field, prefix, _starting(prefix))


def _near(node: Near) -> Filter:
    radius = node.metres / _EARTH_RADIUS
    if radius >= pi:
        return {"geo": {"$exists": True}}
    circle = [[node.longitude, node.latitude], radius]
    return {"geo": {"$geoWithin": {"$centerSphere": circle}}}
