"""Canonical references: a resource named by its `url`, and perhaps its `version`.

The index has a canonical with and without its version; where one resource has both of one
URL for a parameter, the version that it wrote is meant.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from fhir_server.core.references import split_canonical
from fhir_server.search import keys
from fhir_server.search.elements import types_of
from fhir_server.search.nodes import union
from fhir_server.search.plan import And, By, Keys, Node, Not, Prefix
from fhir_server.spec.search_parameters import SearchParameter

URL: Final = keys.uri("url", "")
VERSION: Final = keys.token("version", None, "")
IDENTITY: Final = (URL, VERSION)
"""Prefixes of the keys that say what a resource is called."""

_BY_URL: Final = frozenset({"canonical", "uri"})


class Name(NamedTuple):
    """What a canonical names; without a version, any."""

    url: str
    version: str | None


def ways(kind: str, parameter: SearchParameter) -> tuple[By, ...]:
    """How values of the reference `parameter` lead to resources: a canonical may be the
    address of an instance, too."""
    return ("id", "url") if types_of(kind, parameter) & _BY_URL else ("id",)


def names(found: Iterable[str], code: str) -> set[Name]:
    """What the canonicals of `code` name, among the uri keys of one resource."""
    lead = keys.uri(code, "")
    each = {Name(*split_canonical(key[len(lead) :])) for key in found if key.startswith(lead)}
    versioned = {name.url for name in each if name.version is not None}
    return {name for name in each if name.version is not None or name.url not in versioned}


def name_of(found: Iterable[str]) -> Name | None:
    """What a resource is called, by its keys of IDENTITY; None: it has no `url`."""
    url, versions = None, []
    for key in found:
        if key.startswith(URL):
            url = key[len(URL) :]
        elif key.startswith(VERSION):
            versions.append(key[len(VERSION) :])
    # A version stands there in lower case, too.
    written = min(versions, key=lambda each: each == each.lower(), default=None)
    return None if url is None else Name(url, written)


def is_named(name: Name, among: Iterable[Name]) -> bool:
    """Whether a reference to one of `among` is one to the resource that is called `name`."""
    return not {name, Name(name.url, None)}.isdisjoint(among)


def called(found: Iterable[Name]) -> Node:
    """A resource that one of the canonicals `found` names."""
    return union(map(_called, sorted(found, key=_order)))


def _called(name: Name) -> Node:
    by_url = Keys("uris", (URL + name.url,))
    if name.version is None:
        return by_url
    return And((by_url, Keys("tokens", (keys.token("version", None, name.version),))))


def naming(code: str, found: Iterable[Name]) -> Node:
    """A resource with a canonical of `code` that names one of those called as in `found`."""
    return union(
        part for name in sorted(set(found), key=_order) for part in _naming(code, name)
    )


def _naming(code: str, name: Name) -> Iterator[Node]:
    if name.version is not None:
        yield Keys("uris", (keys.uri(code, f"{name.url}|{name.version}"),))
    plain = keys.uri(code, name.url)
    yield And((Keys("uris", (plain,)), Not(Prefix("uris", f"{plain}|"))))


def _order(name: Name) -> tuple[str, str]:
    return name.url, name.version or ""
