"""`_include` and `_revinclude`: what is asked, and which rounds of searches answer it.

A round takes the rows found so far and gives searches for what they refer to, or for what
refers to them. Without `:iterate` an include looks at the matches alone.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fhir_server.core.errors import BadValue, NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.paths import ID
from fhir_server.search import keys
from fhir_server.search.canonicals import IDENTITY, Name, called, name_of, names, naming, ways
from fhir_server.search.criteria import find
from fhir_server.search.nodes import union
from fhir_server.search.plan import Ids, Keys, Node
from fhir_server.search.references import targets
from fhir_server.search.registry import ANY, Registry
from fhir_server.search.scope import Scope
from fhir_server.spec.structures import RESOURCE_TYPES

BAD_INCLUDE: Final = Text(
    "`{value}` has not the form Type:parameter or Type:parameter:TargetType.",
    "`{value}` не имеет вида Тип:параметр или Тип:параметр:ЦелевойТип.",
    "`{value}` не має вигляду Тип:параметр або Тип:параметр:ЦільовийТип.",
)
NO_REFERENCE: Final = Text(
    "`{code}` of {type} is not a reference, so nothing can be included by it.",
    "`{code}` типа {type} — не ссылка, по нему ничего нельзя присоединить.",
    "`{code}` типу {type} — не посилання, за ним нічого не можна долучити.",
)
NO_TARGET: Final = Text(
    "`{code}` of {type} does not lead to {target}.",
    "`{code}` типа {type} не ведёт к {target}.",
    "`{code}` типу {type} не веде до {target}.",
)
NOT_OFFERED: Final = Text(
    "This server does not offer {name}={value}.",
    "Этот сервер не предлагает {name}={value}.",
    "Цей сервер не пропонує {name}={value}.",
)
WITH_TEXT: Final = Text(
    "_include and _revinclude cannot be used with _summary=text.",
    "_include и _revinclude нельзя сочетать с _summary=text.",
    "_include і _revinclude не можна поєднувати з _summary=text.",
)

_TYPES: Final = frozenset(RESOURCE_TYPES)
_SHOWN: Final = 64  # characters of a refused value that its message repeats


@dataclass(frozen=True, slots=True)
class Include:
    """One `_include` or `_revinclude`."""

    source: str
    """The type that holds the reference, or `*`."""
    code: str
    """Its reference parameter, or `*`."""
    target: str | None = None
    iterate: bool = False
    reverse: bool = False


def parse_include(scope: Scope, kinds: Sequence[str], name: str, value: str) -> Include:
    """Read `value` of the parameter `name` (`_include:iterate`) in a search of `kinds`.

    Raises:
        BadValue: it has not the form, or names a type R4 does not have.
        UnknownParameter: it names an unknown parameter.
        NotSupported: the parameter is no reference, or the operator does not offer this.
    """
    found = _read(scope, name, value)
    if not _is_offered(scope.registry, kinds, found):
        raise NotSupported(NOT_OFFERED, name=name, value=value[:_SHOWN])
    return found


def _is_offered(registry: Registry, kinds: Sequence[str], found: Include) -> bool:
    """An iterated include may start at what another one has found, of any type."""
    if found.reverse:
        if found.code == ANY:
            return True  # each reference is looked at by itself
        starts = RESOURCE_TYPES if found.iterate else kinds
        return any(registry.may_reverse(kind, found.source, found.code) for kind in starts)
    starts = RESOURCE_TYPES if found.iterate else kinds
    sources = starts if found.source == ANY else (found.source,)
    return any(registry.may_include(source, found.code) for source in sources)


def _read(scope: Scope, name: str, value: str) -> Include:
    base, _, modifier = name.partition(":")
    iterate, reverse = modifier in ("iterate", "recurse"), base == "_revinclude"
    if value == ANY:
        return Include(ANY, ANY, None, iterate, reverse)
    source, *rest = value.split(":")
    code, target = rest[0] if rest else "", rest[1] if len(rest) > 1 else None
    known = {source, target} - {None} <= _TYPES
    if len(rest) not in (1, 2) or not known:
        raise BadValue(BAD_INCLUDE, value=value[:_SHOWN])
    if code != ANY:
        _check(scope, source, code, target)
    return Include(source, code, target, iterate, reverse)


def _check(scope: Scope, source: str, code: str, target: str | None) -> None:
    parameter = find(scope, source, code)
    if parameter.type != "reference":
        raise NotSupported(NO_REFERENCE, code=code, type=source)
    if target is not None and target not in targets(parameter):
        raise BadValue(NO_TARGET, code=code, type=source, target=target)


def wanted_references(
    registry: Registry, kind: str, includes: Iterable[Include]
) -> tuple[str, ...]:
    """`Search.references` for rows of `kind`: the prefixes of the keys includes follow, and
    of what canonicals call such a row."""
    found: dict[str, None] = {}
    for include in includes:
        if include.reverse and include.target in (kind, None) and _has_url(registry, kind):
            found.update(dict.fromkeys(IDENTITY))
        elif not include.reverse and include.source in (kind, ANY):
            codes = _codes(registry, kind, include)
            found.update((keys.reference(code, ""), None) for code in codes)
    return tuple(found)


def _has_url(registry: Registry, kind: str) -> bool:
    return "url" in registry.indexed(kind)


def _codes(registry: Registry, kind: str, include: Include) -> Iterator[str]:
    """The codes `include` stands for; of a reverse one, whoever asks looks at each target."""
    if include.code != ANY:
        yield include.code
        return
    if not include.reverse and not registry.may_include(kind, ANY):
        return
    for code, parameter in registry.all(kind).items():
        offered = include.reverse or registry.may_include(kind, code)
        if parameter.type == "reference" and offered:
            yield code


class Row(Protocol):
    """What a round needs to know of a resource."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def references(self) -> tuple[str, ...]:
        """Its reference keys, those that `wanted_references` asks for."""


def forward(
    registry: Registry,
    include: Include,
    rows: Iterable[Row],
    seen: Container[tuple[str, str]] = (),
) -> dict[str, Node]:
    """What `rows` refer to by `include`, as a predicate a type; not the (type, id) `seen`."""
    rows = tuple(rows)
    ids: dict[str, dict[str, None]] = {}
    named: dict[str, set[Name]] = {}
    for source, references in _by_source(include, rows).items():
        for code in _codes(registry, source, include):
            kinds = _kinds(registry, source, code, include)
            absolute = False
            for value in _values(references, code):
                kind, _, id_ = value.partition("/")
                if kind in _TYPES and ID.fullmatch(id_):
                    if kind in kinds and (kind, id_) not in seen:
                        ids.setdefault(kind, {})[id_] = None
                else:
                    absolute = absolute or ":" in value
            if absolute:
                found = _named(rows, source, code)
                for kind in kinds:
                    if _has_url(registry, kind):
                        named.setdefault(kind, set()).update(found)
    return _predicates(ids, named)


def _named(rows: Iterable[Row], source: str, code: str) -> set[Name]:
    """Row by row: one may write the version that another leaves open."""
    return {
        name
        for row in rows
        if row.type == source
        for name in names(row.references, code)
        if ":" in name.url
    }


def _by_source(include: Include, rows: Iterable[Row]) -> dict[str, dict[str, None]]:
    """The keys of the rows that `include` starts from, by type and each once: the rows of a
    page refer to the same few resources."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if include.source in (row.type, ANY):
            found.setdefault(row.type, {}).update(dict.fromkeys(row.references))
    return found


def _kinds(registry: Registry, kind: str, code: str, include: Include) -> tuple[str, ...]:
    if include.target is not None:
        return (include.target,)
    parameter = registry.find(kind, code)
    return targets(parameter) if parameter else ()


def _values(references: Iterable[str], code: str) -> Iterator[str]:
    lead = keys.reference(code, "")
    for key in references:
        if key.startswith(lead):
            yield key[len(lead) :]


def _predicates(
    ids: Mapping[str, Iterable[str]], named: Mapping[str, Iterable[Name]]
) -> dict[str, Node]:
    found: dict[str, list[Node]] = {kind: [Ids(tuple(each))] for kind, each in ids.items()}
    for kind, each in named.items():
        found.setdefault(kind, []).append(called(each))
    return {kind: union(nodes) for kind, nodes in found.items()}


def backward(
    registry: Registry, include: Include, rows: Iterable[Row], kinds: Iterable[str]
) -> dict[str, Node]:
    """What refers to `rows` by `include`, as a predicate a type; `kinds` are those that
    exist at all, for a bare `*`."""
    sources = [include.source] if include.source != ANY else list(kinds)
    targeted = [row for row in rows if include.target in (None, row.type)]
    found: dict[str, Node] = {}
    for source in sources:
        nodes = [
            node
            for code in _codes(registry, source, include)
            for node in _referring(registry, include, source, code, targeted)
        ]
        if nodes:
            found[source] = union(nodes)
    return found


def _referring(
    registry: Registry, include: Include, source: str, code: str, rows: Iterable[Row]
) -> Iterator[Node]:
    """A `source` refers to one of `rows` by `code`."""
    kinds = _kinds(registry, source, code, include)
    rows = [
        row
        for row in rows
        if row.type in kinds and registry.may_reverse(row.type, source, code)
    ]
    if rows:
        wanted = (keys.reference(code, f"{row.type}/{row.id}") for row in rows)
        yield Keys("references", tuple(wanted))
    parameter = registry.find(source, code)
    if parameter is not None and "url" in ways(source, parameter):
        yield naming(code, {name for row in rows if (name := name_of(row.references))})
