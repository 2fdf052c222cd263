"""Batch and transaction with `Prefer: respond-async`: the same interactions, later.

A transaction writes its answer in the unit that writes its resources: whoever takes the job
up after a crash finds either both or neither. A batch does so for each of its entries.

https://hl7.org/fhir/R4/async.html
"""

from collections.abc import Sequence
from typing import Any, Final

from fhir_server.aside import aside
from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Write
from fhir_server.interactions.context import Context, Services
from fhir_server.interactions.grants import rights_of
from fhir_server.interactions.perform import perform
from fhir_server.interactions.results import Result
from fhir_server.interactions.transaction.answers import response_bundle, response_entry
from fhir_server.interactions.transaction.batch import batch
from fhir_server.interactions.transaction.run import transaction
from fhir_server.jobs.flights import Flights
from fhir_server.jobs.runner import LostError, Pace
from fhir_server.store.port import Job, Jobs, Outcome, Unit

_EVERY: Final = 20  # entries: a note costs about as much as an entry


class Bundles:
    """The handler of ordered Bundles."""

    def __init__(self, services: Services, jobs: Jobs, flights: Flights, pace: Pace) -> None:
        self._services = services
        self._jobs = jobs
        self._flights = flights
        self._pace = pace

    async def __call__(self, job: Job, given: bytes) -> None:
        """Carry out the Bundle `given`.

        Raises:
            FhirError: it failed as a whole.
            SettledError: it was carried out before, or cancelled.
        """
        form = job.form
        ctx = Context(
            self._services,
            rights_of(job.grant),
            language=form["language"],
            lenient=form["lenient"],
            size=len(given),
        )
        bundle = await aside(len(given), _parsed, given, self._services.limits.depth)
        with self._flights.one():
            if bundle["type"] == "transaction":
                await self._transaction(ctx, job, bundle)
            else:
                await self._batch(ctx, job, bundle)

    async def _transaction(self, ctx: Context, job: Job, bundle: JsonObject) -> None:
        async def seal(unit: Unit, results: Sequence[Result]) -> None:
            body = response_bundle("transaction", results, **_form(ctx, job))
            await unit.settle(job.id, Outcome(200, body))

        await transaction(ctx, bundle, seal)

    async def _batch(self, ctx: Context, job: Job, bundle: JsonObject) -> None:
        journal = Journal(self._jobs, job, self._pace, len(bundle.get("entry", ())))
        await journal.read()
        results = await batch(ctx, bundle, journal)
        body = response_bundle("batch", results, **_form(ctx, job))
        await self._jobs.settle(job.id, Outcome(200, body))


class Journal:
    """Which entries of a batch have been carried out: `transaction.batch.Journal`."""

    def __init__(self, jobs: Jobs, job: Job, pace: Pace, total: int) -> None:
        self._jobs = jobs
        self._job = job
        self._pace = pace
        self._total = total
        self.done: dict[int, bytes] = {}

    async def read(self) -> None:
        """Recall what an earlier attempt did."""
        steps = await self._jobs.steps(self._job)
        self.done = {index: outcome.body for index, outcome in steps.items()}

    async def write(self, ctx: Context, index: int, asked: Write) -> Result:
        """Carry out the entry and note its answer, both or neither."""

        async def work(unit: Unit) -> Result:
            result = await perform(ctx.inside(unit), asked)
            entry = response_entry(result, **_form(ctx, self._job))
            await unit.settle(f"{self._job.id}/{index}", Outcome(result.status, entry))
            return result

        return await ctx.services.store.run([asked.type], work)

    def postpones(self, error: FhirError) -> bool:
        """Whether to leave the entry, and those behind it, to another try of the job."""
        return self._pace.postpones(self._job, error)

    async def reached(self, index: int) -> None:
        """Tell how far it is, now and then.

        Raises:
            LostError: the job is over, or another worker has it.
        """
        if index % _EVERY:
            return
        progress = {"done": index, "total": self._total}
        if not await self._jobs.progress(self._job, progress):
            raise LostError


def _parsed(given: bytes, depth: int) -> JsonObject:
    return loads(given, max_depth=depth)


def _form(ctx: Context, job: Job) -> dict[str, Any]:
    return {
        "base_url": ctx.services.base_url,
        "language": ctx.language,
        "returns": job.form["returns"],
    }
