"""Search type -> writer of its index values.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.search.index.dates import write_dates
from fhir_server.search.index.positions import write_position
from fhir_server.search.index.quantities import write_quantities
from fhir_server.search.index.references import write_references, write_uris
from fhir_server.search.index.rows import Writer
from fhir_server.search.index.strings import write_strings
from fhir_server.search.index.tokens import write_tokens
from fhir_server.spec.search_parameters import SearchType

WRITERS: Final[Mapping[SearchType, Writer]] = {
    "token": write_tokens,
    "string": write_strings,
    "date": write_dates,
    "number": write_quantities,
    "quantity": write_quantities,
    "reference": write_references,
    "uri": write_uris,
    "special": write_position,
}
