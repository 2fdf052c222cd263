"""What is compiled for a resource type: the arms of its parameters' expressions.

Each distinct arm runs once for all parameters that read it; each place of composites once for
all composites that have one there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from fhir_server.core.errors import Unprocessable
from fhir_server.core.messages import Text
from fhir_server.fhirpath import Selector, selector
from fhir_server.search.index.arms import arms, element_of
from fhir_server.search.index.composites import Composite, Part
from fhir_server.search.index.rows import Row, Writer
from fhir_server.search.index.systems import implicit_system
from fhir_server.search.index.writers import WRITERS
from fhir_server.spec.search_parameters import Component, SearchParameter

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

Rows = tuple[tuple[Selector, tuple[tuple[Writer, Row], ...]], ...]
Places = tuple[tuple[Selector, tuple[Composite, ...]], ...]


def rows(kind: str, parameters: Iterable[SearchParameter], bases: tuple[str, ...]) -> Rows:
    """The arms of all simple parameters of `kind`, and who writes what each selects."""
    by_arm: dict[str, list[tuple[Writer, Row]]] = {}
    for parameter in parameters:
        if parameter.type == "composite":
            continue
        for arm in arms(kind, parameter.expression or ""):
            row = Row(parameter.code, implicit_system(kind, arm), bases)
            by_arm.setdefault(arm, []).append((WRITERS[parameter.type], row))
    return tuple((selector(arm, kind), tuple(writers)) for arm, writers in by_arm.items())


def places(
    kind: str,
    parameters: Iterable[SearchParameter],
    bases: tuple[str, ...],
    definition_of: Callable[[str], SearchParameter | None],
) -> Places:
    """The places of all composites of `kind`, and what to look for in each.

    Raises:
        Unprocessable: a composite cannot be compiled.
    """
    by_arm: dict[str, list[Composite]] = {}
    for parameter in parameters:
        if parameter.type == "composite":
            for arm in arms(kind, parameter.expression or ""):
                maker = _Maker(kind, _type_of(kind, arm, parameter.code), bases, definition_of)
                by_arm.setdefault(arm, []).append(maker.composite(parameter))
    return tuple((selector(arm, kind), tuple(found)) for arm, found in by_arm.items())


def _type_of(kind: str, arm: str, code: str) -> str:
    if arm == kind:
        return kind
    element = element_of(kind, arm)
    if element is None or len(element.types) != 1:
        raise Unprocessable(NO_PLACE, code=code, path=arm)
    return element.types[0].code


_RESOURCE: Final = "%resource."
_PREFIX: Final = "http://hl7.org/fhir/SearchParameter/DocumentReference-"
#: R4 gives the parts of DocumentReference's `relationship` each other's expression.
_ERRATA: Final = {f"{_PREFIX}relatesto": "target", f"{_PREFIX}relation": "code"}


@dataclass(frozen=True, slots=True)
class _Maker:
    """Compiles composites for places of one type in a `kind`."""

    kind: str
    place: str
    bases: tuple[str, ...]
    definition_of: Callable[[str], SearchParameter | None]

    def composite(self, parameter: SearchParameter) -> Composite:
        parts = (
            self._part(number, parameter.code, each)
            for number, each in enumerate(parameter.components)
        )
        return parameter.code, tuple(parts)

    def _part(self, number: int, code: str, component: Component) -> Part:
        definition = self.definition_of(component.definition)
        if definition is None:
            raise Unprocessable(NO_COMPONENT, code=code, url=component.definition)
        written = _ERRATA.get(component.definition, component.expression)
        of_resource = written.startswith(_RESOURCE)
        focus = self.kind if of_resource else self.place
        expression = written.removeprefix(_RESOURCE)
        found = arms(focus, expression)
        system = implicit_system(focus, expression)
        return Part(
            number=number,
            name=written,
            select=_all_of([selector(arm, focus) for arm in found]),
            of_resource=of_resource,
            write=WRITERS[definition.type],
            row=Row(definition.code, system, self.bases, has_text=False),
        )


def _all_of(selects: list[Selector]) -> Selector:
    if len(selects) == 1:
        return selects[0]
    return lambda node: [found for select in selects for found in select(node)]
