"""The extension booking-policy: the nearest one speaks first, and nonsense is refused."""

from datetime import time
from typing import Any

import pytest

from fhir_server.cabinet.booking.names import POLICY
from fhir_server.cabinet.booking.policy import DAY, HOUR, BookingPolicy, merged, ruled
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
        {"hold": {"valueDuration": {"value": 1, "code": "h"}}},
        {"keep_place": {"valueBoolean": False}},
        {"expiry_counts": {"valueBoolean": False}},
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


def test_the_operator_rules_what_no_clinic_may() -> None:
    rules = {
        "waitlist": True,
        "offer": {"value": 4, "code": "h"},
        "hold": {"value": 1, "code": "h"},
        "cancel-time": "18:00",
        "keep-place": False,
        "expiry-counts": False,
    }
    policy = ruled(BookingPolicy(zone="Europe/Kyiv"), rules)
    assert (policy.waitlist, policy.offer, policy.hold) == (True, 4 * HOUR, HOUR)
    assert (policy.keep_place, policy.expiry_counts) == (False, False)
    assert (policy.cancel_time, policy.zone) == (time(18), "Europe/Kyiv")
    near = resource(waitlist={"valueBoolean": False})
    assert not merged(policy, near).waitlist


@pytest.mark.parametrize(
    "rules",
    [
        [],
        {"unknown": 1},
        {"cancel_time": "18:00"},
        {"cancel-time": "25:00"},
        {"offers": -1},
        {"offers": True},
        {"waitlist": "yes"},
        {"offer": 2},
        {"offer": {"value": 2}},
        {"offer": {"value": "2", "code": "h"}},
        {"zone": "Europe/Nowhere"},
    ],
)
def test_rules_of_the_operator_that_are_nonsense(rules: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (whatever it says)
        ruled(BookingPolicy(), rules)
