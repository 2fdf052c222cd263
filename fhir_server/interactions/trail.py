"""What one request leaves in the audit: noted as it happens, durable before it is answered.

Reads are noted in the order of their commands and kept together at the end. What a unit of
work writes is kept by the unit itself, with the resources or not at all; what a single insert
writes is kept before it, so that nothing is ever there without its row.

https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fhir_server.access.audience import DIRECTORY
from fhir_server.access.audit_codes import INTERACTIONS
from fhir_server.access.audit_log import AuditLog, AuditRow, Occurrence
from fhir_server.access.audit_rows import Deed, entry_bytes, own_patient
from fhir_server.access.codings import Coding
from fhir_server.access.principal import Principal
from fhir_server.core.errors import FhirError, Forbidden, Gone, NotFound, Unauthenticated
from fhir_server.core.paths import Target
from fhir_server.interactions.commands import (
    Command,
    ConditionalDelete,
    ConditionalPatch,
    ConditionalUpdate,
    Create,
    Delete,
    History,
    Pairs,
    Patch,
    Read,
    Search,
    Update,
    VRead,
)
from fhir_server.interactions.labels_of import labels_of
from fhir_server.interactions.results import Result
from fhir_server.search.links import query_text
from fhir_server.store.port import Stored

_LONGEST_QUERY: Final = 4000  # characters that are kept of it
_PATIENT: Final = "Patient/"
_AUDIT: Final = "AuditEvent"
"""Whoever walks through all events would, were there one for each patient that they name,
never come to the end: every page would make as many as it shows."""
_TELLING: Final = (Unauthenticated, Forbidden, NotFound, Gone)
"""Refusals that are noted of reads too: somebody may have tried what is not theirs."""
_MOST_WITH_CONSENTS: Final = 200
"""Patients on one page whose Consents are named; each has a few. A row stays small."""
_NAMING: Final = frozenset({"patient", "subject", "patient:Patient", "subject:Patient"})

_CODES: Final[dict[type[Command], str]] = {
    Read: "read",
    VRead: "vread",
    Create: "create",
    Update: "update",
    ConditionalUpdate: "update",
    Patch: "patch",
    ConditionalPatch: "patch",
    Delete: "delete",
    ConditionalDelete: "delete",
}
_OTHERWISE: Final = {
    "conditional-update": "update",
    "conditional-patch": "patch",
    "conditional-delete": "delete",
    "search-compartment": "search-type",
}


@dataclass(frozen=True, slots=True)
class Doing:
    """What is being done: a command, an operation, or the request as a whole."""

    code: str
    target: str = ""
    pairs: Pairs = ()
    path: str = ""
    """Of the query; empty: there is none."""
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    at: int
    address: str = ""
    request: str = ""
    """X-Request-Id."""


class Trail:
    """Of one request; nothing is noted while nobody is known to ask."""

    def __init__(self, log: AuditLog, who: Principal, origin: Origin, doing: Doing) -> None:
        self._log = log
        self._applied: Mapping[str, tuple[str, ...]] = {}
        self._who = who
        self._origin = origin
        self._doing = doing
        self._settled = False
        self._deeds: list[Deed] = []
        self._rows = 0

    @property
    def origin(self) -> Origin:
        """Where the request came from."""
        return self._origin

    def under(self, applied: Mapping[str, tuple[str, ...]]) -> None:
        """From here on these Consents decide: by patient their references."""
        self._applied = applied

    def begin(self, doing: Doing) -> None:
        """What is noted from here on is about `doing`."""
        self._doing = doing
        self._settled = False

    def note(self, result: Result) -> None:
        """It is done; `result` says whose data it touched."""
        if not self._settled:
            self._settled = True
            self._deeds.append(self._deed(self._doing, result))

    def fail(self, error: FhirError) -> None:
        """It was refused. What reads were malformed is no matter of the audit."""
        if self._settled or not (self._doing.writes or isinstance(error, _TELLING)):
            return
        self._settled = True
        doing = self._doing
        query = _query(doing)
        self._deeds.append(
            Deed(doing.code, doing.target, query, (), error.status, error.issues[0].code)
        )

    def written(self, *done: tuple[Doing, Result]) -> AuditRow:
        """The row of what a unit has done; of what is being done, where nothing is named."""
        return self._row([self._deed(doing, result) for doing, result in done])

    @property
    def doing(self) -> Doing:
        """What was begun last."""
        return self._doing

    def committed(self, row: AuditRow) -> None:
        """The unit that wrote `row` has been committed."""
        self._settled = True
        self._log.seal(row)

    async def ahead(self, result: Result) -> None:
        """Keep what is about to be written.

        Raises:
            Unavailable: it could not be kept: nothing may be written.
        """
        await self._log.keep(self._row([self._deed(self._doing, result)]))
        self._settled = True

    async def keep(self) -> None:
        """Everything noted is durable when this returns.

        Raises:
            Unavailable: it could not be kept: nothing may be shown.
        """
        if self._deeds:
            deeds, self._deeds = self._deeds, []
            await self._log.keep(self._row(deeds))

    def _row(self, deeds: list[Deed]) -> AuditRow:
        self._rows += 1
        origin, who = self._origin, self._who
        body = entry_bytes(who, origin.at, deeds, origin.address, origin.request)
        seed = f"{origin.request}/{self._rows}".encode()
        id_ = sha256(seed + body).hexdigest()[:32]
        patients = dict.fromkeys(each for deed in deeds for each in deed.patients)
        own = own_patient(who)
        if own:
            patients[own] = None
        return AuditRow(id_, origin.at, body, tuple(patients))

    def _deed(self, doing: Doing, result: Result) -> Deed:
        version = result.version
        shown: Sequence[Stored] = result.shown or (() if version is None else (version,))
        found: dict[str, None] = {}
        for row in shown:
            if row.type == _AUDIT:
                continue
            if row.patient is not None:
                found[row.patient] = None
            for each in row.compartments:
                if each.startswith(_PATIENT):
                    found[each[len(_PATIENT) :]] = None
        target = doing.target
        if version is not None and not doing.path:
            target = f"{version.type}/{version.id}/_history/{version.number}"
        patients = tuple(found) or tuple(self._meant(doing))
        return Deed(
            doing.code, target, _query(doing), patients, result.status, "",
            self._consents(patients), _labels(doing, result),
        )  # fmt: skip

    def _consents(self, patients: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        found = tuple(self._of_patient(each) for each in patients[:_MOST_WITH_CONSENTS])
        return found if any(found) else ()

    def _of_patient(self, patient: str) -> tuple[str, ...]:
        """Those that decided about who asks, and the one that lets the app in."""
        who, decided = self._who, self._applied.get(patient, ())
        is_granted = who.grant is not None and patient == who.patient
        return (*decided, f"Consent/{who.grant}") if is_granted else decided

    def _meant(self, doing: Doing) -> Iterable[str]:
        """The patients that a request was about which found nothing of theirs."""
        who = self._who
        if who.staff or not (who.user or who.account):
            if doing.target.startswith(_PATIENT):
                yield doing.target[len(_PATIENT) :].partition("/")[0]
            for name, value in doing.pairs:
                if name in _NAMING and "," not in value:
                    yield value.removeprefix(_PATIENT)
        elif who.patient is not None and doing.target.partition("/")[0] not in DIRECTORY:
            yield who.patient


async def noted(
    trail: Trail | None, doing: Doing, do: Callable[[], Awaitable[Result]]
) -> Result:
    """What `do` gives, which is `doing`; `trail` is told how it went."""
    if trail is None:
        return await do()
    trail.begin(doing)
    try:
        result = await do()
    except FhirError as error:
        trail.fail(error)
        raise
    trail.note(result)
    return result


def _labels(doing: Doing, result: Result) -> tuple[Coding, ...]:
    """Of what the event will name; a page names only what was asked."""
    rows = [*result.shown, *(each for each in (result.version, result.before) if each)]
    if not doing.path and result.version is not None:
        rows = [each for each in rows if each.id == result.version.id]
    else:
        rows = [each for each in rows if f"{each.type}/{each.id}" == doing.target]
    return labels_of(rows)


def _query(doing: Doing) -> str:
    if not doing.path:
        return ""
    text = query_text(doing.pairs)
    return (f"{doing.path}?{text}" if text else doing.path)[:_LONGEST_QUERY]


def doing_of(command: Command) -> Doing:
    """What `command` does, as the audit names it."""
    match command:
        case Search():
            return _search(command)
        case History():
            return _history(command)
        case Read() | Update() | Patch() | Delete():
            target = f"{command.type}/{command.id}"
            return Doing(_CODES[type(command)], target, writes=not isinstance(command, Read))
        case VRead():
            return Doing("vread", f"{command.type}/{command.id}/_history/{command.version}")
        case Create():
            return Doing("create", command.type, writes=True)
        case _:
            return Doing(_CODES[type(command)], command.type, writes=True)


def doing_of_request(code: str, target: Target, pairs: Pairs = ()) -> Doing:
    """What a request does as a whole, or an operation: before its command is known."""
    parts = (target.type, target.id, target.member, target.operation)
    path = "/".join(each for each in parts if each is not None)
    named = code if code in INTERACTIONS else _OTHERWISE.get(code, "operation")
    whole = "/".join(each for each in (target.type, target.id) if each is not None)
    writes = named in {"create", "update", "patch", "delete", "transaction"}
    query = path if named == "operation" else ""
    return Doing(named, whole, pairs if query else (), query, writes)


def _search(command: Search) -> Doing:
    code = "search-system" if command.type is None else "search-type"
    parts = (command.compartment, command.type)
    path = "/".join(each for each in parts if each is not None) or "/"
    return Doing(code, command.compartment or command.type or "", command.pairs, path)


def _history(command: History) -> Doing:
    parts = [each for each in (command.type, command.id) if each is not None]
    levels = ("system", "type", "instance")
    path = "/".join([*parts, "_history"])
    return Doing(f"history-{levels[len(parts)]}", "/".join(parts), command.pairs, path)


class Sink:
    """`AuditSink` on a log."""

    def __init__(
        self, log: AuditLog, now: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._log = log
        self._now = now
        self._new_id = new_id

    async def note(self, occurrence: Occurrence) -> None:
        """`AuditSink.note`."""
        it = occurrence
        deed = Deed(it.kind, it.target, "", it.patients, it.status, it.note)
        at = self._now()
        body = entry_bytes(it.who, at, [deed], it.address, it.request)
        own = own_patient(it.who)
        patients = dict.fromkeys((*it.patients, *((own,) if own else ())))
        await self._log.keep(AuditRow(self._new_id(), at, body, tuple(patients)))
