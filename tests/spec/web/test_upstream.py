"""B03: sign-in through OpenID Connect, ЕСИА and id.gov.ua, against providers on loopback.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

import base64
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import RSAKey

from fhir_server.access.rights import UNLIMITED
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.update import update
from fhir_server.outward import trust
from fhir_server.smart.digests import digest
from fhir_server.web.upstream import signing
from fhir_server.web.upstream.esia import EsiaProvider, EsiaSettings
from fhir_server.web.upstream.id_gov_ua import IdGovUaProvider, IdGovUaSettings, birth_date
from fhir_server.web.upstream.openid import OpenIdProvider, OpenIdSettings
from fhir_server.web.upstream.provider import Provider, UpstreamError
from scripts.seeds.identifiers import snils
from tests.support.providers import CLIENT, SECRET, Mock, certificate, sealed, serving
from tests.support.smart import numbers, said
from tests.support.web import Browser, Cabinet

pytestmark = pytest.mark.anyio

RNOKPP = "https://records.example/sid/rnokpp"
SNILS_SYSTEM = "urn:oid:1.2.643.100.3"


@pytest.fixture(scope="module")
def keys() -> tuple[RSAKey, RSAKey]:
    return (
        RSAKey.generate_key(2048, {"kid": "one"}),
        RSAKey.generate_key(2048, {"kid": "one"}),
    )


@pytest.fixture
def mock(keys: tuple[RSAKey, RSAKey]) -> Iterator[Mock]:
    with serving(Mock(keys[0])) as found:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=trust(environment=False), trust_env=False) as client:
        yield client


@dataclass
class Somebody:
    """A patient with identifiers."""

    id: str
    snils: str
    number: str


async def somebody(pages: Cabinet) -> Somebody:
    number = next(numbers)
    found = Somebody(f"up{number}", snils(150_000_700 + int(number)), f"31119{number:05}")
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": found.id,
        "name": [{"use": "official", "family": "Іваненко", "given": ["Галина", "Петрівна"]}],
        "birthDate": "1985-03-14",
        "identifier": [
            {"system": SNILS_SYSTEM, "value": found.snils},
            {"system": RNOKPP, "value": found.number},
        ],
    }
    await update(Context(pages.fhir, UNLIMITED), Update("Patient", found.id, resource))
    return found


async def gone(browser: Browser, mock: Mock, **answer: str) -> dict[str, str]:
    """Go to the provider and come back with `answer`; what was asked there."""
    sent = await browser.http.get("/auth/with/p", params=dict(browser.request))
    assert sent.status_code == 303, sent.text
    where = sent.headers["location"]
    asked = {name: each[0] for name, each in parse_qs(urlsplit(where).query).items()}
    mock.nonce = asked.get("nonce", "")
    back = {"code": "c0de", "state": asked["state"], **answer}
    await browser.get("/auth/with/p/back", **back)
    return asked


def with_provider(pages: Cabinet, provider: Provider) -> Cabinet:
    return replace(pages, site=replace(pages.site, providers={"p": provider}))


def openid(mock: Mock, http: httpx.AsyncClient, level: int = 3) -> OpenIdProvider:
    title = Text("Bank", "Банк", "Банк")
    settings = OpenIdSettings(
        mock.base, CLIENT, SECRET, title, level, identifiers={"snils": SNILS_SYSTEM}
    )
    return OpenIdProvider(settings, http)


def claims(who: Somebody, **changes: Any) -> dict[str, Any]:
    return {
        "sub": f"sub-{who.id}",
        "given_name": "Галина",
        "family_name": "Іваненко",
        "birthdate": "1985-03-14",
        "snils": who.snils,
        "email": f"{who.id}@bank.example",
        "email_verified": True,
        **changes,
    }


async def test_b03_openid_connect_makes_an_account_and_finds_it_again(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    cabinet = with_provider(pages, openid(mock, http))
    mock.claims = claims(who)
    mock.person = {"sub": f"sub-{who.id}"}
    browser, again = cabinet.browser(), cabinet.browser()
    await browser.get("/auth/sign-in")
    assert "Sign in with Bank" in browser.page
    asked = await gone(browser, mock)
    assert browser.heading == "Your account"
    assert pages.told.kinds == ["registered", "signed-in"]
    verifier = mock.forms[-1]["code_verifier"]
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (
        digest(verifier),
        "S256",
    )
    await gone(again, mock)
    assert again.heading == "Your account"
    (account,) = await pages.state.accounts.by_patient(who.id)
    assert (account.level, account.email) == (3, f"{who.id}@bank.example")
    assert account.person is not None


async def test_b03_a_launch_goes_on_after_the_provider(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    cabinet = with_provider(pages, openid(mock, http))
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    client, browser = await pages.smart.client(), cabinet.browser()
    await browser.ask(client, acr_values="3")
    await gone(browser, mock)
    assert "asks for access" in browser.heading
    answer = said((await browser.allow()).headers["location"])
    body = (await pages.smart.redeem(client, answer["code"])).json()
    assert body["patient"] == who.id


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": 1},
        {"nonce": "another"},
        {"sub": ""},
        {"sub": "somebody else"},
    ],
)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    who = await somebody(pages)
    browser = with_provider(pages, openid(mock, http)).browser()
    mock.claims, mock.person = claims(who, **changes), {"sub": f"sub-{who.id}"}
    await gone(browser, mock)
    assert (browser.heading, browser.response.status_code) == ("We could not sign you in", 403)


async def test_an_id_token_of_another_key_is_refused(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient, keys: tuple[RSAKey, RSAKey]
) -> None:
    who = await somebody(pages)
    browser = with_provider(pages, openid(mock, http)).browser()
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    mock.signed_with = keys[1]
    await gone(browser, mock)
    assert browser.heading == "We could not sign you in"


async def test_keys_that_have_changed_are_fetched_again(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient, keys: tuple[RSAKey, RSAKey]
) -> None:
    who = await somebody(pages)
    cabinet = with_provider(pages, openid(mock, http))
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    await gone(cabinet.browser(), mock)
    mock.key = keys[1]
    browser = cabinet.browser()
    await gone(browser, mock)
    assert browser.heading == "Your account"


@pytest.mark.parametrize(
    "changes",
    [
        {"family_name": "Петренко"},
        {"given_name": "Ольга"},
        {"birthdate": "1985-03-15"},
        {"snils": "000-000-000 00"},
        {"snils": ""},
    ],
)
async def test_b03_only_a_certain_match_links(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    who = await somebody(pages)
    browser = with_provider(pages, openid(mock, http)).browser()
    mock.claims, mock.person = claims(who, **changes), {"sub": f"sub-{who.id}"}
    await gone(browser, mock)
    assert browser.heading == "We could not sign you in"
    assert await pages.state.accounts.by_patient(who.id) == []


async def test_b03_a_provider_of_a_low_level_links_nothing(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    browser = with_provider(pages, openid(mock, http, level=2)).browser()
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    await gone(browser, mock)
    assert browser.heading == "We could not sign you in"


async def test_b03_an_account_that_exists_is_linked_and_lifted(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    account = await pages.account(patient=who.id, level=2)
    browser = with_provider(pages, openid(mock, http)).browser()
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    await gone(browser, mock)
    assert account.email in browser.page
    found = await pages.state.accounts.find(account.id)
    assert found is not None
    assert (found.level, found.upstream) == (3, (f"p|sub-{who.id}",))


async def test_b03_a_locked_account_stays_shut(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    await pages.account(patient=who.id, standing="locked", upstream=(f"p|sub-{who.id}",))
    browser = with_provider(pages, openid(mock, http)).browser()
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    await gone(browser, mock)
    assert browser.heading == "We could not sign you in"


@pytest.mark.parametrize("answer", [{"state": "x"}, {"state": ""}])
async def test_another_state_is_refused(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient, answer: dict[str, str]
) -> None:
    browser = with_provider(pages, openid(mock, http)).browser()
    await gone(browser, mock, **answer)
    assert browser.heading == "This request is over"
    assert mock.forms == []


async def test_a_way_back_is_taken_once_and_by_its_browser(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    cabinet = with_provider(pages, openid(mock, http))
    mock.claims, mock.person = claims(who), {"sub": f"sub-{who.id}"}
    browser, other = cabinet.browser(), cabinet.browser()
    sent = await browser.http.get("/auth/with/p")
    secret = browser.http.cookies["__Host-upstream"]
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    mock.nonce = asked["nonce"][0]
    back = {"code": "c", "state": asked["state"][0]}
    await other.get("/auth/with/p/back", **back)
    assert other.heading == "This request is over"
    await browser.get("/auth/with/p/back", **back)
    assert browser.heading == "Your account"
    other.http.cookies.set("__Host-upstream", secret, domain="ehr.example")
    await other.get("/auth/with/p/back", **back)
    assert other.heading == "This request is over"


async def test_a_no_at_the_provider_and_an_unknown_provider(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    browser = with_provider(pages, openid(mock, http)).browser()
    await gone(browser, mock, error="access_denied")
    assert browser.heading == "We could not sign you in"
    assert (await browser.http.get("/auth/with/nobody")).status_code == 404


async def test_a_provider_that_is_away(pages: Cabinet, http: httpx.AsyncClient) -> None:
    away = Mock(RSAKey.generate_key(2048, {"kid": "x"}), base="http://127.0.0.1:9")
    browser = with_provider(pages, openid(away, http)).browser()
    await browser.get("/auth/with/p")
    assert browser.heading == "We could not sign you in"


@dataclass
class Esia:
    """ЕСИА, and the client's signature."""

    cabinet: Cabinet
    mock: Mock


@pytest.fixture
def esia(pages: Cabinet, mock: Mock, http: httpx.AsyncClient, tmp_path: Path) -> Esia:
    made, key = certificate()
    (tmp_path / "c.pem").write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "k.pem").write_bytes(private)
    public = mock.key.as_pem(private=False).decode()
    settings = EsiaSettings(CLIENT, public, host=mock.base)
    sign = signing.by_rsa(tmp_path / "c.pem", tmp_path / "k.pem")
    return Esia(with_provider(pages, EsiaProvider(settings, sign, http)), mock)


def citizen(who: Somebody, **changes: Any) -> dict[str, Any]:
    return {
        "firstName": "Галина",
        "lastName": "Іваненко",
        "birthDate": "14.03.1985",
        "snils": who.snils,
        "trusted": True,
        **changes,
    }


async def test_b03_esia_signs_and_a_trusted_person_enters(esia: Esia) -> None:
    who = await somebody(esia.cabinet)
    esia.mock.claims = {"urn:esia:sbj": {"urn:esia:sbj:oid": next(numbers)}}
    esia.mock.person = citizen(who)
    address = f"{who.id}@post.example"
    esia.mock.contacts = [{"type": "EML", "value": address, "vrfStt": "VERIFIED"}]
    browser = esia.cabinet.browser()
    asked = await gone(browser, esia.mock)
    assert browser.heading == "Your account"
    assert address in browser.page
    signature = base64.urlsafe_b64decode(asked["client_secret"])
    assert signature[0] == 0x30  # DER
    assert len(asked["state"]) == 36  # a UUID
    assert asked["timestamp"].endswith(" +0000")
    form = esia.mock.forms[-1]
    assert (form["token_type"], form["state"]) == ("Bearer", asked["state"])
    (account,) = await esia.cabinet.state.accounts.by_patient(who.id)
    assert account.level == 3


@pytest.mark.parametrize(
    "changes", [{"trusted": False}, {"trusted": "false"}, {"birthDate": "1985"}, {"snils": ""}]
)
async def test_b03_esia_without_a_confirmed_person_opens_no_record(
    esia: Esia, changes: dict[str, Any]
) -> None:
    who = await somebody(esia.cabinet)
    esia.mock.claims = {"urn:esia:sbj": {"urn:esia:sbj:oid": next(numbers)}}
    esia.mock.person = citizen(who, **changes)
    browser = esia.cabinet.browser()
    await gone(browser, esia.mock)
    assert browser.heading == "We could not sign you in"


@pytest.mark.parametrize(
    "claims_",
    [{"aud": "x"}, {"iss": "x"}, {"exp": 1}, {"urn:esia:sbj": {}}, {"urn:esia:sbj": "../1"}],
)
async def test_b03_esia_tokens_are_checked(esia: Esia, claims_: dict[str, Any]) -> None:
    who = await somebody(esia.cabinet)
    esia.mock.claims, esia.mock.person = claims_, citizen(who)
    browser = esia.cabinet.browser()
    await gone(browser, esia.mock)
    assert browser.heading == "We could not sign you in"


async def test_s1_06_snils_is_found_in_another_spelling(esia: Esia) -> None:
    who = await somebody(esia.cabinet)
    resource = {
        "resourceType": "Patient",
        "id": who.id,
        "name": [{"family": "Іваненко", "given": ["Галина"]}],
        "birthDate": "1985-03-14",
        "identifier": [
            {
                "system": "https://fhir.ru/ig/core/systems/snils",
                "value": "".join(filter(str.isdigit, who.snils)),
            }
        ],
    }
    ctx = Context(esia.cabinet.fhir, UNLIMITED)
    await update(ctx, Update("Patient", who.id, resource))
    esia.mock.claims = {"urn:esia:sbj": {"urn:esia:sbj:oid": next(numbers)}}
    esia.mock.person = citizen(who)
    browser = esia.cabinet.browser()
    await gone(browser, esia.mock)
    assert browser.heading == "Your account"


async def test_esia_can_be_signed_for_by_a_program() -> None:
    copies = "import sys; print(sys.stdin.read(), end='')"
    echo = signing.by_command((sys.executable, "-c", copies))
    assert await echo(b"data") == b"data"
    fails = signing.by_command((sys.executable, "-c", "raise SystemExit(1)"))
    with pytest.raises(UpstreamError):
        await fails(b"data")


def gov(mock: Mock, http: httpx.AsyncClient, cert: str = "", decrypt: Any = None) -> Any:
    settings = IdGovUaSettings(CLIENT, SECRET, (RNOKPP,), host=mock.base, certificate=cert)
    return IdGovUaProvider(settings, http, decrypt)


async def test_b03_id_gov_ua_enters_by_the_taxpayers_number(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)
    assert birth_date(who.number) == "1985-03-14"
    browser = with_provider(pages, gov(mock, http)).browser()
    mock.person = {"drfocode": who.number, "lastname": "Іваненко", "givenname": "Галина"}
    asked = await gone(browser, mock)
    assert browser.heading == "Your account"
    assert asked["auth_type"] == "dig_sign,bank_id,diia_id"
    assert mock.forms[-1]["client_secret"] == SECRET


async def test_b03_id_gov_ua_may_encrypt_its_answer(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient
) -> None:
    who = await somebody(pages)

    async def opened(data: bytes) -> bytes:
        return base64.b64decode(data)

    person = {"drfocode": who.number, "lastname": "ІВАНЕНКО", "givenname": "Галина Петрівна"}
    mock.person = {"encryptedUserInfo": sealed(person)}
    browser = with_provider(pages, gov(mock, http, "CERT", opened)).browser()
    await gone(browser, mock)
    assert browser.heading == "Your account"
    shut = with_provider(pages, gov(mock, http, "CERT")).browser()
    await gone(shut, mock)
    assert shut.heading == "We could not sign you in"


@pytest.mark.parametrize("number", ["", "ЕН123456", "12345", "٣١١١٩٠٠٠٠٠"])
async def test_b03_id_gov_ua_without_a_number_opens_nothing(
    pages: Cabinet, mock: Mock, http: httpx.AsyncClient, number: str
) -> None:
    mock.person = {"drfocode": number, "lastname": "Іваненко", "givenname": "Галина"}
    browser = with_provider(pages, gov(mock, http)).browser()
    await gone(browser, mock)
    assert browser.heading == "We could not sign you in"
