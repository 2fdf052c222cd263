"""The page of what a cabinet does names every function once, and only tests that there are."""

import ast
import re
from collections import Counter
from functools import cache
from typing import Final

import pytest

from tests.arch.checkers import ROOT

PAGE: Final = (ROOT / "docs" / "cabinet-coverage.md").read_text(encoding="utf-8")
SYSTEMS: Final = {"S0": 24, "S1": 37, "S2": 16, "S3": 21, "S4": 92}
"""Functions of each."""
ROWS: Final = re.findall(
    r"^\| (S\d)-(\d\d) \| (.+?) \| (.+?) \| (.*?) ?\|$", PAGE, re.MULTILINE
)
TOTALS: Final = re.findall(
    r"^\| (S\d)? ?\| .*?\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
)
STATUSES: Final = ("done", "stored", "not yet")
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def written_in(path: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def test_every_function_has_a_row_in_its_place() -> None:
    expected = [(s, f"{n:02}") for s, most in SYSTEMS.items() for n in range(1, most + 1)]
    assert [(system, number) for system, number, *_ in ROWS] == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_what_is_done_is_proved_and_the_rest_is_said(row: tuple[str, ...]) -> None:
    _, _, what, status, more = row
    assert status in STATUSES
    assert what
    named = TEST.findall(more)
    assert bool(named) == (status == "done")
    assert status != "not yet" or more
    for path, test in named:
        assert test in written_in(path), f"{path}::{test} is not there"


def test_the_totals_are_those_of_the_rows() -> None:
    found = Counter((system, status) for system, _, _, status, _ in ROWS)
    for system, *told in TOTALS:
        of = [system] if system else [*SYSTEMS]
        counted = [sum(found[each, status] for each in of) for status in STATUSES]
        assert [int(each) for each in told] == [sum(counted), *counted]
    assert [each[0] for each in TOTALS] == [*SYSTEMS, ""]
