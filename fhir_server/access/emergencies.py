"""Break-glass: one of the staff declares that a patient's life may depend on the record now.

A declaration opens what the patient's Consents, or the house's policy, permit for the purpose
BTG. It is of one patient, one person, one app, and ends by itself. The server keeps it beside
the resources: nothing that a client could write stands for one.

https://hl7.org/fhir/R4/security.html
https://profiles.ihe.net/ITI/PCF/volume-1.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final, Protocol

from fhir_server.access.principal import Principal
from fhir_server.spec.interactions import ScopeLetter

LETTERS: Final[frozenset[ScopeLetter]] = frozenset({"c", "r", "s"})
"""What an emergency can open: to see, and to write down what was done. Nothing that was out
of reach before is changed or deleted in one."""
NEVER_MADE: Final = frozenset({"CareTeam", "Consent", "Group", "Patient", "RelatedPerson"})
"""What an emergency does not help to create: it says who may see the record, and would stay
when the emergency is over."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """That an emergency was declared. Times are milliseconds since 1970."""

    id: str
    patient: str
    """Logical id."""
    account: str
    client: str
    user: str
    """`Practitioner/…`: whose account it is."""
    notice: str
    """`Communication/…` that tells the patient of it, and why."""
    at: int
    ends: int
    ended: int | None = None
    """When it was ended before its time."""


@dataclass(frozen=True, slots=True)
class EmergencyRules:
    """What the operator decides."""

    seconds: int = 3600
    most: int = 20
    """Declarations of one person that hold at once."""
    zone: tzinfo = UTC
    """Of the times that the patient is told."""


class Declares(Protocol):
    """What a unit of work can do about emergencies; it holds when the unit has committed, in
    every process at the next request."""

    async def declare(self, declaration: Declaration, most: int) -> bool:
        """Keep it; False, and nothing kept, where its account has `most` that hold. The
        caller has claimed the account."""

    async def end_declared(self, account: str, patient: str, now: int) -> int:
        """End what the account has declared of the patient; how many that were."""


class EmergencyRegister(Protocol):
    """All declarations."""

    async def may_declare(self, account: str, client: str) -> bool:
        """Whether both the person and the app have the permission `break-glass` now."""

    async def held(self, account: str, client: str, now: int) -> Sequence[Declaration]:
        """What this person has declared in this app and still holds."""

    async def all_held(self, now: int) -> Sequence[Declaration]:
        """Everybody's, the newest first."""

    async def end(self, id_: str, now: int) -> Declaration | None:
        """End one, for the operator; None where none of this id holds."""

    async def end_account(self, account: str, now: int) -> None:
        """End all of one person."""


def is_staff(principal: Principal | None) -> bool:
    """Whether somebody who may treat patients here stands behind a token."""
    return (
        principal is not None
        and principal.staff
        and principal.account is not None
        and principal.purpose == "TREAT"
        and (principal.user or "").startswith("Practitioner/")
    )


def reaches(principal: Principal, patient: str) -> bool:
    """Whether the scopes of the token are about this patient at all."""
    levels = {each.level for each in principal.scopes}
    return "user" in levels or ("patient" in levels and principal.patient == patient)
