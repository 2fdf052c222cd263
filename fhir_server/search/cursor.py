"""Signed places in a result: what `next` and `previous` links carry.

A cursor is the sort values and the id of the row to go on from, so a page costs the same
wherever it is and rows written meanwhile shift nothing. It is signed together with the query
it belongs to: one that was changed, or put on another query, is refused.

https://hl7.org/fhir/R4/http.html#paging
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.search.plan import After

BAD_CURSOR: Final = Text(
    "The page link is not one that this server made for this search; start from the first "
    "page.",
    "Ссылка на страницу не создана этим сервером для этого поиска; начните с первой страницы.",
    "Посилання на сторінку не створене цим сервером для цього пошуку; почніть з першої "
    "сторінки.",
)

_SIGNATURE: Final = 16  # bytes; 128 bits are out of reach of guessing
_LONGEST: Final = 8_192  # characters; the keys of six sorts fit


@dataclass(frozen=True, slots=True)
class Place:
    """A row to go on from, in a search of several types."""

    type: str
    after: After


Content = str | float | None


class Cursors:
    """Signs with one key; whoever knows it can make cursors."""

    def __init__(self, key: bytes) -> None:
        self._key: Final = key

    def seal(self, content: Sequence[Content], query: Iterable[object]) -> str:
        """`content`, readable but not changeable, bound to `query`: whatever says which
        search or history it is a place of."""
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return urlsafe_b64encode(self._sign(body, query) + body).rstrip(b"=").decode()

    def unseal(self, text: str, query: Iterable[object]) -> list[Content]:
        """The content that `seal` was given for the same query.

        Raises:
            BadValue: it did not write this.
        """
        if len(text) > _LONGEST or not text.isascii():
            raise BadValue(BAD_CURSOR)
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            raise BadValue(BAD_CURSOR) from None
        signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(body, query)):
            raise BadValue(BAD_CURSOR)
        content: list[Content] = json.loads(body)
        return content

    def _sign(self, body: bytes, query: Iterable[object]) -> bytes:
        # The lengths keep one part from passing for another.
        parts = [str(part).encode("utf-8", "backslashreplace") for part in query]
        lead = b"".join(b"%d:%b" % (len(part), part) for part in parts)
        signed = hmac.digest(self._key, b"%d;%b%b" % (len(parts), lead, body), sha256)
        return signed[:_SIGNATURE]


def write_place(cursors: Cursors, place: Place, query: Iterable[object]) -> str:
    """`place` in the result of `query` as a cursor."""
    after = place.after
    return cursors.seal([place.type, after.id, int(after.backward), *after.values], query)


def read_place(cursors: Cursors, text: str, query: Iterable[object]) -> Place:
    """The place that `write_place` wrote for the same query.

    Raises:
        BadValue: it did not write this.
    """
    kind, id_, backward, *values = cursors.unseal(text, query)
    return Place(str(kind), After(tuple(values), str(id_), bool(backward)))
