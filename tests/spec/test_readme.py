"""The README's first hour on the seeds: what a newcomer copies is answered as it says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.app import Application
from fhir_server.cabinet.accounts.demo_tokens import SYSTEM, seed_tokens
from fhir_server.settings import Settings
from tests.support.readme import Line, requests
from tests.support.running import Running

SEEDS = Path(__file__).parents[2] / "seed_bundles"
NEEDED = (
    "03-practitioners-ru",
    "05-patients-ru",
    "06-patients-ua",
    "11-schedules-ru",
    "15-laboratory-ru",
    "17-problems-ru",
    "23-prescriptions-ru",
)
"""The bundles that the lines look into: all of them take three times as long."""

STATUSES = {
    "GET /Patient/anna-ivanova-ru": [401],
    "POST /Patient?_pretty=true": [400],
    "POST /Patient": [201, 200],
    "PUT /Patient/olena": [201, 200, 412],
    "PATCH /Patient/olena": [200],
    "POST /Basic": [201],
    "DELETE /Patient/olena": [204],
    "DELETE /Patient?identifier=urn:example:mrn|7001": [204],
    "GET /Patient/olena": [410],
}
"""In the order of the lines; what is not here is 200."""


@pytest.fixture(scope="module")
def seeded(mongodb_uri: str) -> Iterator[tuple[httpx.Client, str]]:
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"readme_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
    )
    auth = asyncio.run(_token(settings))
    with (
        Running(settings) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        for name in NEEDED:
            bundle = (SEEDS / f"{name}.json").read_bytes()
            assert _send(client, auth, bundle).status_code == 200, name
        yield client, auth


async def _token(settings: Settings) -> str:
    """The value of the header that `make serve` prints."""
    application = Application(settings, None)
    async with application.running():
        assert application.access is not None
        cabinet = application.access.cabinet
        found = await seed_tokens(cabinet.site.accounts, cabinet.service.policy)
    return f"Bearer {found[SYSTEM]}"


def _send(client: httpx.Client, auth: str, bundle: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/fhir+json", "Authorization": auth}
    return client.post("", content=bundle, headers=headers)


def _ask(client: httpx.Client, auth: str, line: Line) -> httpx.Response:
    content = None if line.body is None else line.body.encode()
    headers = {name: value.replace("$auth", auth) for name, value in line.headers.items()}
    return client.request(line.method, line.path, headers=headers, content=content)


def test_every_line_is_answered_as_the_readme_says(seeded: tuple[httpx.Client, str]) -> None:
    wanted = {each: iter(statuses) for each, statuses in STATUSES.items()}
    for line in requests():
        answer = _ask(*seeded, line)
        statuses = wanted.get(f"{line.method} {line.path}", iter([200]))
        assert answer.status_code == next(statuses), (line, answer.text)
        if answer.headers.get("content-type", "").startswith("application/fhir+json"):
            assert not _is_empty(answer.json()), line


def _is_empty(body: dict[str, Any]) -> bool:
    return body.get("type") == "searchset" and not body.get("entry") and not body.get("total")
