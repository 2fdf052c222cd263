"""One validator for all, and where the shared data lies."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from fhir_server.core.types import JsonObject
from fhir_server.validation import remainder
from fhir_server.validation.validator import Validator

ROOT: Final = Path(__file__).resolve().parents[3]

Errors = Callable[[JsonObject], list[tuple[str, str]]]


@pytest.fixture(scope="session")
def validator() -> Validator:
    return Validator()


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("FHIR_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.exists():
        pytest.skip("the shared data is not here")
    return folder


@pytest.fixture(scope="session")
def errors(validator: Validator) -> Errors:
    """Code and first expression of every error; the quick passes must not disagree."""

    def found(resource: JsonObject) -> list[tuple[str, str]]:
        kind = resource["resourceType"]
        issues = [i for i in validator.validate(resource, kind) if i.severity == "error"]
        if issues:
            assert not remainder.accepts(resource, kind)
        return [(each.code, each.expression[0]) for each in issues]

    return found
