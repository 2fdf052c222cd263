"""SMART scopes: STU2.2/scopes-and-launch-context.html."""

import pytest

from fhir_server.access.scopes import (
    ResourceScope,
    granted,
    letters_of,
    of_level,
    parse_scope,
    parse_scopes,
)


def scope(text: str) -> ResourceScope:
    found = parse_scope(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("patient/Observation.rs", ResourceScope("patient", "Observation", letters_of("rs"))),
        ("user/*.cruds", ResourceScope("user", "*", letters_of("cruds"))),
        ("user/*.read", ResourceScope("user", "*", letters_of("rs"), form="v1")),
        ("patient/Task.write", ResourceScope("patient", "Task", letters_of("cud"), form="v1")),
        ("system/*.*", ResourceScope("system", "*", letters_of("cruds"), form="v1")),
        (
            "patient/Observation.rs?category=http://x|laboratory",
            ResourceScope(
                "patient",
                "Observation",
                letters_of("rs"),
                (("category", "http://x|laboratory"),),
            ),
        ),
        (
            "patient/Observation.r?category=a&code=b,c",
            ResourceScope(
                "patient", "Observation", letters_of("r"), (("category", "a"), ("code", "b,c"))
            ),
        ),
        # SCP-28: a scope as a URI.
        (
            "http://smarthealthit.org/fhir/scopes/patient/*.r",
            ResourceScope("patient", "*", letters_of("r")),
        ),
    ],
)
def test_scp_03_a_scope_is_a_set_of_letters(text: str, expected: ResourceScope) -> None:
    assert parse_scope(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.sr",  # out of order
        "patient/Observation.dus",
        "patient/Observation.rd ",
        "patient/Observation.readx",
        "patient/Observation.rr",
        "patient/Observation.",
        "patient/Observation",
        "patient/Observatio.rs",  # no type of R4
        "patient/observation.rs",
        "Patient/Observation.rs",
        "patient/*.rs?category=a",  # a filter is of one type
        "patient/Observation.rs?",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?category=a&",
        "launch/patient",
        "openid",
        "",
    ],
)
def test_scp_06_what_cannot_be_read_is_no_scope(text: str) -> None:
    assert parse_scope(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.rs",
        "patient/Observation.read",
        "patient/*.*",
        "user/Task.write",
        "system/Patient.cruds",
        "patient/Observation.rs?category=http://x|laboratory&code=b,c",
    ],
)
def test_a_scope_is_written_as_it_was_asked_for(text: str) -> None:
    assert scope(text).text == text


def test_sa_24_a_scope_asked_for_twice_is_one() -> None:
    assert [each.text for each in parse_scopes("patient/*.rs openid patient/*.rs x/y")] == [
        "patient/*.rs"
    ]


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("patient/*.rs", "patient/Observation.r", True),
        ("patient/*.read", "patient/Observation.rs", True),
        ("patient/Observation.rs", "patient/Observation.rs?category=a", True),
        ("patient/Observation.rs?category=a", "patient/Observation.rs", False),
        ("patient/Observation.rs?category=a", "patient/Observation.rs?category=a&code=b", True),
        ("patient/Observation.r", "patient/Observation.rs", False),
        ("patient/Observation.rs", "patient/*.rs", False),
        ("user/*.rs", "patient/Observation.rs", False),
    ],
)
def test_a_scope_covers_a_narrower_one(wide: str, narrow: str, expected: bool) -> None:
    assert scope(wide).covers(scope(narrow)) is expected


@pytest.mark.parametrize(
    ("asked", "allowed", "expected"),
    [
        ("patient/*.rs", "patient/*.cruds", "patient/*.rs"),
        ("patient/*.read", "patient/*.rs", "patient/*.read"),
        # SCP-25: never wider than the registration.
        ("patient/*.cruds", "patient/*.rs", "patient/*.rs"),
        (
            "patient/*.rs",
            "patient/Patient.r patient/Observation.rs",
            "patient/Patient.r patient/Observation.rs",
        ),
        ("patient/Observation.read", "patient/Observation.r", "patient/Observation.r"),
        ("patient/Observation.rs", "patient/Observation.rs?category=a", None),
        ("system/Patient.rs", "patient/*.cruds", ""),
        ("patient/Patient.d", "patient/*.rs", ""),
    ],
)
def test_scp_25_what_is_granted_lies_within_both(
    asked: str, allowed: str, expected: str | None
) -> None:
    found = granted(parse_scopes(asked), parse_scopes(allowed))
    wanted = allowed if expected is None else expected
    assert " ".join(each.text for each in found) == wanted


def test_levels_are_kept_apart() -> None:
    scopes = parse_scopes("patient/*.rs user/*.rs system/*.rs")
    assert [each.level for each in of_level(scopes, "patient", "user")] == ["patient", "user"]
