"""What a booking costs in commands of its transaction: rules that are not set cost nothing.

https://www.mongodb.com/docs/manual/core/transactions/
"""

from collections.abc import Iterator
from typing import Final

import pytest
from pymongo import monitoring

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from tests.spec.booking.conftest import Clinic, person, serving
from tests.spec.booking.test_book import booked, policy
from tests.spec.booking.test_demands import (
    TERMS,
    consent,
    coverage,
    phone,
    referral,
    send,
    verified,
    wish,
)
from tests.spec.booking.test_quotas import quota
from tests.support.commands import Commands
from tests.support.fhir import JsonObject

YES: Final[JsonObject] = {"valueBoolean": True}
BARE: Final = 9
"""A claim, what is there, two resources, a history, the Provenance, the audit, the outbox, the
commit."""
ROWS: Final[dict[str, tuple[JsonObject, int]]] = {
    "no numbers": (policy(tickets={"valueBoolean": False}), BARE),
    "numbers": ({}, BARE + 1),
    "a demand": (policy(coverage=YES), BARE + 2),
    "all demands": (
        policy(
            level={"valueInteger": 3},
            referral=YES,
            referral_once=YES,
            coverage=YES,
            verified_phone=YES,
            consent={"valueCodeableConcept": TERMS},
        ),
        BARE + 2,
    ),
    "a share": (quota(100), BARE + 4),
}


@pytest.fixture(scope="module")
def commands() -> Commands:
    """What every client sends that is made from now on."""
    listener = Commands()
    monitoring.register(listener)
    return listener


@pytest.fixture(scope="module")
def counted(mongodb_uri: str, commands: Commands) -> Iterator[Clinic]:
    """A clinic whose commands are counted, and that does nothing by itself meanwhile."""
    del commands
    access = AccessPolicy(Policy("all-normal"))
    with serving(
        mongodb_uri, access, booking_seconds=3600.0, outbox_poll_seconds=3600.0
    ) as found:
        yield found


@pytest.mark.parametrize("row", ROWS)
def test_a_booking_is_so_many_commands(counted: Clinic, commands: Commands, row: str) -> None:
    rules, most = ROWS[row]
    schedule, patient = counted.schedule(**rules), counted.patient()
    phone(counted, patient)
    verified(counted, patient)
    coverage(counted, patient)
    consent(counted, patient)
    who = person(patient)
    counts: list[int] = []
    for days in range(7, 11):
        visit = wish(
            counted, patient, counted.slot(schedule, days=days), referral(counted, patient)
        )
        # As an app does: what it looks up is remembered for a second, if the machine is quick.
        assert counted.ask(who, "GET", f"/Appointment/$find?schedule={schedule}").is_success
        commands.clear()
        assert send(counted, who, visit).status_code == 201
        counts.append(len(commands.within))
    assert min(counts) == most


@pytest.mark.parametrize(("has_queue", "more"), [(False, 0), (True, 3)])
def test_only_where_there_is_a_queue_is_it_asked_who_waits(
    counted: Clinic, commands: Commands, has_queue: bool, more: int
) -> None:
    rules = policy(tickets={"valueBoolean": False}, waitlist={"valueBoolean": has_queue})
    counts: list[int] = []
    for _ in range(4):  # each time of a doctor of whom nothing is remembered
        slot, who = counted.slot(counted.schedule(**rules)), person(counted.patient())
        commands.clear()
        booked(counted, who, slot)
        counts.append(len(commands.within))
    assert min(counts) == BARE + more
