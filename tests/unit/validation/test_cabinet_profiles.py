"""What the definitions that the server comes with let pass, and what not (`profiles/`)."""

from pathlib import Path
from typing import Any, Final

import pytest

from fhir_server.app import definitions
from fhir_server.core.errors import Unprocessable
from fhir_server.settings import Settings
from fhir_server.validation.own_profiles import DefinitionError
from fhir_server.validation.validator import Validator

SD: Final = "https://fhir-server.example/StructureDefinition/"
PROFILES: Final = Path(__file__).resolve().parents[3] / "profiles"
WHO: Final = {"reference": "Patient/p1"}
CODE: Final = {"text": "x"}
PATIENT: Final[dict[str, Any]] = {"actor": WHO, "status": "accepted"}
DOCTOR: Final[dict[str, Any]] = {
    "actor": {"reference": "PractitionerRole/d1"},
    "status": "needs-action",
}


@pytest.fixture(scope="module")
def validator() -> Validator:
    known = definitions(Settings(insecure_no_auth=True, profiles=PROFILES))
    return Validator(known.terminology, known.profiles)


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{SD}{name}", **value}


def policy(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Schedule",
        "actor": [{"reference": "Practitioner/1"}],
        "extension": [{"url": f"{SD}booking-policy", "extension": list(parts)}],
    }


def claiming(profile: str, kind: str, /, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "meta": {"profile": [f"{SD}{profile}"]}, **elements}


def of_cabinet(kind: str, /, **elements: Any) -> dict[str, Any]:
    return claiming(f"cabinet-{kind.lower()}", kind, **elements)


def visit(profile: str, /, *participants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return claiming(profile, "Appointment", participant=list(participants), **more)


def booked(name: str, **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "status": "waitlist",
        "participant": [PATIENT],
        "extension": [extension(name, **value)],
    }


DAY: Final = {"value": 1, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
TIMES: Final = {"start": "2031-01-01T10:00:00Z", "end": "2031-01-01T10:20:00Z"}
BACK: Final = {"start": "2031-01-01T10:00:00Z", "end": "2031-01-01T09:20:00Z"}
SLOT: Final = {"schedule": {"reference": "Schedule/1"}, "status": "free"}
NAMED: Final = {"name": [{"family": "Йовенко"}]}
OBSERVED: Final[dict[str, Any]] = {"status": "final", "code": CODE, "subject": WHO}
ENTRY: Final = "cabinet-waitlist-entry"
VISIT: Final = "cabinet-appointment"
SAID: Final = {"status": "completed", "sent": "2031-01-01T00:00:00Z"}
AT: Final = {"effectiveDateTime": "2031-01-01"}
DRUG: Final[dict[str, Any]] = {
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": CODE,
    "subject": WHO,
}
CONSENT: Final[dict[str, Any]] = {
    "status": "active",
    "scope": CODE,
    "category": [CODE],
    "policyRule": CODE,
    "patient": WHO,
}
QUEUED: Final[dict[str, Any]] = {"status": "waitlist", "specialty": [CODE]}


def holds(validator: Validator, resource: dict[str, Any]) -> bool:
    try:
        validator.check(resource, resource["resourceType"])
    except Unprocessable:
        return False
    return True


@pytest.mark.parametrize(
    ("resource", "right"),
    [
        # Extensions, wherever they stand
        (booked("booked-by", valueReference=WHO), True),
        (booked("booked-by", valueReference={"reference": "Slot/1"}), False),
        (booked("booked-by", valueString="Patient/p1"), False),
        (booked("booking-channel", valueCode="portal"), True),
        (booked("booking-channel", valueCode="of-the-operator"), True),
        (booked("booking-channel", valueString="portal"), False),
        (booked("hold-expires", valueInstant="2031-01-01T10:00:00Z"), True),
        (booked("hold-expires", valueDateTime="2031-01-01"), False),
        (booked("waitlist", extension=[{"url": "target", "valueCode": "specialty"}]), True),
        (booked("waitlist", extension=[{"url": "target", "valueCode": "other"}]), False),
        (booked("waitlist", extension=[{"url": "offersMade", "valueUnsignedInt": 1}]), True),
        (booked("waitlist", extension=[{"url": "later", "valueString": "x"}]), True),
        (policy({"url": "cancel-time", "valueTime": "18:00:00"}), True),
        (policy({"url": "late-cancel", "valueDuration": DAY}), True),
        (policy({"url": "late-cancel", "valueString": "1 d"}), False),
        (policy({"url": "own-only", "valueBoolean": False}), True),
        (policy({"url": "own-only", "valueInteger": 0}), False),
        (policy({"url": "hold", "valueDuration": DAY}), False),  # the operator's word alone
        # Profiles, where they are claimed
        (of_cabinet("Patient", **NAMED), True),
        (of_cabinet("Patient"), False),
        (of_cabinet("Patient", name=[{"prefix": ["Dr"]}]), False),
        (of_cabinet("Patient", **NAMED, identifier=[{"system": "u:a"}]), False),
        ({"resourceType": "Patient"}, True),
        (of_cabinet("Consent", **CONSENT, dateTime="2031"), True),
        (of_cabinet("Consent", **CONSENT), False),
        (visit(VISIT, PATIENT, status="booked", **TIMES), True),
        (visit(VISIT, DOCTOR, status="booked", **TIMES), False),
        (visit(VISIT, PATIENT, status="booked", **BACK), False),
        (visit(ENTRY, PATIENT, **QUEUED), True),
        (visit(ENTRY, PATIENT, DOCTOR, status="waitlist"), True),
        (visit(ENTRY, PATIENT, status="waitlist"), False),
        (visit(ENTRY, DOCTOR, **QUEUED), False),
        (visit(ENTRY, PATIENT, **QUEUED | {"status": "noshow"} | TIMES), False),
        (visit(ENTRY, PATIENT, **QUEUED | {"status": "booked"} | BACK), False),
        (of_cabinet("Slot", **SLOT, **TIMES), True),
        (of_cabinet("Slot", **SLOT, **BACK), False),
        (of_cabinet("MedicationRequest", **DRUG), False),
        (
            of_cabinet("MedicationRequest", **DRUG, authoredOn="2031"),
            True,
        ),
        (of_cabinet("Observation", **OBSERVED, **AT), False),
        (of_cabinet("Observation", **OBSERVED, valueString="x"), False),
        (of_cabinet("Observation", **OBSERVED, **AT, valueString="x"), True),
        (of_cabinet("Communication", **SAID), False),
        (
            of_cabinet("Communication", status="completed",
                sent="2031-01-01T00:00:00Z", payload=[{"contentString": "x"}],
            ),
            True,
        ),
    ],
)  # fmt: skip
def test_a_resource_holds_or_not(
    validator: Validator, resource: dict[str, Any], *, right: bool
) -> None:
    assert holds(validator, resource) is right


def test_what_an_operator_requires_need_not_be_claimed() -> None:
    known = definitions(Settings(insecure_no_auth=True, profiles=PROFILES))
    required = (f"{SD}cabinet-patient", f"{SD}cabinet-slot")
    validator = Validator(known.terminology, known.profiles, required=required)
    validator.check({"resourceType": "Patient", **NAMED}, "Patient")
    validator.check({"resourceType": "Basic", "code": CODE}, "Basic")
    with pytest.raises(Unprocessable):
        validator.check({"resourceType": "Patient"}, "Patient")
    told = validator.validate({"resourceType": "Patient"}, "Patient")
    assert "error" in [each.severity for each in told]


@pytest.mark.parametrize("url", ["http://example.org/none", f"{SD}booked-by"])
def test_what_is_required_must_be_a_profile_of_a_resource(url: str) -> None:
    settings = Settings(insecure_no_auth=True, profiles=PROFILES, required_profiles=(url,))
    with pytest.raises(DefinitionError, match="required"):
        definitions(settings)
