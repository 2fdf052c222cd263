"""Every way to read in which a server could tell of a resource: rows of the leak matrix.

What is hidden is told in `tests.support.limits`: an Observation with the id `{h}`, and others
whose ids begin so.
"""

from datetime import UTC, datetime
from typing import Final

from fhir_server.access.codings import CONFIDENTIALITY
from tests.support.worlds import Ask

YEAR: Final = datetime.now(UTC).year


def entry(method: str, url: str, resource: object = None, **more: str) -> dict[str, object]:
    """An entry of a Bundle that asks for something."""
    found: dict[str, object] = {"request": {"method": method, "url": url, **more}}
    return found if resource is None else found | {"resource": resource}


def bundle(kind: str, *entries: object) -> dict[str, object]:
    """A batch or transaction."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


READS: Final[dict[str, Ask]] = {
    "read": Ask("GET", "/Observation/{h}"),
    "head": Ask("HEAD", "/Observation/{h}"),
    "read if none match": Ask("GET", "/Observation/{h}", None, {"If-None-Match": 'W/"1"'}),
    "read as xml": Ask("GET", "/Observation/{h}?_format=xml"),
    "summary of one": Ask("GET", "/Observation/{h}?_summary=true"),
    "vread": Ask("GET", "/Observation/{h}/_history/1"),
    "history of the instance": Ask("GET", "/Observation/{h}/_history"),
    "history of the type": Ask("GET", "/Observation/_history?_count=60", pages="next"),
    "history of the system": Ask("GET", "/_history?_count=60", pages="next"),
    "search": Ask("GET", "/Observation?_count=3", pages="next"),
    "search by id": Ask("GET", "/Observation?_id={h}"),
    "search by post": Ask(
        "POST", "/Observation/_search?code:text={h}", None,
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "search of the system": Ask("GET", "/?_type=Observation,Patient&_count=3", pages="next"),
    "compartment": Ask("GET", "/Patient/{p}/Observation?_count=3", pages="next"),
    "compartment of another": Ask("GET", "/Encounter/{p}-encounter/Observation"),
    "compartment, all types": Ask("GET", "/Patient/{p}/*?_count=20", pages="next"),
    "total": Ask("GET", "/Observation?_total=accurate&_count=1"),
    "estimate": Ask("GET", "/Observation?_total=estimate&status=final&_count=1"),
    "count": Ask("GET", "/Observation?_summary=count"),
    "order": Ask("GET", "/Observation?_sort=date&_count=2", pages="next"),
    "order, last first": Ask(
        "GET", "/Observation?_sort=-value-quantity&_count=2", pages="next"
    ),
    "token": Ask("GET", "/Observation?identifier=urn:h|{h}"),
    "not": Ask("GET", "/Observation?encounter={p}-encounter&status:not=amended&_count=20"),
    "missing": Ask(
        "GET", "/Observation?encounter={p}-encounter&encounter:missing=false&_count=20"
    ),
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
    "everything": Ask("GET", "/Patient/{p}/$everything?_count=20", pages="next"),
    "lastn": Ask("GET", "/Observation/$lastn?patient={p}&category=laboratory&max=9"),
    "meta": Ask("GET", "/Observation/{h}/$meta"),
    "batch": Ask(
        "POST", "/", bundle("batch", entry("GET", "Observation/{h}"),
        entry("GET", "Observation?identifier=urn:h|{h}"),
        entry("GET", "Observation/{h}/_history")),
    ),
    "transaction of reads": Ask(
        "POST", "/", bundle("transaction", entry("GET", "Observation?code:text={h}")),
    ),
    "transaction, read": Ask(
        "POST", "/", bundle("transaction", entry("GET", "Observation/{h}")),
    ),
    "read if modified since": Ask(
        "GET", "/Observation/{h}", None, {"If-Modified-Since": "Sat, 01 Jan 2050 00:00:00 GMT"}
    ),
    "vread if none match": Ask(
        "GET", "/Observation/{h}/_history/1", None, {"If-None-Match": 'W/"1"'}
    ),
    "elements of one": Ask("GET", "/Observation/{h}?_elements=status"),
    "history of the type since": Ask(
        "GET", "/Observation/_history?_since=2020-01-01T00:00:00Z&_count=60", pages="next"
    ),
    "history of the type at": Ask(
        "GET", f"/Observation/_history?_at={YEAR}&_count=60", pages="next"
    ),
    "history of the instance since": Ask(
        "GET", "/Observation/{h}/_history?_since=2020-01-01T00:00:00Z"
    ),
    "history of what is on a list": Ask("GET", "/Observation/_history?_list={h}-list"),
    "version of before": Ask("GET", "/Observation/{p}-moved/_history/1"),
    "history of what was moved": Ask("GET", "/Observation/{p}-moved/_history"),
    "read of what is gone": Ask("GET", "/Observation/{h}-gone"),
    "vread of what is gone": Ask("GET", "/Observation/{h}-gone/_history/1"),
    "vread of the end": Ask("GET", "/Observation/{h}-gone/_history/2"),
    "history of what is gone": Ask("GET", "/Observation/{h}-gone/_history"),
    "there and back": Ask("GET", "/Observation?_count=3&_sort=date", pages="both"),
    "nothing but the total": Ask("GET", "/Observation?_count=0&_total=accurate"),
    "elements": Ask("GET", "/Observation?encounter={p}-encounter&_elements=code&_count=20"),
    "summary": Ask("GET", "/Observation?encounter={p}-encounter&_summary=text&_count=20"),
    "last updated": Ask("GET", "/Observation?_lastUpdated=ge2020-01-01&_summary=count"),
    "tag": Ask("GET", "/Observation?_tag=urn:tag|{h}"),
    "security label": Ask("GET", f"/Observation?_security={CONFIDENTIALITY}|R"),
    "profile": Ask("GET", "/Observation?_profile=http://profile.example/{h}"),
    "narrative": Ask("GET", "/Observation?_text={h}"),
    "composite": Ask("GET", "/Observation?code-value-quantity=urn:code|{h}$gt900"),
    "contained": Ask(
        "GET", "/Practitioner?_contained=true&_containedType=contained&family={h}"
    ),
    "container": Ask("GET", "/Practitioner?_contained=both&family={h}"),
    "hidden list": Ask("GET", "/Observation?_list={h}-list"),
    "hidden patient": Ask("GET", "/Patient/{h}-patient"),
    "hidden patient, by name": Ask("GET", "/Patient?family={h}"),
    "hidden patient, everything": Ask("GET", "/Patient/{h}-patient/$everything"),
    "hidden patient, compartment": Ask("GET", "/Patient/{h}-patient/Observation"),
    "hidden encounter, compartment": Ask("GET", "/Encounter/{h}-encounter/Observation"),
    "hidden encounter, near": Ask("GET", "/Encounter?location.near=1|1|1|km&_count=20"),
    "chain through a hidden patient": Ask(
        "GET", "/Encounter?subject:Patient.family={h}&_count=20"
    ),
    "chain into what is hidden": Ask(
        "GET", "/DiagnosticReport?encounter.identifier=urn:h|{h}"
    ),
    "has through what is hidden": Ask(
        "GET", "/Practitioner?_has:Provenance:agent:target=Observation/{p}-seen-0"
    ),
    "provenance": Ask(
        "GET", "/Observation?_id={p}-seen-0&_revinclude=Provenance:target"
    ),
    "document": Ask("GET", "/DocumentReference?_total=accurate&_count=20"),
    "binary": Ask("GET", "/Binary/{h}-binary"),
    "binary as a resource": Ask(
        "GET", "/Binary/{h}-binary", None, {"Accept": "application/fhir+json"}
    ),
    "head of a binary": Ask("HEAD", "/Binary/{h}-binary"),
    "binary of a document": Ask("GET", "/Binary/{h}-content"),
    "versions of a binary": Ask("GET", "/Binary/{h}-content/_history"),
    "everything of a type": Ask(
        "GET", "/Patient/{p}/$everything?_type=Observation&_since=2020-01-01T00:00:00Z"
    ),
    "everything of everybody": Ask("GET", "/Patient/$everything?_count=20", pages="next"),
    "last one of a code": Ask(
        "GET", "/Observation/$lastn?patient={p}&code=urn:code|{h}"
    ),
    "meta of a version": Ask("GET", "/Observation/{h}/_history/1/$meta"),
    "meta of the type": Ask("GET", "/Observation/$meta"),
    "meta of the system": Ask("GET", "/$meta"),
    "validate what is there": Ask("GET", "/Observation/{h}/$validate?mode=delete"),
    "plan": Ask("GET", "/Observation?encounter={p}-encounter&status=final&_explain=true"),
    "visit": Ask("POST", "/Appointment/{h}-visit/$confirm"),
    "visit, moved": Ask(
        "POST", "/Appointment/{h}-booked/$reschedule",
        {"resourceType": "Parameters", "parameter": [
            {"name": "slot", "valueReference": {"reference": "Slot/{p}"}}]},
    ),
    "visit, booked": Ask(
        "POST", "/Appointment/$book",
        {"resourceType": "Parameters", "parameter": [
            {"name": "appt-id", "valueString": "{h}-visit"}]},
    ),
    "ticket": Ask("GET", "/Appointment/{h}-booked/$ticket"),
    "ticket of several": Ask("GET", "/Appointment/{p}-booked/$ticket"),
    "batch of operations": Ask(
        "POST", "/", bundle("batch", entry("GET", "Observation/{h}/$meta"),
        entry("GET", "Patient/{p}/$everything?_count=20"),
        entry("GET", "Observation/{h}", ifNoneMatch='W/"1"')),
    ),
}  # fmt: skip

MAIN: Final = (
    "read", "head", "vread", "history of the instance", "history of the type",
    "version of before", "read of what is gone", "search", "search by id", "total", "count",
    "order", "token", "text", "hidden list", "include anything", "revinclude", "chain",
    "has", "everything", "lastn", "meta of the system", "hidden patient",
    "binary of a document", "provenance", "plan", "batch",
)  # fmt: skip
"""One of each kind of door."""
