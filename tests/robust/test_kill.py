"""kill -9 of the server or of its database in the middle of transactions: all or nothing.

https://hl7.org/fhir/R4/http.html#transaction
"""

import os
import random
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.support.serving import Serving
from tests.support.writing import Record, Writers, check_kept, check_refusal

ENTRIES = 200
ROUNDS = 3

pytestmark = pytest.mark.slow


def mongod(folder: Path) -> int:
    """The number of the embedded database's process."""
    return int((folder / "mongo" / "mongod.lock").read_text())


def test_a_killed_server_leaves_whole_transactions(tmp_path: Path) -> None:
    seen: list[Record] = []
    for _ in range(ROUNDS):
        with Serving(tmp_path) as serving:
            writers = Writers(serving.base, 3, entries=ENTRIES)
            with writers.running() as records:
                writers.wait_for_writes_by_all(60)
                time.sleep(random.uniform(0, 0.5))
                serving.stop(signal.SIGKILL)
            seen += records
    assert any(not done for each in seen for done in each.bundles.values())
    with (
        Serving(tmp_path) as serving,
        httpx.Client(base_url=serving.base, timeout=60) as client,
    ):
        check_kept(client, seen, ENTRIES)


def test_a_killed_database_leaves_whole_transactions_and_comes_back(tmp_path: Path) -> None:
    """`serve` starts it again; until then the answer is 503 or 504."""
    with Serving(tmp_path) as serving:
        writers = Writers(serving.base, 3, entries=ENTRIES)
        with writers.running() as records:
            for _ in range(ROUNDS):
                writers.wait_for_writes_by_all(60)
                time.sleep(random.uniform(0, 0.5))
                os.kill(mongod(tmp_path), signal.SIGKILL)
            writers.wait_for_writes_by_all(60)
        for record in records:
            assert record.unanswered == 0
            for answer in record.refused:
                check_refusal(answer)
        with httpx.Client(base_url=serving.base, timeout=60) as client:
            check_kept(client, records, ENTRIES)
        assert serving.stop() == 0
