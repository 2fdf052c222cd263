"""`/auth/authorize`: a browser arrives, is checked, and is shown to its person.

GET with a query or POST with a form; of a POST the form alone counts.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
"""

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.rest.oauth import answers
from fhir_server.rest.oauth.bodies import read_form, read_query
from fhir_server.rest.oauth.service import Service
from fhir_server.smart.authorization import (
    Decision,
    Denied,
    Parked,
    Redirected,
    Unredirectable,
    check_target,
    parse,
    redirect_target,
)
from fhir_server.smart.completion import complete
from fhir_server.smart.errors import OAuthError, TooManyRequests
from fhir_server.smart.parameters import Pairs
from fhir_server.smart.parking import park, silently


async def authorize(service: Service, request: Request) -> Response:
    """Check a request and hand it to the pages; or send the browser back."""
    language = request.headers.get("accept-language", "")
    try:
        parked = await _parked(service, request, await _pairs(request))
    except Redirected as refused:
        return answers.redirect(refused.location(service.policy.issuer))
    except Unredirectable as refused:
        return answers.error_page(refused.reason, language)
    except OAuthError as error:  # before anything could be read, or too often
        return answers.error_page(error, language)
    if "none" in parked.request.prompt:
        session = await service.interaction.session(request)
        return answers.redirect(await silently(service.ports, service.policy, parked, session))
    return await service.interaction.show(request, parked)


async def _pairs(request: Request) -> Pairs:
    return await read_form(request) if request.method == "POST" else read_query(request)


async def _parked(service: Service, request: Request, pairs: Pairs) -> Parked:
    """The request, kept until a person answers: so one address may make so many."""
    id_, uri = redirect_target(pairs)
    client = check_target(await service.ports.clients.find(id_), uri)
    asked = parse(pairs, client, uri, service.policy)
    seconds = await service.arrivals.wait(request.url.path, request)
    if seconds is not None:
        raise TooManyRequests(seconds)
    await service.arrivals.failed(request.url.path, request)
    return await park(service.ports, service.policy, asked)


async def answered(
    service: Service, parked: Parked, decision: Decision | Denied, accept_language: str = ""
) -> Response:
    """The response to the person's answer; for the pages."""
    try:
        location = await complete(service.ports, service.policy, parked, decision)
    except Unredirectable as refused:
        return answers.error_page(refused.reason, accept_language)
    return answers.redirect(location)
