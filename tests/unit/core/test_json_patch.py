"""JSON Patch: RFC 6902, its appendix A row by row; RFC 6901 for pointers."""

import json
from typing import Any

import pytest

from fhir_server.core import json_patch, wire
from fhir_server.core.errors import (
    BadValue,
    FhirError,
    Malformed,
    MissingElement,
    TooCostly,
    Unprocessable,
)
from fhir_server.core.json_pointer import MAX_TOKENS, parse, to_text
from fhir_server.core.types import JsonObject

RFC_6901: JsonObject = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


def patched(document: Any, *operations: JsonObject) -> JsonObject:
    before = json.dumps(document)
    found = json_patch.apply(document, json_patch.read(operations))
    assert json.dumps(document) == before
    return found


def add(path: str, value: Any) -> JsonObject:
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> JsonObject:
    return {"op": "replace", "path": path, "value": value}


def test(path: str, value: Any) -> JsonObject:
    return {"op": "test", "path": path, "value": value}


test.__test__ = False  # type: ignore[attr-defined]  # pytest's own mark: a row, not a test


def remove(path: str) -> JsonObject:
    return {"op": "remove", "path": path}


def move(from_: str, path: str) -> JsonObject:
    return {"op": "move", "from": from_, "path": path}


def copy(from_: str, path: str) -> JsonObject:
    return {"op": "copy", "from": from_, "path": path}


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        # A.1. Adding an Object Member
        ({"foo": "bar"}, add("/baz", "qux"), {"baz": "qux", "foo": "bar"}),
        # A.2. Adding an Array Element
        ({"foo": ["bar", "baz"]}, add("/foo/1", "qux"), {"foo": ["bar", "qux", "baz"]}),
        # A.3. Removing an Object Member
        ({"baz": "qux", "foo": "bar"}, remove("/baz"), {"foo": "bar"}),
        # A.4. Removing an Array Element
        ({"foo": ["bar", "qux", "baz"]}, remove("/foo/1"), {"foo": ["bar", "baz"]}),
        # A.5. Replacing a Value
        ({"baz": "qux", "foo": "bar"}, replace("/baz", "boo"), {"baz": "boo", "foo": "bar"}),
        # A.6. Moving a Value
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            move("/foo/waldo", "/qux/thud"),
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),
        # A.7. Moving an Array Element
        (
            {"foo": ["all", "grass", "cows", "eat"]},
            move("/foo/1", "/foo/3"),
            {"foo": ["all", "cows", "eat", "grass"]},
        ),
        # A.8. Testing a Value: Success
        (
            {"baz": "qux", "foo": ["a", 2, "c"]},
            test("/foo/1", 2),
            {"baz": "qux", "foo": ["a", 2, "c"]},
        ),
        # A.10. Adding a Nested Member Object
        (
            {"foo": "bar"},
            add("/child", {"grandchild": {}}),
            {"foo": "bar", "child": {"grandchild": {}}},
        ),
        # A.11. Ignoring Unrecognized Elements
        ({"foo": "bar"}, add("/baz", "qux") | {"xyz": 123}, {"foo": "bar", "baz": "qux"}),
        # A.14. ~ Escape Ordering
        ({"/": 9, "~1": 10}, test("/~01", 10), {"/": 9, "~1": 10}),
        # A.16. Adding an Array Value
        ({"foo": ["bar"]}, add("/foo/-", ["abc", "def"]), {"foo": ["bar", ["abc", "def"]]}),
        # 4.1. "If the target location specifies an object member that does exist"
        ({"foo": 1}, add("/foo", 2), {"foo": 2}),
        ({"foo": ["a"]}, add("/foo/1", "b"), {"foo": ["a", "b"]}),
        ({"foo": 1}, add("", {"a": 2}), {"a": 2}),
        ({"foo": 1}, replace("", {"a": 2}), {"a": 2}),
        ({"foo": ["a", "b"]}, replace("/foo/0", "c"), {"foo": ["c", "b"]}),
        ({"foo": {"a": 1}}, copy("/foo", "/bar"), {"foo": {"a": 1}, "bar": {"a": 1}}),
        ({"foo": {"a": 1}}, copy("/foo", "/foo/b"), {"foo": {"a": 1, "b": {"a": 1}}}),
        ({"foo": {"a": {"b": 1}}}, move("/foo/a", "/foo"), {"foo": {"b": 1}}),
        ({"foo": 1}, move("/foo", "/foo"), {"foo": 1}),
        ({"foo": None}, test("/foo", None), {"foo": None}),
        ({"a": {"b": 1, "c": [1]}}, test("/a", {"c": [1], "b": 1}), {"a": {"b": 1, "c": [1]}}),
        ({"a": "ё"}, test("/a", "ё"), {"a": "ё"}),
    ],
)
def test_an_operation(before: JsonObject, operation: JsonObject, after: JsonObject) -> None:
    assert patched(before, operation) == after


@pytest.mark.parametrize(
    ("before", "operation"),
    [
        # A.9. Testing a Value: Error
        ({"baz": "qux"}, test("/baz", "bar")),
        # A.12. Adding to a Nonexistent Target
        ({"foo": "bar"}, add("/baz/bat", "qux")),
        # A.15. Comparing Strings and Numbers
        ({"/": 9, "~1": 10}, test("/~01", "10")),
        ({"a": True}, test("/a", 1)),
        ({"a": 1}, test("/a", True)),
        ({"a": [1]}, test("/a", [1, 2])),
        ({"a": {"b": 1}}, test("/a", {"c": 1})),
        ({"a": None}, test("/a", False)),
        ({"a": 1}, test("/b", None)),
        ({"a": 1}, remove("/b")),
        ({"a": 1}, remove("")),
        ({"a": 1}, replace("/b", 1)),
        ({"a": 1}, replace("", [])),
        ({"a": 1}, add("", "text")),
        ({"a": 1}, add("/a/b", 1)),
        ({"a": []}, add("/a/1", 1)),
        ({"a": []}, add("/a/01", 1)),
        ({"a": []}, add("/a/x", 1)),
        ({"a": []}, add("/a/-1", 1)),
        ({"a": []}, add("/a/99999999999999999999", 1)),
        ({"a": ["b"]}, remove("/a/-")),
        ({"a": ["b"]}, remove("/a/1")),
        ({"a": ["b"]}, replace("/a/-", 1)),
        ({"a": "text"}, remove("/a/0")),
        ({"a": {"b": 1}}, move("/a", "/a/b")),
        ({"a": {"b": 1}}, move("", "/a")),
        ({"a": 1}, move("/b", "/c")),
        ({"a": 1}, move("/b", "/b")),
        ({"a": 1}, copy("/b", "/c")),
    ],
)
def test_an_operation_that_does_not_fit(before: JsonObject, operation: JsonObject) -> None:
    with pytest.raises(Unprocessable) as caught:
        patched(before, add("/fits", 1), operation)
    assert caught.value.issues[0].expression[0].startswith("[1]")


# A.13: a JSON Patch document with one operation twice is refused as JSON already.
def test_an_operation_given_twice() -> None:
    with pytest.raises(Malformed):
        wire.loads_array(
            b'[{"op":"add","path":"/baz","value":"qux","op":"remove"}]', max_depth=8
        )


@pytest.mark.parametrize(
    ("operation", "kind", "where"),
    [
        ("text", BadValue, "[0]"),
        ({}, MissingElement, "[0].op"),
        ({"op": 1}, BadValue, "[0].op"),
        ({"op": "merge", "path": "/a"}, BadValue, "[0].op"),
        ({"op": "add", "value": 1}, MissingElement, "[0].path"),
        ({"op": "add", "path": 1, "value": 1}, BadValue, "[0].path"),
        ({"op": "add", "path": "a", "value": 1}, BadValue, "[0].path"),
        ({"op": "add", "path": "/~2", "value": 1}, BadValue, "[0].path"),
        ({"op": "add", "path": "/~", "value": 1}, BadValue, "[0].path"),
        ({"op": "add", "path": "/a" * (MAX_TOKENS + 1), "value": 1}, BadValue, "[0].path"),
        ({"op": "add", "path": "/a"}, MissingElement, "[0].value"),
        ({"op": "test", "path": "/a"}, MissingElement, "[0].value"),
        ({"op": "move", "path": "/a"}, MissingElement, "[0].from"),
        ({"op": "copy", "path": "/a", "from": None}, BadValue, "[0].from"),
    ],
)
def test_what_is_no_operation(operation: Any, kind: type[FhirError], where: str) -> None:
    with pytest.raises(kind) as caught:
        json_patch.read([operation])
    assert caught.value.issues[0].expression == (where,)


def test_a_patch_is_applied_in_order_and_digits_stay() -> None:
    resource = wire.loads(b'{"a":1.10,"b":[1e3]}', max_depth=8)
    operations = wire.loads_array(
        b'[{"op":"test","path":"/a","value":1.1},{"op":"test","path":"/b/0","value":1000},'
        b'{"op":"add","path":"/c","value":1.50},{"op":"copy","from":"/b","path":"/d"}]',
        max_depth=8,
    )
    after = json_patch.apply(resource, json_patch.read(operations))
    assert wire.dumps(after) == b'{"a":1.10,"b":[1e3],"c":1.50,"d":[1e3]}'


def test_what_a_patch_adds_is_its_own() -> None:
    operations = json_patch.read([add("/a", {"x": []}), add("/a/x/-", 1), copy("/a", "/b")])
    for _ in range(2):
        assert json_patch.apply({}, operations) == {"a": {"x": [1]}, "b": {"x": [1]}}


def test_growth_is_bounded() -> None:
    with pytest.raises(TooCostly):
        patched({"a": [1]}, *[add("/a/-", 1)] * (json_patch.MAX_OPERATIONS + 1))
    with pytest.raises(TooCostly):
        patched({"a": [[1]]}, *[copy("/a", "/a/-")] * 40)
    wide = {"a": [1] * 200}
    with pytest.raises(TooCostly):
        patched(wide, *[copy("/a", "/b")] * 900)


def test_a_large_resource_may_be_patched() -> None:
    large = {"a": [1] * json_patch.MAX_NODES}
    assert patched(large, add("/b", 1)) == {**large, "b": 1}


def test_growth_of_text_is_bounded() -> None:
    with pytest.raises(TooCostly):
        patched({"a": ["x" * 1_000_000]}, *[copy("/a/0", "/a/-")] * 200)


def test_depth_is_bounded() -> None:
    chain: Any = 1
    for _ in range(40):
        chain = {"a": chain}
    with pytest.raises(Malformed):
        patched({"x": chain, "y": chain}, move("/x", "/y" + "/a" * 40))
    deep = [move("/x", "/y" + "/a" * 40)]
    with pytest.raises(TooCostly):
        patched({"x": chain, "y": chain}, *deep, copy("/y", "/z"))
    both = json.loads(json.dumps(chain).replace("1", json.dumps(chain)))
    with pytest.raises(TooCostly):
        patched({"x": chain, "y": chain}, *deep, test("/y", both))
    very: Any = chain
    for _ in range(40):
        very = {"a": very}
    with pytest.raises(TooCostly):
        patched({"x": 1}, test("/x", 1), add("/y", very))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # RFC 6901, 5
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_pointers(text: str, value: object) -> None:
    assert patched(RFC_6901, test(text, value)) == RFC_6901
    assert to_text(parse(text)) == text
