"""Who may act for whom: parents for small children, others by the represented person's Consent.

Nothing here is remembered: age, relation and Consent are judged at each request, so that a
right ends by itself on a birthday.

https://hl7.org/fhir/R4/relatedperson.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final, Literal

from fhir_server.access.codings import (
    CONSENT_ACTION,
    CONSENT_SCOPE,
    OWN,
    PROXY,
    ROLE_CODE,
    Coding,
    codings,
    has_category,
)
from fhir_server.access.periods import interval, period
from fhir_server.core import references
from fhir_server.core.datetimes import is_date
from fhir_server.core.types import JsonObject
from fhir_server.search.values import MAX_TIME, Interval

Basis = Literal["parent", "guardian", "consent"]

PARENTS: Final = frozenset(
    {"PRN", "MTH", "FTH", "NPRN", "NMTH", "NFTH", "ADOPTP", "ADOPTM", "ADOPTF"}
)
"""v3-RoleCode: natural and adoptive parents; no step-parents, no foster parents."""
GUARDIANS: Final = frozenset({"GUARD"})

_PRIVACY: Final = Coding(CONSENT_SCOPE, "patient-privacy")
_PROXY: Final = Coding(OWN, PROXY)
_CHANGES: Final = frozenset({"collect", "correct"})


@dataclass(frozen=True, slots=True)
class ProxyRules:
    """What the law of the place says."""

    child_age: int = 15
    """A parent acts for the child until this birthday: 15 in Russia, 14 in Ukraine."""
    view_age: int | None = None
    """Until this later birthday a parent may still read (Ukraine: 18); None: not at all."""
    parents: frozenset[str] = PARENTS
    """Codes of v3-RoleCode that need no Consent."""
    guardians: frozenset[str] = frozenset()
    """Further such codes: GUARDIANS where guardians may act like parents."""


@dataclass(frozen=True, slots=True)
class Represented:
    """A patient whose record a person may open."""

    patient: str
    """Logical id."""
    relation: str
    """`RelatedPerson/r1`."""
    basis: Basis
    may_write: bool
    until: int | None
    """Milliseconds since 1970: from then on another judgement is needed; None: no end known."""
    consent: str | None = None
    """Logical id of the Consent that limits it, where that is the basis."""


@dataclass(frozen=True, slots=True)
class Relations:
    """What the store knows of a user's relations."""

    relations: Sequence[JsonObject]
    """The user's RelatedPersons."""
    verified: frozenset[str]
    """References of those among them that were verified (`verified_by` or otherwise)."""
    births: Mapping[str, str]
    """`birthDate` of the represented by logical id; a patient who has none is missing."""
    consents: Sequence[JsonObject] = ()
    """Proxy Consents of the represented persons."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When, and where the clinic is: a birthday begins at its midnight."""

    now: int
    """Milliseconds since 1970."""
    zone: tzinfo


def represented(
    known: Relations, rules: ProxyRules, clock: Clock, *bases: str
) -> tuple[Represented, ...]:
    """The patients the user may act for now, by every relation that allows it."""
    found: list[Represented] = []
    for relation in known.relations:
        when = _active(relation, known.verified, clock.now)
        patient = _patient(relation, bases)
        if when is None or patient is None:
            continue
        by_law = _by_law(relation, known.births.get(patient, ""), rules, clock)
        by_consent = _by_consent(relation, patient, known.consents, clock.now, bases)
        for each in (*by_law, *by_consent):
            basis, may_write, until, consent = each
            end = min(until, when.hi)
            found.append(
                Represented(
                    patient,
                    _reference(relation),
                    basis,
                    may_write,
                    None if end >= MAX_TIME else int(end),
                    consent,
                )
            )
    return tuple(found)


_Right = tuple[Basis, bool, float, str | None]
"""Basis, whether writes too, end, Consent."""


def _active(relation: JsonObject, verified: frozenset[str], now: int) -> Interval | None:
    """The period of a relation that holds now."""
    when = period(relation.get("period"))
    holds = when is not None and when.lo <= now < when.hi
    is_live = relation.get("active", True) is True and _reference(relation) in verified
    return when if holds and is_live else None


def _reference(relation: JsonObject) -> str:
    return f"RelatedPerson/{relation.get('id', '')}"


def _patient(relation: JsonObject, bases: Sequence[str]) -> str | None:
    found = references.parse(relation.get("patient", {}).get("reference", ""), *bases)
    return found.id if found.kind == "local" and found.type == "Patient" else None


def _by_law(
    relation: JsonObject, birth: str, rules: ProxyRules, clock: Clock
) -> Iterator[_Right]:
    basis = _basis(relation, rules)
    if basis is None:
        return
    grown = birthday(birth, rules.child_age, clock.zone)
    if grown is None:
        return
    if clock.now < grown:
        yield basis, True, grown, None
    elif rules.view_age is not None:
        adult = birthday(birth, rules.view_age, clock.zone)
        if adult is not None and clock.now < adult:
            yield basis, False, adult, None


def _basis(relation: JsonObject, rules: ProxyRules) -> Basis | None:
    codes = {
        each.code
        for concept in relation.get("relationship", ())
        for each in codings(concept)
        if each.system == ROLE_CODE
    }
    if codes & rules.parents:
        return "parent"
    return "guardian" if codes & rules.guardians else None


def birthday(birth: str, age: int, zone: tzinfo) -> int | None:
    """When a person born on `birth` becomes `age`: midnight of the day in the clinic's zone,
    in milliseconds since 1970; None without a date of birth.

    Of a year or a month alone the earliest day counts, so that nobody acts for a person who
    may be of age. Who was born on 29 February is older on 1 March of a common year: the year
    of life is over when 28 February is.
    """
    if not is_date(birth):
        return None
    year, month, day = (int(each) for each in f"{birth}-01-01".split("-")[:3])
    return _midnight(year + age, month, day, zone)


def _midnight(year: int, month: int, day: int, zone: tzinfo) -> int | None:
    try:
        when = date(year, month, day)
    except ValueError:  # 29 February; or beyond the year 9999
        return _midnight(year, 3, 1, zone) if (month, day) == (2, 29) else None
    begins = datetime(when.year, when.month, when.day, tzinfo=zone)
    return int(begins.timestamp()) * 1000


def _by_consent(
    relation: JsonObject,
    patient: str,
    consents: Iterable[JsonObject],
    now: int,
    bases: Sequence[str],
) -> Iterator[_Right]:
    for each in consents:
        when = _given(each, patient, now, bases)
        if when is not None and _reference(relation) in _actors(each, bases):
            yield "consent", _may_write(each), when.hi, each.get("id", "")


def _given(
    consent: JsonObject, patient: str, now: int, bases: Sequence[str]
) -> Interval | None:
    """The period of an active proxy Consent that the represented person gave in person."""
    provision = consent.get("provision", {})
    when = period(provision.get("period"))
    mine = f"Patient/{patient}"
    performers = {_target(each, bases) for each in consent.get("performer", ())}
    is_theirs = _target(consent.get("patient", {}), bases) == mine and mine in performers
    is_proxy = has_category(consent, _PROXY) and _PRIVACY in codings(consent.get("scope"))
    is_live = consent.get("status") == "active" and provision.get("type") == "permit"
    if not (is_theirs and is_proxy and is_live) or "modifierExtension" in consent:
        return None
    return when if when is not None and when.lo <= now < when.hi else None


def _actors(consent: JsonObject, bases: Sequence[str]) -> set[str]:
    found = consent["provision"].get("actor", ())
    return {_target(each.get("reference", {}), bases) for each in found}


def _target(reference: JsonObject, bases: Sequence[str]) -> str:
    return references.parse(reference.get("reference", ""), *bases).target


def _may_write(consent: JsonObject) -> bool:
    """Only an action that says so lets a proxy write; none said means reading."""
    found = (each for one in consent["provision"].get("action", ()) for each in codings(one))
    return any(each.system == CONSENT_ACTION and each.code in _CHANGES for each in found)


def verified_by(results: Iterable[JsonObject], now: int, *bases: str) -> frozenset[str]:
    """References of what VerificationResults say is validated, and not due again by `now`."""
    found: set[str] = set()
    for each in results:
        due = interval(each["nextScheduled"]) if "nextScheduled" in each else None
        is_due = "nextScheduled" in each and (due is None or due.lo <= now)
        if each.get("status") == "validated" and not is_due:
            found |= {_target(target, bases) for target in each.get("target", ())}
    return frozenset(found)
