"""How surely this server knows who signed in, in three levels, and how to ask for more.

| level | the person | the sign-in |
|---|---|---|
| 1 | has an e-mail address | one step |
| 2 | was compared with a record | one step |
| 3 | was seen in person, or a state vouches | two steps, a passkey, or a state's provider |

`acr` is the level as a text; `amr` are the methods of RFC 8176.

https://www.rfc-editor.org/rfc/rfc9470
https://www.rfc-editor.org/rfc/rfc8176
"""

from collections.abc import Collection, Sequence
from typing import Final

LEVELS: Final = ("1", "2", "3")
"""Values of `acr`, the weakest first."""

_ONE_STEP: Final = 2
_STRONG: Final = 3


def level(identity: int, amr: Collection[str]) -> int:
    """The level of a sign-in of somebody whose identity is known to `identity`."""
    return min(identity, _STRONG if is_strong(amr) else _ONE_STEP)


def is_strong(amr: Collection[str]) -> bool:
    """Whether two things were shown, or one that stands for both."""
    return bool({"mfa", "swk", "hwk"} & set(amr))


def asked(acr_values: Sequence[str]) -> int:
    """The least level that satisfies a request: the values are alternatives.

    Values that are unknown here ask for nothing ("voluntary claim").
    """
    known = [int(each) for each in acr_values if each in LEVELS]
    return min(known, default=0)
