"""Client assertions that are refused: each answered `invalid_client`, without a token.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import base64
import json
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from fhir_server.smart.records import Client
from tests.support.smart import BASE, ISSUER, JWT_BEARER, TOKEN_URL, Smart, public_jwks

pytestmark = pytest.mark.anyio


def is_refused(response: httpx.Response) -> bool:
    body = response.json()
    assert set(body) == {"error", "error_description"}  # AST-22
    assert response.headers["cache-control"] == "no-store"
    return response.status_code in (400, 401) and bool(body["error"] == "invalid_client")


async def service(smart: Smart, *keys: RSAKey | ECKey, **more: Any) -> Client:
    metadata = {
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "jwks": public_jwks(*keys),
        "scope": "system/*.rs",
        **more,
    }
    return await smart.client(**metadata)


def encoded(value: object) -> str:
    text = json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def test_be_01_a_good_one(smart: Smart, rsa_key: RSAKey, ec_key: ECKey) -> None:
    client = await service(smart, rsa_key, ec_key)
    for key in (rsa_key, ec_key):
        assert (await smart.backend(client, key)).status_code == 200


async def test_ast_01_the_type(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    kind = "not_an_assertion_type"
    assert is_refused(await smart.backend(client, rsa_key, client_assertion_type=kind))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "a.b.c",
        "..",
        "e30.e30.e30",
        f"{'e30' * 9000}.e30.e30",
        "é.é.é",
        "W10.W10.",
    ],
)
async def test_ast_02_no_jwt(smart: Smart, rsa_key: RSAKey, text: str | None) -> None:
    client = await service(smart, rsa_key)
    assert is_refused(await smart.backend(client, rsa_key, client_assertion=text))


CLAIMS = [
    pytest.param({"iss": "other"}, id="ast_03_iss_unknown"),
    pytest.param({"iss": None}, id="ast_03_no_iss"),
    pytest.param({"sub": "other"}, id="ast_04_sub"),
    pytest.param({"sub": None}, id="ast_04_no_sub"),
    pytest.param({"aud": None}, id="ast_05_no_aud"),
    pytest.param({"aud": BASE}, id="ast_05_the_fhir_base"),
    pytest.param({"aud": f"{TOKEN_URL}/"}, id="ast_05_slash"),
    pytest.param({"aud": "https://evil.example/auth/token"}, id="ast_05_another_host"),
    pytest.param({"aud": [{"a": 1}, 7]}, id="ast_05_no_strings"),
    pytest.param({"exp": -1}, id="ast_06_past"),
    pytest.param({"exp": 0}, id="ast_06_now"),
    pytest.param({"exp": 331}, id="ast_07_too_far"),
    pytest.param({"exp": None}, id="ast_08_missing"),
    pytest.param({"exp": "soon"}, id="ast_08_text"),
    pytest.param({"exp": True}, id="ast_08_boolean"),
    pytest.param({"exp": float("nan")}, id="ast_08_nan"),
    pytest.param({"exp": float("inf")}, id="ast_08_infinity"),
    pytest.param({"jti": None}, id="ast_09_no_jti"),
    pytest.param({"jti": ""}, id="ast_09_empty_jti"),
    pytest.param({"jti": 7}, id="ast_09_number"),
    pytest.param({"nbf": 31}, id="ast_16_nbf"),
    pytest.param({"iat": 31}, id="ast_16_iat"),
]


@pytest.mark.parametrize("claims", CLAIMS)
async def test_ast_03_to_16_claims(
    smart: Smart, rsa_key: RSAKey, claims: dict[str, Any]
) -> None:
    client = await service(smart, rsa_key)
    now = smart.clock.now() // 1000
    moved = {
        name: value + now if name in ("exp", "nbf", "iat") and type(value) is int else value
        for name, value in claims.items()
    }
    given = smart.assertion(client, rsa_key, **moved)
    assert is_refused(await smart.backend(client, rsa_key, **given))


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": [TOKEN_URL, "x"]}, id="ast_05_a_list"),
        pytest.param({"aud": ISSUER}, id="ast_05_the_issuer"),
        pytest.param({"exp": 300}, id="ast_07_five_minutes"),
        pytest.param({"exp": 330}, id="ast_07_and_its_skew"),
        pytest.param({"nbf": 30, "iat": 30}, id="ast_16_skew"),
    ],
)
async def test_ast_05_07_16_what_is_tolerated(
    smart: Smart, rsa_key: RSAKey, claims: dict[str, Any]
) -> None:
    client = await service(smart, rsa_key)
    now = smart.clock.now() // 1000
    moved = {
        name: value + now if isinstance(value, int) else value for name, value in claims.items()
    }
    given = smart.assertion(client, rsa_key, **moved)
    assert (await smart.backend(client, rsa_key, **given)).status_code == 200


async def test_ast_10_11_a_jti_is_used_once_a_client(smart: Smart, rsa_key: RSAKey) -> None:
    client, other = await service(smart, rsa_key), await service(smart, rsa_key)
    first = smart.assertion(client, rsa_key, jti="same")
    assert (await smart.backend(client, rsa_key, **first)).status_code == 200
    assert is_refused(await smart.backend(client, rsa_key, **first))
    again = smart.assertion(client, rsa_key, jti="same")
    assert is_refused(await smart.backend(client, rsa_key, **again))
    others = smart.assertion(other, rsa_key, jti="same")
    assert (await smart.backend(other, rsa_key, **others)).status_code == 200


async def test_ast_12_no_algorithm(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    _, claims, signature = smart.assertion(client, rsa_key)["client_assertion"].split(".")
    for alg in ("none", "None", "RS256", "HS256", "PS384"):
        head = encoded({"alg": alg, "kid": rsa_key.kid})
        for end in ("", signature):
            text = f"{head}.{claims}.{end}"
            assert is_refused(await smart.backend(client, rsa_key, client_assertion=text))


async def test_ast_12_a_public_key_is_no_secret(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    claims = smart.assertion(client, rsa_key)["client_assertion"].split(".")[1]
    secret = OctKey.import_key(base64.urlsafe_b64encode(rsa_key.as_pem(private=False)).decode())
    payload = json.loads(base64.urlsafe_b64decode(claims + "=="))
    for alg in ("HS256", "HS384"):
        forged = jwt.encode({"alg": alg, "kid": rsa_key.kid}, payload, secret, algorithms=[alg])
        assert is_refused(await smart.backend(client, rsa_key, client_assertion=forged))


async def test_ast_13_the_algorithm_of_another_type(
    smart: Smart, rsa_key: RSAKey, ec_key: ECKey
) -> None:
    only_rsa = await service(smart, rsa_key)
    given = smart.assertion(only_rsa, ec_key, {"kid": rsa_key.kid})
    assert is_refused(await smart.backend(only_rsa, ec_key, **given))


async def test_ast_14_cli_17_kid(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    for kid in (None, "unknown", 7):
        given = smart.assertion(client, rsa_key, {"kid": kid} if kid != 7 else None)
        if kid == 7:
            _, claims, end = given["client_assertion"].split(".")
            head = encoded({"alg": "RS384", "kid": 7})
            given = {**given, "client_assertion": f"{head}.{claims}.{end}"}
        assert is_refused(await smart.backend(client, rsa_key, **given))
    twice = public_jwks(rsa_key, rsa_key)
    doubled = await service(smart, rsa_key, jwks=twice)
    assert is_refused(await smart.backend(doubled, rsa_key))


async def test_ast_15_another_signature(smart: Smart, rsa_key: RSAKey, ec_key: ECKey) -> None:
    client = await service(smart, rsa_key, ec_key)
    for key in (rsa_key, ec_key):
        given = smart.assertion(client, key)["client_assertion"]
        head, claims, end = given.split(".")
        said = json.loads(base64.urlsafe_b64decode(claims + "=="))
        tampered = encoded({**said, "jti": "another"})
        text = f"{head}.{tampered}.{end}"
        assert is_refused(await smart.backend(client, key, client_assertion=text))
        cut = given[:-8] + "AAAAAAAA"
        assert is_refused(await smart.backend(client, key, client_assertion=cut))


async def test_ast_17_keys_in_the_header_are_not_believed(
    smart: Smart, rsa_key: RSAKey
) -> None:
    client = await service(smart, rsa_key)
    thief = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    own = thief.as_dict(private=False)
    given = smart.assertion(client, thief, {"jwk": own, "typ": "JOSE"})
    assert is_refused(await smart.backend(client, thief, **given))
    honest = smart.assertion(client, rsa_key, {"jwk": own, "typ": "anything"})
    assert (await smart.backend(client, rsa_key, **honest)).status_code == 200


async def test_ast_18_client_id_beside_it(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    assert is_refused(await smart.backend(client, rsa_key, client_id="other"))
    response = await smart.backend(client, rsa_key, client_id=client.id)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"use": "enc"}, id="for_encryption"),
        pytest.param({"key_ops": ["sign"]}, id="not_for_verifying"),
        pytest.param({"key_ops": 5}, id="operations_are_no_list"),
        pytest.param({"alg": "RS256"}, id="for_another_algorithm"),
        pytest.param({"n": "AQAB"}, id="weak"),
        pytest.param({"n": "!"}, id="not_a_key"),
        pytest.param({"n": 7}, id="a_number"),
    ],
)
async def test_ast_20_keys_that_do_not_count(
    smart: Smart, rsa_key: RSAKey, change: dict[str, Any]
) -> None:
    jwks = {"keys": [{**public_jwks(rsa_key)["keys"][0], **change}]}
    client = await service(smart, rsa_key, jwks=jwks)
    assert is_refused(await smart.backend(client, rsa_key))


async def test_ast_20_a_curve_that_is_not_the_one_of_es384(
    smart: Smart, rsa_key: RSAKey
) -> None:
    key = ECKey.generate_key("P-256", {"kid": "p256"})
    client = await service(smart, key)
    head = encoded({"alg": "ES384", "kid": "p256"})
    claims = encoded({"iss": client.id})
    text = f"{head}.{claims}.AAAA"
    assert is_refused(await smart.backend(client, rsa_key, client_assertion=text))


async def test_ast_20_a_key_of_1024_bits(smart: Smart, rsa_key: RSAKey) -> None:
    modulus = base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()
    jwk = {**public_jwks(rsa_key)["keys"][0], "n": modulus}
    client = await service(smart, rsa_key, jwks={"keys": [jwk]})
    assert is_refused(await smart.backend(client, rsa_key))


async def test_cli_16_jku_is_a_url(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    claims = encoded({"iss": client.id})
    head = encoded({"alg": "RS384", "kid": "rsa-1", "jku": 7})
    text = f"{head}.{claims}.AAAA"
    assert is_refused(await smart.backend(client, rsa_key, client_assertion=text))


async def test_be_02_13_ref_10_the_answer_to_a_service(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    response = await smart.backend(client, rsa_key)
    assert set(response.json()) == {"access_token", "token_type", "expires_in", "scope"}
    assert response.json()["expires_in"] == 300  # BE-06
    assert response.headers["cache-control"] == "no-store"  # TOK-01


async def test_be_03_the_grant_type(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    response = await smart.backend(client, rsa_key, grant_type="not_a_grant_type")
    assert response.status_code == 400


async def test_be_07_08_what_is_allowed_is_granted(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key, scope="system/Patient.rs system/Observation.rs")
    asked = "system/Patient.read system/Observation.cruds system/Encounter.rs patient/*.rs x"
    body = (await smart.backend(client, rsa_key, scope=asked)).json()
    assert body["scope"] == "system/Patient.read system/Observation.rs"


@pytest.mark.parametrize("scope", [None, "", "patient/*.rs", "user/*.rs openid", "nonsense"])
async def test_be_07_10_scp_24_nothing_to_grant(
    smart: Smart, rsa_key: RSAKey, scope: str | None
) -> None:
    client = await service(smart, rsa_key)
    response = await smart.backend(client, rsa_key, scope=scope)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


async def test_be_09_other_clients_are_no_services(smart: Smart) -> None:
    secret = await smart.client(token_endpoint_auth_method="client_secret_basic")
    public = await smart.client()
    form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    response = await smart.post("token", form, auth=(secret.id, "s3cret"))
    assert response.json()["error"] == "unauthorized_client"
    response = await smart.post("token", {**form, "client_id": public.id})
    assert response.json()["error"] == "unauthorized_client"


async def test_an_assertion_stands_alone(smart: Smart, rsa_key: RSAKey) -> None:
    client = await service(smart, rsa_key)
    response = await smart.backend(client, rsa_key, client_secret="x")
    assert response.json()["error"] == "invalid_request"
    lonely = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER}
    assert is_refused(await smart.post("token", lonely))
