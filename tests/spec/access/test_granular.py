"""Granular scopes, and whose data a person's token reaches.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from typing import Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from tests.support.fhir import JsonObject
from tests.support.worlds import Tokens, World

P: Final = "granular"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION: Final = "http://terminology.hl7.org/CodeSystem/condition-category"
CATEGORIES: Final = ("laboratory", "social-history", "vital-signs")
KINDS: Final = ("encounter-diagnosis", "problem-list-item")
EACH: Final = 3


def about(kind: str, id_: str, system: str, code: str) -> JsonObject:
    return {
        "resourceType": kind,
        "id": id_,
        **({"status": "final"} if kind == "Observation" else {}),
        "category": [{"coding": [{"system": system, "code": code}]}],
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{P}"},
    }


@pytest.fixture(scope="module")
def http(worlds: tuple[World, World]) -> httpx.Client:
    """A record with some of each category; its patient replaces another one."""
    world = worlds[1]
    link = [{"other": {"reference": f"Patient/{P}-old"}, "type": "replaces"}]
    world.load(
        {"resourceType": "Patient", "id": f"{P}-old"},
        {"resourceType": "Patient", "id": P, "link": link},
        *(
            about("Observation", f"{P}-{code}-{n}", CATEGORY, code)
            for code in CATEGORIES
            for n in range(EACH)
        ),
        *(
            about("Condition", f"{P}-{code}-{n}", CONDITION, code)
            for code in KINDS
            for n in range(EACH)
        ),
    )
    return world.http


def seen(http: httpx.Client, tokens: Tokens, scopes: str, path: str) -> set[str]:
    """The ids that an app with `scopes` finds."""
    token = str(uuid4())
    who = Principal(
        "app",
        parse_scopes(scopes),
        patient=P,
        user=f"Patient/{P}",
        represented=(P,),
        token=token,
    )
    tokens.give(who)
    answer = http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return {each["resource"]["id"] for each in answer.json().get("entry", ())}


def of(*codes: str) -> set[str]:
    return {f"{P}-{code}-{n}" for code in codes for n in range(EACH)}


def test_scp_09_a_search_without_a_category_finds_what_the_scope_grants(
    http: httpx.Client, tokens: Tokens
) -> None:
    scope = f"patient/Observation.rs?category={CATEGORY}|laboratory"
    assert seen(http, tokens, scope, "/Observation") == of("laboratory")


@pytest.mark.parametrize("code", CATEGORIES)
def test_scp_10_nothing_of_the_category_is_lost(
    http: httpx.Client, tokens: Tokens, code: str
) -> None:
    path = f"/Observation?patient={P}&category={CATEGORY}|{code}"
    whole = seen(http, tokens, "patient/Observation.rs", path)
    part = seen(http, tokens, f"patient/Observation.rs?category={CATEGORY}|{code}", path)
    assert part == whole == of(code)


@pytest.mark.parametrize(
    ("kind", "system", "codes"),
    [
        ("Observation", CATEGORY, ("laboratory", "social-history")),
        ("Observation", CATEGORY, ("social-history", "vital-signs")),
        ("Condition", CONDITION, KINDS),
    ],
)
def test_scp_12_granular_scopes_of_a_type_add_up(
    http: httpx.Client, tokens: Tokens, kind: str, system: str, codes: tuple[str, ...]
) -> None:
    scopes = " ".join(f"patient/{kind}.rs?category={system}|{code}" for code in codes)
    assert seen(http, tokens, scopes, f"/{kind}") == of(*codes)
    assert seen(http, tokens, scopes, f"/{kind}?patient={P}") == of(*codes)


def test_scp_23_a_user_scope_of_a_patient_reaches_the_own_record_alone(
    http: httpx.Client, tokens: Tokens
) -> None:
    assert seen(http, tokens, "user/Patient.rs", "/Patient") == {P}
    found = seen(http, tokens, "user/Observation.rs", "/Observation?_count=20")
    assert found == of(*CATEGORIES)


def test_scp_31_a_linked_record_needs_an_authorization_of_its_own(
    http: httpx.Client, tokens: Tokens
) -> None:
    assert seen(http, tokens, "patient/*.rs", f"/Patient?_id={P}-old") == set()
    link = seen(http, tokens, "patient/*.rs", f"/Patient?_id={P}&_include=Patient:link")
    assert link == {P}
