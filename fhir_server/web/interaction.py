"""The pages as the authorization endpoint knows them: who is here, and begin to ask."""

from starlette.requests import Request
from starlette.responses import Response

from fhir_server.smart.authorization import Parked
from fhir_server.smart.records import Session
from fhir_server.web import waiting
from fhir_server.web.site import Site
from fhir_server.web.visits import Visit


class Asking:
    """`rest.oauth.service.Interaction`. The pages need the authorization server, and it needs
    this: whoever puts both together sets `site` last."""

    site: Site

    async def session(self, request: Request) -> Session | None:
        """As the port says."""
        return await Visit(self.site, request).session()

    async def show(self, request: Request, parked: Parked) -> Response:
        """As the port says. The next page is asked for by GET from here, so that the cookies
        come along even if a form of another site led to this one."""
        visit = Visit(self.site, request)
        name = waiting.bind(visit, parked)
        for each in (parked.request.ui_locales or "").split():
            language = each.partition("-")[0].lower()
            if language in ("en", "ru", "uk") and not visit.cookies.get("language"):
                visit.cookies.set("language", language)
                break
        return visit.go(f"/auth/sign-in{waiting.suffix(name)}")
