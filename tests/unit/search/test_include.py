"""https://hl7.org/fhir/R4/search.html#include"""

from typing import NamedTuple

import pytest

from fhir_server.search.include import Include, backward, forward, wanted_references
from fhir_server.search.plan import And, Ids, Keys, Not, Or, Prefix
from fhir_server.search.registry import Registry
from tests.support.searching import refusals, search


class Row(NamedTuple):
    type: str
    id: str
    references: tuple[str, ...]


REGISTRY = Registry()


@pytest.mark.parametrize(
    ("query", "include"),
    [
        ("_include=MedicationRequest:patient", Include("MedicationRequest", "patient")),
        ("_include=Observation:subject:Patient", Include("Observation", "subject", "Patient")),
        ("_include:iterate=Observation:has-member",
         Include("Observation", "has-member", None, iterate=True)),
        ("_include:recurse=Location:partof", Include("Location", "partof", None, iterate=True)),
        ("_revinclude=Provenance:target", Include("Provenance", "target", reverse=True)),
        ("_revinclude:iterate=Provenance:target",
         Include("Provenance", "target", None, iterate=True, reverse=True)),
        ("_include=Observation:*", Include("Observation", "*")),
        ("_include=*", Include("*", "*")),
        ("_revinclude=*", Include("*", "*", reverse=True)),
    ],
)  # fmt: skip
def test_an_include_has_three_parts(query: str, include: Include) -> None:
    assert search("MedicationRequest", query).includes == (include,)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("Patient", "value"),
        ("Foo:patient", "value"),
        ("Observation:subject:Foo", "value"),
        ("Observation:subject:Patient:x", "value"),
        ("Observation:subject:Practitioner", "value"),
        ("Observation:foo", "not-supported"),
        ("Observation:code", "not-supported"),
        ("Observation:", "not-supported"),
        (":subject", "value"),
    ],
)
def test_what_is_no_reference_is_refused(value: str, code: str) -> None:
    assert refusals("Observation", f"_include={value}") == [(code, "_include")]


# They "cannot be mixed with" it.
def test_includes_are_not_mixed_with_summaries_of_text() -> None:
    query = "_summary=text&_include=Observation:subject"
    assert refusals("Observation", query) == [("value", "_include")]


ROWS = (
    Row("Observation", "o1", ("subject|Patient/p1", "performer|Practitioner/d1")),
    Row(
        "Observation", "o2", ("subject|Group/g1", "performer|https://other.org/Practitioner/d")
    ),
    Row("Observation", "o3", ("subject|Patient/p2", "subject|#contained")),
)


@pytest.mark.parametrize(
    ("include", "wanted"),
    [
        (Include("Observation", "subject"), {"Patient": ("p1", "p2"), "Group": ("g1",)}),
        (Include("Observation", "subject", "Patient"), {"Patient": ("p1", "p2")}),
        (Include("Observation", "subject", "Device"), {}),
        (Include("Observation", "performer"), {"Practitioner": ("d1",)}),
        (Include("Encounter", "subject"), {}),
        (Include("*", "*"),
         {"Patient": ("p1", "p2"), "Group": ("g1",), "Practitioner": ("d1",)}),
    ],
)  # fmt: skip
def test_a_round_asks_for_what_rows_refer_to(
    include: Include, wanted: dict[str, tuple[str, ...]]
) -> None:
    nodes = {kind: Ids(ids) for kind, ids in wanted.items()}
    assert forward(REGISTRY, include, ROWS) == nodes


def test_what_is_there_already_is_not_asked_for() -> None:
    include = Include("Observation", "subject", "Patient")
    assert forward(REGISTRY, include, ROWS, {("Patient", "p1")}) == {"Patient": Ids(("p2",))}


def test_canonicals_are_followed_by_url_and_version() -> None:
    rows = [
        Row("QuestionnaireResponse", "1", ("questionnaire|http://a/q",)),
        Row("QuestionnaireResponse", "2", ("questionnaire|http://a/r|2", "questionnaire|http://a/r")),
    ]  # fmt: skip
    include = Include("QuestionnaireResponse", "questionnaire")
    version = Keys("tokens", ("version|~|2",))
    assert forward(REGISTRY, include, rows) == {
        "Questionnaire": Or(
            (
                Keys("uris", ("url|http://a/q",)),
                And((Keys("uris", ("url|http://a/r",)), version)),
            )
        )
    }


def test_a_version_that_one_row_writes_does_not_bind_another() -> None:
    rows = [
        Row("QuestionnaireResponse", "1", ("questionnaire|http://a/q",)),
        Row("QuestionnaireResponse", "2", ("questionnaire|http://a/q|2", "questionnaire|http://a/q")),
    ]  # fmt: skip
    (found,) = forward(REGISTRY, Include("*", "*"), rows).values()
    assert Keys("uris", ("url|http://a/q",)) in getattr(found, "of", ())


def test_a_reverse_round_asks_for_canonicals_too() -> None:
    include = Include("QuestionnaireResponse", "questionnaire", reverse=True)
    prefixes = wanted_references(REGISTRY, "Questionnaire", (include,))
    assert prefixes == ("url|", "version|~|")
    rows = [
        Row("Questionnaire", "q", ("url|http://a/q", "version|~|2")),
        Row("Questionnaire", "x", ()),
    ]
    found = backward(REGISTRY, include, rows, ())["QuestionnaireResponse"]
    plain = Keys("uris", ("questionnaire|http://a/q",))
    assert found == Or(
        (
            Keys("references", tuple(f"questionnaire|Questionnaire/{id_}" for id_ in "qx")),
            Keys("uris", ("questionnaire|http://a/q|2",)),
            And((plain, Not(Prefix("uris", "questionnaire|http://a/q|")))),
        )
    )  # fmt: skip


def test_a_reverse_round_asks_who_refers_to_rows() -> None:
    rows = [Row("Patient", "p1", ()), Row("Group", "g1", ())]
    keys = ("subject|Patient/p1", "subject|Group/g1")
    include = Include("Observation", "subject", reverse=True)
    assert backward(REGISTRY, include, rows, ()) == {"Observation": Keys("references", keys)}
    only = Include("Observation", "subject", "Patient", reverse=True)
    assert backward(REGISTRY, only, rows, ()) == {"Observation": Keys("references", keys[:1])}
    assert backward(REGISTRY, Include("Location", "partof", reverse=True), rows, ()) == {}


def test_a_reverse_wildcard_asks_every_type_there_is() -> None:
    rows = [Row("Location", "l1", ())]
    found = backward(REGISTRY, Include("*", "*", reverse=True), rows, ("Location", "Patient"))
    assert found == {"Location": Keys("references", ("partof|Location/l1",))}


@pytest.mark.parametrize(
    ("kind", "include", "prefixes"),
    [
        ("Observation", Include("Observation", "subject"), ("subject|",)),
        ("Patient", Include("Observation", "subject"), ()),
        ("Observation", Include("Observation", "subject", reverse=True), ()),
        ("Location", Include("*", "*"), ("endpoint|", "organization|", "partof|")),
    ],
)
def test_rows_bring_the_references_that_are_followed(
    kind: str, include: Include, prefixes: tuple[str, ...]
) -> None:
    assert tuple(sorted(wanted_references(REGISTRY, kind, [include]))) == prefixes
