"""https://hl7.org/fhirpath/N1/#operations"""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.fhirpath import FhirPathError

from .conftest import Evaluate

EQUALITY = [
    ("1 = 1.0", [True]),
    ("1 = 2", [False]),
    ("1 = true", [False]),
    ("1 = '1'", [False]),
    ("'a' = 'A'", [False]),
    # "If one or both operands is the empty collection", the result is one.
    ("{} = 1", []),
    ("1 != {}", []),
    ("(1 | 2) = (1 | 2)", [True]),
    ("(1 | 2) = (2 | 1)", [False]),
    ("(1 | 2) = 1", [False]),
    ("name.first() = name.first()", [True]),
    ("name.first() = name.last()", [False]),
    ("gender = 'male'", [True]),
    ("gender != 'male'", [False]),
    ("birthDate = @1974-12-25", [True]),
    ("birthDate = @1974-12", []),
    ("birthDate = '1974-12-25'", [False]),
    ("birthDate != @T12:00", [True]),
    ("@2012 = @2013-01", [False]),
    ("@2012-04-15T15:30:31 = @2012-04-15T15:30:31.0", [True]),
    ("@2012-04-15T15:00:00+02:00 = @2012-04-15T13:00:00Z", [True]),
    ("@2012-04-15T15:00:00Z = @2012-04-15T15:00:00", []),
    ("1 'g' = 1000 'mg'", [True]),
    ("1 'g' = 1 's'", []),
    ("7 days = 1 week", [True]),
    ("1 day = 1 'd'", [True]),
    # A calendar year beside a definite one is "an empty collection".
    ("1 year = 1 'a'", []),
    ("1 = 1 '1'", [True]),
    ("'1' = 1 '1'", [False]),
]
EQUIVALENCE = [
    ("'a  B' ~ 'A b'", [True]),
    ("'a' !~ 'b'", [True]),
    ("{} ~ {}", [True]),
    ("{} ~ 1", [False]),
    ("(1 | 2 | 3) ~ (3 | 1 | 2)", [True]),
    ("(1 | 2) ~ (1 | 3)", [False]),
    # "… on values rounded to the precision of the least precise operand"
    ("1.2 / 1.8 ~ 0.67", [True]),
    ("1.1 ~ 1.2", [False]),
    ("4 'g' ~ 4040 'mg'", [True]),
    ("4 'g' ~ 4 's'", [False]),
    ("1 year ~ 1 'a'", [True]),
    ("@2012-04-15 ~ @2012-04-15T10:00:00", [False]),
    ("name ~ name.skip(1) | name.first()", [True]),
    ("10.power(400) ~ 10.power(401)", [False]),
    ("true ~ 1", [False]),
    ("telecom ~ telecom", [True]),
]
COMPARISON = [
    ("1 < 2", [True]),
    ("2 <= 1.9", [False]),
    ("'b' > 'a'", [True]),
    ("{} < 1", []),
    ("1 >= {}", []),
    ("@2018-03 < @2018-04-01", [True]),
    ("@2018-03 < @2018-03-01", []),
    ("@T10:30 >= @T10:30:00", []),
    ("@T10:30:00 >= @T10:30:00.0", [True]),
    ("@2017-11-05T01:30:00.0-04:00 > @2017-11-05T01:15:00.0-05:00", [False]),
    ("@2018-03-01T10 < @2018-03-01T12:00", [True]),
    ("birthDate < today()", [True]),
    ("now() > today()", []),
    ("6 days < 1 week", [True]),
    ("1 year > 1 'a'", []),
    ("10 'mg' < 1 'g'", [True]),
    ("10 'mg' < 1 's'", []),
    ("1 < 2 '1'", [True]),
    ("telecom.rank.first() < 2", [True]),
]
LOGIC = [
    ("true and true", [True]), ("true and false", [False]), ("true and {}", []),
    ("false and {}", [False]), ("{} and false", [False]), ("{} and {}", []),
    ("{} and true", []),
    ("true or {}", [True]), ("{} or true", [True]), ("false or {}", []), ("{} or false", []),
    ("false or false", [False]), ("true xor true", [False]), ("true xor false", [True]),
    ("true xor {}", []), ("{} xor true", []), ("true implies false", [False]),
    ("true implies {}", []), ("false implies {}", [True]), ("{} implies true", [True]),
    ("{} implies false", []), ("{} implies {}", []), ("true implies true", [True]),
    # "the collection contains a single item … is evaluated as true"
    ("name.first() and 'x'", [True]), ("active.not()", [False]), ("{}.not()", []),
    ("5.not()", [False]),
]  # fmt: skip
ARITHMETIC = [
    ("1 + 2 * 3 + 4", [11]), ("5 - -3", [8]), ("+5", [5]), ("-(-5)", [5]), ("-{}", []),
    ("1.2 * 1.8", [Decimal("2.16")]), ("1 / 2", [Decimal("0.5")]), ("1 / 0", []),
    ("5 div 2", [2]), ("-5 div 2", [-2]), ("5 div 0", []), ("2.2 mod 1.8", [Decimal("0.4")]),
    ("5 mod 2", [1]), ("5 mod 0", []), ("1 + {}", []), ("{} * 1", []),
    ("'a' + 'b'", ["ab"]), ("'a' & {}", ["a"]), ("{} & {}", [""]), ("'a' & 1", ["a1"]),
    ("1 'g' + 1 'kg'", ["1001 'g'"]), ("1 'kg' - 1 'g'", ["999 'g'"]), ("1 'g' + 1 's'", []),
    ("1 'm' + 1", []), ("2 - 1 '1'", ["1 '1'"]),
    ("1 day + 2 days", ["3 day"]), ("1 year + 1 'a'", []), ("2 * 3 'mg'", ["6 'mg'"]),
    ("3 'mg' * 2", ["6 'mg'"]), ("-3 'mg'", ["-3 'mg'"]), ("4 'mg' / 2", ["2 'mg'"]),
    ("2.0 'cm' * 2.0 'm' = 0.040 'm2'", [True]), ("4.0 'g' / 2.0 'm' = 2 'g/m'", [True]),
    ("1.0 'm' / 10 'cm' = 10 '1'", [True]), ("1 'm' / 0 'm'", []),
    ("9.power(20) * 9.power(20)", [9**40]), ("9.power(20) * 9.power(20) * 9.power(20)", []),
    ("10.power(27) * 10.power(27)", []), ("10.power(99999) div 1", []),
    ("10.power(999999) * 10.power(999999)", []), ("0 'g' + 1 'kg'", ["1000 'g'"]),
]  # fmt: skip
DATES = [
    ("@1973-12-25 + 7 days", "@1974-01-01"),
    ("@1973-12-25 + 1 week", "@1974-01-01"),
    ("@1973-12-25 + 1 'wk'", "@1974-01-01"),
    ("@1973-12-25 - 1 'month'", "@1973-11-25"),
    ("@2012-01-31 + 1 month", "@2012-02-29"),
    ("@2012-02-29 + 1 year", "@2013-02-28"),
    ("@2012-03 - 1 month", "@2012-02"),
    ("@2012-01 - 1 month", "@2011-12"),
    # "if the precision is less … the quantity is converted to that precision"
    ("@2014 + 24 months", "@2016"),
    ("@2014 + 23 months", "@2015"),
    ("@2016 + 365 days", "@2017"),
    ("@2016-01 + 30 days", "@2016-02"),
    ("@2016-01-01 + 25 hours", "@2016-01-02"),
    ("@2016-01-01 - 23 hours", "@2016-01-01"),
    # "the decimal portion of the time-valued quantity is ignored"
    ("@2016-01-01 + 1.9 days", "@2016-01-02"),
    ("@1973-12-25T00:00:00.000+10:00 + 10 'ms'", "@1973-12-25T00:00:00.010+10:00"),
    ("@1973-12-25T23:59:59+10:00 + 1 second", "@1973-12-26T00:00:00+10:00"),
    ("@1973-12-25T23:59Z + 61 seconds", "@1973-12-26T00:00Z"),
    ("@1973-12-25T23:00:00 + 1 month", "@1974-01-25T23:00:00"),
    ("@T23:00:00 + 50 hours", "@01:00:00"),
    ("@T01:00 - 2 hours", "@23:00"),
    ("@T01:00 + 3 days", "@01:00"),
    ("birthDate + 1 day", "@1974-12-26"),
]
NOWHERE = [
    "@9999 + 1 year", "@0001 - 1 year", "@9999-12-31 + 1 day", "@9999-12 + 1 month",
    "@2020-01-01 + 99999999999999999 days", "@T10:00 + 1 month", "@2020 + {}",
]  # fmt: skip
MEMBERSHIP = [
    ("1 in (1 | 2)", [True]),
    ("3 in (1 | 2)", [False]),
    ("{} in (1 | 2)", []),
    ("1 in {}", [False]),
    ("(1 | 2) contains 2", [True]),
    ("(1 | 2) contains {}", []),
    ("{} contains 1", [False]),
    ("gender in ('male' | 'female')", [True]),
    ("name.given contains 'Jim'", [True]),
    ("1 'g' in (1000 'mg' | 2 'g')", [True]),
    ("@2012 in (@2012-01 | @2012)", [True]),
]
PRECEDENCE = [
    ("(1 | 1 is Integer).count()", [2]),
    ("true or true and false", [True]),
    ("1 < 2 = true", [True]),
    ("1 | 2 = 2 | 1", [False]),
    ("'a' in 'a' | 'b' and true", [True]),
    ("-1.abs()", [-1]),
]
FAULTS = [
    "'a' - 'b'", "'a' * 1", "'a' / 'b'", "1 div 'a'", "1 mod 'a'", "1 + 'a'", "1 < 'a'",
    "1 > 2 is Boolean", "@2012 < @T10:00", "true < false", "(1 | 2) + 1", "(1 | 2) & 'a'",
    "(1 | 2) and true", "(1 | 2) in (1 | 2)", "name & 'a'", "-'a'", "-true",
    "@1973-12-25 + 1 'a'", "@1973-12-25 + 1 'mo'", "@1973-12-25 - 1 'cm'", "@2012 + 1",
    "name < name", "true & 'a' & name.first()",
]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        *EQUALITY, *EQUIVALENCE, *COMPARISON, *LOGIC, *ARITHMETIC, *MEMBERSHIP, *PRECEDENCE,
        *((text, [moved]) for text, moved in DATES),
        *((text, []) for text in NOWHERE),
    ],
)  # fmt: skip
def test_an_operation_gives(evaluate: Evaluate, expression: str, expected: list[Any]) -> None:
    found = evaluate(expression)
    assert found == expected
    assert [type(each) for each in found] == [type(each) for each in expected]


@pytest.mark.parametrize("expression", FAULTS)
def test_an_operation_refuses_what_it_is_not_defined_for(
    evaluate: Evaluate, expression: str
) -> None:
    with pytest.raises(FhirPathError):
        evaluate(expression)
