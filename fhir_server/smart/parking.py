"""From a checked request to a parked one; and `prompt=none`, which asks nobody.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
"""

from collections.abc import Sequence
from dataclasses import replace

from fhir_server.smart import scopes
from fhir_server.smart.authorization import (
    AuthorizationRequest,
    Decision,
    Parked,
    Redirected,
)
from fhir_server.smart.completion import complete
from fhir_server.smart.digests import digest
from fhir_server.smart.ending import SIGNED_OUT
from fhir_server.smart.errors import ConsentRequired, InvalidRequest, LoginRequired
from fhir_server.smart.policy import Policy
from fhir_server.smart.ports import Ports
from fhir_server.smart.records import Client, Grant, Launch, Session


async def park(ports: Ports, policy: Policy, request: AuthorizationRequest) -> Parked:
    """Keep the request until its person answers.

    Without the scope `launch` a launch value is ignored, its context too.

    Raises:
        Redirected: the launch is unknown, over, used, or another client's.
    """
    now = ports.now()
    expires = now + policy.parked_seconds * 1000
    parked = Parked(ports.new_secret(), request, now, expires)
    if request.launch is not None and scopes.LAUNCH in request.scopes:
        found = await ports.launches.find(digest(request.launch))
        if found is None or not _fits(found, request.client, now):
            reason = InvalidRequest("The launch is unknown, over, or another client's.")
            raise Redirected(reason, request.redirect_uri, request.state)
        parked = replace(
            parked,
            context=found.context,
            launch_digest=found.digest,
            account=found.account,
            user=found.user,
        )
    await ports.parked.put(parked)
    return parked


def _fits(launch: Launch, client: str, now: int) -> bool:
    return launch.client == client and launch.used is None and now < launch.expires


async def silently(
    ports: Ports, policy: Policy, parked: Parked, session: Session | None
) -> str:
    """Answer a request with `prompt=none` by what the person has granted before.

    Returns the URL that the browser goes to, a refusal among them.
    """
    request = parked.request
    if session is None or parked.needs_sign_in(session, ports.now()):
        await ports.parked.take(parked.id)
        refused = LoginRequired("Nobody is signed in.")
        return Redirected(refused, request.redirect_uri, request.state).location(policy.issuer)
    client = await ports.clients.find(request.client)
    since = 0 if client is None else client.changed
    grants = [
        each for each in await ports.grants.of_account(session.account) if each.created > since
    ]
    before = remembered(parked, grants, ports.now())
    subject = None if before is None else await ports.subjects.current(before)
    if before is None or subject is None:
        await ports.parked.take(parked.id)
        missing = ConsentRequired("The person has to be asked.")
        return Redirected(missing, request.redirect_uri, request.state).location(policy.issuer)
    context = before.context
    duration = None if before.expires is None else before.expires - ports.now()
    decision = Decision(
        subject, session, context.patient, context.encounter, before.scopes, duration
    )
    return await complete(ports, policy, parked, decision)


def remembered(parked: Parked, grants: Sequence[Grant], now: int) -> Grant | None:
    """The newest live grant that holds everything that is asked, for the same record.

    None for apps that are reached by a private scheme or loopback: "the authorization server
    SHOULD NOT process authorization requests automatically without user consent" where another
    program may have taken the app's place (RFC 8252, section 8.6).
    """
    asked = parked.request.scopes
    if not parked.request.redirect_uri.startswith("https://"):
        return None
    for grant in grants:
        held = scopes.parse(grant.scopes)
        same_client = grant.client == parked.request.client and grant.live(now)
        whole = scopes.narrowed(held, asked) == asked
        record = parked.context.patient in (None, grant.context.patient)
        if same_client and whole and record:
            return grant
    return None


def is_own(client: Client, redirect_uri: str, policy: Policy) -> bool:
    """Whether an operator says that the app is the house's own, and the answer stays on this
    origin: no other program can have taken the app's place."""
    at_home = redirect_uri.startswith(f"{policy.issuer}/")
    return "first-party" in client.permissions and at_home


def agreed(parked: Parked, grants: Sequence[Grant]) -> bool:
    """Whether the person has said yes to as much before, for any record, and did not take it
    back: of an app of the house it is asked once. Grants that ended by themselves count."""
    asked = parked.request.scopes
    for grant in grants:
        if grant.client != parked.request.client or grant.last_used is None:
            continue
        if grant.revoked is not None and grant.revoked_for != SIGNED_OUT:
            return False
        return scopes.narrowed(scopes.parse(grant.scopes), asked) == asked
    return False
