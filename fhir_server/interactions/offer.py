"""What the operator's CapabilityStatement lets this server do, whatever door asks for it.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhir_server.core import paths
from fhir_server.core.errors import MethodNotAllowed, NotFound, NotSupported, UnknownType
from fhir_server.core.messages import Text
from fhir_server.core.paths import Target
from fhir_server.search.registry import Offered
from fhir_server.spec.interactions import BY_ROUTE, methods

SWITCHED_OFF: Final = Text(
    "This server does not offer {method} here; possible are: {allow}.",
    "Сервер не предлагает здесь {method}; возможны: {allow}.",
    "Сервер не пропонує тут {method}; можливі: {allow}.",
)
NO_COMPARTMENT: Final = Text(
    "This server does not search the compartment of a {type}.",
    "Сервер не ищет в разделе (compartment) ресурса {type}.",
    "Сервер не шукає в розділі (compartment) ресурсу {type}.",
)
NO_CONDITION: Final = Text(
    "This server does not offer conditional creates of this type.",
    "Сервер не предлагает условного создания ресурсов этого типа.",
    "Сервер не пропонує умовного створення ресурсів цього типу.",
)

_ALWAYS: Final = frozenset(
    {"capabilities", "operation", "transaction", "job-status", "job-cancel"}
)
"""Interactions that no line of the statement switches, or that are looked at by what they
carry."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The statement as sets; of the system under `""`."""

    interactions: Mapping[str, frozenset[str]]
    operations: Mapping[str, frozenset[str]]
    """Names without `$`."""
    compartments: frozenset[str]
    """Resource types."""
    search: Offered

    def allows(self, code: str, kind: str | None) -> bool:
        """Whether the interaction `code` is offered for `kind` (None: the system)."""
        return code in self.interactions.get(kind or "", ())

    def serves(self, kind: str) -> bool:
        """Whether resources of this type are served at all."""
        return kind in self.interactions

    def check(
        self, method: str, code: str, target: Target, *, conditional: bool = False
    ) -> None:
        """Refuse the interaction `code` on `target` where it is left out; `conditional`: it
        has an If-None-Exist.

        Raises:
            UnknownType, NotFound: there is nothing at `target`.
            MethodNotAllowed: there is, but not by this `method`.
            NotSupported: there is, but not under a condition.
        """
        kind = target.type
        if kind is not None and not self.serves(kind):
            raise UnknownType(paths.UNKNOWN_TYPE, type=kind)
        if code in _ALWAYS:
            return
        if code == "search-compartment":
            self._check_compartment(method, target)
        elif not self.allows(code, kind):
            raise self._switched_off(method, target)
        elif conditional and code == "create" and not self.allows("conditional-create", kind):
            raise NotSupported(NO_CONDITION, expression="If-None-Exist")

    def methods(self, target: Target) -> tuple[str, ...]:
        """The verbs that `target` answers, for Allow."""
        return tuple(m for m in methods(target.shape) if self._answers(m, target))

    def _answers(self, method: str, target: Target) -> bool:
        if method == "OPTIONS":
            return True
        code = BY_ROUTE["GET" if method == "HEAD" else method, target.shape].code
        if code == "search-compartment":
            return target.member in (None, "*") or self.allows("search-type", target.member)
        return code in _ALWAYS or self.allows(code, target.type)

    def _switched_off(self, method: str, target: Target) -> MethodNotAllowed:
        return MethodNotAllowed(SWITCHED_OFF, method=method, allow=self.methods(target))

    def _check_compartment(self, method: str, target: Target) -> None:
        if target.type not in self.compartments:
            raise NotFound(NO_COMPARTMENT, type=target.type)
        kind = target.member
        if kind is None or kind == "*":
            return
        if not self.serves(kind):
            raise UnknownType(paths.UNKNOWN_TYPE, type=kind)
        if not self.allows("search-type", kind):
            raise self._switched_off(method, target)
