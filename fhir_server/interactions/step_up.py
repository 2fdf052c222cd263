"""Whether the caller signed in strongly and recently enough for what is asked.

It is asked before anything is looked up or written, so the answer is the same whether or not
there is anything to write.

https://www.rfc-editor.org/rfc/rfc9470
"""

from collections.abc import Mapping, Sequence
from typing import Final

from fhir_server.access.step_up import Demand, challenge, together
from fhir_server.core.errors import Unauthenticated
from fhir_server.core.messages import Text
from fhir_server.interactions.commands import (
    Command,
    ConditionalDelete,
    ConditionalPatch,
    ConditionalUpdate,
    Create,
    Delete,
    Patch,
    Update,
)
from fhir_server.interactions.context import Context
from fhir_server.spec.interactions import ScopeLetter

STRONGER: Final = Text(
    "This needs a sign-in of level {level}. Sign in again, with acr_values={level}.",
    "Для этого нужен вход уровня {level}. Войдите заново с acr_values={level}.",
    "Для цього потрібен вхід рівня {level}. Увійдіть знову з acr_values={level}.",
)
RECENT: Final = Text(
    "This needs a sign-in of level {level} in the last {seconds} seconds. Sign in again, with "
    "acr_values={level} and max_age={seconds}.",
    "Для этого нужен вход уровня {level} не раньше {seconds} секунд назад. Войдите заново с "
    "acr_values={level} и max_age={seconds}.",
    "Для цього потрібен вхід рівня {level} не раніше ніж {seconds} секунд тому. Увійдіть знову "
    "з acr_values={level} і max_age={seconds}.",
)


class InsufficientSignIn(Unauthenticated):
    """401 with the challenge that says which sign-in would do."""

    def __init__(self, demand: Demand) -> None:
        text = STRONGER if demand.seconds is None else RECENT
        super().__init__(text, level=demand.level, seconds=demand.seconds)
        self.demand = demand
        self.headers = challenged(demand)


def combined(errors: Sequence[InsufficientSignIn]) -> InsufficientSignIn:
    """The one error of `errors`, at least one: every issue, and a challenge for all."""
    error = errors[0]
    error.issues = tuple(issue for each in errors for issue in each.issues)
    error.headers = challenged(*(each.demand for each in errors))
    return error


def challenged(*demands: Demand) -> Mapping[str, str]:
    """The header that asks for a sign-in which meets all of `demands`; none without any."""
    demand = together(*demands)
    if demand is None:
        return {}
    return {"WWW-Authenticate": f'Bearer realm="fhir", {challenge(demand)}'}


def written_with(command: Command) -> Sequence[ScopeLetter]:
    """The permissions that `command` may come to use: an update may create."""
    match command:
        case Create():
            return ("c",)
        case Update() | ConditionalUpdate():
            return ("c", "u")
        case Patch() | ConditionalPatch():
            return ("u",)
        case Delete() | ConditionalDelete():
            return ("d",)
        case _:
            return ()


def check_sign_in(ctx: Context, command: Command) -> None:
    """Raise InsufficientSignIn unless the sign-in will do for `command`."""
    step_up = ctx.services.step_up
    if step_up.writes:
        _check(ctx, step_up.of(command.type or "", written_with(command)))


def check_sign_in_for(
    ctx: Context, operation: str, scopes: Sequence[tuple[ScopeLetter, str]]
) -> None:
    """Raise InsufficientSignIn unless the sign-in will do for `operation` (with its `$`), which
    uses these permissions."""
    step_up = ctx.services.step_up
    written = (step_up.of(kind, (letter,)) for letter, kind in scopes)
    _check(ctx, together(step_up.operations.get(operation), *written))


def _check(ctx: Context, demand: Demand | None) -> None:
    principal = ctx.principal
    if demand is None or principal is None or demand.is_met(principal, ctx.services.now()):
        return
    raise InsufficientSignIn(demand)
