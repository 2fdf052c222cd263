"""Who belongs to a role, team or group, and when.

https://hl7.org/fhir/R4/careteam.html
https://hl7.org/fhir/R4/group.html
https://hl7.org/fhir/R4/practitionerrole.html
"""

from typing import Any, Final

import pytest

from fhir_server.access.memberships import is_widened, memberships
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject

BASE: Final = "https://clinic.example/fhir"
DR: Final = "Practitioner/dr"
NOW: Final = parse_interval("2026-01-10T12:00:00Z").lo
PAST, TODAY, LATER = {"end": "2026-01-09"}, {"end": "2026-01-10"}, {"start": "2026-01-11"}


def who(reference: str = DR) -> JsonObject:
    return {"reference": reference}


def role(**more: Any) -> JsonObject:
    return {"resourceType": "PractitionerRole", "id": "r", "practitioner": who()} | more


def team(*entries: JsonObject, **more: Any) -> JsonObject:
    return {"resourceType": "CareTeam", "id": "t", "participant": list(entries)} | more


def group(*entries: JsonObject, **more: Any) -> JsonObject:
    return {"resourceType": "Group", "id": "g", "member": list(entries)} | more


def member(**more: Any) -> JsonObject:
    return {"member": who(), "entity": who(), **more}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (role(), ["PractitionerRole/r"]),
        (role(organization=who("Organization/o")), ["PractitionerRole/r", "Organization/o"]),
        (role(organization=who(f"{BASE}/Organization/o")),
         ["PractitionerRole/r", "Organization/o"]),
        (role(organization=who("https://else.example/Organization/o")), ["PractitionerRole/r"]),
        (role(organization={"display": "o"}), ["PractitionerRole/r"]),
        (role(practitioner=who(f"{BASE}/{DR}")), ["PractitionerRole/r"]),
        (role(practitioner=who("Practitioner/other")), []),
        ({"resourceType": "PractitionerRole", "id": "r"}, []),
        (role(active=True), ["PractitionerRole/r"]),
        (role(active=False, organization=who("Organization/o")), []),
        (role(period=PAST), []),
        (role(period=TODAY), ["PractitionerRole/r"]),
        (role(period=LATER), []),
        (role(period={"end": "soon"}), []),
        (role(period={"_end": {}}), []),
        (team(member()), ["CareTeam/t"]),
        (team({"member": who("Practitioner/other")}, member()), ["CareTeam/t"]),
        (team(), []),
        (team({"role": []}), []),
        (team(member(), status="active"), ["CareTeam/t"]),
        (team(member(), status="proposed"), ["CareTeam/t"]),
        (team(member(), status="suspended"), []),
        (team(member(), status="inactive"), []),
        (team(member(), status="entered-in-error"), []),
        (team(member(period=PAST)), []),
        (team(member(period=PAST), member(period=TODAY)), ["CareTeam/t"]),
        (team(member(), period=PAST), []),
        (team(member(period=LATER), period=TODAY), []),
        (group(member()), ["Group/g"]),
        (group(member(inactive=False)), ["Group/g"]),
        (group(member(inactive=True)), []),
        (group(member(period=PAST)), []),
        (group(member(), active=False), []),
    ],
)  # fmt: skip
def test_what_somebody_belongs_to(resource: JsonObject, expected: list[str]) -> None:
    assert list(memberships([resource], DR, NOW, BASE)) == expected


@pytest.mark.parametrize(
    ("before", "after", "widened"),
    [
        (None, team(member()), True),
        (None, team(), False),
        (None, team(member(), status="inactive"), False),
        (team(), team(member()), True),
        (team(member()), team(member(), {"member": who("Practitioner/other")}), False),
        (team(member()), team(), False),
        (team(member()), team(member(), period=PAST), False),
        (team(member(), period=PAST), team(member()), True),
        (team(member(period=PAST)), team(member(period=TODAY)), True),
        (team(member(period=TODAY)), team(member(period=PAST)), False),
        (team(member(period=TODAY)), team(member(period=LATER)), True),
        (team(member(), status="suspended"), team(member(), status="active"), True),
        (group(member(inactive=True)), group(member()), True),
    ],
)
def test_what_lets_somebody_in(
    before: JsonObject | None, after: JsonObject, widened: bool
) -> None:
    assert is_widened(before, after, DR, BASE) is widened
