"""Searches from a seed, as clients write them, over generated resources."""

from collections.abc import Sequence
from random import Random

Pairs = list[tuple[str, str]]

_PATIENTS = [f"patient-{n}" for n in range(12)]
_LISTS = [f"list-{n}" for n in range(4)]

#: Parameter with modifier -> values; several are drawn, some with a comma between.
QUERIES: dict[str, dict[str, Sequence[str]]] = {
    "Patient": {
        "_id": ["patient-1", "patient-2", "patient-99", "nobody"],
        "_lastUpdated": ["gt2024", "le2024-05", "eq2024-05-01", "ap2024-05-01", "ne2024"],
        "_tag": ["a", "urn:s|a", "|a", "urn:s|", "a\\|b", "urn:s|a\\,b"],
        "_tag:not": ["a", "urn:s2|b"],
        "_tag:missing": ["true", "false"],
        "_profile": ["http://x.example/p", "urn:p", "urn:p|1"],
        "_source": ["http://x.example/in", "urn:in"],
        "_source:below": ["http://x.example"],
        "_text": ["болит", "pain today", "елка"],
        "_content": ["pain", "иванов", "Bern"],
        "_list": [*_LISTS, "none"],
        "active": ["true", "false"],
        "active:missing": ["true", "false"],
        "identifier": ["1", "urn:s|2", "|3", "urn:s2|", "4"],
        "identifier:of-type": ["urn:s|a|1", "urn:s2|b|2"],
        "identifier:text": ["fev", "pain", "chronic"],
        "identifier:not": ["1", "urn:s|2"],
        "family": ["иван", "Елкин", "ivan", "шев", "o'neil", "berg"],
        "family:exact": ["Иванов", "Ёлкин", "иванов"],
        "family:contains": ["ван", "der", "e"],
        "family:missing": ["true", "false"],
        "name": ["анна", "мария", "jose", "van der"],
        "phone": ["+71", "+7 2"],
        "gender": ["male", "http://hl7.org/fhir/administrative-gender|female", "|unknown"],
        "gender:missing": ["true", "false"],
        "birthdate": ["1990", "ge1990-05", "lt1990-05-01", "ne1990", "sa1989", "eb1991"],
        "address-city": ["ки", "Saint"],
        "general-practitioner": ["practitioner-1", "Practitioner/practitioner-2"],
        "general-practitioner.name": ["анна", "ив"],
        "general-practitioner:identifier": ["urn:s|1", "2"],
        "general-practitioner:missing": ["true", "false"],
        "organization.partof.name": ["ки", "b"],
        "organization:missing": ["true"],
        "_has:Observation:subject:code": ["a", "urn:s|b"],
        "_has:Observation:subject:_has:Encounter:subject:status": [],
        "_has:Condition:patient:onset-date": ["ge2024"],
        "_has:AuditEvent:patient:date": ["lt2025"],
    },
    "Observation": {
        "code": ["a", "urn:s|a", "|b", "urn:s2|", "\\$a", "~", "~|a"],
        "code:text": ["fever", "head", "pain", "бол"],
        "code:not": ["a", "urn:s|a"],
        "combo-code": ["a1", "urn:s|A"],
        "category:missing": ["true", "false"],
        "status": ["final", "http://hl7.org/fhir/observation-status|amended"],
        "subject": ["Patient/patient-1", "patient-2", "Location/location-1"],
        "subject:Patient": ["patient-1", "patient-3"],
        "subject:Patient.family": ["иван", "o'n"],
        "subject:identifier": ["1", "urn:s|2"],
        "subject:missing": ["true", "false"],
        "patient": ["patient-1", "Patient/patient-4", "https://far.example/Patient/patient-1"],
        "patient.organization.name": ["ки", "м"],
        "patient.gender:not": ["male"],
        "encounter.class": ["a", "urn:s|"],
        "performer": ["Practitioner/practitioner-0", "patient-1"],
        "performer:Practitioner.name": ["анна", "ан", "ив", "m"],
        "date": [
            "2024", "ge2024-05-01", "lt2024-05-01T10:00:00Z", "ne2024-05", "sa2024-05-01",
            "eb2024-05-01", "gt2023", "le1970-01-01", "ap2024-05-01", "2024-05-01T10:00Z",
        ],
        "date:missing": ["true", "false"],
        "value-quantity": [
            "5", "gt5", "5|http://unitsofmeasure.org|g", "lt5.4", "5||mg", "ne5", "ge5000",
            "0.005|http://unitsofmeasure.org|kg", "sa5", "eb6", "le5|http://unitsofmeasure.org|mg",
            "ap5", "1e1",
        ],
        "value-quantity:missing": ["true", "false"],
        "value-string": ["иван", "van"],
        "value-string:contains": ["ва"],
        "value-concept": ["a", "urn:s|"],
        "value-date": ["2024", "lt2024"],
        "code-value-quantity": ["a$5", "urn:s|a$gt1", "b$lt6|http://unitsofmeasure.org|g"],
        "code-value-concept": ["a$b", "urn:s|a$urn:s|a"],
        "code-value-string": ["a$иван"],
        "code-value-date": ["a$ge2023"],
        "combo-code-value-quantity": ["a$5", "a1$gt0", "a$5,b$5"],
        "component-code-value-concept": ["a$a", "b$a1"],
        "code-value-quantity:missing": ["true", "false"],
        "_has:Encounter:subject:status": [],
    },
    "Encounter": {
        "part-of": [f"Encounter/encounter-{n}" for n in range(9)],
        "part-of.part-of.status": ["planned", "finished"],
        "part-of.subject:Patient.name": ["анна"],
        "length": ["2", "120|http://unitsofmeasure.org|min", "gt1|http://unitsofmeasure.org|h"],
        "date": ["ge2024", "lt2024", "2024-05"],
        "practitioner": ["practitioner-1"],
        "_has:Observation:encounter:date": ["ge2024"],
    },
    "Condition": {
        "onset-age": ["1", "gt1|http://unitsofmeasure.org|a", "12|http://unitsofmeasure.org|mo"],
        "onset-date": ["2024", "ne2024"],
        "onset-info": ["in"],
        "code:missing": ["true", "false"],
        "_list": _LISTS,
        "encounter:missing": ["true"],
    },
    "Location": {
        "near": ["50|31|100|km", "51|30|200", "49.5|32"],
        "name": ["ки", "bern"],
        "partof:below": ["location-1"],
        "partof:above": ["location-3"],
        "partof.partof:missing": ["true", "false"],
    },
    "ValueSet": {
        "url": ["http://x.example/a/vs1", "http://x.example/a/vs1|1.0"],
        "url:below": ["http://x.example/a", "http://x.example/"],
        "url:above": ["http://x.example/a/vs1/x"],
        "title:exact": ["Ivan"],
        "version": ["1.0", "2"],
    },
    "RiskAssessment": {
        "probability": ["0.1", "gt0.1", "le0.5", "ne0.1", "ap0.1", "0.10"],
        "probability:missing": ["true", "false"],
        "patient": _PATIENTS,
    },
    "QuestionnaireResponse": {
        "questionnaire": ["http://x.example/q", "http://x.example/q|2"],
        "questionnaire:below": ["http://x.example/q|2"],
        "questionnaire:missing": ["true", "false"],
    },
    "Appointment": {
        "patient": _PATIENTS,
        "actor": ["location-1", "location-2", "practitioner-2", *_PATIENTS],
        "date": ["ge2024-05-01", "lt2024"],
    },
}  # fmt: skip

SORTS: dict[str, Sequence[str]] = {
    "Patient": [
        "_id", "-_id", "_lastUpdated", "-_lastUpdated", "birthdate", "-birthdate", "family",
        "-family", "given", "-given", "gender", "identifier,-birthdate", "-family,_lastUpdated",
        "organization", "-_profile,family",
    ],
    "Observation": [
        "date", "-date", "value-quantity", "-value-quantity", "code,-date", "-value-date",
        "status,value-string,-_lastUpdated", "subject", "-_id",
    ],
    "Encounter": ["date", "-date", "length", "-length,date"],
    "Condition": ["recorded-date", "-onset-age", "onset-date"],
    "ValueSet": ["url", "-url", "title"],
    "RiskAssessment": ["probability", "-probability"],
}  # fmt: skip


def query(rng: Random) -> tuple[str, Pairs]:
    """A type and the pairs of a search of it."""
    kind = rng.choice(list(QUERIES))
    known = {name: values for name, values in QUERIES[kind].items() if values}
    names = rng.sample(list(known), k=rng.choice([1, 1, 1, 1, 1, 2, 2, 3]))
    pairs = [(name, _value(rng, name, known[name])) for name in names]
    if kind in SORTS and rng.random() < 0.6:
        pairs.append(("_sort", rng.choice(SORTS[kind])))
    return kind, pairs


def _value(rng: Random, name: str, values: Sequence[str]) -> str:
    if name.endswith(":missing") or rng.random() < 0.6:
        return rng.choice(values)
    return ",".join(rng.sample(values, k=min(2, len(values))))
