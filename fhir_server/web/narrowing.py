"""What an app asks for as a list of choices, and the choices as the scopes that are kept.

Each resource scope can be kept for seeing, for writing, for both or not at all. A scope of
Observations or Conditions can be narrowed to categories, one of everything to some kinds. A
box that is not ticked takes away; nothing in a form can add (`smart.scopes.narrowed`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.access.scopes import ALL_TYPES, ResourceScope, letters_of
from fhir_server.core.messages import Text
from fhir_server.smart import scopes as lists
from fhir_server.smart.scopes import Scopes
from fhir_server.web import words

READS: Final = letters_of("rs")
WRITES: Final = letters_of("cud")

Values = Callable[[str], Sequence[str]]
"""The values of a field of the form."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something a scope can be narrowed to."""

    value: str
    """A resource type, or `system|code` of a category."""
    title: Text


@dataclass(frozen=True, slots=True)
class Item:
    """A resource scope on the page; its fields end in `number`."""

    number: int
    scope: ResourceScope
    parts: tuple[Part, ...]

    @property
    def sees(self) -> bool:
        """Whether it lets the app read."""
        return bool(self.scope.letters & READS)

    @property
    def writes(self) -> list[Text]:
        """What it lets the app do besides reading."""
        return words.verbs(replace(self.scope, letters=self.scope.letters - READS))

    @property
    def title(self) -> Text:
        return words.kind(self.scope.type)

    @property
    def filters(self) -> list[Text]:
        return words.filters(self.scope)


def items(asked: Scopes) -> tuple[Item, ...]:
    """The resource scopes in the order in which the app names them."""
    return tuple(
        Item(number, scope, tuple(_parts(scope)))
        for number, scope in enumerate(asked.resources)
    )


def _parts(scope: ResourceScope) -> Iterator[Part]:
    if scope.query:
        return
    if scope.type == ALL_TYPES:
        yield from (Part(each, words.kind(each)) for each in words.WHOLE)
    for value, title in words.CATEGORIES.get(scope.type, {}).items():
        yield Part(value, title)


def kept(asked: Scopes, values: Values) -> str:
    """The scopes that the form leaves, parted by spaces."""
    found = [each for each in asked.others if _keeps(each, values)]
    for item in items(asked):
        found += (each.text for each in _of_item(item, values))
    return " ".join(dict.fromkeys(found))


def _keeps(scope: str, values: Values) -> bool:
    if scope == lists.OFFLINE:
        return bool(values("offline"))
    if scope in (lists.OPENID, lists.FHIR_USER):
        return bool(values("identity"))
    return True


def _of_item(item: Item, values: Values) -> Iterator[ResourceScope]:
    letters = item.scope.letters & (
        (READS if values(f"see-{item.number}") else frozenset())
        | (WRITES if values(f"write-{item.number}") else frozenset())
    )
    if not letters:
        return
    scope = replace(item.scope, letters=letters)
    if not item.parts or "all" in values(f"span-{item.number}"):
        yield scope
        return
    chosen = set(values(f"part-{item.number}"))
    for part in item.parts:
        if part.value in chosen:
            yield _narrowed(scope, part.value)


def _narrowed(scope: ResourceScope, value: str) -> ResourceScope:
    if scope.type == ALL_TYPES:
        return replace(scope, type=value)
    return replace(scope, query=(("category", value),))
