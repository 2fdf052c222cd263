"""What FHIR adds to FHIRPath.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from collections.abc import Callable
from typing import Final

from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.fhirpath.calls import Call, Function, Table, expect, misfit
from fhir_server.fhirpath.code import Code, condition
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import EvaluationFault
from fhir_server.fhirpath.model import Item, Node, body, resource_type
from fhir_server.fhirpath.narrative import is_narrative
from fhir_server.fhirpath.values import system
from fhir_server.spec.structures import TYPES, is_a

UNKNOWN_PROFILE: Final = Text(
    "FHIRPath: the profile `{url}` is not known.",
    "FHIRPath: профиль `{url}` неизвестен.",
    "FHIRPath: профіль `{url}` невідомий.",
)
UNKNOWN_VALUE_SET: Final = Text(
    "FHIRPath: the value set `{url}` is not known.",
    "FHIRPath: набор значений `{url}` неизвестен.",
    "FHIRPath: набір значень `{url}` невідомий.",
)

UNKNOWN_MODIFIER: Final = Text(
    "FHIRPath: the modifier extension `{url}` changes the meaning in an unknown way.",
    "FHIRPath: модифицирующее расширение `{url}` меняет смысл неизвестным образом.",
    "FHIRPath: модифікувальне розширення `{url}` змінює зміст невідомим чином.",
)

BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
_EXTENSION: Final = frozenset({"Extension"})


def _extensions(item: Item, url: Item) -> list[JsonObject]:
    parent = body(item)
    found = parent.get("extension") if parent else None
    return [e for e in found if type(e) is dict and e.get("url") == url] if found else []


def _extension(call: Call) -> Code:
    of, (url,) = call.of.run, call.scalars()

    def run(item: Item, env: Environment) -> list[Item]:
        wanted = url(item, env)
        return [
            ("Extension", found, None)
            for each in of(item, env)
            for found in _extensions(each, wanted)
        ]

    return Code(run, _EXTENSION)


def _has_extension(call: Call) -> Code:
    return condition(_extension(call).present)


# --- references


def contained(env: Environment, fragment: str) -> Node | None:
    """The resource that `#id` means: the container for `#`, or one it contains."""
    if fragment == "#":
        return env.root_resource
    if env.inside is None:
        env.inside = _by_id(env.root_resource) | _by_id(env.resource)
    return env.inside.get(fragment[1:])


def _by_id(holder: Node | None) -> dict[str, Node]:
    """The resources that `holder` contains; the first of one id counts."""
    rows = holder[1].get("contained") if holder else None
    if type(rows) is not list:
        return {}
    return {
        each["id"]: (resource_type(each, "Resource"), each, None)
        for each in reversed(rows)
        if type(each) is dict and type(each.get("id")) is str
    }


def _in_bundle(env: Environment, reference: str) -> Node | None:
    """The entry of the Bundle around that the reference names."""
    root = env.root_resource
    if root is None or root[0] != "Bundle":
        return None
    for entry in root[1].get("entry", ()):
        full_url, found = entry.get("fullUrl", ""), entry.get("resource")
        if type(found) is dict and (
            full_url == reference or full_url.endswith("/" + reference)
        ):
            return (resource_type(found, "Resource"), found, None)
    return None


def _resolved(item: Item, env: Environment) -> Node | None:
    reference: JsonObject
    if type(item) is tuple and item[0] == "Reference":
        reference = item[1]
    else:
        reference = {"reference": system(item)}
    text = reference.get("reference")
    if type(text) is str and text.startswith("#"):
        return contained(env, text)
    found = _in_bundle(env, text) if type(text) is str else None
    return found or env.resolve(reference)


def _resolve(call: Call) -> Code:
    """The resources that references, or uris, lead to; what leads nowhere is left out."""
    of = call.of.run

    def run(item: Item, env: Environment) -> list[Item]:
        found = (_resolved(each, env) for each in of(item, env))
        return [each for each in found if each is not None]

    return Code(run, None, one=call.of.one)


# --- hooks


def _asked(
    ask: Callable[[Environment, str, Item], bool | None], unknown: Text
) -> Callable[[Call], Code]:
    """A question about one item and a canonical, answered by the environment."""

    def build(call: Call) -> Code:
        of, (url,) = call.of.run, call.scalars()

        def truth(item: Item, env: Environment) -> bool | None:
            items, canonical = of(item, env), url(item, env)
            if not items or canonical is None:
                return None
            expect(canonical, str, call.name)
            if len(items) > 1:
                raise misfit(items[1], call.name)
            answer = ask(env, canonical, items[0])
            if answer is None:
                raise EvaluationFault(unknown, url=canonical[:200])
            return answer

        return condition(truth)

    return build


def _conforms(env: Environment, url: str, item: Item) -> bool | None:
    """A base definition is the type itself; a profile is the environment's to know."""
    name = url.removeprefix(BASE)
    if url.startswith(BASE) and name in TYPES:
        return type(item) is tuple and is_a(item[0], name)
    return env.conforms_to(url, item)


def _member(env: Environment, url: str, item: Item) -> bool | None:
    node: Node = item if type(item) is tuple else ("string", item, None)
    return env.member_of(url, node)


def _html_checks(call: Call) -> Code:
    of = call.of.run

    def truth(item: Item, env: Environment) -> bool | None:
        items = of(item, env)
        return all(is_narrative(system(each)) for each in items) if items else None

    return condition(truth)


# --- codes and modifiers


def _related(*, down: bool) -> Function:
    """What subsumes and subsumedBy have in common; `down`: the input is the wider code."""

    def build(call: Call) -> Code:
        of, other = call.of.run, call.outer(0).run

        def truth(item: Item, env: Environment) -> bool | None:
            mine, theirs = of(item, env), other(item, env)
            if len(mine) != 1 or len(theirs) != 1:
                return None
            above, below = (mine[0], theirs[0]) if down else (theirs[0], mine[0])
            return env.subsumes(_code_node(above), _code_node(below))

        return condition(truth)

    return Function(build, 1, 1)


def _code_node(item: Item) -> Node:
    return item if type(item) is tuple else ("code", item, None)


def _check_modifiers(call: Call) -> Code:
    """The input, unless it has a modifier extension that the arguments do not name."""
    of, urls = call.of, call.scalars()
    source = of.run

    def run(item: Item, env: Environment) -> list[Item]:
        items, known = source(item, env), {url(item, env) for url in urls}
        for each in items:
            for found in (body(each) or {}).get("modifierExtension", ()):
                if found.get("url") not in known:
                    raise EvaluationFault(UNKNOWN_MODIFIER, url=str(found.get("url"))[:200])
        return items

    return Code(run, of.kinds, one=of.one)


TABLE: Final[Table] = {
    "subsumes": _related(down=True),
    "subsumedBy": _related(down=False),
    "checkModifiers": Function(_check_modifiers, 0, 20),
    "extension": Function(_extension, 1, 1),
    "hasExtension": Function(_has_extension, 1, 1),
    "resolve": Function(_resolve),
    "conformsTo": Function(_asked(_conforms, UNKNOWN_PROFILE), 1, 1),
    "memberOf": Function(_asked(_member, UNKNOWN_VALUE_SET), 1, 1),
    "htmlChecks": Function(_html_checks),
}
