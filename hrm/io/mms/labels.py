"""Text cells to the right of the marker: what happened on a row, and what a reader found."""

from __future__ import annotations

import csv
import re
import warnings
from typing import NamedTuple

from hrm.catheters import catheters, model_of_device
from hrm.errors import ProvenanceWarning
from hrm.io import identity
from hrm.io._lines import Rows
from hrm.io._notes import event_of
from hrm.io._raw import RawEvent
from hrm.io._registry import ReadOptions
from hrm.io.mms.columns import CATHETER, known_columns
from hrm.io.mms.findings import NO_DATA_TEXT, reported_swallows
from hrm.io.mms.header import NAME, Header, corrupt, text_of
from hrm.reported import ReportedSwallow

# Columns of results that are not known one by one; none of them holds events on their rows.
_RESULTS = re.compile(r"ws[ _]?\d|mrs[ _]\d|leg[ _]|contraction|catheter", re.IGNORECASE)
# Numbers for which published code that reads such files has models. A number is no name.
_NUMBERED_MODELS = {
    "1": "K103659-E-1545-D",
    "2": "K83259-E-1263-D",
    "3": "CE4-1083",
    "4": "CE4-0062",
    "5": "CE4-0037",
}


class TextRow(NamedTuple):
    """Text cells of one row; `sample` counts the rows before it.

    They stay bytes until the end of the file has told their encoding.
    """

    sample: int
    cells: list[bytes]


def split_rows(rows: Rows, header: Header, n_before: int) -> tuple[Rows, list[TextRow]]:
    """Split the numeric part of every row from the text cells of those that have any.

    Raises
    ------
    CorruptFileError
        If there is a cell to the right of the last named column, or a quote that does
        not end.
    """
    n_numeric = len(header.channels) + 1
    if header.n_columns == n_numeric and b'"' not in rows.data:
        return rows, []
    numbers: list[bytes] = []
    texts: list[TextRow] = []
    for at, row in enumerate(rows.lines()):
        cells, found = _split(row, header.separator, n_numeric, rows.first_line + at)
        numbers.append(header.separator.join(cells))
        if not any(cell.strip(b' \t"') for cell in found):
            continue
        if any(cell.strip(b' \t"') for cell in found[len(header.extras) :]):
            raise corrupt(
                "found a cell to the right of the last named column (a shifted row); "
                "correct the row",
                rows.first_line + at,
            )
        texts.append(TextRow(n_before + at, found))
    # A last line of quotes only stays a line, to be refused.
    end = b"\n" if rows.data.endswith(b"\n") or not numbers[-1] else b""
    return Rows(rows.first_line, b"\n".join(numbers) + end), texts


def _split(
    row: bytes, separator: bytes, n_numeric: int, line: int
) -> tuple[list[bytes], list[bytes]]:
    """Cells of numbers and cells of text; a row too short is for the parser to refuse."""
    if b'"' not in row:
        cells = row.split(separator, n_numeric)
        rest = cells[n_numeric] if len(cells) > n_numeric else b""
        return cells[:n_numeric], rest.split(separator) if rest else []
    cells = _unquoted(row, separator, line)
    if any(separator in cell for cell in cells[:n_numeric]):
        raise corrupt("found the separator within a quoted number; export the file again", line)
    return cells[:n_numeric], cells[n_numeric:]


def _unquoted(row: bytes, separator: bytes, line: int) -> list[bytes]:
    # Latin-1 keeps every byte as it is; the encoding is known at the end of the file only.
    text, mark = row.decode("latin-1"), separator.decode("latin-1")
    fault = False
    cells: list[str] = []
    try:
        cells = next(csv.reader([text], delimiter=mark, skipinitialspace=True, strict=True), [])
    except csv.Error:
        fault = True
    # Outside the except block: nothing of the row may be chained to the error.
    if fault:
        raise corrupt("found a quote that does not end, or text after one; correct the row", line)
    return [cell.encode("latin-1") for cell in cells]


class Labels:
    """Text rows of a whole file, read in the encoding that its end has told."""

    def __init__(self, rows: list[TextRow], header: Header, encoding: str) -> None:
        self._rows = [(row.sample, [text_of(cell, encoding) for cell in row.cells]) for row in rows]
        self._header = header
        self._known = known_columns(header.extras, header.first_line - 1, 1 + len(header.channels))
        self._columns = self._event_columns()

    def _event_columns(self) -> list[int]:
        """Which of the columns after Marker hold what happened on their rows.

        The reader's results stand in such columns too, some of them filled from the
        first row down; a column counts only if a cell of it is a procedure label.
        """
        return [
            k
            for k, name in enumerate(self._header.extras)
            if k not in self._known
            and not _RESULTS.match(name)
            and any(
                k < len(texts) and identity.is_protocol_text(texts[k]) for _, texts in self._rows
            )
        ]

    @property
    def n_unread_columns(self) -> int:
        """Named columns that have no place in a study."""
        return len(self._header.extras) - len(self._columns) - len(self._known)

    def events(self, *, keep_phi: bool) -> list[RawEvent]:
        """Procedure labels and annotations, each at the time of its row."""
        return [
            event_of(at / self._header.rate_hz, texts[k], keep_phi=keep_phi)
            for at, texts in self._rows
            for k in self._columns
            if k < len(texts) and texts[k] and texts[k] != NO_DATA_TEXT
        ]

    def reported(self) -> tuple[ReportedSwallow, ...]:
        """What the columns of results say of each swallow."""
        labels = {
            at: texts[k]
            for at, texts in self._rows
            for k in self._columns
            if k < len(texts) and texts[k]
        }
        return reported_swallows(self._rows, self._known, labels, self._header.rate_hz)

    def catheter(self, options: ReadOptions) -> str | None:
        """Model that the file names; None, with a warning, where it says something else."""
        columns = [k for k, name in self._known.items() if name == CATHETER]
        said = {
            texts[k]
            for _, texts in self._rows
            for k in columns
            if k < len(texts) and texts[k] not in ("", NO_DATA_TEXT)
        }
        if not said:
            return None
        return stated_model(said, options, self._header.n_pressure)


def names_catheter(rows: list[TextRow], header: Header) -> bool:
    """Whether the first rows of a file name a catheter whose positions are known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Names of models are ASCII.
        model = Labels(rows, header, "cp1252").catheter(ReadOptions())
    return model is not None and bool(catheters()[model].depths_cm)


def stated_model(said: set[str], options: ReadOptions, n_sensors: int) -> str | None:
    """Model that the cells of ``catheter_type`` name; None, with a warning, if it cannot be."""
    models = catheters(options.catheter_file)
    named = {model_of_device(text, models) for text in said}
    model = named.pop() if len(named) == 1 else None
    if model is not None and models[model].n_sensors == n_sensors:
        return model
    if model is not None:
        hint = (
            f"names {model}, which has {models[model].n_sensors} pressure sensors, but the file has "
            f"{n_sensors}; it is left unread"
        )
    else:
        usual = _NUMBERED_MODELS.get(next(iter(said))) if len(said) == 1 else None
        if usual is not None and usual == options.catheter:
            return None
        hint = (
            "holds a number that one hospital's software takes for "
            f"{usual}: name the catheter yourself with catheter= if you know that it was this one"
            if usual
            else "names no single model of the registry of catheters; it is left unread"
        )
    warnings.warn(f"[{NAME}] the column {CATHETER} {hint}", ProvenanceWarning, stacklevel=2)
    return None
