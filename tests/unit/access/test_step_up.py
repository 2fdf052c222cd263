"""Rules of stronger sign-ins: how they are written, what they come to.

https://www.rfc-editor.org/rfc/rfc9470
"""

import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.step_up import (
    Demand,
    StepUpError,
    challenge,
    read_rules,
    together,
)

OPERATIONS = ("$break-glass", "$meta-add")
NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("rules", "kind", "letters", "demand"),
    [
        ((), "Consent", "cud", None),
        (("Consent.cu=2",), "Consent", "c", Demand(2)),
        (("Consent.cu=2",), "Consent", "d", None),
        (("Consent.cu=2",), "Patient", "cu", None),
        (("*.d=1/300",), "Patient", "d", Demand(1, 300)),
        (("*.d=1/300", "Patient.d=3"), "Patient", "d", Demand(3, 300)),
        (("Patient.c=2/60", "Patient.u=1/90"), "Patient", "cu", Demand(2, 60)),
        (("Patient.c=2/60", "Patient.c=3/90"), "Patient", "c", Demand(3, 60)),
    ],
)
def test_all_rules_about_a_write_hold(
    rules: tuple[str, ...], kind: str, letters: str, demand: Demand | None
) -> None:
    assert read_rules(rules, OPERATIONS).of(kind, letters) == demand


def test_an_operation_has_its_own() -> None:
    found = read_rules(("$break-glass=3/43200",), OPERATIONS)
    assert found.operations.get("$break-glass") == Demand(3, 43_200)
    assert found.operations.get("$meta-add") is None


@pytest.mark.parametrize(
    "text",
    ["", "Consent", "Consent=2", "Consent.r=2", "Consent.s=2", "Consent.c=4", "Consent.c=0",
     "Consent.c=2/", "Consent.c=2/-1", "Consents.c=2", "$unknown=2", "$break-glass.c=2",
     "Consent.c=2 ", "*=2"],
)  # fmt: skip
def test_a_rule_that_would_protect_nothing_is_refused(text: str) -> None:
    with pytest.raises(StepUpError, match=r".+"):
        read_rules((text,), OPERATIONS)


def user(level: int, age: int) -> Principal:
    return Principal("app", (), account="a", level=level, auth_time=NOW - age * 1000)


@pytest.mark.parametrize(
    ("demand", "level", "age", "met"),
    [
        (Demand(2), 2, 10**6, True),
        (Demand(2), 1, 0, False),
        (Demand(2), 3, 0, True),
        (Demand(1, 300), 1, 300, True),
        (Demand(1, 300), 3, 301, False),
        (Demand(3, 300), 2, 0, False),
    ],
)
def test_level_and_age_both_count(demand: Demand, level: int, age: int, met: bool) -> None:
    assert demand.is_met(user(level, age), NOW) == met


def test_nothing_is_asked_of_a_service() -> None:
    assert Demand(3, 0).is_met(Principal("service", ()), NOW)


@pytest.mark.parametrize(
    ("demand", "said"),
    [(Demand(2), 'acr_values="2"'), (Demand(3, 60), 'acr_values="3", max_age="60"')],
)
def test_rfc_9470_challenges(demand: Demand, said: str) -> None:
    found = challenge(demand)
    assert found.startswith('error="insufficient_user_authentication", error_description="')
    assert found.endswith(f", {said}")


def test_no_demands_are_none() -> None:
    assert together() is None
    assert together(None, Demand(1)) == Demand(1)
