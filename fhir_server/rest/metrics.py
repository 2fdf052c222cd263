"""What Prometheus is told: requests by interaction and outcome, their durations, how many run.

Kept in plain lists and ints, since one thread counts: 0.5 µs a request where the client
library's locked, linear histogram takes 2.5. With several workers each leaves its figures in
a shared folder once a second at most, and whichever is asked adds them up.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import asyncio
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from fhir_server.delivery.tally import Tally

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
    deliveries: Sequence[tuple[str, str, int]] = ()
    """Channel, how tries of it ended, how many."""


class Metrics:
    """The figures of this worker, and through `text` those of all."""

    def __init__(self, shared: Path | None, tally: Tally | None = None) -> None:
        """`shared` is the folder in which several workers keep their figures, so that each can
        answer for all; None for one alone."""
        self.tally = tally or Tally()
        self.tally.changed = self._changed
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
        self._changed()

    def _changed(self) -> None:
        if self._shared and not self._sharing:
            self._sharing = True
            asyncio.get_running_loop().call_later(SHARE_SECONDS, self._share)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def snapshots(self) -> Iterable[Snapshot]:
        """Of this worker, and of those that share its folder."""
        own = self._own()
        if not self._shared:
            return [own]
        return [own, *_others(self._shared)]

    def _own(self) -> Snapshot:
        tries = [(*labels, count) for labels, count in self.tally.tries.items()]
        return Snapshot(os.getpid(), self.in_flight, list(self._series.values()), tries)

    def _share(self) -> None:
        self._sharing = False
        if self._shared:
            own = self._own()
            draft = self._shared / f"{own.process}.new"
            draft.write_bytes(msgspec.json.encode(own))
            draft.replace(draft.with_suffix(".json"))


class _Figures(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @override
    def collect(self) -> Iterator[Metric]:
        snapshots = list(self._metrics.snapshots())
        now = sum(each.in_flight for each in snapshots)
        yield GaugeMetricFamily("fhir_requests_in_flight", "Requests being answered", value=now)
        yield _histogram(each for snapshot in snapshots for each in snapshot.series)
        yield _deliveries(each for snapshot in snapshots for each in snapshot.deliveries)
        yield _outbox(self._metrics.tally)


def _deliveries(tries: Iterable[tuple[str, str, int]]) -> CounterMetricFamily:
    family = CounterMetricFamily(
        "fhir_deliveries",
        "Tries to compose or send messages by channel, and how they ended",
        labels=("channel", "outcome"),
    )
    sums: Counter[tuple[str, str]] = Counter()
    for channel, outcome, count in tries:
        sums[channel, outcome] += count
    for labels, count in sums.items():
        family.add_metric(labels, count)
    return family


def _outbox(tally: Tally) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "fhir_outbox_rows",
        "Rows of the outbox, of all processes, by channel and whether they are due or dead",
        labels=("channel", "state"),
    )
    for labels, count in tally.rows.items():
        family.add_metric(labels, count)
    return family


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
