"""The definitions in `profiles/` say what the code does, and what the seeds hold to."""

import ast
import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from fhir_server.access import codings, labels, smart_grants
from fhir_server.app import definitions
from fhir_server.cabinet.booking import names
from fhir_server.cabinet.booking.policy import OPERATORS_ALONE, BookingPolicy
from fhir_server.cabinet.notices import kinds, preferences
from fhir_server.core.national_ids import SCHEMES, Scheme
from fhir_server.core.outcome import CABINET_ERROR
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.operations.invite import REFUSALS
from fhir_server.settings import Settings
from fhir_server.validation.validator import Validator
from tests.arch.checkers import ROOT

PROFILES: Final = ROOT / "profiles"
OWN: Final = "https://fhir-server.example/"
FILES: Final = sorted(PROFILES.rglob("*.json"))
PACKAGE: Final = "fhir_server"


@cache
def defined() -> dict[str, JsonObject]:
    """By canonical; NamingSystems by name."""
    rows = [json.loads(each.read_text(encoding="utf-8")) for each in FILES]
    return {row.get("url", row["name"]): row for row in rows}


@pytest.fixture(scope="module")
def validator() -> Validator:
    known = definitions(Settings(insecure_no_auth=True, profiles=PROFILES))
    return Validator(known.terminology, known.profiles, "error")


def refusal_codes() -> Iterator[str]:
    """Every code that the code puts into `issue.details`."""
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            for argument in _details(call, path):
                yield from _values(argument, path)
    yield from REFUSALS


def _details(call: ast.Call, path: Path) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    if name == "coded" or (name == "_coded" and path.name == "refusals.py"):
        yield call.args[-1]
    if name == "Issue":
        yield from call.args[5:]
        yield from (each.value for each in call.keywords if each.arg == "detail")


def _values(argument: ast.expr, path: Path) -> Iterator[str]:
    """A constant, or the module's constant of that name; a variable says nothing."""
    if isinstance(argument, ast.Constant):
        yield str(argument.value)
    elif isinstance(argument, ast.Name) and argument.id.isupper():
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield str(getattr(import_module(dotted), argument.id))


def test_every_refusal_has_its_code() -> None:
    known = {each["code"] for each in defined()[CABINET_ERROR]["concept"]}
    used = set(refusal_codes())
    assert {"slot-taken", "staff-only", "consent-missing", "identifier-invalid"} <= used
    assert used <= known, f"cabinet-error lacks {sorted(used - known)}"


@pytest.mark.parametrize(
    "url",
    [
        *(
            value
            for name, value in vars(names).items()
            if isinstance(value, str)
            and value.startswith(OWN)
            and "/sid/" not in value
            and not name.startswith("_")
        ),
        smart_grants.GRANTED_SCOPES,
        labels.LABELLED_BY,
        labels.RULES_TAG,
        codings.OWN,
        codings.NOTICE,
        kinds.TOPICS,
        preferences.PREFERENCE,
    ],
)
def test_what_the_code_writes_is_defined(url: str) -> None:
    assert url in defined()


def test_the_policy_has_the_parts_that_are_read() -> None:
    elements = defined()[names.POLICY]["differential"]["element"]
    parts = {each["sliceName"].replace("-", "_") for each in elements if "sliceName" in each}
    assert parts == {each.name for each in fields(BookingPolicy)} - OPERATORS_ALONE


def test_every_kind_of_notice_is_a_topic() -> None:
    found = {
        (above["code"], each["code"])
        for above in defined()[kinds.TOPICS]["concept"]
        for each in above.get("concept", ())
    }
    assert found == {(row.topic, kind) for kind, row in kinds.ROWS.items()}


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.title)
def test_naming_systems_name_the_aliases(scheme: Scheme) -> None:
    (found,) = (
        row
        for row in defined().values()
        if row["resourceType"] == "NamingSystem"
        and row["uniqueId"][0]["value"] == scheme.system
    )
    given = {
        f"urn:oid:{each['value']}" if each["type"] == "oid" else each["value"]
        for each in found["uniqueId"]
    }
    assert given == {scheme.system, *scheme.aliases}


@pytest.mark.parametrize("url", [u for u in defined() if u.startswith(OWN)])
def test_a_canonical_ends_in_the_id(url: str) -> None:
    row = defined()[url]
    assert url == f"{OWN}{row['resourceType']}/{row['id']}"


CORE: Final = {
    "Patient",
    "Consent",
    "Appointment",
    "Slot",
    "MedicationRequest",
    "Observation",
    "Communication",
}


def test_the_seeds_hold_to_the_cabinets_profiles(validator: Validator) -> None:
    met: set[str] = set()
    for path in sorted((ROOT / "seed_bundles").glob("*.json")):
        for entry in loads(path.read_bytes(), max_depth=64)["entry"]:
            resource: dict[str, Any] = entry["resource"]
            kind = resource["resourceType"]
            if kind not in CORE:
                continue
            url = f"{OWN}StructureDefinition/cabinet-{kind.lower()}"
            validator.check(resource | {"meta": {"profile": [url]}}, kind)
            met.add(kind)
    assert met == CORE
