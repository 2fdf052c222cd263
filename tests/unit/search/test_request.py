"""https://hl7.org/fhir/R4/search.html#Introduction: result parameters, errors, limits."""

import pytest

from fhir_server.core.errors import BadValue, Invalid, TooCostly, UnknownParameter
from fhir_server.search.plan import Everything, Keys
from fhir_server.search.request import SearchRequest
from fhir_server.spec.structures import RESOURCE_TYPES
from tests.support.searching import COMPILER, compiler, pairs, refusals, search


def request(query: str) -> SearchRequest:
    return search("Patient", query).request


@pytest.mark.parametrize(
    ("query", "count", "summary"),
    [
        ("", None, "false"),
        ("_count=10", 10, "false"),
        ("_count=999999999999999999999", 10**9, "false"),
        # No rows wanted is the count alone wanted.
        ("_count=0", 0, "count"),
        ("_summary=count", None, "count"),
        ("_summary=true", None, "true"),
        ("_count=1&_count=2", 2, "false"),
        ("_count=", None, "false"),
    ],
)
def test_count_and_summary(query: str, count: int | None, summary: str) -> None:
    assert (request(query).count, request(query).summary) == (count, summary)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_count", "-1"),
        ("_count", "ten"),
        ("_count", "1.5"),
        ("_count", "٣"),
        ("_summary", "yes"),
        ("_total", "some"),
        ("_type", "Foo"),
        ("_explain", "1"),
    ],
)
def test_an_unusable_value_is_refused(name: str, value: str) -> None:
    assert refusals("Patient", f"{name}={value}") == [("value", name)]


@pytest.mark.parametrize("name", ["_include:foo", "_foo", "_has", "_format:x:y", "__proto__"])
def test_an_unknown_parameter_with_an_underscore_is_refused(name: str) -> None:
    assert refusals("Patient", f"{name}=x") == [("not-supported", name)]


def test_elements_and_types_are_lists() -> None:
    assert request("_elements=name,birthDate&_elements=gender").elements == (
        "name",
        "birthDate",
        "gender",
    )
    found = COMPILER.search(RESOURCE_TYPES, pairs("_type=Patient,Observation&_type=Patient"))
    assert [kind for kind, _ in found.where] == ["Observation", "Patient"]


# "Empty parameters are not an error - they are just ignored by the server."
def test_empty_parameters_are_ignored_in_a_search() -> None:
    found = search("Patient", "name=&foo=&gender=male&_sort=")
    assert found.where == (("Patient", Keys("tokens", ("gender|~|male",))),)
    assert found.request.kept == (("gender", "male"),)


# "the server SHALL return the parameters that were actually used": search.html#conformance
def test_of_a_result_parameter_that_stands_twice_the_last_is_used_and_told() -> None:
    found = request("_count=0&name=a&_total=none&_count=2&_total=accurate&name=b")
    assert (found.count, found.total, found.summary) == (2, "accurate", "false")
    kept = (("name", "a"), ("_count", "2"), ("_total", "accurate"), ("name", "b"))
    assert found.kept == kept


@pytest.mark.parametrize(
    "name",
    ["_sort:desc", "_count:x", "_total:exact", "_summary:not", "_elements:x", "_contained:x",
     "_type:not"],
)  # fmt: skip
def test_what_shapes_the_result_has_no_modifiers(name: str) -> None:
    assert refusals("Patient", f"{name}=1") == [("not-supported", name)]


@pytest.mark.parametrize(
    "condition",
    ["name=", "name=,", "gender=male&name=", "foo=1", "_count=1", "_sort=name", "_type=Patient",
     "_include=Patient:organization", "_elements=name"],
)  # fmt: skip
def test_a_condition_of_a_write_must_select(condition: str) -> None:
    with pytest.raises(Invalid):
        COMPILER.condition("Patient", pairs(condition))


def test_a_condition_may_carry_what_belongs_to_the_wire() -> None:
    node = COMPILER.condition("Patient", pairs("gender=male&_format=json&_pretty=true"))
    assert node == Keys("tokens", ("gender|~|male",))


# With the preference for lenient handling.
def test_lenient_handling_leaves_out_what_is_unknown_and_says_so() -> None:
    good = "_include=Patient:organization"
    query = f"gender=male&foo=1&name:foo=2&_query=x&_sort=bar&_include=Patient:bar&{good}"
    found = search("Patient", query, lenient=True)
    assert found.where[0][1] == Keys("tokens", ("gender|~|male",))
    assert found.request.kept == (("gender", "male"), ("_include", "Patient:organization"))
    assert found.sort == ((),)
    assert [each.code for each in found.includes] == ["organization"]
    assert {issue.expression for issue in found.ignored} == {
        ("foo",), ("name:foo",), ("_query",), ("_sort",), ("_include",),
    }  # fmt: skip


def test_lenient_handling_does_not_forgive_a_bad_value() -> None:
    query = "birthdate=yesterday&foo=1"
    assert refusals("Patient", query, lenient=True) == [("value", "birthdate")]


def test_several_types_share_their_parameters() -> None:
    found = COMPILER.search(("Observation", "Encounter"), pairs("date=2024&_sort=-date"))
    assert [kind for kind, _ in found.where] == ["Observation", "Encounter"]
    with pytest.raises(UnknownParameter):
        COMPILER.search(("Observation", "Patient"), pairs("code=x"))
    lenient = COMPILER.search(("Observation", "Patient"), pairs("code=x"), lenient=True)
    assert [node for _, node in lenient.where] == [Everything(), Everything()]
    assert lenient.request.kept == ()


# Bounds, told before any work.
@pytest.mark.parametrize(
    "query",
    [
        "identifier=" + ",".join(map(str, range(10_000))),
        "birthdate=" + ",".join(f"{year}" for year in range(1000, 1300)),
        "&".join(f"name={n}" for n in range(101)),
        "name=" + "x" * 200_001,
    ],
)
def test_too_much_is_too_costly(query: str) -> None:
    with pytest.raises(TooCostly):
        search("Patient", query)


def test_a_thousand_values_are_one_lookup() -> None:
    node = search("Patient", "identifier=" + ",".join(map(str, range(1_500)))).where[0][1]
    assert isinstance(node, Keys)
    assert len(node.keys) == 1_500


def test_expansions_are_bounded() -> None:
    url = "http://hl7.org/fhir/ValueSet/administrative-gender"
    with pytest.raises(TooCostly):
        compiler(concepts=3).condition("Patient", [("gender:in", url)])


@pytest.mark.parametrize(
    "pair",
    [("name", "a\0b"), ("na\0me", "x"), ("name", "\ud800"), ("\udfff", "x"), ("_count", "\0")],
)
def test_characters_that_no_resource_holds_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(BadValue):
        COMPILER.search(("Patient",), [pair])
