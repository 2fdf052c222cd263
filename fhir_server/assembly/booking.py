"""Booking, put together: what stands on writes of visits and their places."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fhir_server.cabinet.booking.expiry import end_holds
from fhir_server.cabinet.booking.guard import WRITES, BookingGuard, readable_policy
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.rostering import Rostering
from fhir_server.cabinet.booking.stamps import stamp
from fhir_server.interactions.context import Services
from fhir_server.interactions.guards import together
from fhir_server.jobs.runner import Chore
from fhir_server.settings import Settings

RULED: Final = ("Schedule", "HealthcareService", "Organization")
"""What a booking-policy may stand on."""


def ruled(settings: Settings, services: Services) -> Services:
    """`services` with the guards and stamps of visits and their places."""
    policy = BookingPolicy(zone=settings.time_zone)
    guard = BookingGuard(Policies(policy))
    guards = together(
        services.guards,
        {"Appointment": (guard.appointment,), "Slot": (guard.slot,)},
        dict.fromkeys(RULED, (readable_policy,)),
    )
    stamps = {**services.stamps, "Appointment": stamp(lambda: policy.hold)}
    return replace(services, guards=guards, guards_write=WRITES, stamps=stamps)


def chores(settings: Settings, services: Services) -> Sequence[Chore]:
    """What booking does in the background."""

    async def end() -> None:
        await end_holds(services)

    found = [Chore("holds", end, settings.booking_seconds)]
    if settings.roster_seconds:
        rostering = Rostering(services, Policies(BookingPolicy(zone=settings.time_zone)))
        found.append(Chore("rosters", rostering.make, settings.roster_seconds))
    return found
