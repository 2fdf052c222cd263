"""What becomes of a place in the queue, as those are told who write notices."""

import pytest

from fhir_server.cabinet.booking.entries import State, offered, returned, with_state
from fhir_server.cabinet.booking.telling import news_of
from tests.support.fhir import JsonObject

WHO = [{"actor": {"reference": "Patient/p"}, "status": "accepted"}]
WAITS: JsonObject = with_state({"status": "waitlist", "participant": WHO}, State(limit=2))
SLOT: JsonObject = {"id": "t", "start": "2026-02-01T09:00:00Z", "end": "2026-02-01T09:30:00Z"}
OFFER = offered(WAITS, SLOT, (), State(limit=2, expires="2026-01-01T00:00:00Z"))
LAST = offered(WAITS, SLOT, (), State(made=1, limit=2))
BOOKED: JsonObject = {**OFFER, "status": "booked"}


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
        # What is no place in a queue.
        (None, {"status": "booked", "participant": WHO}, None),
        (None, {"status": "proposed", "participant": WHO}, None),
        (BOOKED, {**BOOKED, "status": "cancelled"}, None),
    ],
)
def test_what_is_told(before: JsonObject | None, after: JsonObject, change: str | None) -> None:
    news = news_of(before, after, "e", "http://test/fhir")
    assert (None if news is None else news.change) == change
    if news is not None:
        assert (news.after.id, news.after.patients) == ("e", ("p",))


def test_an_offer_says_what_and_until_when() -> None:
    news = news_of(WAITS, OFFER, "e", "http://test/fhir")
    assert news is not None
    assert (news.after.slots, news.after.expires) == (("t",), 1_767_225_600_000)
