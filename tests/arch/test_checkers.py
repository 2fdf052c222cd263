"""Each law turns red on a planted violation, and stays green beside it."""

import ast

import pytest

from tests.arch import checkers
from tests.arch.checkers import MACHINE_PATHS, REGISTRIES

TABLE = checkers.rows(
    """
    Prose, and the table's head, are passed over.

| package | what lives there | pure | may import |
|---|---|---|---|
| `core` | values | yes | – |
| `store` | port and adapter | no | core |
| `interactions` | one file each | no | core, store.port |
| `app` | the root | no | everything |
"""
)


def test_the_table_is_read() -> None:
    assert list(TABLE) == ["core", "store", "interactions", "app"]
    assert TABLE["core"].pure
    assert TABLE["core"].may_import == frozenset()
    assert TABLE["interactions"].may_import == {"core", "store.port"}


@pytest.mark.parametrize(
    ("module", "source", "is_refused"),
    [
        ("core.a", "from fhir_server.core import errors", False),
        ("core.a", "import json", False),
        ("core.a", "from fhir_server.store import port", True),
        ("core.a", "import fhir_server.store.port", True),
        ("core.a", "from . import errors", True),
        ("core.a", "def f():\n    from fhir_server.store import port", True),
        ("core.a", "from fhir_server.corean import x", True),
        ("store.port", "from fhir_server.core.errors import Issue", False),
        ("interactions.read", "from fhir_server.store.port import Stored", False),
        ("interactions.read", "from fhir_server.store import port", False),
        ("interactions.read", "from fhir_server.store.mongo import client", True),
        ("interactions.read", "from fhir_server import app", True),
        ("app", "from fhir_server.store.mongo import client", False),
        ("newcomer.a", "import json", True),
    ],
)
def test_an_import_against_the_arrows_is_found(
    module: str, source: str, is_refused: bool
) -> None:
    found = checkers.against_arrows(f"fhir_server.{module}", ast.parse(source), TABLE)
    assert bool(list(found)) is is_refused


@pytest.mark.parametrize(
    ("sources", "members"),
    [
        ({"p.a": "import p.b", "p.b": "import json"}, set()),
        ({"p.a": "import p.b", "p.b": "import p.a"}, {"p.a", "p.b"}),
        ({"p.a": "from p.b import x", "p.b": "from p import c", "p.c": "import p.a"},
         {"p.a", "p.b", "p.c"}),
        ({"p": "import p.a", "p.a": "from p import b", "p.b": ""}, set()),
        ({"p": "import p.a", "p.a": "from p import VALUE"}, {"p", "p.a"}),
    ],
)  # fmt: skip
def test_a_cycle_is_found(sources: dict[str, str], members: set[str]) -> None:
    trees = {name: ast.parse(source) for name, source in sources.items()}
    assert set(checkers.cycles(trees)) == members


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("import time", True),
        ("from time import monotonic", True),
        ("import os.path", True),
        ("import random", True),
        ("from uuid import uuid4", True),
        ("import asyncio", True),
        ("from urllib.request import urlopen", True),
        ("from urllib.parse import quote", False),
        ("from datetime import datetime\nx = datetime.now()", True),
        ("import datetime\nx = datetime.date", False),
        ("from datetime import date\nx = date.today()", True),
        ("open('x')", True),
        ("print('x')", True),
        ("x.open()", False),
        ("services.now()", False),
        ("import timeit_of_ours", False),
    ],
)
def test_io_clock_and_chance_are_found(source: str, is_refused: bool) -> None:
    assert bool(list(checkers.impurities("m", ast.parse(source)))) is is_refused


@pytest.mark.parametrize(
    ("module", "source", "is_refused"),
    [
        ("p.store.mongo.units", "from pymongo import errors", False),
        ("p.store.port", "from pymongo import errors", True),
        ("p.interactions.read", "import pymongo.errors", True),
        ("p.interactions.read", "import json", False),
    ],
)
def test_a_library_away_from_home_is_found(module: str, source: str, is_refused: bool) -> None:
    homes = {"pymongo": ("p.store.mongo",)}
    found = checkers.libraries_out_of_place(module, ast.parse(source), homes)
    assert bool(list(found)) is is_refused


def test_an_import_inside_a_function_is_found() -> None:
    source = "import a\nasync def f():\n    if True:\n        import b"
    assert list(checkers.inner_imports("m", ast.parse(source))) == ["m:4: imports b inside f()"]


@pytest.mark.parametrize(
    ("handler", "is_refused"),
    [
        ("except ValueError: pass", False),
        ("except Exception: pass", True),
        ("except Exception as e: log(e)", True),
        ("except (ValueError, Exception): pass", True),
        ("except BaseException: pass", True),
        ("except: pass", True),
        ("except BaseException:\n    tidy()\n    raise", False),
        ("except Exception as e:\n    raise Other from e", True),
        ("except MyException: pass", False),
    ],
)
def test_a_handler_of_whatever_comes_is_found(handler: str, is_refused: bool) -> None:
    tree = ast.parse(f"try:\n    f()\n{handler}")
    assert bool(list(checkers.broad_excepts(tree))) is is_refused


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("os.environ['X']", True),
        ("x = os.getenv('X')", True),
        ("settings.environment", False),
    ],
)
def test_a_reader_of_the_environment_is_found(source: str, is_refused: bool) -> None:
    assert bool(list(checkers.environment_readers(ast.parse(source)))) is is_refused


@pytest.mark.parametrize(
    ("source", "is_refused"),
    [
        ("from unittest import mock", True),
        ("from unittest.mock import patch", True),
        ("import mongomock", True),
        ("from unittest import TestCase", False),
    ],
)
def test_a_mock_is_found(source: str, is_refused: bool) -> None:
    assert bool(list(checkers.mocks("m", ast.parse(source)))) is is_refused


@pytest.mark.parametrize(
    ("source", "length"),
    [
        ("def f(): return 1", 1),
        ("def f():\n    return 1", 2),
        ('def f():\n    """Say.\n\n    More.\n    """\n    return 1', 2),
        ("@a\n@b\ndef f(\n    x,\n):\n    y = x\n    return y", 5),
    ],
)
def test_a_function_is_as_long_as_its_head_and_code(source: str, length: int) -> None:
    assert list(checkers.functions(ast.parse(source))) == [("f", length)]


@pytest.mark.parametrize("host", REGISTRIES)
def test_a_registry_is_found(host: str) -> None:
    for line in (f"url = {host}/simple", f"https://files.{host}", f"({host})"):
        assert list(checkers.places_named("f", line))
    assert not list(checkers.places_named("f", f"my-{host}"))


@pytest.mark.parametrize("path", MACHINE_PATHS)
def test_a_place_on_one_machine_is_found(path: str) -> None:
    for line in (f"cd {path}main", f'"{path}x"', f"={path}me/file"):
        assert list(checkers.places_named("f", line))
    for line in (f"src{path}x", f"~{path}", f"${{HOME}}{path}x"):
        assert not list(checkers.places_named("f", line))
