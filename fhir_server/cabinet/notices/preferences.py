"""By which ways a person wants to be told of what: the extension `notification-preference`.

The most exact one counts: of the kind of notice, of its topic, then of everything. Several of
the same exactness count together. What this server cannot do is not replaced by another way:
who chose one had a reason.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

from fhir_server.cabinet.notices.kinds import ROWS, Kind
from fhir_server.core.types import JsonObject

PREFERENCE: Final = "https://fhir-server.example/StructureDefinition/notification-preference"
Way: TypeAlias = Literal["email", "sms"]
_WAYS: Final[tuple[Way, ...]] = ("email", "sms")
_NONE: Final = "none"
_EVERYTHING: Final = ""


def ways(resource: JsonObject | None, kind: Kind) -> Sequence[Way] | None:
    """Of the person that `resource` is; None: nothing was said. Empty: by none of ours."""
    said = list(_said(resource or {}))
    for topic in (kind, ROWS[kind].topic, _EVERYTHING):
        chosen = {channel for about, channel in said if about == topic}
        if _NONE in chosen:
            return ()
        if chosen:
            return [each for each in _WAYS if each in chosen]
    return None


def _said(resource: JsonObject) -> Iterator[tuple[str, str]]:
    """Topic (empty: of everything) and channel."""
    for each in resource.get("extension", ()):
        if each.get("url") != PREFERENCE:
            continue
        parts = each.get("extension", ())
        channel = next((p.get("valueCode") for p in parts if p.get("url") == "channel"), None)
        topics = [p.get("valueCode", "") for p in parts if p.get("url") == "topic"]
        for topic in topics or [_EVERYTHING]:
            yield topic, channel or _NONE
