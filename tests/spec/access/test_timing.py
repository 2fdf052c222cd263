"""How long an answer takes does not tell what is hidden from what is not there.

On one server, in turns, so that whatever else goes on concerns both alike.

https://hl7.org/fhir/R4/security.html
"""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Final

import pytest

from fhir_server.search.plan import Restriction
from fhir_server.store.mongo.resources import Reader
from tests.support.doors import READS
from tests.support.doors_for_writing import WRITES
from tests.support.leaking import Worlds, load
from tests.support.limits import PEOPLE
from tests.support.worlds import Ask, Tokens

pytestmark = pytest.mark.alone

TIMED: Final = replace(PEOPLE[0], name="timed")
DOORS: Final = (
    "read", "vread", "search by id", "conditional update with an id", "patch", "delete",
)  # fmt: skip
PAIRS: Final = 25
ROUNDS: Final = 6
NOISE: Final = 0.08
"""Of the whole: one further question to the database is a tenth of it or more."""


@pytest.fixture(scope="module", autouse=True)
def timed(worlds: Worlds, tokens: Tokens) -> None:
    load(worlds, tokens, TIMED)


def seconds(worlds: Worlds, ask: Ask, id_: str) -> float:
    began = time.perf_counter()
    worlds[0].ask(ask, TIMED.name, TIMED.name, id_)
    return time.perf_counter() - began


def shift(measured: Callable[[str], float]) -> float:
    """By what part of the whole hidden differs from absent: the median over pairs, each in
    the other order than the one before."""
    differences, whole = [], []
    for turn in range(PAIRS):
        names = ("timed-hidden", "timed-absent")
        order = names if turn % 2 else names[::-1]
        took = {name: measured(name) for name in order}
        differences.append(took["timed-hidden"] - took["timed-absent"])
        whole.append(took["timed-absent"])
    return median(differences) / median(whole)


def is_told(worlds: Worlds, door: str) -> bool:
    """Whether the difference is there whenever it is looked for."""
    ask = (READS | WRITES)[door]
    return all(abs(shift(lambda id_: seconds(worlds, ask, id_))) > NOISE for _ in range(ROUNDS))


@pytest.mark.parametrize("door", DOORS)
def test_hidden_takes_as_long_as_absent(worlds: Worlds, door: str) -> None:
    assert not is_told(worlds, door)


@pytest.mark.slow  # quick, but on a busy machine the difference drowns
def test_one_more_question_would_be_noticed(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Reader.read

    async def slower(self: Reader, kind: str, id_: str, *, within: Restriction) -> object:
        if id_ == "timed-hidden":
            await self.tables.current(kind).find_one({"_id": id_})
        return await genuine(self, kind, id_, within=within)

    monkeypatch.setattr(Reader, "read", slower)
    assert is_told(worlds, "read")
