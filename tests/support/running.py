"""The application under uvicorn, in a thread: what tests talk HTTP to."""

import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn

from fhir_server.app import Clock, Gates, create
from fhir_server.cli.worker import configured
from fhir_server.settings import Settings

_PATIENCE = 60.0  # seconds to start: the first compile of everything, on a busy machine


class Running:
    """A context in which the server answers at `base_url`."""

    def __init__(
        self, settings: Settings, gates: Gates | None = None, clock: Clock | None = None
    ) -> None:
        self.database = settings.database
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        # Not the public base, which may be a proxy's.
        scheme = "http" if settings.tls_cert is None else "https"
        self.base_url = f"{scheme}://127.0.0.1:{port}/fhir"
        app = create(settings.model_copy(update={"port": port}), gates, clock)
        self._server = uvicorn.Server(configured(settings, app))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self._end()
                raise RuntimeError(self.base_url)
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()
