"""The patient's page in Chromium: book, lose a time, move, cancel too late, wait, end an app,
open a child's record, register, read without a network, by keyboard alone; and how it looks.

Needs what the tests of the pages need (`tests/browser`). Screenshots go to the folder that
`FHIR_TEST_SCREENSHOTS` names, or a temporary one.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.app import Application
from fhir_server.cabinet.accounts.demo import SERVICE, seed_service
from fhir_server.operations.table import OPERATIONS
from fhir_server.rest.oauth.key_ring import PUBLIC, generate
from fhir_server.settings import Settings
from tests.browser.driving import driven, has_package, missing
from tests.cabinet.backend import token_of_service
from tests.cabinet.world import ANNA, CHILD, NEW_EMAIL, resources
from tests.support.browsing import Visitor
from tests.support.demo_app import authorization, prepared, redemption
from tests.support.running import Running

HERE: Final = Path(__file__).parent
BROWSER: Final = HERE.parent / "browser"
IDLE: Final = 1800  # seconds: the default of the setting
REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

LOOKS = [
    {"size": "phone", "locale": "ru"},
    {"size": "desktop", "locale": "en"},
    {"size": "phone", "locale": "uk"},
]


@dataclass(frozen=True)
class Clinic:
    """A running server with people who can sign in, and tokens of other apps."""

    base: str
    passwords: Mapping[str, str]
    mails: Path
    system: str

    @property
    def root(self) -> str:
        return self.base.removesuffix("/fhir")

    def token(self, email: str, patient: str) -> str:
        """An access token of the demo app, of who signs in with this address."""
        scope = "openid fhirUser launch/patient offline_access patient/*.cruds"
        with closing(Visitor(self.root)) as visitor:
            visitor.go("/auth/authorize", authorization(self.base, scope))
            visitor.submit(email=email, password=self.passwords[email])
            visitor.submit(answer="allow", **({"patient": patient} if patient else {}))
            form = redemption(visitor.answer["code"])
        found: str = httpx.post(f"{self.root}/auth/token", data=form, timeout=60).json()[
            "access_token"
        ]
        return found


async def with_service(settings: Settings) -> Mapping[str, Any]:
    """Register the backend service; its private key."""
    key = {**await generate(), "alg": "RS384"}
    application = Application(settings, None)
    async with application.running():
        assert application.access is not None
        public = {name: key[name] for name in (*PUBLIC, "kid", "alg")}
        await seed_service(application.access.cabinet.site.accounts, public)
    return key


@contextmanager
def opened(mongodb_uri: str, mails: Path, **changes: Any) -> Iterator[Clinic]:
    """A clinic with a database of its own."""
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"cabinet_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        mail_dir=mails,
        registration="matched",
        cabinet="first-party",
        booking_seconds=0.2,
        lockout_network_tries=1000,
    ).model_copy(update=changes)
    passwords = asyncio.run(prepared(settings, resources()))
    key = asyncio.run(with_service(settings))
    with Running(settings) as running:
        system = token_of_service(running.base_url, SERVICE, key)
        yield Clinic(running.base_url, passwords, mails, system)


@pytest.fixture(scope="module")
def clinic(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with opened(mongodb_uri, tmp_path_factory.mktemp("mails")) as found:
        yield found


def seen(clinic: Clinic, shots: Path, scenario: str, **given: Any) -> dict[str, Any]:
    """What the browser saw; without an error but those that were provoked, and no view wider
    than its window."""
    order = {
        "scenario": scenario,
        "size": "phone",
        "locale": "ru",
        "shots": str(shots),
        "root": clinic.root,
        "base": clinic.base,
        "email": "anna@demo.example",
        "password": clinic.passwords["anna@demo.example"],
        "patient": ANNA,
        "child": CHILD,
        "idle": IDLE,
        "mails": str(clinic.mails),
        **given,
    }
    found = driven(HERE / "more.cjs", order)
    provoked = ("status of 4", "ERR_INTERNET_DISCONNECTED")
    serious = [each for each in found["errors"] if not any(one in each for one in provoked)]
    assert (serious, found["widths"]) == ([], [])
    return found


def test_s3_03_a_time_is_lost_another_booked_moved_and_cancelled(
    clinic: Clinic, shots: Path
) -> None:
    taker = clinic.token("oksana@demo.example", "")
    found = seen(clinic, shots, "booking", taker=taker)
    assert found["taken"] == 201
    assert "занято" in found["lost"]
    assert (found["focused"], found["gone"]) == ("alert", 0)
    assert found["booked"] == "Вы записаны"
    assert found["before"] != found["after"]
    assert found["coming"] == 0


def test_s3_13_cancelled_too_late(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "late")
    assert found["refused"].startswith("Отменить эту запись здесь можно было до")
    assert found["focused"] == "alert"


def test_a_hold_keeps_the_time_until_it_is_let_go(clinic: Clinic, shots: Path) -> None:
    taker = clinic.token("oksana@demo.example", "")
    found = seen(clinic, shots, "hold", taker=taker)
    assert (found["held"], found["free"]) == (409, 201)


def test_s3_04_07_08_the_queue_where_the_server_has_one(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "queue", system=clinic.system)
    if "$waitlist-join" not in {each.name for each in OPERATIONS}:
        assert found["offered"] == 0
        return
    assert found["opened"] in (200, 201)
    assert "Занятая Вера" in found["accepted"]


def test_s2_07_an_app_is_ended_and_the_log_tells(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "revoke", app=clinic.token("anna@demo.example", ANNA))
    assert (found["before"], found["after"]) == (200, 401)
    assert "Вы" in found["journal"]
    assert "Demo app" in found["journal"]


def test_a_link_does_not_choose_the_server(clinic: Clinic, shots: Path) -> None:
    query = (
        "?iss=https://elsewhere.example/fhir&launch=x&fhirServiceUrl=https://elsewhere.example"
    )
    found = seen(clinic, shots, "message", query=query)
    assert "Спасибо" in found["mine"]


def test_s3_02_a_mother_opens_the_record_of_her_child(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "people")
    assert "Анна" in found["own"]
    assert "София" in found["child"]
    assert "iss=" not in found["address"]


def test_s0_03_a_patient_registers_and_comes_in(clinic: Clinic, shots: Path) -> None:
    person = {"email": NEW_EMAIL, "family": "Коваль", "given": "Олена", "birth": "1991-05-06"}
    found = seen(clinic, shots, "register", person=person, locale="uk")
    assert "Олена" in found["heading"]


def test_what_was_seen_is_read_without_a_network(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "offline")
    assert found["unasked"] == []
    assert found["kept"]["databases"] == ["cabinet"]
    assert found["results"] == 1
    assert "Нет связи" in found["banner"]
    assert (found["unseen"], found["another"]) == ("Нет связи", "Мои записи")
    assert not [each for each in found["kept"]["caches"] if each.startswith("/fhir")]
    left = found["left"]
    assert (left["session"], left["local"], left["databases"]) == ([], [], [])


def test_s4_83_who_goes_away_is_signed_out(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "idle")
    assert found["asked"] == "Вы ещё здесь?"
    assert "завершили сеанс" in found["over"]
    assert found["left"] == []


def test_a_keyboard_is_enough_to_book(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "keyboard", size="desktop")
    assert found["heading"] == "H1"
    assert found["booked"] == "Вы записаны"
    assert found["outline"] == "solid"
    assert found["steps"] < 80


@pytest.mark.skipif(
    not has_package(BROWSER, "axe-core"), reason="no axe-core: npm ci --prefix tests/browser"
)
@pytest.mark.parametrize("look", LOOKS, ids=lambda each: f"{each['size']}-{each['locale']}")
def test_every_view_is_accessible(clinic: Clinic, shots: Path, look: dict[str, str]) -> None:
    axe = str(BROWSER / "node_modules" / "axe-core")
    found = seen(clinic, shots, "look", axe=axe, **look)
    assert found["violations"] == []
    assert found["checked"] > 300
    assert found["small"] == []
    assert found["rows"] == 4
    assert found["language"] == look["locale"]


def test_s4_22_files_are_opened_and_the_token_goes_nowhere_else(
    clinic: Clinic, shots: Path
) -> None:
    found = seen(clinic, shots, "files")
    assert (found["content"], found["scan"]) == ("Выписка", "JVBERi3/")
    assert found["elsewhere"] == []


def test_who_lets_the_page_see_less_sees_less(
    mongodb_uri: str, tmp_path: Path, shots: Path
) -> None:
    with opened(mongodb_uri, tmp_path, cabinet="on") as asking:
        found = seen(asking, shots, "narrowed", locale="en")
    assert found["home"] == "Home"
    assert found["refused"].startswith("You have not let this page do this.")


def test_s0_19_a_message_is_answered(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "message")
    assert found["mine"] == "Спасибо!\nПоняла."


def test_a_first_visit_is_light_and_stands_still(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "weight")
    assert found["bytes"] < 150 * 1024
    assert found["shift"] < 0.1
