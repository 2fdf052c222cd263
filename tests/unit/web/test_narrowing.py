"""What is kept of an app's scopes: each row is a form, and what it leaves."""

from collections.abc import Mapping, Sequence

import pytest

from fhir_server.core.messages import LANGUAGES
from fhir_server.smart import scopes
from fhir_server.web.granted import in_words
from fhir_server.web.narrowing import items, kept
from fhir_server.web.words import CATEGORIES

LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
PROBLEM = "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"
YES, WHOLE = ["yes"], ["all"]
ALL = {"see-0": YES, "write-0": YES, "span-0": WHOLE, "see-1": YES, "write-1": YES,
       "span-1": WHOLE, "identity": YES, "offline": YES}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "changes", "left"),
    [
        ("patient/*.rs", {}, "patient/*.rs"),
        ("patient/*.read", {}, "patient/*.read"),
        ("patient/*.*", {"write-0": []}, "patient/*.read"),
        ("patient/*.*", {"see-0": []}, "patient/*.write"),
        ("patient/*.cruds", {"see-0": [], "write-0": []}, ""),
        ("patient/*.rs", {"span-0": ["chosen"]}, ""),
        ("patient/*.rs", {"span-0": ["chosen"], "part-0": ["Task", LAB, "Flag"]},
         f"patient/Observation.rs?category={LAB} patient/Task.rs"),
        ("patient/*.rs", {"span-0": ["chosen"], "part-0": [PROBLEM]},
         f"patient/Condition.rs?category={PROBLEM}"),
        # What everything covers is chosen there, and nowhere else.
        ("patient/Observation.cruds patient/*.rs", {},
         "patient/Observation.cruds patient/*.rs"),
        ("patient/Observation.cruds patient/*.rs", {"see-1": []}, "patient/Observation.cud"),
        ("patient/Observation.cruds patient/*.rs", {"write-0": []},
         "patient/Observation.rs patient/*.rs"),
        ("patient/Observation.rs patient/*.rs", {"span-1": ["chosen"], "part-1": ["Task"]},
         "patient/Task.rs"),
        ("patient/Observation.cruds patient/*.rs", {"span-0": ["chosen"], "part-0": [LAB]},
         f"patient/Observation.rs patient/Observation.cud?category={LAB} patient/*.rs"),
        # A scope of another level is not covered.
        ("user/Observation.rs patient/*.rs", {"see-1": []}, "user/Observation.rs"),
        # What is narrowed already is kept or not.
        (f"patient/Observation.rs?category={LAB}", {},
         f"patient/Observation.rs?category={LAB}"),
        (f"patient/Observation.rs?category={LAB}", {"see-0": []}, ""),
        ("openid fhirUser launch/patient offline_access patient/Task.r", {"identity": []},
         "launch/patient offline_access patient/Task.r"),
        ("openid offline_access online_access patient/Task.r", {"offline": []},
         "openid online_access patient/Task.r"),
    ],
)  # fmt: skip
def test_a_form_leaves(asked: str, changes: Mapping[str, Sequence[str]], left: str) -> None:
    form: Mapping[str, Sequence[str]] = {**ALL, **changes}
    found = kept(scopes.parse(asked), lambda name: form.get(name, ()))
    assert set(found.split()) == set(left.split())


@pytest.mark.parametrize("asked", ["patient/*.cruds", "patient/Observation.cruds patient/*.rs"])
def test_an_empty_form_keeps_nothing_of_the_record(asked: str) -> None:
    assert kept(scopes.parse(asked), lambda _: ()) == ""


def test_what_is_covered_whole_is_not_shown() -> None:
    found = items(scopes.parse("patient/Observation.rs patient/Task.cruds patient/*.rs"))
    assert [(each.sees, bool(each.writes)) for each in found] == [
        (False, False),
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_scopes_in_words_are_in_the_language(language: str) -> None:
    said = in_words(f"patient/Observation.rs?category={LAB} patient/*.rs", language)  # type: ignore[arg-type]
    title = CATEGORIES["Observation"][LAB].in_language(language, {})  # type: ignore[arg-type]
    assert title in said[0]
    assert len(said) == 2
