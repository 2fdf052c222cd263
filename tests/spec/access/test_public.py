"""A public directory: open types without a token, and through no door anything else.

Every request is put to two servers, of which only one has what must stay hidden.

https://hl7.org/fhir/R4/security.html
"""

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.doors import READS
from tests.support.doors_for_writing import WRITES
from tests.support.fhir import JsonObject
from tests.support.running import Running
from tests.support.worlds import Ask, Tokens, World

OPEN: Final = ("Practitioner", "Organization", "Location", "Schedule", "Slot")
BURST: Final = 100_000
_DOCTOR: Final = {"reference": "Practitioner/open-doctor"}
_PATIENT: Final = {"reference": "Patient/p"}
_R: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
_HOME: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "PTRES"}

VISIBLE: Final[list[JsonObject]] = [
    {"resourceType": "Practitioner", "id": "open-doctor", "name": [{"family": "Open"}]},
    {"resourceType": "Organization", "id": "open-clinic", "name": "Open clinic"},
    {"resourceType": "Location", "id": "open-place", "name": "Open place"},
    {"resourceType": "Schedule", "id": "open-schedule", "actor": [_DOCTOR]},
]
HIDDEN: Final[list[JsonObject]] = [
    {"resourceType": "Patient", "id": "p", "generalPractitioner": [_DOCTOR]},
    {
        "resourceType": "Observation",
        "id": "hidden",
        "status": "final",
        "identifier": [{"system": "urn:h", "value": "hidden"}],
        "code": {"text": "hidden"},
        "subject": _PATIENT,
        "performer": [_DOCTOR],
    },
    {
        "resourceType": "List",
        "id": "p-list",
        "status": "current",
        "mode": "working",
        "subject": _PATIENT,
        "entry": [{"item": _DOCTOR}],
    },
    {
        "resourceType": "PractitionerRole",
        "id": "closed-role",
        "practitioner": _DOCTOR,
        "organization": {"reference": "Organization/open-clinic"},
    },
    {"resourceType": "Schedule", "id": "patients-schedule", "actor": [_PATIENT]},
    {"resourceType": "Location", "id": "home", "name": "Home", "type": [{"coding": [_HOME]}]},
    {"resourceType": "Practitioner", "id": "restricted", "meta": {"security": [_R]}},
]

DOORS: Final[dict[str, Ask]] = {
    "search": Ask("GET", "/Practitioner?_count=1", pages="next"),
    "search all": Ask("GET", "/Location?_total=accurate&_sort=name"),
    "count": Ask("GET", "/Schedule?_summary=count"),
    "by post": Ask(
        "POST",
        "/Practitioner/_search?_id=restricted,open-doctor",
        None,
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "read a patient's": Ask("GET", "/Schedule/patients-schedule"),
    "read a home": Ask("GET", "/Location/home"),
    "read what is labelled": Ask("GET", "/Practitioner/restricted"),
    "by actor": Ask("GET", "/Schedule?actor=Patient/p"),
    "chain": Ask("GET", "/Schedule?actor:Patient._id=p"),
    "chain, negated": Ask("GET", "/Schedule?actor:Patient.gender:missing=true"),
    "has": Ask("GET", "/Practitioner?_has:Observation:performer:code:text=hidden"),
    "has a closed directory": Ask(
        "GET", "/Practitioner?_has:PractitionerRole:practitioner:_id=closed-role"
    ),
    "filter": Ask("GET", "/Practitioner?_filter=not(name co zzz)"),
    "list": Ask("GET", "/Practitioner?_list=p-list"),
    "include": Ask("GET", "/Schedule?_include=Schedule:actor"),
    "include anything": Ask("GET", "/Schedule?_include=*&_include:iterate=*"),
    "revinclude": Ask("GET", "/Practitioner?_revinclude=Observation:performer"),
    "revinclude of patients": Ask(
        "GET", "/Practitioner?_revinclude=Patient:general-practitioner"
    ),
    "revinclude a closed directory": Ask(
        "GET", "/Organization?_revinclude=PractitionerRole:organization"
    ),
    "revinclude anything": Ask("GET", "/Practitioner?_revinclude=*"),
}
"""Of open types: each would tell something to whoever may see all."""


def _settings(uri: str, name: str, **more: Any) -> Settings:
    return Settings(
        mongodb_uri=uri,
        database=f"{name}_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        public_directory=OPEN,
        public_burst=BURST,
        audit="off",
        **more,
    )


@pytest.fixture(scope="module")
def public(mongodb_uri: str, tokens: Tokens) -> Iterator[tuple[World, World]]:
    """The one that hides something, and the one with nothing to hide."""
    with (
        Running(_settings(mongodb_uri, "hiding"), tokens.gate) as hiding,
        Running(_settings(mongodb_uri, "empty"), tokens.gate) as empty,
        httpx.Client(base_url=hiding.base_url, timeout=60) as first,
        httpx.Client(base_url=empty.base_url, timeout=60) as second,
    ):
        World(first).load(*HIDDEN, *VISIBLE)
        World(second).load(*VISIBLE)
        yield World(first), World(second)


@pytest.mark.parametrize("door", DOORS)
def test_nothing_hidden_is_told(public: tuple[World, World], door: str) -> None:
    hiding, empty = (each.ask(DOORS[door], "", "p", "hidden") for each in public)
    assert hiding == empty
    assert hiding[0].status in {200, 401, 404}
    ids = [f'"id":"{each["id"]}"' for each in HIDDEN]
    assert not any(id_ in each.body for each in hiding for id_ in ids)


@pytest.mark.parametrize("door", [each for each in DOORS if each != "chain, negated"])
def test_each_door_would_tell(public: tuple[World, World], door: str) -> None:
    hiding, empty = (each.ask(DOORS[door], "root", "p", "hidden") for each in public)
    assert hiding != empty


@pytest.mark.parametrize("door", [*READS, *WRITES])
def test_everything_else_needs_a_token(public: tuple[World, World], door: str) -> None:
    ask = {**READS, **WRITES}[door]
    hiding, empty = (each.ask(ask, "", "p", "hidden") for each in public)
    assert hiding == empty
    is_open = ask.path.startswith("/Practitioner?_contained=")
    assert {each.status for each in hiding} == {200 if is_open else 401}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Practitioner/open-doctor", 200),
        ("HEAD", "/Practitioner/open-doctor", 200),
        ("GET", "/Practitioner?name=open", 200),
        ("GET", "/Practitioner/open-doctor/_history/1", 401),
        ("GET", "/Practitioner/open-doctor/_history", 401),
        ("GET", "/Practitioner/_history", 401),
        ("GET", "/Practitioner/open-doctor/$meta", 401),
        ("GET", "/Practitioner/open-doctor/Observation", 401),
        ("GET", "/PractitionerRole", 401),
        ("GET", "/Patient", 401),
        ("GET", "/?_type=Practitioner", 401),
        ("GET", "/_history", 401),
        ("DELETE", "/Practitioner/open-doctor", 401),
        ("PUT", "/Practitioner/open-doctor", 401),
        ("POST", "/Practitioner", 401),
        ("PATCH", "/Practitioner/open-doctor", 401),
        ("GET", "/metadata", 200),
    ],
)
def test_only_reads_and_searches_are_open(
    public: tuple[World, World], method: str, path: str, status: int
) -> None:
    assert public[0].http.request(method, path).status_code == status


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic eDp5", "Bearer"])
def test_a_token_that_does_not_hold_is_no_token(
    public: tuple[World, World], header: str
) -> None:
    answer = public[0].http.get("/Practitioner", headers={"Authorization": header})
    assert answer.status_code in {400, 401}


def test_without_the_setting_nothing_is_open(worlds: tuple[World, World]) -> None:
    for kind in OPEN:
        assert worlds[0].http.get(f"/{kind}").status_code == 401


def test_an_open_directory_is_not_in_the_audit(mongodb_uri: str, tokens: Tokens) -> None:
    settings = _settings(mongodb_uri, "audited").model_copy(update={"audit": "durable"})
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        world = World(client)
        world.load(*VISIBLE)
        assert client.get("/Practitioner/open-doctor").is_success
        assert client.get("/Practitioner").is_success
        told = world.ask(Ask("GET", "/AuditEvent?action=R,E"), "root", "p", "hidden")
        assert told[0].status == 200
        assert "Practitioner/open-doctor" not in told[0].body
        world.ask(Ask("GET", "/Practitioner/open-doctor"), "root", "p", "hidden")
        told = world.ask(Ask("GET", "/AuditEvent?action=R"), "root", "p", "hidden")
        assert "Practitioner/open-doctor" in told[0].body


def test_a_network_address_is_told_when_to_go_on(mongodb_uri: str, tokens: Tokens) -> None:
    settings = _settings(mongodb_uri, "flood", trusted_proxies=("127.0.0.1",))
    settings = settings.model_copy(update={"public_rate": 1, "public_burst": 10})
    with Running(settings, tokens.gate) as running:

        def asked(address: str) -> httpx.Response:
            headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
            return httpx.get(f"{running.base_url}/Practitioner", headers=headers)

        assert [asked("192.0.2.1").status_code for _ in range(8)][:5] == [200] * 5
        refused = asked("192.0.2.1")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert asked("192.0.2.2").status_code == 200
