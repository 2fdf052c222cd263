"""Who asks, as the rules of a Consent see them.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.actor
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fhir_server.access.codings import ACT_REASON, Coding
from fhir_server.access.principal import Principal
from fhir_server.spec.interactions import ScopeLetter

_WIDER: Final = {"BTG": ("ETREAT", "TREAT")}
"""Break-glass is a kind of treatment (v3-ActReason): what is permitted, or denied, for
treatment is so for break-glass. The reverse never holds."""

_WRITES: Final = {"c": "collect", "u": "correct", "d": "correct"}


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's user and app."""

    references: frozenset[str]
    """Everything an actor of a Consent may name: `Practitioner/x`, `PractitionerRole/…`,
    `Organization/…`, `CareTeam/…`, `Group/…`, `RelatedPerson/…`, and `Device/<client id>`
    for the app."""
    purposes: frozenset[Coding]
    """The purpose of this request, and the wider ones that it is a kind of."""
    own: frozenset[str] = frozenset()
    """Logical ids of the patients that the user is."""
    user: str | None = None
    """Reference of the resource that the user is; it always flows."""
    above: frozenset[str] = frozenset()
    """References of what the user's organizations are parts of; a denial counts them. A permit
    does not, as staff may write what an organization is a part of."""
    staff: bool = False
    """Works for an organization served here: reading is access, and no disclosure."""

    def has_purpose(self, code: str) -> bool:
        """Whether the purpose is this one of v3-ActReason, or a kind of it."""
        return Coding(ACT_REASON, code) in self.purposes


def caller_of(
    principal: Principal,
    *,
    memberships: Iterable[str] = (),
    own: Iterable[str] = (),
    purpose: Coding | None = None,
    above: Iterable[str] = (),
) -> Caller:
    """The bearer of a token.

    `memberships`: references of the PractitionerRoles, CareTeams, Groups and RelatedPersons
    that the user is or belongs to, as the store knows them. `own`: the user's own patient
    ids where `fhirUser` is no Patient (a Person). `purpose`: of an operator's own code
    system, in place of the token's. `above`: see `Caller`.
    """
    user = principal.user
    references = {*memberships, *principal.organizations, f"Device/{principal.client}"}
    if user is not None:
        references.add(user)
    if user is not None and user == f"Patient/{principal.patient}":
        own = (*own, user.removeprefix("Patient/"))
    return Caller(
        frozenset(references),
        _purposes(purpose or Coding(ACT_REASON, principal.purpose)),
        frozenset(own),
        user,
        frozenset(above),
        principal.staff,
    )


def _purposes(asked: Coding) -> frozenset[Coding]:
    if asked.system != ACT_REASON:
        return frozenset((asked,))
    codes = (asked.code, *_WIDER.get(asked.code, ()))
    return frozenset(Coding(ACT_REASON, code) for code in codes)


def actions_of(caller: Caller, letter: ScopeLetter) -> frozenset[str]:
    """The codes of consentaction that the permission `letter` stands for.

    Whoever reads accesses; who is not staff is disclosed to as well, and research uses.
    """
    if letter in _WRITES:
        return frozenset((_WRITES[letter],))
    found = {"access"}
    if not caller.staff:
        found.add("disclose")
    if caller.has_purpose("HRESCH"):
        found.add("use")
    return frozenset(found)
