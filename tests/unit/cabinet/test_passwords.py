"""Password rules, names, codes and levels: pure rows.

https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
"""

import random

import pytest

from fhir_server.cabinet.accounts import assurance, codes, emails, passwords
from fhir_server.cabinet.accounts.matching import Claim, display, folded, matches
from fhir_server.cabinet.accounts.passwords import PasswordRules, problems
from fhir_server.cabinet.accounts.people import linked, new_person, stands_for
from fhir_server.core.messages import Text

STRICT = PasswordRules(least=12, upper=True, lower=True, digit=True, sign=True)


@pytest.mark.parametrize(
    ("password", "rules", "found"),
    [
        ("1234567", PasswordRules(), [passwords.TOO_SHORT, passwords.GUESSABLE]),
        ("vk8zt5qx", PasswordRules(), []),
        ("v" * 256, PasswordRules(), [passwords.GUESSABLE]),
        ("vi" + "olet" * 64, PasswordRules(), [passwords.TOO_LONG]),
        ("password", PasswordRules(), [passwords.GUESSABLE]),
        ("пароль123", PasswordRules(), [passwords.GUESSABLE]),
        ("aaaaaaaa", PasswordRules(), [passwords.GUESSABLE]),
        ("23456789", PasswordRules(), [passwords.GUESSABLE]),
        ("violet storm", STRICT, [passwords.NO_UPPER, passwords.NO_DIGIT]),
        ("VIOLETSTORM12", STRICT, [passwords.NO_LOWER, passwords.NO_SIGN]),
        ("Фиалка-шторм-12", STRICT, []),
    ],
)
def test_a_password_breaks(password: str, rules: PasswordRules, found: list[Text]) -> None:
    assert problems(password, rules) == found


@pytest.mark.parametrize("password", ["ivanova1", "AnnaIvanova", "anna@mail", "mail.example1"])
def test_names_and_addresses_are_guessed(password: str) -> None:
    about = ("anna@mail.example", "Anna Ivanova")
    assert problems(password, PasswordRules(), about) == [passwords.GUESSABLE]


def test_a_password_is_the_same_from_every_keyboard() -> None:
    assert passwords.normal("Ё\u0439") == passwords.normal("Е\u0308\u0438\u0306")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a@b.cc", True),
        ("имя@почта.рф", True),
        ("a@b", False),
        ("a b@c.dd", False),
        ("a@b.cc\r\nBcc: x@y.zz", False),
        ("a@" + "b" * 260 + ".cc", False),
        ("@b.cc", False),
    ],
)
def test_addresses(text: str, is_one: bool) -> None:
    assert emails.is_address(text) is is_one


def test_codes_are_drawn_without_look_alikes_and_typed_freely() -> None:
    code = codes.long_code(random.Random(1).choice)
    assert not set(code) & set("01IO")
    kept = codes.digest(code, "key")
    assert codes.digest(f" {code.lower().replace('-', ' ')} ", "key") == kept
    assert codes.digest(code, "another key") != kept


PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "birthDate": "1970-01-02",
    "name": [
        {"use": "official", "family": "Мельничук-О'Ніл", "given": ["Зоряна", "Її"]},
        {"use": "maiden", "family": "Коваль", "given": ["Зоряна"]},
    ],
    "telecom": [
        {"system": "email", "value": "Z@Mail.Example"},
        {"system": "email", "value": "old@mail.example", "use": "old"},
    ],
}
CLAIM = Claim("z@mail.example", "мельничук-о’ніл", "зоряна", "1970-01-02")


def test_s0_04_names_match_without_case_and_signs() -> None:
    assert matches(PATIENT, CLAIM)
    assert matches(PATIENT, Claim(CLAIM.email, CLAIM.family, "Зоряна Її", CLAIM.birth_date))


@pytest.mark.parametrize(
    "claim",
    [
        Claim("old@mail.example", CLAIM.family, CLAIM.given, CLAIM.birth_date),
        Claim(CLAIM.email, "Коваль", CLAIM.given, CLAIM.birth_date),
        Claim(CLAIM.email, CLAIM.family, "Її", CLAIM.birth_date),
        Claim(CLAIM.email, CLAIM.family, "", CLAIM.birth_date),
        Claim(CLAIM.email, "", CLAIM.given, CLAIM.birth_date),
        Claim(CLAIM.email, CLAIM.family, CLAIM.given, "1970"),
        Claim("", CLAIM.family, CLAIM.given, CLAIM.birth_date),
    ],
)
def test_s0_04_less_than_all_four_is_no_match(claim: Claim) -> None:
    assert not matches(PATIENT, claim)


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"deceasedBoolean": True},
        {"deceasedDateTime": "2020"},
        {"link": [{"type": "replaced-by", "other": {"reference": "Patient/q"}}]},
        {"birthDate": "1970-01"},
        {"telecom": []},
    ],
)
def test_records_that_nobody_registers_for(changes: dict[str, object]) -> None:
    assert not matches(PATIENT | changes, CLAIM)


def test_folding_keeps_letters_apart_that_are_apart() -> None:
    assert folded("Ёлкина") == folded("ЕЛКИНА")
    assert folded("Ковальова") != folded("Ковалова")


def test_a_person_is_made_and_linked() -> None:
    person = new_person(PATIENT, "z@mail.example", 2)
    assert person["link"] == [{"target": {"reference": "Patient/p"}, "assurance": "level2"}]
    assert stands_for(person, PATIENT)
    assert linked(person, "Patient/p", 3)["link"][0]["assurance"] == "level3"
    assert linked(person, "Patient/p", 1) == person
    assert linked(person, "Patient/q", 3) == person
    assert not stands_for(person | {"birthDate": "1990-01-01"}, PATIENT)


def test_a_patient_has_a_name_for_pages() -> None:
    assert display(PATIENT) == "Зоряна Її Мельничук-О'Ніл"
    assert display({}) == ""


@pytest.mark.parametrize(
    ("values", "least"), [((), 0), (("3", "2"), 2), (("x", "3"), 3), (("x",), 0)]
)
def test_acr_values_are_alternatives(values: tuple[str, ...], least: int) -> None:
    assert assurance.asked(values) == least
