"""Where a Location is: https://hl7.org/fhir/R4/location.html#positional."""

from decimal import Decimal

import pytest

from fhir_server.search.indexing import Indexer
from fhir_server.search.registry import Registry

INDEXER = Indexer(Registry())


@pytest.mark.parametrize(
    ("longitude", "latitude", "expected"),
    [
        ("30.5234", "50.4501", (30.5234, 50.4501)),
        ("-180", "-90", (-180.0, -90.0)),
        ("180", "90", (180.0, 90.0)),
        # no place on the globe, and nothing a geographic index would take
        ("180.01", "0", None),
        ("0", "90.01", None),
        ("1E+400", "0", None),
    ],
)
def test_position(longitude: str, latitude: str, expected: tuple[float, float] | None) -> None:
    place = {"longitude": Decimal(longitude), "latitude": Decimal(latitude)}
    values = INDEXER.values({"resourceType": "Location", "id": "1", "position": place})
    assert values.position == expected


def test_a_location_may_have_none() -> None:
    assert INDEXER.values({"resourceType": "Location", "id": "1"}).position is None
