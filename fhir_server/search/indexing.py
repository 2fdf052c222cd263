"""Index values of a resource: every search parameter's expression, run and written down.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fhir_server.core.text import fold
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import around
from fhir_server.search import keys
from fhir_server.search.compartments import compartments_of
from fhir_server.search.contained import add_contained, contained_resources
from fhir_server.search.index.bookings import write_booking
from fhir_server.search.index.bounds import bounded_keys
from fhir_server.search.index.compiling import Rows, rows
from fhir_server.search.index.composites import write_composites
from fhir_server.search.index.places import Places, places
from fhir_server.search.index.provenance_patient import write_provenance_patient
from fhir_server.search.index.security_context import write_security_context
from fhir_server.search.index.words import write_words
from fhir_server.search.patients import patient_of
from fhir_server.search.registry import Registry
from fhir_server.search.sorting import CHIEF_DATE, CHIEF_STRING
from fhir_server.search.values import IndexValues
from fhir_server.spec.structures import RESOURCE_TYPES

#: Fields of the stored document, and what no value of a resource answers.
_NOT_INDEXED: Final = frozenset({"_id", "_lastUpdated", "_filter", "_query"})


@dataclass(frozen=True, slots=True)
class _Type:
    """What is compiled for one resource type."""

    rows: Rows
    places: Places
    chief_date: str | None
    chief_string: str | None


class Indexer:
    """Gives the index values of resources; follows the changes of its registry.

    A type is compiled when its first resource comes, or by `check`.
    """

    def __init__(self, registry: Registry, *bases: str, full_text: bool = True) -> None:
        """`bases` are the URLs of this server: absolute references below them are its own.

        With `full_text` off, `_text` and `_content` find nothing and cost nothing.
        """
        self._registry: Final = registry
        self._bases: Final = bases
        self._full_text: Final = full_text
        self._compiled: tuple[int, dict[str, _Type]] = (registry.version, {})
        """What is compiled, of that version of the registry. The two are replaced together:
        a thread that compiles meanwhile fills the dictionary that it began with."""

    def check(self, kinds: Iterable[str] = RESOURCE_TYPES) -> None:
        """Compile all parameters of `kinds`.

        Raises:
            FhirError: an expression does not compile.
        """
        for kind in kinds:
            self._type(kind)

    def values(self, resource: JsonObject) -> IndexValues:
        """What the index knows of `resource`, which has its type and id."""
        kind, id_ = resource["resourceType"], resource["id"]
        values = self._own(resource)
        if self._full_text:
            write_words(values, kind, resource)
        _write_sort_values(values, self._type(kind))
        if kind == "Binary":
            write_security_context(values, resource, self._bases)
        elif kind == "Provenance":
            write_provenance_patient(values, resource, self._bases)
        elif kind == "Appointment":
            write_booking(values, resource, self._bases)
        values.compartments = compartments_of(kind, id_, values.references)
        values.patient = patient_of(kind, id_, values.references)
        inner = list(contained_resources(resource))
        for each in inner:
            add_contained(values, each, self._own(each))
        if len(inner) > 1:  # two of one type may say the same
            _finish(values)
        return values

    def _own(self, resource: JsonObject) -> IndexValues:
        """The values of its parameters."""
        kind = resource["resourceType"]
        compiled, env = self._type(kind), around(resource, kind)
        values = IndexValues()
        for select, writers in compiled.rows.of(resource):
            selected = select(resource, env)
            if selected:
                for write, row in writers:
                    write(values, row, selected)
        for select, place in compiled.places:
            for _, focus, _ in select(resource, env):
                write_composites(values, resource, focus, place, env)
        _finish(values)
        return values

    def _type(self, kind: str) -> _Type:
        version, compiled = self._compiled
        if version != self._registry.version:
            compiled = {}
            self._compiled = (self._registry.version, compiled)
        found = compiled.get(kind)
        if found is None:
            found = compiled[kind] = self._compile(kind)
        return found

    def _compile(self, kind: str) -> _Type:
        parameters = [
            parameter
            for code, parameter in self._registry.indexed(kind).items()
            if parameter.expression is not None and code not in _NOT_INDEXED
        ]
        return _Type(
            rows(kind, parameters, self._bases),
            places(kind, parameters, self._bases, self._registry.defined),
            CHIEF_DATE.get(kind),
            CHIEF_STRING.get(kind),
        )


def _finish(values: IndexValues) -> None:
    """No value twice, no key too long."""
    values.tokens = bounded_keys(values.tokens)
    values.strings = bounded_keys(values.strings)
    values.references = bounded_keys(values.references)
    values.uris = bounded_keys(values.uris)
    values.dates = list(dict.fromkeys(values.dates))
    values.quantities = list(dict.fromkeys(values.quantities))
    values.combined = list(dict.fromkeys(values.combined))


def _write_sort_values(values: IndexValues, compiled: _Type) -> None:
    if compiled.chief_date is not None:
        code = compiled.chief_date
        first = min((each.lo for each in values.dates if each.key == code), default=None)
        values.sort_date = None if first is None else int(first)
    if compiled.chief_string is not None:
        prefix = keys.exact(compiled.chief_string, "")  # the folded ones have parts beside
        texts = [fold(key[len(prefix) :]) for key in values.strings if key.startswith(prefix)]
        if texts:
            values.sort_text, values.sort_text_last = min(texts), max(texts)
