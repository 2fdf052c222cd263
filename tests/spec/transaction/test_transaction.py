"""transaction: https://hl7.org/fhir/R4/http.html#trules."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.fhir import create, identifier, ids, new_id, observation, patient

JsonObject = dict[str, Any]


def urn() -> str:
    return f"urn:uuid:{uuid4()}"


def entry(method: str, url: str, resource: JsonObject | None = None, **more: Any) -> JsonObject:
    request = {"method": method, "url": url} | {k: v for k, v in more.items() if k != "fullUrl"}
    found: JsonObject = {"request": request}
    if "fullUrl" in more:
        found["fullUrl"] = more["fullUrl"]
    return found | ({"resource": resource} if resource else {})


def transact(fhir: httpx.Client, *entries: JsonObject) -> httpx.Response:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
    return fhir.post("/", json=bundle)


def local(answer: httpx.Response, index: int) -> str:
    location: str = answer.json()["entry"][index]["response"]["location"]
    return location.partition("/fhir/")[2].partition("/_history")[0]


def test_urns_become_references(fhir: httpx.Client) -> None:
    mother, child = urn(), urn()
    answer = transact(
        fhir,
        entry("POST", "Observation", observation(mother), fullUrl=child),
        entry("POST", "Patient", patient(), fullUrl=mother),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response"
    made = fhir.get(f"/{local(answer, 0)}").json()
    assert made["subject"]["reference"] == local(answer, 1)


def test_entries_may_refer_to_each_other_in_a_circle(fhir: httpx.Client) -> None:
    one, two = urn(), urn()
    answer = transact(
        fhir,
        entry(
            "POST",
            "Patient",
            patient() | {"link": [{"other": {"reference": two}, "type": "refer"}]},
            fullUrl=one,
        ),
        entry(
            "POST",
            "Patient",
            patient() | {"link": [{"other": {"reference": one}, "type": "refer"}]},
            fullUrl=two,
        ),
    )
    assert answer.status_code == 200
    first = fhir.get(f"/{local(answer, 0)}").json()
    assert first["link"][0]["other"]["reference"] == local(answer, 1)


def test_a_dangling_urn_is_refused_with_its_place(fhir: httpx.Client) -> None:
    answer = transact(fhir, entry("POST", "Observation", observation(urn())))
    assert answer.status_code == 400
    path = answer.json()["issue"][0]["expression"][0]
    assert path == "Bundle.entry[0].resource.subject.reference"


def test_one_bad_entry_leaves_nothing_written(fhir: httpx.Client) -> None:
    mrn = identifier()
    answer = transact(
        fhir,
        entry("POST", "Patient", patient(identifier=mrn)),
        entry("POST", "Patient", patient() | {"gender": "foo"}),
    )
    assert answer.status_code in (400, 422)
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.gender"]
    assert ids(fhir.get("/Patient", params={"identifier": mrn["value"]}).json()) == []


def test_a_failure_in_the_last_step_takes_back_the_first(fhir: httpx.Client) -> None:
    made, mrn = create(fhir, patient()), identifier()
    answer = transact(
        fhir,
        entry("POST", "Patient", patient(identifier=mrn)),
        entry("PUT", f"Patient/{made['id']}", made, ifMatch='W/"9"'),
    )
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[1]")
    assert ids(fhir.get("/Patient", params={"identifier": mrn["value"]}).json()) == []


def test_deletes_come_first_and_reads_last(fhir: httpx.Client) -> None:
    old, mrn = create(fhir, patient()), identifier()
    answer = transact(
        fhir,
        entry("GET", f"Patient?identifier={mrn['value']}"),
        entry("POST", "Patient", patient(identifier=mrn)),
        entry("DELETE", f"Patient/{old['id']}"),
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()["entry"]
    assert [e["response"]["status"][:3] for e in found] == ["200", "201", "204"]
    assert len(found[0]["resource"]["entry"]) == 1


def test_a_conditional_reference_is_resolved(fhir: httpx.Client) -> None:
    mrn = identifier()
    made = create(fhir, patient(identifier=mrn))
    reference = f"Patient?identifier={mrn['system']}|{mrn['value']}"
    answer = transact(fhir, entry("POST", "Observation", observation(reference)))
    assert answer.status_code == 200, answer.text
    assert fhir.get(f"/{local(answer, 0)}").json()["subject"]["reference"] == (
        f"Patient/{made['id']}"
    )


@pytest.mark.parametrize("matches", [0, 2])
def test_a_conditional_reference_needs_one_match(fhir: httpx.Client, matches: int) -> None:
    mrn = identifier()
    for _ in range(matches):
        create(fhir, patient(identifier=mrn))
    reference = f"Patient?identifier={mrn['value']}"
    answer = transact(fhir, entry("POST", "Observation", observation(reference)))
    assert answer.status_code == 400


def test_a_conditional_create_that_matches_gives_its_references(fhir: httpx.Client) -> None:
    mrn, name = identifier(), urn()
    made = create(fhir, patient(identifier=mrn))
    answer = transact(
        fhir,
        entry(
            "POST",
            "Patient",
            patient(identifier=mrn),
            fullUrl=name,
            ifNoneExist=f"identifier={mrn['value']}",
        ),
        entry("POST", "Observation", observation(name)),
    )
    assert answer.status_code == 200
    statuses = [e["response"]["status"][:3] for e in answer.json()["entry"]]
    assert statuses == ["200", "201"]
    subject = fhir.get(f"/{local(answer, 1)}").json()["subject"]["reference"]
    assert subject == f"Patient/{made['id']}"


@pytest.mark.parametrize(("matches", "status"), [(0, "201"), (1, "200")])
def test_a_conditional_update(fhir: httpx.Client, matches: int, status: str) -> None:
    mrn = identifier()
    for _ in range(matches):
        create(fhir, patient(identifier=mrn))
    answer = transact(
        fhir,
        entry(
            "PUT", f"Patient?identifier={mrn['value']}", patient(identifier=mrn, family="New")
        ),
    )
    assert answer.json()["entry"][0]["response"]["status"][:3] == status


def test_a_conditional_delete(fhir: httpx.Client) -> None:
    mrn = identifier()
    made = create(fhir, patient(identifier=mrn))
    answer = transact(fhir, entry("DELETE", f"Patient?identifier={mrn['value']}"))
    assert answer.status_code == 200
    assert fhir.get(f"/Patient/{made['id']}").status_code == 410


def test_a_json_patch_travels_in_a_binary(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2dlbmRlciIsInZhbHVlIjoiZmVtYWxlIn1d",
    }
    answer = transact(fhir, entry("PATCH", f"Patient/{made['id']}", binary))
    assert answer.status_code == 200, answer.text
    assert fhir.get(f"/Patient/{made['id']}").json()["gender"] == "female"


def test_the_same_resource_twice_is_refused(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    url = f"Patient/{made['id']}"
    answer = transact(fhir, entry("PUT", url, made), entry("DELETE", url))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "duplicate"


def test_the_same_full_url_twice_is_refused(fhir: httpx.Client) -> None:
    name = urn()
    answer = transact(
        fhir,
        entry("POST", "Patient", patient(), fullUrl=name),
        entry("POST", "Patient", patient(), fullUrl=name),
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"request": {"method": "GET"}},
        {"request": {"url": "Patient"}},
        {"request": {"method": "FOO", "url": "Patient"}},
        {"request": {"method": "POST", "url": "Foo"}},
        {"request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "POST", "url": "https://elsewhere.example/Patient"}},
        {
            "request": {"method": "PUT", "url": "Patient/1"},
            "resource": {"resourceType": "Basic"},
        },
        {"request": {"method": "GET", "url": "metadata"}},
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_read_is_named(fhir: httpx.Client, bad: JsonObject) -> None:
    answer = transact(fhir, entry("POST", "Patient", patient()), bad)
    assert 400 <= answer.status_code < 500
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[1]")


def test_an_update_creates_under_the_clients_id(fhir: httpx.Client) -> None:
    id_ = new_id()
    answer = transact(fhir, entry("PUT", f"Patient/{id_}", patient() | {"id": id_}))
    assert answer.json()["entry"][0]["response"]["status"] == "201 Created"


def test_an_empty_transaction_is_answered_by_an_empty_bundle(fhir: httpx.Client) -> None:
    answer = fhir.post("/", json={"resourceType": "Bundle", "type": "transaction"})
    assert answer.status_code == 200
    assert answer.json() == {"resourceType": "Bundle", "type": "transaction-response"}


def test_a_bundle_of_another_type_is_refused(fhir: httpx.Client) -> None:
    answer = fhir.post("/", json={"resourceType": "Bundle", "type": "collection"})
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_read_may_ask_for_a_part(fhir: httpx.Client, kind: str) -> None:
    made = create(fhir, patient())
    request = {"method": "GET", "url": f"Patient/{made['id']}?_elements=gender"}
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [{"request": request}]}
    (entry,) = fhir.post("", json=bundle).json()["entry"]
    assert set(entry["resource"]) == {"resourceType", "id", "meta"}


def test_in_a_batch_an_entry_fails_alone(fhir: httpx.Client) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            entry("POST", "Patient", patient()),
            entry("POST", "Patient", patient() | {"gender": "foo"}),
            entry("GET", "Patient/nobody"),
            entry("POST", "", {"resourceType": "Bundle", "type": "batch"}),
        ],
    }
    answer = fhir.post("/", json=bundle)
    assert answer.status_code == 200
    found = answer.json()["entry"]
    assert found[0]["response"]["status"] == "201 Created"
    assert found[1]["response"]["status"][:1] == "4"
    outcome = found[1]["response"]["outcome"]
    assert outcome["issue"][0]["expression"][0].startswith("Bundle.entry[1]")
    assert found[2]["response"]["status"] == "404 Not Found"
    assert found[3]["response"]["status"][:1] == "4"


def batch(fhir: httpx.Client, *entries: JsonObject) -> list[JsonObject]:
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}
    answer = fhir.post("/", json=bundle)
    assert answer.status_code == 200, answer.text
    found: list[JsonObject] = answer.json()["entry"]
    return found


def test_an_operation_may_be_an_entry_of_a_batch(fhir: httpx.Client) -> None:
    made = create(fhir, patient())
    place = f"Patient/{made['id']}"
    tag = {"tag": [{"system": "urn:tag", "code": "seen"}]}
    body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": tag}]}
    found = batch(
        fhir,
        entry("GET", f"{place}/$everything?_count=5"),
        entry("POST", f"{place}/$meta-add", body),
        entry("GET", f"{place}/$meta"),
        entry("POST", "Patient/$validate", patient() | {"gender": "foo"}),
    )
    assert [each["response"]["status"] for each in found] == ["200 OK"] * 4
    assert ids(found[0]["resource"]) == [made["id"]]
    assert found[2]["resource"]["parameter"][0]["valueMeta"]["tag"] == tag["tag"]
    assert found[3]["resource"]["issue"][0]["code"] == "code-invalid"


def test_the_capability_statement_may_be_an_entry_of_a_batch(fhir: httpx.Client) -> None:
    whole, part = batch(
        fhir, entry("GET", "metadata"), entry("GET", "metadata?_elements=fhirVersion")
    )
    assert whole["resource"]["rest"][0]["mode"] == "server"
    assert part["resource"]["fhirVersion"] == "4.0.1"
    assert "rest" not in part["resource"]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "Patient/$nothing", "404"),
        ("GET", "Patient/nobody/$everything", "404"),
        ("GET", "Patient/x/$meta-add", "405"),
        ("GET", "metadata?mode=foo", "400"),
        ("GET", "$job-status/x", "400"),
    ],
)
def test_what_an_operation_refuses_is_refused_in_a_batch(
    fhir: httpx.Client, method: str, url: str, status: str
) -> None:
    refused, made = batch(fhir, entry(method, url), entry("POST", "Patient", patient()))
    assert refused["response"]["status"][:3] == status
    path = refused["response"]["outcome"]["issue"][0].get("expression", ["Bundle.entry[0]"])[0]
    assert path.startswith("Bundle.entry[0]")
    assert made["response"]["status"] == "201 Created"
