"""Which apps may see a record, and how that ends.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#management
"""

from typing import Any

import pytest

from fhir_server.smart.records import Client, Subject
from tests.support.smart import ANNA, DAY, ISSUER, Smart

pytestmark = pytest.mark.anyio

MOTHER = Subject("account-mother", "RelatedPerson/mother", represented=("anna",))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def tokens(smart: Smart, client: Client, subject: Subject = ANNA) -> dict[str, Any]:
    parked = await smart.parked(client)
    answer = await smart.answer(parked, await smart.decision(subject))
    found: dict[str, Any] = (await smart.redeem(client, answer["code"])).json()
    return found


async def cabinet(smart: Smart, subject: Subject = ANNA) -> dict[str, str]:
    """The header of the person's own cabinet, which may look after grants."""
    client = await smart.client(client_name="Cabinet", permissions=["grants"])
    return bearer((await tokens(smart, client, subject))["access_token"])


async def listed(smart: Smart, headers: dict[str, str]) -> dict[str, dict[str, Any]]:
    response = await smart.http.get("/auth/grants", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return {each["client_id"]: each for each in response.json()["grants"]}


async def test_revo_06_each_app_is_shown(smart: Smart) -> None:
    app = await smart.client(client_name="Diary", publisher="Diaries Ltd")
    body = await tokens(smart, app)
    shown = (await listed(smart, await cabinet(smart)))[app.id]
    assert shown["client_name"] == "Diary"
    assert shown["publisher"] == "Diaries Ltd"
    assert shown["scope"] == body["scope"]
    assert shown["patient"] == "anna"
    assert shown["given_by"] == f"{ISSUER}/fhir/Patient/anna"
    assert shown["created"] == shown["last_used"] == smart.clock.now() // 1000
    assert "expires" not in shown
    assert "last_read" not in shown


async def test_revo_06_the_last_read_is_shown(smart: Smart) -> None:
    app, headers = await smart.client(), await cabinet(smart)
    await tokens(smart, app)
    id_ = (await listed(smart, headers))[app.id]["id"]
    now = smart.clock.now()
    await smart.ports.grants.read({id_: now + 60_000, "unknown": now})
    await smart.ports.grants.read({id_: now})  # of a worker that comes late
    assert (await listed(smart, headers))[app.id]["last_read"] == (now + 60_000) // 1000
    assert await smart.ports.grants.find("unknown") is None


async def test_revo_01_02_06_one_is_ended_at_once(smart: Smart) -> None:
    app = await smart.client()
    body = await tokens(smart, app)
    headers = await cabinet(smart)
    id_ = (await listed(smart, headers))[app.id]["id"]
    ended = await smart.http.delete(f"/auth/grants/{id_}", headers=headers)
    assert ended.status_code == 204
    assert not await smart.works(body["access_token"])
    assert (await smart.refresh(app, body["refresh_token"])).status_code == 400
    assert app.id not in await listed(smart, headers)
    again = await smart.http.delete(f"/auth/grants/{id_}", headers=headers)
    assert again.status_code == 404
    assert [each.reason for each in smart.told.events if each.kind == "ended"] == [
        "by the person"
    ]


async def test_a_patient_sees_what_others_let_at_their_record(smart: Smart) -> None:
    app = await smart.client()
    body = await tokens(smart, app, MOTHER)
    headers = await cabinet(smart)
    shown = (await listed(smart, headers))[app.id]
    assert shown["given_by"] == f"{ISSUER}/fhir/RelatedPerson/mother"
    await smart.http.delete(f"/auth/grants/{shown['id']}", headers=headers)
    assert not await smart.works(body["access_token"])


async def test_a_proxy_sees_and_ends_their_own_alone(smart: Smart) -> None:
    app = await smart.client()
    await tokens(smart, app)
    headers = await cabinet(smart, MOTHER)
    assert app.id not in await listed(smart, headers)
    grant = await smart.grant(app)
    response = await smart.http.delete(f"/auth/grants/{grant.id}", headers=headers)
    assert response.status_code == 404


async def test_what_is_over_is_not_shown(smart: Smart) -> None:
    app, never = await smart.client(), await smart.client()
    await tokens(smart, app)
    await smart.code(never)  # granted, and never redeemed
    assert never.id not in await listed(smart, await cabinet(smart))
    smart.clock.tick(100 * DAY)
    assert app.id not in await listed(smart, await cabinet(smart))


async def test_other_apps_learn_nothing(smart: Smart) -> None:
    app = await smart.client()
    headers = bearer((await tokens(smart, app))["access_token"])
    grant = await smart.grant(app)
    for method, path in (("GET", "/auth/grants"), ("DELETE", f"/auth/grants/{grant.id}")):
        refused = await smart.http.request(method, path, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
        nobody = await smart.http.request(method, path)
        assert nobody.status_code == 401
    assert (await smart.http.post("/auth/grants", headers=headers)).status_code == 405
