"""Booking, put together: what stands on writes of visits and their places."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from fhir_server.cabinet.booking.answers import answering
from fhir_server.cabinet.booking.blocks import guard_flag
from fhir_server.cabinet.booking.entered import KINDS, entered
from fhir_server.cabinet.booking.expiry import end_holds
from fhir_server.cabinet.booking.guard import WRITES, BookingGuard, readable_policy
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.policy import ruled as by_rules
from fhir_server.cabinet.booking.queue import Queue
from fhir_server.cabinet.booking.rostering import Rostering
from fhir_server.cabinet.booking.serving import Serving
from fhir_server.cabinet.booking.stamps import stamp
from fhir_server.cabinet.booking.sweep import offer_places
from fhir_server.cabinet.notices.posting import telling_of_visits
from fhir_server.interactions.context import Services
from fhir_server.interactions.guards import together
from fhir_server.jobs.runner import Chore
from fhir_server.settings import Settings

RULED: Final = ("Schedule", "HealthcareService", "Organization")
"""What a booking-policy may stand on."""


class BookingRulesError(Exception):
    """The operator's rules of booking cannot be followed; the text says why."""


def default_policy(settings: Settings) -> BookingPolicy:
    """The rules that hold where a clinic sets none.

    Raises:
        BookingRulesError: the operator's file cannot be followed.
    """
    default = BookingPolicy(zone=settings.time_zone)
    try:
        return by_rules(default, _rules(settings))
    except (OSError, ValueError) as error:
        raise BookingRulesError(f"{settings.booking_rules}: {error}") from error


def _rules(settings: Settings) -> Any:
    path = settings.booking_rules
    return {} if path is None else json.loads(path.read_text(encoding="utf-8"))


def queue_of(settings: Settings) -> Queue:
    """The queue, and who is told of what becomes of places in it."""
    tell = telling_of_visits(frozenset(settings.notice_silent_clients))
    return Queue(Serving(Policies(default_policy(settings))), tell)


def ruled(settings: Settings, services: Services) -> Services:
    """`services` with the guards and stamps of visits and their places.

    Raises:
        BookingRulesError: the operator's file cannot be followed.
    """
    policy, guard = default_policy(settings), BookingGuard(queue_of(settings))
    guards = together(
        services.guards,
        {
            "Appointment": (guard.appointment,),
            "AppointmentResponse": (answering(policy),),
            "Flag": (guard_flag,),
            "Slot": (guard.slot,),
        },
        dict.fromkeys(RULED, (readable_policy,)),
    )
    stamps = {
        **services.stamps,
        "Appointment": stamp(policy),
        **dict.fromkeys(KINDS, entered),
    }
    return replace(
        services,
        guards=guards,
        guards_write=WRITES,
        stamps=stamps,
        booking_rules=_rules(settings),
    )


def chores(settings: Settings, services: Services) -> Sequence[Chore]:
    """What booking does in the background."""
    queue = queue_of(settings)

    async def tidy() -> None:
        await end_holds(services, queue)
        await offer_places(services, queue)

    found = [Chore("booking", tidy, settings.booking_seconds)]
    if settings.roster_seconds:
        rostering = Rostering(services, Policies(default_policy(settings)))
        found.append(Chore("rosters", rostering.make, settings.roster_seconds))
    return found
