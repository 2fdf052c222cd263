"""Who asks: what a verified token says, before anything is made of it.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from dataclasses import dataclass
from typing import Literal

from fhir_server.access.scopes import ResourceScope

Purpose = Literal["PATRQT", "TREAT", "HPAYMT", "HOPERAT", "HRESCH", "BTG", "SYSADMIN"]
"""Codes of http://terminology.hl7.org/CodeSystem/v3-ActReason."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A token's bearer. Everything in it was decided by this server when it gave the token;
    nothing comes from a header of the request."""

    client: str
    """The client's id."""
    scopes: tuple[ResourceScope, ...]
    patient: str | None = None
    """Logical id of the patient in context; `patient/` scopes mean this one."""
    user: str | None = None
    """`fhirUser`: a reference to a Patient, RelatedPerson, Practitioner or Person; None for
    backend services."""
    account: str | None = None
    """Of the person who signed in; an id without meaning to others."""
    represented: tuple[str, ...] = ()
    """Logical ids of the patients whose record the user may open: own, and as proxy."""
    purpose: Purpose = "PATRQT"
    organizations: tuple[str, ...] = ()
    """References `Organization/…` that the user works for, or the client belongs to."""
    grant: str | None = None
    """The authorization that the token came of."""
    token: str = ""
    """The token's own id (jti), for audit; never the token."""
    level: int = 0
    """Identity assurance of the sign-in, 1 to 3; 0 without a user."""
    auth_time: int = 0
    """When the user last proved who they are, in milliseconds since 1970; 0 without a user."""
    staff: bool = False
    """The user works for an organization served here."""
    declared: tuple[str, ...] = ()
    """Logical ids of the patients for whom the user, in this app, has declared an emergency
    that holds now. No token says so: it is looked up with each request."""
    own: tuple[str, ...] = ()
    """Logical ids of the patients that a user who is a Person is; looked up likewise."""
    identity: bool = False
    """`fhirUser` was granted: the app may read the resource that the user is."""
