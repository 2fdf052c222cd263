"""Parameters of a query or a form: each at most once, an empty one as if it were not there.

"Parameters sent without a value MUST be treated as if they were omitted from the request.
[…] Request and response parameters MUST NOT be included more than once."

https://www.rfc-editor.org/rfc/rfc6749#section-3.1
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from fhir_server.smart.errors import InvalidRequest

MAX_PARAMETERS: Final = 200

Pairs = Sequence[tuple[str, str]]


def parse(text: str) -> Pairs:
    """The pairs of a query string or form.

    Raises:
        InvalidRequest: it is no UTF-8, or far too much.
    """
    try:
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise InvalidRequest("The parameters cannot be read.") from error


def repeated(pairs: Pairs) -> frozenset[str]:
    """The names that stand there more than once."""
    return frozenset(
        name for name, count in Counter(name for name, _ in pairs).items() if count > 1
    )


def filled(pairs: Pairs) -> Mapping[str, str]:
    """The parameters that have a value."""
    return {name: value for name, value in pairs if value}


def single(pairs: Pairs) -> Mapping[str, str]:
    """The same, where nothing is repeated.

    Raises:
        InvalidRequest: something is.
    """
    if repeated(pairs):
        raise InvalidRequest("A parameter is repeated.")
    return filled(pairs)


def required(form: Mapping[str, str], name: str) -> str:
    """The value of a parameter that has to be there.

    Raises:
        InvalidRequest: it is not.
    """
    value = form.get(name)
    if value is None:
        raise InvalidRequest(f"The parameter {name} is missing.")
    return value
