"""What the operator decides of accounts; seconds, unless said otherwise."""

from dataclasses import dataclass, field
from typing import Literal

from fhir_server.cabinet.accounts.passwords import PasswordRules

Registration = Literal["invited", "matched", "closed"]


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """One frozen value, made of the settings at start."""

    passwords: PasswordRules = field(default_factory=PasswordRules)
    registration: Registration = "invited"
    """`invited`: whom the clinic asked; `matched`: whoever matches a record; `closed`."""
    code_seconds: int = 24 * 3600
    """How long a code that was sent can be used."""
    second_code_seconds: int = 600
    code_tries: int = 5
    resend: int = 5
    """Codes that one address may be sent in `resend_seconds`."""
    resend_seconds: int = 3600
    invitation_seconds: int = 14 * 86_400
    lockout: int = 8
    """Wrong passwords after which an address waits."""
    lockout_seconds: int = 900
    address_tries: int = 100
    """Sign-ins, registrations and recoveries of one network address in `lockout_seconds`."""
    idle_seconds: int = 1800
    session_seconds: int = 12 * 3600
    pending_seconds: int = 600
    """Between two steps of a sign-in."""
    second_step: Literal["optional", "required"] = "optional"
    """`required`: an account without an authenticator or passkey gets codes by e-mail."""
