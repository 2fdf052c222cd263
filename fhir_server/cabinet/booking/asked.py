"""What `$hold` and `$book` are asked, in the words of three specifications.

IHE ITI Scheduling (`appointment-reference`, `appointment-resource`), Argonaut (`appt-id`,
`appt-resource`, `patient-id`, `cancelled-appt-id`) and gematik's ISiK (`appt-resource`,
`schedule`, `cancelled-appt-id`) call the same things differently, and expect the answer each
in its own form: IHE a Bundle, Argonaut a Bundle with 200, ISiK the Appointment with 201. Who
sends an Appointment that is `proposed` in `appt-resource` or as the whole body speaks ISiK.

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

Dialect = Literal["ihe", "argonaut", "isik"]

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
    """Logical id of the visit that this one takes the place of; where no other is named, of
    the one that ends."""
    schedule: str | None
    """Logical id: where the Slots between the resource's times are to be looked for."""
    said: JsonObject
    """Elements that were named beside the visit."""
    dialect: Dialect

    @property
    def ends(self) -> bool:
        """Whether a visit is only to be cancelled."""
        return not (self.visit or self.slots or self.resource) and self.replaced is not None


def asked(given: Sequence[tuple[str, Any]], base: str, body: JsonObject | None = None) -> Asked:
    """Read the parameters `given`, names and values, or the Appointment `body` in their
    place; references below `base` are local.

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
    if body is not None and body.get("resourceType") == "Appointment":
        values["appt-resource"] = body
    resource = _resource(values)
    named = [_id(each, values[each], "Appointment", base) for each in _ID if each in values]
    replaced, schedule = values.get("cancelled-appt-id"), values.get("schedule")
    visits = len(named) + bool(resource) + bool(slots)
    if visits > 1 or (visits == 0 and replaced is None):
        raise MissingElement(ONE)
    patient = [_id(each, values[each], "Patient", base) for each in _PATIENT if each in values]
    return Asked(
        resource=resource or {},
        visit=named[0] if named else None,
        slots=tuple(dict.fromkeys(slots)),
        patient=patient[0] if patient else None,
        replaced=replaced and _id("cancelled-appt-id", replaced, "Appointment", base),
        schedule=schedule and _id("schedule", schedule, "Schedule", base),
        said={"comment": str(values["comment"])} if "comment" in values else {},
        dialect=_dialect(values),
    )


def _dialect(values: dict[str, Any]) -> Dialect:
    resource = values.get("appt-resource")
    if resource is not None and "patient-id" not in values:
        return "isik" if resource.get("status") == "proposed" else "argonaut"
    is_argonaut = resource is not None or "appt-id" in values or "patient-id" in values
    if "schedule" in values:
        return "isik"
    return "argonaut" if is_argonaut or set(values) == {"cancelled-appt-id"} else "ihe"


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
