"""Consents and relations as they are now: each change bites on the next request.

https://hl7.org/fhir/R4/consent.html
https://hl7.org/fhir/R4/relatedperson.html
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.codings import CONSENT_ACTION, CONSENT_SCOPE, OWN, PROXY, Coding
from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import ProxyRules
from fhir_server.access.required import Required
from fhir_server.access.scopes import parse_scopes
from fhir_server.core.messages import Text
from fhir_server.interactions import own_hand
from fhir_server.settings import Settings
from tests.support.consenting import AS_USUAL
from tests.support.fhir import JsonObject
from tests.support.relations import relation, years_before
from tests.support.running import Running
from tests.support.worlds import ROOT, Tokens

HL7: Final = "http://terminology.hl7.org/CodeSystem/"
V3: Final = f"{HL7}v3-"
RU_AGE: Final = 15
PDN: Final = Coding("urn:law", "pdn")
TITLE: Final = Text("data processing", "обработка данных", "обробка даних")
DESK: Final = Text("the desk", "регистратура", "реєстратура")
TODAY: Final = datetime.now(UTC).date()


class Server:
    """A running server, asked as one or another."""

    def __init__(self, http: httpx.Client, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens

    def ask(
        self,
        principal: Principal,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        token = principal.token or str(uuid4())
        self._tokens.give(replace(principal, token=token))
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        return self._http.request(method, path, json=body, headers=headers)

    def put(self, resource: JsonObject) -> None:
        path = f"/{resource['resourceType']}/{resource['id']}"
        answer = self.ask(ROOT, "PUT", path, resource)
        assert answer.is_success, answer.text

    def sees(self, principal: Principal, path: str) -> bool:
        answer = self.ask(principal, "GET", path)
        assert answer.status_code in (200, 403, 404), answer.text
        return answer.status_code == 200


def server(uri: str, policy: AccessPolicy, **more: Any) -> Iterator[Server]:
    tokens = Tokens(policy)
    settings = Settings(
        mongodb_uri=uri,
        database=f"live_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        base_url="http://test/fhir",
        **more,
    )
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        yield Server(http, tokens)


@pytest.fixture(scope="module")
def fhir(mongodb_uri: str) -> Iterator[Server]:
    policy = AccessPolicy(Policy("all-normal"), proxies=ProxyRules(child_age=RU_AGE))
    yield from server(mongodb_uri, policy)


@pytest.fixture(scope="module")
def desk(mongodb_uri: str) -> Iterator[Server]:
    """Where Consents are given on paper and typed in by staff."""
    yield from server(mongodb_uri, AccessPolicy(Policy("all-normal")), staff_consents=True)


@pytest.fixture(scope="module")
def strict(mongodb_uri: str) -> Iterator[Server]:
    """Where a consent is demanded before the cabinet opens."""
    required = Required((PDN,), TITLE, DESK)
    yield from server(mongodb_uri, AccessPolicy(Policy("all-normal"), required=(required,)))


def observation(patient: str, id_: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def consent(patient: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Consent",
        "id": f"{patient}-consent",
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": "2020-01-01",
        "policy": [{"uri": "urn:policy"}],
        **more,
    }


def doctor(name: str = "d") -> Principal:
    return Principal(
        "his",
        parse_scopes("user/*.cruds"),
        user=f"Practitioner/{name}",
        account=name,
        token=name,
        staff=True,
        purpose="TREAT",
    )


def parent(child: str, name: str) -> Principal:
    return Principal(
        "app",
        parse_scopes("patient/*.cruds"),
        patient=child,
        user=f"Patient/{name}",
        account=name,
        token=f"{name}-of-{child}",
        represented=(child, name),
    )


def actor(reference: str) -> list[JsonObject]:
    role = {"coding": [{"system": f"{V3}ParticipationType", "code": "IRCP"}]}
    return [{"role": role, "reference": {"reference": reference}}]


def test_a_denial_holds_from_the_next_request_on_and_ends_with_its_withdrawal(
    fhir: Server,
) -> None:
    fhir.put({"resourceType": "Patient", "id": "deny"})
    fhir.put(observation("deny", "deny-1"))
    one, other = doctor("denied"), doctor("allowed")
    assert fhir.sees(one, "/Observation/deny-1")
    provision = {"type": "permit", "provision": [
        {"type": "deny", "actor": actor("Practitioner/denied")}]}  # fmt: skip
    fhir.put(consent("deny", provision=provision))
    assert not fhir.sees(one, "/Observation/deny-1")
    assert fhir.sees(other, "/Observation/deny-1")
    total = fhir.ask(one, "GET", "/Observation?subject=Patient/deny&_total=accurate").json()
    assert total["total"] == 0
    assert (
        fhir.ask(one, "PUT", "/Observation/deny-1", observation("deny", "deny-1")).status_code
        == 403
    )
    fhir.put(consent("deny", provision=provision, status="inactive"))
    assert fhir.sees(one, "/Observation/deny-1")


def test_what_a_patient_hides_can_still_be_recorded(fhir: Server) -> None:
    """As the patient's page hides it; the rest of the record stays as it was."""
    fhir.put({"resourceType": "Patient", "id": "hides"})
    fhir.put(observation("hides", "hides-1"))
    types = [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]
    actions = [
        {"coding": [{"system": CONSENT_ACTION, "code": each}]} for each in ("access", "correct")
    ]
    rule = {"type": "deny", "class": types, "action": actions}
    fhir.put(consent("hides", policyRule=AS_USUAL, provision={"provision": [rule]}))
    made = fhir.ask(doctor(), "POST", "/Observation", observation("hides", "x"))
    assert (made.status_code, made.text) == (201, "")  # what was made is not shown either
    for id_ in ("hides-1", made.headers["Location"].split("/")[-3]):
        path = f"/Observation/{id_}"
        assert not fhir.sees(doctor(), path)
        changed = observation("hides", id_)
        assert fhir.ask(doctor(), "PUT", path, changed).status_code == 403
        assert fhir.ask(doctor(), "DELETE", path).status_code == 403
    assert fhir.sees(doctor(), "/Patient/hides")


def test_one_patient_does_not_write_the_consents_that_all_staff_wait_for(
    fhir: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_hand, "MOST_GIVEN", 2)
    fhir.put({"resourceType": "Patient", "id": "writes"})
    scopes = parse_scopes("patient/*.cruds")
    person = Principal("app", scopes, patient="writes", user="Patient/writes")

    def given(**more: Any) -> httpx.Response:
        made = {**consent("writes", provision={"type": "permit"}), **more}
        del made["id"]
        return fhir.ask(person, "POST", "/Consent", made)

    made = [given(), given(status="draft"), given(), given()]
    assert [each.status_code for each in made] == [201, 201, 201, 403]
    path = f"/Consent/{made[0].headers['Location'].split('/')[-3]}"
    first = fhir.ask(person, "GET", path).json()
    assert fhir.ask(person, "PUT", path, {**first, "dateTime": "2021"}).status_code == 200
    assert fhir.ask(person, "PUT", path, {**first, "status": "inactive"}).status_code == 200
    assert fhir.ask(person, "PUT", path, first).status_code == 200
    revived = fhir.ask(person, "GET", f"/Consent/{made[1].headers['Location'].split('/')[-3]}")
    again = {**revived.json(), "status": "active"}
    assert fhir.ask(person, "PUT", f"/Consent/{again['id']}", again).status_code == 403


def test_the_patient_is_not_bound_by_own_denials(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "own"})
    fhir.put(observation("own", "own-1"))
    fhir.put(consent("own", provision={"type": "deny"}))
    person = Principal("app", parse_scopes("patient/*.rs"), patient="own", user="Patient/own")
    assert fhir.sees(person, "/Observation/own-1")
    assert not fhir.sees(doctor(), "/Observation/own-1")


def test_a_restricted_label_is_beyond_the_implicit_policy(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "label"})
    code = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    fhir.put(observation("label", "label-1", meta={"security": [code]}))
    assert not fhir.sees(doctor(), "/Observation/label-1")


PSYCHIATRY: Final = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32.1"}]}


def security(resource: JsonObject) -> set[str]:
    return {each["code"] for each in resource["meta"].get("security", ())}


def test_a_sensitive_code_labels_and_the_label_stays(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "sensitive"})
    person = Principal(
        "app", parse_scopes("patient/*.cruds"), patient="sensitive", user="Patient/sensitive"
    )
    written = observation("sensitive", "x", code=PSYCHIATRY)
    made = fhir.ask(person, "POST", "/Observation", written).json()
    assert {"PSY", "R"} <= security(made)
    path = f"/Observation/{made['id']}"
    assert not fhir.sees(doctor(), path)
    assert fhir.sees(person, path)
    # A client cannot take labels away, by the short way of an update or by the long one.
    plain = observation("sensitive", made["id"])
    token = {"If-Match": 'W/"1"'}
    assert {"PSY", "R"} <= security(fhir.ask(person, "PUT", path, plain, token).json())
    assert {"PSY", "R"} <= security(fhir.ask(person, "PUT", path, plain).json())
    removal = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"security": made["meta"]["security"]}}],
    }
    assert fhir.ask(person, "POST", f"{path}/$meta-delete", removal).is_success
    assert {"PSY", "R"} <= security(fhir.ask(person, "GET", path).json())
    assert not fhir.sees(doctor(), path)


def test_an_unchanged_update_makes_no_version_of_what_was_labelled(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "same"})
    written = observation("same", "same-1", code=PSYCHIATRY)
    fhir.put(written)
    fhir.put(written)
    assert fhir.ask(ROOT, "GET", "/Observation/same-1").json()["meta"]["versionId"] == "1"


def test_a_parent_opens_a_childs_record_until_the_birthday(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "child", "birthDate": years_before(TODAY, 14)})
    fhir.put(observation("child", "child-1"))
    for each in relation("child", "mother"):
        fhir.put(each)
    mother = parent("child", "mother")
    assert fhir.sees(mother, "/Observation/child-1")
    assert (
        fhir.ask(mother, "POST", "/Observation", observation("child", "x")).status_code == 201
    )
    younger = {"resourceType": "Patient", "id": "child", "birthDate": years_before(TODAY, 1)}
    assert fhir.ask(mother, "PUT", "/Patient/child", younger).status_code == 403
    # The record is corrected: the child turns fifteen today.
    fhir.put(
        {"resourceType": "Patient", "id": "child", "birthDate": years_before(TODAY, RU_AGE)}
    )
    time.sleep(1.1)  # a birth date is no decisive type: it is believed for a second
    assert not fhir.sees(mother, "/Observation/child-1")
    assert fhir.ask(mother, "GET", "/Observation").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"birthDate": years_before(TODAY, 20)},
        {"birthDate": None},
        {"identifier": [{"system": "urn:ids", "value": "2"}]},
        {"deceasedBoolean": True},
        {"active": False},
        {"link": [{"other": {"reference": "Patient/other"}, "type": "seealso"}]},
    ],
    ids=lambda value: next(iter(value)),
)
def test_who_a_person_is_is_not_theirs_to_change(fhir: Server, changed: JsonObject) -> None:
    """A child would be of age by its own hand, and a sign-in by a number would find another."""
    before = {
        "resourceType": "Patient",
        "id": "teenager",
        "birthDate": years_before(TODAY, 14),
        "identifier": [{"system": "urn:ids", "value": "1"}],
        "telecom": [{"system": "phone", "value": "1"}],
    }
    fhir.put(before)
    fhir.put({"resourceType": "Patient", "id": "other"})
    own = replace(parent("teenager", "teenager"), represented=("teenager",))
    after = {key: value for key, value in (before | changed).items() if value is not None}
    refused = fhir.ask(own, "PUT", "/Patient/teenager", after)
    assert refused.status_code == 403
    assert refused.json()["issue"][0]["expression"] == [f"Patient.{next(iter(changed))}"]
    moved = before | {"telecom": [{"system": "phone", "value": "2"}]}
    assert fhir.ask(own, "PUT", "/Patient/teenager", moved).status_code == 200
    gone = fhir.ask(own, "DELETE", "/Patient/teenager")
    anew = fhir.ask(own, "PUT", "/Patient/teenager", after)
    assert (gone.status_code, anew.status_code) == (403, 403)
    assert fhir.ask(doctor(), "PUT", "/Patient/teenager", after).status_code == 200


def test_an_accounts_person_is_the_patient_it_links_to(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "herself"})
    fhir.put(observation("herself", "herself-1"))
    person = {"resourceType": "Person", "id": "account"}
    fhir.put(person)
    user = replace(parent("herself", "x"), user="Person/account", token="account")
    assert not fhir.sees(user, "/Observation/herself-1")
    fhir.put({**person, "link": [{"target": {"reference": "Patient/herself"}}]})
    assert fhir.sees(user, "/Observation/herself-1")
    assert (
        fhir.ask(user, "POST", "/Observation", observation("herself", "y")).status_code == 201
    )
    assert (
        fhir.ask(user, "PUT", "/Person/account", {**person, "active": True}).status_code == 403
    )
    linked = {**person, "link": [{"target": {"reference": "Patient/herself"}}]}
    fhir.put({**linked, "active": False})
    assert not fhir.sees(user, "/Observation/herself-1")


@pytest.mark.parametrize("ended", ["RelatedPerson", "VerificationResult"])
def test_a_proxy_ends_with_the_relation_and_with_its_verification(
    fhir: Server, ended: str
) -> None:
    child, name = f"child-{ended.lower()}", f"mother-{ended.lower()}"
    fhir.put({"resourceType": "Patient", "id": child, "birthDate": years_before(TODAY, 3)})
    fhir.put(observation(child, f"{child}-1"))
    resources = relation(child, name)
    for each in resources:
        fhir.put(each)
    mother = parent(child, name)
    assert fhir.sees(mother, f"/Observation/{child}-1")
    found = next(each for each in resources if each["resourceType"] == ended)
    over = {"active": False} if ended == "RelatedPerson" else {"status": "req-revalid"}
    fhir.put({**found, **over})
    assert not fhir.sees(mother, f"/Observation/{child}-1")


def test_a_stranger_does_not_become_a_proxy_by_saying_so(fhir: Server) -> None:
    """Neither the token alone, nor evidence that a patient writes, opens a record."""
    fhir.put({"resourceType": "Patient", "id": "victim", "birthDate": years_before(TODAY, 3)})
    fhir.put(observation("victim", "victim-1"))
    for each in relation("victim", "stranger")[:3]:
        fhir.put(each)
    stranger = parent("victim", "stranger")
    assert not fhir.sees(stranger, "/Observation/victim-1")
    alone = replace(stranger, patient="stranger", represented=("stranger",))
    forged = {
        "resourceType": "VerificationResult",
        "target": [
            {"reference": "Patient/stranger"},
            {"reference": "RelatedPerson/stranger-of-victim"},
        ],
        "status": "validated",
    }
    assert fhir.ask(alone, "POST", "/VerificationResult", forged).status_code == 403
    assert not fhir.sees(stranger, "/Observation/victim-1")


def proxy_consent(patient: str, relation_: str, *actions: str) -> JsonObject:
    provision: JsonObject = {"type": "permit", "actor": actor(relation_)}
    if actions:
        provision["action"] = [
            {"coding": [{"system": CONSENT_ACTION, "code": each}]} for each in actions
        ]
    return consent(
        patient,
        category=[{"coding": [{"system": OWN, "code": PROXY}]}],
        performer=[{"reference": f"Patient/{patient}"}],
        provision=provision,
    )


def test_an_adult_is_represented_by_consent_for_reading_or_more(fhir: Server) -> None:
    fhir.put({"resourceType": "Patient", "id": "adult", "birthDate": "1950-01-01"})
    fhir.put(observation("adult", "adult-1"))
    for each in relation("adult", "daughter", code="DAU"):
        fhir.put(each)
    daughter = parent("adult", "daughter")
    assert not fhir.sees(daughter, "/Observation/adult-1")
    related = "RelatedPerson/daughter-of-adult"
    fhir.put(proxy_consent("adult", related, "access", "disclose"))
    assert fhir.sees(daughter, "/Observation/adult-1")
    made = observation("adult", "x")
    assert fhir.ask(daughter, "POST", "/Observation", made).status_code == 403
    fhir.put(proxy_consent("adult", related, "access", "disclose", "collect"))
    assert fhir.ask(daughter, "POST", "/Observation", made).status_code == 201
    another = proxy_consent("adult", "RelatedPerson/friend", "access", "collect")
    another.pop("id")
    assert fhir.ask(daughter, "POST", "/Consent", another).status_code == 403
    fhir.put(proxy_consent("adult", related) | {"status": "inactive"})
    assert not fhir.sees(daughter, "/Observation/adult-1")


def closed_but_for(patient: str, reference: str) -> JsonObject:
    """A Consent of a patient who lets one actor in alone."""
    return consent(
        patient,
        provision={
            "type": "deny",
            "provision": [{"type": "permit", "actor": actor(reference)}],
        },
        policyRule={"coding": [{"system": f"{V3}ActCode", "code": "OPTOUT"}]},
    )


def group(id_: str, *members: JsonObject, **more: Any) -> JsonObject:
    return {"resourceType": "Group", "id": id_, "type": "practitioner", "actual": True,
            "member": list(members), **more}  # fmt: skip


def team(id_: str, *participants: JsonObject, **more: Any) -> JsonObject:
    return {"resourceType": "CareTeam", "id": id_, "participant": list(participants), **more}


def role(id_: str, user: str, **more: Any) -> JsonObject:
    return {"resourceType": "PractitionerRole", "id": id_, **more,
            "practitioner": {"reference": f"Practitioner/{user}"},
            "organization": {"reference": f"Organization/{id_}-house"}}  # fmt: skip


def names(user: str, element: str, **more: Any) -> JsonObject:
    return {element: {"reference": f"Practitioner/{user}"}, **more}


OVER: Final = {"period": {"end": "2020-01-01"}}


@pytest.mark.parametrize(
    ("actor_", "made", "ended"),
    [
        ("Group/in-g", group("in-g", names("in", "entity")),
         group("in-g", names("in", "entity", inactive=True))),
        ("Group/in-g2", group("in-g2", names("in", "entity")),
         group("in-g2", names("in", "entity", **OVER))),
        ("Group/in-g3", group("in-g3", names("in", "entity")),
         group("in-g3", names("in", "entity"), active=False)),
        ("CareTeam/in-t", team("in-t", names("in", "member")),
         team("in-t", names("in", "member", **OVER))),
        ("CareTeam/in-t2", team("in-t2", names("in", "member")),
         team("in-t2", names("in", "member"), status="inactive")),
        ("CareTeam/in-t3", team("in-t3", names("in", "member")),
         team("in-t3", names("in", "member"), **OVER)),
        ("PractitionerRole/in-r", role("in-r", "in"), role("in-r", "in", active=False)),
        ("Organization/in-r2-house", role("in-r2", "in"), role("in-r2", "in", **OVER)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_membership_counts_while_it_lasts(
    fhir: Server, actor_: str, made: JsonObject, ended: JsonObject
) -> None:
    patient = f"of-{made['id']}"
    fhir.put({"resourceType": "Patient", "id": patient})
    fhir.put(observation(patient, f"{patient}-1"))
    fhir.put(closed_but_for(patient, actor_))
    path = f"/Observation/{patient}-1"
    assert not fhir.sees(doctor("in"), path)
    fhir.put(made)
    assert fhir.sees(doctor("in"), path)
    fhir.put(ended)
    assert not fhir.sees(doctor("in"), path)


def test_what_is_hidden_from_a_house_is_hidden_in_all_its_parts(fhir: Server) -> None:
    """Sharing with it is not: who may say what a house is a part of would open records."""
    for below, above in (("house", "ward"), ("wing", "house"), ("ward", "wing")):  # a ring
        part = {"partOf": {"reference": f"Organization/{above}"}}
        fhir.put({"resourceType": "Organization", "id": below, "name": below, **part})
    nurse = {"practitioner": {"reference": "Practitioner/nurse"}}
    ward = {"organization": {"reference": "Organization/ward"}}
    fhir.put({"resourceType": "PractitionerRole", "id": "nurse-r", **nurse, **ward})
    for patient, rule in (("house-hides", "deny"), ("house-shares", "permit")):
        fhir.put({"resourceType": "Patient", "id": patient})
        code = {"system": f"{HL7}v3-Confidentiality", "code": "R" if rule == "permit" else "N"}
        fhir.put(observation(patient, f"{patient}-1", meta={"security": [code]}))
        given = {"provision": [{"type": rule, "actor": actor("Organization/house")}]}
        fhir.put(consent(patient, policyRule=AS_USUAL, provision=given))
        assert not fhir.sees(doctor("nurse"), f"/Observation/{patient}-1")
    assert fhir.sees(doctor("elsewhere"), "/Observation/house-hides-1")


@pytest.mark.parametrize(
    ("name", "element", "make"), [("own-g", "entity", group), ("own-t", "member", team)]
)
def test_nobody_joins_by_their_own_hand_what_a_consent_names(
    fhir: Server, name: str, element: str, make: Any
) -> None:
    kind = make("x")["resourceType"]
    patient = f"of-{name}"
    fhir.put({"resourceType": "Patient", "id": patient})
    fhir.put(observation(patient, f"{patient}-1"))
    fhir.put(closed_but_for(patient, f"{kind}/{name}"))
    colleague, self_ = names("colleague", element), names("mallory", element)
    fhir.put(make(name, colleague))
    mallory, path = doctor("mallory"), f"/{kind}/{name}"
    assert fhir.ask(mallory, "PUT", path, make(name, colleague, self_)).status_code == 403
    patched = [{"op": "add", "path": f"/{'member' if element == 'entity' else 'participant'}/-",
                "value": self_}]  # fmt: skip
    patch = {"Content-Type": "application/json-patch+json"}
    assert fhir.ask(mallory, "PATCH", path, patched, patch).status_code == 403
    fhir.put(
        make(name, colleague, self_, **(OVER if kind == "CareTeam" else {"active": False}))
    )
    assert fhir.ask(mallory, "PUT", path, make(name, colleague, self_)).status_code == 403
    fhir.ask(ROOT, "DELETE", path)
    assert fhir.ask(mallory, "PUT", path, make(name, self_)).status_code == 403
    assert not fhir.sees(mallory, f"/Observation/{patient}-1")
    # Whoever is in it may look after it, and make new ones.
    fhir.put(make(name, self_))
    assert fhir.ask(mallory, "PUT", path, make(name, self_, colleague)).status_code == 200
    fresh = {key: value for key, value in make("", self_).items() if key != "id"}
    assert fhir.ask(mallory, "POST", f"/{kind}", fresh).status_code == 201


def test_a_relation_that_was_verified_stays_what_it_was(fhir: Server) -> None:
    """Else a verified mother of one child is made the mother of any other."""
    for child in ("hers", "others"):
        fhir.put({"resourceType": "Patient", "id": child, "birthDate": years_before(TODAY, 3)})
    person, related, *rest = relation("hers", "moved")
    for each in (person, related, *rest):
        fhir.put(each)
    path, staff = "/RelatedPerson/moved-of-hers", doctor("accomplice")
    to_others = {**related, "patient": {"reference": "Patient/others"}}
    to_mother = {**related, "relationship": [{"text": "mother"}]}
    for changed in (to_others, to_mother, {**related, "period": {"end": "2090-01-01"}}):
        assert fhir.ask(staff, "PUT", path, changed).status_code == 403
    with_phone = {**related, "telecom": [{"system": "phone", "value": "1"}]}
    assert fhir.ask(staff, "PUT", path, with_phone).status_code == 200
    assert fhir.ask(staff, "PUT", path, {**related, "active": False}).status_code == 200
    assert fhir.ask(staff, "PUT", path, related).status_code == 403
    assert fhir.ask(staff, "DELETE", path).is_success
    assert fhir.ask(staff, "PUT", path, to_others).status_code == 403
    assert not fhir.sees(parent("others", "moved"), "/Patient/others")


def test_a_parent_gives_no_consent_in_the_name_of_the_child(fhir: Server) -> None:
    """Such a proxy Consent would outlive the birthday that ends the parent's right."""
    fhir.put({"resourceType": "Patient", "id": "minor", "birthDate": years_before(TODAY, 10)})
    for each in relation("minor", "keeper"):
        fhir.put(each)
    keeper, related = parent("minor", "keeper"), "RelatedPerson/keeper-of-minor"
    forged = proxy_consent("minor", related, "access", "disclose", "collect")
    forged.pop("id")
    base = "http://test/fhir/"
    for performer in ("Patient/minor", f"{base}Patient/minor", "Patient/minor/_history/1"):
        body = forged | {"performer": [{"reference": related}, {"reference": performer}]}
        assert fhir.ask(keeper, "POST", "/Consent", body).status_code == 403, performer
    honest = forged | {"performer": [{"reference": related}]}
    made = fhir.ask(keeper, "POST", "/Consent", honest)
    assert made.status_code == 201
    draft = fhir.ask(keeper, "POST", "/Consent", forged | {"status": "draft"}).json()
    path = f"/Consent/{draft['id']}"
    assert fhir.ask(keeper, "PUT", path, draft | {"status": "active"}).status_code == 403
    fhir.put({"resourceType": "Patient", "id": "minor", "birthDate": years_before(TODAY, 16)})
    time.sleep(1.1)  # a birth date is no decisive type: it is believed for a second
    assert not fhir.sees(keeper, "/Patient/minor")
    # The patient gives it, and a parent below that age may withdraw it.
    fhir.put({"resourceType": "Patient", "id": "minor", "birthDate": years_before(TODAY, 10)})
    minor = replace(parent("minor", "minor"), represented=("minor",))
    given = fhir.ask(minor, "POST", "/Consent", forged).json()
    over = given | {"status": "inactive"}
    assert fhir.ask(keeper, "PUT", f"/Consent/{given['id']}", over).status_code == 200


def test_staff_write_no_consents_unless_the_house_says_so(fhir: Server, desk: Server) -> None:
    """A Consent binds staff: who may write it binds nobody."""
    for house, allowed in ((fhir, False), (desk, True)):
        house.put({"resourceType": "Patient", "id": "wary"})
        house.put(observation("wary", "wary-1"))
        but_x: JsonObject = {"type": "deny", "actor": actor("Practitioner/x")}
        denial = consent("wary", provision={"type": "permit", "provision": [but_x]})
        house.put(denial)
        staff, path = doctor("clerk"), "/Consent/wary-consent"
        assert house.sees(staff, path)
        over = house.ask(staff, "PUT", path, denial | {"status": "inactive"})
        assert over.status_code == (200 if allowed else 403)
        fresh = {key: value for key, value in denial.items() if key != "id"}
        made = house.ask(staff, "POST", "/Consent", fresh)
        assert made.status_code == (201 if allowed else 403)
        gone = house.ask(staff, "DELETE", path)
        assert gone.is_success is allowed


def test_without_a_required_consent_the_cabinet_says_what_is_missing(strict: Server) -> None:
    strict.put({"resourceType": "Patient", "id": "gate"})
    strict.put(observation("gate", "gate-1"))
    person = replace(parent("gate", "gate"), represented=("gate",))
    answer = strict.ask(person, "GET", "/Observation/gate-1")
    assert answer.status_code == 403
    assert "data processing" in answer.text
    assert "the desk" in answer.text
    entry = {"request": {"method": "GET", "url": "Observation/gate-1"}}
    batch = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert strict.ask(person, "POST", "/", batch).status_code == 403
    # One request's place in a Bundle is no part of another's answer.
    assert strict.ask(person, "GET", "/Observation/gate-1").json() == answer.json()
    assert strict.sees(person, "/Patient/gate")
    given = consent("gate", category=[{"coding": [{"system": PDN.system, "code": PDN.code}]}])
    given.pop("id")
    assert strict.ask(person, "POST", "/Consent", given).status_code == 201
    assert strict.sees(person, "/Observation/gate-1")
    assert strict.sees(doctor(), "/Observation/gate-1")  # care never depends on it
