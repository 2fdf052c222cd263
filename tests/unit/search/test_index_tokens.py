"""Index values of token parameters: https://hl7.org/fhir/R4/search.html#token."""

from typing import Any

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry

INDEXER = Indexer(Registry(), "https://clinic.example/fhir")
TAG = {"system": "urn:s", "code": "a", "display": "Alpha"}
OID = "urn:oid:1.2.643.100.3"
RUCORE = "https://fhir.ru/ig/core/systems/snils"
PLAIN = "https://fhir-server.example/sid/ru/snils|11223344595"
SPECIAL = "http://terminology.hl7.org/CodeSystem/special-values"


def tokens(kind: str, code: str, /, **elements: Any) -> set[str]:
    """The tokens of one parameter, without its code."""
    values = INDEXER.values({"resourceType": kind, "id": "1", **elements})
    return {key[len(code) + 1 :] for key in values.tokens if key.startswith(f"{code}|")}


def texts(kind: str, code: str, /, **elements: Any) -> set[str]:
    values = INDEXER.values({"resourceType": kind, "id": "1", **elements})
    prefix = f"{code}:text|"
    return {key[len(prefix) :] for key in values.strings if key.startswith(prefix)}


@pytest.mark.parametrize(
    ("kind", "code", "elements", "expected"),
    [
        # Coding: under its system, and under any
        ("Patient", "_tag", {"meta": {"tag": [TAG]}}, {"urn:s|a", "~|a"}),
        ("Patient", "_tag", {"meta": {"tag": [{"code": "a"}]}}, {"|a", "~|a"}),
        ("Patient", "_tag", {"meta": {"tag": [{"system": "urn:s"}]}}, {"urn:s|"}),
        ("Patient", "_tag", {"meta": {"tag": [{"display": "Alpha"}]}}, set()),
        ("Patient", "_security", {"meta": {"security": [TAG]}}, {"urn:s|a", "~|a"}),
        # CodeableConcept: every coding
        (
            "Condition",
            "code",
            {"code": {"coding": [TAG, {"system": "urn:t", "code": "b"}], "text": "x"}},
            {"urn:s|a", "~|a", "urn:t|b", "~|b"},
        ),
        # Identifier: its value under its system; the type is no system
        (
            "Patient",
            "identifier",
            {"identifier": [{"system": "urn:mrn", "value": "7"}, {"value": "8"}]},
            {"urn:mrn|7", "~|7", "|8", "~|8"},
        ),
        ("Patient", "identifier", {"identifier": [{"system": "urn:mrn"}]}, {"urn:mrn|"}),
        ("Patient", "identifier", {"identifier": [{"type": {"coding": [TAG]}}]}, set()),
        # A national number: as it is written, and as its scheme has it
        (
            "Patient",
            "identifier",
            {"identifier": [{"system": OID, "value": "112-233-445 95"}]},
            {f"{OID}|112-233-445 95", "~|112-233-445 95", PLAIN, "~|11223344595"},
        ),
        (
            "Patient",
            "identifier",
            {"identifier": [{"system": RUCORE, "value": "11223344595"}]},
            {f"{RUCORE}|11223344595", "~|11223344595", PLAIN},
        ),
        (
            "Patient",
            "identifier",
            {"identifier": [{"system": OID}]},
            {f"{OID}|", "https://fhir-server.example/sid/ru/snils|"},
        ),
        # "for code … the system is implicit"
        (
            "Patient",
            "gender",
            {"gender": "male"},
            {"|male", "~|male", "http://hl7.org/fhir/administrative-gender|male"},
        ),
        # boolean: true and false are codes of a system
        (
            "Patient",
            "active",
            {"active": True},
            {"|true", "~|true", f"{SPECIAL}|true"},
        ),
        (
            "Patient",
            "active",
            {"active": False},
            {"|false", "~|false", f"{SPECIAL}|false"},
        ),
        # string, id and uri have no system
        ("ValueSet", "version", {"version": "1.0"}, {"|1.0", "~|1.0"}),
        # ContactPoint: its system is none; also as people type it
        (
            "Patient",
            "email",
            {"telecom": [{"system": "email", "value": "Eve@X.example", "use": "home"}]},
            {"|Eve@X.example", "~|Eve@X.example", "|eve@x.example", "~|eve@x.example"},
        ),
        (
            "Patient",
            "phone",
            {"telecom": [{"system": "phone", "value": "+7 (900) 123-45-67"}]},
            {"|+7 (900) 123-45-67", "~|+7 (900) 123-45-67", "|79001234567", "~|79001234567"},
        ),
        ("Patient", "phone", {"telecom": [{"system": "email", "value": "e"}]}, set()),
        ("Patient", "phone", {"telecom": [{"system": "phone"}]}, set()),
        # computed: deceased is a date or a boolean, or absent
        ("Patient", "deceased", {}, {"|false", "~|false", f"{SPECIAL}|false"}),
        (
            "Patient",
            "deceased",
            {"deceasedDateTime": "2020"},
            {"|true", "~|true", f"{SPECIAL}|true"},
        ),
        # An extension stands for its value
        (
            "Observation",
            "gene-identifier",
            {
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene",
                        "valueCodeableConcept": {"coding": [TAG]},
                    }
                ]
            },
            {"urn:s|a", "~|a"},
        ),
        # A choice: only the type the expression names
        (
            "Observation",
            "value-concept",
            {"valueCodeableConcept": {"coding": [TAG]}},
            {"urn:s|a", "~|a"},
        ),
        ("Observation", "value-concept", {"valueString": "a"}, set()),
        (
            "Observation",
            "combo-value-concept",
            {
                "component": [
                    {"code": {}, "valueCodeableConcept": {"coding": [TAG]}},
                    {"code": {}, "valueCodeableConcept": {"coding": [{"code": "b"}]}},
                ]
            },
            {"urn:s|a", "~|a", "|b", "~|b"},
        ),
    ],
)
def test_tokens(kind: str, code: str, elements: dict[str, Any], expected: set[str]) -> None:
    assert tokens(kind, code, **elements) == expected


def test_the_type_of_an_identifier_is_searched_by_of_type() -> None:
    mr = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
    found = tokens(
        "Patient",
        "identifier:of-type",
        identifier=[{"type": {"coding": [mr]}, "system": "urn:mrn", "value": "446053"}],
    )
    assert found == {"http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053"}


@pytest.mark.parametrize(
    ("kind", "code", "elements", "expected"),
    [
        # "CodeableConcept.text, Coding.display, or Identifier.type.text"
        (
            "Condition",
            "code",
            {"code": {"coding": [TAG], "text": "Бронхит"}},
            {"alpha", "бронхит"},
        ),
        (
            "Patient",
            "identifier",
            {"identifier": [{"type": {"text": "Паспорт"}, "value": "1"}]},
            {"паспорт"},
        ),
        # from the beginning of any word but the shortest
        (
            "Condition",
            "code",
            {"code": {"text": "Acute pain of the left knee"}},
            {
                "acute pain of the left knee",
                "pain of the left knee",
                "the left knee",
                "left knee",
                "knee",
            },
        ),
        ("Condition", "code", {"code": {"text": " "}}, set()),
    ],
)
def test_texts(kind: str, code: str, elements: dict[str, Any], expected: set[str]) -> None:
    assert texts(kind, code, **elements) == expected


def test_a_long_text_has_eight_starts() -> None:
    found = texts("Condition", "code", code={"text": " ".join(f"word{n}" for n in range(50))})
    assert len(found) == 8


def test_a_key_has_an_end_and_still_differs() -> None:
    one, other = ("x" * 5_000 + end for end in "ab")
    found = tokens("Patient", "identifier", identifier=[{"value": one}, {"value": other}])
    assert len(found) == 4
    assert max(map(len, found)) < 1_300
