"""Rows of a plain table, block by block, as its layout says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, HrmError, ParameterError
from hrm.io import _text
from hrm.io._cut_end import without_cut_end
from hrm.io._lines import Lines, Rows, without_blank_end
from hrm.io._notes import event_of
from hrm.io._raw import Facts, RawEvent
from hrm.io._registry import PLAIN_TABLE, ReadOptions
from hrm.io._source import Source
from hrm.io._stream import Block
from hrm.io._table_columns import Columns, find_columns
from hrm.io._table_head import table_head
from hrm.io._timebase import time_grid
from hrm.io._units import IMPEDANCE_UNITS, PRESSURE_UNITS
from hrm.io.identity import phi_attr_name
from hrm.io.layout import Layout, layout_of

VERSION = "1"
_ROWS_FOR_A_RATE = 200
_NUMERIC = b"0123456789+-.,;eE \t\r\n"
_SECONDS = {"s": 1.0, "ms": 1e-3}
_MOST_FLOAT32 = float(np.finfo(np.float32).max)


class PlainTableStream:
    """A plain table whose columns have been found.

    `options` are those with which `hrm.io.layout.with_layout` has said what the layout says.

    Raises
    ------
    ParameterError
        If unit, order or rate are not said, or the layout does not fit the file.
    CorruptFileError
        If there are no rows of numbers.
    """

    reader = PLAIN_TABLE
    default_catheter: str | None = None
    states_catheter = False

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self._source, self._options = source, options
        self._layout = layout_of(options)
        self._lines = Lines(source, reader=PLAIN_TABLE)
        self._columns = self._found_columns(_to_be_said(self._layout, options))
        self._factor = _factor(options.pressure_unit, PRESSURE_UNITS)
        impedance = self._layout.impedance
        self._ohm = _factor(None if impedance is None else impedance.unit, IMPEDANCE_UNITS)
        above = [self._lines.line() or b"" for _ in range(self._columns.header_lines)]
        self._header = self._said_above(above)
        self._first_line = self._lines.number
        self.n_sensors = len(self._columns.pressure)
        self.n_segments = len(self._columns.impedance)
        self._cleaner = _Cleaner(self._layout, self._columns.separator)
        self._times: list[NDArray[np.float64]] = []
        self._texts: list[tuple[int, bytes]] = []
        self._pressed_at: list[int] = []
        self._was_pressed = False
        self._n_rows = 0

    def _found_columns(self, lacking: list[str]) -> Columns:
        """Find the columns; what is lacking is told together with what does not fit."""
        top = self._lines.ahead((self._layout.header_lines or 1) + 1)
        order = self._options.channel_order or ""
        try:
            found = find_columns(top, self._layout, order, self._encoding)
        except HrmError as err:
            said = f"{err}{self._seen()}"
            if lacking:
                raise ParameterError(f"{_listed(lacking)}. Besides, {said}") from err
            err.args = (said,)
            raise
        if lacking:
            raise ParameterError(_listed(lacking))
        return found

    def _seen(self) -> str:
        """Say what the first lines show where the layout says something else."""
        head, said = table_head(self._source.head()), self._layout
        if head is None:
            return ""
        others = []
        # One line above the numbers, or none, is seen where nothing is said.
        if said.header_lines != head.n_above and (
            said.header_lines is not None or head.n_above > 1
        ):
            others.append(f"header_lines = {head.n_above}")
        if head.texts and said.separator != head.separator:
            others.append(f'separator = "{head.separator}"')
        if not others:
            return ""
        return (
            f". The numbers seem to begin in line {head.n_above + 1}: say {' and '.join(others)} in "
            "the table [table] of the layout file"
        )

    def _said_above(self, lines: list[bytes]) -> tuple[str, ...]:
        """Texts of the lines above the numbers; a row of column names says nothing of a patient."""
        columns = self._columns
        texts = []
        for at, line in enumerate(lines, 1):
            is_last = at == len(lines)
            if is_last and len(line.split(columns.separator)) == columns.n_cells:
                continue
            texts.append(" ".join(line.decode(self._encoding, "replace").split()))
        return tuple(text for text in texts if text)

    @property
    def header_lines(self) -> int:
        """Lines above the first row of numbers."""
        return self._columns.header_lines

    @property
    def header_texts(self) -> tuple[str, ...]:
        """What stands above the numbers, which may say who the patient is."""
        return self._header

    @property
    def _encoding(self) -> str:
        stated = self._layout.encoding
        return self._lines.encoding if stated == "auto" else stated

    def early_rate_hz(self) -> float | None:
        """Rate that is stated, or that the first rows show; before `blocks`."""
        column, unit = self._columns.time, self._layout.time_unit
        if self._options.sampling_rate is not None or column is None or unit == "sample":
            return self._options.sampling_rate
        rows = [line.replace(b'"', b"") for line in self._lines.ahead(_ROWS_FOR_A_RATE)]
        cells = [row.split(self._columns.separator) for row in rows if row.strip()]
        times = [_text.parse_number(row[column]) for row in cells if len(row) > column]
        known = np.array([time for time in times if time is not None]) * _SECONDS[unit]
        if known.size < 2:
            return None
        return time_grid(known, first_line=self._first_line, reader=PLAIN_TABLE).rate_hz

    def blocks(self) -> Iterator[Block]:
        """Pressures in mmHg and impedances in ohm."""
        columns = self._columns
        dtype = np.float32 if self._takes_values_as_they_are() else np.float64
        layout = _text.BlockLayout(columns.separator, columns.numbers, columns.n_cells, dtype=dtype)
        parser = _text.TableParser(layout, reader=PLAIN_TABLE)
        blocks = without_blank_end(
            self._lines.blocks(), separator=columns.separator or b"", reader=PLAIN_TABLE
        )
        whole = without_cut_end(blocks, layout, self._options, reader=PLAIN_TABLE)
        for rows in whole:
            table = parser.parse(self._cleaner.clean(self._without_texts(rows)))
            yield self._block(table)
            self._n_rows += len(table.first)

    def _takes_values_as_they_are(self) -> bool:
        columns = self._columns
        leftmost = columns.time in (None, columns.numbers[0])
        # A code for a missing sample may be beyond float32, and is compared as it was written.
        codes = all(abs(code) <= _MOST_FLOAT32 for code in self._cleaner.numbers)
        return self._factor == self._ohm == 1 and leftmost and codes

    def _block(self, table: _text.Table) -> Block:
        columns = self._columns
        if columns.time is not None:
            self._times.append(self._taken(table, (columns.time,))[:, 0].astype(np.float64))
        if columns.marker is not None:
            self._add_marks(self._taken(table, (columns.marker,))[:, 0])
        pressure = self._signal(table, columns.pressure, self._factor)
        if not columns.impedance:
            return Block(pressure)
        return Block(pressure, self._signal(table, columns.impedance, self._ohm))

    def _taken(self, table: _text.Table, wanted: tuple[int, ...]) -> NDArray[Any]:
        """Columns of the file, wherever the parser put them."""
        order = {column: place for place, column in enumerate(self._columns.numbers)}
        places = [order[column] for column in wanted]
        if 0 not in places:
            return table.values[:, [place - 1 for place in places]]
        if places == [0]:
            return table.first[:, None]
        values = np.column_stack([_text.narrowed(table.first, table.values.dtype), table.values])
        return values[:, places]

    def _signal(
        self, table: _text.Table, wanted: tuple[int, ...], factor: Fraction
    ) -> NDArray[np.float32]:
        values = self._taken(table, wanted)
        for code in self._cleaner.numbers:
            values[values == values.dtype.type(code)] = np.nan
        if factor != 1:
            with np.errstate(over="ignore"):
                values = values.astype(np.float64) * factor.numerator / factor.denominator
        return _text.narrowed(values)

    def _add_marks(self, marks: NDArray[Any]) -> None:
        pressed = (marks != 0) & ~np.isnan(marks)
        before = np.concatenate(([self._was_pressed], pressed[:-1]))
        found = np.flatnonzero(pressed & ~before)
        self._pressed_at += [self._n_rows + int(at) for at in found]
        self._was_pressed = bool(pressed[-1])

    def _without_texts(self, rows: Rows) -> Rows:
        """Set the columns that are not read to 0, and keep the notes."""
        columns = self._columns
        data = rows.data.replace(b'"', b"")
        if not (rows.data.endswith(b"\n") or data.rpartition(b"\n")[2]):
            data += b"\n"  # a last line of quotes only stays a line, to be refused
        strange = columns.ignored and data.translate(None, _NUMERIC)
        if columns.text is None and not strange:
            return Rows(rows.first_line, data)
        mark = b" " if columns.separator is None else columns.separator
        out = []
        for at, line in enumerate(Rows(rows.first_line, data).lines()):
            cells = line.split(columns.separator)
            if len(cells) == columns.n_cells:
                note = b"" if columns.text is None else cells[columns.text].strip()
                if note:
                    self._texts.append((self._n_rows + at, note))
                for k in columns.ignored:
                    cells[k] = b"0"
            out.append(mark.join(cells))
        return Rows(rows.first_line, b"\n".join(out) + b"\n" * data.endswith(b"\n"))

    def finish(self) -> Facts:
        """Find the rate, and give marks and notes as events."""
        rate, first_s, attrs = self._time_facts()
        encoding, keep_phi = self._encoding, self._options.keep_phi
        notes = [
            event_of(at / rate, text.decode(encoding, "replace"), keep_phi=keep_phi)
            for at, text in self._texts
        ]
        if keep_phi:
            said = enumerate(self._header, 1)
            attrs |= {phi_attr_name(f"header line {k}"): text for k, text in said}
        if self._layout.sha256:
            attrs["layout_sha256"] = self._layout.sha256
        return Facts(
            source_format=PLAIN_TABLE,
            reader=PLAIN_TABLE,
            reader_version=VERSION,
            sha256=self._source.sha256,
            sampling_rate_hz=rate,
            time_offset_s=first_s,
            events=(*(RawEvent(at / rate, "marker") for at in self._pressed_at), *notes),
            attrs={**attrs, "file_pressure_unit": self._options.pressure_unit or ""},
        )

    def _time_facts(self) -> tuple[float, float, dict[str, str | float | int]]:
        stated = self._options.sampling_rate
        unit = self._layout.time_unit
        if self._columns.time is None:
            return stated or 0.0, 0.0, {}
        times = np.concatenate(self._times)
        if unit == "sample":
            first = _first_sample(times, self._first_line)
            rate = stated or 0.0
            return rate, first / rate, {"first_sample_index": first}
        grid = time_grid(times * _SECONDS[unit], first_line=self._first_line, reader=PLAIN_TABLE)
        if stated is None:
            return grid.rate_hz, grid.first_s, {}
        # Printed times are rounded; what they allow at most is half a sample over the whole.
        if abs((times.size - 1) * (stated / grid.rate_hz - 1)) > 0.5:
            raise ParameterError(
                f"the time column says {grid.rate_hz:g} Hz, the sampling rate given is "
                f"{stated:g} Hz; leave one of them out"
            )
        return stated, grid.first_s, {}


class _Cleaner:
    """Brings missing samples to NaN, and holds the decimal mark to the one that was said."""

    def __init__(self, layout: Layout, separator: bytes | None) -> None:
        found = {code: _text.parse_number(code.encode("utf-8")) for code in layout.missing}
        self.numbers = tuple(value for value in found.values() if value is not None)
        texts = [code for code, value in found.items() if value is None]
        if "" in texts and separator is None:
            raise ParameterError(
                'layout file: table.missing holds "", but between blanks no cell can be empty'
            )
        self._missing = _pattern(texts, separator) if texts else None
        comma = separator == b","
        self._wrong = {"point": b"" if comma else b",", "comma": b".", None: b""}[layout.decimal]
        if comma and layout.decimal == "comma":
            raise ParameterError("separator and decimal mark of the table are both a comma")

    def clean(self, rows: Rows) -> Rows:
        """Bring a block to what the parser takes."""
        data = rows.data
        if self._missing is not None:
            body = data.removesuffix(b"\n")
            data = self._missing.sub(rb"\1NaN", body) + b"\n" * data.endswith(b"\n")
        at = data.find(self._wrong) if self._wrong else -1
        if at >= 0:
            raise CorruptFileError(
                "found a decimal mark that is not the one said in the layout file (table.decimal)",
                reader=PLAIN_TABLE,
                where=f"line {rows.first_line + data.count(10, 0, at)}",
            )
        return Rows(rows.first_line, data)


def _pattern(texts: list[str], separator: bytes | None) -> re.Pattern[bytes]:
    codes = b"|".join(
        re.escape(code.strip(" ").encode("utf-8")) for code in sorted(texts, reverse=True)
    )
    # Blanks are taken all or not at all (`*+`), and a run of them from its start only: trying
    # all the parts of a long run would take time that grows with its square.
    if separator is None:
        before, after = rb"^[ \t]*+|(?<![ \t])[ \t]++", rb"[ \t]"
    else:
        mark = re.escape(separator)
        before, after = rb"(?:^|" + mark + rb") *+", rb" *+(?:" + mark + rb"|$)"
    return re.compile(rb"(?m)(" + before + rb")(?:" + codes + rb")(?=" + after + rb"|$)")


def _to_be_said(layout: Layout, options: ReadOptions) -> list[str]:
    """What neither the layout nor an option says, and cannot be seen."""
    out = []
    if options.pressure_unit is None:
        out.append("the unit (pressure.unit, or pressure_unit=)")
    if options.channel_order is None:
        out.append("the order of the columns (pressure.order, or channel_order=)")
    by_column = layout.time_column is not None and layout.time_unit != "sample"
    if options.sampling_rate is None and not by_column:
        out.append(
            "the sampling rate (time.sampling_rate_hz, or a column of times as time.column, or "
            "sampling_rate=)"
        )
    if layout.impedance is not None and layout.impedance.unit is None:
        out.append(f"the unit of the impedances (impedance.unit: {', '.join(IMPEDANCE_UNITS)})")
    # Where only this is lacking, the error that says it lists the catheters that fit.
    if out and (options.depths, options.catheter, options.catheter_file) == (None, None, None):
        out.append(
            "the sensor positions (pressure.depths_cm or pressure.catheter, or depths= or "
            "catheter=)"
        )
    return out


def _listed(lacking: list[str]) -> str:
    return (
        f"still to be said of the table, in a layout file or by options: {'; '.join(lacking)}. "
        "Nothing of it is assumed"
    )


def _factor(unit: str | None, known: Mapping[str, Fraction]) -> Fraction:
    if unit is None:
        return Fraction(1)
    if unit not in known:
        raise ParameterError(f"pressure_unit must be one of {', '.join(known)}, got another")
    return known[unit]


def _first_sample(samples: NDArray[np.float64], line: int) -> int:
    wrong = np.flatnonzero(~(np.diff(samples) == 1))
    if wrong.size or not (samples[0] >= 0 and samples[0] == np.floor(samples[0])):
        at = line + (int(wrong[0]) + 1 if wrong.size else 0)
        raise CorruptFileError(
            "expected whole sample numbers that rise by one from row to row; rows are missing, "
            "doubled or out of order: export the file again",
            reader=PLAIN_TABLE,
            where=f"line {at}",
        )
    return int(samples[0])
