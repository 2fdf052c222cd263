"""TLS by the server itself: 1.2 or newer, whatever the machine's OpenSSL would take.

https://www.rfc-editor.org/rfc/rfc9325
"""

import ssl
from collections.abc import Callable

import uvicorn

from fhir_server.cli.console import fail
from fhir_server.settings import Settings


def context(_: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What connections are made with; `default` has read certificate and key."""
    made = default()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def check_certificate(settings: Settings) -> None:
    """End the command with a sentence where certificate and key cannot be used."""
    if settings.tls_cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key
        )
    except OSError as error:  # ssl's own errors are a kind of it
        fail(f"FHIR_TLS_CERT and FHIR_TLS_KEY cannot be used: {error}", status=2)
