"""The operator's statement: honoured, or refused with every entry that cannot be.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from fhir_server.operations.table import OPERATIONS
from fhir_server.rest.capability import full
from fhir_server.rest.offer import CapabilityError, offer

JsonObject = dict[str, Any]
FULL = full(OPERATIONS)


def changed(change: Callable[[JsonObject, JsonObject], object]) -> JsonObject:
    """The full statement after `change` of its `rest` and of its row of Patient."""
    statement = deepcopy(FULL)
    (rest,) = statement["rest"]
    change(rest, next(row for row in rest["resource"] if row["type"] == "Patient"))
    return statement


def test_the_full_statement_is_honoured() -> None:
    found = offer(FULL, OPERATIONS)
    assert found.allows("conditional-delete", "Patient")
    assert found.allows("transaction", None)
    assert found.compartments == {
        "Device", "Encounter", "Patient", "Practitioner", "RelatedPerson",
    }  # fmt: skip
    assert {"name", "_id", "_filter"} <= found.search.parameters["Patient"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda _, patient: patient["interaction"].append({"code": "fly"}),
            "interaction Patient/fly",
        ),
        (lambda rest, _: rest["interaction"].append({"code": "fly"}), "interaction /fly"),
        (
            lambda _, patient: patient["searchParam"].append({"name": "foo", "type": "token"}),
            "searchParam Patient/foo",
        ),
        (
            lambda _, patient: patient["searchParam"][1].update(definition="http://x"),
            "searchParam Patient/active as http://x",
        ),
        (
            lambda _, patient: patient["searchParam"][1].update(type="string"),
            "searchParam Patient/active of type string",
        ),
        (
            lambda _, patient: patient["searchInclude"].append("Patient:name"),
            "searchInclude Patient/Patient:name",
        ),
        (
            lambda _, patient: patient["searchRevInclude"].append("Foo:bar"),
            "searchRevInclude Patient/Foo:bar",
        ),
        (
            lambda _, patient: patient["operation"].append({"name": "fly"}),
            "operation Patient/fly",
        ),
        (lambda rest, _: rest["resource"].append({"type": "Foo"}), "resource Foo"),
        (lambda rest, patient: rest["resource"].append(patient), "resource Patient"),
        (lambda rest, _: rest["compartment"].append("http://x/y"), "compartment /http://x/y"),
        (lambda rest, _: rest.update(mode="client"), "mode /client"),
        (
            lambda _, patient: patient.update(versioning="no-version"),
            "versioning Patient/no-version",
        ),
        (lambda _, patient: patient.update(updateCreate=False), "updateCreate Patient/False"),
        (lambda _, patient: patient.update(profile="http://x"), "profile Patient/http://x"),
        (
            lambda _, patient: patient.update(conditionalDelete="single"),
            "conditionalDelete Patient/single",
        ),
    ],
)
def test_what_the_server_does_not_have_is_refused_by_name(
    change: Callable[[JsonObject, JsonObject], object], said: str
) -> None:
    with pytest.raises(CapabilityError, match="cannot honour") as refused:
        offer(changed(change), OPERATIONS)
    assert str(refused.value).endswith(f"cannot honour {said}")


def without(kind: str, member: str, name: str) -> Callable[[JsonObject, JsonObject], object]:
    """A change: `kind` loses one interaction or search parameter."""

    def change(rest: JsonObject, _: JsonObject) -> None:
        row = next(row for row in rest["resource"] if row["type"] == kind)
        row[member] = [e for e in row[member] if name not in (e.get("code"), e.get("name"))]

    return change


def only(*kinds: str) -> Callable[[JsonObject, JsonObject], object]:
    """A change: no other types are left."""

    def change(rest: JsonObject, _: JsonObject) -> None:
        rest["resource"] = [row for row in rest["resource"] if row["type"] in kinds]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("Patient", "interaction", "read"), "Patient/read"),
        (without("Patient", "searchParam", "identifier"), "Patient/identifier"),
        (without("Medication", "interaction", "read"), "Medication/read"),
        (without("Observation", "searchParam", "category"), "Observation/category"),
        (without("Condition", "interaction", "search-type"), "Condition/search-type"),
        (only("Patient", "Slot"), "Patient and one more type"),
        (only("Observation"), "Patient and one more type"),
    ],
)
def test_caps_06_a_claim_that_does_not_hold_is_refused(
    change: Callable[[JsonObject, JsonObject], object], said: str
) -> None:
    with pytest.raises(CapabilityError, match=r"instantiates .*ipa-server without") as refused:
        offer(changed(change), OPERATIONS)
    assert str(refused.value).endswith(f"without {said}")
    modest = {k: each for k, each in changed(change).items() if k != "instantiates"}
    offer(modest, OPERATIONS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (only("Patient", "Medication"), None),
        (without("Medication", "interaction", "search-type"), None),
        (
            lambda _, patient: patient["supportedProfile"].append("http://x"),
            "supportedProfile Patient/http://x",
        ),
    ],
)
def test_caps_06_caps_07_claims_are_compared(
    change: Callable[[JsonObject, JsonObject], object], said: str | None
) -> None:
    if said is None:
        offer(changed(change), OPERATIONS)
        return
    with pytest.raises(CapabilityError) as refused:
        offer(changed(change), OPERATIONS)
    assert str(refused.value).endswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instantiates": ["http://x"]}, "instantiates /http://x"),
        ({"format": ["json"]}, "format /json"),
        ({"patchFormat": ["text/plain"]}, "patchFormat /text/plain"),
        ({"fhirVersion": "5.0.0"}, "fhirVersion /5.0.0"),
    ],
)
def test_what_cannot_be_left_out_is_refused(change: JsonObject, said: str) -> None:
    with pytest.raises(CapabilityError, match="cannot honour") as refused:
        offer(FULL | change, OPERATIONS)
    assert str(refused.value).endswith(said)


def test_every_entry_is_named() -> None:
    def twice(_: JsonObject, patient: JsonObject) -> None:
        patient["interaction"].append({"code": "fly"})
        patient["operation"].append({"name": "swim"})

    with pytest.raises(CapabilityError, match="Patient/fly, operation Patient/swim"):
        offer(changed(twice), OPERATIONS)


@pytest.mark.parametrize(
    "statement",
    [
        {},
        {"rest": []},
        {**FULL, "rest": FULL["rest"] * 2},
        {**FULL, "rest": [{"mode": "server", "resource": [{}]}]},
        {**FULL, "rest": "all"},
    ],
)
def test_what_is_no_statement_is_refused(statement: JsonObject) -> None:
    with pytest.raises(CapabilityError, match=r"capability_statement\.json: "):
        offer(statement, OPERATIONS)
