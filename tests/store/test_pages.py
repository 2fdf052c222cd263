"""Pages: stable while others write, with what includes and totals need.

https://hl7.org/fhir/R4/http.html#paging
"""

import asyncio
from dataclasses import replace

import pytest

from fhir_server.search.plan import (
    UNRESTRICTED,
    After,
    Everything,
    Keys,
    Nothing,
    Search,
    SortKey,
    Total,
)
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from tests.support.units import inserted, removed
from tests.support.versions import OPEN, SECRET, ids, only, version

pytestmark = pytest.mark.anyio

SORTS = {
    "id": (),
    "id down": (SortKey("id", "desc"),),
    "updated": (SortKey("updated", "asc"),),
    "updated down": (SortKey("updated", "desc"),),
    "date": (SortKey("chief-date", "asc"),),
    "date down": (SortKey("chief-date", "desc"),),
    "code": (SortKey("values", "asc", "tokens", "code|~|"),),
    "code, date down": (
        SortKey("values", "desc", "tokens", "code|~|"),
        SortKey("chief-date", "desc"),
    ),
}


@pytest.mark.parametrize("sort", SORTS.values(), ids=SORTS)
async def test_no_row_is_missed_or_repeated_while_others_write(
    mongo_store: MongoStore, sort: tuple[SortKey, ...]
) -> None:
    kind = "Observation"
    mark = f"walk|~|{sort}"
    rows = [
        version(
            f"{abs(hash(mark))}-{n:03}",
            kind=kind,
            at=n // 3,
            tokens=[mark, f"code|~|{n % 4}"],
            sort_date=None if n % 5 == 0 else n // 4,
        )
        for n in range(90)
    ]
    stable, moving = rows[::2], rows[1::2]
    await inserted(mongo_store, *stable)

    async def write() -> None:
        for row in moving:
            await mongo_store.insert(row)
        for row in moving[::3]:
            await removed(mongo_store, row.id, at=1_000, kind=kind)

    writing = asyncio.create_task(write())
    search = Search(kind, Keys("tokens", (mark,)), sort, count=4)
    seen: list[str] = []
    while True:
        found = await mongo_store.search(search, within=UNRESTRICTED)
        seen += ids(found.rows)
        if not found.more:
            break
        last = found.rows[-1]
        search = replace(search, after=After(last.sort_values, last.id))
    await writing
    assert len(seen) == len(set(seen))
    assert {row.id for row in stable} <= set(seen)


@pytest.fixture(scope="module")
async def people(mongo_store: MongoStore) -> MongoStore:
    await inserted(
        mongo_store,
        *(version(f"p{n}", tokens=[SECRET] if n % 3 == 0 else []) for n in range(9)),
    )
    return mongo_store


@pytest.mark.parametrize(
    ("total", "everything", "openly"),
    [("none", None, None), ("accurate", 9, 6), ("estimate", 9, 6)],
)
@pytest.mark.parametrize("count", [0, 2, 50])
async def test_a_total_tells_of_nothing_hidden(
    people: MongoStore, total: Total, everything: int | None, openly: int | None, count: int
) -> None:
    search = Search("Patient", Everything(), count=count, total=total)
    found = await people.search(search, within=UNRESTRICTED)
    assert (len(found.rows), found.total) == (min(count, 9), everything)
    found = await people.search(search, within=OPEN)
    assert (len(found.rows), found.total) == (min(count, 6), openly)
    found = await people.search(search, within=only("Patient", Nothing()))
    assert (len(found.rows), found.more) == (0, False)


async def test_an_estimate_stops_counting(
    people: MongoStore, mongodb_client: Client, database_name: str
) -> None:
    del people
    store = await MongoStore.open(mongodb_client, database_name, StoreLimits(estimated=3))
    search = Search("Patient", Everything(), total="estimate")
    assert (await store.search(search, within=OPEN)).total == 3


async def test_a_row_brings_the_references_asked_for(mongo_store: MongoStore) -> None:
    row = version(
        "r",
        kind="Encounter",
        references=["subject|Patient/p1", "patient|Patient/p1", "part-of|Encounter/e"],
        uris=["instantiates|http://x"],
    )
    await mongo_store.insert(row)
    search = Search("Encounter", Everything(), references=("subject|", "instantiates|"))
    found = await mongo_store.search(search, within=UNRESTRICTED)
    assert set(found.rows[0].references) == {"subject|Patient/p1", "instantiates|http://x"}
    found = await mongo_store.search(replace(search, references=()), within=UNRESTRICTED)
    assert found.rows[0].references == ()


async def test_a_type_without_resources_gives_an_empty_page(mongo_store: MongoStore) -> None:
    search = Search("Basic", Everything(), SORTS["date"], total="accurate")
    found = await mongo_store.search(search, within=UNRESTRICTED)
    assert (found.rows, found.more, found.total) == ([], False, 0)
