"""What is made of an occasion when it is due: the cabinet says it, the workers ask for it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fhir_server.store.outgoing import Delivery, Occasion
from fhir_server.store.port import Unit


async def nothing(unit: Unit) -> None:
    """Write nothing."""
    del unit


@dataclass(frozen=True, slots=True)
class Composed:
    """Whom to tell, and what of it stays in the record. All of it commits together, and ends
    the occasion."""

    deliveries: Sequence[Delivery] = ()
    """None: the occasion ends silent, though `write` still writes."""
    kinds: Sequence[str] = ()
    """The types that `write` writes, with what its guards write (`guards.written_with`)."""
    write: Callable[[Unit], Awaitable[None]] = nothing
    """Writes resources (a Communication) into the unit; is called again when the unit starts
    again."""


async def nobody(occasion: Occasion) -> Composed:
    """Tell nobody."""
    del occasion
    return Composed()


Compose: TypeAlias = Callable[[Occasion], Awaitable[Composed]]
"""Composes; reads as the server itself, and writes nothing but through `Composed.write`. It
may be called again for the same occasion, by another process too: keys of deliveries depend
on nothing but the occasion and whom it tells.

Raises:
    FhirError: a transient one (Unavailable, TimedOut, Conflict) is tried again later, like
        whatever nobody foresaw; the others end the occasion as dead.
"""
