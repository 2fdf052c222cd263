"""A call to the store that forgets the caller's Restriction is noticed, whichever it is.

The calls are read from the source of the interactions and operations. For each, one at a time,
the store is made to drop what `within=` says, and the leak matrix has to turn red.
"""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from typing_extensions import override

from fhir_server.search.plan import UNRESTRICTED
from fhir_server.store.mongo.chains import Resolver
from fhir_server.store.mongo.resources import Reader
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.mongo.units import MongoUnit
from tests.spec.access.conftest import two
from tests.support.doors import READS
from tests.support.doors_for_writing import WRITES
from tests.support.leaking import DOORS, Worlds, answers, load, telling
from tests.support.limits import Limit
from tests.support.mutants import FINDER, MUTANT, MUTANT_CATEGORY, MUTANT_SYSTEM
from tests.support.worlds import Tokens

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = ("interactions", "operations")
UNSEEN: Final = frozenset(
    {
        # A SearchParameter, which everybody sees at work in the CapabilityStatement.
        "operations/reindex.py find",
        # Only they come here who may search everything.
        "interactions/explain.py explain",
        # Of the cabinet, which does not stand behind these servers: each of these calls,
        # forgetting, turns tests/spec/operations/test_access_status.py or test_invite.py red.
        "operations/access_status.py read",
        "operations/access_status.py find",
        "operations/invite.py read",
        # Of booking; each of these calls, forgetting, turns tests/spec/booking red:
        # test_repeats.py, test_find.py, test_generate.py.
        "interactions/repeats.py vread",
        "operations/find.py search",
        "operations/find.py count",
        "operations/generate.py read",
        # The same, test_waitlist.py and test_waitlist_rights.py.
        "operations/waitlist.py read",
        "operations/waitlist.py find",
        # Whether the answer of a job may still be fetched: tests/spec/access/test_later.py.
        "interactions/shown.py find",
        "interactions/shown.py vread",
        # What a writer who may not read is answered: tests/spec/access/test_letters.py.
        "interactions/withholding.py read",
    }
)
"""Calls to which no door of the matrix leads, each with its reason."""
STORES: Final = (Reader, MongoUnit, MongoStore)
REACHES: Final[dict[str, Limit]] = {
    "operations/reindex.py": MUTANT_SYSTEM,
    "operations/lastn.py": MUTANT_CATEGORY,
    "interactions/permits.py": FINDER,
}
"""The caller that comes to a call where it matters; others: MUTANT."""
CALLERS: Final = (MUTANT, MUTANT_CATEGORY, MUTANT_SYSTEM, FINDER)


@dataclass(frozen=True, slots=True)
class Site:
    """One call to the store, with the lines it stands on."""

    file: str
    method: str
    first: int
    last: int

    @override
    def __str__(self) -> str:
        return f"{self.file} {self.method} {self.first}"

    def is_at(self, frame: FrameType) -> bool:
        """Whether `frame` is at this call."""
        is_here = frame.f_code.co_filename.endswith(f"fhir_server/{self.file}")
        return is_here and self.first <= frame.f_lineno <= self.last


def sites() -> Iterator[Site]:
    """Every call with `within=`, but for the server's own questions."""
    for package in PACKAGES:
        for path in sorted((ROOT / "fhir_server" / package).rglob("*.py")):
            file = str(path.relative_to(ROOT / "fhir_server"))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    given = [ast.unparse(k.value) for k in node.keywords if k.arg == "within"]
                    if given and given != ["UNRESTRICTED"]:
                        last = node.end_lineno or node.lineno
                        yield Site(file, node.func.attr, node.lineno, last)


WRITING: Final = (
    *(f"interactions/{name}.py" for name in ("conditions", "delete", "exchange", "patch")),
    *("interactions/permits.py", "interactions/update.py", "operations/reindex.py"),
    "interactions/transaction/",
)
"""Where doors for writing lead. They come last: what they spoil may be seen afterwards."""
SITES: Final = sorted(
    (each for each in sites() if f"{each.file} {each.method}" not in UNSEEN),
    key=lambda site: site.file.startswith(WRITING),
)


@dataclass(slots=True)
class Known:
    """By call the doors that lead to it, and those whose hidden resource is no more."""

    doors: dict[Site, set[str]] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)


@contextmanager
def watched(patch: pytest.MonkeyPatch, seen: Any) -> Iterator[None]:
    """The store, where `seen(frame)` says of each call whether it forgets."""

    def watching(genuine: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if "within" in named and seen(sys._getframe(1)):  # who calls
                named["within"] = UNRESTRICTED
            return genuine(*given, **named)

        return call

    with patch.context() as context:
        for store in STORES:
            for name in {each.method for each in SITES} & set(vars(store)):
                context.setattr(store, name, watching(vars(store)[name]))
        yield


@pytest.fixture(scope="module")
def worlds(mongodb_uri: str, tokens: Tokens) -> Iterator[Worlds]:
    """Of these tests alone: what others write to one of the two would tell them apart."""
    with two(mongodb_uri, tokens) as found:
        yield found


@pytest.fixture(scope="module")
def known(worlds: Worlds, tokens: Tokens) -> Known:
    for limit in CALLERS:
        load(worlds, tokens, limit)
    found = Known()
    with pytest.MonkeyPatch.context() as patch:
        for limit in CALLERS:
            for door in DOORS:

                def note(frame: FrameType, door: str = door, limit: Limit = limit) -> bool:
                    for site in SITES:
                        if REACHES.get(site.file, MUTANT) is limit and site.is_at(frame):
                            found.doors.setdefault(site, set()).add(door)
                    return False

                with watched(patch, note):
                    told = telling(worlds, limit, door)
                assert not told or limit is FINDER, (limit.name, told)
    return found


@pytest.mark.parametrize("site", SITES, ids=str)
def test_a_call_that_forgets_the_restriction_is_noticed(
    worlds: Worlds, known: Known, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    limit = REACHES.get(site.file, MUTANT)
    doors = WRITES if site.file.startswith(WRITING) else READS
    for door in [d for d in doors if d in known.doors[site] and d not in known.spent]:
        if doors is WRITES:
            known.spent.add(door)
        before, empty = answers(worlds, limit, door)
        assert before == empty or before[0].status == 403
        with watched(monkeypatch, site.is_at):
            after = answers(worlds, limit, door)[0]
        if before != after:
            return
    pytest.fail(f"no door tells, of {sorted(known.doors[site])}")


def test_a_stage_of_a_chain_that_forgets_the_restriction_is_noticed(
    worlds: Worlds, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    del known  # which loads
    genuine = Resolver.resolve

    async def forgetful(self: Resolver, *given: Any) -> Any:
        return await genuine(Resolver(self.lookup, UNRESTRICTED, self.ceiling), *given)

    monkeypatch.setattr(Resolver, "resolve", forgetful)
    assert telling(worlds, MUTANT, "chain", "has", "hidden list")


def test_every_call_is_found() -> None:
    """The interactions read in these ways, and the list above is made of them."""
    assert {each.method for each in SITES} >= {"read", "vread", "search", "find", "count"}
    assert len(SITES) > len(WRITES) // 2
