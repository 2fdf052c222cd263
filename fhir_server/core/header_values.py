"""The grammar that HTTP's list headers share: items, parameters, weights, tags, dates.

https://www.rfc-editor.org/rfc/rfc9110#name-common-rules-for-defining-f
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_tz
from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 512
_ITEM: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PARAMETER: Final = re.compile(r';\s*([^\s;=]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_WEIGHT: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)
_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
_UNQUOTED: Final = re.compile(r"\s*(W/)?([\x21\x23-\x7e]+)\s*")


def items(header: str) -> list[str]:
    """The elements of a comma-separated list; a comma within quotes separates nothing."""
    return [each.strip() for each in _ITEM.findall(header) if each.strip()]


def parameters(item: str) -> tuple[str, dict[str, str]]:
    """`Text/XML; Charset="utf-8"` as (`text/xml`, {`charset`: `utf-8`})."""
    value, separator, rest = item.partition(";")
    found = {
        name.lower(): given.strip().strip('"')
        for name, given in _PARAMETER.findall(separator + rest)
    }
    return value.strip().lower(), found


def weight(text: str) -> float:
    """A quality value; 0 for what is none."""
    return float(text) if _WEIGHT.fullmatch(text) else 0.0


@lru_cache(_REMEMBERED)
def etags(header: str) -> frozenset[str] | None:
    """The tags that If-Match or If-None-Match lists, without `W/` and quotes; None for `*`.

    FHIR's tags are weak and name a version, so that the strong and the weak form of one are
    the same here. A tag without quotes, which many clients send, is taken for what it says.
    """
    if header.strip() == "*":
        return None
    found = (_TAG.fullmatch(each) or _UNQUOTED.fullmatch(each) for each in items(header))
    return frozenset(each[2] for each in found if each)


@lru_cache(_REMEMBERED)
def http_date(text: str) -> int | None:
    """Milliseconds since 1970 of an HTTP date in any of its three forms; None for no date.

    "A recipient MUST ignore the If-Modified-Since header field if the received field value
    is not a valid HTTP-date."
    """
    read = parsedate_tz(text)
    if read is None:
        return None
    try:
        moment = datetime(*read[:6], tzinfo=UTC)
    except ValueError:
        return None
    return (int(moment.timestamp()) - (read[9] or 0)) * 1000
