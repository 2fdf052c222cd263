"""Whatever a client sends, the answer is a result or an OperationOutcome, never a 500; and
the server is as quick afterwards as before.

https://hl7.org/fhir/R4/http.html#Status-Codes
"""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from statistics import median
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fhir import JsonObject, create, observation, patient

SLOWER: Final = 3.0
"""How much longer a read may take when all this is over."""

bounded = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

VALID: Final[tuple[JsonObject, ...]] = (
    {
        "resourceType": "Patient",
        "active": True,
        "name": [{"family": "Fuzz", "given": ["A", None], "_given": [None, {"id": "g"}]}],
        "birthDate": "1970-03-30",
        "contact": [{"relationship": [{"text": "x"}], "telecom": [{"value": "1"}]}],
        "meta": {"tag": [{"system": "urn:x", "code": "y"}]},
        "text": {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'},
    },
    observation(
        "Patient/1", valueQuantity={"value": 1.5, "unit": "kg"}, effectiveDateTime="2020"
    ),
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:8ad2ed1e-6a47-4b8c-9b2b-6a6a1d1d8f63",
                "resource": patient(),
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=a"},
            },
            {
                "resource": observation("urn:uuid:8ad2ed1e-6a47-4b8c-9b2b-6a6a1d1d8f63"),
                "request": {"method": "PUT", "url": "Observation/fuzz", "ifMatch": 'W/"1"'},
            },
            {"request": {"method": "GET", "url": "Patient?name=a&_count=2"}},
            {"request": {"method": "DELETE", "url": "Patient?identifier=none"}},
        ],
    },
    {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "add"},
                    {"name": "path", "valueString": "Patient"},
                    {"name": "name", "valueString": "active"},
                    {"name": "value", "valueBoolean": True},
                ],
            }
        ],
    },
)
XML: Final = (
    '<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="Fuzz"/>'
    '<given value="A"/></name><birthDate value="1970-03-30"/><contained><Basic><id value="b"/>'
    '<code><text value="x"/></code></Basic></contained><text><status value="empty"/>'
    '<div xmlns="http://www.w3.org/1999/xhtml">a &amp; b</div></text></Patient>'
)

NASTY: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    "",
    " ",
    "\0",
    "\ud800",
    "\uffff",
    "$where",
    "a.b",
    "#",
    "urn:uuid:x",
    "Patient/",
    "Patient?",
    "Patient?name=",
    "?",
    "//",
    "http://[",
    "1e9",
    "2020-02-30",
    "<div>",
    "<",
    "&x;",
    'W/"1"',
    "x" * 5000,
    [],
    {},
    [[]],
    [None],
    {"$gt": ""},
    {"": 1},
    "(" * 500,
    "Bundle",
    "Patient/$everything",
    "../../x",
    "%00",
    "%",
    "2020-01-01T00:00:00+99:99",
)

TEXT: Final = st.one_of(
    st.text(max_size=12), st.sampled_from([x for x in NASTY if isinstance(x, str)])
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _places(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _places(each, (*path, index))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, JsonObject]:
    """A resource with some of its parts exchanged, and the type that it was."""
    found = deepcopy(draw(st.sampled_from(VALID)))
    kind = found["resourceType"]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([each for each in _places(found) if each]))
        parent, last = _at(found, path[:-1]), path[-1]
        match draw(st.integers(0, 3)):
            case 0:
                parent[last] = draw(st.sampled_from(NASTY))
            case 1:
                del parent[last]
            case 2 if isinstance(parent, dict):
                parent[draw(TEXT)] = parent[last]
            case _:
                parent[last] = deepcopy(draw(st.sampled_from(VALID)))
        if not found:
            break
    return kind, found


def spoilt(text: bytes) -> st.SearchStrategy[bytes]:
    """`text` with bytes exchanged, repeated or cut off."""
    positions = st.integers(0, len(text) - 1)
    pieces = st.one_of(
        st.binary(max_size=3),
        st.sampled_from([b"<", b"&", b'"', b"{", b"\0", b"\xff", b"<!--"]),
    )
    return st.builds(
        lambda start, size, piece: text[:start] + piece + text[start + size :],
        positions,
        st.integers(0, 40),
        pieces,
    )


@pytest.fixture(scope="module")
def made(fhir: httpx.Client) -> str:
    return str(create(fhir, patient())["id"])


@pytest.fixture(scope="module", autouse=True)
def _as_quick_as_before(fhir: httpx.Client, made: str) -> Iterator[None]:
    def seconds() -> float:
        def one() -> float:
            begun = time.perf_counter()
            assert fhir.get(f"/Patient/{made}").status_code in (200, 410)
            return time.perf_counter() - begun

        return median(one() for _ in range(100))

    before = seconds()
    yield
    assert min(seconds() for _ in range(3)) < before * SLOWER


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.request.method, answer.request.url, answer.text)
    if answer.status_code >= 400:
        assert b"OperationOutcome" in answer.content, answer.content


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")


DOORS: Final[tuple[Callable[[httpx.Client, str, bytes, str], httpx.Response], ...]] = (
    lambda fhir, kind, data, _: fhir.post(
        "" if kind == "Bundle" else f"/{kind}", content=data, headers=_json()
    ),
    lambda fhir, kind, data, _: fhir.post(f"/{kind}/$validate", content=data, headers=_json()),
    lambda fhir, kind, data, _: fhir.put(f"/{kind}/fuzz", content=data, headers=_json()),
    lambda fhir, _, data, id_: fhir.patch(f"/Patient/{id_}", content=data, headers=_json()),
)


def _json(**more: str) -> dict[str, str]:
    return {"Content-Type": "application/fhir+json", **more}


@given(case=mutated(), door=st.sampled_from(DOORS))
@bounded
def test_resources_with_parts_exchanged(
    fhir: httpx.Client, made: str, case: tuple[str, JsonObject], door: Any
) -> None:
    kind, body = case
    check(door(fhir, kind, encoded(body), made))


@given(data=st.sampled_from([encoded(each) for each in VALID]).flatmap(spoilt))
@bounded
def test_json_with_bytes_exchanged(fhir: httpx.Client, data: bytes) -> None:
    check(fhir.post("/Patient", content=data, headers=_json()))
    check(fhir.post("", content=data, headers=_json()))


@given(data=spoilt(XML.encode()))
@bounded
def test_xml_with_bytes_exchanged(fhir: httpx.Client, data: bytes) -> None:
    headers = {"Content-Type": "application/fhir+xml"}
    check(fhir.post("/Patient", content=data, headers=headers))


PATCHES: Final = st.one_of(
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(
                    ["add", "remove", "replace", "move", "copy", "test", "x"]
                ),
                "path": st.one_of(
                    TEXT,
                    st.sampled_from(
                        ["", "/", "/name/0", "/name/-", "/active", "/name/9", "/~2"]
                    ),
                ),
            },
            optional={
                "value": st.sampled_from(NASTY),
                "from": st.sampled_from(["", "/name", "/x"]),
            },
        ),
        max_size=4,
    ),
    st.sampled_from(NASTY),
)


@given(change=PATCHES)
@bounded
def test_patches(fhir: httpx.Client, made: str, change: Any) -> None:
    headers = {"Content-Type": "application/json-patch+json"}
    check(fhir.patch(f"/Patient/{made}", content=encoded(change), headers=headers))


PATHS: Final = st.sampled_from(
    [
        "Patient.name",
        "name[0].given",
        "Patient.where(",
        "%x",
        "1/0",
        "resolve()",
        "Patient.repeat($this)",
        "'a'.matches('(a+)+$')",
        "Patient.name.given[99999999999]",
        "@2020-13",
        "iif(",
        "$this",
        "`x`",
    ]
)


@given(
    path=st.one_of(PATHS, st.text(max_size=20)),
    kind=st.sampled_from(["add", "insert", "delete", "replace", "move"]),
    value=st.sampled_from([{"valueString": "x"}, {"valueBoolean": True}, {"part": []}, {}]),
)
@bounded
def test_fhirpath_patches(
    fhir: httpx.Client, made: str, path: str, kind: str, value: JsonObject
) -> None:
    change = deepcopy(VALID[3])
    parts = change["parameter"][0]["part"]
    parts[0]["valueCode"], parts[1]["valueString"] = kind, path
    parts[3] = {"name": "value", **value}
    check(fhir.patch(f"/Patient/{made}", content=encoded(change), headers=_json()))


HEADERS: Final = st.dictionaries(
    st.sampled_from(
        [
            "Prefer",
            "Accept",
            "If-Match",
            "If-None-Match",
            "If-None-Exist",
            "If-Modified-Since",
            "Content-Type",
            "Accept-Language",
            "Accept-Encoding",
            "Content-Encoding",
            "X-Request-Id",
            "X-HTTP-Method-Override",
            "Authorization",
            "Range",
            "Expect",
        ]
    ),
    st.one_of(
        st.text(
            st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"),
            max_size=30,
        ),
        st.sampled_from(
            [
                "return=minimal",
                "return=OperationOutcome;x",
                "handling=lenient",
                "respond-async",
                "*/*;q=x",
                "application/fhir+json;q=2",
                "text/turtle",
                "application/fhir+xml; fhirVersion=9.9",
                'W/"1"',
                '"',
                'W/"99999999999999999999"',
                "*",
                "name=x",
                "?name=x",
                "_id",
                "identifier=|",
                "%ff",
                "Thu, 99 Foo 2020",
                "gzip, br;q=0",
                "gzip",
                "br",
                "utf-16",
                "ru;q=0.5, uk",
                "bytes=0-",
                "application/fhir+json; charset=utf-16",
                "a=b,c=d;e",
                ",",
            ]
        ),
    ),
    max_size=5,
)


@given(
    headers=HEADERS,
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    path=st.sampled_from(
        ["/Patient", "/Patient/{}", "", "/metadata", "/Patient/_search", "/x"]
    ),
)
@bounded
def test_headers(
    fhir: httpx.Client, made: str, headers: dict[str, str], method: str, path: str
) -> None:
    body = encoded({**patient(), "id": made}) if method in ("POST", "PUT", "PATCH") else b""
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.compress(body)
    raw = [(name.encode(), value.strip().encode("latin-1")) for name, value in headers.items()]
    answer = fhir.request(method, path.format(made), content=body, headers=raw)
    assert answer.status_code < 500, (method, path, headers, answer.text)
    if answer.status_code >= 400 and method != "HEAD":
        assert b"OperationOutcome" in answer.content, answer.content


SEGMENTS: Final = st.sampled_from(
    [
        "Patient",
        "Observation",
        "_history",
        "_search",
        "$everything",
        "$validate",
        "$meta",
        "$lastn",
        "*",
        "1",
        "metadata",
        "%2E%2E",
        ".",
        "",
        "%2F",
        "%00",
        "%ff",
        "$",
        "_",
        "Patient%3Fname",
        "é",
        "x" * 70,
    ]
)


@given(
    segments=st.lists(SEGMENTS, max_size=5),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=3),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
)
@bounded
def test_paths(
    fhir: httpx.Client, segments: list[str], query: list[tuple[str, str]], method: str
) -> None:
    if method == "DELETE" and len(segments) < 2:
        method = "GET"  # what other rows have made stays
    url = "/" + "/".join(segments)
    asked = "&".join(
        "=".join(quote(each[:50].encode("utf-8", "surrogatepass")) for each in pair)
        for pair in query
    )
    body = patient() if method in ("POST", "PUT", "PATCH") else None
    check(fhir.request(method, f"{url}?{asked}", json=body))
