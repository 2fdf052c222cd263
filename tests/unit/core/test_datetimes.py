"""https://hl7.org/fhir/R4/datatypes.html#dateTime and https://hl7.org/fhir/R4/search.html#date"""

from datetime import UTC, datetime

import pytest

from fhir_server.core.datetimes import (
    format_instant,
    is_date,
    is_date_time,
    is_instant,
    is_time,
    parse_interval,
)
from fhir_server.core.errors import BadValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(*parts: int) -> int:
    """The instant as milliseconds; a seventh part is milliseconds."""
    year, month, day, hour, minute, second, milli = (*parts, 0, 0, 0, 0)[:7]
    whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - EPOCH
    return (whole.days * 86_400 + whole.seconds) * 1000 + milli


INTERVALS = [
    ("2024", ms(2024, 1, 1), ms(2025, 1, 1)),
    ("2024-02", ms(2024, 2, 1), ms(2024, 3, 1)),
    ("2023-02", ms(2023, 2, 1), ms(2023, 3, 1)),
    ("2024-12", ms(2024, 12, 1), ms(2025, 1, 1)),
    ("2024-02-29", ms(2024, 2, 29), ms(2024, 3, 1)),
    ("1969-12-31", -86_400_000, 0),
    ("0001", ms(1, 1, 1), ms(2, 1, 1)),
    ("9999", ms(9999, 1, 1), ms(9999, 12, 31) + 86_400_000),
    ("9999-12", ms(9999, 12, 1), ms(9999, 12, 31) + 86_400_000),
    # "The minutes SHALL be present if an hour is present" — and seconds may be absent.
    ("2024-05-01T10:00", ms(2024, 5, 1, 10), ms(2024, 5, 1, 10, 1)),
    ("2024-05-01T10:00Z", ms(2024, 5, 1, 10), ms(2024, 5, 1, 10, 1)),
    ("2024-05-01T10:00:00", ms(2024, 5, 1, 10), ms(2024, 5, 1, 10, 0, 1)),
    ("2024-05-01T10:00:59Z", ms(2024, 5, 1, 10, 0, 59), ms(2024, 5, 1, 10, 1)),
    ("2024-05-01T10:00:00+03:00", ms(2024, 5, 1, 7), ms(2024, 5, 1, 7, 0, 1)),
    ("2024-05-01T10:00:00-05:30", ms(2024, 5, 1, 15, 30), ms(2024, 5, 1, 15, 30, 1)),
    ("2024-01-01T00:00:00+14:00", ms(2023, 12, 31, 10), ms(2023, 12, 31, 10, 0, 1)),
    ("2024-05-01T10:00:00.5Z", ms(2024, 5, 1, 10, 0, 0, 500), ms(2024, 5, 1, 10, 0, 0, 501)),
    (
        "2024-05-01T10:00:00.12399Z",
        ms(2024, 5, 1, 10, 0, 0, 123),
        ms(2024, 5, 1, 10, 0, 0, 124),
    ),
    # The grammar admits a leap second.
    ("2016-12-31T23:59:60Z", ms(2017, 1, 1), ms(2017, 1, 1, 0, 0, 1)),
]


@pytest.mark.parametrize(("text", "lo", "hi"), INTERVALS)
def test_a_date_is_the_interval_of_its_precision(text: str, lo: int, hi: int) -> None:
    assert parse_interval(text) == (lo, hi)


REFUSED = [
    "", "0000", "24", "20240", "2024-", "2024-00", "2024-13", "2024-1", "2024-01-00",
    "2024-01-32", "2024-02-30", "2023-02-29", "2024-04-31", "2024-05-01T", "2024-05-01T10",
    "2024-05-01T24:00", "2024-05-01T10:60", "2024-05-01T10:00:61", "2024-05-01T10:00:00.",
    "2024-05-01T10:00:00+14:01", "2024-05-01T10:00:00+3:00", "2024-05-01 10:00",
    "2024-05-01T10:00:00z", "2024-05-01\n", " 2024", "٢٠٢٤", "2024-W01", "20240501", "10:00",
    "2023-02-29T10:00:00Z", "-2024",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_a_bad_value(text: str) -> None:
    with pytest.raises(BadValue):
        parse_interval(text)


def test_a_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(BadValue) as caught:
        parse_interval("x" * 10_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (ms(2024, 2, 29, 23, 59, 58, 7), "2024-02-29T23:59:58.007Z"),
        (ms(1, 1, 1), "0001-01-01T00:00:00.000Z"),
        (ms(9999, 12, 31, 23, 59, 59, 999), "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_in_utc_milliseconds(instant: int, text: str) -> None:
    assert format_instant(instant) == text
    assert parse_interval(text).lo == instant


# date, dateTime, instant, time: whether each type admits the text.
CALENDAR = [
    ("2024", True, True, False, False),
    ("2024-02", True, True, False, False),
    ("2024-02-29", True, True, False, False),
    ("2023-02-29", False, False, False, False),
    ("2024-04-31", False, False, False, False),
    # "If hours and minutes are specified, a time zone SHALL be populated."
    ("2024-02-29T10:00:00", False, False, False, False),
    ("2024-02-29T10:00Z", False, False, False, False),
    ("2024-02-29T10:00:00Z", False, True, True, False),
    ("2023-02-29T10:00:00Z", False, False, False, False),
    ("2024-02-29T10:00:00.123456789+05:30", False, True, True, False),
    ("2024-02-29T24:00:00Z", False, False, False, False),
    ("10:00:00", False, False, False, True),
    ("23:59:60.5", False, False, False, True),
    ("10:00", False, False, False, False),
    ("24:00:00", False, False, False, False),
    ("0000", False, False, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "date", "date_time", "instant", "time"), CALENDAR)
def test_each_type_has_its_grammar_and_the_calendar(
    text: str, *, date: bool, date_time: bool, instant: bool, time: bool
) -> None:
    admitted = (is_date(text), is_date_time(text), is_instant(text), is_time(text))
    assert admitted == (date, date_time, instant, time)
