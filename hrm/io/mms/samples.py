"""Samples of an MMS export, block by block, and what the preamble says about all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hrm.io import _raw, _text
from hrm.io._cut_end import without_cut_end
from hrm.io._lines import Lines, without_blank_end
from hrm.io._raw import Facts, RawEvent
from hrm.io._registry import ReadOptions
from hrm.io._source import Source
from hrm.io._stream import Block
from hrm.io.mms.columns import colonic_layout, has_catheter_column
from hrm.io.mms.header import NAME, VERSION, Header, corrupt, header_lines, parse_header
from hrm.io.mms.labels import Labels, TextRow, split_rows

# The preamble prints its extremes with the digits of the samples, which are float32 here.
_ROUNDING = float(np.finfo(np.float32).eps)


class MmsStream:
    """An MMS export whose preamble has been read.

    Raises
    ------
    CorruptFileError
        If the preamble is cut, contradictory or damaged.
    UnsupportedVersionError
        If the channels are not of the layouts seen.
    """

    reader = NAME
    n_segments = 0
    default_catheter: str | None = None

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self._source, self._options = source, options
        self._lines = Lines(source, reader=NAME)
        self._top = header_lines(self._lines)
        self._header = self._parse_top()
        self.n_sensors = self._header.n_pressure
        self.states_catheter = has_catheter_column(self._header)
        self._ranges = _Ranges(self._header)
        self._buttons = _Buttons()
        self._texts: list[TextRow] = []
        self._first: float | None = None
        self._next = 0.0
        self._n_rows = 0

    def _parse_top(self) -> Header:
        return parse_header(
            self._top, keep_phi=self._options.keep_phi, encoding=self._lines.encoding
        )

    @property
    def header_texts(self) -> tuple[str, ...]:
        """What the preamble says of the patient, if it was asked to be kept."""
        return tuple(map(str, self._header.phi.values()))

    def blocks(self) -> Iterator[Block]:
        """Pressures proximal to distal; only the numeric columns must be whole."""
        header = self._header
        n_cells = len(header.channels) + 1
        layout = _text.BlockLayout(header.separator, tuple(range(n_cells)), n_cells)
        parser = _text.TableParser(layout, reader=NAME)
        blocks = without_blank_end(self._lines.blocks(), separator=header.separator, reader=NAME)
        whole = without_cut_end(
            blocks,
            layout,
            self._options,
            reader=NAME,
            last_number_is_cut=self._last_marker_is_cut,
        )
        for rows in whole:
            numbers, texts = split_rows(rows, header, self._n_rows)
            self._texts += texts
            table = parser.parse(numbers)
            self._take(table, rows.first_line)
            yield Block(table.values[:, header.n_pressure - 1 :: -1])
        if self._n_rows < 2:
            raise corrupt("expected at least 2 rows of samples; the file is cut", header.first_line)

    def _take(self, table: _text.Table, first_line: int) -> None:
        if self._first is None:
            self._first = _first_sample(table.first[0], first_line)
            self._next = self._first
        _check_samples(table.first, self._next, first_line)
        self._next = table.first[-1] + 1
        _check_no_nan(table.values[:, self._header.n_pressure :], first_line)
        self._ranges.add(table.values)
        if self._header.has_marker:
            self._buttons.add(table.values[:, -1])
        self._n_rows += len(table.first)

    def finish(self) -> Facts:
        """Compare the preamble with the samples, and give markers and labels as events."""
        checked = self._ranges.check(self._options)
        header = self._parse_top()
        labels = Labels(self._texts, header, self._lines.encoding)
        first = int(self._first or 0)
        attrs: dict[str, str | float | int] = {
            "first_sample_index": first,
            "integrity_check": checked,
            **self._ranges.unread(),
        }
        attrs |= colonic_layout(header)
        if labels.n_unread_columns:
            attrs["unread_columns"] = labels.n_unread_columns
        markers = [RawEvent(at / header.rate_hz, "marker") for at in self._buttons.pressed_at]
        return Facts(
            source_format=NAME,
            reader=NAME,
            reader_version=VERSION,
            sha256=self._source.sha256,
            sampling_rate_hz=header.rate_hz,
            time_offset_s=first / header.rate_hz,
            events=(*markers, *labels.events(keep_phi=self._options.keep_phi)),
            attrs={**attrs, **header.phi},
            catheter=labels.catheter(self._options),
            reported=labels.reported(),
        )

    def _last_marker_is_cut(self, last: bytes, _before: bytes) -> bool:
        # A file cut inside its last cell shows "1" or "10" for the marker value 100.
        header = self._header
        marker = _text.parse_number(last.rpartition(header.separator)[2].strip())
        return header.has_marker and not header.extras and marker not in (0, 100)


class _Buttons:
    """Rows on which the operator's button goes down."""

    def __init__(self) -> None:
        self.pressed_at: list[int] = []
        self.last = 0.0
        self._n_rows = 0

    def add(self, markers: NDArray[np.float32]) -> None:
        pressed = markers != 0
        before = np.concatenate(([self.last != 0], pressed[:-1]))
        self.pressed_at += [self._n_rows + int(at) for at in np.flatnonzero(pressed & ~before)]
        self.last = float(markers[-1])
        self._n_rows += len(markers)


class _Ranges:
    """Extremes of each column, to be compared with the preamble's Min and Max rows."""

    def __init__(self, header: Header) -> None:
        n_channels = len(header.channels)
        self._header = header
        self._found = {
            "min": np.full(n_channels, np.nan, dtype=np.float32),
            "max": np.full(n_channels, np.nan, dtype=np.float32),
        }

    def add(self, values: NDArray[np.float32]) -> None:
        for name, smaller in (("min", np.fmin), ("max", np.fmax)):
            self._found[name] = smaller(self._found[name], smaller.reduce(values, axis=0))

    def check(self, options: ReadOptions) -> str:
        """Say whether the samples are those that the preamble was written for."""
        header = self._header
        missing = [name for name in ("min", "max") if name not in header.limits]
        if missing or header.count is None:
            _raw.recoverable(
                f"the preamble has no row {_named(missing, header)}, so a cut file cannot be told "
                "from a whole one",
                options=options,
                reader=NAME,
            )
        wrong = np.zeros(len(header.channels), dtype=bool)
        for name, stated in header.limits.items():
            wrong |= _differs(self._found[name], np.array(stated))
        if wrong.any():
            names = [header.channels[k] for k in np.flatnonzero(wrong)]
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            _raw.recoverable(
                f"the preamble's Min/Max rows contradict the samples of {', '.join(names[:5])}"
                f"{more}: the file was truncated or altered after the export; export it again",
                options=options,
                reader=NAME,
            )
        return "failed" if wrong.any() else "not_available" if missing else "passed"

    def unread(self) -> dict[str, str | float | int]:
        """Name the columns that have no place in a study; silent signals need none."""
        names = [
            name
            for k, name in enumerate(self._header.channels)
            if k >= self._header.n_pressure
            and name.casefold() != "marker"
            and (self._found["min"][k] != 0 or self._found["max"][k] != 0)
        ]
        return {"unread_channels": " ".join(names)} if names else {}


def _named(missing: list[str], header: Header) -> str:
    rows = [*missing, *["channels"] * (header.count is None)]
    return " and ".join(f"'{name.capitalize()}='" for name in rows)


def _differs(found: NDArray[np.float32], stated: NDArray[np.float64]) -> NDArray[np.bool_]:
    # A column without a number has no extremes.
    slack = 1e-6 + _ROUNDING * np.abs(stated)
    return ~np.isnan(found) & ~(np.abs(found.astype(np.float64) - stated) < slack)


def _first_sample(sample: float, line: int) -> float:
    if not (sample >= 0 and sample == np.floor(sample)):
        raise corrupt("expected a whole, non-negative sample number", line)
    return sample


def _check_samples(samples: NDArray[np.float64], expected: float, first_line: int) -> None:
    """Sample numbers must rise by one from the one expected."""
    steps = np.diff(samples, prepend=expected - 1)
    wrong = np.flatnonzero(~(steps == 1))
    if wrong.size:
        step = steps[wrong[0]]
        kind = "repeats" if step == 0 else "goes back" if step < 0 else "jumps"
        raise corrupt(
            f"the sample number {kind}: expected one more than in the row before; rows are "
            "missing, doubled or out of order: export the file again",
            first_line + int(wrong[0]),
        )


def _check_no_nan(others: NDArray[np.float32], first_line: int) -> None:
    missing = np.isnan(others).any(axis=1)
    if missing.any():
        raise corrupt(
            "only a pressure may be NaN, found one in a Resp, Swallow or Marker column",
            first_line + int(np.argmax(missing)),
        )
