"""Tree navigation, utility functions and types.

https://hl7.org/fhirpath/N1/#tree-navigation
https://hl7.org/fhirpath/N1/#utility-functions
https://hl7.org/fhirpath/N1/#types
"""

from typing import Final

from fhir_server.core.messages import Text
from fhir_server.fhirpath.calls import Call, Function, Table
from fhir_server.fhirpath.code import Code, computed, condition, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import SEVERAL, EvaluationFault
from fhir_server.fhirpath.model import (
    FHIR,
    SYSTEM,
    TYPE_INFO,
    Item,
    TypeName,
    children,
    descendants,
    has_type,
    system_type,
)
from fhir_server.fhirpath.temporal import Temporal, parse_date_time
from fhir_server.spec.structures import TYPES

NO_CLOCK: Final = Text(
    "FHIRPath: the time is not known here.",
    "FHIRPath: время здесь неизвестно.",
    "FHIRPath: час тут невідомий.",
)


def _children(call: Call) -> Code:
    of = call.of.run

    def run(item: Item, env: Environment) -> list[Item]:
        found = [child for each in of(item, env) for child in children(each)]
        env.spend(len(found))
        return found

    return Code(run, unordered=True)


def _descendants(call: Call) -> Code:
    of = call.of.run

    def run(item: Item, env: Environment) -> list[Item]:
        found = [child for each in of(item, env) for child in descendants(each)]
        env.spend(len(found))
        return found

    return Code(run, unordered=True)


def _trace(call: Call) -> Code:
    """The input itself; the name and a projection go to the environment's tracer."""
    of, name = call.of, value_of(call.outer(0), call.name)
    projection = call.each(1).run if len(call.args) > 1 else None
    source = of.run

    def run(item: Item, env: Environment) -> list[Item]:
        items = source(item, env)
        shown = (
            [one for each in items for one in projection(each, env)] if projection else items
        )
        env.trace(str(name(item, env)), shown)
        return items

    return Code(run, of.kinds, one=of.one)


def _now(_: Call) -> Code:
    return computed(_moment, "System.DateTime")


def _moment(_: Item, env: Environment) -> Temporal:
    moment = parse_date_time(env.now) if env.now else None
    if moment is None:
        raise EvaluationFault(NO_CLOCK)
    return moment


def _today(_: Call) -> Code:
    def scalar(item: Item, env: Environment) -> Temporal:
        return Temporal("Date", _moment(item, env).parts[:3])

    return computed(scalar, "System.Date")


def _time_of_day(_: Call) -> Code:
    def scalar(item: Item, env: Environment) -> Temporal:
        return Temporal("Time", (0, 0, 0, *_moment(item, env).parts[3:]))

    return computed(scalar, "System.Time")


# --- types


def of_type(of: Code, wanted: TypeName) -> Code:
    """The items of a type: `as` and `ofType` alike, so that several items never are a fault.

    N1 lets `as` refuse several items; R4's own search parameters and dom-3 use it on them
    (https://hl7.org/fhir/R4/fhirpath.html#simple, "as … on a collection with multiple items").
    """
    source, fhir, own = of.run, wanted.fhir, wanted.system
    kinds = fhir | ({f"{SYSTEM}.{own}"} if own else set())

    def run(item: Item, env: Environment) -> list[Item]:
        return [each for each in source(item, env) if has_type(each, wanted)]

    def nodes_only(item: Item, env: Environment) -> list[Item]:
        return [each for each in source(item, env) if type(each) is tuple and each[0] in fhir]

    known = of.closed
    kept = kinds if known is None else known & kinds
    return Code(run if own else nodes_only, kept or frozenset(kinds), one=of.one)


def is_type(of: Code, wanted: TypeName) -> Code:
    """`is`: of a single item."""
    source = of.run

    def truth(item: Item, env: Environment) -> bool | None:
        items = source(item, env)
        if len(items) > 1:
            raise EvaluationFault(SEVERAL, what="is", count=len(items))
        return has_type(items[0], wanted) if items else None

    return condition(truth)


def _is(call: Call) -> Code:
    return is_type(call.of, call.named_type(call.args[0]))


def _type(call: Call) -> Code:
    """What each item is, as a structure with `namespace` and `name`."""
    of = call.of.run

    def run(item: Item, env: Environment) -> list[Item]:
        return [(TYPE_INFO, _info(each), None) for each in of(item, env)]

    return Code(run, frozenset({TYPE_INFO}), one=call.of.one)


def _info(item: Item) -> dict[str, str]:
    if type(item) is not tuple:
        return {"namespace": SYSTEM, "name": system_type(item)}
    definition = TYPES.get(item[0])
    backbone = definition is not None and definition.kind == "backbone"
    return {
        "namespace": FHIR,
        "name": str(definition and definition.base) if backbone else item[0],
    }


TABLE: Final[Table] = {
    "children": Function(_children),
    "descendants": Function(_descendants),
    "trace": Function(_trace, 1, 2),
    "now": Function(_now),
    "today": Function(_today),
    "timeOfDay": Function(_time_of_day),
    "is": Function(_is, 1, 1),
    "type": Function(_type),
}
