"""A person's answer to a parked request, and where the browser goes with it.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-4
"""

from dataclasses import replace
from typing import Final

from fhir_server.smart import redirects, scopes
from fhir_server.smart.authorization import (
    Decision,
    Denied,
    Parked,
    Redirected,
    Unredirectable,
)
from fhir_server.smart.digests import digest
from fhir_server.smart.errors import (
    AccessDenied,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
)
from fhir_server.smart.events import Event
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Code, Grant, LaunchContext

GONE: Final = "This request was answered already, or too late."


async def complete(
    ports: Ports, policy: Policy, parked: Parked, decision: Decision | Denied
) -> str:
    """Answer a parked request, once, and return the URL that the browser goes to.

    A refusal that is the client's to hear is such a URL too. The caller has made sure that
    the request is this browser's, and the decision this person's.

    Raises:
        Unredirectable: the request was answered before, or has expired.
    """
    now = ports.now()
    if not await ports.parked.take(parked.id) or now >= parked.expires:
        raise Unredirectable(InvalidRequest(GONE))
    request = parked.request
    try:
        grant = await _granted(ports, policy, parked, decision)
    except OAuthError as error:
        await ports.events.tell(_refused(parked, decision, error))
        refused = Redirected(error, request.redirect_uri, request.state)
        return refused.location(policy.issuer)
    secret = ports.new_secret()
    await ports.grants.put(grant)
    await ports.codes.put(
        Code(
            digest(secret),
            grant.id,
            request.client,
            request.redirect_uri,
            request.challenge,
            expires=now + policy.code_seconds * 1000,
        )
    )
    await ports.events.tell(
        Event(
            "granted",
            grant.client,
            grant.subject.account,
            grant.id,
            grant.context.patient,
            grant.scopes,
        )
    )
    said = {"code": secret, "state": request.state, "iss": policy.issuer}
    return redirects.with_parameters(request.redirect_uri, said)


def _refused(parked: Parked, decision: Decision | Denied, error: OAuthError) -> Event:
    account = decision.subject.account if isinstance(decision, Decision) else decision.account
    asked = parked.request.scopes.text
    return Event("refused", parked.request.client, account, scopes=asked, reason=error.code)


async def _granted(
    ports: Ports, policy: Policy, parked: Parked, decision: Decision | Denied
) -> Grant:
    if isinstance(decision, Denied):
        raise AccessDenied("The person said no.")
    client = await ports.clients.find(parked.request.client)
    if client is None or client.standing != "active":
        raise UnauthorizedClient("This client is not approved.")
    grant = decide(parked, decision, policy, ports.new_id(), ports.now())
    context = grant.context
    if context.patient and not await ports.records.has(context.patient, context.encounter):
        raise InvalidRequest("There is no such patient, or the encounter is another's.")
    used = parked.launch_digest
    if used is not None and not await ports.launches.use(used, ports.now()):
        raise InvalidRequest("The launch was used already.")
    if used is not None:
        account, patient = grant.subject.account, context.patient
        await ports.events.tell(Event("opened", grant.client, account, grant.id, patient))
    return grant


def decide(parked: Parked, decision: Decision, policy: Policy, id_: str, now: int) -> Grant:
    """The grant that a yes comes to.

    Raises:
        LoginRequired: the person was to sign in anew, and did not.
        UnmetAuthenticationRequirements: the sign-in is too weak.
        AccessDenied: the launch is another person's, the record may not be opened by this
            one, or nothing was kept of what was asked.
        InvalidRequest: a patient has to be chosen, and was not.
    """
    session, subject = decision.session, decision.subject
    if not parked.is_fresh(session.auth_time):
        raise LoginRequired("The person has to sign in again.")
    if not parked.is_strong(session):
        raise UnmetAuthenticationRequirements("The sign-in is weaker than acr_values asks.")
    if parked.account not in (None, subject.account) or parked.user not in (None, subject.user):
        raise AccessDenied("This launch was made for another person.")
    kept = parked.request.scopes
    if decision.scopes is not None:
        kept = scopes.narrowed(kept, scopes.parse(decision.scopes))
    context = _context(parked, decision, policy)
    kept = scopes.fitting(kept, context, subject.user)
    if not kept:
        raise AccessDenied("Nothing was granted.")
    return Grant(
        id=id_,
        client=parked.request.client,
        subject=subject,
        session=session.id,
        scopes=kept.text,
        context=context,
        level=session.level,
        acr=session.acr,
        amr=session.amr,
        auth_time=session.auth_time,
        created=now,
        expires=_expiry(kept, decision, policy, now),
        nonce=parked.request.nonce,
    )


def _context(parked: Parked, decision: Decision, policy: Policy) -> LaunchContext:
    context = parked.context
    if parked.needs_patient:
        if decision.patient is None:
            raise InvalidRequest("A patient has to be chosen.")
        context = replace(context, patient=decision.patient)
    if parked.needs_encounter and context.patient is not None:
        context = replace(context, encounter=decision.encounter)
    chosen, subject = context.patient, decision.subject
    if chosen is not None and not subject.staff and chosen not in subject.represented:
        raise AccessDenied("This person may not open that record.")
    if context.need_patient_banner is None:
        context = replace(context, need_patient_banner=True)
    return replace(context, smart_style_url=context.smart_style_url or policy.style_url)


def _expiry(kept: scopes.Scopes, decision: Decision, policy: Policy, now: int) -> int | None:
    """Without refresh tokens a grant lasts as long as its one access token may."""
    chosen = None if decision.duration is None else now + decision.duration
    if scopes.OFFLINE in kept:
        return chosen
    short = now + (policy.code_seconds + policy.access_seconds) * 1000
    latest = decision.session.ends if scopes.ONLINE in kept else short
    return latest if chosen is None else min(latest, chosen)
