"""https://hl7.org/fhir/R4/search.html#date"""

import pytest

from fhir_server.core.datetimes import parse_interval
from fhir_server.search.values import IndexValues
from tests.support.searching import NOW, matches, refusals, stored


def date(text: str) -> IndexValues:
    return stored("Observation", "date", "dateTime", text)


def period(start: str | None, end: str | None) -> IndexValues:
    both = {"start": start, "end": end}
    given = {name: text for name, text in both.items() if text}
    return stored("Observation", "date", "Period", given)


@pytest.mark.parametrize(
    ("asked", "value", "found"),
    [
        ("eq2013-01-14", "2013-01-14T00:00:00Z", True),
        ("eq2013-01-14", "2013-01-14T10:00:00Z", True),
        ("eq2013-01-14", "2013-01-15T00:00:00Z", False),
        ("2013-01-14", "2013-01-14", True),
        ("ne2013-01-14", "2013-01-15T00:00:00Z", True),
        ("ne2013-01-14", "2013-01-14T00:00:00Z", False),
        ("ne2013-01-14", "2013-01-14T10:00:00Z", False),
        # "2013-01-14 matches, because it includes the part of 14-Jan 2013 before 10am"
        ("lt2013-01-14T10:00", "2013-01-14", True),
        ("gt2013-01-14T10:00", "2013-01-14", True),
        ("lt2013-01-14", "2013-01-14", False),
        ("gt2013-01-14", "2013-01-14", False),
        ("ge2013-01-14", "2013-01-14", True),
        ("le2013-01-14", "2013-01-14", True),
        ("ge2013-01-14", "2013-01-13", False),
        ("le2013-01-14", "2013-01-15", False),
        # A coarser value is not contained in a finer search, but reaches beyond it.
        ("eq2013-01-14", "2013-01", False),
        ("ge2013-01-14", "2013-01", True),
        ("le2013-01-14", "2013-01", True),
        ("2013", "2013-06-01", True),
        ("2013-01", "2013-01-31T23:59:59Z", True),
        ("2013-01", "2013-02-01T00:00:00Z", False),
        # "Where possible, the system should correct for time zones"
        ("2013-01-14T12:00:00Z", "2013-01-14T15:00:00+03:00", True),
        ("2013-01-14T12:00:00-02:00", "2013-01-14T14:00:00Z", True),
        ("2013-01-14T12:00", "2013-01-14T12:00:30Z", True),
        ("2013-01-14T12:00", "2013-01-14T12:01:00Z", False),
        # "14-Mar 2013 is included - as it exactly matches"
        ("ap2013-03-14", "2013-03-14", True),
        ("ap2013-03-14", "2015-06-15", False),
    ],
)
def test_a_date_is_compared_as_an_interval(asked: str, value: str, *, found: bool) -> None:
    assert matches("Observation", f"date={asked.replace('+', '%2B')}", date(value)) is found


@pytest.mark.parametrize(
    ("asked", "start", "end", "found"),
    [
        # "from 21-Jan 2013 onwards" may include times after 14-Mar 2013
        ("ge2013-03-14", "2013-01-21", None, True),
        ("le2013-03-14", "2013-01-21", None, True),
        # "that period starts after 14-Mar 2013"
        ("sa2013-03-14", "2013-03-15", None, True),
        ("sa2013-03-14", "2013-01-21", None, False),
        ("sa2013-03-14", None, "2013-01-21", False),
        ("eb2013-03-14", "2013-03-15", None, False),
        ("eb2013-03-14", "2013-01-21", None, False),
        ("eb2013-03-14", None, "2013-01-21", True),
        ("sa2013-03-14", "2013-03-14", "2013-03-20", False),
        ("eb2013-03-14", "2013-03-01", "2013-03-13", True),
        ("eb2013-03-14", "2013-03-01", "2013-03-14", False),
        ("2013", "2013-02-01", "2013-11-01", True),
        ("2013", "2012-12-31", "2013-11-01", False),
        ("gt2013", "2013-02-01", "2014-01-01", True),
        ("lt2013", "2012-12-31", "2014-01-01", True),
    ],
)
def test_a_period_may_be_open(
    asked: str, start: str | None, end: str | None, *, found: bool
) -> None:
    assert matches("Observation", f"date={asked}", period(start, end)) is found


# "10% of the gap between now and the date": a day ten days ago reaches one day further.
@pytest.mark.parametrize(
    ("value", "found"),
    [("2023-11-03", True), ("2023-11-05", True), ("2023-11-01", False), ("2023-11-07", False)],
)
def test_approximately_reaches_further_back_in_time(value: str, *, found: bool) -> None:
    assert parse_interval("2023-11-14").lo < NOW
    assert matches("Observation", "date=ap2023-11-04", date(value)) is found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2023-11-14", True),
        ("gt2023-11-13", True),
        ("lt2023-11-14", False),
        ("2023-11-14T22:13:20Z", True),
        ("ne2023", False),
        ("2022,2023-11", True),
    ],
)
def test_last_updated_is_compared_likewise(asked: str, *, found: bool) -> None:
    assert matches("Patient", f"_lastUpdated={asked}", IndexValues()) is found


@pytest.mark.parametrize(
    "asked",
    ["2013-13", "2013-02-30", "23 May 2009", "2013-1-1", "xx2013", "2013-01-14T10", "ge"],
)
def test_a_date_time_of_incorrect_format_is_refused(asked: str) -> None:
    assert refusals("Observation", f"date={asked}") == [("value", "date")]


def test_values_repeated_narrow_and_listed_widen() -> None:
    assert matches("Observation", "date=ge2010&date=le2011", date("2010-05-05"))
    assert not matches("Observation", "date=ge2010&date=le2011", date("2012"))
    assert matches("Observation", "date=2010,2012", date("2012-05"))
