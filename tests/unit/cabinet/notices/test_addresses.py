"""ContactPoints: rank, use, period, and what a number for an SMS looks like.

https://hl7.org/fhir/R4/datatypes.html#ContactPoint
"""

from typing import Any

import pytest

from fhir_server.cabinet.notices.addresses import email_of, number_of

NOW = 1_800_000_000_000  # 2027-01-15


def point(system: str, value: str, **more: Any) -> dict[str, Any]:
    return {"system": system, "value": value, **more}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], None),
        ([point("email", " Anna@Mail.example ")], "anna@mail.example"),
        (
            [point("email", "a@x.example", rank=2), point("email", "b@x.example", rank=1)],
            "b@x.example",
        ),
        # "If not specified, lowest": behind every rank.
        ([point("email", "a@x.example"), point("email", "b@x.example", rank=9)], "b@x.example"),
        ([point("email", "a@x.example", use="old")], None),
        ([point("email", "a@x.example", period={"end": "2026"})], None),
        ([point("email", "a@x.example", period={"end": "2027-01-15"})], "a@x.example"),
        ([point("email", "a@x.example", period={"start": "2027-01-16"})], None),
        ([point("email", "none"), point("email", "b@x.example", rank=5)], "b@x.example"),
        ([point("email", "a@x.example\r\nBcc: b@x.example")], None),
        ([{"system": "email"}], None),
        ([point("phone", "a@x.example")], None),
    ],
)
def test_an_address_of_email(points: list[dict[str, Any]], expected: str | None) -> None:
    assert email_of({"telecom": points}, NOW) == expected


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([point("phone", "+38 (044) 123-45-67")], "+380441234567"),
        ([point("phone", "+7 921 000 00 01", use="mobile")], "+79210000001"),
        ([point("phone", "+79210000001", use="home")], None),
        ([point("phone", "+79210000001", use="work")], None),
        ([point("phone", "8 921 000 00 01", use="mobile")], None),
        ([point("phone", "+1"), point("sms", "+79210000001")], "+79210000001"),
        (
            [point("phone", "+79210000002", rank=1), point("sms", "+79210000001", rank=9)],
            "+79210000001",
        ),
        (
            [point("phone", "+79210000002"), point("phone", "+79210000001", use="mobile")],
            "+79210000001",
        ),
        ([point("phone", "+79210000001; rm -rf")], None),
    ],
)
def test_a_number_for_an_sms(points: list[dict[str, Any]], expected: str | None) -> None:
    assert number_of({"telecom": points}, NOW) == expected
