"""What is made again when a connection breaks, how often, and what is not."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from fhir_server.store.mongo import preparing
from fhir_server.store.mongo.preparing import repeated

pytestmark = pytest.mark.anyio


class Making:
    """Fails some times."""

    def __init__(self, error: PyMongoError, failures: int) -> None:
        self._error = error
        self._failures = failures
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self.tries <= self._failures:
            raise self._error
        return "made"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_PAUSES", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("error", [AutoReconnect("lost"), NotPrimaryError("stepped down")])
@pytest.mark.parametrize("failures", [0, 1, 3])
async def test_it_is_made_again_three_times(error: PyMongoError, failures: int) -> None:
    making = Making(error, failures)
    assert await repeated(making) == "made"
    assert making.tries == failures + 1


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (AutoReconnect("lost"), 4),
        # These have taken all the time that they may take.
        (NetworkTimeout("no answer"), 1),
        (ServerSelectionTimeoutError("nobody there"), 1),
        (OperationFailure("the index is another one"), 1),
    ],
)
async def test_and_no_more(error: PyMongoError, tries: int) -> None:
    making = Making(error, 10)
    with pytest.raises(type(error)):
        await repeated(making)
    assert making.tries == tries
