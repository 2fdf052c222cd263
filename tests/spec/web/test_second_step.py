"""The second step of a sign-in: authenticator app, mailed code; stronger sign-ins on demand.

https://www.rfc-editor.org/rfc/rfc6238
https://www.rfc-editor.org/rfc/rfc9470
"""

import asyncio
import re
from typing import Any

import pyotp
import pytest

from fhir_server.cabinet.accounts import signing_in
from fhir_server.cabinet.accounts.refusals import RefusedError
from fhir_server.cabinet.accounts.signing_in import NeedsMore, SignedIn
from tests.support.smart import said
from tests.support.web import PASSWORD, Browser, Cabinet

pytestmark = pytest.mark.anyio

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(pages: Cabinet, secret: str = SECRET, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(pages.smart.clock.now() // 1000 // 30 + steps)


async def test_s4_77_an_authenticator_is_set_up_and_asked(pages: Cabinet) -> None:
    account, browser = await pages.account(level=3), pages.browser()
    await browser.sign_in(account.email)
    await browser.get("/auth/authenticator")
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', browser.page)
    assert found is not None
    secret = found[1]
    await browser.submit(secret=secret, code="000000", current=PASSWORD)
    assert "The code is wrong" in browser.page
    assert secret in browser.page  # the person has scanned it
    await browser.submit(secret=secret, code=code(pages, secret), current="wrong")
    assert "password is wrong" in browser.page
    await browser.submit(secret=secret, code=code(pages, secret), current=PASSWORD)
    assert "The second step was changed" in browser.page
    other = pages.browser()
    await other.sign_in(account.email)
    assert other.heading == "One more step"
    pages.smart.clock.tick(30)
    await other.submit(code=code(pages, secret))
    assert other.heading == "Your account"


async def test_secrets_of_authenticators_are_sealed(pages: Cabinet) -> None:
    account = await pages.account(totp_secret=SECRET)
    stored = await pages.state.accounts.kept.table.find_one(  # type: ignore[attr-defined]
        {"_id": account.id}
    )
    assert SECRET not in str(stored)
    found = await pages.state.accounts.find(account.id)
    assert found is not None
    assert found.totp_secret == SECRET


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_s4_77_a_code_is_taken_once(pages: Cabinet, steps: int) -> None:
    account = await pages.account(totp_secret=SECRET)
    given = code(pages, steps=steps)
    browser = pages.browser()
    await browser.sign_in(account.email)
    await browser.submit(code=given)
    assert browser.heading == "Your account"
    again = pages.browser()
    await again.sign_in(account.email)
    await again.submit(code=given)
    assert "The code is wrong" in again.page


@pytest.mark.parametrize("steps", [-2, 2])
async def test_a_code_of_another_time_is_refused(pages: Cabinet, steps: int) -> None:
    account, browser = await pages.account(totp_secret=SECRET), pages.browser()
    await browser.sign_in(account.email)
    await browser.submit(code=code(pages, steps=steps))
    assert "The code is wrong" in browser.page


async def test_of_parallel_uses_of_a_code_one_wins(pages: Cabinet) -> None:
    account = await pages.account(totp_secret=SECRET)
    ports = pages.site.accounts

    async def one() -> bool:
        found = await signing_in.proceed(ports, account, ("pwd",), None)
        assert isinstance(found, NeedsMore)
        waiting = await signing_in.waiting(ports, found.secret)
        assert waiting is not None
        try:
            done = await signing_in.second_step(ports, *waiting, code(pages))
        except RefusedError:
            return False
        return isinstance(done, SignedIn)

    assert sum(await asyncio.gather(*(one() for _ in range(8)))) == 1


async def test_a_first_step_leads_to_one_session(pages: Cabinet) -> None:
    account = await pages.account(totp_secret=SECRET)
    ports = pages.site.accounts
    found = await signing_in.proceed(ports, account, ("pwd",), None)
    assert isinstance(found, NeedsMore)
    waiting = await signing_in.waiting(ports, found.secret)
    assert waiting is not None
    await signing_in.second_step(ports, *waiting, code(pages))
    assert await signing_in.waiting(ports, found.secret) is None
    with pytest.raises(RefusedError):
        await signing_in.second_step(ports, *waiting, code(pages, steps=1))


async def test_codes_are_guessed_a_few_times_only(pages: Cabinet) -> None:
    account = await pages.account(totp_secret=SECRET)
    browser = pages.with_policy(lockout=3).browser()
    await browser.sign_in(account.email)
    for _ in range(3):
        await browser.submit(code="000000")
    response = await browser.submit(code=code(pages))
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0


async def mailed(pages: Cabinet, **values: Any) -> tuple[str, Browser]:
    account, browser = await pages.account(mailed_codes=True, **values), pages.browser()
    await browser.sign_in(account.email)
    assert browser.heading == "One more step"
    return account.email, browser


async def test_s4_77_a_code_by_mail_is_the_second_step(pages: Cabinet) -> None:
    email, browser = await mailed(pages)
    await browser.submit(code=pages.mailbox.code(email))
    assert browser.heading == "Your account"


async def test_a_new_mailed_code_ends_the_old_one(pages: Cabinet) -> None:
    email, browser = await mailed(pages)
    old = pages.mailbox.code(email)
    await browser.submit(again="yes")
    fresh = pages.mailbox.code(email)
    if old != fresh:
        await browser.submit(code=old)
        assert "The code is wrong" in browser.page
    await browser.submit(code=fresh)
    assert browser.heading == "Your account"


async def test_a_mailed_code_lives_for_minutes(pages: Cabinet) -> None:
    email, browser = await mailed(pages)
    pages.smart.clock.tick(599)
    again = pages.browser()
    await again.sign_in(email)
    pages.smart.clock.tick(601)
    await browser.submit(code=pages.mailbox.code(email))
    assert browser.heading == "Sign in"  # so does the sign-in between its steps


async def test_the_operator_can_demand_a_second_step(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.with_policy(second_step="required").browser()
    await browser.sign_in(account.email)
    assert browser.heading == "One more step"
    assert pages.mailbox.to(account.email)


async def test_the_first_step_alone_is_no_session(pages: Cabinet) -> None:
    _, browser = await mailed(pages)
    await browser.get("/auth/account")
    assert browser.heading == "Sign in"


async def test_rfc_9470_a_stronger_sign_in_is_asked_for_without_the_password(
    pages: Cabinet,
) -> None:
    account, client = await pages.account(level=3), await pages.smart.client()
    browser = pages.browser()
    await browser.sign_in(account.email)
    await browser.ask(client, acr_values="3")
    assert browser.heading == "One more step"
    await browser.submit(code=pages.mailbox.code(account.email))
    assert "asks for access" in browser.heading
    answer = said((await browser.allow()).headers["location"])
    assert "code" in answer
    (grant,) = await pages.smart.ports.grants.of_account(account.id)
    assert (grant.level, grant.acr, grant.amr) == (3, "3", ("pwd", "otp", "mfa"))


async def test_rfc_9470_who_cannot_reach_a_level_is_sent_back(pages: Cabinet) -> None:
    account, client = await pages.account(level=2), await pages.smart.client()
    browser = pages.browser()
    await browser.ask(client, acr_values="3")
    await browser.sign_in(account.email)
    answer = said(browser.response.headers["location"])
    assert answer["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize(
    ("identity", "second", "level"), [(1, False, 1), (2, False, 2), (3, False, 2), (3, True, 3)]
)
async def test_b02_the_level_of_a_session(
    pages: Cabinet, identity: int, second: bool, level: int
) -> None:
    amr = ("pwd", "otp", "mfa") if second else ("pwd",)
    account = await pages.account(level=identity)
    found = await signing_in.begin(pages.site.accounts, account, amr)
    assert (found.session.level, found.session.acr) == (level, str(level))


async def test_mailed_codes_are_switched_with_the_password(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await browser.sign_in(account.email)
    await browser.post("/auth/mailed-codes", current="wrong", on="yes")
    assert "password is wrong" in browser.page
    await browser.post("/auth/mailed-codes", current=PASSWORD, on="yes")
    assert "Codes come by e-mail" in browser.page
