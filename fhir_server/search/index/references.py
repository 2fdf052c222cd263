"""Index values of reference and uri parameters.

References of one server are kept as `Type/id`, without base and version; "a reference to a
contained resource" is kept too, so that the element counts as present. Canonicals are kept as
uris, with and without their version.

https://hl7.org/fhir/R4/search.html#reference
https://hl7.org/fhir/R4/search.html#uri
"""

from typing import Final

from fhir_server.core.references import parse
from fhir_server.core.types import JsonObject
from fhir_server.search.index.rows import Row, Writer, by_type
from fhir_server.search.index.tokens import write_tokens
from fhir_server.search.values import IndexValues


def _reference(values: IndexValues, row: Row, value: JsonObject) -> None:
    target = value.get("reference")
    if target is not None:
        values.references.append(row.lead + parse(target, *row.bases).target)
    if "identifier" in value and row.identifier is not None:
        write_tokens(values, row.identifier, (("Identifier", value["identifier"], None),))


def _uri(values: IndexValues, row: Row, value: str) -> None:
    values.uris.append(row.lead + value)


def _canonical(values: IndexValues, row: Row, value: str) -> None:
    """Under its full text, without `|version`, and without `#fragment`."""
    unversioned = value.partition("|")[0]
    values.uris += (row.lead + value, row.lead + unversioned)
    if "#" in unversioned:
        values.uris.append(row.lead + unversioned.partition("#")[0])


def _canonical_reference(values: IndexValues, row: Row, value: str) -> None:
    """A canonical may also be the address of an instance here: `Questionnaire/1`."""
    _canonical(values, row, value)
    found = parse(value.partition("|")[0], *row.bases)
    if found.kind == "local":
        values.references.append(row.lead + found.target)


def _resource(values: IndexValues, row: Row, value: JsonObject) -> None:
    """A resource inside this one (`Bundle.entry.resource`) is named by its own id."""
    if "id" in value:
        values.references.append(f"{row.lead}{value['resourceType']}/{value['id']}")


write_references: Final[Writer] = by_type(
    {
        "Reference": _reference,
        "canonical": _canonical_reference,
        "uri": _canonical_reference,
        "Resource": _resource,
    }
)
write_uris: Final[Writer] = by_type({"uri": _uri, "canonical": _canonical})
