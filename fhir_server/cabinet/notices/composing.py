"""From an occasion to messages: whether it is still true, who may know it, in which words.

Who is told sees the visit now, by the rights of a sign-in that proved no more than a mailbox:
what is hidden from that is told to nobody. `delivery.composing.Compose`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fhir_server.access.rights import UNLIMITED, Rights
from fhir_server.cabinet.booking.deadlines import reminded_at
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.visits import Visit, visit_of
from fhir_server.cabinet.notices import quiet
from fhir_server.cabinet.notices.bearers import of_patient
from fhir_server.cabinet.notices.details import Details, Reading, given_name
from fhir_server.cabinet.notices.floods import is_flooded
from fhir_server.cabinet.notices.kinds import REMINDER, RESULT, ROWS, Kind, is_kind
from fhir_server.cabinet.notices.letters import Letter
from fhir_server.cabinet.notices.links import PATH, offered, sent_to, state
from fhir_server.cabinet.notices.messages import message
from fhir_server.cabinet.notices.occasions import LOADED, reminder
from fhir_server.cabinet.notices.parts import Parts
from fhir_server.cabinet.notices.preferences import Way
from fhir_server.cabinet.notices.readers import Reader, is_meant
from fhir_server.cabinet.notices.records import communication
from fhir_server.cabinet.notices.results import of_result
from fhir_server.cabinet.notices.rules import rules_of, schedules_of
from fhir_server.cabinet.notices.systems import webhooks
from fhir_server.cabinet.notices.truth import is_true
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.delivery.composing import Composed
from fhir_server.interactions.commands import Create
from fhir_server.interactions.context import Context
from fhir_server.interactions.create import create
from fhir_server.smart.digests import digest
from fhir_server.store.links import Action, Link
from fhir_server.store.outgoing import WHOSE, Delivery, Occasion
from fhir_server.store.port import Stored, Unit

_KIND: Final = "Appointment"
_SILENT: Final = Composed()
_AWAITED: Final = "way"
"""The fact of an occasion that was told already but for this way, for which it was night."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An occasion with the visit that it is about."""

    occasion: Occasion
    kind: Kind
    patient: JsonObject
    resource: JsonObject
    visit: Visit
    policies: Sequence[BookingPolicy]
    """At least one."""
    details: Details
    now: int


@dataclass(slots=True)
class _Outgoing:
    """What has come together."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    """By address: nobody is told twice."""
    links: list[Link] = field(default_factory=list)
    rings: int | None = None
    """When quiet hours end that an SMS waits for; None: none waits."""


class Composer:
    """`await composer.compose(occasion)`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reading = Reading(parts.services)
        self._ctx = Context(parts.services, UNLIMITED)

    async def compose(self, occasion: Occasion) -> Composed:
        """`delivery.composing.Compose`."""
        found = await self._of_people(occasion)
        if _is_rest(occasion) or LOADED in occasion.facts:
            return found
        now = self._parts.services.now()
        systems = webhooks(occasion, self._parts.house.endpoints, now)
        return replace(found, deliveries=(*found.deliveries, *systems))

    async def _of_people(self, occasion: Occasion) -> Composed:
        patient = await self._reading.read("Patient", occasion.patient)
        kind = occasion.kind
        if patient is None or not is_kind(kind) or not _is_reached(patient):
            return _SILENT
        if kind == RESULT:
            return await of_result(self._parts, occasion, patient)
        told = await self._told(occasion, kind, patient)
        return _SILENT if told is None else await self._of_visit(told)

    async def _told(self, occasion: Occasion, kind: Kind, patient: JsonObject) -> _Told | None:
        """None: it is not so any more."""
        services = self._parts.services
        now, base = services.now(), services.base_url
        current = await self._reading.read(_KIND, occasion.about.partition("/")[2])
        visit = None if current is None else visit_of(current, base)
        if not is_true(ROWS[kind], occasion.facts, visit, patient["id"], now):
            return None
        if ROWS[kind].state == "over":
            version = await self._version(occasion, UNLIMITED)
            current = None if version is None else self._parsed(version)
        if current is None:
            return None
        visit = visit_of(current, base)
        schedules = await schedules_of(services, visit)
        policies = await rules_of(services, self._parts.policies, schedules)
        details = await self._reading.of(current, visit, policies[0].zone)
        return _Told(occasion, kind, patient, current, visit, policies, details, now)

    async def _of_visit(self, told: _Told) -> Composed:
        found = _Outgoing()
        if LOADED in told.occasion.facts:
            return self._composed(told, found, None)
        whose = told.patient["id"]
        letter: Letter | None = None
        is_flooded = await self._is_flooded(told)
        async for reader in self._parts.readers.of(told.visit, told.patient):
            if not is_meant(told.occasion, reader):
                continue
            if reader.is_patient and letter is None:
                letter = self._letter(told, reader)
            if not is_flooded:
                await self._tell(told, reader, found)
        is_shown = await self._sees(told, await self._parts.rights(of_patient(whose)))
        noted = None
        if letter is not None and is_shown and not _is_rest(told.occasion):
            ways = {each.channel for each in found.deliveries.values()}
            if found.rings is not None:
                ways.add("sms")
            sent: list[Way] = [way for way in ("email", "sms") if way in ways]
            noted = communication(letter, whose, told.resource, told.now, sent)
        return self._composed(told, found, noted)

    def _composed(self, told: _Told, found: _Outgoing, noted: JsonObject | None) -> Composed:
        coming = [each for each in (self._reminder(told), _awaited(told, found)) if each]

        async def write(unit: Unit) -> None:
            # A link whose message is never sent is known to nobody.
            for each in found.links:
                await self._parts.links.put(each)
            if noted is not None:
                await create(self._ctx.inside(unit), Create("Communication", noted))
            await unit.post(coming)

        kinds = ("Communication",) if noted is not None else ()
        return Composed(tuple(found.deliveries.values()), kinds, write)

    async def _tell(self, told: _Told, reader: Reader, found: _Outgoing) -> None:
        """Add what `reader` is sent, if they may know it."""
        chosen = [
            (way, to)
            for way, to in reader.chosen(told.kind)
            if to not in found.deliveries and way == told.occasion.facts.get(_AWAITED, way)
        ]
        rights = await self._parts.rights(reader.principal)
        if not chosen or not await self._sees(told, rights):
            return
        letter, house = self._letter(told, reader), self._parts.house
        for way, to in chosen:
            due = self._due(way, told)
            until = told.occasion.until
            if until is not None and due >= until:
                continue
            if due > told.now:
                found.rings = due
                continue
            links = await self._links(told, reader, to, rights)
            urls = [(each.action, url) for each, url in links]
            said = replace(letter, links=urls)
            found.deliveries[to] = message(
                told.occasion, said, (way, to, reader.id), due, house
            )
            found.links += [each for each, _ in links]

    async def _is_flooded(self, told: _Told) -> bool:
        """What the clinic does is told in any case, and each visit has one reminder."""
        facts = told.occasion.facts
        if facts.get("by") != "patient" or told.kind == REMINDER or WHOSE in facts:
            return False
        parts = self._parts
        return await is_flooded(parts.services, told.patient["id"], parts.house.daily)

    def _due(self, way: Way, told: _Told) -> int:
        if way != "sms" or _AWAITED in told.occasion.facts:
            return told.now
        return quiet.after(self._parts.house.quiet, told.now, told.details.zone)

    def _letter(self, told: _Told, reader: Reader) -> Letter:
        by_clinic = told.occasion.facts.get("by") == "clinic"
        name = "" if reader.is_patient else given_name(told.patient)
        return Letter(told.kind, reader.language, told.details, by_clinic, name)

    async def _links(
        self, told: _Told, reader: Reader, to: str, rights: Rights
    ) -> Sequence[tuple[Link, str]]:
        """What the reader may do with one tap, each with its URL."""
        user = reader.principal.user
        actions = list(offered(told.kind, told.visit, told.policies, user, told.now))
        store = self._parts.services.store
        if not actions or not await store.read(_KIND, told.visit.id, within=rights.update):
            return ()
        return [self._link(told, reader, to, each) for each in actions]

    def _link(
        self, told: _Told, reader: Reader, to: str, what: tuple[Action, int]
    ) -> tuple[Link, str]:
        action, until = what
        token = self._parts.new_token()
        link = Link(
            digest(token),
            action,
            told.visit.id,
            state(told.visit),
            told.patient["id"],
            None if reader.account is None else reader.account.id,
            sent_to(token, to),
            reader.language,
            told.now,
            until,
        )
        return link, f"{self._parts.house.issuer}{PATH}{token}"

    def _reminder(self, told: _Told) -> Occasion | None:
        """The reminder of a visit that is told of as booked."""
        start, zone = told.visit.start, told.details.zone
        is_first = told.kind != REMINDER and not _is_rest(told.occasion)
        if ROWS[told.kind].state != "booked" or not is_first or start is None:
            return None
        found = [reminded_at(start, each) for each in told.policies]
        due = min((each for each in found if each is not None), default=0)
        if due <= told.now:
            return None
        early = quiet.before(self._parts.house.quiet, due, zone)
        return reminder(told.occasion, start, early if early > told.now else due)

    async def _sees(self, told: _Told, rights: Rights) -> bool:
        """As it is now; what is over, as it was."""
        if ROWS[told.kind].state == "over":
            return await self._version(told.occasion, rights) is not None
        store = self._parts.services.store
        found = await store.read(_KIND, told.visit.id, within=rights.read)
        return found is not None and not found.deleted

    async def _version(self, occasion: Occasion, rights: Rights) -> Stored | None:
        """The version that the occasion is about."""
        id_, number = occasion.about.partition("/")[2], int(occasion.facts["version"])
        store = self._parts.services.store
        found = await store.vread(_KIND, id_, number, within=rights.read)
        return None if found is None or found.deleted else found

    def _parsed(self, version: Stored) -> JsonObject:
        return loads(version.body, max_depth=self._parts.services.limits.depth)


def _awaited(told: _Told, found: _Outgoing) -> Occasion | None:
    """What is told when the quiet hours end: to whom, where, and whether at all is found out
    then."""
    if found.rings is None:
        return None
    facts = {**told.occasion.facts, _AWAITED: "sms"}
    key = f"{told.occasion.key}/awaited"
    return replace(told.occasion, key=key, due=found.rings, facts=facts)


def _is_rest(occasion: Occasion) -> bool:
    """Whether the rest of it was told before."""
    return _AWAITED in occasion.facts or WHOSE in occasion.facts


def _is_reached(patient: JsonObject) -> bool:
    """Whether messages are for somebody: not of who has died, or of a record that is no
    more in use."""
    has_died = patient.get("deceasedBoolean", False) or "deceasedDateTime" in patient
    return not has_died and patient.get("active", True) is True
