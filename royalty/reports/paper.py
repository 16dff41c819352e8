"""The paper that documents are printed on: A4, one typeface, rows that fit, numbered pages.

Names come in every language. A character that the typeface lacks is printed as `▯`, and the
document says so; nothing that a name holds stops it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import TTFFont

LACKING = "▯"
MARGIN = 16  # mm, as are all lengths here
FOOT = 18

Colour = tuple[int, int, int]
INK: Colour = (38, 35, 30)
FADED: Colour = (110, 104, 92)
RULE: Colour = (227, 222, 211)
TEAL: Colour = (31, 107, 99)
SAND: Colour = (217, 179, 128)
GREY: Colour = (207, 200, 186)
WHITE: Colour = (255, 255, 255)

_FACE = Path(__file__).with_name("fonts") / "DejaVuSansCondensed.ttf"
_ROW = 4.4
_BETWEEN = 2.0  # columns
# Room for how many pages there are; names lose what is unseen, and so have none.
_PAGES = "\x1f" * 3
_MM = 25.4 / 72  # in a point


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of rows on paper."""

    title: str
    width: float
    align: Literal["L", "R"] = "L"


class Paper(FPDF):
    """Paper with our margins, typeface and footer."""

    def __init__(self, title: str, foot: str, created: date) -> None:
        super().__init__()
        self._foot = foot
        self.lacks = False  # whether a character had to be replaced
        self.add_font("face", fname=_FACE)
        face = self.fonts["face"]
        assert isinstance(face, TTFFont), "a typeface of our own, not one of the reader's"
        self._shown = frozenset(face.cmap)
        self.set_font("face", size=9)
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(auto=True, margin=FOOT)
        self.alias_nb_pages(_PAGES)
        self.set_title(self.printable(title))
        self.set_lang("en")
        self.set_creation_date(datetime.combine(created, time(), UTC))
        self.add_page()

    def footer(self) -> None:
        """Say on every page whose it is, and which of how many."""
        self.set_y(-FOOT + 6)
        self.set_font("face", size=7)
        self.set_text_color(*FADED)
        self.cell(self.epw - 30, 4, self.fitted(self._foot, self.epw - 30))
        self.cell(30, 4, f"page {self.page_no()} of {_PAGES}", align=Align.R)

    def printable(self, text: str) -> str:
        """Replace what the typeface cannot show, and control characters by spaces."""
        return "".join(map(self._glyph, unicodedata.normalize("NFC", text)))

    def fitted(self, text: str, width: float) -> str:
        """Cut the middle out of text that is wider than there is room, and show that it was."""
        text = self.printable(text)
        if self.get_string_width(text) <= width:
            return text
        fits, too_long = 0, len(text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            wide = self.get_string_width(_cut(text, middle)) > width
            fits, too_long = (fits, middle) if wide else (middle, too_long)
        return _cut(text, fits)

    def say(self, text: str, size: float = 9, colour: Colour = INK) -> None:
        """Print a paragraph over the whole width, and go below it."""
        self._pen(size, colour)
        self.multi_cell(
            0,
            size * _MM * 1.4,
            self.printable(text),
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
            align="L",
        )

    def heading(self, text: str) -> None:
        """Print a heading, with room above it."""
        if self.will_page_break(30):
            self.add_page()
        self.ln(4)
        self.say(text, 12, TEAL)
        self.ln(1)

    def place(
        self, where: tuple[float, float, float], text: str, size: float, colour: Colour = INK
    ) -> float:
        """Print one line at (x, y) that has so much width; return the width it took."""
        x, y, width = where
        self._pen(size, colour)
        shown = self.fitted(text, width)
        self.text(x, y, shown)
        return self.get_string_width(shown)

    def right(self, right: float, y: float, text: str, size: float, colour: Colour = INK) -> float:
        """Print one line that ends at `right`; return the width it took."""
        self._pen(size, colour)
        shown = self.printable(text)
        self.text(right - self.get_string_width(shown), y, shown)
        return self.get_string_width(shown)

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Print rows under a header that each page repeats."""
        self.titles(columns)
        for row in rows:
            if self.will_page_break(2 * _ROW):
                self.add_page()
                self.titles(columns)
            self.row(columns, row)
            self.rule()

    def row(
        self, columns: Sequence[Column], cells: Sequence[str], size: float = 7, colour: Colour = INK
    ) -> None:
        """Print one row: text that does not fit is cut, an amount is printed smaller instead."""
        height = size * _MM * 1.8
        for column, cell in zip(columns, cells, strict=True):
            self._pen(size, colour)
            room = column.width - _BETWEEN
            if column.align == "R":
                self.set_font_size(size * min(1, room / (self.get_string_width(cell) or room)))
            self.cell(column.width, height, self.fitted(cell, room + 0.01), align=column.align)
        self.ln(height)

    def rule(self) -> None:
        """Draw a faint line over the whole width, here."""
        self.set_draw_color(*RULE)
        self.set_line_width(0.15)
        self.line(self.l_margin, self.y, self.w - self.r_margin, self.y)

    def titles(self, columns: Sequence[Column]) -> None:
        """Print the header of rows."""
        self._pen(6.5, FADED)
        for column in columns:
            self.cell(column.width, _ROW, column.title, align=column.align)
        self.ln(_ROW)
        self.rule()

    def _pen(self, size: float, colour: Colour) -> None:
        self.set_font("face", size=size)
        self.set_text_color(*colour)

    def _glyph(self, character: str) -> str:
        if character.isprintable() and ord(character) in self._shown:
            return character
        if character.isspace() or unicodedata.category(character).startswith("C"):
            return " "
        self.lacks = True
        return LACKING


def _cut(text: str, kept: int) -> str:
    """Keep so many characters of both ends: titles and ids often differ in their last."""
    head, tail = kept - kept // 2, kept // 2
    return f"{text[:head].rstrip()}…{text[len(text) - tail :].lstrip()}"
