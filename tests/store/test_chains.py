"""Chains, `_has` and `_list`: each stage sees what the caller may see of its own type.

https://hl7.org/fhir/R4/search.html#chaining
https://hl7.org/fhir/R4/search.html#has
"""

import pytest

from fhir_server.core.errors import TooCostly
from fhir_server.search.plan import (
    UNRESTRICTED,
    And,
    Chain,
    Has,
    Ids,
    Keys,
    Listed,
    Node,
    Not,
    Restriction,
    Search,
)
from fhir_server.store.mongo.client import Client
from fhir_server.store.mongo.resources import StoreLimits
from fhir_server.store.mongo.store import MongoStore
from fhir_server.store.port import Unit
from tests.support.units import inserted, removed
from tests.support.versions import OPEN, SECRET, ids, only, version

pytestmark = pytest.mark.anyio

MALE = Keys("tokens", ("gender|~|male",))
FINAL = Keys("tokens", ("status|~|final",))
BY_PATIENT = Chain("subject", "Patient", MALE)
TO_PATIENT = Has("Observation", "subject", FINAL)


@pytest.fixture(scope="module")
async def store(mongo_store: MongoStore) -> MongoStore:
    """Men a and (secret) b, woman c, man d who is deleted; an observation of each, that of a
    twice, the second secret; two lists, one secret."""
    male, final = list(MALE.keys), list(FINAL.keys)
    await inserted(
        mongo_store,
        version("a", tokens=male),
        version("b", tokens=[*male, SECRET]),
        version("c", tokens=["gender|~|female"]),
        version("d", tokens=male),
        *(
            version(
                f"of-{name}",
                kind="Observation",
                tokens=final,
                references=[f"subject|Patient/{name}"],
            )
            for name in "abcd"
        ),
        version(
            "of-c-2",
            kind="Observation",
            tokens=[SECRET],
            references=["subject|Patient/c", "focus|Patient/c"],
        ),
        version("ward", kind="List", references=["item|Patient/a", "item|Observation/of-a"]),
        version("covert", kind="List", tokens=[SECRET], references=["item|Patient/c"]),
        *(
            version(
                f"q{number}",
                kind="Questionnaire",
                uris=["url|urn:q"],
                tokens=[f"version|~|{number}", "status|~|final", *secret],
            )
            for number, secret in enumerate(([], [SECRET]), 1)
        ),
        *(
            version(
                f"to-{number}",
                kind="QuestionnaireResponse",
                uris=["questionnaire|urn:q", *versioned],
            )
            for number, versioned in enumerate(
                ([], ["questionnaire|urn:q|1"], ["questionnaire|urn:q|2"])
            )
        ),
        version("loop", kind="Encounter", tokens=male, references=["part-of|Encounter/loop"]),
    )
    await removed(mongo_store, "d", at=2_000)
    return mongo_store


@pytest.mark.parametrize(
    ("kind", "where", "everything", "openly"),
    [
        # A deleted patient is no target; a secret one is none to those who may not see it.
        ("Observation", BY_PATIENT, ["of-a", "of-b"], ["of-a"]),
        ("Observation", Not(BY_PATIENT), ["of-c", "of-c-2", "of-d"], ["of-b", "of-c", "of-d"]),
        ("Patient", TO_PATIENT, ["a", "b", "c"], ["a", "c"]),
        ("Patient", Has("Observation", "focus", Not(MALE)), ["c"], []),
        ("Patient", Has("Observation", "subject", Keys("tokens", (SECRET,))), ["c"], []),
        ("Patient", Listed("ward"), ["a"], ["a"]),
        ("Observation", Listed("ward"), ["of-a"], ["of-a"]),
        ("Patient", Listed("covert"), ["c"], []),
        ("Patient", Listed("none"), [], []),
        ("Observation", Chain("subject", "Patient", TO_PATIENT),
         ["of-a", "of-b", "of-c", "of-c-2"], ["of-a", "of-c"]),
        ("Patient", Has("Observation", "subject", And((FINAL, BY_PATIENT))), ["a", "b"], ["a"]),
        # By URL: without a version any, with one that alone; a secret one for those who may.
        ("QuestionnaireResponse", Chain("questionnaire", "Questionnaire", FINAL, "url"),
         ["to-0", "to-1", "to-2"], ["to-0", "to-1"]),
        ("QuestionnaireResponse", Chain("questionnaire", "Questionnaire", Ids(("q2",)), "url"),
         ["to-0", "to-2"], []),
        ("QuestionnaireResponse", Chain("questionnaire", "Questionnaire", MALE, "url"), [], []),
        ("Questionnaire", Has("QuestionnaireResponse", "questionnaire", Ids(("to-0",)), "url"),
         ["q1", "q2"], ["q1"]),
        ("Questionnaire", Has("QuestionnaireResponse", "questionnaire", Ids(("to-2",)), "url"),
         ["q2"], []),
        ("Questionnaire", Has("QuestionnaireResponse", "questionnaire", MALE, "url"), [], []),
        ("Observation", Chain("subject", "Basic", MALE), [], []),
        ("Patient", Has("Basic", "subject", MALE), [], []),
    ],
)  # fmt: skip
async def test_each_stage_has_the_restriction_of_its_type(
    store: MongoStore, kind: str, where: Node, everything: list[str], openly: list[str]
) -> None:
    search = Search(kind, where, total="accurate")
    for within, expected in ((UNRESTRICTED, everything), (OPEN, openly)):
        found = await store.search(search, within=within)
        assert (ids(found.rows), found.total) == (expected, len(expected))
        assert await store.count(kind, where, within=within) == len(expected)
        assert ids(await store.find(kind, where, limit=9, within=within)) == expected


async def test_a_restriction_may_be_a_chain(store: MongoStore) -> None:
    within = only("Observation", BY_PATIENT)
    found = await store.search(Search("Observation", FINAL), within=within)
    assert ids(found.rows) == ["of-a", "of-b"]
    assert await store.read("Observation", "of-c", within=within) is None
    assert await store.vread("Observation", "of-c", 1, within=within) is None
    assert await store.read("Observation", "of-a", within=within)


async def test_a_restriction_that_leads_to_itself_is_refused_not_followed(
    store: MongoStore,
) -> None:
    loop = Chain("part-of", "Encounter", MALE)
    within = Restriction({"Encounter": loop})
    with pytest.raises(TooCostly):
        await store.search(Search("Encounter", MALE), within=within)


async def test_beyond_the_ceiling_a_chain_is_too_costly(
    store: MongoStore, mongodb_client: Client, database_name: str
) -> None:
    del store
    narrow = await MongoStore.open(mongodb_client, database_name, StoreLimits(chained=1))
    for search in (Search("Observation", BY_PATIENT), Search("Patient", TO_PATIENT)):
        with pytest.raises(TooCostly) as caught:
            await narrow.search(search, within=UNRESTRICTED)
        assert caught.value.issues[0].code == "too-costly"
    # One man is visible, so one is not too many.
    found = await narrow.search(Search("Observation", BY_PATIENT), within=OPEN)
    assert ids(found.rows) == ["of-a"]


async def test_a_chain_in_a_unit_sees_what_the_unit_wrote(store: MongoStore) -> None:
    async def work(unit: Unit) -> list[str]:
        new = version("new", kind="Observation", references=["subject|Patient/a"])
        await unit.insert([new])
        found = await unit.search(Search("Observation", BY_PATIENT), within=OPEN)
        await unit.remove(
            (await unit.find("Observation", Ids(("new",)), limit=1, within=OPEN))[0], at=3_000
        )
        return ids(found.rows)

    assert await store.run(["Observation"], work) == ["new", "of-a"]
