"""The extension booking-policy: the nearest one speaks first, and nonsense is refused."""

from datetime import time
from typing import Any

import pytest

from fhir_server.cabinet.booking.names import POLICY
from fhir_server.cabinet.booking.policy import DAY, BookingPolicy, merged
from tests.support.fhir import JsonObject


def resource(**parts: Any) -> JsonObject:
    rows = [{"url": name.replace("_", "-"), **value} for name, value in parts.items()]
    return {"extension": [{"url": POLICY, "extension": rows}]}


def test_the_nearest_speaks_first() -> None:
    near = resource(most_ahead={"valueInteger": 1})
    far = resource(
        most_ahead={"valueInteger": 9},
        cancel_time={"valueTime": "18:30:00"},
        reschedule_notice={"valueDuration": {"value": 2, "code": "d"}},
        own_only={"valueBoolean": False},
        zone={"valueString": "Europe/Kyiv"},
    )
    policy = merged(BookingPolicy(), near, None, {}, far)
    assert (policy.most_ahead, policy.cancel_time, policy.own_only) == (1, time(18, 30), False)
    assert (policy.reschedule_notice, policy.zone) == (2 * DAY, "Europe/Kyiv")


@pytest.mark.parametrize(
    "parts",
    [
        {"unknown": {"valueInteger": 1}},
        {"most_ahead": {"valueInteger": -1}},
        {"most_ahead": {"valueBoolean": True}},
        {"own_only": {"valueString": "yes"}},
        {"hold": {"valueInteger": 1}},
        {"reschedule_notice": {"valueDuration": {"value": 2, "code": "month"}}},
        {"cancel_time": {"valueTime": "25:00:00"}},
    ],
)
def test_nonsense_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (whatever it says)
        merged(BookingPolicy(), resource(**parts))


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(Exception, match="Nowhere"):
        merged(BookingPolicy(), resource(zone={"valueString": "Europe/Nowhere"}))
