"""One server for all clients, with the demo's people and the apps under test."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.clients.serving import Apps, Demo, environment, keys, metadata, page


@pytest.fixture(scope="session")
def demo(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    given = environment(mongodb_uri)
    with Demo(folder, options=(), environment=given) as server:
        yield server


@pytest.fixture(scope="session")
def apps(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    folder = tmp_path_factory.mktemp("apps")
    with page() as served:
        given = keys(folder)
        file = folder / "apps.json"
        file.write_text(json.dumps(metadata(served, given)))
        said = demo.apps("add", str(file))
        secrets = dict(
            re.findall(r"^\s*(\S+)  .*\n\s+client_secret: (\S+)", said, re.MULTILINE)
        )
        yield Apps(served, given, secrets)
