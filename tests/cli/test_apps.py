"""`fhir-server apps`: registering by a file, and what becomes of an app."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fhir_server.cli.main import APP
from fhir_server.store.mongo import embedded

CABINET = {
    "client_id": "cabinet",
    "client_name": "Cabinet",
    "redirect_uris": ["https://cabinet.example/callback"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
}
PORTAL = {
    "client_name": "Portal",
    "redirect_uris": ["https://portal.example/callback"],
    "scope": "openid fhirUser launch user/*.cruds",
    "permissions": ["launch", "introspect"],
}


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    started = embedded.start(tmp_path_factory.mktemp("mongodb"), cache_gb=0.25)
    yield started.uri
    started.stop()


def run(uri: str, *arguments: str) -> Result:
    options = ("--mongodb-uri", uri)
    return CliRunner().invoke(APP, ["apps", *arguments, *options], env={"COLUMNS": "200"})


def file(folder: Path, content: Any) -> str:
    path = folder / "apps.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_apps_are_added_listed_blocked_approved_and_removed(uri: str, tmp_path: Path) -> None:
    added = run(uri, "add", file(tmp_path, [CABINET, PORTAL]))
    assert added.exit_code == 0, added.output
    assert added.output.count("client_secret:") == 1
    listed = run(uri, "list").output
    assert "cabinet" in listed
    assert "Portal" in listed
    again = run(uri, "add", file(tmp_path, {**CABINET, "client_name": "Second"}))
    assert "client_secret" not in again.output
    assert "Second" in run(uri, "list").output
    assert "is blocked" in run(uri, "block", "cabinet").output
    assert "blocked" in run(uri, "list").output
    assert "is approved" in run(uri, "approve", "cabinet").output
    assert "is removed" in run(uri, "remove", "cabinet").output
    assert run(uri, "remove", "cabinet").exit_code == 1


@pytest.mark.parametrize("command", ["approve", "block", "remove"])
def test_an_app_that_does_not_exist(uri: str, command: str) -> None:
    result = run(uri, command, "nobody")
    assert (result.exit_code, "no app nobody" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**CABINET, "redirect_uris": ["http://cabinet.example/"]}, "neither https"),
        ({**PORTAL, "permissions": ["everything"]}, "permission"),
        ([7], "holds no JSON object"),
        ("{", "apps.json"),
    ],
)
def test_what_is_wrong_is_said(uri: str, tmp_path: Path, content: Any, said: str) -> None:
    result = run(uri, "add", file(tmp_path, content))
    assert result.exit_code == 1
    assert said in result.output
