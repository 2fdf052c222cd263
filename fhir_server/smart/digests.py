"""Secrets as they are kept, and comparisons that take the same time whatever they find.

What is hashed here was drawn with 128 random bits or more, so a plain SHA-256 cannot be turned
around by guessing; passwords of people are another matter and are not kept this way.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256


def digest(secret: str) -> str:
    """The SHA-256 of `secret`, unpadded base64url: what the database knows of it."""
    return base64url(sha256(secret.encode()).digest())


def base64url(data: bytes) -> str:
    """The base64url text of `data` without padding, as JOSE writes it."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Whether they are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
