"""Who may act for whom, and until when.

https://hl7.org/fhir/R4/relatedperson.html
"""

from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhir_server.access.codings import OWN
from fhir_server.access.consents import read_proxy
from fhir_server.access.decisions import Policy, proxy_node
from fhir_server.access.proxies import (
    GUARDIANS,
    Clock,
    ProxyRules,
    Relations,
    Represented,
    birthday,
    represented,
    verified_by,
)
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject
from fhir_server.search.plan import Nothing
from fhir_server.spec.interactions import ScopeLetter
from tests.support.consenting import (
    BASE,
    READING,
    action,
    actor,
    asking,
    caller,
    consent,
    holds,
    label,
    observation,
)

ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
MOSCOW = ZoneInfo("Europe/Moscow")
RUSSIA = ProxyRules()
UKRAINE = ProxyRules(child_age=14, view_age=18)


def at(text: str) -> int:
    return parse_interval(text).lo


def relation(code: str = "MTH", **elements: Any) -> JsonObject:
    return {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "active": True,
        "patient": {"reference": "Patient/p1"},
        "relationship": [{"coding": [{"system": ROLES, "code": code}]}],
        **elements,
    }


def proxy(provision: JsonObject | None = None, **elements: Any) -> JsonObject:
    named = {"type": "permit", "actor": actor("RelatedPerson/r1"), **(provision or {})}
    category = [{"coding": [{"system": OWN, "code": "proxy"}]}]
    performer = [{"reference": "Patient/p1"}]
    return consent(named, **{"category": category, "performer": performer, **elements})


def judged(
    relations: JsonObject | list[JsonObject],
    *,
    birth: str = "2010-05-20",
    now: str = "2023-06-01T12:00:00Z",
    rules: ProxyRules = RUSSIA,
    zone: tzinfo = UTC,
    consents: tuple[JsonObject, ...] = (),
    verified: frozenset[str] = frozenset({"RelatedPerson/r1"}),
) -> tuple[Represented, ...]:
    known = relations if isinstance(relations, list) else [relations]
    births = {"p1": birth} if birth else {}
    facts = Relations(known, verified, births, consents)
    return represented(facts, rules, Clock(at(now), zone), BASE)


def rights(*args: Any, **more: Any) -> list[tuple[str, bool]]:
    return [(each.basis, each.may_write) for each in judged(*args, **more)]


@pytest.mark.parametrize(
    ("code", "rules", "expected"),
    [
        ("MTH", RUSSIA, [("parent", True)]),
        ("FTH", RUSSIA, [("parent", True)]),
        ("PRN", RUSSIA, [("parent", True)]),
        ("ADOPTM", RUSSIA, [("parent", True)]),
        ("GRMTH", RUSSIA, []),
        ("STPFTH", RUSSIA, []),
        ("GUARD", RUSSIA, []),
        ("GUARD", ProxyRules(guardians=GUARDIANS), [("guardian", True)]),
        ("MTH", ProxyRules(parents=frozenset()), []),
    ],
)
def test_the_law_of_the_place_says_which_relations_suffice(
    code: str, rules: ProxyRules, expected: list[tuple[str, bool]]
) -> None:
    assert rights(relation(code), rules=rules) == expected


@pytest.mark.parametrize(
    "elements",
    [
        {"active": False},
        {"period": {"end": "2023-05-31"}},
        {"period": {"start": "2023-06-02"}},
        {"period": {"start": "?"}},
        {"patient": {"reference": "https://elsewhere.example/Patient/p1"}},
        {"patient": {"reference": "Group/p1"}},
        {"relationship": [{"coding": [{"system": "urn:x", "code": "MTH"}]}]},
        {"relationship": []},
        {"id": "r2"},  # not verified
    ],
)
def test_a_relation_must_hold_and_be_verified(elements: JsonObject) -> None:
    assert rights(relation(**elements)) == []


def test_a_relation_that_says_nothing_of_active_holds() -> None:
    unsaid = relation()
    del unsaid["active"]
    assert rights(unsaid) == [("parent", True)]


@pytest.mark.parametrize(
    ("birth", "now", "rules", "expected"),
    [
        ("2008-06-02", "2023-06-01T23:59:59Z", RUSSIA, [("parent", True)]),
        ("2008-06-01", "2023-06-01T00:00:00Z", RUSSIA, []),
        ("2009-06-02", "2023-06-01T23:59:59Z", UKRAINE, [("parent", True)]),
        ("2009-06-01", "2023-06-01T00:00:00Z", UKRAINE, [("parent", False)]),
        ("2005-06-02", "2023-06-01T23:59:59Z", UKRAINE, [("parent", False)]),
        ("2005-06-01", "2023-06-01T00:00:00Z", UKRAINE, []),
        # Of a year or month alone, the earliest day.
        ("2009", "2023-06-01T12:00:00Z", RUSSIA, [("parent", True)]),
        ("2008", "2023-01-01T00:00:00Z", RUSSIA, []),
        ("2008-06", "2023-05-31T23:59:59Z", RUSSIA, [("parent", True)]),
        ("2008-06", "2023-06-01T00:00:00Z", RUSSIA, []),
        ("", "2023-06-01T12:00:00Z", RUSSIA, []),
        ("unknown", "2023-06-01T12:00:00Z", RUSSIA, []),
    ],
)
def test_a_parents_right_ends_on_the_birthday(
    birth: str, now: str, rules: ProxyRules, expected: list[tuple[str, bool]]
) -> None:
    assert rights(relation(), birth=birth, now=now, rules=rules) == expected


@pytest.mark.parametrize(
    ("birth", "age", "zone", "expected"),
    [
        ("2008-06-01", 15, UTC, "2023-06-01T00:00:00Z"),
        ("2008-06-01", 15, MOSCOW, "2023-05-31T21:00:00Z"),
        ("2008-06-01", 15, timezone(timedelta(hours=-5)), "2023-06-01T05:00:00Z"),
        ("2008-06-01", 15, ZoneInfo("Europe/Kyiv"), "2023-05-31T21:00:00Z"),  # summer
        ("2008-01-15", 15, ZoneInfo("Europe/Kyiv"), "2023-01-14T22:00:00Z"),
        ("2008-02-29", 15, UTC, "2023-03-01T00:00:00Z"),
        ("2008-02-29", 16, UTC, "2024-02-29T00:00:00Z"),
        ("2008-02-28", 15, UTC, "2023-02-28T00:00:00Z"),
        ("9999-06-01", 15, UTC, None),
    ],
)
def test_a_birthday_begins_at_midnight_of_the_clinic(
    birth: str, age: int, zone: tzinfo, expected: str | None
) -> None:
    found = birthday(birth, age, zone)
    assert found == (None if expected is None else at(expected))


def test_the_age_switches_with_the_clinics_day() -> None:
    def there(now: str) -> list[tuple[str, bool]]:
        return rights(relation(), birth="2008-06-01", now=now, zone=MOSCOW)

    assert there("2023-05-31T20:59:59Z") == [("parent", True)]
    assert there("2023-05-31T21:00:00Z") == []


@pytest.mark.parametrize(
    ("elements", "rules", "until"),
    [
        ({}, RUSSIA, "2025-05-20T00:00:00Z"),
        ({}, UKRAINE, "2024-05-20T00:00:00Z"),
        ({"period": {"end": "2023-12-31"}}, RUSSIA, "2024-01-01T00:00:00Z"),
        ({"period": {"end": "2030"}}, RUSSIA, "2025-05-20T00:00:00Z"),
    ],
)
def test_the_end_is_known_beforehand(
    elements: JsonObject, rules: ProxyRules, until: str
) -> None:
    found = judged(relation(**elements), rules=rules)
    assert [each.until for each in found] == [at(until)]
    assert found[0].relation == "RelatedPerson/r1"
    assert found[0].patient == "p1"


def test_a_parent_may_go_on_reading_until_the_later_birthday() -> None:
    found = judged(relation(), birth="2008", rules=UKRAINE)
    assert [each.until for each in found] == [at("2026-01-01T00:00:00Z")]


ADULT = "1950-01-01"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (proxy(), [("consent", False)]),
        (proxy({"action": action("access")}), [("consent", False)]),
        (proxy({"action": action("access", "collect")}), [("consent", True)]),
        (proxy({"action": action("correct")}), [("consent", True)]),
        (proxy({"type": "deny"}), []),
        (proxy({"actor": actor("RelatedPerson/r2")}), []),
        (proxy({"actor": actor(f"{BASE}/RelatedPerson/r1")}), [("consent", False)]),
        (proxy({"period": {"end": "2023-05-31"}}), []),
        (proxy({"period": {"start": "?"}}), []),
        (proxy(status="inactive"), []),
        (proxy(category=[]), []),
        (proxy(scope={}), []),
        (proxy(patient={"reference": "Patient/p2"}), []),
        (proxy(performer=[{"reference": "RelatedPerson/r1"}]), []),  # gave it to oneself
        (proxy(performer=[]), []),
        (proxy(modifierExtension=[{"url": "urn:x"}]), []),
    ],
)
def test_an_adult_is_represented_by_their_own_consent_alone(
    given: JsonObject, expected: list[tuple[str, bool]]
) -> None:
    assert rights(relation("SPS"), consents=(given,), birth=ADULT) == expected
    assert rights(relation("MTH"), consents=(given,), birth=ADULT) == expected


def test_a_consent_ends_with_its_period_or_with_the_relation() -> None:
    ends = proxy({"period": {"end": "2024"}})
    found = judged(relation("SPS"), consents=(ends,), birth=ADULT)
    assert [(each.until, each.consent) for each in found] == [(at("2025"), "c1")]
    endless = judged(relation("SPS"), consents=(proxy(),), birth=ADULT)
    assert [each.until for each in endless] == [None]
    short = relation("SPS", period={"end": "2023-07-01"})
    found = judged(short, consents=(proxy(),), birth=ADULT)
    assert [each.until for each in found] == [at("2023-07-02")]


def test_a_young_person_may_let_a_parent_go_on() -> None:
    assert rights(relation(), birth="2008-01-01", consents=(proxy(),)) == [("consent", False)]


def test_each_relation_counts() -> None:
    two = [relation(), relation(id="r2", patient={"reference": "Patient/p2"})]
    both = frozenset({"RelatedPerson/r1", "RelatedPerson/r2"})
    assert [each.patient for each in judged(two, verified=both)] == ["p1"]


@pytest.mark.parametrize(
    ("provision", "letter", "normal", "restricted"),
    [
        ({}, "r", True, True),
        ({"securityLabel": [label("N")]}, "r", True, False),
        ({"provision": [{"type": "deny", "securityLabel": [label("R")]}]}, "r", True, False),
        ({"action": action("access")}, "r", True, True),
        ({"action": action("access")}, "c", False, False),
        ({"action": action("collect")}, "c", True, True),
        ({"period": {"end": "2023-05"}}, "r", False, False),
        ({"actor": actor("RelatedPerson/r2")}, "r", False, False),
    ],
)
def test_a_proxy_sees_what_the_consent_opens(
    provision: JsonObject, letter: ScopeLetter, normal: bool, restricted: bool
) -> None:
    given = read_proxy(proxy(provision), READING)
    assert given is not None
    who = caller("RelatedPerson/r1", for_="PATRQT", staff=False)
    node = proxy_node(given, asking(who, letter), Policy())("Observation")
    assert holds(node, observation()) is normal
    assert holds(node, observation("o2", "R")) is restricted
    assert not holds(node, observation("o3", subject={"reference": "Patient/p2"}))


def test_another_consent_opens_nothing_to_proxies() -> None:
    assert read_proxy(consent({"type": "permit"}), READING) is None
    assert read_proxy(proxy(status="inactive"), READING) is None
    silent = read_proxy(proxy(policy=[]) | {"provision": {}}, READING)
    assert silent is not None
    who = caller("RelatedPerson/r1", for_="PATRQT", staff=False)
    assert proxy_node(silent, asking(who), Policy())("Observation") == Nothing()


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, True),
        ({"status": "attested"}, False),
        ({"status": "req-revalid"}, False),
        ({"nextScheduled": "2023-06-02"}, True),
        ({"nextScheduled": "2023-06-01"}, False),
        ({"nextScheduled": "2023-06-01T12:00:00Z"}, False),
        ({"nextScheduled": "2023-06-01T12:00:01Z"}, True),
        ({"nextScheduled": "?"}, False),
        ({"target": [{"reference": f"{BASE}/RelatedPerson/r1"}]}, True),
        ({"target": [{"reference": "RelatedPerson/r2"}]}, False),
    ],
)
def test_a_relation_is_verified_by_a_valid_result(elements: JsonObject, expected: bool) -> None:
    target = [{"reference": "RelatedPerson/r1"}]
    result = {"resourceType": "VerificationResult", "status": "validated", "target": target}
    found = verified_by([{**result, **elements}], at("2023-06-01T12:00:00Z"), BASE)
    assert ("RelatedPerson/r1" in found) is expected
