"""National numbers that cannot be right: a digit was lost or mistyped on the way.

Looked at are the identifiers of a resource and of what it contains; an identifier inside a
reference is whatever another system said.

https://hl7.org/fhir/R4/datatypes.html#Identifier
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fhir_server.core.errors import Issue, Severity
from fhir_server.core.messages import Text
from fhir_server.core.national_ids import is_wrong, scheme_of
from fhir_server.core.types import JsonObject

WRONG: Final = Text(
    "This cannot be a number of {title}. Check its digits.",
    "Это не может быть номером {title}. Проверьте цифры.",
    "Це не може бути номером {title}. Перевірте цифри.",
)
"""Without the number itself: refusals are logged."""
CODE: Final = "identifier-invalid"


def wrong_numbers(resource: JsonObject, path: str, severity: Severity) -> Sequence[Issue]:
    """An issue for each; nothing is asked of what has not R4's shape."""
    contained = resource.get("contained")
    if contained is None and "identifier" not in resource:
        return ()
    found = list(_own(resource, path, severity))
    for place, each in enumerate(contained if isinstance(contained, list) else ()):
        if isinstance(each, dict):
            found += _own(each, f"{path}.contained[{place}]", severity)
    return found


def _own(resource: JsonObject, path: str, severity: Severity) -> Iterator[Issue]:
    given = resource.get("identifier")
    if isinstance(given, dict):
        yield from _issue(given, f"{path}.identifier", severity)
    for place, each in enumerate(given if isinstance(given, list) else ()):
        yield from _issue(each, f"{path}.identifier[{place}]", severity)


def _issue(identifier: Any, path: str, severity: Severity) -> Iterator[Issue]:
    if not isinstance(identifier, dict):
        return
    system, value = identifier.get("system"), identifier.get("value")
    if isinstance(system, str) and isinstance(value, str) and is_wrong(system, value):
        scheme = scheme_of(system)
        args = {"title": scheme.title if scheme else system}
        yield Issue("value", WRONG, args, severity, (f"{path}.value",), CODE)
