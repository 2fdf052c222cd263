"""The folders of the collection: core types, bundles, operations, errors."""

from collections.abc import Iterator
from typing import Any, Final

from fhir_server.search.registry import Registry
from scripts.postman.requests import (
    finds,
    folder,
    header,
    issue,
    keep,
    request,
    resource,
    status,
)
from scripts.postman.samples import NEIGHBOURS, PATIENT, SAMPLES
from scripts.postman.searches import searches

JsonObject = dict[str, Any]

_URN: Final = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


def start() -> JsonObject:
    """What the server is, and the resources that the others refer to."""
    puts = [
        request(
            f"Put {each['resourceType']}/{each['id']}",
            "PUT",
            f"/{each['resourceType']}/{each['id']}",
            status(200, 201),
            resource(each["resourceType"]),
            body=each,
        )
        for each in NEIGHBOURS
    ]
    metadata = request(
        "Capabilities",
        "GET",
        "/metadata",
        status(200),
        resource("CapabilityStatement"),
        "pm.test('speaks FHIR 4.0.1', () => "
        "pm.expect(pm.response.json().fhirVersion).to.eql('4.0.1'));",
    )
    return folder("Start", [metadata, *puts], "Run this folder first.")


def core_types() -> Iterator[JsonObject]:
    """A folder a core type."""
    registry = Registry()
    for sample in SAMPLES:
        yield _core_type(registry, sample)


def _core_type(registry: Registry, sample: JsonObject) -> JsonObject:
    kind = sample["resourceType"]
    variable = f"{kind}Id"
    url, id_ = f"/{kind}/{{{{{variable}}}}}", f"{{{{{variable}}}}}"
    return folder(
        kind,
        [
            request(
                "Create",
                "POST",
                f"/{kind}",
                status(201),
                resource(kind),
                header("ETag", 'W/"1"'),
                keep(variable, "pm.response.json().id"),
                body=sample,
            ),
            request(
                "Read", "GET", url, status(200), resource(kind), header("ETag", 'W/"1"')
            ),
            request(
                "Read what has not changed",
                "GET",
                url,
                status(304),
                headers=[("If-None-Match", 'W/"1"')],
            ),
            folder(
                "Search",
                [
                    request(
                        name, "GET", f"/{kind}", *finds(variable),
                        query=[(name, value), ("_id", id_)],
                    )
                    for _, name, value in searches(registry, sample)
                ],
                "One request a search parameter; each finds the resource just made.",
            ),
            request(
                "Search by POST",
                "POST",
                f"/{kind}/_search",
                *finds(variable),
                body=f"_id={id_}",
                content_type="application/x-www-form-urlencoded",
            ),
            request(
                "Update",
                "PUT",
                url,
                status(200),
                header("ETag", 'W/"2"'),
                body=sample | {"id": id_, "language": "en"},
                headers=[("If-Match", 'W/"1"')],
            ),
            request(
                "Update of a version that is past",
                "PUT",
                url,
                status(412),
                resource("OperationOutcome"),
                body=sample | {"id": id_, "language": "ru"},
                headers=[("If-Match", 'W/"1"')],
            ),
            request(
                "Patch",
                "PATCH",
                url,
                status(200),
                header("ETag", 'W/"3"'),
                body=[{"op": "replace", "path": "/language", "value": "uk"}],
                content_type="application/json-patch+json",
            ),
            request(
                "A version", "GET", f"{url}/_history/1", status(200), header("ETag", 'W/"1"')
            ),
            request(
                "History",
                "GET",
                f"{url}/_history",
                status(200),
                "pm.test('has three versions', () => "
                "pm.expect(pm.response.json().total).to.eql(3));",
            ),
            request("Delete", "DELETE", url, status(204), header("ETag", 'W/"4"')),
            request("Read what was deleted", "GET", url, status(410), issue("deleted")),
        ],
    )  # fmt: skip


def _bundle(kind: str, *entries: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _entry(method: str, url: str, body: JsonObject | None = None, **more: str) -> JsonObject:
    found: JsonObject = {**more, "request": {"method": method, "url": url}}
    return found | ({"resource": body} if body else {})


def bundles() -> JsonObject:
    """Transactions and batches."""
    patient = {"resourceType": "Patient", "name": [{"family": "Bundle"}]}
    condition = {"resourceType": "Condition", "subject": {"reference": _URN}}
    wrong = {"resourceType": "Patient", "gender": "foo"}
    return folder(
        "Bundles",
        [
            request(
                "A transaction whose entries refer to each other",
                "POST",
                "/",
                status(200),
                "const entries = pm.response.json().entry;",
                "pm.test('both are created', () => pm.expect(entries.map("
                "e => e.response.status)).to.eql(['201 Created', '201 Created']));",
                keep("bundled", "entries[1].response.location.split('/').slice(-4, -2)[1]"),
                body=_bundle(
                    "transaction",
                    _entry("POST", "Patient", patient, fullUrl=_URN),
                    _entry("POST", "Condition", condition),
                ),
            ),
            request(
                "The reference leads to the new patient",
                "GET",
                "/Condition/{{bundled}}",
                status(200),
                "pm.test('is a reference to a Patient', () => "
                "pm.expect(pm.response.json().subject.reference).to.match(/^Patient\\//));",
            ),
            request(
                "A transaction with one wrong entry writes nothing",
                "POST",
                "/",
                status(400),
                "pm.test('names the entry', () => pm.expect(pm.response.json().issue[0]"
                ".expression[0]).to.eql('Bundle.entry[1].resource.gender'));",
                body=_bundle(
                    "transaction",
                    _entry("POST", "Patient", patient),
                    _entry("POST", "Patient", wrong),
                ),
            ),
            request(
                "In a batch an entry fails alone",
                "POST",
                "/",
                status(200),
                "const answers = pm.response.json().entry.map("
                "e => e.response.status.slice(0, 3));",
                "pm.test('one is made, one refused, one not found', () => "
                "pm.expect(answers).to.eql(['201', '400', '404']));",
                body=_bundle(
                    "batch",
                    _entry("POST", "Patient", patient),
                    _entry("POST", "Patient", wrong),
                    _entry("GET", "Patient/nobody"),
                ),
            ),
        ],
    )


def operations() -> JsonObject:
    """The `$operations`."""
    label = {"name": "meta", "valueMeta": {"tag": [{"system": "urn:postman", "code": "x"}]}}
    labels = {"resourceType": "Parameters", "parameter": [label]}
    searchset = (
        "pm.test('is a searchset', () => "
        "pm.expect(pm.response.json().type).to.eql('searchset'));"
    )
    return folder(
        "Operations",
        [
            request(
                "$validate a wrong resource",
                "POST",
                "/Patient/$validate",
                status(200),
                issue("code-invalid"),
                body={"resourceType": "Patient", "gender": "foo"},
            ),
            request("$everything", "GET", f"/{PATIENT}/$everything", status(200), searchset),
            request(
                "$lastn",
                "GET",
                "/Observation/$lastn",
                status(200),
                searchset,
                query=[("patient", PATIENT), ("category", "laboratory"), ("max", "1")],
            ),
            *_tickets(),
            request("$meta-add", "POST", f"/{PATIENT}/$meta-add", status(200), body=labels),
            request("$meta", "GET", f"/{PATIENT}/$meta", status(200), resource("Parameters")),
            request(
                "$meta-delete", "POST", f"/{PATIENT}/$meta-delete", status(200), body=labels
            ),
        ],
    )


def _tickets() -> Iterator[JsonObject]:
    """A booked visit, and its ticket in the forms that it has."""
    path = "/Appointment/postman-visit"
    participant = [{"actor": {"reference": PATIENT}, "status": "accepted"}]
    visit = {
        "resourceType": "Appointment",
        "id": "postman-visit",
        "status": "booked",
        "start": "2030-01-08T09:00:00Z",
        "end": "2030-01-08T09:30:00Z",
        "participant": participant,
    }
    yield request("Put Appointment/postman-visit", "PUT", path, status(200, 201), body=visit)
    yield request("$ticket", "GET", f"{path}/$ticket", status(200), resource("Parameters"))
    for name, media, begins in (
        ("for a calendar", "text/calendar", "BEGIN:VCALENDAR"),
        ("to print", "application/pdf", "%PDF-"),
    ):
        yield request(
            f"$ticket {name}",
            "GET",
            f"{path}/$ticket",
            status(200),
            f"pm.test('is {media}', () => "
            f"pm.expect(pm.response.text().startsWith('{begins}')).to.be.true);",
            headers=[("Accept", media)],
        )


def errors() -> JsonObject:
    """What is refused, and how it is said."""
    patient = {"resourceType": "Patient"}
    rows: list[tuple[str, str, str, int, dict[str, Any]]] = [
        ("An unknown type", "GET", "/Foo", 404, {}),
        ("An unknown id", "GET", "/Patient/nobody", 404, {}),
        ("An unknown search parameter", "GET", "/Patient", 400, {"query": [("foo", "1")]}),
        ("A date that is none", "GET", "/Patient", 400, {"query": [("birthdate", "x")]}),
        ("A verb that means nothing here", "DELETE", "/metadata", 405, {}),
        ("A form that is not written", "GET", "/Patient/1", 406,
         {"headers": [("Accept", "text/turtle")]}),
        ("A body of another kind", "POST", "/Patient", 415,
         {"body": "hello", "content_type": "text/plain"}),
        ("Broken JSON", "POST", "/Patient", 400, {"body": '{"resourceType":'}),
        ("An unknown element", "POST", "/Patient", 400, {"body": patient | {"foo": 1}}),
        ("A wrong code", "POST", "/Patient", 400, {"body": patient | {"gender": "foo"}}),
        ("Another id in the body", "PUT", "/Patient/a", 400, {"body": patient | {"id": "b"}}),
    ]  # fmt: skip
    return folder(
        "Errors",
        [
            request(name, method, path, status(code), resource("OperationOutcome"), **more)
            for name, method, path, code, more in rows
        ],
    )
