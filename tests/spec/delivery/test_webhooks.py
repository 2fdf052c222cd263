"""Signed webhooks: how they are signed, where they may go, what the answers mean.

https://www.standardwebhooks.com/
"""

import gzip
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import httpx
import pytest

from fhir_server.delivery.answers import ANSWER, Recipient
from fhir_server.delivery.carriers import TryLater, Undeliverable, reference
from fhir_server.delivery.webhooks import (
    GONE,
    REST,
    Endpoint,
    WebhookCarrier,
    secret_of,
    signature,
)
from fhir_server.outward import trust
from tests.support.receiving import Received, Receiver, Says
from tests.support.telling import NOW, delivery

pytestmark = pytest.mark.anyio

OLD, NEW = (b"o" * 24, b"n" * 32)
TOLD = replace(delivery("a", "webhook", "mis"), content={"type": "visit-booked", "id": "Ё"})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=trust()) as client:
        yield client


def carrier(
    http: httpx.AsyncClient,
    url: str,
    *,
    private: bool = True,
    secrets: Sequence[bytes] = (NEW,),
) -> WebhookCarrier:
    endpoint = Endpoint(Recipient(url, GONE, private), secrets)
    return WebhookCarrier(http, {"mis": endpoint}, lambda: NOW)


def verified(came: Received, secret: bytes) -> bool:
    """As the standard tells receivers to look at it."""
    signed = f"{came.headers['webhook-id']}.{came.headers['webhook-timestamp']}.".encode()
    digest = hmac.new(secret, signed + came.body, "sha256").digest()
    given = [each.split(",") for each in came.headers["webhook-signature"].split(" ")]
    return any(
        version == "v1" and hmac.compare_digest(b64decode(each), digest)
        for version, each in given
    )


def test_the_standards_own_example() -> None:
    secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text",
    ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "whsec_YQ"]
    + ["whsec_" + b64encode(b"x" * length).decode() for length in (23, 65)],
)
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|padding"):
        secret_of(text)


@pytest.mark.parametrize("length", [24, 64])
def test_the_shortest_and_the_longest_secret(length: int) -> None:
    assert secret_of("whsec_" + b64encode(b"x" * length).decode()) == b"x" * length


async def test_a_webhook_is_signed_with_every_secret(http: httpx.AsyncClient) -> None:
    with Receiver() as receiver:
        await carrier(http, receiver.url, secrets=(NEW, OLD)).send(TOLD)
    (came,) = receiver.received
    assert verified(came, NEW)
    assert verified(came, OLD)
    assert not verified(came, b"x" * 24)
    assert not verified(replace(came, body=came.body + b" "), NEW)
    assert json.loads(came.body) == {"type": "visit-booked", "id": "Ё"}
    assert came.headers["content-type"] == "application/json"
    assert came.headers["webhook-timestamp"] == str(NOW // 1000)


async def test_the_id_is_the_same_whenever_it_is_sent(http: httpx.AsyncClient) -> None:
    with Receiver() as receiver:
        for each in (TOLD, TOLD, replace(TOLD, key="b/webhook/0")):
            await carrier(http, receiver.url).send(each)
    first, again, other = (each.headers["webhook-id"] for each in receiver.received)
    assert first == again == reference("a/webhook/0")
    assert first != other
    assert "." not in first


@pytest.mark.parametrize(
    ("says", "error", "reason"),
    [
        (Says(410), Undeliverable, "http 410"),
        (Says(400), TryLater, "http 400"),
        (Says(401), TryLater, "http 401"),
        (Says(429), TryLater, "http 429"),
        (Says(500), TryLater, "http 500"),
        (Says(307, headers={"Location": "/other"}), TryLater, "http 307"),
    ],
)
async def test_what_the_answers_mean(
    http: httpx.AsyncClient, says: Says, error: type[Exception], reason: str
) -> None:
    with Receiver(lambda _: says) as receiver, pytest.raises(error, match=reason):
        await carrier(http, receiver.url).send(TOLD)
    assert [each.path for each in receiver.received] == ["/hook"]


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_success_is_one(http: httpx.AsyncClient, status: int) -> None:
    with Receiver(lambda _: Says(status, b"")) as receiver:
        await carrier(http, receiver.url).send(TOLD)


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("99999", 86_400.0),
        ("-1", None),
        ("1.5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
async def test_a_receiver_says_when(
    http: httpx.AsyncClient, header: str, after: float | None
) -> None:
    says = Says(503, headers={"Retry-After": header})
    with Receiver(lambda _: says) as receiver, pytest.raises(TryLater) as raised:
        await carrier(http, receiver.url).send(TOLD)
    assert raised.value.after == after


async def test_no_more_of_an_answer_is_read_than_is_wanted(http: httpx.AsyncClient) -> None:
    with Receiver(lambda _: Says(200, b"x" * (ANSWER * 4))) as receiver:
        await carrier(http, receiver.url).send(TOLD)


async def test_what_an_answer_unpacks_to_is_not_read(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """50 kB of gzip are 50 MB, in one read."""
    read: list[int] = []
    unpacked = httpx.Response.aiter_bytes

    async def counted(response: httpx.Response) -> AsyncIterator[bytes]:
        async for part in unpacked(response):
            read.append(len(part))
            yield part

    monkeypatch.setattr(httpx.Response, "aiter_bytes", counted)
    packed = Says(200, gzip.compress(b"x" * 50_000_000), {"Content-Encoding": "gzip"})
    with Receiver(lambda _: packed) as receiver:
        await carrier(http, receiver.url).send(TOLD)
    assert max(read, default=0) <= ANSWER
    assert receiver.received[0].headers["accept-encoding"] == "identity"


async def test_a_receiver_that_is_not_there(http: httpx.AsyncClient) -> None:
    with Receiver() as receiver:
        pass
    with pytest.raises(TryLater, match="unreachable"):
        await carrier(http, receiver.url).send(TOLD)


async def test_a_receiver_that_does_not_answer(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.delivery.answers.SECONDS", 0.05)
    with Receiver(slow) as receiver, pytest.raises(TryLater, match="timeout"):
        await carrier(http, receiver.url).send(TOLD)


async def test_who_does_not_answer_holds_up_nobody_else(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.delivery.answers.SECONDS", 0.05)
    clock = [NOW]
    with Receiver(slow) as receiver, Receiver() as other:
        rows = {"mis": receiver.url, "other": other.url}
        ends = {
            name: Endpoint(Recipient(url, GONE, private=True), (NEW,))
            for name, url in rows.items()
        }
        sending = WebhookCarrier(http, ends, lambda: clock[0])
        with pytest.raises(TryLater, match="timeout"):
            await sending.send(TOLD)
        with pytest.raises(TryLater, match="resting") as raised:
            await sending.send(TOLD)
        assert raised.value.after == REST / 1000
        monkeypatch.setattr("fhir_server.delivery.answers.SECONDS", 15)
        await sending.send(replace(TOLD, to="other"))
        clock[0] += REST
        await sending.send(TOLD)
    assert [len(each.received) for each in (receiver, other)] == [2, 1]


def slow(_: Received) -> Says:
    time.sleep(0.3)
    return Says()


async def test_an_endpoint_that_is_no_more(http: httpx.AsyncClient) -> None:
    with pytest.raises(Undeliverable, match="no-endpoint"):
        await carrier(http, "https://x.example").send(replace(TOLD, to="other"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.5",
        "fd00::1",
        "0.0.0.0",
    ],
)
async def test_only_the_public_internet_unless_the_operator_says_so(
    http: httpx.AsyncClient, address: str
) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("mis.example", 443)
        return ["93.184.216.34", address]

    endpoint = Endpoint(Recipient("https://mis.example/hook", GONE), (NEW,))
    strict = WebhookCarrier(http, {"mis": endpoint}, lambda: NOW, resolve)
    with pytest.raises(TryLater, match="not-public"):
        await strict.send(TOLD)


async def test_a_name_that_nobody_knows(http: httpx.AsyncClient) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        raise OSError

    endpoint = Endpoint(Recipient("https://mis.example/hook", GONE), (NEW,))
    with pytest.raises(TryLater, match="unreachable"):
        await WebhookCarrier(http, {"mis": endpoint}, lambda: NOW, resolve).send(TOLD)
