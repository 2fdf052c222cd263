"""The leak matrix of visits: who may not see one learns of it through no door (S3-18…20).

As in `test_leaks`, every request is put to two servers, of which only one has the hidden
Appointments: the caller gets the same answer from both, to the letter.

https://hl7.org/fhir/R4/appointment.html
https://hl7.org/fhir/R4/security.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import pytest

from fhir_server.access import visibility
from fhir_server.access.decisions import Permitted
from fhir_server.access.policy import AccessPolicy
from fhir_server.interactions import live_rights
from fhir_server.spec.interactions import ScopeLetter
from tests.spec.access.conftest import two
from tests.support.visit_doors import READS
from tests.support.visiting import (
    DOORS,
    EMAIL,
    EMAILED,
    PARENT,
    SEEN,
    STRONG,
    TEETH,
    VISITORS,
    Visitor,
    answers,
    hidden_ids,
    load,
    telling,
)
from tests.support.worlds import Tokens, World

Worlds = tuple[World, World]

MUTE: Final = frozenset({"validate what is there", "meta of the type"})
"""What tells nobody of these, not even whoever may see everything."""


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture(scope="module")
def worlds(mongodb_uri: str, tokens: Tokens) -> Iterator[Worlds]:
    """Of their own: the doors to visits show what other tests have made of the directory."""
    with two(mongodb_uri, tokens) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def loaded(worlds: Worlds, tokens: Tokens) -> None:
    for visitor in (*VISITORS, TEETH):
        load(worlds, tokens, visitor)


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda each: each.name)
def test_both_servers_answer_alike_at_every_door(worlds: Worlds, visitor: Visitor) -> None:
    assert telling(worlds, visitor, *DOORS) == []


@pytest.mark.parametrize("door", [each for each in DOORS if each not in MUTE])
def test_a_door_tells_whoever_may_see_everything(worlds: Worlds, door: str) -> None:
    hiding, empty = answers(worlds, TEETH, door)
    assert hiding != empty


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda each: each.name)
@pytest.mark.parametrize("door", ["search", "include", "list", "revinclude", "everything"])
def test_what_may_be_seen_is_seen(worlds: Worlds, visitor: Visitor, door: str) -> None:
    text = "".join(each.body for each in answers(worlds, visitor, door)[0])
    assert all(f'"{visitor.name}-seen-{n}"' in text for n in SEEN)


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda each: each.name)
def test_the_answer_to_a_visit_that_is_seen_is_seen(worlds: Worlds, visitor: Visitor) -> None:
    text = answers(worlds, visitor, "answers")[0][0].body
    assert f'"{visitor.name}-seen-0-answer"' in text


@pytest.mark.parametrize(
    ("name", "level", "policy"),
    [("strong", STRONG, EMAILED.policy), ("unlimited", EMAIL, AccessPolicy())],
)
def test_a_strong_sign_in_sees_all_own_visits(
    worlds: Worlds, tokens: Tokens, name: str, level: int, policy: AccessPolicy
) -> None:
    """And so does everybody, by default."""
    who = replace(EMAILED.principal, level=level, token=name)
    tokens.give(who, policy)
    doors = ("read", "vread", "history of the instance", "token", "answer", "provenance")
    for door in doors:
        (found,) = worlds[0].ask(READS[door], name, EMAILED.name, f"{EMAILED.name}-hidden")
        assert found.status == 200, (door, found)
        assert f'"{EMAILED.name}-hidden' in found.body, door


RULE: Final = visibility.seen
Rule = Callable[..., Mapping[ScopeLetter, Permitted]]


def without(*letters: ScopeLetter) -> Rule:
    """The rule, broken: these permissions are as if there were none."""

    def broken(*given: Any) -> Mapping[ScopeLetter, Permitted]:
        return {letter: by for letter, by in RULE(*given).items() if letter not in letters}

    return broken


def told(worlds: Worlds, tokens: Tokens, visitor: Visitor, *doors: str) -> set[str]:
    """Those of `doors` that tell the caller, whose rights are made anew."""
    name, ids = f"{visitor.name}-{uuid4()}", hidden_ids(visitor)
    tokens.give(replace(visitor.principal, token=name), visitor.policy)

    def tells(door: str) -> bool:
        one, two = (world.ask(DOORS[door], name, visitor.name, ids[door]) for world in worlds)
        return one != two

    return set(filter(tells, doors))


@pytest.mark.parametrize("visitor", [EMAILED, PARENT], ids=lambda each: each.name)
def test_without_the_rule_the_matrix_is_red(
    worlds: Worlds, tokens: Tokens, monkeypatch: pytest.MonkeyPatch, visitor: Visitor
) -> None:
    monkeypatch.setattr(live_rights, "seen", without("r", "s", "u", "d"))
    assert told(worlds, tokens, visitor, *READS) >= set(READS) - MUTE


@pytest.mark.parametrize(
    ("letter", "door"),
    [
        ("r", "read"),
        ("r", "version of before"),
        ("r", "answer"),
        ("s", "search"),
        ("s", "total"),
        ("s", "has"),
        ("u", "patch"),
        ("d", "delete of an answer"),
    ],
)
def test_the_rule_holds_for_each_permission(
    worlds: Worlds,
    tokens: Tokens,
    monkeypatch: pytest.MonkeyPatch,
    letter: ScopeLetter,
    door: str,
) -> None:
    monkeypatch.setattr(live_rights, "seen", without(letter))
    assert told(worlds, tokens, EMAILED, door) == {door}
