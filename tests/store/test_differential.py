"""MongoDB's answers held to the in-memory evaluator's: generated resources and searches.

The same index values go into the store and into `search.evaluate`; every search must give
the same resources in the same order, forward and backward, page by page, and the same count.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from fhir_server.search.compile import Compiler
from fhir_server.search.evaluate import Record, Resources, ordered
from fhir_server.search.indexing import Indexer
from fhir_server.search.plan import After, Restriction, Search
from fhir_server.search.registry import Registry
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import ResourceStore, Stored, Version
from fhir_server.terminology.terminology import Terminology
from tests.support.generated_plans import Grower
from tests.support.generated_resources import BASE, resources
from tests.support.generated_searches import query

pytestmark = pytest.mark.anyio

NOW = 1_714_557_600_000  # 2024-05-01T10:00Z
HOUR = 3_600_000
SEEDS = range(8)
SEARCHES = 40
"""Of each kind, a seed."""


@pytest.fixture(scope="module")
async def records(mongo_store: MongoStore) -> list[Record]:
    """The resources, which lie in the store too."""
    indexer, rng = Indexer(Registry(), BASE), Random(7)
    found = [
        Record(
            each["resourceType"],
            each["id"],
            NOW + rng.randrange(-300, 300) * HOUR,
            indexer.values(each),
        )
        for each in resources(seed=7)
    ]
    for record in found:
        body = b"{}"
        version = Version(record.type, record.id, 1, record.at, body, record.values, "POST")
        await mongo_store.insert(version)
    return found


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler(Registry(), Terminology(), BASE, now=lambda: NOW)


async def walked(store: ResourceStore, search: Search, within: Restriction) -> list[str]:
    """All rows, page by page to the end and back to the start; both ways must agree."""
    page = await store.search(search, within=within)
    forward = list(page.rows)
    while page.more:
        page = await store.search(_after(search, page.rows[-1]), within=within)
        forward += page.rows
    backward = list(page.rows)
    more = len(backward) < len(forward)
    while more and backward:
        back = _after(search, backward[0], backward=True)
        page = await store.search(back, within=within)
        backward = [*page.rows, *backward]
        more = page.more
    assert [each.id for each in backward] == [each.id for each in forward]
    return [each.id for each in forward]


def _after(search: Search, row: Stored, *, backward: bool = False) -> Search:
    return replace(search, after=After(row.sort_values, row.id, backward))


async def agree(
    store: ResourceStore, known: Sequence[Record], search: Search, within: Restriction
) -> int:
    """Hold one search to the evaluator; the number of resources it finds."""
    expected = [each.id for each in ordered(Resources.of(known, within), search)]
    assert await walked(store, search, within) == expected
    assert await store.count(search.type, search.where, within=within) == len(expected)
    return len(expected)


@pytest.mark.parametrize("seed", SEEDS)
async def test_queries(
    mongo_store: MongoStore, records: list[Record], compiler: Compiler, seed: int
) -> None:
    rng = Random(seed)
    grower = Grower(rng, records)
    found = 0
    for _ in range(SEARCHES):
        kind, pairs = query(rng)
        compiled = compiler.search([kind], pairs)
        ((_, where),), (sort,) = compiled.where, compiled.sort
        search = Search(kind, where, sort, count=rng.choice([3, 7, 50]))
        found += await agree(mongo_store, records, search, grower.restriction())
    assert found


@pytest.mark.parametrize("seed", SEEDS)
async def test_plans(mongo_store: MongoStore, records: list[Record], seed: int) -> None:
    rng = Random(seed)
    grower = Grower(rng, records)
    found = 0
    for _ in range(SEARCHES):
        kind = rng.choice(records).type
        where, sort = grower.node(kind, rng.choice([0, 1, 2, 3])), grower.sort(kind)
        search = Search(kind, where, sort, count=rng.choice([3, 7, 50]))
        found += await agree(mongo_store, records, search, grower.restriction())
    assert found
