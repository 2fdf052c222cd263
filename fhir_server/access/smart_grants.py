"""What an app was granted, written down as a Consent that its giver can read and withdraw.

The authorization server keeps the grant itself; its tokens, not this Consent, say what the app
may do. Whoever sets the Consent to `inactive` ends the grant.

https://hl7.org/fhir/R5/consent-example-smartonfhir.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fhir_server.access.codings import (
    ACT_CODE,
    ACT_REASON,
    CONSENT_ACTION,
    CONSENT_SCOPE,
    OWN,
    PARTICIPATION,
    SMART_GRANT,
    Coding,
    has_category,
)
from fhir_server.access.periods import period
from fhir_server.access.scopes import ALL_TYPES, ResourceScope
from fhir_server.core.datetimes import format_instant
from fhir_server.core.types import JsonObject

GRANT_ID: Final = "https://fhir-server.example/sid/grant"
"""Identifier system of grants."""
CLIENT_ID: Final = "https://fhir-server.example/sid/client"
"""Identifier system of apps."""
GRANTED_SCOPES: Final = "https://fhir-server.example/StructureDefinition/granted-scopes"
"""Extension of the Consent: the granted scopes as OAuth writes them."""

_CATEGORY: Final = Coding(OWN, SMART_GRANT)
_TYPES: Final = "http://hl7.org/fhir/resource-types"
_LETTERS: Final = {
    "r": ("access",),
    "s": ("access",),
    "c": ("collect",),
    "u": ("correct",),
    "d": ("correct",),
}


@dataclass(frozen=True, slots=True)
class SmartGrant:
    """A person let an app at a record."""

    id: str
    """Of the grant."""
    client: str
    client_name: str
    patient: str
    """Logical id of the patient whose record it is."""
    giver: str
    """Reference of who decided: the Patient, or the RelatedPerson that acts for them."""
    scopes: tuple[ResourceScope, ...]
    at: int
    """Milliseconds since 1970, as is `until`."""
    until: int | None = None
    organization: str | None = None
    """Reference of the organization whose server granted it."""


def grant_consent(grant: SmartGrant, *, withdrawn: bool = False) -> JsonObject:
    """The grant as a Consent, without an id."""
    begin = format_instant(grant.at)
    when = {"start": begin}
    if grant.until is not None:
        when["end"] = format_instant(grant.until)
    scopes = " ".join(each.text for each in grant.scopes)
    consent: JsonObject = {
        "resourceType": "Consent",
        "extension": [{"url": GRANTED_SCOPES, "valueString": scopes}],
        "identifier": [{"system": GRANT_ID, "value": grant.id}],
        "status": "inactive" if withdrawn else "active",
        "scope": _concept(Coding(CONSENT_SCOPE, "patient-privacy"), "Privacy Consent"),
        "category": [_concept(_CATEGORY, "SMART on FHIR authorization")],
        "patient": {"reference": f"Patient/{grant.patient}"},
        "dateTime": begin,
        "performer": [{"reference": grant.giver}],
        "policyRule": _concept(Coding(ACT_CODE, "OPTIN"), "opt-in"),
        "provision": {
            "type": "deny",
            "period": when,
            "provision": list(_permits(grant)),
        },
    }
    if grant.organization is not None:
        consent["organization"] = [{"reference": grant.organization}]
    return consent


def _permits(grant: SmartGrant) -> Iterator[JsonObject]:
    """One permit a scope. What narrows a scope to some resources stands in the extension."""
    for scope in grant.scopes:
        actions = (code for letter in sorted(scope.letters) for code in _LETTERS[letter])
        permit: JsonObject = {
            "type": "permit",
            "actor": [_actor(grant)],
            "action": [
                _concept(Coding(CONSENT_ACTION, each), each.capitalize())
                for each in dict.fromkeys(actions)
            ],
            "purpose": [
                {**_coding(Coding(ACT_REASON, "PATRQT")), "display": "patient requested"}
            ],
        }
        if scope.type != ALL_TYPES:
            permit["class"] = [_coding(Coding(_TYPES, scope.type))]
        yield permit


def _actor(grant: SmartGrant) -> JsonObject:
    return {
        "role": _concept(Coding(PARTICIPATION, "IRCP"), "information recipient"),
        "reference": {
            "type": "Device",
            "identifier": {"system": CLIENT_ID, "value": grant.client},
            "display": grant.client_name,
        },
    }


def _concept(coding: Coding, display: str) -> JsonObject:
    return {"coding": [{**_coding(coding), "display": display}]}


def _coding(coding: Coding) -> JsonObject:
    return {"system": coding.system, "code": coding.code}


def grant_of(consent: JsonObject) -> str | None:
    """The id of the grant that a Consent records; None for any other Consent."""
    if not has_category(consent, _CATEGORY):
        return None
    found = (each for each in consent.get("identifier", ()) if each.get("system") == GRANT_ID)
    return next((each.get("value") for each in found), None)


def is_withdrawn(consent: JsonObject, now: int) -> bool:
    """Whether the recorded grant is over at `now`: any status but active, or the period is
    past or unreadable."""
    when = period(consent.get("provision", {}).get("period"))
    return consent.get("status") != "active" or when is None or not now < when.hi


def withdrawn_grants(consents: Iterable[JsonObject], now: int) -> frozenset[str]:
    """The ids of grants that have a record which says they are over."""
    found = ((grant_of(each), each) for each in consents)
    return frozenset(id_ for id_, each in found if id_ is not None and is_withdrawn(each, now))
