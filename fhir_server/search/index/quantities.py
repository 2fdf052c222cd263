"""Index values of number and quantity parameters, as doubles.

A quantity stands under its unit as written (with its system, and alone), under the UCUM base
unit it converts to, and under no unit. Precision belongs to the searched value, not to the
stored one: what is stored is a point, unless a comparator or a Range says otherwise.

https://hl7.org/fhir/R4/search.html#quantity
https://hl7.org/fhir/R4/search.html#number
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import inf, nextafter
from typing import Final

from fhir_server.core.quantities import canonical
from fhir_server.core.types import JsonObject
from fhir_server.search import keys
from fhir_server.search.index.rows import Row, Writer, by_type
from fhir_server.search.values import IndexValues, Ranged

UCUM: Final = "http://unitsofmeasure.org"
#: https://hl7.org/fhir/R4/datatypes.html#Money
CURRENCIES: Final = "urn:iso:std:iso:4217"

Number = Decimal | int | float


def _double(value: Number) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def _number(values: IndexValues, row: Row, value: Number) -> None:
    point = _double(value)
    values.quantities.append(Ranged(keys.any_quantity(row.code), point, point))


def _quantity(values: IndexValues, row: Row, value: JsonObject) -> None:
    number = value.get("value")
    if number is None:
        return
    comparator = value.get("comparator", "")
    below, above = _ENDS[comparator]
    found = _under_units(row, value, number if below else None, number if above else None)
    values.quantities += map(_EXCLUDED[comparator], found) if comparator in _EXCLUDED else found


#: Whether the number is the lower, the upper end of what the comparator means.
_ENDS: Final = {
    "": (True, True),
    "<": (False, True),
    "<=": (False, True),
    ">": (True, False),
    ">=": (True, False),
}

#: "The actual value is less than the given value": the number itself lies outside.
_EXCLUDED: Final[Mapping[str, Callable[[Ranged], Ranged]]] = {
    "<": lambda found: found._replace(hi=nextafter(found.hi, -inf)),
    ">": lambda found: found._replace(lo=nextafter(found.lo, inf)),
}


def _under_units(
    row: Row, unit: JsonObject, low: Number | None, high: Number | None
) -> list[Ranged]:
    """`low` to `high` under every key of `unit`; None is open."""
    lead = row.lead
    found = _spans(unit.get("system"), unit.get("code"), unit.get("unit"), low, high)
    return [Ranged(lead + key, lo, hi) for key, lo, hi in found]


# One quantity is written for up to four parameters, one after the other.
@lru_cache(maxsize=1024)
def _spans(
    system: str | None,
    code: str | None,
    unit: str | None,
    low: Number | None,
    high: Number | None,
) -> tuple[Ranged, ...]:
    """The keys, without the parameter, and ends of a quantity."""
    lo = -inf if low is None else _double(low)
    hi = inf if high is None else _double(high)
    written = ["", *(f"|{each}" for each in dict.fromkeys((code, unit)) if each is not None)]
    if code is not None and system is not None:
        written.append(f"{system}|{code}")
    base = _in_base_units(code, low, high) if code is not None and system == UCUM else ()
    return (*(Ranged(key, lo, hi) for key in written), *base)


def _in_base_units(code: str, low: Number | None, high: Number | None) -> tuple[Ranged, ...]:
    least = _canonical(low, code)
    most = least if low is high else _canonical(high, code)
    found = least or most
    if found is None:
        return ()
    lo = -inf if least is None else _double(least[0])
    hi = inf if most is None else _double(most[0])
    return (Ranged(keys.canonical_quantity("", found[1]).removeprefix("|"), lo, hi),)


def _canonical(value: Number | None, code: str) -> tuple[Decimal, str] | None:
    return None if value is None else canonical(_decimal(value), code)


def _range(values: IndexValues, row: Row, value: JsonObject) -> None:
    """Both ends belong to it; a missing one is open."""
    low, high = value.get("low", {}), value.get("high", {})
    if "value" in low or "value" in high:
        unit = low if "value" in low else high
        values.quantities += _under_units(row, unit, low.get("value"), high.get("value"))


def _money(values: IndexValues, row: Row, value: JsonObject) -> None:
    if "value" in value:
        unit = {"system": CURRENCIES, "code": value["currency"]} if "currency" in value else {}
        values.quantities += _under_units(row, unit, value["value"], value["value"])


def _sampled(values: IndexValues, row: Row, value: JsonObject) -> None:
    """The extent of the samples: from the least to the greatest, in units of the origin."""
    origin = value.get("origin", {})
    samples = [found for each in value.get("data", "").split() if (found := _sample(each))]
    if samples and "value" in origin:
        zero, factor = _decimal(origin["value"]), _decimal(value.get("factor", 1))
        ends = [zero + factor * each for each in (min(samples)[0], max(samples)[0])]
        values.quantities += _under_units(row, origin, min(ends), max(ends))


def _decimal(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _sample(text: str) -> tuple[Decimal] | None:
    """`E`, `U` and `L` stand for values that were not measured."""
    try:
        return (Decimal(text),)
    except InvalidOperation:
        return None


write_quantities: Final[Writer] = by_type(
    {
        "integer": _number,
        "decimal": _number,
        "Quantity": _quantity,
        "Range": _range,
        "Money": _money,
        "SampledData": _sampled,
    }
)
