"""SIGTERM while requests are answered: those end well, new ones are refused.

https://www.uvicorn.org/server-behavior/#graceful-process-shutdown
"""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.support.fhir import new_id
from tests.support.polling import until
from tests.support.serving import Serving
from tests.support.writing import tagged, tagged_bundle

CLIENTS: Final = 3
ENTRIES: Final = 2000

pytestmark = pytest.mark.slow


def mongod(folder: Path) -> int:
    """The number of the embedded database's process."""
    return int((folder / "mongo" / "mongod.lock").read_text())


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopping_server_finishes_what_it_answers(tmp_path: Path, workers: int) -> None:
    tags = [new_id() for _ in range(CLIENTS)]
    with Serving(tmp_path, ("--no-seed", "--workers", str(workers))) as serving:
        database = mongod(tmp_path)
        post = partial(httpx.post, serving.base, timeout=60)
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = [pool.submit(post, json=tagged_bundle(tag, ENTRIES)) for tag in tags]
            threading.Event().wait(0.5)
            serving.process.send_signal(signal.SIGTERM)
            until(lambda: refused(serving.root))
            assert [each.result().status_code for each in answers] == [200] * CLIENTS
        assert serving.process.wait(60) == 0
        assert "Traceback" not in serving.said
        assert not alive(database)
    with Serving(tmp_path) as again, httpx.Client(base_url=again.base, timeout=60) as client:
        assert [tagged(client, tag) for tag in tags] == [ENTRIES] * CLIENTS


def refused(root: str) -> bool:
    try:
        httpx.get(f"{root}/health/live")
    except httpx.TransportError:
        return True
    return False
