"""Who is whose parent or daughter, with all the evidence that the server asks for.

https://hl7.org/fhir/R4/relatedperson.html
"""

from datetime import date, timedelta

from tests.support.fhir import JsonObject


def relation(child: str, name: str, code: str = "PRN") -> list[JsonObject]:
    """The patient `name`, verified to be `code` (v3-RoleCode) of the patient `child`."""
    system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    return [
        {"resourceType": "Patient", "id": name},
        {
            "resourceType": "RelatedPerson",
            "id": f"{name}-of-{child}",
            "active": True,
            "patient": {"reference": f"Patient/{child}"},
            "relationship": [{"coding": [{"system": system, "code": code}]}],
        },
        {
            "resourceType": "Person",
            "id": f"{name}-person",
            "link": [
                {"target": {"reference": f"Patient/{name}"}},
                {"target": {"reference": f"RelatedPerson/{name}-of-{child}"}},
            ],
        },
        {
            "resourceType": "VerificationResult",
            "id": f"{name}-verified",
            "target": [{"reference": f"RelatedPerson/{name}-of-{child}"}],
            "status": "validated",
        },
    ]


def years_before(today: date, years: int, days: int = 0) -> str:
    """The date `years` before the day that is `days` after `today`."""
    day = today + timedelta(days=days)
    try:
        return day.replace(year=day.year - years).isoformat()
    except ValueError:
        return date(day.year - years, 3, 1).isoformat()
