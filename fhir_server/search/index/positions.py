"""Index value of `near`: where a Location is.

https://hl7.org/fhir/R4/location.html#positional
"""

from fhir_server.search.index.rows import Row, Values
from fhir_server.search.values import IndexValues

_POLE, _ANTIMERIDIAN = 90, 180


def write_position(values: IndexValues, row: Row, selected: Values) -> None:
    """Longitude and latitude; outside the globe there is no position."""
    del row  # `near` is the one parameter of its kind
    for _, value, _ in selected:
        longitude, latitude = float(value["longitude"]), float(value["latitude"])
        if abs(longitude) <= _ANTIMERIDIAN and abs(latitude) <= _POLE:
            values.position = (longitude, latitude)
