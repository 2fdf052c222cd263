"""String functions.

https://hl7.org/fhirpath/N1/#string-manipulation
"""

import base64
import binascii
import html
import json
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import regex

from fhir_server.core.messages import Text
from fhir_server.fhirpath.calls import Call, Function, Table, expect, misfit, refuse_kinds
from fhir_server.fhirpath.code import Code, Scalar, computed, value_of
from fhir_server.fhirpath.environment import Environment
from fhir_server.fhirpath.errors import EvaluationFault
from fhir_server.fhirpath.model import PRIMITIVES, Item
from fhir_server.fhirpath.values import single

MAX_TEXT: Final = 1_000_000
"""Characters a function may give; nested replaces could otherwise fill the memory."""
PATIENCE: Final = 0.05
"""Seconds a regular expression may take; R4's longest take microseconds."""

BAD_PATTERN: Final = Text(
    "FHIRPath: `{pattern}` is not a regular expression.",
    "FHIRPath: `{pattern}` — не регулярное выражение.",
    "FHIRPath: `{pattern}` — не регулярний вираз.",
)
SLOW_PATTERN: Final = Text(
    "FHIRPath: the regular expression `{pattern}` takes too long.",
    "FHIRPath: регулярное выражение `{pattern}` выполняется слишком долго.",
    "FHIRPath: регулярний вираз `{pattern}` виконується задовго.",
)
TEXT_TOO_LONG: Final = Text(
    "FHIRPath: a text of more than {limit} characters.",
    "FHIRPath: текст длиннее {limit} знаков.",
    "FHIRPath: текст, довший за {limit} знаків.",
)
BAD_ENCODING: Final = Text(
    "FHIRPath: {what} does not know `{format}`, or the text is not in it.",
    "FHIRPath: {what} не знает `{format}`, или текст записан не так.",
    "FHIRPath: {what} не знає `{format}`, або текст записано не так.",
)

_TEXTUAL: Final = PRIMITIVES | {"System.String"}


def limited(text: str) -> str:
    """`text`, unless it is too long.

    Raises:
        EvaluationFault: it is.
    """
    if len(text) > MAX_TEXT:
        raise EvaluationFault(TEXT_TOO_LONG, limit=MAX_TEXT)
    return text


def _text_input(call: Call) -> Scalar:
    """The one string of the input; a FHIR primitive that JSON writes as a string is one."""
    refuse_kinds(call, _TEXTUAL)
    if call.of.scalar is not None and call.of.kinds and call.of.kinds <= _PLAIN:
        return call.of.scalar
    run = call.of.run

    def scalar(item: Item, env: Environment) -> Item:
        items = run(item, env)
        single(items, f"{call.name}()")
        for each in items:
            value = each[1] if type(each) is tuple and each[0] in PRIMITIVES else each
            if value is not None and type(value) is not str:
                raise misfit(each, call.name)
            return value
        return None

    return scalar


_PLAIN: Final = frozenset(
    {
        "string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid",
        "base64Binary", "xhtml", "System.String",
    }
)  # fmt: skip


def _on_text(
    apply: Callable[..., Item],
    kind: str,
    *args: type,
    least: int | None = None,
    pattern: bool = False,
) -> Function:
    """A function of a string and arguments, one of them a `pattern`; empty where any is."""

    def build(call: Call) -> Code:
        of, rest = _text_input(call), call.scalars()

        def scalar(item: Item, env: Environment) -> Item:
            text = of(item, env)
            given = [each(item, env) for each in rest]
            if text is None or None in given:
                return None
            for value, wanted in zip(given, args, strict=False):
                expect(value, wanted, call.name)
            env.spend_text(len(text))
            if pattern:
                env.spend_pattern()
            found = apply(text, *given)
            if type(found) is str:
                env.spend_text(len(found))
            return found

        return computed(scalar, f"System.{kind}")

    return Function(build, len(args) if least is None else least, len(args))


def _several(apply: Callable[..., list[Item]], *args: type, least: int = 0) -> Function:
    """A function of a string that gives a collection of strings."""

    def build(call: Call) -> Code:
        of = _on_text(apply, "String", *args, least=least).build(call).scalar
        run = of or (lambda _item, _env: None)
        kinds = frozenset({"System.String"})

        def parts(item: Item, env: Environment) -> list[Item]:
            found = run(item, env) or []
            env.spend(len(found))
            return found

        return Code(parts, kinds)

    return Function(build, least, len(args))


def _substring(text: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def _build_substring(call: Call) -> Code:
    """An empty length is none at all: "as though it had not been provided"."""
    of, (start, *rest) = _text_input(call), call.scalars()

    def scalar(item: Item, env: Environment) -> Item:
        text, first = of(item, env), start(item, env)
        if text is None or first is None:
            return None
        length = rest[0](item, env) if rest else None
        for each in (first, length):
            if each is not None:
                expect(each, int, call.name)
        return _substring(text, first, length)

    return computed(scalar, "System.String")


_COUNTED: Final = regex.compile(r"\{(\d*)(?:,(\d*))?\}")
_MAX_PATTERN: Final = 2_000  # characters; R4's longest has 150
_MAX_REPEATS: Final = 100_000  # nested `{n}` are written out when compiled


@lru_cache(maxsize=1_024)
def _pattern(text: str) -> "regex.Pattern[str]":
    counts = (int(n[:9]) for found in _COUNTED.finditer(text) for n in found.groups() if n)
    if len(text) > _MAX_PATTERN or math.prod(max(n, 1) for n in counts) > _MAX_REPEATS:
        raise EvaluationFault(BAD_PATTERN, pattern=text[:80])
    try:
        return regex.compile(text, regex.DOTALL | regex.VERSION0)
    except regex.error:
        raise EvaluationFault(BAD_PATTERN, pattern=text[:80]) from None


def _in_time(text: str, apply: Callable[["regex.Pattern[str]"], Item]) -> Item:
    try:
        return apply(_pattern(text))
    except TimeoutError:
        raise EvaluationFault(SLOW_PATTERN, pattern=text[:80]) from None


def _matches(text: str, pattern: str) -> Item:
    """A part of the text is enough.

    https://hl7.org/fhirpath/N1/#matchesregex-string-boolean
    """
    return _in_time(pattern, lambda p: p.search(text, timeout=PATIENCE) is not None)


def _matches_full(text: str, pattern: str) -> Item:
    return _in_time(pattern, lambda p: p.fullmatch(text, timeout=PATIENCE) is not None)


_GROUP: Final = regex.compile(r"\\(.)|\$(?:(\d+)|\{(\w+)\})", regex.DOTALL)


def _replace_matches(text: str, pattern: str, by: str) -> Item:
    """`$1` and `${name}` in the substitution are groups; an empty pattern replaces nothing."""
    if not pattern:
        return text
    template = _GROUP.sub(_group, by.replace("\\", "\\\\") if "$" not in by else by)
    try:
        return limited(_in_time(pattern, lambda p: p.sub(template, text, timeout=PATIENCE)))
    except (regex.error, IndexError):
        raise EvaluationFault(BAD_PATTERN, pattern=by[:80]) from None


def _group(found: "regex.Match[str]") -> str:
    if found[1]:
        return "\\\\" if found[1] == "\\" else str(found[1])
    return rf"\g<{found[2] or found[3]}>"


def _index_of(text: str, part: str) -> int:
    return text.find(part)


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise EvaluationFault(TEXT_TOO_LONG, limit=MAX_TEXT)
    return text.replace(old, new)


def _split(text: str, by: str) -> list[Item]:
    return list(text.split(by)) if by else list(text)


def _build_join(call: Call) -> Code:
    of = call.of.run
    by = value_of(call.outer(0), call.name) if call.args else None

    def scalar(item: Item, env: Environment) -> Item:
        separator = by(item, env) if by else ""
        parts = [each[1] if type(each) is tuple else each for each in of(item, env)]
        texts = [part for part in parts if part is not None]
        if separator is None or not texts:
            return None
        for each in (*texts, separator):
            expect(each, str, call.name)
        found = limited(separator.join(texts))
        env.spend_text(len(found))
        return found

    return computed(scalar, "System.String")


_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "hex": binascii.hexlify,
    "base64": base64.b64encode,
    "urlbase64": base64.urlsafe_b64encode,
}
_DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "hex": binascii.unhexlify,
    "base64": lambda data: base64.b64decode(data, validate=True),
    "urlbase64": lambda data: base64.b64decode(data, b"-_", validate=True),
}
_ESCAPERS: Final[dict[str, Callable[[str], str]]] = {
    "html": html.escape,
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
}
_LITERALLY: Final = json.JSONDecoder(strict=False)
_UNESCAPERS: Final[dict[str, Callable[[str], str]]] = {
    "html": html.unescape,
    "json": lambda text: str(_LITERALLY.decode('"' + _bare_quotes(text) + '"')),
}


def _bare_quotes(text: str) -> str:
    """Quotes that nothing escapes, escaped: they stand for themselves."""
    return regex.sub(r'\\.|"', lambda m: m[0] if len(m[0]) > 1 else '\\"', text)


def _coded(what: str, table: dict[str, Callable[[str], str]]) -> Callable[[str, str], str]:
    def apply(text: str, name: str) -> str:
        try:
            return limited(table[name](text))
        except (KeyError, ValueError):
            raise EvaluationFault(BAD_ENCODING, what=what, format=name[:20]) from None

    return apply


def _bytewise(table: dict[str, Callable[[bytes], bytes]]) -> dict[str, Callable[[str], str]]:
    def as_text(apply: Callable[[bytes], bytes]) -> Callable[[str], str]:
        return lambda text: apply(text.encode()).decode()

    return {name: as_text(apply) for name, apply in table.items()}


TABLE: Final[Table] = {
    "indexOf": _on_text(_index_of, "Integer", str),
    "lastIndexOf": _on_text(lambda text, part: text.rfind(part), "Integer", str),
    "substring": Function(_build_substring, 1, 2),
    "startsWith": _on_text(lambda text, part: text.startswith(part), "Boolean", str),
    "endsWith": _on_text(lambda text, part: text.endswith(part), "Boolean", str),
    "contains": _on_text(lambda text, part: part in text, "Boolean", str),
    "upper": _on_text(lambda text: text.upper(), "String"),
    "lower": _on_text(lambda text: text.lower(), "String"),
    "replace": _on_text(_replace, "String", str, str),
    "matches": _on_text(_matches, "Boolean", str, pattern=True),
    "matchesFull": _on_text(_matches_full, "Boolean", str, pattern=True),
    "replaceMatches": _on_text(_replace_matches, "String", str, str, pattern=True),
    "length": _on_text(len, "Integer"),
    "toChars": _several(list),
    "trim": _on_text(lambda text: text.strip(), "String"),
    "split": _several(_split, str, least=1),
    "join": Function(_build_join, 0, 1),
    "encode": _on_text(_coded("encode()", _bytewise(_ENCODERS)), "String", str),
    "decode": _on_text(_coded("decode()", _bytewise(_DECODERS)), "String", str),
    "escape": _on_text(_coded("escape()", _ESCAPERS), "String", str),
    "unescape": _on_text(_coded("unescape()", _UNESCAPERS), "String", str),
}
