"""Requests to places that others named: one connection, one name.

https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4
"""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from fhir_server.outward import NotPublicError, public_request

pytestmark = pytest.mark.anyio


async def here(host: str, port: int) -> Sequence[str]:
    del host, port
    return ["127.0.0.1"]


async def test_a_connection_that_was_made_for_one_host_is_not_used_for_another() -> None:
    """Who shows a certificate is looked at once, when it is made."""
    asked: list[list[str]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hosts: list[str] = []
        asked.append(hosts)
        while head := await reader.readuntil(b"\r\n\r\n"):
            names = [line for line in head.decode().splitlines() if line.startswith("Host: ")]
            hosts.extend(names)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            if b"connection: close" in head.lower():
                break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient() as http:
        for host in ("one.example", "two.example"):
            url = f"http://{host}:{port}/"
            request = await public_request(http, "GET", url, {}, loopback=True, resolve=here)
            assert (await http.send(request)).status_code == 200
    assert asked == [[f"Host: one.example:{port}"], [f"Host: two.example:{port}"]]


async def test_this_machine_is_not_the_public_internet() -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(NotPublicError):
            await public_request(http, "GET", "http://one.example/", {}, resolve=here)


async def test_a_host_without_an_address() -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        del host, port
        return []

    async with httpx.AsyncClient() as http:
        with pytest.raises(NotPublicError):
            await public_request(http, "GET", "http://one.example/", {}, resolve=nowhere)
