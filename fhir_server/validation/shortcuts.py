"""Sure and common ways to obey an invariant, by its key; anything else is asked of FHIRPath.

A True is a proof, a False proves nothing. Only keys that are unique in R4 stand here, and only
those that a cabinet's everyday writes meet, each of which saves 2 to 5 µs, or that look at the
whole of a large resource: 50,000 concepts take a twentieth of what FHIRPath needs.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

_SYSTEMS: Final = "http://terminology.hl7.org/CodeSystem/"
_ENDED: Final = frozenset({"resolved", "remission", "inactive"})
_ENTERED_IN_ERROR: Final = frozenset({"entered-in-error"})


def _says(value: Any, element: str, system: str, codes: frozenset[str]) -> bool:
    """Whether the concept in `element` has one of `codes`, whatever its system is called."""
    return any(
        each.get("code") in codes and each.get("system") == _SYSTEMS + system
        for each in value.get(element, {}).get("coding", ())
    )


def _period(value: Any) -> bool:
    """per-1 where both ends have the same precision and zone: then texts compare as times."""
    start, end = value.get("start"), value.get("end")
    if start is None or end is None:
        return True
    return len(start) == len(end) and start[19:] == end[19:] and bool(start <= end)


def _ended(value: Any) -> bool:
    return _says(value, "clinicalStatus", "condition-clinical", _ENDED) or not any(
        "batement" in name for name in value
    )


def _not_an_error(value: Any) -> bool:
    return "clinicalStatus" not in value or not _says(
        value, "verificationStatus", "condition-ver-status", _ENTERED_IN_ERROR
    )


def _no_allergy_error(value: Any) -> bool:
    return "clinicalStatus" not in value or not _says(
        value, "verificationStatus", "allergyintolerance-verification", _ENTERED_IN_ERROR
    )


def _no_link_twice(value: Any) -> bool:
    """que-2; a linkId is known to items alone, unless another resource is contained."""
    return "contained" not in value and _differ(value, "item", "linkId")


def _no_concept_twice(value: Any) -> bool:
    """csd-1."""
    return "contained" not in value and _differ(value, "concept", "code")


def _differ(value: Any, name: str, key: str) -> bool:
    """Whether no two of the elements `name`, at whatever depth, have the same `key`."""
    found: list[Any] = []
    waiting = [value]
    while waiting:
        rows = waiting.pop().get(name, ())
        found += [each.get(key) for each in rows]
        waiting += [each for each in rows if name in each]
    return all(type(each) is str for each in found) and len(set(found)) == len(found)


def _without(name: str) -> Callable[[Any], bool]:
    return lambda value: name not in value


def _with(*names: str) -> Callable[[Any], bool]:
    return lambda value: any(name in value for name in names)


def _not_at_home(value: Any) -> bool:
    return bool(value.get("use") != "home")


OBEYED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "ait-1": _with("clinicalStatus"),
    "ait-2": _no_allergy_error,
    "bdl-8": lambda value: "/_history/" not in value.get("fullUrl", ""),
    "con-4": _ended,
    "con-5": _not_an_error,
    "csd-1": _no_concept_twice,
    "ctm-1": _without("onBehalfOf"),
    "obs-7": _without("component"),
    "org-1": _with("identifier", "name"),
    "org-2": _not_at_home,
    "org-3": _not_at_home,
    "per-1": _period,
    "ppc-2": _with("patient"),
    "ppc-3": _with("patient"),
    "ppc-4": _with("patient"),
    "ppc-5": _with("patient"),
    "que-2": _no_link_twice,
}
