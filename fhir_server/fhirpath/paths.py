"""Steps from a node to its elements, as tight as what is known of the types allows.

https://hl7.org/fhirpath/N1/#path-selection
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.core.messages import Text
from fhir_server.fhirpath.code import NOTHING, Code, Many, Present, Run, Scalar, this
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import SemanticFault
from fhir_server.fhirpath.model import (
    PRIMITIVES,
    Item,
    Kind,
    TypeName,
    body,
    by_name,
    elements,
    met,
    nodes,
    subtypes,
)
from fhir_server.fhirpath.values import system

NO_ELEMENT: Final = Text(
    "FHIRPath: {kind} has no element `{name}`.",
    "FHIRPath: у {kind} нет элемента `{name}`.",
    "FHIRPath: у {kind} немає елемента `{name}`.",
)


def leading(focus: frozenset[str] | None, name: str, *, strict: bool) -> Code:
    """The first name of a path: an element of the focus, or the focus's own type.

    Raises:
        SemanticFault: it is neither, and `strict`.
    """
    own = subtypes(name) if name[0].isupper() else frozenset()
    if focus is not None and not focus:
        return NOTHING
    if focus is None:
        return _typed_or_element(name, own) if own else step(this(None), name, strict=strict)
    if focus <= own:
        return this(focus)
    if own & focus or any(name in subtypes(each) for each in focus):
        return _only_of(own)
    if strict and own:
        raise SemanticFault(NO_ELEMENT, kind=", ".join(sorted(focus)), name=name)
    return step(this(focus), name, strict=strict)


def _only_of(own: frozenset[str]) -> Code:
    """The focus, where it is of a type that its static type leaves open."""

    def run(item: Item, _env: Environment) -> list[Item]:
        return [item] if type(item) is tuple and item[0] in own else []

    return Code(run, own, one=True)


def _typed_or_element(name: str, own: frozenset[str]) -> Code:
    """On a focus known only at run time."""
    element = step(this(None), name, strict=False).run

    def run(item: Item, env: Environment) -> list[Item]:
        return [item] if type(item) is tuple and item[0] in own else element(item, env)

    return Code(run, None, one=True)


def step(of: Code, name: str, *, strict: bool, only: TypeName | None = None) -> Code:
    """`of.name`, and of a choice perhaps `only` what is of one type.

    Raises:
        SemanticFault: no item of `of` can have that element, and `strict`.
    """
    if of.never:
        return NOTHING
    closed = of.closed
    if closed is None:
        return Code(_open_step(of.run, name))
    kinds = [kind for each in sorted(closed) for kind in elements(each).get(name, ())]
    if only is not None:
        kinds = [kind for kind in kinds if kind.type in only.fhir or kind.resource]
    elif not kinds and strict and name not in _extras(closed):
        raise SemanticFault(NO_ELEMENT, kind=", ".join(sorted(closed)), name=name)
    if not kinds:
        return NOTHING
    return _closed_step(of, name, closed, tuple(dict.fromkeys(kinds)))


def _extras(kinds: frozenset[str]) -> frozenset[str]:
    """A primitive's value, which some write out; it is the primitive itself."""
    return frozenset({"value"}) if kinds <= PRIMITIVES else frozenset()


def _closed_step(of: Code, name: str, closed: frozenset[str], kinds: tuple[Kind, ...]) -> Code:
    types = frozenset(kind.type for kind in kinds)
    one = of.one and not any(kind.many for kind in kinds)
    if len(kinds) > 1 and len(closed) == 1:
        run, present = _choice_step(of.run, kinds)
        scalar = _first_of(run) if one and types <= PRIMITIVES else None
        return Code(run, types, one=one, present_=present, scalar=scalar)
    if len(kinds) > 1 or closed & PRIMITIVES:
        table = {each: elements(each).get(name, ()) for each in closed}
        wanted = {each: tuple(k for k in found if k in kinds) for each, found in table.items()}
        run = _table_step(of.run, wanted)
        scalar = _first_of(run) if one and types <= PRIMITIVES else None
        return Code(run, types, one=one, scalar=scalar)
    kind = kinds[0]
    if kind.resource or len(closed) > 1:
        return Code(_table_step(of.run, dict.fromkeys(closed, kinds)), types, one=one)
    direct = of.run is _FOCUS.run
    run, present = _shapes(of, kind, direct=direct)
    scalar = _scalar(of, kind, direct=direct) if one and kind.primitive else None
    return Code(run, types, one=one, present_=present, scalar=scalar)


_FOCUS: Final = this(None)
_AS_WRITTEN: Final = PRIMITIVES - {"decimal", "date", "dateTime", "instant", "time"}


def _open_step(of: Run, name: str) -> Run:
    def run(item: Item, env: Environment) -> list[Item]:
        found: list[Item] = []
        for each in of(item, env):
            parent = body(each)
            if parent is not None:
                found.extend(nodes(parent, elements(each[0]).get(name, ())))
        return found

    return run


def _choice_step(of: Run, kinds: tuple[Kind, ...]) -> tuple[Run, Present]:
    """The step to an element of many types, of nodes of one type."""
    places = by_name(kinds)

    def run(item: Item, env: Environment) -> list[Item]:
        found: list[Item] = []
        for each in of(item, env):
            parent = body(each)
            if parent is not None:
                found.extend(nodes(parent, met(parent, places)))
        return found

    def present(item: Item, env: Environment) -> bool:
        return any(
            parent[name]
            for each in of(item, env)
            if (parent := body(each))
            for name in parent
            if name in places
        )

    return run, present


def _table_step(of: Run, kinds: Mapping[str, tuple[Kind, ...]]) -> Run:
    def run(item: Item, env: Environment) -> list[Item]:
        found: list[Item] = []
        for each in of(item, env):
            parent = body(each)
            if parent is not None:
                found.extend(nodes(parent, kinds.get(each[0], ())))
        return found

    return run


def _first_of(run: Run) -> Scalar:
    def scalar(item: Item, env: Environment) -> Item:
        for each in run(item, env):
            return system(each)
        return None

    return scalar


def _shapes(of: Code, kind: Kind, *, direct: bool) -> tuple[Run, Present]:
    """The step for one kind of element, from the focus itself (`direct`) or from a path."""
    if direct:
        if kind.primitive:
            return _direct_primitive(kind), _direct_primitive_present(kind)
        return (_direct_list(kind) if kind.many else _direct_object(kind)), _direct_present(
            kind
        )
    if kind.primitive:
        return _primitive(of.run, kind), _primitive_present(of.run, kind)
    return (_list(of.run, kind) if kind.many else _object(of.run, kind)), _present(of.run, kind)


def _spread(run: Run, item: Item, env: Environment) -> list[Item]:
    """A focus of several items, or of a System value, met where one node is the rule."""
    if type(item) is not Many:
        return []
    return [found for each in item for found in run(each, env)]


def _direct_object(kind: Kind) -> Run:
    name, code = kind.json, kind.type

    def run(item: Item, env: Environment) -> list[Item]:
        if type(item) is not tuple:
            return _spread(run, item, env)
        value = item[1].get(name)
        return [(code, value, None)] if type(value) is dict else []

    return run


def _direct_list(kind: Kind) -> Run:
    name, code = kind.json, kind.type

    def run(item: Item, env: Environment) -> list[Item]:
        if type(item) is not tuple:
            return _spread(run, item, env)
        values = item[1].get(name)
        if type(values) is not list:
            return []
        return [(code, value, None) for value in values if type(value) is dict]

    return run


def _direct_primitive(kind: Kind) -> Run:
    name, sibling, code, alone = kind.json, kind.sibling, kind.type, (kind,)

    def run(item: Item, env: Environment) -> list[Item]:
        if type(item) is not tuple:
            return _spread(run, item, env)
        parent = item[1]
        value = parent.get(name)
        if sibling in parent:
            return list(nodes(parent, alone))
        if type(value) is list:
            return [(code, each, None) for each in value if each is not None]
        return [] if value is None else [(code, value, None)]

    return run


def _direct_present(kind: Kind) -> Present:
    name = kind.json

    def present(item: Item, env: Environment) -> bool:
        if type(item) is not tuple:
            return any(present(each, env) for each in item) if type(item) is Many else False
        return bool(item[1].get(name))

    return present


def _direct_primitive_present(kind: Kind) -> Present:
    name, sibling = kind.json, kind.sibling

    def present(item: Item, env: Environment) -> bool:
        if type(item) is not tuple:
            return any(present(each, env) for each in item) if type(item) is Many else False
        parent = item[1]
        value = parent.get(name)
        if value is None or value == []:
            return bool(parent.get(sibling))
        return True

    return present


def _object(of: Run, kind: Kind) -> Run:
    name, code = kind.json, kind.type

    def run(item: Item, env: Environment) -> list[Item]:
        return [
            (code, value, None)
            for each in of(item, env)
            if type(value := each[1].get(name)) is dict
        ]

    return run


def _list(of: Run, kind: Kind) -> Run:
    name, code = kind.json, kind.type

    def run(item: Item, env: Environment) -> list[Item]:
        return [
            (code, value, None)
            for each in of(item, env)
            if type(values := each[1].get(name)) is list
            for value in values
            if type(value) is dict
        ]

    return run


def _primitive(of: Run, kind: Kind) -> Run:
    name, sibling, code, alone = kind.json, kind.sibling, kind.type, (kind,)

    def run(item: Item, env: Environment) -> list[Item]:
        found: list[Item] = []
        for each in of(item, env):
            parent = each[1]
            value = parent.get(name)
            if sibling in parent:
                found.extend(nodes(parent, alone))
            elif type(value) is list:
                found.extend([(code, one, None) for one in value if one is not None])
            elif value is not None:
                found.append((code, value, None))
        return found

    return run


def _present(of: Run, kind: Kind) -> Present:
    name = kind.json
    return lambda item, env: any(each[1].get(name) for each in of(item, env))


def _primitive_present(of: Run, kind: Kind) -> Present:
    present = _direct_primitive_present(kind)
    return lambda item, env: any(present(each, env) for each in of(item, env))


def _scalar(of: Code, kind: Kind, *, direct: bool) -> Scalar:
    """The System value of a primitive that occurs at most once."""
    name, code, source = kind.json, kind.type, of.run
    plain = code in _AS_WRITTEN

    def near(item: Item, env: Environment) -> Item:
        if type(item) is not tuple:
            return _only(item, env)
        value = item[1].get(name)
        return value if plain or value is None else system((code, value, None))

    def _only(item: Item, env: Environment) -> Item:
        items = item if type(item) is Many else ()
        return near(items[0], env) if len(items) == 1 else None

    def far(item: Item, env: Environment) -> Item:
        for each in source(item, env):
            value = each[1].get(name)
            return value if plain or value is None else system((code, value, None))
        return None

    return near if direct else far
