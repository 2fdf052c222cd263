"""A patient shares, hides and entrusts in the page, in Chromium; a doctor's app finds it so.

Needs what the tests of the pages need (`tests/browser`).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import missing
from tests.cabinet.clinic import STAFF_SCOPE, Clinic, seen
from tests.cabinet.world import ANNA, emergency

REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


def driven(clinic: Clinic, shots: Path, scenario: str, **given: Any) -> dict[str, Any]:
    doctor = clinic.token("doctor@demo.example", "", STAFF_SCOPE)
    return seen(clinic, shots, scenario, "sharing.cjs", doctor=doctor, **given)


def test_s1_23_a_doctor_sees_what_is_shared_until_it_is_withdrawn(
    clinic: Clinic, shots: Path
) -> None:
    posing = {"reference": "Practitioner/dr-later", "display": "Другая Анна"}
    team = {"resourceType": "CareTeam", "id": "posing", "status": "active"}
    of = {"subject": {"reference": f"Patient/{ANNA}"}, "participant": [{"member": posing}]}
    clinic.write({**team, **of})
    found = driven(clinic, shots, "share")
    assert "Поздний Игорь" in found["people"]
    assert "Другая Анна" not in found["people"]  # who is chosen is who is shown
    assert found["missing"] == "Выберите, о ком речь."
    assert (found["before"], found["shared"], found["after"]) == ([0, 1], [1, 1], [0, 1])
    assert "Можно видеть: вся карта" in found["said"]
    assert "Кому: Соколова Елена" in found["said"]
    assert "до 31 декабря 2099" in found["card"]
    assert "сразу перестанет её видеть" in found["follows"]
    assert found["past"] == "отозвано"


def test_what_is_hidden_is_hidden_from_all_but_the_patient_and_the_rest_stays(
    clinic: Clinic, shots: Path
) -> None:
    found = driven(clinic, shots, "hide")
    assert (found["before"], found["hidden"]) == ([1, 1], [0, 1])
    assert "Скрыто: прививки" in found["said"]
    assert "Скрыто: психическое здоровье" in found["said"]
    assert "Кроме: объявленный экстренный случай" in found["said"]
    assert "Грипп" in found["own"]
    assert "Скрытое снова увидят" in found["follows"]
    assert "Кроме: Соколова Елена; объявленный экстренный случай" in found["but"]
    assert found["excepted"] == [1]


def test_s1_23_a_relative_acts_as_long_as_the_patient_wants(
    clinic: Clinic, shots: Path
) -> None:
    found = driven(clinic, shots, "entrust")
    assert "Можно: смотреть, добавлять, менять" in found["said"]
    assert found["focused"] == "H1"
    assert "Иванов Пётр: может смотреть и действовать" in found["listed"]
    assert "Иванов Пётр" not in found["after"]


def test_s4_80_the_log_is_read_by_day_and_person(clinic: Clinic, shots: Path) -> None:
    clinic.write(emergency(datetime.now(UTC) - timedelta(days=400)))
    app = clinic.token("anna@demo.example", ANNA)
    found = driven(clinic, shots, "journal", app=app)
    assert "Экстренный доступ" in found["first"]
    assert "Соколова Елена" in found["first"]
    assert found["doctor"].split("\n")[2].startswith("Просмотр: ")
    assert "посещения, анализы и измерения" in found["doctor"]
    assert "согласия" not in found["doctor"]  # that let her look, and were not looked at
    assert found["entries"] >= 3
    assert (found["app"], found["own"], found["unfolded"]) == (1, 0, 1)
    assert "Соколова Елена" in found["encounters"]
    assert "Вы, через Demo app" not in found["encounters"]
    assert "В загруженном — только вы." in found["none"]
    assert found["loaded"][0] < found["loaded"][1]


def test_s4_72_notices_come_as_the_patient_says(clinic: Clinic, shots: Path) -> None:
    found = driven(clinic, shots, "notices", system=clinic.system)
    assert found["before"] == "usual"
    assert found["after"] == ["both", "sms", "usual", "uk"]
    assert found["wishes"] == ["email visit", "sms visit", "sms reminder"]
    assert found["spoken"][0]["preferred"] is True
    assert (found["rest"], found["left"]) == (True, [])
