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
    for each in ("Diary", "Иванова", "Everything in the record", "see", "Last used", "Ends"):
        assert each in browser.page, each


async def test_revo_06_the_same_as_json(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await with_app(pages, account, browser, client_name="Diary")
    body = (await browser.http.get("/auth/grants")).json()
    (grant,) = body["grants"]
    assert (grant["app"], grant["patient"]) == ("Diary", "anna")
    assert grant["last_used"] == pages.smart.clock.now()
    assert "patient/*.rs" in grant["scope"]
    assert grant["may"][0].endswith(": see")


async def test_revo_01_02_an_app_is_ended_at_once(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    tokens = await with_app(pages, account, browser)
    other = await with_app(pages, account, browser)
    await browser.get("/auth/account")
    grants = (await browser.http.get("/auth/grants")).json()["grants"]
    grant = next(each for each in grants if each["client"] == tokens["client"].id)
    await browser.post("/auth/apps", grant=grant["id"])
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


async def test_the_json_ends_a_grant_too(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    tokens = await with_app(pages, account, browser)
    body = (await browser.http.get("/auth/grants")).json()
    path = f"/auth/grants/{body['grants'][0]['id']}"
    assert (await browser.http.delete(path)).status_code == 403
    headers = {"X-CSRF-Token": body["csrf"]}
    assert (await browser.http.delete(path, headers=headers)).status_code == 204
    assert not await pages.smart.works(tokens["access_token"])
    assert (await browser.http.delete(path, headers=headers)).status_code == 404


async def test_nobody_sees_or_ends_what_another_granted(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    tokens = await with_app(pages, account, browser)
    grant = (await browser.http.get("/auth/grants")).json()["grants"][0]["id"]
    other, thief = await pages.account(), pages.browser()
    await thief.sign_in(other.email)
    body = (await thief.http.get("/auth/grants")).json()
    assert body["grants"] == []
    headers = {"X-CSRF-Token": body["csrf"]}
    answer = await thief.http.delete(f"/auth/grants/{grant}", headers=headers)
    assert answer.status_code == 404
    await thief.post("/auth/apps", grant=grant)
    assert await pages.smart.works(tokens["access_token"])


async def test_without_a_session_there_is_nothing_to_see(pages: Cabinet) -> None:
    browser = pages.browser()
    response = await browser.http.get("/auth/grants")
    assert (response.status_code, response.json()) == (401, {"error": "login_required"})
    await browser.get("/auth/sign-in")
    await browser.post("/auth/apps", grant="all")
    assert browser.heading == "Sign in"
