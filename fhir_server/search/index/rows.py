"""The shape of an index writer, and the parameter it writes for.

Every search type has one writer: it takes what the parameter's expression selected and adds
keys or ranges to `IndexValues`. The FHIR type of each selected value decides how.

https://hl7.org/fhir/R4/search.html#table
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import Selected
from fhir_server.search import keys
from fhir_server.search.values import IndexValues
from fhir_server.spec.structures import TYPES

Values = Sequence[Selected]
"""What an expression gives."""


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter of one type, with the beginnings of its keys ready."""

    code: str
    system: str | None = None
    """The one code system of a `code` element with a required binding."""
    bases: tuple[str, ...] = ()
    """This server's own base URLs."""
    has_text: bool = True
    """Whether `:text` can ask for it; a part of a composite has no modifiers."""
    lead: str = field(init=False)
    any_system: str = field(init=False)
    exact: str = field(init=False)
    text: str = field(init=False)
    """Beginning of `:text` keys."""
    identifier: "Row | None" = field(init=False, default=None)
    """Of a reference: the row of its `:identifier` keys."""

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "lead", keys.folded(self.code, ""))
        put(self, "any_system", keys.token(self.code, None, ""))
        put(self, "exact", keys.exact(self.code, ""))
        put(self, "text", keys.folded(f"{self.code}:text", ""))
        if ":" not in self.code:
            put(self, "identifier", Row(f"{self.code}:identifier"))


Writer = Callable[[IndexValues, Row, Values], None]
ValueWriter = Callable[[IndexValues, Row, Any], None]


def by_type(writers: Mapping[str, ValueWriter]) -> Writer:
    """The writer that asks `writers` what to do with each value's FHIR type.

    A type that specialises a row's type (Age, a Quantity) is written as that. An extension
    stands for its value. A type without a row has no meaning for the search type and leaves
    nothing.
    """
    complete = {name: writer for name in TYPES if (writer := _nearest(name, writers))}

    def write(values: IndexValues, row: Row, selected: Values) -> None:
        for kind, value, _ in selected:
            writer = complete.get(kind)
            if writer is not None:
                if value is not None:  # a primitive may have extensions and no value
                    writer(values, row, value)
            elif kind == "Extension":
                write(values, row, extension_value(value))

    return write


def _nearest(name: str, writers: Mapping[str, ValueWriter]) -> ValueWriter | None:
    kind: str | None = name
    while kind is not None:
        if kind in writers:
            return writers[kind]
        kind = TYPES[kind].base if kind in TYPES else None
    return None


_EXTENSION: Final = TYPES["Extension"].properties


def extension_value(extension: JsonObject) -> list[Selected]:
    """`value[x]` of an extension as an expression would select it."""
    return [
        (_EXTENSION[name].type.code, value, None)
        for name, value in extension.items()
        if name.startswith("value") and name in _EXTENSION
    ]
