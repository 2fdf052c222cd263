"""Where the audit cannot be written nothing is shown, and nothing is made.

https://hl7.org/fhir/R4/security.html#audit
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pymongo import MongoClient

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.store.mongo.audit_log import LOG
from tests.support.auditing import Caller, Clinic, observation, subtypes

NOTHING = {"$jsonSchema": {"required": ["never"]}}


@contextmanager
def unwritable(clinic: Clinic) -> Iterator[None]:
    """The database takes no row of the audit."""
    uri = clinic.settings.mongodb_uri
    assert uri is not None
    with MongoClient[dict[str, object]](uri.get_secret_value()) as client:
        database = client[clinic.settings.database]
        database.command("collMod", LOG, validator=NOTHING)
        try:
            yield
        finally:
            database.command("collMod", LOG, validator={})


@pytest.mark.parametrize(
    "path", ["/Observation/{o}", "/Observation?patient={p}", "/Patient/{p}/$everything"]
)
def test_a_read_is_503_and_shows_nothing(clinic: Clinic, patient: Caller, path: str) -> None:
    asked = path.format(o=patient.observation, p=patient.id)
    if "$everything" in path:
        asked += "?_type=Patient"
    with unwritable(clinic):
        answer = patient.get(asked)
    assert answer.status_code == 503
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "retry-after" in answer.headers
    assert patient.get(asked).status_code == 200


def test_a_refusal_is_503_too(clinic: Clinic, patient: Caller) -> None:
    with unwritable(clinic):
        assert patient.get("/Observation/none").status_code == 503


def test_a_create_makes_nothing(clinic: Clinic, patient: Caller) -> None:
    before = len(patient.get("/Observation").json()["entry"])
    mis = clinic.caller(Principal("mis", parse_scopes("system/*.cruds"), token="mis"))
    with unwritable(clinic):
        assert mis.ask("POST", "/Observation", observation(patient.id)).status_code == 503
        assert patient.ask("POST", "/Observation", observation(patient.id)).is_server_error
    assert len(patient.get("/Observation").json()["entry"]) == before


def test_an_update_changes_nothing(clinic: Clinic, patient: Caller) -> None:
    changed = observation(patient.id, id=patient.observation, status="amended")
    with unwritable(clinic):
        answer = patient.ask("PUT", f"/Observation/{patient.observation}", changed)
    assert answer.is_server_error
    now = patient.get(f"/Observation/{patient.observation}").json()
    assert (now["status"], now["meta"]["versionId"]) == ("final", "1")


def test_it_goes_on_when_the_log_does(clinic: Clinic, patient: Caller) -> None:
    with unwritable(clinic):
        patient.get(f"/Observation/{patient.observation}")
    patient.get(f"/Observation/{patient.observation}")
    assert [subtypes(each) for each in patient.events("action=R")] == [["read"]]
