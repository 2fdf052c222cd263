"""What Prometheus is told: requests by interaction and outcome, their durations, how many run.

Kept in plain lists and ints, since one thread counts: 0.5 µs a request where the client
library's locked, linear histogram takes 2.5. With several workers each leaves its figures in
a shared folder once a second at most, and whichever is asked adds them up.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import asyncio
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds: a read takes one to five milliseconds, a large transaction some seconds."""
SHARE_SECONDS: Final = 1.0


class Series(msgspec.Struct, gc=False):
    """The durations of one kind of request."""

    interaction: str
    status: int
    counts: list[int]
    """How many fell into each bucket alone; the last is for those beyond all."""
    seconds: float = 0.0


class Snapshot(msgspec.Struct):
    """The figures of one worker."""

    process: int
    in_flight: int
    series: list[Series]


class Metrics:
    """The figures of this worker, and through `text` those of all."""

    def __init__(self, shared: Path | None) -> None:
        """`shared` is the folder of several workers, None for one alone."""
        self.in_flight = 0
        self._series: dict[tuple[str, int], Series] = {}
        self._shared = shared
        self._sharing = False
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(self))
        if not shared:
            ProcessCollector(registry=self._registry)

    def observe(self, interaction: str, status: int, seconds: float) -> None:
        """Count a request; both labels come from closed vocabularies."""
        series = self._series.get((interaction, status))
        if series is None:
            series = Series(interaction, status, [0] * (len(BUCKETS) + 1))
            self._series[interaction, status] = series
        series.counts[bisect_left(BUCKETS, seconds)] += 1
        series.seconds += seconds
        if self._shared and not self._sharing:
            self._sharing = True
            asyncio.get_running_loop().call_later(SHARE_SECONDS, self._share)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def snapshots(self) -> Iterable[Snapshot]:
        """Of this worker, and of those that share its folder."""
        own = Snapshot(os.getpid(), self.in_flight, list(self._series.values()))
        if not self._shared:
            return [own]
        return [own, *_others(self._shared)]

    def _share(self) -> None:
        self._sharing = False
        if self._shared:
            own = Snapshot(os.getpid(), self.in_flight, list(self._series.values()))
            draft = self._shared / f"{own.process}.new"
            draft.write_bytes(msgspec.json.encode(own))
            draft.replace(draft.with_suffix(".json"))


class _Figures(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @override
    def collect(self) -> Iterator[GaugeMetricFamily | HistogramMetricFamily]:
        snapshots = list(self._metrics.snapshots())
        now = sum(each.in_flight for each in snapshots)
        yield GaugeMetricFamily("fhir_requests_in_flight", "Requests being answered", value=now)
        yield _histogram(each for snapshot in snapshots for each in snapshot.series)


def _histogram(series: Iterable[Series]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "fhir_request_seconds",
        "Requests by interaction and status, and their duration",
        labels=("interaction", "status"),
    )
    for each in _added(series):
        below, buckets = 0, []
        for bound, count in zip((*BUCKETS, "+Inf"), each.counts, strict=True):
            below += count
            buckets.append((str(bound), float(below)))
        family.add_metric((each.interaction, str(each.status)), buckets, each.seconds)
    return family


def _added(series: Iterable[Series]) -> Iterable[Series]:
    sums: dict[tuple[str, int], Series] = {}
    for each in series:
        known = sums.get((each.interaction, each.status))
        if known is None:
            sums[each.interaction, each.status] = each
            continue
        counts = [a + b for a, b in zip(known.counts, each.counts, strict=True)]
        merged = Series(each.interaction, each.status, counts, known.seconds + each.seconds)
        sums[each.interaction, each.status] = merged
    return sums.values()


def _others(folder: Path) -> Iterator[Snapshot]:
    for path in folder.glob("*.json"):
        snapshot = msgspec.json.decode(path.read_bytes(), type=Snapshot)
        if snapshot.process != os.getpid():
            # A worker that died keeps its counts, which may only grow, and answers nothing.
            running = snapshot.in_flight if _lives(snapshot.process) else 0
            yield msgspec.structs.replace(snapshot, in_flight=running)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
