"""International Patient Access: the seeds as a patient's app reads them.

Every search is made of what the patient's own resources say, as a conformance suite does, and
what comes back is judged by those resources.

https://hl7.org/fhir/uv/ipa/STU1/CapabilityStatement-ipa-server.html
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from fhir_server.access.principal import Principal
from fhir_server.app import Application
from fhir_server.settings import Settings
from fhir_server.store.mongo.client import Client as Connection
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from tests.support.fhir import JsonObject
from tests.support.minted import mint
from tests.support.running import Running
from tests.unit.seeds.bundles import bundles, references, resources

pytestmark = pytest.mark.anyio

NAME: Final = f"ipa_{uuid4().hex[:12]}"
SCOPES: Final = "launch/patient openid fhirUser offline_access patient/*.rs"
PATIENTS: Final = {  # whose record shows the type
    "Patient": "anna-ivanova-ru",
    "AllergyIntolerance": "ivan-ivanov-ru",
    "Condition": "nikolai-ivanov-ru",
    "DocumentReference": "anna-ivanova-ru",
    "Immunization": "sofia-ivanova-ru",
    "MedicationRequest": "nikolai-ivanov-ru",
    "MedicationStatement": "nikolai-ivanov-ru",
    "Observation": "anna-ivanova-ru",
}
SEARCHES: Final = {  # IPA-10 to IPA-17, joined by +
    "Patient": (
        *("_id", "identifier", "birthdate", "family", "gender", "given", "name"),
        *("family+gender", "birthdate+family", "birthdate+name", "gender+name"),
    ),
    "AllergyIntolerance": ("patient", "patient+clinical-status"),
    "Condition": (
        *("patient", "patient+clinical-status", "patient+category", "patient+code"),
        *("patient+category+clinical-status", "patient+onset-date"),
    ),
    "DocumentReference": (
        *("patient", "_id", "patient+category", "patient+category+date", "patient+type"),
        *("patient+contenttype", "patient+status", "patient+type+date", "patient+type+period"),
    ),
    "Immunization": ("patient", "patient+date", "patient+status"),
    "MedicationRequest": (
        *("patient", "patient+category", "patient+code", "patient+intent"),
        *("patient+intent+authoredon", "patient+intent+status"),
    ),
    "MedicationStatement": ("patient", "patient+status"),
    "Observation": (
        *("patient+category", "patient+code", "patient+category+date"),
        *("patient+category+status", "patient+code+date"),
    ),
}
ELEMENTS: Final = {
    "_id": "id",
    "identifier": "identifier",
    "birthdate": "birthDate",
    "family": "name.family",
    "given": "name.given",
    "name": "name.family",
    "gender": "gender",
    "patient": "patient",
    "clinical-status": "clinicalStatus",
    "category": "category",
    "code": "code",
    "onset-date": "onsetDateTime",
    "type": "type",
    "contenttype": "content.attachment.contentType",
    "status": "status",
    "intent": "intent",
    "authoredon": "authoredOn",
    "period": "context.period.start",
}
OF_TYPE: Final = {
    ("DocumentReference", "date"): "date",
    ("Immunization", "date"): "occurrenceDateTime",
    ("Observation", "date"): "effectiveDateTime",
    ("MedicationRequest", "code"): "medicationCodeableConcept",
}
BY_READING: Final = ("Medication", "Practitioner", "PractitionerRole")
IDS: Final = {
    "Patient": "IPA-10",
    "AllergyIntolerance": "IPA-11",
    "Condition": "IPA-12",
    "DocumentReference": "IPA-13",
    "Immunization": "IPA-14",
    "MedicationRequest": "IPA-15",
    "MedicationStatement": "IPA-16",
    "Observation": "IPA-17",
}
ROWS: Final = [(kind, names.split("+")) for kind, found in SEARCHES.items() for names in found]
NAMES: Final = [f"{IDS[kind]} {kind} {'+'.join(names)}" for kind, names in ROWS]


def said(resource: JsonObject, kind: str, name: str) -> frozenset[str]:
    """What `resource` says for the search parameter, in the words of a query."""
    if name == "patient":
        about = resource.get("patient") or resource["subject"]
        return frozenset({about["reference"].partition("/")[2]})
    path = OF_TYPE.get((kind, name)) or ELEMENTS[name]
    return frozenset(_words(resource, path))


def _words(value: Any, path: str) -> Iterator[str]:
    head, _, rest = path.partition(".")
    for each in value if isinstance(value, list) else [value]:
        if path:
            if head in each:
                yield from _words(each[head], rest)
        elif isinstance(each, dict):
            codings = each.get("coding", [each])
            yield from (f"{c['system']}|{c.get('code', c.get('value'))}" for c in codings)
        else:
            yield str(each)


def own(kind: str, patient: str) -> list[JsonObject]:
    """What the seeds have of a patient."""
    if kind == "Patient":
        return [each for each in resources(kind) if each["id"] == patient]
    return [each for each in resources(kind) if patient in said(each, kind, "patient")]


def example(kind: str, names: list[str]) -> tuple[JsonObject, dict[str, str]]:
    """A seed of the type's patient, and the values that it has."""
    patient = PATIENTS[kind]
    for each in own(kind, patient):
        if all(said(each, kind, name) for name in names):
            return each, {name: min(said(each, kind, name)) for name in names}
    raise LookupError(kind)


async def loaded(settings: Settings) -> None:
    application = Application(settings, None)
    async with application.running():
        for name, bundle in bundles().items():
            if name.endswith("-ru.json") and "schedules" not in name:
                await application.transaction(deepcopy(bundle))  # references are resolved in it
        await application.transaction(_provenances())


def _provenances() -> JsonObject:
    """Of one resource of each type: who wrote it."""
    entry = []
    for kind, patient in PATIENTS.items():
        about, _ = example(kind, ["_id"])
        targets = {f"{kind}/{about['id']}": None, f"Patient/{patient}": None}
        resource = {
            "resourceType": "Provenance",
            "id": f"of-{kind.lower()}",
            "target": [{"reference": each} for each in targets],
            "recorded": "2026-01-05T10:00:00Z",
            "agent": [{"who": {"reference": "Practitioner/dr-sokolova"}}],
        }
        url = f"Provenance/{resource['id']}"
        entry.append({"resource": resource, "request": {"method": "PUT", "url": url}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entry}


@pytest.fixture(scope="module")
def running(mongodb_uri: str) -> Iterator[Running]:
    settings = Settings(
        mongodb_uri=SecretStr(mongodb_uri), database=NAME, seed=False, log_level="WARNING"
    )
    asyncio.run(loaded(settings))
    with Running(settings) as found:
        yield found


@dataclass
class App:
    """An app of patients: a token of each."""

    http: httpx.AsyncClient
    state: MongoSmart

    async def token(self, patient: str) -> str:
        who = Principal("app", (), patient=patient, user=f"Patient/{patient}", account="a")
        return await mint(self.state, who, SCOPES)

    async def get(self, path: str, token: str, **query: str) -> JsonObject:
        headers = {"Authorization": f"Bearer {token}"}
        response = await self.http.get(path, headers=headers, params=query or None)
        assert response.status_code == 200, (path, query, response.text)
        found: JsonObject = response.json()
        return found

    async def found(
        self, kind: str, token: str, mode: str = "match", **query: str
    ) -> list[JsonObject]:
        """Every page, following `next`."""
        page = await self.get(kind, token, **query)
        rows: list[JsonObject] = []
        for _ in range(20):
            entries = page.get("entry", ())
            rows += [each["resource"] for each in entries if each["search"]["mode"] == mode]
            links = {each["relation"]: each["url"] for each in page["link"]}
            if "next" not in links:
                return rows
            page = await self.get(links["next"], token)
        raise AssertionError(kind)


@pytest.fixture
async def app(running: Running, mongodb_client: Connection) -> AsyncIterator[App]:
    state = MongoSmart(mongodb_client[NAME], Seal(None))
    async with httpx.AsyncClient(base_url=running.base_url, timeout=60) as http:
        yield App(http, state)


@pytest.mark.parametrize(("kind", "names"), ROWS, ids=NAMES)
async def test_ipa_20_a_search_finds_what_it_says(
    app: App, kind: str, names: list[str]
) -> None:
    about, query = example(kind, names)
    patient = PATIENTS[kind]
    # A day equals what lies within it, and the period is longer.
    asked = {name: f"ge{v}" if name == "period" else v for name, v in query.items()}
    found = await app.found(kind, await app.token(patient), **asked)
    ids = {each["id"] for each in found}
    assert about["id"] in ids
    query.pop("period", None)
    wanted = {
        each["id"]
        for each in own(kind, patient)
        if all(value in said(each, kind, name) for name, value in query.items())
    }
    assert ids <= wanted
    assert ids == wanted or "period" in names
    for each in found:
        for name, value in query.items():
            assert value in said(each, kind, name), (name, each["id"])


@pytest.mark.parametrize("kind", PATIENTS)
async def test_ipa_10_to_17_a_resource_is_read(app: App, kind: str) -> None:
    about, _ = example(kind, ["_id"])
    found = await app.get(f"{kind}/{about['id']}", await app.token(PATIENTS[kind]))
    assert (found["resourceType"], found["id"]) == (kind, about["id"])


@pytest.mark.parametrize("kind", BY_READING)
async def test_ipa_18_a_directory_is_read(app: App, kind: str) -> None:
    about = next(iter(resources(kind)))
    token = await app.token("anna-ivanova-ru")
    assert (await app.get(f"{kind}/{about['id']}", token))["id"] == about["id"]


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
async def test_ipa_15_ipa_16_a_search_brings_its_medications(app: App, kind: str) -> None:
    token, patient = await app.token(PATIENTS[kind]), PATIENTS[kind]
    query = {"patient": patient, "_include": f"{kind}:medication"}
    wanted = {
        each["medicationReference"]["reference"]
        for each in await app.found(kind, token, patient=patient)
        if each.get("medicationReference", {}).get("reference", "#")[0] != "#"
    }
    brought = await app.found(kind, token, "include", **query)
    assert {f"Medication/{each['id']}" for each in brought} == wanted
    assert wanted


@pytest.mark.parametrize("kind", PATIENTS)
async def test_ipa_19_a_search_brings_who_wrote_it(app: App, kind: str) -> None:
    about, query = example(kind, ["_id"])
    token = await app.token(PATIENTS[kind])
    more = {"_revinclude": "Provenance:target"}
    brought = await app.found(kind, token, "include", **query, **more)
    targets = [each["reference"] for row in brought for each in row["target"]]
    assert f"of-{kind.lower()}" in [each["id"] for each in brought]
    assert targets.count(f"{kind}/{about['id']}") == len(brought)


@pytest.mark.parametrize("kind", [each for each in PATIENTS if each != "Patient"])
async def test_ipa_21_a_patient_is_named_with_and_without_the_type(app: App, kind: str) -> None:
    patient = PATIENTS[kind]
    token = await app.token(patient)
    short = await app.found(kind, token, patient=patient, _count="20")
    long = await app.found(kind, token, patient=f"Patient/{patient}", _count="20")
    assert [each["id"] for each in short] == [each["id"] for each in long]
    assert short


@pytest.mark.parametrize(
    ("kind", "names"), [row for row in ROWS if {"code", "category"} & {*row[1]}]
)
async def test_ipa_21_a_code_is_found_without_its_system(
    app: App, kind: str, names: list[str]
) -> None:
    about, query = example(kind, names)
    bare = {name: value.rpartition("|")[2] for name, value in query.items()}
    found = await app.found(kind, await app.token(PATIENTS[kind]), **bare)
    assert about["id"] in [each["id"] for each in found]


@pytest.mark.parametrize("kind", PATIENTS)
async def test_ipa_23_what_is_referred_to_can_be_read(app: App, kind: str) -> None:
    patient = PATIENTS[kind]
    token = await app.token(patient)
    query = {"_id": patient} if kind == "Patient" else {"patient": patient}
    found = await app.found(kind, token, **query)
    # The record that a patient's is linked with takes an authorization of its own.
    named = {
        each
        for resource in found
        for each in references({k: v for k, v in resource.items() if k != "link"})
        if not each.startswith(("#", "urn:", "http"))
    }
    assert named
    for each in named:
        await app.get(each, token)


async def test_ipa_25_self_says_what_was_done(app: App) -> None:
    token, patient = await app.token("anna-ivanova-ru"), "anna-ivanova-ru"
    query = {"patient": patient, "category": "vital-signs", "date": "ge2020", "_count": "3"}
    page = await app.get("Observation", token, **query)
    links = {each["relation"]: each["url"] for each in page["link"]}
    assert dict(parse_qsl(urlsplit(links["self"]).query)) == query
    headers = {"Authorization": f"Bearer {token}"}
    unknown = {"patient": patient, "colour": "red"}
    strict = await app.http.get("Observation", params=unknown, headers=headers)
    assert strict.status_code == 400
    headers["Prefer"] = "handling=lenient"
    lenient = (await app.http.get("Observation", params=unknown, headers=headers)).json()
    links = {each["relation"]: each["url"] for each in lenient["link"]}
    assert dict(parse_qsl(urlsplit(links["self"]).query)) == {"patient": patient}


async def test_ipa_26_what_is_not_offered_is_not_advertised(app: App) -> None:
    statement = (await app.http.get("metadata")).json()
    rows = {row["type"]: row for row in statement["rest"][0]["resource"]}
    names = [each["name"] for each in rows["DocumentReference"]["operation"]]
    assert "docref" not in names
    token = await app.token("anna-ivanova-ru")
    response = await app.http.get(
        "DocumentReference/$docref", headers={"Authorization": f"Bearer {token}"}
    )
    assert response.status_code == 404


async def test_ipa_27_what_is_anothers_is_not_there(app: App) -> None:
    token = await app.token("anna-ivanova-ru")
    for kind in PATIENTS:
        if kind != "Patient":
            assert await app.found(kind, token, patient="nikolai-ivanov-ru") == []
    shown = await app.found("Patient", token, gender="female")
    assert [each["id"] for each in shown] == ["anna-ivanova-ru"]


async def test_ipa_28_discovery_with_and_without_a_token(app: App) -> None:
    token = await app.token("anna-ivanova-ru")
    for path in ("metadata", ".well-known/smart-configuration"):
        for value in ("", f"Bearer {token}", "Bearer expired"):
            headers = {"Authorization": value} if value else {}
            response = await app.http.get(path, headers=headers)
            assert response.status_code == 200, (path, value)


async def test_ipa_01_caps_01_05_06_07_disc_11_what_the_server_says(app: App) -> None:
    statement = (await app.http.get("metadata")).json()
    assert (statement["resourceType"], statement["fhirVersion"]) == (
        "CapabilityStatement",
        "4.0.1",
    )
    assert "application/fhir+json" in statement["format"]
    server = "http://hl7.org/fhir/uv/ipa/CapabilityStatement/ipa-server"
    assert server in statement["instantiates"]
    profiles = {
        row["type"]: row["supportedProfile"]
        for row in statement["rest"][0]["resource"]
        if "supportedProfile" in row
    }
    assert profiles.keys() >= {*PATIENTS, *BY_READING}
    start = "http://hl7.org/fhir/uv/ipa/StructureDefinition/ipa-"
    for kind, found in profiles.items():
        is_of_ipa = kind in {*PATIENTS, *BY_READING}
        assert (f"{start}{kind.lower()}" in found) == is_of_ipa
    assert f"{start}problem-list-item" in profiles["Condition"]
    said = (await app.http.get(".well-known/smart-configuration")).json()
    assert set(said["capabilities"]) >= {
        *("launch-standalone", "context-standalone-patient", "permission-patient"),
        *("permission-offline", "sso-openid-connect", "client-public"),
        "client-confidential-asymmetric",
    }
