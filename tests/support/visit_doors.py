"""Every way in which a server could tell of an Appointment: rows of its leak matrix.

As in `tests.support.doors`, `{h}` stands for the id of the hidden Appointment, `{p}` for the
patient whom it is about.
"""

from typing import Final

from tests.support.doors import YEAR, bundle, entry
from tests.support.worlds import Ask

_PATCH: Final = {"Content-Type": "application/json-patch+json"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_CANCELLED: Final = [{"op": "replace", "path": "/status", "value": "cancelled"}]
_VISIT: Final = {
    "resourceType": "Appointment",
    "status": "proposed",
    "identifier": [{"system": "urn:h", "value": "{h}"}],
    "participant": [
        {"actor": {"reference": "Patient/{p}"}, "status": "needs-action"},
        {"actor": {"reference": "Practitioner/{p}-doctor"}, "status": "needs-action"},
    ],
}
_OWN: Final = {**_VISIT, "id": "{h}"}
_RESPONSE: Final = {
    "resourceType": "AppointmentResponse",
    "id": "{h}-answer",
    "appointment": {"reference": "Appointment/{h}"},
    "actor": {"reference": "Patient/{p}"},
    "participantStatus": "declined",
}
_NAMED: Final = {
    "resourceType": "Parameters",
    "parameter": [{"name": "appt-id", "valueString": "{h}"}],
}

READS: Final[dict[str, Ask]] = {
    "read": Ask("GET", "/Appointment/{h}"),
    "head": Ask("HEAD", "/Appointment/{h}"),
    "read if none match": Ask("GET", "/Appointment/{h}", None, {"If-None-Match": 'W/"1"'}),
    "read as xml": Ask("GET", "/Appointment/{h}?_format=xml"),
    "summary of one": Ask("GET", "/Appointment/{h}?_summary=true"),
    "vread": Ask("GET", "/Appointment/{h}/_history/1"),
    "history of the instance": Ask("GET", "/Appointment/{h}/_history"),
    "history of the type": Ask("GET", "/Appointment/_history?_count=60", pages="next"),
    "history of the type at": Ask(
        "GET", f"/Appointment/_history?_at={YEAR}&_count=60", pages="next"
    ),
    "history of the system": Ask("GET", "/_history?_count=60", pages="next"),
    "version of before": Ask("GET", "/Appointment/{p}-moved/_history/1"),
    "history of what was moved": Ask("GET", "/Appointment/{p}-moved/_history"),
    "read of what is gone": Ask("GET", "/Appointment/{h}-gone"),
    "vread of what is gone": Ask("GET", "/Appointment/{h}-gone/_history/1"),
    "history of what is gone": Ask("GET", "/Appointment/{h}-gone/_history"),
    "search": Ask("GET", "/Appointment?_count=3", pages="next"),
    "search by id": Ask("GET", "/Appointment?_id={h}"),
    "search by post": Ask("POST", "/Appointment/_search?identifier={h}", None, _FORM),
    "search of the system": Ask("GET", "/?_type=Appointment,Patient&_count=3", pages="next"),
    "compartment": Ask("GET", "/Patient/{p}/Appointment?_count=3", pages="next"),
    "compartment, all types": Ask("GET", "/Patient/{p}/*?_count=20", pages="next"),
    "compartment of the doctor": Ask("GET", "/Practitioner/{p}-doctor/Appointment?_count=20"),
    "total": Ask("GET", "/Appointment?_total=accurate&_count=1"),
    "estimate": Ask("GET", "/Appointment?_total=estimate&status=proposed&_count=1"),
    "count": Ask("GET", "/Appointment?_summary=count"),
    "nothing but the total": Ask("GET", "/Appointment?_count=0&_total=accurate"),
    "order": Ask("GET", "/Appointment?_sort=date&_count=2", pages="next"),
    "there and back": Ask("GET", "/Appointment?_sort=-date&_count=3", pages="both"),
    "day": Ask("GET", "/Appointment?date=ge2050-01-01&_count=20"),
    "token": Ask("GET", "/Appointment?identifier=urn:h|{h}"),
    "not": Ask("GET", "/Appointment?actor=Practitioner/{p}-doctor&status:not=noshow&_count=20"),
    "missing": Ask("GET", "/Appointment?patient={p}&date:missing=false&_count=20"),
    "text": Ask("GET", "/Appointment?_content={h}"),
    "narrative": Ask("GET", "/Appointment?_text={h}"),
    "tag": Ask("GET", "/Appointment?_tag=urn:tag|{h}"),
    "filter": Ask("GET", "/Appointment?_filter=identifier eq urn:h|{h}"),
    "list": Ask("GET", "/Appointment?_list={p}-list&_count=20"),
    "include": Ask("GET", "/Encounter?_include=Encounter:appointment&_count=20"),
    "include iterated": Ask(
        "GET", "/List?_include=List:item&_include:iterate=Encounter:appointment&_count=20"
    ),
    "include anything": Ask("GET", "/Encounter?_include=*&_count=20"),
    "include by an answer": Ask(
        "GET", "/AppointmentResponse?_include=AppointmentResponse:appointment&_count=20"
    ),
    "revinclude": Ask("GET", "/Patient?_revinclude=Appointment:patient&_count=20"),
    "revinclude from a directory": Ask(
        "GET", "/Practitioner?_id={p}-doctor&_revinclude=Appointment:practitioner"
    ),
    "revinclude of answers": Ask(
        "GET", "/Patient?_revinclude=AppointmentResponse:actor&_count=20"
    ),
    "chain": Ask("GET", "/Encounter?appointment.identifier=urn:h|{h}"),
    "has": Ask("GET", "/Patient?_has:Appointment:patient:identifier=urn:h|{h}"),
    "has from a directory": Ask(
        "GET", "/Practitioner?_has:Appointment:practitioner:identifier=urn:h|{h}"
    ),
    "has, then chain": Ask(
        "GET", "/Patient?_has:Encounter:patient:appointment.identifier=urn:h|{h}"
    ),
    "everything": Ask("GET", "/Patient/{p}/$everything?_count=20", pages="next"),
    "everything of a type": Ask("GET", "/Patient/{p}/$everything?_type=Appointment"),
    "meta": Ask("GET", "/Appointment/{h}/$meta"),
    "meta of the type": Ask("GET", "/Appointment/$meta"),
    "answer": Ask("GET", "/AppointmentResponse/{h}-answer"),
    "version of an answer": Ask("GET", "/AppointmentResponse/{h}-answer/_history/1"),
    "history of answers": Ask("GET", "/AppointmentResponse/_history?_count=60"),
    "answers": Ask("GET", "/AppointmentResponse?_total=accurate&_count=20"),
    "answers to one": Ask("GET", "/AppointmentResponse?appointment=Appointment/{h}"),
    "answers, chained": Ask("GET", "/AppointmentResponse?appointment.identifier=urn:h|{h}"),
    "answers of one, has": Ask(
        "GET", "/Patient?_has:AppointmentResponse:patient:appointment=Appointment/{h}"
    ),
    "provenance": Ask("GET", "/Provenance?target=Appointment/{h}"),
    "provenance, all": Ask("GET", "/Provenance?patient={p}&_total=accurate&_count=20"),
    "ticket": Ask("GET", "/Appointment/{h}/$ticket"),
    "ticket for a calendar": Ask(
        "GET", "/Appointment/{h}/$ticket?details=true", None, {"Accept": "text/calendar"}
    ),
    "ticket to print": Ask("GET", "/Appointment/{h}/$ticket?_format=pdf"),
    "validate what is there": Ask("GET", "/Appointment/{h}/$validate?mode=delete"),
    "batch": Ask(
        "POST", "/", bundle("batch", entry("GET", "Appointment/{h}"),
        entry("GET", "Appointment?identifier=urn:h|{h}"),
        entry("GET", "Appointment/{h}/_history"),
        entry("GET", "AppointmentResponse/{h}-answer")),
    ),
    "transaction of reads": Ask(
        "POST", "/", bundle("transaction", entry("GET", "Appointment?_id={h}")),
    ),
    "confirm": Ask("POST", "/Appointment/{h}/$confirm"),
    "cancel": Ask("POST", "/Appointment/{h}/$cancel"),
    "reschedule": Ask("POST", "/Appointment/{h}/$reschedule", {
        "resourceType": "Parameters",
        "parameter": [{"name": "slot", "valueString": "{p}-slot"}],
    }),
    "book": Ask("POST", "/Appointment/$book", _NAMED),
}  # fmt: skip

WRITES: Final[dict[str, Ask]] = {
    "update": Ask("PUT", "/Appointment/{h}", _OWN),
    "update if match": Ask("PUT", "/Appointment/{h}", _OWN, {"If-Match": 'W/"1"'}),
    "update if none": Ask("PUT", "/Appointment/{h}", _OWN, {"If-None-Match": "*"}),
    "patch": Ask("PATCH", "/Appointment/{h}", _CANCELLED, _PATCH),
    "conditional patch": Ask(
        "PATCH", "/Appointment?identifier=urn:h|{h}", _CANCELLED, _PATCH
    ),
    "delete": Ask("DELETE", "/Appointment/{h}"),
    "conditional delete": Ask("DELETE", "/Appointment?identifier=urn:h|{h}"),
    "conditional create": Ask(
        "POST", "/Appointment", _VISIT, {"If-None-Exist": "identifier=urn:h|{h}"}
    ),
    "conditional update": Ask("PUT", "/Appointment?identifier=urn:h|{h}", _VISIT),
    "conditional update beside": Ask("PUT", "/Appointment?identifier=urn:pair|{h}", _VISIT),
    "conditional create beside": Ask(
        "POST", "/Appointment", _VISIT, {"If-None-Exist": "identifier=urn:pair|{h}"}
    ),
    "meta-add": Ask("POST", "/Appointment/{h}/$meta-add", {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "u", "code": "t"}]}}],
    }),
    "batch of writes": Ask(
        "POST", "/", bundle("batch", entry("DELETE", "Appointment/{h}"),
        entry("PUT", "Appointment/{h}", _OWN)),
    ),
    "transaction update": Ask(
        "POST", "/", bundle("transaction", entry("PUT", "Appointment/{h}", _OWN)),
    ),
    "transaction conditional create": Ask(
        "POST", "/", bundle("transaction",
        entry("POST", "Appointment", _VISIT, ifNoneExist="identifier=urn:h|{h}")),
    ),
    "update of an answer": Ask("PUT", "/AppointmentResponse/{h}-answer", _RESPONSE),
    "delete of an answer": Ask("DELETE", "/AppointmentResponse/{h}-answer"),
}  # fmt: skip
"""Each asks for a hidden Appointment of its own."""
