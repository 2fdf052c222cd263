"""What an app asks for as a list of choices, and the choices as the scopes that are kept.

Each resource scope can be kept for seeing, for writing, for both or not at all. A scope of
Observations or Conditions can be narrowed to categories, one of everything to some kinds and
categories. What a scope of everything covers is chosen there alone: were it shown twice, a
box without a tick would not take it away.

Nothing in a form can add (`smart.scopes.narrowed`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.access.scopes import ALL_TYPES, ResourceScope, letters_of
from fhir_server.core.messages import Text
from fhir_server.smart import scopes as lists
from fhir_server.smart.scopes import Scopes
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.web import words

READS: Final = letters_of("rs")
WRITES: Final = letters_of("cud")

Values = Callable[[str], Sequence[str]]
"""The values of a field of the form."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something a scope can be narrowed to."""

    type: str
    category: str
    """`system|code`; empty: the whole type."""
    title: Text

    @property
    def key(self) -> str:
        """The value of its box."""
        return self.category or self.type


@dataclass(frozen=True, slots=True)
class Item:
    """A resource scope on the page; its fields end in `number`."""

    number: int
    scope: ResourceScope
    parts: tuple[Part, ...] = ()
    cover: "Item | None" = None
    """The scope of everything that has some of its letters."""

    @property
    def letters(self) -> frozenset[ScopeLetter]:
        """What is chosen here."""
        covered = frozenset() if self.cover is None else self.cover.scope.letters
        return self.scope.letters - covered

    @property
    def sees(self) -> bool:
        """Whether it lets the app read."""
        return bool(self.letters & READS)

    @property
    def writes(self) -> list[Text]:
        """What it lets the app do besides reading."""
        return words.verbs(replace(self.scope, letters=self.letters - READS))

    @property
    def title(self) -> Text:
        return words.kind(self.scope.type)

    @property
    def filters(self) -> list[Text]:
        return words.filters(self.scope)


def items(asked: Scopes) -> tuple[Item, ...]:
    """The resource scopes in the order in which the app names them."""
    found = [
        Item(number, scope, tuple(_parts(scope)))
        for number, scope in enumerate(asked.resources)
    ]
    whole = {each.scope.level: each for each in found if each.scope.type == ALL_TYPES}
    return tuple(
        each
        if each.scope.type == ALL_TYPES
        else replace(each, cover=whole.get(each.scope.level))
        for each in found
    )


def _parts(scope: ResourceScope) -> Iterator[Part]:
    if scope.query:
        return
    if scope.type != ALL_TYPES:
        for value, title in words.CATEGORIES.get(scope.type, {}).items():
            yield Part(scope.type, value, title)
        return
    for kind in words.WHOLE:
        categories = words.CATEGORIES.get(kind, {})
        if not categories:
            yield Part(kind, "", words.kind(kind))
        for value, title in categories.items():
            yield Part(kind, value, words.within(words.kind(kind), title))


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
    own = item.letters & _ticked(item, values)
    if not item.parts or _is_whole(item, values):
        letters = own | _with_cover(item, values)
        if letters:
            yield replace(item.scope, letters=letters)
        return
    covered = _with_cover(item, values)
    if covered:
        yield replace(item.scope, letters=covered)
    chosen = set(values(f"part-{item.number}"))
    for part in item.parts:
        if own and part.key in chosen:
            query = (("category", part.category),) if part.category else ()
            yield replace(item.scope, type=part.type, letters=own, query=query)


def _ticked(item: Item, values: Values) -> frozenset[ScopeLetter]:
    sees = READS if values(f"see-{item.number}") else frozenset()
    return sees | (WRITES if values(f"write-{item.number}") else frozenset())


def _is_whole(item: Item, values: Values) -> bool:
    return "all" in values(f"span-{item.number}")


def _with_cover(item: Item, values: Values) -> frozenset[ScopeLetter]:
    """What the app keeps since it keeps everything; so a scope it asked for is not missing."""
    cover = item.cover
    if cover is None or not _is_whole(cover, values):
        return frozenset()
    return item.scope.letters & cover.scope.letters & _ticked(cover, values)
