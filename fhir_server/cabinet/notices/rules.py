"""The clinic's rules of a stored visit: those of every Schedule that its places are of."""

from collections.abc import Sequence

from fhir_server.access.rights import UNLIMITED
from fhir_server.cabinet.booking.policies import Policies
from fhir_server.cabinet.booking.policy import BookingPolicy
from fhir_server.cabinet.booking.slots import place_of
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.details import Reading
from fhir_server.interactions.context import Context, Services


async def schedules_of(services: Services, visit: Visit) -> Sequence[str]:
    """Logical ids, each once."""
    reading = Reading(services)
    slots = [await reading.read("Slot", each) for each in visit.slots]
    found = [place_of(each, services.base_url).schedule for each in slots if each is not None]
    return list(dict.fromkeys(each for each in found if each is not None))


async def rules_of(
    services: Services, policies: Policies, schedules: Sequence[str]
) -> Sequence[BookingPolicy]:
    """The rules of `schedules`, the first one's first; without any the operator's."""
    look = policies.look(Context(services, UNLIMITED))
    return [await look.of(each) for each in schedules] or [await look.of(None)]
