"""https://ucum.org/ucum and https://hl7.org/fhir/R4/search.html#quantity"""

from decimal import Decimal

import pytest

from fhir_server.core.quantities import canonical, comparable, convert
from fhir_server.core.ucum import OFFSETS, OWN_DIMENSIONS, PREFIXES, UNITS

EQUAL = [
    ("1", "g", "1000", "mg"),
    ("5.4", "mmol/L", "5400", "umol/L"),
    ("5.4", "mmol/L", "5.4", "mol/m3"),
    ("60", "/min", "1", "s-1"),
    ("1", "L", "1", "dm3"),
    ("1", "L", "1", "l"),
    ("4", "10*3/uL", "4", "10*9/L"),
    ("4", "10*3/uL", "4", "10^9/L"),
    ("37", "Cel", "98.6", "[degF]"),
    ("0", "Cel", "273.15", "K"),
    ("0", "[degRe]", "0", "Cel"),
    ("80", "[degRe]", "100", "Cel"),
    ("37000", "mCel", "37", "Cel"),
    ("1", "[in_i]", "2.54", "cm"),
    ("1", "[lb_av]", "453.59237", "g"),
    ("50", "%", "0.5", "1"),
    ("1", "mg{creat}", "1", "mg"),
    ("3", "{score}", "3", "1"),
    ("1", "m[Hg]", "133.322", "kPa"),
    ("1", "mm[Hg]", "133.322", "Pa"),
    ("1", "[iU]/L", "1", "[IU]/L"),
    ("1", "k[iU]", "1000", "[iU]"),
    ("1", "J", "1", "kg.m2/s2"),
    ("1", "J", "1", "kg.m2.s-2"),
    ("1", "kg/(m.s2)", "1", "Pa"),
    ("7", "d", "1", "wk"),
    ("1", "KiBy", "1024", "By"),
    ("2", "10.L/min", "20", "L/min"),
    ("1", "U/L", "1", "umol/min/L"),
    ("10", "dB", "1", "B"),
    ("1", "meq", "1", "mmol"),
]


@pytest.mark.parametrize(("value", "code", "other", "other_code"), EQUAL)
def test_equal_quantities_have_one_canonical_form(
    value: str, code: str, other: str, other_code: str
) -> None:
    assert canonical(Decimal(value), code) == canonical(Decimal(other), other_code)
    assert convert(Decimal(value), code, other_code) == Decimal(other)


DIFFERENT = [
    ("g", "L"),
    ("mol", "1"),  # by UCUM a mole is a number; a search for 6e23 cells means no mole
    ("[iU]", "[arb'U]"),
    ("[iU]", "1"),
    ("[pH]", "mol/L"),
    ("m", "m2"),
    ("Cel", "J"),
]


@pytest.mark.parametrize(("code", "other"), DIFFERENT)
def test_different_dimensions_do_not_compare(code: str, other: str) -> None:
    assert not comparable(code, other)
    assert convert(Decimal(1), code, other) is None


UNKNOWN = [
    "", "foo", "MQ", "mg/", "//g", "/", "m..s", "(m", "m)", "()", "{", "{a", "m{a}{b}", "[",
    "mm Hg", "µg", "0.m", "1..m", "m/0", "Cel.m", "Cel2", "/Cel", "m[degF]", "dag[", "kk",
    "m999", "g" * 200, "(" * 20 + "m" + ")" * 20, "к",
]  # fmt: skip


@pytest.mark.parametrize("code", UNKNOWN)
def test_an_unknown_code_has_no_canonical_form(code: str) -> None:
    assert canonical(Decimal(1), code) is None
    assert not comparable(code, code)
    assert convert(Decimal(1), code, "g") is None
    assert convert(Decimal(1), "g", code) is None


def test_an_equal_code_needs_no_conversion() -> None:
    assert convert(Decimal("1.50"), "foo", "foo") == Decimal("1.50")


@pytest.mark.parametrize("code", [*UNITS, *OWN_DIMENSIONS, *OFFSETS])
def test_each_unit_of_the_table_is_read(code: str) -> None:
    assert comparable(code, code)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_prefix_scales_a_metric_unit(prefix: str) -> None:
    assert canonical(Decimal(1), prefix + "By") == canonical(Decimal(PREFIXES[prefix]), "By")


def test_base_units_are_written_in_one_order() -> None:
    assert canonical(Decimal(1), "s/kg.m") == canonical(Decimal(1), "m.s/kg")
    assert canonical(Decimal(2), "g/L") == (Decimal(2000), "g.m-3")


def test_a_huge_exponent_is_only_a_number() -> None:
    assert canonical(Decimal("1e999999999"), "kg") == (Decimal("1e1000000002"), "g")
