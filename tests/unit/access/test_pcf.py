"""IHE Privacy Consent on FHIR: its example Consents, and what each must let flow.

The profile describes the result as a token with a `residual`; here it is the predicate
itself, over resources like those of the profile. No policy is implied: what no Consent
permits does not flow.

https://profiles.ihe.net/ITI/PCF/content.html
"""

from collections.abc import Mapping
from typing import Final

import pytest

from fhir_server.access.codings import Coding
from fhir_server.core.types import JsonObject
from tests.support.consenting import (
    actor,
    asking,
    caller,
    consent,
    data,
    flows,
    label,
    observation,
    purpose,
)

TPO: Final = purpose("TREAT", "HPAYMT", "HOPERAT")
DOCTOR: Final = "Practitioner/ex"
PRIVILEGED: Final = "Group/privileged"
IN_2022: Final = {"start": "2022-01", "end": "2022-12"}
FOO_BAR: Final = Coding("http://example.org/policies/purposeOfUse", "FooBar")


def base(kind: str = "permit", **elements: object) -> JsonObject:
    return consent({"type": kind, "purpose": TPO, **elements})


def excepting(kind: str, **elements: object) -> list[JsonObject]:
    return [{"type": kind, **elements}]


NORMAL: Final = [label("N")]

CONSENTS: Final[Mapping[str, JsonObject]] = {
    "basic-treat": base(),
    "basic-ink": base(period={"start": "2022-06-13"}),
    "basic-reject": base("deny"),
    "expired-treat": base(period={"end": "2022-12-31"}),
    "timeframe": base(dataPeriod=IN_2022),
    "not-timeframe": base(provision=excepting("deny", dataPeriod=IN_2022)),
    "authoredby": base(data=data("authoredby", DOCTOR)),
    "not-authoredby": base(provision=excepting("deny", data=data("authoredby", DOCTOR))),
    "encounter": base(data=data("related", "Encounter/e1")),
    "not-encounter": base(provision=excepting("deny", data=data("related", "Encounter/e1"))),
    "data": base(data=data("instance", "Observation/alcohol", "Observation/weight")),
    "not-data": base(provision=excepting("deny", data=data("instance", "Observation/alcohol"))),
    "purpose": consent(
        {
            "type": "permit",
            "purpose": [FOO_BAR._asdict()],
            "actor": actor("Organization/researcher"),
        }
    ),
    "dissent-break-glass": consent(
        {
            "type": "deny",
            "provision": excepting("permit", purpose=purpose("BTG"), actor=actor(PRIVILEGED)),
        }
    ),
    "normal": base(securityLabel=NORMAL),
    "normal-restricted": base(securityLabel=[label("N"), label("R")]),
    "normal-not-restricted": base(
        securityLabel=NORMAL, provision=excepting("deny", securityLabel=[label("R")])
    ),
    "focused-restricted": base(
        securityLabel=NORMAL,
        provision=excepting("permit", securityLabel=[label("R")], actor=actor(DOCTOR)),
    ),
    "focused-psy": base(
        securityLabel=NORMAL,
        provision=excepting("permit", securityLabel=[label("PSY")], actor=actor(DOCTOR)),
    ),
    "focused-psy-or-sdv": base(
        securityLabel=NORMAL,
        provision=excepting(
            "permit", securityLabel=[label("PSY"), label("SDV")], actor=actor(DOCTOR)
        ),
    ),
    "break-glass-restricted": base(
        securityLabel=NORMAL,
        provision=excepting(
            "permit",
            purpose=purpose("BTG"),
            securityLabel=[label("R")],
            actor=actor(PRIVILEGED),
        ),
    ),
}

CALLERS: Final = {
    "anyone": caller("Practitioner/other"),
    "doctor": caller(DOCTOR),
    "payer": caller("Practitioner/payer", for_="HPAYMT"),
    "research": caller("Practitioner/scientist", "Organization/researcher", for_="HRESCH"),
    "foobar": caller("Practitioner/scientist", "Organization/researcher", own_purpose=FOO_BAR),
    "foobar-elsewhere": caller("Practitioner/scientist", own_purpose=FOO_BAR),
    "glass": caller("Practitioner/er", PRIVILEGED, for_="BTG"),
    "glass-of-all": caller("Practitioner/er", for_="BTG"),
}

HERE: Final = {"reference": "Encounter/e1"}
BY_DOCTOR: Final = [{"reference": DOCTOR}]
RESOURCES: Final = {
    "alcohol": observation("alcohol", "ETHUD", "R", encounter=HERE, performer=BY_DOCTOR),
    "sugar": observation("sugar", "N", effectiveDateTime="2020-12-04T23:50:50-05:00"),
    "weight": observation("weight", effectiveDateTime="2016-03-28", encounter=HERE),
    "mind": observation("mind", "PSY", "R"),
    "violence": observation("violence", "SDV", "R"),
    "visit": {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "HH"},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2022-06-13", "end": "2022-06-13"},
    },
}

ALL: Final = "alcohol sugar weight mind violence visit"
PLAIN: Final = "sugar weight visit"

ROWS: Final = [
    ("basic-treat", "anyone", ALL),
    ("basic-treat", "payer", ALL),
    ("basic-treat", "research", ""),
    ("basic-ink", "anyone", ALL),
    ("basic-reject", "anyone", ""),
    ("basic-reject", "glass", ""),
    ("expired-treat", "anyone", ""),
    ("timeframe", "anyone", "alcohol mind violence visit"),
    ("not-timeframe", "anyone", "sugar weight"),
    ("authoredby", "anyone", "alcohol"),
    ("not-authoredby", "anyone", "sugar weight mind violence visit"),
    ("encounter", "anyone", "alcohol weight visit"),
    ("not-encounter", "anyone", "sugar mind violence"),
    ("data", "anyone", "alcohol weight"),
    ("not-data", "anyone", "sugar weight mind violence visit"),
    ("purpose", "foobar", ALL),
    ("purpose", "foobar-elsewhere", ""),
    ("purpose", "research", ""),
    ("purpose", "anyone", ""),
    ("dissent-break-glass", "anyone", ""),
    ("dissent-break-glass", "glass", ALL),
    ("dissent-break-glass", "glass-of-all", ""),
    ("normal", "anyone", PLAIN),
    ("normal-restricted", "anyone", ALL),
    ("normal-not-restricted", "anyone", PLAIN),
    ("focused-restricted", "anyone", PLAIN),
    ("focused-restricted", "doctor", ALL),
    ("focused-restricted", "research", ""),
    ("focused-psy", "anyone", PLAIN),
    ("focused-psy", "doctor", f"{PLAIN} mind"),
    ("focused-psy-or-sdv", "anyone", PLAIN),
    ("focused-psy-or-sdv", "doctor", f"{PLAIN} mind violence"),
    ("break-glass-restricted", "anyone", PLAIN),
    ("break-glass-restricted", "glass-of-all", PLAIN),
    ("break-glass-restricted", "glass", ALL),
]


@pytest.mark.parametrize(("name", "who", "expected"), ROWS)
def test_an_example_lets_flow_what_the_profile_says(name: str, who: str, expected: str) -> None:
    request = asking(CALLERS[who])
    known = {"Encounter/e1": frozenset[str]()}
    found = [
        key
        for key, each in RESOURCES.items()
        if flows(CONSENTS[name], each, request, referred=known)
    ]
    assert sorted(found) == sorted(expected.split())


def test_every_example_has_a_row() -> None:
    assert {name for name, _, _ in ROWS} == CONSENTS.keys()
    assert len(CONSENTS) == 21


def test_before_its_end_an_expired_one_is_like_the_basic_one() -> None:
    request = asking(CALLERS["anyone"], now="2022-12-31T23:59:59Z")
    assert all(flows(CONSENTS["expired-treat"], each, request) for each in RESOURCES.values())
