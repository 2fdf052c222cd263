"""What stands before everything, put together of settings: proxies, and TLS.

https://www.rfc-editor.org/rfc/rfc7239
"""

from starlette.types import ASGIApp

from fhir_server.core.addresses import within
from fhir_server.rest.forwarding import Forwarding
from fhir_server.rest.front import Front
from fhir_server.settings import Settings


def front(settings: Settings, app: ASGIApp, base_path: str) -> ASGIApp:
    """`app` behind the front. How a request came is known where the server speaks TLS itself,
    or is told by its proxies."""
    return Front(
        app,
        Forwarding(within(settings.trusted_proxies), settings.proxy_header),
        settings.fhir_base,
        base_path,
        hsts=settings.hsts_seconds,
        strict=settings.tls_cert is not None or bool(settings.trusted_proxies),
    )
