"""The codes of AuditEvents: a row for each interaction, and for what happens beside them.

https://profiles.ihe.net/ITI/BALP/content.html
https://hl7.org/fhir/R4/valueset-audit-event-sub-type.html
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from fhir_server.core.types import JsonObject

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
BALP: Final = "https://profiles.ihe.net/ITI/BALP/"
OWN: Final = "urn:fhir-server:audit"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

Action = Literal["C", "R", "U", "D", "E"]


def coding(system: str, code: str, display: str = "") -> JsonObject:
    """A Coding."""
    named = {"display": display} if display else {}
    return {"system": system, "code": code, **named}


SOURCE: Final = coding(DCM, "110153", "Source Role ID")
DESTINATION: Final = coding(DCM, "110152", "Destination Role ID")
APPLICATION: Final = coding(DCM, "110150", "Application")
CUSTODIAN: Final = coding(
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian"
)
RECIPIENT: Final = coding(_PARTICIPATION, "IRCP", "information recipient")
AUTHOR: Final = coding(_PARTICIPATION, "AUT", "author (originator)")
EMPLOYER: Final = coding("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV")
EMERGENCY: Final = coding(DCM, "110127", "Emergency Override Started")
DISCLOSURE: Final = coding(
    "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose"
)
"""A whole record left at once."""

_STOPPED: Final = coding(DCM, "110138", "Emergency Override Stopped")

_REST: Final = coding(
    "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"
)
_AUTHENTICATION: Final = coding(DCM, "110114", "User Authentication")
_SECURITY: Final = coding(DCM, "110113", "Security Alert")
_APPLICATION: Final = coding(DCM, "110100", "Application Activity")
_EXPORT: Final = coding(DCM, "110106", "Export")


class Row(NamedTuple):
    """How one kind of event is coded."""

    type: JsonObject
    subtype: JsonObject
    action: Action
    client: JsonObject = SOURCE
    server: JsonObject = DESTINATION
    user: JsonObject = RECIPIENT
    profile: str = ""
    """Name of the BALP profile of a success, behind `IHE.BasicAudit.[Patient]`."""


def _rest(code: str, action: Action, profile: str = "") -> Row:
    subtype = coding("http://hl7.org/fhir/restful-interaction", code, code)
    match action:
        case "R":
            return Row(_REST, subtype, action, DESTINATION, SOURCE, RECIPIENT, profile)
        case "D":
            return Row(_REST, subtype, action, APPLICATION, CUSTODIAN, AUTHOR, profile)
        case "C" | "U":
            return Row(_REST, subtype, action, user=AUTHOR, profile=profile)
        case "E":
            return Row(_REST, subtype, action, profile=profile)


INTERACTIONS: Final[Mapping[str, Row]] = {
    "read": _rest("read", "R", "Read"),
    "vread": _rest("vread", "R", "Read"),
    "history-instance": _rest("history-instance", "R"),
    "history-type": _rest("history-type", "R"),
    "history-system": _rest("history-system", "R"),
    "create": _rest("create", "C", "Create"),
    "update": _rest("update", "U", "Update"),
    "patch": _rest("patch", "U", "Update"),
    "delete": _rest("delete", "D", "Delete"),
    "search-type": _rest("search-type", "E", "Query"),
    "search-system": _rest("search-system", "E", "Query"),
    "operation": _rest("operation", "E"),
    "transaction": _rest("transaction", "E"),
}

EVENTS: Final[Mapping[str, Row]] = {
    "sign-in": Row(_AUTHENTICATION, coding(DCM, "110122", "Login"), "E"),
    "sign-out": Row(_AUTHENTICATION, coding(DCM, "110123", "Logout"), "E"),
    "token": Row(
        _AUTHENTICATION,
        coding("urn:ihe:event-type-code", "ITI-71", "Get Access Token"),
        "E",
    ),
    "refresh": Row(_AUTHENTICATION, coding(OWN, "refresh", "Tokens renewed"), "E"),
    "refused": Row(_AUTHENTICATION, coding(OWN, "refused", "Token refused"), "E"),
    "grant": Row(
        _SECURITY,
        coding(f"{BALP}CodeSystem/AuthZsubType", "AuthZ-Consent", "Consent decision"),
        "C",
    ),
    "revoke": Row(_SECURITY, coding(OWN, "revoke", "Grant ended"), "D"),
    "register": Row(_SECURITY, coding(OWN, "register", "App registered or changed"), "U"),
    "account": Row(_SECURITY, coding(DCM, "110137", "User Security Attributes Changed"), "U"),
    "launch": Row(_APPLICATION, coding(OWN, "launch", "App launched with a context"), "E"),
    "break-glass": Row(_SECURITY, EMERGENCY, "E"),
    "break-glass-end": Row(_SECURITY, _STOPPED, "E"),
    "export": Row(
        _EXPORT,
        DISCLOSURE,
        "R",
        SOURCE,
        DESTINATION,
    ),
}
"""What is told by `AuditSink.note`: not of a request for resources."""
