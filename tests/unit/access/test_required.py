"""Consents without which the cabinet stays closed.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.category
"""

from typing import Any

import pytest

from fhir_server.access.codings import Coding
from fhir_server.access.required import Required, missing, refusal
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from tests.support.consenting import AS_USUAL, BASE, NOW, consent

SYSTEM = "urn:clinic:consents"
DESK = Text("at the desk", "в регистратуре", "у реєстратурі")
DATA = Required(
    (Coding(SYSTEM, "pdn"), Coding("http://loinc.org", "64292-6")),
    Text("processing of personal data", "обработка данных", "обробка даних"),
    DESK,
)
TELE = Required((Coding(SYSTEM, "tmk"),), Text("telemedicine", "телемедицина", "x"), DESK)


def given(code: str = "pdn", system: str = SYSTEM, **elements: Any) -> JsonObject:
    category = [{"coding": [{"system": system, "code": code}]}]
    return consent(**{"category": category, **elements})


@pytest.mark.parametrize(
    ("consents", "expected"),
    [
        ([], [DATA, TELE]),
        ([given()], [TELE]),
        ([given(), given("tmk")], []),
        ([given("64292-6", "http://loinc.org")], [TELE]),
        ([given(system="urn:other")], [DATA, TELE]),
        ([given(status="inactive")], [DATA, TELE]),
        ([given(patient={"reference": "Patient/p2"})], [DATA, TELE]),
        ([given(patient={"reference": f"{BASE}/Patient/p1"})], [TELE]),
        ([given(provision={"type": "permit"})], [TELE]),
        ([given(provision={"type": "deny"})], [DATA, TELE]),  # a signed refusal
        ([given(provision={"provision": [{"type": "deny"}]}, policyRule=AS_USUAL)],
         [DATA, TELE]),  # which says exceptions, and agrees to nothing
        ([given(provision={"period": {"end": "2023-05-31"}})], [DATA, TELE]),
        ([given(provision={"period": {"end": "2023-06-01"}})], [TELE]),
        ([given(provision={"period": {"start": "2023-06-02"}})], [DATA, TELE]),
        ([given(provision={"period": {"end": "2023-06-01T11:59:59Z"}})], [DATA, TELE]),
        ([given(provision={"period": {"end": NOW}})], [TELE]),
        ([given(provision={"period": {"start": NOW}})], [TELE]),
        ([given(provision={"period": {"start": "?"}})], [DATA, TELE]),
    ],
)  # fmt: skip
def test_only_an_active_consent_of_the_patient_fulfils(
    consents: list[JsonObject], expected: list[Required]
) -> None:
    now = parse_interval(NOW).lo
    assert list(missing([DATA, TELE], consents, "p1", now, BASE)) == expected


def test_the_refusal_names_each_and_where_to_give_it() -> None:
    error = refusal([DATA, TELE])
    assert error.status == 403
    texts = [each.in_language("ru") for each in error.issues]
    assert len(texts) == 2
    assert "обработка данных" in texts[0]
    assert "в регистратуре" in texts[0]
    assert "telemedicine" in error.issues[1].in_language("en")
