"""Errors of an entry, told at the entry's place."""

from collections.abc import Iterator
from contextlib import contextmanager

from fhir_server.core.errors import FhirError


@contextmanager
def at(path: str) -> Iterator[None]:
    """Re-root what the block raises at `path`, e.g. `Bundle.entry[2].resource`."""
    try:
        yield
    except FhirError as error:
        raise error.at(path) from error
