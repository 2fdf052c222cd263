"""The OperationDefinitions of this server's own operations, as their pages give them.

https://hl7.org/fhir/R4/operationdefinition.html
"""

import json
import re
from typing import Any

import pytest

from fhir_server.operations.table import OPERATIONS
from fhir_server.validation.own_definitions import known
from fhir_server.validation.validator import Validator
from tests.arch.checkers import ROOT

BLOCKS = [
    json.loads(block)
    for page in sorted((ROOT / "docs" / "api").glob("*.md"))
    for block in re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    if "OperationDefinition" in block
]


@pytest.mark.parametrize("definition", BLOCKS, ids=lambda each: str(each["name"]))
def test_a_definition_is_valid_and_says_what_the_table_says(definition: Any) -> None:
    knowledge = known(())
    Validator(knowledge.terminology, knowledge.profiles).check(
        definition, "OperationDefinition"
    )
    [row] = [each for each in OPERATIONS if each.definition == definition["url"]]
    assert row.name == f"${definition['code']}"
    assert row.affects_state == definition["affectsState"]
    assert row.levels == {x for x in ("system", "type", "instance") if definition[x]}
    assert row.types == frozenset(definition["resource"])


def test_break_glass_has_its_definitions() -> None:
    assert [each["code"] for each in BLOCKS] == ["break-glass", "break-glass-end"]
