"""https://hl7.org/fhir/R4/search.html#summary and #elements"""

from copy import deepcopy
from typing import Any

import pytest

from fhir_server.search.request import Summary
from fhir_server.search.subset import SUBSETTED, Subset

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "1",
    "meta": {"versionId": "2", "tag": [{"code": "mine"}]},
    "text": {"status": "generated", "div": "<div/>"},
    "identifier": [{"value": "x"}],
    "active": True,
    "name": [{"family": "Row"}],
    "birthDate": "1970",
    "_birthDate": {"extension": [{"url": "u", "valueString": "x"}]},
    "deceasedBoolean": False,
    "photo": [{"title": "p"}],
    "contact": [{"name": {"family": "x"}}],
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "1",
    "text": {"status": "generated", "div": "<div/>"},
    "status": "final",
    "code": {"text": "c"},
    "valueString": "v",
    "note": [{"text": "n"}],
    "referenceRange": [{"text": "r"}],
    "component": [
        {"code": {"text": "c"}, "valueString": "v", "referenceRange": [{"text": "r"}]}
    ],
}


@pytest.mark.parametrize(
    ("resource", "summary", "names"),
    [
        (PATIENT, "true", {"identifier", "active", "name", "birthDate", "_birthDate",
                           "deceasedBoolean", "link"}),
        (PATIENT, "text", {"text"}),
        (PATIENT, "data", set(PATIENT) - {"text", "resourceType", "id", "meta"}),
        (OBSERVATION, "true", {"status", "code", "valueString", "component"}),
        (OBSERVATION, "text", {"text", "status", "code"}),
    ],
)  # fmt: skip
def test_a_summary_keeps_its_elements(
    resource: dict[str, Any], summary: Summary, names: set[str]
) -> None:
    part = Subset(summary).of(resource)
    assert set(part) == names | {"resourceType", "id", "meta"}


def test_a_summary_goes_below_backbone_elements() -> None:
    part = Subset("true").of(OBSERVATION)
    assert part["component"] == [{"code": {"text": "c"}, "valueString": "v"}]


@pytest.mark.parametrize(
    ("elements", "names"),
    [
        (("name", "birthDate"), {"name", "birthDate", "_birthDate"}),
        (("Patient.name",), {"name"}),
        (("name.family",), {"name"}),
        (("deceased",), {"deceasedBoolean"}),
        (("deceased[x]",), {"deceasedBoolean"}),
        (("deceasedBoolean",), {"deceasedBoolean"}),
        (("Observation.name",), set()),
        (("nonsense",), set()),
        (("id",), set()),
    ],
)
def test_elements_are_named_at_the_root(elements: tuple[str, ...], names: set[str]) -> None:
    part = Subset(elements=elements).of(PATIENT)
    assert set(part) == names | {"resourceType", "id", "meta"}


# Mandatory elements come "whether they are requested or not".
def test_mandatory_elements_stay() -> None:
    part = Subset(elements=("note",)).of(OBSERVATION)
    assert set(part) == {"resourceType", "id", "meta", "status", "code", "note"}


def test_a_part_is_tagged_and_the_whole_left_alone() -> None:
    before = deepcopy(PATIENT)
    part = Subset("true").of(PATIENT)
    assert part["meta"] == {"versionId": "2", "tag": [{"code": "mine"}, SUBSETTED]}
    assert list(part)[:3] == ["resourceType", "id", "meta"]
    assert before == PATIENT


@pytest.mark.parametrize(
    ("subset", "cuts"),
    [
        (Subset(), False),
        (Subset("false"), False),
        (Subset("count"), False),
        (Subset("data"), True),
        (Subset(elements=("name",)), True),
        (Subset("true", ("name",)).without_elements(), True),
        (Subset("false", ("name",)).without_elements(), False),
    ],
)
def test_a_subset_knows_whether_it_cuts(subset: Subset, *, cuts: bool) -> None:
    assert bool(subset) is cuts
