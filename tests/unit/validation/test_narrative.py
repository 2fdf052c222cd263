"""https://hl7.org/fhir/R4/narrative.html"""

import pytest

from fhir_server.validation import narrative
from fhir_server.validation.texts import (
    ACTIVE_CONTENT,
    EMPTY_NARRATIVE,
    FORBIDDEN_ATTRIBUTE,
    FORBIDDEN_DECLARATION,
    FORBIDDEN_TAG,
    NOT_A_DIV,
    NOT_XHTML,
)

OPEN = '<div xmlns="http://www.w3.org/1999/xhtml">'


def div(content: str) -> str:
    return f"{OPEN}{content}</div>"


GOOD = [
    div("x"),
    div("<p>a<br/>b</p>"),
    div('<p class="a" style="color: red; margin: 0 1px">x</p>'),
    div('<a href="https://example.org/?a=b&amp;c=d">x</a>'),
    div('<a href="#p1" title="p2">x</a>'),
    div("a &lt; b &amp; c &#160; d"),
    div('<img src="#photo" alt="x"/>'),
    div('<img src="data:image/png;base64,AAAA" alt="x"/>'),
    div("<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>"),
    div("<!-- said --> x"),
    '<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:div>',
    div('<p title="a > b">x</p>'),
]


@pytest.mark.parametrize("text", GOOD)
def test_formatting_is_allowed(text: str) -> None:
    assert list(narrative.problems(text, "div")) == []


BAD = [
    # "SHALL NOT contain a head, a body element, external stylesheet references, deprecated
    # elements, scripts, forms, base/link/xlink, frames, iframes, objects or event related
    # attributes (e.g. onClick)"
    (div("x<script>alert(1)</script>"), FORBIDDEN_TAG),
    (div("x<SCRIPT>alert(1)</SCRIPT>"), FORBIDDEN_TAG),
    (div("x<iframe src='http://e.org'/>"), FORBIDDEN_TAG),
    (div("x<object data='x'/>"), FORBIDDEN_TAG),
    (div("x<form><input/></form>"), FORBIDDEN_TAG),
    (div("x<link rel='stylesheet' href='x'/>"), FORBIDDEN_TAG),
    (div("<style>p {}</style>x"), FORBIDDEN_TAG),
    (div("<body>x</body>"), FORBIDDEN_TAG),
    (div('x<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'), FORBIDDEN_TAG),
    (div('<p onclick="x()">x</p>'), FORBIDDEN_ATTRIBUTE),
    (div('<p ONCLICK="x()">x</p>'), FORBIDDEN_ATTRIBUTE),
    ('<div xmlns="http://www.w3.org/1999/xhtml" onload="x()">x</div>', FORBIDDEN_ATTRIBUTE),
    (
        div('<a xmlns:l="http://www.w3.org/1999/xlink" l:href="javascript:x()">x</a>'),
        FORBIDDEN_ATTRIBUTE,
    ),
    (div('<a href="javascript:alert(1)">x</a>'), ACTIVE_CONTENT),
    (div('<a href=" JaVa&#9;Script:alert(1)">x</a>'), ACTIVE_CONTENT),
    (div('<a href="&#1;javascript:alert(1)">x</a>'), NOT_XHTML),
    (div('<a href="data:text/html,x">x</a>'), ACTIVE_CONTENT),
    (div('<img alt="x" src="data:image/svg+xml,x"/>'), ACTIVE_CONTENT),
    (div('<p style="width: expression(alert(1))">x</p>'), ACTIVE_CONTENT),
    (div('<p style="background: url(http://e.org)">x</p>'), ACTIVE_CONTENT),
    (div('<p style="background: u\\72l(x)">x</p>'), ACTIVE_CONTENT),
    # "there is no support for HTML entities like &nbsp;"
    (div("a&nbsp;b"), NOT_XHTML),
    (div("<p>x"), NOT_XHTML),
    (div("<p a=b>x</p>"), NOT_XHTML),
    (div("x") + div("y"), NOT_XHTML),
    ("x", NOT_XHTML),
    ("<div>x</div>", NOT_A_DIV),
    ('<p xmlns="http://www.w3.org/1999/xhtml">x</p>', NOT_A_DIV),
    ('<!DOCTYPE d [<!ENTITY a "b">]>' + div("&a;"), FORBIDDEN_DECLARATION),
    ('<?xml version="1.0"?>' + div("x"), FORBIDDEN_DECLARATION),
    (div("x<?php x ?>"), FORBIDDEN_DECLARATION),
    # txt-2: "SHALL have some non-whitespace content"
    (div(" \n "), EMPTY_NARRATIVE),
    (div("<p> </p><!-- x -->"), EMPTY_NARRATIVE),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_what_could_act_is_refused(text: str, said: object) -> None:
    assert said in [each.text for each in narrative.problems(text, "div")]


@pytest.mark.parametrize("text", [each for each, _ in BAD])
def test_the_quick_look_never_vouches_for_it(text: str) -> None:
    assert not narrative.is_safe(text)


@pytest.mark.parametrize("text", GOOD[:6])
def test_the_quick_look_vouches_for_the_plain(text: str) -> None:
    assert narrative.is_safe(text)


def test_deep_nesting_is_refused_quickly() -> None:
    text = div("<p>" * 5000 + "x" + "</p>" * 5000)
    assert not narrative.is_safe(text)
    assert [each.text for each in narrative.problems(text, "div")] == [NOT_XHTML]
