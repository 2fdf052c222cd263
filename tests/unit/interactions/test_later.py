"""The asynchronous pattern: what is told of a job, and what is kept of its caller.

https://hl7.org/fhir/R4/async.html
"""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.access.rights import UNLIMITED
from fhir_server.core.errors import Forbidden
from fhir_server.interactions.grants import grant_of, rights_of
from fhir_server.interactions.later import progress_text
from fhir_server.search.plan import Ids, Restriction


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        ({}, "waiting"),
        ({"running": True}, "running"),
        ({"done": 3}, "3"),
        ({"done": 3, "total": 8}, "3 of 8"),
        ({"done": 0, "total": 8, "type": "Patient"}, "Patient: 0 of 8"),
    ],
)
def test_progress_in_a_header(progress: dict[str, Any], text: str) -> None:
    assert progress_text(progress) == text


def test_everything_is_kept_as_everything() -> None:
    assert rights_of(grant_of(UNLIMITED)) == UNLIMITED


@pytest.mark.parametrize("within", [Restriction(), Restriction({"Patient": Ids(("p1",))})])
def test_rights_that_cannot_be_made_again_are_not_kept(within: Restriction) -> None:
    with pytest.raises(Forbidden):
        grant_of(replace(UNLIMITED, read=within))


@pytest.mark.parametrize(
    "grant",
    [{}, {"unrestricted": False}, {"unrestricted": "true"}, {"unrestricted": True, "x": 1}],
)
def test_a_grant_that_is_not_understood_gives_nothing(grant: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        rights_of(grant)
