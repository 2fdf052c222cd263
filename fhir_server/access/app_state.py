"""Which app state a caller may reach: of its app's codes, about whom its token is about.

State is a Basic with one code and at most one subject. A patient's is reached where that
patient's record may be; a user's by that user; what has no subject is read with `user/`
scopes, and written by the staff with an app that may.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-state.html#security-and-access-controls
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fhir_server.access.principal import Principal
from fhir_server.access.rights import Condition, Rights
from fhir_server.access.scopes import ALL_TYPES, LETTERS, ResourceScope
from fhir_server.search import keys
from fhir_server.search.nodes import intersection, union
from fhir_server.search.plan import Keys, Node, Not, Nothing, Prefix, Restriction
from fhir_server.spec.interactions import ScopeLetter

KIND: Final = "Basic"

GLOBAL: Final = Not(Prefix("references", "subject|"))
"""State that is about nobody."""


@dataclass(frozen=True, slots=True)
class StateApp:
    """What was registered of an app."""

    codes: tuple[str, ...] = ()
    """`system|code`."""
    configures: bool = False
    """May write what has no subject."""


def of_codes(codes: Iterable[str]) -> Node:
    """State of any of these codes."""
    parted = (each.partition("|") for each in codes)
    found = tuple(keys.token("code", system, code) for system, _, code in parted)
    return Keys("tokens", found) if found else Nothing()


def of_subject(target: str) -> Node:
    """State about `target`, such as `Patient/1` of this server."""
    return Keys("references", (keys.reference("subject", target),))


def state_rights(
    principal: Principal, live: Rights, app: StateApp, condition: Condition
) -> Rights:
    """What `principal` may do with app state; `live` is what it may do with the record.

    Raises:
        FhirError: a scope has a filter that this server cannot read.
    """
    codes = of_codes(app.codes)
    found = (
        Nothing()
        if isinstance(codes, Nothing)
        else _both(codes, union(_subjects(principal, live, app, condition, letter)))
        for letter in LETTERS
    )
    return Rights(*(_restriction(each) for each in found))


def _restriction(node: Node) -> Restriction:
    return Restriction() if isinstance(node, Nothing) else Restriction({KIND: node})


def _subjects(
    principal: Principal,
    live: Rights,
    app: StateApp,
    condition: Condition,
    letter: ScopeLetter,
) -> Iterator[Node]:
    if principal.user is None:
        return
    record = live.of(letter).of(KIND)
    if principal.patient is not None and not isinstance(record, Nothing):
        yield _both(record, of_subject(f"Patient/{principal.patient}"))
    may_configure = letter in ("r", "s") or (app.configures and principal.staff)
    for scope in _of_user(principal.scopes, letter):
        reached = [of_subject(principal.user)]
        if may_configure:
            reached.append(GLOBAL)
        limit = (condition(KIND, scope.query),) if scope.query else ()
        yield intersection((*limit, union(reached)))


def _of_user(scopes: Iterable[ResourceScope], letter: ScopeLetter) -> Iterator[ResourceScope]:
    for each in scopes:
        if each.level == "user" and letter in each.letters and each.type in (ALL_TYPES, KIND):
            yield each


def _both(one: Node, other: Node) -> Node:
    if isinstance(one, Nothing) or isinstance(other, Nothing):
        return Nothing()
    return intersection((one, other))
