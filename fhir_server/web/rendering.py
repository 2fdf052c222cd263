"""Templates to HTML: everything is escaped, and every sentence comes from `texts`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from babel.dates import format_date, format_datetime
from jinja2 import Environment, PackageLoader, StrictUndefined

from fhir_server.core.messages import LANGUAGES, Language, Text

NAMES: Final = {"en": "English", "ru": "Русский", "uk": "Українська"}
"""Of the languages, in themselves."""

_DAY: Final = len("2026-01-31")
_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Spoken:
    """The texts in one language: `t.SIGN_IN`, `t.say("TOO_MANY", minutes=3)`."""

    def __init__(self, texts: Mapping[str, Text], language: Language) -> None:
        self._texts = texts
        self._language = language

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name].in_language(self._language, {})
        except KeyError:
            raise AttributeError(name) from None

    def say(self, name: str, /, **places: object) -> str:
        """A text with its places filled."""
        return self._texts[name].in_language(self._language, places)

    def of(self, text: Text, /, **places: object) -> str:
        """Any other text."""
        return text.in_language(self._language, places)

    def day(self, milliseconds: int) -> str:
        """A date as people write it."""
        when = datetime.fromtimestamp(milliseconds / 1000, UTC)
        return format_date(when.date(), "d MMMM y", locale=self._language)

    def moment(self, text: str) -> str:
        """A FHIR date or time."""
        return _moment(text, self._language)

    def time(self, milliseconds: int) -> str:
        """A date and time, UTC."""
        when = datetime.fromtimestamp(milliseconds / 1000, UTC)
        return f"{format_datetime(when, 'd MMMM y, HH:mm', locale=self._language)} UTC"


def _moment(text: str, language: Language) -> str:
    """A FHIR date of any precision as people write it; a time as it was written down, where
    the visit was."""
    if len(text) > _DAY:
        return format_datetime(
            datetime.fromisoformat(text).replace(tzinfo=None),
            "d MMMM y, HH:mm",
            locale=language,
        )
    parts = [int(each) for each in text.split("-")]
    shapes = ("y", "LLLL y", "d MMMM y")
    when = date(*(*parts, 1, 1)[:3])
    return format_date(when, shapes[len(parts) - 1], locale=language)


class Static:
    """A file that pages load; its URL carries a digest of its content."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        self.media_type = _KINDS[name.rpartition(".")[2]]
        self.url = f"/auth/static/{sha256(content).hexdigest()[:12]}/{name}"


class Renderer:
    """Compiles the templates once and fills them."""

    def __init__(self, texts: Mapping[str, Text]) -> None:
        self._texts = texts
        self._pages = Environment(
            loader=PackageLoader("fhir_server.web"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        folder = files("fhir_server.web") / "static"
        read = (Static(each.name, each.read_bytes()) for each in folder.iterdir())
        self.static = {each.url: each for each in read}
        named = {each.name: each.url for each in self.static.values()}
        self._pages.globals |= {"static": named, "languages": NAMES}
        self._spoken = {each: Spoken(texts, each) for each in LANGUAGES}

    def spoken(self, language: Language) -> Spoken:
        """The texts in `language`."""
        return self._spoken[language]

    def html(self, template: str, language: Language, values: Mapping[str, Any]) -> str:
        """A page."""
        spoken = self._spoken[language]
        return self._pages.get_template(template).render(t=spoken, lang=language, **values)
