"""Two servers on one database: what one is told, both know, and no write falls between.

https://hl7.org/fhir/R4/searchparameter.html
"""

import threading
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.fhir import JsonObject, create, ids, new_id, patient
from tests.support.polling import finished, until
from tests.support.running import Running


@pytest.fixture(scope="module")
def two(mongodb_uri: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Clients of two servers with a database of their own."""
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"two_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        definitions_seconds=0.1,
        job_poll_seconds=0.05,
        job_lease_seconds=2,
    )
    with (
        Running(settings) as one,
        Running(settings.model_copy(update={"definitions_seconds": 1.5})) as other,
        httpx.Client(base_url=one.base_url, timeout=60) as first,
        httpx.Client(base_url=other.base_url, timeout=60) as second,
    ):
        yield first, second


def parameter(code: str) -> JsonObject:
    return {
        "resourceType": "SearchParameter",
        "url": f"urn:uuid:{new_id()}",
        "name": "Own",
        "description": "Own.",
        "status": "active",
        "code": code,
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.maritalStatus",
    }


def married(mark: str) -> JsonObject:
    return patient() | {"maritalStatus": {"coding": [{"system": "urn:x", "code": mark}]}}


def every_id(fhir: httpx.Client, url: str) -> list[str]:
    """Of all pages."""
    found: list[str] = []
    while url:
        page = fhir.get(url).json()
        found += ids(page)
        url = next((each["url"] for each in page["link"] if each["relation"] == "next"), "")
    return found


def status_path(accepted: httpx.Response) -> str:
    place: str = accepted.headers["content-location"]
    return place[place.index("/$job-status") :]


def test_a_status_can_be_asked_of_either(two: tuple[httpx.Client, httpx.Client]) -> None:
    first, second = two
    bundle = {"resourceType": "Bundle", "type": "batch"}
    accepted = first.post("/", json=bundle, headers={"Prefer": "respond-async"})
    place = status_path(accepted)
    until(lambda: second.get(place).status_code == 200)
    assert second.delete(place).status_code == 202
    assert first.get(place).status_code == 404


def test_when_reindex_is_done_both_can_search(two: tuple[httpx.Client, httpx.Client]) -> None:
    first, second = two
    code, mark = f"own-{new_id()[:8]}", new_id()
    made = create(second, married(mark))
    create(first, parameter(code))
    finished(first, first.post("/Patient/$reindex"))
    for each in two:
        assert ids(each.get("/Patient", params={code: mark}).json()) == [made["id"]]


def test_no_write_falls_between_the_old_and_the_new_definitions(
    two: tuple[httpx.Client, httpx.Client],
) -> None:
    """The second server learns of the parameter up to 1.5 s later, and writes all the time."""
    first, second = two
    code, mark = f"own-{new_id()[:8]}", new_id()
    written: list[str] = []
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            written.append(create(second, married(mark))["id"])

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(written) > 10)
    create(first, parameter(code))
    done = finished(first, first.post("/$reindex", params={"type": "Patient"}))
    enough = len(written) + 50
    until(lambda: len(written) > enough)
    over.set()
    writer.join()
    assert done.status_code == 200
    until(lambda: second.get("/Patient", params={code: mark}).status_code == 200)
    assert sorted(every_id(second, f"/Patient?{code}={mark}&_count=1000")) == sorted(written)
