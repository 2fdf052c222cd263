"""SMS through a gateway: what it is asked, and what its answers mean."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from fhir_server.core import json_pointer
from fhir_server.delivery.answers import Recipient
from fhir_server.delivery.carriers import TryLater, Undeliverable, reference
from fhir_server.delivery.sms import REFUSED, Gateway, SmsCarrier, filled
from fhir_server.delivery.spacing import Spacing
from fhir_server.outward import trust
from tests.support.receiving import Receiver, Says
from tests.support.telling import delivery

pytestmark = pytest.mark.anyio

BODY = {
    "messages": [{"to": "{to}", "phone": "{digits}", "text": "{text}", "ttl": 60}],
    "id": "x-{reference}",
}
TOLD = replace(
    delivery("a", "sms", "+380441234567"),
    content={"text": 'Визит 10:30 {to} "!"', "subject": ""},
)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=trust()) as client:
        yield client


def gateway(receiver: Receiver, **more: Any) -> Gateway:
    return replace(Gateway(Recipient(receiver.url, REFUSED, private=True), BODY), **more)


async def test_the_template_is_filled_and_nothing_in_what_fills_it(
    http: httpx.AsyncClient,
) -> None:
    headers = {"Authorization": "Bearer secret"}
    with Receiver() as receiver:
        await SmsCarrier(http, gateway(receiver, headers=headers)).send(TOLD)
    (came,) = receiver.received
    assert json.loads(came.body) == {
        "messages": [
            {
                "to": "+380441234567",
                "phone": "380441234567",
                "text": 'Визит 10:30 {to} "!"',
                "ttl": 60,
            }
        ],
        "id": f"x-{reference('a/sms/0')}",
    }
    assert came.headers["authorization"] == "Bearer secret"
    assert came.headers["content-type"] == "application/json"


async def test_a_gateway_that_takes_forms(http: httpx.AsyncClient) -> None:
    body = {"to": "{digits}", "msg": "{text}"}
    with Receiver() as receiver:
        await SmsCarrier(http, gateway(receiver, body=body, form="urlencoded")).send(TOLD)
    (came,) = receiver.received
    assert parse_qs(came.body.decode()) == {
        "to": ["380441234567"],
        "msg": ['Визит 10:30 {to} "!"'],
    }
    assert came.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Undeliverable),
        (422, Undeliverable),
        (401, TryLater),
        (402, TryLater),
        (404, TryLater),
        (408, TryLater),
        (429, TryLater),
        (500, TryLater),
        (503, TryLater),
        (302, TryLater),
    ],
)
async def test_which_statuses_are_never_and_which_later(
    http: httpx.AsyncClient, status: int, error: type[Exception]
) -> None:
    refused = pytest.raises(error, match=f"http {status}")
    with Receiver(lambda _: Says(status)) as receiver, refused:
        await SmsCarrier(http, gateway(receiver)).send(TOLD)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"result": [{"status": "queued"}]}', None),
        (b'{"result": [{"status": 0}]}', None),
        (b'{"result": [{"status": "busy"}]}', TryLater),
        (b'{"result": [{"status": "bad number"}]}', Undeliverable),
        (b'{"result": [{"status": null}]}', Undeliverable),
        (b'{"result": []}', TryLater),
        (b"<html>", TryLater),
    ],
)
async def test_what_a_gateway_says_in_the_body(
    http: httpx.AsyncClient, body: bytes, error: type[Exception] | None
) -> None:
    answer = json_pointer.parse("/result/0/status")
    with Receiver(lambda _: Says(200, body)) as receiver:
        asked = gateway(receiver, answer=answer, sent=("queued", "0"), later=("busy",))
        if error is None:
            await SmsCarrier(http, asked).send(TOLD)
        else:
            with pytest.raises(error, match="gateway-"):
                await SmsCarrier(http, asked).send(TOLD)


@pytest.mark.parametrize(
    "number", ["380441234567", "+0441234567", "+38044", "+38 044 123", "+1234567890123456", ""]
)
async def test_a_number_that_is_none(http: httpx.AsyncClient, number: str) -> None:
    with Receiver() as receiver, pytest.raises(Undeliverable, match="bad-number"):
        await SmsCarrier(http, gateway(receiver)).send(replace(TOLD, to=number))
    assert receiver.received == []


async def test_a_gateway_is_sent_so_many_a_second(http: httpx.AsyncClient) -> None:
    with Receiver() as receiver:
        carrier = SmsCarrier(http, gateway(receiver, rate=20))
        begun = time.monotonic()
        await asyncio.gather(*(carrier.send(TOLD) for _ in range(5)))
        assert time.monotonic() - begun >= 4 / 20
    assert len(receiver.received) == 5


async def test_messages_keep_their_distance_and_a_rest_is_not_made_up_for() -> None:
    now, slept = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    spacing = Spacing(2, lambda: now[0], sleep)
    for _ in range(3):
        await spacing.turn()
    now[0] += 60
    for _ in range(2):
        await spacing.turn()
    assert slept == [0.5, 1.0, 0.5]


async def test_who_would_wait_too_long_comes_again() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    spacing = Spacing(1, lambda: 0.0, sleep)
    for _ in range(11):
        await spacing.turn()
    with pytest.raises(TryLater, match="gateway-rate") as raised:
        await spacing.turn()
    assert raised.value.after == 11.0
    assert slept == [float(each) for each in range(1, 11)]


def test_a_place_that_is_none() -> None:
    with pytest.raises(KeyError, match="name"):
        filled({"a": ["{name}"]}, {"to": ""})
