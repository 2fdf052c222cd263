"""XML Patch: RFC 5261 over FHIR's XML form."""

from copy import deepcopy
from typing import Any

import pytest

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    Malformed,
    MissingElement,
    NotSupported,
    TooCostly,
    Unprocessable,
)
from fhir_server.core.types import JsonObject
from fhir_server.interactions.patching import xml_patch

# ruff: noqa: E501  a row is read as a row

DIV = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class='a'>x &#39;y</p></div>"
NAMES = [{"use": "official", "given": ["x", "y"]}, {"use": "nickname", "given": ["z"]}]


def patient(**elements: Any) -> JsonObject:
    return {"resourceType": "Patient", **elements}


def diff(operations: str, declared: str = 'xmlns:f="http://hl7.org/fhir"') -> bytes:
    return f"<diff {declared}>\n {operations}\n</diff>".encode()


def patch(before: JsonObject, document: bytes) -> JsonObject:
    copy = deepcopy(before)
    found = xml_patch.apply(before, xml_patch.read_patch(document))
    assert before == copy
    return found


@pytest.mark.parametrize(
    ("before", "operations", "after"),
    [
        # 4.3 add
        (patient(), '<add sel="f:Patient"><f:active value="true"/></add>', patient(active=True)),
        (patient(), '<add sel="/f:Patient"> <f:active value="true"/> </add>',
         patient(active=True)),
        (patient(name=NAMES[1:]),
         '<add sel="f:Patient/f:name" pos="before"><f:name><f:text value="t"/></f:name></add>',
         patient(name=[{"text": "t"}, NAMES[1]])),
        (patient(name=NAMES[1:]),
         '<add sel="*/f:name[1]" pos="after"><f:name><f:text value="t"/></f:name></add>',
         patient(name=[NAMES[1], {"text": "t"}])),
        (patient(name=NAMES[1:]),
         '<add sel="f:Patient/f:name" pos="prepend"><f:given value="w"/><f:given value="v"/></add>',
         patient(name=[{"use": "nickname", "given": ["w", "v", "z"]}])),
        (patient(birthDate="2020"), '<add sel="f:Patient/f:birthDate" type="@id">b</add>',
         patient(birthDate="2020", _birthDate={"id": "b"})),
        # 4.4 replace
        (patient(birthDate="2020"),
         '<replace sel="f:Patient/f:birthDate"><f:birthDate value="2021"/></replace>',
         patient(birthDate="2021")),
        (patient(birthDate="2020"),
         '<replace sel="f:Patient/f:birthDate/@value">2021</replace>', patient(birthDate="2021")),
        (patient(name=NAMES),
         '<replace sel="f:Patient/f:name[f:use/@value=\'nickname\']/f:given/@value">w</replace>',
         patient(name=[NAMES[0], {"use": "nickname", "given": ["w"]}])),
        # 4.5 remove
        (patient(name=NAMES), '<remove sel="f:Patient/f:name[2]"/>', patient(name=NAMES[:1])),
        (patient(name=NAMES),
         '<remove sel="f:Patient/f:name[1]/f:given[@value=&quot;x&quot;]" ws="both"/>',
         patient(name=[{"use": "official", "given": ["y"]}, NAMES[1]])),
        (patient(birthDate="2020", _birthDate={"id": "b"}),
         '<remove sel="f:Patient/f:birthDate/@id"/>', patient(birthDate="2020")),
        # One after the other; comments are nothing; the narrative is as it was.
        (patient(text={"status": "generated", "div": DIV}),
         '<!-- c --><add sel="f:Patient"><f:active value="true"/></add><replace sel="f:Patient/f:active/@value">false</replace>',
         patient(text={"status": "generated", "div": DIV}, active=False)),
    ],
)  # fmt: skip
def test_an_operation(before: JsonObject, operations: str, after: JsonObject) -> None:
    assert patch(before, diff(operations)) == after


@pytest.mark.parametrize("declared", ['xmlns="http://hl7.org/fhir"', ""])
def test_a_bare_name_is_fhirs(declared: str) -> None:
    document = diff('<replace sel="Patient/birthDate/@value">2021</replace>', declared)
    assert patch(patient(birthDate="2020"), document) == patient(birthDate="2021")


def test_a_narrative_can_be_changed() -> None:
    document = diff(
        '<replace sel="f:Patient/f:text/h:div/h:p"><h:p>new</h:p></replace>',
        'xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"',
    )
    after = patch(patient(text={"status": "generated", "div": DIV}), document)
    assert after["text"]["div"].endswith("<p>new</p></div>")


@pytest.mark.parametrize(
    "operation",
    [
        '<remove sel="f:Patient/f:photo"/>',
        '<remove sel="f:Patient/f:name"/>',
        '<remove sel="f:Patient"/>',
        '<remove sel="f:Patient/f:birthDate/@id"/>',
        '<replace sel="f:Patient/f:birthDate/@id">a</replace>',
        '<replace sel="f:Patient/f:birthDate"/>',
        '<replace sel="f:Patient"><f:Patient/></replace>',
        '<replace sel="f:Patient/f:birthDate/@value"><f:x/></replace>',
        '<add sel="f:Patient/f:birthDate" type="@value">a</add>',
        '<add sel="f:Patient/f:birthDate" type="@">a</add>',
        '<add sel="f:Patient/f:birthDate/@value">a</add>',
        '<add sel="f:Patient">text</add>',
        '<add sel="f:Patient" pos="before"><f:x/></add>',
        '<remove sel="f:Group"/>',
        '<remove sel="f:birthDate"/>',
    ],
)
def test_an_operation_that_does_not_fit(operation: str) -> None:
    document = diff('<add sel="f:Patient"><f:gender value="male"/></add>' + operation)
    with pytest.raises(Unprocessable) as caught:
        patch(patient(birthDate="2020", name=NAMES), document)
    assert caught.value.issues[0].expression == ("diff[1]",)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (b"", Malformed),
        (b"{}", Malformed),
        (b"<diff>", Malformed),
        (b"<patch/>", BadValue),
        (diff("<move sel='f:a'/>"), BadValue),
        (diff("<remove/>"), MissingElement),
        (diff("<remove sel=''/>"), MissingElement),
        (diff('<add sel="f:Patient" type="namespace::p">urn:x</add>'), NotSupported),
        (diff('<add sel="f:Patient" pos="inside"/>'), NotSupported),
        (diff('<remove sel="g:Patient"/>'), BadValue),
        (diff('<remove sel="f:Patient[g:a=&quot;1&quot;]"/>'), BadValue),
        (diff('<remove sel="//f:name"/>'), BadValue),
        (diff('<remove sel="f:Patient//f:name"/>'), BadValue),
        (diff('<remove sel="f:Patient/../f:a"/>'), BadValue),
        (diff('<remove sel="f:Patient/text()"/>'), BadValue),
        (diff('<remove sel="f:Patient/ancestor::*"/>'), BadValue),
        (diff('<remove sel="f:Patient[count(//*)=1]"/>'), BadValue),
        (diff('<remove sel="document(&quot;file:///etc/passwd&quot;)"/>'), BadValue),
        (diff('<remove sel="f:Patient | f:Group"/>'), BadValue),
        (diff('<remove sel="f:Patient/@id/@value"/>'), BadValue),
        (diff('<remove sel="f:Patientf:name"/>'), BadValue),
        (diff(f'<remove sel="f:{"a" * 3000}"/>'), BadValue),
        (diff(f'<remove sel="{"/f:a" * 65}"/>'), BadValue),
        (b'<!DOCTYPE diff [<!ENTITY a "b">]><diff>&a;</diff>', Malformed),
        (b'<!DOCTYPE diff SYSTEM "file:///etc/passwd"><diff/>', Malformed),
        (diff("<remove sel='f:a'/>" * (xml_patch.MAX_OPERATIONS + 1)), TooCostly),
        (diff("<remove sel='f:a'/>").decode().encode("utf-16"), Malformed),
    ],
)
def test_what_is_no_patch(document: bytes, kind: type[FhirError]) -> None:
    with pytest.raises(kind):
        xml_patch.read_patch(document)


@pytest.mark.parametrize(
    "operation",
    [
        '<add sel="f:Patient"><f:foo value="a"/></add>',
        '<add sel="f:Patient"><active xmlns="urn:x" value="true"/></add>',
        '<add sel="f:Patient" type="@x">a</add>',
        '<remove sel="f:Patient/f:birthDate/@value"/>',
    ],
)
def test_what_comes_out_is_a_resource(operation: str) -> None:
    with pytest.raises(Malformed):
        patch(patient(birthDate="2020"), diff(operation))
