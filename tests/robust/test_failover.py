"""A replica set loses its primary while clients write: no acknowledged write is lost.

https://www.mongodb.com/docs/manual/core/replica-set-elections/
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.replica_set import ReplicaSet
from tests.support.running import Running
from tests.support.writing import Writers, check_kept, check_refusal

CLIENTS = 6
ENTRIES = 5

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    folder: Path = tmp_path_factory.mktemp("failover")
    with ReplicaSet(folder) as started:
        yield started


@pytest.fixture(scope="module")
def base(replica_set: ReplicaSet) -> Iterator[str]:
    settings = Settings(
        insecure_no_auth=True, mongodb_uri=replica_set.uri, seed=False, log_level="ERROR"
    )
    with Running(settings) as running:
        yield running.base_url


def test_a_killed_primary_takes_no_acknowledged_write_along(
    replica_set: ReplicaSet, base: str
) -> None:
    writers = Writers(base, CLIENTS, entries=ENTRIES)
    with writers.running() as records:
        writers.wait_for_writes_by_all(30)
        for _ in range(2):
            primary = replica_set.primary()
            replica_set.kill(primary)
            writers.wait_for_writes_by_all(60)  # the server has recovered by itself
            replica_set.restart(primary)
            writers.wait_for_writes_by_all(60)
    assert writers.acknowledged > 100
    for record in records:
        assert record.unanswered == 0
        for answer in record.refused:
            check_refusal(answer)
    with httpx.Client(base_url=base, timeout=60) as client:
        check_kept(client, records, ENTRIES)
