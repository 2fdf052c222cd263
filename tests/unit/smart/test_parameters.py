"""Parameters: once, and not empty.

https://www.rfc-editor.org/rfc/rfc6749#section-3.1
"""

import pytest

from fhir_server.smart.errors import InvalidRequest
from fhir_server.smart.parameters import MAX_PARAMETERS, filled, parse, required, single


def test_an_empty_parameter_is_not_there() -> None:
    form = single(parse("a=1&b=&c"))
    assert form == {"a": "1"}
    with pytest.raises(InvalidRequest):
        required(form, "b")


def test_a_repeated_one_is_refused_even_where_empty() -> None:
    for text in ("a=1&a=2", "a=1&a=1", "a=&a=1"):
        with pytest.raises(InvalidRequest):
            single(parse(text))


def test_what_cannot_be_read() -> None:
    for text in ("a=%ff", "&".join(f"a{n}=1" for n in range(MAX_PARAMETERS + 1))):
        with pytest.raises(InvalidRequest):
            parse(text)


def test_percent_and_plus() -> None:
    assert filled(parse("a=x+y%20z%2B")) == {"a": "x y z+"}
