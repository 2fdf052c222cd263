"""The encounters that a person may tell an app of: those of one patient that the person may
see, by the same rights as a request for them.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#standalone-apps
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from fhir_server.access.algebra import every, without
from fhir_server.access.belonging import of_patients
from fhir_server.access.principal import Principal
from fhir_server.access.rights import NO_RIGHTS, Rights
from fhir_server.cabinet.accounts.ports import Encounter
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Services
from fhir_server.search import keys
from fhir_server.search.plan import Ids, Keys, Search, SortKey

MOST: Final = 20
"""That are offered: whoever looks for an older one finds it in the app."""

AskRights = Callable[[Principal], Awaitable[Rights]]
"""What the bearer of a token may do now."""

_NEWEST: Final = (SortKey("chief-date", "desc"),)
_NEVER: Final = ("cancelled", "entered-in-error")


async def no_rights(_: Principal) -> Rights:
    """Where nobody says what people may see."""
    return NO_RIGHTS


async def visible(
    services: Services, rights: AskRights, who: Principal, id_: str | None = None
) -> Sequence[Encounter]:
    """Encounters of the patient in context of `who`, newest first, `MOST` at most; `id_`: that
    one alone."""
    if who.patient is None:
        return ()
    dead = Keys("tokens", tuple(keys.token("status", None, each) for each in _NEVER))
    theirs = every(of_patients("Encounter", (who.patient,)), without(dead))
    where = theirs if id_ is None else every(Ids((id_,)), theirs)
    within = (await rights(who)).search
    plan = Search("Encounter", where, sort=_NEWEST, count=MOST)
    page = await services.store.search(plan, within=within)
    depth = services.limits.depth
    return [_told(loads(row.body, max_depth=depth)) for row in page.rows]


def _told(resource: JsonObject) -> Encounter:
    return Encounter(
        resource["id"],
        resource.get("period", {}).get("start", ""),
        _spoken(resource.get("type", ())),
        resource.get("class", {}).get("code", ""),
        _place(resource),
    )


def _spoken(concepts: Iterable[JsonObject]) -> str:
    """The first words there are for a kind of visit."""
    for each in concepts:
        displays: list[Any] = [c.get("display") for c in each.get("coding", ())]
        found = next((said for said in (each.get("text"), *displays) if said), None)
        if found:
            return str(found)
    return ""


def _place(resource: JsonObject) -> str:
    first: JsonObject = next(iter(resource.get("location", ())), {})
    named = (
        resource.get("serviceProvider", {}).get("display"),
        first.get("location", {}).get("display"),
    )
    return next((each for each in named if each), "")
