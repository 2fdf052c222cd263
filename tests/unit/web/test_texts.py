"""Texts and templates fit each other: nothing is missing, nothing is left over."""

import re
from importlib.resources import files

import pytest

from fhir_server.core.messages import LANGUAGES, Text
from fhir_server.web import texts
from fhir_server.web.texts import TEXTS
from fhir_server.web.words import CATEGORIES, KINDS, WHOLE

FOLDER = files("fhir_server.web") / "templates"
TEMPLATES = {each.name: each.read_text() for each in FOLDER.iterdir()}
SOURCES = [each.read_text() for each in files("fhir_server.web").iterdir()
           if each.name.endswith(".py") and each.name != "texts.py"]  # fmt: skip


def named() -> set[str]:
    found: set[str] = set()
    for page in TEMPLATES.values():
        found |= set(re.findall(r"\bt\.([A-Z][A-Z_0-9]*)", page))
        found |= set(re.findall(r"t\.say\([\"']([A-Z_0-9]+)[\"'](?! ~)", page))
    return found


def test_templates_name_texts_that_exist() -> None:
    assert named() <= set(TEXTS)


def test_every_text_is_said_somewhere() -> None:
    code = "".join(SOURCES)
    in_code = {each for each in TEXTS if re.search(rf"\b{each}\b", code)}
    durations = {each for each in TEXTS if each.startswith("DAYS_")}
    assert set(TEXTS) - named() - in_code - durations == set()


ALL = [
    *TEXTS.values(),
    *texts.DONE.values(),
    *KINDS.values(),
    *(each for kind in CATEGORIES.values() for each in kind.values()),
]


@pytest.mark.parametrize("text", ALL, ids=lambda each: each.en)
def test_a_text_has_the_same_places_in_every_language(text: Text) -> None:
    places = {frozenset(re.findall(r"\{(\w+)\}", getattr(text, each))) for each in LANGUAGES}
    assert len(places) == 1
    assert all(getattr(text, each).strip() for each in LANGUAGES)


@pytest.mark.parametrize(("name", "page"), TEMPLATES.items(), ids=lambda each: each[:20])
def test_templates_have_no_script_or_style_of_their_own(name: str, page: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)|javascript:", page), name
    assert "|safe" not in page
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        assert 'name="csrf"' in form, name


@pytest.mark.parametrize(("name", "page"), TEMPLATES.items(), ids=lambda each: each[:20])
def test_every_field_has_a_label(name: str, page: str) -> None:
    for tag in re.findall(r"<(?:input|select)\b[^>]*>", page):
        if 'type="hidden"' in tag or 'type="checkbox"' in tag or 'type="radio"' in tag:
            continue
        found = re.search(r'\bid="([^"]+)"', tag)
        assert found is not None, (name, tag)
        assert f'for="{found[1]}"' in page, (name, tag)


def test_what_people_choose_from_has_a_name() -> None:
    assert set(WHOLE) <= set(KINDS)
