"""The leak matrix: through no door does a caller learn of what it may not see.

Every request is put to two servers, of which only one has the hidden resources. A limited
caller gets the same answer from both, to the letter; somebody who may see everything does not,
so each door is known to be one.

https://hl7.org/fhir/R4/security.html
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.spec.access.conftest import two
from tests.support.doors import READS
from tests.support.doors_for_writing import WRITES
from tests.support.leaking import DOORS, MAIN, SEEN, Worlds, answers, prepare, telling
from tests.support.limits import KINDS, LIMITS, SLOW, TEETH, Limit
from tests.support.worlds import Tokens


@pytest.fixture(scope="module")
def worlds(mongodb_uri: str, tokens: Tokens) -> Iterator[Worlds]:
    """Of these tests alone: what others write to one of the two would tell them apart."""
    with two(mongodb_uri, tokens) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def loaded(worlds: Worlds, tokens: Tokens) -> None:
    prepare(worlds, tokens, *LIMITS, TEETH)


FULL: Final = [each for each in LIMITS if each.name in KINDS]
OTHERS: Final = [each for each in LIMITS if each.name not in KINDS | SLOW]
REST: Final = [each for each in LIMITS if each.name not in KINDS]


@pytest.mark.parametrize("limit", FULL, ids=lambda each: each.name)
def test_both_servers_answer_alike_at_every_door(worlds: Worlds, limit: Limit) -> None:
    assert telling(worlds, limit, *DOORS) == []


@pytest.mark.parametrize("limit", OTHERS, ids=lambda each: each.name)
def test_both_servers_answer_alike_at_the_main_doors(worlds: Worlds, limit: Limit) -> None:
    assert telling(worlds, limit, *MAIN) == []


@pytest.mark.slow
@pytest.mark.parametrize("limit", REST, ids=lambda each: each.name)
def test_and_at_all_the_others(worlds: Worlds, limit: Limit) -> None:
    is_slow = limit.name in SLOW
    asked = MAIN if is_slow else [each for each in DOORS if each not in MAIN]
    assert telling(worlds, limit, *asked) == []


@pytest.mark.parametrize("door", [*READS, *WRITES])
def test_a_door_tells_whoever_may_see_everything(worlds: Worlds, door: str) -> None:
    """The matrix above looks where there is something to be found."""
    hiding, empty = answers(worlds, TEETH, door)
    assert hiding != empty


@pytest.mark.parametrize(
    ("door", "limit"),
    [
        ("search", "whole"),
        ("everything", "whole"),
        ("include", "whole"),
        ("search", "category"),
        ("search", "system"),
        ("search", "birthday"),
        ("search", "proxy-limited"),
        ("search", "label"),
        ("search", "deny-code"),
        ("search", "deny-related"),
    ],
)
def test_what_may_be_seen_is_seen(worlds: Worlds, door: str, limit: str) -> None:
    found = next(each for each in LIMITS if each.name == limit)
    hiding, _ = answers(worlds, found, door)
    text = "".join(each.body for each in hiding)
    assert all(f'"{limit}-seen-{n}"' in text for n in SEEN)


@pytest.mark.parametrize("limit", ["whole", "birthday", "label", "deny-code"])
def test_a_binary_flows_as_its_document_does(worlds: Worlds, limit: str) -> None:
    headers = {"Authorization": f"Bearer {limit}"}
    assert worlds[0].http.get(f"/Binary/{limit}-content", headers=headers).text == "x"


def test_whoever_was_shut_out_is_told_so_at_every_door(worlds: Worlds) -> None:
    revoked = next(each for each in LIMITS if each.revoked)
    asked = set(DOORS) - {"methods"}  # preflights have no token
    told = {each.status for door in asked for each in answers(worlds, revoked, door)[0]}
    assert told == {401}
