"""Idempotency-Key: a request that is sent again is carried out once, and answered alike.

What was done is noted in the unit that does it, or not at all: whether the answer was lost or
the server, the same key of the same caller finds what there is.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.repeats import Repeat, Repeated
from fhir_server.core.errors import BadValue, BusinessRule, Conflict
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.core.wire import dumps
from fhir_server.interactions.context import Context
from fhir_server.interactions.results import Result
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.store.port import Unit

BAD_KEY: Final = Text(
    "An Idempotency-Key has 1 to {most} printable characters.",
    "Idempotency-Key — это от 1 до {most} печатных символов.",
    "Idempotency-Key — це від 1 до {most} друкованих символів.",
)
OTHER_REQUEST: Final = Text(
    "This Idempotency-Key was used for another request. Take a new key for a new request.",
    "Этот Idempotency-Key уже использован для другого запроса. Для нового нужен новый ключ.",
    "Цей Idempotency-Key вже використано для іншого запиту. Для нового потрібен новий ключ.",
)
GONE: Final = Text(
    "This was done before, and the answer is out of your reach now.",
    "Это уже выполнено, а ответ вам больше недоступен.",
    "Це вже виконано, а відповідь вам більше недоступна.",
)

_LONGEST: Final = 255
_READING: Final[tuple[ScopeLetter, ...]] = ("r", "s")
_LETTERS: Final[tuple[ScopeLetter, ...]] = (*_READING, "c", "u")
KEPT: Final = 86_400_000
"""Milliseconds for which a key is known."""
_KINDS: Final = frozenset({"Appointment"})
_OPERATIONS: Final = frozenset({"$hold", "$book"})


def repeat_of(
    key: str | None,
    who: Principal | None,
    kind: str | None,
    operation: str | None,
    body: JsonObject | None,
) -> Repeat | None:
    """What a request with the header `key` is known by; None where it has no meaning.

    Raises:
        BadValue: the key is none.
    """
    if key is None or kind not in _KINDS or operation not in (None, *_OPERATIONS):
        return None
    if not (0 < len(key) <= _LONGEST and key.isprintable()):
        raise BadValue(BAD_KEY, most=_LONGEST, expression="http.idempotency-key")
    caller = "" if who is None else f"{who.client} {who.user or ''} {who.patient or ''}"
    asked = f"{kind} {operation or ''} ".encode() + dumps(body or {})
    return Repeat(_digest(f"{caller}\n{key}".encode()), _digest(asked))


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()


def noting(
    ctx: Context, work: Callable[[Unit], Awaitable[Result]]
) -> Callable[[Unit], Awaitable[Result]]:
    """`work`, with a note of what it did, unless that was done before.

    The unit raises RepeatedError then, and writes nothing.
    """
    repeat = ctx.repeat
    if repeat is None:
        return work

    async def noted(unit: Unit) -> Result:
        await unit.claim(f"repeat {repeat.key}")
        done = await unit.repeated(repeat.key)
        if done is not None and ctx.services.now() < done.until:
            raise RepeatedError(done)
        result = await work(unit)
        if result.version is not None:
            version, until = result.version, ctx.services.now() + KEPT
            row = (version.type, version.id, version.number, result.status)
            await unit.note_repeat(repeat, Repeated(repeat.body, *row, until))
        return result

    return noted


class RepeatedError(Exception):
    """The request was carried out before."""

    def __init__(self, done: Repeated) -> None:
        super().__init__(done.id)
        self.done: Final = done


async def answer(ctx: Context, done: Repeated) -> Result:
    """The answer that the request had when it was carried out.

    Raises:
        BusinessRule: it was another one.
        Conflict: the caller may not have it any more.
    """
    if ctx.repeat is None or ctx.repeat.body != done.body:
        raise BusinessRule(OTHER_REQUEST).coded("idempotency-key-reused")
    for letter in _LETTERS:
        within = ctx.rights.of(letter)
        version = await ctx.services.store.vread(done.type, done.id, done.number, within=within)
        if version is not None:
            # Who may only write is told that it was done, as the first time.
            located, withheld = done.status == _CREATED, letter not in _READING
            return Result(done.status, version, located=located, withheld=withheld)
    raise Conflict(GONE)


_CREATED: Final = 201
