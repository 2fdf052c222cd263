"""Whatever patch comes in: a resource or a FhirError, and the original as it was."""

from contextlib import suppress
from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.core.errors import FhirError
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.patching.documents import XML_PATCH, of_document, of_parameters

RESOURCE: JsonObject = {
    "resourceType": "Patient",
    "birthDate": "2020",
    "_birthDate": {"id": "b"},
    "name": [{"use": "usual", "given": ["a", "b"], "_given": [None, {"id": "g"}]}],
    "contact": [{"name": {"text": "c"}}],
    "contained": [{"resourceType": "Basic", "id": "b"}],
}
WORDS = st.sampled_from(
    ["name", "given", "birthDate", "contact", "deceased", "contained", "extension", "use"]
)
STEPS = st.one_of(
    WORDS,
    st.sampled_from(["where(use = 'usual')", "first()", "last()", "as(string)", "given[0]"]),
    st.text(max_size=4),
)
PATHS = st.lists(STEPS, max_size=3).map(lambda steps: ".".join(["Patient", *steps]))
SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(-1, 3), st.text(max_size=3))
ANYTHING = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.one_of(WORDS, st.just("id")), inner)
    ),
    max_leaves=5,
)
VALUES = st.dictionaries(
    st.sampled_from(
        ["valueHumanName", "valueString", "_valueString", "valueBoolean", "valueExtension",
         "resource", "part", "valueDate", "value"]
    ),
    st.one_of(
        ANYTHING, st.lists(st.fixed_dictionaries({"name": WORDS, "valueString": SIMPLE}))
    ),
    max_size=2,
)  # fmt: skip


@st.composite
def operations(draw: st.DrawFn) -> object:
    kind = draw(st.sampled_from(["add", "insert", "delete", "replace", "move"]))
    numbers = [
        {"name": name, "valueInteger": draw(st.integers(-1, 2))}
        for name in ("index", "source", "destination")
    ]
    parts: list[object] = [
        {"name": "type", "valueCode": kind},
        {"name": "path", "valueString": draw(PATHS)},
        {"name": "name", "valueString": draw(WORDS)},
        {**draw(VALUES), "name": "value"},
        *numbers,
    ]
    if draw(st.integers(0, 9)) == 0:
        parts[draw(st.integers(0, len(parts) - 1))] = draw(ANYTHING)
    return {"name": "operation", "part": parts if draw(st.integers(0, 9)) else draw(ANYTHING)}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(operations(), operations(), operations(), ANYTHING), max_size=4))
def test_fhirpath_patches(rows: list[object]) -> None:
    before = deepcopy(RESOURCE)
    with suppress(FhirError):
        dumps(of_parameters({"resourceType": "Parameters", "parameter": rows})(before))
    assert before == RESOURCE


SELECTORS = st.lists(
    st.sampled_from(
        ["f:Patient", "f:name", "[1]", "/", "*", "@value", "f:given", "[.='a']", "'"]
    ),
    max_size=6,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["add", "replace", "remove"]),
    st.one_of(SELECTORS, st.text(st.characters(codec="utf-8"), max_size=8)),
    st.sampled_from(["", ' pos="before"', ' pos="prepend"', ' type="@id"', ' type="@a b"']),
    st.sampled_from(["", "x", '<f:given value="z"/>', "<a/>", "<!-- c -->", "<?p?>"]),
)
def test_xml_patches(op: str, selector: str, more: str, content: str) -> None:
    selector = selector.replace("&", "").replace("<", "").replace('"', "")
    document = (
        f'<diff xmlns:f="http://hl7.org/fhir"><{op} sel="f:Patient/{selector}"{more}>'
        f"{content}</{op}></diff>"
    )
    before = deepcopy(RESOURCE)
    with suppress(FhirError):
        dumps(of_document(XML_PATCH, document.encode())(before))
    assert before == RESOURCE
