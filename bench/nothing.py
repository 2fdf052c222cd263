"""An application that does nothing, to see what the load generator can ask at most."""

from typing import Final

from starlette.types import Receive, Scope, Send

_BODY: Final = b" " * 1_000
_TYPE: Final = (b"content-type", b"application/fhir+json; charset=utf-8")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI: the body that came, which names the resource to the updating script, or blanks."""
    if scope["type"] == "lifespan":
        return
    parts = []
    more = scope["method"] != "GET"
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(parts) if scope["method"] == "PUT" else _BODY
    headers = [_TYPE, (b"content-length", b"%d" % len(body)), (b"etag", b'W/"2"')]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
