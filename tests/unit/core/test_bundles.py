"""https://hl7.org/fhir/R4/bundle.html"""

import json

from fhir_server.core.bundles import (
    HistoryEntry,
    history,
    search_entry,
    searchset,
    stored_entries,
)
from fhir_server.store.port import Stored

BODY = b'{"resourceType":"Patient","id":"1","x":1.10}'


def test_a_searchset_is_written_around_its_bodies() -> None:
    written = searchset(
        [
            search_entry(BODY, "match", "http://h/Patient/1"),
            search_entry(b'{"resourceType":"OperationOutcome"}', "outcome"),
        ],
        {"self": 'http://h/Patient?name="a"', "next": "http://h/Patient?_cursor=x"},
        id_="b1",
        at=0,
        total=2,
    )
    assert BODY in written
    assert json.loads(written) == {
        "resourceType": "Bundle",
        "id": "b1",
        "meta": {"lastUpdated": "1970-01-01T00:00:00.000Z"},
        "type": "searchset",
        "total": 2,
        "link": [
            {"relation": "self", "url": 'http://h/Patient?name="a"'},
            {"relation": "next", "url": "http://h/Patient?_cursor=x"},
        ],
        "entry": [
            {
                "fullUrl": "http://h/Patient/1",
                "resource": {"resourceType": "Patient", "id": "1", "x": 1.10},
                "search": {"mode": "match"},
            },
            {
                "resource": {"resourceType": "OperationOutcome"},
                "search": {"mode": "outcome"},
            },
        ],
    }


def test_an_empty_result_has_no_entry_at_all() -> None:
    assert json.loads(searchset([], {"self": "http://h/Patient?name=ё"})) == {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": "http://h/Patient?name=ё"}],
    }


def test_a_history_tells_how_each_version_was_made() -> None:
    written = history(
        [
            HistoryEntry(
                "http://h/Patient/1", "Patient/1", "DELETE", "204 No Content", 2, 1_000
            ),
            HistoryEntry("http://h/Patient/1", "Patient", "POST", "201 Created", 1, 0, BODY),
        ],
        {"self": "http://h/Patient/1/_history"},
        total=2,
    )
    deleted, created = json.loads(written)["entry"]
    assert deleted == {
        "fullUrl": "http://h/Patient/1",
        "request": {"method": "DELETE", "url": "Patient/1"},
        "response": {
            "status": "204 No Content",
            "etag": 'W/"2"',
            "lastModified": "1970-01-01T00:00:01.000Z",
        },
    }
    assert created["resource"]["id"] == "1"
    assert created["request"] == {"method": "POST", "url": "Patient"}
    assert json.loads(written)["type"] == "history"


def test_stored_rows_are_entries_with_their_address() -> None:
    row = Stored("Patient", "1", 1, 0, BODY)
    whole = search_entry(BODY, "include", "http://h/fhir/Patient/1")
    assert stored_entries("http://h/fhir", [row], "include") == [whole]
