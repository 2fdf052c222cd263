"""A way to MongoDB that breaks at a command of a transaction, before or behind it.

https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
"""

import asyncio
from contextlib import suppress
from typing import Literal, Self

When = Literal["before", "behind"]
"""The command does not reach the database; or its answer does not come back."""

_SIZE = 4
"""Bytes of the length that a message begins with, which counts itself."""


class Breaking:
    """A port before that of `mongod`, until the context ends."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = 0
        self._commits = False
        self._when: When = "before"

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    @property
    def has_cut(self) -> bool:
        """Whether what `cut` asked for was done."""
        return self._left <= 0

    def cut(self, point: int, when: When) -> None:
        """Break the connection at the command `point` of transactions from now on."""
        self._left, self._when = point, when

    def cut_commits(self) -> None:
        """Let no answer to a commit come back from now on."""
        self._commits, self._when = True, "behind"

    def _ends(self, message: bytes) -> bool:
        if self._commits:
            return b"commitTransaction" in message
        if b"autocommit" not in message or b"abortTransaction" in message:
            return False
        self._left -= 1
        return self._left == 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target)
        back = asyncio.create_task(_pumped(to_reader, writer))
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._forward(reader, to_writer, back)
        finally:
            back.cancel()
            writer.close()
            to_writer.close()
            self._tasks.discard(task)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.Task[None],
    ) -> None:
        while True:
            message = await _message(reader)
            is_last = self._ends(message)
            if is_last and self._when == "before":
                return
            if is_last:
                back.cancel()
            writer.write(message)
            await writer.drain()
            if is_last:
                await asyncio.sleep(0.05)  # the database carries it out
                return


async def _message(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(_SIZE)
    return size + await reader.readexactly(int.from_bytes(size, "little") - _SIZE)


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            writer.write(await _message(reader))
            await writer.drain()
