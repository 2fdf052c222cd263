"""Settings are read from the environment, checked, and cannot be changed."""

import pytest
from pydantic import ValidationError

from fhir_server.settings import Settings


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"FHIR_{name}", value)
    return Settings(_env_file=None)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ("localhost",)),
        ("none", ()),
        ("*", ("*",)),
        ("https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
    ],
)
def test_origins_are_joined_by_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, origins: tuple[str, ...]
) -> None:
    assert settings(monkeypatch, CORS_ORIGINS=text).cors_origins == origins


@pytest.mark.parametrize(
    ("variables", "base"),
    [
        ({}, "http://127.0.0.1:8000/fhir"),
        ({"PORT": "9000"}, "http://127.0.0.1:9000/fhir"),
        ({"HOST": "::1"}, "http://[::1]:8000/fhir"),
        ({"BASE_URL": "https://example.org/r4/"}, "https://example.org/r4"),
        ({"BASE_URL": ""}, "http://127.0.0.1:8000/fhir"),
        ({"TLS_CERT": "cert.pem", "TLS_KEY": "key.pem"}, "https://127.0.0.1:8000/fhir"),
    ],
)
def test_the_base_is_made_of_host_and_port_unless_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], base: str
) -> None:
    assert settings(monkeypatch, **variables).fhir_base == base


@pytest.mark.parametrize(
    "variables",
    [
        {"PORT": "65536"},
        {"WORKERS": "0"},
        {"DATABASE": "a.b"},
        {"DATABASE": "$x"},
        {"LOG_LEVEL": "LOUD"},
        {"MAX_DEPTH": "7"},
        {"EMBEDDED_CACHE_GB": "0.1"},
        {"TRUSTED_PROXIES": "proxy.example"},
        {"TRUSTED_PROXIES": "0.0.0.0/0"},
        {"TRUSTED_PROXIES": "10.0.0.1,::/0"},
        {"TLS_CERT": "cert.pem"},
        {"TLS_KEY": "key.pem"},
        {"TLS_CERT": "cert.pem", "TLS_KEY": "k", "BASE_URL": "http://example.org/fhir"},
    ],
)
def test_what_cannot_work_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, **variables)


def test_the_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, MONGODB_URI="mongodb://me:hidden@db.example/")
    assert "hidden" not in repr(made)
    assert "hidden" not in made.model_dump_json()


def test_settings_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings(monkeypatch).port = 1  # type: ignore[misc]  # what is tested


def test_networks_are_joined_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, TRUSTED_PROXIES="10.1.2.3/8, 192.0.2.1,2001:db8::/32")
    assert made.trusted_proxies == ("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32")
    assert settings(monkeypatch, METRICS_NETWORKS="none").metrics_networks == ()
