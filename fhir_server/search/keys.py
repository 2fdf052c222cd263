"""How a value is written as an index key; index and query meet here and nowhere else.

A key is `param|rest`. No parameter code contains `|`, so a range over one prefix never
reaches another parameter. `~` is the any-system mark; no system is the single character.
"""

from hashlib import sha256
from typing import Final
from unicodedata import normalize

ANY_SYSTEM: Final = "~"
LAST: Final = "\U0010ffff"
"""Above every character in use: `[prefix, prefix + LAST)` is every key with that prefix."""


MAX_KEY: Final = 1200
"""Characters; a folded text (`core.text.MAX_TEXT`) fits with its parameter."""


def bounded(key: str) -> str:
    """`key`, or beyond MAX_KEY its beginning and a digest: equality still holds."""
    if len(key) <= MAX_KEY:
        return key
    digest = sha256(key.encode("utf-8", "replace")).hexdigest()
    return f"{key[: MAX_KEY - len(digest)]}{digest}"


def token(param: str, system: str | None, code: str) -> str:
    """`identifier|urn:mrn|1`; system None: in any system; "": without a system.

    A coding is indexed twice: with its system (or "") and with None.
    """
    return bounded(f"{param}|{ANY_SYSTEM if system is None else system}|{code}")


def token_system(param: str, system: str) -> str:
    """The prefix of every token of `system`."""
    return f"{param}|{system}|"


def folded(param: str, text: str) -> str:
    """A string as default and `:contains` search compare it; `text` is folded."""
    return f"{param}|{text}"


def exact(param: str, text: str) -> str:
    """A string as `:exact` compares it: accents count, not how they are encoded."""
    return bounded(f"{param}=|{composed(text)}")


def composed(text: str) -> str:
    """`text` as exact keys have it: a letter and its accents are one, where Unicode has it."""
    return text if text.isascii() else normalize("NFC", text)


def reference(param: str, target: str) -> str:
    """`subject|Patient/1`, or with a foreign base `subject|https://other/Patient/1`."""
    return bounded(f"{param}|{target}")


def uri(param: str, value: str) -> str:
    """`url|http://example.org/vs`."""
    return bounded(f"{param}|{value}")


def word(param: str, text: str) -> str:
    """`_content|asthma`; `text` is one folded word."""
    return f"{param}|{text}"


def quantity(param: str, system: str, code: str) -> str:
    """A quantity under its unit as written; `system` "" stands for code or unit alone."""
    return f"{param}|{system}|{code}"


def canonical_quantity(param: str, unit: str) -> str:
    """A quantity converted to UCUM base units, `value-quantity|=|g`."""
    return f"{param}|=|{unit}"


def any_quantity(param: str) -> str:
    """A number, or a quantity whatever its unit."""
    return f"{param}|"


def part(number: int, key: str) -> str:
    """`key` as the part `number` (from 0) of a composite."""
    return f"{number}|{key}"
