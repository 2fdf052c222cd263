"""The account's face in FHIR: a Person that links to the patient's record.

https://hl7.org/fhir/R4/person.html
"""

from typing import Final

from fhir_server.core.types import JsonObject

ASSURANCE: Final = {1: "level1", 2: "level2", 3: "level3"}
"""http://hl7.org/fhir/identity-assuranceLevel by level of `assurance`."""

_TAKEN: Final[tuple[str, ...]] = ("name", "gender", "birthDate")


def new_person(patient: JsonObject, email: str, level: int) -> JsonObject:
    """A Person for the patient, without an id."""
    found = {each: patient[each] for each in _TAKEN if each in patient}
    if email:
        found["telecom"] = [{"system": "email", "value": email}]
    return {
        "resourceType": "Person",
        "active": True,
        **found,
        "link": [_link(f"Patient/{patient['id']}", level)],
    }


def stands_for(person: JsonObject, patient: JsonObject) -> bool:
    """Whether it is the patient's own Person, and not one of somebody who cares for them."""
    return (
        person.get("active", True) is True
        and person.get("birthDate") == patient.get("birthDate")
        and bool(_families(person) & _families(patient))
    )


def linked(person: JsonObject, target: str, level: int) -> JsonObject:
    """The Person whose link to `target` says at least this assurance."""
    links = [
        each | {"assurance": max(each.get("assurance", ""), ASSURANCE[level])}
        if each.get("target", {}).get("reference") == target
        else each
        for each in person.get("link", ())
    ]
    return {**person, "link": links}


def _link(target: str, level: int) -> JsonObject:
    return {"target": {"reference": target}, "assurance": ASSURANCE[level]}


def _families(resource: JsonObject) -> set[str]:
    return {each["family"].casefold() for each in resource.get("name", ()) if "family" in each}
