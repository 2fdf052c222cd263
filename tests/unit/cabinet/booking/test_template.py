"""Working hours → places, across the changes of the clocks.

https://hl7.org/fhir/R4/slot.html
"""

from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.cabinet.booking.policy import HOUR, MINUTE
from fhir_server.cabinet.booking.template import Channel, Hours, Template, intervals

DAILY = frozenset(range(7))
KYIV = "Europe/Kyiv"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # 03:00 → 04:00; 04:00 → 03:00
ZONES = st.sampled_from(("UTC", KYIV, "Asia/Tomsk", "America/St_Johns", "Australia/Lord_Howe"))


def hours(start: str, end: str, days: frozenset[int] = DAILY) -> Hours:
    return Hours(days, time.fromisoformat(start), time.fromisoformat(end))


def template(first: date, *worked: Hours, last: date | None = None, **more: object) -> Template:
    given_ = {"zone": KYIV, "duration": 30 * MINUTE, **more}
    return Template(first=first, last=last or first, hours=worked, **given_)  # type: ignore[arg-type]  # rows of tests


def told(found: Template) -> list[str]:
    """When places begin, on the clinic's wall."""
    zone = ZoneInfo(found.zone)
    return [
        f"{datetime.fromtimestamp(each.start / 1000, zone):%d %H:%M}"
        for each in intervals(found)
    ]


def test_a_morning_and_an_afternoon() -> None:
    monday = date(2026, 1, 5)
    found = template(monday, hours("08:00", "09:00"), hours("14:00", "15:20"))
    assert told(found) == ["05 08:00", "05 08:30", "05 14:00", "05 14:30"]


def test_days_of_the_week_and_holidays() -> None:
    worked = hours("08:00", "08:30", frozenset({0, 2}))
    closed = frozenset({date(2026, 1, 7)})
    found = template(date(2026, 1, 5), worked, last=date(2026, 1, 11), holidays=closed)
    assert told(found) == ["05 08:00"]


def test_no_place_lies_over_a_break() -> None:
    found = template(
        date(2026, 1, 5), hours("12:00", "14:00"), breaks=(hours("12:45", "13:15"),)
    )
    assert told(found) == ["05 12:00", "05 13:15"]


def test_hours_that_overlap_are_worked_once() -> None:
    found = template(date(2026, 1, 5), hours("08:00", "09:00"), hours("08:30", "09:30"))
    assert told(found) == ["05 08:00", "05 08:30", "05 09:00"]


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    found = template(date(2026, 1, 5), hours("23:00", "01:00"), duration=HOUR)
    assert told(found) == ["05 23:00", "06 00:00"]


def test_a_night_over_the_gap_of_spring_is_an_hour_shorter() -> None:
    eve = date(2026, 3, 28)
    found = template(eve, hours("22:00", "06:00"), duration=HOUR)
    assert told(found) == [
        "28 22:00",
        "28 23:00",
        "29 00:00",
        "29 01:00",
        "29 02:00",
        "29 04:00",
        "29 05:00",
    ]


def test_a_night_in_autumn_is_an_hour_longer() -> None:
    eve = date(2026, 10, 24)
    found = template(eve, hours("22:00", "06:00"), duration=HOUR)
    assert told(found)[4:8] == ["25 02:00", "25 03:00", "25 03:00", "25 04:00"]
    assert len(told(found)) == 9


def test_hours_within_the_gap_are_not_worked() -> None:
    assert told(template(SPRING, hours("03:00", "04:00"))) == []
    assert told(template(SPRING, hours("02:30", "04:30"))) == ["29 02:30", "29 04:00"]


def test_hours_of_a_day_are_those_of_the_wall_on_both_sides() -> None:
    worked = hours("08:00", "08:30")
    for change in (SPRING, AUTUMN):
        eve, after = (date(change.year, change.month, change.day + n) for n in (-1, 1))
        found = template(eve, worked, last=after)
        assert [each[3:] for each in told(found)] == ["08:00"] * 3


def test_quotas_are_spread_over_the_day_and_the_rest_is_the_registry_s() -> None:
    channels = (Channel("portal", 2), Channel("infomat", 0))
    found = template(date(2026, 1, 5), hours("08:00", "10:00"), channels=channels)
    assert [each.channels for each in intervals(found)] == [
        ("registry",),
        ("portal",),
        ("registry",),
        ("portal",),
    ]


@given(
    zone=ZONES,
    day=st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    times=st.lists(st.tuples(st.times(), st.times()), min_size=1, max_size=4),
    rests=st.lists(st.tuples(st.times(), st.times()), max_size=2),
    minutes=st.integers(5, 240),
)
def test_places_are_of_one_length_and_never_overlap(
    zone: str,
    day: date,
    times: list[tuple[time, time]],
    rests: list[tuple[time, time]],
    minutes: int,
) -> None:
    found = template(
        day,
        *(Hours(DAILY, *each) for each in times),
        zone=zone,
        last=date.fromordinal(day.toordinal() + 2),
        duration=minutes * MINUTE,
        breaks=tuple(Hours(DAILY, *each) for each in rests),
    )
    places = list(intervals(found))
    assert all(each.end - each.start == minutes * MINUTE for each in places)
    assert all(one.end <= other.start for one, other in pairwise(places))
    begin = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).timestamp() * 1000
    assert all(each.start >= begin for each in places)
