"""Every guard of every type, in the order in which they are asked.

A guard that only forbids comes before one that does something of its own.
"""

from collections.abc import Mapping, Sequence

from fhir_server.assembly import audit, emergencies, grant_records, notices
from fhir_server.assembly.grant_records import GrantRecords
from fhir_server.interactions import messages, own_hand, search_parameters
from fhir_server.interactions.context import Guard
from fhir_server.interactions.guards import together
from fhir_server.settings import Settings

Guards = Mapping[str, Sequence[Guard]]


def guards(settings: Settings, grants: GrantRecords) -> Guards:
    """By resource type."""
    return together(
        {search_parameters.KIND: (search_parameters.guard_search_parameter,)},
        own_hand.guards(staff_consents=settings.staff_consents),
        {grant_records.KIND: (grants.guard,), messages.KIND: (messages.guard_message,)},
        audit.guards(settings),
        emergencies.GUARDS,
        notices.guards(settings),
    )
