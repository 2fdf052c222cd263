"""Due occasions become deliveries: composed outside, kept in one unit that ends the occasion.

What waited to be sent is composed once more, as its person may have another address by now, or
may not be told any more.

Of two processes that compose the same occasion (one was believed dead) one commits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from fhir_server.core.errors import Conflict, Duplicate, FhirError, TimedOut, Unavailable
from fhir_server.delivery.carriers import TryLater, Undeliverable
from fhir_server.delivery.composing import Compose, Composed
from fhir_server.store.outgoing import Delivery, Held, Occasion
from fhir_server.store.port import ResourceStore, Unit


class FanOut:
    """Composes what is due."""

    def __init__(self, store: ResourceStore, compose: Compose, now: Callable[[], int]) -> None:
        self._store = store
        self._compose = compose
        self._now = now

    async def __call__(self, held: Held, occasion: Occasion) -> None:
        """Compose `occasion`, and keep what comes of it.

        Raises:
            LostError: it is this worker's no more; nothing was written.
            TryLater, Undeliverable: it could not be composed.
        """
        with _told():
            await self._keep(held, await self._compose(occasion))

    async def holds(self, held: Held) -> bool:
        """Whether the delivery `held` would be made now as it was: to this address, by this
        way. Otherwise it has ended, and what is made now waits instead of it.

        Raises:
            LostError, TryLater, Undeliverable: as above.
        """
        given = held.of
        if held.behind is None or not isinstance(given, Delivery):
            return True
        with _told():
            found = await self._compose(held.behind)
            if any((e.channel, e.to) == (given.channel, given.to) for e in found.deliveries):
                return True
            alike = [each for each in found.deliveries if each.channel == given.channel]
            await self._keep(held, replace(found, deliveries=alike or found.deliveries))
            return False

    async def _keep(self, held: Held, composed: Composed) -> None:
        async def work(unit: Unit) -> None:
            await composed.write(unit)
            # Last: who changes the visit meanwhile changes this row, and does not wait.
            await unit.told(held, composed.deliveries, self._now())

        await self._store.run(composed.kinds, work, single=True)


@contextmanager
def _told() -> Iterator[None]:
    """What the composer says of failing, as the workers know it."""
    try:
        yield
    except FhirError as error:
        transient = isinstance(error, (Unavailable, TimedOut, Conflict))
        if transient and not isinstance(error, Duplicate):
            raise TryLater(type(error).__name__.lower()) from error
        raise Undeliverable(error.issues[0].code) from error
