"""Nodes as System values, and what equal, equivalent, less and distinct mean for them.

https://hl7.org/fhirpath/N1/#equality
https://hl7.org/fhir/R4/fhirpath.html#types
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, Final

from fhir_server.core.types import JsonObject
from fhir_server.fhirpath import quantity as quantities
from fhir_server.fhirpath import temporal as temporals
from fhir_server.fhirpath.errors import MISFIT, SEVERAL, EvaluationFault
from fhir_server.fhirpath.model import PRIMITIVES, QUANTITIES, Item, system_type
from fhir_server.fhirpath.quantity import CALENDAR, Quantity
from fhir_server.fhirpath.temporal import Temporal

_WIDE: Final = Context(prec=400)
_LARGE: Final = 300  # digits; beyond, only equal numbers are equivalent
UCUM: Final = "http://unitsofmeasure.org"


def _decimal(value: Any) -> Any:
    if type(value) is int:
        return Decimal(value)
    return Decimal(repr(value)) if type(value) is float else value


def _text(read: Callable[[str], Temporal | None]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        return read(value) or value if type(value) is str else value

    return of


def _same(value: Any) -> Any:
    return value


_PRIMITIVE: Final[Mapping[str, Callable[[Any], Any]]] = dict.fromkeys(PRIMITIVES, _same) | {
    "decimal": _decimal,
    "date": _text(temporals.parse_date),
    "dateTime": _text(temporals.parse_date_time),
    "instant": _text(temporals.parse_date_time),
    "time": _text(temporals.parse_time),
}


def system(item: Item) -> Item:
    """The System value of an item; None for a primitive without one; complex nodes as are."""
    if type(item) is not tuple:
        return item
    kind, value, _ = item
    read = _PRIMITIVE.get(kind)
    if read is not None:
        return None if value is None else read(value)
    if kind in QUANTITIES:
        return fhir_quantity(value) or item
    return item


def fhir_quantity(value: JsonObject) -> Quantity | None:
    """A FHIR Quantity as a System one; None without a value, or with a comparator.

    https://hl7.org/fhir/R4/fhirpath.html#quantity
    """
    number = value.get("value")
    if number is None or isinstance(number, (str, bool)) or "comparator" in value:
        return None
    unit = value.get("unit")
    code = value.get("code") if value.get("system") == UCUM else None
    if code is None and unit in CALENDAR:
        return Quantity(_decimal(number), CALENDAR[unit], calendar=True)
    return Quantity(_decimal(number), code or unit or "1")


def is_number(value: Item) -> bool:
    return isinstance(value, (int, Decimal)) and value is not True and value is not False


def as_quantity(value: Item) -> Quantity | None:
    """A Quantity, or a number as one."""
    if isinstance(value, Quantity):
        return value
    return Quantity(Decimal(value)) if is_number(value) else None


def described(value: Item) -> str:
    """The type of an item, for a message."""
    return value[0] if type(value) is tuple else system_type(value)


# --- equality


def equal(one: Item, two: Item) -> bool | None:
    """`=` of two items; None where it cannot be known."""
    left, right = system(one), system(two)
    if left is None or right is None:
        return None
    if type(left) is type(right):
        if type(left) is tuple:
            return left[1] == right[1]  # type: ignore[no-any-return] # JSON values
        if type(left) is Temporal:
            return temporals.equal(left, right)
        if type(left) is Quantity:
            return quantities.equal(left, right)
        return bool(left == right)
    if is_number(left) and is_number(right):
        return bool(left == right)
    if Quantity in (type(left), type(right)):
        first, second = as_quantity(left), as_quantity(right)
        return quantities.equal(first, second) if first and second else False
    return isinstance(left, str) and isinstance(right, str) and left == right


def all_equal(left: list[Item], right: list[Item]) -> bool | None:
    """`=` of two collections: in order; unknown where either is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    known: bool | None = True
    for one, two in zip(left, right, strict=True):
        same = equal(one, two)
        if same is False:
            return False
        if same is None:
            known = None
    return known


def equivalent(one: Item, two: Item) -> bool:
    """`~` of two items."""
    return equivalence_key(one) == equivalence_key(two) or _close(system(one), system(two))


def _close(left: Item, right: Item) -> bool:
    """Numbers "rounded to the precision of the least precise operand"; quantities likewise."""
    if is_number(left) and is_number(right):
        first, second = Decimal(left), Decimal(right)
        if max(first.adjusted(), second.adjusted()) > _LARGE:
            return False
        digits = min(decimals(first), decimals(second))
        unit = Decimal(1).scaleb(-digits)
        return first.quantize(unit, context=_WIDE) == second.quantize(unit, context=_WIDE)
    first_q, second_q = as_quantity(left), as_quantity(right)
    if first_q is None or second_q is None:
        return False
    converted = quantities.in_unit(second_q, first_q.code)
    return converted is not None and _close(first_q.value, converted.value)


def decimals(value: Decimal) -> int:
    """Digits after the point, trailing zeroes left aside."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def all_equivalent(left: list[Item], right: list[Item]) -> bool:
    """`~` of two collections, in any order."""
    if len(left) != len(right):
        return False
    waiting = list(right)
    for one in left:
        found = next((i for i, two in enumerate(waiting) if equivalent(one, two)), None)
        if found is None:
            return False
        del waiting[found]
    return True


# --- keys: items are distinct where their keys are


def key(item: Item) -> object:
    """Hashable; equal for items that are surely equal."""
    return _key(system(item), item)


def _key(value: Item, item: Item) -> object:
    match value:
        case bool():
            return ("Boolean", value)
        case int() | Decimal():
            return ("1", value)
        case str():
            return value
        case Temporal() | Quantity():
            return (type(value).__name__, value.fingerprint)
        case None:
            return ("absent", frozen(item[2]))
        case _:
            return frozen(value[1])


def frozen(value: object) -> object:
    """JSON as something hashable, equal where the JSON is."""
    match value:
        case dict():
            return frozenset((name, frozen(part)) for name, part in value.items())
        case list():
            return tuple(frozen(part) for part in value)
        case bool():
            return ("Boolean", value)
        case _:
            return value


def equivalence_key(item: Item) -> object:
    """As `key`, with "ignoring case and whitespace" of strings, and no order in lists."""
    value = system(item)
    if isinstance(value, str):
        return _loose(value)
    return _loose_json(value[1]) if type(value) is tuple else _key(value, item)


def _loose(text: str) -> str:
    return " ".join(text.casefold().split())


def _loose_json(value: object) -> object:
    match value:
        case dict():
            parts = ((name, _loose_json(part)) for name, part in value.items() if name != "id")
            return frozenset(parts)
        case list():
            return frozenset(_loose_json(part) for part in value)
        case str():
            return _loose(value)
        case _:
            return frozen(value)


def distinct(items: Iterable[Item]) -> list[Item]:
    """The first of each kind of equal items."""
    found: dict[object, Item] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())


# --- order


def order(left: Item, right: Item, what: str) -> int | Decimal | None:
    """The sign of `left - right` as a number; None where it cannot be known.

    Raises:
        EvaluationFault: the types have no common order.
    """
    one, two = system(left), system(right)
    if one is None or two is None:
        return None
    if is_number(one) and is_number(two):
        return (one > two) - (one < two)  # type: ignore[no-any-return] # numbers
    if isinstance(one, str) and isinstance(two, str):
        return (one > two) - (one < two)
    if (
        isinstance(one, Temporal)
        and isinstance(two, Temporal)
        and temporals.same_family(one, two)
    ):
        return temporals.compare(one, two)
    first, second = as_quantity(one), as_quantity(two)
    if first is not None and second is not None:
        return quantities.compare(first, second)
    raise EvaluationFault(MISFIT, what=f"`{what}`", kind=f"{described(one)}, {described(two)}")


def single(items: list[Item], what: str) -> Item:
    """The one item's System value; None of an empty collection.

    Raises:
        EvaluationFault: there are several.
    """
    if len(items) > 1:
        raise EvaluationFault(SEVERAL, what=f"`{what}`", count=len(items))
    return system(items[0]) if items else None


def truth(items: list[Item], what: str) -> bool | None:
    """A collection as a condition: "a single item … is evaluated as true".

    https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
    """
    if not items:
        return None
    value = single(items, what)
    return value if value is None or value is False else True
