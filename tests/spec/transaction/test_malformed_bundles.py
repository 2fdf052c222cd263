"""Bundles that are none: refused with the place of what is wrong, and nothing is written.

https://hl7.org/fhir/R4/bundle.html
"""

from typing import Any, Final

import httpx
import pytest

from tests.support.fhir import patient

POST: Final = {"method": "POST", "url": "Patient"}


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize("entries", [None, 5, "x", {}])
def test_entries_that_are_no_list(fhir: httpx.Client, kind: str, entries: Any) -> None:
    body = {"resourceType": "Bundle", "type": kind, "entry": entries}
    answer = fhir.post("", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry"]


ENTRIES: Final[list[tuple[Any, str]]] = [
    (None, "Bundle.entry[0]"),
    (5, "Bundle.entry[0]"),
    ([], "Bundle.entry[0]"),
    ({"resource": patient()}, "Bundle.entry[0].request.method"),
    ({"request": None}, "Bundle.entry[0].request"),
    ({"request": []}, "Bundle.entry[0].request"),
    ({"request": {"method": {}, "url": "Patient"}}, "Bundle.entry[0].request.method"),
    ({"request": {"method": "POST", "url": 5}}, "Bundle.entry[0].request.url"),
    ({"request": POST, "resource": 5}, "Bundle.entry[0].resource"),
    ({"request": POST, "resource": None}, "Bundle.entry[0].resource"),
    ({"request": POST, "resource": patient(), "fullUrl": {}}, "Bundle.entry[0].fullUrl"),
    ({"request": {**POST, "ifNoneExist": 5}}, "Bundle.entry[0].request.ifNoneExist"),
    ({"request": {**POST, "ifMatch": []}}, "Bundle.entry[0].request.ifMatch"),
    ({"request": {**POST, "ifNoneMatch": 5}}, "Bundle.entry[0].request.ifNoneMatch"),
    ({"request": {**POST, "ifModifiedSince": 5}}, "Bundle.entry[0].request.ifModifiedSince"),
]


@pytest.mark.parametrize(("entry", "place"), ENTRIES, ids=str)
def test_an_entry_that_is_none(fhir: httpx.Client, entry: Any, place: str) -> None:
    body = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answer = fhir.post("", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"] == [place]
    answer = fhir.post("", json=body | {"type": "batch"})
    assert answer.status_code == 200
    (alone,) = answer.json()["entry"]
    assert alone["response"]["status"].startswith("400")
