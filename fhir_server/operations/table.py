"""The operations this server offers, as one table.

https://hl7.org/fhir/R4/operationslist.html
"""

from typing import Final

from fhir_server.cabinet.tickets import calendar_file, sheet
from fhir_server.interactions.later import REINDEX_NEEDS
from fhir_server.operations import waitlist
from fhir_server.operations.access_status import access_status
from fhir_server.operations.book import book, hold
from fhir_server.operations.break_glass import (
    break_glass,
    break_glass_end,
    may_declare,
    may_end,
)
from fhir_server.operations.call import Level, Operation, Run
from fhir_server.operations.everything import everything
from fhir_server.operations.find import find
from fhir_server.operations.generate import generate
from fhir_server.operations.invite import invite
from fhir_server.operations.lastn import lastn
from fhir_server.operations.meta import meta, meta_add, meta_delete
from fhir_server.operations.reindex import reindex
from fhir_server.operations.ticket import ticket
from fhir_server.operations.validate import validate
from fhir_server.operations.visit import cancel, confirm, reschedule
from fhir_server.spec.interactions import ScopeLetter

_R4: Final = "http://hl7.org/fhir/OperationDefinition/"
_OWN: Final = "https://fhir-server.example/OperationDefinition/"
"""Of this server; `profiles/operations` has them."""
_READ: Final[tuple[tuple[ScopeLetter, None], ...]] = (("r", None),)
_UPDATE: Final[tuple[tuple[ScopeLetter, None], ...]] = (("u", None),)
_INSTANCE: Final[frozenset[Level]] = frozenset({"instance"})
_EVERYWHERE: Final[frozenset[Level]] = frozenset({"system", "type", "instance"})
_TYPE_AND_INSTANCE: Final[frozenset[Level]] = frozenset({"type", "instance"})

_TYPE: Final[frozenset[Level]] = frozenset({"type"})
_BOOKING: Final[tuple[tuple[str, frozenset[Level], Run, ScopeLetter], ...]] = (
    ("$hold", _TYPE, hold, "c"),
    ("$book", _TYPE, book, "c"),
    ("$cancel", _INSTANCE, cancel, "u"),
    ("$confirm", _INSTANCE, confirm, "u"),
    ("$reschedule", _INSTANCE, reschedule, "u"),
    ("$waitlist-join", _TYPE, waitlist.join, "c"),
    ("$waitlist-offer", _INSTANCE, waitlist.offer, "u"),
    ("$waitlist-status", _INSTANCE, waitlist.status, "r"),
)
"""Name, level, what does it, and the permission for Appointment that it needs."""

OPERATIONS: Final = (
    Operation(
        "$validate", f"{_R4}Resource-validate", _TYPE_AND_INSTANCE, None, False, validate
    ),
    Operation("$meta", f"{_R4}Resource-meta", _EVERYWHERE, None, False, meta, _READ),
    Operation("$meta-add", f"{_R4}Resource-meta-add", _INSTANCE, None, True, meta_add, _UPDATE),
    Operation(
        "$meta-delete",
        f"{_R4}Resource-meta-delete",
        _INSTANCE,
        None,
        True,
        meta_delete,
        _UPDATE,
    ),
    Operation(
        "$everything",
        f"{_R4}Patient-everything",
        _TYPE_AND_INSTANCE,
        frozenset({"Patient"}),
        False,
        everything,
        (("r", "Patient"),),
    ),
    Operation(
        "$lastn",
        f"{_R4}Observation-lastn",
        frozenset({"type"}),
        frozenset({"Observation"}),
        False,
        lastn,
        (("s", "Observation"),),
    ),
    Operation(
        "$access-status",
        f"{_OWN}Patient-access-status",
        _INSTANCE,
        frozenset({"Patient"}),
        False,
        access_status,
        (("r", "Patient"),),
    ),
    Operation(
        "$invite",
        f"{_OWN}Patient-invite",
        _INSTANCE,
        frozenset({"Patient"}),
        True,
        invite,
        (("r", "Patient"), ("c", "Communication")),
    ),
    Operation(
        "$reindex",
        f"{_OWN}reindex",
        _EVERYWHERE,
        None,
        True,
        reindex,
        REINDEX_NEEDS,
    ),
    Operation(
        "$find",
        "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-find",
        _TYPE,
        frozenset({"Appointment"}),
        False,
        find,
        (("s", "Slot"),),
    ),
    Operation(
        "$generate",
        f"{_OWN}generate",
        _TYPE,
        frozenset({"Slot"}),
        True,
        generate,
        (("c", "Slot"),),
    ),
    *(
        Operation(
            name,
            f"{_OWN}{name[1:]}",
            levels,
            frozenset({"Appointment"}),
            letter != "r",
            run,
            ((letter, "Appointment"),),
        )
        for name, levels, run, letter in _BOOKING
    ),
    Operation(
        "$ticket",
        f"{_OWN}ticket",
        _INSTANCE,
        frozenset({"Appointment"}),
        False,
        ticket,
        (("r", "Appointment"),),
        media=(calendar_file.TYPE, sheet.TYPE),
    ),
    # No scopes: what Consents leave of them is what an emergency is declared against.
    Operation(
        "$break-glass",
        f"{_OWN}break-glass",
        _INSTANCE,
        frozenset({"Patient"}),
        True,
        break_glass,
        admits=may_declare,
    ),
    Operation(
        "$break-glass-end",
        f"{_OWN}break-glass-end",
        _INSTANCE,
        frozenset({"Patient"}),
        True,
        break_glass_end,
        admits=may_end,
    ),
)
