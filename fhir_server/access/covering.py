"""Which resources a rule of a Consent covers, as a predicate over index values.

A rule that permits covers what is certainly meant, one that denies covers all that may be:
the two sides of each element stand side by side here.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeVar, assert_never

from fhir_server.access.algebra import any_of, either, every, without
from fhir_server.access.codings import Coding
from fhir_server.access.confidentiality import Level, at_least, at_most, labelled, level_of
from fhir_server.access.provisions import Alternatives, Conditions, Data
from fhir_server.search import keys
from fhir_server.search.plan import (
    Compare,
    Everything,
    Ids,
    Keys,
    Node,
    Nothing,
    Present,
    Range,
    Updated,
)
from fhir_server.search.values import Interval
from fhir_server.spec.search_parameters import of_type
from fhir_server.spec.structures import TYPES, is_a

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """What is not in a Consent and decides what it covers."""

    unlabelled: Level = "N"
    """How confidential a resource is that has no label saying so."""
    referred: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the instances refer to that Consents name with the meaning `related`
    (`consents.to_follow`): `DiagnosticReport/r1` -> `Observation/o1`, …"""


def covered(conditions: Conditions, kind: str, view: View, *, widely: bool) -> Node:
    """The resources of `kind` that meet the conditions about data; `widely`: may meet."""

    def met(values: Alternatives[T], to: Callable[[T], Node]) -> Node:
        if values is None:
            return Everything()
        unread: Node = Everything() if widely else Nothing()
        return any_of(unread if each is None else to(each) for each in values)

    return every(
        met(conditions.classes, lambda each: _of_class(each, kind, widely)),
        met(conditions.labels, lambda each: _under(each, view, widely)),
        met(conditions.codes, lambda each: _with_code(each, kind)),
        met(conditions.data, lambda each: _of_data(each, kind, view, widely)),
        met(conditions.data_periods, lambda each: _dated(each, kind, widely)),
    )


def _under(label: Coding, view: View, widely: bool) -> Node:
    level = level_of(label)
    if level is None:
        return labelled(label)
    order = at_least if widely else at_most
    return order(level, unlabelled=view.unlabelled)


_TYPES: Final = frozenset(
    {"http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/fhir-types"}
)
_DEFINITIONS: Final = "http://hl7.org/fhir/StructureDefinition/"
_URI: Final = "urn:ietf:rfc:3986"
_MIME_TYPE: Final = "urn:ietf:bcp:13"
_DOCUMENTS: Final = ("Composition", "DocumentManifest", "DocumentReference")


def _of_class(value: Coding, kind: str, widely: bool) -> Node:
    """A resource type, a profile, a MIME type, or else the type of a document."""
    system, code = value
    if system in _TYPES:
        return _if(is_a(kind, code) or (widely and code not in TYPES))
    if system == _URI:
        named_type = code.removeprefix(_DEFINITIONS) if code.startswith(_DEFINITIONS) else ""
        if named_type in TYPES:
            return _if(is_a(kind, named_type))
        return Keys("uris", (keys.uri("_profile", code),))
    if kind not in _DOCUMENTS:
        return Nothing()
    if system == _MIME_TYPE:
        named = Keys("tokens", (keys.token("contenttype", None, code),))
        return named if kind == "DocumentReference" else Nothing()
    return Keys("tokens", (keys.token("type", system, code),))


def _if(condition: bool) -> Node:
    return Everything() if condition else Nothing()


_UNCODED: Final = frozenset({
    "identifier", "status", "active", "gender", "email",
    "phone", "telecom", "language", "address-use", "related-id", "deceased", "actual",
    "exclude", "series", "instance",
})  # fmt: skip
_CONTAINED: Final = tuple(
    f"#{kind}.code"
    for kind in ("Condition", "Medication", "Observation", "Procedure", "Substance")
)


@cache
def code_parameters(kind: str) -> tuple[str, ...]:
    """The parameters under whose tokens a code is looked for: all of `kind` that index
    coded elements (not identifiers, contact points or flags), and `code` of what a resource
    contains."""
    own = (code for code, each in of_type(kind).items() if each.type == "token")
    found = (code for code in own if code[0] != "_" and code not in _UNCODED)
    return (*found, *_CONTAINED)


def _with_code(value: Coding, kind: str) -> Node:
    return Keys("tokens", tuple(keys.token(each, *value) for each in code_parameters(kind)))


_AUTHORS: Final = frozenset({
    "assessor", "asserter", "author", "enterer", "operator", "performer", "performer-actor",
    "prescriber", "provider", "recorder", "reporter", "requester", "results-interpreter",
    "sender", "source",
})  # fmt: skip
_PARTIES: Final = _AUTHORS | frozenset({
    "agent", "attester", "authenticator", "care-manager", "care-team", "collector",
    "interpreter", "participant", "practitioner", "responsibleparty",
})  # fmt: skip

_UNINDEXED_ENCOUNTERS: Final = frozenset({"AdverseEvent", "AllergyIntolerance", "Immunization"})
"""Types whose `encounter` R4 has no search parameter for: nobody can tell from the index."""


@cache
def _references(kind: str) -> tuple[str, ...]:
    return tuple(code for code, each in of_type(kind).items() if each.type == "reference")


def author_parameters(kind: str, *, widely: bool) -> tuple[str, ...]:
    """The reference parameters of `kind` that name who made a resource; `widely`: or took
    part in it."""
    wanted = _PARTIES if widely else _AUTHORS
    return tuple(code for code in _references(kind) if code in wanted)


def _of_data(data: Data, kind: str, view: View, widely: bool) -> Node:
    """What one `provision.data` means.

    `related` is read as IHE PCF reads it, what refers to the Encounter (CarePlan, …), and as
    R4 words it, what the instance refers to, as far as that is known.

    https://hl7.org/fhir/R4/valueset-consent-data-meaning.html
    """
    match data.meaning:
        case "instance":
            return _instance(data.target, kind)
        case "dependents":
            return either(_instance(data.target, kind), _referring(data.target, kind, widely))
        case "related":
            refers = view.referred.get(data.target)
            if refers is None and widely:
                return Everything()
            to = any_of(_instance(each, kind) for each in sorted(refers or ()))
            here = _instance(data.target, kind)
            return either(here, _referring(data.target, kind, widely), to)
        case "authoredby":
            return _naming(author_parameters(kind, widely=widely), data.target)
        case _:
            assert_never(data.meaning)


def _instance(target: str, kind: str) -> Node:
    found, _, id_ = target.partition("/")
    return Ids((id_,)) if found == kind and "/" not in id_ else Nothing()


def _referring(target: str, kind: str, widely: bool) -> Node:
    if widely and target.startswith("Encounter/") and kind in _UNINDEXED_ENCOUNTERS:
        return Everything()
    return _naming(_references(kind), target)


def _naming(parameters: tuple[str, ...], target: str) -> Node:
    found = tuple(keys.reference(each, target) for each in parameters)
    return Keys("references", found) if found else Nothing()


_NOT_CLINICAL: Final = frozenset({
    "_lastUpdated", "birthdate", "death-date", "location-period", "modified", "payment-date",
    "target-date", "value-date",
})  # fmt: skip

_OUTSIDE: Final = ((Compare("lo", "<", "lo"),), (Compare("hi", ">", "hi"),))
_OVERLAPS: Final = ((Compare("lo", "<", "hi"), Compare("hi", ">", "lo")),)
_WITHIN: Final = ((Compare("lo", ">=", "lo"), Compare("hi", "<=", "hi")),)


@cache
def date_parameters(kind: str) -> tuple[str, ...]:
    """The parameters of `kind` that say when something was or was written down."""
    found = (code for code, each in of_type(kind).items() if each.type == "date")
    return tuple(code for code in found if code not in _NOT_CLINICAL)


def _dated(period: Interval, kind: str, widely: bool) -> Node:
    """Every date within the period; `widely`: any date that overlaps it. Without a date the
    time of the last change decides."""
    codes = date_parameters(kind)
    undated = without(any_of(Present("dates", code) for code in codes))
    arms = _OVERLAPS if widely else _OUTSIDE
    found = any_of(Range("dates", code, period, arms) for code in codes)
    if widely:
        return either(found, every(undated, Updated(period, _OVERLAPS)))
    return every(without(found), either(without(undated), Updated(period, _WITHIN)))
