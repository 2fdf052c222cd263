"""`/docs` and `/openapi.json`."""

import re

import httpx
from jsonschema import Draft202012Validator

from tests.support.running import Running


def _root(server: Running) -> str:
    return server.base_url.removesuffix("/fhir")


def test_the_page_needs_no_foreign_host(server: Running) -> None:
    page = httpx.get(f"{_root(server)}/docs").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    for source in sources:
        assert source.startswith("/")
        assert httpx.get(_root(server) + source).status_code == 200


def test_the_document_names_what_is_served(server: Running) -> None:
    document = httpx.get(f"{_root(server)}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path in ("/Patient", "/Observation/{id}", "/{type}/{id}", "/metadata", "/"):
        assert path in document["paths"]
    search = document["paths"]["/Observation"]["get"]["parameters"]
    names = {each.get("name") for each in search}
    assert {"code", "code-value-quantity", "patient"} <= names


def test_its_schemas_are_schemas_and_its_references_lead_somewhere(server: Running) -> None:
    document = httpx.get(f"{_root(server)}/openapi.json").json()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in set(re.findall(r'"\$ref": ?"#/([^"]+)"', str(document).replace("'", '"'))):
        found = document
        for part in reference.split("/"):
            found = found[part]
