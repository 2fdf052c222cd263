"""Codes as the rules of Consents, labels and relations name them.

https://hl7.org/fhir/R4/datatypes.html#Coding
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

OWN: Final = "https://fhir-server.example/CodeSystem/consent-category"
"""Of this server: kinds of Consent that are no privacy directives."""
SMART_GRANT: Final = "smart-grant"
"""A record of what an app was granted; its tokens are what limits the app."""
PROXY: Final = "proxy"
"""A person lets another one act for them."""
CONSENT_POLICY: Final = "https://fhir-server.example/CodeSystem/consent-policy"
"""Of this server: what the rules of a Consent are exceptions to."""

NOTICE: Final = "https://fhir-server.example/CodeSystem/notice"
"""Categories of the Communications that the server itself writes into a record."""


class Coding(NamedTuple):
    """A code in its system; both are always there."""

    system: str
    code: str


AS_USUAL: Final = Coding(CONSENT_POLICY, "as-usual")
"""The rules leave what flows without them as it is, but for what they name."""

VISIT_NOTICE: Final = Coding(NOTICE, "visit")
"""What a patient is told of visits and of the queue."""


def coding(value: Mapping[str, Any]) -> Coding | None:
    """The Coding, if it has both a system and a code."""
    system, code = value.get("system"), value.get("code")
    return Coding(system, code) if system and code else None


def codings(concept: Mapping[str, Any] | None) -> Iterator[Coding]:
    """The usable codings of a CodeableConcept, in their order."""
    for each in (concept or {}).get("coding", ()):
        found = coding(each)
        if found is not None:
            yield found


def has_category(consent: Mapping[str, Any], wanted: Coding) -> bool:
    """Whether `wanted` is among the categories of a Consent."""
    return any(wanted in codings(each) for each in consent.get("category", ()))
