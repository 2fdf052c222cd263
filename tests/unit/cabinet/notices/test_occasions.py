"""What is told of a change, to whom, until when, and under which key."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_server.cabinet.booking.policy import DAY, HOUR
from fhir_server.cabinet.booking.telling import Change, News
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.occasions import of_report, of_visit, reminder
from fhir_server.store.outgoing import Occasion
from tests.support.fhir import JsonObject

NOW = 1_800_000_000_000
START = NOW + DAY
BASE = "http://test/fhir"


def visit(
    status: str = "booked", *patients: str, start: int | None = START, **more: Any
) -> Visit:
    return Visit("v", status, start=start, patients=patients or ("p",), **more)


def told(news: News, by: Any = "person") -> list[tuple[str, str | None, int | None]]:
    return [(each.kind, each.patient, each.until) for each in of_visit(news, NOW, by)]


@pytest.mark.parametrize(
    ("change", "before", "after", "kind", "until"),
    [
        ("booked", None, visit(), "visit-booked", START),
        ("moved", None, visit(), "visit-moved", START),
        ("moved", visit(start=NOW + 1), visit(), "visit-moved", START),
        ("changed", visit(), visit(actors=("Location/l",)), "visit-changed", START),
        ("cancelled", visit(), visit("cancelled"), "visit-cancelled", START),
        ("cancelled", visit(), visit("entered-in-error"), "visit-cancelled", START),
        ("joined", None, visit("waitlist", start=None), "waitlist-joined", NOW + DAY),
        (
            "offered",
            None,
            visit("proposed", expires=NOW + HOUR),
            "waitlist-offered",
            NOW + HOUR,
        ),
        ("offered", None, visit("proposed"), "waitlist-offered", START),
        ("accepted", visit("proposed"), visit(), "waitlist-accepted", START),
        ("returned", None, visit("waitlist", start=None), "waitlist-returned", NOW + DAY),
        ("ended", None, visit("cancelled", start=None), "waitlist-ended", NOW + DAY),
    ],
)
def test_each_change_has_its_kind_and_its_end(
    change: Change, before: Visit | None, after: Visit, kind: str, until: int
) -> None:
    assert told(News(change, before, after, 3)) == [(kind, "p", until)]


@pytest.mark.parametrize(("start", "count"), [(NOW - 1, 0), (NOW, 0), (NOW + 1, 1)])
@pytest.mark.parametrize("change", ["booked", "moved", "cancelled"])
def test_of_what_is_past_nothing_is_told(change: Change, start: int, count: int) -> None:
    assert len(told(News(change, None, visit(start=start), 1))) == count


def test_an_offer_that_is_over_is_not_told() -> None:
    assert told(News("offered", None, visit("proposed", expires=NOW), 2)) == []


@pytest.mark.parametrize(("by", "count"), [("person", 0), ("staff", 1), ("system", 1)])
def test_who_has_left_the_queue_knows_it(by: str, count: int) -> None:
    assert len(told(News("left", None, visit("cancelled", start=None), 2), by)) == count


@pytest.mark.parametrize(
    ("by", "said"), [("person", "patient"), ("staff", "clinic"), ("system", "clinic")]
)
def test_it_is_said_who_did_it(by: Any, said: str) -> None:
    (found,) = of_visit(News("cancelled", visit(), visit("cancelled"), 2), NOW, by)
    assert found.facts == {"start": START, "version": 2, "by": said}


def test_each_patient_of_a_group_is_told_of_their_own() -> None:
    before, after = visit("booked", "a", "b"), visit("booked", "b", "c")
    found = of_visit(News("changed", before, after, 5), NOW, "staff")
    assert [(each.kind, each.patient, each.facts["version"]) for each in found] == [
        ("visit-booked", "c", 5),
        ("visit-cancelled", "a", 4),
    ]
    assert len({each.key for each in found}) == 2


def test_a_key_is_of_one_version_and_names_nobody() -> None:
    (found,) = of_visit(News("booked", None, visit("booked", "secret"), 7), NOW, "person")
    assert (found.key, found.about) == ("Appointment/v/7/visit-booked", "Appointment/v")


def test_a_reminder_has_a_key_of_its_own() -> None:
    (of,) = of_visit(News("booked", None, visit(), 7), NOW, "person")
    found = reminder(of, START, NOW + HOUR)
    assert found == Occasion(
        "Appointment/v/7/visit-reminder", "visit-reminder", "Appointment/v", "p", NOW + HOUR,
        START, {"start": START, "version": 7, "by": "patient"},
    )  # fmt: skip


def iso(at: int) -> str:

    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def report(**more: Any) -> JsonObject:
    return {
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "issued": iso(NOW - HOUR),
        **more,
    }


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        (None, report(), True),
        (report(status="preliminary"), report(), True),
        (None, report(status="amended"), True),
        (report(), report(status="corrected"), False),
        (report(), report(), False),
        (None, report(status="preliminary"), False),
        (None, report(status="cancelled"), False),
        # History that is loaded.
        (None, report(issued=iso(NOW - 4 * DAY)), False),
        (None, report(issued=None, effectiveDateTime=iso(NOW - 20 * DAY)), True),
        (None, report(issued=None, effectiveDateTime=iso(NOW - 40 * DAY)), False),
        (None, report(issued=None, effectivePeriod={"start": iso(NOW - DAY)}), True),
        (None, report(issued=None), False),
        # Of nobody here.
        (None, report(subject={"reference": "Group/g"}), False),
        (None, report(subject={"reference": "http://other/fhir/Patient/p"}), False),
        (None, report(subject={}), False),
    ],
)
def test_a_report_is_told_when_it_becomes_final(
    before: JsonObject | None, after: JsonObject, is_told: bool
) -> None:
    given = {name: value for name, value in after.items() if value is not None}
    found = of_report(before, given, "r", NOW, BASE)
    assert (found is not None) == is_told
    if found is not None:
        assert (found.key, found.patient) == ("DiagnosticReport/r/result-ready", "p")
