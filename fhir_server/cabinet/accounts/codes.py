"""Codes that are sent by e-mail: how they look, and what is kept of them.

Ten characters of an alphabet without look-alikes are fifty bits; with the few tries that a
code allows, none is found by guessing. A code of a sign-in's second step is six digits, as
people know it, and lives for minutes.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from fhir_server.smart.digests import base64url

ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH: Final = 10
DIGITS: Final = 6
TRIES: Final = 5
"""Wrong codes after which a right one does not do either."""

Choose = Callable[[str], str]
"""One character of a text, by chance."""


def long_code(choose: Choose) -> str:
    """A code for registration and recovery, `ABCDE-FGHJK`."""
    drawn = "".join(choose(ALPHABET) for _ in range(LENGTH))
    return f"{drawn[:5]}-{drawn[5:]}"


def short_code(choose: Choose) -> str:
    """A code for the second step of a sign-in."""
    return "".join(choose("0123456789") for _ in range(DIGITS))


def normal(text: str) -> str:
    """What a person typed, without blanks and dashes, in capitals."""
    return "".join(each for each in text.upper() if each.isalnum())


def digest(code: str, key: str) -> str:
    """What is kept of a code that is kept under `key`."""
    return base64url(hmac.digest(key.encode(), normal(code).encode(), sha256))


def key(purpose: str, whom: str) -> str:
    """Where a code is kept: of one purpose there is one code for each address or account."""
    return base64url(sha256(f"{purpose}:{whom}".encode()).digest())
