"""URLs below the base: https://hl7.org/fhir/R4/http.html#general."""

import pytest

from fhir_server.core.errors import NotFound, UnknownType
from fhir_server.core.paths import Target, parse


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", Target("system")),
        ("/", Target("system")),
        ("/metadata", Target("metadata")),
        ("/_search", Target("system/_search")),
        ("/_history", Target("system/_history")),
        ("/$reindex", Target("operation", operation="$reindex")),
        ("/Patient", Target("type", "Patient")),
        ("/Patient/", Target("type", "Patient")),
        ("/Patient/_search", Target("type/_search", "Patient")),
        ("/Patient/_history", Target("type/_history", "Patient")),
        ("/Patient/$validate", Target("operation", "Patient", operation="$validate")),
        ("/Patient/1", Target("instance", "Patient", "1")),
        ("Patient/1", Target("instance", "Patient", "1")),
        ("/Patient/a%2Db", Target("instance", "Patient", "a-b")),
        ("/Patient/1/_history", Target("instance/_history", "Patient", "1")),
        ("/Patient/1/_history/3", Target("version", "Patient", "1", "3")),
        (
            "/Patient/1/_history/3/$meta",
            Target("operation", "Patient", "1", "3", "$meta"),
        ),
        ("/Patient/1/$everything", Target("operation", "Patient", "1", None, "$everything")),
        ("/Patient/1/Observation", Target("compartment", "Patient", "1", member="Observation")),
        ("/Patient/1/*", Target("compartment", "Patient", "1", member="*")),
        (
            "/Patient/1/Observation/_search",
            Target("compartment/_search", "Patient", "1", member="Observation"),
        ),
    ],
)
def test_a_path_names_its_target(path: str, expected: Target) -> None:
    assert parse(path) == expected


@pytest.mark.parametrize("path", ["/Foo", "/patient/1", "/Patient/1/Foo", "/DomainResource"])
def test_a_type_that_r4_does_not_have_is_refused(path: str) -> None:
    with pytest.raises(UnknownType):
        parse(path)


@pytest.mark.parametrize(
    "path",
    ["/_foo", "/Patient/_foo", "/Patient/1/2/3/4", "/Observation/1/Patient", "/metadata/1"],
)
def test_a_path_of_no_interaction_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        parse(path)
