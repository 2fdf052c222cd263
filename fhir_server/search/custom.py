"""SearchParameter resources as parameters of this server: which can be taken in, which not.

https://hl7.org/fhir/R4/searchparameter.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final

from fhir_server import fhirpath
from fhir_server.core.errors import FhirError, Issue, Unprocessable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.search.index.arms import arms
from fhir_server.search.index.places import places
from fhir_server.search.index.writers import WRITERS
from fhir_server.search.registry import kinds_of
from fhir_server.spec.search_parameters import BY_URL, SearchParameter, of_type, read
from fhir_server.spec.structures import RESOURCE_TYPES

STANDARD_URL: Final = Text(
    "The URL {url} belongs to a parameter of FHIR itself, which cannot be replaced.",
    "URL {url} принадлежит параметру самого FHIR, заменить его нельзя.",
    "URL {url} належить параметру самого FHIR, замінити його не можна.",
)
BAD_CODE: Final = Text(
    "`{code}` cannot name a parameter: a letter first, then letters, digits, `-`, `_`.",
    "`{code}` не годится как имя параметра: сначала буква, дальше буквы, цифры, `-`, `_`.",
    "`{code}` не підходить як назва параметра: спершу літера, далі літери, цифри, `-`, `_`.",
)
CODE_TAKEN: Final = Text(
    "{type} has a parameter `{code}` already, defined by {url}.",
    "У {type} уже есть параметр `{code}`, его определяет {url}.",
    "У {type} уже є параметр `{code}`, його визначає {url}.",
)
BAD_BASE: Final = Text(
    "`{base}` is not a resource type.",
    "`{base}` — не тип ресурса.",
    "`{base}` — не тип ресурсу.",
)
NOT_INDEXED: Final = Text(
    "Parameters of the type `{type}` cannot be added.",
    "Параметры типа `{type}` добавить нельзя.",
    "Параметри типу `{type}` додати не можна.",
)
NO_EXPRESSION: Final = Text(
    "Without an expression there is nothing to search by.",
    "Без выражения искать не по чему.",
    "Без виразу шукати немає за чим.",
)
SELECTS_NOTHING: Final = Text(
    "The expression selects nothing in a {type}.",
    "Выражение ничего не выбирает в {type}.",
    "Вираз нічого не вибирає в {type}.",
)
NO_COMPONENTS: Final = Text(
    "A composite needs at least two components.",
    "Составному параметру нужны хотя бы два компонента.",
    "Складеному параметру потрібні щонайменше два компоненти.",
)
NO_COMPONENT: Final = Text(
    "The component {url} is not a parameter that can be a part.",
    "Компонент {url} — не параметр, который может быть частью.",
    "Компонент {url} — не параметр, який може бути частиною.",
)

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_BASES: Final = frozenset({*RESOURCE_TYPES, "Resource", "DomainResource"})
_SIMPLE: Final = frozenset(WRITERS) - {"special"}
_TYPES: Final = frozenset(RESOURCE_TYPES)
_PLAINEST: Final = "Basic"
_LEAST_COMPONENTS: Final = 2

Known = Mapping[str, SearchParameter]
"""The server's own parameters by URL, composites after what they are made of."""


def parameter_of(resource: JsonObject) -> SearchParameter | None:
    """What a valid SearchParameter resource defines; None unless it is active."""
    return read(resource) if resource.get("status") == "active" else None


def digest(parameter: SearchParameter) -> str:
    """Of all that decides about the index values: with the same, they need no `$reindex`."""
    parts = (
        parameter.code,
        parameter.type,
        sorted(parameter.base),
        parameter.expression,
        parameter.components,
    )
    return sha256(repr(parts).encode()).hexdigest()


def accepted(
    candidates: Iterable[SearchParameter], first: Known | None = None
) -> tuple[dict[str, SearchParameter], list[tuple[str, FhirError]]]:
    """The parameters that can be served together, by URL, and for the others why not.

    An earlier one wins, and those of `first` before all; composites come after what they are
    made of.
    """
    known: dict[str, SearchParameter] = dict(first or {})
    refused = []
    for each in sorted(candidates, key=lambda each: each.type == "composite"):
        try:
            check(each, known)
        except FhirError as error:
            refused.append((each.url, error))
        else:
            known[each.url] = each
    return known, refused


def check(parameter: SearchParameter, known: Known) -> None:
    """Let pass what searches can use, beside the standard's parameters and `known`.

    Raises:
        Unprocessable: with everything that stands against it.
    """
    issues = list(_issues(parameter, known))
    if issues:
        raise Unprocessable.of(issues)


def _issues(parameter: SearchParameter, known: Known) -> Iterator[Issue]:
    wrong = _of_names(parameter)
    yield from wrong
    if wrong:
        return
    yield from _of_code(parameter, known)
    if parameter.type == "composite":
        yield from _of_composite(parameter, known)
    else:
        yield from _of_expression(parameter)


def _of_names(parameter: SearchParameter) -> list[Issue]:
    found = []
    if parameter.url in BY_URL:
        found.append(_issue("business-rule", STANDARD_URL, "url", url=parameter.url))
    if not _CODE.fullmatch(parameter.code):
        found.append(_issue("value", BAD_CODE, "code", code=parameter.code[:80]))
    if parameter.type != "composite" and parameter.type not in _SIMPLE:
        found.append(_issue("not-supported", NOT_INDEXED, "type", type=parameter.type))
    if not (parameter.expression or "").strip():
        found.append(_issue("required", NO_EXPRESSION, "expression"))
    for place, base in enumerate(parameter.base):
        if base not in _BASES:
            found.append(_issue("value", BAD_BASE, f"base[{place}]", base=base[:80]))
    return found


def _of_code(parameter: SearchParameter, known: Known) -> Iterator[Issue]:
    for kind in kinds_of(parameter):
        other = of_type(kind).get(parameter.code) or _other(parameter, known, kind)
        if other is not None:
            yield _issue(
                "duplicate", CODE_TAKEN, "code", type=kind, code=parameter.code, url=other.url
            )
            return


def _other(parameter: SearchParameter, known: Known, kind: str) -> SearchParameter | None:
    for each in known.values():
        same = each.code == parameter.code and each.url != parameter.url
        if same and kind in kinds_of(each):
            return each
    return None


def _of_expression(parameter: SearchParameter) -> Iterator[Issue]:
    for kind in _checked_kinds(parameter):
        yield from _compiled(parameter.expression or "", kind, "expression")


def _checked_kinds(parameter: SearchParameter) -> list[str]:
    """Of an abstract base one type: its elements are those of all."""
    concrete = [base for base in parameter.base if base in _TYPES]
    return concrete if len(concrete) == len(parameter.base) else [*concrete, _PLAINEST]


def _compiled(expression: str, kind: str, path: str) -> Iterator[Issue]:
    try:
        found = arms(kind, expression)
        for arm in found:
            fhirpath.compile(arm, type=kind)
            fhirpath.selector(arm, kind)
    except FhirError as error:
        yield from (_moved(each, path) for each in error.issues)
        return
    if not found:
        yield _issue("value", SELECTS_NOTHING, path, type=kind)


def _of_composite(parameter: SearchParameter, known: Known) -> Iterator[Issue]:
    if len(parameter.components) < _LEAST_COMPONENTS:
        yield _issue("required", NO_COMPONENTS, "component")
        return
    wrong = list(_of_components(parameter, known))
    yield from wrong
    if wrong:
        return
    for kind in _checked_kinds(parameter):
        try:
            places(kind, [parameter], (), lambda url: _defined(url, known))
        except FhirError as error:
            yield from (_moved(each, "expression") for each in error.issues)


def _of_components(parameter: SearchParameter, known: Known) -> Iterator[Issue]:
    for place, each in enumerate(parameter.components):
        part = _defined(each.definition, known)
        if part is None or part.type not in _SIMPLE:
            path = f"component[{place}].definition"
            yield _issue("not-found", NO_COMPONENT, path, url=each.definition)


def _defined(url: str, known: Known) -> SearchParameter | None:
    return known.get(url) or BY_URL.get(url)


def _issue(issue_code: str, text: Text, path: str, **args: object) -> Issue:
    return Issue(issue_code, text, args, expression=(f"SearchParameter.{path}",))


def _moved(issue: Issue, path: str) -> Issue:
    return Issue(issue.code, issue.text, issue.args, expression=(f"SearchParameter.{path}",))
