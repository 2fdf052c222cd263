"""`fhir-server serve` as an operator meets it: real processes, a real database."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from fhir_server.cabinet.accounts.demo import SERVICE
from fhir_server.cli import demo_environment
from tests.arch.checkers import ROOT
from tests.support.serving import Serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(tmp_path_factory.mktemp("data")) as serving:
        yield serving


def get(url: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urlopen(Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def create(base: str) -> str:
    body = json.dumps({"resourceType": "Basic", "code": {"text": "probe"}}).encode()
    request = Request(f"{base}/Basic", body, {"Content-Type": "application/fhir+json"})
    with urlopen(request, timeout=30) as answer:
        location: str = answer.headers["Location"]
        return location.rpartition("/_history/")[0]


def test_it_names_three_commands(server: Serving) -> None:
    assert len(server.examples) == 3


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("number", range(3))
def test_a_command_works_as_printed(server: Serving, number: int) -> None:
    command = shlex.split(server.examples[number])
    run = subprocess.run([*command, "-sSf"], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["resourceType"] in {"Bundle", "Patient"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/docs"])
def test_what_operators_ask_is_answered(server: Serving, path: str) -> None:
    assert get(server.root + path)[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:99", 200), ("[::1]:8000", 200), ("evil.example", 421),
     ("127.0.0.1.evil.example", 421), ("localhost.evil.example:8000", 421), ("10.0.0.1", 421)],
)  # fmt: skip
def test_a_request_for_another_host_is_refused(server: Serving, host: str, status: int) -> None:
    assert get(f"{server.base}/metadata", Host=host)[0] == status


def run_serve(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fhir_server", "serve", *options],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (("--demo", "--host", "0.0.0.0"), {}, "open to others"),
        (("--demo",), {"FHIR_BASE_URL": "https://fhir.example.org/fhir"}, "open to others"),
        (("--insecure-no-auth", "--host", "0.0.0.0"), {}, "open to others"),
        (("--insecure-no-auth", "--host", "example.org"), {}, "open to others"),
        (("--insecure-no-auth", "--port", "70000"), {}, "FHIR_PORT: .*less than or equal"),
        (("--insecure-no-auth",), {"FHIR_MAX_BODY": "many"}, "FHIR_MAX_BODY: .*integer"),
        ((), {"FHIR_TRUSTED_PROXIES": "0.0.0.0/0"}, "FHIR_TRUSTED_PROXIES: .*is everybody"),
        ((), {"FHIR_TLS_CERT": "none.pem", "FHIR_TLS_KEY": "none.key"}, "cannot be used"),
        (
            (),
            {"FHIR_TLS_CERT": "README.md", "FHIR_TLS_KEY": "README.md"},
            "FHIR_TLS_CERT and FHIR_TLS_KEY cannot be used",
        ),
    ],
)
def test_a_start_that_cannot_be_meant_is_refused(
    options: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    run = run_serve(*options, **environment)
    assert run.returncode == 2
    assert re.search(said, run.stderr)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("search-type", "search-foo"), "cannot honour .*search-foo"),
        (("{", "[", 1), "statement.json: "),
    ],
)
def test_a_statement_that_cannot_be_honoured_is_a_sentence(
    tmp_path: Path, change: tuple[Any, ...], said: str
) -> None:
    path = tmp_path / "statement.json"
    text = (ROOT / "capability_statement.json").read_text(encoding="utf-8")
    path.write_text(text.replace(*change), encoding="utf-8")
    run = run_serve("--insecure-no-auth", FHIR_CAPABILITY_STATEMENT=str(path))
    assert run.returncode == 1
    assert re.search(said, run.stderr)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "own.json: "), ('{"resourceType": "Patient"}', "own.json: Patient is none of")],
)
def test_a_definition_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "own.json").write_text(content, encoding="utf-8")
    run = run_serve("--insecure-no-auth", FHIR_PROFILES=str(tmp_path))
    assert run.returncode == 1
    assert re.search(said, run.stderr)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("setting", "text", "said"),
    [
        ("FHIR_BOOKING_RULES", '{"offer": "2 h"}', "rules.json: offer: a duration"),
        ("FHIR_BOOKING_RULES", '{"ofers": 3}', "no rule of booking `ofers`"),
        ("FHIR_BOOKING_RULES", "{", "rules.json: "),
        (
            "FHIR_WEBHOOKS",
            '{"mis": {"url": "http://mis", "secrets": []}}',
            "one secret, or two",
        ),
        ("FHIR_SMS_GATEWAY", '{"url": "https://sms.example"}', "missing required field `body`"),
    ],
)
def test_rules_that_cannot_be_followed_are_a_sentence(
    tmp_path: Path, setting: str, text: str, said: str
) -> None:
    path = tmp_path / "rules.json"
    path.write_text(text, encoding="utf-8")
    run = run_serve("--insecure-no-auth", **{setting: str(path)})
    assert run.returncode == 1
    assert said in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr


def assertion(environment: dict[str, str]) -> str:
    key = json.loads(environment["service_key"])
    claims = {"iss": SERVICE, "sub": SERVICE, "aud": f"{environment['issuer']}/auth/token",
              "exp": int(time.time()) + 60, "jti": uuid4().hex}  # fmt: skip
    header = {"alg": "RS384", "kid": key["kid"]}
    return jwt.encode(header, claims, RSAKey.import_key(key), algorithms=["RS384"])


def test_a_demo_lends_its_passwords_and_a_key_to_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / demo_environment.NAME
    with Serving(tmp_path, access="--demo") as serving:
        assert file.stat().st_mode & 0o777 == 0o600
        rows = json.loads(file.read_text())["values"]
        lent = {each["key"]: each["value"] for each in rows}
        assert (lent["base"], lent["issuer"]) == (serving.base, serving.root)
        assert f"{lent['doctor_email']}  {lent['doctor_password']}" in serving.said
        assert lent["service_key"] not in serving.said
        assert lent["patient_password"] == ""  # there is no record without seeds
        form = urlencode({
            "grant_type": "client_credentials",
            "scope": "system/*.cruds",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(lent),
        }).encode()  # fmt: skip
        with urlopen(f"{serving.root}/auth/token", form, timeout=30) as answer:
            assert json.load(answer)["scope"] == "system/*.cruds"
        second = run_serve("--demo", "--port", "0", "--data-dir", str(tmp_path))
        assert second.returncode == 1
        assert file.exists()  # it is the first server's
    assert not file.exists()


def test_a_directory_with_patients_is_not_opened() -> None:
    run = run_serve(FHIR_PUBLIC_DIRECTORY="Organization,Patient")
    assert run.returncode == 1
    assert "FHIR_PUBLIC_DIRECTORY: Patient cannot be opened" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("setting", "content", "said"),
    [
        ("FHIR_BRANDS", "{", "own.json: "),
        ("FHIR_BRANDS", "{}", "own.json: Object missing required field"),
        ("FHIR_REQUIRED_CONSENTS", "[{}]", "own.json: each row needs"),
        ("FHIR_LABEL_RULES", "{", "own.json: "),
    ],
)
def test_a_file_about_access_that_cannot_be_followed_is_a_sentence(
    tmp_path: Path, setting: str, content: str, said: str
) -> None:
    path = tmp_path / "own.json"
    path.write_text(content, encoding="utf-8")
    run = run_serve("--data-dir", str(tmp_path / "data"), **{setting: str(path)})
    assert run.returncode == 1
    assert re.search(said, run.stderr)
    assert "Traceback" not in run.stderr


def test_a_taken_port_is_a_sentence(server: Serving, tmp_path: Path) -> None:
    port = server.root.rpartition(":")[2]
    for workers in ("1", "2"):
        run = run_serve(
            *("--insecure-no-auth", "--port", port, "--workers", workers),
            *("--data-dir", str(tmp_path)),
        )
        assert run.returncode == 1
        assert "Address already in use" in run.stderr


def test_a_taken_data_folder_is_a_sentence(server: Serving) -> None:
    run = run_serve("--insecure-no-auth", "--port", "0", "--data-dir", str(server.folder))
    assert run.returncode == 1
    assert f"in use by another fhir-server (process {server.process.pid})" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_server_and_database(tmp_path: Path, number: signal.Signals) -> None:
    with Serving(tmp_path) as serving:
        kept = create(serving.base)
        assert serving.stop(number) == 0
        assert "Stopped" in serving.said
    with Serving(tmp_path) as again:
        path = kept.rpartition("/fhir/")[2]
        assert get(f"{again.base}/{path}")[0] == 200


def test_a_signal_while_starting_leaves_nothing_running(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fhir_server", "serve", "--insecure-no-auth"),
            *("--port", "0", "--no-seed", "--data-dir", str(tmp_path)),
        ],
        stderr=subprocess.DEVNULL,
    )
    lock = tmp_path / "mongo" / "mongod.lock"
    deadline = time.monotonic() + 60
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.terminate()
    process.wait(60)
    with Serving(tmp_path) as again:  # nobody holds the folder
        assert get(f"{again.base}/metadata")[0] == 200


def test_what_a_killed_server_acknowledged_is_there_afterwards(tmp_path: Path) -> None:
    with Serving(tmp_path) as serving:
        kept = create(serving.base)
        assert serving.stop(signal.SIGKILL) == -signal.SIGKILL
    with Serving(tmp_path) as again:
        path = kept.rpartition("/fhir/")[2]
        assert get(f"{again.base}/{path}")[0] == 200


def children(process: int) -> list[int]:
    run = subprocess.run(
        ["ps", "-ww", "-A", "-o", "pid=,ppid=,args="],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(None, 2) for line in run.stdout.splitlines()]
    return [
        int(row[0])
        for row in rows
        if len(row) == 3 and int(row[1]) == process and "spawn_main" in row[2]
    ]


def count(root: str) -> float:
    text = get(f"{root}/metrics")[1].decode()
    found = re.findall(r"^fhir_request_seconds_count\{.*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
def test_two_workers_are_one_server(tmp_path: Path) -> None:
    with Serving(tmp_path, ("--no-seed", "--workers", "2")) as serving:
        for _ in range(20):
            assert get(f"{serving.base}/metadata")[0] == 200
        _eventually(lambda: count(serving.root) == 20)
        first, second = children(serving.process.pid)
        os.kill(first, signal.SIGKILL)
        _eventually(lambda: "starting another" in serving.said)
        _eventually(lambda: len(children(serving.process.pid)) == 2)
        assert get(f"{serving.base}/metadata")[0] == 200
        # A killed parent takes its workers along.
        workers = children(serving.process.pid)
        assert second in workers
        serving.stop(signal.SIGKILL)
        _eventually(lambda: not any(map(alive, workers)))


def _eventually(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
