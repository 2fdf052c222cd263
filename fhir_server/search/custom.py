"""SearchParameter resources that clients post, as parameters this server can index.

https://hl7.org/fhir/R4/searchparameter.html
"""

import re
from collections.abc import Iterator
from typing import Final

from fhir_server.core.errors import FhirError, Issue, Unprocessable
from fhir_server.core.messages import Text
from fhir_server.core.types import JsonObject
from fhir_server.search.index.compiling import rows
from fhir_server.search.index.places import places
from fhir_server.search.registry import Registry, kinds_of
from fhir_server.spec.search_parameters import SearchParameter, read
from fhir_server.spec.structures import RESOURCE_TYPES

BAD_CODE: Final = Text(
    "`{code}` cannot be the code of a search parameter here: it takes letters, digits and "
    "hyphens, and begins with a letter.",
    "`{code}` не может быть кодом параметра поиска: допустимы буквы, цифры и дефис, первой "
    "стоит буква.",
    "`{code}` не може бути кодом параметра пошуку: дозволено літери, цифри й дефіс, першою "
    "є літера.",
)
NO_EXPRESSION: Final = Text(
    "A search parameter without an expression cannot be indexed.",
    "Параметр поиска без выражения нельзя проиндексировать.",
    "Параметр пошуку без виразу неможливо проіндексувати.",
)
SPECIAL_TYPE: Final = Text(
    "Search parameters of type `special` cannot be added.",
    "Параметры поиска типа `special` добавить нельзя.",
    "Параметри пошуку типу `special` додати неможливо.",
)
UNKNOWN_BASE: Final = Text(
    "There is no resource type `{type}` in FHIR R4.",
    "В FHIR R4 нет типа ресурса `{type}`.",
    "У FHIR R4 немає типу ресурсу `{type}`.",
)

#: What a search key and an index key can carry: no `:`, `.`, `|`, `=`, and none of the
#: standard's own names, which begin with `_`.
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9\-]{0,63}", re.ASCII)
_BASES: Final = frozenset({*RESOURCE_TYPES, "Resource", "DomainResource"})
_SHOWN: Final = 64  # characters of a refused value that its message repeats


def custom_parameter(resource: JsonObject, registry: Registry) -> SearchParameter:
    """A valid SearchParameter `resource` as the parameter that it defines.

    Raises:
        Unprocessable: it cannot be indexed; with every problem found.
        Conflict: `registry` has another one with its code.
    """
    problems = list(_problems(resource))
    if problems:
        raise Unprocessable.of(problems)
    parameter = read(resource)
    registry.refuse_taken(parameter)
    for kind in kinds_of(parameter):
        try:
            rows(kind, [parameter], ())
            places(kind, [parameter], (), registry.defined)
        except FhirError as error:
            raise Unprocessable.of(error.at("SearchParameter.expression").issues) from error
    return parameter


def _problems(resource: JsonObject) -> Iterator[Issue]:
    code = resource["code"]
    if not _CODE.fullmatch(code):
        yield _issue(BAD_CODE, "code", code=code[:_SHOWN])
    for base in resource["base"]:
        if base not in _BASES:
            yield _issue(UNKNOWN_BASE, "base", type=base[:_SHOWN])
    if resource["type"] == "special":
        yield _issue(SPECIAL_TYPE, "type")
    elif "expression" not in resource:
        yield _issue(NO_EXPRESSION, "expression")


def _issue(text: Text, element: str, **args: object) -> Issue:
    return Issue("not-supported", text, args, "error", (f"SearchParameter.{element}",))
