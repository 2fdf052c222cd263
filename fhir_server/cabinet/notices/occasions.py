"""From what became of a visit to the occasions to tell of it: for whom, and until when.

Of what lies in the past nothing is told: a hospital that loads its history calls nobody.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.cabinet.booking.actors import Actor
from fhir_server.cabinet.booking.policy import DAY
from fhir_server.cabinet.booking.telling import News, met
from fhir_server.cabinet.booking.visits import Visit
from fhir_server.cabinet.notices.kinds import OF_CHANGE, REMINDER, RESULT, ROWS, Kind
from fhir_server.core import references
from fhir_server.core.datetimes import parse_interval
from fhir_server.core.types import JsonObject
from fhir_server.store.outgoing import Occasion

LOADED: Final = "loaded"
"""The fact of a visit of whose being booked, moved or changed nobody is told, but which is
reminded of."""
_FINAL: Final = frozenset({"final", "amended", "corrected", "appended"})
_FRESH: Final = 3 * DAY
"""A report that was issued longer ago is history."""
_TAKEN_LATELY: Final = 30 * DAY
"""The same of one that says only when it is of: a culture grows for weeks."""


def of_visit(news: News, now: int, by: Actor) -> Sequence[Occasion]:
    """What is told of `news` at `now` (milliseconds since 1970), which `by` has brought about;
    an occasion for each patient."""
    found: list[Occasion] = []
    for number, (kind, patient, visit) in enumerate(_told(news, by)):
        until = _until(kind, visit, now)
        if until <= now:
            continue
        is_gone = visit is news.before
        facts: dict[str, Any] = {
            "start": visit.start,
            "version": news.number - 1 if is_gone else news.number,
            "by": "patient" if by == "person" else "clinic",
        }
        about = f"Appointment/{visit.id}"
        key = f"{about}/{news.number}/{kind}" + (f".{number}" if number else "")
        found.append(Occasion(key, kind, about, patient, now, until, facts))
    return found


def concerned(news: News) -> Sequence[str] | None:
    """The patients to whom `news` is some; None: all. Others of a group come and go."""
    before, after = news.before, news.after
    if before is None or news.change != "changed" or met(before) != met(after):
        return None
    return sorted(set(before.patients) ^ set(after.patients))


def _told(news: News, by: Actor) -> Iterator[tuple[Kind, str, Visit]]:
    """Kind, patient, and the visit as it is, or was, for that patient."""
    before, after, kind = news.before, news.after, OF_CHANGE[news.change]
    if kind == "waitlist-left" and by == "person":  # who has left knows it
        return
    if before is None or before.status != "booked" or after.status != "booked":
        yield from ((kind, each, after) for each in after.patients)
        return
    for each in after.patients:
        if each not in before.patients:
            yield "visit-booked", each, after
        elif news.change == "moved" or met(before) != met(after):
            yield kind, each, after
    for each in before.patients:
        if each not in after.patients:
            yield "visit-cancelled", each, before


def _until(kind: Kind, visit: Visit, now: int) -> int:
    row = ROWS[kind]
    if row.state == "offered":
        return min(visit.start or 0, visit.expires or visit.start or 0)
    if row.topic == "waitlist" and row.state != "booked":
        return now + DAY
    return visit.start or 0


def reminder(of: Occasion, start: int, due: int) -> Occasion:
    """The reminder, due then, of the visit that `of` has told of."""
    facts = {name: value for name, value in of.facts.items() if name != LOADED}
    facts["start"] = start
    key = of.key.replace(of.kind, REMINDER)
    return Occasion(key, REMINDER, of.about, of.patient, due, start, facts)


def of_report(
    before: JsonObject | None, after: JsonObject, id_: str, now: int, base: str
) -> Occasion | None:
    """A DiagnosticReport has become final, of now and of a patient here."""
    if after.get("status") not in _FINAL:
        return None
    if before is not None and before.get("status") in _FINAL:
        return None
    whose = references.parse(after.get("subject", {}).get("reference", ""), base)
    if whose.kind != "local" or whose.type != "Patient" or not _is_fresh(after, now):
        return None
    about = f"DiagnosticReport/{id_}"
    return Occasion(f"{about}/{RESULT}", RESULT, about, whose.id, now, now + _FRESH)


def _is_fresh(report: JsonObject, now: int) -> bool:
    if "issued" in report:
        return parse_interval(report["issued"]).lo > now - _FRESH
    period = report.get("effectivePeriod", {})
    taken = report.get("effectiveDateTime") or period.get("end") or period.get("start")
    return taken is not None and parse_interval(taken).hi > now - _TAKEN_LATELY
