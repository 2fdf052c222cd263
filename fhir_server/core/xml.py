"""FHIR XML and JSON, either way and without loss.

What both must keep: the digits of a decimal, id and extensions of a primitive, gaps in a
repeated one, contained resources, the narrative letter by letter. Comments and processing
instructions say nothing in FHIR and are dropped. The order of elements is free when read, and
the definition's when written.

https://hl7.org/fhir/R4/xml.html
"""

from typing import Final

from fhir_server.core.types import JsonObject
from fhir_server.core.xml_reader import Reader
from fhir_server.core.xml_writer import Writer

MAX_DEPTH: Final = 64
"""Elements within elements. HL7's examples end at 15; questionnaires nest by hand."""


def from_xml(data: bytes, *, max_depth: int = MAX_DEPTH) -> JsonObject:
    """Read one resource.

    Raises:
        Malformed: not XML, a DTD, too deep, an element or attribute the definition lacks.
        BadValue: not UTF-8, a number beyond the limits of `literals`.
    """
    return Reader(data, max_depth).resource()


def to_xml(resource: JsonObject, *, pretty: bool = False) -> bytes:
    """Write `resource`; `pretty` indents by two blanks, outside of the narrative.

    Raises:
        NotAcceptable: the resource breaks its definition, or holds what XML cannot.
    """
    return Writer().document(resource, pretty=pretty)
