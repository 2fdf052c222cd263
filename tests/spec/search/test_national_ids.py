"""National numbers are found by any system and spelling, and stored as they came.

https://hl7.org/fhir/R4/search.html#token
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Final

import httpx
import pytest

from scripts.seeds.identifiers import enp, snils
from tests.support.fhir import create, ids, new_id, patient

OID: Final = "urn:oid:1.2.643.100.3"
RUCORE: Final = "https://fhir.ru/ig/core/systems/snils"
SYSTEMS: Final = (
    RUCORE,
    "https://fhir.ru/ig/semd/systems/snils",
    "http://fhir.ru/core/systems/snils",
    OID,
    "urn:oid:1.2.643.2.69.1.1.1.6.223",
    "urn:identity:snils:",
)
TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_SERIALS: Final = count(300_500_000)


def number() -> str:
    """A СНИЛС of nobody else, as it is printed."""
    return snils(next(_SERIALS))


def known(fhir: httpx.Client, system: str, value: str) -> str:
    """The id of a patient with this СНИЛС."""
    kind = {"coding": [{"system": TYPES, "code": "SB"}]}
    row = {"system": system, "value": value, "type": kind}
    return str(create(fhir, patient(identifier=row))["id"])


def found(fhir: httpx.Client, kind: str = "Patient", **asked: str) -> list[str]:
    answer = fhir.get(f"/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return ids(answer.json())


@pytest.mark.parametrize("asked", SYSTEMS)
@pytest.mark.parametrize("written", [OID, RUCORE])
def test_any_system_finds_any_spelling(fhir: httpx.Client, written: str, asked: str) -> None:
    printed = number()
    digits = printed.replace("-", "").replace(" ", "")
    who = known(fhir, written, printed if written == OID else digits)
    spaced = f"{digits[:3]} {digits[3:6]} {digits[6:9]} {digits[9:]}"
    for spelled in (printed, digits, spaced):
        assert found(fhir, identifier=f"{asked}|{spelled}") == [who]
        assert found(fhir, identifier=spelled) == [who]
    assert found(fhir, identifier=f"urn:other|{printed}") == []
    assert found(fhir, identifier=f"|{printed}") == []


def test_of_type_not_and_the_system_alone(fhir: httpx.Client) -> None:
    printed = number()
    who = known(fhir, OID, printed.replace("-", "").replace(" ", ""))
    assert found(fhir, **{"identifier:of-type": f"{TYPES}|SB|{printed}"}) == [who]
    alone = {"identifier": f"{RUCORE}|", "_id": who}
    assert found(fhir, **alone) == [who]
    assert found(fhir, _id=who, **{"identifier:not": f"{RUCORE}|{printed}"}) == []


def test_references_and_chains_are_by_number_too(fhir: httpx.Client) -> None:
    printed = number()
    digits = printed.replace("-", "").replace(" ", "")
    row = {"system": RUCORE, "value": digits}
    said = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"identifier": row}}
    by_number = create(fhir, said)["id"]
    who = known(fhir, RUCORE, digits)
    by_reference = create(fhir, said | {"subject": {"reference": f"Patient/{who}"}})["id"]
    asked = f"{OID}|{printed}"
    assert found(fhir, "Basic", **{"subject:identifier": asked}) == [by_number]
    assert found(fhir, "Basic", **{"subject:Patient.identifier": asked}) == [by_reference]


def test_a_number_is_stored_as_it_came(fhir: httpx.Client) -> None:
    printed = number()
    read = fhir.get(f"/Patient/{known(fhir, OID, printed)}").json()
    assert (read["identifier"][0]["system"], read["identifier"][0]["value"]) == (OID, printed)


def test_one_person_in_two_spellings_is_created_once(fhir: httpx.Client) -> None:
    printed = number()
    forms = [(OID, printed), (RUCORE, printed.replace("-", "").replace(" ", ""))] * 5

    def once(form: tuple[str, str]) -> int:
        row = {"system": form[0], "value": form[1]}
        wanted = httpx.QueryParams({"identifier": "|".join(form)})
        answer = fhir.post(
            "/Patient", json=patient(identifier=row), headers={"If-None-Exist": str(wanted)}
        )
        return answer.status_code

    with ThreadPoolExecutor(len(forms)) as several:
        statuses = sorted(several.map(once, forms))
    assert statuses == [200] * 9 + [201]


@pytest.mark.parametrize(
    ("system", "value", "status"),
    [
        (OID, "112-233-445 96", 422),
        (RUCORE, "112-233-445", 422),
        ("urn:oid:1.2.643.2.69.1.1.1.6.228", enp(1)[:15] + "x", 422),
        ("https://fhir-server.example/sid/ua/rnokpp", "1759013770", 422),
        ("https://fhir-server.example/sid/ua/unzr", "20090229-00011", 422),
        ("https://fhir-server.example/sid/ua/unzr", "20090228-00011", 201),
        ("https://fhir.ru/ig/core/systems/oms", "64 03 123456", 201),
        ("urn:other", "112-233-445 96", 201),
    ],
)
@pytest.mark.parametrize("contained", [False, True])
def test_a_wrong_number_is_refused(
    fhir: httpx.Client, system: str, value: str, status: int, *, contained: bool
) -> None:
    person: dict[str, Any] = patient(identifier={"system": system, "value": value})
    place = "Patient.identifier[0].value"
    if contained:
        inner = person | {"id": "p"}
        person = {
            "resourceType": "Basic",
            "contained": [inner],
            "code": {"text": new_id()},
            "subject": {"reference": "#p"},
        }
        place = "Basic.contained[0].identifier[0].value"
    answer = fhir.post(f"/{person['resourceType']}", json=person)
    assert answer.status_code == status, answer.text
    if status == 422:
        issue = answer.json()["issue"][0]
        assert issue["details"]["coding"][0]["code"] == "identifier-invalid"
        assert issue["expression"] == [place]
        assert value not in answer.text
