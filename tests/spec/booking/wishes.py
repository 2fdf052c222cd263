"""Two doctors, their places, and what people and staff might wish of these.

https://hl7.org/fhir/R4/appointment.html#statuses
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from hypothesis import strategies as st

from fhir_server.access.principal import Principal
from fhir_server.cabinet.booking.entries import entry_of, state_of
from fhir_server.cabinet.booking.names import CAPACITY
from fhir_server.cabinet.booking.policy import DAY, HOUR, MINUTE
from fhir_server.cabinet.booking.visits import visit_of
from fhir_server.core.datetimes import format_instant
from tests.spec.booking import doors
from tests.spec.booking.abreast import BEGIN, Abreast, Request
from tests.spec.booking.conftest import person
from tests.spec.booking.predicted import CLOSED, HOLD, OFFERS, Deed, Spot, State, Visit
from tests.spec.booking.test_book import policy
from tests.spec.booking.waiting import SYSTEM, staff
from tests.support.fhir import JsonObject

BASE: Final = "http://test/fhir"
PEOPLE: Final = 5
_HALF: Final = 30 * MINUTE
_SPOTS: Final = (  # day, minutes, capacity, doctor
    (20, 0, 1, 0),
    (20, 15, 1, 1),  # at the time of the first
    (21, 0, 2, 0),
    (22, 0, 1, 1),
    (22, 30, 1, 1),  # right behind it: a visit may take both
)
_PAIR: Final = (3, 4)
_ANY: Final = 5
_WAITING: Final = ((0, None), (1, 0), (2, None))
"""Who waits at the beginning, and for which doctor; the last one came first."""
_NUMBERS: Final = count(1)

Kind = Literal["book", "hold", "confirm", "cancel", "move", "join", "decline", "keep", "slot"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that somebody might do; numbers are taken modulo what there is."""

    kind: Kind
    person: int
    slot: int
    door: int
    server: int
    visit: int
    """Which of the visits that there are, the newest first."""
    other: bool
    """Two places, or only one doctor."""


MAKES: Final[frozenset[Kind]] = frozenset({"book", "hold", "move", "join", "keep"})
"""Of which a new Appointment comes."""
_KINDS: Final[Sequence[Kind]] = (
    *("cancel", "join", "confirm", "decline", "book"),
    *("hold", "move", "keep", "slot"),
    *("cancel", "join", "confirm", "book", "cancel"),  # what keeps the queue moving
)
WISHES: Final = st.builds(
    Wish,
    kind=st.sampled_from(_KINDS),
    person=st.integers(0, PEOPLE - 1),
    slot=st.integers(0, len(_SPOTS) - 1),
    door=st.integers(0, 11),
    server=st.integers(0, 1),
    visit=st.integers(0, 5),
    other=st.booleans(),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A request, and what it means for the model when the Appointment with that id is made."""

    wish: Wish
    request: Request
    deed: Callable[[str], Deed]


class World:
    """Two doctors of a speciality of its own, their places, and people."""

    def __init__(self, servers: Abreast) -> None:
        self.servers = servers
        servers.now = BEGIN
        self.code = f"machine{next(_NUMBERS)}"
        self.spots = {
            f"{self.code}-s{n}": Spot(
                start := BEGIN + day * DAY + minutes * MINUTE,
                start + _HALF,
                capacity,
                f"Practitioner/{self.code}-{doctor}",
            )
            for n, (day, minutes, capacity, doctor) in enumerate(_SPOTS)
        }
        self.slots = sorted(self.spots)
        self.people = [person(f"{self.code}-p{n}") for n in range(PEOPLE)]
        self.visits: dict[str, JsonObject] = {}
        """Appointments as they are stored."""
        self.places: dict[str, JsonObject] = {}
        self.order: list[str] = []
        """Their ids, as they were made."""
        self._load(self._first())
        self._load(self._taken())
        self.state = self.read()

    def _first(self) -> Sequence[JsonObject]:
        rules = policy(
            waitlist={"valueBoolean": True},
            offers={"valueInteger": OFFERS},
            most_takes={"valueInteger": 0},  # nothing is remembered of what was given up
        )
        found: list[JsonObject] = [
            {"resourceType": "Patient", "id": str(each.patient)} for each in self.people
        ]
        found += [
            {
                "resourceType": "Schedule",
                "id": doctor.partition("/")[2],
                "actor": [{"reference": doctor}],
                "specialty": [self.concept],
                **rules,
            }
            for doctor in sorted({each.doctor for each in self.spots.values()})
        ]
        found += [
            {
                "resourceType": "Slot",
                "id": id_,
                "extension": [{"url": CAPACITY, "valuePositiveInt": spot.capacity}],
                "schedule": {"reference": f"Schedule/{spot.doctor.partition('/')[2]}"},
                "status": "free",
                "start": format_instant(spot.start),
                "end": format_instant(spot.end),
            }
            for id_, spot in self.spots.items()
        ]
        return found

    def _taken(self) -> Sequence[JsonObject]:
        """Visits on all places: where nothing is free, a queue begins."""
        found: list[JsonObject] = []
        for slot, spot in self.spots.items():
            for place in range(spot.capacity):
                id_ = f"{slot}-{place}"
                self.order.append(id_)
                visit = self._visit(f"{self.code}-w{place}", (slot,), "booked")
                found.append({**visit, "id": id_})
        for number, doctor in _WAITING:
            id_, since = f"{self.code}-e{number}", BEGIN - (1 + number) * HOUR
            self.order.append(id_)
            named = None if doctor is None else f"Practitioner/{self.code}-{doctor}"
            entry = self._entry(f"{self.code}-p{number}", named)
            found.append({**entry, "id": id_, "created": format_instant(since)})
        return found

    def _load(self, found: Sequence[JsonObject]) -> None:
        rows = [
            {
                "resource": each,
                "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
            }
            for each in found
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": rows}
        self.servers.root("POST", "/", bundle)

    @property
    def concept(self) -> JsonObject:
        return {"coding": [{"system": SYSTEM, "code": self.code}]}

    def read(self) -> State:
        """Everything that is stored."""
        visits = self.servers.root("GET", f"/Appointment?specialty={self.code}&_count=500")
        places = self.servers.root("GET", f"/Slot?_id={','.join(self.slots)}")
        self.visits = {e["resource"]["id"]: e["resource"] for e in visits.get("entry", ())}
        self.places = {e["resource"]["id"]: e["resource"] for e in places["entry"]}
        return State(
            tuple(sorted((id_, each["status"]) for id_, each in self.places.items())),
            tuple(sorted(_seen(each) for each in self.visits.values())),
        )

    # From a wish to a request -------------------------------------------------------------

    def plan(self, wish: Wish) -> Plan | None:
        """The request that `wish` is now; None: there is nothing that it could be about."""
        match wish.kind:
            case "book" | "hold" | "keep":
                return self._take(wish)
            case "join":
                return self._join(wish)
            case "slot":
                return self._slot(wish)
            case _:
                return self._change(wish)

    def _take(self, wish: Wish) -> Plan:
        who = self.people[wish.person]
        # Staff answer the telephone: somebody without an account.
        patient = f"{self.code}-w{wish.person}" if wish.kind == "keep" else str(who.patient)
        status = "pending" if wish.kind == "hold" else "booked"
        slots = self._wanted(wish, at_most=1 if status == "pending" else 2)
        body = self._visit(patient, slots, status)
        expires = self.servers.now + HOLD if status == "pending" else None
        is_person = wish.kind != "keep"

        def deed(id_: str) -> Deed:
            visit = Visit(id_, patient, status, slots, expires, by_person=is_person)
            return lambda play: play.take(visit)

        ways = doors.TO_HOLD if status == "pending" else doors.TO_BOOK
        return Plan(
            wish, doors.book(who if is_person else staff(), _of(ways, wish), body), deed
        )

    def _wanted(self, wish: Wish, at_most: int = 2) -> tuple[str, ...]:
        """What is free, if anything is; now and then what is not."""
        if wish.other and at_most > 1 and wish.slot in _PAIR:
            return tuple(self.slots[n] for n in _PAIR)
        free = [each for each in self.slots if self.places[each]["status"] == "free"]
        found = self.slots if wish.visit == _ANY else free or self.slots
        return (found[wish.slot % len(found)],)

    def _visit(self, patient: str, slots: Sequence[str], status: str) -> JsonObject:
        found = [self.spots[each] for each in slots]
        return {
            "resourceType": "Appointment",
            "status": status,
            "specialty": [self.concept],
            "start": format_instant(min(each.start for each in found)),
            "end": format_instant(max(each.end for each in found)),
            "slot": [{"reference": f"Slot/{each}"} for each in slots],
            "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}
            ],
        }

    def _join(self, wish: Wish) -> Plan:
        who = self.people[wish.person]
        patient, now = str(who.patient), self.servers.now
        doctor = self.spots[self.slots[wish.slot]].doctor if wish.other else None
        body = self._entry(patient, doctor)

        def deed(id_: str) -> Deed:
            entry = Visit(id_, patient, "waitlist", is_queued=True, doctor=doctor, created=now)
            return lambda play: play.join(entry)

        return Plan(wish, doors.join(who, _of(doors.TO_JOIN, wish), body), deed)

    def _entry(self, patient: str, doctor: str | None) -> JsonObject:
        named = [{"actor": {"reference": doctor}, "status": "needs-action"}] if doctor else []
        own = {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"}
        return {
            "resourceType": "Appointment",
            "status": "waitlist",
            "specialty": [self.concept],
            "participant": [own, *named],
        }

    def _slot(self, wish: Wish) -> Plan:
        slot = self.slots[wish.slot]
        status = "free" if wish.other else CLOSED
        body = {**self.places[slot], "status": status}
        request = Request(staff(), "PUT", f"/Slot/{slot}", body)

        def deed(_: str) -> Deed:
            return lambda play: play.open(slot) if wish.other else play.close(slot)

        return Plan(wish, request, deed)

    def _change(self, wish: Wish) -> Plan | None:
        """Something about a visit that there is."""
        wanted = {
            "confirm": {"pending", "proposed"},
            "decline": {"proposed"},
            "move": {"booked"},
        }.get(wish.kind, {"pending", "proposed", "waitlist", "booked"})
        found = [
            self.visits[each]
            for each in reversed(self.order)
            if self.visits[each]["status"] in wanted
        ]
        found.sort(key=lambda each: each["status"] != "booked")
        if not found:
            return None
        visit = found[wish.visit % len(found)]
        id_, patient = visit["id"], visit_of(visit, BASE).patients[0]
        who = staff() if "-w" in patient else person(patient)
        match wish.kind:
            case "confirm":
                is_offer = _seen(visit).is_queued
                ways = doors.TO_ACCEPT if is_offer else doors.TO_CONFIRM
                request = doors.confirm(who, _of(ways, wish), visit)
                return Plan(wish, request, lambda _: lambda play: play.confirm(id_))
            case "decline":
                request = doors.decline(who, _of(doors.TO_DECLINE, wish), visit)
                return Plan(wish, request, lambda _: lambda play: play.decline(id_))
            case "cancel":
                request = doors.cancel(who, _of(doors.TO_CANCEL, wish), visit)
                return Plan(wish, request, lambda _: lambda play: play.cancel(id_))
            case _:
                return self._move(wish, who, id_, patient)

    def _move(self, wish: Wish, who: Principal, id_: str, patient: str) -> Plan | None:
        if who.staff:
            return None
        slots = self._wanted(wish)
        body = self._visit(patient, slots, "booked")
        request = doors.move(who, _of(doors.TO_MOVE, wish), id_, body)

        def deed(fresh: str) -> Deed:
            return lambda play: play.move(id_, Visit(fresh, patient, "booked", slots))

        return Plan(wish, request, deed)


def _of(ways: Sequence[str], wish: Wish) -> str:
    return ways[wish.door % len(ways)]


def _seen(resource: JsonObject) -> Visit:
    """A stored Appointment, as the model has it."""
    visit, said = visit_of(resource, BASE), state_of(resource)
    patient = visit.patients[0]
    if visit.status == "cancelled":
        return Visit(visit.id, patient, "cancelled", made=said.made)
    waits = visit.status in {"waitlist", "proposed"}
    own = {**resource, "participant": resource["participant"][: said.own]}
    doctors = sorted(entry_of(own, BASE).doctors) if waits else []
    is_kept = visit.status in {"pending", "proposed"}
    return Visit(
        visit.id,
        patient,
        visit.status,
        tuple(sorted(visit.slots)),
        visit.expires if is_kept else None,
        by_person=(visit.booked_by or "").startswith("Patient/"),
        is_queued=visit.is_queued,
        doctor=doctors[0] if doctors else None,
        created=int(entry_of(resource, BASE).order[1]) if visit.is_queued else 0,
        made=said.made,
        refused=tuple(sorted(said.refused)),
    )
