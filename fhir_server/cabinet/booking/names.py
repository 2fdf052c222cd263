"""Canonicals of the extensions and codes by which booking goes beyond R4.

https://hl7.org/fhir/R4/extensibility.html
"""

from typing import Final

from fhir_server.search.index import bookings

_DEFINITION: Final = "https://fhir-server.example/StructureDefinition/"
_CODES: Final = "https://fhir-server.example/CodeSystem/"

BOOKED_BY: Final = bookings.BOOKED_BY
"""valueReference: the person whose account made the booking."""
CHANNEL: Final = bookings.CHANNEL
"""valueCode of CHANNELS: the way by which a visit was booked, or a place may be."""
POLICY: Final = f"{_DEFINITION}booking-policy"
"""On a Schedule, HealthcareService or Organization; see `policy`."""
HOLD_EXPIRES: Final = f"{_DEFINITION}hold-expires"
"""valueInstant: until when a visit that is not booked yet keeps its place."""
REPLACES: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.replaces"
"""valueReference: the visit that this one takes the place of; R5's element."""
MINE: Final = f"{_DEFINITION}mine"
"""valueReference on what `$find` shows: the caller's own visit on that place."""
REQUIRES: Final = f"{_DEFINITION}booking-requires"
"""valueCode on what `$find` shows: `referral`, `coverage`, `consent`, `verified-phone`,
`level-1` … `level-3`."""
CAPACITY: Final = f"{_DEFINITION}slot-capacity"
"""valuePositiveInt: visits that a Slot takes; 1 where it is absent."""
TICKET: Final = f"{_DEFINITION}ticket-number"
"""valueString: by which a booked visit is called; see `numbering`."""
ENTERED: Final = f"{_DEFINITION}person-entered"
"""valueReference: who wrote, as a person, what a clinic has to say; see `entered`."""

PORTAL: Final = "portal"
"""The channel of patients and those who act for them."""
WAITLIST: Final = f"{_DEFINITION}waitlist"
"""On an Appointment that waits for a place, or has waited; see `entries`."""

CHANNELS: Final = f"{_CODES}booking-channel"
LISTS: Final = f"{_CODES}cabinet-list"
ROSTER: Final = "roster"
"""Of LISTS: the visits of a schedule's day, as they stood at the cut-off."""
ROSTERS: Final = "https://fhir-server.example/sid/roster"
"""Of identifiers: a Schedule's id, `/`, the day."""
FLAGS: Final = f"{_CODES}cabinet-flag"
BLOCKED: Final = "booking-blocked"
"""Of FLAGS: its Patient may not book while the Flag is active and in its period."""

CANCELLATIONS: Final = f"{_CODES}cancellation-reason"
EXHAUSTED: Final = "waitlist-exhausted"
"""Of CANCELLATIONS: the last offer was not taken."""
