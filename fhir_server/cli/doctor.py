"""`fhir-server doctor`: whether this machine has what the server needs, and what it lacks."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import typer
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from rich.markup import escape
from rich.table import Table

from fhir_server.app import definitions
from fhir_server.cli.console import CONSOLE
from fhir_server.cli.options import DataDir, MongodbUri, settings_with
from fhir_server.settings import Settings
from fhir_server.store.mongo import mongod_binary
from fhir_server.store.mongo.mongod_binary import MINIMUM, EmbeddedFailure
from fhir_server.validation.own_profiles import DefinitionError

_FREE_GB: Final = 2
"""A database of 300,000 Observations with its indexes and journal takes about one."""


class Finding(NamedTuple):
    """One line: a remedy is given where something is amiss."""

    what: str
    is_well: bool
    detail: str


def doctor(data_dir: DataDir = None, mongodb_uri: MongodbUri = None) -> None:
    """Say what is missing on this machine."""
    settings = settings_with(data_dir=data_dir, mongodb_uri=mongodb_uri)
    findings = [finding for check in CHECKS for finding in check(settings)]
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark = "[green]ok[/]" if finding.is_well else "[red]amiss[/]"
        table.add_row(mark, finding.what, escape(finding.detail))
    CONSOLE.print(table)
    if not all(each.is_well for each in findings):
        raise typer.Exit(1)


def _python(_: Settings) -> Iterator[Finding]:
    supported = (3, 11) <= sys.version_info[:2] < (3, 14)
    detail = f"{platform.python_version()} on {platform.platform()}"
    yield Finding("Python 3.11 to 3.13", supported, detail)


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.mongodb_uri is None:
        try:
            mongod = mongod_binary.find()
        except EmbeddedFailure as failure:
            yield Finding("embedded MongoDB", False, str(failure))
        else:
            version = ".".join(map(str, mongod.version))
            yield Finding("embedded MongoDB", True, f"{version} at {mongod.path}")
        return
    limit = settings.mongodb_timeout_seconds * 1000
    yield _configured(settings.mongodb_uri.get_secret_value(), limit)


def _configured(uri: str, limit_ms: int) -> Finding:
    what = "configured MongoDB"
    try:
        with MongoClient[dict[str, Any]](uri, timeoutMS=limit_ms) as client:
            hello = client.admin.command("hello")
            version = client.server_info()["versionArray"]
    except PyMongoError as error:
        return Finding(what, False, f"does not answer ({type(error).__name__})")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        return Finding(what, False, "is a standalone mongod; transactions need a replica set")
    text = ".".join(map(str, version[:3]))
    return Finding(what, tuple(version[:2]) >= MINIMUM, f"{text}, a replica set or cluster")


def _folder(settings: Settings) -> Iterator[Finding]:
    if settings.mongodb_uri is not None:
        return
    folder = settings.data_dir.expanduser().absolute()
    standing = next(each for each in (folder, *folder.parents) if each.exists())
    yield Finding("data folder is writable", os.access(standing, os.W_OK), str(folder))
    free = shutil.disk_usage(standing).free / 2**30
    yield Finding("room on its disk", free >= _FREE_GB, f"{free:.1f} GB free")


def _port(settings: Settings) -> Iterator[Finding]:
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex((settings.host, settings.port)) == 0
    detail = "something answers there; choose another --port" if taken else "free"
    yield Finding(f"port {settings.port}", not taken, detail)


def _seeds(settings: Settings) -> Iterator[Finding]:
    count = len(list(settings.seed_dir.glob("*.json")))
    detail = f"{count} in {settings.seed_dir.absolute()}"
    yield Finding("seed bundles", bool(count) or not settings.seed, detail)


def _definitions(settings: Settings) -> Iterator[Finding]:
    folder = settings.profiles.absolute()
    try:
        definitions(settings)
    except DefinitionError as error:
        yield Finding("definitions", is_well=False, detail=str(error))
    else:
        yield Finding("definitions", True, f"{len(list(folder.rglob('*.json')))} in {folder}")


CHECKS: Final[tuple[Callable[[Settings], Iterator[Finding]], ...]] = (
    _python,
    _database,
    _folder,
    _port,
    _seeds,
    _definitions,
)
