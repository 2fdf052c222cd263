"""Which SearchParameter resources can be served together.

https://hl7.org/fhir/R4/searchparameter.html
"""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.core.errors import Unprocessable
from fhir_server.search.custom import accepted, check, digest, parameter_of
from fhir_server.search.escapes import escape, unescape
from fhir_server.search.registry import Registry
from fhir_server.spec.search_parameters import ALL, Component, SearchParameter

COLOUR = SearchParameter(
    "urn:colour", "colour", "token", ("Patient",), "Patient.extension('urn:c').value as code"
)
PAIR = replace(
    COLOUR,
    url="urn:pair",
    code="pair",
    type="composite",
    expression="Patient",
    components=(
        Component("urn:colour", "extension('urn:c').value as code"),
        Component("http://hl7.org/fhir/SearchParameter/individual-gender", "gender"),
    ),
)
COMPILED = [each for each in ALL if each.expression is not None and each.type != "special"]


@pytest.mark.parametrize("status", ["draft", "retired", "unknown"])
def test_only_an_active_one_defines_anything(status: str) -> None:
    row: dict[str, Any] = {"url": "u", "code": "c", "type": "token", "base": ["Patient"]}
    assert parameter_of(row | {"status": status}) is None
    assert parameter_of(row | {"status": "active"}) is not None


@pytest.mark.parametrize("parameter", COMPILED, ids=lambda each: each.url.rpartition("/")[2])
def test_every_parameter_of_fhir_could_be_added(parameter: SearchParameter) -> None:
    check(replace(parameter, url="urn:own", code="own-code"), {})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "gender"}, "duplicate"),
        ({"code": "_own"}, "value"),
        ({"code": "a b"}, "value"),
        ({"code": "a" * 65}, "value"),
        ({"code": "цвет"}, "value"),
        ({"base": ("Nothing",)}, "value"),
        ({"expression": " "}, "required"),
        ({"expression": "Patient.colour"}, "value"),
        ({"expression": "Person.gender"}, "value"),
        ({"expression": "Patient.where("}, "value"),
        ({"base": ("Patient", "Person")}, "value"),
        ({"base": ("DomainResource",), "expression": "Patient.gender"}, "value"),
        ({"type": "special"}, "not-supported"),
        ({"type": "composite"}, "required"),
        ({"url": "http://hl7.org/fhir/SearchParameter/Resource-id"}, "business-rule"),
    ],
)
def test_what_stands_against_it(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Unprocessable) as error:
        check(replace(COLOUR, **change), {})
    assert [each.code for each in error.value.issues] == [code]


def test_everything_wrong_is_told_at_once() -> None:
    wrong = replace(COLOUR, code="a:b", expression=None, base=("Nothing", "Patient"))
    with pytest.raises(Unprocessable) as error:
        check(wrong, {})
    paths = [each.expression[0].removeprefix("SearchParameter.") for each in error.value.issues]
    assert paths == ["code", "expression", "base[0]"]


def test_a_code_is_free_on_other_types() -> None:
    elsewhere = replace(COLOUR, url="urn:other", base=("Person",), expression="Person.gender")
    check(elsewhere, {COLOUR.url: COLOUR})
    with pytest.raises(Unprocessable):
        check(replace(COLOUR, url="urn:other"), {COLOUR.url: COLOUR})


def test_the_same_url_replaces() -> None:
    check(replace(COLOUR, expression="Patient.language"), {COLOUR.url: COLOUR})


def test_a_composite_is_taken_in_after_its_parts() -> None:
    known, refused = accepted([PAIR, COLOUR])
    assert list(known) == ["urn:colour", "urn:pair"]
    assert refused == []


def test_a_composite_without_its_part_is_left_out() -> None:
    known, refused = accepted([PAIR])
    assert (known, [url for url, _ in refused]) == ({}, ["urn:pair"])


def test_of_two_that_clash_the_first_stays() -> None:
    known, refused = accepted([COLOUR, replace(COLOUR, url="urn:late")])
    assert (list(known), [url for url, _ in refused]) == (["urn:colour"], ["urn:late"])


@pytest.mark.parametrize(
    "change",
    [
        {"code": "c"},
        {"type": "string"},
        {"base": ("Person",)},
        {"expression": "Patient.language"},
        {"components": PAIR.components},
    ],
)
def test_whatever_decides_about_values_is_in_the_digest(change: dict[str, Any]) -> None:
    assert digest(replace(COLOUR, **change)) != digest(COLOUR)


def test_targets_decide_about_no_value() -> None:
    assert digest(replace(COLOUR, targets=("Group",))) == digest(COLOUR)


def test_the_registry_takes_in_what_is_given_and_nothing_else() -> None:
    registry = Registry()
    assert registry.replace({COLOUR.url: (COLOUR, False)})
    assert registry.is_pending("Patient", "colour")
    assert not registry.replace({COLOUR.url: (COLOUR, False)})
    assert registry.replace({COLOUR.url: (COLOUR, True)})
    assert registry.find("Patient", "colour") == COLOUR
    assert registry.replace({})
    assert registry.find("Patient", "colour") is None


@pytest.mark.parametrize("text", ["a,b", "a|b", "a$b", "a\\b", "\\,|$", "plain"])
def test_escaping_goes_there_and_back(text: str) -> None:
    assert unescape(escape(text)) == text
