"""A ticket as a PDF of one small page, for a phone's screen and for paper. Pure.

A6, 105 × 148 mm; the font is embedded, so that Cyrillic prints everywhere. Equal tickets are
equal bytes.

https://www.iso.org/standard/63534.html
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Final

import segno
from babel.dates import format_date
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.pagesizes import A6
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from fhir_server.cabinet.tickets import words
from fhir_server.cabinet.tickets.ticket import Ticket
from fhir_server.core.messages import Language, Text

TYPE: Final = "application/pdf"

_FONT: Final = "NotoSans"
_PACKAGE: Final = "fontpkg_noto_sans"
_FILE: Final = ("files", "NotoSans[wdth,wght].ttf")
_WIDTH, _HEIGHT = A6
_EDGE: Final = 8 * mm
_BAND: Final = 36 * mm
_QR: Final = 30 * mm
_QUIET: Final = 4
"""Modules of margin around the QR code, by its standard."""
_INK: Final = HexColor(0x1B1F24)
_FAINT: Final = HexColor(0x59636E)
_ACCENT: Final = HexColor(0x0B5CAD)
_ENDED: Final = HexColor(0xB42318)
_LEADING: Final = 1.25
"""Of a line, in its size."""
_LONGEST: Final = 5
"""Characters of a number that fit beside the QR code."""
_MOST: Final = 4_000
"""Characters of one text, more than the page has room for: measuring them takes time."""
_MS: Final = 1000


def sheet(ticket: Ticket, url: str, language: Language) -> bytes:
    """The PDF; `url`, which the QR code says, is the Appointment's."""
    _register()
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A6, invariant=True, lang=language)
    canvas.setTitle(_said(words.TICKET, language, ticket.number))
    canvas.setCreator("fhir-server")
    _band(canvas, ticket, language, url)
    _body(canvas, ticket, language)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _register() -> None:
    """Read the font once a process: 2 MB, some tenths of a second."""
    with files(_PACKAGE).joinpath(*_FILE).open("rb") as file:
        pdfmetrics.registerFont(TTFont(_FONT, file))


def _said(text: Text, language: Language, *more: str | None) -> str:
    return " ".join([text.in_language(language, {}), *(each for each in more if each)])


def _band(canvas: Canvas, ticket: Ticket, language: Language, url: str) -> None:
    """What has to be read from afar: the number, or that there is no visit any more."""
    is_coming = ticket.state == "coming"
    canvas.setFillColor(_ACCENT if is_coming else _ENDED)
    canvas.rect(0, _HEIGHT - _BAND, _WIDTH, _BAND, stroke=0, fill=1)
    number = (ticket.number or "")[:_LONGEST]
    if is_coming:
        title, big, size = _said(words.TICKET if number else words.VISIT, language), number, 48
        _code(canvas, url)
    else:
        title = _said(words.TICKET if number else words.VISIT, language, number)
        big, size = _said(words.CANCELLED, language), 26
    _line(canvas, title, (_EDGE, _HEIGHT - 11 * mm), 12, white)
    _line(canvas, big, (_EDGE, _HEIGHT - 28 * mm), size, white)


def _code(canvas: Canvas, url: str) -> None:
    """The QR code, with the quiet margin that readers need."""
    rows = segno.make(url, error="m", micro=False).matrix
    side = _QR / (len(rows) + 2 * _QUIET)
    left, top = _WIDTH - _EDGE - _QR, _HEIGHT - (_BAND - _QR) / 2
    canvas.setFillColor(white)
    canvas.rect(left, top - _QR, _QR, _QR, stroke=0, fill=1)
    canvas.setFillColor(_INK)
    for row, modules in enumerate(rows, _QUIET):
        for column, is_dark in enumerate(modules, _QUIET):
            if is_dark:
                at = (left + column * side, top - (row + 1) * side)
                canvas.rect(*at, side, side, stroke=0, fill=1)


def _body(canvas: Canvas, ticket: Ticket, language: Language) -> None:
    begins, ends = (
        datetime.fromtimestamp(at / _MS, ticket.zone) for at in (ticket.start, ticket.end)
    )
    day = format_date(begins, "full", locale=language)
    y = _text(canvas, f"{day[:1].upper()}{day[1:]}", _HEIGHT - _BAND - 5 * mm, 12, _INK)
    y = _text(canvas, f"{begins:%H:%M} – {ends:%H:%M}", y - 1 * mm, 20, _INK)
    zone = f"{_said(words.LOCAL_TIME, language)}, {str(ticket.zone).replace('_', ' ')}"
    y = _text(canvas, zone, y - 1.5 * mm, 7, _FAINT)
    for label, lines in _told(ticket, language):
        y = _text(canvas, label, y - 2.5 * mm, 7, _FAINT)
        for place, line in enumerate(lines):
            y = _text(canvas, line, y, *((10, _INK) if place == 0 else (8, _FAINT)))


def _told(ticket: Ticket, language: Language) -> Iterator[tuple[str, Sequence[str]]]:
    """Labels, and what is told under each."""
    people = ticket.doctors or ticket.services
    where = [line for each in ticket.places[:2] for line in (each.name, each.address)]
    rows = (
        (words.TO, [*people, *ticket.specialities] if people else ()),
        (words.SPECIALITY, () if people else ticket.specialities),
        (words.WHERE, where),
        (words.WHO, ticket.patients),
        (words.BEFORE, [ticket.instruction]),
    )
    for label, lines in rows:
        known = [each for each in lines if each]
        if known:
            yield _said(label, language), known


def _text(canvas: Canvas, text: str, y: float, size: float, ink: Color) -> float:
    """Write `text` below `y`, broken into lines; where the next one may begin. What does not
    fit the page ends in dots."""
    height = size * _LEADING
    room = int((y - _EDGE) / height)
    if room < 1:
        return y
    lines = simpleSplit(text[:_MOST], _FONT, size, _WIDTH - 2 * _EDGE)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"{lines[room - 1]} …"]
    for each in lines:
        y -= height
        _line(canvas, each, (_EDGE, y), size, ink)
    return y


def _line(canvas: Canvas, text: str, at: tuple[float, float], size: float, ink: Color) -> None:
    canvas.setFillColor(ink)
    canvas.setFont(_FONT, size)
    canvas.drawString(*at, text)
