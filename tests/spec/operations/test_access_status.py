"""Patient/$access-status (S0-01, S4-71): what decides about a cabinet, told to who may know.

docs/api/operation-access-status.md
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from fhir_server.access.codings import CONSENT_SCOPE, OWN, PROXY
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.store.accounts import Account
from tests.support.cabinets import CabinetServer, cabinet_server
from tests.support.fhir import JsonObject, new_id

ROLE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
PDN: Final[dict[str, Any]] = {
    "categories": [{"system": "urn:law", "code": "pdn"}],
    "title": {"en": "data", "ru": "данные", "uk": "дані"},
    "where": {"en": "desk", "ru": "стойка", "uk": "стійка"},
    "questionnaire": "https://clinic.example/Questionnaire/pdn",
    "policy": "https://clinic.example/152-fz",
}


@pytest.fixture(scope="module")
def server(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CabinetServer]:
    with cabinet_server(mongodb_uri, tmp_path_factory.mktemp("status"), [PDN]) as found:
        yield found


def person(id_: str, scopes: str = "patient/*.rs", **more: Any) -> Principal:
    """A patient in an app."""
    principal = Principal(
        "app", parse_scopes(scopes), patient=id_, user=f"Patient/{id_}", account=f"a-{id_}",
        represented=(id_,), level=2,
    )  # fmt: skip
    return replace(principal, **more)


DOCTOR: Final = Principal(
    "his", parse_scopes("user/*.rs"), user="Practitioner/d", account="d", staff=True,
    purpose="TREAT",
)  # fmt: skip
MIS: Final = Principal("mis", parse_scopes("system/*.rs"))


def consent(id_: str, patient: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Consent",
        "id": id_,
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": PDN["categories"]}],
        "patient": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": f"Patient/{patient}"}],
        "policy": [{"uri": PDN["policy"]}],
        **more,
    }


@pytest.fixture
def patient(server: CabinetServer) -> str:
    """A patient with an account and no consent."""
    id_ = new_id()
    server.put({"resourceType": "Patient", "id": id_, "birthDate": "1980-01-01"})
    server.account(Account(f"a-{id_}", f"{id_}@mail.example", "Anna", 2, 0, patient=id_))
    return id_


Row = dict[str, Any]


def rows(answer: Any, name: str) -> list[Row]:
    """The parameters of a name: each its parts by name, or its value alone."""
    assert answer.status_code == 200, answer.text
    found = [each for each in answer.json()["parameter"] if each["name"] == name]
    return [
        {part["name"]: _value(part) for part in each["part"]}
        if "part" in each
        else {"value": _value(each)}
        for each in found
    ]


def _value(row: JsonObject) -> Any:
    return next(value for key, value in row.items() if key.startswith("value"))


def status(server: CabinetServer, who: Principal, id_: str, **headers: str) -> Any:
    return server.ask(who, "GET", f"/Patient/{id_}/$access-status", **headers)


def test_s0_01_what_is_missing_is_told_while_the_cabinet_is_closed(
    server: CabinetServer, patient: str
) -> None:
    answer = status(server, person(patient), patient, accept_language="ru")
    assert rows(answer, "cabinet") == [{"value": "closed"}]
    assert rows(answer, "consent") == [{
        "status": "missing", "title": "данные", "category": PDN["categories"][0],
        "where": "стойка", "questionnaire": PDN["questionnaire"], "policy": PDN["policy"],
    }]  # fmt: skip
    assert rows(answer, "block")[0]["code"] == "consent-missing"
    assert rows(answer, "account") == [{"status": "active", "level": 2, "sign-in-level": 2}]


def test_s4_71_what_is_given_is_told_with_its_consent(
    server: CabinetServer, patient: str
) -> None:
    server.put(consent(f"c-{patient}", patient))
    answer = status(server, person(patient), patient)
    assert rows(answer, "cabinet") == [{"value": "open"}]
    (found,) = rows(answer, "consent")
    assert found["status"] == "given"
    assert found["consent"] == {"reference": f"Consent/c-{patient}"}
    assert rows(answer, "block") == []


def test_a_consent_that_the_app_may_not_read_is_not_named(
    server: CabinetServer, patient: str
) -> None:
    server.put(consent(f"c-{patient}", patient))
    answer = status(server, person(patient, "patient/Patient.r"), patient)
    assert "consent" not in rows(answer, "consent")[0]


@pytest.mark.parametrize("who", [DOCTOR, MIS])
def test_staff_and_systems_learn_of_the_patients_account(
    server: CabinetServer, patient: str, who: Principal
) -> None:
    answer = status(server, who, patient)
    assert rows(answer, "account") == [{"status": "active", "level": 2}]
    nobody = new_id()
    server.put({"resourceType": "Patient", "id": nobody})
    answer = status(server, who, nobody)
    assert [each["code"] for each in rows(answer, "block")] == ["consent-missing", "no-account"]


def test_a_locked_account_is_a_block(server: CabinetServer) -> None:
    id_ = new_id()
    server.put({"resourceType": "Patient", "id": id_}, consent(f"c-{id_}", id_))
    server.account(Account(f"a-{id_}", f"{id_}@x.example", "A", 1, 0, patient=id_,
                           standing="locked"))  # fmt: skip
    answer = status(server, DOCTOR, id_)
    assert [each["code"] for each in rows(answer, "block")] == ["account-locked"]
    assert rows(answer, "account") == [{"status": "locked", "level": 1}]


def test_a_hidden_patient_is_as_an_absent_one(server: CabinetServer, patient: str) -> None:
    other = person(new_id())
    hidden, absent = status(server, other, patient), status(server, other, "nobody")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace(patient, "nobody") == absent.text


def test_a_patient_hidden_from_staff_by_consent_is_absent(
    server: CabinetServer, patient: str
) -> None:
    deny = consent(f"n-{patient}", patient, provision={"type": "deny"})
    server.put({**deny, "category": [{"coding": [{"system": "urn:x", "code": "x"}]}]})
    assert status(server, DOCTOR, patient).status_code == 404


def relation(server: CabinetServer, of: str, user: str, **more: Any) -> str:
    """A verified mother; `user` is what she is."""
    id_ = new_id()
    server.put(
        {
            "resourceType": "RelatedPerson",
            "id": id_,
            "patient": {"reference": f"Patient/{of}"},
            "relationship": [{"coding": [{"system": ROLE, "code": "MTH"}]}],
            "name": [{"given": ["Мария"], "family": "Котова"}],
            **more,
        },
        {
            "resourceType": "VerificationResult",
            "id": f"v-{id_}",
            "target": [{"reference": f"RelatedPerson/{id_}"}],
            "status": "validated",
        },
        {
            "resourceType": "Person",
            "id": f"p-{id_}",
            "link": [
                {"target": {"reference": user}},
                {"target": {"reference": f"RelatedPerson/{id_}"}},
            ],
        },
    )
    return id_


@pytest.fixture
def child(server: CabinetServer) -> str:
    """Of two years, with the consents."""
    id_ = new_id()
    server.put(
        {"resourceType": "Patient", "id": id_, "birthDate": "2024-11-01",
         "name": [{"text": "Петя"}]},
        consent(f"c-{id_}", id_),
    )  # fmt: skip
    return id_


def test_a_parent_learns_whom_she_represents_and_until_when(
    server: CabinetServer, patient: str, child: str
) -> None:
    server.put(consent(f"c-{patient}", patient))
    mother = relation(server, child, f"Patient/{patient}")
    who = person(patient, "user/*.rs", patient=None, represented=(patient, child))
    (found,) = rows(status(server, who, patient), "represents")
    assert found == {
        "patient": {"reference": f"Patient/{child}", "display": "Петя"},
        "kind": "parent",
        "permitted": "read-write",
        "until": "2039-11-01T00:00:00.000Z",
    }
    (by,) = rows(status(server, who, child), "represented-by")
    assert by["relation"] == {
        "reference": f"RelatedPerson/{mother}", "display": "Мария Котова",
    }  # fmt: skip
    assert (by["kind"], by["until"]) == ("parent", "2039-11-01T00:00:00.000Z")


def test_an_app_of_one_record_learns_of_no_other(
    server: CabinetServer, patient: str, child: str
) -> None:
    relation(server, child, f"Patient/{patient}")
    assert rows(status(server, person(patient), patient), "represents") == []
    who = person(patient, "patient/Patient.rs", patient=child, represented=(patient, child))
    answer = status(server, who, child)
    assert rows(answer, "represents")[0]["patient"]["reference"] == f"Patient/{child}"
    assert rows(answer, "represented-by") == []  # RelatedPerson is not in its scopes


def test_a_relation_that_is_not_verified_is_none(
    server: CabinetServer, patient: str, child: str
) -> None:
    id_ = relation(server, child, f"Patient/{patient}")
    server.put({
        "resourceType": "VerificationResult", "id": f"v-{id_}", "status": "req-revalid",
        "target": [{"reference": f"RelatedPerson/{id_}"}],
    })  # fmt: skip
    assert rows(status(server, DOCTOR, child), "represented-by") == []


def test_a_proxy_by_consent_is_told_with_it(server: CabinetServer, patient: str) -> None:
    server.put(consent(f"c-{patient}", patient))
    friend = relation(server, patient, f"Patient/{new_id()}", relationship=[{"text": "friend"}])
    provision = {
        "type": "permit",
        "period": {"end": "2999-01-01"},
        "actor": [{
            "role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/"
                     "v3-ParticipationType", "code": "IRCP"}]},
            "reference": {"reference": f"RelatedPerson/{friend}"},
        }],
    }  # fmt: skip
    proxy = consent(f"x-{patient}", patient, provision=provision)
    server.put({**proxy, "category": [{"coding": [{"system": OWN, "code": PROXY}]}]})
    (found,) = rows(status(server, person(patient), patient), "represented-by")
    assert (found["kind"], found["permitted"]) == ("consent", "read")
    assert found["until"] == "2999-01-02T00:00:00.000Z"
    assert found["consent"] == {"reference": f"Consent/x-{patient}"}


def test_it_is_an_entry_of_a_batch_too(server: CabinetServer, patient: str) -> None:
    url = f"Patient/{patient}/$access-status"
    batch = {"resourceType": "Bundle", "type": "batch",
             "entry": [{"request": {"method": "GET", "url": url}}]}  # fmt: skip
    (entry,) = server.ask(person(patient), "POST", "/", batch).json()["entry"]
    assert entry["resource"]["parameter"][0] == {"name": "cabinet", "valueCode": "closed"}


def test_unknown_parameters_are_refused(server: CabinetServer, patient: str) -> None:
    path = f"/Patient/{patient}/$access-status?verbose=1"
    assert server.ask(person(patient), "GET", path).status_code == 400


def test_a_look_is_in_the_patients_audit(server: CabinetServer, patient: str) -> None:
    server.put(consent(f"c-{patient}", patient))
    assert status(server, DOCTOR, patient).status_code == 200
    found = server.ask(person(patient), "GET", "/AuditEvent?subtype=operation").json()
    queries = [e.get("description") for r in found["entry"] for e in r["resource"]["entity"]]
    assert f"Patient/{patient}/$access-status" in queries
