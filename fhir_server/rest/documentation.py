"""`/docs` and `/openapi.json`: the documentation for people, served without foreign hosts.

https://swagger.io/tools/swagger-ui/
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from fhir_server.core.types import JsonObject

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def pages(describe: Callable[[], JsonObject], lifespan: Lifespan, *, shown: bool) -> FastAPI:
    """The application beside the FHIR base; `describe` gives the OpenAPI document, once."""
    options: dict[str, Any] = {"title": "FHIR server", "lifespan": lifespan}
    if not shown:
        return FastAPI(docs_url=None, redoc_url=None, openapi_url=None, **options)
    folded = {"docExpansion": "none", "defaultModelsExpandDepth": -1}
    app = FastAPIOffline(redoc_url=None, swagger_ui_parameters=folded, **options)
    app.openapi = cache(describe)  # type: ignore[method-assign]  # as FastAPI's manual says
    return app
