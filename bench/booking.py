"""`python -m bench.booking`: finding and booking places of 200 doctors, each in the same run
beside what it is measured by. Prints two tables.

--days N      of the calendars (60)
--seconds N   of a run (3)
--rounds N    runs of each side (3)
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import calendars, generator
from bench.generator import Run
from bench.load import DATABASE, Loader
from bench.processes import Side, cpu, uvicorn
from fhir_server.core.datetimes import format_instant
from fhir_server.store.mongo import embedded
from fhir_server.store.mongo.client import connect
from fhir_server.store.mongo.store import MongoStore

CONNECTIONS: Final = 32
MONTH: Final = 30
_BATCH: Final = 1_000
_KINDS: Final = ("Patient", "Practitioner", "Schedule", "Slot", "Appointment", "Flag")
_MOST: Final = 20_000
"""Bookings of one run, at most."""


def main() -> None:
    options = _options()
    begin = (int(time.time() * 1000) // calendars.DAY + 1) * calendars.DAY
    with tempfile.TemporaryDirectory(prefix="fhir-bench-") as folder:
        mongod = embedded.start(Path(folder), cache_gb=1.0)
        try:
            count = asyncio.run(_load(mongod.uri, begin, options.days))
            print(f"{count:,} resources")
            with uvicorn("clinic:app", mongod.uri, 1, factory=True) as server:
                _found(server, begin, options)
                with uvicorn("clinic:bare", mongod.uri, 1) as bare:
                    _booked(server, bare, mongod, options)
        finally:
            mongod.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.booking", description=__doc__)
    parser.add_argument("--days", type=int, default=calendars.DAYS)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


async def _load(uri: str, begin: int, days: int) -> int:
    client = await connect(uri)
    store = await MongoStore.open(client, DATABASE)
    await store.prepare(_KINDS)
    loader, count = Loader(), 0
    most = calendars.PATIENTS + 2 * calendars.DOCTORS
    most += calendars.DOCTORS * days * calendars.A_DAY
    given = itertools.islice(calendars.resources(begin), most)
    while batch := list(itertools.islice(given, _BATCH)):
        by_kind: dict[str, list[dict[str, object]]] = {}
        for each in batch:
            by_kind.setdefault(each["resourceType"], []).append(loader.document(each))
        for kind, rows in by_kind.items():
            await store.database[kind].insert_many(rows, ordered=False)
        count += len(batch)
    await client.close()
    return count


def _found(server: Side, begin: int, options: argparse.Namespace) -> None:
    """The same page of the same month, found and searched in turn."""
    start, end = (format_instant(begin + days * calendars.DAY) for days in (0, MONTH))
    speciality = "specialty=urn:speciality%7C7"
    doctor = "Practitioner/doctor-7"
    span = f"start=ge{start}&start=lt{end}&status=free&_sort=start&_count=50"
    asked = f"start={start}&end={end}&_count=50"
    pairs = {
        "200 doctors": (f"Appointment/$find?{asked}", f"Slot?{span}"),
        "a speciality": (
            f"Appointment/$find?{asked}&{speciality}",
            f"Slot?{span}&{speciality}",
        ),
        "a doctor": (
            f"Appointment/$find?{asked}&practitioner={doctor}",
            f"Slot?{span}&schedule.actor={doctor}",
        ),
    }
    print("| 50 places of a month | `$find` p50 ms | Slot search p50 ms | ratio |")
    print("|---|---|---|---|")
    for name, paths in pairs.items():
        runs = _turns(
            options.rounds,
            *(lambda path=path: _get(server, path, options.seconds) for path in paths),
        )
        found, searched = (statistics.median(run.p50 for run in side) for side in runs)
        refused = sum(run.refused + run.broken for side in runs for run in side)
        ratio = found / searched
        print(f"| {name} | {found:.1f} | {searched:.1f} | {ratio:.2f} | refused {refused}")


@dataclass(frozen=True, slots=True)
class _Booked:
    """A run of bookings, and what one of them took."""

    run: Run
    app: float
    """Milliseconds of processor time in the application."""
    mongod: float
    """The same in mongod."""


def _booked(
    server: Side, bare: Side, mongod: embedded.Embedded, options: argparse.Namespace
) -> None:
    runs: list[list[_Booked]] = [[], []]
    fresh = 0
    for _ in range(options.rounds):
        for place, side in enumerate((bare, server)):
            before = side.cpu(), cpu(mongod.pid)
            run = _book(side, fresh, options.seconds)
            each = 1000 / max(run.requests, 1)
            app, database = side.cpu() - before[0], cpu(mongod.pid) - before[1]
            runs[place].append(_Booked(run, app * each, database * each))
            fresh += run.requests + CONNECTIONS
    print(f"\n| bookings at {CONNECTIONS} connections | a second | ms | mongod ms | refused |")
    print("|---|---|---|---|---|")
    for name, side_runs in zip(("bare", "distinct Slots"), runs, strict=True):
        rate = _median(side_runs, lambda each: each.run.rate)
        app, database = (_median(side_runs, of) for of in (_app, _mongod))
        refused = sum(each.run.refused + each.run.broken for each in side_runs)
        print(f"| {name} | {rate:.0f} | {app:.1f} | {database:.1f} | {refused} |")
    by_rate = [_median(each, lambda one: one.run.rate) for each in runs]
    by_cpu = [_median(each, lambda one: one.app + one.mongod) for each in runs]
    rates, times = by_rate[1] / by_rate[0], by_cpu[0] / by_cpu[1]
    print(f"| ratio | {rates:.2f} | {times:.2f} by processor time | | |")


def _app(booked: _Booked) -> float:
    return booked.app


def _mongod(booked: _Booked) -> float:
    return booked.mongod


def _median(runs: Sequence[_Booked], figure: Callable[[_Booked], float]) -> float:
    return statistics.median(map(figure, runs))


def _turns(rounds: int, *sides: Callable[[], Run]) -> Sequence[Sequence[Run]]:
    """The runs of each side, after one to warm up."""
    for side in sides:
        side()
    found: list[list[Run]] = [[] for _ in sides]
    for _ in range(rounds):
        for place, side in enumerate(sides):
            found[place].append(side())
    return found


def _get(side: Side, path: str, seconds: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        lines.write_text(f"/fhir/{path}\n")
        return generator.run(
            side.url, "get", [str(lines), "person-0001"], connections=1, seconds=seconds
        )


def _book(side: Side, first: int, seconds: int) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        pairs = calendars.bookings(first, _MOST)
        lines.write_text("".join(f"{patient} {slot}\n" for patient, slot in pairs))
        return generator.run(
            side.url,
            "book",
            [str(lines), "/fhir/Appointment/$book"],
            connections=CONNECTIONS,
            seconds=seconds,
        )


if __name__ == "__main__":
    main()
