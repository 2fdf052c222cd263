"""Request ids, the request log, metrics, health, and what an unforeseen error becomes.

https://hl7.org/fhir/R4/http.html#custom
"""

import asyncio
import io
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_server.core.addresses import within
from fhir_server.rest import logs
from fhir_server.rest.metrics import Metrics
from fhir_server.rest.observability import Observability


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def reading(scope: Scope, _receive: Receive, send: Send) -> None:
    scope["fhir.interaction"] = "read"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def failing(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope["fhir.interaction"] = "create"
    message = "Ivanov, born 1970"
    raise ValueError(message)


async def failing_late(scope: Scope, receive: Receive, send: Send) -> None:
    await reading(scope, receive, send)
    message = "Ivanov, born 1970"
    raise ValueError(message)


async def ready() -> bool:
    return True


async def unready() -> bool:
    return False


async def hanging() -> bool:
    await asyncio.sleep(60)
    return True


@dataclass
class Observed:
    """An application under observation, and what was logged of it."""

    app: ASGIApp = reading
    database: Callable[[], Awaitable[bool]] = ready
    level: logs.Level = "INFO"
    form: logs.Form = "json"
    metrics: bool = True
    out: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        log = logs.configure(self.level, self.form, self.out)
        self._observability = Observability(
            self.app,
            ready=self.database,
            log=log,
            metrics=within(("127.0.0.0/8",)) if self.metrics else None,
            figures=Metrics(None),
        )

    def get(
        self, path: str = "/fhir/Patient/secret-id", peer: str = "127.0.0.1", **headers: str
    ) -> Answer:
        answer = Answer()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message["body"]

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        raw = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"name=secret-name",
            "headers": raw,
            "client": (peer, 1),
        }
        asyncio.run(self._call(scope, receive, send))
        return answer

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._observability(scope, receive, send)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("given", "request_id", "correlation_id"),
    [
        ("abc-1", "abc-1", None),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", None),
        ("a" * 64, "a" * 64, None),
        ("a" * 65, None, "a" * 65),
        ('{"a":1}', None, '{"a":1}'),
        ("a b", None, None),
        ("a" * 257, None, None),
        ("", None, None),
    ],
)
def test_a_sane_request_id_is_taken_over_and_another_replaced(
    given: str, request_id: str | None, correlation_id: str | None
) -> None:
    headers = Observed().get(x_request_id=given).headers
    assert headers["x-request-id"]
    if request_id:
        assert headers["x-request-id"] == request_id
    else:
        assert headers["x-request-id"] != given
    assert headers.get("x-correlation-id") == correlation_id


def test_each_request_without_an_id_gets_its_own() -> None:
    observed = Observed()
    assert len({observed.get().headers["x-request-id"] for _ in range(3)}) == 3


def test_a_request_is_one_line_of_the_log() -> None:
    observed = Observed()
    observed.get(x_request_id="abc")
    (line,) = observed.lines
    assert line.pop("time") > 0
    assert line.pop("ms") >= 0
    assert line == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "interaction": "read",
        "status": 200,
        "request_id": "abc",
    }


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("app", [reading, failing, failing_late])
def test_no_line_tells_of_the_patient(app: ASGIApp, form: logs.Form) -> None:
    observed = Observed(app, form=form)
    observed.get()
    observed.get("/metrics")
    told = observed.out.getvalue()
    assert b"request" in told
    assert b"secret" not in told
    assert b"Ivanov" not in told


def test_an_operator_who_asks_for_less_hears_no_requests() -> None:
    observed = Observed(level="WARNING")
    observed.get()
    assert observed.lines == []


def test_an_unforeseen_error_is_an_outcome_that_says_nothing_of_it() -> None:
    observed = Observed(failing)
    answer = observed.get(x_request_id="abc")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.headers["x-request-id"] == "abc"
    (issue,) = json.loads(answer.body)["issue"]
    assert (issue["severity"], issue["code"]) == ("fatal", "exception")
    assert "abc" in issue["diagnostics"]
    assert "Ivanov" not in answer.body.decode()
    error, request = observed.lines
    assert error["error"] == "ValueError"
    assert error["places"][-1].endswith("failing")
    assert request["status"] == 500


def test_an_error_after_the_answer_has_begun_is_logged_alone() -> None:
    observed = Observed(failing_late)
    assert observed.get().body == b"{}"
    assert [line["event"] for line in observed.lines] == ["unexpected", "request"]


def test_metrics_count_by_interaction_and_status() -> None:
    observed = Observed()
    observed.get()
    observed.get()
    text = observed.get("/metrics").body.decode()
    assert 'fhir_request_seconds_count{interaction="read",status="200"} 2.0' in text
    assert "fhir_requests_in_flight 0.0" in text


def test_metrics_are_for_their_networks_alone() -> None:
    observed = Observed()
    assert observed.get("/metrics", "192.0.2.1").body == b"{}"
    assert observed.get("/metrics", "").body == b"{}"
    assert b"fhir_request" in observed.get("/metrics", "127.0.0.9").body


def test_metrics_can_be_switched_off() -> None:
    observed = Observed(metrics=False)
    assert observed.get("/metrics").body == b"{}"


@pytest.mark.parametrize(
    ("path", "database", "status"),
    [
        ("/health/live", ready, 200),
        ("/health/live", unready, 200),
        ("/health/ready", ready, 200),
        ("/health/ready", unready, 503),
    ],
)
def test_alive_is_the_process_and_ready_is_its_database(
    path: str, database: Callable[[], Awaitable[bool]], status: int
) -> None:
    answer = Observed(database=database).get(path)
    assert answer.status == status
    assert answer.headers["cache-control"] == "no-store"


def test_a_database_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhir_server.rest.observability.READY_SECONDS", 0.01)
    assert Observed(database=hanging).get("/health/ready").status == 503


def test_lines_of_libraries_take_the_same_form_without_messages_of_errors() -> None:
    observed = Observed()
    logger = logging.getLogger("uvicorn.error")
    try:
        int("Ivanov, born 1970")
    except ValueError:
        logger.exception("it failed")
    (line,) = observed.lines
    assert (line["event"], line["level"], line["error"]) == ("it failed", "error", "ValueError")
    assert b"Ivanov" not in observed.out.getvalue()


def test_libraries_that_quote_what_they_carry_are_quiet() -> None:
    observed = Observed(level="DEBUG")
    for name in ("httpcore.http11", "httpx", "pymongo.command"):
        logging.getLogger(name).debug("X-Sent-To: +380441234567")
    assert observed.lines == []


async def _two_workers(folder: Path) -> bytes:
    one, other = Metrics(folder), Metrics(folder)
    one.observe("read", 200, 0.002)
    one.tally.count("sms", "later")
    await asyncio.sleep(0.03)
    # As if another process had written it: a worker adds the files of the others alone.
    (left,) = folder.glob("*.json")  # noqa: ASYNC240  # a test may wait
    text = left.read_text().replace(f'"process":{os.getpid()}', '"process":999999999')
    (folder / "999999999.json").write_text(text.replace('"in_flight":0', '"in_flight":7'))
    other.observe("read", 200, 0.2)
    other.observe("read", 404, 0.2)
    other.tally.count("sms", "later")
    other.tally.count("email", "sent")
    other.tally.rows = {("sms", "dead"): 3}
    return other.text()


def test_workers_add_up_and_a_dead_one_answers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhir_server.rest.metrics.SHARE_SECONDS", 0.001)
    text = asyncio.run(_two_workers(tmp_path)).decode()
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    labels = 'interaction="read",status="200"'
    assert rows[f"fhir_request_seconds_count{{{labels}}}"] == "2.0"
    first = 'fhir_request_seconds_bucket{interaction="read",le="0.0025",status="200"}'
    assert rows[first] == "1.0"
    assert rows["fhir_requests_in_flight"] == "0.0"
    assert rows['fhir_deliveries_total{channel="sms",outcome="later"}'] == "2.0"
    assert rows['fhir_deliveries_total{channel="email",outcome="sent"}'] == "1.0"
    assert rows['fhir_outbox_rows{channel="sms",state="dead"}'] == "3.0"
