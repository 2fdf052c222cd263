"""The guard of SearchParameter: one that is active can be used, beside all that are there.

https://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.core.errors import Issue, Unprocessable
from fhir_server.core.messages import Text
from fhir_server.core.wire import loads
from fhir_server.interactions.context import Context, Intent
from fhir_server.search import keys
from fhir_server.search.custom import check, parameter_of
from fhir_server.search.plan import UNRESTRICTED, Keys
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.store.port import Stored

KIND: Final = "SearchParameter"

URL_TAKEN: Final = Text(
    "Another active SearchParameter has the url {url}: {id}.",
    "Url {url} уже есть у другого действующего SearchParameter: {id}.",
    "Url {url} уже є в іншого чинного SearchParameter: {id}.",
)

SHIPPED: Final = Text(
    "The url {url} is that of a search parameter this server comes with.",
    "Url {url} принадлежит параметру поиска, с которым поставляется сервер.",
    "Url {url} належить параметру пошуку, з яким постачається сервер.",
)

_MOST: Final = 1000  # of one code: each is of another type


async def guard_search_parameter(ctx: Context, intent: Intent) -> None:
    """Refuse an active parameter that no search could use.

    Raises:
        Unprocessable: with everything that stands against it.
    """
    parameter = None if intent.after is None else parameter_of(intent.after)
    if parameter is None or ctx.unit is None:
        return
    shipped = ctx.services.registry.shipped
    if parameter.url in shipped:
        args = {"url": parameter.url}
        raise Unprocessable.of([Issue("duplicate", SHIPPED, args, expression=(f"{KIND}.url",))])
    # Two that clash, written at once, must not both find the place free.
    await ctx.unit.claim(KIND)
    others = {
        row.id: other
        for row in await _stored(ctx, parameter)
        if row.id != intent.id and (other := _parameter(ctx, row)) is not None
    }
    for id_, other in others.items():
        if other.url == parameter.url:
            args = {"url": parameter.url, "id": id_}
            taken = Issue("duplicate", URL_TAKEN, args, expression=(f"{KIND}.url",))
            raise Unprocessable.of([taken])
    check(parameter, {**shipped, **{other.url: other for other in others.values()}})


async def _stored(ctx: Context, parameter: SearchParameter) -> Iterable[Stored]:
    """Those that `parameter` may clash with, and those that it is made of; the caller's
    rights do not count, since what is served is served to all."""
    urls = [parameter.url, *(each.definition for each in parameter.components)]
    by_url = Keys("uris", tuple(keys.uri("url", each) for each in urls))
    by_code = Keys("tokens", (keys.token("code", None, parameter.code),))
    found: dict[str, Stored] = {}
    for where in (by_url, by_code):
        rows = await ctx.reads.find(KIND, where, limit=_MOST, within=UNRESTRICTED)
        found |= {row.id: row for row in rows}
    return found.values()


def _parameter(ctx: Context, row: Stored) -> SearchParameter | None:
    return parameter_of(loads(row.body, max_depth=ctx.services.limits.depth))
