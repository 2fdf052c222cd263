"""The clinic of a module's tests."""

from collections.abc import Iterator

import pytest

from tests.cabinet.clinic import Clinic, opened


@pytest.fixture(scope="module")
def clinic(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with opened(mongodb_uri, tmp_path_factory.mktemp("mails")) as found:
        yield found
