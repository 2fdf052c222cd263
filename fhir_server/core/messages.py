"""Texts for people in the three languages of the house.

A text stands beside the code that says it, as a `Text` constant; nothing looks one up by key.

    UNKNOWN = Text("Unknown parameter `{name}`.", "…", "…")
    raise UnknownParameter(UNKNOWN, name="foo")
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Language = Literal["en", "ru", "uk"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "ru", "uk")


class Text(NamedTuple):
    """A sentence in every language, with `{name}` places for `str.format_map`."""

    en: str
    ru: str
    uk: str

    def in_language(self, language: Language, args: Mapping[str, object]) -> str:
        """Fill the sentence of `language`."""
        sentence: str = getattr(self, language)
        return sentence.format_map(args) if args else sentence


@lru_cache(maxsize=256)  # headers come from clients, so bounded
def preferred(accept_language: str) -> Language:
    """The best of our languages for an Accept-Language header; English when none fits.

    https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
    """
    return max(_weighed(accept_language), default=(0.0, 0, "en"))[2]


def _weighed(header: str) -> Iterable[tuple[float, int, Language]]:
    for place, part in enumerate(header.split(",")):
        tag, _, parameter = part.strip().lower().partition(";")
        weight = _weight(parameter)
        for language in LANGUAGES:
            if weight > 0 and tag.partition("-")[0] == language:
                yield weight, -place, language


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
