"""Lists of scopes: what is asked, what a client may have at most, what is left of it.

Resource scopes are read by `access.scopes`; here are the others, and the rules between them.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.access.scopes import (
    Level,
    ResourceScope,
    granted,
    of_level,
    parse_scope,
)
from fhir_server.smart.records import LaunchContext
from fhir_server.spec.structures import RESOURCE_TYPES

OPENID: Final = "openid"
FHIR_USER: Final = "fhirUser"
LAUNCH: Final = "launch"
LAUNCH_PATIENT: Final = "launch/patient"
LAUNCH_ENCOUNTER: Final = "launch/encounter"
OFFLINE: Final = "offline_access"
ONLINE: Final = "online_access"

OTHERS: Final = (
    OPENID,
    FHIR_USER,
    LAUNCH,
    LAUNCH_PATIENT,
    LAUNCH_ENCOUNTER,
    OFFLINE,
    ONLINE,
)

_CONTEXT: Final = re.compile(r"launch/([a-z]+)(?:\?role=([^\s&]+))?")
_TYPES: Final = {kind.lower(): kind for kind in RESOURCE_TYPES}


@dataclass(frozen=True, slots=True)
class Scopes:
    """A list of scopes, each once."""

    others: tuple[str, ...] = ()
    resources: tuple[ResourceScope, ...] = ()

    @property
    def text(self) -> str:
        """Parted by spaces, as a client reads it."""
        return " ".join((*self.others, *(each.text for each in self.resources)))

    def __bool__(self) -> bool:
        return bool(self.others or self.resources)

    def __contains__(self, scope: str) -> bool:
        return scope in self.others

    def has_level(self, level: Level) -> bool:
        """Whether a resource scope is of `level`."""
        return any(each.level == level for each in self.resources)

    def without(self, *others: str) -> "Scopes":
        """The list but for these."""
        return replace(self, others=tuple(each for each in self.others if each not in others))

    def of_level(self, *levels: Level) -> "Scopes":
        """The list but for resource scopes of other levels."""
        return replace(self, resources=of_level(self.resources, *levels))


def parse(text: str) -> Scopes:
    """Read a list; what is no scope here is left out, and never becomes another."""
    others: dict[str, None] = {}
    resources: dict[ResourceScope, None] = {}
    for each in text.split():
        if each in OTHERS or context_type(each):
            others[each] = None
        elif (scope := parse_scope(each)) is not None:
            resources[scope] = None
    return Scopes(tuple(others), tuple(resources))


def context_type(scope: str) -> str | None:
    """The resource type that `launch/<type>` asks to be told of: `ImagingStudy`."""
    found = _CONTEXT.fullmatch(scope)
    return _TYPES.get(found[1]) if found else None


def within(
    asked: Scopes, registered: Scopes, can_filter: Callable[[ResourceScope], bool]
) -> Scopes:
    """What of `asked` the client may have at all."""
    usable = (each for each in asked.resources if not each.query or can_filter(each))
    return Scopes(
        tuple(each for each in asked.others if _allowed(each, registered)),
        granted(usable, registered.resources),
    )


def _allowed(scope: str, registered: Scopes) -> bool:
    """A client that may ask for a context of launch may ask for any part of it."""
    return scope in registered or (context_type(scope) is not None and LAUNCH in registered)


def narrowed(asked: Scopes, kept: Scopes) -> Scopes:
    """What a person kept of `asked`; a part of a scope counts, more than it does not."""
    return Scopes(
        tuple(each for each in kept.others if each in asked),
        granted(kept.resources, asked.resources),
    )


def fitting(scopes: Scopes, context: LaunchContext, user: str | None) -> Scopes:
    """The list but for what has no meaning with this context and user.

    OIDC-12: a person without a FHIR resource is not granted `fhirUser`.
    """
    unmet = set(_unmet(scopes.others, context))
    if user is None:
        unmet.add(FHIR_USER)
    if context.patient is None:
        unmet.add(LAUNCH_PATIENT)
        scopes = scopes.of_level("user", "system")
    return scopes.without(*unmet)


def _unmet(others: Iterable[str], context: LaunchContext) -> Iterable[str]:
    for each in others:
        kind = context_type(each)
        if kind in (None, "Patient"):
            continue
        if kind == "Encounter" and context.encounter is not None:
            continue
        if not any(_is_of(entry.get("reference"), kind) for entry in context.fhir_context):
            yield each


def _is_of(reference: object, kind: str | None) -> bool:
    return isinstance(reference, str) and reference.startswith(f"{kind}/")
