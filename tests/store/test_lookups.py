"""Many reads, many predicates at once: each is answered as if it had been asked alone."""

from dataclasses import replace

import pytest

from fhir_server.core.errors import Conflict
from fhir_server.search.plan import (
    UNRESTRICTED,
    And,
    Bound,
    Compare,
    Compartment,
    Everything,
    Has,
    Ids,
    Keys,
    Node,
    Not,
    Nothing,
    Op,
    Or,
    Patient,
    Prefix,
    Range,
    Restriction,
)
from fhir_server.search.values import Interval, Ranged
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Stored, Unit
from tests.support.units import inserted, removed, updated
from tests.support.versions import OPEN, SECRET, ids, names, version

pytestmark = pytest.mark.anyio

COUNT = 60
DAY = 86_400_000


def identifier(number: int, system: str = "urn:mrn") -> Keys:
    return Keys("tokens", (f"identifier|{system}|{number}",))


def dated(left: Bound, op: Op, day: int) -> Range:
    """`date`, with that bound before or behind the beginning of `day`."""
    at = day * DAY
    return Range("dates", "date", Interval(at, at), ((Compare(left, op, "lo"),),))


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> MongoStore:
    """Patients with an identifier each; every third is secret; two share one."""
    rows = [
        version(
            f"p{n:02}",
            tokens=[
                f"identifier|urn:mrn|{n % 59}",
                f"identifier|~|{n % 59}",
                "active|~|true",
                *([SECRET] if n % 3 == 0 else ()),
            ],
            references=[f"organization|Organization/{n % 4}"],
            strings=[f"family|name {n}"],
            uris=[f"_source|urn:{n % 5}"],
            dates=[Ranged("date", n * DAY, n * DAY + (1 if n % 2 else 9 * DAY))],
            patient=f"p{n:02}",
            compartments=[f"Patient/p{n:02}"],
        )
        for n in range(COUNT)
    ]
    await inserted(mongo_store, *rows)
    return mongo_store


NODES: list[Node] = [
    *(identifier(n) for n in range(COUNT)),
    identifier(1, "~"),
    identifier(1, "urn:other"),
    Keys("tokens", ("identifier|urn:mrn|4", "identifier|urn:mrn|5", "none|~|1")),
    Keys("references", ("organization|Organization/1",)),
    Keys("uris", ("_source|urn:3",)),
    Keys("strings", ("family|name 7",)),
    Keys("tokens", ("active|~|true",)),  # everybody
    And((identifier(7), Keys("tokens", ("active|~|true",)))),
    And((identifier(7), Keys("tokens", ("active|~|false",)))),
    And((Patient("p08"), Keys("references", ("organization|Organization/0",)))),
    Or((identifier(1), And((Ids(("p04", "p05")), identifier(5))))),
    dated("hi", ">", 55),
    dated("hi", ">=", 50),
    dated("lo", "<", 2),
    And((dated("lo", "<=", 9), identifier(9))),
    And((identifier(8), dated("hi", ">", 9))),
    And((identifier(7), dated("hi", ">", 9))),
    Ids(("p10", "p11", "gone")),
    Patient("p20"),
    Prefix("strings", "family|name 5"),
    Compartment(("Patient/p01",)),
    Not(Keys("tokens", ("active|~|true",))),
    Has("Observation", "subject", Everything()),
    Nothing(),
    Everything(),
]


@pytest.mark.parametrize("limit", [1, 2, 101])
@pytest.mark.parametrize("within", [UNRESTRICTED, OPEN], ids=["all", "open"])
async def test_each_finds_what_it_finds_alone(
    store: MongoStore, within: Restriction, limit: int
) -> None:
    async def together(unit: Unit) -> list[list[str]]:
        found = await unit.find_each("Patient", NODES, limit=limit, within=within)
        return [ids(rows) for rows in found]

    alone = [
        ids(await store.find("Patient", node, limit=limit, within=within)) for node in NODES
    ]
    assert await store.run([], together) == alone


async def test_predicates_of_very_many_values_are_answered_too(store: MongoStore) -> None:
    many = [
        Keys("tokens", (f"identifier|urn:mrn|{n}", *(f"none{n}|~|{i}" for i in range(400))))
        for n in range(1, 9)
    ]

    async def work(unit: Unit) -> list[list[str]]:
        found = await unit.find_each("Patient", many, limit=2, within=UNRESTRICTED)
        return [ids(rows) for rows in found]

    assert await store.run([], work) == [[f"p{n:02}"] for n in range(1, 9)]


async def test_what_is_found_can_be_replaced(store: MongoStore) -> None:
    async def work(unit: Unit) -> None:
        wheres = [identifier(n) for n in (40, 41)]
        for rows in await unit.find_each("Patient", wheres, limit=2, within=UNRESTRICTED):
            [old] = rows
            await unit.replace(old, version(old.id, 2, method="PUT", at=2))

    await store.run(["Patient"], work)
    for id_ in ("p40", "p41"):
        found = await store.vread("Patient", id_, 1, within=UNRESTRICTED)
        assert found is not None
        assert found.body


@pytest.mark.parametrize("within", [UNRESTRICTED, OPEN], ids=["all", "open"])
async def test_each_id_is_read_as_it_is_read_alone(
    store: MongoStore, within: Restriction
) -> None:
    for hidden in (False, True):
        tokens = [SECRET] if hidden else []
        live, gone, again = (f"{name}-{hidden}-{id(within)}" for name in "abc")
        await inserted(store, *(version(each, tokens=tokens) for each in (live, gone, again)))
        await updated(store, live, at=2, tokens=tokens)
        for each in (gone, again):
            await removed(store, each, at=3)
        back = version(again, 3, at=4, method="PUT", tokens=tokens)
        await inserted(store, back)
        wanted = [gone, "never", live, again, gone]

        async def together(
            unit: Unit, wanted: list[str] = wanted
        ) -> list[tuple[Stored | None, bool]]:
            found = await unit.read_each("Patient", wanted, within=within)
            return [(each, each is not None and each.deleted) for each in found]

        alone = [await store.read("Patient", each, within=within) for each in wanted]
        answers = await store.run([], together)
        assert [deleted for _, deleted in answers] == [
            each is not None and each.deleted for each in alone
        ]
        assert [None if each is None else names([each]) for each, _ in answers] == [
            None if each is None else names([each]) for each in alone
        ]


async def test_a_unit_reads_many_with_what_it_has_written(store: MongoStore) -> None:
    async def work(unit: Unit) -> None:
        await unit.insert([version("fresh", tokens=["identifier|urn:x|1", "identifier|~|1"])])
        [found] = await unit.read_each("Patient", ["fresh"], within=UNRESTRICTED)
        assert found is not None
        [rows] = await unit.find_each(
            "Patient", [identifier(1, "urn:x")], limit=2, within=UNRESTRICTED
        )
        await unit.remove(rows[0], at=2)
        [gone] = await unit.read_each("Patient", ["fresh"], within=UNRESTRICTED)
        assert gone is not None
        assert gone.deleted
        await unit.insert([version("fresh", 3, at=3, method="PUT")])

    await store.run(["Patient"], work)
    found = await store.read("Patient", "fresh", within=UNRESTRICTED)
    assert found is not None
    assert found.number == 3


async def test_a_resource_written_twice_in_a_unit_keeps_both_versions(
    store: MongoStore,
) -> None:
    await inserted(store, version("twice"))

    async def work(unit: Unit) -> None:
        for number in (2, 3):
            [old] = await unit.find("Patient", Ids(("twice",)), limit=1, within=UNRESTRICTED)
            await unit.replace(old, version("twice", number, at=number, method="PUT"))

    await store.run(["Patient"], work)
    for number in (1, 2, 3):
        assert await store.vread("Patient", "twice", number, within=UNRESTRICTED)


async def test_one_of_many_that_is_no_longer_current_fails_the_unit(store: MongoStore) -> None:
    rows = [version(f"stale{n}") for n in range(20)]
    await inserted(store, *rows)
    stale = [await store.read("Patient", row.id, within=UNRESTRICTED) for row in rows]
    await updated(store, "stale7", at=2)

    async def work(unit: Unit) -> None:
        for old in stale:
            assert old is not None
            known = replace(old, document={"_id": old.id, "v": old.number})
            await unit.replace(known, version(old.id, 2, at=3, method="PUT"))

    with pytest.raises(Conflict):
        await store.run(["Patient"], work)
    kept = await store.read("Patient", "stale8", within=UNRESTRICTED)
    assert kept is not None
    assert kept.number == 1
