"""Rights are made again when what they are made of changes, and not before.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.codings import OWN, PROXY, SMART_GRANT
from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.rights import Rights
from fhir_server.access.scopes import parse_scopes
from fhir_server.interactions import facts
from fhir_server.settings import Settings
from tests.support.consenting import consent
from tests.support.fhir import JsonObject, new_id
from tests.support.running import Running
from tests.support.worlds import Tokens, World

SECOND: Final = 1_000
DOCTOR: Final = Principal(
    "his", parse_scopes("user/*.rs"), user="Practitioner/d", account="d", token="d",
    staff=True, purpose="TREAT",
)  # fmt: skip


class House:
    """A server, and its doctor's rights."""

    def __init__(self, tokens: Tokens, http: httpx.Client) -> None:
        self.tokens = tokens
        self.world = World(http)
        self._http = http
        tokens.give(DOCTOR)

    def sees(self, path: str) -> bool:
        answer = self._http.get(path, headers={"Authorization": f"Bearer {DOCTOR.token}"})
        assert answer.status_code in (200, 404), answer.text
        return answer.status_code == 200

    def rights(self) -> Rights:
        """As they are after a request, a second and a half behind the last."""
        self.tokens.ahead += SECOND + SECOND // 2
        self.sees("/Organization/none")
        return self.tokens.told[DOCTOR.token].rights

    def patient(self, **more: object) -> str:
        """A patient with one Observation of the same id, and a Consent that denies."""
        id_ = new_id()
        self.world.load(
            {"resourceType": "Patient", "id": id_},
            {"resourceType": "Observation", "id": id_, "status": "final",
             "code": {"text": "x"}, "subject": {"reference": f"Patient/{id_}"}},
        )  # fmt: skip
        self.world.load(denial(id_, **more))
        return id_


def denial(patient: str, **more: object) -> JsonObject:
    about = {"id": patient, "patient": {"reference": f"Patient/{patient}"}}
    return consent({"type": "deny", **more}, **about)


@pytest.fixture(scope="module")
def house(mongodb_uri: str) -> Iterator[House]:
    tokens = Tokens(AccessPolicy(Policy("all-normal")))
    settings = Settings(
        mongodb_uri=mongodb_uri,
        database=f"kept_{uuid4().hex[:12]}",
        seed=False,
        log_level="WARNING",
        audit="off",
    )
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        yield House(tokens, http)


def test_while_nothing_changes_they_stay_and_are_not_made_again(house: House) -> None:
    patient = house.patient()
    before = house.rights()
    assert not house.sees(f"/Observation/{patient}")
    assert house.rights() is before
    house.world.load(denial(patient))  # equal: no version
    assert house.rights() is before


def test_another_consent_makes_others_at_once(house: House) -> None:
    patient = house.patient()
    before = house.rights()
    assert not house.sees(f"/Observation/{patient}")
    house.world.load({**denial(patient), "status": "inactive"})
    assert house.sees(f"/Observation/{patient}")
    assert house.rights() is not before


def test_records_of_grants_are_not_read_among_what_consents_say(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each patient who lets an app in has some: they would be more than can be read."""
    patient = house.patient()
    monkeypatch.setattr(facts, "MOST_CONSENTS", 100)
    for category in (SMART_GRANT, PROXY):
        coded = {"coding": [{"system": OWN, "code": category}]}
        grants = [
            {**denial(patient, type="permit"), "id": new_id(), "category": [coded]}
            for _ in range(60)
        ]
        house.world.load(*grants)
    house.rights()
    assert not house.sees(f"/Observation/{patient}")


def test_the_edge_of_a_period_makes_others(house: House) -> None:
    now = datetime.now(UTC) + timedelta(milliseconds=house.tokens.ahead)
    over = now + timedelta(minutes=1)
    patient = house.patient(period={"end": over.isoformat(timespec="milliseconds")})
    before = house.rights()
    assert not house.sees(f"/Observation/{patient}")
    house.tokens.ahead += 60 * SECOND
    assert house.sees(f"/Observation/{patient}")
    assert house.rights() is not before


def test_a_membership_that_is_over_is_seen_within_a_second(house: House) -> None:
    now = datetime.now(UTC) + timedelta(milliseconds=house.tokens.ahead)
    over = (now + timedelta(minutes=1)).isoformat(timespec="milliseconds")
    team = {
        "resourceType": "CareTeam", "id": "kept-team", "period": {"end": over},
        "participant": [{"member": {"reference": "Practitioner/d"}}],
    }  # fmt: skip
    house.world.load(
        {"resourceType": "Practitioner", "id": "d"},
        team,
    )
    role = {"coding": [{"code": "IRCP", "system":
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"}]}  # fmt: skip
    member = {"role": role, "reference": {"reference": "CareTeam/kept-team"}}
    patient = house.patient(provision=[{"type": "permit", "actor": [member]}])
    assert house.sees(f"/Observation/{patient}")
    house.tokens.ahead += 60 * SECOND
    assert not house.sees(f"/Observation/{patient}")
