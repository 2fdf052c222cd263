"""Families and insurance: RelatedPerson, VerificationResult, Person, Coverage, Group."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from scripts.seeds.clinics import RODNIK, Clinic, insurer_id
from scripts.seeds.elements import (
    HL7,
    HOME,
    SNOMED,
    JsonObject,
    concept,
    day,
    identifier,
    narrative,
    period,
    quantity,
    reference,
    relative,
)
from scripts.seeds.patients import patient
from scripts.seeds.people import PATIENT, Person, of_clinic
from scripts.seeds.staff import LANGUAGES, Doctor

ROLE: Final = f"{HL7}/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class Tie:
    """Who `relative` is to `patient`; both are patients of the clinic."""

    patient: str
    relative: str
    code: str
    display: str
    active: bool = True

    @property
    def id(self) -> str:
        return f"{self.relative.rpartition('-')[0]}-for-{self.patient}"


_MOTHER, _FATHER = ("MTH", "mother"), ("FTH", "father")
_WIFE, _HUSBAND = ("WIFE", "wife"), ("HUSB", "husband")
_GRANDMOTHER, _GRANDFATHER = ("GRMTH", "grandmother"), ("GRFTH", "grandfather")

TIES: Final = (
    Tie("ivan-ivanov-ru", "anna-ivanova-ru", *_MOTHER),
    Tie("ivan-ivanov-ru", "pyotr-ivanov-ru", *_FATHER),
    Tie("ivan-ivanov-ru", "maria-ivanova-ru", *_GRANDMOTHER),
    Tie("ivan-ivanov-ru", "nikolai-ivanov-ru", *_GRANDFATHER, active=False),
    Tie("sofia-ivanova-ru", "anna-ivanova-ru", *_MOTHER),
    Tie("sofia-ivanova-ru", "pyotr-ivanov-ru", *_FATHER),
    Tie("anna-ivanova-ru", "pyotr-ivanov-ru", *_HUSBAND),
    Tie("nikolai-ivanov-ru", "maria-ivanova-ru", *_WIFE),
    Tie("artyom-semyonov-ru", "alyona-semyonova-ru", *_MOTHER),
    Tie("matvey-semyonov-ru", "alyona-semyonova-ru", *_MOTHER),
    Tie("fyodor-semyonov-ru", "alyona-semyonova-ru", "CHILD", "child"),
    Tie("aigul-khabibullina-ru", "ruslan-khabibullin-ru", *_HUSBAND),
    Tie("yaryna-lukianenko-ua", "oksana-lukianenko-ua", *_MOTHER),
    Tie("yaryna-lukianenko-ua", "taras-lukianenko-ua", *_FATHER),
    Tie("matvii-lukianenko-ua", "oksana-lukianenko-ua", *_MOTHER),
    Tie("matvii-lukianenko-ua", "hanna-lukianenko-ua", *_GRANDMOTHER),
    Tie("hanna-lukianenko-ua", "taras-lukianenko-ua", "SON", "natural son"),
    Tie("oksana-lukianenko-ua", "taras-lukianenko-ua", *_HUSBAND),
    Tie("nemovlia-yizhak-ua", "yivha-yizhak-ua", *_MOTHER),
    Tie("mykhailo-kovalchuk-ua", "bohdan-kovalchuk-ua", *_FATHER),
    Tie("solomiia-kovalchuk-ua", "bohdan-kovalchuk-ua", *_FATHER, active=False),
)


def families(clinic: Clinic) -> Iterator[JsonObject]:
    own = of_clinic(clinic)
    ties = [tie for tie in TIES if PATIENT[tie.patient].clinic is clinic]
    yield from (_related(tie) for tie in ties)
    yield from (_proved(tie) for tie in ties if tie.active)
    if clinic is not RODNIK:
        yield _guardian()
    yield from (_person(each) for each in own if _relations(each))
    yield from (_coverage(each) for each in own if len(each.given) > 1)
    yield from (_account(each) for each in own if "portal" in each.tags)
    yield _doctor(own[0].gp)
    yield _group(clinic)


def _related(tie: Tie) -> JsonObject:
    of, person = PATIENT[tie.patient], PATIENT[tie.relative]
    known = patient(person)
    elements = {
        "identifier": [identifier(f"{HOME}/sid/relation", tie.id)],
        "active": tie.active,
        "patient": of.reference,
        "relationship": [concept(ROLE, tie.code, tie.display)],
        **{name: known[name] for name in ("name", "telecom", "gender", "birthDate", "address")},
        "period": period(day(-int(of.age * 365)), None if tie.active else day(-60)),
        "communication": known["communication"],
    }
    return relative("RelatedPerson", tie.id, elements, tag=[of.clinic.tag])


def _proved(tie: Tie) -> JsonObject:
    """Papers were shown at the desk: without that nobody acts for anybody."""
    elements = {
        "target": [reference(f"RelatedPerson/{tie.id}")],
        "status": "validated",
        "statusDate": day(-200),
        "lastPerformed": day(-200),
    }
    return relative("VerificationResult", f"proved-{tie.id}", elements)


def _guardian() -> JsonObject:
    """A relative who is no patient himself."""
    elements = {
        "identifier": [identifier(f"{HOME}/sid/relation", "guardian")],
        "active": True,
        "patient": PATIENT["zinaida-kravets-ua"].reference,
        "relationship": [concept(ROLE, "GUARD", "guardian")],
        "name": [{"use": "official", "family": "Кравець", "given": ["Ґеорґій", "Ілліч"]}],
        "telecom": [
            {"system": "phone", "value": "+380 67 000 77 77"},
            {"system": "email", "value": "kravets.g@mail.example"},
        ],
        "gender": "male",
        "birthDate": "1962-07-30",
        "address": [{"city": "Львів", "country": "UA", "use": "home"}],
        "period": period(day(-730), day(730)),
        "communication": [{"language": concept(LANGUAGES, "uk")}],
    }
    return relative("RelatedPerson", "guardian-for-zinaida-kravets-ua", elements)


def _relations(row: Person) -> list[Tie]:
    return [tie for tie in TIES if tie.relative == row.id]


def _person(row: Person) -> JsonObject:
    """The human being behind a patient record and the roles in the records of others."""
    known = patient(row)
    own = {"target": row.reference, "assurance": "level3"}
    others = [
        {"target": reference(f"RelatedPerson/{tie.id}"), "assurance": "level2"}
        for tie in _relations(row)
    ]
    elements = {
        "identifier": [identifier(f"{HOME}/sid/person", f"P-{row.number}")],
        **{name: known[name] for name in ("name", "telecom", "gender", "birthDate", "address")},
        "managingOrganization": row.clinic.reference,
        "active": True,
        "link": [own, *others],
    }
    return relative("Person", row.id, elements)


def _doctor(row: Doctor) -> JsonObject:
    """A doctor's account, so that Person leads to a Practitioner too."""
    name = {"use": "official", "family": row.family, "given": list(row.given)}
    elements = {
        "identifier": [identifier(f"{HOME}/sid/person", f"P-{row.number}")],
        "name": [name],
        "gender": row.gender,
        "birthDate": row.born,
        "managingOrganization": row.clinic.reference,
        "active": True,
        "link": [{"target": row.reference, "assurance": "level4"}],
    }
    return relative("Person", row.id, elements)


def _coverage(row: Person) -> JsonObject:
    clinic = row.clinic
    number = patient(row)["identifier"][-1]["value"]
    elements: dict[str, Any] = {
        "identifier": [identifier(f"{HOME}/sid/coverage", f"C-{row.number}")],
        "status": "cancelled" if row.id == "galina-shcherbakova-ru" else "active",
        "type": concept(f"{HL7}/v3-ActCode", "PUBLICPOL", "public healthcare"),
        "policyHolder": row.reference,
        "subscriber": row.reference,
        "subscriberId": number,
        "beneficiary": row.reference,
        "dependent": "1" if row.is_child else None,
        "relationship": concept(f"{HL7}/subscriber-relationship", "self", "Self"),
        "period": period(day(-int(min(row.age, 10) * 365))),
        "payor": [reference(f"Organization/{insurer_id(clinic)}")],
        "class": [
            {
                "type": concept(f"{HL7}/coverage-class", "plan", "Plan"),
                "value": "standard",
                "name": clinic.say(("Базовая программа", "Програма медичних гарантій")),
            }
        ],
    }
    return relative("Coverage", f"policy-{row.id}", elements)


def accounts_of(person: Person) -> list[JsonObject]:
    if "portal" not in person.tags:
        return []
    return [reference(f"Account/{person.id}")]


def _account(row: Person) -> JsonObject:
    elements = {
        "identifier": [identifier(f"{HOME}/sid/account", row.number)],
        "status": "active",
        "type": concept(f"{HL7}/v3-ActCode", "PBILLACCT", "patient billing account"),
        "name": row.name,
        "subject": [row.reference],
        "servicePeriod": period(day(-700)),
        "coverage": [{"coverage": reference(f"Coverage/policy-{row.id}"), "priority": 1}],
        "owner": row.clinic.reference,
    }
    return relative("Account", row.id, elements)


def _group(clinic: Clinic) -> JsonObject:
    watched = [each for each in of_clinic(clinic) if "dispensary" in each.tags]
    title = clinic.say(("Диспансерное наблюдение", "Диспансерний нагляд"))
    elements = {
        "text": narrative(title, ", ".join(each.name for each in watched)),
        "identifier": [identifier(f"{HOME}/sid/group", f"dispensary-{clinic.suffix}")],
        "active": True,
        "type": "person",
        "actual": True,
        "code": {"text": title},
        "name": title,
        "quantity": len(watched),
        "managingEntity": clinic.reference,
        "characteristic": [
            {
                "code": concept(SNOMED, "397669002", "Age"),
                "valueRange": {"low": quantity(18, "a"), "high": quantity(100, "a")},
                "exclude": False,
            },
            {
                "code": concept(SNOMED, "160573003", "Alcohol intake"),
                "valueBoolean": True,
                "exclude": True,
            },
            {
                "code": concept(f"{HOME}/CodeSystem/group-traits", "residence"),
                "valueCodeableConcept": concept(
                    f"{HOME}/CodeSystem/group-traits", "city", "Lives in the city"
                ),
                "exclude": False,
            },
        ],
        "member": [{"entity": each.reference, "inactive": False} for each in watched],
    }
    return relative("Group", f"dispensary-{clinic.suffix}", elements)
