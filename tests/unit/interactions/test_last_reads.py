"""REVO-06: last reads, marked for nothing and written seldom."""

from collections.abc import Mapping

import pytest

from fhir_server.access.principal import Principal
from fhir_server.core.errors import Unavailable
from fhir_server.core.messages import Text
from fhir_server.interactions.last_reads import COARSE, LastReads


class Kept:
    """What was written, and a clock."""

    def __init__(self) -> None:
        self.writes: list[Mapping[str, int]] = []
        self.now = 1_000_000
        self.broken = False

    async def __call__(self, times: Mapping[str, int]) -> None:
        if self.broken:
            raise Unavailable(Text("no", "no", "no"))
        self.writes.append(times)


def reader(grant: str | None) -> Principal:
    return Principal("app", (), grant=grant)


pytestmark = pytest.mark.anyio


async def test_reads_of_one_minute_are_written_once() -> None:
    kept = Kept()
    reads = LastReads(kept, lambda: kept.now)
    for _ in range(100):
        reads.mark(reader("g1"), "Observation")
    reads.mark(reader("g2"), None)
    await reads.write()
    kept.now += COARSE - 1
    reads.mark(reader("g1"), "Observation")
    await reads.write()
    assert kept.writes == [{"g1": 1_000_000, "g2": 1_000_000}]
    kept.now += 1
    reads.mark(reader("g1"), "Observation")
    await reads.write()
    assert kept.writes[1:] == [{"g1": 1_000_000 + COARSE}]


@pytest.mark.parametrize(
    ("principal", "kind"),
    [(None, "Observation"), (reader(None), "Observation"), (reader("g"), "Practitioner")],
)
async def test_what_is_no_read_of_a_record(principal: Principal | None, kind: str) -> None:
    kept = Kept()
    reads = LastReads(kept, lambda: kept.now)
    reads.mark(principal, kind)
    await reads.write()
    assert kept.writes == []


async def test_what_could_not_be_written_is_not_forgotten() -> None:
    kept = Kept()
    reads = LastReads(kept, lambda: kept.now)
    reads.mark(reader("g1"), "Patient")
    kept.broken = True
    with pytest.raises(Unavailable):
        await reads.write()
    kept.broken = False
    await reads.write()
    assert kept.writes == [{"g1": 1_000_000}]
