"""A way to MongoDB that loses a connection once: when a command is sent for the first time."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65_536


class Cutting:
    """A context in which `uri` leads to the database and the first `command` gets lost."""

    def __init__(self, uri: str, command: str) -> None:
        parts = urlsplit(uri)
        self._target = (parts.hostname or "", parts.port or 0)
        # The name of a command is the first element of its document: a string, or a number.
        self._marks = tuple(kind + command.encode() + b"\0" for kind in (b"\x02", b"\x10"))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.is_cut = False
        port = self._listening.getsockname()[1]
        account = parts.netloc.rpartition("@")[0]
        self.uri = f"mongodb://{account}@127.0.0.1:{port}/?directConnection=true"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in (self._listening, *self._ends):
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=pair, daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # the other direction was closed
            while data := source.recv(_CHUNK):
                if not self.is_cut and any(each in data for each in self._marks):
                    self.is_cut = True
                    break
                sink.sendall(data)
        for each in (source, sink):
            _end(each)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes who waits for it, which closing does not
    end.close()
