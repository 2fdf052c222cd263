"""What becomes of a visit or a place in the queue, as those are told who write notices."""

import pytest

from fhir_server.cabinet.booking.entries import State, offered, returned, with_state
from fhir_server.cabinet.booking.telling import Written, news_of
from fhir_server.cabinet.booking.visits import Visit
from tests.support.fhir import JsonObject

WHO = [{"actor": {"reference": "Patient/p"}, "status": "accepted"}]
WAITS: JsonObject = with_state({"status": "waitlist", "participant": WHO}, State(limit=2))
SLOT: JsonObject = {"id": "t", "start": "2026-02-01T09:00:00Z", "end": "2026-02-01T09:30:00Z"}
OFFER = offered(WAITS, SLOT, (), State(limit=2, expires="2026-01-01T00:00:00Z"))
LAST = offered(WAITS, SLOT, (), State(made=1, limit=2))
BOOKED: JsonObject = {**OFFER, "status": "booked"}
VISIT: JsonObject = {
    "status": "booked",
    "participant": WHO,
    "start": "2026-02-01T09:00:00Z",
    "end": "2026-02-01T09:30:00Z",
}
HOLD: JsonObject = {**VISIT, "status": "pending", "slot": [{"reference": "Slot/t"}]}
ROOM: JsonObject = {"actor": {"reference": "Location/l"}, "status": "accepted"}
DOCTOR: JsonObject = {"actor": {"reference": "Practitioner/d"}, "status": "accepted"}
DEVICE: JsonObject = {"actor": {"reference": "Device/d"}, "status": "accepted"}
OTHER: JsonObject = {"actor": {"reference": "Patient/q"}, "status": "accepted"}
BASE = "http://test/fhir"


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (None, WAITS, "joined"),
        (WAITS, {**WAITS, "comment": "x"}, None),
        (WAITS, OFFER, "offered"),
        (OFFER, {**OFFER, "comment": "x"}, None),
        (OFFER, BOOKED, "accepted"),
        (OFFER, returned(OFFER, 0, keep=True, counts=True), "returned"),
        (LAST, returned(LAST, 0, keep=True, counts=True), "ended"),
        (WAITS, {**WAITS, "status": "cancelled"}, "left"),
        (OFFER, {**OFFER, "status": "cancelled"}, "left"),
        # A visit.
        (None, VISIT, "booked"),
        (HOLD, VISIT, "booked"),
        (None, HOLD, None),
        (HOLD, {**HOLD, "status": "cancelled"}, None),
        (VISIT, {**VISIT, "comment": "x"}, None),
        (VISIT, {**VISIT, "start": "2026-02-02T09:00:00Z"}, "moved"),
        (VISIT, {**VISIT, "participant": [*WHO, ROOM]}, "changed"),
        (VISIT, {**VISIT, "participant": [*WHO, OTHER]}, "changed"),
        ({**VISIT, "participant": [*WHO, ROOM, DOCTOR]},
         {**VISIT, "participant": [DOCTOR, ROOM, *WHO]}, None),
        (VISIT, {**VISIT, "participant": [*WHO, DEVICE]}, None),
        (VISIT, {**VISIT, "status": "cancelled"}, "cancelled"),
        (VISIT, {**VISIT, "status": "entered-in-error"}, "cancelled"),
        (VISIT, {**VISIT, "status": "fulfilled"}, None),
        (VISIT, None, "cancelled"),
        ({**VISIT, "status": "cancelled"}, None, None),
        (BOOKED, {**BOOKED, "status": "cancelled"}, "cancelled"),
        (WAITS, None, "left"),
        # What is neither.
        (None, {"status": "proposed", "participant": WHO}, None),
        (None, None, None),
    ],
)  # fmt: skip
def test_what_is_told(
    before: JsonObject | None, after: JsonObject | None, change: str | None
) -> None:
    news = news_of(Written("e", 2, before, after), BASE)
    assert (None if news is None else news.change) == change
    if news is not None:
        assert (news.after.id, news.number, news.after.patients[0]) == ("e", 2, "p")


def test_an_offer_says_what_and_until_when() -> None:
    news = news_of(Written("e", 2, WAITS, OFFER), BASE)
    assert news is not None
    assert (news.after.slots, news.after.expires) == (("t",), 1_767_225_600_000)


@pytest.mark.parametrize(("status", "change"), [("booked", "moved"), ("pending", "booked")])
def test_a_visit_in_the_place_of_a_booked_one_was_moved(status: str, change: str) -> None:
    news = news_of(Written("e", 1, None, VISIT, Visit("old", status)), BASE)
    assert news is not None
    assert (news.change, news.replaced) == (change, Visit("old", status))
