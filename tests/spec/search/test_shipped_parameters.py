"""Search parameters that the server comes with (`profiles/`): usable at once on a new database,
after `$reindex` on one from before.

https://hl7.org/fhir/R4/searchparameter.html
"""

import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.settings import Settings
from tests.support.fhir import create, ids, new_id, patient
from tests.support.polling import finished
from tests.support.running import Running

BASE: Final = "https://fhir-server.example"
TEXT: Final = {"text": "x"}


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{BASE}/StructureDefinition/{name}", **value}


def visit(who: str, **more: Any) -> dict[str, Any]:
    participant = {"actor": {"reference": f"Patient/{who}"}, "status": "accepted"}
    return {
        "resourceType": "Appointment",
        "status": "waitlist",
        "participant": [participant],
    } | more


def row(kind: str, fhir: httpx.Client) -> dict[str, Any]:
    """A resource that the rows below ask about; unlike every other by its own marks."""
    who = create(fhir, patient())["id"]
    mark = new_id()
    coded = {"coding": [{"system": "urn:c", "code": mark}]}
    match kind:
        case "Appointment":
            booked = extension("booked-by", valueReference={"reference": f"Patient/{who}"})
            channel = extension("booking-channel", valueCode="infomat")
            return visit(who, extension=[booked, channel], created="2031-05-06T07:08:09Z")
        case "Communication":
            first = create(fhir, {"resourceType": kind, "status": "completed"})["id"]
            answered = [{"reference": f"Communication/{first}"}]
            return {"resourceType": kind, "status": "completed", "inResponseTo": answered}
        case "ChargeItemDefinition":
            url = f"urn:uuid:{mark}"
            return {"resourceType": kind, "status": "active", "url": url, "code": coded}
        case "Flag":
            subject = {"reference": f"Patient/{who}"}
            return {
                "resourceType": kind,
                "status": "entered-in-error",
                "code": coded,
                "subject": subject,
            }
        case _:
            return {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "groupIdentifier": {"system": "urn:g", "value": mark},
                "medicationCodeableConcept": TEXT,
                "subject": {"reference": f"Patient/{who}"},
            }


def asked(code: str, made: dict[str, Any]) -> tuple[str, str]:
    """What finds it by `code`, and what does not."""
    match code:
        case "booking-channel":
            return "infomat", "portal"
        case "booked-by":
            return made["extension"][0]["valueReference"]["reference"], "Patient/nobody"
        case "created":
            return "2031-05-06", "lt2031-05-06"
        case "in-response-to":
            return made["inResponseTo"][0]["reference"], "Communication/none"
        case "code":
            return f"urn:c|{made['code']['coding'][0]['code']}", "urn:c|other"
        case "status":
            return "entered-in-error", "active"
        case _:
            return f"urn:g|{made['groupIdentifier']['value']}", "urn:g|other"


ROWS: Final = [
    ("Appointment", "booking-channel"),  # built in
    ("Appointment", "booked-by"),
    ("Appointment", "created"),
    ("Communication", "in-response-to"),
    ("ChargeItemDefinition", "code"),
    ("Flag", "code"),
    ("Flag", "status"),
    ("MedicationRequest", "group-identifier"),
]


def found(client: httpx.Client, kind: str, **asked: str) -> list[str]:
    answer = client.get(f"/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return ids(answer.json())


@pytest.mark.parametrize(("kind", "code"), ROWS)
def test_each_is_usable_at_once(fhir: httpx.Client, kind: str, code: str) -> None:
    made = create(fhir, row(kind, fhir))
    right, wrong = asked(code, made)
    assert found(fhir, kind, _id=made["id"], **{code: right}) == [made["id"]]
    assert found(fhir, kind, _id=made["id"], **{code: wrong}) == []


def test_metadata_lists_them(fhir: httpx.Client) -> None:
    rows = fhir.get("/metadata").json()["rest"][0]["resource"]
    listed = {
        (row["type"], each["name"], each["definition"])
        for row in rows
        for each in row.get("searchParam", ())
    }
    wanted = {(k, c, f"{BASE}/SearchParameter/{k}-{c}") for k, c in ROWS[1:]}
    wanted.add(("Appointment", "booking-channel", f"{BASE}/SearchParameter/booking-channel"))
    assert wanted <= listed


def test_those_of_references_can_be_followed(fhir: httpx.Client) -> None:
    made = create(fhir, row("Communication", fhir))
    first = made["inResponseTo"][0]["reference"].partition("/")[2]
    both = found(fhir, "Communication", _id=made["id"], _include="Communication:in-response-to")
    assert sorted(both) == sorted([made["id"], first])
    answers = {"_has:Communication:in-response-to:_id": made["id"]}
    assert found(fhir, "Communication", **answers) == [first]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"{BASE}/SearchParameter/Flag-status", "other"),
        ("http://example.org/SearchParameter/mine", "status"),
    ],
)
def test_what_it_comes_with_cannot_be_replaced(fhir: httpx.Client, url: str, code: str) -> None:
    posted = {
        "resourceType": "SearchParameter",
        "url": url,
        "name": "Mine",
        "description": "x",
        "status": "active",
        "code": code,
        "base": ["Flag"],
        "type": "token",
        "expression": "Flag.status",
    }
    answer = fhir.post("/SearchParameter", json=posted)
    assert answer.status_code == 422, answer.text
    assert answer.json()["issue"][0]["code"] == "duplicate"


@pytest.fixture(scope="module")
def before(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a server without definitions, which has stored Flags already."""
    folder: Path = tmp_path_factory.mktemp("profiles")
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"own_{uuid4().hex[:12]}",
        seed=False,
        profiles=folder,
        log_level="ERROR",
    )
    with (
        Running(settings) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        assert client.get("/Flag?status=active").status_code == 400
        made = create(client, row("Flag", client))
        assert client.delete(f"/Flag/{made['id']}").status_code == 204
    return settings


def test_on_a_database_from_before_they_wait_for_reindex(before: Settings) -> None:
    """A tombstone alone is enough: its history is searched in, by who may see it."""
    later = before.model_copy(update={"profiles": Path("profiles")})
    with (
        Running(later) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        refused = client.get("/Flag?status=active")
        assert (refused.status_code, "$reindex" in refused.text) == (400, True)
        assert client.get("/Communication?in-response-to=Communication/1").status_code == 200
        made = create(client, row("Flag", client))
        url = f"{BASE}/SearchParameter/Flag-status"
        assert (
            finished(client, client.post("/$reindex", params={"url": url})).status_code == 200
        )
        assert found(client, "Flag", status="entered-in-error") == [made["id"]]


def test_an_operators_own_joins_in_the_same_way(mongodb_uri: str, tmp_path: Path) -> None:
    own = {
        "resourceType": "SearchParameter",
        "url": "http://example.org/SearchParameter/marital",
        "name": "Marital",
        "description": "x",
        "status": "active",
        "code": "marital",
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.maritalStatus",
    }
    (tmp_path / "marital.json").write_text(json.dumps(own), encoding="utf-8")
    settings = Settings(
        insecure_no_auth=True,
        mongodb_uri=mongodb_uri,
        database=f"own_{uuid4().hex[:12]}",
        seed=False,
        profiles=tmp_path,
        log_level="ERROR",
    )
    with (
        Running(settings) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as client,
    ):
        married = patient() | {"maritalStatus": {"coding": [{"system": "urn:m", "code": "M"}]}}
        made = create(client, married)
        assert found(client, "Patient", marital="urn:m|M") == [made["id"]]
