"""What the text of a reference, canonical or fullUrl names.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from fhir_server.spec.structures import RESOURCE_TYPES

Kind = Literal["local", "foreign", "contained", "urn", "other"]

#: "[type]/[id]", also at the end of a RESTful URL, with or without a version.
#: https://hl7.org/fhir/R4/references.html#regex
_RESTFUL: Final = re.compile(
    rf"(?:(?P<base>[A-Za-z][A-Za-z0-9+.\-]*://.+)/)?"
    rf"(?P<type>{'|'.join(RESOURCE_TYPES)})/(?P<id>[A-Za-z0-9\-.]{{1,64}})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?(?P<rest>[#?].*)?",
    re.ASCII | re.DOTALL,
)
_URN: Final = re.compile(r"urn:(?:uuid|oid):.+", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference, read."""

    kind: Kind
    """local: an instance on this server; foreign: on another one; contained: `#id`; urn:
    `urn:uuid:` or `urn:oid:`; other: no RESTful URL, e.g. a canonical or `Patient?name=x`."""
    target: str
    """What the index keeps: `Patient/1`, a foreign URL without version, `#id`, the urn."""
    type: str | None = None
    id: str | None = None
    """Of contained: without the `#`."""
    version: str | None = None


_LONGEST_CACHED: Final = 256  # characters; an id on a foreign server fits well


def parse(text: str, *bases: str) -> Reference:
    """Read `text`; `bases` are the base URLs of this server, without a slash at the end."""
    if len(text) > _LONGEST_CACHED:
        return _parse.__wrapped__(text, *bases)
    return _parse(text, *bases)


@lru_cache(maxsize=16384)  # patients and encounters repeat; texts come from clients
def _parse(text: str, *bases: str) -> Reference:
    if text.startswith("#"):
        return Reference("contained", text, id=text[1:])
    found = _RESTFUL.fullmatch(text)
    if found and not found["rest"]:
        return _restful(found, bases)
    return Reference("urn" if _URN.fullmatch(text) else "other", text)


def _restful(found: re.Match[str], bases: tuple[str, ...]) -> Reference:
    base, kind, id_ = found["base"], found["type"], found["id"]
    local = base is None or base in bases
    target = f"{kind}/{id_}" if local else f"{base}/{kind}/{id_}"
    return Reference("local" if local else "foreign", target, kind, id_, found["version"])


def split_canonical(text: str) -> tuple[str, str | None]:
    """`url|version` as its two parts; the version is None where there is none.

    https://hl7.org/fhir/R4/references.html#canonical
    """
    url, _, version = text.partition("|")
    return url, version.partition("#")[0] or None
