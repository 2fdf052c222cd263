"""Makers of FHIR elements and resources; the seeds' calendar and their own randomness.

Everything is a function of its arguments: the same tables give the same bytes on every
machine. A moment is named by its distance in days from the anchor, a Monday.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

JsonObject = dict[str, Any]

ANCHOR: Final = date(2026, 1, 5)
HOME: Final = "https://fhir-server.example"
ANCHOR_SYSTEM: Final = f"{HOME}/seed-anchor"
SEED_SYSTEM: Final = f"{HOME}/seed"
TAGS: Final = f"{HOME}/tags"

HL7: Final = "http://terminology.hl7.org/CodeSystem"
V3: Final = f"{HL7}/v3"
SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
ATC: Final = "http://www.whocc.no/atc"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
UCUM: Final = "http://unitsofmeasure.org"
IDENTIFIER_TYPE: Final = f"{HL7}/v2-0203"

Text = tuple[str, str]
"""The same words in Russian and in Ukrainian."""


@dataclass(frozen=True, slots=True)
class Term:
    """A concept of a code system, with its Russian and Ukrainian names."""

    system: str
    code: str
    display: str
    ru: str
    uk: str

    def coding(self) -> JsonObject:
        return coding(self.system, self.code, self.display)

    def concept(self, language: str, *more: "Term") -> JsonObject:
        """The concept named in `language`; `more` are its translations to other systems."""
        text = self.ru if language == "ru" else self.uk
        return {"coding": [each.coding() for each in (self, *more)], "text": text}


def day(offset: int) -> str:
    """The date `offset` days after the anchor."""
    return (ANCHOR + timedelta(days=offset)).isoformat()


def moment(offset: int, clock: str, zone: str) -> str:
    """The dateTime or instant on that day at `clock` (HH:MM), local time of `zone` (+03:00)."""
    return f"{day(offset)}T{clock}:00{zone}"


def clock(minutes: int) -> str:
    """HH:MM that many minutes after midnight."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def number(key: str, below: int) -> int:
    """Give an even, reproducible number from 0 up to `below`, drawn by `key`."""
    drawn = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(drawn) % below


def noise(key: str) -> float:
    """Give a reproducible number between -1 and 1, drawn by `key`."""
    return number(key, 2001) / 1000 - 1


def coding(system: str, code: str, display: str | None = None) -> JsonObject:
    return pruned({"system": system, "code": code, "display": display})


def concept(system: str, code: str, display: str | None = None, text: str | None = None) -> Any:
    return pruned({"coding": [coding(system, code, display)], "text": text})


def reference(target: str, display: str | None = None) -> JsonObject:
    return pruned({"reference": target, "display": display})


def quantity(value: float, unit: str, code: str | None = None) -> JsonObject:
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}


def period(start: str | None, end: str | None = None) -> JsonObject:
    return pruned({"start": start, "end": end})


def identifier(system: str, value: str, kind: str | None = None, **more: Any) -> JsonObject:
    """An Identifier; `kind` is a code of v2-0203 such as MR."""
    kinds = {"coding": [coding(IDENTIFIER_TYPE, kind)]} if kind else None
    return pruned({"type": kinds, "system": system, "value": value, **more})


def narrative(*paragraphs: str) -> JsonObject:
    body = "".join(f"<p>{each}</p>" for each in paragraphs)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>',
    }


def fixed(kind: str, name: str, elements: Mapping[str, Any], **meta: Any) -> JsonObject:
    """A resource whose dates stay; `meta` as `Meta` calls its elements."""
    head = {"resourceType": kind, "id": name, "meta": pruned(meta)}
    return pruned(head | dict(elements))


def relative(kind: str, name: str, elements: Mapping[str, Any], **meta: Any) -> JsonObject:
    """A resource whose dates move to the day of loading."""
    tag = [coding(SEED_SYSTEM, "relative"), *meta.get("tag", ())]
    return fixed(kind, name, elements, **(meta | {"tag": tag}))


def pruned(value: Mapping[str, Any]) -> JsonObject:
    """`value` without what is empty: FHIR has no empty elements."""
    return {k: v for k, v in value.items() if v is not None and v not in ({}, [], "")}
