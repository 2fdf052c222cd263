"""Index values of string parameters: https://hl7.org/fhir/R4/search.html#string."""

from typing import Any

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry

INDEXER = Indexer(Registry(), "https://clinic.example/fhir")


def strings(kind: str, code: str, /, **elements: Any) -> set[str]:
    """The strings of one parameter: folded as they are, exact ones after `=`."""
    values = INDEXER.values({"resourceType": kind, "id": "1", **elements})
    folded = {key[len(code) + 1 :] for key in values.strings if key.startswith(f"{code}|")}
    exact = {key[len(code) + 2 :] for key in values.strings if key.startswith(f"{code}=|")}
    return folded | {f"={each}" for each in exact}


@pytest.mark.parametrize(
    ("kind", "code", "elements", "expected"),
    [
        # folded for the default search, as written for :exact
        (
            "Patient",
            "family",
            {"name": [{"family": "Семёнов"}, {"family": "van der Berg"}]},
            {"семенов", "=Семёнов", "van der berg", "der berg", "berg", "=van der Berg"},
        ),
        (
            "Patient",
            "given",
            {"name": [{"given": ["Anna", None, "Mária"], "_given": [None, {"id": "x"}, None]}]},
            {"anna", "=Anna", "maria", "=Mária"},
        ),
        # each part of a HumanName, not its use
        (
            "Patient",
            "name",
            {
                "name": [
                    {
                        "use": "official",
                        "text": "Dr Eve Ek MD",
                        "family": "Ek",
                        "given": ["Eve"],
                        "prefix": ["Dr"],
                        "suffix": ["MD"],
                    }
                ]
            },
            {"dr eve ek md", "=Dr Eve Ek MD", "ek", "=Ek", "eve", "=Eve"}
            | {"dr", "=Dr", "md", "=MD"},
        ),
        # Address: every part, not its use and type
        (
            "Patient",
            "address",
            {
                "address": [
                    {
                        "use": "home",
                        "line": ["Main St 1", "Apt 2"],
                        "city": "Bern",
                        "district": "Mitte",
                        "state": "BE",
                        "postalCode": "3000",
                        "country": "CH",
                    }
                ]
            },
            {
                mark
                for text in ("Main St 1", "Apt 2", "Bern", "Mitte", "BE", "3000", "CH")
                for mark in (text.lower(), f"={text}")
            },
        ),
        ("Patient", "address-city", {"address": [{"city": "Київ"}]}, {"киив", "=Київ"}),
        # markdown is a string
        ("Library", "description", {"description": "*Bold*"}, {"bold", "=*Bold*"}),
        # the text of a concept, where an expression asks for it
        (
            "Observation",
            "value-string",
            {"valueCodeableConcept": {"text": "Blue", "coding": [{"display": "Azure"}]}},
            {"blue", "=Blue"},
        ),
        # nothing to compare, nothing to find
        ("Patient", "family", {"name": [{"family": "\u0301"}]}, set()),
    ],
)
def test_strings(kind: str, code: str, elements: dict[str, Any], expected: set[str]) -> None:
    assert strings(kind, code, **elements) == expected


def test_a_long_text_is_cut_for_the_folded_search_only() -> None:
    one, other = ("x" * 3_000 + end for end in "ab")
    found = strings("Patient", "family", name=[{"family": one}, {"family": other}])
    assert "x" * 1_024 in found
    assert len(found) == 3


def test_no_text_breaks_the_index() -> None:
    found = strings("Patient", "family", name=[{"family": "a\x00b\ud800c"}])
    assert found == {"abc", "=a\x00b?c"}


def test_the_least_and_the_greatest_are_kept_for_sorting() -> None:
    names = [{"family": "Ёлкин"}, {"family": "Abel Aaron"}, {"given": ["Zoe"]}]
    values = INDEXER.values({"resourceType": "Patient", "id": "1", "name": names})
    assert (values.sort_text, values.sort_text_last) == ("abel aaron", "елкин")
    assert INDEXER.values({"resourceType": "Patient", "id": "1"}).sort_text is None
