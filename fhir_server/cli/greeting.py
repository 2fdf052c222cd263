"""What the operator is told once the server answers: its address, and what to try."""

import asyncio
from typing import Final

from fhir_server.cli.console import CONSOLE, say
from fhir_server.settings import Settings

_PATIENT: Final = '{"resourceType":"Patient","name":[{"family":"Kovalenko","given":["Olena"]}]}'
GUARDED: Final = (
    "curl 'BASE/metadata?_summary=true&_pretty=true'",
    "curl 'BASE/.well-known/smart-configuration'",
    "curl -i 'BASE/Patient'    # 401: sign in first, see docs/smart.md",
)
"""Without a token, on a server with access control."""
EXAMPLES: Final = (
    "curl 'BASE/Patient?_count=2&_pretty=true'",
    "curl 'BASE/Observation?status=final&_sort=-date&_count=3&_include=Observation:subject'",
    f"curl 'BASE/Patient' -H 'Content-Type: application/fhir+json' -d '{_PATIENT}'",
)
"""Each works as it stands, on an empty database too."""

_ASK: Final = b"GET /health/ready HTTP/1.0\r\n\r\n"


async def greet(settings: Settings) -> None:
    """Wait until the server is ready, then say how to talk to it."""
    while not await _ready(settings.host, settings.port):  # noqa: ASYNC110  # maybe another process
        await asyncio.sleep(0.05)
    CONSOLE.print(f"\nFHIR base: {settings.fhir_base}", style="bold green", markup=False)
    say("Try:")
    base = settings.fhir_base
    for example in EXAMPLES if settings.insecure_no_auth else GUARDED:
        say(f"  {example.replace('BASE', base)}")
    if settings.docs:
        say(f"Documentation: {base.removesuffix('/fhir')}/docs")
    say("Stop with Ctrl-C")


async def _ready(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(_ASK)
        line = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in line
