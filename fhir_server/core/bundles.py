"""Bundles written around stored bytes: bodies are joined, never parsed.

https://hl7.org/fhir/R4/bundle.html
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from fhir_server.core.datetimes import format_instant

SearchMode = Literal["match", "include", "outcome"]
Method = Literal["POST", "PUT", "PATCH", "DELETE"]


class Named(Protocol):
    """A stored resource: its type, id and body."""

    @property
    def type(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One version; `body` is empty for a deletion."""

    full_url: str
    url: str
    """`Patient/1`, or `Patient` for a create."""
    method: Method
    status: str
    """`201 Created`, `200 OK` or `204 No Content`."""
    number: int
    at: int
    """Milliseconds since 1970."""
    body: bytes = b""


def searchset(
    entries: Sequence[bytes],
    links: Mapping[str, str],
    *,
    id_: str | None = None,
    at: int | None = None,
    total: int | None = None,
) -> bytes:
    """A searchset of entries written by `search_entry` or `stored_entries`; `links` by
    relation, in their order; `at` is `meta.lastUpdated`."""
    return _bundle(_head(b"searchset", id_, at, total), links, entries)


def history(
    entries: Iterable[HistoryEntry],
    links: Mapping[str, str],
    *,
    id_: str | None = None,
    at: int | None = None,
    total: int | None = None,
) -> bytes:
    """A history, newest first as given."""
    head = _head(b"history", id_, at, total)
    return _bundle(head, links, [_history_entry(each) for each in entries])


def _head(kind: bytes, id_: str | None, at: int | None, total: int | None) -> list[bytes]:
    parts = [b'{"resourceType":"Bundle"']
    if id_ is not None:
        parts.append(b'"id":%b' % _string(id_))
    if at is not None:
        parts.append(b'"meta":{"lastUpdated":"%b"}' % format_instant(at).encode())
    parts.append(b'"type":"%b"' % kind)
    if total is not None:
        parts.append(b'"total":%d' % total)
    return parts


def _bundle(head: list[bytes], links: Mapping[str, str], entries: Sequence[bytes]) -> bytes:
    parts = list(head)
    if links:
        parts.append(b'"link":[%b]' % b",".join(_links(links)))
    if entries:  # an empty array is no FHIR
        parts.append(b'"entry":[%b]' % b",".join(entries))
    return b",".join(parts) + b"}"


def _links(links: Mapping[str, str]) -> Iterable[bytes]:
    for relation, url in links.items():
        yield b'{"relation":%b,"url":%b}' % (_string(relation), _string(url))


def search_entry(body: bytes, mode: SearchMode = "match", url: str | None = None) -> bytes:
    """One result as a searchset holds it; an outcome has no `url`."""
    if url is None:
        return b'{"resource":%b,"search":{"mode":"%b"}}' % (body, mode.encode())
    return b'{"fullUrl":%b,"resource":%b,"search":{"mode":"%b"}}' % (
        _string(url),
        body,
        mode.encode(),
    )


def stored_entries(base: str, rows: Iterable[Named], mode: SearchMode) -> list[bytes]:
    """The same for `rows` of the server at `base`; a page of 50 costs a third."""
    lead = b'{"fullUrl":%b/' % _string(base)[:-1]
    tail = b',"search":{"mode":"%b"}}' % mode.encode()
    # Types and ids need no escapes: their grammars allow letters, digits, `-` and `.`.
    return [
        b'%b%b/%b","resource":%b%b' % (lead, row.type.encode(), row.id.encode(), row.body, tail)
        for row in rows
    ]


def _history_entry(entry: HistoryEntry) -> bytes:
    request = b'{"method":"%b","url":%b}' % (entry.method.encode(), _string(entry.url))
    response = b'{"status":"%b","etag":"W/\\"%d\\"","lastModified":"%b"}' % (
        entry.status.encode(),
        entry.number,
        format_instant(entry.at).encode(),
    )
    resource = b'"resource":%b,' % entry.body if entry.body else b""
    return b'{"fullUrl":%b,%b"request":%b,"response":%b}' % (
        _string(entry.full_url),
        resource,
        request,
        response,
    )


def _string(text: str) -> bytes:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return b'"%b"' % text.encode()
    return json.dumps(text, ensure_ascii=False).encode()
