"""What the operator is told once the server answers: its address, and what to try."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Final

from fhir_server.cabinet.accounts.demo import FIGURES
from fhir_server.cabinet.accounts.demo_tokens import SYSTEM
from fhir_server.cli.console import CONSOLE, say
from fhir_server.settings import Settings

_NEWEST: Final = "Observation?_sort=-date&_count=3&_include=Observation:subject&_pretty=true"
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

_UNCHECKED: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For this process to ask itself whether it is there: the certificate names the public host."""
_UNCHECKED.check_hostname = False
_UNCHECKED.verify_mode = ssl.CERT_NONE

_ASK: Final = b"GET /health/ready HTTP/1.0\r\n\r\n"


def examples(settings: Settings, tokens: Mapping[str, str]) -> Sequence[str]:
    """Three lines that work as they are printed; with `tokens` two of them read."""
    if settings.insecure_no_auth:
        return EXAMPLES
    if not tokens:
        return GUARDED
    own = next((each for each in FIGURES if each.patient and each.email in tokens), None)
    first = ("Patient?_count=2&_pretty=true", tokens[SYSTEM])
    if own is not None:
        first = (f"Patient/{own.patient}?_pretty=true", tokens[own.email])
    return (
        GUARDED[0],
        *(
            f"curl -H 'Authorization: Bearer {token}' 'BASE/{path}'"
            for path, token in (first, (_NEWEST, tokens[SYSTEM]))
        ),
    )


async def greet(settings: Settings, tokens: Mapping[str, str]) -> None:
    """Wait until the server is ready, then say how to talk to it."""
    while not await _ready(settings):  # noqa: ASYNC110  # maybe another process
        await asyncio.sleep(0.05)
    CONSOLE.print(f"\nFHIR base: {settings.fhir_base}", style="bold green", markup=False)
    say("Try:")
    base = settings.fhir_base
    for example in examples(settings, tokens):
        say(f"  {example.replace('BASE', base)}")
    if tokens:
        say("For the README's first hour, good for an hour and for everything:")
        say(f"  auth='Authorization: Bearer {tokens[SYSTEM]}'")
    if settings.docs:
        say(f"Documentation: {base.removesuffix('/fhir')}/docs")
    say("Stop with Ctrl-C")


async def _ready(settings: Settings) -> bool:
    try:
        tls = None if settings.tls_cert is None else _UNCHECKED
        reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=tls)
        writer.write(_ASK)
        line = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in line
