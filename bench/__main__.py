"""`python -m bench`: measure for half an hour, print the tables, write docs/performance.md.

--quick          a check in two minutes: 10,000 Observations, 32 connections, short runs
--only WORD      operations whose name has the word
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pymongo import MongoClient

from bench import generator, load, report
from bench.measure import Bench, Cell
from bench.operations import OPERATIONS, Mongo, Operation, Sizes
from bench.processes import Side, ceiling, nothing, server
from bench.report import Calibration, Conditions, Growth, Report
from fhir_server.store.mongo import embedded

CACHE_GB: Final = 1.0
"""Of the embedded mongod: 300,000 Observations and their indexes fit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    sizes: Sequence[int] = (10_000, 100_000, 300_000)
    """Observations, by which the growth is measured."""
    size: int = 100_000
    """Of the tables."""
    connections: Sequence[int] = (1, 8, 32)
    seconds: int = 3
    rounds: int = 3
    two_workers: bool = True


_MOST: Final = 32
QUICK: Final = Plan((10_000,), 10_000, (32,), 2, 1, two_workers=False)


def main() -> int:
    options = _options()
    plan = QUICK if options.quick else Plan()
    given = {"seconds": options.seconds, "rounds": options.rounds}
    plan = replace(plan, **{name: each for name, each in given.items() if each})
    operations = [each for each in OPERATIONS if options.only in each.name]
    try:
        generator.find()
        with _database() as (uri, pid, version), _connected(uri) as mongo:
            bench = Bench(mongo, pid, Sizes(plan.size), plan.seconds, plan.rounds, _say)
            found = _measured(bench, uri, plan, operations, version)
    except generator.GeneratorError as error:
        print(error, file=sys.stderr)
        return 1
    text = report.text(found)
    print(text)
    if not (options.quick or options.only):
        report.write(text)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short check; writes no page")
    parser.add_argument("--seconds", type=int, help="of one run")
    parser.add_argument("--rounds", type=int, help="runs of each side in a cell")
    parser.add_argument("--only", default="", help="operations whose name has this word")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _database() -> Iterator[tuple[str, int, str]]:
    """Address, process and version of an empty mongod."""
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as folder:
        mongod = embedded.start(Path(folder), cache_gb=CACHE_GB)
        try:
            yield mongod.uri, mongod.pid, ".".join(map(str, mongod.version))
        finally:
            mongod.stop()


def _connected(uri: str) -> Mongo:
    return MongoClient(uri)


def _measured(
    bench: Bench, uri: str, plan: Plan, operations: Sequence[Operation], version: str
) -> Report:
    cells: list[Cell] = []
    workers: list[tuple[Cell, Cell]] = []
    calibration: list[Calibration] = []
    by_size: dict[int, list[Cell]] = {}
    loaded, busy = 0, os.getloadavg()[0]
    for size in plan.sizes:
        rate = asyncio.run(load.load(uri, loaded, size))
        _say(f"{size:,} Observations loaded, {rate:,.0f} documents a second")
        # What the loading left to be written would be written while the first is measured.
        bench.mongo.admin.command("fsync")
        loaded = size
        at_size = replace(bench, sizes=Sizes(size))
        with server(uri, 1) as one, ceiling(uri, 1) as beside:
            if len(plan.sizes) > 1:
                grown = [each for each in operations if each.grows]
                by_size[size] = [at_size.cell(each, 1, one, beside) for each in grown]
            if size == plan.size:
                calibration = _calibration(at_size)
                cells = _cells(at_size, plan.connections, operations, one, beside)
        if size == plan.size and plan.two_workers:
            workers = _two_workers(at_size, uri, cells)
    conditions = Conditions(
        version, f"cache {CACHE_GB:g} GB", plan.size, plan.seconds, plan.rounds, busy
    )
    growth = _growth(list(by_size.values()))
    return Report(conditions, calibration, cells, growth, plan.sizes, workers)


def _cells(
    bench: Bench,
    connections: Sequence[int],
    operations: Sequence[Operation],
    one: Side,
    beside: Side,
) -> list[Cell]:
    return [
        bench.cell(each, count, one, beside) for each in operations for count in connections
    ]


def _two_workers(bench: Bench, uri: str, cells: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    most = max(each.connections for each in cells)
    with server(uri, 2) as two, ceiling(uri, 2) as beside:
        return [
            (one, bench.cell(one.operation, most, two, beside))
            for one in cells
            if one.connections == most
        ]


def _calibration(bench: Bench) -> list[Calibration]:
    """Each script against nothing, with the lines of the first operation that uses it."""
    scripts = {each.script: each for each in reversed(OPERATIONS)}
    with nothing() as side:
        return [
            Calibration(script, bench.figures(each, _MOST, side, bench.seconds))
            for script, each in sorted(scripts.items())
        ]


def _growth(by_size: Sequence[Sequence[Cell]]) -> list[Growth]:
    return [
        Growth(
            cells[0].operation,
            [each.server.p50 for each in cells],
            [each.ceiling.p50 for each in cells],
        )
        for cells in zip(*by_size, strict=True)
    ]


sys.exit(main())
