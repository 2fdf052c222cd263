"""https://hl7.org/fhir/R4/search_filter.html"""

import pytest

from fhir_server.core.errors import TooCostly
from fhir_server.search.evaluate import Record, Resources, satisfies
from fhir_server.search.plan import UNRESTRICTED
from fhir_server.search.values import IndexValues
from tests.support.searching import COMPILER, compiler, refusals, stored

PETER = stored("Patient", "given", "string", "Peter")
NAME = {"family": "Row", "given": ["Peter"]}
PETER.strings += stored("Patient", "name", "HumanName", NAME).strings
PETER.dates += stored("Patient", "birthdate", "date", "1974-12-25").dates
PETER.tokens += stored("Patient", "gender", "code", "male").tokens
PETER.tokens += stored(
    "Patient", "identifier", "Identifier", {"system": "urn:mrn", "value": "7"}
).tokens
PETER.references.append("organization|Organization/hl7")
PATIENT = Record("Patient", "peter", 1_700_000_000_000, PETER)
CLINIC = Record(
    "Organization", "hl7", 1, IndexValues(strings=["name|hl7 inc"], tokens=["active|~|true"])
)
ALL = Resources.of([PATIENT, CLINIC], UNRESTRICTED)


def found(text: str) -> bool:
    return satisfies(ALL, PATIENT, COMPILER.condition("Patient", [("_filter", text)]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('given eq "peter"', True),
        ("given eq peter", True),
        ("given eq pet", False),
        ("given ne peter", False),
        ("given ne eve", True),
        ("given sw pet", True),
        ("given co ete", True),
        ("given co x", False),
        ("given ew ter", True),
        ("given ew peter", True),
        ("given ew pet", False),
        ("birthdate eq 1974-12-25", True),
        ("birthdate ge 1974", True),
        ("birthdate gt 1974-12-25", False),
        ("birthdate lt 1975", True),
        ("birthdate le 1973", False),
        ("birthdate sa 1973", True),
        ("birthdate eb 1974-12-25", False),
        ("birthdate ap 1974", True),
        ("birthdate po 1974-12", True),
        ("birthdate po 1975", False),
        ("birthdate pr true", True),
        ("birthdate pr false", False),
        ("death-date pr false", True),
        ("gender eq male", True),
        ("gender ne male", False),
        ("death-date ne 2020", False),
        ("gender in http://hl7.org/fhir/ValueSet/administrative-gender", True),
        ("gender ni http://hl7.org/fhir/ValueSet/administrative-gender", False),
        ("identifier eq urn:mrn|7", True),
        ('identifier eq "urn:mrn|7"', True),
        ("identifier eq urn:mrn|8", False),
        ("organization re Organization/hl7", True),
        ("organization re Organization/x", False),
        ("_lastUpdated ge 2023", True),
        ("_lastUpdated po 2022", False),
        ("_id eq peter", True),
        ("given eq peter and birthdate ge 1974", True),
        ("given eq peter and birthdate ge 1975", False),
        ("given eq eve or birthdate ge 1974", True),
        # `and` binds closer than `or`
        ("given eq peter or given eq eve and birthdate ge 1975", True),
        ("(given eq peter or given eq eve) and birthdate ge 1975", False),
        ("not (given eq eve)", True),
        ("not(given eq peter)", False),
        ("not (given eq eve) and gender eq male", True),
        ("((((given eq peter))))", True),
        ("organization.name sw hl7", True),
        ("organization:Organization.name sw hl7", True),
        ("organization.name sw x", False),
        ("organization[active eq true].name sw hl7", True),
        ("organization[active eq false].name sw hl7", False),
        ("organization[active eq true and name co inc].name sw hl7", True),
        ('name eq "row" and name eq "peter"', True),
    ],
)
def test_a_filter_is_an_expression(text: str, *, expected: bool) -> None:
    assert found(text) is expected


def test_a_quoted_value_may_hold_anything() -> None:
    values = stored("Patient", "given", "string", 'a "b" (c), d\\e')
    record = Record("Patient", "x", 1, values)
    node = COMPILER.condition("Patient", [("_filter", r'given sw "a \"b\" (c), d\\"')])
    assert satisfies(ALL, record, node)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("given", "value"),
        ("given eq", "value"),
        ("given peter", "value"),
        ("eq peter", "value"),
        ("given eq peter birthdate", "value"),
        ("given eq peter and", "value"),
        ("(given eq peter", "value"),
        ("given eq peter)", "value"),
        ("not given eq peter", "value"),
        ("given[", "value"),
        ("organization[active eq true]", "value"),
        ('given eq "peter', "value"),
        ("birthdate pr maybe", "value"),
        ("birthdate gt x", "value"),
        ("foo eq 1", "not-supported"),
        ("organization.foo eq 1", "not-supported"),
        ("gender.foo eq 1", "not-supported"),
        ("gender gt 1", "not-supported"),
        ("gender ew x", "not-supported"),
        ("given in x", "not-supported"),
        ("gender re Patient/1", "not-supported"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, code: str) -> None:
    assert refusals("Patient", f"_filter={text}") == [(code, "_filter")]


@pytest.mark.parametrize(
    "text",
    ["(" * 33 + "given eq a" + ")" * 33, " or ".join(["given eq a"] * 300), "(" * 5_000],
)
def test_a_filter_has_bounds(text: str) -> None:
    with pytest.raises(TooCostly):
        COMPILER.condition("Patient", [("_filter", text)])


def test_links_of_a_filter_count_as_a_chain() -> None:
    with pytest.raises(TooCostly):
        compiler(depth=1).condition("Patient", [("_filter", "organization.partof.name eq x")])
