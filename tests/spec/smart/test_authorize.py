"""Authorization requests that are refused, and where the browser goes with the refusal.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
https://www.rfc-editor.org/rfc/rfc9700#section-4.1
"""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.rest.oauth.attempts import Attempts
from fhir_server.rest.oauth.authorize import answered
from fhir_server.smart.authorization import Unredirectable
from tests.support.smart import (
    ALL_SCOPES,
    ANNA,
    BASE,
    CALLBACK,
    DOCTOR,
    ISSUER,
    Smart,
    client_of,
    request_of,
    said,
)

pytestmark = pytest.mark.anyio

OTHER_PLACES = [
    pytest.param(None, id="err_04_missing"),
    pytest.param("https://app.example/other", id="err_04_path"),
    pytest.param("https://app.example/Callback", id="err_04_case"),
    pytest.param("https://app.example/callback/", id="err_04_slash"),
    pytest.param("https://app.example:8443/callback", id="err_04_port"),
    pytest.param("https://app.example:443/callback", id="err_04_default_port"),
    pytest.param("https://app.example/callback?x=1", id="err_04_query"),
    pytest.param("https://app.example/callback#x", id="err_04_fragment"),
    pytest.param("http://app.example/callback", id="err_04_scheme"),
    pytest.param("https://APP.example/callback", id="err_04_host_case"),
    pytest.param("https://app.example@evil.example/callback", id="err_22_user"),
    pytest.param("https://evil.example/https://app.example/callback", id="err_22_path"),
    pytest.param("https://app.example\\@evil.example/callback", id="err_22_backslash"),
    pytest.param("https:\\\\evil.example/callback", id="err_22_backslashes"),
    pytest.param("//evil.example/callback", id="err_22_no_scheme"),
    pytest.param("https%3A%2F%2Fapp.example%2Fcallback", id="err_22_encoded_twice"),
    pytest.param("https://app.example/callback/%2e%2e/other", id="err_22_dots"),
    pytest.param("https://аpp.example/callback", id="err_22_cyrillic_host"),
    pytest.param("https://app.example/callback\r\nSet-Cookie: a=b", id="err_23_header"),
    pytest.param(
        "https://app.example/callback%0d%0aSet-Cookie:a=b", id="err_23_encoded_header"
    ),
    pytest.param(" https://app.example/callback", id="err_22_space"),
    pytest.param("javascript:alert(1)", id="err_22_script"),
    pytest.param("data:text/html,x", id="err_22_data"),
]


@pytest.mark.parametrize("uri", OTHER_PLACES)
async def test_err_04_22_the_browser_is_not_sent_there(smart: Smart, uri: str | None) -> None:
    response = await smart.ask(await smart.client(), redirect_uri=uri)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["x-frame-options"] == "DENY"
    assert "evil" not in response.text


async def test_err_05_an_unknown_client_gets_a_page(smart: Smart) -> None:
    response = await smart.ask(await smart.client(), client_id="<b>nobody</b>")
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "nobody" not in response.text


@pytest.mark.parametrize(
    ("registered", "given", "goes"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:51004/cb", True),
        ("http://[::1]/cb", "http://[::1]:51004/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]:51004/cb", False),
        ("http://localhost:3000/cb", "http://localhost:3000/cb", True),
        ("http://localhost:3000/cb", "http://localhost:3001/cb", False),
        ("org.example.app:/cb", "org.example.app:/cb", True),
        ("org.example.app:/cb", "org.example.other:/cb", False),
    ],
)
async def test_err_06_native_apps(
    smart: Smart, registered: str, given: str, goes: bool
) -> None:
    client = await smart.client(redirect_uris=[registered])
    assert ((await smart.ask(client, redirect_uri=given)).status_code == 200) is goes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"response_type": None}, "unsupported_response_type", id="err_07"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="err_07"),
        pytest.param({"response_type": "id_token"}, "unsupported_response_type", id="err_07"),
        pytest.param({"response_type": "code token"}, "unsupported_response_type", id="err_07"),
        pytest.param({"scope": None}, "invalid_scope", id="err_08_no_scope"),
        pytest.param({"scope": ""}, "invalid_scope", id="err_08_empty_scope"),
        pytest.param({"scope": "cat dog patient/Cat.rs"}, "invalid_scope", id="err_09_scp_26"),
        pytest.param({"scope": "system/*.rs"}, "invalid_scope", id="scp_24"),
        pytest.param({"state": None}, "invalid_request", id="err_08_no_state"),
        pytest.param({"aud": None}, "invalid_request", id="err_02_no_aud"),
        pytest.param({"aud": f"{BASE}/x"}, "invalid_request", id="err_03"),
        pytest.param({"aud": f"{BASE}//"}, "invalid_request", id="err_03_two_slashes"),
        pytest.param({"aud": BASE.upper()}, "invalid_request", id="err_03_case"),
        pytest.param({"resource": "https://x.example"}, "invalid_request", id="sa_26_differ"),
        pytest.param({"response_mode": "fragment"}, "invalid_request", id="response_mode"),
        pytest.param({"request": "a.b.c"}, "invalid_request", id="request_object"),
        pytest.param({"prompt": "none login"}, "invalid_request", id="sa_28_prompt"),
        pytest.param({"state": "x" * 16_001}, "invalid_request", id="err_23_state"),
        pytest.param({"nonce": "x" * 1001}, "invalid_request", id="oidc_10_nonce"),
        pytest.param({"max_age": "-1"}, "invalid_request", id="oidc_17_max_age"),
    ],
)
async def test_err_07_to_09_the_client_is_told(
    smart: Smart, changes: dict[str, Any], code: str
) -> None:
    response = await smart.ask(await smart.client(), **changes)
    assert response.status_code == 303
    where, _, _ = response.headers["location"].partition("?")
    answer = said(response.headers["location"])
    assert where == CALLBACK
    assert answer["error"] == code
    assert answer.get("state") == changes.get("state", "xyz")
    assert answer["iss"] == ISSUER  # ERR-19
    assert answer["error_description"].isascii()


async def test_err_09_scp_25_what_is_unknown_or_too_wide_is_left_out(smart: Smart) -> None:
    client = await smart.client(scope="launch/patient patient/Observation.rs")
    parked = await smart.parked(client, scope="launch/patient patient/*.cruds cat user/*.rs")
    assert parked.request.scopes.text == "launch/patient patient/Observation.rs"


async def test_err_11_nothing_may_be_repeated(smart: Smart) -> None:
    form: Any = list(request_of(await smart.client()).items())
    response = await smart.http.get("/auth/authorize", params=[*form, ("scope", "openid")])
    answer = said(response.headers["location"])
    assert (answer["error"], answer["state"]) == ("invalid_request", "xyz")
    twice = await smart.http.get("/auth/authorize", params=[*form, ("state", "other")])
    assert "state" not in said(twice.headers["location"])
    for name in ("client_id", "redirect_uri"):
        doubled = [*form, (name, dict(form)[name])]
        page = await smart.http.get("/auth/authorize", params=doubled)
        assert (page.status_code, "location" in page.headers) == (400, False)


STATES = [
    pytest.param("x" * 4096, id="long"),
    pytest.param("<script>alert(1)</script>", id="html"),
    pytest.param("a\r\nSet-Cookie: b=c", id="crlf"),
    pytest.param("&code=stolen#f", id="parameters"),
    pytest.param("ы%00%20+", id="percent"),
]


@pytest.mark.parametrize("state", STATES)
async def test_err_23_sa_03_state_comes_back_as_it_went(smart: Smart, state: str) -> None:
    client = await smart.client()
    refused = await smart.ask(client, state=state, aud=None)
    location = refused.headers["location"]
    assert said(location)["state"] == state
    assert location.isascii()
    assert not set(location) & set("\r\n<> ")
    assert set(refused.headers) <= {
        "cache-control",
        "pragma",
        "location",
        "referrer-policy",
        "content-length",
    }
    assert (await smart.answer(await smart.parked(client, state=state)))["state"] == state


async def test_sa_04_a_redirect_uri_keeps_its_own_query(smart: Smart) -> None:
    uri = f"{CALLBACK}?tenant=7"
    client = await smart.client(redirect_uris=[uri])
    answer = await smart.answer(await smart.parked(client, redirect_uri=uri))
    assert answer["tenant"] == "7"
    assert "code" in answer


async def test_sa_24_25_scopes_may_repeat_and_parameters_be_unknown(smart: Smart) -> None:
    client = await smart.client()
    parked = await smart.parked(
        client, scope="launch/patient launch/patient openid", nonsense="x"
    )
    assert parked.request.scopes.others == ("launch/patient", "openid")


async def test_sa_26_resource_is_another_name_of_aud(smart: Smart) -> None:
    parked = await smart.parked(await smart.client(), aud=None, resource=BASE)
    assert parked.request.client


async def test_sa_29_a_redirect_leaves_no_trace(smart: Smart) -> None:
    response = await smart.ask(await smart.client(), aud=None)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_sa_17_a_patient_that_is_not_theirs(smart: Smart) -> None:
    parked = await smart.parked(await smart.client())
    answer = await smart.answer(parked, await smart.decision(patient="carl"))
    assert answer["error"] == "access_denied"


async def test_sa_16_a_parent_chooses_one_of_two(smart: Smart) -> None:
    parked = await smart.parked(await smart.client())
    assert parked.needs_patient
    answer = await smart.answer(parked, await smart.decision(patient="ben"))
    assert "code" in answer


async def test_sa_18_patient_scopes_need_a_patient(smart: Smart) -> None:
    parked = await smart.parked(await smart.client(), scope="patient/*.rs")
    assert parked.needs_patient
    answer = await smart.answer(parked, await smart.decision(patient=None))
    assert answer["error"] == "invalid_request"


async def test_a_request_is_answered_once(smart: Smart) -> None:
    parked = await smart.parked(await smart.client())
    assert "code" in await smart.answer(parked)
    with pytest.raises(Unredirectable, match="answered already"):
        await smart.answer(parked)


async def test_a_request_that_waited_too_long(smart: Smart) -> None:
    parked = await smart.parked(await smart.client())
    smart.clock.tick(1801)
    with pytest.raises(Unredirectable, match="too late"):
        await smart.answer(parked)


async def test_sa_28_prompt_none_without_a_session(smart: Smart) -> None:
    response = await smart.ask(await smart.client(), prompt="none")
    assert said(response.headers["location"])["error"] == "login_required"


async def test_sa_28_prompt_none_without_a_grant(smart: Smart) -> None:
    smart.pages.current = await smart.session("account-new")
    response = await smart.ask(await smart.client(), prompt="none")
    assert said(response.headers["location"])["error"] == "consent_required"


async def test_sa_28_prompt_none_after_a_grant(smart: Smart) -> None:
    client = await smart.client()
    await smart.tokens(client)
    smart.pages.current = await smart.session()
    wider = await smart.ask(client, prompt="none", scope=f"{ALL_SCOPES} user/*.rs")
    assert said(wider.headers["location"])["error"] == "consent_required"
    answer = said((await smart.ask(client, prompt="none")).headers["location"])
    assert (await smart.redeem(client, answer["code"])).json()["patient"] == "anna"


async def test_sa_28_prompt_none_is_not_for_an_app_that_became_another(smart: Smart) -> None:
    """Nobody has allowed the one that waits at the new redirect URI."""
    client = await smart.client()
    await smart.tokens(client)
    smart.pages.current = await smart.session()
    await smart.ports.clients.put(replace(client, changed=smart.clock.now()))
    response = await smart.ask(client, prompt="none")
    assert said(response.headers["location"])["error"] == "consent_required"
    smart.clock.tick(1)
    await smart.tokens(client)
    response = await smart.ask(client, prompt="none")
    assert "code" in said(response.headers["location"])


async def test_sa_28_prompt_none_is_not_for_apps_that_can_be_replaced(smart: Smart) -> None:
    native = "org.example.app:/cb"
    client = await smart.client(redirect_uris=[native])
    parked = await smart.parked(client, redirect_uri=native)
    await smart.answer(parked)
    smart.pages.current = await smart.session()
    response = await smart.ask(client, redirect_uri=native, prompt="none")
    assert said(response.headers["location"])["error"] == "consent_required"


async def test_sa_28_prompt_login_wants_a_new_sign_in(smart: Smart) -> None:
    earlier = await smart.session()
    smart.clock.tick(60)
    parked = await smart.parked(await smart.client(), prompt="login")
    assert parked.needs_sign_in(earlier, smart.clock.now())
    answer = await smart.answer(parked, await smart.decision(session=earlier))
    assert answer["error"] == "login_required"
    again = await smart.parked(await smart.client(), prompt="login")
    assert "code" in await smart.answer(again)


async def test_oidc_17_max_age(smart: Smart) -> None:
    earlier = await smart.session()
    smart.clock.tick(61)
    client = await smart.client()
    for age, code in (("60", "login_required"), ("120", None)):
        parked = await smart.parked(client, max_age=age)
        answer = await smart.answer(parked, await smart.decision(session=earlier))
        assert answer.get("error") == code


async def test_a_client_that_is_not_approved(smart: Smart) -> None:
    pending = await smart.client()
    for standing in ("pending", "blocked"):
        await smart.ports.clients.put(_standing(pending, standing))
        response = await smart.ask(pending)
        assert said(response.headers["location"])["error"] == "unauthorized_client"


def _standing(client: Any, standing: str) -> Any:
    return replace(client, standing=standing)


async def test_post_02_a_form_is_refused_as_a_query_is(smart: Smart) -> None:
    form = request_of(await smart.client(), aud="https://other.example")
    by_get = await smart.http.get("/auth/authorize", params=form)
    by_post = await smart.http.post("/auth/authorize", data=form)
    assert by_get.headers["location"] == by_post.headers["location"]


async def test_post_03_of_a_post_the_form_counts_alone(smart: Smart) -> None:
    form = request_of(await smart.client())
    mixed = {name: value for name, value in form.items() if name != "state"}
    response = await smart.http.post("/auth/authorize?state=abc", data=mixed)
    assert said(response.headers["location"])["error"] == "invalid_request"


async def test_post_05_another_content_type(smart: Smart) -> None:
    response = await smart.http.post("/auth/authorize", json=request_of(await smart.client()))
    assert response.status_code == 400


async def test_bodies_and_queries_that_cannot_be_read(smart: Smart) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for content in (b"client_id=\xff", b"x=" + b"y" * 300_000):
        response = await smart.http.post("/auth/authorize", content=content, headers=kind)
        assert (response.status_code, "location" in response.headers) == (400, False)
    response = await smart.http.get("/auth/authorize?client_id=%ff")
    assert response.status_code == 400


async def test_err_17_a_service_has_no_person_to_ask(smart: Smart) -> None:
    client = replace(await smart.client(), grant_types=frozenset({"client_credentials"}))
    await smart.ports.clients.put(client)
    response = await smart.ask(client)
    assert said(response.headers["location"])["error"] == "unauthorized_client"


async def test_a_client_that_is_blocked_while_a_person_thinks(smart: Smart) -> None:
    client = await smart.client()
    parked = await smart.parked(client)
    await smart.ports.clients.put(replace(client, standing="blocked"))
    assert (await smart.answer(parked))["error"] == "unauthorized_client"


async def test_the_pages_get_a_response(smart: Smart) -> None:
    parked = await smart.parked(await smart.client())
    decision = await smart.decision()
    response = await answered(smart.service, parked, decision)
    assert (response.status_code, "code" in said(response.headers["location"])) == (303, True)
    page = await answered(smart.service, parked, decision, "ru")
    assert (page.status_code, "location" in page.headers) == (400, False)
    assert 'lang="ru"' in bytes(page.body).decode()


async def test_post_06_scp_30_many_scopes(smart: Smart) -> None:
    query = "?category=http://terminology.hl7.org/CodeSystem/observation-category|"
    many = " ".join(f"patient/Observation.rs{query}{number:050}" for number in range(250))
    assert len(many) > 30_000
    client = await smart.client()
    form = request_of(client, scope=f"launch/patient {many}")
    response = await smart.http.post("/auth/authorize", data=form)
    parked = await smart.ports.parked.find(response.json()["parked"])
    assert parked is not None
    body = (await smart.redeem(client, (await smart.answer(parked))["code"])).json()
    assert len(body["scope"].split()) == 251
    assert len(body["access_token"]) < 100


async def test_staff_without_a_patient_may_have_user_scopes(smart: Smart) -> None:
    client = await smart.client()
    parked = await smart.parked(client, scope="openid fhirUser user/*.rs")
    assert not parked.needs_patient
    answer = await smart.answer(parked, await smart.decision(DOCTOR))
    body = (await smart.redeem(client, answer["code"])).json()
    assert "patient" not in body
    assert "user/*.rs" in body["scope"]


async def test_oidc_12_a_person_without_a_resource_has_no_fhir_user(smart: Smart) -> None:
    client = await smart.client()
    nobody = replace(ANNA, user=None)
    answer = await smart.answer(await smart.parked(client), await smart.decision(nobody))
    body = (await smart.redeem(client, answer["code"])).json()
    assert "fhirUser" not in body["scope"].split()


@pytest.mark.parametrize(
    ("asked", "strong"),
    [("1", True), ("2", True), ("3", False), ("3 1", True), ("urn:x", False)],
)
async def test_rfc_9470_a_stronger_sign_in(smart: Smart, asked: str, strong: bool) -> None:
    parked = await smart.parked(await smart.client(), acr_values=asked)
    decision = await smart.decision()  # of level 2
    assert parked.needs_sign_in(decision.session, smart.clock.now()) is not strong
    answer = await smart.answer(parked, decision)
    wanted = None if strong else "unmet_authentication_requirements"
    assert answer.get("error") == wanted


async def test_err_21_one_address_parks_so_many_requests(smart: Smart) -> None:
    client = await smart.client()
    http = client_of(replace(smart.service, arrivals=Attempts(2, smart.clock.seconds)))
    asked = request_of(client)
    found = [await http.get("/auth/authorize", params=asked) for _ in range(4)]
    assert [each.status_code for each in found] == [200, 200, 429, 429]
    assert found[-1].headers["retry-after"] == "60"
    smart.clock.tick(60)
    assert (await http.get("/auth/authorize", params=asked)).status_code == 200


@pytest.mark.parametrize("name", ["scope", "login_hint", "launch", "ui_locales", "x"])
async def test_err_21_a_request_is_not_endless(smart: Smart, name: str) -> None:
    form = request_of(await smart.client()) | {name: "openid " * 15_000}
    response = await smart.http.post("/auth/authorize", data=form)
    assert said(response.headers["location"])["error"] == "invalid_request"
