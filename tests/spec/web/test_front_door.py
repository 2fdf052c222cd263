"""Whom the bare address leads to the pages, and who is answered as before.

https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
"""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from fhir_server.web.front_door import FrontDoor

pytestmark = pytest.mark.anyio

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def asked(method: str, path: str, accept: str) -> httpx.Response:
    app = FrontDoor(PlainTextResponse("other", 404), "/cabinet/")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://h.example") as client:
        return await client.request(method, path, headers={"Accept": accept})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_browser_is_led_to_the_page(method: str) -> None:
    answer = await asked(method, "/", BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (307, "/cabinet/")
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/", "*/*"),
        ("GET", "/", "application/fhir+json"),
        ("POST", "/", BROWSER),
        ("GET", "/fhir", BROWSER),
        ("GET", "/fhir/Patient/1", BROWSER),
    ],
)
async def test_others_are_answered_as_before(method: str, path: str, accept: str) -> None:
    assert (await asked(method, path, accept)).text == "other"
