"""The connection to MongoDB, and what its failures mean to a client of this server.

https://www.mongodb.com/docs/manual/core/transactions/
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bson.errors import InvalidDocument, InvalidStringData
from pymongo import AsyncMongoClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from fhir_server.core.errors import (
    BadValue,
    Conflict,
    FhirError,
    TimedOut,
    TooCostly,
    TooLarge,
    Unavailable,
)
from fhir_server.core.messages import Text
from fhir_server.store.mongo.documents import Document

Client = AsyncMongoClient[Document]

TRANSIENT: Final = "TransientTransactionError"
UNKNOWN_COMMIT: Final = "UnknownTransactionCommitResult"

UNREACHABLE: Final = Text(
    "The database cannot be reached at the moment. Nothing is lost; try again shortly.",
    "База данных сейчас недоступна. Ничего не потеряно; повторите запрос чуть позже.",
    "База даних зараз недоступна. Нічого не втрачено; повторіть запит трохи згодом.",
)
TOO_SLOW: Final = Text(
    "The database did not answer in time. Narrow the request or try again later.",
    "База данных не ответила вовремя. Сузьте запрос или повторите его позже.",
    "База даних не відповіла вчасно. Звузьте запит або повторіть його пізніше.",
)
CHANGED: Final = Text(
    "The resource was changed or its id was taken meanwhile. Read it again and repeat.",
    "Ресурс тем временем изменили или его id уже занят. Прочитайте его заново и повторите.",
    "Ресурс тим часом змінили або його id уже зайнятий. Прочитайте його знову й повторіть.",
)
TOO_LARGE: Final = Text(
    "The resource and its search values together are larger than can be stored.",
    "Ресурс вместе с его поисковыми значениями больше, чем можно сохранить.",
    "Ресурс разом із його пошуковими значеннями більший, ніж можна зберегти.",
)
TOO_MUCH: Final = Text(
    "The transaction is larger than the database can hold open. Divide it into smaller ones.",
    "Транзакция больше, чем база данных может держать открытой. Разделите её на меньшие.",
    "Транзакція більша, ніж база даних може тримати відкритою. Розділіть її на менші.",
)
TOO_COMPLEX: Final = Text(
    "The search is too complex for the database. Use fewer alternatives.",
    "Поиск слишком сложен для базы данных. Уменьшите число вариантов.",
    "Пошук заскладний для бази даних. Зменште кількість варіантів.",
)
NOT_STORABLE: Final = Text(
    "A value holds characters or numbers that cannot be stored.",
    "Значение содержит символы или числа, которые нельзя сохранить.",
    "Значення містить символи або числа, які не можна зберегти.",
)

_BY_CLASS: Final[tuple[tuple[type[Exception], type[FhirError], Text], ...]] = (
    (DuplicateKeyError, Conflict, CHANGED),
    (ServerSelectionTimeoutError, Unavailable, UNREACHABLE),
    (WaitQueueTimeoutError, Unavailable, UNREACHABLE),
    (NetworkTimeout, TimedOut, TOO_SLOW),
    (ExecutionTimeout, TimedOut, TOO_SLOW),
    (ConnectionFailure, Unavailable, UNREACHABLE),
    (DocumentTooLarge, TooLarge, TOO_LARGE),
    (InvalidDocument, BadValue, NOT_STORABLE),
    (InvalidStringData, BadValue, NOT_STORABLE),
    (UnicodeEncodeError, BadValue, NOT_STORABLE),
    (OverflowError, BadValue, NOT_STORABLE),
)
"""The first row whose class fits decides: subclasses stand before their bases."""

_BY_CODE: Final[Mapping[int, tuple[type[FhirError], Text]]] = {
    15: (TooCostly, TOO_COMPLEX),  # Overflow: BSON nested beyond 200 levels
    24: (Unavailable, UNREACHABLE),  # LockTimeout
    50: (TimedOut, TOO_SLOW),  # MaxTimeMSExpired
    64: (TimedOut, TOO_SLOW),  # WriteConcernFailed
    112: (Conflict, CHANGED),  # WriteConflict
    251: (Unavailable, UNREACHABLE),  # NoSuchTransaction
    262: (TimedOut, TOO_SLOW),  # ExceededTimeLimit
    292: (TooCostly, TOO_COMPLEX),  # QueryExceededMemoryLimitNoDiskUseAllowed
    388: (TooLarge, TOO_MUCH),  # TransactionTooLargeForCache
    10334: (TooLarge, TOO_LARGE),  # BSONObjectTooLarge
    11000: (Conflict, CHANGED),  # DuplicateKey
    17419: (TooLarge, TOO_LARGE),  # the document after an update is too large
    51091: (TooCostly, TOO_COMPLEX),  # the regular expression is too large
}


class StandaloneMongodError(Exception):
    """The server at the address is no member of a replica set: it has no transactions."""

    def __init__(self) -> None:
        super().__init__(
            "This MongoDB server is a standalone mongod. A FHIR transaction needs MongoDB "
            "transactions, and these need a replica set; one member is enough. Start mongod "
            "with `--replSet rs0`, run `rs.initiate()` once in mongosh, and name the set in "
            "the address: mongodb://host:27017/?replicaSet=rs0"
        )


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Each is a setting."""

    timeout_ms: int = 10_000
    """Of one call, with its retries and its wait for a connection."""
    selection_ms: int = 5_000
    """To find a primary; an election of a replica set is over by then."""
    pool: int = 64
    """Connections a process; more only queue in mongod."""


async def connect(uri: str, limits: ClientLimits | None = None) -> Client:
    """Open a client that acknowledges a write when a majority has journalled it.

    Raises:
        StandaloneMongodError: transactions are not possible there.
        Unavailable: nothing answers at the address.
    """
    bounds = limits or ClientLimits()
    client: Client = AsyncMongoClient(
        uri,
        appname="fhir-server",
        w="majority",
        journal=True,
        readConcernLevel="majority",
        timeoutMS=bounds.timeout_ms,
        serverSelectionTimeoutMS=bounds.selection_ms,
        maxPoolSize=bounds.pool,
    )
    try:
        with answered():
            hello = await client.admin.command("hello")
        _check_topology(hello)
    except BaseException:
        await client.close()
        raise
    return client


def _check_topology(hello: Mapping[str, Any]) -> None:
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StandaloneMongodError


@contextmanager
def answered() -> Iterator[None]:
    """Turn what the driver raises into what a client may hear.

    What asks for a repetition of the whole transaction goes through to `units.run`.
    """
    try:
        yield
    except PyMongoError as error:
        if error.has_error_label(TRANSIENT):
            raise
        raise translated(error) from error
    except (InvalidDocument, InvalidStringData, UnicodeEncodeError, OverflowError) as error:
        raise translated(error) from error


def translated(error: Exception) -> Exception:
    """The FhirError for a driver's error; the error itself where none is known."""
    known = _known(error)
    if known is None:
        return error
    kind, text = known
    return kind(text)


def _known(error: Exception) -> tuple[type[FhirError], Text] | None:
    for class_, kind, text in _BY_CLASS:
        if isinstance(error, class_):
            return kind, text
    if isinstance(error, BulkWriteError):
        failed = (error.details or {}).get("writeErrors", [])
        return next((_BY_CODE[e["code"]] for e in failed if e["code"] in _BY_CODE), None)
    if isinstance(error, OperationFailure):
        return _BY_CODE.get(error.code or 0)
    return None
