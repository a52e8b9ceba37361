"""The report as a Word document: real tables that an author can go on with."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrm.errors import MissingDependencyError
from hrm.trial.tables.table import TrialTable

if TYPE_CHECKING:
    from docx.document import Document

_FONT, _SIZE = "Calibri", 9.5
#: With more letters than this beside each other the page is turned.
_WIDE = 85
#: Every file in the archive is dated so: the same tables give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
#: Fits below a heading of two lines on a turned page.
_PICTURE_CM, _PICTURE_HIGH_CM = 16.0, 13.0
#: Above and below the text of a cell.
_CELL_POINTS = 1
#: Rows that stand on one page with the one below them.
_TOGETHER = 3
#: Letters that a column is given at most, beside what the edges of a cell take.
_MOST_LETTERS, _CELL_LETTERS = 30, 3
_MARGIN_CM = 2.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the report: its file, its caption, and the PNG."""

    name: str
    caption: str
    png: bytes


def word_document(
    title: str, said: Iterable[str], tables: Sequence[TrialTable], pictures: Sequence[Picture] = ()
) -> bytes:
    """Write tables and pictures as a Word document.

    Parameters
    ----------
    title : str
    said : iterable of str
        Paragraphs before the first table, like that the data are synthetic.
    tables : sequence of TrialTable
        Each becomes a table of Word with its notes below.
    pictures : sequence of Picture

    Returns
    -------
    bytes
        The same for the same tables and pictures: no date and no author is in it.

    Raises
    ------
    MissingDependencyError
        If python-docx is not installed.
    """
    try:
        import docx
    except ImportError as err:
        raise MissingDependencyError(
            "a Word document needs a library: pip install 'hrm[trial]' (python-docx)"
        ) from err
    made = docx.Document()
    _prepare(made, title)
    made.add_heading(title, level=0)
    for text in said:
        made.add_paragraph(text)
    for number, table in enumerate(tables, 1):
        _add_table(made, number, table)
    for number, picture in enumerate(pictures, 1):
        _add_picture(made, number, picture)
    return _without_dates(made)


def _prepare(made: Document, title: str) -> None:
    from docx.shared import Cm, Pt

    for section in made.sections:
        section.left_margin = section.right_margin = Cm(_MARGIN_CM)
    style: Any = made.styles["Normal"]
    style.font.name, style.font.size = _FONT, Pt(_SIZE)
    properties = made.core_properties
    properties.title, properties.author = title, "hrm"
    properties.comments = properties.last_modified_by = ""


def _add_table(made: Document, number: int, table: TrialTable) -> None:
    from docx.enum.section import WD_ORIENT, WD_SECTION
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    letters = _letters(table)
    wide = sum(letters) > _WIDE
    section = made.sections[-1]
    if wide != (section.orientation == WD_ORIENT.LANDSCAPE):
        section = made.add_section(WD_SECTION.NEW_PAGE)
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = section.page_height, section.page_width
    heading = made.add_heading(f"Table {number}. {table.title}", level=2)
    heading.paragraph_format.keep_with_next = True
    grid = made.add_table(rows=1 + len(table.rows), cols=len(table.columns))
    grid.style = "Table Grid"
    for k, (row, cells) in enumerate(zip(grid.rows, [table.columns, *table.rows], strict=True)):
        for column, (cell, text) in enumerate(zip(row.cells, cells, strict=True)):
            paragraph = cell.paragraphs[0]
            heading_row = cells is table.columns
            run = paragraph.add_run(_unbroken(text) if column and not heading_row else text)
            run.font.size = Pt(_SIZE - (2 if wide else 1))
            run.bold = heading_row or None
            if column:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            paragraph.paragraph_format.space_before = Pt(_CELL_POINTS)
            paragraph.paragraph_format.space_after = Pt(_CELL_POINTS)
            # No page ends with the heads alone.
            paragraph.paragraph_format.keep_with_next = k < _TOGETHER or None
            _end_as_small(paragraph, run.font.size)
    _repeat_heads(grid)
    _set_widths(grid, letters, section)
    for note in table.notes:
        paragraph = made.add_paragraph()
        paragraph.paragraph_format.space_before = Pt(2)
        paragraph.paragraph_format.space_after = Pt(0)
        run = paragraph.add_run(note)
        run.italic, run.font.size = True, Pt(_SIZE - 1.5)


def _end_as_small(paragraph: Any, size: Any) -> None:
    """Give the mark that ends a paragraph the size of its text: it makes an empty cell as high."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark, height = OxmlElement("w:rPr"), OxmlElement("w:sz")
    height.set(qn("w:val"), str(round(2 * size.pt)))
    mark.append(height)
    paragraph._p.get_or_add_pPr().append(mark)


def _unbroken(text: str) -> str:
    """Keep a number with its sign and its interval; a line may end after a comma only."""
    return re.sub(
        r"(?<!,) ", "\N{NO-BREAK SPACE}", re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", text)
    )


def _letters(table: TrialTable) -> list[int]:
    """Letters that each column needs, so that neither a number nor a word is broken."""
    needed = []
    for column, head in enumerate(table.columns):
        parts = [part for row in table.rows for part in row[column].split(", ")]
        # Heads are bold, which takes more room.
        parts += [f"{word}  " for word in head.split()]
        needed.append(min(max(map(len, parts), default=0), _MOST_LETTERS) + _CELL_LETTERS)
    return needed


def _set_widths(grid: Any, letters: Sequence[int], section: Any) -> None:
    """Share the width of the page as the columns need it."""
    room = int(section.page_width - section.left_margin - section.right_margin)
    # Word reads the width of the cells, others that of the columns.
    for column, count in zip(grid.columns, letters, strict=True):
        column.width = room * count // sum(letters)
    for row in grid.rows:
        for cell, count in zip(row.cells, letters, strict=True):
            cell.width = room * count // sum(letters)


def _repeat_heads(grid: Any) -> None:
    """A table that is broken over pages shows its columns on each; no row is broken."""
    from docx.oxml import OxmlElement

    for k, row in enumerate(grid.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if k == 0:
            properties.append(OxmlElement("w:tblHeader"))


def _add_picture(made: Document, number: int, picture: Picture) -> None:
    from docx.shared import Cm

    heading = made.add_heading(f"Figure {number}. {picture.caption}", level=2)
    heading.paragraph_format.keep_with_next = True
    shape = made.add_picture(io.BytesIO(picture.png))
    # A picture that is too high would leave its heading on the page before.
    share = min(1.0, Cm(_PICTURE_CM) / shape.width, Cm(_PICTURE_HIGH_CM) / shape.height)
    shape.width, shape.height = int(shape.width * share), int(shape.height * share)


def _without_dates(made: Document) -> bytes:
    from datetime import UTC, datetime

    properties = made.core_properties
    fixed = datetime(*_DATE, tzinfo=UTC)
    properties.created = properties.modified = fixed
    buffer, clean = io.BytesIO(), io.BytesIO()
    made.save(buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(clean, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(zipfile.ZipInfo(item.filename, _DATE), old.read(item.filename))
    return clean.getvalue()
