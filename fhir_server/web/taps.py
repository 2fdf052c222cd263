"""A one-tap link: a small page that says what will be done, and a button that does it.

Only the button acts: mailboxes and their scanners open links by themselves. Whoever comes is
signed in to nothing, and is shown no more than a time and a place.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from fhir_server.cabinet.notices.answering import Asked, act
from fhir_server.cabinet.notices.tapping import Tap
from fhir_server.cabinet.notices.words import ACTION
from fhir_server.core.errors import Throttled
from fhir_server.core.messages import LANGUAGES, Language, Text
from fhir_server.store.links import Action
from fhir_server.web import headers, texts
from fhir_server.web.visits import Visit

_GONE: Final = 404
_MISS: Final = 5
"""Of a link that is none, in the units of budgets: it is looked for, and a page is made."""
_DONE: Final[dict[Action, Text]] = {
    "confirm": texts.TAP_CONFIRMED,
    "move": texts.TAP_MOVED,
    "cancel": texts.TAP_CANCELLED,
    "accept": texts.TAP_ACCEPTED,
    "decline": texts.TAP_DECLINED,
}


async def show(visit: Visit) -> Response:
    """`GET /auth/v/{link}`."""
    tap = await _tap(visit)
    return _missed(visit) if tap is None else _page(visit, tap)


async def submit(visit: Visit) -> Response:
    """`POST /auth/v/{link}`: the button."""
    tap, taps = await _tap(visit), visit.site.taps
    if tap is None or taps is None:
        return _missed(visit)
    asked = Asked(visit.field("slot"), _spoken(visit, tap.link.language), visit.network)
    answered = await act(taps, tap, asked)
    if answered.done:
        return _page(visit, tap, done=True)
    if answered.sign_in:
        return _page(visit, tap, sign_in=True, status=403)
    if answered.refusals:
        return _page(visit, tap, problems=answered.refusals, status=409)
    return _over(visit)


async def _tap(visit: Visit) -> Tap | None:
    taps = visit.site.taps
    return None if taps is None else await taps.look(visit.request.path_params["link"])


def _page(
    visit: Visit,
    tap: Tap,
    *,
    done: bool = False,
    sign_in: bool = False,
    problems: Sequence[str] = (),
    status: int = 200,
) -> Response:
    language = _spoken(visit, tap.link.language)
    visit.language = language
    details = tap.details
    values = {
        "action": tap.link.action,
        "heading": visit.say(texts.TAP_DONE if done else ACTION[tap.link.action]),
        "when": details.time(details.start, language),
        "where": details.place if details.plain else "",
        "until": details.time(details.until, language),
        "places": [(each.slot, details.time(each.start, language)) for each in tap.places],
        "done": visit.say(_DONE[tap.link.action]) if done else "",
        "was": not (done and tap.link.action == "move"),
        "sign_in": sign_in,
        "problems": problems,
        **_quiet(visit),
    }
    return visit.page("tap.html", values, status=status)


def _missed(visit: Visit) -> Response:
    """No link that holds. Whoever tries many from one address is shown no page any more; a
    link that holds opens there all the same, since others may share the address."""
    try:
        if visit.site.misses is not None:
            visit.site.misses.charge_network(visit.network, _MISS)
    except Throttled as error:
        said = {**headers.page((), secret=True), **error.headers}
        return Response(status_code=error.status, headers=said)
    return _over(visit)


def _over(visit: Visit) -> Response:
    """Used, expired, foreign or made up: always the same."""
    visit.language = _spoken(visit, visit.language)
    return visit.page("tap_over.html", _quiet(visit), status=_GONE)


def _quiet(visit: Visit) -> Mapping[str, Any]:
    """Of a page that signs nobody in."""
    return {"signed_in": False, "home": visit.site.home}


def _spoken(visit: Visit, usual: Language) -> Language:
    """The language that the page's address asks for, or the one of the message."""
    wanted = visit.parameter("language")
    return next((each for each in LANGUAGES if each == wanted), usual)
