"""Granted apps: the page, its JSON, and an end that holds at once.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#metadata (management_endpoint)
"""

from typing import Any

import pytest

from fhir_server.store.accounts import Account
from tests.support.smart import said
from tests.support.web import Browser, Cabinet

pytestmark = pytest.mark.anyio


async def with_app(
    pages: Cabinet, account: Account, browser: Browser, **metadata: Any
) -> dict[str, Any]:
    """The tokens of an app that the browser's person has allowed."""
    client = await pages.smart.client(**metadata)
    await browser.ask(client)
    if browser.heading == "Sign in":
        await browser.sign_in(account.email)
    answer = said((await browser.allow()).headers["location"])
    tokens: dict[str, Any] = (await pages.smart.redeem(client, answer["code"])).json()
    return tokens | {"client": client}


async def test_revo_06_each_app_is_shown_in_words(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await with_app(pages, account, browser, client_name="Diary")
    await browser.get("/auth/account")
    for each in (
        "Diary",
        "Иванова",
        "Everything in the record",
        "see",
        "Access last renewed",
        "Ends",
        "Has not read any data yet",
    ):
        assert each in browser.page, each


async def test_revo_01_02_an_app_is_ended_at_once(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    tokens = await with_app(pages, account, browser)
    other = await with_app(pages, account, browser)
    await browser.get("/auth/account")
    grant = await pages.smart.ports.grants.of_account(account.id)
    mine = next(each for each in grant if each.client == tokens["client"].id)
    assert mine.id in browser.page
    await browser.post("/auth/apps", grant=mine.id)
    assert "Access was ended" in browser.page
    assert not await pages.smart.works(tokens["access_token"])
    answer = await pages.smart.refresh(tokens["client"], tokens["refresh_token"])
    assert answer.status_code == 400
    assert await pages.smart.works(other["access_token"])


async def test_revo_06_all_are_ended_together(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    tokens = [await with_app(pages, account, browser) for _ in range(2)]
    await browser.get("/auth/account")
    await browser.post("/auth/apps", grant="all")
    assert "No app has access" in browser.page
    assert [await pages.smart.works(each["access_token"]) for each in tokens] == [False, False]


async def test_nobody_sees_or_ends_what_another_granted(pages: Cabinet) -> None:
    account, browser = await pages.account(patient="ben"), pages.browser()
    tokens = await with_app(pages, account, browser)
    (grant,) = await pages.smart.ports.grants.of_account(account.id)
    other, thief = await pages.account(patient="eve"), pages.browser()
    await thief.sign_in(other.email)
    assert grant.id not in thief.page
    await thief.post("/auth/apps", grant=grant.id)
    assert await pages.smart.works(tokens["access_token"])


async def test_what_a_proxy_allowed_is_shown_to_the_patient(pages: Cabinet) -> None:
    proxy, browser = await pages.account(), pages.browser()
    pages.represents.by_account[proxy.id] = ("eve",)
    client = await pages.smart.client(client_name="Proxy's app")
    await browser.ask(client)
    await browser.sign_in(proxy.email)
    answer = said((await browser.allow(patient="eve")).headers["location"])
    tokens = (await pages.smart.redeem(client, answer["code"])).json()
    own = pages.browser()
    await own.sign_in((await pages.account(patient="eve")).email)
    assert "somebody who represents you" in own.page
    (grant,) = await pages.smart.ports.grants.of_account(proxy.id)
    await own.post("/auth/apps", grant=grant.id)
    assert not await pages.smart.works(tokens["access_token"])


async def test_without_a_session_nothing_is_ended(pages: Cabinet) -> None:
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    await browser.post("/auth/apps", grant="all")
    assert browser.heading == "Sign in"
