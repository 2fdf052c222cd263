"""The standard's own examples have index values, and every key fits an index.

https://hl7.org/fhir/R4/resourcelist.html
"""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.keys import MAX_KEY
from fhir_server.search.registry import Registry

SHARED = Path(os.environ.get("FHIR_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
EXAMPLES = sorted((SHARED / "examples").glob("*.json"))
INDEXER = Indexer(Registry(), "http://hl7.org/fhir")

pytestmark = pytest.mark.skipif(not EXAMPLES, reason="the standard's examples are not here")


@pytest.mark.parametrize("letter", sorted({each.name[0] for each in EXAMPLES}))
def test_examples_have_index_values(letter: str) -> None:
    for path in EXAMPLES:
        if not path.name.startswith(letter):
            continue
        resource = {"id": "1", **json.loads(path.read_bytes(), parse_float=Decimal)}
        values = INDEXER.values(resource)
        lists = (values.tokens, values.strings, values.references, values.uris, values.words)
        for keys in lists:
            assert len(keys) == len(set(keys)), path.name
            assert all(len(key) <= MAX_KEY and key.encode() for key in keys), path.name
        for ranged in (*values.dates, *values.quantities):
            assert ranged.lo <= ranged.hi, (path.name, ranged)
