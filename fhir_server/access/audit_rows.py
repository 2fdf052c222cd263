"""What the audit keeps of a request, before anything is made of it: small, and pure.

A request is one Entry: who asked, from where, and what was done. The log holds entries as
JSON; `access.audit_event` makes AuditEvents of them.

https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec

from fhir_server.access.codings import Coding
from fhir_server.access.principal import Principal

_KEPT: Final = 4096  # callers whose part of an entry is kept as bytes


class Who(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bearer of a token, as far as the audit tells of it; empty is unknown."""

    client: str = ""
    user: str = ""
    """`Practitioner/x`, `Patient/p1`, …"""
    account: str = ""
    organizations: tuple[str, ...] = ()
    purpose: str = ""
    """Code of v3-ActReason; `BTG` is break-glass."""
    token: str = ""
    """The token's own id (jti); never the token."""
    grant: str = ""
    represented: tuple[str, ...] = ()
    """Logical ids of the patients whose record the user may open."""
    staff: bool = False
    own: tuple[str, ...] = ()
    """Logical ids of the patients that the user is by a Person."""
    declared: tuple[str, ...] = ()
    """Logical ids of the patients for whom an emergency was declared and held."""

    @property
    def is_personal(self) -> bool:
        """A patient or who acts for one: neither staff nor a system."""
        return bool(self.user or self.account) and not self.staff


class Deed(msgspec.Struct, frozen=True, array_like=True):
    """One thing done, or refused."""

    code: str
    """An interaction's code, or one of `audit_codes.EVENTS`."""
    target: str = ""
    """`Observation/o1/_history/3`, `Observation/o1`, or a type alone."""
    query: str = ""
    """As it was asked, behind the base; never what was found."""
    patients: tuple[str, ...] = ()
    """Logical ids of the patients whose data it touched."""
    status: int = 200
    """Of HTTP."""
    note: str = ""
    """Of a refusal its issue code, of an event what it is about; no data."""
    consents: tuple[tuple[str, ...], ...] = ()
    """For each of `patients`, in their order, the references of their Consents that decided;
    empty: none did of anybody."""

    labels: tuple[Coding, ...] = ()
    """The security labels of what `target` names, where they are known."""

    def consents_of(self, patient: str) -> tuple[str, ...]:
        """The Consents of one of `patients` that decided."""
        return dict(zip(self.patients, self.consents, strict=False)).get(patient, ())


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request."""

    at: int
    """Milliseconds since 1970."""
    who: Who
    deeds: tuple[Deed, ...]
    address: str = ""
    """Of the client; `audit_event` tells it to the person it belongs to alone."""
    request: str = ""
    """X-Request-Id."""


class Batch(msgspec.Struct, frozen=True):
    """What is written to the log at once."""

    entries: tuple[Entry, ...]
    seals: tuple[tuple[str, str, int], ...] = ()
    """Id, SHA-256 (hex) and time of each entry that was written with what it tells of."""


class _Written(msgspec.Struct, omit_defaults=True):
    """An Entry on its way out: its caller has been encoded before."""

    at: int
    who: msgspec.Raw
    deeds: list[Deed]
    address: str = ""
    request: str = ""


class _WrittenBatch(msgspec.Struct):
    entries: list[msgspec.Raw]
    seals: list[tuple[str, str, int]]


_ENCODER: Final = msgspec.json.Encoder()
_ENTRY: Final = msgspec.json.Decoder(Entry)
_BATCH: Final = msgspec.json.Decoder(Batch)


def entry_bytes(
    who: Principal | Who, at: int, deeds: list[Deed], address: str, request: str
) -> bytes:
    """An Entry as the log keeps it."""
    known = _of_principal(who) if isinstance(who, Principal) else _raw(who)
    return _ENCODER.encode(_Written(at, known, deeds, address, request))


def batch_bytes(entries: Iterable[bytes], seals: Iterable[tuple[str, str, int]]) -> bytes:
    """Entries, encoded before, as one Batch."""
    return _ENCODER.encode(_WrittenBatch([msgspec.Raw(e) for e in entries], list(seals)))


def read_entry(data: bytes) -> Entry:
    """What `entry_bytes` wrote."""
    return _ENTRY.decode(data)


def read_batch(data: bytes) -> Batch:
    """What `batch_bytes` wrote."""
    return _BATCH.decode(data)


def who_of(principal: Principal) -> Who:
    """A principal as the audit tells of it."""
    return Who(
        client=principal.client,
        user=principal.user or "",
        account=principal.account or "",
        organizations=principal.organizations,
        purpose=principal.purpose,
        token=principal.token,
        grant=principal.grant or "",
        represented=principal.represented,
        staff=principal.staff,
        own=principal.own,
        declared=principal.declared,
    )


def own_patient(who: Principal | Who) -> str:
    """The logical id of the Patient that the user is; empty if none."""
    named, _, id_ = (who.user or "").partition("/")
    return id_ if named == "Patient" else ""


def _raw(who: Who) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(who))


@lru_cache(maxsize=_KEPT)
def _of_principal(principal: Principal) -> msgspec.Raw:
    return _raw(who_of(principal))
