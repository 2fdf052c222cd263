"""PKCE: S256 or nothing.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-pkce-support
"""

import pytest

from tests.support.smart import CHALLENGE, VERIFIER, Smart, said

pytestmark = pytest.mark.anyio


async def test_pkce_01_the_right_verifier(smart: Smart) -> None:
    client = await smart.client()
    assert (await smart.redeem(client, await smart.code(client))).status_code == 200


@pytest.mark.parametrize(
    "verifier",
    [
        pytest.param(None, id="pkce_02_missing"),
        pytest.param("", id="pkce_03_empty"),
        pytest.param("w" * 64, id="pkce_04_another"),
        pytest.param(CHALLENGE, id="pkce_05_the_challenge_itself"),
        pytest.param(VERIFIER[:42], id="pkce_09_short"),
        pytest.param(VERIFIER + "v" * 70, id="pkce_09_long"),
        pytest.param(VERIFIER[:-1] + "é", id="pkce_09_other_characters"),
    ],
)
async def test_pkce_02_to_09_a_verifier_that_is_none(
    smart: Smart, verifier: str | None
) -> None:
    client = await smart.client()
    response = await smart.redeem(client, await smart.code(client), code_verifier=verifier)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"code_challenge_method": "plain"}, id="pkce_06_plain"),
        pytest.param({"code_challenge": None}, id="pkce_07_10_no_challenge"),
        pytest.param({"code_challenge_method": None}, id="pkce_08_no_method"),
        pytest.param({"code_challenge_method": "s256"}, id="pkce_08_other_case"),
        pytest.param({"code_challenge": CHALLENGE[:-1]}, id="pkce_12_short"),
        pytest.param({"code_challenge": CHALLENGE + "A"}, id="pkce_12_long"),
        pytest.param({"code_challenge": CHALLENGE[:-1] + "="}, id="pkce_12_padded"),
        pytest.param({"code_challenge": CHALLENGE[:-1] + "+"}, id="pkce_12_not_base64url"),
    ],
)
async def test_pkce_06_to_12_a_challenge_that_is_none(
    smart: Smart, changes: dict[str, str | None]
) -> None:
    response = await smart.ask(await smart.client(), **changes)
    answer = said(response.headers["location"])
    assert (answer["error"], answer["state"]) == ("invalid_request", "xyz")
    assert "code" not in answer


async def test_pkce_07_confidential_clients_are_no_exception(smart: Smart) -> None:
    client = await smart.client(token_endpoint_auth_method="client_secret_basic")
    response = await smart.ask(client, code_challenge=None, code_challenge_method=None)
    assert said(response.headers["location"])["error"] == "invalid_request"


async def test_pkce_11_a_failed_attempt_uses_the_code_up(smart: Smart) -> None:
    client = await smart.client()
    code = await smart.code(client)
    await smart.redeem(client, code, code_verifier="w" * 64)
    assert (await smart.redeem(client, code)).json()["error"] == "invalid_grant"
