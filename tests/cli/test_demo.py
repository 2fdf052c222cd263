"""`fhir-server serve --demo`, which is `make serve`: a newcomer reads a patient at once, and
nothing of it is left without the option."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.serving import Serving

DEMO = "--demo"
SEEDS = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{id_}"}}
        for id_, each in (
            ("anna-ivanova-ru", {"resourceType": "Patient", "id": "anna-ivanova-ru"}),
            ("dr-sokolova", {"resourceType": "Practitioner", "id": "dr-sokolova"}),
        )
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    seeds = tmp_path_factory.mktemp("seeds")
    (seeds / "1.json").write_text(json.dumps(SEEDS), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FHIR_SEED_DIR", str(seeds))
        yield ()


@pytest.fixture(scope="module")
def demo(folder: Path, options: tuple[str, ...]) -> Iterator[Serving]:
    with Serving(folder, options, DEMO) as serving:
        yield serving


def authorization(server: Serving) -> dict[str, str]:
    found = re.search(r"^  auth='Authorization: (Bearer \S+)'$", server.said, re.MULTILINE)
    assert found, server.said
    return {"Authorization": found[1]}


def passwords(server: Serving) -> dict[str, str]:
    return dict(re.findall(r"^  (\S+@demo\.example)  (\S+)$", server.said, re.MULTILINE))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("number", range(3))
def test_a_command_works_as_printed(demo: Serving, number: int) -> None:
    assert len(demo.examples) == 3
    command = shlex.split(demo.examples[number])
    run = subprocess.run([*command, "-sSf"], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    kinds = ("CapabilityStatement", "Patient", "Bundle")
    assert json.loads(run.stdout)["resourceType"] == kinds[number]


def test_access_control_is_on(demo: Serving) -> None:
    assert httpx.get(f"{demo.base}/Patient").status_code == 401
    assert httpx.get(f"{demo.base}/Patient", headers=authorization(demo)).is_success


def test_the_patients_token_reads_the_own_record_alone(demo: Serving) -> None:
    (token,) = re.findall(r"(Bearer \S+)' '\S+/Patient/", "\n".join(demo.examples))
    put = {"resourceType": "Patient", "id": "other"}
    url = f"{demo.base}/Patient/other"
    assert httpx.put(url, json=put, headers=authorization(demo)).is_success
    assert httpx.get(url, headers={"Authorization": token}).status_code == 404


def test_a_page_of_another_name_is_refused(demo: Serving) -> None:
    answer = httpx.get(f"{demo.base}/metadata", headers={"Host": "evil.example"})
    assert answer.status_code == 421


def test_nobody_gets_tokens_as_the_terminal(demo: Serving) -> None:
    for form in (
        {"grant_type": "client_credentials", "scope": "system/*.rs"},
        {"grant_type": "refresh_token", "refresh_token": "x"},
    ):
        answer = httpx.post(
            f"{demo.root}/auth/token", data={**form, "client_id": "demo-terminal"}
        )
        assert answer.status_code in {400, 401}, answer.text


@pytest.mark.parametrize("command", ["apps list", "audit verify"])
def test_commands_work_beside_the_server(demo: Serving, command: str) -> None:
    """It has the data folder to itself, and who registers an app need not stop it."""
    ran = subprocess.run(
        [sys.executable, "-m", "fhir_server", *command.split(), "--data-dir", demo.folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert demo.process.poll() is None
    assert httpx.get(f"{demo.base}/metadata").status_code == 200


def test_the_id_of_an_app_is_whole_on_a_narrow_terminal(demo: Serving, tmp_path: Path) -> None:
    """`apps approve` wants it."""
    id_ = "01a22823-eac8-7398-9567-970c3acdc14a"
    file = tmp_path / "app.json"
    given = {"client_id": id_, "client_name": "Diary", "redirect_uris": ["https://d.example/"]}
    file.write_text(json.dumps(given), encoding="utf-8")
    command = [sys.executable, "-m", "fhir_server", "apps"]
    told = ["--data-dir", str(demo.folder)]
    subprocess.run([*command, "add", str(file), *told], check=True, capture_output=True)
    ran = subprocess.run(
        [*command, "list", *told],
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert id_ in ran.stderr


def test_the_next_start_keeps_data_and_ends_tokens(
    folder: Path, options: tuple[str, ...], demo: Serving
) -> None:
    old, accounts = authorization(demo), passwords(demo)
    assert set(accounts) == {"anna@demo.example", "doctor@demo.example"}
    demo.stop()
    with Serving(folder, options, DEMO) as again:
        url = f"{again.base}/Patient/anna-ivanova-ru"
        assert "Loaded" not in again.said
        assert httpx.get(url, headers=old).status_code == 401
        fresh = authorization(again)
        assert httpx.get(url, headers=fresh).is_success
        assert passwords(again).keys() == accounts.keys()
        assert not set(passwords(again).values()) & set(accounts.values())
    with Serving(folder, options, "") as plain:
        assert "demo are closed" in plain.said
        assert "Bearer" not in plain.said
        url = f"{plain.base}/Patient/anna-ivanova-ru"
        assert httpx.get(url, headers=fresh).status_code == 401
        gone = httpx.get(
            f"{plain.root}/auth/authorize",
            params={
                "client_id": "demo-app",
                "redirect_uri": "http://127.0.0.1/callback",
                "response_type": "code",
            },
        )
        assert gone.status_code == 400
    with Serving(folder, options, DEMO) as back:
        assert httpx.get(
            f"{back.base}/Patient/anna-ivanova-ru", headers=authorization(back)
        ).is_success
