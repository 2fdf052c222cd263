"""The extension notification-preference: the most exact one counts."""

import pytest

from fhir_server.cabinet.notices.kinds import Kind
from fhir_server.cabinet.notices.preferences import PREFERENCE, ways
from tests.support.fhir import JsonObject


def prefers(channel: str, *topics: str) -> JsonObject:
    parts = [{"url": "channel", "valueCode": channel}]
    parts += [{"url": "topic", "valueCode": each} for each in topics]
    return {"url": PREFERENCE, "extension": parts}


@pytest.mark.parametrize(
    ("said", "kind", "expected"),
    [
        ([], "visit-booked", None),
        ([prefers("sms")], "visit-booked", ["sms"]),
        ([prefers("sms"), prefers("email")], "visit-booked", ["email", "sms"]),
        ([prefers("none")], "visit-booked", []),
        ([prefers("email"), prefers("none")], "visit-booked", []),
        # A topic is more exact than everything, a kind than its topic.
        ([prefers("none"), prefers("sms", "reminder")], "visit-reminder", ["sms"]),
        ([prefers("none"), prefers("sms", "reminder")], "visit-booked", []),
        ([prefers("sms", "visit"), prefers("email", "visit-moved")], "visit-moved", ["email"]),
        ([prefers("sms", "visit"), prefers("email", "visit-moved")], "visit-booked", ["sms"]),
        ([prefers("sms", "waitlist", "result")], "result-ready", ["sms"]),
        ([prefers("sms", "waitlist")], "visit-booked", None),
        # What we cannot do is not replaced.
        ([prefers("push")], "visit-booked", []),
        ([prefers("push"), prefers("email")], "visit-booked", ["email"]),
        ([{"url": "http://other"}], "visit-booked", None),
    ],
)
def test_preferences(said: list[JsonObject], kind: Kind, expected: list[str] | None) -> None:
    found = ways({"extension": said}, kind)
    assert (None if found is None else list(found)) == expected


def test_without_a_resource_nothing_was_said() -> None:
    assert ways(None, "visit-booked") is None
