"""Which links are worth sending: those that the clinic's rules would let through now."""

from dataclasses import replace

import pytest

from fhir_server.cabinet.booking.policy import DAY, HOUR, BookingPolicy
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.kinds import Kind
from fhir_server.cabinet.notices.links import offered, state

START = 1_800_000_000_000
POLICY = BookingPolicy()
VISIT = Visit("v", "booked", ("t",), START, patients=("p",), booked_by="Patient/p")
OFFER = replace(VISIT, status="proposed", is_queued=True, expires=START - 2 * DAY)


@pytest.mark.parametrize(
    ("kind", "visit", "policy", "before", "expected"),
    [
        ("visit-booked", VISIT, POLICY, 3 * DAY, {"move": START - DAY, "cancel": START}),
        ("visit-booked", VISIT, POLICY, DAY, {"cancel": START}),
        ("visit-booked", VISIT, POLICY, 0, {}),
        (
            "visit-reminder", VISIT, POLICY, DAY + HOUR,
            {"confirm": START, "move": START - DAY, "cancel": START},
        ),
        # Not one's own.
        ("visit-reminder", replace(VISIT, booked_by="Practitioner/r"), POLICY, 2 * DAY,
         {"confirm": START}),
        ("visit-booked", replace(VISIT, booked_by=None), BookingPolicy(own_only=False), 2 * DAY,
         {"move": START - DAY, "cancel": START}),
        ("waitlist-offered", OFFER, POLICY, 3 * DAY,
         {"accept": START - 2 * DAY, "decline": START - 2 * DAY}),
        ("waitlist-offered", OFFER, POLICY, 2 * DAY, {}),
        ("waitlist-offered", replace(OFFER, expires=None), POLICY, DAY,
         {"accept": START, "decline": START}),
        ("visit-cancelled", VISIT, POLICY, 3 * DAY, {}),
        ("waitlist-joined", VISIT, POLICY, 3 * DAY, {}),
    ],
)  # fmt: skip
def test_links(
    kind: Kind, visit: Visit, policy: BookingPolicy, before: int, expected: dict[str, int]
) -> None:
    assert dict(offered(kind, visit, [policy], "Patient/p", START - before)) == expected


def test_a_link_is_bound_to_the_visit_as_it_is() -> None:
    others = (
        replace(VISIT, status="cancelled"),
        replace(VISIT, start=START + 1),
        replace(VISIT, slots=("u",)),
        OFFER,
        replace(OFFER, expires=START),
    )
    assert len({state(each) for each in (VISIT, *others)}) == 6
    assert state(replace(VISIT, actors=("Location/l",))) == state(VISIT)


def test_of_several_rules_the_strictest_holds() -> None:
    rules = [POLICY, BookingPolicy(reschedule_notice=2 * DAY), BookingPolicy(own_only=False)]
    mine = dict(offered("visit-booked", VISIT, rules, "Patient/p", START - 3 * DAY))
    assert mine == {"move": START - 2 * DAY, "cancel": START}
    assert dict(offered("visit-booked", VISIT, rules, "Patient/q", START - 3 * DAY)) == {}
