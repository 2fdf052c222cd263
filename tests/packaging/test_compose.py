"""docker-compose.yml and Dockerfile say what they should; no engine is needed to see it.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

import ipaddress
import re
import shlex
from typing import Any

import pytest
import yaml

from fhir_server.settings import Settings
from tests.arch.checkers import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVER, MONGODB = COMPOSE["services"]["server"], COMPOSE["services"]["mongodb"]


def test_mongodb_is_an_authenticated_replica_set_of_version_8() -> None:
    assert re.fullmatch(r"mongo:8(\.\d+)*", MONGODB["image"])
    script = MONGODB["command"][0]
    words = shlex.split(script)
    assert words[words.index("--replSet") + 1] == "fhir"
    assert words[words.index("--keyFile") + 1] == "/run/mongodb-key/key"
    assert "zlib" not in words[words.index("--networkMessageCompressors") + 1]
    check = MONGODB["healthcheck"]["test"][-1]
    assert "rs.initiate" in check
    assert "isWritablePrimary" in check


def test_the_health_checks_script_is_balanced_javascript() -> None:
    script = re.search(r"--eval '(.*)'$", MONGODB["healthcheck"]["test"][-1])
    assert script
    for opening, closing in ("{}", "()", "[]"):
        assert script[1].count(opening) == script[1].count(closing)
    assert "'" not in script[1]


def test_the_server_waits_for_a_primary_and_has_a_health_check() -> None:
    assert SERVER["depends_on"]["mongodb"]["condition"] == "service_healthy"
    assert "/health/ready" in DOCKERFILE


def test_data_lies_in_declared_volumes() -> None:
    used = {each.partition(":")[0] for each in MONGODB["volumes"]}
    assert used == COMPOSE["volumes"].keys()
    assert "mongodb:/data/db" in MONGODB["volumes"]


@pytest.mark.parametrize("service", [SERVER, MONGODB])
def test_secrets_come_from_the_environment_and_must_be_given(service: dict[str, Any]) -> None:
    for name, value in service["environment"].items():
        if re.search("PASSWORD|KEY|URI|BASE_URL", name) and "SMTP" not in name:
            assert re.search(r"\$\{(MONGODB|FHIR)_(PASSWORD|\w*KEY|BASE_URL):\?", value), name


def test_access_control_is_on() -> None:
    given = SERVER["environment"].keys() | set(SERVER.get("command", ()))
    assert not {"FHIR_INSECURE_NO_AUTH", "FHIR_DEMO", "--insecure-no-auth", "--demo"} & given
    assert re.search(r'^CMD \["serve"\]$', DOCKERFILE, re.MULTILINE)


def test_nothing_is_published_beyond_loopback() -> None:
    assert "ports" not in MONGODB
    assert all(each.startswith("127.0.0.1:") for each in SERVER["ports"])


def test_the_database_is_out_of_reach_of_the_outside() -> None:
    assert MONGODB["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert 'host: "mongodb:27017"' in MONGODB["healthcheck"]["test"][-1]
    assert "@mongodb:27017/" in SERVER["environment"]["FHIR_MONGODB_URI"]


def test_the_one_proxy_that_is_trusted_is_the_networks_gateway() -> None:
    (config,) = COMPOSE["networks"]["outside"]["ipam"]["config"]
    gateway = ipaddress.ip_address(config["gateway"])
    assert gateway in ipaddress.ip_network(config["subnet"])
    assert SERVER["environment"]["FHIR_TRUSTED_PROXIES"].endswith(f":-{gateway}}}")


def test_its_environment_makes_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVER["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:[-?]([^}]*)\}", r"\1", str(value)))
    monkeypatch.setenv("FHIR_BASE_URL", "https://fhir.example.org/fhir")
    made = Settings(_env_file=None)
    assert not made.insecure_no_auth
    assert made.smtp_host is None
    assert made.trusted_proxies == ("172.30.57.1/32",)


def test_every_variable_of_the_server_is_a_setting() -> None:
    known = {f"FHIR_{name.upper()}" for name in Settings.model_fields}
    assert SERVER["environment"].keys() <= known


def test_the_server_is_nobody_and_may_write_nothing() -> None:
    user = re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)
    assert user == ["10001"]
    assert DOCKERFILE.index("USER ") < DOCKERFILE.index("ENTRYPOINT")
    assert SERVER["read_only"] is True
    assert SERVER["cap_drop"] == ["ALL"]


def test_what_the_dockerfile_copies_is_in_its_context() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()
               if line.startswith("!")}  # fmt: skip
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        assert set(line.split()[:-1]) <= allowed
