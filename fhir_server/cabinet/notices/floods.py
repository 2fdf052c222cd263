"""How often it is written about one patient in a day: who books and cancels by turns makes the
clinic pay for each SMS, and fills somebody's mailbox.

https://cheatsheetseries.owasp.org/cheatsheets/Denial_of_Service_Cheat_Sheet.html
"""

from math import inf

from fhir_server.access.algebra import every
from fhir_server.access.codings import VISIT_NOTICE
from fhir_server.cabinet.booking.policy import DAY
from fhir_server.interactions.context import Services
from fhir_server.search import keys
from fhir_server.search.begins import between
from fhir_server.search.plan import UNRESTRICTED, Keys


async def is_flooded(services: Services, patient: str, most: int) -> bool:
    """Whether in the day behind us there were `most` notices or more in the record of the
    patient (a logical id)."""
    where = every(
        Keys("references", (keys.reference("patient", f"Patient/{patient}"),)),
        Keys("tokens", (keys.token("category", VISIT_NOTICE.system, VISIT_NOTICE.code),)),
        between(services.now() - DAY, inf),
    )
    store = services.store
    return await store.count("Communication", where, within=UNRESTRICTED, limit=most) >= most
