"""User-access brands: what apps show people, and that it obeys the profiles.

https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fhir_server.fhirpath import compile as compiled
from fhir_server.smart import brands
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation.validator import Validator
from tests.support.smart import BASE, ISSUER, Smart, client_of

pytestmark = pytest.mark.anyio

PATH = "/auth/brands"
RODNIK = {
    "id": "rodnik",
    "name": "Поликлиника «Родник»",
    "website": "https://www.rodnik.example/about",
    "aliases": ["Городская поликлиника № 7"],
    "logo": "https://rodnik.example/logo.svg",
    "logo_license": "https://rodnik.example/logo.html",
    "categories": ["clinical", "laboratory"],
    "addresses": [{"city": "Казань", "postalCode": "420111"}, {"state": "Татарстан"}],
    "portals": [
        {
            "name": "Кабинет",
            "description": "Для пациентов поликлиники.",
            "url": "https://my.rodnik.example/",
            "logo": "data:image/svg+xml;base64,PHN2Zy8+",
        }
    ],
}
KALYNA = {
    "id": "kalyna",
    "name": "Клініка «Калина»",
    "website": "asked-unknown",
    "identifiers": [{"system": "https://edr.example", "value": "12345678"}],
    "part_of": "rodnik",
}
LAB = {"id": "lab", "name": "Lab", "website": "https://lab.example"}
FILE = {"developers": "https://rodnik.example/developers", "brands": [RODNIK, KALYNA, LAB]}

UAB_1 = (
    "extension('http://hl7.org/fhir/StructureDefinition/organization-portal')"
    ".extension.where(url = 'portalEndpoint').value.reference"
    ".subsetOf(%resource.endpoint.reference)"
)
"""Portal endpoints must also appear at Organization.endpoint."""


def published(given: object = FILE) -> brands.Brands:
    return brands.read(
        given, address=BASE, base=f"{ISSUER}{PATH}", updated="2026-02-01T10:00:00.000Z"
    )


def branded(smart: Smart, given: object = FILE) -> Smart:
    return smart.with_policy(brands=published(given))


def resources(bundle: Any, kind: str) -> list[Any]:
    found = (each["resource"] for each in bundle["entry"])
    return [each for each in found if each["resourceType"] == kind]


def extensions(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.get("extension", ())
        for each in value.values():
            yield from extensions(each)
    elif isinstance(value, list):
        for each in value:
            yield from extensions(each)


async def test_brd_01_cors_10_anybody_reads_the_bundle(smart: Smart) -> None:
    http = branded(smart).http
    response = await http.get(PATH, headers={"Origin": "https://any.example"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["etag"].startswith('W/"')
    assert "ETag" in response.headers["access-control-expose-headers"]
    assert response.json() == published().bundle


async def test_brd_02_the_bundle_is_a_collection() -> None:
    bundle = published().bundle
    assert (bundle["type"], bundle["timestamp"]) == ("collection", "2026-02-01T10:00:00.000Z")
    assert [each["resource"]["resourceType"] for each in bundle["entry"]] == [
        *["Organization"] * 3,
        "Endpoint",
    ]
    issues = Validator(Terminology()).validate(bundle, "Bundle")
    assert [each for each in issues if each.severity in ("error", "fatal")] == []


async def test_brd_03_brands_obey_their_profile() -> None:
    bundle = published().bundle
    known = {f"Endpoint/{each['id']}" for each in resources(bundle, "Endpoint")}
    for brand in resources(bundle, "Organization"):
        assert brand["name"]
        (website,) = brand["telecom"]
        assert website["system"] == "url"
        assert compiled(UAB_1, strict=False).holds(brand)
        for each in brand.get("endpoint", ()):
            assert each["reference"] in known
    rodnik, kalyna, lab = resources(bundle, "Organization")
    assert kalyna["partOf"] == {"reference": "Organization/rodnik"}
    assert "endpoint" not in kalyna
    assert "extension" not in lab
    parts = {each["url"] for each in rodnik["extension"][1]["extension"]}
    assert parts == {
        *("portalName", "portalDescription", "portalUrl", "portalLogo", "portalEndpoint")
    }
    assert rodnik["address"][0] == {"city": "Казань", "postalCode": "420111"}
    assert [each["coding"][0]["code"] for each in rodnik["type"]] == ["clinical", "laboratory"]


async def test_brd_04_the_endpoint_obeys_its_profile() -> None:
    bundle = published().bundle
    (endpoint,) = resources(bundle, "Endpoint")
    assert endpoint["address"] == BASE
    assert endpoint["connectionType"]["code"] == "hl7-fhir-rest"
    assert endpoint["extension"] == [{"url": brands.FHIR_VERSION, "valueCode": "4.0.1"}]
    assert endpoint["contact"] == [{"system": "url", "value": FILE["developers"]}]
    assert endpoint["payloadType"][0]["coding"][0]["code"] == "none"
    primary = resources(bundle, "Organization")[0]
    assert {"reference": f"Endpoint/{endpoint['id']}"} in primary["endpoint"]


async def test_brd_06_disc_16_discovery_names_the_primary_brand(smart: Smart) -> None:
    said = (await branded(smart).http.get("/fhir/.well-known/smart-configuration")).json()
    assert said["user_access_brand_bundle"] == f"{ISSUER}{PATH}"
    primary = said["user_access_brand_identifier"]
    every = resources(published().bundle, "Organization")
    assert [each["id"] for each in every if primary in each["identifier"]] == ["rodnik"]


async def test_disc_16_without_a_file_nothing_is_said(smart: Smart) -> None:
    said = (await smart.http.get("/fhir/.well-known/smart-configuration")).json()
    assert not [name for name in said if name.startswith("user_access_brand")]
    assert (await smart.http.get(PATH)).status_code == 404


async def test_brd_07_what_has_not_changed_is_not_sent(smart: Smart) -> None:
    http = branded(smart).http
    tag = (await http.get(PATH)).headers["etag"]
    for known in (tag, f'"x", {tag}', "*"):
        response = await http.get(PATH, headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == tag
    changed = branded(smart, {**FILE, "brands": [{**RODNIK, "name": "Новый Родник"}]})
    assert (await changed.http.get(PATH, headers={"If-None-Match": tag})).status_code == 200
    later = replace(published(), bundle=published().bundle | {"timestamp": "2027"})
    assert later.etag == tag


async def test_brd_07_a_brand_is_named_by_its_website() -> None:
    brand = resources(published().bundle, "Organization")[0]
    assert brand["identifier"] == [
        {"system": "urn:ietf:rfc:3986", "value": "https://rodnik.example"}
    ]


async def test_brd_08_what_was_not_told_is_said_to_be_so() -> None:
    absent = [each for each in extensions(published().bundle) if each["url"] == brands.ABSENT]
    assert [each["valueCode"] for each in absent] == ["asked-unknown"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([], id="no object"),
        pytest.param({**FILE, "brands": []}, id="no brand"),
        pytest.param({"brands": [RODNIK]}, id="nothing for developers"),
        pytest.param({**FILE, "colour": "red"}, id="an unknown member"),
        pytest.param({**FILE, "brands": [{**RODNIK, "website": "unknown"}]}, id="BRD-08"),
        pytest.param(
            {**FILE, "brands": [{**RODNIK, "website": "http://x.example"}]}, id="http"
        ),
        pytest.param({**FILE, "brands": [{**RODNIK, "logo": "javascript:x"}]}, id="a script"),
        pytest.param({**FILE, "brands": [{**RODNIK, "categories": ["x"]}]}, id="a category"),
        pytest.param({**FILE, "brands": [RODNIK, RODNIK]}, id="one id twice"),
        pytest.param({**FILE, "brands": [RODNIK, {**RODNIK, "id": "b"}]}, id="BRD-06"),
        pytest.param({**FILE, "brands": [KALYNA, RODNIK]}, id="a part first"),
        pytest.param(
            {**FILE, "brands": [RODNIK, {**LAB, "part_of": "none"}]}, id="a part of nothing"
        ),
        pytest.param(
            {**FILE, "brands": [RODNIK, KALYNA, {**LAB, "part_of": "kalyna"}]}, id="three deep"
        ),
        pytest.param(
            {**FILE, "brands": [{"id": "a", "name": "A", "website": "asked-declined"}]},
            id="nothing to name it by",
        ),
    ],
)
async def test_brd_03_a_file_that_breaks_a_rule_is_refused(given: object) -> None:
    with pytest.raises(brands.BrandError):
        published(given)


async def test_brd_01_a_head_request(smart: Smart) -> None:
    http = client_of(replace(branded(smart).service))
    response = await http.head(PATH)
    assert (response.status_code, response.headers["etag"]) == (200, published().etag)
