"""A letter on its way: one delivery to one address."""

from fhir_server.cabinet.notices.letters import Letter
from fhir_server.cabinet.notices.parts import House
from fhir_server.cabinet.notices.preferences import Way
from fhir_server.store.outgoing import Delivery, Occasion


def message(
    of: Occasion, letter: Letter, where: tuple[Way, str, str], due: int, house: House
) -> Delivery:
    """`letter` by a way to somebody's address, not before `due` (milliseconds since 1970). Its
    key follows from the occasion and who it is, not from the address: of the numbers of a
    country each can be tried."""
    way, to, whose = where
    doctor = way in house.names
    is_sms = way == "sms"
    content = letter.sms(doctor=doctor) if is_sms else letter.email(house.home, doctor=doctor)
    return Delivery(f"{of.key}/{way}/{whose}", way, to, content, due, whose)
