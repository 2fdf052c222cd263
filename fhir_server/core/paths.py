"""The one parser of FHIR URLs below the base: requests and Bundle entries alike.

https://hl7.org/fhir/R4/http.html#general
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from fhir_server.core.errors import NotFound, UnknownType
from fhir_server.core.messages import Text
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.interactions import Shape
from fhir_server.spec.structures import RESOURCE_TYPES

UNKNOWN_TYPE: Final = Text(
    "There is no resource type `{type}` in FHIR R4.",
    "В FHIR R4 нет типа ресурса `{type}`.",
    "У FHIR R4 немає типу ресурсу `{type}`.",
)
NO_SUCH_PATH: Final = Text(
    "This server has nothing at this path.",
    "По этому пути на сервере ничего нет.",
    "За цим шляхом на сервері нічого немає.",
)

#: https://hl7.org/fhir/R4/datatypes.html#id
ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_TYPES: Final = frozenset(RESOURCE_TYPES)


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. `id` may break the grammar of ids: reading then finds nothing."""

    shape: Shape
    type: str | None = None
    id: str | None = None
    version: str | None = None
    operation: str | None = None
    """With its `$`."""
    member: str | None = None
    """In a compartment: the type searched there, or `*`."""


@lru_cache(maxsize=4096)  # paths come from clients, so bounded; a worker's hot set is smaller
def parse(path: str) -> Target:
    """Read `path`, relative to the base, without query; a leading slash is ignored.

    Raises:
        UnknownType: a type is named that R4 does not have.
        NotFound: no interaction has such a path.
    """
    parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
    if not parts:
        return Target("system")
    match parts:
        case ["metadata"]:
            return Target("metadata")
        case ["_search"]:
            return Target("system/_search")
        case ["_history"]:
            return Target("system/_history")
        case [operation] if operation.startswith("$"):
            return Target("operation", operation=operation)
        case ["$job-status", job]:
            return Target("job", id=job)
        case [kind, *rest]:
            return _below_type(_known(kind), rest)
    raise NotFound(NO_SUCH_PATH)


def _known(kind: str) -> str:
    if kind not in _TYPES:
        raise UnknownType(UNKNOWN_TYPE, type=kind)
    return kind


def _below_type(kind: str, parts: list[str]) -> Target:
    match parts:
        case []:
            return Target("type", kind)
        case ["_search"]:
            return Target("type/_search", kind)
        case ["_history"]:
            return Target("type/_history", kind)
        case [operation] if operation.startswith("$"):
            return Target("operation", kind, operation=operation)
        case [id_, *rest] if not id_.startswith("_"):
            return _below_instance(kind, id_, rest)
    raise NotFound(NO_SUCH_PATH)


def _below_instance(kind: str, id_: str, parts: list[str]) -> Target:
    match parts:
        case []:
            return Target("instance", kind, id_)
        case ["_history"]:
            return Target("instance/_history", kind, id_)
        case ["_history", version]:
            return Target("version", kind, id_, version)
        case ["_history", version, operation] if operation.startswith("$"):
            return Target("operation", kind, id_, version, operation)
        case [operation] if operation.startswith("$"):
            return Target("operation", kind, id_, operation=operation)
        case [member] if kind in COMPARTMENTS:
            return Target("compartment", kind, id_, member=_member(member))
        case [member, "_search"] if kind in COMPARTMENTS:
            return Target("compartment/_search", kind, id_, member=_member(member))
    raise NotFound(NO_SUCH_PATH)


def _member(name: str) -> str:
    return name if name == "*" else _known(name)
