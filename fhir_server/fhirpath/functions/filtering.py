"""Filtering, projection, subsetting and combining of collections.

https://hl7.org/fhirpath/N1/#filtering-and-projection
https://hl7.org/fhirpath/N1/#subsetting
https://hl7.org/fhirpath/N1/#combining
"""

from functools import cmp_to_key
from typing import Final

from fhir_server.fhirpath.calls import Call, Function, Table, expect, looped, over_items
from fhir_server.fhirpath.code import NOTHING, Code, Run, computed, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import SEVERAL, EvaluationFault
from fhir_server.fhirpath.model import Item
from fhir_server.fhirpath.syntax import Sign
from fhir_server.fhirpath.values import distinct, key, order, single


def where(call: Call) -> Code:
    """`where(criterion)`; with `exists(criterion)` it shares the test for presence."""
    of, kinds = call.of, call.of.kinds
    if of.never:
        return NOTHING
    source, criterion = of.run, call.each().truth

    def run(item: Item, env: Environment) -> list[Item]:
        items = source(item, env)
        env.spend(len(items))
        return [each for each in items if criterion(each, env)]

    def present(item: Item, env: Environment) -> bool:
        items = source(item, env)
        env.spend(len(items))
        return any(criterion(each, env) for each in items)

    def counted(item: Item, env: Environment) -> list[Item]:
        outer, found = env.index, []
        for at, each in enumerate(source(item, env)):
            env.index = at
            if criterion(each, env):
                found.append(each)
        env.index = outer
        return found

    if call.indexed():
        return Code(counted, kinds, one=of.one)
    return Code(run, kinds, one=of.one, present_=present)


def _select(call: Call) -> Code:
    if call.of.never:
        return NOTHING
    body = call.each()
    run = looped(call.of.run, body.run, indexed=call.indexed())
    return Code(run, body.kinds, one=call.of.one and body.one)


def _repeat(call: Call) -> Code:
    """Every item found, once: "only unique items are added"."""
    of, body = call.of.run, call.each().run

    def run(item: Item, env: Environment) -> list[Item]:
        found: dict[object, Item] = {}
        waiting = of(item, env)
        while waiting:
            env.spend(len(waiting))
            fresh: list[Item] = []
            for each in waiting:
                for one in body(each, env):
                    if (known := key(one)) not in found:
                        found[known] = one
                        fresh.append(one)
            waiting = fresh
        return list(found.values())

    return Code(run)


def _repeat_all(call: Call) -> Code:
    of, body = call.of.run, call.each().run

    def run(item: Item, env: Environment) -> list[Item]:
        found: list[Item] = []
        waiting = of(item, env)
        while waiting:
            env.spend(len(waiting) + 1)
            waiting = [one for each in waiting for one in body(each, env)]
            found += waiting
        return found

    return Code(run)


def _aggregate(call: Call) -> Code:
    """`aggregate(body, init)`.

    https://hl7.org/fhirpath/N1/#aggregates
    """
    of, body = call.of.run, call.each(0).run
    init = call.outer(1).run if len(call.args) > 1 else NOTHING.run

    def run(item: Item, env: Environment) -> list[Item]:
        outer = env.index, env.total
        items, total = of(item, env), init(item, env)
        env.spend(len(items))
        for at, each in enumerate(items):
            env.index, env.total = at, total
            total = body(each, env)
        env.index, env.total = outer
        return total

    return Code(run)


def _single(items: list[Item]) -> list[Item]:
    if len(items) > 1:
        raise EvaluationFault(SEVERAL, what="single()", count=len(items))
    return items


def _first(call: Call) -> Code:
    of = call.of
    source = of.run
    return Code(
        lambda item, env: source(item, env)[:1], of.kinds, one=True, present_=of.present
    )


def _last(call: Call) -> Code:
    of = call.of
    source = of.run
    return Code(
        lambda item, env: source(item, env)[-1:], of.kinds, one=True, present_=of.present
    )


def _whole_number(call: Call) -> Code:
    """The argument of skip and take."""
    amount = value_of(call.outer(0), call.name)

    def scalar(item: Item, env: Environment) -> Item:
        value = amount(item, env)
        if value is not None:
            expect(value, int, call.name)
        return value

    return computed(scalar, "System.Integer")


def _skip(call: Call) -> Code:
    of, amount = call.of.run, value_of(_whole_number(call), call.name)

    def run(item: Item, env: Environment) -> list[Item]:
        return of(item, env)[max(amount(item, env) or 0, 0) :]

    return Code(run, call.of.kinds, one=call.of.one)


def _take(call: Call) -> Code:
    of, amount = call.of.run, value_of(_whole_number(call), call.name)

    def run(item: Item, env: Environment) -> list[Item]:
        return of(item, env)[: max(amount(item, env) or 0, 0)]

    return Code(run, call.of.kinds, one=call.of.one)


def _intersect(call: Call) -> Code:
    of, other = call.of.run, call.outer(0).run

    def run(item: Item, env: Environment) -> list[Item]:
        wanted = {key(each) for each in other(item, env)}
        return distinct(each for each in of(item, env) if key(each) in wanted)

    return Code(run, call.of.kinds, one=call.of.one)


def _exclude(call: Call) -> Code:
    """Duplicates are kept: "this function will not eliminate duplicate items"."""
    of, other = call.of.run, call.outer(0).run

    def run(item: Item, env: Environment) -> list[Item]:
        unwanted = {key(each) for each in other(item, env)}
        return [each for each in of(item, env) if key(each) not in unwanted]

    return Code(run, call.of.kinds, one=call.of.one)


def joined_kinds(*codes: Code) -> frozenset[str] | None:
    """The types a collection of several sources can have."""
    kinds: frozenset[str] = frozenset()
    for code in codes:
        if code.kinds is None:
            return None
        kinds |= code.kinds
    return kinds


def _union(call: Call) -> Code:
    of, other = call.of, call.outer(0)
    left, right = of.run, other.run

    def run(item: Item, env: Environment) -> list[Item]:
        return distinct((*left(item, env), *right(item, env)))

    return Code(run, joined_kinds(of, other))


def _combine(call: Call) -> Code:
    of, other = call.of, call.outer(0)
    left, right = of.run, other.run

    def run(item: Item, env: Environment) -> list[Item]:
        found = [*left(item, env), *right(item, env)]
        env.spend(len(found))
        return found

    return Code(run, joined_kinds(of, other))


def _coalesce(call: Call) -> Code:
    arms = [call.outer(at) for at in range(len(call.args))]
    runs = [arm.run for arm in arms]

    def run(item: Item, env: Environment) -> list[Item]:
        return next((found for each in runs if (found := each(item, env))), [])

    return Code(run, joined_kinds(*arms))


def _sort(call: Call) -> Code:
    """`sort(-family, given.first())`: by each key in turn, what has none first."""
    of = call.of.run
    keys: list[tuple[Run, int]] = []
    for at, arg in enumerate(call.args):
        if isinstance(arg, Sign):
            keys.append((call.compiled(arg.of, "each").run, -1 if arg.sign == "-" else 1))
        else:
            keys.append((call.each(at).run, 1))
    keys = keys or [(lambda item, _env: [item], 1)]

    def run(item: Item, env: Environment) -> list[Item]:
        items = of(item, env)
        env.spend(len(items))
        rows = [([single(each(one, env), "sort") for each, _ in keys], one) for one in items]
        rows.sort(key=cmp_to_key(compare))
        return [one for _, one in rows]

    def compare(left: tuple[list[Item], Item], right: tuple[list[Item], Item]) -> int:
        for one, two, (_, sign) in zip(left[0], right[0], keys, strict=True):
            found = _order(one, two, sign)
            if found:
                return found
        return 0

    return Code(run, call.of.kinds, one=call.of.one)


def _order(one: Item, two: Item, sign: int) -> int:
    if one is None or two is None:
        return (one is not None) - (two is not None)
    difference = order(one, two, "sort")
    return sign * ((difference > 0) - (difference < 0)) if difference else 0


TABLE: Final[Table] = {
    "where": Function(where, 1, 1),
    "select": Function(_select, 1, 1),
    "repeat": Function(_repeat, 1, 1),
    "repeatAll": Function(_repeat_all, 1, 1),
    "aggregate": Function(_aggregate, 1, 2),
    "single": over_items(_single, one=True),
    "first": Function(_first),
    "last": Function(_last),
    "tail": over_items(lambda items: items[1:]),
    "skip": Function(_skip, 1, 1),
    "take": Function(_take, 1, 1),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
    "union": Function(_union, 1, 1),
    "combine": Function(_combine, 1, 2),
    "coalesce": Function(_coalesce, 1, 20),
    "distinct": over_items(distinct),
    "sort": Function(_sort, 0, 10),
}
