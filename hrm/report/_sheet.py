"""Paper: A4 pages that fill from top to bottom, and text that knows how wide it is.

All lengths are points (1/72 inch), counted from the top left corner of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

WIDTH, HEIGHT = 595.28, 841.89
LEFT, RIGHT, TOP, BOTTOM = 36.0, 36.0, 30.0, 36.0
INNER = WIDTH - LEFT - RIGHT
FONT = "DejaVu Sans"
BODY, SMALL, HEAD, TITLE = 7.5, 7.0, 9.0, 13.0
_LEADING = 1.3


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is set; `size` in points."""

    size: float = BODY
    bold: bool = False
    color: str = "black"
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a column, `indent` points from its left edge.

    `also` stands on the same line, farther to the right.
    """

    text: str
    style: Style = Style()
    indent: float = 0.0
    also: Line | None = None

    @property
    def height(self) -> float:
        """Height of the line with its leading [pt]."""
        return self.style.size * _LEADING


@cache
def _font(*, bold: bool) -> FontProperties:
    return FontProperties(family=FONT, weight="bold" if bold else "normal")


@cache
def _glyphs() -> frozenset[int]:
    regular, bold = (get_font(findfont(_font(bold=bold))).get_charmap() for bold in (False, True))
    return frozenset(regular) & frozenset(bold)


def unprintable(text: str) -> list[str]:
    """Characters of a text that the report's font cannot write, each once."""
    return [char for char in dict.fromkeys(text) if ord(char) not in _glyphs()]


def printable(text: str) -> str:
    """Write a question mark for each character that the report's font does not have."""
    return "".join(char if ord(char) in _glyphs() else "?" for char in text)


@cache
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text [pt]."""
    font = _font(bold=bold).copy()
    font.set_size(size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def wrap(text: str, width: float, style: Style) -> list[str]:
    """Break a text into lines that are at most `width` wide; a long word is cut."""
    lines = [""]
    for word in printable(" ".join(text.split())).split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(joined, style.size, bold=style.bold) <= width:
            lines[-1] = joined
            continue
        pieces = _pieces(word, width, style)
        lines += pieces if lines[-1] else []
        lines = lines if lines[-1] else pieces
    return lines


def _pieces(word: str, width: float, style: Style) -> list[str]:
    pieces = [""]
    for char in word:
        if pieces[-1] and text_width(pieces[-1] + char, style.size, bold=style.bold) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces


def shorten(text: str, width: float, style: Style) -> str:
    """Cut a text to a width; the cut shows as an ellipsis."""
    text = printable(text)
    if text_width(text, style.size, bold=style.bold) <= width:
        return text
    while text and text_width(f"{text} …", style.size, bold=style.bold) > width:
        text = text[:-1].rstrip()
    return f"{text} …"


def paragraph(
    text: str,
    width: float,
    style: Style | None = None,
    *,
    indent: float = 0.0,
    hanging: float = 0.0,
) -> list[Line]:
    """Set a text in lines; all but the first are `hanging` points farther in."""
    style = style or Style()
    first, *rest = wrap(text, width - indent - hanging, style)
    return [Line(first, style, indent), *(Line(text, style, indent + hanging) for text in rest)]


def pair(label: str, value: str, width: float, *, at: float, bold: bool = False) -> list[Line]:
    """Set a label and, from `at` on, its value; both may take several lines."""
    left = paragraph(label, at - 4.0, Style(color="0.25"), hanging=6.0)
    right = paragraph(value, width, Style(bold=bold), indent=at)
    rows = max(len(left), len(right))
    left += [Line("")] * (rows - len(left))
    also: list[Line | None] = [*right, *([None] * (rows - len(right)))]
    return [replace(line, also=beside) for line, beside in zip(left, also, strict=True)]


class Sheet:
    """Pages of a report, and the place on the last one where the next thing goes."""

    def __init__(self) -> None:
        self.pages: list[Figure] = []
        self.y = 0.0
        self.new_page()

    @property
    def page(self) -> Figure:
        """The page that is being filled."""
        return self.pages[-1]

    @property
    def room(self) -> float:
        """Height that is left on the page [pt]."""
        return HEIGHT - BOTTOM - self.y

    def new_page(self) -> None:
        """Begin a page."""
        self.pages.append(Figure(figsize=(WIDTH / 72.0, HEIGHT / 72.0), facecolor="white"))
        self.y = TOP

    def need(self, height: float) -> bool:
        """Begin a page unless this one has room; say whether one was begun."""
        if self.room >= height or self.y <= TOP:
            return False
        self.new_page()
        return True

    def write(
        self, text: str, x: float, y: float, style: Style, page: Figure | None = None
    ) -> None:
        """Write a text with its top at a place on the page."""
        if text:
            (page or self.page).text(
                x / WIDTH,
                # The baseline, so that every glyph of a line stands on the same height.
                1.0 - (y + style.size) / HEIGHT,
                text,
                ha=style.align,
                va="baseline",
                color=style.color,
                fontproperties=_font(bold=style.bold),
                size=style.size,
                parse_math=False,
            )

    def rule(self, y: float, *, width: float = 0.5, color: str = "0.4") -> None:
        """Draw a line over the whole width of the text."""
        places = [LEFT / WIDTH, 1.0 - RIGHT / WIDTH], [1.0 - y / HEIGHT] * 2
        self.page.add_artist(Line2D(*places, lw=width, color=color, transform=None))
        self.page.artists[-1].set_transform(self.page.transFigure)

    def heading(self, text: str, *, room: float = 30.0) -> None:
        """Write a heading that stays with the `room` points after it."""
        self.need(HEAD * _LEADING + 9.0 + room)
        self.y += 6.0 if self.y > TOP else 0.0
        self.write(text, LEFT, self.y, Style(HEAD, bold=True))
        self.y += HEAD * _LEADING + 0.5
        self.rule(self.y)
        self.y += 2.5

    def lines(self, lines: Sequence[Line]) -> None:
        """Write lines over the whole width, on the next page where this one is full."""
        self.columns([lines], [LEFT])

    def columns(self, columns: Sequence[Sequence[Line]], places: Sequence[float]) -> None:
        """Write columns beside each other, row by row."""
        for k in range(max((len(column) for column in columns), default=0)):
            row = [column[k] if k < len(column) else None for column in columns]
            height = max(line.height for line in row if line)
            self.need(height)
            for line, x in zip(row, places, strict=True):
                self._line(line, x)
            self.y += height

    def _line(self, line: Line | None, x: float) -> None:
        if line is not None:
            self.write(line.text, x + line.indent, self.y, line.style)
            self._line(line.also, x)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes at a place on the page."""
        bottom = 1.0 - (y + height) / HEIGHT
        return self.page.add_axes((x / WIDTH, bottom, width / WIDTH, height / HEIGHT))

    def finish(self, left: str, right: str) -> None:
        """Write the foot of every page; `right` is formatted with ``page`` and ``pages``."""
        y = HEIGHT - BOTTOM + 10.0
        style = Style(SMALL, color="0.25")
        for k, page in enumerate(self.pages):
            said: dict[str, Any] = {"page": k + 1, "pages": len(self.pages)}
            self.write(left, LEFT, y, style, page)
            end = replace(style, align="right")
            self.write(right.format(**said), WIDTH - RIGHT, y, end, page)
