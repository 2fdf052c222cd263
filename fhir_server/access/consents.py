"""Consents on file: which of them count now, and what they say.

https://hl7.org/fhir/R4/consent.html
https://profiles.ihe.net/ITI/PCF/content.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fhir_server.access.callers import Caller
from fhir_server.access.codings import (
    ACT_CODE,
    AS_USUAL,
    CONSENT_SCOPE,
    OWN,
    PROXY,
    SMART_GRANT,
    Coding,
    codings,
    has_category,
)
from fhir_server.access.periods import ALWAYS, interval, period
from fhir_server.access.provisions import Conditions, Rule, RuleType, rules
from fhir_server.core import references
from fhir_server.core.types import JsonObject
from fhir_server.search.values import MAX_TIME, MIN_TIME, Interval

_PRIVACY: Final = Coding(CONSENT_SCOPE, "patient-privacy")
_PROXY: Final = Coding(OWN, PROXY)
NO_DIRECTIVES: Final = (Coding(OWN, SMART_GRANT), _PROXY)
"""Categories of Consents that say nothing of who else sees what."""

_RULES: Final[Mapping[str, RuleType]] = {
    "OPTIN": "permit",
    "OPTINR": "permit",
    "OPTOUT": "deny",
    "OPTOUTE": "deny",
}
"""v3-ActCode, ActConsentDirective."""
_URIS: Final[Mapping[str, RuleType]] = {
    "http://hl7.org/fhir/ConsentPolicy/opt-in": "permit",
    "http://hl7.org/fhir/ConsentPolicy/opt-out": "deny",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What is needed to read a Consent."""

    bases: tuple[str, ...] = ()
    """URLs of this server, without a slash at the end."""
    policies: Mapping[str, RuleType] = field(default_factory=dict)
    """What agreeing to an operator's policy means, by `policy.uri`, where the Consent itself
    does not say."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A privacy directive, read."""

    id: str
    version: str
    patient: str
    """Logical id."""
    at: Interval
    """`dateTime`, or else `meta.lastUpdated`."""
    policies: frozenset[str]
    period: Interval | None
    """Of the root provision; None: unreadable, so that a deny holds always."""
    root: Rule | None
    """None: it says nothing that a machine could follow."""
    beside: bool = False
    """Its rules are exceptions to what flows without it, which stays as it is."""


def read_consent(resource: JsonObject, reading: Reading) -> Consent | None:
    """The directive in a Consent resource; None where it is none: not active, another scope
    than `patient-privacy`, a record of a grant or of a proxy, nobody's."""
    if any(has_category(resource, each) for each in NO_DIRECTIVES):
        return None
    return _read(resource, reading)


def read_proxy(resource: JsonObject, reading: Reading) -> Consent | None:
    """The Consent that lets a person act for the patient; None where it is none, or not
    active."""
    return _read(resource, reading) if has_category(resource, _PROXY) else None


def _read(resource: JsonObject, reading: Reading) -> Consent | None:
    subject = references.parse(resource.get("patient", {}).get("reference", ""), *reading.bases)
    if resource.get("status") != "active" or subject.kind != "local":
        return None
    if subject.type != "Patient" or _PRIVACY not in codings(resource.get("scope")):
        return None
    meta = resource.get("meta", {})
    written = resource.get("dateTime", meta.get("lastUpdated", ""))
    return Consent(
        id=resource.get("id", ""),
        version=meta.get("versionId", ""),
        patient=subject.id or "",
        at=interval(written) or Interval(MIN_TIME, MIN_TIME),
        policies=frozenset(each["uri"] for each in resource.get("policy", ()) if "uri" in each),
        period=period(resource.get("provision", {}).get("period")),
        root=_root(resource, reading),
        beside=_is_beside(resource),
    )


def _root(resource: JsonObject, reading: Reading) -> Rule | None:
    if "modifierExtension" in resource:
        return Rule("deny", unread=True)
    base = _base(resource, reading)
    provision = resource.get("provision")
    if provision is None:
        return Rule(base) if base else None
    given = provision.get("type")
    otherwise = None if base == "permit" and _permits(provision) else base
    root = rules(provision, *reading.bases, otherwise=otherwise)
    if root.unread and root.type is None and _is_beside(resource):
        return Rule("deny", unread=True)  # else what frames the rules would be passed over
    if given is not None and base is not None and base != root.type:
        # R4's own examples: opted in by `policyRule`, with the root rule as an exception.
        return Rule(base, Conditions(periods=root.conditions.periods), (root,))
    return root if root.type or root.exceptions or root.unread else None


def _permits(provision: JsonObject) -> bool:
    """Its exceptions name what is permitted; then what they do not name is not."""
    return any(each.get("type") == "permit" for each in provision.get("provision", ()))


def _base(resource: JsonObject, reading: Reading) -> RuleType | None:
    """What the policy decides: `policyRule`, or else `policy.uri`; deny before permit."""
    found = _ruled(resource)
    if not found and not _is_beside(resource):
        known = {**_URIS, **reading.policies}
        uris = (each.get("uri", "") for each in resource.get("policy", ()))
        found = [known[uri] for uri in uris if uri in known]
    return min(found, default=None)


def _ruled(resource: JsonObject) -> list[RuleType]:
    return [
        _RULES[each.code]
        for each in codings(resource.get("policyRule"))
        if each.system == ACT_CODE and each.code in _RULES
    ]


def _is_beside(resource: JsonObject) -> bool:
    return AS_USUAL in codings(resource.get("policyRule")) and not _ruled(resource)


def counting(consents: Iterable[Consent], now: int) -> tuple[Consent, ...]:
    """Those in force at `now` (milliseconds since 1970), without the superseded.

    A Consent is superseded by ones dated later for each policy it names; of one date both
    stand. One that names no policy is never superseded, only withdrawn.
    """
    live = [each for each in consents if _holds(each.period, now)]
    return tuple(each for each in live if not _superseded(each, live))


def _holds(when: Interval | None, now: int) -> bool:
    return when is None or when.lo <= now < when.hi


def _superseded(consent: Consent, others: Sequence[Consent]) -> bool:
    newer = [
        each
        for each in others
        if each.patient == consent.patient and each.at.lo >= consent.at.hi and each != consent
    ]
    replaced = frozenset(uri for each in newer for uri in each.policies)
    return bool(consent.policies) and consent.policies <= replaced


def concerns(consent: Consent, caller: Caller) -> bool:
    """Whether the Consent is about requests like this one: its root names no purpose, or
    this one, or an exception names it.

    "Base provision includes TPO so as to be clear this is a consent about TPO" (IHE PCF).
    """
    root = consent.root
    if root is None:
        return False
    if root.unread or root.conditions.purposes is None:
        return True
    return any(_names(each.conditions, caller) for each in all_rules(root))


def _names(conditions: Conditions, caller: Caller) -> bool:
    """A purpose that cannot be read might be this one."""
    return any(each is None or each in caller.purposes for each in conditions.purposes or ())


def applying(
    patient: str, consents: Iterable[Consent], caller: Caller, now: int
) -> tuple[Consent, ...]:
    """Those of the patient's Consents that decide a request now; none: the implicit policy
    does. An audit names these."""
    theirs = counting((each for each in consents if each.patient == patient), now)
    return tuple(each for each in theirs if concerns(each, caller))


def all_rules(rule: Rule) -> Iterator[Rule]:
    """The rule and every exception, at any depth."""
    yield rule
    for each in rule.exceptions:
        yield from all_rules(each)


def to_follow(consents: Iterable[Consent]) -> frozenset[str]:
    """The instances whose references must be known (`covering.View.referred`)."""
    return frozenset(
        data.target
        for each in consents
        if each.root is not None
        for rule in all_rules(each.root)
        for data in rule.conditions.data or ()
        if data is not None and data.meaning == "related"
    )


def next_change(consents: Iterable[Consent], now: int) -> int | None:
    """The next instant at which what the Consents say may differ, because a period begins
    or ends; None: never by time alone."""
    edges = (
        edge
        for each in consents
        for when in (each.period or ALWAYS, *_periods(each.root))
        for edge in when
        if now < edge < MAX_TIME
    )
    return min((int(each) for each in edges), default=None)


def _periods(root: Rule | None) -> Iterator[Interval]:
    for rule in all_rules(root) if root else ():
        yield from (each for each in rule.conditions.periods if each is not None)
