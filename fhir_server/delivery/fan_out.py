"""Due occasions become deliveries: composed outside, kept in one unit that ends the occasion.

Of two processes that compose the same occasion (one was believed dead) one commits.
"""

from collections.abc import Callable

from fhir_server.core.errors import Conflict, Duplicate, FhirError, TimedOut, Unavailable
from fhir_server.delivery.carriers import TryLater, Undeliverable
from fhir_server.delivery.composing import Compose, Composed
from fhir_server.store.outgoing import Held, Occasion
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
        try:
            await self._keep(held, await self._compose(occasion))
        except FhirError as error:
            transient = isinstance(error, (Unavailable, TimedOut, Conflict))
            if transient and not isinstance(error, Duplicate):
                raise TryLater(type(error).__name__.lower()) from error
            raise Undeliverable(error.issues[0].code) from error

    async def _keep(self, held: Held, composed: Composed) -> None:
        async def work(unit: Unit) -> None:
            await unit.told(held, composed.deliveries, self._now())
            await composed.write(unit)

        await self._store.run(composed.kinds, work, single=True)
