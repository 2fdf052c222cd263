"""What a rule of a Consent says of a request: one predicate a resource type for what it
permits, and one for what it denies.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from dataclasses import dataclass
from typing import NamedTuple

from fhir_server.access.algebra import any_of, either, every, without
from fhir_server.access.callers import Caller, actions_of
from fhir_server.access.covering import View, covered
from fhir_server.access.provisions import Alternatives, Conditions, Rule
from fhir_server.search.plan import Everything, Node, Nothing
from fhir_server.spec.interactions import ScopeLetter


@dataclass(frozen=True, slots=True)
class Urgent:
    """The emergencies that the caller has declared."""

    caller: Caller
    """With the purpose BTG."""
    patients: frozenset[str]
    """Logical ids."""
    closed: frozenset[str] = frozenset()
    """Types of which they open nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One caller doing one thing at one time."""

    caller: Caller
    letter: ScopeLetter
    now: int
    """Milliseconds since 1970."""
    urgent: Urgent | None = None


class Votes(NamedTuple):
    """What some rules make of the resources of a type; of the others they say nothing."""

    permit: Node
    deny: Node


def votes(rule: Rule, kind: str, request: Request, view: View) -> Votes:
    """What the rule and its exceptions make of the resources of `kind`.

    Exceptions count before the rule they are in; where they disagree, they deny.
    """
    inner = [votes(each, kind, request, view) for each in rule.exceptions]
    denied = any_of(each.deny for each in inner)
    allowed = any_of(each.permit for each in inner)
    matched = _matched(rule, kind, request, view)
    if rule.type == "permit":
        return Votes(every(either(allowed, matched), without(denied)), denied)
    permit = every(allowed, without(denied))
    if rule.type == "deny":
        denied = either(denied, every(matched, without(allowed)))
    return Votes(permit, denied)


def beside_votes(rule: Rule, kind: str, request: Request, view: View) -> Votes:
    """`votes` of a rule that is an exception to what flows as usual: what it permits inside
    something that it denies is not denied, and no more. So what hides opens nothing."""
    found = votes(rule, kind, request, view)
    return Votes(every(_given(rule, kind, request, view), without(found.deny)), found.deny)


def _given(rule: Rule, kind: str, request: Request, view: View) -> Node:
    """What is permitted outside of all that is denied."""
    if rule.type == "deny":
        return Nothing()
    own = Nothing() if rule.type is None else _matched(rule, kind, request, view)
    return any_of((own, *(_given(each, kind, request, view) for each in rule.exceptions)))


def _matched(rule: Rule, kind: str, request: Request, view: View) -> Node:
    denies = rule.type == "deny"
    if rule.unread:
        return Everything() if denies else Nothing()
    if rule.type is None or not _asked(rule.conditions, request, widely=denies):
        return Nothing()
    return covered(rule.conditions, kind, view, widely=denies)


def speaks(rule: Rule, request: Request) -> bool:
    """Whether the rule or an exception in it may say something of a request like this."""
    widely = rule.type != "permit"
    own = rule.unread or (
        rule.type is not None and _asked(rule.conditions, request, widely=widely)
    )
    return own or any(speaks(each, request) for each in rule.exceptions)


def _asked(conditions: Conditions, request: Request, *, widely: bool) -> bool:
    """Whether the conditions about the request are met; `widely`: may be met."""

    def met(values: Alternatives[object], asked: frozenset[object]) -> bool:
        return values is None or any(
            widely if each is None else each in asked for each in values
        )

    caller = request.caller
    who = caller.references | caller.above if widely else caller.references
    return (
        all(
            widely if each is None else each.lo <= request.now < each.hi
            for each in conditions.periods
        )
        and met(conditions.actors, who)
        and met(conditions.purposes, caller.purposes)
        and met(conditions.actions, actions_of(caller, request.letter))
    )
