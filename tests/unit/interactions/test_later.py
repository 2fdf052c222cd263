"""The asynchronous pattern: what is told of a job, and what is kept of its caller.

https://hl7.org/fhir/R4/async.html
"""

from dataclasses import replace
from typing import Any

import pytest
from msgspec.json import decode, encode

from fhir_server.access.principal import Principal
from fhir_server.access.rights import UNLIMITED
from fhir_server.access.scopes import parse_scopes
from fhir_server.core.errors import Forbidden
from fhir_server.interactions.grants import grant_of, is_owner, principal_of
from fhir_server.interactions.later import progress_text
from fhir_server.search.plan import Ids, Restriction


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        ({}, "waiting"),
        ({"running": True}, "running"),
        ({"done": 3}, "3"),
        ({"done": 3, "total": 8}, "3 of 8"),
        ({"done": 0, "total": 8, "type": "Patient"}, "Patient: 0 of 8"),
    ],
)
def test_progress_in_a_header(progress: dict[str, Any], text: str) -> None:
    assert progress_text(progress) == text


PATIENT = Principal(
    "app",
    parse_scopes("patient/Observation.rs?category=laboratory patient/*.read"),
    patient="p1",
    user="Patient/p1",
    account="a1",
    represented=("p1", "p2"),
    purpose="PATRQT",
    organizations=("Organization/o1",),
    grant="g1",
    token="jti",
    level=2,
)


def test_everything_is_kept_as_everything() -> None:
    assert principal_of(grant_of(None, UNLIMITED)) is None


def test_a_caller_is_kept_as_the_database_keeps_it() -> None:
    assert principal_of(decode(encode(grant_of(PATIENT, UNLIMITED)))) == PATIENT


@pytest.mark.parametrize("within", [Restriction(), Restriction({"Patient": Ids(("p1",))})])
def test_rights_of_nobody_that_are_limited_are_not_kept(within: Restriction) -> None:
    with pytest.raises(Forbidden):
        grant_of(None, replace(UNLIMITED, read=within))


@pytest.mark.parametrize(
    "grant",
    [
        {},
        {"unrestricted": False},
        {"unrestricted": "true"},
        {"unrestricted": True, "x": 1},
        {"principal": {}},
        {"principal": {"client": "app"}},
        {"principal": {"client": "app", "scopes": "patient/*.rs"}},
        {"principal": {"client": "app", "scopes": []}, "unrestricted": True},
    ],
)
def test_a_grant_that_is_not_understood_gives_nothing(grant: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        principal_of(grant)


@pytest.mark.parametrize(
    ("changed", "owns"),
    [
        ({"token": "another", "grant": "g2", "scopes": ()}, True),
        ({"client": "another"}, False),
        ({"account": "another"}, False),
        ({"account": None}, False),
        ({"patient": "p2"}, False),
        ({"purpose": "BTG"}, False),
    ],
)
def test_bulks_13_an_order_is_its_users_and_apps(changed: dict[str, Any], owns: bool) -> None:
    assert is_owner(grant_of(PATIENT, UNLIMITED), replace(PATIENT, **changed)) is owns


def test_bulks_13_what_nobody_ordered_is_no_callers() -> None:
    assert is_owner(grant_of(None, UNLIMITED), None)
    assert not is_owner(grant_of(None, UNLIMITED), PATIENT)
    assert not is_owner(grant_of(PATIENT, UNLIMITED), None)
