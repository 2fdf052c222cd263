"""SearchParameter resources posted to the server: pending, covered by $reindex, usable.

https://hl7.org/fhir/R4/searchparameter.html
"""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.fhir import JsonObject, create, ids, new_id, observation, patient
from tests.support.polling import finished, until

COLOUR = "http://example.org/fhir/StructureDefinition/favourite-colour"
GENDER = "http://hl7.org/fhir/SearchParameter/individual-gender"


def parameter(code: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": f"http://example.org/fhir/SearchParameter/{code}",
        "name": "Custom",
        "description": "A parameter of this server's own.",
        "status": "active",
        "code": code,
        "base": ["Patient"],
        "type": "token",
        "expression": f"Patient.extension('{COLOUR}').value as code",
    } | more


def fresh_code() -> str:
    return f"own-{new_id()[:8]}"


def coloured(colour: str, **more: Any) -> JsonObject:
    return patient(**more) | {"extension": [{"url": COLOUR, "valueCode": colour}]}


def search(fhir: httpx.Client, kind: str = "Patient", **asked: str) -> httpx.Response:
    return fhir.get(f"/{kind}", params=asked)


def pending(fhir: httpx.Client, code: str, kind: str = "Patient") -> str:
    """The refusal of a search by `code`, when the server has learned of it."""

    def ask() -> str | None:
        answer = search(fhir, kind, **{code: "x"})
        return answer.text if "$reindex" in answer.text else None

    return until(ask)


def reindexed(fhir: httpx.Client, *kinds: str) -> None:
    path = "/$reindex?" + "&".join(f"type={kind}" for kind in kinds)
    assert finished(fhir, fhir.post(path)).status_code == 200


@pytest.fixture(scope="module")
def colour(fhir: httpx.Client) -> Iterator[str]:
    """The code of a parameter that can be used."""
    code = fresh_code()
    made = create(fhir, parameter(code))
    reindexed(fhir, "Patient")
    yield code
    fhir.delete(f"/SearchParameter/{made['id']}")


def test_until_reindexed_it_is_refused_with_what_to_do(fhir: httpx.Client) -> None:
    code = fresh_code()
    create(fhir, parameter(code))
    assert code in pending(fhir, code)
    assert search(fhir, **{code: "x"}).status_code == 400


def test_after_reindex_it_finds_what_was_there_before(fhir: httpx.Client) -> None:
    code, shade = fresh_code(), new_id()
    before = create(fhir, coloured(shade))
    create(fhir, parameter(code))
    reindexed(fhir, "Patient")
    assert ids(search(fhir, **{code: shade}).json()) == [before["id"]]


def test_what_comes_later_is_found_at_once(fhir: httpx.Client, colour: str) -> None:
    shade = new_id()
    made = create(fhir, coloured(shade))
    assert ids(search(fhir, **{colour: shade}).json()) == [made["id"]]


def test_modifiers_sort_and_chains_are_those_of_its_type(
    fhir: httpx.Client, colour: str
) -> None:
    shade, family = new_id(), new_id()
    one = create(fhir, coloured(shade, family=family))
    two = create(fhir, patient(family=family))
    seen = create(fhir, observation(f"Patient/{one['id']}"))
    missing = search(fhir, family=family, **{f"{colour}:missing": "true"})
    assert ids(missing.json()) == [two["id"]]
    other = search(fhir, family=family, **{f"{colour}:not": shade})
    assert ids(other.json()) == [two["id"]]
    assert ids(search(fhir, family=family, _sort=colour).json()) == [one["id"], two["id"]]
    chained = search(fhir, "Observation", **{f"subject:Patient.{colour}": shade})
    assert ids(chained.json()) == [seen["id"]]


def test_a_parameter_on_two_types_needs_both_covered(fhir: httpx.Client) -> None:
    code = fresh_code()
    both = " | ".join(
        f"{each}.extension('{COLOUR}').value as code" for each in ("Patient", "Person")
    )
    create(fhir, parameter(code, base=["Patient", "Person"], expression=both))
    reindexed(fhir, "Patient")
    assert code in pending(fhir, code)
    reindexed(fhir, "Person")
    assert search(fhir, **{code: "x"}).status_code == 200
    assert search(fhir, "Person", **{code: "x"}).status_code == 200


def test_reindex_by_its_url_covers_its_types(fhir: httpx.Client) -> None:
    code = fresh_code()
    made = create(
        fhir, parameter(code, base=["Basic", "Flag"], expression="Basic.id | Flag.id")
    )
    finished(fhir, fhir.post("/$reindex", params={"url": made["url"]}))
    assert search(fhir, "Flag", **{code: "x"}).status_code == 200


def test_a_parameter_of_every_type(fhir: httpx.Client) -> None:
    code = fresh_code()
    rule = "Resource.implicitRules"
    create(fhir, parameter(code, base=["Resource"], type="uri", expression=rule))
    assert finished(fhir, fhir.post("/$reindex")).status_code == 200
    for kind in ("Patient", "Account"):
        assert search(fhir, kind, **{code: "http://x"}).status_code == 200


TYPES: list[tuple[JsonObject, JsonObject, str]] = [
    ({"type": "string", "expression": "Patient.maritalStatus.text"},
     {"maritalStatus": {"text": "Вдовец"}}, "вдов"),
    ({"type": "date", "expression": "Patient.photo.creation"},
     {"photo": [{"creation": "2021-03-04"}]}, "lt2022"),
    ({"type": "number", "expression": "Patient.multipleBirth as integer"},
     {"multipleBirthInteger": 3}, "gt2"),
    ({"type": "reference", "expression": "Patient.contact.organization",
      "target": ["Organization"]},
     {"contact": [{"organization": {"reference": "Organization/o1"}}]}, "Organization/o1"),
    ({"type": "uri", "expression": "Patient.photo.url"},
     {"photo": [{"url": "http://example.org/p.png"}]}, "http://example.org/p.png"),
    ({"type": "quantity", "expression": f"Patient.extension('{COLOUR}').value as Quantity"},
     {"extension": [{"url": COLOUR, "valueQuantity":
        {"value": 1, "system": "http://unitsofmeasure.org", "code": "g"}}]}, "1000|http://unitsofmeasure.org|mg"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "content", "value"), TYPES, ids=[r[0]["type"] for r in TYPES])
def test_every_search_type(
    fhir: httpx.Client, more: JsonObject, content: JsonObject, value: str
) -> None:
    code = fresh_code()
    made = create(fhir, patient() | content)
    create(fhir, parameter(code, **more))
    reindexed(fhir, "Patient")
    assert made["id"] in ids(search(fhir, **{code: value, "_count": "1000"}).json())


def test_a_composite_of_a_standard_and_an_own_parameter(
    fhir: httpx.Client, colour: str
) -> None:
    code, shade = fresh_code(), new_id()
    made = create(fhir, coloured(shade) | {"gender": "female"})
    create(
        fhir,
        parameter(
            code,
            type="composite",
            expression="Patient",
            component=[
                {
                    "definition": f"http://example.org/fhir/SearchParameter/{colour}",
                    "expression": f"extension('{COLOUR}').value as code",
                },
                {
                    "definition": GENDER,
                    "expression": "gender",
                },
            ],
        ),
    )
    reindexed(fhir, "Patient")
    assert ids(search(fhir, **{code: f"{shade}$female"}).json()) == [made["id"]]
    assert ids(search(fhir, **{code: f"{shade}$male"}).json()) == []


REFUSED: list[tuple[str, JsonObject, str, str]] = [
    ("standard code", {"code": "gender"}, "duplicate", "code"),
    ("common code", {"code": "_id"}, "value", "code"),
    ("bad code", {"code": "a:b"}, "value", "code"),
    ("standard url", {"url": GENDER}, "business-rule", "url"),
    ("no expression", {"expression": None}, "required", "expression"),
    ("not FHIRPath", {"expression": "Patient.name("}, "value", "expression"),
    ("no such element", {"expression": "Patient.colour"}, "value", "expression"),
    ("of another type", {"expression": "Person.name"}, "value", "expression"),
    ("special", {"type": "special"}, "not-supported", "type"),
    ("composite without parts", {"type": "composite", "expression": "Patient"},
     "required", "component"),
    ("composite of the unknown", {"type": "composite", "expression": "Patient", "component": [
        {"definition": "http://example.org/none", "expression": "gender"},
        {"definition": GENDER, "expression": "gender"}]},
     "not-found", "component[0].definition"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code", "path"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_no_search_could_use_is_refused_on_the_write(
    fhir: httpx.Client, more: JsonObject, code: str, path: str
) -> None:
    body = {k: v for k, v in (parameter(fresh_code()) | more).items() if v is not None}
    answer = fhir.post("/SearchParameter", json=body)
    assert answer.status_code == 422, answer.text
    issue = answer.json()["issue"][0]
    assert (issue["code"], issue["expression"]) == (code, [f"SearchParameter.{path}"])
    draft = body | {"status": "draft"}
    assert fhir.post("/SearchParameter", json=draft).status_code == 201


def test_every_door_has_the_guard(fhir: httpx.Client) -> None:
    """https://hl7.org/fhir/R4/http.html#transaction, #patch, #cond-update, …"""
    made = create(fhir, parameter(fresh_code()))
    bad = made | {"code": "gender"}
    place = f"/SearchParameter/{made['id']}"
    patch = [{"op": "replace", "path": "/code", "value": "gender"}]
    fresh = parameter("gender", url=f"urn:uuid:{new_id()}")
    entry = {"resource": fresh, "request": {"method": "POST", "url": "SearchParameter"}}
    put = {"resource": bad, "request": {"method": "PUT", "url": place[1:]}}
    answers = [
        fhir.put(place, json=bad),
        fhir.patch(place, json=patch, headers={"Content-Type": "application/json-patch+json"}),
        fhir.put("/SearchParameter", params={"url": made["url"]}, json=bad),
        fhir.post("/SearchParameter", json=fresh, headers={"If-None-Exist": "url=urn:none"}),
        fhir.post(
            "/", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        ),
        fhir.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [put]}),
    ]
    assert [each.status_code for each in answers] == [422] * 6
    paths = [each.json()["issue"][0]["expression"][0] for each in answers]
    assert paths == ["SearchParameter.code"] * 4 + ["Bundle.entry[0].resource.code"] * 2


def test_a_code_of_another_own_parameter_is_taken(fhir: httpx.Client) -> None:
    code = fresh_code()
    create(fhir, parameter(code))
    other = parameter(code, url=f"urn:uuid:{new_id()}")
    assert fhir.post("/SearchParameter", json=other).status_code == 422
    elsewhere = other | {"base": ["Person"], "expression": "Person.gender"}
    assert fhir.post("/SearchParameter", json=elsewhere).status_code == 201


def test_of_two_at_once_with_one_code_one_is_stored(fhir: httpx.Client) -> None:
    code = fresh_code()
    bodies = [parameter(code, url=f"urn:uuid:{new_id()}") for _ in range(6)]
    statuses: list[int] = []

    def post(body: JsonObject) -> None:
        statuses.append(fhir.post("/SearchParameter", json=body).status_code)

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [201, *[422] * 5]


def test_a_url_belongs_to_one(fhir: httpx.Client) -> None:
    code = fresh_code()
    create(fhir, parameter(code))
    other = parameter(fresh_code(), url=parameter(code)["url"])
    answer = fhir.post("/SearchParameter", json=other)
    assert answer.status_code == 422
    issue = answer.json()["issue"][0]
    assert (issue["code"], issue["expression"]) == ("duplicate", ["SearchParameter.url"])


@pytest.mark.parametrize("way", ["delete", "retire"])
def test_what_is_taken_away_is_unknown_again(fhir: httpx.Client, way: str) -> None:
    code = fresh_code()
    made = create(fhir, parameter(code))
    reindexed(fhir, "Patient")
    place = f"/SearchParameter/{made['id']}"
    if way == "delete":
        fhir.delete(place)
    else:
        assert fhir.put(place, json=made | {"status": "retired"}).status_code == 200
    until(lambda: search(fhir, **{code: "x"}).status_code == 400)
    assert "$reindex" not in search(fhir, **{code: "x"}).text


def test_another_expression_waits_for_reindex_again(fhir: httpx.Client) -> None:
    code = fresh_code()
    made = create(fhir, parameter(code))
    reindexed(fhir, "Patient")
    changed = made | {"expression": "Patient.language"}
    assert fhir.put(f"/SearchParameter/{made['id']}", json=changed).status_code == 200
    assert code in pending(fhir, code)
    shade = new_id()[:8]
    spoken = create(fhir, patient() | {"language": f"x-{shade}"})
    reindexed(fhir, "Patient")
    assert ids(search(fhir, **{code: f"x-{shade}"}).json()) == [spoken["id"]]


def test_another_description_changes_nothing(fhir: httpx.Client) -> None:
    code = fresh_code()
    made = create(fhir, parameter(code))
    reindexed(fhir, "Patient")
    changed = made | {"description": "Better said."}
    assert fhir.put(f"/SearchParameter/{made['id']}", json=changed).status_code == 200
    for _ in range(10):
        assert search(fhir, **{code: "x"}).status_code == 200


def test_an_expression_that_fails_on_a_resource_does_not_stop_its_write(
    fhir: httpx.Client,
) -> None:
    code = fresh_code()
    single = "Patient.name.single().family"
    create(fhir, parameter(code, type="string", expression=single))
    reindexed(fhir, "Patient")
    two = patient() | {"name": [{"family": "Two"}, {"family": "Names"}]}
    create(fhir, two)
    family = f"One{new_id()[:6]}"
    one = create(fhir, patient(family=family))
    assert ids(search(fhir, **{code: family}).json()) == [one["id"]]


def test_metadata_lists_what_can_be_used(fhir: httpx.Client, colour: str) -> None:
    def listed() -> bool:
        rows = fhir.get("/metadata").json()["rest"][0]["resource"]
        [row] = [each for each in rows if each["type"] == "Patient"]
        return colour in {each["name"] for each in row["searchParam"]}

    until(listed)


def test_a_posted_value_set_can_be_searched_in(fhir: httpx.Client) -> None:
    """https://hl7.org/fhir/R4/search.html#modifiers: `:in`"""
    url, system = f"http://example.org/vs/{new_id()}", f"http://example.org/cs/{new_id()}"
    create(
        fhir,
        {
            "resourceType": "CodeSystem",
            "url": system,
            "status": "active",
            "content": "complete",
            "concept": [{"code": "a", "concept": [{"code": "a1"}]}, {"code": "b"}],
        },
    )
    include = {
        "system": system,
        "filter": [{"property": "concept", "op": "is-a", "value": "a"}],
    }
    value_set = create(
        fhir,
        {
            "resourceType": "ValueSet",
            "url": url,
            "status": "active",
            "compose": {"include": [include]},
        },
    )
    seen = [
        create(
            fhir,
            observation("Patient/p1", code={"coding": [{"system": system, "code": code}]}),
        )["id"]
        for code in ("a", "a1", "b")
    ]

    def found(**asked: str) -> list[str]:
        return ids(search(fhir, "Observation", **asked).json())

    until(lambda: found(**{"code:in": url}) == seen[:2])
    assert found(**{"code:below": f"{system}|a"}) == seen[:2]
    everything = value_set | {"compose": {"include": [{"system": system}]}}
    assert fhir.put(f"/ValueSet/{value_set['id']}", json=everything).status_code == 200
    until(lambda: found(**{"code:in": url}) == seen)
