"""Launch contexts: what a portal or hospital system says of where it opens an app.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#fhircontext-exp
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fhir_server.smart import redirects
from fhir_server.smart.callers import Caller
from fhir_server.smart.digests import digest
from fhir_server.smart.errors import AccessDenied, InvalidRequest
from fhir_server.smart.events import Event
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Client, Launch, LaunchContext
from fhir_server.smart.tokens import Response
from fhir_server.spec.structures import RESOURCE_TYPES

MAX_CONTEXTS: Final = 50

_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_REFERENCE: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")
_ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_MAX_TEXT: Final = 500


async def create(
    ports: Ports, policy: Policy, caller: Caller, body: Mapping[str, Any]
) -> Response:
    """Keep a launch context and say how the app is opened with it.

    A client with the permission `launch` may name the user whom it is meant for; staff with a
    token create launches for themselves.

    Raises:
        AccessDenied: the caller may not.
        InvalidRequest: the body is not a launch context, or the app not one to be launched.
    """
    by_staff = caller.token is not None and caller.token.principal.staff
    if "launch" not in caller.client.permissions and not by_staff:
        raise AccessDenied("The client may not create launches.")
    app = await ports.clients.find(str(body.get("client_id")))
    if app is None or app.standing != "active":
        raise InvalidRequest("client_id is no registered app.")
    found = context(body)
    if found.patient and not await ports.records.has(found.patient, found.encounter):
        raise InvalidRequest("There is no such patient, or the encounter is another's.")
    secret = ports.new_secret()
    launch = Launch(
        digest(secret),
        app.id,
        caller.client.id,
        found,
        ports.now() + policy.launch_seconds * 1000,
        account=_text(body, "account"),
        user=_user(body),
    )
    if caller.token is not None:
        launch = replace(launch, account=caller.token.principal.account)
    await ports.launches.put(launch)
    made = f"made by {caller.client.id}"
    await ports.events.tell(
        Event("launched", app.id, launch.account, patient=found.patient, reason=made)
    )
    return _answer(policy, app, secret)


def _answer(policy: Policy, app: Client, secret: str) -> Response:
    response: Response = {"launch": secret, "expires_in": policy.launch_seconds}
    if app.launch_uris:
        added = {"iss": policy.fhir_base, "launch": secret}
        response["launch_url"] = redirects.with_parameters(app.launch_uris[0], added)
    return response


def context(body: Mapping[str, Any]) -> LaunchContext:
    """The context that a body describes.

    Raises:
        InvalidRequest: a part of it is not what it has to be.
    """
    banner = body.get("need_patient_banner")
    if not (banner is None or isinstance(banner, bool)):
        raise InvalidRequest("need_patient_banner is not a boolean.")
    patient, encounter = _id(body, "patient"), _id(body, "encounter")
    if encounter is not None and patient is None:
        raise InvalidRequest("An encounter needs its patient.")
    return LaunchContext(
        patient=patient,
        encounter=encounter,
        fhir_context=_contexts(body.get("fhirContext")),
        intent=_text(body, "intent"),
        need_patient_banner=banner,
        smart_style_url=_url(body, "smart_style_url"),
        tenant=_text(body, "tenant"),
    )


def _contexts(found: object) -> tuple[Mapping[str, Any], ...]:
    if found is None:
        return ()
    if not isinstance(found, list) or len(found) > MAX_CONTEXTS:
        raise InvalidRequest("fhirContext is not a short list.")
    return tuple(_entry(each) for each in found)


def _entry(found: object) -> Mapping[str, Any]:
    """One object, with a reference, canonical or identifier.

    "fhirContext […] SHALL NOT [include] Patient or Encounter […] unless role is other than
    launch"; and a role, where there is one, "SHALL NOT be an empty string".
    """
    if not isinstance(found, dict) or not {"reference", "canonical", "identifier"} & set(found):
        raise InvalidRequest("fhirContext needs a reference, canonical or identifier.")
    role = found.get("role", "launch")
    if not isinstance(role, str) or not (role == "launch" or _ABSOLUTE.fullmatch(role)):
        raise InvalidRequest("A role in fhirContext is not an absolute URI.")
    kind = found.get("type")
    if "type" in found and kind not in RESOURCE_TYPES:
        raise InvalidRequest("A type in fhirContext is no resource type.")
    if "reference" in found:
        kind = _type_of(found["reference"])
    if "canonical" in found and not _ABSOLUTE.fullmatch(str(found["canonical"])):
        raise InvalidRequest("A canonical in fhirContext is not absolute.")
    if not isinstance(found.get("identifier", {}), dict):
        raise InvalidRequest("An identifier in fhirContext is not an Identifier.")
    if kind in ("Patient", "Encounter") and role == "launch":
        raise InvalidRequest("Patient and Encounter have parameters of their own.")
    return found


def _type_of(reference: object) -> str:
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if not found or found[1] not in RESOURCE_TYPES:
        raise InvalidRequest("A reference in fhirContext is not a relative one.")
    return found[1]


def _user(body: Mapping[str, Any]) -> str | None:
    found = _text(body, "user")
    if found is not None and not _REFERENCE.fullmatch(found):
        raise InvalidRequest("user is not a reference.")
    return found


def _id(body: Mapping[str, Any], name: str) -> str | None:
    found = _text(body, name)
    if found is not None and not _ID.fullmatch(found):
        raise InvalidRequest(f"{name} is not a logical id.")
    return found


def _text(body: Mapping[str, Any], name: str) -> str | None:
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or not 0 < len(found) <= _MAX_TEXT:
        raise InvalidRequest(f"{name} is not a short string.")
    return found


def _url(body: Mapping[str, Any], name: str) -> str | None:
    found = _text(body, name)
    if found is not None and not found.startswith(("https://", "http://")):
        raise InvalidRequest(f"{name} is not a URL.")
    return found
