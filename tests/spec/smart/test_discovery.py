"""What the server says of itself, and that it is true.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

import re
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from fhir_server.smart import discovery, scopes
from fhir_server.smart.policy import Policy
from tests.support.smart import ANNA, BASE, DOCTOR, ISSUER, Smart, public_jwks

pytestmark = pytest.mark.anyio

SMART = "/fhir/.well-known/smart-configuration"
DOCUMENTS = [
    SMART,
    "/fhir//.well-known/smart-configuration",  # DISC-18: the base with its slash
    "/fhir/.well-known/openid-configuration",  # DISC-19
    "/.well-known/openid-configuration",  # OIDC-02
    "/.well-known/oauth-authorization-server",  # DISC-21
]
SHOWN_BY = {
    "launch-ehr": "test_ehr_01_to_06",
    "launch-standalone": "test_sa_01_to_09",
    "authorize-post": "test_post_01",
    "client-public": "test_sa_01_to_09",
    "client-confidential-symmetric": "test_cli_02",
    "client-confidential-asymmetric": "test_cli_04_05_06",
    "sso-openid-connect": "test_oidc_01_to_07",
    "context-banner": "test_sa_08",
    "context-style": "test_ctx_08",
    "context-ehr-patient": "test_ehr_01_to_06",
    "context-ehr-encounter": "test_ehr_01_to_06",
    "context-standalone-patient": "test_sa_16",
    "context-standalone-encounter": "test_ctx_11",
    "permission-offline": "test_ref_07",
    "permission-online": "test_ref_08",
    "permission-patient": "test_sa_01_to_09",
    "permission-user": "test_staff_without_a_patient",
    "permission-v1": "test_scp_02",
    "permission-v2": "test_scp_01",
    "smart-app-state": "test_state_02",
}


async def said(smart: Smart, path: str = SMART) -> Any:
    return (await smart.http.get(path)).json()


@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("accept", ["application/json", "application/fhir+xml", "text/html"])
async def test_disc_01_02_one_document_whatever_is_accepted(
    smart: Smart, path: str, accept: str
) -> None:
    response = await smart.http.get(path, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    assert response.json() == discovery.document(smart.service.policy)


async def test_disc_03_to_08_what_has_to_be_there(smart: Smart) -> None:
    body = await said(smart)
    assert {"authorization_code", "client_credentials"} <= set(body["grant_types_supported"])
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert body["issuer"] == ISSUER
    assert "private_key_jwt" in body["token_endpoint_auth_methods_supported"]
    assert set(body["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    for name, value in body.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert value.startswith(f"{ISSUER}/")  # DISC-07


async def test_oidc_03_13_what_openid_clients_need(smart: Smart) -> None:
    body = await said(smart, "/.well-known/openid-configuration")
    assert body["response_types_supported"] == ["code"]
    assert body["subject_types_supported"] == ["public"]
    assert "RS256" in body["id_token_signing_alg_values_supported"]
    assert body["issuer"] == (await said(smart))["issuer"]
    assert not body["issuer"].endswith("/")


async def test_disc_12_scopes_of_single_types_are_shown(smart: Smart) -> None:
    body = await said(smart)
    assert any(
        re.fullmatch(r"patient/[A-Z]\w+\.c?r?u?d?s?", e) for e in body["scopes_supported"]
    )
    assert all(":" not in each for each in body["capabilities"])  # DISC-15: none of our own


async def test_disc_09_to_11_what_certification_and_ipa_ask(smart: Smart) -> None:
    assert set((await said(smart))["capabilities"]) >= {
        *("launch-standalone", "launch-ehr", "client-public", "authorize-post"),
        *("client-confidential-symmetric", "client-confidential-asymmetric"),
        *("sso-openid-connect", "context-standalone-patient", "permission-offline"),
        *("permission-patient", "permission-user", "permission-v1", "permission-v2"),
        *("context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter"),
    }


SCOPES_SUPPORTED = [*scopes.OTHERS, *discovery.RESOURCE_SCOPES]


async def test_disc_13_the_scopes_are_those_below(smart: Smart) -> None:
    assert (await said(smart))["scopes_supported"] == SCOPES_SUPPORTED


@pytest.mark.parametrize("scope", [e for e in SCOPES_SUPPORTED if e[:7] != "system/"])
async def test_disc_13_every_scope_can_be_granted(smart: Smart, scope: str) -> None:
    app = await smart.client(scope=" ".join(SCOPES_SUPPORTED))
    portal = await smart.client(
        token_endpoint_auth_method="client_secret_basic", permissions=["launch"]
    )
    context = {"client_id": app.id, "patient": "anna", "encounter": "e1"}
    launch = await smart.http.post("/auth/launch", json=context, auth=(portal.id, "s3cret"))
    asked = f"openid launch {scope}"
    parked = await smart.parked(app, launch=launch.json()["launch"], scope=asked)
    answer = await smart.answer(parked, await smart.decision(DOCTOR))
    body = (await smart.redeem(app, answer["code"])).json()
    assert scope in body["scope"].split()


@pytest.mark.parametrize("scope", [e for e in SCOPES_SUPPORTED if e[:7] == "system/"])
async def test_disc_13_every_scope_of_services_can_be_granted(
    smart: Smart, rsa_key: RSAKey, scope: str
) -> None:
    service = await smart.client(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        jwks=public_jwks(rsa_key),
        scope=scope,
    )
    assert (await smart.backend(service, rsa_key, scope=scope)).json()["scope"] == scope


async def test_disc_14_every_endpoint_answers(smart: Smart) -> None:
    open_ = smart.with_policy(registration="open")
    body = await said(open_)
    for row in discovery.ENDPOINTS:
        path = body[row.member].removeprefix(ISSUER)
        assert (await open_.http.request("PATCH", path)).status_code == 405, path


async def test_disc_14_closed_registration_is_not_advertised(smart: Smart) -> None:
    assert "registration_endpoint" not in await said(smart)
    body = await said(smart.with_policy(registration="token"))
    assert body["registration_endpoint"] == f"{ISSUER}/auth/register"


async def test_disc_20_no_other_capability_is_shown(smart: Smart) -> None:
    body = await said(smart)
    elsewhere = [each for row in body["associated_endpoints"] for each in row["capabilities"]]
    assert [*body["capabilities"], *elsewhere] == list(SHOWN_BY)


@pytest.mark.parametrize("capability", SHOWN_BY)
async def test_disc_20_every_capability_has_its_test(capability: str) -> None:
    tests = "".join(each.read_text() for each in Path(__file__).parent.glob("test_*.py"))
    assert f"async def {SHOWN_BY[capability]}" in tests


@pytest.mark.parametrize("registration", ["open", "closed"])
async def test_caps_02_03_metadata_names_the_same_endpoints(registration: Any) -> None:
    policy = Policy(ISSUER, BASE, registration=registration, management=f"{ISSUER}/apps")
    security = discovery.security(policy)
    (extension,) = security["extension"]
    assert extension["url"].endswith("/oauth-uris")
    uris = {each["url"]: each["valueUri"] for each in extension["extension"]}
    body = discovery.document(policy)
    members = (
        "authorization",
        "token",
        "introspection",
        "management",
        "registration",
        "revocation",
    )
    names = ("authorize", "token", "introspect", "manage", "register", "revoke")
    for member, name in zip(members, names, strict=True):
        assert uris.get(name) == body.get(f"{member}_endpoint")
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert security["cors"] is True  # CAPS-13


async def test_scp_01_a_version_2_scope(smart: Smart) -> None:
    body = await smart.tokens(await smart.client(), scope="patient/Observation.rs")
    assert body["scope"] == "patient/Observation.rs"


async def test_scp_02_version_1_is_echoed_as_it_was_asked(smart: Smart) -> None:
    asked = "patient/Observation.read patient/Condition.read"
    body = await smart.tokens(await smart.client(), scope=asked)
    assert body["scope"] == asked
    principal = await smart.verifier.verify(body["access_token"])
    assert principal is not None
    assert all(each.letters == {"r", "s"} for each in principal.scopes)


async def test_scp_13_a_person_grants_parts_of_a_scope(smart: Smart) -> None:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    part = f"patient/Observation.rs?category={system}|laboratory"
    client = await smart.client()
    parked = await smart.parked(
        client, scope="launch/patient patient/Patient.rs patient/Observation.rs"
    )
    kept = f"launch/patient patient/Patient.rs {part}"
    answer = await smart.answer(parked, await smart.decision(scopes=kept))
    body = (await smart.redeem(client, answer["code"])).json()
    assert body["scope"] == kept


async def test_sa_12_a_person_drops_types_and_cannot_add_any(smart: Smart) -> None:
    client = await smart.client()
    parked = await smart.parked(
        client, scope="launch/patient patient/Patient.rs patient/Observation.rs"
    )
    kept = "launch/patient patient/Patient.cruds patient/Condition.rs openid"
    answer = await smart.answer(parked, await smart.decision(scopes=kept))
    body = (await smart.redeem(client, answer["code"])).json()
    assert body["scope"] == "launch/patient patient/Patient.rs"
    nothing = await smart.answer(
        await smart.parked(client, scope="patient/Patient.rs"),
        await smart.decision(scopes="patient/Condition.rs"),
    )
    assert nothing["error"] == "access_denied"


async def test_scp_17_18_filters_that_are_not_known_here(smart: Smart) -> None:
    strict = smart.with_policy(
        can_filter=lambda scope: all(name == "category" for name, _ in scope.query)
    )
    client = await strict.client()
    parked = await strict.parked(
        client, scope="patient/Observation.rs?category=a patient/Observation.rs?colour=b"
    )
    assert parked.request.scopes.text == "patient/Observation.rs?category=a"


async def test_ehr_07_08_user_and_patient_scopes_together(smart: Smart) -> None:
    client = await smart.client()
    parked = await smart.parked(
        client, scope="launch/patient user/Patient.rs patient/Patient.rs"
    )
    answer = await smart.answer(parked, await smart.decision(DOCTOR, patient="anna"))
    body = (await smart.redeem(client, answer["code"])).json()
    assert set(body["scope"].split()) == {
        *("launch/patient", "user/Patient.rs", "patient/Patient.rs")
    }
    assert ANNA.user != DOCTOR.user
