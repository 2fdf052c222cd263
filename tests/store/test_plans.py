"""Every node, sort and page means in MongoDB what it means to the in-memory evaluator.

Random index values and random plans over them, without a request or a resource behind.
"""

from dataclasses import dataclass, replace

import pytest

from fhir_server.search.evaluate import Record, Resources, page
from fhir_server.search.plan import UNRESTRICTED, After, Restriction, Search
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Version
from tests.support.plans import KINDS, Maker
from tests.support.versions import ids

pytestmark = pytest.mark.anyio

EACH = 60
SEEDS = range(30)
SEARCHES = 12


@dataclass
class Both:
    """The same resources in both."""

    store: MongoStore
    records: list[Record]


@pytest.fixture(scope="module")
async def both(mongo_store: MongoStore) -> Both:
    records = Maker(0).records(EACH)
    versions = [Version(r.type, r.id, 1, r.at, b"{}", r.values, "POST") for r in records]
    await mongo_store.run(KINDS, lambda unit: unit.insert(versions))
    return Both(mongo_store, records)


def restriction(maker: Maker, seed: int) -> Restriction:
    """Half of the seeds see everything, the others what a random predicate lets through."""
    if seed % 2:
        return UNRESTRICTED
    return Restriction({kind: maker.local() for kind in KINDS})


async def agree(both: Both, search: Search, within: Restriction) -> After | None:
    """Compare one page; the place of its last row, if more follow."""
    expected, more, total = page(Resources.of(both.records, within), search)
    found = await both.store.search(search, within=within)
    assert ids(found.rows) == [record.id for record in expected], search
    assert (found.more, found.total) == (more, total), search
    if not (found.more and found.rows):
        return None
    last = found.rows[-1]
    return After(last.sort_values, last.id)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_search_gives_the_same_pages(both: Both, seed: int) -> None:
    maker = Maker(seed + 1)
    within = restriction(maker, seed)
    for _ in range(SEARCHES):
        search = maker.search(maker.chance.choice(KINDS), maker.chance.choice([3, 7, 100]))
        after = await agree(both, search, within)
        while after is not None:
            # The page behind it, and the one before its first row: back and forth.
            await agree(both, replace(search, after=replace(after, backward=True)), within)
            search = replace(search, after=after)
            after = await agree(both, search, within)


@pytest.mark.parametrize("seed", SEEDS)
async def test_counts_agree(both: Both, seed: int) -> None:
    maker = Maker(seed + 1_000)
    within = restriction(maker, seed)
    resources = Resources.of(both.records, within)
    for kind in KINDS:
        node = maker.node()
        expected = len(list(resources.matching(kind, node)))
        assert await both.store.count(kind, node, within=within) == expected, node
        found = await both.store.find(kind, node, limit=EACH, within=within)
        assert len(found) == expected, node
