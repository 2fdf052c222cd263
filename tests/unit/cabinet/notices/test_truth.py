"""A notice that is not true any more says nothing."""

from typing import Any

import pytest

from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.kinds import ROWS, Kind
from fhir_server.cabinet.notices.truth import is_true

NOW = 1_000
START = 2_000


def visit(status: str, **more: Any) -> Visit:
    return Visit("v", status, **{"start": START, "patients": ("p",), "slots": ("t",), **more})


OFFER = {"is_queued": True, "expires": 1_500}


@pytest.mark.parametrize(
    ("kind", "current", "expected"),
    [
        ("visit-booked", visit("booked"), True),
        ("visit-booked", visit("booked", start=START + 1), False),
        ("visit-booked", visit("booked", start=NOW), False),
        ("visit-booked", visit("booked", patients=("q",)), False),
        ("visit-booked", visit("cancelled"), False),
        ("visit-booked", visit("arrived"), False),
        ("visit-booked", None, False),
        ("visit-reminder", visit("booked"), True),
        ("visit-reminder", visit("booked", start=START + 1), False),
        ("visit-reminder", visit("cancelled"), False),
        ("visit-cancelled", visit("cancelled"), True),
        ("visit-cancelled", None, True),
        ("visit-cancelled", visit("booked"), False),
        ("visit-cancelled", visit("booked", patients=("q",)), True),
        ("waitlist-joined", visit("waitlist", start=None), True),
        ("waitlist-joined", visit("proposed", **OFFER), False),
        ("waitlist-offered", visit("proposed", **OFFER), True),
        ("waitlist-offered", visit("proposed", **{**OFFER, "expires": NOW}), False),
        ("waitlist-offered", visit("proposed", **OFFER, start=START + 1), False),
        ("waitlist-offered", visit("booked", is_queued=True), False),
        ("waitlist-accepted", visit("booked", is_queued=True), True),
        ("waitlist-returned", visit("waitlist", start=None), True),
        ("waitlist-ended", visit("cancelled"), True),
        ("waitlist-ended", visit("waitlist"), False),
    ],
)
def test_it_is_looked_at_again(kind: Kind, current: Visit | None, expected: bool) -> None:
    assert is_true(ROWS[kind], {"start": START}, current, "p", NOW) is expected
