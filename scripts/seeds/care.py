"""What was done: Encounter, EpisodeOfCare, Procedure, CareTeam, CarePlan."""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from collections.abc import Iterator
from typing import Any, Final

from scripts.seeds.clinics import Clinic
from scripts.seeds.diseases import DISEASES, PROBLEMS, Problem, problem_of
from scripts.seeds.elements import (
    HL7,
    HOME,
    SNOMED,
    JsonObject,
    Term,
    Text,
    clock,
    concept,
    day,
    identifier,
    moment,
    narrative,
    period,
    reference,
    relative,
)
from scripts.seeds.families import accounts_of
from scripts.seeds.laboratory import meta
from scripts.seeds.people import PATIENT, Person
from scripts.seeds.referrals import referrals_of
from scripts.seeds.staff import DOCTOR
from scripts.seeds.visits import Visit, first_visit, visits

_ACT: Final = f"{HL7}/v3-ActCode"
_PARTICIPATION: Final = f"{HL7}/v3-ParticipationType"
_CLASSES: Final = {
    "AMB": "ambulatory",
    "IMP": "inpatient encounter",
    "EMER": "emergency",
    "HH": "home health",
    "VR": "virtual",
}


def encounters(clinic: Clinic) -> Iterator[JsonObject]:
    yield from (_team(each) for each in _lasting(clinic))
    yield from (_episode(each) for each in _lasting(clinic))
    yield from (_encounter(each) for each in visits(clinic))


def care(clinic: Clinic) -> Iterator[JsonObject]:
    yield from (_procedure(*row) for row in _PROCEDURES if row[1].endswith(clinic.suffix))
    for row in _lasting(clinic):
        yield _former_plan(row)
        yield _plan(row)


def _lasting(clinic: Clinic) -> list[Problem]:
    own = [each for each in PROBLEMS if each.person.clinic is clinic]
    return [each for each in own if each.disease in LASTING]


LASTING: Final = frozenset(
    {"diabetes-2", "diabetes-1", "breast-cancer", "fibrillation", "copd"}
)


def _encounter(visit: Visit) -> JsonObject:
    person, clinic = visit.person, visit.person.clinic
    problem = problem_of(person.id)
    reason = DISEASES[problem.disease].concept(clinic) if problem else None
    condition = problem.reference if problem else None
    role = concept(f"{HL7}/diagnosis-role", "CC", "Chief complaint")
    elements: dict[str, Any] = {
        "identifier": [identifier(clinic.system("visit"), visit.id, "VN")],
        "status": visit.status,
        "class": {"system": _ACT, "code": visit.kind, "display": _CLASSES[visit.kind]},
        "type": [concept(SNOMED, "185349003", "Encounter for check up")],
        "serviceType": concept(f"{HL7}/service-type", "124", "General Practice"),
        "priority": concept(f"{HL7}/v3-ActPriority", "EM" if visit.kind == "EMER" else "R"),
        "subject": person.reference,
        "episodeOfCare": _episode_of(person),
        "basedOn": referrals_of(person),
        "participant": [_attender(visit)],
        "appointment": [reference(f"Appointment/{visit.appointment}")]
        if visit.appointment
        else None,
        "period": _span(visit),
        "length": _length(visit),
        "reasonCode": [reason] if reason else None,
        "reasonReference": [condition] if condition else None,
        "diagnosis": [{"condition": condition, "use": role, "rank": 1}] if condition else None,
        "account": accounts_of(person),
        "hospitalization": _hospitalization(visit),
        "location": [_location(visit)],
        "serviceProvider": person.gp.department.reference,
        "partOf": _part_of(visit),
    }
    return relative("Encounter", visit.id, elements, **_meta(person))


def _meta(person: Person) -> JsonObject:
    return meta(person) | {"source": f"{person.clinic.site}/surgery"}


def _attender(visit: Visit) -> JsonObject:
    kind = concept(_PARTICIPATION, "ATND", "attender")
    return {"type": [kind], "individual": visit.person.gp.reference, "period": _span(visit)}


def _span(visit: Visit) -> JsonObject:
    zone, opens = visit.person.clinic.zone, 8 * 60 + 30
    days, minute = divmod(opens + visit.minutes, 24 * 60)
    end = moment(visit.offset + days, clock(minute), zone)
    running = visit.status in {"in-progress", "onleave"}
    return period(moment(visit.offset, clock(opens), zone), None if running else end)


def _length(visit: Visit) -> JsonObject | None:
    if visit.status != "finished":
        return None
    system = "http://unitsofmeasure.org"
    return {"value": visit.minutes, "unit": "мин", "system": system, "code": "min"}


def _episode_of(person: Person) -> list[JsonObject]:
    return [
        reference(f"EpisodeOfCare/{each.id}")
        for each in PROBLEMS
        if each.patient == person.id and each.disease in LASTING
    ]


def _hospitalization(visit: Visit) -> JsonObject | None:
    if visit.kind != "IMP":
        return None
    return {
        "preAdmissionIdentifier": identifier(f"{HOME}/sid/admission", visit.id),
        "admitSource": concept(f"{HL7}/admit-source", "gp", "General Practitioner referral"),
        "specialArrangement": [
            concept(f"{HL7}/encounter-special-arrangements", "wheel", "Wheelchair")
        ],
        "dischargeDisposition": concept(f"{HL7}/discharge-disposition", "home", "Home"),
    }


def _location(visit: Visit) -> JsonObject:
    department = visit.person.gp.department
    place = reference(f"Location/{department.id}", department.name)
    return {"location": place, "status": "completed", "period": _span(visit)}


def _part_of(visit: Visit) -> JsonObject | None:
    """The home visit follows up the stay in hospital."""
    if visit.id != "at-home-fyodor-semyonov-ru":
        return None
    return reference("Encounter/decompensation-fyodor-semyonov-ru")


def _episode(row: Problem) -> JsonObject:
    person = row.person
    over = row.status == "remission"
    elements = {
        "identifier": [identifier(f"{HOME}/sid/episode", row.id)],
        "status": "finished" if over else "active",
        "type": [concept(f"{HL7}/episodeofcare-type", "hacc", "Home and Community Care")],
        "diagnosis": [{"condition": reference(f"Condition/{row.id}"), "rank": 1}],
        "patient": person.reference,
        "managingOrganization": person.clinic.reference,
        "period": period(day(row.onset), day(-100) if over else None),
        "referralRequest": referrals_of(person),
        "careManager": person.gp.reference,
        "team": [reference(f"CareTeam/{row.id}")],
    }
    return relative("EpisodeOfCare", row.id, elements, **_meta(person))


def _team(row: Problem) -> JsonObject:
    person, clinic = row.person, row.person.clinic
    title = DISEASES[row.disease].concept(clinic)["text"]
    elements = {
        "identifier": [identifier(f"{HOME}/sid/team", row.id)],
        "status": "active",
        "category": [concept("http://loinc.org", "LA27977-1", "Disease specific care team")],
        "name": title,
        "subject": person.reference,
        "encounter": first_visit(person),
        "period": period(day(-400)),
        "participant": [
            {
                "role": [concept(SNOMED, "309343006", "Physician")],
                "member": person.gp.reference,
                "onBehalfOf": clinic.reference,
            },
            {"role": [concept(SNOMED, "116154003", "Patient")], "member": person.reference},
        ],
        "managingOrganization": [clinic.reference],
    }
    return relative("CareTeam", row.id, elements, **_meta(person))


_APPROACH: Final[Text] = ("План наблюдения", "План нагляду")


def _plan(row: Problem) -> JsonObject:
    person, clinic = row.person, row.person.clinic
    goals = {"nikolai-ivanov-ru", "oksana-lukianenko-ua"}
    title = f"{clinic.say(_APPROACH)}: {DISEASES[row.disease].concept(clinic)['text']}"
    elements = {
        "text": narrative(title, person.name),
        "identifier": [identifier(f"{HOME}/sid/plan", row.id)],
        "instantiatesCanonical": [f"{HOME}/PlanDefinition/dispensary"],
        "instantiatesUri": [f"{clinic.site}/plans/dispensary"],
        "basedOn": _former(row),
        "replaces": _former(row),
        "partOf": _former(row),
        "status": "completed" if row.status == "remission" else "active",
        "intent": "plan",
        "category": [concept(SNOMED, "734163000", "Care plan")],
        "title": title,
        "subject": person.reference,
        "encounter": first_visit(person),
        "period": period(day(-365), day(365)),
        "created": day(-365),
        "author": person.gp.reference,
        "careTeam": [reference(f"CareTeam/{row.id}")],
        "addresses": [reference(f"Condition/{row.id}")],
        "goal": [reference(f"Goal/goal-{person.id}")] if person.id in goals else None,
        "activity": [_activity(row), *({"reference": each} for each in referrals_of(person))],
    }
    return relative("CarePlan", row.id, elements, **_meta(person))


def _former_plan(row: Problem) -> JsonObject:
    """What the present plan replaces."""
    elements = {
        "identifier": [identifier(f"{HOME}/sid/plan", f"former-{row.id}")],
        "status": "revoked",
        "intent": "plan",
        "subject": row.person.reference,
        "period": period(day(-730), day(-366)),
        "addresses": [row.reference],
    }
    return relative("CarePlan", f"former-{row.id}", elements, **_meta(row.person))


def _former(row: Problem) -> list[JsonObject]:
    return [reference(f"CarePlan/former-{row.id}")]


def _activity(row: Problem) -> JsonObject:
    return {
        "detail": {
            "kind": "ServiceRequest",
            "code": concept(SNOMED, "185389009", "Follow-up visit"),
            "status": "scheduled",
            "scheduledPeriod": period(day(0), day(90)),
            "performer": [row.person.gp.reference],
        }
    }


_PROCEDURES: Final = (
    ("angiography", "nikolai-ivanov-ru", Term(SNOMED, "33367005", "Coronary angiography", "Коронарография", "Коронарографія"), -2870, "dr-zhuravlyov", "completed"),
    ("stent", "nikolai-ivanov-ru", Term(SNOMED, "415070008", "Percutaneous coronary intervention", "Стентирование", "Стентування"), -2869, "dr-zhuravlyov", "completed"),
    ("mastectomy", "alyona-semyonova-ru", Term(SNOMED, "392021009", "Lumpectomy of breast", "Секторальная резекция", "Секторальна резекція"), -1740, "dr-yermolaev", "completed"),
    ("delivery", "anna-ivanova-ru", Term(SNOMED, "177184002", "Normal delivery procedure", "Роды", "Пологи"), -16, "dr-nasibullina", "completed"),
    ("ultrasound", "aigul-khabibullina-ru", Term(SNOMED, "268445003", "Ultrasound scan - obstetric", "УЗИ плода", "УЗД плода"), -6, "dr-nasibullina", "completed"),
    ("delivery", "yivha-yizhak-ua", Term(SNOMED, "177184002", "Normal delivery procedure", "Роды", "Пологи"), -2, "dr-hrytsenko", "completed"),
    ("spirometry", "bohdan-kovalchuk-ua", Term(SNOMED, "127783003", "Spirometry", "Спирометрия", "Спірометрія"), -60, "dr-hrytsenko", "completed"),
    ("gastroscopy", "yaryna-lukianenko-ua", Term(SNOMED, "76009000", "Esophagogastroduodenoscopy", "Гастроскопия", "Гастроскопія"), -1845, "dr-yizhakevych", "completed"),
    ("therapy", "andrii-shevchenko-ua", Term(SNOMED, "75516001", "Psychotherapy", "Психотерапия", "Психотерапія"), -70, "dr-vdovychenko", "in-progress"),
    ("vaccination", "matvii-lukianenko-ua", Term(SNOMED, "127785005", "Administration of substance to produce immunity", "Прививка", "Щеплення"), -6, "dr-gedz", "not-done"),
)  # fmt: skip


def _procedure(  # a row of the table above
    what: str, patient: str, term: Term, offset: int, doctor: str, status: str
) -> JsonObject:
    person = PATIENT[patient]
    name = f"{what}-{patient}"
    problem = problem_of(patient)
    performed = {
        "performedPeriod": period(
            moment(offset, "10:00", person.clinic.zone),
            moment(offset, "11:15", person.clinic.zone),
        )
    }
    code = term.concept(person.clinic.key)
    elements = {
        "text": narrative(f"{code['text']}: {person.name}"),
        "identifier": [identifier(f"{HOME}/sid/procedure", name)],
        "instantiatesCanonical": [f"{HOME}/PlanDefinition/dispensary"],
        "instantiatesUri": [f"{person.clinic.site}/plans/{what}"],
        "basedOn": referrals_of(person),
        "partOf": [reference(f"Procedure/angiography-{patient}")] if what == "stent" else None,
        "status": status,
        "category": concept(SNOMED, "103693007", "Diagnostic procedure"),
        "code": code,
        "subject": person.reference,
        "encounter": _encounter_of(patient, what),
        **(performed if status != "not-done" else {}),
        "performer": [
            {"actor": DOCTOR[doctor].reference, "onBehalfOf": person.clinic.reference}
        ],
        "location": reference(f"Location/{DOCTOR[doctor].department.id}"),
        "reasonReference": [problem.reference] if problem else None,
        "reasonCode": [DISEASES[problem.disease].concept(person.clinic)] if problem else None,
    }
    return relative("Procedure", name, elements, **_meta(person))


def _encounter_of(patient: str, what: str) -> JsonObject | None:
    found = {
        "stent": "infarction",
        "delivery": {"ru": "birth-of-sofia", "ua": "birth"}[patient[-2:]],
    }.get(what)
    return reference(f"Encounter/{found}-{patient}") if found else None
