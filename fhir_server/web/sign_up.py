"""Registration and recovery: ask for a code, then give it with a new password.

The first page answers at once and the same, whoever asks; what is found is in the mailbox.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from fhir_server.cabinet.accounts import emails, registering, throttling
from fhir_server.cabinet.accounts.hashing import BusyError
from fhir_server.cabinet.accounts.matching import Claim
from fhir_server.cabinet.accounts.refusals import RefusedError
from fhir_server.core.messages import Text
from fhir_server.web import sign_in, texts
from fhir_server.web.cookies import DEVICE
from fhir_server.web.visits import Visit

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MAX: Final = 200  # characters of a name


async def show(visit: Visit) -> Response:
    """`GET /auth/sign-up`."""
    return _page(visit, "sign_up.html")


async def submit(visit: Visit) -> Response:
    """`POST /auth/sign-up`."""
    claim = Claim(
        visit.field("email").strip(),
        visit.field("family").strip(),
        visit.field("given").strip(),
        visit.field("birth_date").strip(),
    )
    if not _is_complete(claim):
        return _page(visit, "sign_up.html", [texts.FILL_ALL])
    try:
        await throttling.from_network(visit.site.accounts, visit.network)
    except RefusedError as refused:
        return _refused(visit, "sign_up.html", refused)
    visit.site.later.begin(registering.start(visit.site.accounts, claim, visit.language))
    return visit.go("/auth/sign-up/confirm")


def _is_complete(claim: Claim) -> bool:
    return (
        emails.is_address(claim.email)
        and 0 < len(claim.family) <= _MAX
        and 0 < len(claim.given) <= _MAX
        and _DAY.fullmatch(claim.birth_date) is not None
    )


async def show_recovery(visit: Visit) -> Response:
    """`GET /auth/recover`."""
    return _page(visit, "recover.html")


async def submit_recovery(visit: Visit) -> Response:
    """`POST /auth/recover`."""
    email = visit.field("email").strip()
    if not emails.is_address(email):
        return _page(visit, "recover.html", [texts.FILL_ALL])
    try:
        await throttling.from_network(visit.site.accounts, visit.network)
    except RefusedError as refused:
        return _refused(visit, "recover.html", refused)
    sent = registering.recover(
        visit.site.accounts, email, visit.language, visit.cookies.get(DEVICE)
    )
    visit.site.later.begin(sent)
    return visit.go("/auth/recover/confirm")


async def show_code(visit: Visit) -> Response:
    """`GET /auth/sign-up/confirm`, `GET /auth/recover/confirm`."""
    return _page(visit, "confirm.html")


async def submit_code(visit: Visit) -> Response:
    """`POST` of the same: code and password together."""
    accounts = visit.site.accounts
    email, password = visit.field("email"), visit.field("password")
    try:
        await throttling.from_network(accounts, visit.network)
        await registering.check_password(accounts, password, visit.field("again"), (email,))
        if _is_registration(visit):
            await registering.register(
                accounts, email, visit.field("code"), password, visit.language
            )
        else:
            await registering.reset(accounts, email, visit.field("code"), password)
    except RefusedError as refused:
        return _refused(visit, "confirm.html", refused)
    except BusyError:
        return sign_in.busy(visit)
    return visit.page("welcome.html", {"registered": _is_registration(visit)})


def _is_registration(visit: Visit) -> bool:
    return visit.request.url.path.startswith("/auth/sign-up")


def _refused(visit: Visit, template: str, refused: RefusedError) -> Response:
    status = sign_in.status_of(refused)
    response = _page(visit, template, refused.texts, refused.places, status)
    sign_in.wait(response, refused)
    return response


def _page(
    visit: Visit,
    template: str,
    problems: Sequence[Text] = (),
    places: dict[str, Any] | None = None,
    status: int | None = None,
) -> Response:
    said = [visit.say(each, **(places or {})) for each in problems]
    values = {
        "problems": said,
        "least": visit.site.accounts.policy.passwords.least,
        "hours": visit.site.accounts.policy.code_seconds // 3600,
        "registration": _is_registration(visit),
        "values": {key: visit.field(key) for key in ("email", "family", "given", "birth_date")},
    }
    return visit.page(template, values, status=status or (400 if problems else 200))
