"""App state, on the whole server: what apps keep, whose it is, and when it is gone.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from fhir_server.access.principal import Principal
from fhir_server.assembly.machine import now
from fhir_server.settings import Settings
from fhir_server.smart.records import Client
from fhir_server.smart.registering import forget
from fhir_server.store.mongo.client import Client as Connection
from fhir_server.store.mongo.sealing import Seal
from fhir_server.store.mongo.smart import MongoSmart
from tests.support.minted import mint
from tests.support.running import Running

pytestmark = pytest.mark.anyio

NAME: Final = f"state_{uuid4().hex[:12]}"
SYSTEM: Final = "https://app.example"
PREFERENCES: Final = f"{SYSTEM}|preferences"
KEYS: Final = f"{SYSTEM}|keys"
FOREIGN: Final = "https://other.example|keys"
ANNA: Final = Principal("app", (), patient="anna", user="Patient/anna", account="a")
DOCTOR: Final = Principal(
    "app", (), patient="anna", user="Practitioner/who", staff=True, purpose="TREAT"
)


@pytest.fixture(scope="module")
def running(mongodb_uri: str) -> Iterator[Running]:
    settings = Settings(
        mongodb_uri=SecretStr(mongodb_uri), database=NAME, seed=False, log_level="WARNING"
    )
    with Running(settings) as found:
        yield found


@dataclass
class Apps:
    """Tokens given as the authorization server gives them, and requests with them."""

    state: MongoSmart
    http: httpx.AsyncClient
    base: str
    """The FHIR base."""

    async def register(self, id_: str, *codes: str, permissions: str = "") -> Client:
        client = Client(
            id_,
            id_,
            "none",
            redirect_uris=("https://app.example/callback",),
            state_codes=codes,
            permissions=frozenset(permissions.split()),  # type: ignore[arg-type]
        )
        await self.state.clients.put(client)
        return client

    async def token(self, who: Principal, scopes: str, client: str = "app") -> str:
        return await mint(self.state, replace(who, client=client), scopes)

    def subject(self, reference: str) -> str:
        return f"{self.base}/{reference}"

    def resource(self, code: str, about: str | None, value: str = "x") -> dict[str, Any]:
        system, _, name = code.partition("|")
        found: dict[str, Any] = {
            "resourceType": "Basic",
            "extension": [{"url": f"{SYSTEM}/value", "valueString": value}],
            "code": {"coding": [{"system": system, "code": name}]},
        }
        return (
            found if about is None else found | {"subject": {"reference": self.subject(about)}}
        )

    async def ask(
        self, method: str, path: str, token: str | None, **more: Any
    ) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= more.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **more)

    async def made(
        self, token: str, code: str, about: str | None, value: str = "x"
    ) -> httpx.Response:
        body = self.resource(code, about, value)
        response = await self.ask("POST", "Basic", token, json=body)
        assert response.status_code == 201, response.text
        return response

    async def put(
        self, token: str, body: Mapping[str, Any], if_match: str | None
    ) -> httpx.Response:
        headers = {} if if_match is None else {"If-Match": if_match}
        path = f"Basic/{body['id']}"
        return await self.ask("PUT", path, token, json=body, headers=headers)

    async def found(self, token: str, **query: str) -> list[dict[str, Any]]:
        response = await self.ask("GET", "Basic", token, params=query)
        assert response.status_code == 200, response.text
        return [each["resource"] for each in response.json().get("entry", ())]


@pytest.fixture
async def apps(running: Running, mongodb_client: Connection) -> AsyncIterator[Apps]:
    state = MongoSmart(mongodb_client[NAME], Seal(None))
    await state.prepare()
    base = running.base_url
    url = f"{base.removesuffix('/fhir')}/auth/state"
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        found = Apps(state, http, base)
        await found.register("app", PREFERENCES, KEYS)
        yield found


async def patient_app(apps: Apps, scopes: str = "patient/Basic.cruds") -> str:
    return await apps.token(ANNA, scopes)


async def test_state_01_disc_17_discovery_says_where_it_is(apps: Apps) -> None:
    said = (await apps.http.get(f"{apps.base}/.well-known/smart-configuration")).json()
    assert said["associated_endpoints"] == [
        {"url": str(apps.http.base_url).rstrip("/"), "capabilities": ["smart-app-state"]}
    ]
    assert "smart-app-state" not in said["capabilities"]  # not at the FHIR base itself
    statement = (await apps.http.get("metadata")).json()
    assert statement["instantiates"][0].endswith("/smart-app-state-server")
    (resource,) = statement["rest"][0]["resource"]
    assert resource["type"] == "Basic"
    assert {each["code"] for each in resource["interaction"]} == {
        *("create", "read", "update", "delete", "search-type")
    }


async def test_state_02_what_is_posted_is_kept(apps: Apps) -> None:
    token = await patient_app(apps)
    sent = apps.resource(KEYS, "Patient/anna", "ключ")
    response = await apps.ask("POST", "Basic", token, json=sent)
    assert response.status_code == 201
    body = response.json()
    assert response.headers["etag"] == f'W/"{body["meta"]["versionId"]}"'
    where = f"{apps.http.base_url}Basic/{body['id']}"
    assert response.headers["location"].startswith(where)
    assert {name: body[name] for name in sent} == sent
    again = await apps.ask("GET", f"Basic/{body['id']}", token)
    assert (again.status_code, again.json()) == (200, body)


async def test_state_02_state_without_a_subject(apps: Apps) -> None:
    await apps.register("admin", f"{SYSTEM}|theme", permissions="global-state")
    token = await apps.token(DOCTOR, "user/Basic.cruds", "admin")
    body = (await apps.made(token, f"{SYSTEM}|theme", None)).json()
    assert "subject" not in body


def _broken(base: str) -> Iterator[tuple[str, dict[str, Any]]]:
    sound = {
        "resourceType": "Basic",
        "code": {"coding": [{"system": SYSTEM, "code": "keys"}]},
        "subject": {"reference": f"{base}/Patient/anna"},
    }
    coding = sound["code"]["coding"]  # type: ignore[index]
    yield "an id", sound | {"id": "1"}
    yield "a version", sound | {"meta": {"versionId": "1"}}
    yield "two codings", sound | {"code": {"coding": coding * 2}}
    yield "no coding", sound | {"code": {"text": "keys"}}
    yield "no system", sound | {"code": {"coding": [{"code": "keys"}]}}
    yield "a number", sound | {"extension": [{"url": SYSTEM, "valueInteger": 1}]}
    yield "a nested one", sound | {"extension": [{"url": SYSTEM, "extension": []}]}
    yield "no value", sound | {"extension": [{"url": SYSTEM}]}
    yield "relative", sound | {"subject": {"reference": "Patient/anna"}}
    yield "elsewhere", sound | {"subject": {"reference": "https://x.example/Patient/anna"}}
    yield "a version of", sound | {"subject": {"reference": f"{base}/Patient/anna/_history/1"}}
    yield "a device", sound | {"subject": {"reference": f"{base}/Device/1"}}
    yield "an identifier", sound | {"subject": {"identifier": {"value": "1"}}}
    yield "no subject", sound | {"subject": {"display": "everybody"}}


NAMES: Final = [name for name, _ in _broken("")]


@pytest.mark.parametrize("name", NAMES)
async def test_state_03_what_is_no_state_is_refused(apps: Apps, name: str) -> None:
    token = await patient_app(apps)
    body = dict(_broken(apps.base))[name]
    response = await apps.ask("POST", "Basic", token, json=body)
    assert response.status_code == 400, response.text
    assert response.json()["resourceType"] == "OperationOutcome"


async def test_state_03_state_is_small(apps: Apps) -> None:
    token = await patient_app(apps)
    most = 256 * 1024
    empty = httpx.Request("POST", "http://x", json=apps.resource(KEYS, "Patient/anna", ""))
    room = most - len(empty.content)
    over = apps.resource(KEYS, "Patient/anna", "a" * (room + 1))
    assert (await apps.ask("POST", "Basic", token, json=over)).status_code == 413
    fits = await apps.made(token, KEYS, "Patient/anna", "a" * room)
    big = fits.json() | {"language": "en"}
    assert (await apps.put(token, big, fits.headers["etag"])).status_code == 413


async def test_state_04_an_update_names_the_version_it_changes(apps: Apps) -> None:
    token = await patient_app(apps)
    made = await apps.made(token, KEYS, "Patient/anna")
    tag, body = made.headers["etag"], made.json()
    changed = body | {"extension": [{"url": SYSTEM, "valueString": "second"}]}
    for missing in (None, "*", ""):
        assert (await apps.put(token, changed, missing)).status_code == 400
    response = await apps.put(token, changed, tag)
    assert response.status_code == 200
    assert response.headers["etag"] not in (tag, "")
    assert response.json()["extension"][0]["valueString"] == "second"
    assert (await apps.put(token, changed, tag)).status_code == 412


@pytest.mark.parametrize("change", ["subject", "no subject", "code", "a code of nobody's"])
async def test_state_04_code_and_subject_stay(apps: Apps, change: str) -> None:
    token = await patient_app(apps)
    made = await apps.made(token, KEYS, "Patient/anna")
    tag, body = made.headers["etag"], made.json()
    other = {
        "subject": apps.resource(KEYS, "Patient/ben"),
        "no subject": apps.resource(KEYS, None),
        "code": apps.resource(PREFERENCES, "Patient/anna"),
        "a code of nobody's": apps.resource(FOREIGN, "Patient/anna"),
    }[change]
    sent = {"id": body["id"], **other}
    assert (await apps.put(token, sent, tag)).status_code == 412
    assert (await apps.ask("GET", f"Basic/{body['id']}", token)).json() == body


async def test_state_04_the_rules_of_new_state_hold_for_changed_state(apps: Apps) -> None:
    token = await patient_app(apps)
    made = await apps.made(token, KEYS, "Patient/anna")
    bad = made.json() | {"extension": [{"url": SYSTEM, "valueBoolean": True}]}
    assert (await apps.put(token, bad, made.headers["etag"])).status_code == 400


async def test_state_05_what_is_deleted_is_gone(apps: Apps) -> None:
    token = await patient_app(apps)
    made = await apps.made(token, KEYS, "Patient/anna")
    body, path = made.json(), f"Basic/{made.json()['id']}"
    assert (await apps.ask("DELETE", path, token)).status_code == 400
    stale = {"If-Match": 'W/"7"'}
    assert (await apps.ask("DELETE", path, token, headers=stale)).status_code == 412
    right = {"If-Match": made.headers["etag"]}
    assert (await apps.ask("DELETE", path, token, headers=right)).status_code == 204
    for tag in (made.headers["etag"], 'W/"2"'):
        assert (await apps.put(token, body, tag)).status_code == 412
        again = await apps.ask("DELETE", path, token, headers={"If-Match": tag})
        assert again.status_code == 412
    never = body | {"id": "never-there"}
    assert (await apps.put(token, never, 'W/"1"')).status_code == 412
    everything = await apps.found(
        token, code=KEYS, subject=apps.subject("Patient/anna"), _count="100"
    )
    assert body["id"] not in [each["id"] for each in everything]


async def test_state_06_a_search_finds_exactly_what_is_asked(apps: Apps) -> None:
    await apps.register("suite", f"{SYSTEM}|a", f"{SYSTEM}|b", permissions="global-state")
    token = await apps.token(DOCTOR, "user/Basic.cruds patient/Basic.cruds", "suite")
    ids = {
        (code, about): (await apps.made(token, f"{SYSTEM}|{code}", about)).json()["id"]
        for code in ("a", "b")
        for about in ("Patient/anna", "Practitioner/who", None)
    }
    for (code, about), id_ in ids.items():
        query = (
            {"subject:missing": "true"} if about is None else {"subject": apps.subject(about)}
        )
        found = await apps.found(token, code=f"{SYSTEM}|{code}", **query)
        assert [each["id"] for each in found] == [id_]
    posted = await apps.ask(
        "POST",
        "Basic/_search",
        token,
        data={"code": f"{SYSTEM}|a", "subject": apps.subject("Patient/anna")},
    )
    assert [each["resource"]["id"] for each in posted.json()["entry"]] == [
        ids["a", "Patient/anna"]
    ]


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"code={PREFERENCES}",
        "subject=Patient/anna",
        "code=preferences&subject=Patient/anna",
        f"code={PREFERENCES},{KEYS}&subject=Patient/anna",
        f"code={PREFERENCES}&code={KEYS}&subject=Patient/anna",
        f"code:not={FOREIGN}&subject=Patient/anna",
        f"code={PREFERENCES}&subject=Patient/anna,Patient/ben",
        f"code={PREFERENCES}&subject:missing=false",
        f"code={PREFERENCES}&subject:Patient=anna",
        f"code={PREFERENCES}&subject=Patient/anna&author=Patient/anna",
    ],
)
async def test_state_06_a_search_that_asks_for_less_or_more_is_refused(
    apps: Apps, query: str
) -> None:
    response = await apps.ask("GET", f"Basic?{query}", await patient_app(apps))
    assert response.status_code == 400, response.text


async def test_state_07_without_a_token_nothing_is_done(apps: Apps) -> None:
    for method, path in (("GET", "Basic"), ("POST", "Basic"), ("DELETE", "Basic/1")):
        response = await apps.ask(method, path, None)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")


async def test_state_07_an_app_has_its_own_codes_alone(apps: Apps) -> None:
    await apps.register("other", FOREIGN)
    theirs = await apps.token(ANNA, "patient/Basic.cruds", "other")
    made = await apps.made(theirs, FOREIGN, "Patient/anna")
    token, path = await patient_app(apps), f"Basic/{made.json()['id']}"
    query = {"code": FOREIGN, "subject": apps.subject("Patient/anna")}
    assert (await apps.ask("GET", "Basic", token, params=query)).status_code == 403
    body = apps.resource(FOREIGN, "Patient/anna")
    assert (await apps.ask("POST", "Basic", token, json=body)).status_code == 403
    assert (await apps.ask("GET", path, token)).status_code == 404
    assert (await apps.put(token, made.json(), made.headers["etag"])).status_code == 412
    match = {"If-Match": made.headers["etag"]}
    assert (await apps.ask("DELETE", path, token, headers=match)).status_code == 412
    assert (await apps.ask("GET", path, theirs)).json() == made.json()
    nothing = await apps.token(ANNA, "patient/*.cruds openid", "unregistered")
    query = {"code": PREFERENCES, "subject": apps.subject("Patient/anna")}
    assert (await apps.ask("GET", "Basic", nothing, params=query)).status_code == 403


@pytest.mark.parametrize("about", ["Patient/ben", "Practitioner/who", "Person/anna", None])
async def test_state_07_a_patients_app_has_that_patients_state_alone(
    apps: Apps, about: str | None
) -> None:
    await apps.register("admin-2", KEYS, permissions="global-state")
    user = about if about and about.startswith("Practitioner") else "Practitioner/x"
    staff = Principal("", (), patient="ben", user=user, staff=True, purpose="TREAT")
    writer = await apps.token(staff, "user/Basic.cruds patient/Basic.cruds", "admin-2")
    token = await patient_app(apps, "patient/Basic.cruds user/Basic.cruds")
    query = {"subject:missing": "true"} if about is None else {"subject": apps.subject(about)}
    answer = await apps.ask("GET", "Basic", token, params={"code": KEYS, **query})
    if about is not None:
        assert answer.status_code == 403
    body = apps.resource(KEYS, about)
    assert (await apps.ask("POST", "Basic", token, json=body)).status_code == 403
    if about != "Person/anna":
        made = await apps.made(writer, KEYS, about)
        assert (await apps.put(token, made.json(), made.headers["etag"])).status_code == 412
        read = await apps.ask("GET", f"Basic/{made.json()['id']}", token)
        assert read.status_code == (200 if about is None else 404)


async def test_state_07_what_is_nobodys_is_written_by_apps_that_may(apps: Apps) -> None:
    await apps.register("admin-3", f"{SYSTEM}|hospital", permissions="global-state")
    await apps.register("reader", f"{SYSTEM}|hospital")
    body = apps.resource(f"{SYSTEM}|hospital", None)
    admin = await apps.token(DOCTOR, "user/Basic.cruds", "admin-3")
    made = await apps.made(admin, f"{SYSTEM}|hospital", None)
    for who, client in ((DOCTOR, "reader"), (ANNA, "reader"), (ANNA, "admin-3")):
        token = await apps.token(who, "user/Basic.cruds patient/Basic.cruds", client)
        assert (await apps.ask("POST", "Basic", token, json=body)).status_code == 403
        found = await apps.found(
            token, code=f"{SYSTEM}|hospital", **{"subject:missing": "true"}
        )
        assert [each["id"] for each in found] == [made.json()["id"]]
        assert (await apps.put(token, made.json(), made.headers["etag"])).status_code == 412
    without = await apps.token(DOCTOR, "patient/Basic.cruds", "admin-3")
    assert (await apps.ask("POST", "Basic", without, json=body)).status_code == 403


async def test_state_07_who_may_not_open_the_record_has_not_its_state(apps: Apps) -> None:
    made = await apps.made(await patient_app(apps), KEYS, "Patient/anna")
    stranger = Principal("", (), patient="anna", user="RelatedPerson/x", account="x")
    token = await apps.token(stranger, "patient/*.cruds")
    assert (await apps.ask("GET", f"Basic/{made.json()['id']}", token)).status_code in (
        403,
        404,
    )
    body = apps.resource(KEYS, "Patient/anna")
    assert (await apps.ask("POST", "Basic", token, json=body)).status_code == 403
    service = await apps.token(Principal("", ()), "system/*.cruds")
    query = {"code": KEYS, "subject": apps.subject("Patient/anna")}
    assert (await apps.ask("GET", "Basic", service, params=query)).status_code == 403


@pytest.mark.parametrize("level", ["patient", "user"])
async def test_state_08_a_scope_limits_to_a_code(apps: Apps, level: str) -> None:
    whole = await patient_app(apps)
    hidden = await apps.made(whole, KEYS, "Patient/anna")
    token = await apps.token(ANNA, f"{level}/Basic.cuds?code={PREFERENCES}")
    made = await apps.made(token, PREFERENCES, "Patient/anna")
    changed = made.json() | {"language": "ru"}
    assert (await apps.put(token, changed, made.headers["etag"])).status_code == 200
    about = apps.subject("Patient/anna")
    assert await apps.found(token, code=PREFERENCES, subject=about)
    query = {"code": KEYS, "subject": about}
    assert (await apps.ask("GET", "Basic", token, params=query)).status_code == 403
    body = apps.resource(KEYS, "Patient/anna")
    assert (await apps.ask("POST", "Basic", token, json=body)).status_code == 403
    assert (await apps.put(token, hidden.json(), hidden.headers["etag"])).status_code == 412


async def test_state_08_a_companion_reads_and_does_not_write(apps: Apps) -> None:
    await apps.register("companion", KEYS)
    made = await apps.made(await patient_app(apps), KEYS, "Patient/anna", "secret")
    token = await apps.token(DOCTOR, f"patient/Basic.s?code={KEYS}", "companion")
    found = await apps.found(
        token, code=KEYS, subject=apps.subject("Patient/anna"), _count="100"
    )
    assert made.json() in found
    refused = await apps.put(token, made.json(), made.headers["etag"])
    assert refused.status_code == 403
    assert "insufficient_scope" in refused.headers["www-authenticate"]


@pytest.mark.parametrize(
    "user", ["Patient/u", "Practitioner/u", "PractitionerRole/u", "RelatedPerson/u", "Person/u"]
)
async def test_state_09_users_of_every_type(apps: Apps, user: str) -> None:
    who = Principal("", (), user=user, account="u")
    token = await apps.token(who, "user/Basic.cruds")
    made = await apps.made(token, PREFERENCES, user)
    found = await apps.found(token, code=PREFERENCES, subject=apps.subject(user))
    assert found == [made.json()]


async def test_state_10_the_record_knows_nothing_of_it(apps: Apps) -> None:
    made = await apps.made(await patient_app(apps), KEYS, "Patient/anna", "secret")
    id_ = made.json()["id"]
    everything = await apps.token(Principal("", ()), "system/*.cruds")
    for path in ("Basic", "Basic?code=" + KEYS, "Basic/_history", "?_type=Basic", "_history"):
        response = await apps.ask("GET", f"{apps.base}/{path}", everything)
        assert response.status_code == 200, response.text
        shown = [each["resource"] for each in response.json().get("entry", ())]
        assert "Basic" not in [each["resourceType"] for each in shown]
    response = await apps.ask("GET", f"{apps.base}/Basic/{id_}", everything)
    assert response.status_code == 404
    own = await patient_app(apps, "patient/*.cruds")
    whole = await apps.ask("GET", f"{apps.base}/Patient/anna/$everything", own)
    assert id_ not in whole.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("GET", "?_type=Basic"),
        ("GET", "_history"),
        ("GET", "Patient"),
        ("GET", "Basic/_history"),
        ("GET", "Basic/1/_history"),
        ("GET", "Basic/1/_history/1"),
        ("PATCH", "Basic/1"),
        ("PUT", f"Basic?code={KEYS}"),
        ("DELETE", f"Basic?code={KEYS}"),
        ("POST", "Basic/$validate"),
        ("GET", "Patient/anna/Basic"),
        ("GET", "$job-status/1"),
        ("DELETE", "$job-status/1"),
    ],
)
async def test_state_10_nothing_else_is_done_here(apps: Apps, method: str, path: str) -> None:
    token = await apps.token(ANNA, "patient/*.cruds")
    body = {"json": {"resourceType": "Bundle", "type": "batch", "entry": []}}
    more: dict[str, Any] = body if method in ("POST", "PUT") else {}
    if method == "PATCH":
        more = {"headers": {"Content-Type": "application/json-patch+json"}, "content": "[]"}
    response = await apps.ask(method, path, token, **more)
    assert response.status_code in (400, 404, 405), response.text


async def test_state_10_it_goes_with_the_last_app_that_has_its_code(apps: Apps) -> None:
    shared, own = f"{SYSTEM}|shared", f"{SYSTEM}|own"
    first = await apps.register("first", shared, own)
    second = await apps.register("second", shared)
    token = await apps.token(ANNA, "patient/Basic.cruds", "first")
    for code in (shared, own):
        made = await apps.made(token, code, "Patient/anna")
        await apps.put(token, made.json() | {"language": "ru"}, made.headers["etag"])
    await forget(apps.state.clients, apps.state.states, first)
    other = await apps.token(ANNA, "patient/Basic.cruds", "second")
    about = apps.subject("Patient/anna")
    assert len(await apps.found(other, code=shared, subject=about)) == 1
    refused = await apps.ask("GET", "Basic", token, params={"code": own, "subject": about})
    assert refused.status_code == 403
    again = await apps.register("first", shared, own)
    assert await apps.found(token, code=own, subject=about) == []
    await forget(apps.state.clients, apps.state.states, again)
    await forget(apps.state.clients, apps.state.states, second)
    await apps.register("second", shared)
    assert await apps.found(other, code=shared, subject=about) == []
    for table in (apps.state.states._current, apps.state.states._history):
        left = await table.find({"json": {"$exists": True}}).to_list()
        assert not [each for each in left if b'"own"' in each["json"]]


async def test_state_10_what_was_replaced_or_deleted_is_erased(apps: Apps) -> None:
    token = await patient_app(apps)
    made = await apps.made(token, KEYS, "Patient/anna")
    changed = await apps.put(token, made.json() | {"language": "ru"}, made.headers["etag"])
    kept = apps.state.states._history
    assert await kept.count_documents({"_id.id": made.json()["id"]}) == 1
    await apps.state.states.sweep(now() - 60_000)
    assert await kept.count_documents({"_id.id": made.json()["id"]}) == 1
    await apps.state.states.sweep(now() + 60_000)
    assert await kept.count_documents({"_id.id": made.json()["id"]}) == 0
    again = await apps.ask("GET", f"Basic/{made.json()['id']}", token)
    assert again.json() == changed.json()


async def test_there_are_few_states_of_one_code_about_one_subject(apps: Apps) -> None:
    code = f"{SYSTEM}|many"
    await apps.register("greedy", code)
    who = Principal("", (), user="Person/greedy", account="g")
    token = await apps.token(who, "user/Basic.cruds", "greedy")
    body = apps.resource(code, "Person/greedy")
    answers = await asyncio.gather(
        *(apps.ask("POST", "Basic", token, json=body) for _ in range(24))
    )
    statuses = sorted(each.status_code for each in answers)
    assert statuses == [*[201] * 20, *[422] * 4]


async def test_of_parallel_changes_one_is_made(apps: Apps) -> None:
    token = await patient_app(apps)
    made = await apps.made(token, PREFERENCES, "Patient/anna")
    answers = await asyncio.gather(
        *(
            apps.put(token, made.json() | {"language": each}, made.headers["etag"])
            for each in ("ru", "uk", "en", "de", "fr", "it")
        )
    )
    assert sorted(each.status_code for each in answers) == [200, *[412] * 5]


async def test_cors_06_cors_08_pages_of_registered_apps_keep_state(apps: Apps) -> None:
    for origin, allowed in ((SYSTEM, SYSTEM), ("https://stranger.example", None)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        preflight = await apps.http.options("Basic/1", headers=asked)
        assert preflight.headers.get("access-control-allow-origin") == allowed
        refused = await apps.http.get("Basic", headers={"Origin": origin})
        assert refused.status_code == 401
        assert refused.headers.get("access-control-allow-origin") == allowed


async def test_the_audit_knows_of_it(apps: Apps) -> None:
    made = await apps.made(await patient_app(apps), KEYS, "Patient/anna")
    own = await patient_app(apps, "patient/*.rs")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        events = await apps.ask("GET", f"{apps.base}/AuditEvent?patient=anna&_count=200", own)
        if made.json()["id"] in events.text:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the patient is not told")
