"""E-mail of a development server: files in a folder, or its own output."""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from fhir_server.delivery.carriers import Undeliverable
from fhir_server.delivery.smtp import message
from fhir_server.store.outgoing import Delivery


class FolderCarrier:
    """Each message a file `….eml`."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, delivery: Delivery) -> None:
        """As the port says."""
        try:
            content = message(delivery, self._sender).as_bytes()
        except ValueError as error:
            raise Undeliverable("bad-address") from error
        await asyncio.to_thread(self._write, content)

    def _write(self, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns()}-{secrets.token_hex(4)}.eml"  # in order; of any process
        (self._folder / name).write_bytes(content)


class ConsoleCarrier:
    """Messages on the server's own output; whoever reads that can sign in as anybody."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    async def send(self, delivery: Delivery) -> None:
        """As the port says."""
        content = delivery.content
        self._write(f"\nTo: {delivery.to}\nSubject: {content['subject']}\n\n{content['text']}")
