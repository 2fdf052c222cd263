"""The asynchronous pattern: an order now, its status and its answer at a URL of their own.

| request                      | answer                                                       |
|------------------------------|--------------------------------------------------------------|
| one with `respond-async`     | 202, Content-Location: `[base]/$job-status/<id>`             |
| GET of that, not done yet    | 202, X-Progress, Retry-After                                 |
| GET of that, done            | what the request would have answered: its status, its body   |
| GET with fewer scopes        | 403 `insufficient_scope`                                     |
| GET, DELETE of another's     | 404                                                          |
| DELETE of that               | 202; afterwards 404                                          |

https://hl7.org/fhir/R4/async.html
"""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any, Final

from fhir_server.core.errors import Issue, NotFound
from fhir_server.core.messages import Text
from fhir_server.core.outcome import operation_outcome
from fhir_server.core.wire import dumps
from fhir_server.interactions.context import Context
from fhir_server.interactions.grants import grant_of, is_owner, principal_of
from fhir_server.interactions.permits import without_scope
from fhir_server.interactions.results import Result
from fhir_server.interactions.shown import check_shown
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.port import JobState, Order

BUNDLE: Final = "bundle"
REINDEX: Final = "reindex"
REINDEX_NEEDS: Final[tuple[tuple[ScopeLetter, str], ...]] = (("u", "SearchParameter"),)
"""Of the whole server: no person's scope reaches the definitions for writing."""

ORDERED: Final = Text(
    "The request will be carried out. Ask for its state at {url}.",
    "Запрос будет выполнен. Его состояние можно узнать по адресу {url}.",
    "Запит буде виконано. Його стан можна дізнатися за адресою {url}.",
)
NO_JOB: Final = Text(
    "There is no such request, or it was cancelled, or its answer is no longer kept.",
    "Такого запроса нет, либо он отменён, либо его ответ уже не хранится.",
    "Такого запиту немає, або його скасовано, або його відповідь уже не зберігається.",
)
CANCELLED: Final = Text(
    "The request is cancelled, as far as it was not carried out, and its answer removed.",
    "Запрос отменён в той части, что ещё не выполнена, и его ответ удалён.",
    "Запит скасовано в тій частині, що ще не виконана, і його відповідь видалено.",
)

_RETRY_SECONDS: Final = "1"
_LONGEST_PROGRESS: Final = 100  # "should be kept brief (less than 100 characters)"
_MILLISECONDS: Final = 1000


async def order(
    ctx: Context, kind: str, given: bytes, form: Mapping[str, Any] | None = None
) -> Result:
    """Let a worker do `kind` with the input `given`, with the rights that the caller has then.

    Raises:
        Forbidden: the caller's rights cannot be kept.
    """
    grant = grant_of(ctx.principal, ctx.rights)
    written = {"language": ctx.language, "lenient": ctx.lenient, **(form or {})}
    if ctx.trail is not None:
        origin = ctx.trail.origin
        written |= {"address": origin.address, "request": origin.request}
    job = await ctx.services.jobs.enqueue(Order(kind, given, grant, written))
    url = f"{ctx.services.base_url}/$job-status/{job}"
    return _said(ctx, ORDERED, {"url": url}, (("Content-Location", url),))


async def status(ctx: Context, job: str) -> Result:
    """How far the job is; when it is done, what came of it.

    Raises:
        NotFound: there is no such job for this caller.
        Forbidden: the token lacks a scope that the order had, or the answer shows what the
            caller may not see any more.
    """
    found = await _own(ctx, job)
    _check_scopes(ctx, found)
    if found.outcome is None:
        said = progress_text(found.progress)[:_LONGEST_PROGRESS]
        waiting = (("X-Progress", said), ("Retry-After", _RETRY_SECONDS))
        return Result(202, headers=waiting, wanted=True)
    await check_shown(ctx, found.outcome.shown)
    expires = formatdate((found.kept_until or 0) // _MILLISECONDS, usegmt=True)
    headers = (("Expires", expires),) if found.kept_until is not None else ()
    return Result(found.outcome.status, body=found.outcome.body, headers=headers, wanted=True)


async def cancel(ctx: Context, job: str) -> Result:
    """End the job and forget its answer.

    Raises:
        NotFound: there is no such job for this caller.
    """
    await _own(ctx, job)
    if not await ctx.services.jobs.cancel(job):
        raise NotFound(NO_JOB)
    return _said(ctx, CANCELLED, {}, ())


async def _own(ctx: Context, job: str) -> JobState:
    """The job; another's is answered as one that there is not."""
    found = await ctx.services.jobs.find(job)
    if found is None or not is_owner(found.grant, ctx.principal):
        raise NotFound(NO_JOB)
    return found


def _check_scopes(ctx: Context, job: JobState) -> None:
    """Raise Forbidden unless the token has, whatever else, the scopes of the order."""
    ordered = principal_of(job.grant)
    if ordered is None or ctx.principal is None:
        return
    for scope in ordered.scopes:
        for letter in sorted(scope.letters):
            one = replace(scope, letters=frozenset((letter,)))
            if not any(each.covers(one) for each in ctx.principal.scopes):
                raise without_scope(one.text)


def progress_text(progress: Mapping[str, Any]) -> str:
    """`Observation: 1200 of 5300`, in ASCII as a header is."""
    if "done" not in progress:
        return "waiting" if not progress else "running"
    of = f" of {progress['total']}" if "total" in progress else ""
    lead = f"{progress['type']}: " if "type" in progress else ""
    return f"{lead}{progress['done']}{of}"


def _said(
    ctx: Context, text: Text, args: Mapping[str, object], headers: tuple[tuple[str, str], ...]
) -> Result:
    issue = Issue("informational", text, args, "information")
    body = dumps(operation_outcome((issue,), ctx.language))
    return Result(202, body=body, headers=headers, wanted=True)
