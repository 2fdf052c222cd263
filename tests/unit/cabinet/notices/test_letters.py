"""What notices say: in three languages, no more than they may, in the clinic's time."""

from dataclasses import replace

import pytest

from fhir_server.cabinet.notices.details import Details
from fhir_server.cabinet.notices.kinds import ROWS, Kind
from fhir_server.cabinet.notices.letters import Letter
from fhir_server.cabinet.notices.words import OF_KIND
from fhir_server.core.messages import LANGUAGES, Language

START = 1_775_030_400_000  # 2026-04-01T08:00Z, 11:00 in Kyiv
DETAILS = Details(
    START, None, "Europe/Kyiv", "Clinic, Room 5", "Dr Smith", "Psychiatry", ticket="A12"
)
LETTER = Letter("visit-booked", "en", DETAILS, links=(("cancel", "https://x/auth/v/abc"),))
ACCOUNT = "https://x/auth/account"


def test_a_mail_says_when_where_and_how_to_answer() -> None:
    mail = LETTER.email(ACCOUNT, doctor=False)
    assert mail["subject"] == "Your visit is booked: 01.04 11:00"
    assert "When: Wednesday, 1 April 2026, 11:00\nWhere: Clinic, Room 5\n" in mail["text"]
    assert "Cancel the visit: https://x/auth/v/abc\n" in mail["text"]
    assert ACCOUNT in mail["text"]
    assert "Smith" not in mail["text"]
    assert "Psychiatry" not in mail["text"]


def test_a_doctor_is_named_where_the_operator_says_so() -> None:
    assert "With: Dr Smith, Psychiatry" in LETTER.email(ACCOUNT, doctor=True)["text"]
    assert "Dr Smith" in LETTER.sms(doctor=True)["text"]
    assert "Dr Smith" not in LETTER.sms(doctor=False)["text"]


def test_of_a_confidential_visit_only_the_time_leaves_the_house() -> None:
    letter = replace(LETTER, details=replace(DETAILS, plain=False))
    for text in (letter.email(ACCOUNT, doctor=True)["text"], letter.sms(doctor=True)["text"]):
        assert "Smith" not in text
        assert "Room 5" not in text
    assert "11:00" in letter.sms(doctor=True)["text"]


def test_an_sms_is_short() -> None:
    assert LETTER.sms(doctor=False)["text"] == (
        "Your visit is booked: 01.04 11:00. Clinic, Room 5\n"
        "Cancel the visit: https://x/auth/v/abc"
    )


def test_the_record_says_everything() -> None:
    assert LETTER.note() == (
        "You are booked for a visit.\nWhen: Wednesday, 1 April 2026, 11:00\n"
        "Where: Clinic, Room 5\nWith: Dr Smith, Psychiatry\nTicket: A12"
    )


def test_an_offer_says_until_when() -> None:
    details = replace(DETAILS, until=START - 3_600_000)
    letter = Letter("waitlist-offered", "ru", details)
    assert "Ответьте до: вторник" not in letter.note()
    assert "Ответьте до: среда, 1 апреля 2026, 10:00" in letter.note()
    assert "Ответьте до: 01.04 10:00" in letter.sms(doctor=False)["text"]


@pytest.mark.parametrize(
    ("by_clinic", "said"), [(True, "The clinic has"), (False, "Your visit is")]
)
def test_who_cancelled_is_said(by_clinic: bool, said: str) -> None:
    assert Letter("visit-cancelled", "en", DETAILS, by_clinic).note().startswith(said)


def test_who_represents_somebody_reads_whom_it_is_about() -> None:
    assert "For Mia." in replace(LETTER, name="Mia").email(ACCOUNT, doctor=False)["text"]


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_speaks_every_language(kind: Kind, language: Language) -> None:
    letter = Letter(kind, language, DETAILS)
    texts = (letter.note(), letter.sms(doctor=True)["text"], letter.email(ACCOUNT, doctor=True))
    assert all(texts)
    assert "{" not in str(texts[:2])
    assert OF_KIND[kind].headline.in_language(language, {}) in texts[1]
