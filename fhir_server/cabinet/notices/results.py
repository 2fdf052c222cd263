"""A result is ready: told by e-mail, to the patient, with the patient's Consent, and without a
word of what it is.

https://hl7.org/fhir/R4/diagnosticreport.html
"""

from typing import Final

from fhir_server.access.required import Required, missing
from fhir_server.cabinet.notices.kinds import RESULT
from fhir_server.cabinet.notices.letters import Letter
from fhir_server.cabinet.notices.messages import message
from fhir_server.cabinet.notices.parts import Parts
from fhir_server.cabinet.notices.readers import is_meant
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.delivery.composing import Composed
from fhir_server.store.outgoing import Delivery, Occasion

_KIND: Final = "DiagnosticReport"
_UNNAMED: Final = Text("", "", "")


async def of_result(parts: Parts, occasion: Occasion, patient: JsonObject) -> Composed:
    """What is made of the occasion. In the record there is nothing to say: the report stands
    there itself."""
    if not await _may_be_told(parts, patient["id"]):
        return Composed()
    found: dict[str, Delivery] = {}
    id_ = occasion.about.partition("/")[2]
    async for reader in parts.readers.of(None, patient):
        if not is_meant(occasion, reader):
            continue
        within = (await parts.rights(reader.principal)).read
        report = await parts.services.store.read(_KIND, id_, within=within)
        if report is None or report.deleted:
            continue
        letter, now = Letter(RESULT, reader.language, None), parts.services.now()
        for way, to in reader.chosen(RESULT):
            if way == "email" and to not in found:
                found[to] = message(occasion, letter, (way, to, reader.id), now, parts.house)
    return Composed(tuple(found.values()))


async def _may_be_told(parts: Parts, patient: str) -> bool:
    wanted, services = parts.house.results, parts.services
    if wanted is None:
        return False
    consents = await parts.readers.facts.consents((patient,))
    needed = (Required((wanted,), _UNNAMED, _UNNAMED),)
    return not missing(needed, consents, patient, services.now(), services.base_url)
