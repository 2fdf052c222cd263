"""scripts/install says what is missing, and installs nothing twice.

The interpreters are small scripts that answer as a broken or a working Python would.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.arch.checkers import ROOT

TOOLS = ("sh", "cat", "cksum", "dirname", "grep", "tail", "rm", "mkdir", "cp", "chmod")
CLIENTS = "tests/clients/requirements.lock"
LOCKS = ("requirements-embedded.lock", "requirements-dev.lock", CLIENTS)

WORKING = """#!/bin/sh
echo "$*" >> {log}
case "$*" in
*version_info*"%d.%d"*) echo 3.12 ;;
"-m venv"*) mkdir -p {venv}/bin && cp "$0" {venv}/bin/python ;;
esac
"""
SHIM_WITHOUT_A_VERSION = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"
TOO_OLD = '#!/bin/sh\ncase "$*" in *version_info*) exit 1 ;; esac\n'
WITHOUT_LZMA = """#!/bin/sh
case "$*" in *lzma*) echo "No module named '_lzma'" >&2 && exit 1 ;; esac
"""
WITHOUT_ENSUREPIP = """#!/bin/sh
case "$*" in
*ensurepip*) exit 1 ;;
*%d.%d*) echo 3.11 ;;
esac
"""


@dataclass
class Checkout:
    """A copy of what an installation reads, and a PATH with few tools."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "scripts").mkdir()
        (self.folder / "bin").mkdir()
        (self.folder / CLIENTS).parent.mkdir(parents=True)
        for name in ("scripts/install", "pyproject.toml", *LOCKS):
            shutil.copy(ROOT / name, self.folder / name)
        for name in TOOLS:
            found = shutil.which(name)
            assert found
            (self.folder / "bin" / name).symlink_to(found)

    def python(self, source: str, name: str = "python3") -> None:
        path = self.folder / "bin" / name
        path.write_text(
            source.format(log=self.log, venv=".venv") if "{log}" in source else source
        )
        path.chmod(0o755)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def pip_runs(self) -> int:
        lines = self.log.read_text().splitlines()
        return sum("-m pip" in each and " install " in each for each in lines)

    def install(
        self, what: str = "serve", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "scripts/install", what],
            cwd=self.folder,
            env={"PATH": str(self.folder / "bin"), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize("source", [None, SHIM_WITHOUT_A_VERSION, TOO_OLD])
def test_without_a_python_that_runs_it_says_where_to_get_one(
    checkout: Checkout, source: str | None
) -> None:
    if source:
        checkout.python(source)
        checkout.python(source, "python3.12")
    run = checkout.install()
    assert run.returncode == 1
    for words in ("Python 3.11, 3.12 or 3.13 is needed", "apt-get install", "brew install"):
        assert words in run.stderr


def test_a_shim_without_a_version_is_passed_over(checkout: Checkout) -> None:
    checkout.python(SHIM_WITHOUT_A_VERSION, "python3.13")
    checkout.python(WORKING, "python3.11")
    assert checkout.install().returncode == 0


def test_a_python_without_lzma_is_named(checkout: Checkout) -> None:
    checkout.python(WITHOUT_LZMA)
    run = checkout.install()
    assert run.returncode == 1
    assert "python3 is passed over: No module named '_lzma'" in run.stderr


def test_debians_missing_venv_is_named(checkout: Checkout) -> None:
    checkout.python(WITHOUT_ENSUREPIP)
    run = checkout.install()
    assert run.returncode == 1
    assert "apt-get install python3.11-venv" in run.stderr


def test_a_python_can_be_named(checkout: Checkout) -> None:
    checkout.python(SHIM_WITHOUT_A_VERSION)
    run = checkout.install(PYTHON="python3")
    assert run.returncode == 1
    assert "PYTHON=python3 is not a Python" in run.stderr


def touch(path: Path) -> None:
    with path.open("a") as file:
        file.write("\n")


def test_a_second_run_installs_nothing(checkout: Checkout) -> None:
    checkout.python(WORKING)
    assert checkout.install().returncode == 0
    first = checkout.pip_runs
    assert first == 2
    assert checkout.install().returncode == 0
    assert checkout.pip_runs == first


def test_what_tests_need_is_enough_to_serve(checkout: Checkout) -> None:
    checkout.python(WORKING)
    checkout.install("all")
    before = checkout.pip_runs
    checkout.install("serve")
    assert checkout.pip_runs == before
    checkout.install("all")
    assert checkout.pip_runs == before


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements-embedded.lock"])
def test_a_change_of_what_is_needed_installs_again(checkout: Checkout, name: str) -> None:
    checkout.python(WORKING)
    checkout.install()
    before = checkout.pip_runs
    touch(checkout.folder / name)
    checkout.install()
    assert checkout.pip_runs > before


def test_a_failed_installation_leaves_no_stamp(checkout: Checkout) -> None:
    checkout.python(WORKING)
    checkout.install()
    python = checkout.folder / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *" install "*) exit 1 ;; esac\n')
    touch(checkout.folder / "pyproject.toml")
    run = checkout.install()
    assert run.returncode == 1
    assert "The installation failed" in run.stderr
    assert not (checkout.folder / ".venv" / ".installed").exists()


def test_clients_have_an_environment_without_the_server(checkout: Checkout) -> None:
    checkout.python(WORKING)
    for _ in range(2):
        assert checkout.install("clients", CLIENTS_VENV=".venv").returncode == 0
        assert checkout.pip_runs == 1
    assert "--editable" not in checkout.log.read_text()
