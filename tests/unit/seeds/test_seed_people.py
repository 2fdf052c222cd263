"""Who is in the seeds, and the check digits of their numbers."""

from collections import Counter
from datetime import date

import pytest

from scripts.seeds.identifiers import enp, rnokpp, snils, unzr
from scripts.seeds.patients import ENP, RNOKPP, UNZR
from scripts.seeds.staff import SNILS
from tests.unit.seeds.bundles import numbers, resources

ANCHOR = date(2026, 1, 5)


@pytest.mark.parametrize(
    ("serial", "number"),
    [(112233445, "112-233-445 95"), (87654303, "087-654-303 00"), (1001998, "001-001-998 64")],
)
def test_snils(serial: int, number: str) -> None:
    assert snils(serial) == number


@pytest.mark.parametrize(
    ("born", "serial", "gender", "days", "odd"),
    [
        (date(1900, 1, 1), 1, "male", "00001", True),
        (date(1900, 1, 1), 1, "female", "00001", False),
        (date(1985, 3, 14), 7, "male", "31119", True),
    ],
)
def test_rnokpp_counts_days_and_tells_the_sex(
    born: date, serial: int, gender: str, days: str, *, odd: bool
) -> None:
    found = rnokpp(born, serial, gender)
    assert (len(found), found[:5], int(found[8]) % 2 == 1) == (10, days, odd)


def rnokpp_holds(number: str) -> bool:
    weights = (-1, 5, 7, 9, 4, 6, 10, 5, 7)
    total = sum(w * int(d) for w, d in zip(weights, number, strict=False))
    return total % 11 % 10 == int(number[9])


def test_numbers_of_patients_are_well_formed() -> None:
    assert all(rnokpp_holds(value) for _, value in numbers("Patient", RNOKPP))
    assert all(snils(int(v.replace("-", "")[:9])) == v for _, v in numbers("Patient", SNILS))
    assert all(enp(int(value[:15])) == value for _, value in numbers("Patient", ENP))


def test_unzr_begins_with_the_birth_date() -> None:
    assert unzr(date(2009, 7, 5), 1) == "20090705-00010"
    born = [(p["birthDate"].replace("-", ""), v[:8]) for p, v in numbers("Patient", UNZR)]
    assert born
    assert all(birth == number for birth, number in born)


def test_two_clinics_twelve_doctors_thirty_patients() -> None:
    clinics = [each for each in resources("Organization") if "alias" in each]
    counted = Counter(each["resourceType"] for each in resources())
    assert len(clinics) == 2
    assert (counted["Practitioner"], counted["PractitionerRole"], counted["Schedule"]) == (
        12,
        12,
        12,
    )
    assert counted["Patient"] == 30


def test_patients_are_of_all_ages() -> None:
    born = [
        date.fromisoformat(p["birthDate"]) for p in resources("Patient") if "birthDate" in p
    ]
    ages = Counter(min((ANCHOR - each).days // 365 // 20, 4) for each in born)
    assert set(ages) == {0, 1, 2, 3, 4}
    assert min((ANCHOR - each).days for each in born) == 2
    assert max((ANCHOR - each).days for each in born) // 365 == 95


@pytest.mark.parametrize("letter", ["ё", "ї", "Ї", "ґ", "Ґ", "Є", "'", "ñ"])
def test_names_have_the_letters_that_are_hard_to_fold(letter: str) -> None:
    people = [*resources("Patient"), *resources("Practitioner")]
    names = [n for each in people for n in each["name"]]
    assert any(letter in str(each) for each in names)
