"""The laws of the house as functions from source text to complaints.

Each is tried on a planted violation in test_checkers.py before it is believed.
"""

import ast
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "fhir_server"

EVERYTHING = "everything"


@dataclass(frozen=True)
class Row:
    """One row of the table in docs/architecture.md."""

    package: str
    pure: bool
    may_import: frozenset[str]


def rows(page: str) -> dict[str, Row]:
    """The arrow table: `| `package` | what | pure | may import |`."""
    found = {}
    for line in page.splitlines():
        match = re.fullmatch(r"\| `(\w+)` \|.*\| (yes|no) \| (.*) \|", line)
        if match:
            allowed = frozenset(match[3].split(", ")) - {"–"}
            found[match[1]] = Row(match[1], match[2] == "yes", allowed)
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every dotted name imported, `a.b.c` for `from a.b import c` too, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def against_arrows(module: str, tree: ast.AST, table: Mapping[str, Row]) -> Iterator[str]:
    """Imports that the module's row does not name; relative ones hide where they point."""
    package = module.split(".")[1]
    row = table.get(package)
    if row is None:
        yield f"{module}: `{package}` has no row in docs/architecture.md"
        return
    for name, line in imports(tree):
        if name.startswith("."):
            yield f"{module}:{line}: relative import"
        if not name.startswith(f"{PACKAGE}.") or EVERYTHING in row.may_import:
            continue
        inside = name.removeprefix(f"{PACKAGE}.")
        if not any(
            inside == each or inside.startswith(f"{each}.")
            for each in (package, *row.may_import)
        ):
            yield f"{module}:{line}: {package} may not import {inside}"


def _needed(tree: ast.AST, modules: Container[str]) -> set[str]:
    """`from a import b` needs the module `a.b` where there is one, else `a`."""
    names = (name if name in modules else name.rpartition(".")[0] for name, _ in imports(tree))
    return {each for each in names if each in modules}


def cycles(trees: Mapping[str, ast.AST]) -> list[str]:
    """The modules of a cycle, if there is one; importing `a.b` needs `a` no further."""
    graph = {module: _needed(tree, trees) - {module} for module, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


# fmt: off
IMPURE_LIBRARIES = frozenset({
    "aiohttp", "asyncio", "fastapi", "ftplib", "glob", "http.client", "httpx", "io",
    "multiprocessing", "os", "pathlib", "prometheus_client", "pydantic_settings", "pymongo",
    "random", "requests", "secrets", "selectors", "shutil", "signal", "socket", "sqlite3",
    "ssl", "starlette", "structlog", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib.request", "uuid", "uvicorn", "uvloop",
})
# fmt: on
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "urandom", "monotonic", "perf_counter"})
IMPURE_NAMES = frozenset({"open", "print", "input", "breakpoint"})


def impurities(module: str, tree: ast.AST) -> Iterator[str]:
    """Input, output, clock and chance in a package that has none."""
    for name, line in imports(tree):
        if any(name == each or name.startswith(f"{each}.") for each in IMPURE_LIBRARIES):
            yield f"{module}:{line}: imports {name}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in IMPURE_NAMES:
            yield f"{module}:{node.lineno}: calls {called.id}()"
        if isinstance(called, ast.Attribute) and called.attr in IMPURE_CALLS:
            owner = called.value
            if isinstance(owner, ast.Name) and owner.id in {"datetime", "date", "time", "os"}:
                yield f"{module}:{node.lineno}: calls {owner.id}.{called.attr}()"


def libraries_out_of_place(
    module: str, tree: ast.AST, homes: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Imports of a library outside the modules that are its home."""
    for name, line in imports(tree):
        library = name.split(".")[0]
        if library in homes and not module.startswith(homes[library]):
            yield f"{module}:{line}: {library} belongs to {', '.join(homes[library])}"


def inner_imports(module: str, tree: ast.AST) -> Iterator[str]:
    """Imports inside functions: they hide cycles, and pay at the first call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for name, line in imports(node):
                yield f"{module}:{line}: imports {name} inside {node.name}()"


def broad_excepts(tree: ast.AST) -> Iterator[int]:
    """Lines of handlers that swallow whatever comes; one that raises on only tidies up."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else "BaseException"
        ends = node.body[-1]
        raises_on = isinstance(ends, ast.Raise) and ends.exc is None
        if re.search(r"\b(Base)?Exception\b", caught) and not raises_on:
            yield node.lineno


def environment_readers(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}:
            yield node.lineno


def mocks(module: str, tree: ast.AST) -> Iterator[str]:
    for name, line in imports(tree):
        if "mock" in name:
            yield f"{module}:{line}: imports {name}"


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Name and length in lines, docstring and decorators left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if ast.get_docstring(node, clean=False) is not None:
                body = body[1:]
            last = node.end_lineno or node.lineno
            head = (node.body[0].lineno if body else last) - node.lineno
            yield node.name, head + (last - body[0].lineno + 1 if body else 0)


REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("golang", "org/dl"),
        ("proxy", "golang", "org"),
        ("maven", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
)
MACHINE_PATHS = tuple(f"/{name}/" for name in ("work", "root", "home"))


def places_named(name: str, text: str) -> Iterator[str]:
    """Hosts of registries, and paths of one machine."""
    hosts = [each for each in REGISTRIES if each in text]
    paths = [each for each in MACHINE_PATHS if each in text]
    for number, line in enumerate(text.splitlines() if hosts or paths else (), 1):
        for host in hosts:
            if re.search(rf"(?<![\w-]){re.escape(host)}", line):
                yield f"{name}:{number}: names {host}"
        for path in paths:
            if re.search(rf"(?<![\w.}}*-]){re.escape(path)}\w", line):
                yield f"{name}:{number}: names a path under {path}"
