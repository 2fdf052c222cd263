"""What an operator can set about consents, relations, emergencies, booking and notices; a
part of the settings.
"""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Positive = Annotated[int, Field(ge=1)]

_SPAN = r"^(none|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError) as error:
        message = f"there is no time zone {name}"
        raise ValueError(message) from error
    return name


class HouseRules(BaseSettings):
    """The rules of the house."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    consent_default: Literal["deny", "basic-normal", "all-normal", "break-glass-only"] = (
        "basic-normal"
    )
    """What holds for a patient none of whose Consents is about a request: `basic-normal` lets
    staff treat, up to confidentiality N."""
    consent_unlabelled: Literal["N", "R"] = "N"
    """How confidential a resource without such a label is."""
    break_glass_opens: Literal["consented", "everything"] = "consented"
    """What a declared emergency opens of a patient none of whose Consents is about it: no more
    than `FHIR_CONSENT_DEFAULT` lets staff see, or everything."""
    break_glass_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    """How long a declared emergency holds. It can be declared anew, and ended before."""
    break_glass_most: Annotated[int, Field(ge=1, le=100)] = 20
    """Declared emergencies of one person that hold at once."""
    step_up: Annotated[tuple[str, ...], NoDecode] = ("$break-glass=3/43200",)
    """Which writes and operations need how strong and how recent a sign-in, joined by commas:
    `Consent.cud=2`, `*.d=1/300`, `$break-glass=3/43200`: a type or `*`, letters of create,
    update, delete, or an operation; the level (`acr`), and the greatest age in seconds.
    `none`: no such rule."""
    consent_systems: Literal["exempt", "bound"] = "exempt"
    """Whether Consents bind backend services too, besides their scopes."""
    staff_consents: bool = False
    """Whether staff may write Consents of patients with `user/` scopes: at a desk where these
    are given on paper. Whoever may can open a record to themselves; the audit tells of it."""
    required_consents: Path | None = None
    """A JSON file with the consents without which a patient's cabinet stays closed: rows of
    `categories` (system and code), `title` and `where` (en, ru, uk), and as wanted
    `questionnaire` (canonical) and `policy` (URI)."""
    proxy_child_age: Positive = 15
    """Until this birthday parents act for a child; 14 in Ukraine."""
    proxy_view_age: Positive | None = None
    """Until this later birthday they may still read; unset: not at all. 18 in Ukraine."""
    proxy_guardians: bool = False
    """Whether guardians may do what parents may."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Of the clinic, such as `Europe/Kyiv`: a birthday begins at its midnight."""
    booking_seconds: Annotated[float, Field(ge=0.05)] = 10
    """How often a worker ends holds and offers that are over, and offers places that are free
    to who waits for them."""
    booking_rules: Path | None = None
    """A JSON file with the rules of booking that hold where a clinic sets none: whether there
    is a waiting list, for how long an offer holds, …; docs/booking.md names them."""
    roster_seconds: Annotated[float, Field(ge=0)] = 0
    """How often a worker looks for rosters that are due: the visits of a schedule and day as
    they stand at its cut-off (`cancel-time`). 0: none are made; 60 is enough."""
    booking_visibility: Literal["all", "by-channel"] = "all"
    """Which Appointments persons see: all in the records open to them, or, `by-channel`, of
    their own those that the portal booked, and the others after a strong sign-in alone; of
    represented persons those that the portal booked under the very account."""
    booking_visibility_level: Annotated[int, Field(ge=1, le=3)] = 3
    """The level (`acr`) of a sign-in that `by-channel` takes for strong."""
    notice_addresses: Literal["accounts", "record"] = "accounts"
    """Where patients are told of their visits: at the verified address of their account alone,
    or `record`, where there is none, also at the e-mail address and number of their record. An
    SMS needs `record`: accounts have no number."""
    notice_names: Annotated[tuple[str, ...], NoDecode] = ("email",)
    """The ways by which a notice may name doctor and speciality, joined by commas: `email`,
    `sms`; `none`. In the record they are named in any case."""
    notice_quiet: Annotated[str, Field(pattern=_SPAN)] = "22:00-08:00"
    """Hours, in the clinic's zone, in which no SMS is sent: it waits for their end.
    `none`: there are no such hours."""
    notice_daily: Annotated[int, Field(ge=1)] = 30
    """From how many notices in 24 hours on it is not written about a patient what persons do
    themselves: it stands in the record alone. What the clinic does is told in any case."""
    notice_silent_clients: Annotated[tuple[str, ...], NoDecode] = ()
    """Ids of backend clients, joined by commas, that load what is known already, or write to
    patients themselves: nobody is told of visits and results that they write. Reminders are
    sent, and what becomes of the queue is told."""
    notice_results: Annotated[str | None, Field(pattern=r"^[^|\s]+\|[^|\s]+$")] = None
    """`system|code`: the category of the Consent with which a patient is told, by e-mail, that
    a result is ready, such as `https://clinic.example/consents|results-by-email`. Unset:
    nobody is."""
