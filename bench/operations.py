"""The operations that are measured, one row each."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from pymongo import MongoClient

from bench import bodies, data
from bench.load import DATABASE

Script = Literal["get", "post", "put", "book"]
Mongo = MongoClient[dict[str, Any]]

LINES: Final = 4_000
"""Requests that a run has ready; it begins again behind the last."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the database holds."""

    observations: int

    @property
    def patients(self) -> int:
        return self.observations // data.A_PAIR * 2


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    name: str
    script: Script
    lines: Callable[[Sizes, Mongo], Sequence[str]]
    """What the script reads."""
    path: str = ""
    """Where a script that writes sends it."""
    target: float | None = None
    """Least ratio to the ceiling at 32 connections."""
    medplum: int | None = None
    """Requests a second of Medplum 5.0.10 at 32 connections, on two cores as well."""
    weight: int = 1
    """How many times as long as others it is asked: the slow ones, for as many requests."""
    grows: bool = False
    """Whether it is measured at every size: searches that an index serves."""


def _lines(count: int, line: Callable[[random.Random], str]) -> list[str]:
    chance = random.Random(1)
    return [line(chance) for _ in range(count)]


def _patient(sizes: Sizes, chance: random.Random) -> int:
    return chance.randrange(sizes.patients)


def _chronic(sizes: Sizes, chance: random.Random) -> int:
    return 2 * chance.randrange(sizes.patients // 2)


def _reads(sizes: Sizes, _: Mongo) -> list[str]:
    return _lines(
        LINES, lambda c: f"/fhir/Observation/{data.made_id(3, c.randrange(sizes.observations))}"
    )


def _identifiers(sizes: Sizes, _: Mongo) -> list[str]:
    def line(chance: random.Random) -> str:
        token = quote(f"{data.MRN}|{data.mrn(_patient(sizes, chance))}", safe="")
        return f"/fhir/Patient?identifier={token}"

    return _lines(LINES, line)


def _names(sizes: Sizes, _: Mongo) -> list[str]:
    def line(chance: random.Random) -> str:
        number = _patient(sizes, chance)
        family, born = quote(data.family(number)), data.birth_date(number)
        return f"/fhir/Patient?family={family}&birthdate={born}"

    return _lines(LINES, line)


def _charts(sizes: Sizes, _: Mongo) -> list[str]:
    def line(chance: random.Random) -> str:
        number = _chronic(sizes, chance)
        code = quote(f"{data.LOINC}|{data.chief(number).code}", safe="")
        subject = data.patient_id(number)
        return (
            f"/fhir/Observation?patient={subject}&code={code}&date=ge2010&_sort=-date&_count=50"
        )

    return _lines(LINES, line)


def _includes(sizes: Sizes, mongo: Mongo) -> list[str]:
    return [f"{path}&_include=Observation:subject" for path in _charts(sizes, mongo)]


def _records(sizes: Sizes, _: Mongo) -> list[str]:
    def line(chance: random.Random) -> str:
        return f"/fhir/Patient/{data.patient_id(_chronic(sizes, chance))}/$everything"

    return _lines(LINES, line)


def _histories(_: Sizes, __: Mongo) -> list[str]:
    return [f"/fhir/Patient/{data.history_id(i)}/_history" for i in range(data.HISTORIES)]


def _creates(_: Sizes, __: Mongo) -> list[str]:
    return [_text(bodies.created(number)) for number in range(256)]


def _updates(_: Sizes, mongo: Mongo) -> list[str]:
    ids = {data.written_id(number): number for number in range(data.WRITTEN)}
    found = mongo[DATABASE]["Patient"].find({"_id": {"$in": list(ids)}}, {"v": 1})
    return [
        f"{row['_id']} {row['v']} " + _text(bodies.updated(ids[row["_id"]])).replace(*_COUNTED)
        for row in found
    ]


_COUNTED: Final = ('"multipleBirthInteger":2', '"multipleBirthInteger":#')


def _transactions(_: Sizes, __: Mongo) -> list[str]:
    return [_text(bodies.transaction(number)) for number in range(16)]


def _text(resource: object) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))


OPERATIONS: Final = (
    Operation("read", "get", _reads, target=0.75, medplum=4372, grows=True),
    Operation(
        "search by identifier", "get", _identifiers, target=0.6, medplum=2709, grows=True
    ),
    Operation("search by name and birth date", "get", _names, medplum=2520, grows=True),
    Operation(
        "page of 50: patient, code, date, sorted",
        "get",
        _charts,
        target=0.5,
        medplum=865,
        grows=True,
    ),
    Operation("the same with `_include`", "get", _includes, grows=True),
    Operation("`Patient/$everything`", "get", _records, medplum=62, grows=True),
    Operation("history of a resource", "get", _histories, medplum=451, grows=True),
    Operation("create", "post", _creates, "/fhir/Observation", target=0.4, medplum=527),
    Operation("update with If-Match", "put", _updates, "/fhir/Patient/", 0.5, 542),
    Operation("transaction of 100 entries", "post", _transactions, "/fhir", 0.3, 9, 3),
)
