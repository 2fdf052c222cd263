"""S0-01: no cabinet without the consents that the law demands, at any door; with them at once.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from fhir_server.access.codings import CONSENT_SCOPE, Coding
from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.required import Required
from fhir_server.access.scopes import parse_scopes
from fhir_server.core.messages import Text
from fhir_server.core.outcome import CABINET_ERROR
from tests.support.fhir import JsonObject, new_id
from tests.support.workers import Workers, workers

PDN: Final = Coding("urn:law", "pdn")
TMK: Final = Coding("urn:law", "tmk")
POLICY: Final = AccessPolicy(
    Policy("all-normal"),
    required=(
        Required((PDN,), Text("data", "данные", "дані"), Text("desk", "стойка", "стійка")),
        Required((TMK,), Text("video", "видео", "відео"), Text("page", "сайт", "сайт")),
    ),
)


@pytest.fixture(scope="module")
def fhir(mongodb_uri: str) -> Iterator[Workers]:
    with workers(mongodb_uri, POLICY, 2) as found:
        yield found


def person(id_: str, scopes: str = "patient/*.cruds", **more: Any) -> Principal:
    principal = Principal(
        "app", parse_scopes(scopes), patient=id_, user=f"Patient/{id_}", account=f"a-{id_}",
        represented=(id_,),
    )  # fmt: skip
    return replace(principal, **more)


def given(patient: str, code: Coding, **more: Any) -> JsonObject:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [code._asdict()]}],
        "patient": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": f"Patient/{patient}"}],
        "policy": [{"uri": f"urn:law:{code.code}"}],
        **more,
    }


def of(kind: str, patient: str, **more: Any) -> JsonObject:
    """A resource of the record."""
    subject = {"subject": {"reference": f"Patient/{patient}"}}
    elements: dict[str, JsonObject] = {
        "Observation": {"status": "final", "code": {"text": "x"}},
        "DocumentReference": {
            "status": "current",
            "content": [{"attachment": {"url": "urn:x"}}],
        },
    }
    return {"resourceType": kind, **subject, **elements[kind], **more}


@pytest.fixture
def patient(fhir: Workers) -> str:
    """A record of two resources, without a consent."""
    id_ = new_id()
    fhir.put(
        {"resourceType": "Patient", "id": id_},
        of("Observation", id_, id=f"o-{id_}"),
        of("DocumentReference", id_, id=f"d-{id_}"),
    )
    return id_


def missing(outcome: JsonObject) -> list[str]:
    """The texts of an outcome that names missing consents."""
    codings = [each["details"]["coding"] for each in outcome["issue"]]
    assert codings == [[{"system": CABINET_ERROR, "code": "consent-missing"}]] * len(codings)
    assert not any("expression" in each for each in outcome["issue"])
    return [each["diagnostics"] for each in outcome["issue"]]


BOTH: Final = [
    "A consent is missing: data. It can be given here: desk.",
    "A consent is missing: video. It can be given here: page.",
]

DOORS: Final = (
    ("GET", "/Observation/o-{p}"),
    ("GET", "/Observation/o-{p}/_history"),
    ("GET", "/Observation/o-{p}/_history/1"),
    ("GET", "/Observation?patient={p}"),
    ("GET", "/Observation?patient={p}&_summary=count"),
    ("POST", "/Observation/_search?patient={p}"),
    ("GET", "/Patient/{p}/Observation"),
    ("GET", "/DocumentReference/d-{p}"),
    ("GET", "/DocumentReference?patient={p}"),
    ("GET", "/AuditEvent?patient={p}"),
    ("GET", "/Practitioner"),
    ("GET", "/Observation/$lastn?patient={p}&category=x"),
    ("DELETE", "/Observation/o-{p}"),
    ("DELETE", "/Patient/{p}"),
)


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_every_door_says_what_is_missing(
    fhir: Workers, patient: str, method: str, path: str
) -> None:
    answer = fhir.ask(person(patient), method, path.replace("{p}", patient))
    assert answer.status_code == 403
    assert missing(answer.json()) == BOTH


def test_nothing_is_written_into_a_closed_record(fhir: Workers, patient: str) -> None:
    who = person(patient)
    for answer in (
        fhir.ask(who, "POST", "/Observation", of("Observation", patient)),
        fhir.ask(who, "PUT", f"/Observation/o-{patient}", of("Observation", patient)),
        fhir.ask(who, "PUT", f"/Patient/{patient}", {"resourceType": "Patient", "id": patient}),
    ):
        assert (answer.status_code, missing(answer.json())) == (403, BOTH)


def test_entries_of_a_batch_say_it_each_at_its_place(fhir: Workers, patient: str) -> None:
    urls = (f"Observation/o-{patient}", f"Observation?patient={patient}", f"Patient/{patient}")
    entry = [{"request": {"method": "GET", "url": url}} for url in urls]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entry}
    who = person(patient, token=new_id())
    found = fhir.ask(who, "POST", "/", batch).json()["entry"]
    assert [each["response"]["status"][:3] for each in found] == ["403", "403", "200"]
    issues = found[1]["response"]["outcome"]["issue"]
    assert [each["expression"] for each in issues] == [["Bundle.entry[1]"]] * 2
    # The refusal is kept: what an entry said of its place is not said of what comes later.
    later = fhir.ask(who, "GET", f"/Observation/o-{patient}")
    assert missing(later.json()) == BOTH


def test_a_transaction_is_refused_as_a_whole(fhir: Workers, patient: str) -> None:
    entry = {
        "resource": of("Observation", patient),
        "request": {"method": "POST", "url": "Observation"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert fhir.ask(person(patient), "POST", "/", bundle).status_code == 403


def test_a_whole_record_is_its_patient_and_no_more(fhir: Workers, patient: str) -> None:
    found = fhir.ask(person(patient), "GET", f"/Patient/{patient}/$everything").json()
    assert [each["resource"]["resourceType"] for each in found["entry"]] == ["Patient"]


def test_includes_of_what_is_open_bring_nothing_closed(fhir: Workers, patient: str) -> None:
    path = f"/Patient?_id={patient}&_revinclude"
    named = fhir.ask(person(patient), "GET", f"{path}=Observation:subject")
    assert (named.status_code, missing(named.json())) == (403, BOTH)
    found = fhir.ask(person(patient), "GET", f"{path}=*").json()
    assert [each["resource"]["resourceType"] for each in found["entry"]] == ["Patient"]


def test_consents_given_over_fhir_open_the_cabinet_in_every_worker(
    fhir: Workers, patient: str
) -> None:
    who, path = person(patient, token=new_id()), f"/Observation/o-{patient}"
    assert fhir.statuses(who, path) == {403}
    assert fhir.ask(who, "POST", "/Consent", given(patient, PDN)).status_code == 201
    answer = fhir.ask(who, "GET", path, worker=1)
    assert (answer.status_code, missing(answer.json())) == (403, BOTH[1:])
    made = fhir.ask(who, "POST", "/Consent", given(patient, TMK), worker=1).json()
    assert fhir.statuses(who, path) == {200}
    withdrawn = {**made, "status": "inactive"}
    assert fhir.ask(who, "PUT", f"/Consent/{made['id']}", withdrawn, worker=1).is_success
    assert fhir.statuses(who, path) == {403}


def test_the_scan_of_a_consent_can_be_sent(fhir: Workers, patient: str) -> None:
    scan = of("DocumentReference", patient)
    assert fhir.ask(person(patient), "POST", "/DocumentReference", scan).status_code == 201


@pytest.mark.parametrize("more", [
    {"status": "inactive"},
    {"status": "draft"},
    {"provision": {"type": "deny"}},
    {"provision": {"period": {"end": "2020-01-01"}}},
    {"provision": {"period": {"start": "2999-01-01"}}},
])  # fmt: skip
def test_what_is_no_consent_opens_nothing(
    fhir: Workers, patient: str, more: JsonObject
) -> None:
    who = person(patient)
    for each in (given(patient, PDN), given(patient, TMK, **more)):
        assert fhir.ask(who, "POST", "/Consent", each).status_code == 201
    assert fhir.statuses(who, f"/Observation/o-{patient}") == {403}


def test_a_token_without_a_patient_in_context_opens_no_closed_record(
    fhir: Workers, patient: str
) -> None:
    who = person(patient, "user/*.cruds", patient=None)
    answer = fhir.ask(who, "GET", f"/Observation/o-{patient}")
    assert (answer.status_code, missing(answer.json())) == (403, BOTH)


def test_of_several_records_the_closed_ones_are_as_if_empty(
    fhir: Workers, patient: str
) -> None:
    """Of somebody who is two patients, by one Person."""
    open_ = new_id()
    fhir.put(
        {"resourceType": "Patient", "id": open_},
        of("Observation", open_, id=f"o-{open_}"),
        *(given(open_, each, id=f"c-{open_}-{each.code}") for each in (PDN, TMK)),
        {"resourceType": "Person", "id": f"p-{open_}", "link": [
            {"target": {"reference": f"Patient/{each}"}} for each in (patient, open_)]},
    )  # fmt: skip
    who = person(
        patient, "user/*.rs", patient=None, user=f"Person/p-{open_}",
        represented=(patient, open_), token=new_id(),
    )  # fmt: skip
    found = fhir.ask(who, "GET", "/Observation?_total=accurate").json()
    assert [each["resource"]["id"] for each in found["entry"]] == [f"o-{open_}"]
    assert found["total"] == 1
    assert fhir.statuses(who, f"/Observation/o-{patient}") == {404}
    assert fhir.statuses(who, f"/Patient/{patient}") == {200}


def test_an_account_without_a_resource_of_its_own_is_no_system(
    fhir: Workers, patient: str
) -> None:
    who = person(patient, user=None)
    assert fhir.statuses(who, f"/Observation/o-{patient}") == {403}


def test_care_never_depends_on_it(fhir: Workers, patient: str) -> None:
    doctor = Principal(
        "his", parse_scopes("user/*.cruds"), user="Practitioner/d", account="d", staff=True,
        purpose="TREAT",
    )  # fmt: skip
    assert fhir.statuses(doctor, f"/Observation/o-{patient}") == {200}
