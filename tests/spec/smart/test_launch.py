"""EHR launch and launch context.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from fhir_server.assembly.records import StoredRecords
from fhir_server.smart.records import Client
from fhir_server.store.mongo.store import MongoStore
from tests.support.smart import (
    ANNA,
    BASE,
    DOCTOR,
    ISSUER,
    Smart,
    public_jwks,
    said,
)
from tests.support.units import inserted
from tests.support.versions import version

pytestmark = pytest.mark.anyio

LAUNCH_URI = "https://app.example/launch"
SCOPES = "openid fhirUser launch offline_access user/Patient.rs patient/Observation.rs"


async def portal(smart: Smart, **more: Any) -> Client:
    return await smart.client(
        token_endpoint_auth_method="client_secret_basic", permissions=["launch"], **more
    )


async def launch(smart: Smart, app: Client, **body: Any) -> httpx.Response:
    auth = ((await portal(smart)).id, "s3cret")
    return await smart.http.post(
        "/auth/launch", json={"client_id": app.id, "patient": "anna", **body}, auth=auth
    )


async def launched(smart: Smart, app: Client, **body: Any) -> str:
    response = await launch(smart, app, **body)
    assert response.status_code == 201, response.text
    return str(response.json()["launch"])


async def test_ehr_01_to_06_ctx_09_a_launch(smart: Smart) -> None:
    app = await smart.client(launch_uris=[LAUNCH_URI])
    entry = {"reference": "ImagingStudy/1", "type": "ImagingStudy"}
    response = await launch(
        smart,
        app,
        encounter="e1",
        fhirContext=[entry],
        intent="order-review",
        need_patient_banner=False,
        smart_style_url="https://ehr.example/style.json",
        tenant="t7",
    )
    url = response.json()["launch_url"]
    assert url.startswith(LAUNCH_URI)
    arrived = said(url)
    assert arrived["iss"] == BASE
    parked = await smart.parked(app, launch=arrived["launch"], scope=SCOPES)
    assert not parked.needs_patient
    answer = await smart.answer(parked, await smart.decision(DOCTOR))
    body = (await smart.redeem(app, answer["code"])).json()
    assert set(body["scope"].split()) == set(SCOPES.split())
    assert (body["patient"], body["encounter"]) == ("anna", "e1")
    assert body["need_patient_banner"] is False
    assert body["smart_style_url"] == "https://ehr.example/style.json"
    assert (body["intent"], body["tenant"]) == ("order-review", "t7")
    assert body["fhirContext"] == [entry]
    again = (await smart.refresh(app, body["refresh_token"])).json()
    assert (again["patient"], again["encounter"]) == ("anna", "e1")  # CTX-10, CTX-13


async def refused(smart: Smart, app: Client, value: str) -> bool:
    response = await smart.ask(app, launch=value, scope=SCOPES)
    answer = said(response.headers["location"])
    return answer["error"] == "invalid_request" and "code" not in answer


async def test_ehr_10_err_10_a_launch_that_is_none(smart: Smart) -> None:
    app, other = await smart.client(), await smart.client()
    assert await refused(smart, app, "unknown")
    assert await refused(smart, other, await launched(smart, app))
    value = await launched(smart, app)
    smart.clock.tick(300)
    assert await refused(smart, app, value)


async def test_ehr_09_another_audience(smart: Smart) -> None:
    app = await smart.client()
    value = await launched(smart, app)
    other = "https://other.example/fhir"
    response = await smart.ask(app, launch=value, scope=SCOPES, aud=other)
    answer = said(response.headers["location"])
    assert (answer["error"], "code" in answer) == ("invalid_request", False)


async def test_ehr_10_a_launch_is_used_once(smart: Smart) -> None:
    app = await smart.client()
    value = await launched(smart, app)
    first = await smart.parked(app, launch=value, scope=SCOPES)
    second = await smart.parked(app, launch=value, scope=SCOPES)
    assert "code" in await smart.answer(first, await smart.decision(DOCTOR))
    late = await smart.answer(second, await smart.decision(DOCTOR))
    assert late["error"] == "invalid_request"
    assert await refused(smart, app, value)


async def test_ehr_11_without_its_scope_a_launch_tells_nothing(smart: Smart) -> None:
    app = await smart.client()
    value = await launched(smart, app, encounter="e1", tenant="secret")
    parked = await smart.parked(app, launch=value, scope="patient/*.rs")
    assert parked.context.tenant is None
    assert parked.needs_patient


async def test_ehr_12_sa_23_the_scope_without_a_launch(smart: Smart) -> None:
    parked = await smart.parked(await smart.client(), scope="launch patient/*.rs")
    assert parked.needs_patient
    assert "launch" not in parked.request.scopes


async def test_ehr_13_hints_beside_launch(smart: Smart) -> None:
    app = await smart.client()
    value = await launched(smart, app, encounter="e1")
    scope = "launch launch/patient launch/encounter patient/*.rs"
    parked = await smart.parked(app, launch=value, scope=scope)
    answer = await smart.answer(parked)
    assert (await smart.redeem(app, answer["code"])).json()["scope"] == scope


async def test_ehr_14_another_person_signs_in(smart: Smart) -> None:
    app = await smart.client()
    for body in ({"user": "Practitioner/other"}, {"account": "account-other"}):
        value = await launched(smart, app, **body)
        parked = await smart.parked(app, launch=value, scope=SCOPES)
        answer = await smart.answer(parked, await smart.decision(DOCTOR))
        assert answer["error"] == "access_denied"
    value = await launched(smart, app, user="Practitioner/who", account=DOCTOR.account)
    parked = await smart.parked(app, launch=value, scope=SCOPES)
    assert "code" in await smart.answer(parked, await smart.decision(DOCTOR))


async def test_a_launch_opens_no_record_that_a_person_may_not(smart: Smart) -> None:
    app = await smart.client()
    value = await launched(smart, app, patient="carl")
    parked = await smart.parked(app, launch=value, scope=SCOPES)
    assert (await smart.answer(parked))["error"] == "access_denied"


async def test_who_may_create_launches(smart: Smart, rsa_key: RSAKey) -> None:
    app = await smart.client()
    body = {"client_id": app.id, "patient": "anna"}
    assert (await smart.http.post("/auth/launch", json=body)).status_code == 401
    plain = await smart.client(token_endpoint_auth_method="client_secret_basic")
    no = await smart.http.post("/auth/launch", json=body, auth=(plain.id, "s3cret"))
    assert (no.status_code, no.json()["error"]) == (403, "access_denied")
    mis = await smart.client(
        token_endpoint_auth_method="private_key_jwt",
        jwks=public_jwks(rsa_key),
        permissions=["launch"],
    )
    signed = {**body, **smart.assertion(mis, rsa_key)}
    assert (await smart.http.post("/auth/launch", json=signed)).status_code == 201


async def test_staff_create_launches_for_themselves(smart: Smart) -> None:
    app = await smart.client()
    cabinet = await smart.client()
    for subject, status in ((DOCTOR, 201), (ANNA, 403)):
        parked = await smart.parked(cabinet, scope="openid fhirUser user/*.rs")
        answer = await smart.answer(parked, await smart.decision(subject))
        token = (await smart.redeem(cabinet, answer["code"])).json()["access_token"]
        response = await smart.http.post(
            "/auth/launch",
            json={"client_id": app.id, "patient": "anna", "account": "account-other"},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert response.status_code == status
        if status == 201:
            value = response.json()["launch"]
            kept = await smart.parked(app, launch=value, scope=SCOPES)
            assert kept.account == DOCTOR.account


@pytest.mark.parametrize(
    "body",
    [
        {"patient": "Patient/anna"},
        {"patient": 7},
        {"patient": None, "encounter": "e1"},
        {"need_patient_banner": "no"},
        {"smart_style_url": "javascript:x"},
        {"intent": ""},
        {"user": "nobody"},
        {"fhirContext": "ImagingStudy/1"},
        {"fhirContext": ["ImagingStudy/1"]},
        {"fhirContext": [{"type": "ImagingStudy"}]},
        {"fhirContext": [{"reference": "https://x.example/ImagingStudy/1"}]},
        {"fhirContext": [{"reference": "Cat/1"}]},
        {"fhirContext": [{"reference": "Patient/1"}]},
        {"fhirContext": [{"reference": "Encounter/1", "role": "launch"}]},
        {"fhirContext": [{"reference": "List/1", "role": ""}]},
        {"fhirContext": [{"reference": "List/1", "role": "mine"}]},
        {"fhirContext": [{"canonical": "plan"}]},
        {"fhirContext": [{"identifier": "7", "type": "List"}]},
        {"fhirContext": [{"identifier": {"value": "7"}, "type": "Cat"}]},
        {"client_id": "unknown"},
        {"patient": "nobody"},
        {"encounter": "e2"},
        {"encounter": "nowhere"},
    ],
)
async def test_ctx_03_04_05_a_context_that_is_none(smart: Smart, body: dict[str, Any]) -> None:
    response = await launch(smart, await smart.client(), **body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_ctx_03_04_07_contexts_of_every_kind(smart: Smart) -> None:
    entries = [
        {"reference": "Patient/mother", "role": "https://ehr.example/role/relative"},
        {"canonical": "https://ehr.example/Questionnaire/q|1", "type": "Questionnaire"},
        {"identifier": {"system": "urn:x", "value": "7"}, "type": "List", "role": "launch"},
    ]
    app = await smart.client()
    value = await launched(smart, app, fhirContext=entries)
    parked = await smart.parked(app, launch=value, scope=SCOPES)
    answer = await smart.answer(parked, await smart.decision(DOCTOR))
    assert (await smart.redeem(app, answer["code"])).json()["fhirContext"] == entries


async def test_ctx_06_a_scope_for_a_context(smart: Smart) -> None:
    app = await smart.client()
    asked = "launch launch/imagingstudy launch/list patient/*.rs"
    value = await launched(smart, app, fhirContext=[{"reference": "ImagingStudy/1"}])
    parked = await smart.parked(app, launch=value, scope=asked)
    answer = await smart.answer(parked)
    body = (await smart.redeem(app, answer["code"])).json()
    assert body["scope"] == "launch launch/imagingstudy patient/*.rs"


async def test_ctx_08_the_style_of_the_server(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    path = body["smart_style_url"].removeprefix(ISSUER)
    response = await smart.http.get(path)
    assert response.json() == smart.service.style
    assert (await smart.http.get("/auth/style/other.json")).status_code == 400


async def test_ctx_01_02_a_choice_that_there_is_not(smart: Smart) -> None:
    app = await smart.client()
    scope = "launch/patient launch/encounter patient/*.rs"
    for encounter in ("e2", "nowhere"):
        parked = await smart.parked(app, scope=scope)
        decision = replace(await smart.decision(), encounter=encounter)
        assert (await smart.answer(parked, decision))["error"] == "invalid_request"
    parked = await smart.parked(app, scope=scope)
    nobody = replace(ANNA, represented=("nobody",))
    answer = await smart.answer(parked, await smart.decision(nobody))
    assert answer["error"] == "invalid_request"


async def test_ctx_01_02_records_are_those_of_the_store(mongo_store: MongoStore) -> None:
    records = StoredRecords(mongo_store)
    assert not await records.has("p1", None)
    await inserted(
        mongo_store,
        *(version(each, patient=each) for each in ("p1", "p2")),
        *(version(f"of-{each}", kind="Encounter", patient=each) for each in ("p1", "p2")),
    )
    assert await records.has("p1", None)
    assert await records.has("p1", "of-p1")
    assert not await records.has("p1", "of-p2")
    assert not await records.has("p1", "unknown")
    assert not await records.has("unknown", "of-p1")


async def test_ctx_11_an_encounter_is_told_where_one_was_chosen(smart: Smart) -> None:
    app = await smart.client()
    scope = "launch/patient launch/encounter patient/*.rs"
    for encounter in ("e1", None):
        parked = await smart.parked(app, scope=scope)
        decision = replace(await smart.decision(), encounter=encounter)
        answer = await smart.answer(parked, decision)
        body = (await smart.redeem(app, answer["code"])).json()
        assert body.get("encounter") == encounter
        assert ("launch/encounter" in body["scope"]) is (encounter is not None)
