"""Token values: `code`, `system|code`, `|code`, `system|`, and what modifiers make of them.

https://hl7.org/fhir/R4/search.html#token
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.core.errors import BadValue, NotSupported, TooCostly
from fhir_server.core.messages import Text
from fhir_server.core.national_ids import normal, readings, scheme_of
from fhir_server.core.references import parse
from fhir_server.search import keys
from fhir_server.search.escapes import split, unescape
from fhir_server.search.index.tokens import contact_forms
from fhir_server.search.plan import Keys, Node, Nothing, Or, Prefix
from fhir_server.search.scope import Scope

BAD_TOKEN: Final = Text(
    "`{value}` is not a token: expected code, system|code, |code or system|.",
    "`{value}` — не токен: ожидается код, система|код, |код или система|.",
    "`{value}` — не токен: очікується код, система|код, |код або система|.",
)
BAD_OF_TYPE: Final = Text(
    "`{value}` has not the form system|code|value that :of-type needs.",
    "`{value}` не имеет вида система|код|значение, нужного для :of-type.",
    "`{value}` не має вигляду система|код|значення, потрібного для :of-type.",
)
NO_SYSTEM: Final = Text(
    "`{value}` needs its code system for a search by hierarchy: system|code.",
    "Для поиска по иерархии значению `{value}` нужна система кодов: система|код.",
    "Для пошуку за ієрархією значенню `{value}` потрібна система кодів: система|код.",
)
NOT_LISTED: Final = Text(
    "The value set `{url}` cannot be listed on this server, so nothing can be compared "
    "with it.",
    "Набор значений `{url}` нельзя перечислить на этом сервере, сравнивать не с чем.",
    "Набір значень `{url}` неможливо перелічити на цьому сервері, порівнювати немає з чим.",
)
MANY_CONCEPTS: Final = Text(
    "`{value}` stands for {count} codes; a search may use {limit}.",
    "`{value}` означает {count} кодов; в поиске может быть не больше {limit}.",
    "`{value}` означає {count} кодів; у пошуку може бути не більше {limit}.",
)

_SHOWN: Final = 64  # characters of a refused value that its message repeats


def token(code: str, text: str) -> Node:
    """A coding, identifier or plain code that equals `text`.

    Raises:
        BadValue: it has more than one separator.
    """
    system, value = _pair(text)
    if system is None:
        return Keys("tokens", (keys.token(code, None, value),))
    if system == keys.ANY_SYSTEM:  # the mark of the index, no system of anybody's
        return Nothing()
    if not value:
        return _of_system(code, system)
    return Keys("tokens", (keys.token(code, system, value),))


def identifier(code: str, text: str) -> Node:
    """An Identifier that equals `text`; a national number by any system and spelling of its
    scheme, also where it was indexed before there were any.

    Raises:
        BadValue: it has more than one separator.
    """
    system, value = _pair(text)
    scheme = scheme_of(system or "")
    if scheme is None:
        return _spelled(code, system, value, token(code, text))
    if not value:
        written = (system, scheme.system)
        return Or(tuple(_of_system(code, each) for each in dict.fromkeys(written) if each))
    normalised = keys.token(code, scheme.system, normal(value))
    return _any_key((normalised, keys.token(code, system, value)))


def _spelled(code: str, system: str | None, value: str, plain: Node) -> Node:
    """`plain`, or without a system also the number that `value` is a spelling of."""
    found = () if system is not None else tuple(readings(value))
    if not found:
        return plain
    spelled = (keys.token(code, each.system, normal(value)) for each in found)
    return _any_key((keys.token(code, None, value), *spelled))


def alike(text: str) -> str:
    """`text`, and the same for every other token that names the same national number."""
    system, _, value = text.rpartition("|")
    scheme = scheme_of(unescape(system))
    return text if scheme is None else f"{scheme.system}|{normal(value)}"


def plain_text(code: str, text: str) -> Node:
    """A string that equals `text`, whatever its case; the index has it in lower case too.

    Raises:
        BadValue: it has more than one separator.
    """
    return token(code, text.lower())


def contact(code: str, text: str) -> Node:
    """A telephone number or address, in whatever case and grouping it is written.

    "The presence of the pipe symbol SHALL NOT be used": it is a part of the value here.
    """
    forms = contact_forms(unescape(text))
    return _any_key(keys.token(code, None, form) for form in forms if form)


def _of_system(code: str, system: str) -> Node:
    if not system:  # `|` alone asks for nothing
        return Nothing()
    return Prefix("tokens", keys.token_system(code, system))


def _pair(text: str) -> tuple[str | None, str]:
    """System and code; the system is None where there is no separator."""
    if "|" not in text:
        return None, unescape(text)
    parts = [unescape(part) for part in split(text, "|")]
    match parts:
        case [value]:
            return None, value
        case [system, value]:
            return system, value
        case _:
            raise BadValue(BAD_TOKEN, value=text[:_SHOWN])


def of_type(code: str, text: str) -> Node:
    """An Identifier of a type, by `system|code|value` (`:of-type`).

    Raises:
        BadValue: not "all 3 parts" are there.
    """
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004  # as the form says
        raise BadValue(BAD_OF_TYPE, value=text[:_SHOWN])
    system, kind, value = parts
    if system == keys.ANY_SYSTEM:
        return Nothing()
    spelled = (value, *(normal(value) for _ in readings(value)))
    return _any_key(keys.token(f"{code}:of-type", system, f"{kind}|{each}") for each in spelled)


def in_value_set(scope: Scope, code: str, text: str) -> Node:
    """A coding of the value set `text` (`:in`); a plain code counts for any system's.

    Raises:
        NotSupported: the value set is unknown or cannot be listed.
        TooCostly: it has more codes than a search may use.
    """
    url = _value_set(scope, unescape(text))
    content = scope.terminology.expand(url)
    if not content.complete:
        raise NotSupported(NOT_LISTED, url=url[:_SHOWN])
    _bound(scope, text, len(content.codes))
    coded = [keys.token(code, system, value) for system, value in content.codes]
    plain = [keys.token(code, "", value) for _, value in content.codes]
    return _any_key([*coded, *plain])


def _value_set(scope: Scope, uri: str) -> str:
    """`uri`, "relative or absolute"; of a resource on this server as `ValueSet/1`."""
    found = parse(uri, *scope.bases)
    return found.target if found.kind == "local" else uri


def below(scope: Scope, code: str, text: str) -> Node:
    """A coding that is `system|code` or under it; or a MIME type with any parameters.

    Raises:
        BadValue: the system is missing.
        TooCostly: too many codes are under it.
    """
    if "|" not in text and ("/" in text or code == "contenttype"):
        return _mime_type(code, unescape(text))
    system, value = _concept(text)
    return _concepts(scope, code, text, scope.terminology.descendants(system, value))


def above(scope: Scope, code: str, text: str) -> Node:
    """A coding that is `system|code` or an ancestor of it.

    Raises:
        BadValue: the system is missing.
        TooCostly: too many codes are above it.
    """
    system, value = _concept(text)
    return _concepts(scope, code, text, scope.terminology.ancestors(system, value))


def _concept(text: str) -> tuple[str, str]:
    system, value = _pair(text)
    if not system or not value or system == keys.ANY_SYSTEM:
        raise BadValue(NO_SYSTEM, value=text[:_SHOWN])
    return system, value


def _concepts(scope: Scope, code: str, text: str, related: frozenset[str]) -> Node:
    _bound(scope, text, len(related))
    system, value = _concept(text)
    return _any_key(keys.token(code, system, each) for each in (value, *sorted(related)))


def _bound(scope: Scope, text: str, count: int) -> None:
    limit = scope.limits.concepts
    if count > limit:
        raise TooCostly(MANY_CONCEPTS, value=text[:_SHOWN], count=count, limit=limit)


def _any_key(found: Iterable[str]) -> Node:
    distinct = tuple(dict.fromkeys(found))
    return Keys("tokens", distinct) if distinct else Nothing()


def _mime_type(code: str, value: str) -> Node:
    """`text/xml` and `text/xml; charset=UTF-8`; `image` and every `image/…`."""
    if not value:
        return Nothing()
    key = keys.token(code, None, value)
    after = (";", " ;") if "/" in value else ("/",)
    return Or((Keys("tokens", (key,)), *(Prefix("tokens", key + each) for each in after)))
