"""Patient/$everything: https://hl7.org/fhir/R4/patient-operation-everything.html."""

from typing import Any

import httpx
import pytest

from tests.support.fhir import create, new_id, observation, patient


@pytest.fixture(scope="module")
def record(fhir: httpx.Client) -> dict[str, Any]:
    """A patient with 5 observations over years, a doctor, and a neighbour's observation."""
    doctor = create(fhir, {"resourceType": "Practitioner", "name": [{"family": "Doctor"}]})
    made = create(fhir, patient(family="Whole"))
    other = create(fhir, patient(family="Other"))
    subject = f"Patient/{made['id']}"
    for year in range(2020, 2025):
        create(
            fhir,
            observation(
                subject,
                effectiveDateTime=f"{year}-05-05",
                performer=[{"reference": f"Practitioner/{doctor['id']}"}],
            ),
        )
    create(fhir, observation(f"Patient/{other['id']}"))
    return {"url": f"/{subject}/$everything", "id": made["id"], "doctor": doctor["id"]}


def rows(bundle: dict[str, Any]) -> list[str]:
    return [f"{e['resource']['resourceType']}" for e in bundle.get("entry", ())]


def test_the_compartment_and_what_it_leans_on(
    fhir: httpx.Client, record: dict[str, Any]
) -> None:
    bundle = fhir.get(record["url"]).json()
    assert rows(bundle) == ["Patient", *["Observation"] * 5, "Practitioner"]
    assert bundle["entry"][0]["resource"]["id"] == record["id"]
    assert [e["search"]["mode"] for e in bundle["entry"]][-1] == "include"


def test_pages_join(fhir: httpx.Client, record: dict[str, Any]) -> None:
    seen: list[str] = []
    url: str | None = f"{record['url']}?_count=2"
    while url is not None:
        bundle = fhir.get(url).json()
        matches = [e for e in bundle["entry"] if e["search"]["mode"] == "match"]
        seen += [e["fullUrl"] for e in matches]
        url = next((x["url"] for x in bundle["link"] if x["relation"] == "next"), None)
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("params", "observations"),
    [
        ({"start": "2022"}, 3),
        ({"end": "2021-12-31"}, 2),
        ({"start": "2021-05-05", "end": "2022-05-05"}, 2),
        ({"_since": "2000-01-01"}, 5),
        ({"_since": "2100-01-01"}, 0),
        ({"_type": "Observation"}, 5),
        ({"_type": "Condition,AllergyIntolerance"}, 0),
    ],
)
def test_parameters_narrow(
    fhir: httpx.Client, record: dict[str, Any], params: dict[str, str], observations: int
) -> None:
    bundle = fhir.get(record["url"], params=params).json()
    assert rows(bundle).count("Observation") == observations


def test_parameters_in_a_body(fhir: httpx.Client, record: dict[str, Any]) -> None:
    row = {"name": "start", "valueDate": "2024"}
    body = {"resourceType": "Parameters", "parameter": [row]}
    assert rows(fhir.post(record["url"], json=body).json()).count("Observation") == 1


def test_all_patients(fhir: httpx.Client, record: dict[str, Any]) -> None:
    url, seen = "/Patient/$everything?_type=Patient", set()
    while url:
        bundle = fhir.get(url).json()
        seen |= {each["resource"]["id"] for each in bundle["entry"]}
        url = next((each["url"] for each in bundle["link"] if each["relation"] == "next"), "")
    assert record["id"] in seen


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"start": "soon"}, 400),
        ({"_count": "0"}, 400),
        ({"_type": "Foo"}, 400),
        ({"foo": "1"}, 400),
        ({"_cursor": "x"}, 400),
    ],
)
def test_a_wrong_parameter_is_refused(
    fhir: httpx.Client, record: dict[str, Any], params: dict[str, str], status: int
) -> None:
    assert fhir.get(record["url"], params=params).status_code == status


def test_a_patient_that_is_not_there(fhir: httpx.Client) -> None:
    assert fhir.get(f"/Patient/{new_id()}/$everything").status_code == 404
