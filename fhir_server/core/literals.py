"""Numbers as FHIR JSON writes them: exact, and with the digits of whoever wrote them.

"The precision of the decimal value has significance" and "implementations SHALL handle
decimal values in ways that preserve and respect the precision": a number read is a `Decimal`;
where `Decimal` would write it otherwise (`1e3`, `0.0000001`) it is a `Literal`, which knows
its text.

https://hl7.org/fhir/R4/datatypes.html#decimal
"""

from decimal import Decimal, InvalidOperation
from typing import Final, Self

from typing_extensions import override

from fhir_server.core.errors import BadValue
from fhir_server.core.messages import Text

TOO_LONG: Final = Text(
    "A number has more than {limit} characters.",
    "В числе больше {limit} символов.",
    "У числі понад {limit} символів.",
)
OUT_OF_RANGE: Final = Text(
    "The number `{number}` is beyond what this server can compare.",
    "Число `{number}` вне пределов, в которых сервер может сравнивать.",
    "Число `{number}` поза межами, у яких сервер може порівнювати.",
)

MAX_LENGTH: Final = 300
"""Characters of a number. Indexes compare doubles, which end at 1.8e308; FHIR promises 18."""
MAX_EXPONENT: Final = 300
"""Of ten, either way; 1e999999999 would take a gigabyte the moment someone expands it."""

# From here on `str(Decimal(text))` may need an exponent: 0.0000001 is 1E-7.
_SHORTEST_SCIENTIFIC: Final = len("0.0000001")


class Literal(Decimal):
    """A decimal that keeps its text; never changed, so every copy is itself."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        self = super().__new__(cls, text)
        self.text = text
        return self

    @override
    def __copy__(self) -> Self:
        return self

    @override
    def __deepcopy__(self, memo: dict[int, object], /) -> Self:
        return self

    @override
    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)


def number(text: str) -> Decimal:
    """Read a JSON number with a fraction or an exponent.

    Raises:
        BadValue: too many digits, or an exponent beyond `MAX_EXPONENT`.
    """
    _check_length(text)
    if "e" in text or "E" in text:
        return _scientific(text)
    value = Decimal(text)
    if len(text) >= _SHORTEST_SCIENTIFIC and str(value) != text:
        return Literal(text)
    return value


def _scientific(text: str) -> Literal:
    try:
        value = Literal(text)
    except InvalidOperation:
        raise BadValue(OUT_OF_RANGE, number=text) from None
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise BadValue(OUT_OF_RANGE, number=text)
    return value


def integer(text: str) -> int | Decimal:
    """Read a JSON number without either; `-0` stays what it is.

    Raises:
        BadValue: too many digits.
    """
    _check_length(text)
    return Decimal(text) if text == "-0" else int(text)


def to_text(value: Decimal) -> str:
    """The digits a number was read from; `str` would write `1e3` as `1E+3`."""
    return value.text if isinstance(value, Literal) else str(value)


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise BadValue(TOO_LONG, limit=MAX_LENGTH)
