"""Secrets that are read again: sealed by a key, for a place."""

import pytest

from fhir_server.store.mongo.sealing import Seal, SealedError


def test_what_is_sealed_opens_with_its_key_at_its_place() -> None:
    sealed = Seal("key").seal(b"secret", "here")
    assert b"secret" not in sealed
    assert Seal("key").open(sealed, "here") == b"secret"
    assert Seal("key").seal(b"secret", "here") != sealed
    for seal, place in ((Seal("other"), "here"), (Seal("key"), "there"), (Seal(None), "here")):
        with pytest.raises(SealedError):
            seal.open(sealed, place)


def test_a_key_that_comes_later_opens_what_was_kept_without_one() -> None:
    assert Seal("key").open(Seal(None).seal(b"secret", "here"), "here") == b"secret"
