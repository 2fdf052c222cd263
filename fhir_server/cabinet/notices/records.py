"""A notice as it stands in the record: a Communication, which the server alone writes.

https://hl7.org/fhir/R4/communication.html
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.access.codings import VISIT_NOTICE
from fhir_server.cabinet.notices.kinds import TOPICS
from fhir_server.cabinet.notices.letters import Letter
from fhir_server.cabinet.notices.preferences import Way
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject

_MODES: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
_IN_RECORD: Final = "ONLINEWRIT"
_MEDIUM: Final[dict[Way, str]] = {"email": "EMAILWRIT", "sms": "SMSWRIT"}


def communication(
    letter: Letter, patient: str, about: JsonObject, now: int, sent: Iterable[Way]
) -> JsonObject:
    """`letter` to the patient (a logical id) about an Appointment, whose labels it has, so
    that what hides the one hides the other; `sent`: the other ways it goes."""
    whose = {"reference": f"Patient/{patient}"}
    labels = about.get("meta", {}).get("security", ())
    media = [_IN_RECORD, *(_MEDIUM[each] for each in sorted(set(sent)))]
    return {
        "resourceType": "Communication",
        **({"meta": {"security": labels}} if labels else {}),
        "language": letter.language,
        "status": "completed",
        "category": [{"coding": [VISIT_NOTICE._asdict()]}],
        "medium": [{"coding": [{"system": _MODES, "code": each}]} for each in media],
        "subject": whose,
        "topic": {
            "coding": [{"system": TOPICS, "code": letter.kind}],
            "text": letter.headline(),
        },
        "about": [{"reference": f"Appointment/{about['id']}"}],
        "sent": format_instant(now),
        "recipient": [whose],
        "payload": [{"contentString": letter.note()}],
    }
