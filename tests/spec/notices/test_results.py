"""A result is told by e-mail, with the patient's Consent, without a word of what it is."""

from typing import Any

import pytest

from tests.support.fhir import JsonObject
from tests.support.notified import BEGINNING, House, prefers

pytestmark = pytest.mark.anyio

CATEGORY = {"coding": [{"system": "http://test/consents", "code": "results-by-email"}]}


def consent(patient: str, **more: Any) -> JsonObject:
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    return {
        "resourceType": "Consent",
        "id": f"{patient}-results",
        "status": "active",
        "scope": {"coding": [{"system": scope, "code": "patient-privacy"}]},
        "category": [CATEGORY],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": "2027-01-01",
        "policy": [{"uri": "http://test/policy"}],
        "provision": {"type": "permit"},
        **more,
    }


def report(patient: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "DiagnosticReport",
        "id": f"{patient}-report",
        "status": "final",
        "code": {"text": "HIV antibodies"},
        "subject": {"reference": f"Patient/{patient}"},
        "issued": "2027-02-01T08:00:00Z",
        **more,
    }


async def test_with_a_consent_it_is_told_once(house: House) -> None:
    patient = await house.patient()
    await house.put(consent(patient))
    await house.put(report(patient, status="preliminary"))
    assert await house.tell() == []
    await house.put(report(patient))
    (mail,) = await house.tell()
    assert (mail.channel, mail.to) == ("email", f"{patient}@mail.example")
    assert mail.content["subject"] == "A result is ready"
    assert "HIV" not in str(mail.content)
    await house.put(report(patient, status="corrected"))
    assert await house.tell() == []
    assert await house.notes(patient) == []


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"status": "inactive"},
        {"provision": {"type": "deny"}},
        {"provision": {"type": "permit", "period": {"end": "2027-01-31"}}},
        {"category": [{"text": "another"}]},
    ],
)
async def test_without_one_nothing_is_sent(house: House, given: JsonObject | None) -> None:
    patient = await house.patient()
    if given is not None:
        await house.put(consent(patient, **given))
    await house.put(report(patient))
    assert await house.tell() == []
    assert [each.kind for each in house.told] == ["result-ready"]


async def test_a_consent_that_is_withdrawn_meanwhile_counts(house: House) -> None:
    patient = await house.patient()
    await house.put(consent(patient))
    await house.put(report(patient))
    await house.put(consent(patient, status="inactive"))
    assert await house.tell() == []


@pytest.mark.parametrize("channel", ["sms", "none"])
async def test_preferences_hold(house: House, channel: str) -> None:
    said = [prefers(channel, "result")]
    patient = await house.patient(
        extension=said, telecom=[{"system": "sms", "value": "+380441234567"}]
    )
    await house.put(consent(patient))
    await house.put(report(patient))
    telling = house.under(notice_addresses="record", sms_gateway="x")
    assert await telling.tell() == []


async def test_old_reports_are_history(house: House) -> None:
    patient = await house.patient()
    await house.put(consent(patient))
    await house.put(report(patient, issued="2027-01-01T08:00:00Z"))
    assert await house.tell() == []
    assert house.told == []
    assert house.clock() == BEGINNING
