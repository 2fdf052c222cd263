"""Callers of a server that audits, and what it wrote of them."""

from dataclasses import dataclass

import httpx

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.fhir import JsonObject, new_id
from tests.support.worlds import Tokens


@dataclass(frozen=True)
class Caller:
    """Somebody with a token."""

    http: httpx.Client
    principal: Principal

    @property
    def id(self) -> str:
        """Of the patient in context."""
        return self.principal.patient or ""

    @property
    def observation(self) -> str:
        return f"o-{self.id}"

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        kinds = {"PATCH": "application/json-patch+json"}
        headers = {
            "content-type": kinds.get(method, "application/fhir+json"),
            "authorization": f"Bearer {self.principal.token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.http.request(method, path, json=body, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def events(self, query: str = "") -> list[JsonObject]:
        """AuditEvents that the caller finds, newest first."""
        found = self.get(f"/AuditEvent?_sort=-date&_count=200&{query}")
        assert found.status_code == 200, found.text
        return [each["resource"] for each in found.json().get("entry", ())]


@dataclass(frozen=True)
class Clinic:
    """A running server."""

    http: httpx.Client
    tokens: Tokens
    settings: Settings

    def caller(self, principal: Principal, http: httpx.Client | None = None) -> Caller:
        self.tokens.give(principal)
        return Caller(http or self.http, principal)

    def put(self, resource: JsonObject) -> None:
        path = f"/{resource['resourceType']}/{resource['id']}"
        headers = {"authorization": "Bearer root"}
        answer = self.http.put(path, json=resource, headers=headers)
        assert answer.status_code in {200, 201}, answer.text

    def person(self, name: str | None = None) -> Caller:
        """A new patient in an app of a third party."""
        id_ = new_id()
        named = {} if name is None else {"name": [{"text": name}]}
        self.put({"resourceType": "Patient", "id": id_, **named})
        return self.caller(
            Principal(
                "cabinet",
                parse_scopes("patient/*.cruds"),
                patient=id_,
                user=f"Patient/{id_}",
                represented=(id_,),
                account=f"a-{id_}",
                token=new_id(),
            )
        )

    def observation(self, id_: str, patient: str, **more: object) -> None:
        self.put(observation(patient, id=id_, **more))


def observation(patient: str, **more: object) -> JsonObject:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def subtypes(event: JsonObject) -> list[str]:
    return [each["code"] for each in event["subtype"]]


def entity(event: JsonObject, role: str) -> JsonObject | None:
    found = (e for e in event.get("entity", ()) if e.get("role", {}).get("code") == role)
    return next(found, None)


def agent(event: JsonObject, code: str) -> JsonObject:
    return next(e for e in event["agent"] if e["type"]["coding"][0]["code"] == code)


def data_of(event: JsonObject) -> str:
    """The reference of the resource that the event is about."""
    found = entity(event, "4")
    return "" if found is None else found.get("what", {}).get("reference", "")
