"""Consents inside the query: what MongoDB lets through is what the predicate means.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from fhir_server.access.consents import Consent
from fhir_server.access.decisions import MOST_EXCEPTIONS, Policy, consent_nodes
from fhir_server.access.provisions import MOST_DEEP
from fhir_server.core.types import JsonObject
from fhir_server.search.evaluate import Record, Resources
from fhir_server.search.plan import UNRESTRICTED, Everything, Restriction, Search
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import HistoryPlan, Version
from tests.support.consenting import (
    actor,
    asking,
    consent,
    data,
    label,
    observation,
    purpose,
    read,
    record,
)
from tests.support.versions import ids, names

pytestmark = pytest.mark.anyio

KIND: Final = "Observation"
LETTERS: Final[tuple[ScopeLetter, ...]] = ("r", "c")
PERIOD: Final = {"start": "2022-01", "end": "2022-12"}
MINE: Final = actor("Practitioner/dr1")


def but(kind: str, *exceptions: JsonObject, **elements: object) -> JsonObject:
    return {"type": kind, "provision": list(exceptions), **elements}


def deep(levels: int) -> JsonObject:
    """Exceptions of exceptions, each with something of its own to ask of the index."""
    found: JsonObject = {"type": "permit", "securityLabel": [label("HIV")]}
    for place in range(levels):
        kind = "deny" if place % 2 == 0 else "permit"
        found = but(kind, found, dataPeriod={"start": f"200{place}"}, actor=MINE)
    return found


PROVISIONS: Final[Mapping[str, JsonObject]] = {
    "all": {"type": "permit"},
    "none": {"type": "deny"},
    "normal": {"type": "permit", "securityLabel": [label("N")]},
    "year": {"type": "permit", "dataPeriod": PERIOD},
    "not-year": but("permit", {"type": "deny", "dataPeriod": PERIOD}),
    "visit": {"type": "permit", "data": data("dependents", "Encounter/e1")},
    "not-hiv": but("permit", but("deny", {"type": "permit", "actor": MINE}, securityLabel=[
        label("HIV")])),
    "deep": deep(MOST_DEEP),
    "research": {"type": "permit", "purpose": purpose("HRESCH")},
}  # fmt: skip


def of(patient: str, provision: JsonObject) -> Sequence[Consent]:
    return read(consent(provision, id=patient, patient={"reference": f"Patient/{patient}"}))


CONSENTS: Final = {patient: of(patient, each) for patient, each in PROVISIONS.items()}


def records() -> list[Record]:
    found = []
    for patient in (*PROVISIONS, "nobody"):
        about = {"subject": {"reference": f"Patient/{patient}"}}
        visit = {"reference": "Encounter/e1"}
        found += [
            observation(f"{patient}-plain", **about),
            observation(f"{patient}-hiv", "HIV", "R", **about, encounter=visit),
            observation(f"{patient}-old", "N", **about, effectiveDateTime="1999"),
            observation(f"{patient}-undated", **about, effectiveDateTime=None),
        ]
    return [record(each) for each in found]


RECORDS: Final = records()


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> MongoStore:
    versions = [Version(r.type, r.id, 1, r.at, b"{}", r.values, "POST") for r in RECORDS]
    await mongo_store.run((KIND,), lambda unit: unit.insert(versions))
    return mongo_store


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("policy", [Policy("deny"), Policy("all-normal", "R")])
async def test_a_search_lets_through_what_the_consents_permit(
    store: MongoStore, policy: Policy, letter: ScopeLetter
) -> None:
    request = asking(letter=letter)
    within = Restriction({KIND: consent_nodes(CONSENTS, request, policy)(KIND)})
    expected = {each.id for each in Resources.of(RECORDS, within).matching(KIND, Everything())}
    page = await store.search(Search(KIND, Everything(), count=100), within=within)
    assert set(ids(page.rows)) == expected
    assert 0 < len(expected) < len(RECORDS)
    assert await store.count(KIND, Everything(), within=within) == len(expected)


async def test_a_full_query_is_still_answered(store: MongoStore) -> None:
    form = PROVISIONS["not-hiv"]
    many = {f"x{place}": of(f"x{place}", form) for place in range(MOST_EXCEPTIONS - 1)}
    consents = {**many, "normal": CONSENTS["normal"]}
    within = Restriction({KIND: consent_nodes(consents, asking(), Policy())(KIND)})
    page = await store.search(Search(KIND, Everything(), count=100), within=within)
    assert set(ids(page.rows)) == {"normal-plain", "normal-old", "normal-undated"}


async def test_each_version_is_judged_by_its_own_labels(store: MongoStore) -> None:
    about = {"subject": {"reference": "Patient/normal"}}
    first = record(observation("changing", "R", **about))
    second = record(observation("changing", **about))
    await store.insert(Version(KIND, "changing", 1, 1_000, b"{}", first.values, "POST"))

    old = await store.read(KIND, "changing", within=UNRESTRICTED)
    assert old is not None
    new = Version(KIND, "changing", 2, 2_000, b"{}", second.values, "PUT")
    await store.run((KIND,), lambda unit: unit.replace(old, new))
    within = Restriction({KIND: consent_nodes(CONSENTS, asking(), Policy())(KIND)})
    rows, _, _ = await store.history(HistoryPlan(KIND, "changing"), within=within)
    assert names(rows) == [("changing", 2)]
    assert await store.vread(KIND, "changing", 1, within=within) is None
