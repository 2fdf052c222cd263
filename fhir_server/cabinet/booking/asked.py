"""What `$hold` and `$book` are asked, in the words of three specifications.

IHE ITI Scheduling (`appointment-reference`, `appointment-resource`), Argonaut (`appt-id`,
`appt-resource`, `patient-id`, `cancelled-appt-id`) and gematik's ISiK (`appt-resource`,
`schedule`, `cancelled-appt-id`) call the same things differently, and expect the answer each
in its own form.

https://profiles.ihe.net/ITI/Scheduling/
https://fhir.org/guides/argonaut/scheduling/
https://simplifier.net/guide/isik-terminplanung-v4
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhir_server.core import references
from fhir_server.core.errors import BadValue, MissingElement
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject

Answer = Literal["Bundle", "Appointment"]

ONE: Final = Text(
    "Name the visit once: by an Appointment, by its id, or by a Slot.",
    "Назовите запись один раз: ресурсом Appointment, его id или Slot.",
    "Назвіть запис один раз: ресурсом Appointment, його id або Slot.",
)
NOT_ONE: Final = Text(
    "`{name}` is not usable here.",
    "`{name}` здесь не годится.",
    "`{name}` тут не підходить.",
)

_RESOURCE: Final = ("appointment-resource", "appt-resource")
_ID: Final = ("appointment-reference", "appt-id")
_PATIENT: Final = ("patient-reference", "patient-id", "patient")
NAMES: Final = frozenset(
    {*_RESOURCE, *_ID, *_PATIENT, "slot", "schedule", "cancelled-appt-id", "comment"}
    | {"patient-resource", "reason"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, read; what was not said is empty."""

    resource: JsonObject
    """The Appointment as the caller sent it."""
    visit: str | None
    """Logical id of an Appointment that is stored already."""
    slots: tuple[str, ...]
    """Logical ids."""
    patient: str | None
    """Logical id."""
    replaced: str | None
    """Logical id of the visit that this one takes the place of."""
    answer: Answer


def asked(given: Sequence[tuple[str, Any]], base: str) -> Asked:
    """Read the parameters `given`, names and values; references below `base` are local.

    Raises:
        MissingElement: no visit is named.
        BadValue: a parameter has a value that it cannot have.
    """
    values: dict[str, Any] = {}
    slots: list[str] = []
    for name, value in given:
        if name == "slot":
            slots.append(_id(name, value, "Slot", base))
        else:
            values[name] = value
    resource = _resource(values)
    named = [_id(each, values[each], "Appointment", base) for each in _ID if each in values]
    if len(named) + bool(resource) + bool(slots) != 1:
        raise MissingElement(ONE)
    patient = [_id(each, values[each], "Patient", base) for each in _PATIENT if each in values]
    replaced = values.get("cancelled-appt-id")
    comment = {"comment": str(values["comment"])} if "comment" in values else {}
    is_isik = "appt-resource" in values and not patient
    return Asked(
        resource={**(resource or {"resourceType": "Appointment"}), **comment},
        visit=named[0] if named else None,
        slots=tuple(dict.fromkeys(slots)),
        patient=patient[0] if patient else None,
        replaced=replaced and _id("cancelled-appt-id", replaced, "Appointment", base),
        answer="Appointment" if is_isik else "Bundle",
    )


def _resource(values: dict[str, Any]) -> JsonObject | None:
    for name in _RESOURCE:
        found = values.get(name)
        if found is None:
            continue
        if not isinstance(found, dict) or found.get("resourceType") != "Appointment":
            raise BadValue(NOT_ONE, name=name, expression=name)
        return found
    return None


def _id(name: str, value: Any, kind: str, base: str) -> str:
    """A logical id, from an id, a reference or a Reference."""
    text = value.get("reference", "") if isinstance(value, dict) else str(value)
    found = references.parse(text if "/" in text else f"{kind}/{text}", base)
    if found.kind != "local" or found.type != kind or found.id is None:
        raise BadValue(NOT_ONE, name=name, expression=name)
    return found.id
