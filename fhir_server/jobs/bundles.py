"""Batch and transaction with `Prefer: respond-async`: the same interactions, later.

A transaction writes its answer in the unit that writes its resources: whoever takes the job
up after a crash finds either both or neither. A batch does so for each of its entries.

https://hl7.org/fhir/R4/async.html
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from fhir_server.access.kept_answers import Shown
from fhir_server.aside import aside
from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.commands import Write
from fhir_server.interactions.context import Context
from fhir_server.interactions.perform import perform
from fhir_server.interactions.results import Result
from fhir_server.interactions.shown import shown_by
from fhir_server.interactions.told import run_told
from fhir_server.interactions.trail import doing_of, noted
from fhir_server.interactions.transaction.answers import response_bundle, response_entry
from fhir_server.interactions.transaction.batch import batch
from fhir_server.interactions.transaction.run import transaction
from fhir_server.jobs.callers import WHOLE, Callers
from fhir_server.jobs.flights import Flights
from fhir_server.jobs.runner import LostError, Pace
from fhir_server.store.port import Job, Jobs, Outcome, Unit

_EVERY: Final = 20  # entries: a note costs about as much as an entry


class Bundles:
    """The handler of ordered Bundles."""

    def __init__(self, callers: Callers, jobs: Jobs, flights: Flights, pace: Pace) -> None:
        self._callers = callers
        self._jobs = jobs
        self._flights = flights
        self._pace = pace

    async def __call__(self, job: Job, given: bytes) -> None:
        """Carry out the Bundle `given`.

        Raises:
            FhirError: it failed as a whole.
            SettledError: it was carried out before, or cancelled.
        """
        trail = self._callers.trail(job)
        try:
            ctx = await self._callers.context(job, size=len(given), trail=trail)
            depth = ctx.services.limits.depth
            bundle = await aside(len(given), _parsed, given, depth)
            with self._flights.one():
                if bundle["type"] == "transaction":
                    await self._transaction(ctx, job, bundle)
                else:
                    await self._batch(ctx, job, bundle)
        except FhirError as error:
            if trail is not None and not self._pace.postpones(job, error):
                trail.begin(WHOLE)
                trail.fail(error)
                await trail.keep()
            raise

    async def _transaction(self, ctx: Context, job: Job, bundle: JsonObject) -> None:
        async def seal(unit: Unit, results: Sequence[Result]) -> None:
            await unit.settle(job.id, _outcome(ctx, job, "transaction", results))

        await transaction(ctx, bundle, seal)

    async def _batch(self, ctx: Context, job: Job, bundle: JsonObject) -> None:
        total = len(bundle.get("entry", ()))
        journal = Journal(self._jobs, job, self._pace, self._callers, total)
        await journal.read()
        results = await batch(ctx, bundle, journal)
        outcome = _outcome(ctx, job, "batch", results, journal.shown)
        if ctx.trail is not None:
            await ctx.trail.keep()  # before the answer can be seen
        await self._jobs.settle(job.id, outcome)


class Journal:
    """Which entries of a batch have been carried out: `transaction.batch.Journal`."""

    def __init__(self, jobs: Jobs, job: Job, pace: Pace, callers: Callers, total: int) -> None:
        self._jobs = jobs
        self._job = job
        self._pace = pace
        self._callers = callers
        self._total = total
        self.done: dict[int, bytes] = {}
        self.shown: list[Shown] = []
        """By the entries that are done."""

    async def read(self) -> None:
        """Recall what an earlier attempt did."""
        steps = await self._jobs.steps(self._job)
        self.done = {index: outcome.body for index, outcome in steps.items()}
        self.shown = [row for outcome in steps.values() for row in outcome.shown]

    async def write(self, ctx: Context, index: int, asked: Write) -> Result:
        """Carry out the entry and note its answer, both or neither, with all that is told of
        it: audit and Provenance."""

        async def work(unit: Unit) -> Result:
            result = await perform(replace(ctx.inside(unit), trail=None), asked)
            form = _form(ctx, self._job)
            shown = shown_by([result], full=form["returns"] == "representation")
            entry = response_entry(result, **form)
            await unit.settle(f"{self._job.id}/{index}", Outcome(result.status, entry, shown))
            return result

        return await noted(ctx.trail, doing_of(asked), lambda: run_told(ctx, asked.type, work))

    def postpones(self, error: FhirError) -> bool:
        """Whether to leave the entry, and those behind it, to another try of the job."""
        return self._pace.postpones(self._job, error)

    async def reached(self, ctx: Context, index: int) -> Context:
        """The context of the entry `index`; tells how far the job is, now and then.

        Raises:
            LostError: the job is over, or another worker has it.
            Forbidden: nothing is left of the caller's rights.
        """
        if index % _EVERY == 0:
            progress = {"done": index, "total": self._total}
            if not await self._jobs.progress(self._job, progress):
                raise LostError
        return ctx if index in self.done else await self._callers.renewed(ctx, self._job)


def _outcome(
    ctx: Context,
    job: Job,
    kind: Literal["batch", "transaction"],
    results: Sequence[Result | FhirError | bytes],
    before: Sequence[Shown] = (),
) -> Outcome:
    """The answer; `before`: what is shown by entries that an earlier attempt carried out."""
    form = _form(ctx, job)
    shown: Sequence[Shown] = ()
    if ctx.principal is not None:
        shown = [*before, *shown_by(results, full=form["returns"] == "representation")]
    return Outcome(200, response_bundle(kind, results, **form), shown)


def _parsed(given: bytes, depth: int) -> JsonObject:
    return loads(given, max_depth=depth)


def _form(ctx: Context, job: Job) -> dict[str, Any]:
    return {
        "base_url": ctx.services.base_url,
        "language": ctx.language,
        "returns": job.form["returns"],
    }
