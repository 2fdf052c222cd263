"""Lists of scopes: what is left of what was asked.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import pytest

from fhir_server.smart.records import NO_CONTEXT, LaunchContext
from fhir_server.smart.scopes import context_type, fitting, narrowed, parse, within


def anything(_: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("openid  openid\tfhirUser", "openid fhirUser"),
        ("patient/Observation.rs openid", "openid patient/Observation.rs"),
        ("http://smarthealthit.org/fhir/scopes/patient/*.r", "patient/*.r"),  # SCP-28
        ("profile email phone", ""),
        ("OPENID FhirUser", ""),
        ("patient/Observation.dus patient/Observation.sr", ""),  # SCP-06
        ("patient/Observation.readx patient/Observation. patient/Observation", ""),
        ("patient/Cat.rs patent/Patient.rs /Patient.rs", ""),
        ("__vendor https://vendor.example/scope", ""),  # SCP-29
        ("launch/imagingstudy launch/cat launch/", "launch/imagingstudy"),
    ],
)
def test_what_is_no_scope_is_left_out(text: str, read: str) -> None:
    assert parse(text).text == read


def test_context_type() -> None:
    assert context_type("launch/imagingstudy") == "ImagingStudy"
    assert context_type("launch/list?role=https://ehr.example/role") == "List"
    assert context_type("launch/ImagingStudy") is None
    assert context_type("launch") is None


@pytest.mark.parametrize(
    ("asked", "registered", "left"),
    [
        ("patient/Observation.rs", "patient/*.rs", "patient/Observation.rs"),
        ("patient/*.cruds", "patient/Observation.rs", "patient/Observation.rs"),
        ("patient/Observation.read", "patient/*.cruds", "patient/Observation.read"),
        ("patient/*.read", "patient/Patient.cruds", "patient/Patient.read"),
        ("user/*.rs", "patient/*.rs", ""),
        ("openid fhirUser", "openid", "openid"),
        ("launch/imagingstudy", "launch", "launch/imagingstudy"),
        ("launch/imagingstudy", "launch/patient", ""),
        (
            "patient/Observation.rs",
            "patient/Observation.rs?category=a",
            "patient/Observation.rs?category=a",
        ),
        (
            "patient/Observation.rs?category=a",
            "patient/Observation.rs",
            "patient/Observation.rs?category=a",
        ),
    ],
)
def test_scp_25_nothing_beyond_the_registration(asked: str, registered: str, left: str) -> None:
    assert within(parse(asked), parse(registered), anything).text == left


def test_scp_17_a_filter_that_is_not_known_drops_its_scope() -> None:
    asked = parse("patient/Observation.rs?colour=red patient/Patient.rs")
    left = within(asked, parse("patient/*.rs"), lambda _: False)
    assert left.text == "patient/Patient.rs"


@pytest.mark.parametrize(
    ("asked", "kept", "left"),
    [
        ("patient/*.rs openid", "patient/Observation.rs", "patient/Observation.rs"),
        ("patient/Observation.rs", "patient/*.rs", "patient/Observation.rs"),
        ("patient/Observation.rs", "patient/Observation.cruds", "patient/Observation.rs"),
        (
            "patient/Observation.rs?category=a",
            "patient/Observation.rs",
            "patient/Observation.rs?category=a",
        ),
        ("openid", "openid offline_access", "openid"),
        ("patient/Observation.rs", "", ""),
    ],
)
def test_a_person_keeps_some_and_never_more(asked: str, kept: str, left: str) -> None:
    assert narrowed(parse(asked), parse(kept)).text == left


@pytest.mark.parametrize(
    ("asked", "context", "user", "left"),
    [
        ("patient/*.rs launch/patient", NO_CONTEXT, "Patient/a", ""),
        (
            "patient/*.rs launch/patient",
            LaunchContext("a"),
            None,
            "launch/patient patient/*.rs",
        ),
        ("openid fhirUser", NO_CONTEXT, None, "openid"),
        ("user/*.rs launch", NO_CONTEXT, None, "launch user/*.rs"),
        ("launch/encounter", LaunchContext("a"), None, ""),
        ("launch/encounter", LaunchContext("a", "e"), None, "launch/encounter"),
    ],
)
def test_what_has_no_meaning_is_not_granted(
    asked: str, context: LaunchContext, user: str | None, left: str
) -> None:
    assert fitting(parse(asked), context, user).text == left
