"""Rights that are worked out when asked for are those that would be worked out at once."""

from collections.abc import Mapping
from itertools import product
from random import Random
from typing import Final

import pytest

from fhir_server.access.audience import directory
from fhir_server.access.consents import Consent
from fhir_server.access.decisions import TOO_MANY, Implicit, Permitted, Policy, consent_nodes
from fhir_server.access.late import Late
from fhir_server.access.principal import Principal
from fhir_server.access.rights import UNLIMITED, Rights, RightsTable, narrowed
from fhir_server.access.scopes import LETTERS, parse_scopes
from fhir_server.core.errors import TooCostly
from fhir_server.core.types import JsonObject
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import Ids, Node, Nothing, Restriction
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.spec.structures import RESOURCE_TYPES
from tests.support.consenting import (
    action,
    actor,
    asking,
    consent,
    data,
    label,
    purpose,
    read,
)

PATIENTS: Final = 4
ELEMENTS: Final[tuple[JsonObject, ...]] = (
    {"securityLabel": [label("HIV")]},
    {"securityLabel": [label("R")]},
    {"actor": actor("Practitioner/dr1")},
    {"action": action("collect", "correct")},
    {"purpose": purpose("HRESCH")},
    {"dataPeriod": {"start": "2022"}},
    {"data": data("dependents", "Encounter/e1")},
    {"period": {"end": "2022-01"}},
    {},
)
SCOPES: Final = ("user/*.cruds", "user/Observation.rs user/Patient.r", "system/*.rs")


def provision(chance: Random, levels: int = 2) -> JsonObject:
    made = {"type": chance.choice(("permit", "deny"))} | chance.choice(ELEMENTS)
    inner = [provision(chance, levels - 1) for _ in range(chance.randrange(3)) if levels]
    return made | ({"provision": inner} if inner else {})


def consents(seed: int) -> Mapping[str, list[Consent]]:
    chance = Random(seed)
    return {
        id_: read(consent(provision(chance), id=id_, patient={"reference": f"Patient/{id_}"}))
        for id_ in (f"p{place}" for place in range(PATIENTS))
    }


def rights(scopes: str) -> Rights:
    principal = Principal("app", parse_scopes(scopes), user="Practitioner/dr1", staff=True)
    return RightsTable(lambda _kind, _query: Nothing(), lambda: 0).of(principal)


def at_once(within: Restriction, by: Permitted, kind: str) -> Node:
    """Both predicates of one type, or nothing where one lets nothing through."""
    both = (within.of(kind), by(kind))
    return Nothing() if Nothing() in both else intersection(both)


@pytest.mark.parametrize(("seed", "scopes"), list(enumerate(SCOPES)))
@pytest.mark.parametrize("implicit", ["deny", "basic-normal"])
def test_late_and_at_once_are_equal_for_every_type_and_letter(
    seed: int, scopes: str, implicit: Implicit
) -> None:
    theirs, token = consents(seed), rights(scopes)
    by: dict[ScopeLetter, Permitted] = {
        letter: consent_nodes(theirs, asking(letter=letter), Policy(implicit))
        for letter in LETTERS
    }
    expected = {
        (letter, kind): at_once(token.of(letter), by[letter], kind)
        for letter, kind in product(LETTERS, RESOURCE_TYPES)
    }
    late = narrowed(token, by)
    order = list(expected)
    Random(seed).shuffle(order)
    assert {each: late.of(each[0]).of(each[1]) for each in order} == {
        each: expected[each] for each in order
    }


def test_only_what_is_asked_for_is_worked_out_and_once() -> None:
    asked: list[str] = []

    def permitted(kind: str) -> Node:
        asked.append(kind)
        return Ids(("x",))

    late = narrowed(UNLIMITED, {"r": permitted})
    assert asked == []
    assert late.read.of("Observation") == late.read.of("Observation") == Ids(("x",))
    assert late.search.of("Observation") == UNLIMITED.search.of("Observation")
    assert asked == ["Observation"]


def test_a_token_is_worked_out_for_the_types_that_are_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def everybodys(kind: str) -> Node:
        asked.append(kind)
        return directory(kind)

    monkeypatch.setattr("fhir_server.access.rights.directory", everybodys)
    found = rights("user/Observation.rs")
    assert asked == []
    assert found.read.of("Slot") == found.read.of("Slot") == directory("Slot")
    assert asked == ["Slot"]


def test_a_filter_that_cannot_be_read_is_refused_before_anything_is_asked() -> None:
    def condition(kind: str, query: object) -> Node:
        del kind, query
        raise TooCostly(TOO_MANY, count=2, most=1)

    principal = Principal("app", parse_scopes("system/Observation.rs?x=y"))
    with pytest.raises(TooCostly):
        RightsTable(condition, lambda: 0).of(principal)


def test_a_type_that_the_token_does_not_open_is_not_asked_about() -> None:
    def permitted(kind: str) -> Node:
        raise AssertionError(kind)

    late = narrowed(rights("user/Observation.rs"), {"u": permitted, "r": permitted})
    assert late.update.of("Observation") == late.read.of("Condition") == Nothing()


def test_what_cannot_be_told_is_refused_each_time_and_never_kept_as_open() -> None:
    def permitted(kind: str) -> Node:
        del kind
        raise TooCostly(TOO_MANY, count=2, most=1)

    late = narrowed(UNLIMITED, {"r": permitted})
    for _ in range(2):
        with pytest.raises(TooCostly):
            late.read.of("Observation")


def test_it_is_a_mapping_of_its_keys_alone() -> None:
    late = Late(frozenset({"a", "b"}), str.upper)
    assert dict(late) == {"a": "A", "b": "B"}
    assert len(late) == 2
    assert late.get("c") is None
