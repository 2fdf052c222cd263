"""Occasions and deliveries as somebody would post them."""

from dataclasses import replace
from typing import Any

from fhir_server.store.outgoing import Channel, Delivery, Occasion

NOW = 1_764_400_000_000
"""What the clock shows when nothing else is said."""
MINUTE = 60_000


def occasion(key: str, **more: Any) -> Occasion:
    """A visit was booked."""
    return replace(Occasion(key, "visit-booked", "Appointment/1", "p1", NOW), **more)


def delivery(of: str, channel: Channel = "email", to: str = "anna@mail.example") -> Delivery:
    """What it became."""
    content = {"subject": "Visit", "text": "10:30, room 4"}
    return Delivery(f"{of}/{channel}/0", channel, to, content, NOW)
