"""Sign-in pages: password, session, CSRF, lockout, and how the browser gets to consent.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
"""

import time

import pytest

from fhir_server.cabinet.accounts.hashing import Hasher
from tests.support.smart import CALLBACK, ISSUER, request_of, said
from tests.support.web import PASSWORD, Cabinet

pytestmark = pytest.mark.anyio


async def test_s0_03_a_password_opens_the_account(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.browser()
    await browser.get("/auth/account")
    assert browser.heading == "Sign in"
    await browser.sign_in(account.email.upper())
    assert browser.heading == "Your account"
    assert account.email in browser.page


async def test_sa_02_a_whole_launch_from_page_to_token(pages: Cabinet) -> None:
    account = await pages.account()
    client = await pages.smart.client(client_name="Diary")
    browser = pages.browser()
    await browser.ask(client, state="a b&c=ü%")
    assert browser.heading == "Sign in"
    assert "Diary" in browser.page
    await browser.sign_in(account.email)
    assert browser.heading == "Diary asks for access"
    answer = await browser.allow()
    assert answer.headers["location"].startswith(CALLBACK)
    given = said(answer.headers["location"])
    assert given["state"] == "a b&c=ü%"
    body = (await pages.smart.redeem(client, given["code"])).json()
    assert body["patient"] == "anna"


async def test_a_session_is_not_asked_for_the_password_again(pages: Cabinet) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    await browser.sign_in(account.email)
    await browser.ask(client)
    assert "asks for access" in browser.heading


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "60"}])
async def test_sa_28_the_app_may_ask_for_a_new_sign_in(
    pages: Cabinet, changes: dict[str, str]
) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    await browser.sign_in(account.email)
    pages.smart.clock.tick(120)
    await browser.ask(client, **changes)
    assert browser.heading == "Sign in"
    await browser.sign_in(account.email)
    assert "code" in said((await browser.allow()).headers["location"])


async def test_sa_28_prompt_none_uses_the_session_or_says_that_there_is_none(
    pages: Cabinet,
) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    answer = await browser.ask(client, prompt="none")
    assert said(answer.headers["location"])["error"] == "login_required"
    await browser.sign_in(account.email)
    answer = await browser.ask(client, prompt="none")
    assert said(answer.headers["location"])["error"] == "consent_required"


@pytest.mark.parametrize(
    ("email", "password"),
    [("known", "not the password"), ("nobody@mail.example", PASSWORD), ("known", "x" * 5000)],
)
async def test_a_wrong_password_and_an_unknown_address_answer_the_same(
    pages: Cabinet, email: str, password: str
) -> None:
    account = await pages.account()
    browser = pages.browser()
    name = account.email if email == "known" else email
    response = await browser.sign_in(name, password)
    assert response.status_code == 400
    assert pages.told.kinds == ["refused"]
    assert "address or the password is wrong" in response.text
    assert "session" not in str(response.headers.get_list("set-cookie"))


async def test_accounts_that_are_locked_answer_as_if_the_password_were_wrong(
    pages: Cabinet,
) -> None:
    account = await pages.account(standing="locked")
    response = await pages.browser().sign_in(account.email)
    assert (response.status_code, "password is wrong" in response.text) == (400, True)


@pytest.mark.alone
async def test_known_and_unknown_addresses_take_the_same_time(pages: Cabinet) -> None:
    """With a hash of an earnest cost the rest is noise."""
    hasher = Hasher(rounds=2, memory_kib=8 * 1024)
    earnest = pages.with_accounts(hasher=hasher)
    known = (await earnest.account()).email
    browser = earnest.browser()
    times: dict[str, list[float]] = {known: [], "unknown@mail.example": []}
    for _ in range(7):
        for email, found in times.items():
            begun = time.perf_counter()
            await browser.sign_in(email, "wrong")
            found.append(time.perf_counter() - begun)
    hasher.close()
    one, other = (min(each) for each in times.values())  # what others do only adds
    assert 0.5 < one / other < 2


async def test_err_21_s4_81_too_many_tries_wait(pages: Cabinet) -> None:
    account = await pages.account()
    strict = pages.with_policy(lockout=3, lockout_seconds=600)
    browser = strict.browser()
    for _ in range(3):
        assert (await browser.sign_in(account.email, "wrong")).status_code == 400
    response = await browser.sign_in(account.email)
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 600
    name = "nobody-at-all@mail.example"  # a name that nobody has is counted too
    statuses = [(await browser.sign_in(name, "wrong")).status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]
    pages.smart.clock.tick(601)
    await browser.sign_in(account.email)
    assert browser.heading == "Your account"


async def test_err_21_strangers_lock_nobody_out_of_a_browser_that_is_known(
    pages: Cabinet,
) -> None:
    account, other = await pages.account(), await pages.account()
    strict = pages.with_policy(lockout=3, lockout_seconds=600)
    home, stranger = strict.browser(), strict.browser()
    await home.sign_in(account.email)
    await home.post("/auth/sign-out")
    await stranger.sign_in(other.email)  # known, but as somebody else's
    await stranger.post("/auth/sign-out")
    for _ in range(3):
        await stranger.sign_in(account.email, "wrong")
    assert (await stranger.sign_in(account.email)).status_code == 429
    assert (await strict.browser().sign_in(account.email)).status_code == 429
    await home.sign_in(account.email)
    assert home.heading == "Your account"
    await home.post("/auth/sign-out")
    statuses = [(await home.sign_in(account.email, "wrong")).status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]  # nor is it a place to guess
    # A password that was changed makes every browser a stranger.
    strict.smart.clock.tick(601)
    await home.sign_in(account.email)
    await home.post("/auth/sign-out")
    strict.smart.clock.tick(1)
    now = strict.smart.clock.now()
    await strict.state.accounts.change(account, password_changed=now)
    for _ in range(3):
        await stranger.sign_in(account.email, "wrong")
    assert (await home.sign_in(account.email)).status_code == 429


async def test_err_21_strangers_use_up_no_recovery_of_a_known_browser(pages: Cabinet) -> None:
    account = await pages.account()
    strict = pages.with_policy(resend=1)
    home, stranger = strict.browser(), strict.browser()
    await home.sign_in(account.email)
    for browser, letters in ((stranger, 1), (stranger, 1), (home, 2), (home, 2)):
        await browser.get("/auth/recover")
        await browser.submit(email=account.email)
        await strict.site.later.drain()
        assert len(strict.mailbox.to(account.email)) == letters


async def test_err_21_who_waits_is_told_to_the_audit_once(pages: Cabinet) -> None:
    account = await pages.account()
    strict = pages.with_policy(lockout=2, address_tries=6)
    browser = strict.browser()
    for _ in range(20):
        await browser.sign_in(account.email, "wrong")
    reasons = [each.reason for each in strict.told.events if each.kind == "refused"]
    assert reasons == ["WrongError", "WrongError", "TooManyError", "TooManyError"]


async def test_err_21_one_network_is_counted_for_all_names(pages: Cabinet) -> None:
    strict = pages.with_policy(address_tries=2)
    browser = strict.browser()
    statuses = [
        (await browser.sign_in(f"n{each}@mail.example", "wrong")).status_code
        for each in range(3)
    ]
    assert statuses == [400, 400, 429]


async def test_sa_27_a_form_of_another_page_is_refused(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    form = {"email": account.email, "password": PASSWORD}
    for token in ("", "x", browser.token[:-1] + "!"):
        sent = await browser.http.post("/auth/sign-in", data={**form, "csrf": token})
        assert sent.status_code == 403
    good = {**form, "csrf": browser.token}
    other = pages.browser()
    assert (await other.http.post("/auth/sign-in", data=good)).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    sent = await browser.http.post("/auth/sign-in", data=good, headers=foreign)
    assert sent.status_code == 403
    assert (await browser.http.post("/auth/sign-in", data=good)).status_code == 303


async def test_sa_27_pages_cannot_be_framed_cached_or_scripted(pages: Cabinet) -> None:
    headers = (await pages.browser().get("/auth/sign-in")).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


async def test_sa_27_signing_in_gives_a_session_that_nobody_knew(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.browser()
    browser.http.cookies.set("__Host-session", "fixed", domain="ehr.example")
    await browser.get("/auth/sign-in")
    before = dict(browser.http.cookies)
    await browser.sign_in(account.email)
    after = dict(browser.http.cookies)
    assert after["__Host-session"] not in ("", "fixed")
    assert after["__Host-browser"] != before["__Host-browser"]


async def test_cookies_are_bound_to_this_host(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    sent = await browser.http.post(
        "/auth/sign-in",
        data={"csrf": browser.token, "email": account.email, "password": PASSWORD},
    )
    for each in sent.headers.get_list("set-cookie"):
        assert each.startswith("__Host-")
        assert {"httponly", "secure", "path=/", "samesite=lax"} <= {
            part.strip().lower() for part in each.split(";")
        }


async def test_s4_83_an_idle_session_ends(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.browser()
    await browser.sign_in(account.email)
    for _ in range(3):
        pages.smart.clock.tick(1700)
        await browser.get("/auth/account")
        assert browser.heading == "Your account"
    pages.smart.clock.tick(1801)
    await browser.get("/auth/account")
    assert browser.heading == "Sign in"


async def test_s4_83_a_session_ends_in_any_case(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.with_policy(session_seconds=3600).browser()
    await browser.sign_in(account.email)
    for _ in range(3):
        pages.smart.clock.tick(1300)
        await browser.get("/auth/account")
    assert browser.heading == "Sign in"


async def test_s0_08_signing_out_ends_the_session(pages: Cabinet) -> None:
    account = await pages.account()
    browser = pages.browser()
    await browser.sign_in(account.email)
    kept = browser.http.cookies["__Host-session"]
    await browser.post("/auth/sign-out")
    assert browser.heading == "You have signed out"
    assert pages.told.kinds == ["signed-in", "signed-out"]
    assert pages.told.events[0].network == browser.network
    browser.http.cookies.set("__Host-session", kept, domain="ehr.example")
    await browser.get("/auth/account")
    assert browser.heading == "Sign in"


async def test_oidc_19_an_app_that_signs_out_ends_the_session(pages: Cabinet) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    await browser.ask(client, scope="openid launch/patient online_access patient/*.rs")
    await browser.sign_in(account.email)
    code = said((await browser.allow()).headers["location"])["code"]
    tokens = (await pages.smart.redeem(client, code)).json()
    await browser.http.get("/auth/end-session", params={"id_token_hint": tokens["id_token"]})
    await browser.get("/auth/account")
    assert browser.heading == "Sign in"
    assert not await pages.smart.works(tokens["access_token"])


async def test_post_04_a_form_of_another_site_is_resumed_without_a_cookie(
    pages: Cabinet,
) -> None:
    account, client = await pages.account(), await pages.smart.client()
    browser = pages.browser()
    await browser.sign_in(account.email)
    session = browser.http.cookies["__Host-session"]
    browser.http.cookies.clear()  # SameSite: none comes along
    sent = await browser.http.post(
        "/auth/authorize", data=request_of(client), headers={"Origin": "https://app.example"}
    )
    assert sent.status_code == 303
    browser.http.cookies.set("__Host-session", session, domain="ehr.example")
    await browser.get(sent.headers["location"])
    assert "asks for access" in browser.heading


async def test_another_browser_cannot_answer_a_request(pages: Cabinet) -> None:
    client = await pages.smart.client()
    one, other = pages.browser(), pages.browser()
    first = await one.http.get("/auth/authorize", params=request_of(client))
    await other.get(first.headers["location"])
    assert other.heading == "This request is over"
    name = first.headers["location"].partition("request=")[2]
    parked = next(each for each in one.http.cookies.values() if each)
    other.http.cookies.set(f"__Host-request-{name}", f"{parked}x", domain="ehr.example")
    await other.get(first.headers["location"])
    assert other.heading == "This request is over"


async def test_a_request_is_over_after_its_time(pages: Cabinet) -> None:
    client = await pages.smart.client()
    browser = pages.browser()
    sent = await browser.http.get("/auth/authorize", params=request_of(client))
    pages.smart.clock.tick(1801)
    await browser.get(sent.headers["location"])
    assert browser.heading == "This request is over"


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/auth/\\..",
     "/auth/\r\nX: y", "javascript:alert(1)", "/elsewhere"],
)  # fmt: skip
async def test_err_22_the_language_form_leads_nowhere_else(pages: Cabinet, back: str) -> None:
    browser = pages.browser()
    await browser.get("/auth/sign-in")
    sent = await browser.http.post(
        "/auth/language", data={"csrf": browser.token, "language": "uk", "back": back}
    )
    assert sent.headers["location"] == "/auth/account"
    assert "x" not in sent.headers


async def test_err_23_a_state_of_markup_is_no_markup(pages: Cabinet) -> None:
    account = await pages.account()
    client = await pages.smart.client(client_name="<script>alert(1)</script>")
    state = "<script>" + "a\r\nSet-Cookie: x=1" * 100
    browser = pages.browser()
    await browser.ask(client, state=state, login_hint='"><script>')
    assert "<script>alert" not in browser.page
    assert '"><script>' not in browser.page
    await browser.sign_in(account.email)
    answer = await browser.allow()
    assert said(answer.headers["location"])["state"] == state
    assert "x=1" not in str(answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("language", "heading"), [("ru,en;q=0.5", "Вход"), ("uk", "Вхід"), ("de", "Sign in")]
)
async def test_pages_speak_three_languages(pages: Cabinet, language: str, heading: str) -> None:
    browser = pages.browser(**{"Accept-Language": language})
    await browser.get("/auth/sign-in")
    assert browser.heading == heading


async def test_the_app_may_name_a_language_and_the_person_another(pages: Cabinet) -> None:
    client = await pages.smart.client()
    browser = pages.browser()
    await browser.ask(client, ui_locales="uk-UA en")
    assert browser.heading == "Вхід"
    await browser.post("/auth/language", language="ru", back="/auth/sign-in")
    assert browser.heading == "Вход"


async def test_methods_that_a_page_does_not_know(pages: Cabinet) -> None:
    response = await pages.browser().http.put("/auth/sign-in")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_static_files_are_kept_by_browsers(pages: Cabinet) -> None:
    browser = pages.browser()
    for url in pages.site.renderer.static:
        response = await browser.http.get(url)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
    assert (await browser.http.get("/auth/static/0/none.css")).status_code == 404
    assert pages.site.origin == ISSUER
