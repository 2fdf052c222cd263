"""Places in the queue: their order, whom a place fits, what an answer makes of an offer."""

from typing import Any

import pytest

from fhir_server.cabinet.booking.entries import (
    Served,
    State,
    accepted,
    entry_of,
    is_for,
    offered,
    returned,
    state_of,
    with_state,
    without_state,
)
from fhir_server.cabinet.booking.entry_stamps import stamped_entry
from fhir_server.cabinet.booking.policy import HOUR, BookingPolicy
from fhir_server.cabinet.booking.slots import place_of
from fhir_server.core.datetimes import format_instant
from tests.support.fhir import JsonObject

NOW = 1_767_225_600_000  # 2026-01-01T00:00Z
DOCTOR = {"reference": "Practitioner/d"}


def entry(**more: Any) -> JsonObject:
    found: JsonObject = {
        "resourceType": "Appointment",
        "id": "e",
        "status": "waitlist",
        "created": "2025-12-01",
        "participant": [{"actor": {"reference": "Patient/p"}, "status": "accepted"}],
        **more,
    }
    return with_state(found, State(limit=3))


def slot(start: str = "2026-02-01T09:00:00Z", end: str = "2026-02-01T09:30:00Z") -> JsonObject:
    schedule = {"reference": "Schedule/s"}
    times = {"start": start, "end": end}
    return {"id": "t", "status": "free", "schedule": schedule, **times}


def offer(before: JsonObject, **more: Any) -> JsonObject:
    state = State(**{**_fields(state_of(before)), "expires": format_instant(NOW), **more})
    return offered(before, slot(), [DOCTOR], state)


def _fields(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.__slots__}


@pytest.mark.parametrize(
    ("period", "fits"),
    [
        ({}, True),
        ({"start": "2026-02-01"}, True),
        ({"start": "2026-02-02"}, False),
        # "includes any matching date/time": the whole day.
        ({"end": "2026-02-01"}, True),
        ({"end": "2026-01-31"}, False),
        ({"start": "2026-02-01T09:00:00Z", "end": "2026-02-01T09:30:00Z"}, True),
        ({"start": "2026-02-01T09:00:01Z"}, False),
        ({"end": "2026-02-01T09:29:59Z"}, False),
        # In the zone in which it was written: 09:00Z is noon in Moscow.
        ({"start": "2026-02-01T12:00:00+03:00"}, True),
        ({"start": "2026-02-01T12:00:01+03:00"}, False),
        ({"end": "2026"}, True),
    ],
)
def test_a_place_lies_in_the_period(period: JsonObject, fits: bool) -> None:
    periods = [period] if period else []
    assert entry_of(entry(requestedPeriod=periods)).is_in_time(place_of(slot())) is fits


def test_one_of_several_periods_is_enough() -> None:
    periods = [{"end": "2026-01-01"}, {"start": "2026-02-01", "end": "2026-02-02"}]
    assert entry_of(entry(requestedPeriod=periods)).is_in_time(place_of(slot()))


def of(*doctors: str, speciality: tuple[str, str] | None = None) -> Served:
    return Served(frozenset(doctors), frozenset({speciality} if speciality else ()))


@pytest.mark.parametrize(
    ("wanted", "served", "fits"),
    [
        (of("Practitioner/d"), of("Practitioner/d"), True),
        # Who waits for a doctor does not wait for colleagues.
        (
            of("Practitioner/d", speciality=("", "s")),
            of("Practitioner/x", speciality=("", "s")),
            False,
        ),
        (of(speciality=("", "s")), of("Practitioner/x", speciality=("", "s")), True),
        (of(speciality=("a", "s")), of(speciality=("b", "s")), False),
        (of(), of("Practitioner/d"), False),
    ],
)
def test_what_is_waited_for(wanted: Served, served: Served, fits: bool) -> None:
    assert is_for(wanted, served) is fits


def test_a_refusal_leaves_what_was_there_before() -> None:
    before = entry(comment="Please", minutesDuration=30)
    back = returned(offer(before), NOW, keep=True, counts=True)
    expected = {k: v for k, v in before.items() if k != "minutesDuration"}
    state = State("specialty", made=1, limit=3, refused=("t",))
    assert back == with_state(expected, state)


@pytest.mark.parametrize(
    ("made", "limit", "counts", "status"),
    [
        (1, 3, True, "waitlist"),
        (2, 3, True, "cancelled"),
        (2, 3, False, "waitlist"),
        (9, 0, True, "waitlist"),  # any number
        (5, 3, True, "cancelled"),  # the place's rules were milder before
    ],
)
def test_after_the_last_offer_one_is_out(
    made: int, limit: int, counts: bool, status: str
) -> None:
    back = returned(offer(entry(), made=made, limit=limit), NOW, keep=True, counts=counts)
    assert (back["status"], state_of(back).made) == (status, made + counts)
    assert ("cancelationReason" in back) is (status == "cancelled")


@pytest.mark.parametrize(
    ("keep", "created"), [(True, "2025-12-01"), (False, format_instant(NOW))]
)
def test_the_place_is_kept_or_is_the_last(keep: bool, created: str) -> None:
    assert returned(offer(entry()), NOW, keep=keep, counts=True)["created"] == created


def test_a_booking_keeps_those_who_are_met() -> None:
    made = offer(entry())
    visit = accepted({**made, "status": "booked"}, made)
    assert [e["actor"]["reference"] for e in visit["participant"]] == [
        "Patient/p",
        "Practitioner/d",
    ]
    assert state_of(visit) == State("specialty", limit=3)
    assert visit["slot"] == [{"reference": "Slot/t"}]


def test_the_doctor_who_is_waited_for_is_named_once() -> None:
    named = [*entry()["participant"], {"actor": DOCTOR, "status": "needs-action"}]
    made = offer(entry(participant=named))
    assert len(made["participant"]) == 2
    assert state_of(made).target == "practitioner"
    back = returned(made, NOW, keep=True, counts=True)
    assert back["participant"] == named


def test_an_extension_of_others_stays() -> None:
    other = {"url": "http://other", "valueString": "x"}
    found = with_state({**entry(), "extension": [other]}, State())
    assert without_state(found)["extension"] == [other]
    assert "extension" not in without_state(
        with_state({"resourceType": "Appointment"}, State())
    )


@pytest.mark.parametrize("actor", ["person", "staff", "system"])
@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("status", ["waitlist", "proposed", "booked", "cancelled"])
def test_stamped_again_it_is_the_same(actor: Any, status: str, limit: int) -> None:
    policy = BookingPolicy()
    for before in (None, entry(), offer(entry(), limit=limit)):
        wish = {**(before or entry()), "status": status}
        once = stamped_entry(wish, before, actor, NOW, policy)
        assert stamped_entry(once, before, actor, NOW, policy) == once


def test_staff_make_an_offer_by_hand() -> None:
    before = entry()
    wish = {**before, "status": "proposed", "slot": [{"reference": "Slot/t"}]}
    made = stamped_entry(wish, before, "staff", NOW, BookingPolicy(offer=HOUR))
    assert state_of(made).expires == format_instant(NOW + HOUR)
    given = with_state(wish, State(expires=format_instant(NOW + 9)))
    made = stamped_entry(given, before, "staff", NOW, BookingPolicy(offer=HOUR))
    assert state_of(made).expires == format_instant(NOW + 9)
