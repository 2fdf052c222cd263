"""FHIR XML and JSON, either way: https://hl7.org/fhir/R4/xml.html."""

# ruff: noqa: ISC004  rows of two long texts each read better without more parentheses

import os
from decimal import Decimal
from pathlib import Path

import pytest

from fhir_server.core import wire
from fhir_server.core.errors import BadValue, FhirError, Malformed, NotAcceptable
from fhir_server.core.literals import to_text
from fhir_server.core.types import JsonObject
from fhir_server.core.xml import from_xml, to_xml

SHARED = Path(os.environ.get("FHIR_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
SUITE = SHARED / "fhirpath"
# This one's arrays are of unequal length, which json.html does not allow.
UNEQUAL = "patient-name-extensions"
EXAMPLES = [
    *sorted(SHARED.glob("examples/*.json")),
    *(path for path in sorted(SUITE.glob("*-*.json")) if path.stem != UNEQUAL),
]
# The other twins were edited apart by their authors.
TWINS = ["patient-example", "questionnaire-example"]

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
NARRATIVE = DIV + "<p class='x'>a&#39;b &lt; <br/>\n<!-- kept --></p></div>"


def exact(value: object) -> object:
    """A value that differs where types or digits do."""
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return [exact(each) for each in value]
    if isinstance(value, Decimal):
        return "decimal", to_text(value)
    return type(value).__name__, value


def json(text: str) -> JsonObject:
    return wire.loads(text.encode(), max_depth=64)


def xml(inside: str, kind: str = "Patient") -> bytes:
    return f'<{kind} xmlns="http://hl7.org/fhir">{inside}</{kind}>'.encode()


def both_ways(inside: str, resource: str, kind: str = "Patient") -> None:
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>'
    value = json(resource)
    assert to_xml(value) == declaration + xml(inside, kind)
    assert exact(from_xml(xml(inside, kind))) == exact(value)
    assert list(from_xml(xml(inside, kind))) == sorted(value, key=list(value).index)


@pytest.mark.parametrize(
    ("inside", "resource"),
    [
        # "the value attribute"; the id of a resource is an element
        ('<id value="a"/>', '{"resourceType":"Patient","id":"a"}'),
        ('<active value="true"/>', '{"resourceType":"Patient","active":true}'),
        (
            '<deceasedBoolean value="false"/>',
            '{"resourceType":"Patient","deceasedBoolean":false}',
        ),
        (
            '<multipleBirthInteger value="2"/>',
            '{"resourceType":"Patient","multipleBirthInteger":2}',
        ),
        # "the element id and Extension.url are attributes"
        (
            '<extension id="i" url="http://u"><valueDecimal value="1.10"/></extension>',
            '{"resourceType":"Patient","extension":'
            '[{"id":"i","url":"http://u","valueDecimal":1.10}]}',
        ),
        # A primitive's own id and extensions; with a value and without one.
        (
            '<birthDate id="b" value="2020"><extension url="http://u"><valueCode value="c"/>'
            "</extension></birthDate>",
            '{"resourceType":"Patient","birthDate":"2020","_birthDate":{"id":"b","extension":'
            '[{"url":"http://u","valueCode":"c"}]}}',
        ),
        (
            '<birthDate id="b"></birthDate>',
            '{"resourceType":"Patient","_birthDate":{"id":"b"}}',
        ),
        # "null values are used to fill out both arrays"
        (
            '<name><given value="a"/><given id="g"></given><given value="c"/></name>',
            '{"resourceType":"Patient","name":[{"given":["a",null,"c"],'
            '"_given":[null,{"id":"g"},null]}]}',
        ),
        (
            '<name><given id="f" value="a"></given><given id="g"></given></name>',
            '{"resourceType":"Patient","name":[{"given":["a",null],'
            '"_given":[{"id":"f"},{"id":"g"}]}]}',
        ),
        (
            '<name><given id="g"></given></name>',
            '{"resourceType":"Patient","name":[{"_given":[{"id":"g"}]}]}',
        ),
        # A resource within a resource
        (
            '<contained><Basic><id value="b"/></Basic></contained>'
            "<contained><Patient></Patient></contained>",
            '{"resourceType":"Patient","contained":[{"resourceType":"Basic","id":"b"},'
            '{"resourceType":"Patient"}]}',
        ),
        # Narrative, letter by letter
        (
            f'<text><status value="generated"/>{NARRATIVE}</text>',
            wire.dumps(
                {
                    "resourceType": "Patient",
                    "text": {"status": "generated", "div": NARRATIVE},
                }
            ).decode(),
        ),
        # What an attribute cannot hold as it is
        (
            '<name><text value="&lt;a&gt; &amp; &quot;b&quot;\'&#10;&#13;&#9;ё 😀"/></name>',
            '{"resourceType":"Patient","name":[{"text":"<a> & \\"b\\"\'\\n\\r\\tё 😀"}]}',
        ),
        # A value that is none of its type is for the validator to name.
        ('<active value="yes"/>', '{"resourceType":"Patient","active":"yes"}'),
        (
            '<multipleBirthInteger value="+1"/>',
            '{"resourceType":"Patient","multipleBirthInteger":"+1"}',
        ),
    ],
)
def test_both_ways(inside: str, resource: str) -> None:
    both_ways(inside, resource)


@pytest.mark.parametrize(
    "digits",
    [
        "1.10",
        "0.00010",
        "1e3",
        "1E3",
        "1.0e-2",
        "0.0000001",
        "-0.0",
        "-0",
        "12345678901234567890",
    ],
)
def test_digits_are_kept(digits: str) -> None:
    both_ways(
        f'<valueQuantity><value value="{digits}"/></valueQuantity>',
        f'{{"resourceType":"Observation","valueQuantity":{{"value":{digits}}}}}',
        "Observation",
    )


def test_a_bundle_and_parameters_carry_resources() -> None:
    both_ways(
        "<entry><resource><Basic></Basic></resource></entry>",
        '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic"}}]}',
        "Bundle",
    )
    both_ways(
        '<parameter><name value="a"/><resource><Basic></Basic></resource></parameter>',
        '{"resourceType":"Parameters","parameter":[{"name":"a","resource":'
        '{"resourceType":"Basic"}}]}',
        "Parameters",
    )


def test_elements_are_written_in_the_order_of_the_definition() -> None:
    written = to_xml(json('{"gender":"male","active":true,"id":"a","resourceType":"Patient"}'))
    assert written.endswith(xml('<id value="a"/><active value="true"/><gender value="male"/>'))


def test_comments_instructions_and_blanks_say_nothing() -> None:
    inside = '<!-- c -->\n<?pi x?> <active value="true"> <!-- c --> </active>\t'
    document = b"<?xml version='1.0'?><!-- c -->" + xml(inside) + b"<?pi?>\n"
    assert from_xml(document) == {"resourceType": "Patient", "active": True}


def test_a_schema_location_is_no_data() -> None:
    document = (
        b'<Patient xmlns="http://hl7.org/fhir" xsi:schemaLocation="http://hl7.org/fhir a"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><active value="true"/>'
        b"</Patient>"
    )
    assert from_xml(document) == {"resourceType": "Patient", "active": True}


@pytest.mark.parametrize(
    ("document", "div"),
    [
        (
            '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
            '<f:text><h:div><h:p class="a">x<!--c--> y</h:p>&amp;</h:div></f:text></f:Patient>',
            DIV + '<p class="a">x<!--c--> y</p>&amp;</div>',
        ),
        (
            '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml">'
            "<f:text><div>x</div></f:text></f:Patient>",
            DIV + "x</div>",
        ),
        (
            '<Patient xmlns="http://hl7.org/fhir"><text>'
            '<div xmlns="http://www.w3.org/1999/xhtml" /></text></Patient>',
            '<div xmlns="http://www.w3.org/1999/xhtml" />',
        ),
        (
            '<Patient xmlns="http://hl7.org/fhir"><text>'
            '<h:div xmlns:h="http://www.w3.org/1999/xhtml">ё</h:div></text></Patient>',
            DIV + "ё</div>",
        ),
    ],
)
def test_a_narrative_stands_on_its_own(document: str, div: str) -> None:
    assert from_xml(document.encode())["text"] == {"div": div}


@pytest.mark.parametrize(
    ("div", "written"),
    [
        ("<div>x</div>", DIV + "x</div>"),
        (DIV + "a&nbsp;b&amp;&bogus</div>", None),
        (DIV + "a&nbsp;b&amp;</div>", DIV + "a\u00a0b&amp;</div>"),
        (DIV + "<p></div>", None),
        (DIV + "</div><div/>", None),
        ("<p>x</p>", None),
        ("text", None),
        ("", None),
        ('<!DOCTYPE div [<!ENTITY a "b">]>' + DIV + "&a;</div>", None),
        ('<?xml version="1.0"?>' + DIV + "</div>", None),
        (DIV + "\ufffe</div>", None),
        (DIV + "\ud800</div>", None),
    ],
)
def test_only_one_well_formed_div_is_written(div: str, written: str | None) -> None:
    resource: JsonObject = {"resourceType": "Patient", "text": {"div": div}}
    if written is not None:
        assert to_xml(resource).endswith(xml(f"<text>{written}</text>"))
    else:
        with pytest.raises(NotAcceptable) as caught:
            to_xml(resource)
        assert caught.value.issues[0].expression == ("Patient.text.div",)


def test_pretty_leaves_the_narrative_alone() -> None:
    resource: JsonObject = {
        "resourceType": "Patient",
        "text": {"div": NARRATIVE},
        "contained": [{"resourceType": "Basic", "id": "b"}],
        "name": [{"given": ["a"], "_given": [{"id": "g"}]}],
    }
    text = to_xml(resource, pretty=True).decode()
    assert NARRATIVE in text
    assert '\n  <contained>\n    <Basic>\n      <id value="b"/>\n    </Basic>\n' in text
    assert from_xml(text.encode()) == resource


@pytest.mark.parametrize(
    ("document", "kind", "path", "fragment"),
    [
        (b"", Malformed, (), "empty"),
        (b"{}", Malformed, (), "line 1, column 1"),
        (b"<Patient", Malformed, (), "not XML"),
        (xml("<active>"), Malformed, (), "not XML"),
        (xml("&nope;"), Malformed, (), "not XML"),
        (xml('<active value="\x00"/>'), Malformed, (), "not XML"),
        (xml('<active value="\x01"/>'), Malformed, (), "not XML"),
        (xml('<id value="') + b'\xff"/></Patient>', Malformed, (), "not XML"),
        (xml("<a/>").decode().encode("utf-16"), BadValue, (), "utf-16"),
        (
            b"<?xml version='1.0' encoding='koi8-r'?>" + xml('<id value="a"/>'),
            BadValue,
            (),
            "koi8-r",
        ),
        (b"<Patient/>", Malformed, ("Patient",), "namespace"),
        (b'<Patient xmlns="urn:x"/>', Malformed, ("Patient",), "urn:x"),
        (xml("", "Foo"), Malformed, ("Foo",), "no element `Foo`"),
        (xml("", "DomainResource"), Malformed, ("DomainResource",), "no element"),
        (xml('<foo value="a"/>'), Malformed, ("Patient.foo",), "no element `foo`"),
        (xml("<name><foo/></name>"), Malformed, ("Patient.name[0].foo",), "no element"),
        (
            xml("<name/>").replace(
                b"<name/>", b'<name><use value="a"/></name><name><x/></name>'
            ),
            Malformed,
            ("Patient.name[1].x",),
            "no element",
        ),
        (
            xml("<contained><Basic><id value='b'/><x/></Basic></contained>"),
            Malformed,
            ("Patient.contained[0].x",),
            "no element",
        ),
        (xml('<active xmlns="" value="true"/>'), Malformed, ("Patient.active",), "namespace"),
        (xml('<active value="true" x="y"/>'), Malformed, ("Patient.active",), "attribute `x`"),
        (xml('<active x="y"/>'), Malformed, ("Patient.active",), "attribute `x`"),
        (xml('<name use="a"/>'), Malformed, ("Patient.name[0]",), "attribute `use`"),
        (xml('<name url="a"/>'), Malformed, ("Patient.name[0]",), "attribute `url`"),
        (
            b'<Patient xmlns="http://hl7.org/fhir" id="a"/>',
            Malformed,
            ("Patient",),
            "attribute `id`",
        ),
        (
            xml('<contained id="c"><Basic/></contained>'),
            Malformed,
            ("Patient.contained",),
            "attribute `id`",
        ),
        (xml("<active>true</active>"), Malformed, ("Patient.active",), "Text"),
        (xml("hello"), Malformed, ("Patient",), "Text"),
        (xml("<![CDATA[x]]>"), Malformed, ("Patient",), "Text"),
        (xml("<active/>"), Malformed, ("Patient.active",), "neither"),
        (xml("<name><given/></name>"), Malformed, ("Patient.name[0].given[0]",), "neither"),
        (xml("<name/>"), Malformed, ("Patient.name[0]",), "neither"),
        (xml("<contained/>"), Malformed, ("Patient.contained",), "neither"),
        (
            xml("<contained><Basic/><Basic/></contained>"),
            Malformed,
            ("Patient.contained[0].Basic",),
            "no element `Basic`",
        ),
        (
            xml('<gender value="male"/><gender value="male"/>'),
            Malformed,
            ("Patient.gender",),
            "once",
        ),
        (
            xml('<maritalStatus><text value="a"/></maritalStatus><maritalStatus/>'),
            Malformed,
            ("Patient.maritalStatus",),
            "once",
        ),
        (xml(f"<text>{DIV}</div>{DIV}</div></text>"), Malformed, ("Patient.text.div",), "once"),
        (xml("<text><div/></text>"), Malformed, ("Patient.text.div",), "no element"),
        (
            xml('<multipleBirthInteger value="' + "1" * 301 + '"/>'),
            BadValue,
            ("Patient.multipleBirthInteger",),
            "300",
        ),
        (
            b'<!DOCTYPE Patient SYSTEM "file:///etc/passwd">' + xml(""),
            Malformed,
            (),
            "type decl",
        ),
        (
            b'<!DOCTYPE Patient [<!ENTITY x SYSTEM "http://127.0.0.1/">]>' + xml("&x;"),
            Malformed,
            (),
            "type decl",
        ),
        (
            b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + xml("&b;"),
            Malformed,
            (),
            "type decl",
        ),
        (xml("<name>" * 100), Malformed, ("Patient.name[0].name",), "no element"),
        (
            xml('<extension url="a">' * 100 + "</extension>" * 100),
            Malformed,
            (),
            "deeper than 64",
        ),
        (
            xml(f"<text>{DIV}" + "<b>" * 10_000 + "</b>" * 10_000 + "</div></text>"),
            Malformed,
            (),
            "deeper than 64",
        ),
    ],
)
def test_what_fhir_xml_forbids_is_refused(
    document: bytes, kind: type[FhirError], path: tuple[str, ...], fragment: str
) -> None:
    with pytest.raises(kind) as caught:
        from_xml(document)
    assert fragment in str(caught.value)
    assert caught.value.issues[0].expression == path


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ({"resourceType": "Foo"}, "resourceType"),
        ({}, "resourceType"),
        ({"resourceType": "Patient", "foo": 1}, "Patient.foo"),
        ({"resourceType": "Patient", "name": [{"foo": 1}]}, "Patient.name.foo"),
        ({"resourceType": "Patient", "name": {}}, "Patient.name"),
        ({"resourceType": "Patient", "name": ["a"]}, "Patient.name"),
        ({"resourceType": "Patient", "name": [None]}, "Patient.name"),
        ({"resourceType": "Patient", "maritalStatus": []}, "Patient.maritalStatus"),
        ({"resourceType": "Patient", "active": {}}, "Patient.active"),
        ({"resourceType": "Patient", "_active": 1}, "Patient._active"),
        ({"resourceType": "Patient", "_name": []}, "Patient._name"),
        ({"resourceType": "Patient", "name": [{"given": "a"}]}, "Patient.name.given"),
        ({"resourceType": "Patient", "contained": [{}]}, "Patient.contained"),
        ({"resourceType": "Patient", "id": "\ufffe"}, "Patient.id"),
        ({"resourceType": "Patient", "id": "\x00"}, "Patient.id"),
        ({"resourceType": "Patient", "extension": [{"url": "\x01"}]}, "Patient.extension"),
    ],
)
def test_what_xml_cannot_carry_is_not_written(resource: JsonObject, path: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        to_xml(resource)
    assert caught.value.issues[0].expression[0].startswith(path)


@pytest.mark.skipif(not EXAMPLES, reason="the shared data is not there")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_back_unchanged(path: Path) -> None:
    resource = wire.loads(path.read_bytes(), max_depth=64)
    assert exact(from_xml(to_xml(resource))) == exact(resource)
    assert exact(from_xml(to_xml(resource, pretty=True))) == exact(resource)


@pytest.mark.skipif(not EXAMPLES, reason="the shared data is not there")
@pytest.mark.parametrize("name", TWINS)
def test_the_xml_and_the_json_of_one_example_are_equal(name: str) -> None:
    twin = wire.loads((SUITE / f"{name}.json").read_bytes(), max_depth=64)
    assert exact(from_xml((SUITE / f"{name}.xml").read_bytes())) == exact(twin)
