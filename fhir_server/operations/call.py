"""How an operation is called: its target and its parameters, from a query or a body.

https://hl7.org/fhir/R4/operations.html#executing
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from fhir_server.core.errors import BadValue, UnknownParameter
from fhir_server.core.messages import Text
from fhir_server.core.paths import Target
from fhir_server.core.types import JsonObject
from fhir_server.interactions.commands import Pairs
from fhir_server.interactions.context import Checks, Context
from fhir_server.interactions.results import Result
from fhir_server.spec.interactions import ScopeLetter

Level = Literal["system", "type", "instance"]

UNKNOWN: Final = Text(
    "{operation} has no parameter `{name}`.",
    "У {operation} нет параметра `{name}`.",
    "У {operation} немає параметра `{name}`.",
)
REPEATED: Final = Text(
    "The parameter `{name}` may stand once.",
    "Параметр `{name}` может стоять один раз.",
    "Параметр `{name}` може стояти один раз.",
)

#: Belong to every request and are read before the operation: search.html#table, http.html.
_GENERAL: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})

_PLACEHOLDER: Final = {"resourceType": "Basic", "code": {"text": "any"}}


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation."""

    target: Target
    pairs: Pairs = ()
    body: JsonObject | None = None
    """A Parameters resource, or the resource itself where the operation takes one."""

    media: str | None = None
    """One of the operation's own media types, where the answer is to be no resource."""

    @property
    def level(self) -> Level:
        """Where it was invoked."""
        if self.target.id is not None:
            return "instance"
        return "system" if self.target.type is None else "type"

    def given(self) -> list[tuple[str, Any]]:
        """Every parameter in order: strings from the query, JSON from the body."""
        found: list[tuple[str, Any]] = [p for p in self.pairs if p[0] not in _GENERAL]
        return found + list(_of_body(self._parameters()))

    def check_body(self, validator: Checks) -> None:
        """Raise Unprocessable or Invalid where the Parameters are none, whatever they carry.

        What stands in a `resource` is the operation's to judge.
        """
        parameters = self._parameters()
        if parameters is not None:
            validator.check(_with_placeholders(parameters), "Parameters")

    def _parameters(self) -> JsonObject | None:
        """The body, unless it is what the operation is about."""
        body = self.body
        if body is None or body.get("resourceType") != "Parameters":
            return None
        about = self.target.type == "Parameters" and not _has_resource(body)
        return None if about else body

    def values(self, name: str) -> list[Any]:
        """Every value of the parameter `name`."""
        return [value for key, value in self.given() if key == name]

    def value(self, name: str) -> Any:
        """The one value, or None.

        Raises:
            BadValue: there are several.
        """
        found = self.values(name)
        if len(found) > 1:
            raise BadValue(REPEATED, name=name, expression=name)
        return found[0] if found else None

    def check_names(self, known: frozenset[str]) -> None:
        """Raise UnknownParameter for a parameter that the operation does not have."""
        for name, _ in self.given():
            if name not in known:
                raise UnknownParameter(
                    UNKNOWN, operation=self.target.operation, name=name, expression=name
                )


def _of_body(body: JsonObject | None) -> Iterator[tuple[str, Any]]:
    for row in body.get("parameter", ()) if body is not None else ():
        for key, value in row.items():
            if key == "resource" or (key.startswith("value") and key != "value"):
                yield row.get("name", ""), value


def _has_resource(parameters: JsonObject) -> bool:
    return any(_carries(row) for row in _rows(parameters))


def _with_placeholders(parameters: JsonObject) -> JsonObject:
    rows = [
        {**row, "resource": _PLACEHOLDER} if _carries(row) else row for row in _rows(parameters)
    ]
    return {**parameters, "parameter": rows} if rows else parameters


def _rows(parameters: JsonObject) -> list[Any]:
    rows = parameters.get("parameter")
    return rows if isinstance(rows, list) else []


def _carries(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("resource"), dict)


Run: TypeAlias = Callable[[Context, Call], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table: where it may be invoked, and what does it."""

    name: str
    """With its `$`."""
    definition: str
    """Canonical of its OperationDefinition."""
    levels: frozenset[Level]
    types: frozenset[str] | None
    """None: every type."""
    affects_state: bool
    """Then GET is refused: http.html allows it only for what changes nothing."""
    run: Run
    scopes: tuple[tuple[ScopeLetter, str | None], ...] = ()
    """Permissions a caller needs for it, with the type; None: the type of the target."""
    media: tuple[str, ...] = ()
    """Types, beside JSON and XML, that it answers in when they are asked for."""
    admits: Callable[[Context, Call], Awaitable[None]] | None = None
    """Refuses whoever may not call it at all, before more is asked of them."""
