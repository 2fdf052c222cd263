"""The patient's page: what is served, under which headers, how large; and its app.

https://www.w3.org/TR/CSP3/
https://www.w3.org/TR/service-workers/
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePosixPath
from urllib.parse import urljoin

import brotli  # type: ignore[import-untyped]  # ships no types
import httpx
import pytest
from starlette.responses import PlainTextResponse

from fhir_server.assembly.pages import patients_place
from fhir_server.core.messages import Text
from fhir_server.settings import Settings
from fhir_server.smart.parameters import Pairs
from fhir_server.smart.records import Client
from fhir_server.store.accounts import Account
from fhir_server.web.patient_page import CLIENT, HOME, SCOPES, File, PatientPage, Place
from tests.arch.checkers import ROOT
from tests.support.smart import BASE, ISSUER, request_of, said
from tests.support.web import Browser, Cabinet

pytestmark = pytest.mark.anyio

PLACE = Place(ISSUER, BASE, "Europe/Kyiv", 1800, Text("A & B", "А", "Б"))
CALLBACK = f"{ISSUER}{HOME}"
FOLDER = files("fhir_server.web") / "cabinet"
FIRST_LOAD = 60 * 1024
"""Bytes of files, compressed, until somebody who is signed in sees the first view."""
EVERYTHING = 80 * 1024
ACCESS = 32 * 1024
"""What is loaded besides, when a view of access or of notices is opened."""


def page(place: Place = PLACE) -> PatientPage:
    return PatientPage(PlainTextResponse("other", 404), place)


@cache
def served() -> Mapping[str, File]:
    """Path to file, compressed once."""
    return page().files


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=page())
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


def referred(html: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/cabinet/[^"]+)"', html)


async def test_the_page_lets_nothing_in_but_its_own_files(http: httpx.AsyncClient) -> None:
    answer = await http.get(HOME)
    policy = dict(
        each.strip().partition(" ")[::2]
        for each in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    assert (policy["connect-src"], policy["frame-ancestors"]) == ("'self'", "'none'")
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_fhir_base_of_another_origin_can_be_reached() -> None:
    place = Place("https://id.example", "https://fhir.example/fhir", "UTC", 1800, PLACE.title)
    policy = page(place).files[HOME].headers["Content-Security-Policy"]
    assert policy.endswith("connect-src 'self' https://fhir.example")


async def test_the_page_has_no_script_or_style_of_its_own(http: httpx.AsyncClient) -> None:
    html = (await http.get(HOME)).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", html)


async def test_what_the_page_is_told_is_escaped(http: httpx.AsyncClient) -> None:
    html = (await http.get(HOME)).text
    assert 'data-title-en="A &amp; B"' in html
    assert f'data-base="{BASE}"' in html


async def test_every_file_is_there_and_kept_for_ever(http: httpx.AsyncClient) -> None:
    found = referred((await http.get(HOME)).text)
    assert len(found) > 5
    for each in found:
        answer = await http.get(each)
        assert answer.status_code == 200, each
        assert "immutable" in answer.headers["cache-control"]


async def test_files_of_another_version_are_not_there(http: httpx.AsyncClient) -> None:
    assert (await http.get(f"{HOME}0123456789ab/app/main.js")).status_code == 404
    assert (await http.get(f"{HOME}../settings.py")).status_code == 404
    assert (await http.get(f"{HOME}index.html")).status_code == 404


async def test_a_change_of_content_is_a_change_of_address() -> None:
    below = {each.split("/")[2] for each in served() if each.count("/") > 2}
    assert len(below) == 1


async def test_a_page_that_the_browser_has_is_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get(HOME)
    again = await http.get(HOME, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("path", "status"), [("/cabinet", 307), ("/cabinets", 404)])
async def test_the_page_begins_at_its_folder(
    http: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await http.get(path)).status_code == status


async def test_the_page_is_read_alone(http: httpx.AsyncClient) -> None:
    answer = await http.post(HOME)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_the_worker_keeps_the_shell_and_nothing_of_people(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get(f"{HOME}worker.js")
    assert answer.headers["cache-control"] == "no-cache"
    listed = re.search(r"const SHELL = (\[.*?\]);", answer.text)
    assert listed
    shell = json.loads(listed[1])
    assert shell[0] == HOME
    assert set(shell) == set(served()) - {f"{HOME}worker.js"}


def imported(path: str) -> set[str]:
    """A module with everything that it imports at once."""
    found, waiting = set(), [path]
    while waiting:
        module = waiting.pop()
        found.add(module)
        text = served()[module].content.decode()
        for each in re.findall(r'^import (?:.* from )?"(\.[^"]+)";', text, re.MULTILINE):
            target = urljoin(module, each)
            assert target in served(), f"{module} imports {each}"
            waiting += [target] if target not in found else []
    return found


async def test_what_the_first_view_needs_is_asked_for_at_once(http: httpx.AsyncClient) -> None:
    """Else each level of imports is a round trip more on a slow line."""
    html = (await http.get(HOME)).text
    early = set(re.findall(r'rel="modulepreload" href="([^"]+)"', html))
    (main,) = {each for each in early if each.endswith("/app/main.js")}
    assert early == imported(main) | imported(urljoin(main, "../views/home.js"))


async def test_the_first_load_is_light(http: httpx.AsyncClient) -> None:
    html = (await http.get(HOME)).text
    scripts = {
        each
        for found in referred(html)
        if found.endswith(".js")
        for each in (imported(found) if "/app/" in found else {found})
    }
    (main,) = {each for each in scripts if each.endswith("/app/main.js")}
    home = imported(urljoin(main, "../views/home.js"))
    loaded = {HOME, *referred(html), *scripts, *home}
    size = sum(len(served()[each].compressed) for each in loaded)
    assert size < FIRST_LOAD, size


async def test_all_views_are_light() -> None:
    (main,) = {each for each in served() if each.endswith("/app/main.js")}
    text = served()[main].content.decode()
    views = [urljoin(main, each) for each in re.findall(r'import\("([^"]+)"\)', text)]
    loaded = [imported(view) for view in views]
    texts = urljoin(main, "texts-sharing.js")
    usual = imported(main).union(*(found for found in loaded if texts not in found))
    apart = set[str]().union(*loaded) - usual
    assert texts in apart
    size = sum(len(served()[each].compressed) for each in apart)
    assert size < ACCESS, size
    rest = sum(len(each.compressed) for name, each in served().items() if name not in apart)
    assert rest < EVERYTHING, rest


async def test_files_travel_compressed(http: httpx.AsyncClient) -> None:
    (style,) = {each for each in served() if each.endswith(".css")}
    plain = await http.get(style, headers={"Accept-Encoding": "identity"})
    packed = served()[style].compressed
    assert "content-encoding" not in plain.headers
    assert plain.content == brotli.decompress(packed)
    answer = await http.get(style, headers={"Accept-Encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["vary"] == "Accept-Encoding"


def test_no_module_is_longer_than_400_lines() -> None:
    parts = {name: file.content for name, file in served().items() if name.endswith(".js")}
    long = {
        PurePosixPath(name).name
        for name, content in parts.items()
        if "/lib/" not in name and content.count(b"\n") > 400
    }
    assert long == set()


def test_the_carried_library_is_what_it_says() -> None:
    origin = json.loads((FOLDER / "lib" / "ORIGIN.json").read_text())["fhir-client.js"]
    content = (FOLDER / "lib" / "fhir-client.js").read_bytes()
    assert sha256(content).hexdigest() == origin["sha256"]
    tried = json.loads((ROOT / "tests/clients/package.json").read_text())
    assert origin["version"] == tried["dependencies"]["fhirclient"]
    assert "Apache License" in (FOLDER / "lib" / "LICENSE").read_text()
    assert f"fhirclient {origin['version']}" in (ROOT / "NOTICE").read_text()


def settings(cabinet: str) -> Settings:
    return Settings(cabinet=cabinet, base_url=BASE)


async def registered(pages: Cabinet, cabinet: str) -> Client | None:
    await patients_place(settings(cabinet), pages.smart.ports)
    return await pages.smart.ports.clients.find(CLIENT)


async def test_the_page_is_registered_as_a_public_app(pages: Cabinet) -> None:
    client = await registered(pages, "on")
    assert client is not None
    assert (client.method, client.redirect_uris) == ("none", (CALLBACK,))
    assert (client.scopes, client.permissions) == (SCOPES, frozenset())


async def test_where_there_is_no_page_there_is_no_app(pages: Cabinet) -> None:
    await registered(pages, "on")
    assert await registered(pages, "off") is None


async def test_an_operator_who_blocked_the_page_is_heeded(pages: Cabinet) -> None:
    client = await registered(pages, "on")
    assert client is not None
    await pages.smart.ports.clients.put(replace(client, standing="blocked", redirect_uris=()))
    again = await registered(pages, "first-party")
    assert again is not None
    assert (again.standing, again.redirect_uris) == ("blocked", (CALLBACK,))
    await registered(pages, "off")


async def opened(pages: Cabinet, browser: Browser, **changes: str | None) -> Client:
    """The browser after the page sent it to the authorization server."""
    client = await registered(pages, "first-party")
    assert client is not None
    request = request_of(client, redirect_uri=CALLBACK, scope=SCOPES, **changes)
    await browser.get("/auth/authorize", **request)
    return client


async def redeemed(pages: Cabinet, client: Client, browser: Browser) -> Pairs:
    code = said(browser.response.headers["location"])["code"]
    answer = await pages.smart.redeem(client, code, redirect_uri=CALLBACK)
    assert answer.status_code == 200, answer.text
    return tuple(answer.json().items())


async def let_in(pages: Cabinet) -> tuple[Account, Browser]:
    """Somebody who has let the page in, and the browser."""
    account, browser = await pages.account(), pages.browser()
    client = await opened(pages, browser)
    await browser.sign_in(account.email)
    await browser.submit(answer="allow")
    await redeemed(pages, client, browser)
    return account, browser


async def test_the_house_asks_in_plain_words(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    client = await opened(pages, browser)
    await browser.sign_in(account.email)
    assert browser.heading == "Open the record"
    assert "Take the tick away" not in browser.page
    await browser.submit(answer="allow")
    body = dict(await redeemed(pages, client, browser))
    assert (body["patient"], body["scope"]) == ("anna", SCOPES)


async def test_the_house_asks_once(pages: Cabinet) -> None:
    account, _ = await let_in(pages)
    later = pages.browser()
    client = await opened(pages, later)
    await later.sign_in(account.email)
    assert dict(await redeemed(pages, client, later))["patient"] == "anna"


async def test_a_no_is_a_no(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await opened(pages, browser)
    await browser.sign_in(account.email)
    await browser.submit(answer="deny")
    assert said(browser.response.headers["location"])["error"] == "access_denied"


async def test_who_took_it_back_is_asked_again(pages: Cabinet) -> None:
    _, browser = await let_in(pages)
    await browser.get("/auth/account")
    await browser.post("/auth/apps", grant="all")
    await opened(pages, browser)
    assert browser.heading == "Open the record"


async def test_who_has_several_records_chooses_each_time(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    pages.represents.by_account[account.id] = ("ben",)
    client = await opened(pages, browser)
    await browser.sign_in(account.email)
    await browser.submit(answer="allow", patient="anna")
    await redeemed(pages, client, browser)
    await opened(pages, browser)
    assert browser.heading == "Open the record"
    await browser.submit(answer="allow", patient="ben")
    assert dict(await redeemed(pages, client, browser))["patient"] == "ben"


async def test_nobody_opens_a_record_of_others(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await opened(pages, browser)
    await browser.sign_in(account.email)
    await browser.submit(answer="allow", patient="eve")
    assert said(browser.response.headers["location"])["error"] == "access_denied"


async def test_prompt_consent_asks_again(pages: Cabinet) -> None:
    _, browser = await let_in(pages)
    await opened(pages, browser, prompt="consent")
    assert browser.heading == "Open the record"


async def test_apps_elsewhere_are_asked_about_as_ever(pages: Cabinet) -> None:
    """The permission is the house's; a redirect away from it is not."""
    account, browser = await pages.account(), pages.browser()
    client = await pages.smart.client(client_name="Diary")
    own = replace(client, permissions=frozenset({"first-party"}))
    await pages.smart.ports.clients.put(own)
    await browser.ask(own)
    await browser.sign_in(account.email)
    assert browser.heading == "Diary asks for access"


async def test_a_page_that_is_used_keeps_the_sign_in(pages: Cabinet) -> None:
    account, browser = await pages.account(), pages.browser()
    await browser.sign_in(account.email)
    idle = pages.site.accounts.policy.idle_seconds
    for _ in range(3):
        pages.smart.clock.tick(idle - 60)
        assert (await browser.http.get("/auth/session")).status_code == 204
    pages.smart.clock.tick(idle + 1)
    answer = await browser.http.get("/auth/session")
    assert (answer.status_code, answer.headers["cache-control"]) == (401, "no-store")
