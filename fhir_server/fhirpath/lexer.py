"""An expression's text as tokens.

https://hl7.org/fhirpath/N1/#lexical-elements
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from fhir_server.core.messages import Text
from fhir_server.fhirpath.errors import SyntaxFault

MAX_LENGTH: Final = 10_000
"""Characters. The longest expression of R4 has 1,800."""

TOO_LONG: Final = Text(
    "A FHIRPath expression of {count} characters is too long; at most {limit} are read.",
    "Выражение FHIRPath из {count} знаков слишком длинное; читается не более {limit}.",
    "Вираз FHIRPath із {count} знаків задовгий; читається щонайбільше {limit}.",
)
UNREADABLE: Final = Text(
    "FHIRPath: cannot read the expression at character {at}: `{rest}`.",
    "FHIRPath: выражение не читается с позиции {at}: `{rest}`.",
    "FHIRPath: вираз не читається з позиції {at}: `{rest}`.",
)
BAD_ESCAPE: Final = Text(
    "FHIRPath: `\\{rest}` is not an escape sequence (character {at}).",
    "FHIRPath: `\\{rest}` — не управляющая последовательность (позиция {at}).",
    "FHIRPath: `\\{rest}` — не керувальна послідовність (позиція {at}).",
)

_TIME: Final = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_TOKEN: Final = re.compile(
    rf"""
    (?P<space> \s+ | //[^\n]* | /\*.*?\*/ )
    | @(?P<time> T{_TIME} (?P<zoned_time>Z|[+-]\d{{2}}:\d{{2}})? )
    | @(?P<date> \d{{4}}(?:-\d{{2}}(?:-\d{{2}})?)?
        (?: T (?: {_TIME} (?:Z|[+-]\d{{2}}:\d{{2}})? )? )? )
    | (?P<number> \d{{1,40}}(?!\d)(?:\.\d{{1,40}}(?!\d))? )
    | (?P<string> '(?:[^'\\]|\\.)*' )
    | (?P<quoted> `(?:[^`\\]|\\.)*` )
    | (?P<counter> \$(?:this|index|total)\b )
    | %(?: (?P<constant> [A-Za-z_]\w* ) | (?P<quoted_constant> `(?:[^`\\]|\\.)*`
        | '(?:[^'\\]|\\.)*' ) )
    | (?P<name> [A-Za-z_]\w* )
    | (?P<sign> <= | >= | != | !~ | [-+*/&|<>=~.,()\[\]{{}}] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES: Final = {
    "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/",
    "r": "\r", "n": "\n", "t": "\t", "f": "\f",
}  # fmt: skip
_SHOWN: Final = 20


class Token(NamedTuple):
    """`kind` is a group of the grammar; of a sign, the sign itself; `end` ends the list."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """The tokens of `text` without spaces and comments, then one `end`.

    Raises:
        SyntaxFault: `text` is too long, or has something that is no token.
    """
    if len(text) > MAX_LENGTH:
        raise SyntaxFault(TOO_LONG, count=len(text), limit=MAX_LENGTH)
    return [*_read(text), Token("end", "", len(text))]


def _read(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found["zoned_time"]:
            raise unreadable(text, at)
        kind = str(found.lastgroup)
        content = found[kind]
        if kind == "sign":
            yield Token(content, content, at)
        elif kind in ("string", "quoted"):
            yield Token("name" if kind == "quoted" else kind, _unescape(content, at), at)
        elif kind == "quoted_constant":
            yield Token("constant", _unescape(content, at), at)
        elif kind == "name":
            yield Token("word", content, at)
        elif kind != "space":
            yield Token(kind, content, at)
        at = found.end()


def unreadable(text: str, at: int) -> SyntaxFault:
    """The fault of `text` from character `at` on."""
    return SyntaxFault(UNREADABLE, at=at + 1, rest=text[at : at + _SHOWN])


def _unescape(content: str, at: int) -> str:
    def one(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise SyntaxFault(BAD_ESCAPE, at=at + found.start() + 1, rest=code)
        return _ESCAPES[code]

    inner = content[1:-1]
    return _ESCAPE.sub(one, inner) if "\\" in inner else inner
