"""Provenance of what apps write for people: made with the version it is about, or not at all.

https://hl7.org/fhir/R4/provenance.html
https://hl7.org/fhir/us/core/basic-provenance.html
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.context import Context
from fhir_server.interactions.labels_of import labels_of
from fhir_server.interactions.results import Result
from fhir_server.search.index.provenance_patient import EXTENSION
from fhir_server.store.port import Stored, Unit, Version

KIND: Final = "Provenance"

_AT_ONCE: Final = 25  # indexed in some milliseconds
_PATIENT: Final = "Patient/"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def is_attested(ctx: Context, kind: str) -> bool:
    """Whether a write of `kind` is given a Provenance: a person's, by an app."""
    principal = ctx.principal
    return (
        ctx.services.provenance
        and principal is not None
        and principal.user is not None
        and kind != KIND
    )


async def attest(ctx: Context, unit: Unit, results: Sequence[Result]) -> None:
    """Write, in `unit`, a Provenance for each version that `results` made."""
    principal = ctx.principal
    if principal is None:
        return
    fresh = {(each.type, each.id, each.number): each for each in _fresh(results)}
    made: list[Version] = []
    for version in fresh.values():
        if is_attested(ctx, version.type):
            made.append(_version(ctx, principal, version))
            if len(made) % _AT_ONCE == 0:
                await asyncio.sleep(0)  # a long Bundle must let others have their turn
    if made:
        await unit.insert(made)


def _fresh(results: Sequence[Result]) -> Iterator[Stored]:
    """What was written now: the store gives its own form with what was there before."""
    for each in results:
        version = each.version
        written = version is not None and version.document is None and not version.deleted
        if version is not None and written and not each.wanted:
            yield version


def _version(ctx: Context, principal: Principal, about: Stored) -> Version:
    id_, at = ctx.services.new_id(), ctx.services.now()
    resource = _provenance(principal, about, id_, format_instant(at))
    values = ctx.services.index(resource)
    return Version(KIND, id_, 1, at, dumps(resource), values, "POST")


def _provenance(principal: Principal, about: Stored, id_: str, at: str) -> JsonObject:
    user = {"reference": principal.user}
    client = {"reference": f"Device/{principal.client}"}
    extension = [
        {"url": EXTENSION, "valueReference": {"reference": each}} for each in _patients(about)
    ]
    return {
        "resourceType": KIND,
        "id": id_,
        "meta": {"versionId": "1", "lastUpdated": at, **_labels(about)},
        **({"extension": extension} if extension else {}),
        "target": [{"reference": f"{about.type}/{about.id}/_history/{about.number}"}],
        "recorded": at,
        "activity": {
            "coding": [
                {"system": _OPERATION, "code": "CREATE" if about.number == 1 else "UPDATE"}
            ]
        },
        "agent": [
            {"type": {"coding": [{"system": _ROLE, "code": "author"}]}, "who": user},
            {
                "type": {"coding": [{"system": _ROLE, "code": "assembler"}]},
                "who": {**client, "identifier": {"value": principal.client}},
                "onBehalfOf": user,
            },
        ],
    }


def _labels(about: Stored) -> JsonObject:
    """Those of the version: what hides it hides this too."""
    found = [each._asdict() for each in labels_of((about,))]
    return {"security": found} if found else {}


def _patients(about: Stored) -> Iterator[str]:
    if about.patient is not None:
        yield f"{_PATIENT}{about.patient}"
    else:
        yield from (each for each in about.compartments if each.startswith(_PATIENT))
