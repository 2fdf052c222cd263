"""The asynchronous pattern: batch and transaction with `Prefer: respond-async`.

https://hl7.org/fhir/R4/async.html
"""

from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.support.fhir import JsonObject, identifier, new_id, observation, patient
from tests.support.polling import finished, until

LATER = {"Prefer": "respond-async"}


def bundle(kind: str, *entries: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource: JsonObject, **request: str) -> JsonObject:
    asked = {"method": "POST", "url": resource["resourceType"], **request}
    return {"fullUrl": f"urn:uuid:{new_id()}", "resource": resource, "request": asked}


def order(fhir: httpx.Client, body: JsonObject, **headers: str) -> httpx.Response:
    return fhir.post("/", json=body, headers=LATER | headers)


def test_the_order_is_accepted_with_the_place_of_its_status(fhir: httpx.Client) -> None:
    accepted = order(fhir, bundle("batch"))
    assert accepted.status_code == 202
    assert accepted.headers["content-location"].startswith(f"{fhir.base_url}$job-status/")
    assert accepted.json()["resourceType"] == "OperationOutcome"
    finished(fhir, accepted)


def test_ids_are_long_and_random(fhir: httpx.Client) -> None:
    places = {
        order(fhir, bundle("batch")).headers["content-location"].rpartition("/")[2]
        for _ in range(5)
    }
    assert len(places) == 5
    assert all(len(each) == 32 for each in places)


def test_a_transaction_is_answered_as_it_would_have_been_at_once(fhir: httpx.Client) -> None:
    row = post(patient())
    seen = observation(row["fullUrl"])
    answer = finished(fhir, order(fhir, bundle("transaction", row, post(seen))))
    assert answer.status_code == 200
    body = answer.json()
    assert body["type"] == "transaction-response"
    assert [each["response"]["status"] for each in body["entry"]] == ["201 Created"] * 2
    made = fhir.get(body["entry"][1]["response"]["location"]).json()
    assert made["subject"]["reference"] in body["entry"][0]["response"]["location"]


def test_the_answer_says_how_long_it_is_kept(fhir: httpx.Client) -> None:
    accepted = order(fhir, bundle("batch"))
    finished(fhir, accepted)

    def expires() -> str | None:
        # The answer is there a moment before its worker has closed the job.
        place: str = accepted.headers["content-location"]
        found: str | None = fhir.get(place).headers.get("expires")
        return found

    assert parsedate_to_datetime(until(expires)).tzinfo is not None


def test_a_batch_is_answered_entry_by_entry(fhir: httpx.Client) -> None:
    entries = (
        post(patient()),
        post({"resourceType": "Patient", "gender": "?"}),
        {"request": {"method": "GET", "url": "Patient/none"}},
    )
    body = finished(fhir, order(fhir, bundle("batch", *entries))).json()
    assert body["type"] == "batch-response"
    statuses = [each["response"]["status"][:3] for each in body["entry"]]
    assert statuses == ["201", "400", "404"]
    path = body["entry"][1]["response"]["outcome"]["issue"][0]["expression"][0]
    assert path == "Bundle.entry[1].resource.gender"


def test_more_entries_than_are_noted_at_once(fhir: httpx.Client) -> None:
    body = bundle("batch", *(post(patient()) for _ in range(45)))
    answer = finished(fhir, order(fhir, body)).json()
    assert len({each["response"]["location"] for each in answer["entry"]}) == 45


@pytest.mark.parametrize(
    ("entry", "status", "code"),
    [
        (post({"resourceType": "Patient", "gender": "?"}), 400, "code-invalid"),
        (
            {
                "resource": patient() | {"id": "none"},
                "request": {"method": "PUT", "url": "Patient/none", "ifMatch": 'W/"3"'},
            },
            412,
            "conflict",
        ),
    ],
    ids=["invalid", "if-match"],
)
def test_what_fails_has_the_status_and_outcome_it_would_have_had(
    fhir: httpx.Client, entry: JsonObject, status: int, code: str
) -> None:
    body = bundle("transaction", entry)
    at_once = fhir.post("/", json=body)
    later = finished(fhir, order(fhir, body))
    assert later.status_code == at_once.status_code == status
    assert later.json() == at_once.json()
    assert later.json()["issue"][0]["code"] == code


def test_a_failed_transaction_writes_nothing(fhir: httpx.Client) -> None:
    one = identifier()
    body = bundle(
        "transaction",
        post(patient(identifier=one)),
        {"request": {"method": "PATCH", "url": "Patient/none"}, "resource": {}},
    )
    assert finished(fhir, order(fhir, body)).status_code >= 400
    found = fhir.get("/Patient", params={"identifier": one["value"], "_summary": "count"})
    assert found.json()["total"] == 0


def test_what_is_no_batch_is_refused_at_once(fhir: httpx.Client) -> None:
    assert order(fhir, bundle("searchset")).status_code == 400


def test_the_outcome_speaks_the_language_of_the_order(fhir: httpx.Client) -> None:
    body = bundle("transaction", post({"resourceType": "Patient", "gender": "?"}))
    answer = finished(fhir, order(fhir, body, **{"Accept-Language": "ru"}))
    text = answer.json()["issue"][0]["details"]["text"]
    assert any("а" <= each <= "я" for each in text)


def test_the_answer_takes_the_form_of_the_question(fhir: httpx.Client) -> None:
    accepted = order(fhir, bundle("batch", post(patient())))
    finished(fhir, accepted)
    place = accepted.headers["content-location"]
    answer = fhir.get(place, headers={"Accept": "application/fhir+xml"})
    assert "<Bundle xmlns" in answer.text


def test_return_representation_belongs_to_the_order(fhir: httpx.Client) -> None:
    body = bundle("batch", post(patient(family="Later")))
    wish = {"Prefer": "respond-async, return=representation"}
    answer = finished(fhir, fhir.post("/", json=body, headers=wish)).json()
    assert answer["entry"][0]["resource"]["name"][0]["family"] == "Later"


def test_other_interactions_answer_at_once(fhir: httpx.Client) -> None:
    """ "Servers … may choose to": the preference alone changes nothing elsewhere."""
    assert fhir.post("/Patient", json=patient(), headers=LATER).status_code == 201
    assert fhir.get("/Patient", headers=LATER).status_code == 200


def test_a_cancelled_request_is_gone(fhir: httpx.Client) -> None:
    accepted = order(fhir, bundle("batch", post(patient())))
    place = accepted.headers["content-location"]
    finished(fhir, accepted)
    assert fhir.delete(place).status_code == 202
    assert fhir.get(place).status_code == 404
    assert fhir.delete(place).status_code == 404


def test_a_running_one_tells_how_far_it_is(fhir: httpx.Client) -> None:
    body = bundle("batch", *(post(patient()) for _ in range(400)))
    place = order(fhir, body).headers["content-location"]
    seen = set()

    def ask() -> bool:
        answer = fhir.get(place)
        if answer.status_code == 202:
            assert answer.headers["retry-after"] == "1"
            seen.add(answer.headers["x-progress"])
        return answer.status_code == 200

    until(ask)
    assert any(each.endswith("of 400") for each in seen)


def test_cancelling_stops_a_batch(fhir: httpx.Client) -> None:
    mark = identifier()
    body = bundle("batch", *(post(patient(identifier=mark)) for _ in range(600)))
    place = order(fhir, body).headers["content-location"]
    until(lambda: "of" in fhir.get(place).headers.get("x-progress", ""))
    assert fhir.delete(place).status_code == 202
    search = {"identifier": mark["value"], "_summary": "count"}
    counts: list[int] = []

    def still() -> bool:
        counts.append(fhir.get("/Patient", params=search).json()["total"])
        return len(counts) > 5 and len(set(counts[-5:])) == 1

    until(still)
    assert counts[-1] < 600


@pytest.mark.parametrize("path", ["/$job-status/nobody", "/$job-status/%24x", "/$job-status"])
def test_an_unknown_id_is_not_found(fhir: httpx.Client, path: str) -> None:
    answer = fhir.get(path)
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_status_takes_no_post(fhir: httpx.Client) -> None:
    answer = fhir.post("/$job-status/nobody", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_status_is_no_entry_of_a_bundle(fhir: httpx.Client, kind: str) -> None:
    asked = {"request": {"method": "DELETE", "url": "$job-status/nobody"}}
    answer = fhir.post("/", json=bundle(kind, asked))
    status = answer.status_code
    if kind == "batch":
        status = int(answer.json()["entry"][0]["response"]["status"][:3])
    assert status == 400


def test_a_large_bundle_and_a_large_answer_go_through_files(fhir: httpx.Client) -> None:
    pictures = [{"contentType": "image/png", "data": "QUJD" * 100_000}]
    body = bundle("transaction", *(post(patient() | {"photo": pictures}) for _ in range(6)))
    wish = {"Prefer": "respond-async, return=representation"}
    answer = finished(fhir, fhir.post("/", json=body, headers=wish))
    assert answer.status_code == 200
    assert [each["resource"]["photo"] for each in answer.json()["entry"]] == [pictures] * 6
