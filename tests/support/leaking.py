"""What the two servers of the leak matrix hold for each limit, and the question to both.

The hidden Observation says its id everywhere: code, identifier, tag, text. It is older and
heavier than what may be seen, refers to the visible Practitioner and Encounter, and the visible
DiagnosticReport and List refer to it. Beside it others are hidden, whose ids begin as its own.
"""

from dataclasses import replace
from typing import Any, Final

from tests.support import doors, doors_for_writing
from tests.support.doors import READS
from tests.support.doors_for_writing import BESIDE, MUTE, WRITES
from tests.support.fhir import JsonObject
from tests.support.limits import TEETH, Limit, gone_ids, hidden_ids
from tests.support.worlds import ROOT, Answer, Ask, Tokens, World

DOORS: Final[dict[str, Ask]] = READS | WRITES | MUTE
MAIN: Final = (*doors.MAIN, *doors_for_writing.MAIN)
SEEN: Final = range(4)
_DAYS: Final = 86_400_000  # milliseconds each

Worlds = tuple[World, World]
"""The one that hides something, and the one with nothing to hide."""


def prepare(worlds: Worlds, tokens: Tokens, *limits: Limit) -> None:
    """Load what `limits` are made of, and end what is to end."""
    for limit in limits:
        load(worlds, tokens, limit)
    # Versions of its own keep a search of the other from standing out by time.
    worlds[1].load({"resourceType": "Patient", "id": "padding"})
    for limit in limits:
        if limit.ends:
            _end(worlds, tokens, limit)


def load(worlds: Worlds, tokens: Tokens, limit: Limit) -> None:
    """Give both servers what may be seen, and the one what may not."""
    tokens.give(ROOT if limit is TEETH else limit.principal, limit.policy)
    hiding, empty = worlds
    for world, was in ((hiding, "one"), (empty, "two")):
        world.load(*limit.facts(limit), *_visible(limit))
        if not limit.staff:  # nor is this told of: what a version that is hidden said
            world.load(_moved(limit, limit.about, limit.category, was))
            world.load(_moved(limit, limit.name, limit.seen, "now"))
    hiding.load(*_concealed(limit), at_once=True)
    hiding.remove(*map(_named, gone_ids(limit)))


def _end(worlds: Worlds, tokens: Tokens, limit: Limit) -> None:
    hiding = worlds[0]
    read = f"{limit.name}-hidden"
    (seen,) = hiding.ask(READS["read"], limit.name, limit.name, read)
    assert seen.status == 200, (limit.name, seen)
    for world in worlds:
        if limit.ended is not None:
            world.load(*limit.ended(limit))
    tokens.ahead += limit.days * _DAYS
    if limit.revoked:
        tokens.revoke(limit.name)


def answers(
    worlds: Worlds, limit: Limit, door: str, hidden: str = ""
) -> tuple[list[Answer], list[Answer]]:
    """What the caller of `limit` learns at `door` from each of the two."""
    token = ROOT.token if limit is TEETH else limit.name
    id_ = hidden or hidden_ids(limit).get(door, f"{limit.name}-hidden")
    ask = DOORS[door]
    if limit is TEETH:  # who may see everything meets all that the tests have made, too
        ask = replace(ask, path=ask.path.replace("_count=3", "_count=20"))
    hiding, empty = (world.ask(ask, token, limit.name, id_) for world in worlds)
    return hiding, empty


def telling(worlds: Worlds, limit: Limit, *asked: str) -> list[str]:
    """Those of the doors `asked` at which the two do not answer alike."""
    pairs = ((door, answers(worlds, limit, door)) for door in asked)
    return [door for door, (hiding, empty) in pairs if hiding != empty]


def _observation(id_: str, about: str, limit: Limit, category: str, day: int) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "identifier": [{"system": "urn:h", "value": id_}],
        "category": [{"coding": [{"system": "urn:category", "code": category}]}],
        "code": {"coding": [{"system": "urn:code", "code": id_}], "text": id_},
        "subject": {"reference": f"Patient/{about}"},
        "encounter": {"reference": f"Encounter/{limit.name}-encounter"},
        "performer": [{"reference": f"Practitioner/{limit.name}-doctor"}],
        "effectiveDateTime": f"2020-01-{day:02}",
        "valueQuantity": {"value": 30 - day, "unit": "kg"},
        "note": [{"text": f"of {id_}"}],
    }


def _moved(limit: Limit, about: str, category: str, text: str) -> JsonObject:
    found = _observation(f"{limit.name}-moved", about, limit, category, 1)
    hiding = limit.hiding if text != "now" and limit.hiding else {}
    return _merged(found | {"note": [{"text": text}]}, hiding)


def _merged(one: JsonObject, other: JsonObject) -> JsonObject:
    """Both: lists one behind the other, of other values the second."""
    found = {**one, **other}
    for name in set(one) & set(other):
        mine, theirs = one[name], other[name]
        if isinstance(mine, dict):
            found[name] = _merged(mine, theirs)
        elif isinstance(mine, list):
            found[name] = mine + theirs
    return found


def _visible(limit: Limit) -> list[JsonObject]:
    p = limit.name
    person = {"reference": f"Patient/{p}"}
    hidden = sorted(set(hidden_ids(limit).values()))
    results = [f"{p}-seen-{n}" for n in SEEN] + hidden
    beside = [hidden_ids(limit)[door] for door in BESIDE]
    return [
        {"resourceType": "Patient", "id": p},
        {"resourceType": "Practitioner", "id": f"{p}-doctor"},
        {
            "resourceType": "Location",
            "id": f"{p}-place",
            "position": {"latitude": 1, "longitude": 1},
        },
        _encounter(f"{p}-encounter", p),
        _booked(f"{p}-booked", p, f"{p}-hidden-patient"),
        {
            "resourceType": "DiagnosticReport",
            "id": f"{p}-report",
            "status": "final",
            "code": {"text": "report"},
            "subject": person,
            "encounter": {"reference": f"Encounter/{p}-hidden-encounter"},
            "result": [{"reference": f"Observation/{id_}"} for id_ in results],
        },
        _document(f"{p}-document", p, f"{p}-content"),
        _binary(f"{p}-content", f"DocumentReference/{p}-document"),
        _list(f"{p}-list", p, f"DiagnosticReport/{p}-report", *map(_named, results)),
        *(
            _observation(f"{p}-seen-{n}", p, limit, limit.seen, 10 + n)
            | {"focus": [{"reference": f"Task/{p}-hidden-task"}]}
            for n in SEEN
        ),
        *(
            _merged(_observation(f"{id_}-beside", p, limit, limit.seen, 20), _paired(id_))
            for id_ in beside
        ),
    ]


def _named(id_: str) -> str:
    return f"Observation/{id_}"


def _paired(id_: str) -> JsonObject:
    return {"identifier": [{"system": "urn:pair", "value": id_}]}


def _encounter(id_: str, about: str) -> JsonObject:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{about}"},
    }


def _list(id_: str, about: str, *items: str) -> JsonObject:
    return {
        "resourceType": "List",
        "id": id_,
        "status": "current",
        "mode": "working",
        "subject": {"reference": f"Patient/{about}"},
        "entry": [{"item": {"reference": each}} for each in items],
    }


def _concealed(limit: Limit) -> list[JsonObject]:
    ids = sorted({*hidden_ids(limit).values(), *gone_ids(limit)})
    h = f"{limit.name}-hidden"
    found = [_hidden(limit, id_) for id_ in ids]
    if limit.about != limit.name and not limit.ends:
        found.append({"resourceType": "Patient", "id": limit.about})
    others = _others(limit, h)
    # No label of its own: it is what its document is.
    content = _binary(f"{h}-content", f"DocumentReference/{h}-document")
    return [*found, *(_merged(each, limit.else_hiding or {}) for each in others), content]


def _hidden(limit: Limit, id_: str) -> JsonObject:
    sign: dict[str, Any] = {
        "meta": {
            "tag": [{"system": "urn:tag", "code": id_}],
            "profile": [f"http://profile.example/{id_}"],
        },
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{id_}</div>',
        },
        "contained": [{"resourceType": "Practitioner", "id": "c", "name": [{"family": id_}]}],
        "performer": [{"reference": "#c"}],
        "valueQuantity": {"value": 999, "unit": "kg"},
    }
    found = _observation(id_, limit.about, limit, limit.category, 1)
    return _merged(_merged(_merged(found, sign), _paired(id_)), limit.hiding or {})


def _others(limit: Limit, h: str) -> list[JsonObject]:
    p, about = limit.name, limit.about_else
    meta = {"meta": {"tag": [{"system": "urn:tag", "code": h}]}}
    place = {"location": [{"location": {"reference": f"Location/{p}-place"}}]}
    sign = {"identifier": [{"system": "urn:h", "value": h}]}
    second = _observation(f"{h}-second", f"{h}-patient", limit, "laboratory", 2)
    found: list[JsonObject] = [
        {"resourceType": "Patient", "id": f"{h}-patient", "name": [{"family": h}]},
        _encounter(f"{h}-encounter", f"{h}-patient") | place | sign,
        second | {"encounter": {"reference": f"Encounter/{h}-encounter"}},
        _list(f"{h}-list", about, f"Observation/{p}-seen-0"),
        _document(f"{h}-document", about, f"{h}-content"),
        _binary(f"{h}-binary", f"Patient/{about}"),
        {
            "resourceType": "Appointment",
            "id": f"{h}-visit",
            "status": "proposed",
            "participant": [
                {"actor": {"reference": f"Patient/{about}"}, "status": "needs-action"}
            ],
        },
        _booked(f"{h}-booked", about),
        {
            "resourceType": "Task",
            "id": f"{h}-task",
            "status": "ready",
            "intent": "order",
            "for": {"reference": f"Patient/{about}"},
        },
        {
            "resourceType": "Provenance",
            "id": f"{h}-provenance",
            "target": [{"reference": _named(h)}, {"reference": f"Observation/{p}-seen-0"}],
            "recorded": "2020-01-01T00:00:00Z",
            "agent": [{"who": {"reference": f"Practitioner/{p}-doctor"}}],
        },
    ]
    return [_merged(each, meta) for each in found]


def _booked(id_: str, *patients: str) -> JsonObject:
    return {
        "resourceType": "Appointment",
        "id": id_,
        "status": "booked",
        "start": "2020-01-02T09:00:00Z",
        "end": "2020-01-02T09:30:00Z",
        "participant": [
            {"actor": {"reference": f"Patient/{each}"}, "status": "accepted"}
            for each in patients
        ],
    }


def _document(id_: str, about: str, content: str) -> JsonObject:
    return {
        "resourceType": "DocumentReference",
        "id": id_,
        "status": "current",
        "subject": {"reference": f"Patient/{about}"},
        "content": [{"attachment": {"url": f"Binary/{content}"}}],
    }


def _binary(id_: str, context: str) -> JsonObject:
    return {
        "resourceType": "Binary",
        "id": id_,
        "contentType": "text/plain",
        "data": "eA==",
        "securityContext": {"reference": context},
    }
