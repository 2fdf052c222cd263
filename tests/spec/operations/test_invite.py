"""Patient/$invite (S0-02): the registry invites, the link goes to the record's address alone.

docs/api/operation-invite.md
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

import pytest

from fhir_server.access.codings import CONSENT_SCOPE
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.core.outcome import CABINET_ERROR
from fhir_server.store.accounts import Account
from tests.support.browsing import Visitor
from tests.support.cabinets import CabinetServer, cabinet_server
from tests.support.fhir import JsonObject, new_id
from tests.support.parallel import together
from tests.support.polling import until

MIS: Final = Principal("mis", parse_scopes("system/Patient.r system/Communication.c"))
NURSE: Final = Principal(
    "desk", parse_scopes("user/*.cruds"), user="Practitioner/n", account="n", staff=True,
    purpose="TREAT",
)  # fmt: skip
PDN: Final[dict[str, Any]] = {
    "categories": [{"system": "urn:law", "code": "pdn"}],
    "title": {"en": "data", "ru": "данные", "uk": "дані"},
    "where": {"en": "desk", "ru": "стойка", "uk": "стійка"},
}


@pytest.fixture(scope="module")
def server(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CabinetServer]:
    with cabinet_server(mongodb_uri, tmp_path_factory.mktemp("invite"), [PDN]) as found:
        yield found


def email_of(id_: str) -> str:
    return f"{id_}@mail.example"


def patient(server: CabinetServer, **more: Any) -> str:
    """Somebody with an address, whose consents are on file."""
    id_ = new_id()
    telecom = [
        {"system": "email", "value": f"old-{email_of(id_)}", "use": "old"},
        {"system": "email", "value": email_of(id_).upper(), "rank": 2},
        {"system": "email", "value": f"second-{email_of(id_)}", "rank": 3},
    ]
    elements = {"telecom": telecom, **more}
    server.put({
        "resourceType": "Patient", "id": id_,
        **{name: value for name, value in elements.items() if value is not None},
    }, given(id_))  # fmt: skip
    return id_


def given(patient_id: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Consent",
        "id": f"c-{patient_id}",
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": PDN["categories"]}],
        "patient": {"reference": f"Patient/{patient_id}"},
        "policy": [{"uri": "urn:law"}],
        **more,
    }


def invite(server: CabinetServer, id_: str, who: Principal = MIS, **values: str) -> Any:
    kinds = {"email": "valueString", "language": "valueCode"}
    rows = [{"name": name, kinds[name]: value} for name, value in values.items()]
    body = {"resourceType": "Parameters", **({"parameter": rows} if rows else {})}
    return server.ask(who, "POST", f"/Patient/{id_}/$invite", body)


def mails(server: CabinetServer, to: str) -> list[EmailMessage]:
    read = [
        message_from_bytes(each.read_bytes(), policy=policy.default)
        for each in sorted(server.mails.glob("*.eml"))
    ]
    return [each for each in read if each["To"] == to and isinstance(each, EmailMessage)]


def links(server: CabinetServer, to: str, count: int = 1) -> list[str]:
    """The secret parts of the links that were sent; the answer does not wait for them."""
    until(lambda: len(mails(server, to)) >= count)
    found = [re.search(r"invitation=(\S+)", m.get_content()) for m in mails(server, to)]
    return [each[1] for each in found if each is not None]


def value(answer: Any, name: str) -> Any:
    assert answer.status_code == 200, answer.text
    row = next(each for each in answer.json()["parameter"] if each["name"] == name)
    return next(each for key, each in row.items() if key.startswith("value"))


def code(answer: Any) -> str:
    (coding,) = answer.json()["issue"][0]["details"]["coding"]
    assert coding["system"] == CABINET_ERROR
    return str(coding["code"])


@pytest.mark.parametrize("who", [MIS, NURSE])
def test_s0_02_an_invitation_is_sent_and_written_down(
    server: CabinetServer, who: Principal
) -> None:
    id_ = patient(server)
    answer = invite(server, id_, who)
    assert value(answer, "email") == email_of(id_)
    (link,) = links(server, email_of(id_))
    assert link not in answer.text
    reference = value(answer, "communication")["reference"]
    written = server.ask(NURSE, "GET", f"/{reference}")
    assert link not in written.text
    found = written.json()
    assert found["status"] == "completed"
    assert found["subject"] == {"reference": f"Patient/{id_}"}
    assert found["medium"][0]["coding"][0]["code"] == "EMAILWRIT"
    assert email_of(id_) in found["payload"][0]["contentString"]
    assert ("sender" in found) is who.staff


def test_s0_02_the_link_leads_to_a_registration(server: CabinetServer) -> None:
    id_ = patient(
        server, name=[{"family": "Котова", "given": ["Анна"]}], birthDate="1980-02-03"
    )
    invite(server, id_)
    (link,) = links(server, email_of(id_))
    visitor = Visitor(str(server.http.base_url).partition("/fhir")[0])
    assert visitor.go(f"/auth/sign-up?invitation={link}") == 200
    claim = {"email": email_of(id_), "family": "Котова", "given": "Анна"}
    visitor.submit(**claim, birth_date="1980-02-03")
    until(lambda: len(mails(server, email_of(id_))) == 2)
    visitor.close()
    assert re.search(r"[A-Z2-9]{5}-[A-Z2-9]{5}", mails(server, email_of(id_))[1].get_content())


def test_the_address_has_to_be_in_the_record(server: CabinetServer) -> None:
    id_ = patient(server)
    for email in ("thief@mail.example", f"old-{email_of(id_)}"):
        answer = invite(server, id_, email=email)
        assert (answer.status_code, code(answer)) == (422, "email-mismatch")
    second = f"second-{email_of(id_)}"
    assert value(invite(server, id_, email=second.upper()), "email") == second
    assert len(links(server, second)) == 1


@pytest.mark.parametrize("telecom", [
    None,
    [{"system": "phone", "value": "+7"}],
    [{"system": "email", "value": "no address"}],
    [{"system": "email", "value": "gone@mail.example", "use": "old"}],
])  # fmt: skip
def test_without_an_address_nobody_is_invited(
    server: CabinetServer, telecom: list[JsonObject] | None
) -> None:
    answer = invite(server, patient(server, telecom=telecom))
    assert (answer.status_code, code(answer)) == (422, "no-email")


def test_s0_01_consents_are_asked_for_first(server: CabinetServer) -> None:
    id_ = patient(server, telecom=None)
    server.put(given(id_, status="inactive"))
    answer = invite(server, id_)
    assert (answer.status_code, code(answer)) == (422, "consent-missing")
    assert "data" in answer.text


def test_an_account_needs_no_invitation(server: CabinetServer) -> None:
    id_ = patient(server)
    server.account(Account(f"a-{id_}", email_of(id_), "A", 2, 0, patient=id_))
    answer = invite(server, id_)
    assert (answer.status_code, code(answer)) == (409, "account-exists")
    assert mails(server, email_of(id_)) == []


def test_an_unknown_and_a_hidden_patient_are_one(server: CabinetServer) -> None:
    id_ = patient(server)
    server.put({
        **given(id_), "id": f"n-{id_}", "provision": {"type": "deny"},
        "category": [{"coding": [{"system": "urn:x", "code": "x"}]}],
    })  # fmt: skip
    hidden, absent = invite(server, id_, NURSE), invite(server, "nobody", NURSE)
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace(id_, "nobody") == absent.text


@pytest.mark.parametrize("scopes", ["patient/*.cruds", "user/*.cruds"])
def test_a_patient_invites_nobody(server: CabinetServer, scopes: str) -> None:
    id_ = patient(server)
    who = Principal(
        "app", parse_scopes(scopes), patient=id_, user=f"Patient/{id_}", account="a",
        represented=(id_,),
    )  # fmt: skip
    answer = invite(server, id_, who)
    assert (answer.status_code, code(answer)) == (403, "staff-only")
    assert mails(server, email_of(id_)) == []


@pytest.mark.parametrize("scopes", ["system/Patient.rs", "system/Communication.c"])
def test_both_scopes_are_needed(server: CabinetServer, scopes: str) -> None:
    answer = invite(server, patient(server), Principal("mis", parse_scopes(scopes)))
    assert answer.status_code == 403
    assert "insufficient_scope" in answer.headers["www-authenticate"]


def test_a_repeated_invitation_ends_the_former(server: CabinetServer) -> None:
    id_ = patient(server)
    assert invite(server, id_).status_code == 200
    assert invite(server, id_).status_code == 200
    first, second = links(server, email_of(id_), 2)
    assert first != second
    assert server.invitations(id_) == 1


def test_parallel_invitations_leave_one(server: CabinetServer) -> None:
    id_ = patient(server)
    answers = together([lambda: invite(server, id_)] * 8)
    assert {each.status_code for each in answers} == {200}
    assert server.invitations(id_) == 1


@pytest.mark.parametrize(
    ("asked", "spoken", "subject"),
    [
        ({"language": "uk"}, "ru-RU", "Ваш кабінет пацієнта"),
        ({}, "ru-RU", "Ваш кабинет пациента"),
        ({}, None, "Your patient account"),
    ],
)
def test_it_speaks_the_patients_language(
    server: CabinetServer, asked: dict[str, str], spoken: str | None, subject: str
) -> None:
    spoken_as = [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": spoken}]}}]
    id_ = patient(server, communication=spoken_as if spoken else None)
    assert invite(server, id_, MIS, **asked).status_code == 200
    links(server, email_of(id_))
    assert mails(server, email_of(id_))[0]["Subject"] == subject


@pytest.mark.parametrize("values", [{"language": "de"}, {"nonsense": "1"}])
def test_what_cannot_be_read_is_400(server: CabinetServer, values: dict[str, str]) -> None:
    query = "&".join(f"{name}={value}" for name, value in values.items())
    path = f"/Patient/{patient(server)}/$invite?{query}"
    assert server.ask(MIS, "POST", path).status_code == 400


def test_get_invites_nobody(server: CabinetServer) -> None:
    assert server.ask(MIS, "GET", f"/Patient/{patient(server)}/$invite").status_code == 405


def test_the_patient_finds_it_in_the_audit(server: CabinetServer) -> None:
    id_ = patient(server)
    assert invite(server, id_).status_code == 200
    found = server.ask(NURSE, "GET", f"/AuditEvent?patient={id_}&_sort=-date").json()
    told = [
        (each["resource"]["subtype"][0]["code"], each["resource"].get("outcomeDesc"))
        for each in found["entry"]
    ]
    assert ("operation", None) in told
    assert ("110137", "invited") in told
