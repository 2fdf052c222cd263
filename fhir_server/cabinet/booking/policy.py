"""The clinic's rules of booking: numbers that a Schedule, a service or an organization sets.

The extension `booking-policy` may stand on a Schedule, its HealthcareServices and their
Organizations; what the nearest one says of a rule holds, then what the next one says, then
what the operator set for all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import time
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhir_server.access.codings import Coding, codings
from fhir_server.cabinet.booking.names import POLICY
from fhir_server.core.types import JsonObject

DAY: Final = 86_400_000
HOUR: Final = 3_600_000
MINUTE: Final = 60_000

_UNITS: Final = {"min": MINUTE, "h": HOUR, "d": DAY, "wk": 7 * DAY}
"""Milliseconds of the UCUM units that a Duration here may have."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Consent that is needed."""

    categories: tuple[Coding, ...]
    """Any of these among `Consent.category`."""
    title: str
    """What people call it."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of a schedule's day may be booked by one way."""

    channel: str
    percent: int
    """Of the visits that its Slots take, 0 to 100."""


@dataclass(frozen=True, slots=True)
class BookingPolicy:
    """Durations are milliseconds; times of day are those of the clinic."""

    zone: str = "UTC"
    """IANA name of the clinic's time zone."""
    cancel_days: int = 1
    """How many days before the visit the cut-off of cancelling lies."""
    cancel_time: time | None = None
    """Its time of day; None: a visit can be cancelled until it begins."""
    reschedule_notice: int = 24 * HOUR
    """A visit cannot be moved later than so long before it begins."""
    late_cancel: int = 12 * HOUR
    """Who cancels later than so long before a visit is late."""
    late_block: int = 0
    """How long a late one may not book; 0: nothing happens."""
    most_ahead: int = 2
    """Coming visits of a patient to one speciality, holds among them; 0: no limit."""
    hold: int = 10 * MINUTE
    """For how long a hold keeps a place; the operator's word alone."""
    most_holds: int = 3
    """Holds of one person at a time."""
    most_takes: int = 3
    """How often in 24 hours one place is taken by one person, or for one patient, and given up
    again; 0: no limit."""
    own_only: bool = True
    """A person cancels and moves only what was booked under the own account."""
    level: int = 0
    """Identity assurance that a booking person's sign-in needs, 0 to 3."""
    referral: bool = False
    """Whether a booking needs a ServiceRequest."""
    referral_once: bool = False
    """Whether a ServiceRequest is good for one visit."""
    coverage: bool = False
    """Whether a booking needs a valid Coverage or Contract."""
    consent: tuple[Wanted, ...] = ()
    """Consents that a booking needs, all of them."""
    verified_phone: bool = False
    """Whether a booking needs a telephone number that was verified."""
    quota: tuple[Quota, ...] = ()
    """Shares of a schedule's day, by channel; none: all of it."""
    tickets: bool = True
    """Whether booked visits are numbered, by schedule and day."""
    waitlist: bool = False
    """Whether there is a queue when nothing is free."""
    offers: int = 3
    """Offers to one entry of the queue, after the last of which it leaves it."""
    offer: int = 2 * HOUR
    """How long an offer holds."""
    offer_notice: int = HOUR
    """An offer has to end so long before its visit begins; a nearer place is not offered."""
    keep_place: bool = True
    """Who does not take an offer keeps the place in the queue, or else goes to its end; the
    operator's word alone."""
    expiry_counts: bool = True
    """An offer that was not answered was one of `offers`; the operator's word alone."""
    reminder: int | None = None
    """So long before a visit it is reminded of; 0: never; None: an hour before it cannot be
    moved any more."""


def merged(default: BookingPolicy, *nearest_first: JsonObject | None) -> BookingPolicy:
    """`default` with what the extensions on the resources say; None is passed over.

    Raises:
        ValueError: an extension cannot be read.
    """
    said: dict[str, Any] = {}
    for resource in nearest_first:
        for name, value in _said(resource or {}).items():
            said.setdefault(name, value)
    return replace(default, **said) if said else default


def ruled(default: BookingPolicy, rules: Any) -> BookingPolicy:
    """`default` with what the operator's own `rules` say: an object of the same parts, with
    their bare values.

    Raises:
        ValueError: they cannot be read.
    """
    if not isinstance(rules, dict):
        message = "rules of booking are an object of their names and values"
        raise ValueError(message)  # noqa: TRY004  (all that cannot be read is one error)
    said: dict[str, Any] = {}
    for written, value in rules.items():
        name = written.replace("-", "_")
        if name not in _ALL or "_" in written:
            message = f"there is no rule of booking `{written}`"
            raise ValueError(message)
        try:
            said[name] = _ALL[name](value)
        except (ValueError, KeyError, TypeError) as error:
            message = f"{written}: {error}"
            raise ValueError(message) from error
    return replace(default, **said)


def _said(resource: JsonObject) -> Mapping[str, Any]:
    for each in resource.get("extension", ()):
        if each.get("url") == POLICY:
            return _parts(each.get("extension", ()))
    return {}


def _parts(extensions: Iterable[JsonObject]) -> Mapping[str, Any]:
    given: dict[str, list[Any]] = {}
    for each in extensions:
        name = each.get("url", "").replace("-", "_")
        if name not in _READERS:
            message = f"booking-policy has no part `{each.get('url')}`"
            raise ValueError(message)
        given.setdefault(name, []).append(_value(each))
    return {
        name: _READERS[name](values if name in _MANY else values[-1])
        for name, values in given.items()
    }


def _value(extension: JsonObject) -> Any:
    """A part's value, or of one with parts their values by name."""
    inner = extension.get("extension")
    if inner:
        return {each.get("url"): _value(each) for each in inner}
    return next((v for k, v in extension.items() if k.startswith("value")), None)


def _duration(value: Any) -> int:
    unit = _UNITS.get(value.get("code", "")) if isinstance(value, dict) else None
    if unit is None or value.get("value", -1) < 0:
        message = "a duration of booking-policy has a value and a code of min, h, d, wk"
        raise ValueError(message)
    return int(value["value"] * unit)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        message = "a number of booking-policy is 0 or more"
        raise ValueError(message)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        message = "a switch of booking-policy is true or false"
        raise ValueError(message)  # noqa: TRY004  (all that cannot be read is one error)
    return value


def _level(value: Any) -> int:
    found = _count(value)
    if found > _HIGHEST:
        message = "a level is 0 to 3"
        raise ValueError(message)
    return found


def _wanted(value: Any) -> Wanted:
    known = tuple(codings(value)) if isinstance(value, dict) else ()
    title = value.get("text") if known else None
    if not known or not isinstance(title, str):
        message = "a consent of booking-policy has codings with a system, and a text"
        raise ValueError(message)
    return Wanted(known, title)


def _quota(value: Any) -> Quota:
    named = value if isinstance(value, dict) else {}
    channel, percent = named.get("channel"), named.get("percent")
    if not isinstance(channel, str) or not channel or _count(percent) > _WHOLE:
        message = "a quota of booking-policy has a channel, and a percent of 0 to 100"
        raise ValueError(message)
    return Quota(channel, _count(percent))


def _several(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def found(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, list):
            message = "what may stand several times is a list"
            raise ValueError(message)  # noqa: TRY004  (all that cannot be read is one error)
        return tuple(map(read, values))

    return found


_HIGHEST: Final = 3
_WHOLE: Final = 100
_MANY: Final = ("consent", "quota")
"""Parts that may stand several times."""
_DURATIONS: Final = (
    "hold",
    "reschedule_notice",
    "late_cancel",
    "late_block",
    "offer",
    "offer_notice",
    "reminder",
)
_ALL: Final[Mapping[str, Callable[[Any], Any]]] = {
    **{each.name: _count for each in fields(BookingPolicy) if each.type is int},
    **{each.name: _flag for each in fields(BookingPolicy) if each.type is bool},
    **dict.fromkeys(_DURATIONS, _duration),
    "zone": lambda value: ZoneInfo(str(value)).key,
    "level": _level,
    "consent": _several(_wanted),
    "quota": _several(_quota),
    "cancel_time": lambda value: time.fromisoformat(str(value)),
}
OPERATORS_ALONE: Final = frozenset({"hold", "keep_place", "expiry_counts"})
"""What no clinic sets apart from the others."""
_READERS: Final = {name: read for name, read in _ALL.items() if name not in OPERATORS_ALONE}
"""What a clinic may say."""
