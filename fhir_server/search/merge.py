"""One result over several types: in the order of the sort, then of the type, then of the id.

A store answers for one type at a time. These functions say where each type goes on from a
place in the common order, and join what the types give.

https://hl7.org/fhir/R4/search.html#type
"""

from collections.abc import Iterable, Sequence
from functools import cmp_to_key
from typing import Final, Protocol, TypeVar

from fhir_server.search.cursor import Place
from fhir_server.search.plan import After, Direction, SortKey

Values = tuple[str | float | None, ...]

_FIRST_ID: Final = ""
_LAST_ID: Final = "\x7f"  # ids are ASCII letters, digits, `-` and `.`
_LOWEST: Final = " "  # below each of these


class Sorted(Protocol):
    """A row as a store gives it."""

    @property
    def type(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def sort_values(self) -> Values: ...


R = TypeVar("R", bound=Sorted)


def id_direction(sort: Sequence[SortKey]) -> Direction:
    """The id follows the other keys in the direction of the first (`Search.sort`)."""
    return sort[0].direction if sort else "asc"


def start(place: Place | None, kind: str, sort: Sequence[SortKey]) -> After | None:
    """Where the rows of `kind` go on from `place`; None: they are wanted from their end."""
    if place is None:
        return None
    if place.type == kind:
        return place.after
    after = place.after
    if sort and sort[-1].by == "id":
        return _start_by_id(after, sort[-1], is_later=kind > place.type)
    ends = (_FIRST_ID, _LAST_ID) if id_direction(sort) == "asc" else (_LAST_ID, _FIRST_ID)
    # Rows with equal values: all of an earlier type stand before the place, all of a later
    # type behind it.
    return After(after.values, ends[kind < place.type], after.backward)


def _start_by_id(after: After, key: SortKey, *, is_later: bool) -> After:
    """Where the id itself is sorted by, an equal one in a later type stands behind the
    place, and one in an earlier type before it."""
    id_ = after.id
    if is_later != after.backward:  # an equal one is among the rows wanted
        id_ = _just_before(id_, key.direction, backward=after.backward)
    return After((*after.values[:-1], id_), id_, after.backward)


def turned(place: Place, sort: Sequence[SortKey]) -> Place:
    """From where one walks the other way, the row at `place` first."""
    after = place.after
    backward = not after.backward
    is_by_id = bool(sort) and sort[-1].by == "id"
    direction = sort[-1].direction if is_by_id else id_direction(sort)
    id_ = _just_before(after.id, direction, backward=backward)
    values = (*after.values[:-1], id_) if is_by_id else after.values
    return Place(place.type, After(values, id_, backward))


def _just_before(id_: str, direction: Direction, *, backward: bool) -> str:
    """What no id stands between and `id_`, on a walk of ids in `direction`."""
    is_below = (direction == "asc") != backward
    return id_[:-1] + chr(ord(id_[-1]) - 1) + _LAST_ID if is_below else id_ + _LOWEST


def first_rows(rows: Iterable[R], sort: Sequence[SortKey]) -> list[R]:
    """`rows` of several types in their common order."""
    descending = [key.direction == "desc" for key in sort]
    ids_descend = id_direction(sort) == "desc"

    def compare(one: R, two: R) -> int:
        for left, right, is_desc in zip(
            one.sort_values, two.sort_values, descending, strict=False
        ):
            order = _order(left, right, is_desc=is_desc)
            if order:
                return order
        if one.type != two.type:
            return -1 if one.type < two.type else 1
        return _order(one.id, two.id, is_desc=ids_descend)

    return sorted(rows, key=cmp_to_key(compare))


def _order(one: str | float | None, two: str | float | None, *, is_desc: bool) -> int:
    """A resource without a value comes last, in either direction."""
    if one is None or two is None:
        return (one is None) - (two is None)
    less = one < two  # type: ignore[operator]  # one sort key gives values of one type
    return 0 if one == two else (-1 if less != is_desc else 1)
