"""Which parameters say which one patient a resource is about (`IndexValues.patient`).

`IndexValues.patient` is the target of the type's `patient` parameter, where the element
behind it occurs at most once. Only then is `patient=p1` the same as "this field is p1", and
only then may the compiler write `plan.Patient`; both sides read the one table here.

The element alone decides, not the compartment: an Observation that p1 performed on p2 is in
both compartments, and about p2.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fhir_server.spec.search_parameters import SearchParameter, of_type
from fhir_server.spec.structures import RESOURCE_TYPES, TYPES

_TARGET: Final = "Patient/"
_PATH: Final = re.compile(r"(\w+)\.(\w+)(?:\.where\(resolve\(\) is Patient\))?")


def _element(kind: str, parameter: SearchParameter) -> str | None:
    """The one element of `kind` itself that `parameter` reads, at most once filled."""
    found = [
        path
        for path in map(str.strip, (parameter.expression or "").split("|"))
        if path.startswith(f"{kind}.")
    ]
    match = _PATH.fullmatch(found[0]) if len(found) == 1 else None
    found_at = TYPES[kind].properties.get(match[2]) if match else None
    if found_at is None:
        return None
    element = found_at.element
    single = element.max == 1 and element.types[0].code == "Reference"
    return element.name if single else None


def _codes() -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind in RESOURCE_TYPES:
        parameters = of_type(kind)
        element = _element(kind, parameters["patient"]) if "patient" in parameters else None
        if element is not None:
            yield (
                kind,
                tuple(
                    code
                    for code, parameter in parameters.items()
                    if parameter.type == "reference" and _element(kind, parameter) == element
                ),
            )


_SINGLE: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(codes) for kind, codes in _codes()
}


def single_patient_parameters(kind: str) -> frozenset[str]:
    """The codes that all read the one reference behind `IndexValues.patient` of `kind`,
    e.g. `patient` and `subject` of an Observation; empty where there is no such reference."""
    return _SINGLE.get(kind, frozenset())


def patient_of(kind: str, id_: str, references: Iterable[str]) -> str | None:
    """`IndexValues.patient` of a resource with these reference keys (`search.keys`); a
    Patient is about itself."""
    if kind == "Patient":
        return id_
    if kind not in _SINGLE:
        return None
    prefix = f"patient|{_TARGET}"
    return next((key[len(prefix) :] for key in references if key.startswith(prefix)), None)
