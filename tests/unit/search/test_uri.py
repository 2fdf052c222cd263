"""https://hl7.org/fhir/R4/search.html#uri"""

import pytest

from tests.support.searching import matches, refusals, stored


@pytest.mark.parametrize(
    ("query", "value", "found"),
    [
        ("url=http://acme.org/fhir/ValueSet/123", "http://acme.org/fhir/ValueSet/123", True),
        # Precise to the character.
        ("url=http://acme.org/fhir/ValueSet/123", "http://ACME.org/fhir/ValueSet/123", False),
        ("url=http://acme.org/fhir/ValueSet", "http://acme.org/fhir/ValueSet/123", False),
        ("url=urn:oid:1.2.3.4.5", "urn:oid:1.2.3.4.5", True),
        ("url=a,urn:oid:1", "urn:oid:1", True),
        # "any value sets that have a URL that starts with"
        ("url:below=http://acme.org/fhir/", "http://acme.org/fhir/ValueSet/123", True),
        ("url:below=http://acme.org/fhir", "http://acme.org/fhir/ValueSet/123", True),
        ("url:below=http://acme.org/fhir", "http://acme.org/fhir", True),
        ("url:below=http://acme.org/fhir", "http://acme.org/fhirs/ValueSet/123", False),
        # The URL itself, and those it is under.
        ("url:above=http://acme.org/VS/123/_history/5", "http://acme.org/VS/123", True),
        ("url:above=http://acme.org/VS/123/_history/5", "http://acme.org/VS/12", False),
        ("url:above=http://acme.org/VS/123", "http://acme.org/VS/123", True),
        ("url:above=http://acme.org/VS/123", "http://acme.org/", True),
        ("url:above=http://acme.org/VS/123", "http://acme.org", True),
        ("url:above=http://acme.org/VS/123", "http://", False),
        ("url:missing=true", "http://acme.org", False),
    ],
)
def test_a_uri_is_compared_whole_or_by_segments(query: str, value: str, *, found: bool) -> None:
    assert matches("ValueSet", query, stored("ValueSet", "url", "uri", value)) is found


# These modifiers "only apply to URLs, and not URNS such as OIDs".
@pytest.mark.parametrize("modifier", ["above", "below"])
def test_a_urn_has_no_segments(modifier: str) -> None:
    query = f"url:{modifier}=urn:oid:1.2.3&url:{modifier}=x"
    assert refusals("ValueSet", query) == [("value", f"url:{modifier}")] * 2


@pytest.mark.parametrize(
    ("asked", "found"),
    [("http://a.org/v|1", True), ("http://a.org/v|2", False), ("http://a.org/v", True)],
)
def test_the_url_of_a_canonical_resource_may_carry_a_version(
    asked: str, *, found: bool
) -> None:
    values = stored("ValueSet", "url", "uri", "http://a.org/v")
    values.tokens += stored("ValueSet", "version", "string", "1").tokens
    assert matches("ValueSet", f"url={asked}", values) is found
