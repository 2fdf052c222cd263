"""Scopes in plain words: what each lets an app see, add, change or remove.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from typing import Final

from fhir_server.access.scopes import ALL_TYPES, ResourceScope
from fhir_server.core.messages import Text

KINDS: Final[dict[str, Text]] = {
    "Patient": Text("Personal details", "Личные данные", "Особисті дані"),
    "Observation": Text("Measurements and test results", "Измерения и анализы",
                        "Вимірювання та аналізи"),
    "Condition": Text("Diagnoses and problems", "Диагнозы и жалобы", "Діагнози та скарги"),
    "AllergyIntolerance": Text("Allergies", "Аллергии", "Алергії"),
    "Immunization": Text("Vaccinations", "Прививки", "Щеплення"),
    "MedicationRequest": Text("Prescriptions", "Рецепты и назначения",
                              "Рецепти та призначення"),
    "MedicationStatement": Text("Medicines taken", "Принимаемые лекарства",
                                "Ліки, які приймаються"),
    "MedicationDispense": Text("Medicines handed out", "Выданные лекарства", "Видані ліки"),
    "Procedure": Text("Procedures and operations", "Процедуры и операции",
                      "Процедури та операції"),
    "DiagnosticReport": Text("Laboratory and imaging reports", "Заключения исследований",
                             "Висновки досліджень"),
    "ImagingStudy": Text("Images", "Снимки", "Знімки"),
    "DocumentReference": Text("Documents", "Документы", "Документи"),
    "Binary": Text("Files", "Файлы", "Файли"),
    "Encounter": Text("Visits", "Посещения", "Візити"),
    "Appointment": Text("Appointments", "Записи на приём", "Записи на прийом"),
    "AppointmentResponse": Text("Answers to appointments", "Ответы на записи",
                                "Відповіді на записи"),
    "Slot": Text("Free times of doctors", "Свободное время врачей", "Вільний час лікарів"),
    "Schedule": Text("Schedules of doctors", "Расписание врачей", "Розклад лікарів"),
    "CarePlan": Text("Care plans", "Планы лечения", "Плани лікування"),
    "CareTeam": Text("Care team", "Лечащая команда", "Команда лікування"),
    "Goal": Text("Goals", "Цели лечения", "Цілі лікування"),
    "ServiceRequest": Text("Referrals", "Направления", "Направлення"),
    "Communication": Text("Messages", "Сообщения", "Повідомлення"),
    "QuestionnaireResponse": Text("Answered questionnaires", "Заполненные анкеты",
                                  "Заповнені анкети"),
    "Consent": Text("Consents", "Согласия", "Згоди"),
    "Coverage": Text("Insurance", "Полис", "Страхування"),
    "RelatedPerson": Text("Relatives", "Родственники", "Родичі"),
    "Person": Text("Account details", "Данные кабинета", "Дані кабінету"),
    "Task": Text("Requests and their progress", "Заявления и их рассмотрение",
                 "Заяви та їх розгляд"),
    "AuditEvent": Text("Who has looked at the record", "Кто смотрел карту",
                       "Хто переглядав картку"),
    "Provenance": Text("Where entries come from", "Происхождение записей",
                       "Походження записів"),
    "FamilyMemberHistory": Text("Family history", "Семейный анамнез", "Сімейний анамнез"),
    "Organization": Text("Clinics", "Клиники", "Клініки"),
    "Practitioner": Text("Doctors", "Врачи", "Лікарі"),
    "PractitionerRole": Text("Doctors' posts", "Должности врачей", "Посади лікарів"),
    "Location": Text("Places", "Адреса", "Адреси"),
    "Device": Text("Devices", "Устройства", "Пристрої"),
    "Medication": Text("Medicines", "Лекарства", "Ліки"),
    "List": Text("Lists", "Списки", "Списки"),
    "Flag": Text("Warnings", "Предупреждения", "Попередження"),
}  # fmt: skip
"""Types that people meet; others are called by their name in FHIR."""

EVERYTHING: Final = Text(
    "Everything in the record, and future kinds of data too",
    "Всё в карте, в том числе данные, которые появятся в будущем",
    "Усе в картці, зокрема дані, які з'являться в майбутньому",
)

_VISIT: Final = Text("Visit", "Посещение", "Візит")
_VISITS: Final[dict[str, Text]] = {
    "AMB": Text("Outpatient visit", "Амбулаторный приём", "Амбулаторний прийом"),
    "IMP": Text("Hospital stay", "Стационар", "Стаціонар"),
    "ACUTE": Text("Hospital stay", "Стационар", "Стаціонар"),
    "NONAC": Text("Hospital stay", "Стационар", "Стаціонар"),
    "SS": Text("Short hospital stay", "Дневной стационар", "Денний стаціонар"),
    "EMER": Text("Emergency", "Неотложная помощь", "Невідкладна допомога"),
    "HH": Text("Home visit", "Вызов на дом", "Виклик додому"),
    "VR": Text("Remote consultation", "Дистанционная консультация",
               "Дистанційна консультація"),
}  # fmt: skip
"""By code of v3-ActCode, as `Encounter.class` has it."""

_OBSERVATION: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_CONDITION: Final = "http://terminology.hl7.org/CodeSystem/condition-category"

CATEGORIES: Final[dict[str, dict[str, Text]]] = {
    "Observation": {
        f"{_OBSERVATION}|laboratory": Text("laboratory", "анализы", "аналізи"),
        f"{_OBSERVATION}|vital-signs": Text("vital signs", "показатели организма",
                                            "показники організму"),
        f"{_OBSERVATION}|imaging": Text("imaging", "снимки", "знімки"),
        f"{_OBSERVATION}|social-history": Text("way of life", "образ жизни", "спосіб життя"),
        f"{_OBSERVATION}|survey": Text("questionnaires", "анкеты", "анкети"),
        f"{_OBSERVATION}|exam": Text("examinations", "осмотры", "огляди"),
        f"{_OBSERVATION}|procedure": Text("procedures", "процедуры", "процедури"),
        f"{_OBSERVATION}|therapy": Text("therapy", "терапия", "терапія"),
        f"{_OBSERVATION}|activity": Text("activity", "активность", "активність"),
    },
    "Condition": {
        f"{_CONDITION}|problem-list-item": Text("lasting problems", "постоянные проблемы",
                                                "постійні проблеми"),
        f"{_CONDITION}|encounter-diagnosis": Text("diagnoses of visits",
                                                  "диагнозы посещений", "діагнози візитів"),
    },
}  # fmt: skip
"""What a person may narrow Observation and Condition to, by `system|code`."""

WHOLE: Final = (
    "Patient", "Observation", "Condition", "AllergyIntolerance", "Immunization",
    "MedicationRequest", "MedicationStatement", "Procedure", "DiagnosticReport",
    "DocumentReference", "Binary", "Encounter", "Appointment", "CarePlan", "ServiceRequest",
    "Communication", "QuestionnaireResponse", "Consent", "Coverage", "RelatedPerson", "Task",
)  # fmt: skip
"""What a person may choose from where an app asks for everything."""

_SEE: Final = Text("see", "смотреть", "переглядати")
_ADD: Final = Text("add", "добавлять", "додавати")
_CHANGE: Final = Text("change", "изменять", "змінювати")
_REMOVE: Final = Text("remove", "удалять", "видаляти")

VERBS: Final = (("rs", _SEE), ("c", _ADD), ("u", _CHANGE), ("d", _REMOVE))


def kind(type_: str) -> Text:
    """What people call a resource type."""
    if type_ == ALL_TYPES:
        return EVERYTHING
    return KINDS.get(type_) or Text(type_, type_, type_)


def visit(code: str) -> Text:
    """What people call a class of encounter."""
    return _VISITS.get(code, _VISIT)


def within(whole: Text, part: Text) -> Text:
    """`Diagnoses: of visits`."""
    return Text(*(f"{one}: {other}" for one, other in zip(whole, part, strict=True)))


def verbs(scope: ResourceScope) -> list[Text]:
    """What the scope lets an app do."""
    return [text for letters, text in VERBS if scope.letters & set(letters)]


def filters(scope: ResourceScope) -> list[Text]:
    """What the scope is narrowed to; a filter that is no known category stands as it is."""
    known = CATEGORIES.get(scope.type, {})
    found: list[Text] = []
    for name, value in scope.query:
        for each in value.split(","):
            as_written = f"{name}={each}"
            found.append(known.get(each) or Text(as_written, as_written, as_written))
    return found
