"""One-tap links in Chromium: a page, a button, and that it is over then.

As `test_pages`: needs Debian's `chromium`, node and `npm ci --prefix tests/browser`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fhir_server.cabinet.booking.names import POLICY
from fhir_server.store.accounts import Account
from tests.browser.driving import driven, missing
from tests.support.cabinets import CabinetServer, cabinet_server
from tests.support.fhir import JsonObject
from tests.support.notified import person, speaks
from tests.support.polling import until

HERE = Path(__file__).parent
REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)
NUMBERS = count(1)
LOOKS = [
    {"size": "desktop", "locale": "en"},
    {"size": "phone", "locale": "ru"},
    {"size": "phone", "locale": "uk", "scripts": False},
]
WORDS = {
    "cancel": {"en": "Cancel the visit", "ru": "Отменить запись", "uk": "Скасувати запис"},
    "move": {"en": "Move the visit", "ru": "Перенести приём", "uk": "Перенести прийом"},
}
OVER = {
    "en": "This link is over",
    "ru": "Ссылка больше не действует",
    "uk": "Посилання більше не діє",
}


@pytest.fixture(scope="module")
def clinic(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CabinetServer]:
    folder = tmp_path_factory.mktemp("links")
    with cabinet_server(
        mongodb_uri, folder, [], outbox_poll_seconds=0.05, time_zone="Europe/Kyiv"
    ) as server:
        yield server


def schedule(id_: str, **rules: JsonObject) -> list[JsonObject]:
    rows = [{"url": name.replace("_", "-"), **value} for name, value in rules.items()]
    said = {"extension": [{"url": POLICY, "extension": rows}]} if rows else {}
    actors = [{"reference": f"Practitioner/{id_}"}, {"reference": f"Location/{id_}"}]
    return [
        {
            "resourceType": "Location",
            "id": id_,
            "name": "Поликлиника «Родник», кабинет 5",
            "address": {"line": ["ул. Садовая, 12"], "city": "Киев"},
        },
        {"resourceType": "Schedule", "id": id_, "actor": actors, **said},
    ]


def linked(clinic: CabinetServer, language: str, action: str) -> tuple[str, str]:
    """The link of a mail about a visit, and the id of its schedule."""
    id_ = f"b{next(NUMBERS)}"
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=7)
    slots = [
        {
            "resourceType": "Slot",
            "id": f"{id_}-{n}",
            "schedule": {"reference": f"Schedule/{id_}"},
            "status": "free",
            "start": (begins + timedelta(hours=n)).isoformat(),
            "end": (begins + timedelta(hours=n, minutes=30)).isoformat(),
        }
        for n in range(6)
    ]
    clinic.put(
        {"resourceType": "Patient", "id": id_, "communication": speaks(language)},
        *schedule(id_),
        *slots,
    )
    address = f"{id_}@mail.example"
    clinic.account(Account(f"account-{id_}", address, id_, 2, 0, patient=id_))
    rows = [{"name": "slot", "valueString": f"{id_}-0"}]
    body = {"resourceType": "Parameters", "parameter": rows}
    booked = clinic.ask(person(id_), "POST", "/Appointment/$book", body)
    assert booked.status_code == 201, booked.text
    text = until(lambda: mail(clinic.mails, address))
    found = re.search(rf"^{WORDS[action][language]}: \S+(/auth/v/\S+)$", text, re.MULTILINE)
    assert found is not None, text
    return str(clinic.http.base_url).split("/fhir")[0] + found[1], id_


def mail(folder: Path, to: str) -> str | None:
    for each in sorted(folder.glob("*.eml")):
        message = message_from_bytes(each.read_bytes(), policy=policy.default)
        if message["To"] == to:
            return str(message.get_content()).replace("\r\n", "\n")
    return None


def tapped(shots: Path, look: dict[str, Any], link: str, name: str) -> dict[str, Any]:
    order = {"scenario": "tap", "shots": str(shots), "link": link, "name": name, **look}
    seen = driven(HERE / "drive.cjs", order)
    refused = ("status of 404", "status of 409")
    serious = [each for each in seen["errors"] if not any(code in each for code in refused)]
    assert (serious, seen["widths"]) == ([], [])
    return seen


@pytest.mark.parametrize("look", LOOKS, ids=lambda each: f"{each['size']}-{each['locale']}")
@pytest.mark.parametrize("action", ["cancel", "move"])
def test_a_link_is_tapped(
    clinic: CabinetServer, shots: Path, look: dict[str, Any], action: str
) -> None:
    language = look["locale"]
    link, _ = linked(clinic, language, action)
    seen = tapped(shots, look, link, action)
    assert seen["heading"] == WORDS[action][language]
    assert seen["again"] == OVER[language]


@pytest.mark.parametrize("look", LOOKS[:2], ids=lambda each: f"{each['size']}-{each['locale']}")
def test_a_refusal_says_what_to_do(
    clinic: CabinetServer, shots: Path, look: dict[str, Any]
) -> None:
    link, id_ = linked(clinic, look["locale"], "cancel")
    rules: dict[str, JsonObject] = {
        "cancel_days": {"valueInteger": 30},
        "cancel_time": {"valueTime": "18:00:00"},
    }
    clinic.put(*schedule(id_, **rules))
    seen = tapped(shots, look, link, "refused")
    assert "clinic" in seen["said"] or "клинику" in seen["said"]
    assert seen["again"] == WORDS["cancel"][look["locale"]]
