"""A resource against a profile: cardinality, slices, fixed values, patterns, bindings, rules.

What the base standard asks is not asked again; the resource is known to obey it, or its
issues are told beside these.

https://hl7.org/fhir/R4/profiling.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.spec.structures import TYPES
from fhir_server.terminology.terminology import Terminology
from fhir_server.validation import (
    bindings,
    contained,
    invariants,
    profile_texts,
    rules,
    targets,
)
from fhir_server.validation.patterns import fits
from fhir_server.validation.profile_tree import Discriminator, Node, Profile, Profiles

_BOUND = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "uri", "string"})


class Known(NamedTuple):
    """What a profile may refer to."""

    terminology: Terminology
    profiles: Profiles
    parameters: Sequence[JsonObject] = ()
    """SearchParameters that came with them, for whom the search concerns."""


class Item(NamedTuple):
    """One item of an element."""

    value: Any
    """None where a primitive has extensions only."""
    type: str
    path: str


def issues(known: Known, profile: Profile, resource: JsonObject, path: str) -> list[Issue]:
    """Everything in which `resource` breaks `profile`; warnings too."""
    kind = resource.get("resourceType", "")
    if kind != profile.type:
        args = {"profile": profile.url, "type": profile.type, "found": kind}
        return [Issue("invalid", profile_texts.OTHER_TYPE, args, expression=(path,))]
    check = _Check(known, profile, resource, contained.inside(resource))
    check.content(profile.root, Item(resource, kind, path))
    return check.issues


def extension_issues(
    known: Known,
    definition: Profile,
    value: JsonObject,
    path: str,
    resource: JsonObject,
    inside: contained.Inside,
) -> list[Issue]:
    """Everything in which the extension `value` of `resource` breaks its definition."""
    check = _Check(known, definition, resource, inside)
    check.content(definition.root, Item(value, "Extension", path))
    return check.issues


@dataclass(slots=True)
class _Check:
    known: Known
    profile: Profile
    resource: JsonObject
    inside: contained.Inside
    issues: list[Issue] = field(default_factory=list)

    def content(self, node: Node, item: Item) -> None:
        """Ask of one item all that its node says."""
        self.value(node, item)
        if isinstance(item.value, dict):
            for child in node.children.values():
                self.element(child, list(items(child, item)), item.path)
        self.rules(node, item)

    def element(self, node: Node, found: list[Item], above: str) -> None:
        """Ask an element of all its items, then each of its slices."""
        path = f"{above}.{node.name}"
        self.cardinality(node, len(found), path)
        allowed = node.types.keys()
        for each in found:
            if allowed and node.path.endswith("[x]") and each.type not in allowed:
                self.say("value", each.path, profile_texts.TYPE, found=each.type, types=allowed)
            self.content(node, each)
            self.profiled(node, each)
        if node.slices and all(_decidable(each) for each in node.discriminators):
            self.slices(node, found, path)

    def cardinality(self, node: Node, count: int, path: str) -> None:
        if count < node.min:
            text, code = profile_texts.TOO_FEW, "required"
        elif node.max is not None and count > node.max:
            text, code = profile_texts.TOO_MANY, "structure"
        else:
            return
        args = {"name": _label(node), "min": node.min, "max": node.max, "count": count}
        self.say(code, path, text, **args)

    def slices(self, node: Node, found: list[Item], path: str) -> None:
        left = list(found)
        for each in node.slices.values():
            mine: list[Item] = []
            rest: list[Item] = []
            for item in left:
                (mine if _matches(node.discriminators, each, item) else rest).append(item)
            left = rest
            self.cardinality(each, len(mine), path)
            for item in mine:
                self.content(each, item)
                self.profiled(each, item)
        if node.closed:
            for item in left:
                self.say("structure", item.path, profile_texts.NO_SLICE, name=node.name)

    def value(self, node: Node, item: Item) -> None:
        if item.value is None:
            return
        if node.fixed is not None and item.value != node.fixed:
            self.say("value", item.path, profile_texts.FIXED, expected=node.fixed)
        if node.pattern is not None and not fits(item.value, node.pattern):
            self.say("value", item.path, profile_texts.PATTERN, expected=node.pattern)
        if node.binding is not None and item.type in _BOUND:
            found = bindings.issues(
                self.known.terminology, node.binding, item.type, item.value, item.path
            )
            self.issues.extend(found)
        if item.type == "Reference" and node.targets and isinstance(item.value, dict):
            found = targets.issues(item.value, node.targets, self.inside, item.path)
            self.issues.extend(found)

    def rules(self, node: Node, item: Item) -> None:
        if not node.constraints or not _is_shaped(item):
            return
        scene = invariants.Scene(
            item.value, item.type, self.resource, self.resource, self.inside
        )
        for each in node.constraints:
            if not invariants.holds(each, scene):
                url = self.profile.url
                self.issues.append(
                    rules.broken(each, profile_texts.RULE, item.path, profile=url)
                )

    def profiled(self, node: Node, item: Item) -> None:
        """A profile on the element's type; an extension's own is asked by `extensions`."""
        if item.type == "Extension":
            return
        urls = node.types.get(item.type, ())
        known = [
            each for each in (self.known.profiles.find(url) for url in urls) if each is not None
        ]
        # Of several profiles one is enough; which one was meant cannot be told.
        if len(urls) == 1 and known:
            self.content(known[0].root, item)

    def say(self, code: str, path: str, text: Text, **args: object) -> None:
        shown = {name: _shown(value) for name, value in args.items()}
        where = (path,)
        self.issues.append(
            Issue(code, text, shown | {"profile": self.profile.url}, expression=where)
        )


def _is_shaped(item: Item) -> bool:
    """Whether the value is what a rule can be asked of; the base standard tells if not."""
    kind = TYPES.get(item.type)
    if kind is None or kind.kind != "primitive":
        return isinstance(item.value, dict)
    return item.value is not None and not isinstance(item.value, (dict, list))


def items(node: Node, above: Item) -> Iterator[Item]:
    """The items of the element `node` in the object `above`, with types and places."""
    names = _names(node.name, above.type)
    path = f"{above.path}.{node.name}"
    # An object has a few properties, an element as `value[x]` fifty names.
    for name, value in above.value.items():
        kind = names.get(name)
        if kind is None:
            bare = name.removeprefix("_")
            if bare != name and bare in names and above.value.get(bare) is None:
                yield Item(None, names[bare], path)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                yield Item(each, _type(each, kind), f"{path}[{index}]")
        elif value is not None:
            yield Item(value, _type(value, kind), path)


@cache
def _names(name: str, within: str) -> dict[str, str]:
    """The JSON names of an element in an object of type `within`, with their types."""
    kind = TYPES.get(within)
    return {
        each.name: each.type.code
        for each in (kind.properties.values() if kind else ())
        if each.element.name == name
    }


def _type(value: Any, kind: str) -> str:
    if kind == "Resource" and isinstance(value, dict):
        return str(value.get("resourceType", kind))
    return kind


def _decidable(each: Discriminator) -> bool:
    """Whether the slice shows in the item itself: what is behind a reference does not."""
    return each.type in {"value", "pattern", "exists", "type"} and "resolve()" not in each.path


def _matches(discriminators: tuple[Discriminator, ...], node: Node, item: Item) -> bool:
    return all(_shows(each, node, item) for each in discriminators)


def _shows(discriminator: Discriminator, node: Node, item: Item) -> bool:
    if discriminator.path == ("url",) and item.type == "Extension":
        return isinstance(item.value, dict) and item.value.get("url") == _url(node)
    return _along(discriminator, node, item, discriminator.path)


def _along(
    discriminator: Discriminator, node: Node, item: Item, steps: tuple[str, ...]
) -> bool:
    if not steps:
        return _ends(discriminator, node, item)
    child = node.child(steps[0])
    if child is None:
        return True
    found = list(items(child, item)) if isinstance(item.value, dict) else []
    if discriminator.type == "exists" and len(steps) == 1:
        return bool(found) is (child.max != 0)
    needed = [each for each in child.slices.values() if each.min] or [child]
    return all(
        any(_along(discriminator, each, one, steps[1:]) for one in found) for each in needed
    )


def _ends(discriminator: Discriminator, node: Node, item: Item) -> bool:
    if discriminator.type == "type":
        return item.type in node.types
    if node.fixed is not None:
        return bool(item.value == node.fixed)
    return node.pattern is None or fits(item.value, node.pattern)


def _url(node: Node) -> str | None:
    """The url of the extensions an extension slice means."""
    own = node.child("url")
    if own is not None and own.fixed is not None:
        return str(own.fixed)
    return next((url for urls in node.types.values() for url in urls), None)


def _label(node: Node) -> str:
    return f"{node.name}:{node.slice_name}" if node.slice_name else node.name


def _shown(value: object) -> object:
    return ", ".join(value) if isinstance(value, (tuple, type({}.keys()))) else value
