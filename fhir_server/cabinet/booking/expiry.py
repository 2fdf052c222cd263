"""Holds and offers that are over are ended, so that their places are offered again.

No rule waits for this: whoever meets a hold that is over ends it. It makes Slots say so.
"""

from collections.abc import AsyncIterator
from typing import Final

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking.queue import Queue
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Update
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.update import update
from fhir_server.search import keys
from fhir_server.search.plan import UNRESTRICTED, After, Keys, Search

_PAGE: Final = 200
_TENTATIVE: Final = Keys(
    "tokens", tuple(keys.token("status", None, each) for each in ("pending", "proposed"))
)

_MEANWHILE: Final = frozenset({409, 412})
"""Somebody else has just ended it, or made it a booking."""


async def end_holds(services: Services, queue: Queue) -> int:
    """Cancel every hold that is over, and let every offer that is over go back to the queue;
    how many there were."""
    ended = 0
    async for visit, resource, version in _held(services):
        now = services.now()
        if not visit.is_expired(now):
            continue
        after = {**resource, "status": "cancelled"}
        if visit.is_offer:
            after = queue.lapsed(resource, now)
        ctx = Context(services, UNLIMITED)
        command = Update("Appointment", visit.id, after, version)
        try:
            await update(ctx, command)
            ended += 1
        except FhirError as error:
            if error.status not in _MEANWHILE:
                raise
    return ended


async def _held(services: Services) -> AsyncIterator[tuple[Visit, JsonObject, str]]:
    after: After | None = None
    while True:
        plan = Search("Appointment", _TENTATIVE, count=_PAGE, after=after)
        page = await services.store.search(plan, within=UNRESTRICTED)
        for row in page.rows:
            resource = loads(row.body, max_depth=services.limits.depth)
            yield visit_of(resource, services.base_url), resource, f'W/"{row.number}"'
        if not page.more:
            return
        last = page.rows[-1]
        after = After(last.sort_values, last.id)
