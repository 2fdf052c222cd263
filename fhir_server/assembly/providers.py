"""Identity providers of the operator's file, put together.

    {"bank": {"kind": "openid", "issuer": "https://…", "client_id": "…", "client_secret": "…",
              "title": {"en": "…", "ru": "…", "uk": "…"}, "level": 3,
              "identifiers": {"snils": "urn:oid:1.2.643.100.3"}},
     "esia": {"kind": "esia", "client_id": "…", "public_key": "esia.pem",
              "sign": ["signer", "--detached"]},
     "gov": {"kind": "id.gov.ua", "client_id": "…", "client_secret": "…",
             "systems": ["https://…/rnokpp"]}}

The names stand in URLs: `/auth/with/bank`. Paths are relative to the file.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from fhir_server.core.messages import Text
from fhir_server.web.upstream.esia import EsiaProvider, EsiaSettings
from fhir_server.web.upstream.id_gov_ua import Decrypt, IdGovUaProvider, IdGovUaSettings
from fhir_server.web.upstream.openid import OpenIdProvider, OpenIdSettings
from fhir_server.web.upstream.provider import Provider
from fhir_server.web.upstream.signing import Sign, by_command, by_rsa

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


class ProvidersFileError(Exception):
    """The file of identity providers cannot be followed; the text says why."""


async def providers(path: Path | None, http: httpx.AsyncClient) -> Mapping[str, Provider]:
    """The providers by name.

    Raises:
        ProvidersFileError: the file cannot be read, or a row lacks something.
    """
    if path is None:
        return {}
    try:
        rows = json.loads(await asyncio.to_thread(path.read_text, encoding="utf-8"))
        return {_name(name): _provider(rows[name], path.parent, http) for name in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProvidersFileError(f"{path}: {error!r}") from error


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(text)
    return text


def _provider(row: Mapping[str, Any], folder: Path, http: httpx.AsyncClient) -> Provider:
    given = {name: value for name, value in row.items() if name != "kind"}
    match row["kind"]:
        case "openid":
            given["title"] = Text(**given["title"])
            return OpenIdProvider(OpenIdSettings(**given), http)
        case "esia":
            sign = _sign(given.pop("sign"), folder)
            given["public_key"] = (folder / given["public_key"]).read_text(encoding="utf-8")
            return EsiaProvider(EsiaSettings(**given), sign, http)
        case "id.gov.ua":
            decrypt = _decrypt(given.pop("decrypt", None))
            given["systems"] = tuple(given["systems"])
            return IdGovUaProvider(IdGovUaSettings(**given), http, decrypt)
        case other:
            raise ValueError(other)


def _sign(given: Any, folder: Path) -> Sign:
    """A command as a list, or the files of an RSA key."""
    if isinstance(given, list):
        return by_command(given)
    return by_rsa(folder / given["certificate"], folder / given["key"])


def _decrypt(command: list[str] | None) -> Decrypt | None:
    return None if command is None else by_command(command)
