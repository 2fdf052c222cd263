"""FHIR JSON without loss: https://hl7.org/fhir/R4/json.html."""

import copy
import json
import os
import pickle
from decimal import Decimal
from pathlib import Path

import pytest

from fhir_server.core import wire
from fhir_server.core.errors import BadValue, FhirError, Malformed
from fhir_server.core.literals import Literal, integer, number, to_text

SHARED = Path(os.environ.get("FHIR_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
FILES = sorted(SHARED.glob("[!t]*/[!t]*.json"))


def loads(text: str | bytes, max_depth: int = 64) -> dict[str, object]:
    data = text.encode() if isinstance(text, str) else text
    return wire.loads(data, max_depth=max_depth)


@pytest.mark.parametrize(
    "value",
    [
        # "the precision of the decimal value has significance"
        "1.10",
        "0.00010",
        "-0",
        "-0.0",
        "1e3",
        "1E3",
        "1e+3",
        "1.0e-2",
        "0.0000001",
        "0.0000000",
        "12345678901234567890",
        "-12345678901234567890123",
        "12345678901234567890.12345678901234567890",
        "1" * 300,
        "1e300",
        "1e-300",
        # Not numbers, and kept as well.
        '"ё й і ї ґ 😀"',
        '"\\\\u0000 is text"',
        '"a\\tb\\nc\\rd"',
        '{"C:\\\\bin":[1,"C:\\\\flat"]}',
        '[null,{"extension":[]}]',
        "{}",
        "[]",
        "true",
        "null",
        '""',
        '"\\": \\":x -0,"',
    ],
)
def test_a_value_is_written_as_it_was_read(value: str) -> None:
    compact = f'{{"b":{value},"a":[{value},{value}]}}'
    assert wire.dumps(loads(compact)) == compact.encode()
    spaced = f'{{ "b" : {value},\r\n\t"a" : [ {value} , {value} ] }}\n'
    assert wire.dumps(loads(spaced)) == compact.encode()


@pytest.mark.parametrize("value", ["1.10", "-0", "1e3", "12345678901234567890"])
def test_numbers_are_exact(value: str) -> None:
    found = loads(f'{{"a":{value}}}')["a"]
    assert isinstance(found, Decimal | int)
    assert not isinstance(found, float)
    assert Decimal(found) == Decimal(value)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [('"\\u0041\\/\\u00e9"', '"A/é"'), ('"\\ud83d\\ude00"', '"😀"'), ('"\\u003a-0"', '":-0"')],
)
def test_an_escape_is_another_spelling_of_its_character(sent: str, kept: str) -> None:
    assert wire.dumps(loads(f'{{"a":{sent}}}')) == f'{{"a":{kept}}}'.encode()


@pytest.mark.parametrize(
    ("text", "kind", "fragment"),
    [
        ("", Malformed, "empty"),
        (" \n", Malformed, "empty"),
        ("[]", Malformed, "not an array"),
        ('"x"', Malformed, "not a string"),
        ("12", Malformed, "not a number"),
        ("1.5", Malformed, "not a number"),
        ("1e5", Malformed, "not a number"),
        ("true", Malformed, "not a boolean"),
        ("null", Malformed, "not null"),
        ("{", Malformed, "line 1, column 2"),
        ('{"a":1', Malformed, "line 1, column 7"),
        ('{"a":1}x', Malformed, "line 1, column 8"),
        ('{\n "й": tru}', Malformed, "line 2, column 7"),
        ('{"a":1,}', Malformed, "line 1, column"),
        ('{"a" 1}', Malformed, "line 1, column 6"),
        ("{'a':1}", Malformed, "column 2"),
        ('{"a":01}', Malformed, "column 7"),
        ('{"a":1.}', Malformed, "column 7"),
        ('{"a":+1}', Malformed, "column 6"),
        ('{"a":NaN}', BadValue, "`NaN`"),
        ('{"a":Infinity}', BadValue, "`Infinity`"),
        ('{"a":-Infinity}', BadValue, "`-Infinity`"),
        ('{"a":"\\x"}', Malformed, "column 7"),
        ('{"a":"\x00"}', Malformed, "line 1, column 7"),
        ('{"a":"\n"}', Malformed, "line 1, column 7"),
        ('/* no */{"a":1}', Malformed, "column 1"),
        (b'\xef\xbb\xbf{"a":1}', Malformed, "byte order mark"),
        ('{"a":1}'.encode("utf-16"), Malformed, "UTF-8"),
        (b'{"a":\n"\xff"}', Malformed, "line 2, column 2"),
        (b'{"a":"\xed\xa0\x80"}', Malformed, "UTF-8"),
        ('{"a":"\\ud800"}', Malformed, "surrogate"),
        ('{"a":"\\ud800 and more"}', Malformed, "surrogate"),
        ('{"a":"\\ude00 and more"}', Malformed, "surrogate"),
        ('{"a":"\\ud800\\u0041"}', Malformed, "surrogate"),
        ('{"\\ud800":1}', Malformed, "surrogate"),
        ('{"a":"\\u0000"}', BadValue, "U+0000"),
        ('{"a":"\\b"}', BadValue, "U+0008"),
        ('{"a":"\\f"}', BadValue, "U+000C"),
        ('{"a":"\\u001F"}', BadValue, "U+001F"),
        ('{"\\u0000":"a"}', BadValue, "U+0000"),
        ('{"a":1e301}', BadValue, "1e301"),
        ('{"a":1e-301}', BadValue, "1e-301"),
        ('{"a":1e999999999}', BadValue, "1e999999999"),
        ('{"a":0e999999999}', BadValue, "0e999999999"),
        ('{"a":1e-99999999999999999999}', BadValue, "beyond"),
        ('{"a":' + "1" * 301 + "}", BadValue, "300"),
        ('{"a":-' + "1" * 300 + "}", BadValue, "300"),
        ('{"a":' + "1" * 5000 + "}", BadValue, "300"),
        ('{"a":1.' + "1" * 300 + "}", BadValue, "300"),
    ],
)
def test_what_fhir_json_forbids_is_refused(
    text: str | bytes, kind: type[FhirError], fragment: str
) -> None:
    with pytest.raises(kind) as caught:
        loads(text)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("length", range(300, 360))
def test_a_long_integer_is_seen_wherever_it_starts(length: int) -> None:
    with pytest.raises(BadValue):
        loads('{"' + "a" * (length % 48) + '":' + "1" * (length + 1) + "}")


def test_a_control_character_is_named_with_its_path() -> None:
    with pytest.raises(BadValue) as caught:
        loads('{"resourceType":"Patient","name":[{"family":"ok"},{"family":"a\\u0000"}]}')
    assert caught.value.issues[0].expression == ("Patient.name[1].family",)


# "Property names SHALL be unique"
@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        '{"a":1 , "b":{}, "a" : 2}',
        '{"x":[{"a":{},"b":1,"a":{}}]}',
        '{"a":1,"\\u0061":1}',
        '{"a\\u003a":1,"a:":1}',
        # Pairs written so that counting quotes and colons would come out even.
        '{"a":1,"a" :2,"c":"\\u0022:"}',
        '{"a":1,"a":2,"c":"\\u003a"}',
        '{"a":"","a":"\\":"}',
    ],
)
def test_a_property_given_twice_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        loads(text)
    assert "given twice" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "limit", "allowed"),
    [
        ('{"a":1}', 1, True),
        ('{"a":{}}', 1, False),
        ('{"a":[]}', 1, False),
        ('{"a":[{"b":[]}]}', 4, True),
        ('{"a":[{"b":[]}]}', 3, False),
        ('{"a":"{[{[","b":[[]]}', 3, True),
        ('{"a":[[],[],[],[]]}', 3, True),
        ('{"a":' + "[" * 500 + "]" * 500 + "}", 64, False),
        ('{"a":' * 950, 64, False),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, 64, False),
    ],
)
def test_depth_is_bounded(text: str, limit: int, *, allowed: bool) -> None:
    if allowed:
        assert wire.dumps(loads(text, limit)) == text.encode()
    else:
        with pytest.raises(Malformed, match=f"deeper than {limit}|not JSON"):
            loads(text, limit)


@pytest.mark.parametrize(("text", "expected"), [("[]", []), ('[1,{"a":[]}]', [1, {"a": []}])])
def test_an_array(text: str, expected: list[object]) -> None:
    assert wire.loads_array(text.encode(), max_depth=3) == expected


@pytest.mark.parametrize("text", ["{}", "1", "", "[[[[]]]]", '[{"a":1,"a":1}]', '["\\u0000"]'])
def test_not_an_array(text: str) -> None:
    with pytest.raises(FhirError):
        wire.loads_array(text.encode(), max_depth=3)


def test_pretty_changes_blanks_only() -> None:
    data = b'{"a":[1.10,1e3],"b":{}}'
    assert wire.pretty(loads(data)) == (b'{\n  "a": [\n    1.10,\n    1e3\n  ],\n  "b": {}\n}')


def test_a_literal_is_a_decimal_with_its_text() -> None:
    literal = number("1e3")
    assert literal == 1000
    assert isinstance(literal, Literal)
    for same in (
        copy.copy(literal),
        copy.deepcopy(literal),
        pickle.loads(pickle.dumps(literal)),
    ):
        assert to_text(same) == "1e3"
    assert type(number("1.10")) is Decimal
    assert to_text(number("1.10")) == "1.10"
    assert integer("12") == 12


def test_only_json_values_are_written() -> None:
    with pytest.raises(TypeError):
        wire.dumps({"a": object()})


@pytest.mark.skipif(not FILES, reason="the shared data is not there")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_kept(path: Path) -> None:
    data = path.read_bytes()
    kept = wire.dumps(loads(data))

    def exact(text: bytes) -> object:
        return json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=list)

    assert exact(kept) == exact(data)
