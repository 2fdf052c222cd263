"""What a caller may do: one Restriction for each permission letter.

Scopes, the user's own rights and what consents allow are each a predicate over index values;
their product is what the store adds to every query (design law 1).

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fhir_server.access.audience import (
    READ_ONLY,
    directory,
    of_patients,
    of_patients_alone,
)
from fhir_server.access.late import Late
from fhir_server.access.principal import Principal
from fhir_server.access.scopes import ALL_TYPES, LETTERS, ResourceScope
from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import (
    UNRESTRICTED,
    Everything,
    Ids,
    Node,
    Nothing,
    Restriction,
)
from fhir_server.spec.interactions import ScopeLetter
from fhir_server.spec.structures import RESOURCE_TYPES

Condition = Callable[[str, tuple[tuple[str, str], ...]], Node]
"""The predicate of a type's search parameters; raises FhirError for what it cannot read."""

Belonging = Callable[[str, Sequence[str]], Node]
"""Those of a type that belong to some patients."""

_KEPT: Final = 4096
"""Callers whose rights are kept; one costs about 100 KB with wildcards when all types have
been asked about, 2 KB without."""
_ALL: Final = frozenset(RESOURCE_TYPES)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may do. `search` also bounds what chains and `_has` may ask about."""

    create: Restriction
    """What a new resource must be."""
    read: Restriction
    update: Restriction
    """What a resource must be before an update and after it."""
    delete: Restriction
    search: Restriction

    def of(self, letter: ScopeLetter) -> Restriction:
        """The Restriction of one permission letter."""
        match letter:
            case "c":
                return self.create
            case "r":
                return self.read
            case "u":
                return self.update
            case "d":
                return self.delete
            case "s":
                return self.search

    def allows(self, letter: ScopeLetter, kind: str) -> bool:
        """Whether there can be any resource of `kind` for which `letter` holds."""
        return not isinstance(self.of(letter).of(kind), Nothing)


UNLIMITED: Final = Rights(*(UNRESTRICTED,) * 5)
"""Of the server itself and of `--insecure-no-auth`; never a default argument."""

NO_RIGHTS: Final = Rights(*(Restriction(),) * 5)
"""Of a caller without a token."""


class RightsTable:
    """Rights by principal, kept."""

    def __init__(self, condition: Condition, version: Callable[[], int]) -> None:
        """`version` changes whenever `condition` may answer otherwise than before."""
        self._condition = condition
        self._version = version
        self._made = lru_cache(_KEPT)(self._make)

    def of(self, principal: Principal) -> Rights:
        """What `principal` may do by its scopes and its user's own rights.

        Raises:
            FhirError: a scope has a filter that this server cannot read; it is refused, as
                without its filter the scope would be wider.
        """
        return self._made(principal, self._version())

    def _make(self, principal: Principal, _: int) -> Rights:
        return Rights(*(self._restriction(principal, letter) for letter in LETTERS))

    def _restriction(self, principal: Principal, letter: ScopeLetter) -> Restriction:
        scopes = [each for each in principal.scopes if letter in each.letters]
        is_read = letter in ("r", "s")
        named = {_own_type(principal)} if is_read and principal.identity else set()
        kinds = _kinds(scopes, named, everything=is_read and _is_personal(principal))
        found = Late(kinds, lambda kind: self._node(principal, scopes, kind, is_read=is_read))
        # What a request asks about is a few of all types; a filter is refused at once.
        return Restriction(dict(found) if any(each.query for each in scopes) else found)

    def _node(
        self,
        principal: Principal,
        scopes: Iterable[ResourceScope],
        kind: str,
        *,
        is_read: bool,
    ) -> Node:
        belonging = of_patients if is_read else of_patients_alone
        nodes = [
            self._of_scope(principal, each, kind, belonging)
            for each in scopes
            if is_read or each.level == "system" or kind not in READ_ONLY
        ]
        if is_read and _is_personal(principal):
            nodes.append(directory(kind))
        if is_read and principal.identity:
            nodes.append(_own(principal, kind))
        return _any(nodes)

    def _of_scope(
        self, principal: Principal, scope: ResourceScope, kind: str, belonging: Belonging
    ) -> Node:
        if scope.type not in (ALL_TYPES, kind):
            return Nothing()
        reached = _reached(principal, scope, kind, belonging)
        if not scope.query or isinstance(reached, Nothing):
            return reached
        return _both(reached, self._condition(kind, scope.query))


def _kinds(
    scopes: Iterable[ResourceScope], others: Iterable[str], *, everything: bool
) -> frozenset[str]:
    """The types that something may be allowed of: those of scopes, and `others`."""
    named = {each.type for each in scopes} | {*others}
    return _ALL if everything or ALL_TYPES in named else frozenset(named)


def _is_personal(principal: Principal) -> bool:
    """Whether a person stands behind the token, with a scope for data at all."""
    return any(each.level in ("patient", "user") for each in principal.scopes)


def _reached(
    principal: Principal, scope: ResourceScope, kind: str, belonging: Belonging
) -> Node:
    """What the level of `scope` means for this principal."""
    match scope.level:
        case "patient":
            return belonging(kind, () if principal.patient is None else (principal.patient,))
        case "user":
            if principal.staff:
                return Everything()
            return belonging(kind, principal.represented)
        case "system":
            return Everything()


def _own_type(principal: Principal) -> str:
    return (principal.user or "").partition("/")[0]


def _own(principal: Principal, kind: str) -> Node:
    """The user's own resource. Whoever was granted `fhirUser` may read what it names, whatever
    the resource scopes say; without it an account's Person is nobody's to read, as it tells of
    e-mail, address and children.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
    """
    named, _, id_ = (principal.user or "").partition("/")
    return Ids((id_,)) if named == kind and id_ else Nothing()


def _any(nodes: Iterable[Node]) -> Node:
    found = [each for each in nodes if not isinstance(each, Nothing)]
    if any(isinstance(each, Everything) for each in found):
        return Everything()
    return union(found)


def narrowed(rights: Rights, by: Mapping[ScopeLetter, Callable[[str], Node]]) -> Rights:
    """`rights` where also `by` holds, letter by letter and type by type; a letter that `by`
    does not name stays as it is. `by` is asked about a type when somebody asks for it: what
    it raises is raised by `Restriction.of`."""
    return Rights(*(_narrowed(rights.of(each), by.get(each)) for each in LETTERS))


def _narrowed(within: Restriction, by: Callable[[str], Node] | None) -> Restriction:
    if by is None:
        return within
    is_closed = isinstance(within.otherwise, Nothing)
    kinds = within.by_type.keys() if is_closed else _ALL
    return Restriction(Late(kinds, lambda kind: _narrower(within.of(kind), kind, by)))


def _narrower(within: Node, kind: str, by: Callable[[str], Node]) -> Node:
    return within if isinstance(within, Nothing) else _both(within, by(kind))


def _both(one: Node, other: Node) -> Node:
    if isinstance(one, Nothing) or isinstance(other, Nothing):
        return Nothing()
    return intersection((one, other))
