"""A syntax tree as closures, checked against the types of FHIR on the way.

https://hl7.org/fhirpath/N1/#expressions
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from fhir_server.core.messages import Text
from fhir_server.fhirpath.calls import Call as FunctionCall
from fhir_server.fhirpath.calls import Table, refuse_unordered
from fhir_server.fhirpath.code import (
    NOTHING,
    Code,
    Many,
    Run,
    computed,
    literal,
    this,
    value_of,
)
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import MISFIT, EvaluationFault, SemanticFault
from fhir_server.fhirpath.functions import (
    conversion,
    existence,
    fhir,
    filtering,
    numbers,
    strings,
    tree,
)
from fhir_server.fhirpath.functions.tree import is_type, of_type
from fhir_server.fhirpath.model import Item, TypeName, elements, system_type, type_name
from fhir_server.fhirpath.operators import OPERATORS, signed, union
from fhir_server.fhirpath.paths import leading, step
from fhir_server.fhirpath.syntax import (
    Binary,
    Call,
    Constant,
    Counter,
    Index,
    Literal,
    Member,
    Sign,
    This,
    Tree,
    TypeTest,
    Union,
    qualified_name,
)

NO_FUNCTION: Final = Text(
    "FHIRPath: there is no function `{name}` with {count} arguments.",
    "FHIRPath: нет функции `{name}` с числом аргументов {count}.",
    "FHIRPath: немає функції `{name}` із кількістю аргументів {count}.",
)
NO_TYPE: Final = Text(
    "FHIRPath: there is no type `{name}`.",
    "FHIRPath: нет типа `{name}`.",
    "FHIRPath: немає типу `{name}`.",
)
NO_VARIABLE: Final = Text(
    "FHIRPath: `%{name}` is not defined here.",
    "FHIRPath: `%{name}` здесь не определено.",
    "FHIRPath: `%{name}` тут не визначено.",
)
DEFINED_TWICE: Final = Text(
    "FHIRPath: `%{name}` is already defined.",
    "FHIRPath: `%{name}` уже определено.",
    "FHIRPath: `%{name}` уже визначено.",
)
NOT_WRITTEN_OUT: Final = Text(
    "FHIRPath: the name of a variable must be written out.",
    "FHIRPath: имя переменной должно быть записано явно.",
    "FHIRPath: назву змінної треба записати явно.",
)

FUNCTIONS: Final[Table] = {
    **existence.TABLE,
    **filtering.TABLE,
    **conversion.TABLE,
    **strings.TABLE,
    **numbers.TABLE,
    **tree.TABLE,
    **fhir.TABLE,
}
CONSTANTS: Final[Mapping[str, str]] = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
PREFIXES: Final[Mapping[str, str]] = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}
_DEFINE: Final = "defineVariable"
_COUNTING: Final = ("first", "last", "skip", "tail", "take")
_CASTS: Final = ("as", "ofType")
_STEADY: Final = ("first", "last", "tail")
"""Functions without arguments that follow from their input alone."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a part of an expression stands."""

    kinds: frozenset[str] | None
    """What `$this` can be."""
    strict: bool
    """Whether a name that no element has is refused."""
    variables: Mapping[str, Code] = field(default_factory=dict)
    """Those defined before it in its chain, as code that reads them."""

    def over(self, kinds: frozenset[str] | None) -> "Scope":
        return replace(self, kinds=kinds)


def build(part: Tree, scope: Scope) -> Code:
    """Compile `part`, for a focus as `scope` says.

    Raises:
        SemanticFault: it names something that does not exist.
    """
    code = _build(part, scope)[0]
    return _remembered(code) if _is_steady(part) else code


def _is_steady(part: Tree) -> bool:
    """Whether it is a path from `%resource` or its kin, the same for every item of a loop."""
    steps = 0
    while isinstance(part, Member) or (isinstance(part, Call) and part.name in _STEADY):
        part, steps = part.of, steps + 1
    return steps > 1 and isinstance(part, Constant) and part.name in _SURROUNDINGS


def _remembered(code: Code) -> Code:
    """`code`, run once an evaluation: a loop over n items would run it n times over as many."""
    source, key = code.run, object()

    def run(item: Item, env: Environment) -> list[Item]:
        found: list[Item] | None = env.known.get(key)
        if found is None:
            found = env.known[key] = source(item, env)
        return found

    return Code(run, code.kinds, one=code.one, unordered=code.unordered)


def _build(part: Tree, scope: Scope) -> tuple[Code, Scope]:
    """The code, and the scope of what follows it in the same chain."""
    match part:
        case Member():
            return _member(part, scope)
        case Call():
            return _call(part, scope)
        case Index(of, at):
            code, after = _build(of, scope)
            refuse_unordered(code, "[]", strict=scope.strict)
            return _indexed(code, build(at, scope)), after
        case TypeTest("as", of, name):
            return _narrowed(of, _type(name), scope)
        case _:
            return _operation(part, scope), scope


def _operation(
    part: Literal | This | Counter | Constant | Sign | Binary | Union | TypeTest, scope: Scope
) -> Code:
    match part:
        case Literal(value):
            return NOTHING if value is None else literal(value, f"System.{system_type(value)}")
        case This():
            return this(scope.kinds)
        case Counter(name):
            return _counter(name)
        case Constant(name):
            return _constant(name, scope)
        case Sign(sign, of):
            return signed(sign, build(of, scope))
        case Binary(operator, left, right):
            return OPERATORS[operator](build(left, scope), build(right, scope))
        case Union(arms):
            return union([build(arm, scope) for arm in arms])
        case TypeTest(_, of, name):
            return is_type(build(of, scope), _type(name))
        case _:
            assert_never(part)


def _type(name: str) -> TypeName:
    found = type_name(name)
    if found is None:
        raise SemanticFault(NO_TYPE, name=name)
    return found


def _named_type(part: Tree) -> TypeName:
    """The type that an argument names."""
    return _type(qualified_name(part) or "?")


def _counter(name: str) -> Code:
    if name == "$index":
        return computed(lambda _item, env: env.index, "System.Integer")
    return Code(lambda _item, env: env.total)


# --- paths


def _member(part: Member, scope: Scope) -> tuple[Code, Scope]:
    source, after = (this(scope.kinds), scope) if part.leading else _build(part.of, scope)
    return _step_from(source, part, scope), after


def _step_from(source: Code, part: Member, scope: Scope) -> Code:
    if part.leading:
        return leading(scope.kinds, part.name, strict=scope.strict)
    return step(source, part.name, strict=scope.strict)


def _narrowed(of: Tree, wanted: TypeName, scope: Scope) -> tuple[Code, Scope]:
    """`of as wanted`; of a choice, only that one is read."""
    if not isinstance(of, Member):
        code, after = _build(of, scope)
        return (NOTHING if code.never else of_type(code, wanted)), after
    source, after = (this(scope.kinds), scope) if of.leading else _build(of.of, scope)
    if wanted.fhir and source.closed and any(of.name in elements(k) for k in source.closed):
        chosen = step(source, of.name, strict=False, only=wanted)
        if chosen.kinds is not None and chosen.kinds <= wanted.fhir:
            return chosen, after
    code = _step_from(source, of, scope)
    return (NOTHING if code.never else of_type(code, wanted)), after


def _indexed(of: Code, at: Code) -> Code:
    source, place = of.run, value_of(at, "[]")

    def run(item: Item, env: Environment) -> list[Item]:
        number = place(item, env)
        if number is None:
            return []
        if type(number) is not int:
            raise EvaluationFault(MISFIT, what="[]", kind=system_type(number))
        return source(item, env)[number : number + 1] if number >= 0 else []

    return Code(run, of.kinds, one=True)


# --- functions


def _call(part: Call, scope: Scope) -> tuple[Code, Scope]:
    if part.name == _DEFINE:
        return _defined(part, scope)
    if part.name in _CASTS and len(part.args) == 1:
        return _narrowed(part.of, _named_type(part.args[0]), scope)
    function = FUNCTIONS.get(part.name)
    if function is None or not function.least <= len(part.args) <= function.most:
        raise SemanticFault(NO_FUNCTION, name=part.name, count=len(part.args))
    of, after = _build(part.of, scope)
    if part.name in _COUNTING:
        refuse_unordered(of, f"{part.name}()", strict=scope.strict)

    def compiled(arg: Tree, focus: str) -> Code:
        return build(arg, after if focus == "outer" else after.over(of.kinds))

    call = FunctionCall(part.name, of, part.args, compiled, _named_type, scope.strict)
    return function.build(call), after


# --- variables


def _constant(name: str, scope: Scope) -> Code:
    if name in scope.variables:
        return scope.variables[name]
    if name in _SURROUNDINGS:
        return _SURROUNDINGS[name]
    if name in CONSTANTS:
        return literal(CONSTANTS[name], "System.String")
    for prefix, base in PREFIXES.items():
        if name.startswith(prefix):
            return literal(base + name.removeprefix(prefix), "System.String")
    return Code(_given(name))


def _given(name: str) -> Run:
    """A variable of the environment."""

    def run(_: Item, env: Environment) -> list[Item]:
        if name not in env.variables:
            raise EvaluationFault(NO_VARIABLE, name=name)
        value = env.variables[name]
        return value if type(value) is list else [value]

    return run


def _around(name: str) -> Code:
    def run(_: Item, env: Environment) -> list[Item]:
        node = getattr(env, name)
        return [] if node is None else [node]

    return Code(run, None, one=True)


_SURROUNDINGS: Final[Mapping[str, Code]] = {
    "context": _around("context"),
    "resource": _around("resource"),
    "rootResource": _around("root_resource"),
}


def _defined(part: Call, scope: Scope) -> tuple[Code, Scope]:
    """`defineVariable(name, value)`: gives its input; `%name` is known to what follows.

    https://build.fhir.org/ig/HL7/FHIRPath/#definevariablename-string--expr-expression
    """
    of, after = _build(part.of, scope)
    match part.args:
        case (Literal(str() as name),):
            value = this(of.kinds)
        case (Literal(str() as name), expression):
            value = build(expression, after.over(of.kinds))
        case _:
            raise SemanticFault(NOT_WRITTEN_OUT)
    if name in after.variables or name in _SURROUNDINGS or name in CONSTANTS:
        raise SemanticFault(DEFINED_TWICE, name=name)
    slot = f"${name}"  # no name a caller can give
    source, evaluate = of.run, value.run

    def run(item: Item, env: Environment) -> list[Item]:
        items = source(item, env)
        env.variables[slot] = evaluate(Many(items), env)
        return items

    known = Code(lambda _item, env: env.variables[slot], value.kinds)
    variables = {**after.variables, name: known}
    return Code(run, of.kinds, one=of.one), replace(after, variables=variables)
