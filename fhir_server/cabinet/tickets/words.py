"""The words of tickets."""

from typing import Final

from fhir_server.core.messages import Text

VISIT: Final = Text("Visit to the clinic", "Приём в клинике", "Прийом у клініці")
TICKET: Final = Text("Ticket", "Талон", "Талон")
NUMBERED: Final = Text("ticket {number}", "талон {number}", "талон {number}")
TO: Final = Text("Doctor", "Врач", "Лікар")
SPECIALITY: Final = Text("Speciality", "Специальность", "Спеціальність")
WHERE: Final = Text("Where", "Где", "Де")
WHO: Final = Text("Patient", "Пациент", "Пацієнт")
BEFORE: Final = Text("To know", "Памятка", "Пам'ятка")
CANCELLED: Final = Text("Cancelled", "Отменено", "Скасовано")
TOMORROW: Final = Text(
    "A visit to the clinic is coming up.",
    "Скоро приём в клинике.",
    "Незабаром прийом у клініці.",
)
LOCAL_TIME: Final = Text("local time of the clinic", "время клиники", "час клініки")
NO_TICKET: Final = Text(
    "There is a ticket once the visit is booked.",
    "Талон появится, когда запись будет сделана.",
    "Талон з'явиться, коли запис буде зроблено.",
)
