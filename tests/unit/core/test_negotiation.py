"""Headers about form: https://hl7.org/fhir/R4/http.html#mime-type, RFC 9110, RFC 7240."""

import pytest

from fhir_server.core.errors import BadValue, NotAcceptable, UnsupportedMediaType
from fhir_server.core.header_values import etags, http_date, items, parameters, weight
from fhir_server.core.negotiation import (
    Format,
    Kind,
    Prefer,
    format_of,
    media_type,
    prefer,
    resource_kind,
)

JSON, XML = Format(), Format(xml=True)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        (" ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/fhir+json", JSON),
        ("application/json", JSON),
        ("text/json", JSON),
        ("APPLICATION/FHIR+XML", XML),
        ("application/xml", XML),
        ("text/xml", XML),
        ("application/fhir+xml; fhirVersion=4.0", XML),
        ('application/fhir+xml; fhirVersion="4.0.1"; charset=utf-8', XML),
        ("application/fhir+xml;fhirVersion=3.0, application/fhir+json;q=0.1", JSON),
        # The quality decides, then the more specific range, then the order.
        ("application/json;q=0.5, application/xml", XML),
        ("application/json;q=0.5, application/xml;q=0.6", XML),
        ("application/json;q=0.6, application/xml;q=0.5", JSON),
        ("application/xml, application/json", XML),
        ("application/json, application/xml", JSON),
        ("application/xml;q=0.9, */*;q=0.8", XML),
        ("application/xml;q=0.7, */*;q=0.8", JSON),
        ("*/*, application/xml", XML),
        ("application/xml;q=0, */*", JSON),
        ("application/json;q=0, */*", XML),
        ("text/turtle, application/xml;q=0.1", XML),
        # A browser
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("text/html;q=0.2, application/xml;q=0.5, */*;q=0.1", XML),
        (" , application/xml ,, ", XML),
        ('application/xml;x="a,b;q=0"', XML),
    ],
)
def test_accept(accept: str, expected: Format) -> None:
    assert format_of(accept, ()) == expected


@pytest.mark.parametrize(
    "accept",
    [
        "text/turtle",
        "application/pdf, image/*",
        "text/html",
        "text/html,application/xhtml+xml",
        "application/json;q=0",
        "application/json;q=0.000",
        "application/json;q=2",
        "application/json;q=x",
        "*/*;q=0",
        "application/json;q=0, application/*;q=0, */*",
        "application/fhir+json; fhirVersion=5.0",
        "nonsense",
    ],
)
def test_what_is_not_written_is_406(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        format_of(accept, ())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("json", JSON),
        ("xml", XML),
        ("application/json", JSON),
        ("text/json", JSON),
        ("application/fhir+json", JSON),
        # "+" that was not escaped in the URL
        ("application/fhir json", JSON),
        ("application/fhir xml; fhirVersion=4.0", XML),
        ("application/fhir+json; fhirVersion=4.0", JSON),
        ("application/xml", XML),
        ("text/xml", XML),
        ("application/fhir+xml", XML),
        ("XML", XML),
        ("*/*", JSON),
    ],
)
def test_format_overrides_accept(value: str, expected: Format) -> None:
    assert format_of("text/turtle", [("a", "b"), ("_format", value)]) == expected


@pytest.mark.parametrize(
    "pairs",
    [
        [("_format", "ttl")],
        [("_format", "html")],
        [("_format", "text/html")],
        [("_format", "text/turtle")],
        [("_format", "")],
        [("_format", "application/fhir+json; fhirVersion=3.0")],
        [("_format", "json"), ("_format", "xml")],
    ],
)
def test_an_unknown_format_is_406(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(NotAcceptable) as caught:
        format_of("", pairs)
    assert caught.value.issues[0].expression == ("_format",)


def test_pretty() -> None:
    assert format_of("", [("_pretty", "true")]) == Format(pretty=True)
    assert format_of("text/xml", [("_pretty", "true")]) == Format(xml=True, pretty=True)
    assert format_of("", [("_pretty", "false")]) == JSON
    with pytest.raises(BadValue):
        format_of("", [("_pretty", "1")])


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/fhir+json", "json"),
        ("application/json; charset=UTF-8", "json"),
        ('application/fhir+json; charset="utf-8"; fhirVersion=4.0', "json"),
        ("text/xml", "xml"),
        ("application/fhir+xml;fhirVersion=4.0.1", "xml"),
        ("application/json-patch+json", None),
        ("application/x-www-form-urlencoded; charset=utf-8", None),
        ("image/png", None),
        ("text/html", None),
        ("application/*", None),
    ],
)
def test_content_type(content_type: str, expected: Kind | None) -> None:
    assert media_type(content_type).kind == expected
    if expected:
        assert resource_kind(content_type) == expected
    else:
        with pytest.raises(UnsupportedMediaType):
            resource_kind(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "json",
        "application/",
        "/json",
        "a/b/c",
        "application/json; charset=windows-1251",
        "application/fhir+json; fhirVersion=3.0",
        "application/fhir+json; fhirVersion=4.3",
    ],
)
def test_another_content_type_is_415(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        media_type(content_type)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Prefer()),
        ("return=minimal", Prefer("minimal")),
        ("return=representation", Prefer("representation")),
        ("return=OperationOutcome", Prefer("OperationOutcome")),
        ('Return = "minimal"', Prefer("minimal")),
        ("handling=lenient", Prefer(handling="lenient")),
        ("handling=strict", Prefer()),
        ("respond-async", Prefer(respond_async=True)),
        (
            "return=minimal, handling=lenient,respond-async; wait=10",
            Prefer("minimal", "lenient", respond_async=True),
        ),
        # "If any preference is specified more than once, only the first instance counts"
        ("return=minimal, return=representation", Prefer("minimal")),
        # "MUST ignore"
        ("return=everything, handling=sloppy, foo=bar, ;;=,", Prefer()),
    ],
)
def test_prefer(header: str, expected: Prefer) -> None:
    assert prefer(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('W/"1"', {"1"}),
        ('"1"', {"1"}),
        ('W/"1", "2" ,W/"3"', {"1", "2", "3"}),
        ("1", {"1"}),
        ("W/1", {"1"}),
        ('W/"a,b"', {"a,b"}),
        ('""', {""}),
        ("", set()),
        ('W/"1" x', set()),
        ("*", None),
        (" * ", None),
    ],
)
def test_entity_tags(header: str, expected: set[str] | None) -> None:
    assert etags(header) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777000),
        ("Sun Nov  6 08:49:37 1994", 784111777000),
        ("Sun, 06 Nov 1994 11:49:37 +0300", 784111777000),
        ("", None),
        ("yesterday", None),
        ("2024-01-01", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
    ],
)
def test_http_dates(text: str, expected: int | None) -> None:
    assert http_date(text) == expected


def test_the_grammar_of_lists() -> None:
    assert items('a, "b,\\"c" ;d , ,e') == ["a", '"b,\\"c" ;d', "e"]
    assert items('a "b') == ['a "b']
    assert parameters('A/B; C=d ;e="f;g"') == ("a/b", {"c": "d", "e": "f;g"})
    assert [weight(text) for text in ("0", "1", "0.5", "1.000", "0.1234", "-1", "")] == [
        0, 1, 0.5, 1, 0, 0, 0,
    ]  # fmt: skip
