"""https://hl7.org/fhir/R4/search.html#chaining and #has"""

import pytest

from fhir_server.core.errors import TooCostly
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.plan import UNRESTRICTED, And, Chain, Has, Keys, Or, Prefix
from fhir_server.search.values import IndexValues
from tests.support.searching import COMPILER, compiler, refusals, where

RECORDS = (
    Record("Patient", "peter", 1, IndexValues(
        tokens=["gender|~|male"],
        strings=["name|peter"],
        references=["general-practitioner|Practitioner/joe"],
    )),
    Record("Patient", "nobody", 1, IndexValues()),
    Record("Practitioner", "joe", 1, IndexValues(strings=["name|joe"])),
    Record("Location", "peter", 1, IndexValues(strings=["name|peter"])),
    Record("Observation", "o1", 1, IndexValues(
        tokens=["code|~|1234"],
        references=["subject|Patient/peter", "patient|Patient/peter"],
    )),
    Record("Observation", "o2", 1, IndexValues(references=["subject|Location/peter"])),
    Record("Observation", "o3", 1, IndexValues(references=["subject|Patient/gone"])),
    Record("AuditEvent", "a1", 1, IndexValues(
        tokens=["action|~|R"], references=["entity|Observation/o1"],
    )),
    Record("Encounter", "e1", 1, IndexValues(references=["location|Location/room"])),
    Record("Location", "room", 1, IndexValues(references=["partof|Location/ward"])),
    Record("Location", "ward", 1, IndexValues(references=["partof|Location/house"])),
    Record("Location", "house", 1, IndexValues()),
    Record("Questionnaire", "q1", 1, IndexValues(
        uris=["url|http://a/q"], tokens=["version|~|1", "status|~|active"],
    )),
    Record("Questionnaire", "q2", 1, IndexValues(
        uris=["url|http://a/q"], tokens=["version|~|2", "status|~|draft"],
    )),
    Record("Questionnaire", "v", 1, IndexValues(
        uris=["url|http://a/v"], tokens=["version|~|v1b", "version|~|V1B"],
    )),
    Record("QuestionnaireResponse", "to-v", 1, IndexValues(
        uris=["questionnaire|http://a/v", "questionnaire|http://a/v|V1B"],
    )),
    Record("Questionnaire", "r", 1, IndexValues(uris=["url|http://a/r"])),
    Record("QuestionnaireResponse", "to-q1", 1, IndexValues(
        uris=["questionnaire|http://a/q", "questionnaire|http://a/q|1"],
    )),
    Record("QuestionnaireResponse", "to-q2", 1, IndexValues(
        uris=["questionnaire|http://a/q", "questionnaire|http://a/q|2"], tokens=["status|~|x"],
    )),
    Record("QuestionnaireResponse", "to-q", 1, IndexValues(uris=["questionnaire|http://a/q"])),
    Record("QuestionnaireResponse", "to-r9", 1, IndexValues(
        uris=["questionnaire|http://a/r", "questionnaire|http://a/r|9"],
    )),
    Record("QuestionnaireResponse", "to-id", 1, IndexValues(
        references=["questionnaire|Questionnaire/r"], uris=["questionnaire|http://here/r"],
    )),
)  # fmt: skip
ALL = Resources.of(RECORDS, UNRESTRICTED)


def found(kind: str, query: str) -> list[str]:
    node = where(kind, query)
    return [each.id for each in RECORDS if each.type == kind and satisfies(ALL, each, node)]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("subject:Patient.name=peter", ["o1"]),
        ("subject.name=peter", ["o1", "o2"]),
        ("subject:Location.name=pet", ["o2"]),
        ("patient.name=peter", ["o1"]),
        ("patient.name=eve", []),
        ("patient.name=eve,peter", ["o1"]),
        ("patient.gender:not=female", ["o1"]),
        ("patient._id=peter", ["o1"]),
        ("subject:Patient._id=gone", []),
        ("patient.general-practitioner:Practitioner.name=joe", ["o1"]),
        ("patient.general-practitioner.name=joe", ["o1"]),
        ("patient.general-practitioner.name=eve", []),
        ("patient.name=peter&patient.gender=female", []),
        ("patient._has:Observation:subject:code=1234", ["o1"]),
    ],
)
def test_a_chain_follows_references(query: str, ids: list[str]) -> None:
    assert found("Observation", query) == ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("_has:Observation:patient:code=1234", ["peter"]),
        ("_has:Observation:patient:code=9,1234", ["peter"]),
        ("_has:Observation:patient:code=9", []),
        ("_has:Observation:patient:code=1234&_has:Observation:patient:code=9", []),
        ("_has:Observation:patient:_has:AuditEvent:entity:action=R", ["peter"]),
        ("_has:Observation:patient:_has:AuditEvent:entity:action=C", []),
        ("_has:Observation:patient:patient.name=peter", ["peter"]),
        ("_has:Observation:subject:code:missing=false", ["peter"]),
    ],
)
def test_has_asks_who_refers_here(query: str, ids: list[str]) -> None:
    assert found("Patient", query) == ids


# "canonical references … by URL, and perhaps version": references.html#canonical
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("questionnaire.status=active", ["to-q1", "to-q"]),
        ("questionnaire:Questionnaire.status=draft", ["to-q2", "to-q"]),
        ("questionnaire.url=http://a/q", ["to-q1", "to-q2", "to-q"]),
        ("questionnaire.url=http://a/r", ["to-id"]),
        ("questionnaire.url=http://a/v", ["to-v"]),
        ("questionnaire.status=retired", []),
        ("questionnaire._has:QuestionnaireResponse:questionnaire:status=x", ["to-q2", "to-q"]),
    ],
)
def test_a_chain_goes_through_canonicals(query: str, ids: list[str]) -> None:
    assert found("QuestionnaireResponse", query) == ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("_has:QuestionnaireResponse:questionnaire:_id=to-q1", ["q1"]),
        ("_has:QuestionnaireResponse:questionnaire:_id=to-q", ["q1", "q2"]),
        ("_has:QuestionnaireResponse:questionnaire:_id=to-q1,to-q2", ["q1", "q2"]),
        ("_has:QuestionnaireResponse:questionnaire:_id=to-r9", []),
        ("_has:QuestionnaireResponse:questionnaire:_id=to-id", ["r"]),
    ],
)
def test_has_goes_through_canonicals(query: str, ids: list[str]) -> None:
    assert found("Questionnaire", query) == ids


def test_a_chain_without_a_type_tries_each_that_has_the_parameter() -> None:
    assert where("Observation", "subject.birthdate:missing=false") == Chain(
        "subject", "Patient", where("Patient", "birthdate:missing=false")
    )
    assert where("Observation", "subject.name=x") == Or(
        (
            Chain("subject", "Patient", Prefix("strings", "name|x")),
            Chain("subject", "Location", Prefix("strings", "name|x")),
            And(
                (
                    Keys("tokens", ("subject#Location|~|",)),
                    Prefix("strings", "subject#Location.name|x"),
                )
            ),
        )
    )


def test_reverse_chains_nest() -> None:
    key = "_has:Observation:patient:_has:AuditEvent:entity:action=R"
    inner = Has("AuditEvent", "entity", Keys("tokens", ("action|~|R",)))
    assert where("Patient", key) == Has("Observation", "patient", inner)


# https://hl7.org/fhir/R4/search.html#recursive
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("location:below=house", ["e1"]),
        ("location:below=ward", ["e1"]),
        ("location:below=Location/room", ["e1"]),
        ("location:below=elsewhere", []),
        ("location:above=room", ["e1"]),
        ("location:above=house", []),
    ],
)
def test_a_hierarchy_is_searched_through(query: str, ids: list[str]) -> None:
    assert found("Encounter", query) == ids


def test_a_place_above_is_one_that_the_named_is_part_of() -> None:
    assert found("Location", "partof:above=room") == ["room", "ward"]


@pytest.mark.parametrize(
    ("kind", "query", "code"),
    [
        ("Observation", "device:below=1", "not-supported"),
        ("Encounter", "location:below=a/b", "value"),
        ("Encounter", "location:above=a b", "value"),
    ],
)
def test_a_hierarchy_has_to_be_there(kind: str, query: str, code: str) -> None:
    assert refusals(kind, query) == [(code, query.partition("=")[0])]


def test_another_type_is_not_in_the_hierarchy() -> None:
    assert found("Encounter", "location:below=Patient/peter") == []


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("Observation", "code.name"),
        ("Observation", "foo.name"),
        ("Observation", "subject.foo"),
        ("Observation", "subject:Patient.foo"),
        ("Observation", "subject:Practitioner.name"),
        ("Observation", "subject:Foo.name"),
        ("Observation", "subject.name.family"),
        ("Observation", "subject."),
        ("Patient", "_has:Observation:patient"),
        ("Patient", "_has:Foo:patient:code"),
        ("Patient", "_has:Observation:foo:code"),
        ("Patient", "_has:Observation:code:code"),
        ("Patient", "_has:Observation:patient:foo"),
        ("Patient", "_has:Observation:device:code"),
        ("Patient", "_has"),
        ("Patient", "performer:identifier.name"),
    ],
)
def test_a_chain_that_leads_nowhere_is_refused(kind: str, key: str) -> None:
    assert refusals(kind, f"{key}=x") == [("not-supported", key)]


def test_a_chain_has_a_ceiling() -> None:
    link = "partof.partof.partof."
    small = compiler(depth=3)
    assert small.condition("Location", [(f"{link}name", "x")]) is not None
    with pytest.raises(TooCostly):
        small.condition("Location", [(f"{link}partof.name", "x")])
    with pytest.raises(TooCostly):
        small.condition(
            "Patient", [("_has:Observation:patient:subject:Location.partof.partof.name", "x")]
        )


@pytest.mark.parametrize(
    "key", ["subject.subject.subject.subject.code", "entry.item.item.code"]
)
def test_links_without_types_may_not_branch_without_end(key: str) -> None:
    with pytest.raises(TooCostly):
        COMPILER.condition("Composition", [(key, "x")])
