"""`Consent.provision` as frozen rules.

What cannot be read stays in the rule as None, and whoever applies the rule reads that to the
patient's protection: a permit that is not understood permits nothing, a deny that is not
understood denies all it might.

An exception that permits takes over whatever it does not say itself from the rules around it:
inside "deny what is labelled HIV", "permit Dr. X" permits Dr. X what is labelled HIV. An
exception that denies takes over nothing: what it does not limit, it denies.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from fhir_server.access.codings import (
    CONSENT_ACTION,
    PARTICIPATION,
    Coding,
    coding,
    codings,
)
from fhir_server.access.periods import period
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.search.values import Interval

T = TypeVar("T")
Alternatives = tuple[T | None, ...] | None
"""None: whatever it is; else any of these, of which a None could not be read."""

RuleType = Literal["permit", "deny"]
Meaning = Literal["instance", "related", "dependents", "authoredby"]

MOST_DEEP: Final = 8
"""Levels of exceptions that are read. The filter of a query nests with them, and MongoDB
allows it about a hundred levels."""
MOST_RULES: Final = 100
"""Rules of one Consent that are read; each is a part of every query about the patient."""


@dataclass(frozen=True, slots=True)
class Data:
    """One `provision.data`."""

    meaning: Meaning
    target: str
    """`Encounter/e1`."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a request and a resource must be for a rule to match: all of these."""

    periods: tuple[Interval | None, ...] = ()
    """The rule is valid now: inside all of these."""
    actors: Alternatives[str] = None
    """References of recipients."""
    actions: Alternatives[str] = None
    """Codes of consentaction."""
    purposes: Alternatives[Coding] = None
    data_periods: Alternatives[Interval] = None
    classes: Alternatives[Coding] = None
    codes: Alternatives[Coding] = None
    data: Alternatives[Data] = None
    labels: Alternatives[Coding] = None

    def within(self, around: "Conditions") -> "Conditions":
        """These, and what `around` says where these say nothing."""
        taken = {
            name: getattr(around, name) for name in _TAKEN_OVER if getattr(self, name) is None
        }
        return replace(self, periods=around.periods + self.periods, **taken)


_TAKEN_OVER: Final = (
    "actors", "actions", "purposes", "data_periods", "classes", "codes", "data", "labels",
)  # fmt: skip
ANYTHING: Final = Conditions()


@dataclass(frozen=True, slots=True)
class Rule:
    """A provision and the exceptions to it."""

    type: RuleType | None
    """None: it decides nothing, and only frames its exceptions."""
    conditions: Conditions = ANYTHING
    exceptions: tuple["Rule", ...] = ()
    unread: bool = False
    """It holds something unknown: a permit never matches, a deny always does."""


UNREAD: Final = Rule("deny", unread=True)

_ELEMENTS: Final = frozenset({
    "id", "extension", "type", "period", "actor", "action", "securityLabel", "purpose",
    "class", "code", "dataPeriod", "data", "provision",
})  # fmt: skip
_ACTIONS: Final = frozenset({"collect", "access", "use", "disclose", "correct"})
_RECIPIENTS: Final = frozenset({"IRCP", "NOT", "PRCP", "REFB", "REFT", "TRC"})
"""Who information goes to, by v3-ParticipationType; an actor of another role receives none."""
_MEANINGS: Final[Mapping[str, Meaning]] = {
    "instance": "instance",
    "related": "related",
    "dependents": "dependents",
    "authoredby": "authoredby",
}


def rules(provision: JsonObject, *bases: str, otherwise: RuleType | None = None) -> Rule:
    """The root provision and all below it; `otherwise` where the root has no type.

    `bases` are the URLs of this server. With too many rules, or too deep ones, the Consent
    denies whatever the missing ones might.
    """
    if sum(1 for _ in _each(provision)) > MOST_RULES:
        return UNREAD
    return _rule(provision, bases, _Place(ANYTHING, 0, False), otherwise)


def _each(provision: JsonObject) -> Iterator[JsonObject]:
    yield provision
    for each in provision.get("provision", ()):
        yield from _each(each)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a rule stands."""

    around: Conditions
    depth: int
    unread: bool


def _rule(
    provision: JsonObject, bases: tuple[str, ...], at: _Place, otherwise: RuleType | None
) -> Rule:
    if at.depth > MOST_DEEP:
        return UNREAD
    unknown = not _ELEMENTS.issuperset(provision)
    own = _conditions(provision, bases)
    frame = own.within(at.around)
    kind = _type(provision, otherwise)
    inside = _Place(frame, at.depth + 1, unknown or at.unread)
    return Rule(
        kind,
        own if kind == "deny" else frame,
        tuple(_rule(each, bases, inside, "deny") for each in provision.get("provision", ())),
        unread=unknown or (at.unread and kind == "permit"),
    )


def _type(provision: JsonObject, otherwise: RuleType | None) -> RuleType | None:
    """What is neither permit nor deny is taken as deny."""
    found = provision.get("type")
    if found is None:
        return otherwise
    return "permit" if found == "permit" else "deny"


def _conditions(provision: JsonObject, bases: tuple[str, ...]) -> Conditions:
    def actor(value: JsonObject) -> str | None:
        return _target(value.get("reference"), bases) if _receives(value) else None

    def data(value: JsonObject) -> Data | None:
        meaning = _MEANINGS.get(value.get("meaning", ""))
        target = _target(value.get("reference"), bases)
        return Data(meaning, target) if meaning and target else None

    dates = provision.get("dataPeriod")
    return Conditions(
        periods=(period(provision["period"]),) if "period" in provision else (),
        actors=_alternatives(provision.get("actor"), actor),
        actions=_of_concepts(provision.get("action"), _is_action, _code),
        purposes=_alternatives(provision.get("purpose"), coding),
        data_periods=None if dates is None else (period(dates),),
        classes=_alternatives(provision.get("class"), coding),
        codes=_of_concepts(provision.get("code"), _is_any, _itself),
        data=_alternatives(provision.get("data"), data),
        labels=_alternatives(provision.get("securityLabel"), coding),
    )


def _alternatives(
    values: list[JsonObject] | None, read: Callable[[JsonObject], T | None]
) -> Alternatives[T]:
    return None if values is None else tuple(dict.fromkeys(map(read, values)))


def _of_concepts(
    concepts: list[JsonObject] | None,
    is_known: Callable[[Coding], bool],
    to: Callable[[Coding], T],
) -> Alternatives[T]:
    """Each concept by any of its codings that is known."""
    if concepts is None:
        return None
    found: list[T | None] = []
    for each in concepts:
        known = [to(one) for one in codings(each) if is_known(one)]
        found += known or [None]
    return tuple(dict.fromkeys(found))


def _is_action(value: Coding) -> bool:
    return value.system == CONSENT_ACTION and value.code in _ACTIONS


def _is_any(value: Coding) -> bool:
    del value
    return True


def _code(value: Coding) -> str:
    return value.code


def _itself(value: Coding) -> Coding:
    return value


def _receives(actor: JsonObject) -> bool:
    """Whether the actor's role is to be given information; a role without a code is."""
    found = list(codings(actor.get("role")))
    return not found or any(
        each.system == PARTICIPATION and each.code in _RECIPIENTS for each in found
    )


def _target(reference: Mapping[str, Any] | None, bases: tuple[str, ...]) -> str | None:
    """`Practitioner/x`, if the reference is to an instance, here or elsewhere."""
    text = (reference or {}).get("reference")
    if text is None:
        return None
    found = references.parse(text, *bases)
    return found.target if found.kind in ("local", "foreign") else None
