"""A stronger sign-in: no write comes past a rule, and none tells what is there.

https://www.rfc-editor.org/rfc/rfc9470
https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from fhir_server.access.principal import Principal
from fhir_server.access.scopes import parse_scopes
from fhir_server.settings import Settings
from tests.support.emergencies import Ward, WardTokens, doctor, person
from tests.support.fhir import JsonObject
from tests.support.running import Running

WEAK: Final = doctor(token="weak", level=1)
OLD: Final = doctor(token="old", auth_time=1)
STRONG: Final = doctor(token="strong")
UNRULED: Final = doctor(token="unruled", level=0, auth_time=0)


@pytest.fixture(scope="module")
def ruled(mongodb_uri: str) -> Iterator[Ward]:
    """Where writing an Observation needs level 2, of the last hour."""
    tokens = WardTokens()
    settings = Settings(
        mongodb_uri=mongodb_uri, database=f"ruled_{uuid4().hex[:12]}", seed=False,
        log_level="WARNING", step_up=("Observation.cud=2/3600", "Flag.c=2"),
    )  # fmt: skip
    with (
        Running(settings, tokens.gate) as running,
        httpx.Client(base_url=running.base_url, timeout=60) as http,
    ):
        ward = Ward(http, tokens)
        ward.put(person("p"), observation("there"))
        yield ward


def observation(id_: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "x"},
        "identifier": [{"value": id_}],
        "subject": {"reference": "Patient/p"},
        **more,
    }


def entry(method: str, url: str, resource: object = None, **more: str) -> JsonObject:
    request = {"method": method, "url": url, **more}
    return {"request": request, **({} if resource is None else {"resource": resource})}


def bundle(kind: str, *entries: object) -> JsonObject:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


PATCH: Final = {"Content-Type": "application/json-patch+json"}
CHANGE: Final = [{"op": "replace", "path": "/status", "value": "amended"}]
META: Final = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "t"}]}}],
}
Door = tuple[str, str, object, dict[str, str]]
DOORS: Final[dict[str, Door]] = {
    "create": ("POST", "/Observation", observation("{id}"), {}),
    "conditional create": (
        "POST", "/Observation", observation("{id}"), {"If-None-Exist": "identifier={id}"}),
    "update": ("PUT", "/Observation/{id}", observation("{id}", note=[{"text": "y"}]), {}),
    "update if match": (
        "PUT", "/Observation/{id}", observation("{id}"), {"If-Match": 'W/"1"'}),
    "conditional update": ("PUT", "/Observation?identifier={id}", observation("{id}"), {}),
    "patch": ("PATCH", "/Observation/{id}", CHANGE, PATCH),
    "conditional patch": ("PATCH", "/Observation?identifier={id}", CHANGE, PATCH),
    "delete": ("DELETE", "/Observation/{id}", None, {}),
    "conditional delete": ("DELETE", "/Observation?identifier={id}", None, {}),
    "meta-add": ("POST", "/Observation/{id}/$meta-add", META, {}),
    "transaction": ("POST", "/", bundle("transaction",
        entry("POST", "Flag", {"resourceType": "Flag"}),
        entry("PUT", "Observation/{id}", observation("{id}"))), {}),
    "transaction, delete": ("POST", "/", bundle("transaction",
        entry("DELETE", "Observation/{id}")), {}),
    "transaction, conditional": ("POST", "/", bundle("transaction",
        entry("PUT", "Observation?identifier={id}", observation("{id}"))), {}),
    "transaction, ifNoneExist": ("POST", "/", bundle("transaction",
        entry("POST", "Observation", observation("{id}"), ifNoneExist="identifier={id}")), {}),
}  # fmt: skip


def filled(value: Any, id_: str) -> Any:
    match value:
        case str():
            return value.replace("{id}", id_)
        case dict():
            return {key: filled(each, id_) for key, each in value.items()}
        case list():
            return [filled(each, id_) for each in value]
    return value


def asked(ruled: Ward, who: Principal, door: str, id_: str) -> httpx.Response:
    method, path, body, headers = filled(list(DOORS[door]), id_)
    return ruled.ask(who, method, path, body, **headers)


@pytest.mark.parametrize("who", [WEAK, OLD], ids=["weak", "old"])
@pytest.mark.parametrize("door", DOORS)
def test_no_write_comes_past_a_rule(ruled: Ward, door: str, who: Principal) -> None:
    there, absent = (asked(ruled, who, door, each) for each in ("there", "absent"))
    assert there.status_code == absent.status_code == 401
    assert there.text.replace("there", "absent") == absent.text
    said = there.headers["www-authenticate"]
    assert said == absent.headers["www-authenticate"]
    assert said.startswith('Bearer realm="fhir", error="insufficient_user_authentication"')
    # Of all entries together: the Flag of the transaction asks for the level alone.
    assert said.endswith('acr_values="2", max_age="3600"')
    assert there.json()["issue"][0]["code"] == "login"
    kept = ruled.ask(STRONG, "GET", "/Observation/there").json()
    assert (kept["meta"]["versionId"], kept["status"]) == ("1", "final")
    assert ruled.ask(STRONG, "GET", "/Observation?_summary=count").json()["total"] == 1


@pytest.mark.parametrize("door", DOORS)
def test_a_strong_sign_in_comes_through(ruled: Ward, door: str) -> None:
    """To an id of its own: each door leads somewhere, and is not 401."""
    id_ = f"strong-{list(DOORS).index(door)}"
    answer = asked(ruled, STRONG, door, id_)
    assert answer.status_code != 401
    ruled.ask(STRONG, "DELETE", f"/Observation?identifier={id_}")


def test_an_entry_of_a_batch_is_refused_alone(ruled: Ward) -> None:
    given = bundle(
        "batch",
        entry("PUT", "Observation/there", observation("there", status="amended")),
        entry("GET", "Observation/there"),
        entry("POST", "Observation/there/$meta-add", META),
        entry("DELETE", "Observation/absent"),
    )
    answer = ruled.ask(WEAK, "POST", "/", given)
    assert answer.status_code == 200
    statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
    assert statuses == ["401", "200", "401", "401"]
    # "… might affect the response": https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
    assert 'acr_values="2", max_age="3600"' in answer.headers["www-authenticate"]
    assert ruled.ask(WEAK, "GET", "/Observation/there").json()["meta"]["versionId"] == "1"


def test_what_no_rule_is_about_asks_nothing(ruled: Ward) -> None:
    assert ruled.ask(UNRULED, "GET", "/Observation/there").status_code == 200
    assert ruled.ask(UNRULED, "GET", "/Observation?status=final").status_code == 200
    written = ruled.ask(UNRULED, "PUT", "/Patient/p", person("p", gender="male"))
    assert written.status_code == 200


def test_an_update_that_could_create_meets_the_rule_of_creating(ruled: Ward) -> None:
    flag = {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"},
            "subject": {"reference": "Patient/p"}}  # fmt: skip
    ruled.put(flag)
    for id_ in ("f", "g"):
        answer = ruled.ask(WEAK, "PUT", f"/Flag/{id_}", {**flag, "id": id_})
        assert answer.status_code == 401
    patched = ruled.ask(
        WEAK, "PATCH", "/Flag/f", [{"op": "replace", "path": "/status", "value": "inactive"}],
        **PATCH,
    )  # fmt: skip
    assert patched.status_code == 200


def test_a_missing_scope_is_said_first(ruled: Ward) -> None:
    who = replace(WEAK, scopes=parse_scopes("user/Observation.rs"), token="reader")
    assert ruled.ask(who, "DELETE", "/Observation/there").status_code == 403


def test_nothing_is_asked_of_a_service(ruled: Ward) -> None:
    service = Principal("mis", parse_scopes("system/*.cruds"), token="mis")
    assert ruled.ask(service, "PUT", "/Observation/s", observation("s")).status_code == 201
    assert ruled.ask(service, "DELETE", "/Observation/s").status_code == 204
