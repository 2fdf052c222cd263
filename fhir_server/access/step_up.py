"""Which writes and operations need how strong, and how recent, a sign-in.

A rule is a line of the operator's: what it is about, a level, and perhaps an age in seconds.

    Consent.cud=2               to create, change or delete a Consent: level 2
    *.d=1/300                   to delete anything: a sign-in of the last five minutes
    $break-glass=3/43200        the operation: level 3, in the last twelve hours

https://www.rfc-editor.org/rfc/rfc9470
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.spec.structures import RESOURCE_TYPES

_RULE: Final = re.compile(
    r"(?:(?P<type>\*|[A-Za-z]+)\.(?P<letters>[cud]+)|(?P<operation>\$[a-z-]+))"
    r"=(?P<level>[123])(?:/(?P<seconds>[0-9]{1,9}))?",
    re.ASCII,
)
_ANY: Final = "*"


class StepUpError(Exception):
    """A rule cannot be followed; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a sign-in has to be."""

    level: int
    """Of assurance, 1 to 3; `acr`."""
    seconds: int | None = None
    """Its greatest age; None: any."""

    def is_met(self, principal: Principal, now: int) -> bool:
        """Whether the user behind a token has signed in so; `now` in milliseconds. Where no
        user signed in, as with backend services, nothing can be asked of one."""
        if principal.user is None and principal.account is None:
            return True
        recent = self.seconds is None or now - principal.auth_time <= self.seconds * 1000
        return principal.level >= self.level and recent


@dataclass(frozen=True, slots=True)
class StepUp:
    """All rules; where several are about one thing, all of them hold."""

    writes: Mapping[str, Demand] = field(default_factory=dict)
    """By `Consent.c` or `*.d`."""
    operations: Mapping[str, Demand] = field(default_factory=dict)
    """By name, with the `$`."""

    def of(self, kind: str, letters: Iterable[str]) -> Demand | None:
        """What writing a `kind` with these permissions demands."""
        names = (f"{each}.{letter}" for letter in letters for each in (kind, _ANY))
        return together(*map(self.writes.get, names))


NOTHING_DEMANDED: Final = StepUp()


def together(*demands: Demand | None) -> Demand | None:
    """The one demand that all of `demands` come to."""
    found = [each for each in demands if each is not None]
    if not found:
        return None
    ages = [each.seconds for each in found if each.seconds is not None]
    return Demand(max(each.level for each in found), min(ages, default=None))


def read_rules(texts: Iterable[str], operations: Collection[str]) -> StepUp:
    """The rules; `operations` are the names of all that there are, with their `$`.

    Raises:
        StepUpError: one cannot be understood, or is about nothing: it would protect nothing.
    """
    writes: dict[str, Demand] = {}
    named: dict[str, Demand] = {}
    for text in texts:
        found = _RULE.fullmatch(text)
        if found is None:
            raise StepUpError(f"`{text}` is none of Type.cud=LEVEL/SECONDS, $operation=LEVEL")
        kind, operation, seconds = found["type"], found["operation"], found["seconds"]
        if kind not in (None, _ANY, *RESOURCE_TYPES):
            raise StepUpError(f"`{text}`: there is no type {kind}")
        if operation is not None and operation not in operations:
            raise StepUpError(f"`{text}`: there is no operation {operation}")
        demand = Demand(int(found["level"]), None if seconds is None else int(seconds))
        if operation is not None:
            named[operation] = together(named.get(operation), demand) or demand
        for letter in found["letters"] or "":
            name = f"{kind}.{letter}"
            writes[name] = together(writes.get(name), demand) or demand
    return StepUp(writes, named)


def challenge(demand: Demand) -> str:
    """The parameters of a `WWW-Authenticate: Bearer` that asks for such a sign-in."""
    found = (
        'error="insufficient_user_authentication", '
        'error_description="A stronger or more recent sign-in is needed.", '
        f'acr_values="{demand.level}"'
    )
    return found if demand.seconds is None else f'{found}, max_age="{demand.seconds}"'
