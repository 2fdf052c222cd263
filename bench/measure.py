"""Runs of server and ceiling in turn, and the figures of each."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import generator
from bench.generator import Run
from bench.load import DATABASE
from bench.operations import Mongo, Operation, Sizes
from bench.processes import Side, cpu
from fhir_server.assembly.machine import new_id

_STEP: Final = 0.2
_WARM: Final = 1  # second


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, or the median of several."""

    rate: float
    """Requests a second."""
    p50: float
    """Milliseconds."""
    p99: float
    app: float
    """Microseconds of processor time a request, in the application's processes."""
    mongod: float
    """The same in mongod."""
    errors: int
    """Refused requests and broken connections, in all runs."""
    share: float
    """Of one processor, that the load generator used."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Server and ceiling on one operation with a number of connections."""

    operation: Operation
    connections: int
    server: Figures
    ceiling: Figures

    @property
    def ratio(self) -> float:
        return self.server.rate / self.ceiling.rate

    @property
    def cpu_ratio(self) -> float:
        """The same by the processor time of a request, mongod's included: it holds where
        other work on the machine takes wall time from either side."""
        server, ceiling = self.server, self.ceiling
        return (ceiling.app + ceiling.mongod) / (server.app + server.mongod)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the runs share."""

    mongo: Mongo
    mongod: int
    """Number of the process."""
    sizes: Sizes
    seconds: int
    rounds: int
    say: Callable[[str], None]

    def cell(self, operation: Operation, connections: int, server: Side, ceiling: Side) -> Cell:
        """Ceiling and server in turn, `rounds` times; the medians."""
        for side in (ceiling, server):
            self.figures(operation, connections, side, _WARM)
        runs: dict[str, list[Figures]] = {server.name: [], ceiling.name: []}
        for _ in range(self.rounds):
            for side in (ceiling, server):
                seconds = self.seconds * operation.weight
                runs[side.name].append(self.figures(operation, connections, side, seconds))
        found = Cell(
            operation, connections, median(runs[server.name]), median(runs[ceiling.name])
        )
        self.say(
            f"{operation.name:42} {connections:3} connections  "
            f"server {found.server.rate:8.0f}/s {found.server.app:6.0f} µs  "
            f"ceiling {found.ceiling.rate:8.0f}/s {found.ceiling.app:6.0f} µs  "
            f"ratio {found.ratio:.2f}  errors {found.server.errors + found.ceiling.errors}"
        )
        return found

    def figures(
        self, operation: Operation, connections: int, side: Side, seconds: int
    ) -> Figures:
        """One run on the database as it is loaded."""
        with tempfile.TemporaryDirectory() as folder, self._unchanged(operation):
            before = side.cpu(), cpu(self.mongod)
            run = self._run(operation, connections, side, Path(folder), seconds)
            settle(side)
            used = side.cpu() - before[0], cpu(self.mongod) - before[1]
        return _figures(run, *used)

    def _run(
        self, operation: Operation, connections: int, side: Side, folder: Path, seconds: int
    ) -> Run:
        lines = folder / "lines"
        lines.write_text("\n".join(operation.lines(self.sizes, self.mongo)) + "\n")
        return generator.run(
            side.url,
            operation.script,
            [str(lines), operation.path],
            connections=connections,
            seconds=seconds,
        )

    @contextmanager
    def _unchanged(self, operation: Operation) -> Iterator[None]:
        """Remove what the operation writes: the next run meets the same database."""
        begun = new_id()
        yield
        if operation.script == "get":
            return
        database = self.mongo[DATABASE]
        for kind in ("Patient", "Encounter", "Observation"):
            # Ids of the server are in the order of time, those that were loaded are older.
            database[kind].delete_many({"_id": {"$gt": begun, "$lt": "h"}})
        database["Patient_history"].delete_many({"_id": {"$gte": {"id": "w"}}})


def settle(side: Side) -> None:
    """Wait until what was asked for last is done, or given up."""
    while True:
        before = side.cpu()
        time.sleep(_STEP)
        if side.cpu() - before < _STEP / 10:
            return


def _figures(run: Run, app: float, mongod: float) -> Figures:
    each = 1e6 / max(run.requests, 1)
    errors = run.refused + run.broken
    return Figures(run.rate, run.p50, run.p99, app * each, mongod * each, errors, run.share)


def median(runs: Sequence[Figures]) -> Figures:
    """The median of each figure; errors are added up."""

    def of(figure: Callable[[Figures], float]) -> float:
        return statistics.median(figure(each) for each in runs)

    return Figures(
        of(lambda each: each.rate),
        of(lambda each: each.p50),
        of(lambda each: each.p99),
        of(lambda each: each.app),
        of(lambda each: each.mongod),
        sum(each.errors for each in runs),
        max(each.share for each in runs),
    )
