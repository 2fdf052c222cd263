"""Whatever stands in a search URL, the answer is a result or a refusal.

https://hl7.org/fhir/R4/search.html#errors
"""

from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.search.test_fuzz import KINDS, PAIRS


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


@given(kind=st.one_of(KINDS, st.just("")), pairs=PAIRS)
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_search_is_answered_or_refused(
    clinic: httpx.Client, kind: str, pairs: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in pairs)
    answer = clinic.get(f"/{kind}?{query}")
    assert answer.status_code in (200, 400), (query, answer.text)
    assert answer.json()["resourceType"] in ("Bundle", "OperationOutcome", "Parameters")
