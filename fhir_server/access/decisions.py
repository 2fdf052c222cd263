"""What may flow to a caller, by the patients' Consents: one predicate a resource type.

https://hl7.org/fhir/R4/consent.html
https://profiles.ihe.net/ITI/PCF/volume-1.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Final, Literal, NamedTuple, assert_never

from fhir_server.access.algebra import any_of, either, every, without
from fhir_server.access.callers import Caller, actions_of
from fhir_server.access.confidentiality import Level, at_most
from fhir_server.access.consents import Consent, applying
from fhir_server.access.covering import View, covered
from fhir_server.access.provisions import Alternatives, Conditions, Rule
from fhir_server.core.errors import TooCostly
from fhir_server.core.messages import Text
from fhir_server.search import keys
from fhir_server.search.nodes import parts
from fhir_server.search.patients import single_patient_parameters
from fhir_server.search.plan import (
    Compartment,
    Everything,
    Ids,
    Keys,
    Node,
    Nothing,
    Patient,
)
from fhir_server.spec.compartments import COMPARTMENTS
from fhir_server.spec.interactions import ScopeLetter

Permitted = Callable[[str], Node]
"""Resource type -> what of it may flow. Kept as long as the Consents it came of keep their
versions, and until `consents.next_change`; a type is worked out once."""

Implicit = Literal["deny", "basic-normal", "all-normal", "break-glass-only"]

MOST_EXCEPTIONS: Final = 1_000
"""Patients of one query whose Consents differ from the implicit policy for the caller."""
MOST_FORMS: Final = 50
"""Different predicates among them; patients who signed the same form share one."""
MOST_PARTS: Final = 1_000
"""Nodes of what one patient's Consents permit of one type. Beyond it nothing flows: the
bound stands so that no Consent makes the queries of others slow."""

TOO_MANY: Final = Text(
    "{count} patients' consents have to be kept in this request, and {most} can be. "
    "Ask for one patient at a time.",
    "В этом запросе нужно соблюсти согласия: {count}, а можно не больше: {most}. "
    "Запрашивайте по одному пациенту.",
    "У цьому запиті треба дотримати згоди: {count}, а можна не більше: {most}. "
    "Запитуйте по одному пацієнту.",
)


class Votes(NamedTuple):
    """What some rules make of the resources of a type; of the others they say nothing."""

    permit: Node
    deny: Node


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator sets."""

    implicit: Implicit = "deny"
    """Holds for a patient no Consent of whom concerns the request. `basic-normal`: staff for
    treatment, confidentiality N and below; `all-normal`: everybody, N and below;
    `break-glass-only`: everything under declared break-glass, else nothing."""
    unlabelled: Level = "N"


@dataclass(frozen=True, slots=True)
class Request:
    """One caller doing one thing at one time."""

    caller: Caller
    letter: ScopeLetter
    now: int
    """Milliseconds since 1970."""


def consent_node(
    patient: str,
    consents: Iterable[Consent],
    request: Request,
    policy: Policy,
    referred: Mapping[str, frozenset[str]] | None = None,
) -> Permitted:
    """The resources of `patient` that may flow, and no others.

    `consents`: all of the patient's, as `consents.read_consent` gave them. The patient's own
    request is not limited.
    """
    flows = _Flows(request, policy, referred or {}).of(patient, consents)

    @cache
    def permitted(kind: str) -> Node:
        return every(of_patients(kind, (patient,)), flows(kind))

    return permitted


def proxy_node(consent: Consent, request: Request, policy: Policy) -> Permitted:
    """The resources of the represented patient that this proxy Consent
    (`consents.read_proxy`) opens, and no others; privacy directives do not limit a proxy."""
    view = View(policy.unlabelled)

    @cache
    def permitted(kind: str) -> Node:
        if consent.root is None:
            return Nothing()
        opened = _bounded(votes(consent.root, kind, request, view).permit)
        return every(of_patients(kind, (consent.patient,)), opened)

    return permitted


def consent_nodes(
    by_patient: Mapping[str, Sequence[Consent]],
    request: Request,
    policy: Policy,
    referred: Mapping[str, frozenset[str]] | None = None,
) -> Permitted:
    """All resources that may flow to a caller who may see many patients.

    The implicit policy is the base; each patient whose Consents differ from it for this
    request is an exception, and patients with equal exceptions share one:

        (not of p1, p2, p3, … and implicit) or (of p1, p2 and A) or (of p3 and B)

    A type without a reference to one patient (Appointment) may have several: there the
    Consent of each must let it flow. Types that are about no patient are not limited.
    `by_patient`: the Consents of every patient who has any; where the question names its
    patients, these suffice with `consent_node`.

    Raises:
        TooCostly: more exceptions than MOST_EXCEPTIONS, or more kinds of them than
            MOST_FORMS. The query is refused, since leaving some out would widen it.
    """
    flows = _Flows(request, policy, referred or {})
    by_flow: dict[Permitted, list[str]] = {}
    for patient, consents in by_patient.items():
        by_flow.setdefault(flows.of(patient, consents), []).append(patient)
    by_flow.pop(flows.implicit, None)
    _refuse_above(MOST_EXCEPTIONS, sum(map(len, by_flow.values())))

    @cache
    def permitted(kind: str) -> Node:
        if not is_about_patients(kind):
            return Everything()
        by_form: dict[Node, list[str]] = {}
        for flow, patients in by_flow.items():
            by_form.setdefault(flow(kind), []).extend(patients)
        own = flows.implicit(kind)
        by_form.pop(own, None)
        _refuse_above(MOST_FORMS, len(by_form))
        return _combined(kind, own, by_form)

    return permitted


def _refuse_above(most: int, count: int) -> None:
    if count > most:
        raise TooCostly(TOO_MANY, count=count, most=most)


def _combined(kind: str, own: Node, by_form: Mapping[Node, Sequence[str]]) -> Node:
    forms = [(of_patients(kind, ids), form) for form, ids in by_form.items()]
    everybody = [each for ids in by_form.values() for each in ids]
    theirs = of_patients(kind, everybody) if everybody else Nothing()
    if is_about_one(kind):
        exceptions = (every(of, form) for of, form in forms)
        return either(every(without(theirs), own), *exceptions)
    return every(either(theirs, own), *(either(without(of), form) for of, form in forms))


def is_about_one(kind: str) -> bool:
    """Whether a resource of `kind` is about one patient, and the index says which."""
    return kind == "Patient" or bool(single_patient_parameters(kind))


def is_about_patients(kind: str) -> bool:
    """Whether resources of `kind` are about patients at all."""
    return is_about_one(kind) or kind in COMPARTMENTS["Patient"]


def of_patients(kind: str, ids: Sequence[str]) -> Node:
    """The resources of `kind` about any of these patients."""
    if kind == "Patient":
        return Ids(tuple(ids))
    if not is_about_one(kind):
        known = kind in COMPARTMENTS["Patient"]
        return Compartment(tuple(f"Patient/{each}" for each in ids)) if known else Nothing()
    if len(ids) == 1:
        return Patient(ids[0])
    found = tuple(keys.reference("patient", f"Patient/{each}") for each in ids)
    return Keys("references", found)


class _Flows:
    """What of a resource of a patient may flow, whoever else it is about; equal rules give
    the same function."""

    def __init__(
        self, request: Request, policy: Policy, referred: Mapping[str, frozenset[str]]
    ) -> None:
        self.implicit: Final = _implicit(request.caller, policy)
        self._request: Final = request
        self._view: Final = View(policy.unlabelled, referred)
        self._by_rules: dict[tuple[Rule, ...], Permitted] = {}

    def of(self, patient: str, consents: Iterable[Consent]) -> Permitted:
        caller = self._request.caller
        if patient in caller.own:
            return _all
        found = applying(patient, consents, caller, self._request.now)
        rules = tuple(each.root for each in found if each.root is not None)
        if not rules:
            return self.implicit
        if rules not in self._by_rules:
            self._by_rules[rules] = self._of_rules(rules)
        return self._by_rules[rules]

    def _of_rules(self, rules: Sequence[Rule]) -> Permitted:
        @cache
        def flow(kind: str) -> Node:
            found = [votes(each, kind, self._request, self._view) for each in rules]
            return _bounded(_outcome(found))

        return flow


def _bounded(node: Node) -> Node:
    beyond = next(islice(parts(node), MOST_PARTS, None), None)
    return node if beyond is None else Nothing()


def _outcome(every_consent: Sequence[Votes]) -> Node:
    """Across Consents a deny overrides a permit."""
    denied = any_of(each.deny for each in every_consent)
    return every(any_of(each.permit for each in every_consent), without(denied))


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


def _matched(rule: Rule, kind: str, request: Request, view: View) -> Node:
    denies = rule.type == "deny"
    if rule.unread:
        return Everything() if denies else Nothing()
    if rule.type is None or not _asked(rule.conditions, request, widely=denies):
        return Nothing()
    return covered(rule.conditions, kind, view, widely=denies)


def _asked(conditions: Conditions, request: Request, *, widely: bool) -> bool:
    """Whether the conditions about the request are met; `widely`: may be met."""

    def met(values: Alternatives[object], asked: frozenset[object]) -> bool:
        return values is None or any(
            widely if each is None else each in asked for each in values
        )

    caller = request.caller
    return (
        all(
            widely if each is None else each.lo <= request.now < each.hi
            for each in conditions.periods
        )
        and met(conditions.actors, caller.references)
        and met(conditions.purposes, caller.purposes)
        and met(conditions.actions, actions_of(caller, request.letter))
    )


def _all(kind: str) -> Node:
    del kind
    return Everything()


def _none(kind: str) -> Node:
    del kind
    return Nothing()


@cache
def _normal(unlabelled: Level) -> Permitted:
    found = at_most("N", unlabelled=unlabelled)

    def normal(kind: str) -> Node:
        del kind
        return found

    return normal


def _implicit(caller: Caller, policy: Policy) -> Permitted:
    match policy.implicit:
        case "deny":
            return _none
        case "basic-normal":
            treats = caller.staff and caller.has_purpose("TREAT")
            return _normal(policy.unlabelled) if treats else _none
        case "all-normal":
            return _normal(policy.unlabelled)
        case "break-glass-only":
            return _all if caller.has_purpose("BTG") else _none
        case _:
            assert_never(policy.implicit)
