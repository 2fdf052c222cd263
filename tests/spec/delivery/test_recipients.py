"""The operator's files of webhook endpoints and of the SMS gateway."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from fhir_server.assembly.recipients import RecipientsFileError, endpoints, gateway
from fhir_server.delivery.answers import Recipient
from fhir_server.delivery.sms import REFUSED, Gateway
from fhir_server.delivery.webhooks import GONE, Endpoint

SECRET = "whsec_" + b64encode(b"s" * 24).decode()
HOOK: dict[str, Any] = {"url": "https://mis.example/hook", "secrets": [SECRET]}
GATE: dict[str, Any] = {
    "url": "https://sms.example/send",
    "body": {"to": "{to}", "text": "{text}"},
}


def written(folder: Path, value: object) -> Path:
    path = folder / "file.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_no_files_no_recipients() -> None:
    assert endpoints(None) == {}
    assert gateway(None) is None


def test_endpoints(tmp_path: Path) -> None:
    lan = {"url": "http://10.0.0.5/hook", "private": True, "kinds": ["visit-booked"]}
    found = endpoints(written(tmp_path, {"mis": HOOK, "lan": HOOK | lan}))
    assert found == {
        "mis": Endpoint(Recipient("https://mis.example/hook", GONE), (b"s" * 24,)),
        "lan": Endpoint(
            Recipient("http://10.0.0.5/hook", GONE, private=True),
            (b"s" * 24,),
            frozenset({"visit-booked"}),
        ),
    }


def test_a_gateway(tmp_path: Path) -> None:
    more = {"headers": {"X-Key": "k"}, "answer": "/status/0", "sent": ["ok"], "later": ["busy"]}
    to = Recipient("https://sms.example/send", REFUSED)
    assert gateway(written(tmp_path, GATE | more)) == Gateway(
        to, GATE["body"], "json", {"X-Key": "k"}, ("status", "0"), ["ok"], ["busy"]
    )
    assert gateway(written(tmp_path, GATE | {"rate": 5})) == Gateway(
        to, GATE["body"], headers={}, sent=[], later=[], rate=5
    )


@pytest.mark.parametrize(
    "value",
    [
        "{",
        {"mis": HOOK | {"url": "http://mis.example/hook"}},
        {"mis": HOOK | {"url": "https://user:password@mis.example/hook"}},
        {"mis": HOOK | {"url": "mis.example/hook"}},
        {"mis": HOOK | {"url": "file:///etc/passwd", "private": True}},
        {"mis": HOOK | {"secrets": []}},
        {"mis": HOOK | {"secrets": [SECRET] * 3}},
        {"mis": HOOK | {"secrets": ["secret"]}},
        {"mis": HOOK | {"unknown": 1}},
        {"mis": HOOK | {"kinds": ["visit-booked", "visit-canceled"]}},
        {"../mis": HOOK},
    ],
)
def test_endpoints_that_cannot_be_followed(tmp_path: Path, value: Any) -> None:
    with pytest.raises(RecipientsFileError) as raised:
        endpoints(written(tmp_path, value))
    assert "c3Nz" not in str(raised.value)  # of a secret


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"url": "https://sms.example"},
        GATE | {"url": "http://sms.example"},
        GATE | {"body": {"to": "{phone}"}},
        GATE | {"form": "xml"},
        GATE | {"form": "urlencoded", "body": {"to": ["{to}"]}},
        GATE | {"answer": "/status"},
        GATE | {"answer": "status", "sent": ["ok"]},
        GATE | {"rate": 0},
        GATE | {"rate": 0.5},
    ],
)
def test_a_gateway_that_cannot_be_followed(tmp_path: Path, value: Any) -> None:
    with pytest.raises(RecipientsFileError):
        gateway(written(tmp_path, value))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipientsFileError):
        endpoints(tmp_path / "none.json")
    with pytest.raises(RecipientsFileError):
        gateway(tmp_path / "none.json")
