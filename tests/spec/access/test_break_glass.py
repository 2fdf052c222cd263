"""Break-glass: what a declared emergency opens, to whom, until when, and who hears of it.

https://hl7.org/fhir/R4/security.html
https://profiles.ihe.net/ITI/PCF/volume-1.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.interactions.directives import BELIEVED
from fhir_server.settings import Settings
from tests.support.emergencies import (
    APP,
    Ward,
    WardTokens,
    consent,
    doctor,
    forbid,
    patient,
    permit,
    person,
    restricted,
)
from tests.support.fhir import JsonObject, new_id
from tests.support.parallel import together
from tests.support.polling import until
from tests.support.running import Running

HOUR = 3_600_000  # milliseconds
DOCTOR = doctor()
OTHER_APP = doctor(client="second")
COLLEAGUE = doctor("wilson")


@contextmanager
def ward(uri: str, tokens: WardTokens, database: str, **settings: Any) -> Iterator[Ward]:
    given = Settings(
        mongodb_uri=uri, database=database, seed=False, log_level="WARNING",
        audit_seconds=3600, base_url="http://test/fhir", **settings,
    )  # fmt: skip
    with (
        Running(given, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        yield Ward(http, tokens)


@pytest.fixture(scope="module")
def database() -> str:
    return f"glass_{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def glass(mongodb_uri: str, database: str) -> Iterator[Ward]:
    """Staff see what is normal; beyond that, what Consents permit in an emergency."""
    with ward(mongodb_uri, WardTokens(), database) as found:
        for each in ("house", "wilson"):
            for client in (APP, "second"):
                permit(mongodb_uri, database, each, client)
        named = [{"given": ["Gregory"], "family": "House"}]
        found.put({"resourceType": "Practitioner", "id": "house", "name": named})
        yield found


@pytest.fixture
def record(glass: Ward) -> Iterator[str]:
    """The id of a patient who lets an emergency open the record, with something restricted."""
    id_ = new_id()
    glass.put(person(id_), consent(id_, "permit"), restricted(f"o-{id_}", id_))
    yield id_
    glass.tokens.clock.at = None
    glass.end(DOCTOR, id_)


def code_of(answer: httpx.Response) -> str:
    found: str = answer.json()["issue"][0]["code"]
    return found


def test_it_opens_what_a_consent_permits_for_it(glass: Ward, record: str) -> None:
    path = f"/Observation/o-{record}"
    assert not glass.sees(DOCTOR, path)
    answer = glass.declare(DOCTOR, record)
    assert answer.status_code == 200
    given = {each["name"]: each for each in answer.json()["parameter"]}
    assert given.keys() == {"id", "until"}
    assert given["until"]["valueInstant"]
    assert glass.sees(DOCTOR, path)
    found = glass.ask(DOCTOR, "GET", f"/Observation?patient={record}&_total=accurate").json()
    assert found["total"] == 1
    assert glass.sees(DOCTOR, f"{path}/_history/1")


def test_it_is_of_one_person_in_one_app(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    for each in (OTHER_APP, COLLEAGUE):
        assert not glass.sees(each, f"/Observation/o-{record}")


def test_it_is_of_one_patient(glass: Ward, record: str) -> None:
    other = new_id()
    glass.put(person(other), consent(other, "permit"), restricted(f"o-{other}", other))
    glass.declare(DOCTOR, record)
    assert not glass.sees(DOCTOR, f"/Observation/o-{other}")


def test_it_ends_with_its_time_in_mid_session(glass: Ward, record: str) -> None:
    path = f"/Observation/o-{record}"
    begun = glass.tokens.clock.now()
    said = glass.declare(DOCTOR, record).json()["parameter"][1]["valueInstant"]
    until = int(datetime.fromisoformat(said).timestamp() * 1000)
    assert HOUR <= until - begun < HOUR + 60_000
    glass.tokens.clock.at = until - 1
    assert glass.sees(DOCTOR, path)
    glass.tokens.clock.at = until
    assert not glass.sees(DOCTOR, path)


def test_it_can_be_ended_before_from_any_app(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    assert glass.sees(DOCTOR, f"/Observation/o-{record}")
    answer = glass.end(OTHER_APP, record)
    assert answer.json()["parameter"] == [{"name": "ended", "valueUnsignedInt": 1}]
    assert not glass.sees(DOCTOR, f"/Observation/o-{record}")


def test_it_needs_the_permission_as_long_as_it_holds(
    glass: Ward, mongodb_uri: str, database: str
) -> None:
    permit(mongodb_uri, database, "dismissed", APP)
    who, id_ = doctor("dismissed"), new_id()
    glass.put(person(id_), consent(id_, "permit"), restricted(f"o-{id_}", id_))
    glass.declare(who, id_)
    assert glass.sees(who, f"/Observation/o-{id_}")
    forbid(mongodb_uri, database, "dismissed")
    glass.tokens.clock.at = glass.tokens.clock.now() + BELIEVED
    assert not glass.sees(who, f"/Observation/o-{id_}")
    glass.tokens.clock.at = None


def later(glass: Ward, who: Principal, path: str) -> str:
    """Order a read; where its answer will be."""
    entry = {"request": {"method": "GET", "url": path}}
    order = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    accepted = glass.ask(who, "POST", "/", order, Prefer="respond-async")
    assert accepted.status_code == 202, accepted.text
    return accepted.headers["content-location"].partition("/fhir")[2]


def fetched(glass: Ward, who: Principal, place: str) -> httpx.Response:
    def ask() -> httpx.Response | None:
        answer = glass.ask(who, "GET", place)
        return None if answer.status_code == 202 else answer

    return until(ask)


def test_what_was_ordered_in_it_is_judged_when_it_is_done_and_shown(
    glass: Ward, record: str
) -> None:
    path, shown = f"Observation/o-{record}", f'"o-{record}"'
    glass.declare(DOCTOR, record)
    assert shown in fetched(glass, DOCTOR, later(glass, DOCTOR, path)).text
    place = later(glass, DOCTOR, path)
    glass.end(DOCTOR, record)
    assert shown not in fetched(glass, DOCTOR, place).text
    reads = [each for each in events(glass, record) if each["subtype"][0]["code"] == "read"]
    assert {"BTG"} in [purposes(each) for each in reads]


def test_nobody_ends_anothers(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    answer = glass.end(COLLEAGUE, record)
    assert answer.json()["parameter"] == [{"name": "ended", "valueUnsignedInt": 0}]
    assert glass.sees(DOCTOR, f"/Observation/o-{record}")


def test_a_consent_that_denies_it_stays(glass: Ward) -> None:
    id_ = new_id()
    glass.put(person(id_), consent(id_, "deny"), restricted(f"o-{id_}", id_))
    assert glass.declare(DOCTOR, id_).status_code == 200
    assert not glass.sees(DOCTOR, f"/Observation/o-{id_}")


def test_a_consent_that_is_withdrawn_ends_what_it_opened(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    glass.put({**consent(record, "permit"), "status": "inactive"})
    assert not glass.sees(DOCTOR, f"/Observation/o-{record}")


def test_it_takes_nothing_away(glass: Ward, record: str) -> None:
    """A Consent that permits some things in an emergency does not limit treatment by it."""
    normal = restricted(f"n-{record}", record)
    del normal["meta"]
    glass.put(normal, consent(record, "permit", **{"class": [{
        "system": "http://hl7.org/fhir/resource-types", "code": "Condition"}]}))  # fmt: skip
    assert glass.sees(DOCTOR, f"/Observation/n-{record}")
    glass.declare(DOCTOR, record)
    assert glass.sees(DOCTOR, f"/Observation/n-{record}")


def test_it_widens_no_scopes(glass: Ward, record: str) -> None:
    narrow = doctor(token="narrow", scopes=parse_scopes("user/Patient.rs user/Condition.rs"))
    assert glass.declare(narrow, record).status_code == 200
    assert glass.ask(narrow, "GET", f"/Observation/o-{record}").status_code == 403


def test_nothing_of_before_is_changed_or_deleted_in_it(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    path = f"/Observation/o-{record}"
    changed = restricted(f"o-{record}", record, note=[{"text": "x"}])
    assert glass.ask(DOCTOR, "PUT", path, changed).status_code == 403
    assert glass.ask(DOCTOR, "DELETE", path).status_code == 403


def test_what_was_done_in_it_can_be_written_down(glass: Ward, record: str) -> None:
    written = restricted("x", record)
    assert glass.ask(DOCTOR, "POST", "/Observation", written).status_code == 403
    glass.declare(DOCTOR, record)
    assert glass.ask(DOCTOR, "POST", "/Observation", written).status_code == 201


def test_no_consent_is_made_in_it(glass: Ward, record: str) -> None:
    """One that is restricted could not be written before; it would outlast the emergency."""
    more = {"id": "x", "meta": restricted("x", record)["meta"]}
    glass.declare(DOCTOR, record)
    answer = glass.ask(DOCTOR, "POST", "/Consent", consent(record, "permit") | more)
    assert answer.status_code == 403


def test_what_may_be_about_another_stays_as_it_was(glass: Ward, record: str) -> None:
    other = new_id()
    group = {
        "resourceType": "Appointment",
        "id": new_id(),
        "meta": restricted("x", record)["meta"],
        "status": "proposed",
        "participant": [
            {"actor": {"reference": f"Patient/{each}"}, "status": "needs-action"}
            for each in (record, other)
        ],
    }
    glass.put(person(other), group)
    glass.declare(DOCTOR, record)
    assert not glass.sees(DOCTOR, f"/Appointment/{group['id']}")


def test_two_processes_know_of_it_at_once(
    glass: Ward, record: str, mongodb_uri: str, database: str
) -> None:
    tokens = WardTokens()
    tokens.give(DOCTOR)
    with ward(mongodb_uri, tokens, database) as second:
        path = f"/Observation/o-{record}"
        assert not second.sees(DOCTOR, path)
        glass.declare(DOCTOR, record)
        assert second.sees(DOCTOR, path)
        glass.end(DOCTOR, record)
        assert not second.sees(DOCTOR, path)


BAD: list[tuple[str, Principal]] = [
    ("a person without the permission", doctor("foreman")),
    ("an app without it", doctor(client="third")),
    ("no treatment", doctor(token="billing", purpose="HPAYMT")),
    ("no staff", doctor(token="guest", staff=False)),
    ("a system", doctor(token="sys", scopes=parse_scopes("system/*.rs"), staff=False)),
    ("scopes of another patient", doctor(token="one", patient="another",
        scopes=parse_scopes("patient/*.rs"))),
    ("no scope for data", doctor(token="none", scopes=())),
]  # fmt: skip


@pytest.mark.parametrize("who", [each for _, each in BAD], ids=[name for name, _ in BAD])
def test_who_may_not_declare_learns_nothing_of_a_patient(
    glass: Ward, record: str, who: Principal
) -> None:
    answers = [glass.declare(who, each) for each in (record, "nobody", "no..id")]
    assert {each.status_code for each in answers} == {403}
    assert len({each.text for each in answers}) == 1
    assert not glass.sees(DOCTOR, f"/Observation/o-{record}")


def test_a_patient_is_no_staff(glass: Ward, record: str) -> None:
    assert glass.declare(patient(record), record).status_code == 403
    assert glass.end(patient(record), record).status_code == 403


def test_who_may_declare_may_know_that_there_is_no_such_patient(glass: Ward) -> None:
    gone = new_id()
    glass.put(person(gone))
    glass.ask(DOCTOR, "DELETE", f"/Patient/{gone}")
    answers = [glass.declare(DOCTOR, each) for each in (gone, "never-was")]
    assert {each.status_code for each in answers} == {404}


def reason(**value: Any) -> JsonObject:
    return {"resourceType": "Parameters", "parameter": [{"name": "reason", **value}]}


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"resourceType": "Parameters"},
        reason(valueString="   "),
        reason(valueString="x" * 1001),
        reason(valueInteger=5),
        reason(valueCodeableConcept={"coding": [{"system": "urn:x"}]}),
        reason(valueCodeableConcept={"coding": [{"code": "x"}] * 6}),
        reason(valueReference={"reference": "Patient/x"}),
        {"resourceType": "Parameters", "parameter": [
            {"name": "reason", "valueString": "a"}, {"name": "reason", "valueString": "b"}]},
    ],
)  # fmt: skip
def test_without_a_reason_there_is_none(glass: Ward, record: str, body: object) -> None:
    assert glass.declare(DOCTOR, record, body).status_code in (400, 422)
    assert not glass.sees(DOCTOR, f"/Observation/o-{record}")


def test_a_reason_in_the_url_is_none(glass: Ward, record: str) -> None:
    path = f"/Patient/{record}/$break-glass?reason=secret"
    assert glass.ask(DOCTOR, "POST", path).status_code == 400


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"valueCodeableConcept": {"text": "found at home"}}, "found at home"),
        ({"valueCoding": {"system": "urn:r", "code": "coma", "display": "Coma"}}, "Coma"),
        ({"valueCodeableConcept": {"coding": [{"system": "urn:r", "code": "coma"}]}}, "coma"),
        ({"valueString": " unconscious "}, "unconscious"),
    ],
)
def test_a_patient_is_told_who_when_and_why(
    glass: Ward, record: str, given: JsonObject, said: str
) -> None:
    glass.declare(DOCTOR, record, reason(**given))
    found = glass.ask(patient(record), "GET", "/Communication").json()["entry"]
    assert len(found) == 1
    notice = found[0]["resource"]
    assert notice["sender"] == {"reference": "Practitioner/house", "display": "Gregory House"}
    text = notice["payload"][0]["contentString"]
    assert text.endswith(said)
    assert "Gregory House" in text
    assert "Ward app" in text


def test_a_patient_is_told_in_the_own_language(glass: Ward, record: str) -> None:
    spoken = {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "uk-UA"}]}}
    other = {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}}
    glass.put(person(record, communication=[other, {**spoken, "preferred": True}]))
    glass.declare(DOCTOR, record)
    notice = glass.ask(patient(record), "GET", "/Communication").json()["entry"][0]["resource"]
    assert notice["language"] == "uk"
    assert "Зазначена причина" in notice["payload"][0]["contentString"]


def test_a_notice_is_nobodys_to_write(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    notice = glass.ask(patient(record), "GET", "/Communication").json()["entry"][0]["resource"]
    path = f"/Communication/{notice['id']}"
    for each in (DOCTOR, patient(record)):
        assert glass.ask(each, "DELETE", path).status_code == 403
        changed = {**notice, "payload": [{"contentString": "nothing"}]}
        assert glass.ask(each, "PUT", path, changed).status_code == 403
        forged = {k: v for k, v in notice.items() if k not in ("id", "meta")}
        assert glass.ask(each, "POST", "/Communication", forged).status_code == 403
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"request": {"method": "DELETE", "url": path[1:]}}]}  # fmt: skip
        assert glass.ask(each, "POST", "/", bundle).status_code == 403
    assert glass.sees(patient(record), path)


def test_a_notice_is_said_to_be_read_by_the_patient_alone(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    notice = glass.ask(patient(record), "GET", "/Communication").json()["entry"][0]["resource"]
    path = f"/Communication/{notice['id']}"
    read = {**notice, "received": "2026-11-29T10:00:00Z"}
    assert glass.ask(DOCTOR, "PUT", path, read).status_code == 403
    assert glass.ask(patient(record), "PUT", path, read).status_code == 200
    assert glass.ask(patient(record), "PUT", path, notice).status_code == 403


def events(glass: Ward, id_: str, query: str = "") -> list[JsonObject]:
    path = f"/AuditEvent?patient={id_}&_sort=-date{query}"
    found = glass.ask(patient(id_), "GET", path).json()
    return [each["resource"] for each in found.get("entry", ())]


def purposes(event: JsonObject) -> set[str]:
    found = (each for agent in event["agent"] for each in agent.get("purposeOfUse", ()))
    return {each["coding"][0]["code"] for each in found}


def of_staff(found: list[JsonObject], code: str) -> list[JsonObject]:
    return [each for each in found if each["subtype"][0]["code"] == code]


def test_it_is_in_the_audit_and_so_is_all_that_is_done_in_it(glass: Ward, record: str) -> None:
    glass.declare(DOCTOR, record)
    glass.ask(DOCTOR, "GET", f"/Observation/o-{record}")
    glass.end(DOCTOR, record)
    glass.ask(DOCTOR, "GET", f"/Patient/{record}")
    found = events(glass, record)
    [declared] = of_staff(found, "110127")
    assert declared["type"]["code"] == "110113"
    assert declared["outcome"] == "0"
    [read] = [e for e in of_staff(found, "read") if "110127" in str(e["subtype"])]
    [stopped] = of_staff(found, "110138")
    assert [purposes(each) for each in (declared, read, stopped)] == [{"BTG"}] * 3
    assert {"TREAT"} in [purposes(each) for each in of_staff(found, "read")]


def test_of_another_patient_the_same_request_is_treatment(glass: Ward, record: str) -> None:
    other = new_id()
    normal = restricted(f"o-{other}", other)
    del normal["meta"]
    glass.put(person(other), normal)
    glass.declare(DOCTOR, record)
    glass.ask(DOCTOR, "GET", f"/Observation?_id=o-{other},o-{record}")
    [of_other] = of_staff(events(glass, other), "search-type")
    assert purposes(of_other) == {"TREAT"}
    [of_record] = of_staff(events(glass, record), "search-type")
    assert purposes(of_record) == {"BTG"}


def test_a_refusal_is_in_the_audit(glass: Ward, record: str) -> None:
    who = doctor("foreman")
    assert glass.declare(who, record).status_code == 403
    assert glass.declare(DOCTOR, record, None).status_code == 400
    auditor = Principal("auditor", parse_scopes("system/AuditEvent.rs"), token="auditor")
    path = f"/AuditEvent?entity=Patient/{record}&outcome=4&subtype=110127"
    found = glass.ask(auditor, "GET", path).json()["entry"]
    users = [[a["who"].get("reference") for a in e["resource"]["agent"]] for e in found]
    assert sorted(each[2] for each in users) == ["Practitioner/foreman", "Practitioner/house"]


def test_the_sign_in_has_to_be_strong_and_of_today(glass: Ward, record: str) -> None:
    weak, old = doctor(token="weak", level=2), doctor(token="old", auth_time=1)
    for each in (weak, old):
        answers = [glass.declare(each, id_) for id_ in (record, "never-was")]
        assert {each.status_code for each in answers} == {401}
        assert len({each.text for each in answers}) == 1
        said = answers[0].headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in said
        assert 'acr_values="3", max_age="43200"' in said


def test_no_more_than_twenty_hold(glass: Ward, mongodb_uri: str, database: str) -> None:
    permit(mongodb_uri, database, "busy", APP)
    busy, id_ = doctor("busy"), new_id()
    glass.put(person(id_))
    glass.tokens.give(busy)
    answers = together([lambda: glass.declare(busy, id_).status_code] * 24)
    assert sorted(answers) == [200] * 20 + [422] * 4
    notices = glass.ask(patient(id_), "GET", "/Communication?_summary=count").json()
    assert notices["total"] == 20
    assert glass.end(busy, id_).json()["parameter"][0]["valueUnsignedInt"] == 20
    assert glass.declare(busy, id_).status_code == 200


@pytest.mark.parametrize("implicit", ["break-glass-only", "basic-normal"])
def test_the_house_may_open_everything(mongodb_uri: str, implicit: Any) -> None:
    policy = AccessPolicy(Policy(implicit, urgent="everything"))
    database = f"glass_{uuid4().hex[:12]}"
    with ward(mongodb_uri, WardTokens(policy), database) as found:
        permit(mongodb_uri, database, "house", APP)
        for each in ("a", "b", "deny"):
            found.put(person(each), restricted(f"o-{each}", each))
        found.put(consent("deny", "deny"))
        before = found.ask(DOCTOR, "GET", "/Patient/b").status_code
        for each in ("a", "deny"):
            assert found.declare(DOCTOR, each).status_code == 200
        assert found.sees(DOCTOR, "/Observation/o-a")
        assert not found.sees(DOCTOR, "/Observation/o-b")
        assert not found.sees(DOCTOR, "/Observation/o-deny")
        after = found.ask(DOCTOR, "GET", "/Patient/b").status_code
        assert after == (404 if implicit == "break-glass-only" else before)
