"""Which visits a person sees: by the way they were booked, and by how the person signed in.

Who proved no more than an e-mail address sees of the own visits what the portal booked; whom a
state's provider vouches for sees all of them; of represented persons everybody sees what the
portal booked under the very account. It is a predicate like all rights: what it hides is
absent, and cannot be changed.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.access.algebra import either, every, without
from fhir_server.access.audience import of_patients, of_patients_alone
from fhir_server.access.codings import VISIT_NOTICE
from fhir_server.access.decisions import Permitted
from fhir_server.access.principal import Principal
from fhir_server.search import keys
from fhir_server.search.plan import Chain, Everything, Keys, Node, Nothing, Prefix
from fhir_server.spec.interactions import ScopeLetter

PORTAL: Final = Keys("tokens", (keys.token("booking-channel", None, "portal"),))
"""What the portal booked. A version whose index does not say so is none of them."""

_NOTICES: Final = Keys("tokens", (keys.token("category", *VISIT_NOTICE),))

_NAMING: Final = {"AuditEvent": "entity", "Provenance": "target"}
"""What is told of other resources: the reference parameter that names them."""

_JUDGED: Final[tuple[ScopeLetter, ...]] = ("r", "u", "d", "s")
"""A new visit is booked by the portal, whatever its writer says."""


@dataclass(frozen=True, slots=True)
class VisitRules:
    """An operator's choice."""

    by_channel: bool = False
    """Off, persons see every visit in the records that are open to them."""
    level: int = 3
    """Identity assurance of a sign-in from which on the channel of own visits is no matter."""


def seen(
    rules: VisitRules, principal: Principal, own: frozenset[str]
) -> Mapping[ScopeLetter, Permitted]:
    """By permission what of each type a person may see; empty where nothing is limited.

    `own`: logical ids of the patients that the person is.
    """
    if not rules.by_channel:
        return {}
    is_strong = principal.level >= rules.level
    ids = tuple(sorted(own))

    def permitted(kind: str) -> Node:
        match kind:
            case "Appointment":
                mine = of_patients(kind, ids)
                return either(
                    mine if is_strong else every(PORTAL, mine),
                    every(PORTAL, _booked_by(principal.user)),
                )
            case "AppointmentResponse":  # the chain carries the Restriction of Appointment
                return Chain("appointment", "Appointment", Everything())
            case "AuditEvent" | "Provenance":
                others = without(Prefix("references", f"{_NAMING[kind]}|Appointment/"))
                return either(others, of_patients_alone(kind, ids)) if is_strong else others
            case "Communication":  # written of what an e-mail address sees, for the patient
                return either(without(_NOTICES), of_patients(kind, ids))
            case _:
                return Everything()

    return dict.fromkeys(_JUDGED, permitted)


def _booked_by(user: str | None) -> Node:
    if user is None:
        return Nothing()
    return Keys("references", (keys.reference("booked-by", user),))
