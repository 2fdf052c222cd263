"""A start while connections to the database break: a server comes up all the same.

The driver repeats reads and single writes by itself, not what makes collections and indexes.

https://www.mongodb.com/docs/manual/core/retryable-writes/
"""

from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.cutting import Cutting
from tests.support.fhir import create, patient
from tests.support.running import Running


@pytest.mark.parametrize(
    "command", ["create", "createIndexes", "find", "insert", "update", "delete", "hello"]
)
def test_one_connection_lost_ends_no_start(mongodb_uri: str, command: str) -> None:
    with Cutting(mongodb_uri, command) as way:
        settings = Settings(
            mongodb_uri=way.uri, database=f"start_{uuid4().hex[:12]}", seed=False
        )
        with Running(settings) as running:
            assert way.is_cut
            metadata = httpx.get(f"{running.base_url}/metadata")
            assert metadata.status_code == 200


def test_the_first_write_of_a_type_outlives_one_too(mongodb_uri: str) -> None:
    with Cutting(mongodb_uri, "create") as way:
        settings = Settings(
            insecure_no_auth=True,
            mongodb_uri=way.uri,
            database=f"start_{uuid4().hex[:12]}",
            seed=False,
        )
        with (
            Running(settings) as running,
            httpx.Client(base_url=running.base_url, timeout=60) as client,
        ):
            create(client, patient())
            assert way.is_cut
