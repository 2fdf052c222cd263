"""Authorization requests that wait for this browser's person.

The request's secret is in a cookie and never in a URL; pages know it by a name made of it. It
needs no other cookie: an app may send the browser here by a form of another site, with which
no session comes along, and finds it again after the next step.
"""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from fhir_server.smart.authorization import Decision, Denied, Parked, Unredirectable
from fhir_server.smart.completion import complete
from fhir_server.smart.digests import digest
from fhir_server.web.cookies import REQUEST
from fhir_server.web.visits import Visit

PARAMETER: Final = "request"
_NAME: Final = 16  # characters of the digest


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that is this browser's to answer."""

    name: str
    parked: Parked


def bind(visit: Visit, parked: Parked) -> str:
    """Make the request this browser's, and return its name."""
    name = digest(parked.id)[:_NAME]
    seconds = (parked.expires - visit.site.smart.now()) // 1000
    visit.cookies.set(REQUEST + name, parked.id, seconds)
    return name


async def find(visit: Visit) -> Waiting | None:
    """The one that the URL names, if it is this browser's and not over."""
    name = visit.parameter(PARAMETER)
    secret = visit.cookies.get(REQUEST + name) if name else ""
    parked = await visit.site.smart.parked.find(secret) if secret else None
    if parked is None or visit.site.smart.now() >= parked.expires:
        return None
    return Waiting(name, parked)


async def answered(visit: Visit, asked: Waiting, decision: Decision | Denied) -> Response:
    """Answer the request and send the browser to the app."""
    site = visit.site
    visit.cookies.drop(REQUEST + asked.name)
    try:
        location = await complete(site.smart, site.policy, asked.parked, decision)
    except Unredirectable:
        return visit.page("gone.html", {}, status=400)
    return visit.go(location)


def suffix(name: str | None) -> str:
    """What keeps a request in the URL of the next page."""
    return f"?{PARAMETER}={name}" if name else ""
