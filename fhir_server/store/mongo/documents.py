"""Versions as MongoDB documents, and back.

A collection a type holds the live versions, `<Type>_history` the superseded ones and the
tombstones, both with the same index fields, so that one filter judges either:

    { _id: "abc"               in a history {id: "abc", v: 3}
      v: 3, at: 1700000000000  version number, meta.lastUpdated in milliseconds
      m: "PUT"                 what made this version
      json: BinData            the body; or f: ObjectId, the GridFS file that holds it
      until: 1700000000001     in a history: when the next version came
      in, pt, tok, str, ref, uri, txt, date, qty, geo, sd, ss, sx   index values
      tokx, strx, qtyx, cmp    those no index holds (`leads`) }

Fields without a value are absent, so that a partial index skips the document.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from bson.objectid import ObjectId

from fhir_server.search import keys
from fhir_server.search.patients import single_patient_parameters
from fhir_server.search.plan import RangeField
from fhir_server.search.values import Combined, IndexValues, Ranged
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.structures import RESOURCE_TYPES
from fhir_server.store.mongo.leads import (
    quantity_lead,
    string_lead,
    token_lead,
    word_leads,
)
from fhir_server.store.port import Stored, Version

Document = dict[str, Any]

RANGES: Final[Mapping[RangeField, str]] = {"dates": "date", "quantities": "qty"}
"""Where the intervals of a field are."""

WIDE: Final = "|"
"""Leads the key of an interval wider than its field's NARROW; no key begins so itself.

An index on {k, lo, hi} is tight for a bound on `lo` alone. `hi > x` becomes such a bound
where the width is known: for a narrow value it implies `lo > x - NARROW`. The few wide
values are kept under keys of their own.
"""
NARROW: Final[Mapping[RangeField, int]] = {"dates": 86_400_000, "quantities": 0}
"""Dates: a day, the precision most dates have; numbers: a point."""

BODY: Final = {"json": 1, "f": 1, "v": 1, "at": 1, "m": 1, "pt": 1}
"""The projection that `stored` needs."""
_OF_PATIENTS: Final = {*COMPARTMENTS["Patient"], "Binary"}
_BODY_OF_MANY: Final = {**BODY, "in": 1}
"""The same for types whose resources may be about several patients: the audit asks whose
they are."""

_ONE_PATIENT: Final = frozenset(
    kind
    for kind in RESOURCE_TYPES
    if kind == "Patient" or single_patient_parameters(kind) or kind not in _OF_PATIENTS
)
"""Types that need no look at their compartments to know whose they are."""

_PART: Final = len(keys.part(0, ""))
_EARTH: Final = (180.0, 90.0)  # a 2dsphere index refuses a point beyond


def body(kind: str) -> Mapping[str, int]:
    """The projection that `stored` needs for a `kind`."""
    return BODY if kind in _ONE_PATIENT else _BODY_OF_MANY


class GridBody(NamedTuple):
    """A body too large for a document: the GridFS file that holds it."""

    file: ObjectId


def document(version: Version, large: GridBody | None = None) -> Document:
    """`version` as the current document; with `large` the body is there already."""
    held: Document = {"json": version.body} if large is None else {"f": large.file}
    return {
        "_id": version.id,
        "v": version.number,
        "at": version.at,
        "m": version.method,
        **held,
        **_index_fields(version.values),
    }


def superseded(current: Mapping[str, Any], until: int) -> Document:
    """The current document as the history keeps it."""
    rest = {name: value for name, value in current.items() if name != "_id"}
    return {"_id": {"id": current["_id"], "v": current["v"]}, "until": until, **rest}


def tombstone(current: Mapping[str, Any], at: int) -> Document:
    """The version that says `current` was deleted; it keeps the index values."""
    gone = {"_id", "v", "at", "m", "json", "f"}
    rest = {name: value for name, value in current.items() if name not in gone}
    number = current["v"] + 1
    key = {"id": current["_id"], "v": number}
    return {"_id": key, "v": number, "at": at, "m": "DELETE", **rest}


def stored(
    kind: str,
    row: Mapping[str, Any],
    references: tuple[str, ...] = (),
    sort_values: tuple[str | float | None, ...] = (),
    document: Mapping[str, Any] | None = None,
) -> Stored:
    """A row, of the current collection or a history, as the port gives it."""
    key = row["_id"]
    return Stored(
        type=kind,
        id=key if isinstance(key, str) else key["id"],
        number=row["v"],
        at=row["at"],
        body=row.get("json", b""),
        method=row["m"],
        references=references,
        sort_values=sort_values,
        document=document,
        patient=row.get("pt"),
        compartments=() if kind in _ONE_PATIENT else row.get("in", ()),
    )


def live(kind: str, rows: Iterable[Mapping[str, Any]]) -> list[Stored]:
    """Rows of the current collection, of a page without references and sort values."""
    if kind not in _ONE_PATIENT:
        return [stored(kind, row) for row in rows]
    return [
        Stored(
            kind,
            row["_id"],
            row["v"],
            row["at"],
            row.get("json", b""),
            row["m"],
            row.get("pt"),
        )
        for row in rows
    ]


def _index_fields(values: IndexValues) -> Document:
    fields: Document = {
        "in": values.compartments,
        "pt": values.patient,
        **_tokens(values),
        **_strings(values),
        "ref": values.references,
        "uri": values.uris,
        "date": _ranges("dates", values.dates),
        **_quantities(values),
        "cmp": [_combined(each) for each in values.combined],
        "geo": _point(values.position),
        "sd": values.sort_date,
        "ss": values.sort_text,
        "sx": values.sort_text_last,
    }
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _tokens(values: IndexValues) -> Document:
    leads = {key: token_lead(key) for key in values.tokens}
    return {
        "tok": [*dict.fromkeys(leads.values()), *_alone(values)],
        "tokx": [key for key, lead in leads.items() if lead != key],
    }


def _alone(values: IndexValues) -> Iterable[str]:
    """Keys of composites that are no values of their own: found as themselves.

    A part is found as the token it is anyway, but a composite may name what no parameter does.
    """
    if not values.combined:
        return ()
    parts = {key: key[_PART:] for each in values.combined for key in each.keys}
    known = {*values.tokens, *values.strings, *values.references, *values.uris}
    return [key for key, rest in parts.items() if rest not in known]


def _strings(values: IndexValues) -> Document:
    texts: dict[str, str] = {}
    leads: dict[str, str] = {}
    for key in values.strings:
        found, lead = string_lead(key)
        (texts if found else leads)[key] = lead
    words = values.words
    extra = [word_leads(word) for word in dict.fromkeys(texts.values())]
    if extra:
        contents = set(words)
        words = [*words, *(lead for lead, content in extra if content not in contents)]
    return {
        "str": [key for key, lead in leads.items() if lead == key or lead not in leads],
        "strx": [*texts, *(key for key, lead in leads.items() if lead != key)],
        "txt": words,
    }


def _quantities(values: IndexValues) -> Document:
    leads: list[Ranged] = []
    others: list[Ranged] = []
    for each in values.quantities:
        (leads if quantity_lead(each.key) == each.key else others).append(each)
    return {"qty": _ranges("quantities", leads), "qtyx": _ranges("quantities", others)}


def _ranges(field: RangeField, values: Iterable[Ranged]) -> list[Document]:
    narrow = NARROW[field]
    return [
        {"k": key if hi - lo <= narrow else WIDE + key, "lo": lo, "hi": hi}
        for key, lo, hi in values
    ]


def _combined(value: Combined) -> Document:
    # A part's range is compared within its one value, never through an index of its own.
    ranges = [{"k": key, "lo": lo, "hi": hi} for key, lo, hi in value.ranges]
    return {"p": value.param, "k": list(value.keys), "r": ranges}


def _point(position: tuple[float, float] | None) -> Document | None:
    if position is None or any(
        abs(degrees) > most for degrees, most in zip(position, _EARTH, strict=True)
    ):
        return None
    kind: Literal["Point"] = "Point"
    return {"type": kind, "coordinates": list(position)}
