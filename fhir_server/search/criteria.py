"""A key of a query (`subject:Patient.name:exact`) compiled to what reads its values.

The search type decides how a value is read, the modifier how it is compared: one table of
n + m rows. Chains and `_has` wrap what they end in.

https://hl7.org/fhir/R4/search.html#modifiers
https://hl7.org/fhir/R4/search.html#chaining
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from fhir_server.core.errors import BadValue, NotSupported, TooCostly, UnknownParameter
from fhir_server.core.messages import Text
from fhir_server.search import dates, references, special, strings, tokens, uris
from fhir_server.search.canonicals import ways
from fhir_server.search.composites import composite
from fhir_server.search.contained import NEVER_FOLLOWED, Inside, inside
from fhir_server.search.elements import types_of
from fhir_server.search.escapes import split
from fhir_server.search.limits import SearchLimits
from fhir_server.search.nodes import UNSUPPORTED, presence, union
from fhir_server.search.numbers import number
from fhir_server.search.plan import By, Chain, Everything, Has, Node, Not, Nothing, Or
from fhir_server.search.quantities import quantity
from fhir_server.search.scope import Asked, Parse, Scope
from fhir_server.search.texts import word_search
from fhir_server.spec.search_parameters import SearchParameter, SearchType
from fhir_server.spec.structures import RESOURCE_TYPES

UNKNOWN_PARAMETER: Final = Text(
    "`{code}` is not a search parameter of {type}.",
    "`{code}` — не параметр поиска типа {type}.",
    "`{code}` — не параметр пошуку типу {type}.",
)
PENDING: Final = Text(
    "`{code}` of {type} can be used when $reindex has run.",
    "`{code}` типа {type} можно использовать после $reindex.",
    "`{code}` типу {type} можна використовувати після $reindex.",
)
NO_PART: Final = Text(
    "A part of `{code}` is no longer defined: {url}.",
    "Часть параметра `{code}` больше не определена: {url}.",
    "Частину параметра `{code}` більше не визначено: {url}.",
)
UNKNOWN_MODIFIER: Final = Text(
    "The modifier `:{modifier}` cannot be used with `{code}` of {type}.",
    "Модификатор `:{modifier}` не применим к `{code}` типа {type}.",
    "Модифікатор `:{modifier}` не застосовний до `{code}` типу {type}.",
)
NO_CHAIN: Final = Text(
    "`{code}` of {type} does not lead to other resources, so nothing can follow it.",
    "`{code}` типа {type} не ведёт к другим ресурсам, продолжить его нельзя.",
    "`{code}` типу {type} не веде до інших ресурсів, продовжити його не можна.",
)
BAD_HAS: Final = Text(
    "`{key}` has not the form _has:Type:reference:parameter.",
    "`{key}` не имеет вида _has:Тип:ссылка:параметр.",
    "`{key}` не має вигляду _has:Тип:посилання:параметр.",
)
NOT_A_TARGET: Final = Text(
    "`{code}` of {type} does not lead to {target}.",
    "`{code}` типа {type} не ведёт к {target}.",
    "`{code}` типу {type} не веде до {target}.",
)
TOO_DEEP: Final = Text(
    "A chain may have {limit} links.",
    "В цепочке может быть не больше звеньев: {limit}.",
    "У ланцюжку може бути не більше ланок: {limit}.",
)
TOO_WIDE: Final = Text(
    "The links of this chain lead to too many types; name them, as in `subject:Patient`.",
    "Звенья этой цепочки ведут к слишком многим типам; назовите их, как в `subject:Patient`.",
    "Ланки цього ланцюжка ведуть до надто багатьох типів; назвіть їх, як у `subject:Patient`.",
)
MANY_VALUES: Final = Text(
    "One parameter may have {limit} values, {count} were given.",
    "У одного параметра может быть значений: {limit}, дано {count}.",
    "Один параметр може мати значень: {limit}, надано {count}.",
)
NOT_A_BOOLEAN: Final = Text(
    "`{value}` is neither true nor false.",
    "`{value}` — ни true, ни false.",
    "`{value}` — ні true, ні false.",
)

Build = Callable[[Scope, Asked], Parse]
"""Makes the reader of single values of a parameter."""

T = TypeVar("T")

_SHOWN: Final = 64  # characters of a refused value that its message repeats
_HAS: Final = "_has:"
_TYPES: Final = frozenset(RESOURCE_TYPES)


def _parts(scope: Scope, asked: Asked) -> Parse:
    parsers = tuple(
        _PLAIN[part.type](scope, Asked(asked.kind, part))
        for part in _components(scope, asked.parameter)
    )
    return partial(composite, asked.code, parsers)


def _token(_: Scope, asked: Asked) -> Parse:
    types = types_of(asked.kind, asked.parameter)
    if "ContactPoint" in types:
        return partial(tokens.contact, asked.code)
    if "Identifier" in types:
        return partial(tokens.identifier, asked.code)
    return partial(tokens.plain_text if types == {"string"} else tokens.token, asked.code)


def _components(scope: Scope, parameter: SearchParameter) -> Iterator[SearchParameter]:
    for each in parameter.components:
        found = scope.registry.defined(each.definition)
        if found is None:  # one of the server's own that was taken away
            raise UnknownParameter(NO_PART, code=parameter.code, url=each.definition)
        yield found


def _special(_: Scope, asked: Asked) -> Parse:
    if asked.code == "near":
        return special.near
    raise NotSupported(UNSUPPORTED, code=asked.code)


_PLAIN: Final[Mapping[SearchType, Build]] = {
    "number": lambda _, asked: partial(number, asked.code),
    "date": lambda scope, asked: partial(dates.date, asked.code, now=scope.now),
    "string": lambda _, asked: partial(strings.string, asked.code),
    "token": _token,
    "reference": lambda scope, asked: partial(references.reference, scope, asked),
    "composite": _parts,
    "quantity": lambda _, asked: partial(quantity, asked.code),
    "uri": lambda scope, asked: partial(uris.uri, scope, asked.kind, asked.code),
    "special": _special,
}

_MODIFIED: Final[Mapping[tuple[SearchType, str], Build]] = {
    ("string", "exact"): lambda _, asked: partial(strings.exact, asked.code),
    ("string", "contains"): lambda _, asked: partial(strings.contains, asked.code),
    ("token", "not"): _PLAIN["token"],
    ("token", "text"): lambda _, asked: partial(strings.display, asked.code),
    ("token", "in"): lambda scope, asked: partial(tokens.in_value_set, scope, asked.code),
    ("token", "not-in"): lambda scope, asked: partial(tokens.in_value_set, scope, asked.code),
    ("token", "above"): lambda scope, asked: partial(tokens.above, scope, asked.code),
    ("token", "below"): lambda scope, asked: partial(tokens.below, scope, asked.code),
    ("token", "of-type"): lambda _, asked: partial(tokens.of_type, asked.code),
    ("reference", "identifier"): lambda _, asked: partial(references.identifier, asked.code),
    ("reference", "above"): lambda scope, asked: partial(references.above, scope, asked),
    ("reference", "below"): lambda scope, asked: partial(references.below, scope, asked),
    ("uri", "above"): lambda _, asked: partial(uris.above, asked.code),
    ("uri", "below"): lambda _, asked: partial(uris.below, asked.code),
}

_NEEDS: Final[Mapping[str, str]] = {"of-type": "Identifier", "identifier": "Reference"}
"""Modifiers for one type alone, of those with the same search type."""

_OF_PARTS: Final = frozenset({"HumanName", "Address"})
"""Types whose parts are strings each."""

_NEGATIVE: Final = frozenset({"not", "not-in"})
"""These turn round the whole list: "the negation applies to the set"."""

#: Parameters that are not read by their search type.
_OWN: Final[Mapping[str, Build]] = {
    "_id": lambda *_: special.ids,
    "_lastUpdated": lambda scope, _: partial(dates.last_updated, now=scope.now),
    "_text": lambda _, asked: partial(word_search, asked.code),
    "_content": lambda _, asked: partial(word_search, asked.code),
}
_OWN_MODIFIERS: Final[Mapping[str, frozenset[str]]] = {"_id": frozenset({"not"})}


@dataclass(slots=True)
class Links:
    """The links of one key or filter, counted: without types they branch at each link."""

    limits: SearchLimits
    depth: int = 0
    tried: int = 0
    taken: int = 0

    def enter(self) -> None:
        """Go one link deeper.

        Raises:
            TooCostly: that is too deep.
        """
        if self.depth >= self.limits.depth:
            raise TooCostly(TOO_DEEP, limit=self.limits.depth)
        self.depth += 1

    def leave(self) -> None:
        """Come back from where the last `enter` led."""
        self.depth -= 1

    def count(self, *, tried: int = 0, taken: int = 0) -> None:
        """Count target types that are tried, and those that become a part of the plan.

        Raises:
            TooCostly: they are too many.
        """
        self.tried += tried
        self.taken += taken
        if self.tried > self.limits.branches or self.taken > self.limits.comparisons:
            raise TooCostly(TOO_WIDE)


def compiled(scope: Scope, kind: str, key: str, links: Links) -> Parse:
    """What reads the values of `key` in a search of `kind`.

    Raises:
        UnknownParameter: a parameter, modifier or type in it is unknown.
        NotSupported: it is known and not offered.
        TooCostly: it has too many links.
    """
    if key.startswith(_HAS):
        return _reverse(scope, kind, key, links)
    head, dot, rest = key.partition(".")
    if not dot:
        return _final(scope, kind, key)
    code = head.partition(":")[0]
    found = linked(scope, kind, head, links, lambda to: compiled(scope, to, rest, links))
    by = ways(kind, find(scope, kind, code))
    return lambda text: union(chained(code, to, parse(text), by) for to, parse in found)


def chained(code: str, kind: str, of: Node, by: Sequence[By]) -> Node:
    """A reference of `code` leads to a `kind` that satisfies `of`; "a chained condition will
    be evaluated inside contained resources", too."""
    chain = union(Chain(code, kind, of, each) for each in by)
    within = None if kind in NEVER_FOLLOWED else inside(of, Inside(kind, code))
    return chain if within is None else union((chain, within))


def linked(
    scope: Scope, kind: str, head: str, links: Links, follow: Callable[[str], T]
) -> list[tuple[str, T]]:
    """The types a link such as `subject` or `subject:Patient` leads to, with what `follow`
    makes of each; without a type named, those that `follow` does not refuse.

    Raises:
        UnknownParameter: the link is unknown, or what follows is unknown on every type.
        TooCostly: it is a link too many, or leads to too many types.
    """
    code, _, name = head.partition(":")
    parameter = _link(scope, kind, code)
    kinds = references.targets(parameter)
    if name and name not in kinds:
        raise UnknownParameter(NOT_A_TARGET, code=code, type=kind, target=name[:_SHOWN])
    links.enter()
    found = _followed((name,) if name else kinds, links, follow)
    links.leave()
    return found


def _followed(
    kinds: Sequence[str], links: Links, follow: Callable[[str], T]
) -> list[tuple[str, T]]:
    found, refusal = [], None
    depth = links.depth
    for to in kinds:
        links.count(tried=1)
        try:
            found.append((to, follow(to)))
        except UnknownParameter as error:
            links.depth, refusal = depth, error
    if not found and refusal is not None:
        raise refusal
    links.count(taken=len(found))
    return found


def find(scope: Scope, kind: str, code: str) -> SearchParameter:
    """The parameter `code` of `kind`.

    Raises:
        UnknownParameter: there is none, or it waits for `$reindex`.
    """
    parameter = scope.registry.find(kind, code)
    if parameter is None:
        pending = scope.registry.is_pending(kind, code)
        text = PENDING if pending else UNKNOWN_PARAMETER
        raise UnknownParameter(text, code=code[:_SHOWN], type=kind)
    return parameter


def _link(scope: Scope, kind: str, code: str) -> SearchParameter:
    parameter = find(scope, kind, code)
    if parameter.type != "reference":
        raise UnknownParameter(NO_CHAIN, code=code, type=kind)
    return parameter


def _reverse(scope: Scope, kind: str, key: str, links: Links) -> Parse:
    parts = key.split(":", 3)
    if len(parts) != 4 or parts[1] not in _TYPES:  # noqa: PLR2004  # as the form says
        raise UnknownParameter(BAD_HAS, key=key[:_SHOWN])
    _, source, code, rest = parts
    parameter = _link(scope, source, code)
    if kind not in references.targets(parameter):
        raise UnknownParameter(NOT_A_TARGET, code=code, type=source, target=kind)
    links.enter()
    parse = compiled(scope, source, rest, links)
    links.leave()
    by = ways(source, parameter)
    return lambda text: union(Has(source, code, parse(text), each) for each in by)


def _final(scope: Scope, kind: str, key: str) -> Parse:
    code, colon, modifier = key.partition(":")
    if code == "_list" and not colon:
        return special.listed
    parameter = find(scope, kind, code)
    if colon and modifier == "missing":
        return partial(_missing, presence(parameter))
    if colon and not modifier:
        raise UnknownParameter(UNKNOWN_MODIFIER, modifier="", code=code, type=kind)
    parse = of_values(scope, Asked(kind, parameter, modifier))
    return partial(_any_value, scope, parse, modifier in _NEGATIVE)


def of_values(scope: Scope, asked: Asked) -> Parse:
    """What reads single values; a negative modifier is left to the caller.

    Raises:
        UnknownParameter: the modifier is not for this parameter.
        NotSupported: the parameter is not offered.
    """
    own = _OWN.get(asked.code)
    if own is not None:
        if asked.modifier and asked.modifier not in _OWN_MODIFIERS.get(asked.code, ()):
            raise _unknown_modifier(asked)
        return own(scope, asked)
    if asked.parameter.expression is None and asked.parameter.type != "composite":
        raise NotSupported(UNSUPPORTED, code=asked.code)
    if not asked.modifier and _has_parts(asked):
        return partial(strings.of_parts, asked.code)
    if not asked.modifier:
        return _PLAIN[asked.parameter.type](scope, asked)
    types = types_of(asked.kind, asked.parameter)
    build = _MODIFIED.get((asked.parameter.type, asked.modifier))
    if build is not None and _NEEDS.get(asked.modifier) in {None, *(types or _NEEDS.values())}:
        return build(scope, asked)
    if asked.parameter.type == "reference" and asked.modifier in _TYPES:
        if asked.modifier not in references.targets(asked.parameter):
            where = {"code": asked.code, "type": asked.kind, "target": asked.modifier}
            raise UnknownParameter(NOT_A_TARGET, **where)
        return partial(references.of_type, scope, asked)
    raise _unknown_modifier(asked)


def _has_parts(asked: Asked) -> bool:
    types = types_of(asked.kind, asked.parameter)
    return asked.parameter.type == "string" and not types.isdisjoint(_OF_PARTS)


def _unknown_modifier(asked: Asked) -> UnknownParameter:
    return UnknownParameter(
        UNKNOWN_MODIFIER, modifier=asked.modifier[:_SHOWN], code=asked.code, type=asked.kind
    )


def _missing(node: Node, text: str) -> Node:
    match text:
        case "true":
            return Nothing() if isinstance(node, Everything) else Not(node)
        case "false":
            return node
        case _:
            raise BadValue(NOT_A_BOOLEAN, value=text[:_SHOWN])


def _any_value(scope: Scope, parse: Parse, negative: bool, text: str) -> Node:
    """Any value of the comma-separated `text`; with `negative`, none of them."""
    if "," in text:
        parts = [part for part in split(text, ",") if part]
        bound(len(parts), scope.limits.values)
        found = union(parse(part) for part in parts)
        if isinstance(found, Or):
            bound(len(found.of), scope.limits.comparisons)
    else:
        found = parse(text)
    return Not(found) if negative else found


def bound(count: int, limit: int) -> None:
    """Refuse more than `limit` values.

    Raises:
        TooCostly: there are more.
    """
    if count > limit:
        raise TooCostly(MANY_VALUES, limit=limit, count=count)
