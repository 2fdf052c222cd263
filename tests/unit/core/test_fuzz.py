"""Whatever comes in over the wire: a value or a FhirError, and never a wrong value."""

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fhir_server.core import json_patch, wire
from fhir_server.core.errors import FhirError, Malformed
from fhir_server.core.header_values import etags, http_date, items, parameters
from fhir_server.core.literals import to_text
from fhir_server.core.negotiation import format_of, media_type, prefer
from fhir_server.core.types import JsonObject
from fhir_server.core.xml import from_xml, to_xml

DEPTH = 32
BLANKS = st.sampled_from(["", " ", "\n", "\t ", "\r\n"])
#: Characters that mean something somewhere on the way, and a few letters.
TEXT = st.text(st.sampled_from('":\\,-0{}[]/ \tabбё€😀\u2028<>&'), max_size=8)
#: Few, so that they meet.
NAMES = st.one_of(st.sampled_from(["a", "", ":", '":', "-0,"]), TEXT)
NUMBERS = st.sampled_from(
    ["0", "-0", "1.10", "1e3", "-1E-3", "0.0000001", "12345678901234567890", "-1", "10"]
)


@st.composite
def spelled(draw: st.DrawFn, text: str) -> str:
    """A JSON string for `text`, its characters escaped or not."""
    written = []
    for character in text:
        if draw(st.booleans()):
            units = character.encode("utf-16-be")
            pairs = zip(units[::2], units[1::2], strict=True)
            written.append("".join(f"\\u{high:02x}{low:02x}" for high, low in pairs))
        else:
            written.append(json.dumps(character, ensure_ascii=False)[1:-1])
    return f'"{"".join(written)}"'


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    """The text of a JSON object, with blanks and escapes, and properties given twice."""
    rows = []
    for name in draw(st.lists(NAMES, max_size=4)):
        value = draw(values(depth - 1))
        key = draw(spelled(name))
        rows.append(draw(BLANKS).join(["", key, ":", value, ""]))
    return "{" + ",".join(rows) + "}"


@st.composite
def values(draw: st.DrawFn, depth: int) -> str:
    kind = draw(st.integers(0, 5 if depth else 3))
    if kind == 0:
        return draw(NUMBERS)
    if kind == 1:
        return draw(st.sampled_from(["true", "false", "null", '""']))
    if kind in (2, 3):
        return draw(spelled(draw(TEXT)))
    if kind == 4:
        return draw(documents(depth))
    return "[" + ",".join(draw(st.lists(values(depth - 1), max_size=3))) + "]"


def exactly(value: Any) -> Any:
    """Properties in order, numbers by their digits."""
    if isinstance(value, dict):
        return [(name, exactly(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [exactly(each) for each in value]
    if isinstance(value, Decimal):
        return ("number", to_text(value))
    return ("number", str(value)) if type(value) is int else value


class GivenTwiceError(Exception):
    """What the oracle says."""


def oracle(text: str) -> Any:
    def pairs(found: list[tuple[str, Any]]) -> Any:
        if len({name for name, _ in found}) < len(found):
            raise GivenTwiceError
        return list(found)

    def number(digits: str) -> Any:
        return ("number", digits)

    return json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number)


@settings(max_examples=200, deadline=None)
@given(documents())
@example('{"a":1,"a" :2,"c":"\\u0022:"}')
@example('{"a":-0,"a":"-"}')
def test_json_is_read_as_it_is_or_named_for_what_it_repeats(text: str) -> None:
    try:
        expected = oracle(text)
    except GivenTwiceError:
        try:
            wire.loads(text.encode(), max_depth=DEPTH)
        except Malformed as error:
            assert "given twice" in str(error)  # noqa: PT017  both ways are compared
        else:
            raise
        return
    found = wire.loads(text.encode(), max_depth=DEPTH)
    assert exactly(found) == expected
    assert oracle(wire.dumps(found).decode()) == expected


RESOURCE = b'{"resourceType":"Patient","name":[{"given":["a",null]}],"x":1.10,"y":"\\u00e9"}'
DOCUMENT = (
    b'<?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"><id value="a"/><text><div '
    b'xmlns="http://www.w3.org/1999/xhtml">x</div></text><name><given id="g" value="x">'
    b'<extension url="u"/></given></name><contained><Basic/></contained></Patient>'
)


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with some bytes cut, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 8)))
        new = draw(st.one_of(st.just(data[at:to] * 2), st.binary(max_size=4)))
        data = data[:at] + new + data[to:]
    return data


def holds_or_refuses(read: Callable[[bytes], object], data: bytes) -> None:
    with suppress(FhirError):
        read(data)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), damaged(RESOURCE)))
@example(b'{"a":' * 990)
@example(b'{"a":1e99999999999999999999}')
def test_bytes_as_json(data: bytes) -> None:
    holds_or_refuses(lambda each: wire.dumps(wire.loads(each, max_depth=DEPTH)), data)
    holds_or_refuses(lambda each: wire.loads_array(each, max_depth=DEPTH), data)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), damaged(DOCUMENT)))
def test_bytes_as_xml(data: bytes) -> None:
    with suppress(FhirError):
        found = from_xml(data)
        assert from_xml(to_xml(found)) == found


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["resourceType", "id", "name", "given", "_given", "text", "div", "contained",
                 "extension", "url", "valueDecimal", "active", "_active", "birthDate"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "active", "_active", "contained", "text"]), JSON_VALUES
    )
)
def test_values_as_xml(elements: JsonObject) -> None:
    with suppress(FhirError):
        to_xml({"resourceType": "Patient", **elements})


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(st.sampled_from('aq=01.;,/*+ "\\-WGMT:j'), max_size=60),
    )
)
def test_headers(header: str) -> None:
    for read in (media_type, prefer, etags, http_date, items, parameters):
        with suppress(FhirError):
            read(header)
    for pairs in ([], [("_format", header)], [("_pretty", header)]):
        with suppress(FhirError):
            format_of(header, pairs)


POINTERS = st.lists(
    st.sampled_from(["a", "b", "0", "1", "-", "01", "~0", "~1", "~", ""]), max_size=4
).map(lambda tokens: "".join(f"/{token}" for token in tokens))
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"])},
    optional={"path": POINTERS, "from": POINTERS, "value": JSON_VALUES},
)


@settings(max_examples=200, deadline=None)
@given(st.lists(OPERATIONS, max_size=6))
def test_json_patches(operations: list[JsonObject]) -> None:
    before: JsonObject = {"a": [1, {"b": []}], "b": {"a": "x"}, "": 1, "~": 2}
    kept = json.dumps(before)
    with suppress(FhirError):
        json_patch.apply(before, json_patch.read(operations))
    assert json.dumps(before) == kept
