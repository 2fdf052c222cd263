"""A patient's way through the page in Chromium, from the registration to the end of an app's
access: one way on a real server, a test for each step of it.

Needs what the tests of the pages need (`tests/browser`). A step that the way did not come to
fails with the one before it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.driving import missing
from tests.cabinet.clinic import APP_SCOPE, Clinic, seen
from tests.cabinet.world import NEW_EMAIL
from tests.support.demo_app import REDIRECT, authorization, redemption

REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

Steps = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def steps(clinic: Clinic, shots: Path) -> Steps:
    """What each step saw, by its name."""
    given = {
        "person": {
            "email": NEW_EMAIL,
            "family": "Коваль",
            "given": "Олена",
            "birth": "1991-05-06",
        },
        "taker": clinic.token("oksana@demo.example", ""),
        "system": clinic.system,
        "app": {
            "redirect": REDIRECT,
            "authorize": f"{clinic.root}/auth/authorize?"
            + urlencode(authorization(clinic.base, APP_SCOPE)),
            "form": redemption(""),
        },
    }
    found: Steps = seen(clinic, shots, "journey", "journey.cjs", **given)["steps"]
    return found


def step(steps: Steps, name: str) -> Mapping[str, Any]:
    """What was seen in one that came to its end."""
    assert name in steps, f"the way ended with {list(steps)[-1]}"
    assert "failed" not in steps[name], steps[name]["failed"]
    return steps[name]


def test_s0_04_to_06_registers_by_the_code_of_a_letter(steps: Steps) -> None:
    found = step(steps, "register")
    assert found["home"] == "/cabinet/"
    assert found["heading"] == "Вы зарегистрированы"


def test_s0_03_signs_in_and_is_asked_once(steps: Steps) -> None:
    assert "Олена" in step(steps, "signs_in")["heading"]


def test_s3_03_books_by_speciality_doctor_and_time(steps: Steps) -> None:
    found = step(steps, "books")
    assert [each.split("\n")[0] for each in found["doctors"]] == [
        "Соколова Елена",
        "Поздний Игорь",
    ]
    assert all("Ближайшее время" in each for each in found["doctors"])
    assert found["booked"] == "Вы записаны"
    assert found["chosen"] in found["visit"]


def test_s4_08_takes_the_ticket_along(steps: Steps) -> None:
    found = step(steps, "books")
    assert found["number"] == "Талон № 1"
    assert found["calendar"].startswith("BEGIN:VCALENDAR")
    assert "STATUS:CONFIRMED" in found["calendar"]
    assert found["sheet"] == "%PDF-"


def test_s0_19_writes_to_the_doctor_of_the_visit(steps: Steps) -> None:
    mine = step(steps, "writes")["mine"]
    assert "Соколова Елена" in mine
    assert "Нужно ли прийти натощак?" in mine


def test_reads_an_answer_which_is_unread_until_then(steps: Steps) -> None:
    found = step(steps, "reads")
    assert "1" in found["count"]
    assert (found["marked"], found["after"]) == (1, 0)
    assert found["received"]


def test_loses_a_time_to_another_and_is_offered_others(steps: Steps) -> None:
    found = step(steps, "loses")
    assert found["taken"] == 201
    assert "занято" in found["said"]
    assert (found["focused"], found["left"], found["others"]) == ("alert", 0, 3)


def test_s4_16_moves_the_visit(steps: Steps) -> None:
    found = step(steps, "moves")
    assert found["before"] != found["after"]


def test_s4_15_cancels_it(steps: Steps) -> None:
    assert step(steps, "cancels")["states"] == ["Отменено", "Перенесено"]


def test_s3_04_joins_the_queue_where_nothing_is_free(steps: Steps) -> None:
    found = step(steps, "waits")
    assert found["second"] == "Ваше место в очереди: 2"
    assert found["first"] == "Ваше место в очереди: 1"
    assert "уже" in found["twice"]


def test_s3_11_leaves_the_queue(steps: Steps) -> None:
    assert step(steps, "leaves")["past"] == 1


def test_s3_09_10_refuses_an_offer_which_goes_to_the_next(steps: Steps) -> None:
    found = step(steps, "refuses")
    assert found["opened"] == 201
    assert (found["home"], found["waiting"], found["next"]) == (1, 1, "proposed")
    assert found["offers"] == "Было предложений: 1 из 3"


def test_s3_08_accepts_an_offer(steps: Steps) -> None:
    assert step(steps, "accepts")["slot"] == "busy"


def test_s3_13_cancels_too_late(steps: Steps) -> None:
    found = step(steps, "comes_too_late")
    assert found["refused"].startswith("Отменить эту запись здесь можно было до")
    assert not re.search(r"\d{4}-\d\d-\d\d", found["refused"])
    assert (found["focused"], found["kept"]) == ("alert", 1)


def test_s2_07_ends_an_app_and_the_log_tells(steps: Steps) -> None:
    found = step(steps, "ends_an_app")
    assert (found["before"], found["after"]) == (200, 401)
    assert "Вы" in found["journal"]
    assert "Demo app" in found["journal"]
