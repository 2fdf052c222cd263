"""Parameters that come while the server runs, and the keys compiled before they came.

https://hl7.org/fhir/R4/searchparameter.html
"""

from typing import Any

import pytest

from fhir_server.core.errors import NotSupported, UnknownParameter
from fhir_server.search.plan import Everything, Keys, SortKey, Together
from fhir_server.search.registry import Registry
from fhir_server.spec.search_parameters import SearchParameter, read
from tests.support.searching import compiler

FAMILY = "http://hl7.org/fhir/SearchParameter/individual-family"
URL = "http://example.org/SearchParameter/nickname"


def parameter(code: str = "nickname", **more: Any) -> SearchParameter:
    row = {
        "url": f"http://example.org/SearchParameter/{code}",
        "code": code,
        "type": "token",
        "base": ["Patient"],
        "expression": "Patient.name.where(use = 'nickname').given",
    }
    return read(row | more)


def test_a_parameter_is_usable_when_everything_is_indexed_for_it() -> None:
    registry = Registry()
    own = compiler(registry)
    pairs = [("nickname", "x"), ("_sort", "nickname")]
    with pytest.raises(UnknownParameter, match="not a search parameter"):
        own.search(("Patient",), pairs)
    registry.add(parameter())
    with pytest.raises(UnknownParameter, match=r"\$reindex"):
        own.search(("Patient",), pairs)
    registry.activate(URL)
    found = own.search(("Patient",), pairs)
    assert found.where[0][1] == Keys("tokens", ("nickname|~|x",))
    assert found.sort == ((SortKey("values", "asc", "tokens", "nickname|~|"),),)
    registry.remove(URL)
    with pytest.raises(UnknownParameter):
        own.search(("Patient",), pairs)


def test_a_composite_may_have_parts_of_its_own() -> None:
    registry = Registry()
    registry.add(parameter(), usable=True)
    component = [
        {"definition": URL, "expression": "given"},
        {"definition": FAMILY, "expression": "family"},
    ]
    both = parameter("both", type="composite", expression="Patient.name", component=component)
    registry.add(both, usable=True)
    own = compiler(registry)
    assert isinstance(own.condition("Patient", [("both", "a$b")]), Together)
    registry.remove(URL)
    with pytest.raises(UnknownParameter):
        own.condition("Patient", [("both", "a$b")])


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"type": "special"}, NotSupported),
        ({"type": "token", "expression": None}, NotSupported),
    ],
)
def test_what_has_no_meaning_here_is_not_offered(
    row: dict[str, Any], error: type[Exception]
) -> None:
    registry = Registry()
    registry.add(parameter("odd", **row), usable=True)
    for key in ("odd", "odd:missing"):
        with pytest.raises(error):
            compiler(registry).condition("Patient", [(key, "true")])


def test_a_search_without_criteria_is_of_everything() -> None:
    assert compiler().search(("Patient",), []).where == (("Patient", Everything()),)
