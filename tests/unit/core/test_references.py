"""References: https://hl7.org/fhir/R4/references.html."""

import pytest

from fhir_server.core.references import Reference, parse, split_canonical

BASE = "https://clinic.example/fhir"
UUID = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
FAR = "https://far.example/fhir/Patient/1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient/1", Reference("local", "Patient/1", "Patient", "1")),
        (f"{BASE}/Patient/1", Reference("local", "Patient/1", "Patient", "1")),
        ("Patient/1/_history/2", Reference("local", "Patient/1", "Patient", "1", "2")),
        (FAR, Reference("foreign", FAR, "Patient", "1")),
        (f"{FAR}/_history/7", Reference("foreign", FAR, "Patient", "1", "7")),
        # A longer path on the same host is another base.
        (
            f"{BASE}/x/Patient/1",
            Reference("foreign", f"{BASE}/x/Patient/1", "Patient", "1"),
        ),
        ("#p1", Reference("contained", "#p1", id="p1")),
        ("#", Reference("contained", "#", id="")),
        (UUID, Reference("urn", UUID)),
        ("urn:oid:1.2.3", Reference("urn", "urn:oid:1.2.3")),
        # What only looks like a reference to an instance
        ("Patient?identifier=1", Reference("other", "Patient?identifier=1")),
        ("Patient/1/name", Reference("other", "Patient/1/name")),
        ("Patient/a_b", Reference("other", "Patient/a_b")),
        ("Patient/" + "x" * 65, Reference("other", "Patient/" + "x" * 65)),
        ("Person2/1", Reference("other", "Person2/1")),
        ("/Patient/1", Reference("other", "/Patient/1")),
        ("Patient/1\n", Reference("other", "Patient/1\n")),
        (
            "http://hl7.org/fhir/ValueSet/x|1",
            Reference("other", "http://hl7.org/fhir/ValueSet/x|1"),
        ),
        ("", Reference("other", "")),
    ],
)
def test_parse(text: str, expected: Reference) -> None:
    assert parse(text, BASE) == expected


def test_a_server_may_have_several_bases() -> None:
    assert parse(FAR, BASE, "https://far.example/fhir").target == "Patient/1"
    assert parse(f"{BASE}/Patient/1").kind == "foreign"


def test_a_long_reference_is_read_too() -> None:
    base = "https://x.example/" + "y" * 500
    assert parse(f"{base}/Patient/1", base).target == "Patient/1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://x.example/vs", ("http://x.example/vs", None)),
        ("http://x.example/vs|2.0", ("http://x.example/vs", "2.0")),
        ("http://x.example/vs|2.0#part", ("http://x.example/vs", "2.0")),
        ("http://x.example/vs|", ("http://x.example/vs", None)),
    ],
)
def test_split_canonical(text: str, expected: tuple[str, str | None]) -> None:
    assert split_canonical(text) == expected
