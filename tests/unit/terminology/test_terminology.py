"""https://hl7.org/fhir/R4/terminology-module.html"""

from typing import Any

import pytest

from fhir_server.terminology.terminology import Terminology

VS = "http://hl7.org/fhir/ValueSet/"
TASTE = "urn:example:taste"
TASTES: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": TASTE,
    "content": "complete",
    "concept": [
        {
            "code": "sweet",
            "display": "Sweet",
            "concept": [
                {"code": "honey", "property": [{"code": "kind", "valueCode": "natural"}]},
                {"code": "syrup", "concept": [{"code": "maple"}]},
            ],
        },
        {"code": "sour", "property": [{"code": "parent", "valueCode": "syrup"}]},
    ],
}


def value_set(url: str, *include: Any, exclude: Any = None) -> dict[str, Any]:
    compose = {"include": list(include)} | ({"exclude": exclude} if exclude else {})
    return {"resourceType": "ValueSet", "url": url, "compose": compose}


def filtered(op: str, name: str, value: str) -> dict[str, Any]:
    return {"system": TASTE, "filter": [{"property": name, "op": op, "value": value}]}


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology()


@pytest.mark.parametrize(
    ("name", "system", "code", "expected"),
    [
        ("administrative-gender", None, "male", True),
        ("administrative-gender", None, "Male", False),
        ("administrative-gender", "http://hl7.org/fhir/administrative-gender", "male", True),
        ("administrative-gender", "urn:other", "male", False),
        # an import of other value sets, and concepts given one by one
        ("observation-status|4.0.1", None, "final", True),
        ("all-types", None, "Patient", True),
        ("all-types", None, "Foo", False),
        # grammars
        ("all-languages", None, "sr-Latn-RS", True),
        ("all-languages", None, "de-419-DE", False),
        ("mimetypes", None, "application/fhir+xml; charset=utf-8", True),
        ("mimetypes", None, "text", False),
        ("currencies", None, "UAH", True),
        ("currencies", None, "UAN", False),
        ("ucum-units", "http://unitsofmeasure.org", "mm[Hg]", True),
        ("ucum-units", "http://unitsofmeasure.org", "per day", False),
        ("ucum-units", "http://unitsofmeasure.org", "mmHg", False),
        # a system that is not in the tables
        ("observation-codes", "http://loinc.org", "1-8", None),
        ("observation-codes", "urn:other", "1-8", False),
        ("no-such", None, "x", None),
    ],
)
def test_a_value_set_holds_a_code_or_not_or_it_is_unknown(
    terminology: Terminology, name: str, system: str | None, code: str, expected: bool | None
) -> None:
    assert terminology.contains(VS + name, system, code) is expected


def test_an_expansion_keeps_order_and_display(terminology: Terminology) -> None:
    system = "http://hl7.org/fhir/administrative-gender"
    assert list(terminology.expand(f"{VS}administrative-gender").codes.items()) == [
        ((system, "male"), "Male"),
        ((system, "female"), "Female"),
        ((system, "other"), "Other"),
        ((system, "unknown"), "Unknown"),
    ]


def test_hl7s_hierarchies(terminology: Terminology) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    assert terminology.subsumes(system, "FAMMEMB", "MTH") is True
    assert terminology.subsumes(system, "MTH", "FAMMEMB") is False
    assert terminology.subsumes(system, "MTH", "MTH") is True
    assert terminology.subsumes(system, "MTH", "nope") is None
    assert terminology.subsumes("urn:other", "a", "b") is None
    assert {"PRN", "FAMMEMB"} <= terminology.ancestors(system, "MTH")
    assert "NMTH" in terminology.descendants(system, "PRN")
    assert "MTH" not in terminology.ancestors(system, "MTH")


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ({"system": TASTE}, "sweet honey syrup maple sour"),
        ({"system": TASTE, "concept": [{"code": "sour"}]}, "sour"),
        (filtered("is-a", "concept", "syrup"), "syrup maple sour"),
        (filtered("descendent-of", "concept", "syrup"), "maple sour"),
        (filtered("is-not-a", "concept", "sweet"), ""),
        (filtered("generalizes", "concept", "maple"), "sweet syrup maple"),
        (filtered("=", "kind", "natural"), "honey"),
        (filtered("in", "code", "honey, sour"), "honey sour"),
        (filtered("not-in", "code", "honey,sour"), "sweet syrup maple"),
        (filtered("exists", "kind", "true"), "honey"),
        (filtered("exists", "kind", "false"), "sweet syrup maple sour"),
        (filtered("=", "parent", "syrup"), "maple sour"),
        (filtered("regex", "code", "s.*"), "sweet syrup sour"),
        (filtered("regex", "code", "(a+)+"), ""),
        ({"valueSet": ["urn:vs:s"]}, "sweet syrup sour"),
        ({"system": TASTE, "valueSet": ["urn:vs:s"]}, "sweet syrup sour"),
        ({"system": "urn:x", "concept": [{"code": "a"}], "valueSet": ["urn:vs:s"]}, ""),
    ],
)
def test_an_include_takes_what_it_says(
    terminology: Terminology, include: dict[str, Any], expected: str
) -> None:
    own = terminology.with_resources(
        [
            TASTES,
            value_set("urn:vs:s", filtered("regex", "code", "s.*")),
            value_set("urn:vs", include),
        ]
    )
    found = own.expand("urn:vs")
    assert found.complete
    assert [code for _, code in found.codes] == expected.split()


def test_an_exclude_takes_away(terminology: Terminology) -> None:
    own = terminology.with_resources(
        [
            TASTES,
            value_set("urn:vs", {"system": TASTE}, exclude=[filtered("is-a", "x", "syrup")]),
        ]
    )
    assert [code for _, code in own.expand("urn:vs").codes] == ["sweet", "honey"]


def test_an_exclude_from_a_grammar_holds(terminology: Terminology) -> None:
    currency = "urn:iso:std:iso:4217"
    row = value_set(
        "urn:vs",
        {"system": currency},
        exclude=[{"system": currency, "concept": [{"code": "XXX"}]}],
    )
    own = terminology.with_resources([row])
    assert own.contains("urn:vs", currency, "EUR") is True
    assert own.contains("urn:vs", currency, "XXX") is False


@pytest.mark.parametrize(
    "include",
    [
        filtered("unheard-of", "concept", "x"),
        filtered("regex", "code", "("),
        {"system": "urn:nowhere"},
        {"valueSet": ["urn:nowhere"]},
        {"valueSet": ["urn:vs"]},
        {},
    ],
)
def test_what_cannot_be_listed_is_unknown(
    terminology: Terminology, include: dict[str, Any]
) -> None:
    own = terminology.with_resources([TASTES, value_set("urn:vs", include)])
    assert own.contains("urn:vs", include.get("system", TASTE), "sweet") is None


def test_circles_of_imports_end(terminology: Terminology) -> None:
    rows = [
        value_set(f"urn:vs:{n}", *[{"valueSet": [f"urn:vs:{m}"]} for m in range(12)] * 2)
        for n in range(12)
    ]
    assert terminology.with_resources(rows).contains("urn:vs:0", TASTE, "sweet") is None


def test_hl7s_definitions_cannot_be_replaced(terminology: Terminology) -> None:
    row = value_set(f"{VS}administrative-gender", {"system": TASTE})
    own = terminology.with_resources([TASTES, row])
    assert own.contains(f"{VS}administrative-gender", TASTE, "sweet") is False


def test_a_stored_expansion_serves_where_there_is_no_definition(
    terminology: Terminology,
) -> None:
    rows = [{"system": TASTE, "code": "a", "contains": [{"system": TASTE, "code": "b"}]}]
    row = {"resourceType": "ValueSet", "url": "urn:vs", "expansion": {"contains": rows}}
    own = terminology.with_resources([row])
    assert list(own.expand("urn:vs").codes) == [(TASTE, "a"), (TASTE, "b")]
