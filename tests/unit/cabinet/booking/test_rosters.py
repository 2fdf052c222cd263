"""When the roster of a day is due, in the clinic's zone, and what it says (S3-14).

https://hl7.org/fhir/R4/list.html
"""

from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from fhir_server.cabinet.booking.policy import HOUR, BookingPolicy
from fhir_server.cabinet.booking.rosters import due, roster
from fhir_server.cabinet.booking.visits import Visit

KYIV: Final = "Europe/Kyiv"


def at(text: str, zone: str = KYIV) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def policy(text: str | None, days: int = 1, zone: str = KYIV) -> BookingPolicy:
    when = None if text is None else time.fromisoformat(text)
    return BookingPolicy(zone=zone, cancel_days=days, cancel_time=when)


@pytest.mark.parametrize(
    ("now", "rules", "expected"),
    [
        ("2026-12-01T17:59:59", policy("18:00"), ["2026-12-01"]),
        ("2026-12-01T18:00:00", policy("18:00"), ["2026-12-01", "2026-12-02"]),
        ("2026-12-02T00:00:00", policy("18:00"), ["2026-12-02"]),
        ("2026-12-01T06:59:59", policy("07:00", days=0), []),
        ("2026-12-01T07:00:00", policy("07:00", days=0), ["2026-12-01"]),
        (
            "2026-12-01T07:00:00",
            policy("07:00", days=2),
            ["2026-12-01", "2026-12-02", "2026-12-03"],
        ),
        ("2026-12-01T12:00:00", policy(None), []),
        # The clocks skip 03:00 to 04:00: 03:30 comes as much later.
        ("2027-03-28T02:59:59", policy("03:30"), ["2027-03-28"]),
        ("2027-03-28T04:29:59", policy("03:30"), ["2027-03-28"]),
        ("2027-03-28T04:30:00", policy("03:30"), ["2027-03-28", "2027-03-29"]),
        # 03:30 comes twice; the first counts.
        ("2026-10-25T03:29:59", policy("03:30"), ["2026-10-25"]),
        ("2026-10-25T03:30:00", policy("03:30"), ["2026-10-25", "2026-10-26"]),
    ],
)
def test_a_day_is_due_from_its_cut_off_to_its_end(
    now: str, rules: BookingPolicy, expected: list[str]
) -> None:
    assert [each.date.isoformat() for each in due(at(now), rules)] == expected


def test_the_zone_is_the_clinics() -> None:
    now = at("2026-12-01T18:00:00")
    kamchatka = policy("18:00", zone="Asia/Kamchatka")
    assert [each.date.isoformat() for each in due(now, kamchatka)] == ["2026-12-02"]


@pytest.mark.parametrize(
    ("day", "hours"), [("2027-03-28", 23), ("2026-10-25", 25), ("2026-12-01", 24)]
)
def test_a_day_lasts_as_long_as_its_clocks_say(day: str, hours: int) -> None:
    (found,) = due(at(f"{day}T12:00:00"), policy("10:00", days=0))
    assert found.start == at(f"{day}T00:00:00")
    assert found.end - found.start == hours * HOUR


def test_visits_stand_in_order_of_time() -> None:
    now = at("2026-12-01T18:00:00")
    day = list(due(now, policy("18:00")))[1]
    visits = [Visit("c", "booked", start=2), Visit("b", "booked", start=1)]
    found = roster("s", day, [*visits, Visit("a", "booked", start=2)], now)
    items = [each["item"]["reference"] for each in found["entry"]]
    assert items == ["Appointment/b", "Appointment/a", "Appointment/c"]
    assert found["identifier"][0]["value"] == "s/2026-12-02"
    assert (found["mode"], found["date"]) == ("snapshot", "2026-12-01T16:00:00.000Z")
    assert "emptyReason" in roster("s", day, [], now)
