"""The links of a result page: the same query again, with or without a cursor.

https://hl7.org/fhir/R4/http.html#paging
https://hl7.org/fhir/R4/search.html#conformance
"""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from fhir_server.search.request import CURSOR

_SHORT = 128  # characters; what is kept for longer is not worth its room
_READABLE = "|:,$/*@!"  # legal in a query, and clearer than their codes


def query_text(pairs: Iterable[tuple[str, str]]) -> str:
    """`pairs` as a query, in their order, repeats kept."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def link(
    url: str, query: str | Iterable[tuple[str, str]] = "", cursor: str | None = None
) -> str:
    """`url` with its query, as pairs or as the text of them."""
    if not isinstance(query, str):
        query = query_text(query)
    if cursor is not None:
        query += f"&{CURSOR}={cursor}" if query else f"{CURSOR}={cursor}"
    return f"{url}?{query}" if query else url


def _quoted(text: str) -> str:
    return _short(text) if len(text) <= _SHORT else quote(text, safe=_READABLE)


@lru_cache(maxsize=4096)  # names and codes come again; texts come from clients
def _short(text: str) -> str:
    return quote(text, safe=_READABLE)
