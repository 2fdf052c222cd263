"""Every way in which a server could tell of a resource: the rows of the leak matrix.

The hidden resource is an Observation with the id `{h}`: its code, identifier and note say
`{h}` too, it is older and heavier than what is visible, refers to the visible Practitioner
and Encounter, and is referred to by the visible DiagnosticReport and List.
"""

from typing import Final

from tests.support.worlds import Ask

_PATCH: Final = {"Content-Type": "application/json-patch+json"}
_OBSERVATION: Final = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "new"},
    "identifier": [{"system": "urn:h", "value": "{h}"}],
    "category": [{"coding": [{"system": "urn:category", "code": "laboratory"}]}],
    "subject": {"reference": "Patient/{p}"},
}


def _entry(method: str, url: str, resource: object = None, **more: str) -> dict[str, object]:
    entry: dict[str, object] = {"request": {"method": method, "url": url, **more}}
    return entry if resource is None else entry | {"resource": resource}


def _bundle(kind: str, *entries: object) -> dict[str, object]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


READS: Final[dict[str, Ask]] = {
    "read": Ask("GET", "/Observation/{h}"),
    "head": Ask("HEAD", "/Observation/{h}"),
    "read if none match": Ask("GET", "/Observation/{h}", None, {"If-None-Match": 'W/"1"'}),
    "read as xml": Ask("GET", "/Observation/{h}?_format=xml"),
    "summary of one": Ask("GET", "/Observation/{h}?_summary=true"),
    "vread": Ask("GET", "/Observation/{h}/_history/1"),
    "history of the instance": Ask("GET", "/Observation/{h}/_history"),
    "history of the type": Ask("GET", "/Observation/_history?_count=20", pages=True),
    "history of the system": Ask("GET", "/_history?_count=20", pages=True),
    "search": Ask("GET", "/Observation?_count=3", pages=True),
    "search by id": Ask("GET", "/Observation?_id={h}"),
    "search by post": Ask(
        "POST", "/Observation/_search?code:text={h}", None,
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "search of the system": Ask("GET", "/?_type=Observation,Patient&_count=3", pages=True),
    "compartment": Ask("GET", "/Patient/{p}/Observation?_count=3", pages=True),
    "compartment of another": Ask("GET", "/Encounter/{p}-encounter/Observation"),
    "compartment, all types": Ask("GET", "/Patient/{p}/*?_count=20", pages=True),
    "total": Ask("GET", "/Observation?_total=accurate&_count=1"),
    "estimate": Ask("GET", "/Observation?_total=estimate&status=final&_count=1"),
    "count": Ask("GET", "/Observation?_summary=count"),
    "order": Ask("GET", "/Observation?_sort=date&_count=1", pages=True),
    "order, last first": Ask("GET", "/Observation?_sort=-value-quantity&_count=2", pages=True),
    "token": Ask("GET", "/Observation?identifier=urn:h|{h}"),
    "not": Ask("GET", "/Observation?status:not=amended&_count=20"),
    "missing": Ask("GET", "/Observation?encounter:missing=false&_count=20"),
    "quantity": Ask("GET", "/Observation?value-quantity=gt900"),
    "text": Ask("GET", "/Observation?_content={h}"),
    "filter": Ask("GET", "/Observation?_filter=identifier eq urn:h|{h}"),
    "list": Ask("GET", "/Observation?_list={p}-list&_count=20"),
    "include": Ask("GET", "/DiagnosticReport?_include=DiagnosticReport:result&_count=20"),
    "include iterated": Ask(
        "GET", "/List?_include=List:item&_include:iterate=DiagnosticReport:result&_count=20"
    ),
    "include anything": Ask("GET", "/DiagnosticReport?_include=*&_count=20"),
    "revinclude": Ask(
        "GET", "/Encounter?_revinclude=Observation:encounter&_count=20"
    ),
    "revinclude from a directory": Ask(
        "GET", "/Practitioner?_id={p}-doctor&_revinclude=Observation:performer"
    ),
    "chain": Ask("GET", "/DiagnosticReport?result.identifier=urn:h|{h}"),
    "has": Ask("GET", "/Encounter?_has:Observation:encounter:identifier=urn:h|{h}"),
    "has from a directory": Ask(
        "GET", "/Practitioner?_has:Observation:performer:identifier=urn:h|{h}"
    ),
    "has, then chain": Ask(
        "GET", "/Patient?_has:DiagnosticReport:subject:result.identifier=urn:h|{h}"
    ),
    "everything": Ask("GET", "/Patient/{p}/$everything?_count=20", pages=True),
    "lastn": Ask("GET", "/Observation/$lastn?patient={p}&category=laboratory&max=9"),
    "meta": Ask("GET", "/Observation/{h}/$meta"),
    "batch": Ask(
        "POST", "/", _bundle("batch", _entry("GET", "Observation/{h}"),
        _entry("GET", "Observation?identifier=urn:h|{h}"),
        _entry("GET", "Observation/{h}/_history")),
    ),
    "transaction of reads": Ask(
        "POST", "/", _bundle("transaction", _entry("GET", "Observation?code:text={h}")),
    ),
    "transaction, read": Ask(
        "POST", "/", _bundle("transaction", _entry("GET", "Observation/{h}")),
    ),
}  # fmt: skip

WRITES: Final[dict[str, Ask]] = {
    "update": Ask("PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}),
    "update if match": Ask(
        "PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}, {"If-Match": 'W/"1"'}
    ),
    "update if none": Ask(
        "PUT", "/Observation/{h}", {**_OBSERVATION, "id": "{h}"}, {"If-None-Match": "*"}
    ),
    "patch": Ask(
        "PATCH", "/Observation/{h}",
        [{"op": "replace", "path": "/status", "value": "amended"}], _PATCH,
    ),
    "conditional patch": Ask(
        "PATCH", "/Observation?identifier=urn:h|{h}",
        [{"op": "replace", "path": "/status", "value": "amended"}], _PATCH,
    ),
    "delete": Ask("DELETE", "/Observation/{h}"),
    "delete if match": Ask("DELETE", "/Observation/{h}", None, {"If-Match": 'W/"1"'}),
    "conditional delete": Ask("DELETE", "/Observation?identifier=urn:h|{h}"),
    "conditional create": Ask(
        "POST", "/Observation", _OBSERVATION, {"If-None-Exist": "identifier=urn:h|{h}"}
    ),
    "conditional update": Ask("PUT", "/Observation?identifier=urn:h|{h}", _OBSERVATION),
    "conditional update with an id": Ask(
        "PUT", "/Observation?code:text=none", {**_OBSERVATION, "id": "{h}"}
    ),
    "meta-add": Ask(
        "POST", "/Observation/{h}/$meta-add",
        {"resourceType": "Parameters", "parameter": [
            {"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "t"}]}}]},
    ),
    "batch of writes": Ask(
        "POST", "/", _bundle("batch", _entry("DELETE", "Observation/{h}"),
        _entry("PUT", "Observation/{h}", {**_OBSERVATION, "id": "{h}"})),
    ),
    "transaction update": Ask(
        "POST", "/", _bundle("transaction",
        _entry("PUT", "Observation/{h}", {**_OBSERVATION, "id": "{h}"})),
    ),
    "transaction delete": Ask(
        "POST", "/", _bundle("transaction", _entry("DELETE", "Observation/{h}")),
    ),
    "transaction conditional delete": Ask(
        "POST", "/",
        _bundle("transaction", _entry("DELETE", "Observation?identifier=urn:h|{h}")),
    ),
    "transaction conditional create": Ask(
        "POST", "/", _bundle("transaction",
        _entry("POST", "Observation", _OBSERVATION, ifNoneExist="identifier=urn:h|{h}")),
    ),
    "transaction conditional update": Ask(
        "POST", "/", _bundle("transaction",
        _entry("PUT", "Observation?identifier=urn:h|{h}", _OBSERVATION)),
    ),
    "transaction conditional reference": Ask(
        "POST", "/", _bundle("transaction",
        _entry("POST", "Observation", {**_OBSERVATION, "identifier": [{"value": "x"}],
        "derivedFrom": [{"reference": "Observation?identifier=urn:h|{h}"}]})),
    ),
}  # fmt: skip
