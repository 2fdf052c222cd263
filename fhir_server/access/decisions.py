"""What may flow to a caller, by the patients' Consents: one predicate a resource type.

https://hl7.org/fhir/R4/consent.html
https://profiles.ihe.net/ITI/PCF/volume-1.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Final, Literal, assert_never

from fhir_server.access.algebra import any_of, either, every, without
from fhir_server.access.belonging import (
    IN_RECORD,
    about_nobody,
    is_about_one,
    of_patients,
    wholly_about,
)
from fhir_server.access.callers import Caller
from fhir_server.access.confidentiality import Level, at_most
from fhir_server.access.consents import Consent, applying
from fhir_server.access.covering import View
from fhir_server.access.provisions import Rule
from fhir_server.access.voting import Request, Votes, beside_votes, speaks, votes
from fhir_server.core.errors import TooCostly
from fhir_server.core.messages import Text
from fhir_server.search.nodes import parts
from fhir_server.search.plan import (
    And,
    Everything,
    Ids,
    Node,
    Nothing,
)

Permitted = Callable[[str], Node]
"""Resource type -> what of it may flow. Kept as long as the Consents it came of keep their
versions, and until `consents.next_change`; a type is worked out once."""

_Rules = tuple[tuple[Rule, bool], ...]
"""Roots of Consents, each with whether it is beside what flows as usual."""

Implicit = Literal["deny", "basic-normal", "all-normal", "break-glass-only"]

MOST_EXCEPTIONS: Final = 10_000
"""Patients of one query whose Consents differ, of the type that is asked for, from the implicit
policy for the caller. 10,000 make a filter of 0.9 MB, and a page takes 12 ms; 1,000, 4 ms."""
MOST_FORMS: Final = 50
"""Different predicates among them; patients who signed the same form share one."""
MOST_HIDDEN: Final = 500
"""Different ways to hide something, beside those forms: a page takes 15 ms with them."""
MOST_PARTS: Final = 1_000
"""Nodes of what one patient's Consents permit of one type. Beyond it nothing flows: the
bound stands so that no Consent makes the queries of others slow."""

TOO_MANY: Final = Text(
    "{count} patients' consents have to be kept in this request, and {most} can be. "
    "Open the app for one patient.",
    "В этом запросе нужно соблюсти согласия: {count}, а можно не больше: {most}. "
    "Откройте приложение для одного пациента.",
    "У цьому запиті треба дотримати згоди: {count}, а можна не більше: {most}. "
    "Відкрийте застосунок для одного пацієнта.",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator sets."""

    implicit: Implicit = "deny"
    """Holds for a patient no Consent of whom concerns the request. `basic-normal`: staff for
    treatment, confidentiality N and below; `all-normal`: everybody, N and below;
    `break-glass-only`: everything under declared break-glass, else nothing."""
    unlabelled: Level = "N"
    urgent: Literal["consented", "everything"] = "consented"
    """What holds under declared break-glass for a patient no Consent of whom concerns it: no
    more than `implicit`, or everything."""


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
    flows = _Flows(request, policy, referred or {}, {}).of(patient, consents)
    return _of_one(patient, flows)


def proxy_node(consent: Consent, request: Request, policy: Policy) -> Permitted:
    """The resources of the represented patient that this proxy Consent
    (`consents.read_proxy`) opens, and no others; privacy directives do not limit a proxy."""
    flows = _Flows(request, policy, {}, {consent.patient: consent}).of(consent.patient, ())
    return _of_one(consent.patient, flows)


def _of_one(patient: str, flows: Permitted) -> Permitted:
    @cache
    def permitted(kind: str) -> Node:
        return every(of_patients(kind, (patient,)), flows(kind))

    return permitted


def consent_nodes(
    by_patient: Mapping[str, Sequence[Consent]],
    request: Request,
    policy: Policy,
    referred: Mapping[str, frozenset[str]] | None = None,
    proxies: Mapping[str, Consent | None] | None = None,
) -> Permitted:
    """All resources that may flow to a caller; what `rights.narrowed` takes.

    The implicit policy is the base; each patient whose Consents differ from it for this
    request is an exception, and patients with equal exceptions share one:

        (not of p1, p2, p3, … and implicit) or (of p1, p2 and A) or (of p3 and B)

    A type without a reference to one patient (Appointment) may have several: there the
    Consent of each must let it flow. What is about no patient, and the resource that the
    user is, is not limited.

    `by_patient`: the Consents of every patient who has any; of a question that is bound to
    some patients (`rights`, a patient scope), those of these are enough. `proxies`: the
    patients whom the user represents, each with the proxy Consent that limits it
    (`consents.read_proxy`), or None: by law, without limit.

    Raises:
        TooCostly: (the result does) more exceptions than MOST_EXCEPTIONS, or more kinds of them
            than MOST_FORMS, or of hiding than MOST_HIDDEN. The query is refused: leaving some
            out would widen it.
    """
    flows = _Flows(request, policy, referred or {}, proxies or {})
    by_flow: dict[Permitted, list[str]] = {}
    declared = () if request.urgent is None else sorted(request.urgent.patients)
    known = (*by_patient, *sorted(request.caller.own), *(proxies or {}), *declared)
    for patient in dict.fromkeys(known):
        found = flows.of(patient, by_patient.get(patient, ()))
        by_flow.setdefault(found, []).append(patient)
    by_flow.pop(flows.implicit, None)

    @cache
    def permitted(kind: str) -> Node:
        public = about_nobody(kind, request.letter)
        if public == Everything():
            return public
        by_form: dict[Node, list[str]] = {}
        for flow, patients in by_flow.items():
            by_form.setdefault(flow(kind), []).extend(patients)
        own = flows.implicit(kind)
        if is_about_one(kind):  # else what one patient denies stands against another's permit
            by_form.pop(own, None)
        _refuse_above(MOST_EXCEPTIONS, sum(map(len, by_form.values())))
        theirs = _combined(kind, own, by_form)
        if kind == "Binary":  # of another context the other resource decides
            theirs = every(IN_RECORD, theirs)
        return either(public, _user(request.caller, kind), theirs)

    return permitted


def _user(caller: Caller, kind: str) -> Node:
    named, _, id_ = (caller.user or "").partition("/")
    return Ids((id_,)) if named == kind and id_ else Nothing()


def _refuse_above(most: int, count: int) -> None:
    if count > most:
        raise TooCostly(TOO_MANY, count=count, most=most)


def _combined(kind: str, own: Node, by_form: Mapping[Node, Sequence[str]]) -> Node:
    if is_about_one(kind):
        return _of_one_each(kind, own, by_form)
    _refuse_above(MOST_FORMS, len(by_form))
    forms = [(of_patients(kind, ids), form) for form, ids in by_form.items()]
    theirs = of_patients(kind, _everybody(by_form))
    return every(either(theirs, own), *(either(without(of), form) for of, form in forms))


def _of_one_each(kind: str, own: Node, by_form: Mapping[Node, Sequence[str]]) -> Node:
    """Where a resource has one patient: who only hides something stays with the others, as
    what is hidden is asked of what would flow. It costs a fifth of an exception."""
    beyond = {form: _beyond(form, own) for form in by_form}
    hidden = [
        either(without(of_patients(kind, by_form[form])), rest)
        for form, rest in beyond.items()
        if rest is not None
    ]
    others = {form: ids for form, ids in by_form.items() if beyond[form] is None}
    _refuse_above(MOST_FORMS, len(others))
    _refuse_above(MOST_HIDDEN, len(hidden))
    theirs = of_patients(kind, _everybody(others))
    exceptions = (every(of_patients(kind, ids), form) for form, ids in others.items())
    return either(every(without(theirs), own, *hidden), *exceptions)


def _everybody(by_form: Mapping[Node, Sequence[str]]) -> list[str]:
    return [each for ids in by_form.values() for each in ids]


def _beyond(form: Node, own: Node) -> Node | None:
    """What `form` asks besides all that `own` does; None where it does not ask that."""
    asked, usual = _asked(form), _asked(own)
    if not set(usual) <= set(asked):
        return None
    return every(*(each for each in asked if each not in usual))


def _asked(node: Node) -> Sequence[Node]:
    if node == Everything():
        return ()
    return node.of if isinstance(node, And) else (node,)


class _Flows:
    """What of a resource of a patient may flow, whoever else it is about; equal rules give
    the same function."""

    def __init__(
        self,
        request: Request,
        policy: Policy,
        referred: Mapping[str, frozenset[str]],
        proxies: Mapping[str, Consent | None],
    ) -> None:
        self._proxies: Final = proxies
        self.implicit: Final = _implicit(request.caller, policy)
        self._request: Final = request
        self._view: Final = View(policy.unlabelled, referred)
        self._by_rules: dict[_Rules, Permitted] = {}
        self._urgent: Final = request.urgent
        if request.urgent is not None:
            inside = replace(request, caller=request.urgent.caller, urgent=None)
            self._inside: Final = _Flows(inside, policy, referred, proxies)

    def of(self, patient: str, consents: Iterable[Consent]) -> Permitted:
        """What flows as ever, and in an emergency besides: none takes anything away."""
        known = tuple(consents)
        usual = self._usual(patient, known)
        if self._urgent is None or patient not in self._urgent.patients:
            return usual
        return _widened(patient, usual, self._inside.of(patient, known), self._urgent.closed)

    def _usual(self, patient: str, consents: Iterable[Consent]) -> Permitted:
        caller = self._request.caller
        if patient in caller.own:
            return _all
        if patient in self._proxies:
            return self._of_proxy(self._proxies[patient])
        found = applying(patient, consents, caller, self._request.now)
        is_beside = all(each.beside for each in found)
        rules = tuple((each.root, each.beside) for each in found if each.root is not None)
        if is_beside:  # else what patients let others see would cost every caller's queries
            rules = tuple(each for each in rules if speaks(each[0], self._request))
        if not rules:
            return self.implicit
        return self._of_rules(rules)

    def _of_proxy(self, consent: Consent | None) -> Permitted:
        if consent is None:
            return _all
        if consent.root is None:
            return _none
        return self._of_rules(((consent.root, False),))

    def _of_rules(self, rules: _Rules) -> Permitted:
        if rules not in self._by_rules:
            self._by_rules[rules] = self._flow(rules)
        return self._by_rules[rules]

    def _flow(self, rules: _Rules) -> Permitted:
        base = self.implicit if all(beside for _, beside in rules) else _none

        def voted(rule: Rule, kind: str, *, beside: bool) -> Votes:
            vote = beside_votes if beside else votes
            return vote(rule, kind, self._request, self._view)

        @cache
        def flow(kind: str) -> Node:
            found = [voted(rule, kind, beside=beside) for rule, beside in rules]
            return _bounded(_outcome([Votes(base(kind), Nothing()), *found]))

        return flow


def _widened(
    patient: str, usual: Permitted, urgent: Permitted, closed: frozenset[str]
) -> Permitted:
    @cache
    def widened(kind: str) -> Node:
        if kind in closed:
            return usual(kind)
        return either(usual(kind), every(wholly_about(kind, patient), urgent(kind)))

    return widened


def _bounded(node: Node) -> Node:
    beyond = next(islice(parts(node), MOST_PARTS, None), None)
    return node if beyond is None else Nothing()


def _outcome(every_consent: Sequence[Votes]) -> Node:
    """Across Consents a deny overrides a permit."""
    denied = any_of(each.deny for each in every_consent)
    return every(any_of(each.permit for each in every_consent), without(denied))


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
    if policy.urgent == "everything" and caller.has_purpose("BTG"):
        return _all
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
