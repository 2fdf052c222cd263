"""When and where a visit is, and with whom, as people read it.

https://hl7.org/fhir/R4/appointment.html
https://hl7.org/fhir/R4/location.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from fhir_server.cabinet.booking.names import PORTAL, TICKET
from fhir_server.cabinet.booking.visits import Visit, extension
from fhir_server.core import references
from fhir_server.core.messages import Language
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Services
from fhir_server.search.plan import UNRESTRICTED

_MS: Final = 1000
_LINE: Final = 120
"""Characters of a name, or of a place with its address."""
_CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_ORDINARY: Final = frozenset({"U", "L", "M", "N"})
_PLACED: Final = ("PractitionerRole", "HealthcareService")
_KIND: Final = "Appointment"
_DOCTORS: Final = ("Practitioner", "PractitionerRole")
_Actors = Sequence[tuple[str, str | None, str]]
"""Type, id and display of those who take part."""


@dataclass(frozen=True, slots=True)
class Details:
    """Of one visit."""

    start: int | None
    """Milliseconds since 1970; None of one that waits."""
    until: int | None
    """Of an offer: when it is over."""
    zone: str
    place: str = ""
    doctor: str = ""
    speciality: str = ""
    ticket: str = ""
    plain: bool = True
    """Whether place, doctor and speciality may leave the house at all: a label says that
    others are confidential."""

    def time(self, at: int | None, language: Language) -> str:
        """A moment in the clinic's zone, with the day of the week."""
        if at is None:
            return ""
        when = datetime.fromtimestamp(at / _MS, ZoneInfo(self.zone))
        return format_datetime(when, "EEEE, d MMMM y, HH:mm", locale=language)

    def short(self, at: int | None, language: Language) -> str:
        """The same in few characters."""
        if at is None:
            return ""
        when = datetime.fromtimestamp(at / _MS, ZoneInfo(self.zone))
        return format_datetime(when, "dd.MM HH:mm", locale=language)


class Reading:
    """Reads what a visit names, as the server itself; what is said of it is for who may see
    the visit."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def of(self, resource: JsonObject, visit: Visit, zone: str) -> Details:
        """The details of the Appointment `resource`, in the clinic's zone.

        In which words is the clinic's to say: those of the Slots and their Schedules, where it
        has some. Who books writes what they like into an Appointment, and we send it to others:
        of a person's place in the queue there are the names alone that the record knows.
        """
        slots = [await self.read("Slot", each) for each in visit.slots]
        schedules = [await self._named((each or {}).get("schedule", {})) for each in slots]
        clinics = [each for each in (*slots, *schedules) if each is not None]
        if not clinics and visit.channel != PORTAL:
            clinics = [resource]
        displays = _displays(clinics)
        known: _Actors = list(self._actors(resource, displays))
        if visit.channel == PORTAL:
            known = await self._vouched(visit, known, displays)
        said = (each.get("specialty", ()) for each in clinics)
        ticket = extension(resource, TICKET)
        return Details(
            visit.start,
            visit.expires if visit.is_offer else None,
            zone,
            line(await self._place(known)),
            line(await self._doctor(known)),
            line(next((found for found in map(_words, said) if found), "")),
            str(ticket or ""),
            not _is_confidential(resource),
        )

    def _actors(
        self, resource: JsonObject, displays: Mapping[str, str]
    ) -> Iterator[tuple[str, str | None, str]]:
        for each in resource.get("participant", ()):
            reference = each.get("actor", {}).get("reference", "")
            found = references.parse(reference, self._services.base_url)
            if found.kind == "local" and found.type is not None and found.type != "Patient":
                yield found.type, found.id, displays.get(reference, "")

    async def _vouched(
        self, visit: Visit, known: _Actors, displays: Mapping[str, str]
    ) -> _Actors:
        """Without those whom a person named and the clinic does not: who books would learn the
        names of what is hidden from them. Whom later versions add the clinic has named; in the
        queue it is asked of the one doctor who is waited for.
        """
        base = self._services.base_url
        named = {references.parse(each, base).target for each in displays if each}
        strange = [each for each in known if f"{each[0]}/{each[1]}" not in named]
        if not strange or (not named and len(known) == 1 and known[0][0] in _DOCTORS):
            return known
        first = await self._services.store.vread(_KIND, visit.id, 1, within=UNRESTRICTED)
        if first is None:
            return [each for each in known if each not in strange]
        written = loads(first.body, max_depth=self._services.limits.depth)
        begun = {each[:2] for each in self._actors(written, {})}
        return [each for each in known if each not in strange or each[:2] not in begun]

    async def read(self, kind: str, id_: str | None) -> JsonObject | None:
        """A live resource of this server."""
        if id_ is None:
            return None
        found = await self._services.store.read(kind, id_, within=UNRESTRICTED)
        if found is None or found.deleted:
            return None
        return loads(found.body, max_depth=self._services.limits.depth)

    async def _place(self, known: _Actors) -> str:
        for kind, id_, display in known:
            if kind == "Location":
                return _place(await self.read(kind, id_), display)
        for kind, id_, _ in known:
            if kind in _PLACED:
                found = await self.read(kind, id_) or {}
                for each in found.get("location", ()):
                    place = _place(await self._named(each), each.get("display", ""))
                    if place:
                        return place
                owner = found.get("organization") or found.get("providedBy") or {}
                place = _place(await self._named(owner), owner.get("display", ""))
                if place:
                    return place
        return ""

    async def _doctor(self, known: _Actors) -> str:
        for kind, id_, display in known:
            if kind not in _DOCTORS:
                continue
            if display:
                return display
            found = await self.read(kind, id_) or {}
            if kind == "PractitionerRole":
                named = found.get("practitioner", {})
                if named.get("display"):
                    return str(named["display"])
                found = await self._named(named) or {}
            return name_of(found)
        return ""

    async def _named(self, reference: JsonObject) -> JsonObject | None:
        found = references.parse(reference.get("reference", ""), self._services.base_url)
        if found.kind != "local" or found.type is None:
            return None
        return await self.read(found.type, found.id)


def line(text: str) -> str:
    """`text` on one line, and no longer than a name is."""
    return " ".join(text.split())[:_LINE]


def _displays(resources: Iterable[JsonObject]) -> Mapping[str, str]:
    """What those call whom they name, by reference."""
    found: dict[str, str] = {}
    for each in resources:
        of_visit = (part.get("actor", {}) for part in each.get("participant", ()))
        for actor in (*each.get("actor", ()), *of_visit):
            found.setdefault(actor.get("reference", ""), str(actor.get("display", "")))
    return found


def name_of(resource: JsonObject) -> str:
    """How a person is called."""
    for each in resource.get("name", ()):
        parts = (*each.get("given", ()), each.get("family", ""))
        said = each.get("text") or " ".join(part for part in parts if part)
        if said:
            return str(said)
    return ""


def given_name(resource: JsonObject) -> str:
    """What a family calls a person."""
    names = (each.get("given", ()) for each in resource.get("name", ()))
    return line(next((str(given[0]) for given in names if given), ""))


def _place(resource: JsonObject | None, display: str) -> str:
    if resource is None:
        return display
    address = resource.get("address") or {}
    if isinstance(address, list):
        address = next(iter(address), {})
    where = address.get("text") or ", ".join(_lines(address))
    return ", ".join(each for each in (resource.get("name") or display, where) if each)


def _lines(address: JsonObject) -> Iterator[str]:
    yield from address.get("line", ())
    if address.get("city"):
        yield str(address["city"])


def _words(concepts: Sequence[JsonObject]) -> str:
    for each in concepts:
        displays = [coding.get("display") for coding in each.get("coding", ())]
        found = next((said for said in (each.get("text"), *displays) if said), None)
        if found:
            return str(found)
    return ""


def _is_confidential(resource: JsonObject) -> bool:
    labels = resource.get("meta", {}).get("security", ())
    return any(
        each.get("system") == _CONFIDENTIALITY and each.get("code") not in _ORDINARY
        for each in labels
    )
