"""The figures as tables, for the terminal and for docs/performance.md."""

import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.measure import Cell, Figures
from bench.operations import Operation, Script

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
_LIBRARIES: Final = ("pymongo", "uvicorn", "uvloop", "httptools", "msgspec", "jsonschema-rs")
_MARK: Final = "<!-- measured: everything below is written by `make bench` -->"


@dataclass(frozen=True, slots=True)
class Growth:
    """One operation of the server at several sizes."""

    operation: Operation
    p50: Sequence[float]
    """Milliseconds, by size."""
    ceiling: Sequence[float]

    @property
    def factor(self) -> float:
        """From the least size to the greatest."""
        return self.p50[-1] / self.p50[0]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The load generator against an application that does nothing."""

    script: Script
    figures: Figures


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what the figures were measured."""

    mongodb: str
    cache: str
    size: int
    seconds: int
    rounds: int
    load: float
    """The machine's load average before anything was begun."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was measured."""

    conditions: Conditions
    calibration: Sequence[Calibration]
    cells: Sequence[Cell]
    growth: Sequence[Growth]
    sizes: Sequence[int]
    workers: Sequence[tuple[Cell, Cell]]
    """The same operation by one worker and by two."""


def text(report: Report) -> str:
    """All tables in Markdown."""
    sections = [
        ("Conditions", _conditions(report.conditions)),
        ("Server and ceiling", _cells(report.cells)),
        ("Targets", _targets(report.cells)),
        ("Two workers", _workers(report.workers)),
        ("Growth", _growth(report.growth, report.sizes)),
        ("The load generator", _calibration(report.calibration)),
    ]
    return "\n".join(f"## {title}\n\n{body}" for title, body in sections if body)


def write(report: str, page: Path = PAGE) -> None:
    """Put `report` in the place of the last one."""
    kept = page.read_text().partition(_MARK)[0] if page.exists() else "# Performance\n\n"
    page.write_text(f"{kept}{_MARK}\n\n{report}")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _conditions(of: Conditions) -> str:
    rows = [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("commit", _commit()),
        ("machine", f"{_processors()}, {_memory()}, {platform.system()} {platform.release()}"),
        ("load before", f"{of.load:.1f}: what else was running"),
        ("MongoDB", f"{of.mongodb}, a replica set of one on the same machine; {of.cache}"),
        ("Python", platform.python_version()),
        ("libraries", ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)),
        ("data", f"{of.size:,} Observations, {of.size // 50:,} Patients"),
        (
            "runs",
            f"{of.rounds} of {of.seconds} s each, server and ceiling in turn; medians",
        ),
        ("writes", "acknowledged by the majority, journalled; validation on"),
    ]
    return _table(("condition", ""), rows).replace("--:", "---")


def _processors() -> str:
    found = re.findall(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return f"{len(found)} × {found[0] if found else platform.machine()}"


def _memory() -> str:
    found = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return f"{int(found[1]) / 2**20:.0f} GiB" if found else "memory unknown"


def _commit() -> str:
    found = subprocess.run(
        ("git", "rev-parse", "--short", "HEAD"), capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _cells(cells: Sequence[Cell]) -> str:
    head = (
        "operation", "connections", "server /s", "ceiling /s", "ratio", "p50 ms",
        "p99 ms", "ceiling p50", "CPU µs", "ceiling CPU", "mongod CPU", "ceiling mongod",
        "errors",
    )  # fmt: skip
    return _table(head, (_cell(each) for each in cells))


def _cell(cell: Cell) -> Sequence[str]:
    server, ceiling = cell.server, cell.ceiling
    return (
        cell.operation.name,
        str(cell.connections),
        _rate(server.rate),
        _rate(ceiling.rate),
        f"{cell.ratio:.2f}",
        f"{server.p50:.1f}",
        f"{server.p99:.1f}",
        f"{ceiling.p50:.1f}",
        f"{server.app:,.0f}",
        f"{ceiling.app:,.0f}",
        f"{server.mongod:,.0f}",
        f"{ceiling.mongod:,.0f}",
        str(server.errors + ceiling.errors),
    )


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"  # noqa: PLR2004  # three digits


def _targets(cells: Sequence[Cell]) -> str:
    most = max((each.connections for each in cells), default=0)
    rows = [
        (
            each.operation.name,
            "–" if each.operation.target is None else f"{each.operation.target:.2f}",
            f"{each.ratio:.2f}",
            f"{each.cpu_ratio:.2f}",
            _verdict(each),
            "–" if each.operation.medplum is None else f"{each.operation.medplum:,}",
            _rate(each.server.rate),
        )
        for each in cells
        if each.connections == most
    ]
    head = (
        "operation", "target", "ratio", "by CPU", "reached", "Medplum 5.0.10 /s", "server /s",
    )  # fmt: skip
    return _table(head, rows)


def _verdict(cell: Cell) -> str:
    if cell.operation.target is None:
        return "–"
    return "yes" if cell.ratio >= cell.operation.target else "no"


def _workers(pairs: Sequence[tuple[Cell, Cell]]) -> str:
    rows = [
        (
            one.operation.name,
            _rate(one.server.rate),
            _rate(two.server.rate),
            f"{two.server.rate / one.server.rate:.2f}",
            _rate(two.ceiling.rate),
        )
        for one, two in pairs
    ]
    head = ("operation", "one worker /s", "two /s", "two to one", "ceiling, two /s")
    return _table(head, rows) if rows else ""


def _growth(growth: Sequence[Growth], sizes: Sequence[int]) -> str:
    if len(sizes) < 2:  # noqa: PLR2004  # one size has not grown
        return ""
    head = (
        "p50 in ms of one connection, at",
        *(f"{size:,}" for size in sizes),
        "growth",
        *(f"ceiling {size:,}" for size in (sizes[0], sizes[-1])),
    )
    rows = [
        (
            each.operation.name,
            *(f"{p50:.2f}" for p50 in each.p50),
            f"{each.factor:.2f}",
            f"{each.ceiling[0]:.2f}",
            f"{each.ceiling[-1]:.2f}",
        )
        for each in growth
    ]
    return _table(head, rows)


def _calibration(rows: Sequence[Calibration]) -> str:
    head = ("script, against an application that does nothing", "requests /s", "share of a CPU")
    found = (
        (each.script, _rate(each.figures.rate), f"{each.figures.share:.0%}") for each in rows
    )
    return _table(head, found)
