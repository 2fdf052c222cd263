"""Composite parameters compiled: the places of a type, and what to look for in each.

https://hl7.org/fhir/R4/search.html#composite
"""

from collections.abc import Callable, Iterable
from typing import Final

from fhir_server.core.errors import Unprocessable
from fhir_server.core.messages import Text
from fhir_server.fhirpath import Selector, selector
from fhir_server.search import keys
from fhir_server.search.index.added import added
from fhir_server.search.index.arms import arms, element_of
from fhir_server.search.index.composites import Composite, Part, Place, Source
from fhir_server.search.index.rows import Row
from fhir_server.search.index.systems import implicit_system
from fhir_server.search.index.writers import WRITERS
from fhir_server.spec.search_parameters import BY_URL, Component, SearchParameter

NO_PLACE: Final = Text(
    "The composite `{code}` starts from `{path}`; it must be a plain path.",
    "Составной параметр `{code}` начинается с `{path}`; нужен простой путь.",
    "Складений параметр `{code}` починається з `{path}`; потрібен простий шлях.",
)
NO_COMPONENT: Final = Text(
    "A part of the composite `{code}` is defined by the unknown parameter {url}.",
    "Часть составного параметра `{code}` задана неизвестным параметром {url}.",
    "Частину складеного параметра `{code}` визначає невідомий параметр {url}.",
)

Places = tuple[tuple[Selector, Place], ...]
Define = Callable[[str], SearchParameter | None]
"""A parameter by its canonical URL."""

_RESOURCE: Final = "%resource."
_PREFIX: Final = "http://hl7.org/fhir/SearchParameter/DocumentReference-"
#: R4 gives the parts of DocumentReference's `relationship` each other's expression.
_ERRATA: Final = {f"{_PREFIX}relatesto": "target", f"{_PREFIX}relation": "code"}


def places(
    kind: str, parameters: Iterable[SearchParameter], bases: tuple[str, ...], define: Define
) -> Places:
    """The places of all composites of `kind`.

    Raises:
        Unprocessable: a composite cannot be compiled.
    """
    makers: dict[str, _Maker] = {}
    for parameter in parameters:
        if parameter.type == "composite":
            for arm in arms(kind, parameter.expression or ""):
                if arm not in makers:
                    place = _type_of(kind, arm, parameter.code)
                    makers[arm] = _Maker(kind, place, bases, define)
                makers[arm].add(parameter)
    return tuple((selector(arm, kind), maker.place()) for arm, maker in makers.items())


def _type_of(kind: str, arm: str, code: str) -> str:
    if arm == kind:
        return kind
    element = element_of(kind, arm)
    if element is None or len(element.types) != 1:
        raise Unprocessable(NO_PLACE, code=code, path=arm)
    return element.types[0].code


class _Maker:
    """Gathers the composites that have a place of type `focus` in a `kind`."""

    def __init__(self, kind: str, focus: str, bases: tuple[str, ...], define: Define) -> None:
        self._kind = kind
        self._focus = focus
        self._bases = bases
        self._define = define
        self._sources: dict[str, Source] = {}
        self._parts: dict[Part, None] = {}
        self._composites: list[Composite] = []

    def place(self) -> Place:
        """All that was added."""
        return Place(tuple(self._sources.values()), tuple(self._parts), tuple(self._composites))

    def add(self, parameter: SearchParameter) -> None:
        """Take in a composite.

        Raises:
            Unprocessable: a part is unknown.
        """
        parts = [
            self._part(number, parameter, component)
            for number, component in enumerate(parameter.components)
        ]
        for part in parts:
            self._parts.setdefault(part)
        known = list(self._parts)
        numbers = tuple(known.index(part) for part in parts)
        sources = tuple(part.source for part in parts)
        self._composites.append(Composite(parameter.code, numbers, sources))

    def _part(self, number: int, parameter: SearchParameter, component: Component) -> Part:
        definition = self._define(component.definition)
        if definition is None:
            raise Unprocessable(NO_COMPONENT, code=parameter.code, url=component.definition)
        written = _ERRATA.get(component.definition, component.expression)
        focus, expression = self._start(written)
        if written not in self._sources:
            select = _all_of([selector(arm, focus) for arm in arms(focus, expression)])
            if parameter.url not in BY_URL:
                select = added(select)
            self._sources[written] = Source(select, written.startswith(_RESOURCE))
        system = implicit_system(focus, expression)
        coded = keys.part(number, definition.code)
        row = Row(coded, system, self._bases, has_text=False)
        source = list(self._sources).index(written)
        return Part(source, number, WRITERS[definition.type], row)

    def _start(self, written: str) -> tuple[str, str]:
        """The type an expression starts at, and the rest of it."""
        if written.startswith(_RESOURCE):
            return self._kind, written.removeprefix(_RESOURCE)
        return self._focus, written


def _all_of(selects: list[Selector]) -> Selector:
    if len(selects) == 1:
        return selects[0]
    return lambda node, env: [found for select in selects for found in select(node, env)]
