"""Parameters with a meaning of their own: `near`, `_list`, `_id`.

https://hl7.org/fhir/R4/search.html#special
https://hl7.org/fhir/R4/location.html#search
"""

from decimal import Decimal, InvalidOperation
from typing import Final

from fhir_server.core.errors import BadValue, NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.paths import ID
from fhir_server.core.quantities import convert
from fhir_server.search.escapes import split, unescape
from fhir_server.search.plan import Ids, Listed, Near, Node, Nothing

BAD_NEAR: Final = Text(
    "`{value}` is not a place: expected latitude|longitude|distance|units in degrees.",
    "`{value}` — не место: ожидается широта|долгота|расстояние|единицы, в градусах.",
    "`{value}` — не місце: очікується широта|довгота|відстань|одиниці, у градусах.",
)
FUNCTIONAL_LIST: Final = Text(
    "Lists by function such as `{value}` are not supported; name a List by its id.",
    "Списки по назначению, такие как `{value}`, не поддерживаются; укажите id ресурса List.",
    "Списки за призначенням, як-от `{value}`, не підтримуються; вкажіть id ресурсу List.",
)

DEFAULT_METRES: Final = 10_000.0
"""Where `near` names no distance, "server discretion"."""
_DEFAULT_UNIT: Final = "km"  # "If the units are omitted, then kms should be assumed"
_MAX_METRES: Final = 20_100_000.0  # half around the Earth: everything
_SHOWN: Final = 64  # characters of a refused value that its message repeats
_PARTS: Final = range(2, 5)


def ids(text: str) -> Node:
    """`_id`; what is no id matches nothing."""
    value = unescape(text)
    return Ids((value,)) if ID.fullmatch(value) else Nothing()


def listed(text: str) -> Node:
    """`_list`: items of a List.

    Raises:
        NotSupported: a list by its function, `$current-…`.
    """
    value = text.removeprefix("List/")
    if value.startswith("$"):
        raise NotSupported(FUNCTIONAL_LIST, value=value[:_SHOWN])
    return Listed(value) if ID.fullmatch(value) else Nothing()


def near(text: str) -> Node:
    """Around `latitude|longitude|distance|units`.

    Raises:
        BadValue: it is no place or no distance.
    """
    parts = split(text, "|")
    try:
        latitude, longitude, *rest = (unescape(part) for part in parts)
        metres = _metres(*rest)
        place = Near(_degrees(longitude, 180), _degrees(latitude, 90), metres)
    except (ValueError, InvalidOperation, TypeError):
        raise BadValue(BAD_NEAR, value=text[:_SHOWN]) from None
    return place


def _degrees(text: str, most: int) -> float:
    value = float(text)
    if not -most <= value <= most:  # false for NaN, too
        raise ValueError(text)
    return value


def _metres(distance: str = "", unit: str = "") -> float:
    if not distance:
        return DEFAULT_METRES
    metres = convert(Decimal(distance), unit or _DEFAULT_UNIT, "m")
    if metres is None or not metres >= 0:
        raise ValueError(unit)
    return min(float(metres), _MAX_METRES)
