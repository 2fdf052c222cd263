"""Booking, put together: what stands on writes of visits and their places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhir_server.cabinet.booking.guard import WRITES, BookingGuard
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.stamps import stamp
from fhir_server.interactions.context import Guard, Stamp
from fhir_server.settings import Settings


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
        {"Appointment": (guard.appointment,), "Slot": (guard.slot,)},
        WRITES,
        {"Appointment": stamp(lambda: policy.hold)},
    )
