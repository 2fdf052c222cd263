"""A letter on its way: one delivery to one address."""

from fhir_server.cabinet.notices.letters import Letter
from fhir_server.cabinet.notices.parts import House
from fhir_server.cabinet.notices.preferences import Way
from fhir_server.smart.digests import digest
from fhir_server.store.outgoing import Delivery, Occasion

_ADDRESS = 12
"""Characters of its digest that tell one address from another."""


def message(
    of: Occasion, letter: Letter, where: tuple[Way, str], due: int, house: House
) -> Delivery:
    """`letter` by a way to an address, not before `due` (milliseconds since 1970). Its key
    follows from the occasion and the address."""
    way, to = where
    doctor = way in house.names
    is_sms = way == "sms"
    content = letter.sms(doctor=doctor) if is_sms else letter.email(house.home, doctor=doctor)
    return Delivery(f"{of.key}/{way}/{digest(to)[:_ADDRESS]}", way, to, content, due)
