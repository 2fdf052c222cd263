"""https://hl7.org/fhir/R4/datatypes.html#primitive"""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.core.literals import number
from fhir_server.core.types import JsonObject

ANY = {"url": "http://example.org/x"}
GOOD: list[tuple[str, Any]] = [
    ("Boolean", False),
    ("Integer", -(2**31)),
    ("Integer", 2**31 - 1),
    ("UnsignedInt", 0),
    ("PositiveInt", 1),
    ("Decimal", Decimal("1.10")),
    ("Decimal", number("1e3")),
    ("Decimal", 10**20),
    ("String", "a\tb\r\nc"),
    ("String", "Ё і ї"),
    ("String", "a\xa0b"),
    ("Markdown", "# x"),
    ("Code", "a b"),
    ("Id", "a-B.9"),
    ("Id", "x" * 64),
    ("Uri", "urn:oid:1.2"),
    ("Url", "http://example.org/a?b#c"),
    ("Canonical", "http://example.org/a|1"),
    ("Oid", "urn:oid:1.2.40.0"),
    ("Uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    ("Date", "0001"),
    ("Date", "1905-08"),
    ("Date", "2024-02-29"),
    ("Date", "2000-02-29"),
    ("DateTime", "2015-02-07T13:28:17-05:00"),
    ("DateTime", "2015-02-07T13:28:17.239+14:00"),
    ("DateTime", "2015-12-31T23:59:60Z"),
    ("Instant", "2015-02-07T13:28:17.239Z"),
    ("Instant", "2024-02-29T00:00:00Z"),
    ("Time", "23:59:59.9"),
    ("Base64Binary", "YQ=="),
    ("Base64Binary", "YWJj YWJj"),
]
BAD: list[tuple[str, Any]] = [
    ("Boolean", "true"),
    ("Boolean", 1),
    ("Integer", "1"),
    ("Integer", Decimal("1.0")),
    ("Integer", True),
    ("Integer", 2**31),
    ("Integer", -(2**31) - 1),
    ("UnsignedInt", -1),
    ("PositiveInt", 0),
    ("Decimal", "1.10"),
    ("Decimal", True),
    ("String", 1),
    ("String", "a\x00b"),
    ("String", "\x1f"),
    ("Code", " a"),
    ("Code", "a "),
    ("Code", "a  b"),
    ("Id", "a_b"),
    ("Id", "x" * 65),
    ("Id", "é"),
    ("Id", "a\n"),
    ("Uri", "a b"),
    ("Url", "http://example.org/a b"),
    ("Canonical", "a\nb"),
    ("Oid", "1.2.3"),
    ("Oid", "urn:oid:3.1"),
    ("Oid", "urn:oid:1.02"),
    ("Uuid", "c757873d-ec9a-4326-a141-556f43239520"),
    ("Uuid", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"),
    ("Date", "2021-02-29"),
    ("Date", "1900-02-29"),
    ("Date", "2021-04-31"),
    ("Date", "2021-13"),
    ("Date", "2021-1-1"),
    ("Date", "21"),
    ("Date", "0000"),
    ("Date", "2021-01-01T00:00:00Z"),
    ("Date", "٢٠٢١"),
    ("DateTime", "2015-02-07T13:28Z"),
    ("DateTime", "2015-02-07T13:28:17"),
    ("DateTime", "2015-02-30T13:28:17Z"),
    ("DateTime", "2015-02-07T24:00:00Z"),
    ("DateTime", "2015-02-07T13:28:17+14:30"),
    ("DateTime", "2015-02-07 13:28:17Z"),
    ("Instant", "2015-02-07"),
    ("Instant", "2015-02-31T13:28:17Z"),
    ("Time", "24:00:00"),
    ("Time", "12:00"),
    ("Base64Binary", " "),
    ("Base64Binary", "YQ="),
    ("Base64Binary", "Y Q = ="),
    ("Base64Binary", "YQ==YQ=="),
    ("Base64Binary", "Y_-="),
]


def basic(name: str, value: object) -> JsonObject:
    extension = {"url": "http://example.org/x", f"value{name}": value}
    return {"resourceType": "Basic", "code": {"text": "x"}, "extension": [extension]}


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_value_of_the_grammar_is_accepted(errors: Any, name: str, value: object) -> None:
    assert errors(basic(name, value)) == []


@pytest.mark.parametrize(("name", "value"), BAD)
def test_another_is_refused(errors: Any, name: str, value: object) -> None:
    assert errors(basic(name, value)) == [("value", "Basic.extension[0].value")]


def test_a_string_has_a_mebibyte_of_characters_at_most(errors: Any) -> None:
    assert errors(basic("String", "x" * 1024 * 1024)) == []
    assert errors(basic("String", "x" * (1024 * 1024 + 1))) == [
        ("too-long", "Basic.extension[0].value")
    ]


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        ({"resourceType": "Patient", "id": "a/b"}, "Patient.id"),
        ({"resourceType": "Patient", "id": 1}, "Patient.id"),
        (
            {"resourceType": "Patient", "name": [{"id": "a b", "text": "x"}]},
            "Patient.name[0].id",
        ),
        ({"resourceType": "Patient", "meta": {"versionId": "a b"}}, "Patient.meta.versionId"),
        (
            {"resourceType": "Patient", "meta": {"lastUpdated": "2020"}},
            "Patient.meta.lastUpdated",
        ),
        ({"resourceType": "Patient", "photo": [{"size": -1}]}, "Patient.photo[0].size"),
        ({"resourceType": "Patient", "birthDate": "2021-02-30"}, "Patient.birthDate"),
    ],
)
def test_ids_and_the_like_in_their_places(
    errors: Any, resource: JsonObject, expression: str
) -> None:
    assert errors(resource) == [("value", expression)]
