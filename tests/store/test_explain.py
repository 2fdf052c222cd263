"""Which index answers each common search, and how much it looks at beyond its rows.

`Observation` rows: 40 patients, 20 codes, 3,000 observations of single instants.
"""

from dataclasses import dataclass, replace

import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights, RightsTable
from fhir_server.access.scopes import parse_scopes
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.plan import (
    UNRESTRICTED,
    After,
    And,
    Compare,
    Compartment,
    Containing,
    Everything,
    Ids,
    Keys,
    Near,
    Node,
    Not,
    Or,
    Patient,
    Prefix,
    Present,
    Range,
    Restriction,
    Search,
    SortKey,
    Together,
    Updated,
)
from fhir_server.search.prefixes import DATE_ARMS, NUMBER_ARMS
from fhir_server.search.values import Combined, Interval, Ranged
from fhir_server.store.mongo.indexes import CURRENT
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Stored, Version
from tests.support.units import inserted
from tests.support.versions import version

pytestmark = pytest.mark.anyio

LOINC = "http://loinc.org"
DAY = 86_400_000
PATIENTS, CODES, OBSERVATIONS = 40, 20, 3_000
CHUNK = 1_000


def observation(n: int) -> Version:
    patient, code, time = n % PATIENTS, (n // PATIENTS) % CODES, n * DAY // 10
    token = keys.token("code", LOINC, str(code))
    return version(
        f"o{n:05}",
        kind="Observation",
        at=n,
        compartments=[f"Patient/{patient}", f"Encounter/{n // 7}"],
        patient=str(patient),
        tokens=[
            token,
            keys.token("code", None, str(code)),
            keys.token("status", None, "final"),
        ],
        references=[f"subject|Patient/{patient}", f"patient|Patient/{patient}"],
        words=[f"_content|w{n % 100}", "_content|every"],
        dates=[Ranged("date", time, time + 1_000)],
        quantities=[Ranged("value-quantity|", n, n), Ranged("value-quantity|=|g", n, n)],
        combined=[
            Combined("code-value-quantity", (keys.part(0, token),), (Ranged("1|value|", n, n),))
        ],
        sort_date=time,
    )


def person(n: int) -> Version:
    return version(
        f"p{n:04}",
        tokens=[
            keys.token("identifier", "urn:mrn", str(n)),
            keys.token("active", None, "true"),
        ],
        strings=[f"family|name {n:04}", f"family=|Name {n:04}"],
        uris=[f"link|urn:{n}"],
        sort_text=f"name {n:04}",
        sort_text_last=f"name {n:04}",
    )


def place(n: int) -> Version:
    return version(f"l{n}", kind="Location", position=(n / 10, 50.0))


FREE = Keys("tokens", (keys.token("status", None, "free"),))


def slot(n: int) -> Version:
    """Ten doctors; every third place is taken."""
    doctor, time = n % 10, (n // 10) * DAY // 10
    status = "busy" if n % 3 == 0 else "free"
    return version(
        f"s{n:05}",
        kind="Slot",
        tokens=[keys.token("status", None, status)],
        references=[f"schedule|Schedule/{doctor}"],
        dates=[Ranged("start", time, time + 1_000)],
        sort_date=time,
    )


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> MongoStore:
    rows = [*map(observation, range(OBSERVATIONS)), *map(person, range(500))]
    rows += map(place, range(300))
    rows += map(slot, range(3_000))
    for start in range(0, len(rows), CHUNK):
        await inserted(mongo_store, *rows[start : start + CHUNK])
    return mongo_store


def code(number: int) -> Keys:
    return Keys("tokens", (keys.token("code", LOINC, str(number)),))


def date(prefix: str, lo: int, hi: int) -> Range:
    return Range("dates", "date", Interval(lo, hi), DATE_ARMS[prefix])  # type: ignore[index]


def number(prefix: str, value: float) -> Range:
    arms = NUMBER_ARMS[prefix]  # type: ignore[index]
    return Range("quantities", "value-quantity|", Interval(value, value), arms)


def rights(principal: Principal) -> Rights:
    """As a token has them; a filter `x=4` is the code 4."""
    return RightsTable(lambda _, pairs: code(int(pairs[0][1])), lambda: 0).of(principal)


NEWEST = (SortKey("chief-date", "desc"),)
OLDEST = (SortKey("chief-date", "asc"),)
BY_NAME = (SortKey("chief-string", "asc"),)
BY_NAME_DOWN = (SortKey("chief-string", "desc"),)
UPDATED_DOWN = (SortKey("updated", "desc"),)
MID = OBSERVATIONS * DAY // 20


@dataclass(frozen=True)
class Row:
    """A search, the index that answers it and the most documents it may look at."""

    name: str
    kind: str
    where: Node
    index: str
    most: int
    sort: tuple[SortKey, ...] = ()
    within: Restriction = UNRESTRICTED


OWN = Restriction({"Observation": Compartment(("Patient/3",))})
SCOPE = rights(Principal("app", parse_scopes("patient/*.rs"), patient="3")).search
FILTERED = rights(
    Principal(
        "app",
        parse_scopes("patient/Observation.rs?x=4 patient/Observation.rs?x=5"),
        patient="3",
    )
).search

ROWS = [
    Row("all, by id", "Observation", Everything(), "_id_", 51),
    Row("ids", "Observation", Ids(("o00001", "o00002")), "_id_", 2),
    Row("identifier", "Patient", Keys("tokens", ("identifier|urn:mrn|7",)), "token", 1),
    Row("name, by prefix", "Patient", Prefix("strings", "family|name 012"), "string", 10),
    Row("name, exactly", "Patient", Keys("strings", ("family=|Name 0123",)), "string", 1),
    # An index over arrays cannot test a pattern: every document with a name is looked at.
    Row("name, within", "Patient", Containing("strings", "family|", "0123"), "_id_", 500),
    Row("uri", "Patient", Keys("uris", ("link|urn:7",)), "uri", 1),
    Row("code", "Observation", code(3), "token", 51),
    Row(
        "reference", "Observation", Keys("references", ("subject|Patient/3",)), "reference", 75
    ),
    Row("patient", "Observation", Patient("3"), "patient_date", 75),
    Row("patient, newest", "Observation", Patient("3"), "patient_date", 51, NEWEST),
    Row("patient, oldest", "Observation", Patient("3"), "patient_date", 52, OLDEST),
    Row(
        "patient and code, newest",
        "Observation",
        And((Patient("3"), code(4))),
        "patient_token_date",
        4,
        NEWEST,
    ),
    Row(
        "patient, code and date, newest",
        "Observation",
        And((Patient("3"), code(4), date("ge", MID, MID + DAY))),
        "patient_token_date",
        4,
        NEWEST,
    ),
    Row(
        "patient and several codes, newest",
        "Observation",
        And((Patient("3"), Keys("tokens", (*code(4).keys, *code(5).keys)))),
        "patient_token_date",
        8,
        NEWEST,
    ),
    Row("compartment", "Observation", Compartment(("Patient/3",)), "compartment", 75),
    Row("a compartment's code", "Observation", code(4), "compartment", 75, within=OWN),
    Row("a patient's code", "Observation", code(4), "patient_token_date", 4, within=SCOPE),
    Row(
        "a patient's page, newest",
        "Observation",
        Everything(),
        "patient_date",
        51,
        NEWEST,
        SCOPE,
    ),
    Row(
        "a patient's code and date, newest",
        "Observation",
        And((code(4), date("ge", MID, MID + DAY))),
        "patient_token_date",
        4,
        NEWEST,
        SCOPE,
    ),
    Row(
        "a patient's page under two filters, newest",
        "Observation",
        Everything(),
        "patient_token_date",
        8,
        NEWEST,
        FILTERED,
    ),
    Row(
        "a patient by id",
        "Observation",
        Ids(("o00003",)),
        "_id_",
        1,
        within=SCOPE,
    ),
    Row("date, a day", "Observation", date("eq", MID, MID + DAY), "date", 10),
    Row(
        "date, since",
        "Observation",
        date("gt", MID * 2 - 3 * DAY, MID * 2 - 2 * DAY),
        "date",
        25,
    ),
    Row("date, from", "Observation", date("ge", MID * 2 - 2 * DAY, MID * 2 - DAY), "date", 35),
    Row("date, before", "Observation", date("lt", DAY, 2 * DAY), "date", 11),
    Row("date, newest first", "Observation", Everything(), "chief_date", 51, NEWEST),
    Row("date, oldest first", "Observation", Everything(), "chief_date", 51, OLDEST),
    Row("names in order", "Patient", Everything(), "chief_string", 51, BY_NAME),
    Row("names backward", "Patient", Everything(), "chief_string_last", 51, BY_NAME_DOWN),
    Row("quantity", "Observation", number("eq", 7.0), "quantity", 1),
    Row("quantity above", "Observation", number("gt", OBSERVATIONS - 9), "quantity", 9),
    Row("quantity below", "Observation", number("lt", 9), "quantity", 9),
    Row(
        "last updated",
        "Observation",
        Updated(Interval(OBSERVATIONS - 5, OBSERVATIONS - 4), DATE_ARMS["ge"]),
        "updated",
        6,
    ),
    Row("newest version first", "Observation", Everything(), "updated", 51, UPDATED_DOWN),
    Row("word", "Observation", Keys("words", ("_content|w7",)), "word", 30),
    Row(
        "composite",
        "Observation",
        Together(
            "code-value-quantity",
            (
                Keys("tokens", (keys.part(0, code(3).keys[0]),)),
                Range("quantities", "1|value|", Interval(0, 0), ((Compare("lo", ">", "lo"),),)),
            ),
        ),
        "token",
        51,
    ),
    Row(
        "what is free from now on",
        "Slot",
        And((FREE, Not(Present("tokens", "booking-channel|")), between(20 * DAY, 30 * DAY))),
        "token_date",
        52,
        OLDEST,
    ),
    Row(
        "what is free of a doctor",
        "Slot",
        And((FREE, Keys("references", ("schedule|Schedule/3",)), between(20 * DAY, 25 * DAY))),
        "reference_date",
        52,
        OLDEST,
    ),
    Row("near", "Location", Near(3.0, 50.0, 10_000), "position", 12),
    Row("either code", "Observation", Or((code(3), code(4))), "token", 102),
    # What nearly all have is found soonest in the order of the page.
    Row("any name", "Patient", Present("strings", "family|"), "_id_", 51),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_an_index_answers(store: MongoStore, row: Row) -> None:
    search = Search(row.kind, row.where, row.sort)
    said = await store.explain(search, within=row.within)
    assert said["indexes"] == [row.index], said
    assert "COLLSCAN" not in said["stages"]
    assert said["docsExamined"] <= row.most, said
    if row.sort:
        assert "SORT" not in said["stages"], said


@pytest.mark.parametrize("sort", [NEWEST, OLDEST, UPDATED_DOWN, BY_NAME, BY_NAME_DOWN, ()])
async def test_a_later_page_costs_no_more_than_the_first(
    store: MongoStore, sort: tuple[SortKey, ...]
) -> None:
    kind = "Patient" if sort in (BY_NAME, BY_NAME_DOWN) else "Observation"
    search = Search(kind, Everything(), sort, count=20)
    rows: list[Stored] = []
    for _ in range(5):
        found = await store.search(search, within=UNRESTRICTED)
        rows += found.rows
        last = found.rows[-1]
        after = After(last.sort_values, last.id)
        search = replace(search, after=after)
        said = await store.explain(search, within=UNRESTRICTED)
        assert said["docsExamined"] <= 23, said
        assert said["keysExamined"] <= 25, said
    assert len({row.id for row in rows}) == 100


@pytest.mark.parametrize("prefix", ["eq", "gt", "lt", "ge", "le", "sa", "eb"])
async def test_a_date_search_reads_no_keys_far_from_its_bounds(
    store: MongoStore, prefix: str
) -> None:
    # Ten observations a day; the range is a day near the edge that the prefix reaches to.
    edge = 2 * DAY if prefix in ("lt", "le", "eb") else 298 * DAY
    search = Search("Observation", date(prefix, edge, edge + DAY))
    said = await store.explain(search, within=UNRESTRICTED)
    assert said["indexes"] == ["date"], said
    assert said["keysExamined"] <= 80, said


def test_every_index_has_a_search_that_uses_it() -> None:
    assert {row.name for row in CURRENT} <= {row.index for row in ROWS}
