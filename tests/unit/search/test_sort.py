"""https://hl7.org/fhir/R4/search.html#sort"""

import pytest

from fhir_server.search.plan import SortKey
from fhir_server.search.sorting import CHIEF_DATE, CHIEF_STRING
from fhir_server.spec.search_parameters import of_type
from tests.support.searching import refusals, search


@pytest.mark.parametrize(
    ("kind", "asked", "keys"),
    [
        ("Observation", "_sort=date", (SortKey("chief-date", "asc"),)),
        ("Observation", "_sort=-date", (SortKey("chief-date", "desc"),)),
        ("Patient", "_sort=family", (SortKey("chief-string", "asc"),)),
        ("Patient", "_sort=-_lastUpdated", (SortKey("updated", "desc"),)),
        ("Patient", "_sort=_id", (SortKey("id", "asc"),)),
        ("Patient", "_sort=given", (SortKey("values", "asc", "strings", "given|"),)),
        ("Patient", "_sort=gender", (SortKey("values", "asc", "tokens", "gender|~|"),)),
        ("Patient", "_sort=death-date", (SortKey("values", "asc", "dates", "death-date"),)),
        ("RiskAssessment", "_sort=-probability",
         (SortKey("values", "desc", "quantities", "probability|"),)),
        ("Observation", "_sort=-value-quantity",
         (SortKey("values", "desc", "quantities", "value-quantity|"),)),
        ("Observation", "_sort=subject", (SortKey("values", "asc", "references", "subject|"),)),
        ("ValueSet", "_sort=url", (SortKey("values", "asc", "uris", "url|"),)),
        # "a comma-separated list of sort rules in priority order"
        ("Observation", "_sort=status,-date,_id,category", (
            SortKey("values", "asc", "tokens", "status|~|"),
            SortKey("chief-date", "desc"),
            SortKey("id", "asc"),
        )),
        ("Observation", "_sort=date&_sort=-status,-date", (
            SortKey("chief-date", "asc"), SortKey("values", "desc", "tokens", "status|~|"),
        )),
        ("Observation", "", ()),
    ],
)  # fmt: skip
def test_each_item_is_a_parameter(kind: str, asked: str, keys: tuple[SortKey, ...]) -> None:
    assert search(kind, asked).sort == (keys,)


@pytest.mark.parametrize(
    ("kind", "item", "code"),
    [
        ("Patient", "foo", "not-supported"),
        ("Patient", "-", "not-supported"),
        ("Patient", "--birthdate", "not-supported"),
        ("Patient", "birthdate:asc", "not-supported"),
        ("Patient", "_score", "not-supported"),
        ("Patient", "_text", "not-supported"),
        ("Location", "near", "not-supported"),
        ("Observation", "code-value-quantity", "not-supported"),
        ("Patient", "gender,given,phone,email,active,name,address", "too-costly"),
    ],
)
def test_what_has_no_order_is_refused(kind: str, item: str, code: str) -> None:
    assert refusals(kind, f"_sort={item}") == [(code, "_sort")]


@pytest.mark.parametrize(("kind", "code"), CHIEF_DATE.items())
def test_a_chief_date_is_a_date_of_its_type(kind: str, code: str) -> None:
    assert of_type(kind)[code].type == "date"


@pytest.mark.parametrize(("kind", "code"), CHIEF_STRING.items())
def test_a_chief_string_is_a_string_of_its_type(kind: str, code: str) -> None:
    assert of_type(kind)[code].type == "string"
