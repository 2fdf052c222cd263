"""Extensions against their definitions, wherever they stand.

An extension whose url nobody here has defined is kept as it comes. Of one that is known, the
value's type, what is nested in it, codes and rules are asked as its definition has them; that
it stands where the definition does not expect it is only a warning.

https://hl7.org/fhir/R4/extensibility.html
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from fhir_server.core.errors import Issue
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import RESOURCE_NAMES, TYPES, Property, is_a
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import profile_texts, profiles
from fhir_server.validation.contained import Inside, inside
from fhir_server.validation.profile_tree import Profile, Profiles, r4_profiles
from fhir_server.validation.profiles import Known

_NAMES: Final = ("extension", "modifierExtension")


class _Place(NamedTuple):
    """An object on the way, and where it stands."""

    value: JsonObject
    type: str
    """Of the object, or of the primitive beside which it stands."""
    path: str
    element: str
    """The path of its element in the definition: `Patient.contact`, `HumanName.given`."""
    resource: JsonObject
    """The one around it that is contained in no other."""
    inside: Inside
    """What that contains."""


@cache
def _standard() -> Known:
    return Known(Terminology(), Profiles())


def is_sound(extension: JsonObject) -> bool:
    """Whether R4 does not define an extension so called, or it surely obeys."""
    url = extension.get("url")
    if type(url) is not str or url not in r4_profiles():
        return True
    if extension.keys() in _simple_shapes(url):
        return True
    definition = _definition(_standard(), extension)
    if definition is None:
        return True
    found = profiles.extension_issues(_standard(), definition, extension, "", extension, {})
    return all(each.severity != "error" for each in found)


@cache
def _simple_shapes(url: str) -> tuple[set[str], ...]:
    """The properties of an extension that obeys R4's `url` by having just these."""
    definition = _standard().profiles.find(url)
    value = definition.root.child("value") if definition else None
    if definition is None or value is None or definition.root.constraints:
        return ()
    more = (value.binding, value.fixed, value.pattern)
    parts = (value.children, value.slices, value.constraints, value.targets)
    if more != (None, None, None) or any(parts) or any(value.types.values()):
        return ()
    names = (
        p.name for p in TYPES["Extension"].properties.values() if p.type.code in value.types
    )
    return tuple({"url", name} for name in names if name.startswith("value"))


def is_named(resource: JsonObject, urls: frozenset[str]) -> bool:
    """Whether one of `urls` is the url of anything in `resource`: a quick look that tells
    whether to walk. 5 µs of an Observation of 2 KB, the walk 40."""
    waiting: list[Any] = [resource]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            url = value.get("url")
            if type(url) is str and url in urls:
                return True
            value = value.values()
        waiting += [each for each in value if type(each) is dict or type(each) is list]
    return False


def issues(known: Known, resource: JsonObject, path: str) -> Iterator[Issue]:
    """What is wrong with the known extensions anywhere in `resource`; warnings too."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in RESOURCE_NAMES:
        return
    waiting = [_Place(resource, kind, path, kind, resource, inside(resource))]
    while waiting:
        place = waiting.pop()
        for name in _NAMES:
            yield from _of(known, place, name)
        waiting.extend(reversed(list(_below(place))))


def _of(known: Known, place: _Place, name: str) -> Iterator[Issue]:
    rows = place.value.get(name)
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        definition = _definition(known, row)
        if definition is None:
            continue
        at = f"{place.path}.{name}[{index}]"
        yield from profiles.extension_issues(
            known, definition, row, at, place.resource, place.inside
        )
        if not _expected(definition, place):
            args = {"profile": definition.url, "found": place.element}
            yield Issue("structure", profile_texts.CONTEXT, args, "warning", (at,))


def _definition(known: Known, extension: Any) -> Profile | None:
    """What defines `extension`; its url names no version."""
    url = extension.get("url") if isinstance(extension, dict) else None
    found = known.profiles.find(url) if isinstance(url, str) else None
    return found if found and (found.type, found.url) == ("Extension", url) else None


def _expected(definition: Profile, place: _Place) -> bool:
    """Whether it may stand there; of contexts that are not paths that is not known."""
    if not definition.context or any(kind != "element" for kind, _ in definition.context):
        return True
    return any(
        wanted in (place.element, place.path) or is_a(place.type, wanted)
        for _, wanted in definition.context
    )


def _below(place: _Place) -> Iterator[_Place]:
    properties = TYPES[place.type].properties
    for name, value in place.value.items():
        bare = name.removeprefix("_")
        found = properties.get(bare)
        if found is None:
            continue
        path = f"{place.path}.{found.element.name}"
        if isinstance(value, dict):
            yield from _child(place, found, value, path)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, dict):
                    yield from _child(place, found, each, f"{path}[{index}]")


def _child(place: _Place, found: Property, value: Any, path: str) -> Iterator[_Place]:
    kind = found.type.code
    element = found.element.path
    if kind == "Resource":
        kind = value.get("resourceType")
        if not isinstance(kind, str) or kind not in RESOURCE_NAMES:
            return
        element = kind
        # References of contained resources are those of their container.
        if found.element.name != "contained":
            yield _Place(value, kind, path, element, value, inside(value))
            return
    yield _Place(value, kind, path, element, place.resource, place.inside)
