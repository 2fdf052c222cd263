"""What `serve --demo` made, as an environment for Postman: the file that newman is given.

It is readable by its owner alone and lives as long as the server: with it goes the only copy
of the service's key.

https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fhir_server.settings import Settings
from fhir_server.store.mongo.data_folder import write_secret

NAME: Final = "demo.postman_environment.json"
PATIENT: Final = "anna@demo.example"
DOCTOR: Final = "doctor@demo.example"

_SECRET: Final = ("patient_password", "doctor_password", "service_key")


def environment(name: str, base: str, issuer: str, **values: str) -> dict[str, Any]:
    """An environment of the collection in `postman/`; who can sign in is empty if not given."""
    keys = ("patient_email", "patient_password", "doctor_email", "doctor_password")
    filled = {"base": base, "issuer": issuer, **dict.fromkeys((*keys, "service_key"), "")}
    rows = [
        {
            "key": key,
            "value": value,
            "type": "secret" if key in _SECRET else "default",
            "enabled": True,
        }
        for key, value in (filled | values).items()
    ]
    return {"name": name, "values": rows}


def text(body: Mapping[str, Any]) -> str:
    """As Postman reads it."""
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def write(settings: Settings, passwords: Mapping[str, str], key: Mapping[str, Any]) -> Path:
    """Put the file into the data folder; `key` is the service's private JWK."""
    path = settings.data_dir / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    body = environment(
        "FHIR server, demo",
        settings.fhir_base,
        settings.issuer_url,
        patient_email=PATIENT,
        patient_password=passwords.get(PATIENT, ""),
        doctor_email=DOCTOR,
        doctor_password=passwords.get(DOCTOR, ""),
        service_key=json.dumps(key),
    )
    write_secret(path, text(body))
    return path


@contextmanager
def forgotten(settings: Settings) -> Iterator[None]:
    """Whatever is written meanwhile is gone afterwards: passwords and key."""
    try:
        yield
    finally:
        (settings.data_dir / NAME).unlink(missing_ok=True)
