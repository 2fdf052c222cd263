"""The links of a result page: the same query again, with or without a cursor.

https://hl7.org/fhir/R4/http.html#paging
https://hl7.org/fhir/R4/search.html#conformance
"""

from collections.abc import Iterable
from urllib.parse import quote

from fhir_server.search.request import CURSOR

_READABLE = "|:,$/*@!"  # legal in a query, and clearer than their codes


def link(url: str, pairs: Iterable[tuple[str, str]], cursor: str | None = None) -> str:
    """`url` with `pairs` as its query, in their order, repeats kept."""
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)
    if cursor is not None:
        query += f"&{CURSOR}={cursor}" if query else f"{CURSOR}={cursor}"
    return f"{url}?{query}" if query else url


def _quoted(text: str) -> str:
    return quote(text, safe=_READABLE)
