"""The laws of the house, held against every module: docs/architecture.md is the table."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from scripts import build_configuration_doc
from tests.arch import checkers
from tests.arch.checkers import PACKAGE, ROOT

TABLE = checkers.rows((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))

BROAD_EXCEPTS = {f"{PACKAGE}.rest.observability": 1, f"{PACKAGE}.jobs.trying": 1}
"""The outermost handler of requests, and the loop that tries jobs again."""

LIBRARY_HOMES: Mapping[str, tuple[str, ...]] = {
    "pymongo": (f"{PACKAGE}.store.mongo", f"{PACKAGE}.app", f"{PACKAGE}.cli.doctor"),
    "bson": (f"{PACKAGE}.store.mongo",),
    "fastapi": (f"{PACKAGE}.rest", f"{PACKAGE}.app"),
    "starlette": (
        f"{PACKAGE}.rest",
        f"{PACKAGE}.web",
        f"{PACKAGE}.app",
        f"{PACKAGE}.assembly",
        f"{PACKAGE}.cli.loopback",
    ),
    "uvicorn": (f"{PACKAGE}.cli",),
    "typer": (f"{PACKAGE}.cli",),
    "pydantic_settings": (f"{PACKAGE}.settings", f"{PACKAGE}.house_rules"),
}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager"}

FILE_LINES, FILE_MEDIAN = 400, 120
FUNCTION_LINES, FUNCTION_MEDIAN, FUNCTION_P90 = 50, 8, 25
LONG_FILES: frozenset[str] = frozenset()
"""Tables may be longer than 400 lines: the files that are nothing else."""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(folder: str) -> dict[str, Path]:
    return {module_of(each): each for each in sorted((ROOT / folder).rglob("*.py"))}


@cache
def parsed(folder: str) -> Mapping[str, ast.Module]:
    named = sources(folder).items()
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in named}


@cache
def trees() -> Mapping[str, ast.Module]:
    """The modules; parsed by the first test, as every worker collects and one runs these."""
    return {name: tree for name, tree in parsed(PACKAGE).items() if name != PACKAGE}


MODULES = [name for name in sources(PACKAGE) if name != PACKAGE]


def package_of(module: str) -> str:
    return module.split(".")[1]


def test_every_package_has_a_row() -> None:
    assert {package_of(each) for each in MODULES} <= TABLE.keys()


def test_arrows_point_down_the_table() -> None:
    order = list(TABLE)
    for row in TABLE.values():
        above = {each.split(".")[0] for each in row.may_import} - {checkers.EVERYTHING}
        assert all(order.index(each) < order.index(row.package) for each in above)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_row_allows(module: str) -> None:
    assert list(checkers.against_arrows(module, trees()[module], TABLE)) == []


@pytest.mark.parametrize("module", [each for each in MODULES if TABLE[package_of(each)].pure])
def test_a_pure_package_does_no_io_and_reads_no_clock(module: str) -> None:
    assert list(checkers.impurities(module, trees()[module])) == []


def test_no_module_reaches_itself() -> None:
    assert checkers.cycles(trees()) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_library_is_known_in_its_home_alone(module: str) -> None:
    found = checkers.libraries_out_of_place(module, trees()[module], LIBRARY_HOMES)
    assert list(found) == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_stand_at_the_top(module: str) -> None:
    assert list(checkers.inner_imports(module, trees()[module])) == []


def test_whatever_comes_is_caught_in_two_places_at_most() -> None:
    found = {name: len(list(checkers.broad_excepts(tree))) for name, tree in trees().items()}
    assert {name: count for name, count in found.items() if count} == BROAD_EXCEPTS
    assert sum(BROAD_EXCEPTS.values()) <= 2


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CLIENTS = "tests.clients.with_"
"""Modules that run in an environment of their own."""
OURS = {PACKAGE, "tests", "scripts", "bench"}


def declared(*requirements: str) -> set[str]:
    """What of these, and of what is installed with them, can be imported."""
    return {re.split(r"[^\w.-]", each)[0].lower().replace("_", "-") for each in requirements}


@pytest.mark.parametrize(("folder", "extra"), [(PACKAGE, ()), ("tests", ("test",))])
def test_what_is_imported_is_declared(folder: str, extra: tuple[str, ...]) -> None:
    more = (each for name in extra for each in PROJECT["optional-dependencies"][name])
    known = declared(*PROJECT["dependencies"], *more)
    providers = packages_distributions()
    for module, tree in parsed(folder).items():
        if module.startswith(CLIENTS):
            continue
        tops = {name.split(".")[0] for name, _ in checkers.imports(tree)}
        for top in tops - sys.stdlib_module_names - OURS:
            providing = {each.lower().replace("_", "-") for each in providers.get(top, [])}
            assert not top or providing & known, f"{module} imports {top}"


def test_what_clients_under_test_import_is_in_their_lock() -> None:
    asked = (ROOT / "tests/clients/requirements.in").read_text(encoding="utf-8").split()
    known = declared(*asked) | sys.stdlib_module_names
    found = {name: tree for name, tree in parsed("tests").items() if name.startswith(CLIENTS)}
    assert found
    for module, tree in found.items():
        tops = {name.split(".")[0] for name, _ in checkers.imports(tree)} - {""}
        assert tops <= known, module


def test_settings_alone_reads_the_environment() -> None:
    readers = [
        name for name, tree in trees().items() if any(checkers.environment_readers(tree))
    ]
    assert readers == []


def test_names_say_what_a_module_is() -> None:
    assert [each for each in MODULES if VAGUE_NAMES & set(each.split("."))] == []


def test_tests_replace_nothing_by_a_mock() -> None:
    found = [
        each for name, tree in parsed("tests").items() for each in checkers.mocks(name, tree)
    ]
    assert found == []


def test_marks_are_given_where_the_tests_stand() -> None:
    """Other files are not read when the tests of a mark are asked for (`tests/conftest.py`)."""
    given = {
        path.name
        for path in sources("tests").values()
        if re.search(r"mark\.(alone|slow)\b", path.read_text(encoding="utf-8"))
    }
    assert all(each.startswith("test_") for each in given), given
    assert given


def test_the_configuration_page_is_current() -> None:
    """Every setting with its docstring: the page is made from them."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == build_configuration_doc.page()


def tracked_texts() -> Iterator[tuple[str, str]]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file():
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    found = [
        each for name, text in tracked_texts() for each in checkers.places_named(name, text)
    ]
    assert found == []


def lengths_of_files() -> dict[str, int]:
    named = sources(PACKAGE).items()
    return {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in named}


def test_a_file_is_one_idea() -> None:
    long = {name: each for name, each in lengths_of_files().items() if each > FILE_LINES}
    assert long.keys() == LONG_FILES
    assert statistics.median(lengths_of_files().values()) <= FILE_MEDIAN


def test_a_function_fits_a_screen() -> None:
    lengths = sorted(
        (length, f"{module}.{name}")
        for module, tree in trees().items()
        for name, length in checkers.functions(tree)
    )
    assert [each for each in lengths if each[0] > FUNCTION_LINES] == []
    assert statistics.median(length for length, _ in lengths) <= FUNCTION_MEDIAN
    assert lengths[len(lengths) * 9 // 10][0] <= FUNCTION_P90
