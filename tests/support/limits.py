"""Every kind of limit, as the facts that make it: a caller, and what is out of its reach.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from fhir_server.access.codings import OWN, PROXY, Coding
from fhir_server.access.decisions import Policy
from fhir_server.access.policy import AccessPolicy
from fhir_server.access.principal import Principal
from fhir_server.access.proxies import ProxyRules
from fhir_server.access.required import Required
from fhir_server.access.scopes import parse_scopes
from fhir_server.core.messages import Text
from tests.support.consenting import AS_USUAL, action, actor, consent, data, label
from tests.support.doors import READS
from tests.support.doors_for_writing import BESIDE, CREATING, GONE, WRITES
from tests.support.fhir import JsonObject
from tests.support.relations import relation, years_before

OTHERS: Final = "patient/Patient.rs patient/Encounter.rs patient/DiagnosticReport.rs"
WATCHER: Final = "Practitioner/watcher"
SECRET: Final = {"system": "urn:code", "code": "secret"}
_PSYCHIATRY: Final = {"meta": {"security": [label("PSY")]}}
_HIDING: Final = {"provision": [{"type": "deny", "securityLabel": [label("PSY")]}]}
RESTRICTED: Final = {"meta": {"security": [label("R")]}}
PDN: Final = Coding("urn:law", "pdn")
STRICT: Final = AccessPolicy(
    required=(Required((PDN,), Text("data", "данные", "дані"), Text("desk", "окно", "вікно")),)
)
CLOSED: Final = AccessPolicy(Policy("deny"))
CHILD_AGE: Final = 15
CHILDREN: Final = AccessPolicy(proxies=ProxyRules(child_age=CHILD_AGE))
DAYS_TO_BIRTHDAY: Final = 5

Facts = Callable[["Limit"], list[JsonObject]]


def _none(limit: "Limit") -> list[JsonObject]:
    del limit
    return []


@dataclass(frozen=True, slots=True)
class Limit:
    """A caller, and what is out of its reach; `{p}` is the caller's patient, by name."""

    name: str
    scopes: str = "patient/*.cruds"
    whose: str = "{p}-other"
    """Whom the hidden resources are about."""
    whose_else: str = ""
    """Whom those are about that are hidden beside the Observation, if it is another."""
    category: str = "laboratory"
    seen: str = "laboratory"
    """The category of what may be seen."""
    hiding: JsonObject | None = None
    """Elements by which the Observation is hidden."""
    else_hiding: JsonObject | None = None
    """Elements by which the others are."""
    user: str = "Patient/{p}"
    patient: str = "{p}"
    """In context; with `user/` scopes there is none."""
    represented: tuple[str, ...] = ()
    staff: bool = False
    policy: AccessPolicy | None = None
    facts: Facts = _none
    """What is on file before."""
    ended: Facts | None = None
    """What ends the access that there was; None: there never was any."""
    days: int = 0
    """By which the clock goes ahead, and ends it."""
    revoked: bool = False
    destroys: bool = False
    """It may do everything, or something was broken so that it can."""

    @property
    def ends(self) -> bool:
        """Whether the caller could see what is hidden, at first."""
        return self.ended is not None or self.days > 0 or self.revoked

    @property
    def principal(self) -> Principal:
        return Principal(
            "app",
            parse_scopes(self.scopes),
            patient=self._named(self.patient) or None,
            user=self._named(self.user) or None,
            account=self.name,
            represented=tuple(map(self._named, self.represented)),
            purpose="TREAT" if self.staff else "PATRQT",
            token=self.name,
            staff=self.staff,
        )

    @property
    def about(self) -> str:
        return self._named(self.whose)

    @property
    def about_else(self) -> str:
        return self._named(self.whose_else or self.whose)

    @property
    def own(self) -> str:
        """The patient that the user is."""
        return self._named(self.user).removeprefix("Patient/")

    def _named(self, text: str) -> str:
        return text.replace("{p}", self.name)


def hidden_ids(limit: Limit) -> dict[str, str]:
    """By door the id of the hidden resource that it asks for.

    Where a caller can do nothing to it, doors share one; but for those after which something
    may be seen that answers the same criteria.
    """
    h = f"{limit.name}-hidden"
    if limit.destroys:
        return dict.fromkeys(READS, h) | {door: f"{h}-{n}" for n, door in enumerate(WRITES)}
    ids = dict.fromkeys((*READS, *WRITES), h) | dict.fromkeys(GONE, f"{h}-gone")
    own = sorted(BESIDE | CREATING)
    return ids | {door: f"{h}-{n}" for n, door in enumerate(own)}


def gone_ids(limit: Limit) -> list[str]:
    """The ids of the hidden resources that have been deleted."""
    ids = hidden_ids(limit)
    return sorted({f"{limit.name}-hidden-gone", *(ids[door] for door in GONE)})


def _of(limit: Limit, provision: JsonObject, **more: object) -> JsonObject:
    own = {
        "id": f"{limit.name}-consent",
        "patient": {"reference": f"Patient/{limit.name}"},
    }
    found = consent(provision, **(own | more))
    del found["meta"]
    return found


def _denying(denial: Callable[[Limit], JsonObject]) -> Facts:
    """A Consent that permits all but what `denial` describes, and what is restricted."""

    def facts(limit: Limit) -> list[JsonObject]:
        denials = (denial(limit), {"securityLabel": [label("R")]})
        exceptions = [{"type": "deny", **each} for each in denials]
        return [_of(limit, {"type": "permit", "provision": exceptions})]

    return facts


def _staff(
    name: str, hiding: JsonObject | None, denial: Callable[[Limit], JsonObject]
) -> Limit:
    """Staff who opened the patient's record, and a denial by that patient."""
    return Limit(
        name,
        whose="{p}",
        whose_else="{p}-restricted",
        hiding=hiding,
        else_hiding=RESTRICTED,
        user=WATCHER,
        staff=True,
        facts=_denying(denial),
    )


def _every_hidden(limit: Limit) -> list[str]:
    return sorted({f"Observation/{id_}" for id_ in hidden_ids(limit).values()})


def _secret_report(limit: Limit) -> list[JsonObject]:
    refer = [{"reference": each} for each in _every_hidden(limit)]
    report = {
        "resourceType": "DiagnosticReport",
        "id": f"{limit.name}-secret",
        "status": "final",
        "code": {"text": "secret"},
        "subject": {"reference": f"Patient/{limit.name}"},
        "result": refer,
    }
    return [report, *_denying(lambda _: {"data": data("related", _root(limit))})(limit)]


def _root(limit: Limit) -> str:
    return f"DiagnosticReport/{limit.name}-secret"


def _proxy(limit: Limit, *exceptions: JsonObject, status: str = "active") -> list[JsonObject]:
    """An adult who lets somebody see the record, but for `exceptions`."""
    related = f"RelatedPerson/{limit.own}-of-{limit.about}"
    provision: JsonObject = {
        "type": "permit",
        "actor": actor(related),
        "action": action("access", "disclose", "collect", "correct"),
        "provision": [{"type": "deny", **each} for each in exceptions],
    }
    given = _of(
        limit,
        {name: value for name, value in provision.items() if value},
        status=status,
        patient={"reference": f"Patient/{limit.about}"},
        category=[{"coding": [{"system": OWN, "code": PROXY}]}],
        performer=[{"reference": f"Patient/{limit.about}"}],
    )
    born = {"resourceType": "Patient", "id": limit.about, "birthDate": "1950-01-01"}
    return [born, *relation(limit.about, limit.own, code="DAU"), given]


def _child(limit: Limit, born: str) -> list[JsonObject]:
    child = {"resourceType": "Patient", "id": limit.about, "birthDate": born}
    return [child, *relation(limit.about, limit.own)]


def _older(limit: Limit) -> list[JsonObject]:
    today = datetime.now(UTC).date()
    return _child(limit, years_before(today, CHILD_AGE, days=DAYS_TO_BIRTHDAY))


def _young(limit: Limit) -> list[JsonObject]:
    return _child(limit, years_before(datetime.now(UTC).date(), 3))


def _estranged(limit: Limit) -> list[JsonObject]:
    over = {"active": False}
    return [each | over for each in _young(limit) if each["resourceType"] == "RelatedPerson"]


def _agreed(limit: Limit, status: str = "active") -> list[JsonObject]:
    """The consent that the law demands."""
    category = [{"coding": [{"system": PDN.system, "code": PDN.code}]}]
    return [_of(limit, {"type": "permit"}, status=status, category=category)]


_PROXY: Final = Limit(
    "proxy",
    scopes="user/*.cruds",
    patient="",
    represented=("{p}", "{p}-other"),
    policy=CHILDREN,
)
"""Sees the own record, and may no longer see the other's."""

PEOPLE: Final = (
    Limit("whole"),
    Limit("v1", "patient/*.*"),
    Limit("read-only", "patient/*.rs"),
    Limit("search-only", "patient/*.s"),
    Limit(
        "category",
        f"patient/Observation.cruds?category=urn:category|laboratory patient/List.rs {OTHERS}",
        whose="{p}",
        whose_else="{p}-other",
        category="vital-signs",
    ),
    Limit(
        "two-categories",
        "patient/Observation.rs?category=urn:category|laboratory "
        f"patient/Observation.rs?category=urn:category|survey patient/List.rs {OTHERS}",
        whose="{p}",
        whose_else="{p}-other",
        category="vital-signs",
    ),
    Limit("other-type", f"{OTHERS} patient/List.rs", whose="{p}", whose_else="{p}-other"),
    Limit("nobody", "patient/*.cruds", whose="{p}", patient="", user=""),
)
SYSTEMS: Final = (
    Limit(
        "system",
        "system/Observation.cruds?category=urn:category|system "
        "system/DiagnosticReport.rs system/SearchParameter.u system/Practitioner.rs",
        seen="system",
        user="",
        patient="",
    ),
)
PROXIES: Final = (
    replace(_PROXY, name="relation-ended", facts=_young, ended=_estranged),
    replace(_PROXY, name="birthday", facts=_older, days=2 * DAYS_TO_BIRTHDAY),
    replace(
        _PROXY,
        name="proxy-withdrawn",
        facts=_proxy,
        ended=lambda limit: [_proxy(limit, status="inactive")[-1]],
    ),
    replace(
        _PROXY,
        name="proxy-limited",
        scopes="patient/*.cruds",
        whose="{p}",
        whose_else="{p}-stranger",
        user="Patient/{p}-proxy",
        patient="{p}",
        represented=("{p}-proxy", "{p}"),
        hiding={"code": {"coding": [SECRET]}},
        facts=lambda limit: _proxy(limit, {"code": [{"coding": [SECRET]}]}),
    ),
)
STAFF: Final = (
    Limit(
        "label",
        whose="{p}",
        whose_else="{p}-restricted",
        hiding=RESTRICTED,
        else_hiding=RESTRICTED,
        user=WATCHER,
        staff=True,
    ),
    Limit(
        "whole-house",
        "user/*.cruds",
        whose="{p}",
        hiding=RESTRICTED,
        else_hiding=RESTRICTED,
        user=WATCHER,
        patient="",
        staff=True,
        policy=CLOSED,
        facts=lambda limit: [_of(limit, {"type": "permit", "securityLabel": [label("N")]})],
    ),
    _staff(
        "deny-actor",
        None,
        lambda limit: {
            "actor": actor(WATCHER),
            "data": data("instance", *_every_hidden(limit)),
        },
    ),
    _staff(
        "deny-class",
        {"meta": {"profile": ["http://profile.example/secret"]}},
        lambda _: {"class": [{"code": "http://profile.example/secret"}]},
    ),
    _staff(
        "deny-code",
        {"code": {"coding": [SECRET]}},
        lambda _: {"code": [{"coding": [SECRET]}]},
    ),
    _staff("deny-label", _PSYCHIATRY, lambda _: {"securityLabel": [label("PSY")]}),
    replace(
        _staff("hide-label", _PSYCHIATRY, lambda _: {}),
        facts=lambda limit: [_of(limit, _HIDING, policyRule=AS_USUAL)],
    ),
    _staff(
        "deny-period",
        None,
        lambda _: {"dataPeriod": {"start": "2020-01-01", "end": "2020-01-02"}},
    ),
    _staff(
        "deny-author",
        {"performer": [{"reference": "Practitioner/secret"}]},
        lambda _: {"data": data("authoredby", "Practitioner/secret")},
    ),
    _staff(
        "deny-dependents",
        {"derivedFrom": [{"reference": "Observation/secret"}]},
        lambda _: {"data": data("dependents", "Observation/secret")},
    ),
    replace(_staff("deny-related", None, lambda _: {}), facts=_secret_report),
)
CLOSED_CABINETS: Final = (
    Limit("revoked", whose="{p}", revoked=True),
    Limit(
        "consent-withdrawn",
        whose="{p}",
        whose_else="{p}-other",
        policy=STRICT,
        facts=_agreed,
        ended=lambda limit: _agreed(limit, "inactive"),
    ),
)
LIMITS: Final = (*PEOPLE, *SYSTEMS, *PROXIES, *STAFF, *CLOSED_CABINETS)

KINDS: Final = frozenset({
    "whole", "category", "relation-ended", "label", "deny-code", "revoked", "consent-withdrawn",
})  # fmt: skip
"""One of each kind of limit."""

SLOW: Final = frozenset({"whole-house"})
"""Whose rights are of many patients with different Consents, and take long to be told."""

TEETH: Final = Limit(
    "teeth",
    "system/*.cruds",
    whose="{p}",
    hiding=RESTRICTED,
    else_hiding=RESTRICTED,
    facts=lambda limit: [_of(limit, {"type": "deny"})],
    destroys=True,
)
"""Of somebody who may see everything; no patient's Consent opens it to `whole-house`."""
