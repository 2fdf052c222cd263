"""Callers who see some visits of a patient, and what two servers hold of these.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import ProxyRules
from fhir_server.access.scopes import parse_scopes
from fhir_server.access.visibility import VisitRules
from fhir_server.cabinet.booking.names import BOOKED_BY, CHANNEL
from fhir_server.search.index.provenance_patient import EXTENSION
from tests.support.fhir import JsonObject
from tests.support.relations import relation, years_before
from tests.support.visit_doors import READS, WRITES
from tests.support.worlds import ROOT, Answer, Ask, Tokens, World

BY_CHANNEL: Final = AccessPolicy(
    proxies=ProxyRules(child_age=15), visits=VisitRules(by_channel=True)
)
EMAIL, STRONG = 1, 3
"""Levels of a sign-in."""
DOORS: Final[Mapping[str, Ask]] = READS | WRITES
SEEN: Final = range(4)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A caller; the visits are about the patient of the same name."""

    name: str
    level: int
    channel: str
    """Of what is hidden."""
    booked_by: str = "{p}"
    """The patient whose account booked what is hidden."""
    user: str = "{p}"
    policy: AccessPolicy = BY_CHANNEL

    @property
    def is_proxy(self) -> bool:
        return self.user != "{p}"

    @property
    def account(self) -> str:
        """The reference of the patient who signed in."""
        return f"Patient/{self.user.replace('{p}', self.name)}"

    @property
    def principal(self) -> Principal:
        user = self.account.removeprefix("Patient/")
        return Principal(
            "app",
            parse_scopes("user/*.cruds" if self.is_proxy else "patient/*.cruds"),
            patient=None if self.is_proxy else self.name,
            user=self.account,
            account=self.name,
            represented=tuple(dict.fromkeys((user, self.name))),
            token=self.name,
            level=self.level,
        )


EMAILED: Final = Visitor("emailed", EMAIL, "registry")
PARENT: Final = Visitor("parent", STRONG, "portal", user="{p}-mother")
VISITORS: Final = (
    EMAILED,
    PARENT,
    Visitor("registered", STRONG, "registry", booked_by="{p}-mother", user="{p}-mother"),
)
TEETH: Final = Visitor("visits", EMAIL, "registry")
"""Of somebody who may see everything."""


def hidden_ids(visitor: Visitor) -> dict[str, str]:
    """By door the id of the hidden visit that it asks for."""
    h = f"{visitor.name}-hidden"
    return dict.fromkeys(READS, h) | {door: f"{h}-{n}" for n, door in enumerate(WRITES)}


def load(worlds: tuple[World, World], tokens: Tokens, visitor: Visitor) -> None:
    """Give both servers what may be seen, and the one what may not."""
    tokens.give(ROOT if visitor is TEETH else visitor.principal, visitor.policy)
    hiding, empty = worlds
    for world, was in ((hiding, "one"), (empty, "two")):
        world.load(*_visible(visitor))
        for who, text in ((_hidden, was), (_seen, "now")):
            moved = _visit(f"{visitor.name}-moved", visitor, who(visitor))
            world.load(moved | {"comment": text})
    hiding.load(*_concealed(visitor), at_once=True)
    hiding.remove(f"Appointment/{visitor.name}-hidden-gone")


def answers(
    worlds: tuple[World, World], visitor: Visitor, door: str
) -> tuple[list[Answer], list[Answer]]:
    """What the caller learns at `door` from each of the two."""
    token = ROOT.token if visitor is TEETH else visitor.name
    id_ = hidden_ids(visitor)[door]
    hiding, empty = (world.ask(DOORS[door], token, visitor.name, id_) for world in worlds)
    return hiding, empty


def telling(worlds: tuple[World, World], visitor: Visitor, *doors: str) -> list[str]:
    """Those of `doors` at which the two do not answer alike."""
    pairs = ((door, answers(worlds, visitor, door)) for door in doors)
    return [door for door, (hiding, empty) in pairs if hiding != empty]


def booking(channel: str, account: str) -> list[JsonObject]:
    """The extensions of a visit."""
    return [
        {"url": CHANNEL, "valueCode": channel},
        {"url": BOOKED_BY, "valueReference": {"reference": account}},
    ]


def _hidden(visitor: Visitor) -> list[JsonObject]:
    account = visitor.booked_by.replace("{p}", visitor.name)
    return booking(visitor.channel, f"Patient/{account}")


def _seen(visitor: Visitor) -> list[JsonObject]:
    return booking("portal", visitor.account)


def _visit(id_: str, visitor: Visitor, said: list[JsonObject], **more: Any) -> JsonObject:
    people = (f"Patient/{visitor.name}", f"Practitioner/{visitor.name}-doctor")
    return {
        "resourceType": "Appointment",
        "id": id_,
        "extension": said,
        "identifier": [{"system": "urn:h", "value": id_}],
        "status": "proposed",
        "participant": [
            {"actor": {"reference": each}, "status": "needs-action"} for each in people
        ],
        **more,
    }


def _times(day: int) -> JsonObject:
    day_ = f"2050-02-{day:02}T10"
    return {"start": f"{day_}:00:00Z", "end": f"{day_}:30:00Z"}


def _answer(visit: str, visitor: Visitor) -> JsonObject:
    return {
        "resourceType": "AppointmentResponse",
        "id": f"{visit}-answer",
        "appointment": {"reference": f"Appointment/{visit}"},
        "actor": {"reference": f"Patient/{visitor.name}"},
        "participantStatus": "tentative",
    }


def _visible(visitor: Visitor) -> list[JsonObject]:
    p, said = visitor.name, _seen(visitor)
    seen = [f"{p}-seen-{n}" for n in SEEN]
    visits = [{"reference": f"Appointment/{each}"} for each in (*seen, *_hidden_visits(p))]
    person = {"reference": f"Patient/{p}"}
    born = years_before(datetime.now(UTC).date(), 3)
    child = {"birthDate": born} if visitor.is_proxy else {}
    return [
        {"resourceType": "Patient", "id": p, **child},
        *(relation(p, f"{p}-mother") if visitor.is_proxy else ()),
        {"resourceType": "Practitioner", "id": f"{p}-doctor"},
        {
            "resourceType": "Encounter",
            "id": f"{p}-encounter",
            "status": "planned",
            "class": {"code": "AMB"},
            "subject": person,
            "appointment": visits,
        },
        {
            "resourceType": "List",
            "id": f"{p}-list",
            "status": "current",
            "mode": "working",
            "subject": person,
            "entry": [
                {"item": each} for each in ({"reference": f"Encounter/{p}-encounter"}, *visits)
            ],
        },
        *(_visit(each, visitor, said, **_times(10 + n)) for n, each in enumerate(seen)),
        _answer(seen[0], visitor),
        *(
            _visit(f"{each}-beside", visitor, said)
            | {"identifier": [{"system": "urn:pair", "value": each}]}
            for door, each in hidden_ids(visitor).items()
            if "beside" in door
        ),
    ]


def _hidden_visits(p: str) -> list[str]:
    found = {f"{p}-hidden", *(f"{p}-hidden-{n}" for n in range(len(WRITES)))}
    return sorted(found)


def _concealed(visitor: Visitor) -> list[JsonObject]:
    p = visitor.name
    found: list[JsonObject] = []
    for n, id_ in enumerate((f"{p}-hidden-gone", *_hidden_visits(p))):
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{id_}</div>'
        pair = {"system": "urn:pair", "value": id_}
        visit = _visit(
            id_,
            visitor,
            _hidden(visitor),
            meta={"tag": [{"system": "urn:tag", "code": id_}]},
            text={"status": "generated", "div": div},
            comment=f"of {id_}",
            **_times(1 + n),
        )
        visit["identifier"] = [*visit["identifier"], pair]
        found += [visit, _answer(id_, visitor)]
    found.append({
        "resourceType": "Provenance",
        "id": f"{p}-hidden-provenance",
        "extension": [{"url": EXTENSION, "valueReference": {"reference": f"Patient/{p}"}}],
        "target": [{"reference": f"Appointment/{p}-hidden"}],
        "recorded": "2020-01-01T00:00:00Z",
        "agent": [{"who": {"reference": f"Practitioner/{p}-doctor"}}],
    })  # fmt: skip
    return found
