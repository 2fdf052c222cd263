"""Observation/$lastn: https://hl7.org/fhir/R4/observation-operation-lastn.html."""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, observation, patient

LAB = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vitals"}


@pytest.fixture(scope="module")
def subject(fhir: httpx.Client) -> str:
    """A patient with four glucose values and two of something that has only a text."""
    subject = f"Patient/{create(fhir, patient(family='Last'))['id']}"
    category = [{"coding": [LAB]}]
    for month in (3, 1, 4, 2):
        when = f"2024-0{month}-01"
        create(fhir, observation(subject, effectiveDateTime=when, category=category))
    for month in (5, 6):
        when = f"2024-0{month}-01"
        code = {"text": "sleep"}
        create(fhir, observation(subject, effectiveDateTime=when, category=category, code=code))
    return subject


def dates(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    bundle: dict[str, Any] = answer.json()
    return [e["resource"]["effectiveDateTime"][:7] for e in bundle.get("entry", ())]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"category": "vitals"}, ["2024-06", "2024-04"]),
        ({"category": "vitals", "max": "2"}, ["2024-06", "2024-05", "2024-04", "2024-03"]),
        ({"code": "http://loinc.org|15074-8"}, ["2024-04"]),
        ({"code": "15074-8", "date": "lt2024-03"}, ["2024-02"]),
        ({"code": "nothing"}, []),
    ],
)
def test_the_most_recent_of_each_kind(
    fhir: httpx.Client, subject: str, params: dict[str, str], expected: list[str]
) -> None:
    assert dates(fhir.get("/Observation/$lastn", params={"patient": subject, **params})) == (
        expected
    )


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"code": "1"},
        {"patient": "1"},
        {"patient": "1", "code": "1", "max": "0"},
        {"patient": "1", "code": "1", "foo": "1"},
    ],
)
def test_a_wrong_call_is_refused(fhir: httpx.Client, params: dict[str, str]) -> None:
    assert fhir.get("/Observation/$lastn", params=params).status_code == 400
