"""The patient's page in Chromium: hold a time, open a child's record, read without a network,
by keyboard alone, answer a message; how it looks and what it weighs.

Needs what the tests of the pages need (`tests/browser`). Screenshots go to the folder that
`FHIR_TEST_SCREENSHOTS` names, or a temporary one.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.browser.driving import has_package, missing
from tests.cabinet.clinic import HERE, Clinic, opened, seen

BROWSER: Final = HERE.parent / "browser"
REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

LOOKS = [
    {"size": "phone", "locale": "ru"},
    {"size": "desktop", "locale": "en"},
    {"size": "small", "locale": "uk"},
]


def test_a_hold_keeps_the_time_until_it_is_let_go(clinic: Clinic, shots: Path) -> None:
    taker = clinic.token("oksana@demo.example", "")
    found = seen(clinic, shots, "hold", taker=taker)
    assert (found["held"], found["free"]) == (409, 201)


def test_days_further_ahead_come_when_they_are_asked_for(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "later")
    assert (found["before"], found["after"], found["focused"]) == (12, 14, True)


def test_s4_01_a_visit_that_demands_a_stronger_sign_in_leads_to_one(
    clinic: Clinic, shots: Path
) -> None:
    found = seen(clinic, shots, "stronger")
    assert found["note"] == "Для этой записи войдите через государственный сервис."
    assert found["said"].startswith("Для этого нужен более надёжный вход.")
    assert (found["left"], found["level"]) == ([], "3")


def test_s4_06_a_visit_is_based_on_the_referral_that_is_chosen(
    clinic: Clinic, shots: Path
) -> None:
    found = seen(clinic, shots, "referred", system=clinic.system)
    assert found["note"] == "К этому врачу нужно направление."
    assert found["choices"] == [
        "Консультация mri, 2 ноября 2026 г.",
        "Консультация pain, 1 ноября 2026 г.",
        "Оставить как есть",
    ]
    assert (found["stayed"], found["visits"]) == ("#/book/doctor/dr-referred", 1)


def test_a_link_to_a_view_leads_there_by_the_sign_in(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "linked")
    assert found["address"].endswith("/cabinet/#/results")
    assert found["heading"] == found["again"] == "Анализы и измерения"


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
    assert "София" in found["whose"]
    assert "iss=" not in found["address"]


def test_what_was_seen_is_read_without_a_network(clinic: Clinic, shots: Path) -> None:
    found = seen(clinic, shots, "offline")
    assert found["unasked"] == []
    assert found["kept"]["databases"] == ["cabinet"]
    assert found["results"] == 2
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
