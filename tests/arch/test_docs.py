"""The pages for people: links lead somewhere, nothing served is without a page, lines parse."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_server.operations.table import OPERATIONS
from fhir_server.settings import Settings
from fhir_server.spec.interactions import INTERACTIONS
from tests.arch.checkers import ROOT
from tests.support.readme import first_hour

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
API = {
    path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.md")
}

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
SETTING = re.compile(r"\bFHIR_[A-Z_]+\b")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """The page without its code."""
    return re.sub(r"```.*?```|^    .*$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> Iterator[str]:
    """The headings as a renderer names them."""
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in set(anchors(found.read_text(encoding="utf-8"))), target


def head(text: str) -> str:
    """What stands before the first section."""
    return text.partition("\n## ")[0]


@pytest.mark.parametrize("code", sorted({row.code for row in INTERACTIONS} - {"operation"}))
def test_every_interaction_has_a_page(code: str) -> None:
    assert [page for page, text in API.items() if f"`{code}`" in head(text)]


@pytest.mark.parametrize("operation", [each.name for each in OPERATIONS])
def test_every_operation_has_a_page(operation: str) -> None:
    titles = [text.partition("\n")[0].removeprefix("# ") for text in API.values()]
    assert [title for title in titles if operation in title.split(", ")]


DEFINED = sorted((ROOT / "profiles" / "operations").glob("*.json"))


@pytest.mark.parametrize("file", DEFINED, ids=name)
def test_definitions_of_own_operations_say_what_the_table_says(file: Path) -> None:
    found = json.loads(file.read_text(encoding="utf-8"))
    (row,) = (each for each in OPERATIONS if each.definition == found["url"])
    assert row.definition.endswith(f"/{found['id']}")
    assert file.stem == found["id"]
    assert (f"${found['code']}", found["affectsState"]) == (row.name, row.affects_state)
    assert {each for each in ("system", "type", "instance") if found[each]} == row.levels
    assert frozenset(found["resource"]) == (row.types or {"Resource"})


def test_every_own_operation_has_its_definition() -> None:
    own = {each.definition for each in OPERATIONS if "fhir-server.example" in each.definition}
    assert own == {json.loads(each.read_text(encoding="utf-8"))["url"] for each in DEFINED}


@pytest.mark.parametrize("page", sorted(set(API) - {"README.md"}))
def test_every_page_is_in_the_table_of_contents(page: str) -> None:
    assert f"]({page})" in API["README.md"]


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=name)
def test_every_decision_is_in_the_table_of_contents(page: Path) -> None:
    contents = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert f"[{int(page.name[:4])}]({page.name})" in contents


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_that_are_named_exist(page: Path) -> None:
    known = {f"FHIR_{field.upper()}" for field in Settings.model_fields}
    named = set(SETTING.findall(page.read_text(encoding="utf-8")))
    assert named <= known


def test_the_first_hour_parses() -> None:
    lines = first_hour()
    assert len(lines) > 20
    for line in lines:
        assert shlex.split(line)[0] in {"curl", "next=$(curl"}, line
