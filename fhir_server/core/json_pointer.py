"""JSON Pointer: where in a JSON value.

https://www.rfc-editor.org/rfc/rfc6901
"""

import re
from typing import Any, Final

from fhir_server.core.errors import BadValue, Unprocessable
from fhir_server.core.messages import Text

Pointer = tuple[str, ...]
"""The reference tokens, unescaped; empty: the whole value."""

NOT_A_POINTER: Final = Text(
    "`{pointer}` is not a JSON Pointer.",
    "`{pointer}` — не указатель JSON Pointer.",
    "`{pointer}` — не вказівник JSON Pointer.",
)
NOTHING_THERE: Final = Text(
    "There is nothing at `{pointer}`.",
    "По указателю `{pointer}` ничего нет.",
    "За вказівником `{pointer}` нічого немає.",
)

MAX_TOKENS: Final = 64
"""As deep as a resource may be."""

_BAD_ESCAPE: Final = re.compile(r"~(?![01])")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def parse(text: str) -> Pointer:
    """Read a pointer.

    Raises:
        BadValue: it does not start with `/`, escapes wrongly, or is too long.
    """
    if text == "":
        return ()
    parts = text.split("/")
    if parts[0] or _BAD_ESCAPE.search(text) or len(parts) > MAX_TOKENS + 1:
        raise BadValue(NOT_A_POINTER, pointer=text[:200])
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts[1:])


def to_text(pointer: Pointer) -> str:
    """The pointer as it is written."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in pointer)


def find(value: Any, pointer: Pointer) -> Any:
    """What stands there.

    Raises:
        Unprocessable: nothing does.
    """
    for place, token in enumerate(pointer):
        match value:
            case dict() if token in value:
                value = value[token]
            case list() if (index := index_of(token)) is not None and index < len(value):
                value = value[index]
            case _:
                raise Unprocessable(NOTHING_THERE, pointer=to_text(pointer[: place + 1]))
    return value


def index_of(token: str) -> int | None:
    """The array index a token is; None for what is none: `01`, `-`, `1e0`."""
    return int(token) if _INDEX.fullmatch(token) else None
