"""Passkeys: what is asked of a browser, and what is refused. `tests/browser` has a whole one.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

import json
from typing import Any

import pyotp
import pytest

from fhir_server.cabinet.accounts import signing_in
from tests.support.smart import ISSUER
from tests.support.web import PASSWORD, Browser, Cabinet

pytestmark = pytest.mark.anyio


async def options(browser: Browser, kind: str) -> Any:
    sent = await browser.http.post(
        "/auth/passkeys/options", data={"csrf": browser.token, "kind": kind}
    )
    assert sent.status_code == 200, sent.text
    return sent.json()


def credential(**changes: Any) -> str:
    return json.dumps(
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "type": "public-key",
            "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"},
            **changes,
        }
    )


async def test_a_passkey_is_asked_for_with_verification(pages: Cabinet) -> None:
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    asked = await options(browser, "get")
    assert (asked["rpId"], asked["userVerification"]) == ("ehr.example", "required")
    assert asked.get("allowCredentials") in (None, [])  # nobody's passkeys are told
    assert asked["challenge"] != (await options(browser, "get"))["challenge"]


async def test_a_passkey_is_made_for_who_is_signed_in(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await browser.get("/auth/sign-in")
    form = {"csrf": browser.token, "kind": "create"}
    assert (await browser.http.post("/auth/passkeys/options", data=form)).status_code == 401
    await browser.sign_in(account.email)
    asked = await options(browser, "create")
    assert asked["user"]["name"] == account.email
    assert asked["authenticatorSelection"]["residentKey"] == "required"


@pytest.mark.parametrize(
    "given", ["", "{", "[]", '{"id": 7}', credential(), credential(id="x")]
)
async def test_what_is_no_passkey_signs_nobody_in(pages: Cabinet, given: str) -> None:
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    await options(browser, "get")
    await browser.post("/auth/passkey", credential=given)
    assert "The passkey was not accepted" in browser.page
    assert browser.response.status_code == 400


async def test_without_a_challenge_there_is_no_answer(pages: Cabinet) -> None:
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    await browser.post("/auth/passkey", credential=credential())
    assert "The passkey was not accepted" in browser.page


@pytest.mark.parametrize("current", ["wrong", PASSWORD])
async def test_a_passkey_that_is_none_is_not_kept(pages: Cabinet, current: str) -> None:
    account, browser = await pages.account(), pages.browser()
    await browser.sign_in(account.email)
    await options(browser, "create")
    await browser.post("/auth/passkeys", credential=credential(), current=current)
    expected = "password is wrong" if current == "wrong" else "passkey was not accepted"
    assert expected in browser.page
    found = await pages.state.accounts.find(account.id)
    assert found is not None
    assert found.passkeys == ()


async def test_options_need_the_browsers_own_form(pages: Cabinet) -> None:
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    form = {"csrf": browser.token, "kind": "get"}
    headers = {"Origin": "https://evil.example"}
    sent = await browser.http.post("/auth/passkeys/options", data=form, headers=headers)
    assert sent.status_code == 403
    sent = await browser.http.post(
        "/auth/passkeys/options", data=form, headers={"Origin": ISSUER}
    )
    assert sent.status_code == 200


async def test_a_challenge_is_no_step_of_a_sign_in(pages: Cabinet) -> None:
    """Else a session of one step and a code would do in place of the password."""
    account, browser = await pages.account(totp_secret="JBSWY3DPEHPK3PXP" * 2), pages.browser()
    await browser.sign_in(account.email)
    code = pyotp.TOTP(account.totp_secret).at(pages.smart.clock.now() / 1000)
    await browser.submit(code=code)
    await options(browser, "create")
    secret = browser.http.cookies["__Host-passkey"]
    assert await signing_in.waiting(pages.site.accounts, secret) is None


async def test_err_21_wrong_passkeys_are_counted_and_told_once_more(pages: Cabinet) -> None:
    strict = pages.with_policy(address_tries=3)
    browser = strict.browser()
    await browser.get("/auth/sign-in")
    for status in (400, 400, 400, 429, 429):
        await browser.post("/auth/passkey", credential=credential())
        assert browser.response.status_code == status
    reasons = [each.reason for each in strict.told.events if each.kind == "refused"]
    assert reasons == ["passkey", "passkey", "passkey", "TooManyError"]
