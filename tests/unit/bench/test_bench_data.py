"""What the benchmark loads and sends: enough of it, valid, and the same every time."""

import itertools
from collections import Counter

import pytest

from bench import bodies, data
from bench.load import Loader
from fhir_server.core.types import JsonObject
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation.validator import Validator

VALIDATOR = Validator(Terminology())


def without_id(resource: JsonObject) -> JsonObject:
    return {name: value for name, value in resource.items() if name != "id"}


def test_a_ward_is_made_of_pairs_of_patients() -> None:
    resources = list(data.ward(0, 200))
    kinds = Counter(each["resourceType"] for each in resources)
    assert kinds == {"Patient": 4, "Encounter": 4, "Observation": 200}
    assert len({(each["resourceType"], each["id"]) for each in resources}) == len(resources)


def test_a_ward_continues_where_another_ended() -> None:
    whole = list(data.ward(0, 300))
    assert [*data.ward(0, 100), *data.ward(100, 300)] == whole


def test_every_chronically_ill_patient_fills_a_page() -> None:
    for number in range(0, 20, 2):
        subject = f"Patient/{data.patient_id(number)}"
        codes = Counter(
            each["code"]["coding"][0]["code"]
            for each in data.ward(number * 50, number * 50 + 100)
            if each["resourceType"] == "Observation" and each["subject"]["reference"] == subject
        )
        assert codes[data.chief(number).code] >= data.CHIEF


@pytest.mark.parametrize(
    "resource",
    [
        *itertools.islice(data.ward(0, 100), 3),
        *itertools.islice(data.staff(), 3),
        next(data.with_histories())[-1],
        bodies.created(1),
        bodies.updated(1),
    ],
    ids=lambda each: each["resourceType"],
)
def test_what_is_loaded_and_sent_is_valid(resource: JsonObject) -> None:
    VALIDATOR.check(resource, resource["resourceType"])


def test_a_transaction_has_a_hundred_valid_entries() -> None:
    bundle = bodies.transaction(1)
    VALIDATOR.check(bundle, "Bundle")
    assert len(bundle["entry"]) == 100
    urls = {each["fullUrl"] for each in bundle["entry"]}
    assert len(urls) == 100
    assert urls.isdisjoint(each["fullUrl"] for each in bodies.transaction(2)["entry"])


def test_links_of_a_transaction_become_those_that_a_server_stores() -> None:
    patient, visit, *_, last = bodies.linked(bodies.transaction(1))
    assert visit["subject"]["reference"] == f"Patient/{patient['id']}"
    assert last["encounter"]["reference"].startswith("Encounter/")


def test_a_loaded_history_ends_in_the_live_version() -> None:
    *past, current = Loader().versions(next(data.with_histories()))
    assert [each["_id"]["v"] for each in past] == [1, 2, 3, 4]
    assert past[-1]["until"] == current["at"]
    assert (current["_id"], current["v"]) == (data.history_id(0), data.VERSIONS)
