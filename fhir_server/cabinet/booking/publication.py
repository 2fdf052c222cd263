"""What everybody may know of free places: never whose visits there are.

A Restriction of its own (design law 1), and of each resource the elements named here alone:
what a clinic writes into a comment stays in the clinic.

https://github.com/smart-on-fhir/smart-scheduling-links/blob/master/specification.md
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from fhir_server.access.public import public_rights
from fhir_server.cabinet.booking.names import CAPACITY, CHANNEL
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps, loads
from fhir_server.interactions.context import Services
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.nodes import intersection
from fhir_server.search.plan import (
    UNRESTRICTED,
    After,
    Everything,
    Keys,
    Not,
    Or,
    Present,
    Restriction,
    Search,
    SortKey,
)
from fhir_server.store.port import HistoryPlan

TYPES: Final = ("Location", "Schedule", "Slot")
PUBLIC: Final = "public"
"""The channel of Slots that are published; those without any channel are published too."""

_ELEMENTS: Final[Mapping[str, frozenset[str]]] = {
    "Location": frozenset(
        {"name", "description", "telecom", "address", "position", "managingOrganization"}
    ),
    "Schedule": frozenset(
        {"active", "serviceCategory", "serviceType", "specialty", "actor", "planningHorizon"}
    ),
    "Slot": frozenset(
        {"serviceCategory", "serviceType", "specialty", "appointmentType"}
        | {"schedule", "status", "start", "end", "extension"}
    ),
}
_EXTENSIONS: Final = frozenset({CAPACITY, CHANNEL})
_FIRST: Final = (SortKey("chief-date", "asc"),)
_AT_ONCE: Final = 500
"""Resources held at a time: 1 MB."""
_CHANNEL: Final = "booking-channel"


def published(now: int) -> Restriction:
    """What is published at `now` (milliseconds since 1970)."""
    open_ = public_rights(TYPES).search
    free = (
        Keys("tokens", (keys.token("status", None, "free"),)),
        between(now + 1, inf),
        Or((
            Not(Present("tokens", f"{_CHANNEL}|")),
            Keys("tokens", (keys.token(_CHANNEL, None, PUBLIC),)),
        )),
    )  # fmt: skip
    slots = intersection((open_.of("Slot"), *free))
    return replace(open_, by_type={**open_.by_type, "Slot": slots})


class Places:
    """The free places of the house, as `rest.publication` asks for them."""

    types: Sequence[str] = TYPES

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def url(self) -> str:
        """Of the FHIR base."""
        return self._services.base_url

    async def lines(self, kind: str) -> AsyncIterator[bytes]:
        """The resources of `kind` that are published, a line of JSON each, by the page."""
        services = self._services
        within, sort = published(services.now()), _FIRST if kind == "Slot" else ()
        after: After | None = None
        while True:
            plan = Search(kind, Everything(), sort, _AT_ONCE, after)
            page = await services.store.search(plan, within=within)
            rows = (loads(row.body, max_depth=services.limits.depth) for row in page.rows)
            yield b"".join(dumps(_part(each)) + b"\n" for each in rows)
            if not page.more:
                return
            last = page.rows[-1]
            after = After(last.sort_values, last.id)

    async def changed(self) -> tuple[int, str]:
        """When something of these types changed last (milliseconds since 1970; now, where
        nothing ever did), and a mark that changes with it."""
        newest: list[tuple[int, str, int]] = []
        for kind in TYPES:
            # Of what nobody may see the time alone is used: what is withdrawn is a change.
            plan = HistoryPlan(kind, count=1)
            rows, _, _ = await self._services.store.history(plan, within=UNRESTRICTED)
            newest += [(row.at, f"{row.type}/{row.id}", row.number) for row in rows]
        at = max((each for each, _, _ in newest), default=self._services.now())
        return at, repr(sorted(newest))


def _part(resource: JsonObject) -> JsonObject:
    kind = resource["resourceType"]
    kept = {name: resource[name] for name in _ELEMENTS[kind] & resource.keys()}
    if "extension" in kept:
        kept["extension"] = [e for e in kept["extension"] if e.get("url") in _EXTENSIONS]
    if "actor" in kept:
        kept["actor"] = _references(kept["actor"])
    found = {"resourceType": kind, "id": resource["id"], **kept}
    return {name: found[name] for name in found if found[name] != []}


def _references(actors: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """Those that name no patient: a Schedule may be anybody's in R4."""
    given = ({"reference": each.get("reference", "")} for each in actors)
    return [each for each in given if each["reference"].rpartition("/")[0] in _ACTORS]


_ACTORS: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Location", "HealthcareService", "Device"}
)
