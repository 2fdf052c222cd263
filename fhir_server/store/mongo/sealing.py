"""Secrets that must be read again (signing keys) are encrypted where the operator gave a key.

AES-256 in GCM with a fresh nonce, and the place of a secret as its context, so that one cannot
be put where another belongs.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE: Final = 12  # bytes, as GCM wants it
_PLAIN: Final = b"\0"
_SEALED: Final = b"\1"


class SealedError(Exception):
    """A secret in the database was encrypted with another key than this server has."""

    def __init__(self) -> None:
        super().__init__(
            "The database holds secrets that FHIR_SECRET_KEY does not open. Start with the key "
            "they were encrypted with."
        )


class Seal:
    """Encrypts with a key derived from `secret`; without one it keeps what it is given."""

    def __init__(self, secret: str | None) -> None:
        self._cipher = None
        if secret:
            derived = HKDF(SHA256(), length=32, salt=None, info=b"fhir-server secrets")
            self._cipher = AESGCM(derived.derive(secret.encode()))

    def seal(self, plain: bytes, place: str) -> bytes:
        """What is to be stored at `place`."""
        if self._cipher is None:
            return _PLAIN + plain
        nonce = os.urandom(_NONCE)
        return _SEALED + nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, stored: bytes, place: str) -> bytes:
        """What was sealed for `place`.

        Raises:
            SealedError: with another key.
        """
        if stored[:1] == _PLAIN:
            return stored[1:]
        nonce, sealed = stored[1 : 1 + _NONCE], stored[1 + _NONCE :]
        if self._cipher is None:
            raise SealedError
        try:
            return self._cipher.decrypt(nonce, sealed, place.encode())
        except InvalidTag as error:
            raise SealedError from error
