"""What a client stores is what it reads: digits, order and extensions, by JSON and by XML.

https://hl7.org/fhir/R4/json.html
https://hl7.org/fhir/R4/xml.html
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

SHARED: Final = Path(
    os.environ.get("FHIR_SHARED_DATA", Path(__file__).parents[4] / "shared/data")
)
EXAMPLES: Final = sorted((SHARED / "examples").glob("*.json"))
SYNTHEA: Final = (
    "0-practitionerInformation1625911868739.json",
    "0-hospitalInformation1625911868739.json",
    "9a174f9e-ed67-6617-0106-745fb1f9a344.json",
)
BROKEN: Final = {
    "Questionnaire-qs1.json": "a nested item has no linkId, which is 1..1",
    "DeviceUseStatement-example.json": "reasonReference is to a Procedure",
    "MedicationRequest-medrx0301.json": "dispenseRequest.performer is to a Practitioner",
    "DeviceMetric-example.json": "parent is to a DeviceDefinition, R4 says Device",
}
"""Examples that break the rules of R4, and how; each is refused."""

JSON: Final = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
XML: Final = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}

OWN: Final = {
    "digits": """{"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "component": [
            {"code": {"text": "a"}, "valueQuantity": {"value": 1.10}},
            {"code": {"text": "b"}, "valueQuantity": {"value": 1e3}},
            {"code": {"text": "c"}, "valueQuantity": {"value": 0.000}},
            {"code": {"text": "d"}, "valueQuantity": {"value": -0.0}},
            {"code": {"text": "e"}, "valueQuantity": {"value": 12345678901234567890}},
            {"code": {"text": "f"}, "valueQuantity": {"value": 1.234567890123456789E-7}},
            {"code": {"text": "g"}, "valueQuantity": {"value": 100.00}}]}""",
    "extensions of primitives": """{"resourceType": "Patient",
        "_birthDate": {"extension": [
            {"url": "urn:e", "valueDateTime": "1970-03-30T01:02:03.045Z"}]},
        "birthDate": "1970-03-30",
        "_gender": {"id": "g", "extension": [{"url": "urn:unknown", "valueCode": "x"}]},
        "name": [{"given": ["A", null, "C"],
            "_given": [null, {"extension": [
                {"url": "urn:e", "valueString": "B"}]}, {"id": "c"}]}]}""",
    "order and words": """{"resourceType": "Patient", "active": false,
        "name": [{"given": ["Їжак  Ґ", "\\u0451\\ud83d\\ude00"],
            "family": "  O'Neil \\"<&>\\" \\\\ / \\t"}],
        "deceasedBoolean": false, "multipleBirthInteger": 0,
        "text": {"status": "generated", "div":
            "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">1 &lt; 2 &amp;&#160;y</div>"}}""",
    "contained": """{"resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "contained": [{"resourceType": "Medication", "id": "m",
            "ingredient": [{"itemCodeableConcept": {"text": "x"},
                "strength": {"numerator": {"value": 5.0}, "denominator": {"value": 1}}}]}],
        "medicationReference": {"reference": "#m"}, "subject": {"reference": "Patient/rt1"}}""",
    "meta": """{"resourceType": "Basic", "code": {"text": "x"}, "implicitRules": "urn:rules",
        "language": "uk", "meta": {"source": "urn:s", "profile": ["urn:p"],
            "security": [{"system": "urn:x", "code": "y"}], "tag": [{"code": "z",
            "display": "Z"}],
            "extension": [{"url": "urn:m", "valueBase64Binary": "AAEC"}]}}""",
    "resources in resources": """{"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:8ad2ed1e-6a47-4b8c-9b2b-6a6a1d1d8f63",
            "resource": {"resourceType": "Patient", "id": "kept", "meta": {"versionId": "7"}}},
        {"resource": {"resourceType": "Parameters", "parameter": [
            {"name": "a", "valueDecimal": 2.50},
            {"name": "b", "resource": {"resourceType": "Basic", "code": {"text": "c"}}},
            {"name": "d", "part": [{"name": "e", "valueTime": "12:00:00.500"}]}]}}]}""",
}


class Number(str):
    """A number by its digits."""

    __slots__ = ()


def exact(text: str) -> Any:
    """JSON with its digits and the order of its keys."""
    return json.loads(text, parse_float=Number, parse_int=Number)


def body(resource: dict[str, Any]) -> dict[str, Any]:
    """What of a resource is the client's."""
    meta = {
        key: value
        for key, value in resource.get("meta", {}).items()
        if key not in ("versionId", "lastUpdated")
    }
    kept = {key: value for key, value in resource.items() if key not in ("id", "meta")}
    return kept | ({"meta": meta} if meta else {})


def in_order(value: Any) -> Any:
    """`value` as a thing that differs when keys change places, those of resources aside."""
    if isinstance(value, dict):
        return [(key, in_order(each)) for key, each in value.items() if key != "meta"]
    if isinstance(value, list):
        return [in_order(each) for each in value]
    return value


def posted(fhir: httpx.Client, kind: str, text: str, headers: dict[str, str]) -> str:
    """The path of what was made."""
    answer = fhir.post(f"/{kind}", content=text.encode(), headers=headers)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location.partition("/fhir")[2].partition("/_history")[0]


def got(fhir: httpx.Client, path: str, headers: dict[str, str]) -> str:
    answer = fhir.get(path, headers={"Accept": headers["Accept"]})
    assert answer.status_code == 200, answer.text
    return answer.content.decode()


def check(fhir: httpx.Client, text: str) -> None:
    given = exact(text)
    path = posted(fhir, given["resourceType"], text, JSON)
    read = exact(got(fhir, path, JSON))
    assert body(read) == body(given)
    assert in_order(body(read)) == in_order(body(given))
    again = posted(fhir, given["resourceType"], got(fhir, path, XML), XML)
    assert body(exact(got(fhir, again, JSON))) == body(given)


@pytest.mark.parametrize("name", OWN)
def test_a_resource_of_ours_comes_back_unchanged(fhir: httpx.Client, name: str) -> None:
    check(fhir, OWN[name])


@pytest.mark.skipif(not EXAMPLES, reason="the shared examples are not here")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_of_the_standard_comes_back_unchanged(
    fhir: httpx.Client, path: Path
) -> None:
    text = path.read_text()
    if path.name in BROKEN:
        kind = path.name.partition("-")[0]
        assert fhir.post(f"/{kind}", content=text, headers=JSON).status_code in (400, 422)
    else:
        check(fhir, text)


@pytest.mark.skipif(
    not (SHARED / "synthea").is_dir(), reason="the Synthea bundles are not here"
)
def test_synthea_bundles_load(fhir: httpx.Client) -> None:
    """Hospitals and practitioners first: a patient's bundle refers to them by conditions."""
    for name in SYNTHEA:
        bundle = (SHARED / "synthea" / name).read_text()
        answer = fhir.post("", content=bundle.encode(), headers=JSON)
        assert answer.status_code == 200, answer.text[:2000]
        statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
        assert len(statuses) == len(exact(bundle)["entry"])
        assert set(statuses) <= {"200", "201"}
