"""National identifiers: check digits, spellings, systems.

https://hl7.org/fhir/R4/namingsystem.html
"""

import pytest

from fhir_server.core.national_ids import (
    ENP,
    RNOKPP,
    SCHEMES,
    SNILS,
    UNZR,
    Scheme,
    is_wrong,
    mod10,
    normal,
    readings,
    scheme_of,
)


@pytest.mark.parametrize(
    ("scheme", "number", "right"),
    [
        (SNILS, "112-233-445 95", True),  # the example of the Pension Fund's rules
        (SNILS, "112-233-445 96", False),
        (SNILS, "112-233-454 95", False),
        (SNILS, "087-654-303 00", True),  # the sum is 101…
        (SNILS, "087-654-302 00", True),  # … or 100 …
        (SNILS, "087-654-301 99", True),  # … or 99
        (SNILS, "087-654-301 00", False),
        # "only for numbers greater than 001-001-998"
        (SNILS, "001-001-998 00", True),
        (SNILS, "001-001-999 00", False),
        (SNILS, "000-000-000 00", False),
        (SNILS, "112-233-445 9", False),
        (SNILS, "112-233-445 955", False),
        (SNILS, "112-233-445 9x", False),
        (SNILS, "\u0661\u0661\u0662-233-445 95", False),
        (SNILS, "", False),
        (ENP, "1699 0008 4000 1006", True),
        (ENP, "1699000840001007", False),
        (ENP, "1699000840010006", False),
        (ENP, "169900084000100", False),
        (RNOKPP, "1759013776", True),
        (RNOKPP, "1759013770", False),
        (RNOKPP, "759013776", False),
        (UNZR, "20090705-00011", True),  # of ЕСОЗ's own description
        (UNZR, "2009070500011", True),
        (UNZR, "20090229-00011", False),
        (UNZR, "00000705-00011", False),
        (UNZR, "20090705-0001", False),
        (UNZR, "20090705/00011", False),
    ],
)
def test_a_number_holds_or_cannot_be(scheme: Scheme, number: str, *, right: bool) -> None:
    assert scheme.holds(normal(number)) is right
    assert is_wrong(scheme.system, number) is not right


# HL7 v2, table 0061, gives 12345 and its check digit 5.
@pytest.mark.parametrize(("digits", "check"), [("12345", 5), ("0", 0)])
def test_mod10_is_hl7s(digits: str, check: int) -> None:
    assert mod10(digits) == check


@pytest.mark.parametrize(
    "system",
    [
        "https://fhir.ru/ig/core/systems/snils",
        "https://fhir.ru/ig/semd/systems/snils",
        "http://fhir.ru/core/systems/snils",
        "urn:oid:1.2.643.100.3",
        "urn:oid:1.2.643.2.69.1.1.1.6.223",
        "urn:identity:snils:",
        "https://fhir-server.example/sid/ru/snils",
    ],
)
def test_systems_of_snils_are_one(system: str) -> None:
    assert scheme_of(system) is SNILS
    assert is_wrong(system, "112-233-445 96")


def test_no_system_is_of_two_schemes() -> None:
    systems = [system for each in SCHEMES for system in (each.system, *each.aliases)]
    assert len(systems) == len(set(systems))


def test_nothing_is_asked_where_policies_of_every_kind_go() -> None:
    assert not is_wrong("https://fhir.ru/ig/core/systems/oms", "64 03 123456")
    assert scheme_of("https://fhir.ru/ig/core/systems/oms") is ENP
    assert not is_wrong("http://other.example", "1")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("112-233-445 95", [SNILS]),
        ("112 233 445 95", [SNILS]),
        ("112\u2011233\u2011445\u00a095", [SNILS]),
        ("112-233-445 96", []),
        ("11223344595", []),  # as it is indexed anyway
        ("175 901 3776", [RNOKPP]),
        ("20090705-00011", [UNZR]),
        ("a-b", []),
        ("-", []),
        ("", []),
    ],
)
def test_a_spelled_number_is_read_without_its_system(value: str, found: list[Scheme]) -> None:
    assert list(readings(value)) == found
