"""Reference values: an id, `Type/id`, a URL or a canonical, and the modifiers on them.

https://hl7.org/fhir/R4/search.html#reference
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.core.errors import BadValue, NotSupported
from fhir_server.core.messages import Text
from fhir_server.core.paths import ID
from fhir_server.core.references import Reference, parse, split_canonical
from fhir_server.search import keys, tokens
from fhir_server.search.elements import types_of
from fhir_server.search.escapes import unescape
from fhir_server.search.patients import single_patient_parameters
from fhir_server.search.plan import Chain, Has, Ids, Keys, Node, Nothing, Or, Patient, Prefix
from fhir_server.search.scope import Asked, Scope
from fhir_server.spec.search_parameters import SearchParameter
from fhir_server.spec.structures import RESOURCE_TYPES

BAD_REFERENCE: Final = Text(
    "`{value}` is not a reference: expected an id, Type/id or a URL.",
    "`{value}` — не ссылка: ожидается id, Тип/id или URL.",
    "`{value}` — не посилання: очікується id, Тип/id або URL.",
)
NO_HIERARCHY: Final = Text(
    "`{code}` does not lead into a hierarchy; `:{modifier}` cannot be used on it.",
    "`{code}` не ведёт в иерархию; `:{modifier}` к нему не применим.",
    "`{code}` не веде до ієрархії; `:{modifier}` до нього не застосовний.",
)

#: Type -> its parameter that leads to the parent of the same type ("a strict hierarchy").
PARENTS: Final = {
    "Communication": "part-of",
    "Encounter": "part-of",
    "Location": "partof",
    "Organization": "partof",
    "Procedure": "part-of",
    "ResearchStudy": "partof",
    "Task": "part-of",
}

_GENERATIONS: Final = 5  # links up or down; each is a query of its own
_SHOWN: Final = 64  # characters of a refused value that its message repeats
_EVERY_TYPE: Final = frozenset(RESOURCE_TYPES)


def targets(parameter: SearchParameter) -> tuple[str, ...]:
    """The types `parameter` may lead to.

    "When using the patient search parameter, there is no need to specify :Patient."
    """
    if parameter.code == "patient" and "Patient" in parameter.targets:
        return ("Patient",)
    return parameter.targets or RESOURCE_TYPES


def reference(scope: Scope, asked: Asked, text: str) -> Node:
    """A reference to what `text` names.

    Raises:
        BadValue: it names nothing.
    """
    value = unescape(text)
    found = parse(value, *scope.bases)
    if found.kind == "local":
        return _to(asked, (found.target,))
    if found.kind == "other" and ID.fullmatch(value):
        return _to(asked, [f"{kind}/{value}" for kind in _types(asked)])
    if found.kind != "contained" and ("/" in value or ":" in value):
        return _elsewhere(asked, found)
    raise BadValue(BAD_REFERENCE, value=value[:_SHOWN])


def of_type(scope: Scope, asked: Asked, text: str) -> Node:
    """`:[type]`: only references to that type; `text` is an id, or names the type again.

    Raises:
        BadValue: it is neither.
    """
    value = unescape(text)
    found = parse(value, *scope.bases)
    if found.kind == "local":
        same = found.type == asked.modifier
        return _to(asked, (found.target,)) if same else Nothing()
    if ID.fullmatch(value):
        return _to(asked, (f"{asked.modifier}/{value}",))
    raise BadValue(BAD_REFERENCE, value=value[:_SHOWN])


def identifier(code: str, text: str) -> Node:
    """`:identifier`: a reference by `Reference.identifier`, as a token."""
    return tokens.identifier(f"{code}:identifier", text)


def below(scope: Scope, asked: Asked, text: str) -> Node:
    """Into a hierarchy: to `text` or anything under it; of a canonical: any version that
    begins so.

    Raises:
        NotSupported: there is no hierarchy.
    """
    if _is_canonical(asked):
        return _versions(asked.code, unescape(text))
    kind, parent = _hierarchy(asked)
    found = ids = _ids(scope, kind, text)
    for _ in range(_GENERATIONS):
        found = Or((ids, Chain(parent, kind, found)))
    return Chain(asked.code, kind, found)


def above(scope: Scope, asked: Asked, text: str) -> Node:
    """Into a hierarchy: to `text` or anything it is a part of.

    Raises:
        NotSupported: there is no hierarchy.
    """
    kind, parent = _hierarchy(asked)
    found = ids = _ids(scope, kind, text)
    for _ in range(_GENERATIONS):
        found = Or((ids, Has(kind, parent, found)))
    return Chain(asked.code, kind, found)


def _hierarchy(asked: Asked) -> tuple[str, str]:
    for kind in targets(asked.parameter):
        if PARENTS.get(kind):
            return kind, PARENTS[kind]
    raise NotSupported(NO_HIERARCHY, code=asked.code, modifier=asked.modifier)


def _ids(scope: Scope, kind: str, text: str) -> Node:
    value = unescape(text)
    found = parse(value, *scope.bases)
    if found.kind == "local" and found.id is not None:
        return Ids((found.id,)) if found.type == kind else Nothing()
    if ID.fullmatch(value):
        return Ids((value,))
    raise BadValue(BAD_REFERENCE, value=value[:_SHOWN])


def _types(asked: Asked) -> Iterable[str]:
    return targets(asked.parameter)


def _to(asked: Asked, found: Iterable[str]) -> Node:
    """Instances of this server, as `Type/id`."""
    local = tuple(found)
    if len(local) == 1 and _is_patient(asked):
        kind, _, id_ = local[0].partition("/")
        if kind == "Patient":
            return Patient(id_)
    return Keys("references", tuple(keys.reference(asked.code, each) for each in local))


def _is_patient(asked: Asked) -> bool:
    # A parameter that was added under such a code is another one; the registry forbids it.
    return asked.code in single_patient_parameters(asked.kind)


def _elsewhere(asked: Asked, found: Reference) -> Node:
    """On another server, by URN, or no RESTful URL; a canonical may look like any."""
    key = keys.reference(asked.code, found.target)
    return Or((Keys("references", (key,)), _canonical(asked.code, found.target)))


def _canonical(code: str, value: str) -> Node:
    return Keys("uris", (keys.uri(code, value),))


def _is_canonical(asked: Asked) -> bool:
    return not types_of(asked.kind, asked.parameter).isdisjoint({"canonical", "uri"})


def _versions(code: str, value: str) -> Node:
    url, version = split_canonical(value)
    if version is None:
        return _canonical(code, url)  # the index has every canonical without version, too
    whole = f"{url}|{version}"
    return Or((_canonical(code, whole), Prefix("uris", keys.uri(code, f"{whole}."))))
