"""The locks pin what pyproject.toml asks for, by version and hash, and name no place."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.arch.checkers import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CLIENTS = "tests/clients/requirements.lock"
EXTRAS = {
    "requirements.lock": (),
    "requirements-embedded.lock": ("embedded",),
    "requirements-dev.lock": ("embedded", "test", "dev"),
}


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    rows = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(package): version for package, version in rows}


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_pins_what_is_declared(name: str) -> None:
    lock = pinned(name)
    wanted = [*PROJECT["dependencies"]]
    for extra in EXTRAS[name]:
        wanted += PROJECT["optional-dependencies"][extra]
    for each in map(Requirement, wanted):
        version = lock.get(canonicalize_name(each.name))
        assert version is not None, f"{each} is not in {name}: run `make lock`"
        assert each.specifier.contains(version), f"{name} has {each.name} {version}"


def test_the_locks_agree() -> None:
    everything = pinned("requirements-dev.lock")
    for name in EXTRAS:
        assert pinned(name).items() <= everything.items()


def test_the_clients_lock_pins_what_is_tried() -> None:
    asked = (ROOT / "tests/clients/requirements.in").read_text(encoding="utf-8").split()
    lock = pinned(CLIENTS)
    assert {each.name: str(each.specifier) for each in map(Requirement, asked)} == {
        each.name: f"=={lock[each.name]}" for each in map(Requirement, asked)
    }


@pytest.mark.parametrize("folder", ["tests/browser", "tests/clients"])
def test_a_lock_of_npm_names_no_place(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = [each for name, each in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in each and "resolved" not in each for each in packages)


@pytest.mark.parametrize("name", [*EXTRAS, CLIENTS])
def test_a_lock_is_names_versions_and_hashes(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    line = re.compile(r"[\w.-]+==\S+( ; [^\\/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [each for each in lines if not line.fullmatch(each)] == []
    packages = sum("==" in each and not each.startswith(" ") for each in lines)
    assert packages == len(pinned(name))
