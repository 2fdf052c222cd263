"""Search requests compiled to plans: keys once, in a bounded cache; per request only values.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final

from fhir_server.core.errors import (
    BadValue,
    FhirError,
    Invalid,
    Issue,
    NotSupported,
    TooCostly,
)
from fhir_server.core.messages import Text
from fhir_server.search.begins import begun
from fhir_server.search.contained import Inside, inside
from fhir_server.search.criteria import TOO_WIDE, Links, compiled, find
from fhir_server.search.filter import compiled_filter
from fhir_server.search.include import WITH_TEXT, Include, parse_include
from fhir_server.search.limits import SearchLimits
from fhir_server.search.nodes import intersection, parts, union
from fhir_server.search.plan import Chain, Everything, Has, Node, Nothing, SortKey
from fhir_server.search.registry import Registry
from fhir_server.search.request import Pairs, Problems, SearchRequest, parse
from fhir_server.search.scope import Concepts, Parse, Scope
from fhir_server.search.sorting import sort_keys
from fhir_server.spec.structures import RESOURCE_TYPES, is_a

EMPTY_CONDITION: Final = Text(
    "`{name}` has no value; as a condition it would match everything.",
    "У `{name}` нет значения; как условие он подошёл бы всему.",
    "`{name}` не має значення; як умова він підійшов би всьому.",
)
NO_CONDITION: Final = Text(
    "`{name}` cannot be a condition: it selects nothing.",
    "`{name}` не может быть условием: он ничего не отбирает.",
    "`{name}` не може бути умовою: він нічого не відбирає.",
)

NOT_IN_CONTAINED: Final = Text(
    "Contained resources can be searched up to eight types at a time, sorted by _id or "
    "_lastUpdated of their containers, and not by composites, places, ids or lists.",
    "Вложенные (contained) ресурсы можно искать не более чем по восьми типам, с сортировкой "
    "по _id или _lastUpdated содержащего ресурса, но не по составным параметрам, месту, id "
    "и спискам.",
    "Вкладені (contained) ресурси можна шукати не більш ніж за вісьмома типами, із "
    "сортуванням за _id або _lastUpdated ресурсу, що їх містить, але не за складеними "
    "параметрами, місцем, id і списками.",
)
NOT_ALONE: Final = Text(
    "Contained resources alone are given for _contained=true without chains.",
    "Сами вложенные ресурсы выдаются при _contained=true и без цепочек.",
    "Самі вкладені ресурси видаються за _contained=true і без ланцюжків.",
)

CONTAINERS: Final = tuple(kind for kind in RESOURCE_TYPES if is_a(kind, "DomainResource"))
_CONTAINED_TYPES: Final = 8  # each is a part of the search of every type that may contain it
_CONTAINED_LINKS: Final = 8  # each is a query for every type: 130 queries of about 1 ms
_CONTAINER_SORTS: Final = frozenset({"_id", "-_id", "_lastUpdated", "-_lastUpdated"})

Searched = tuple[tuple[tuple[str, Node], ...], tuple[tuple[SortKey, ...], ...]]
"""`CompiledSearch.where` and `.sort`."""

FILTER: Final = "_filter"
_KEYS: Final = 4096
"""Compiled keys kept; clients make them, so they are bounded. Each is about 1 KB."""


@dataclass(frozen=True, slots=True)
class CompiledSearch:
    """A request as the store and the includes need it."""

    request: SearchRequest
    where: tuple[tuple[str, Node], ...]
    """Each type searched, with its predicate."""
    sort: tuple[tuple[SortKey, ...], ...]
    """Of each type in `where`; all have the same directions."""
    includes: tuple[Include, ...] = ()
    contained: tuple[tuple[str, Node], ...] = ()
    """The types and predicates of contained resources to be given in place of containers."""
    ignored: tuple[Issue, ...] = ()
    """What lenient handling left out."""


class Compiler:
    """Compiles the searches of one server; follows the changes of its registry."""

    def __init__(
        self,
        registry: Registry,
        terminology: Concepts,
        *bases: str,
        now: Callable[[], int],
        limits: SearchLimits | None = None,
    ) -> None:
        """`bases` are the URLs of this server, without a slash at the end; `now` gives
        milliseconds since 1970."""
        self.scope: Final = Scope(registry, terminology, bases, now, limits or SearchLimits())
        self._version = registry.version
        self._keys = lru_cache(_KEYS)(self._compile)
        self._sorts = lru_cache(_KEYS)(self._compile_sort)

    def _compile(self, kind: str, key: str) -> Parse:
        if key == FILTER:
            find(self.scope, kind, FILTER)
            return partial(compiled_filter, self.scope, kind)
        return compiled(self.scope, kind, key, Links(self.scope.limits))

    def _compile_sort(self, kind: str, items: tuple[str, ...]) -> tuple[SortKey, ...]:
        return sort_keys(self.scope, kind, items)

    def _refresh(self) -> None:
        if self._version != self.scope.registry.version:
            self._version = self.scope.registry.version
            self._keys.cache_clear()
            self._sorts.cache_clear()

    def condition(self, kind: str, pairs: Pairs) -> Node:
        """`pairs` as the condition of a write: strict, and nothing in it may be empty.

        Raises:
            Invalid: with every problem found.
        """
        problems = Problems()
        for name, value in pairs:
            if not value.strip(","):
                problems.note(BadValue(EMPTY_CONDITION, name=name), name)
        request = parse(pairs, problems, self.scope.limits)
        selecting = {name for name, _ in request.criteria}
        for name, _ in request.kept:
            if name not in selecting and name not in ("_format", "_pretty"):
                problems.note(BadValue(NO_CONDITION, name=name), name)
        self._refresh()
        node = self._where(kind, request, problems)
        _raise(problems)
        return node

    def search(
        self, kinds: Sequence[str], pairs: Pairs, *, lenient: bool = False
    ) -> CompiledSearch:
        """A search of `kinds`, at least one; with several, each parameter must be known to
        all of them. A `_type` among `pairs` narrows them.

        Raises:
            Invalid: with every problem found; with `lenient`, without what is unknown.
        """
        problems = Problems(lenient)
        request = parse(pairs, problems, self.scope.limits)
        self._refresh()
        if request.types:
            kinds = [kind for kind in kinds if kind in request.types]
        includes = self._includes(kinds, request, problems) if request.includes else ()
        of_kinds = self._of_one if len(kinds) == 1 else self._of_many
        where, sort = of_kinds(kinds, request, problems)
        contained: Searched | None = None
        if request.contained != "false":
            contained = self._contained(where, request, problems)
        _raise(problems)
        ignored = tuple(issue for error in problems.ignored for issue in error.issues)
        if ignored:
            request = _without(request, problems.dropped)
        if contained is None:
            where = tuple((kind, begun(kind, node)) for kind, node in where)
            return CompiledSearch(request, where, sort, includes, (), ignored)
        alone = where if request.contained_type == "contained" else ()
        return CompiledSearch(request, *contained, includes, alone, ignored)

    def _contained(
        self,
        where: Sequence[tuple[str, Node]],
        request: SearchRequest,
        problems: Problems,
    ) -> Searched:
        """The same over containers: of any type, with what was asked for in them."""
        found = [inside(node, Inside(kind)) for kind, node in where]
        nodes = [node for node in found if node is not None]
        told = len(nodes) == len(where) <= _CONTAINED_TYPES
        if not told or not _CONTAINER_SORTS.issuperset(request.sort):
            problems.note(NotSupported(NOT_IN_CONTAINED), "_contained")
        self._check_links(nodes, problems)
        if request.contained_type == "contained" and not _is_plain(request, where):
            problems.note(NotSupported(NOT_ALONE), "_containedType")
        own = dict(where) if request.contained == "both" else {}
        sort = self._sort(CONTAINERS[0], request, Problems())
        every = [(kind, union((*nodes, own.get(kind, Nothing())))) for kind in CONTAINERS]
        return tuple(every), (sort,) * len(every)

    def _check_links(self, nodes: Sequence[Node], problems: Problems) -> None:
        """A link is followed for each type of container."""
        links = sum(isinstance(part, Chain | Has) for node in nodes for part in parts(node))
        if links > _CONTAINED_LINKS:
            problems.note(TooCostly(TOO_WIDE), "_contained")

    def _of_one(
        self, kinds: Sequence[str], request: SearchRequest, problems: Problems
    ) -> Searched:
        (kind,) = kinds
        where = self._where(kind, request, problems)
        return ((kind, where),), (self._sort(kind, request, problems),)

    def _of_many(
        self, kinds: Sequence[str], request: SearchRequest, problems: Problems
    ) -> Searched:
        """As of one; a parameter that fails for any type is said, and left out, once."""
        for kind in kinds:
            found = Problems(problems.lenient)
            self._where(kind, request, found)
            self._sort(kind, request, found)
            if found.refused or found.ignored:
                problems.refused += found.refused
                problems.ignored += found.ignored
                if found.refused:
                    break
                problems.dropped |= found.dropped
                request = _without(request, found.dropped)
        unseen = Problems(problems.lenient)
        where = tuple((kind, self._where(kind, request, unseen)) for kind in kinds)
        sort = tuple(self._sort(kind, request, unseen) for kind in kinds)
        return where, sort

    def _where(self, kind: str, request: SearchRequest, problems: Problems) -> Node:
        found = []
        for name, value in request.criteria:
            try:
                found.append(self._keys(kind, name)(value))
            except FhirError as error:
                problems.note(error, name, value)
        if not found:
            return Everything()
        return found[0] if len(found) == 1 else intersection(found)

    def _sort(
        self, kind: str, request: SearchRequest, problems: Problems
    ) -> tuple[SortKey, ...]:
        if not request.sort:
            return ()
        try:
            return self._sorts(kind, request.sort)
        except FhirError as error:
            problems.note(error, "_sort", *(v for n, v in request.kept if n == "_sort"))
            return ()

    def _includes(
        self, kinds: Sequence[str], request: SearchRequest, problems: Problems
    ) -> tuple[Include, ...]:
        found = []
        for name, value in request.includes:
            try:
                if request.summary == "text":
                    raise BadValue(WITH_TEXT)
                found.append(parse_include(self.scope, kinds, name, value))
            except FhirError as error:
                problems.note(error, name, value)
        return tuple(found)


def _is_plain(request: SearchRequest, where: Sequence[tuple[str, Node]]) -> bool:
    links = any(isinstance(part, Chain | Has) for _, node in where for part in parts(node))
    return request.contained == "true" and not links


def _raise(problems: Problems) -> None:
    refused = problems.refused
    if not refused:
        return
    if len({type(error) for error in refused}) == 1:
        raise type(refused[0]).of(issue for error in refused for issue in error.issues)
    raise Invalid.of(issue for error in refused for issue in error.issues)


def _without(request: SearchRequest, dropped: Container[tuple[str, str]]) -> SearchRequest:
    """`request` without the pairs `dropped`; "the server SHALL return the parameters that
    were actually used"."""
    kept = tuple(pair for pair in request.kept if pair not in dropped)
    sorts = any(name == "_sort" for name, _ in kept)
    return replace(
        request,
        criteria=tuple(pair for pair in request.criteria if pair not in dropped),
        kept=kept,
        sort=request.sort if sorts else (),
    )
