"""Codes of an authenticator app: time steps of thirty seconds, each taken once.

https://www.rfc-editor.org/rfc/rfc6238
"""

import hmac
from typing import Final

import pyotp

STEP: Final = 30
"""Seconds."""
DRIFT: Final = 1
"""Steps that a phone's clock may be off, either way."""


def step_of(secret: str, code: str, now: int) -> int | None:
    """The time step whose code this is, near `now` (milliseconds); None: of no such step."""
    given = "".join(each for each in code if each.isdigit())
    totp = pyotp.TOTP(secret)
    current = now // 1000 // STEP
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), given):
            found = step
    return found


def address(secret: str, account: str, issuer: str) -> str:
    """The `otpauth:` address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def grouped(secret: str) -> str:
    """The secret as a person types it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
