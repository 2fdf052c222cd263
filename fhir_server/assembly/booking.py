"""Booking, put together: what stands on writes of visits and their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.cabinet.booking.guard import WRITES, BookingGuard, readable_policy
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.stamps import stamp
from fhir_server.interactions.context import Guard, Stamp
from fhir_server.settings import Settings

RULED: Final = ("Schedule", "HealthcareService", "Organization")
"""What a booking-policy may stand on."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What `Services` need for it."""

    guards: Mapping[str, Sequence[Guard]]
    guards_write: Mapping[str, frozenset[str]]
    stamps: Mapping[str, Stamp]


def booking(settings: Settings) -> Booking:
    """The guards and stamps of Appointment and Slot."""
    policy = BookingPolicy(zone=settings.time_zone)
    guard = BookingGuard(Policies(policy))
    return Booking(
        {
            "Appointment": (guard.appointment,),
            "Slot": (guard.slot,),
            **dict.fromkeys(RULED, (readable_policy,)),
        },
        WRITES,
        {"Appointment": stamp(lambda: policy.hold)},
    )
