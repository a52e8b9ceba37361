"""A table of a report: typed cells, and the notes without which its numbers say nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from hrm import _page


@dataclass(frozen=True, slots=True)
class TrialTable:
    """One table.

    Parameters
    ----------
    name : str
        Of its files.
    title : str
    columns : tuple of str
    rows : tuple of tuple of str
        Cells as they are shown; the first of each row names it.
    notes : tuple of str
        Method, set, denominators, rules.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    def to_html(self, number: int | None = None) -> str:
        """Write it as part of a page, numbered if it has a number; every text is escaped."""
        title = self.title if number is None else f"Table {number}. {self.title}"
        heads = [escape(column) for column in self.columns]
        cells = [[escape(cell) for cell in row] for row in self.rows]
        notes = "".join(f'<p class="note">{escape(note)}</p>' for note in self.notes)
        body = _page.table(heads, cells)
        return f"<section><h2>{escape(title)}</h2>{body}{notes}</section>"

    def to_csv(self, mark: str = "") -> str:
        """Write columns and rows; the notes are in the JSON and on the page.

        Parameters
        ----------
        mark : str
            Stands in the heading of the first column, like that the data are made up.
        """
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        first = "; ".join(part for part in (mark, self.columns[0]) if part)
        writer.writerow((first, *self.columns[1:]))
        writer.writerows(self.rows)
        return out.getvalue()

    def to_dict(self) -> Mapping[str, Any]:
        """Give it as JSON has it."""
        return {
            "name": self.name,
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "notes": list(self.notes),
        }
