"""$bulk-publish: free places for everybody, and nothing of a patient.

https://github.com/smart-on-fhir/smart-scheduling-links/blob/master/specification.md
"""

import json
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.cabinet.booking.names import CAPACITY, CHANNEL
from fhir_server.settings import Settings
from tests.spec.booking.conftest import Clinic, Clock, person
from tests.spec.booking.test_book import booked
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import ROOT, Tokens

SECRET: Final = "Topsecretname"


@pytest.fixture(scope="module")
def open_clinic(mongodb_uri: str) -> Iterator[tuple[Clinic, httpx.Client]]:
    tokens, clock = Tokens(AccessPolicy(Policy("all-normal"))), Clock()
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"published_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        base_url="http://test/fhir",
        publish_slots=True,
    )
    with (
        Running(settings, tokens.gate, clock) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        yield Clinic(http, tokens, clock), http


def fetched(http: httpx.Client, kind: str) -> tuple[list[JsonObject], str]:
    manifest = http.get("/$bulk-publish").json()
    url = next(each["url"] for each in manifest["output"] if each["type"] == kind)
    answer = http.get(url.removeprefix("http://test/fhir"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+ndjson"
    return [json.loads(line) for line in answer.text.splitlines()], answer.text


def test_the_manifest_names_a_file_a_type(open_clinic: tuple[Clinic, httpx.Client]) -> None:
    manifest = open_clinic[1].get("/$bulk-publish").json()
    assert manifest["request"] == "http://test/fhir/$bulk-publish"
    assert {each["type"] for each in manifest["output"]} == {"Location", "Schedule", "Slot"}
    assert manifest["error"] == []


def test_free_future_places_without_a_trace_of_anybody(
    open_clinic: tuple[Clinic, httpx.Client],
) -> None:
    clinic, http = open_clinic
    patient = clinic.patient()
    clinic.put({"resourceType": "Patient", "id": patient, "name": [{"family": SECRET}]})
    clinic.put({
        "resourceType": "Location",
        "id": "place",
        "name": "Clinic",
        "address": {"city": "Izhevsk"},
        "telecom": [{"system": "phone", "value": "1"}],
    })  # fmt: skip
    actor = [{"reference": "Location/place", "display": SECRET}]
    clinic.schedule(actor=[{"reference": f"Patient/{patient}"}])  # R4 allows that
    schedule = clinic.schedule(actor=actor, comment=SECRET)
    group: list[dict[str, Any]] = [{"url": CAPACITY, "valuePositiveInt": 3}]
    own = {"url": "urn:own", "valueString": SECRET}
    free = clinic.slot(schedule, comment=SECRET, extension=[*group, own])
    public = clinic.slot(schedule, days=8, extension=[{"url": CHANNEL, "valueCode": "public"}])
    clinic.slot(schedule, days=9, extension=[{"url": CHANNEL, "valueCode": "registry"}])
    clinic.slot(schedule, days=-1)
    taken = clinic.slot(schedule, days=10)
    for slot in (free, taken):
        booked(clinic, person(patient), slot)
    slots, text = fetched(http, "Slot")
    assert [each["id"] for each in slots] == [free, public]
    assert slots[0]["extension"] == group
    (found,), more = fetched(http, "Schedule")
    assert found["actor"] == [{"reference": "Location/place"}]
    (place,), rest = fetched(http, "Location")
    assert place["address"] == {"city": "Izhevsk"}
    whole = text + more + rest
    assert SECRET not in whole
    assert "Patient" not in whole
    assert "Appointment" not in whole


def test_what_has_not_changed_is_not_sent_again(
    open_clinic: tuple[Clinic, httpx.Client],
) -> None:
    clinic, http = open_clinic
    slot = clinic.slot(clinic.schedule())
    paths = ("/$bulk-publish", "/$bulk-publish/Slot.ndjson")
    known = {path: {"If-None-Match": http.get(path).headers["etag"]} for path in paths}
    for path in paths:
        assert "public" in http.get(path).headers["cache-control"]
        assert http.get(path, headers=known[path]).status_code == 304
    booked(clinic, person(clinic.patient()), slot)
    for path in paths:
        assert http.get(path, headers=known[path]).status_code == 200


def test_more_than_a_page_is_whole(open_clinic: tuple[Clinic, httpx.Client]) -> None:
    clinic, http = open_clinic
    before = len(fetched(http, "Slot")[0])
    length = {"value": 5, "code": "min", "system": "http://unitsofmeasure.org"}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "schedule", "valueString": clinic.schedule()},
            {"name": "period", "valuePeriod": {"start": "2040-01-01", "end": "2040-01-04"}},
            {"name": "duration", "valueDuration": length},
            {
                "name": "hours",
                "part": [
                    *({"name": "day", "valueCode": d} for d in ("mon", "tue", "wed", "sun")),
                    {"name": "start", "valueTime": "00:00:00"},
                    {"name": "end", "valueTime": "20:00:00"},
                ],
            },
        ],
    }
    made = clinic.ask(ROOT, "POST", "/Slot/$generate", body)
    created = made.json()["parameter"][0]["valueInteger"]
    assert created > 500
    slots, _ = fetched(http, "Slot")
    assert len({each["id"] for each in slots}) == len(slots) == before + created


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "", 405), ("GET", "/Patient.ndjson", 404), ("GET", "/", 404)],
)
def test_nothing_else_is_there(
    open_clinic: tuple[Clinic, httpx.Client], method: str, path: str, status: int
) -> None:
    assert open_clinic[1].request(method, f"/$bulk-publish{path}").status_code == status


def test_unless_the_operator_opened_it_a_token_is_needed(clinic: Clinic) -> None:
    answer = clinic.anonymous("/$bulk-publish")
    assert answer.status_code == 401
