"""The file of identity providers; accounts for a demonstration."""

from pathlib import Path

import httpx
import pytest

from fhir_server.assembly.providers import ProvidersFileError, providers
from fhir_server.cabinet.accounts import demo
from fhir_server.web.upstream.id_gov_ua import IdGovUaProvider
from fhir_server.web.upstream.openid import OpenIdProvider
from tests.support.smart import CALLBACK
from tests.support.web import Cabinet

pytestmark = pytest.mark.anyio


async def test_demo_accounts_sign_in(pages: Cabinet) -> None:
    found = await demo.seed_demo(pages.site.accounts, (CALLBACK,))
    assert set(found) == {"doctor@demo.example"}  # the others' records are not here
    again = await demo.seed_demo(pages.site.accounts, (CALLBACK,))
    browser = pages.browser()
    await browser.sign_in("doctor@demo.example", again["doctor@demo.example"])
    assert browser.heading == "Your account"
    client = await pages.smart.ports.clients.find(demo.APP)
    assert client is not None
    assert client.redirect_uris == (CALLBACK,)


async def test_the_file_of_identity_providers(tmp_path: Path) -> None:
    file = tmp_path / "providers.json"
    file.write_text(
        """{"bank": {"kind": "openid", "issuer": "https://b.example", "client_id": "c",
        "client_secret": "s", "title": {"en": "B", "ru": "Б", "uk": "Б"}},
        "gov": {"kind": "id.gov.ua", "client_id": "c", "client_secret": "s",
        "systems": ["https://x.example/rnokpp"], "decrypt": ["open"]}}"""
    )
    async with httpx.AsyncClient() as http:
        found = await providers(file, http)
        assert isinstance(found["bank"], OpenIdProvider)
        assert isinstance(found["gov"], IdGovUaProvider)
        assert await providers(None, http) == {}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"b": {"kind": "saml"}}',
        '{"b": {"kind": "openid"}}',
        '{"../b": {"kind": "id.gov.ua", "client_id": "c", "client_secret": "s"}}',
        '{"e": {"kind": "esia", "client_id": "c", "public_key": "none.pem", "sign": ["x"]}}',
    ],
)
async def test_a_file_that_cannot_be_followed(tmp_path: Path, content: str) -> None:
    file = tmp_path / "providers.json"
    file.write_text(content)
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProvidersFileError):
            await providers(file, http)
