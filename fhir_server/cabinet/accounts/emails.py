"""E-mail addresses as names of accounts: one normal form, and the key of what is counted.

https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1
"""

import re
import unicodedata
from typing import Final

_LONGEST: Final = 254
_SHAPE: Final = re.compile(r"[^\s@\"<>(),;:\\\[\]]{1,64}@[^\s@\"<>(),;:\\\[\]]+\.[^\s@.]{2,}")


def normal(text: str) -> str:
    """The form in which addresses are compared: NFC, lower case, no blanks around."""
    return unicodedata.normalize("NFC", text.strip()).lower()


def is_address(text: str) -> bool:
    """Whether a message could be sent there."""
    return len(text) <= _LONGEST and _SHAPE.fullmatch(text) is not None
