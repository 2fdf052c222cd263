"""Values of operation parameters, from text or JSON, refused where they do not fit.

https://hl7.org/fhir/R4/operations.html#executing
"""

from typing import Any, Final

from fhir_server.core.datetimes import Interval, parse_interval
from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text
from fhir_server.spec.structures import RESOURCE_TYPES

NOT_A_COUNT: Final = Text(
    "`{name}` is a whole number from {least} on, not `{value}`.",
    "`{name}` — целое число не меньше {least}, а не `{value}`.",
    "`{name}` — ціле число не менше {least}, а не `{value}`.",
)
NOT_A_FLAG: Final = Text(
    "`{name}` is true or false, not `{value}`.",
    "`{name}` — это true или false, а не `{value}`.",
    "`{name}` — це true або false, а не `{value}`.",
)
NOT_A_DATE: Final = Text(
    "`{name}` is a date or time, not `{value}`.",
    "`{name}` — дата или время, а не `{value}`.",
    "`{name}` — дата або час, а не `{value}`.",
)
NOT_A_TYPE: Final = Text(
    "`{value}` in `{name}` is not a resource type.",
    "`{value}` в `{name}` — не тип ресурса.",
    "`{value}` у `{name}` — не тип ресурсу.",
)

_LONGEST: Final = 9  # digits
_TYPES: Final = frozenset(RESOURCE_TYPES)


def count(name: str, value: Any, *, least: int = 0) -> int | None:
    """A whole number not below `least`; None for None.

    Raises:
        BadValue: it is none.
    """
    if value is None:
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST and int(text) >= least):
        raise BadValue(NOT_A_COUNT, name=name, least=least, value=text[:40], expression=name)
    return int(text)


def flag(name: str, value: Any) -> bool:
    """A boolean, from text or JSON; false for None.

    Raises:
        BadValue: it is none.
    """
    if value in (None, False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise BadValue(NOT_A_FLAG, name=name, value=str(value)[:40], expression=name)


def moment(name: str, value: Any) -> Interval | None:
    """A date of any precision; None for None.

    Raises:
        BadValue: it is none.
    """
    if value is None:
        return None
    try:
        return parse_interval(str(value))
    except BadValue as error:
        raise BadValue(NOT_A_DATE, name=name, value=str(value)[:40], expression=name) from error


def types(name: str, values: list[Any]) -> frozenset[str]:
    """Resource types, separated by commas or repeated; empty: none was named.

    Raises:
        BadValue: one of them R4 does not have.
    """
    found = [each.strip() for value in values for each in str(value).split(",") if each.strip()]
    for each in found:
        if each not in _TYPES:
            raise BadValue(NOT_A_TYPE, name=name, value=each[:80], expression=name)
    return frozenset(found)
