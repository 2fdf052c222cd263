"""What stands before everything, put together of settings: proxies and TLS, then what is
observed.

https://www.rfc-editor.org/rfc/rfc7239
"""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp

from fhir_server.core.addresses import within
from fhir_server.delivery.tally import Tally
from fhir_server.rest import logs
from fhir_server.rest.forwarding import Forwarding
from fhir_server.rest.front import Front
from fhir_server.rest.metrics import Metrics
from fhir_server.rest.observability import Observability
from fhir_server.settings import Settings


def front(
    settings: Settings,
    app: ASGIApp,
    ready: Callable[[], Awaitable[bool]],
    base_path: str,
    tally: Tally,
) -> ASGIApp:
    """`app` behind the front. How a request came is known where the server speaks TLS itself,
    or is told by its proxies; `ready` says whether the database answers."""
    observed = Observability(
        app,
        ready=ready,
        log=logs.configure(settings.log_level, settings.log_format),
        metrics=within(settings.metrics_networks) if settings.metrics else None,
        figures=Metrics(settings.metrics_dir, tally),
    )
    return Front(
        observed,
        Forwarding(within(settings.trusted_proxies), settings.proxy_header),
        settings.fhir_base,
        base_path,
        hsts=settings.hsts_seconds,
        strict=settings.tls_cert is not None or bool(settings.trusted_proxies),
    )
