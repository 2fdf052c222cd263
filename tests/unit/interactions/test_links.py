"""Links between the entries of a transaction: https://hl7.org/fhir/R4/http.html#trules."""

from copy import deepcopy
from typing import Any

import pytest

from fhir_server.interactions.transaction.links import Linked

URN = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"
LINKS = {URN: "Patient/7"}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        # Reference
        ({"subject": {"reference": URN}}, {"subject": {"reference": "Patient/7"}}),
        (
            {"performer": [{"reference": "Practitioner/1"}, {"reference": URN}]},
            {"performer": [{"reference": "Practitioner/1"}, {"reference": "Patient/7"}]},
        ),
        # uri, in an extension of an extension
        (
            {"extension": [{"url": "http://a", "extension": [{"url": "b", "valueUri": URN}]}]},
            {
                "extension": [
                    {"url": "http://a", "extension": [{"url": "b", "valueUri": "Patient/7"}]}
                ]
            },
        ),
        # an extension of a primitive
        (
            {"_status": {"extension": [{"url": "http://a", "valueUrl": URN}]}},
            {"_status": {"extension": [{"url": "http://a", "valueUrl": "Patient/7"}]}},
        ),
        # never canonical, never a string that happens to look like a link
        ({"instantiatesCanonical": URN}, {"instantiatesCanonical": URN}),
        ({"valueString": URN}, {"valueString": URN}),
        # contained resources
        (
            {"contained": [{"resourceType": "Encounter", "subject": {"reference": URN}}]},
            {
                "contained": [
                    {"resourceType": "Encounter", "subject": {"reference": "Patient/7"}}
                ]
            },
        ),
        # narrative
        (
            {"text": {"div": f"<div><a href=\"{URN}\">{URN}</a><img src='{URN}'/></div>"}},
            {
                "text": {
                    "div": f"<div><a href=\"Patient/7\">{URN}</a><img src='Patient/7'/></div>"
                }
            },
        ),
    ],
)
def test_a_link_is_replaced_where_its_element_may_be_one(
    resource: dict[str, Any], expected: dict[str, Any]
) -> None:
    linked = Linked.of({"resourceType": "Observation", **deepcopy(resource)})
    assert linked.fill(LINKS) == {"resourceType": "Observation", **expected}


def test_a_second_attempt_starts_from_what_the_client_wrote() -> None:
    linked = Linked.of({"resourceType": "Observation", "subject": {"reference": URN}})
    linked.fill(LINKS)
    again = linked.fill({URN: "Patient/8"})
    assert again["subject"] == {"reference": "Patient/8"}


def test_references_are_found_with_their_paths() -> None:
    linked = Linked.of(
        {
            "resourceType": "Observation",
            "subject": {"reference": URN},
            "performer": [{"display": "x"}, {"reference": "Practitioner/1"}],
        }
    )
    assert list(linked.references()) == [URN, "Practitioner/1"]
    assert linked.path(URN) == "Observation.subject.reference"
    assert linked.path("Practitioner/1") == "Observation.performer[1].reference"
