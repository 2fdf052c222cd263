"""Existence: exists, all, count, distinct and their kin.

https://hl7.org/fhirpath/N1/#existence
"""

from collections.abc import Callable
from typing import Final

from fhir_server.fhirpath.calls import Call, Function, Table, misfit
from fhir_server.fhirpath.code import Code, Run, computed, condition
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.functions.filtering import where
from fhir_server.fhirpath.model import PRIMITIVES, Item
from fhir_server.fhirpath.values import key, system


def _empty(call: Call) -> Code:
    present = call.of.present
    return condition(lambda item, env: not present(item, env))


def _exists(call: Call) -> Code:
    of = where(call) if call.args else call.of
    return condition(of.present)


def _not(call: Call) -> Code:
    truth = call.of.truth

    def negated(item: Item, env: Environment) -> bool | None:
        value = truth(item, env)
        return None if value is None else not value

    return condition(negated)


def _all(call: Call) -> Code:
    of, criterion = call.of.run, call.each().truth

    def truth(item: Item, env: Environment) -> bool:
        items = of(item, env)
        env.spend(len(items))
        return all(criterion(each, env) for each in items)

    def counted(item: Item, env: Environment) -> bool:
        outer, result = env.index, True
        for at, each in enumerate(of(item, env)):
            env.index = at
            if not criterion(each, env):
                result = False
                break
        env.index = outer
        return result

    return condition(counted if call.indexed() else truth)


def _booleans(judge: Callable[[list[bool]], bool]) -> Function:
    """AllTrue and its kin: the input must be booleans."""

    def build(call: Call) -> Code:
        of = call.of.run

        def truth(item: Item, env: Environment) -> bool:
            values = [system(each) for each in of(item, env)]
            for value in values:
                if value is not True and value is not False:
                    raise misfit(value, call.name)
            return judge(values)

        return condition(truth)

    return Function(build)


def _count(call: Call) -> Code:
    of = call.of.run
    return computed(lambda item, env: len(of(item, env)), "System.Integer")


def _keys(run: Run, item: Item, env: Environment) -> set[object]:
    return {key(each) for each in run(item, env)}


def _subset_of(call: Call) -> Code:
    of, other = call.of.run, call.outer(0).run
    return condition(lambda item, env: _keys(of, item, env) <= _keys(other, item, env))


def _superset_of(call: Call) -> Code:
    of, other = call.of.run, call.outer(0).run
    return condition(lambda item, env: _keys(of, item, env) >= _keys(other, item, env))


def _is_distinct(call: Call) -> Code:
    of = call.of.run

    def truth(item: Item, env: Environment) -> bool:
        items = of(item, env)
        return len(items) == len({key(each) for each in items})

    return condition(truth)


def _has_value(call: Call) -> Code:
    of = call.of.run

    def truth(item: Item, env: Environment) -> bool:
        items = of(item, env)
        if len(items) != 1:
            return False
        return _value(items[0]) is not None

    return condition(truth)


def _value(item: Item) -> Item:
    """The value of a primitive; a Quantity is not one."""
    complex_ = type(item) is tuple and item[0] not in PRIMITIVES
    return None if complex_ else system(item)


def _get_value(call: Call) -> Code:
    of = call.of.run

    def scalar(item: Item, env: Environment) -> Item:
        items = of(item, env)
        return _value(items[0]) if len(items) == 1 else None

    return computed(scalar)


TABLE: Final[Table] = {
    "empty": Function(_empty),
    "exists": Function(_exists, 0, 1),
    "not": Function(_not),
    "all": Function(_all, 1, 1),
    "allTrue": _booleans(all),
    "anyTrue": _booleans(any),
    "allFalse": _booleans(lambda values: not any(values)),
    "anyFalse": _booleans(lambda values: not all(values)),
    "count": Function(_count),
    "subsetOf": Function(_subset_of, 1, 1),
    "supersetOf": Function(_superset_of, 1, 1),
    "isDistinct": Function(_is_distinct),
    "hasValue": Function(_has_value),
    "getValue": Function(_get_value),
}
