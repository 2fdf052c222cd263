"""A tap on a link, done as the person whom it was sent to.

It is the command that an app would send: it takes the same path, meets the same rules, and
the audit names the same person. What was done is noted in the unit that does it, so that of
two taps at once one acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from fhir_server.access.repeats import Repeat
from fhir_server.cabinet.booking.making import moved
from fhir_server.cabinet.notices.tapping import Tap, Taps
from fhir_server.core.errors import FhirError, Throttled, Unauthenticated
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import Create, Update
from fhir_server.interactions.context import Context
from fhir_server.interactions.perform import perform
from fhir_server.interactions.trail import Doing, Origin, Trail

_KIND: Final = "Appointment"
_ANSWER: Final = "AppointmentResponse"
_SERVER: Final = 500
"""From this status on it is not the request's fault."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came with a tap."""

    choice: str
    """The id of the free place that was chosen; empty: none."""
    language: Language
    address: str
    """Of the network."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of it; nothing of all this: the link is over."""

    done: bool = False
    refusals: Sequence[str] = ()
    """Why not, in the person's language, and what to do."""
    sign_in: bool = False
    """It needs a sign-in."""


async def act(taps: Taps, tap: Tap, asked: Asked) -> Answered:
    """Do what the link of `tap` is for.

    Raises:
        FhirError: the server cannot now; the link holds on.
    """
    if tap.link.action == "move" and asked.choice not in {each.slot for each in tap.places}:
        return Answered()
    trail = _trail(taps, tap, asked.address)
    ctx = Context(
        taps.services,
        tap.allowed.rights,
        tap.principal,
        tap.allowed.withheld,
        language=asked.language,
        trail=trail,
        repeat=Repeat(f"link {tap.link.digest}", tap.link.digest),
    )
    try:
        await perform(ctx, await _command(ctx, tap, asked.choice))
    except FhirError as error:
        return _refused(error, asked.language)
    finally:
        if trail is not None:
            await trail.keep()
    await taps.links.use(tap.link.digest, taps.services.now())
    return Answered(done=True)


def _trail(taps: Taps, tap: Tap, address: str) -> Trail | None:
    audit = taps.services.audit
    if audit is None:
        return None
    doing = Doing("update", f"{_KIND}/{tap.link.visit}", writes=True)
    origin = Origin(taps.services.now(), address, taps.services.new_id())
    trail = Trail(audit.log, tap.principal, origin, doing)
    trail.under(tap.allowed.applied)
    return trail


async def _command(ctx: Context, tap: Tap, choice: str) -> Create | Update:
    match tap.link.action:
        case "confirm" | "accept":
            return Create(_ANSWER, _answer(tap, "accepted"))
        case "decline":
            return Create(_ANSWER, _answer(tap, "declined"))
        case "cancel":
            ended = {**tap.resource, "status": "cancelled"}
            return Update(_KIND, tap.link.visit, ended, if_match=f'W/"{tap.number}"')
        case "move":
            return Create(_KIND, await moved(ctx, tap.resource, (choice,)))
        case _:
            assert_never(tap.link.action)


def _answer(tap: Tap, status: str) -> JsonObject:
    times: JsonObject = {
        name: tap.resource[name] for name in ("start", "end") if name in tap.resource
    }
    return {
        "resourceType": _ANSWER,
        "appointment": {"reference": f"{_KIND}/{tap.link.visit}"},
        **times,
        "actor": {"reference": f"Patient/{tap.link.patient}"},
        "participantStatus": status,
    }


def _refused(error: FhirError, language: Language) -> Answered:
    """A rule that says no is told; what is out of reach, or has just become another visit, is
    as if the link were over."""
    if error.status >= _SERVER or isinstance(error, Throttled):
        raise error
    if isinstance(error, Unauthenticated):
        return Answered(sign_in=True)
    said = [each.in_language(language) for each in error.issues if each.detail]
    return Answered(refusals=said)
