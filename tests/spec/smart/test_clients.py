"""Client authentication at the token endpoint: who a client is, and how it proves that.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-symmetric.html
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import base64
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.support.smart import CALLBACK, VERIFIER, Smart, public_jwks

pytestmark = pytest.mark.anyio

SECRET = "client_secret_basic"


def refused(response: httpx.Response) -> str:
    assert response.status_code in (400, 401), response.text
    assert "access_token" not in response.text
    assert set(response.json()) == {"error", "error_description"}  # TOK-08
    assert response.headers["cache-control"] == "no-store"
    return str(response.json()["error"])


async def test_cli_02_basic_needs_no_client_id(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method=SECRET)
    code = await smart.code(client)
    response = await smart.redeem(client, code, auth=(client.id, "s3cret"), client_id=None)
    assert response.status_code == 200


async def test_cli_03_a_secret_in_the_form_is_not_advertised_and_not_taken(
    smart: Smart,
) -> None:
    client = await smart.client(token_endpoint_auth_method=SECRET)
    response = await smart.redeem(client, "code", client_secret="s3cret")
    assert refused(response) == "invalid_client"


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
async def test_cli_04_05_06_an_assertion(
    smart: Smart, rsa_key: RSAKey, ec_key: ECKey, alg: str
) -> None:
    key = rsa_key if alg == "RS384" else ec_key
    client = await smart.client(
        token_endpoint_auth_method="private_key_jwt", jwks=public_jwks(rsa_key, ec_key)
    )
    assertion = smart.assertion(client, key)
    response = await smart.redeem(client, await smart.code(client), **assertion)
    assert response.status_code == 200, response.text
    again = {
        "grant_type": "refresh_token",
        "refresh_token": response.json()["refresh_token"],
        **smart.assertion(client, key),
    }
    assert (await smart.post("token", again)).status_code == 200


IPA = "launch/patient openid fhirUser offline_access patient/*.rs"


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
async def test_ipa_02_ipa_03_a_standalone_launch(
    smart: Smart, rsa_key: RSAKey, method: str
) -> None:
    signs = method == "private_key_jwt"
    keys = {"jwks": public_jwks(rsa_key)} if signs else {}
    client = await smart.client(token_endpoint_auth_method=method, **keys)

    def proof() -> dict[str, str]:
        return smart.assertion(client, rsa_key) if signs else {}

    code = await smart.code(client, scope=IPA)
    body = (await smart.redeem(client, code, **proof())).json()
    assert set(body["scope"].split()) == set(IPA.split())
    assert body["patient"] == "anna"
    assert body["id_token"]
    again = await smart.refresh(client, body["refresh_token"], **proof())
    assert again.json()["patient"] == "anna"


async def test_cli_07_a_confidential_client_without_credentials(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method=SECRET)
    response = await smart.redeem(client, "code")
    assert (response.status_code, refused(response)) == (401, "invalid_client")
    nobody = await smart.redeem(client, "code", client_id=None)
    assert (nobody.status_code, refused(nobody)) == (401, "invalid_client")


async def test_cli_08_a_wrong_secret(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method=SECRET)
    response = await smart.redeem(client, "code", auth=(client.id, "other"))
    assert (response.status_code, refused(response)) == (401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic")


async def test_cli_09_the_method_is_the_registered_one(smart: Smart, rsa_key: RSAKey) -> None:
    jwks = public_jwks(rsa_key)
    asymmetric = await smart.client(token_endpoint_auth_method="private_key_jwt", jwks=jwks)
    public = await smart.client()
    assert refused(await smart.redeem(asymmetric, "code")) == "invalid_client"
    basic = (asymmetric.id, "")
    assert refused(await smart.redeem(asymmetric, "code", auth=basic)) == "invalid_client"
    with_secret = await smart.redeem(public, "code", auth=(public.id, ""))
    assert refused(with_secret) == "invalid_client"


async def test_cli_10_one_way_at_a_time(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method=SECRET)
    response = await smart.redeem(
        client, "code", auth=(client.id, "s3cret"), client_secret="s3cret"
    )
    assert (response.status_code, refused(response)) == (400, "invalid_request")


async def test_cli_11_basic_is_percent_encoded(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method=SECRET)
    pair = f"{client.id.replace('-', '%2D')}:s3%63ret".encode()
    header = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    form = {
        "grant_type": "authorization_code",
        "code": await smart.code(client),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    assert (await smart.post("token", form, headers=header)).status_code == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic /w==", "Digest x", "Bearer x"])
async def test_cli_11_a_header_that_cannot_be_read(smart: Smart, header: str) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    response = await smart.post("token", form, headers={"Authorization": header})
    assert refused(response) == "invalid_client"


async def test_cli_11_one_name_at_a_time(smart: Smart) -> None:
    client, other = await smart.client(token_endpoint_auth_method=SECRET), await smart.client()
    response = await smart.redeem(other, "code", auth=(client.id, "s3cret"))
    assert refused(response) == "invalid_client"


async def test_cli_12_an_unknown_client_spoils_nothing(smart: Smart) -> None:
    client = await smart.client()
    code = await smart.code(client)
    assert refused(await smart.redeem(client, code, client_id="BAD_CLIENT_ID"))
    assert (await smart.redeem(client, code)).status_code == 200


async def test_cli_13_err_24_a_code_is_its_clients_own(smart: Smart) -> None:
    client, other = await smart.client(), await smart.client()
    response = await smart.redeem(other, await smart.code(client))
    assert (response.status_code, refused(response)) == (400, "invalid_grant")


async def test_cli_20_ref_17_a_public_client_refreshes_without_its_name(smart: Smart) -> None:
    client, other = await smart.client(), await smart.client()
    first = await smart.tokens(client)
    assert refused(await smart.refresh(other, first["refresh_token"])) == "invalid_grant"
    response = await smart.refresh(None, first["refresh_token"])
    assert response.status_code == 200
    principal = await smart.verifier.verify(response.json()["access_token"])
    assert principal is not None
    assert principal.client == client.id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"code": "BAD_CODE"}, "invalid_grant", id="err_12"),
        pytest.param({"redirect_uri": None}, "invalid_grant", id="err_15_missing"),
        pytest.param({"redirect_uri": f"{CALLBACK}2"}, "invalid_grant", id="err_15_other"),
        pytest.param({"grant_type": "not_a_grant_type"}, "unsupported_grant_type", id="err_16"),
        pytest.param({"grant_type": "password"}, "unsupported_grant_type", id="err_16"),
        pytest.param({"grant_type": None}, "invalid_request", id="err_18_grant_type"),
        pytest.param({"code": None}, "invalid_request", id="err_18_code"),
    ],
)
async def test_err_12_to_18(smart: Smart, changes: dict[str, str | None], code: str) -> None:
    client = await smart.client()
    form: Any = {"code": await smart.code(client), **changes}
    response = await smart.redeem(client, **form)
    assert (response.status_code, refused(response)) == (400, code)


async def test_err_13_sa_22_a_code_lives_a_minute(smart: Smart) -> None:
    client = await smart.client()
    code = await smart.code(client)
    smart.clock.tick(60)
    assert refused(await smart.redeem(client, code)) == "invalid_grant"


async def test_err_16_the_grant_type_is_looked_at_before_the_client(smart: Smart) -> None:
    response = await smart.post("token", {"grant_type": "x", "client_assertion_type": "y"})
    assert (response.status_code, refused(response)) == (400, "unsupported_grant_type")


async def test_err_17_a_grant_the_client_is_not_registered_for(
    smart: Smart, rsa_key: RSAKey
) -> None:
    client = await smart.client(
        token_endpoint_auth_method="private_key_jwt", jwks=public_jwks(rsa_key)
    )
    response = await smart.backend(client, rsa_key)
    assert (response.status_code, refused(response)) == (400, "unauthorized_client")


async def test_tok_04_the_form_of_a_token_request(smart: Smart) -> None:
    got = await smart.http.get("/auth/token")
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    by_json = await smart.http.post("/auth/token", json={"grant_type": "authorization_code"})
    assert (by_json.status_code, refused(by_json)) == (400, "invalid_request")
    client = await smart.client()
    code = await smart.code(client)
    twice = "grant_type=authorization_code&grant_type=authorization_code"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    repeated = await smart.http.post("/auth/token", content=twice, headers=kind)
    assert refused(repeated) == "invalid_request"
    in_url = await smart.http.post(
        f"/auth/token?grant_type=authorization_code&code={code}", content="", headers=kind
    )
    assert refused(in_url) == "invalid_request"


async def test_tok_05_tokens_are_unguessable_and_kept_hashed(smart: Smart) -> None:
    body = await smart.tokens(await smart.client())
    assert len(body["access_token"]) == len(body["refresh_token"]) == 43
    assert await smart.ports.access_tokens.find(body["access_token"]) is None
    assert await smart.ports.refresh_tokens.find(body["refresh_token"]) is None
