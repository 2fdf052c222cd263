"""Whatever a client sends as a search is compiled or refused, and soon.

https://hl7.org/fhir/R4/search.html#errors
"""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.core.errors import FhirError
from fhir_server.search.cursor import Cursors, read_place
from fhir_server.spec.search_parameters import of_type
from tests.support.searching import COMPILER

KINDS = st.sampled_from(
    ["Patient", "Observation", "Location", "ValueSet", "Encounter", "Group"]
)
MODIFIERS = st.sampled_from(
    ["", ":exact", ":contains", ":not", ":in", ":of-type", ":missing", ":below", ":above",
     ":identifier", ":Patient", ":text", ":", ":foo"]
)  # fmt: skip
PIECES = st.sampled_from(
    ["|", ",", "$", "\\", "\\,", "ge", "ap", "1e5", "2024-02-30", "2024", "http://", "://", "#",
     "/", "Patient/", "urn:uuid:", "true", " ", "\t", "é", "ё", "\0", "\ud800", "\U0010ffff",
     "(", ")", "[", "]", "not", " and ", " or ", "eq", '"', "'", "$where", "{", ".*", "-", "+",
     "0", "99999999999999999999", "1e999", "NaN", "~", "=", "*", "%", "&", "\u200b", "\u0301"]
)  # fmt: skip
VALUES = st.one_of(st.text(max_size=20), st.lists(PIECES, max_size=12).map("".join))
CODES = st.sampled_from(
    sorted(
        {
            code
            for kind in ("Patient", "Observation", "Location", "ValueSet")
            for code in of_type(kind)
        }
    )
)
NAMES = st.one_of(
    st.text(max_size=20),
    st.tuples(CODES, MODIFIERS).map("".join),
    st.tuples(CODES, MODIFIERS, st.just("."), CODES, MODIFIERS).map("".join),
    st.tuples(st.just("_has:Observation:patient:"), CODES, MODIFIERS).map("".join),
    st.sampled_from(
        ["_count", "_sort", "_filter", "_include", "_revinclude", "_type", "_total", "_summary",
         "_elements", "_contained", "_list", "_text", "_content", "near", "_include:iterate"]
    ),
)  # fmt: skip
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@given(kind=KINDS, pairs=PAIRS)
@settings(max_examples=300, deadline=2_000)
def test_a_search_is_compiled_or_refused(kind: str, pairs: list[tuple[str, str]]) -> None:
    for lenient in (False, True):
        with suppress(FhirError):
            COMPILER.search((kind,), pairs, lenient=lenient)
    with suppress(FhirError):
        COMPILER.condition(kind, pairs)


@given(text=VALUES)
@settings(max_examples=200, deadline=2_000)
def test_a_filter_is_compiled_or_refused(text: str) -> None:
    with suppress(FhirError):
        COMPILER.condition("Patient", [("_filter", text)])


@given(text=st.text(max_size=100))
@settings(max_examples=200, deadline=2_000)
def test_a_cursor_is_ours_or_refused(text: str) -> None:
    with suppress(FhirError):
        read_place(Cursors(b"key"), text, ("Patient",))
