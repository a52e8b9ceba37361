"""Writes small files in the layouts of the vendors: deterministic numbers, no physiology.

A test states a layout in words of the format (`Mms`, `ManoView`, `Headless`), asks for its
bytes, and knows from `pressure` and `impedance` what a reader must find in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

PLANT = "DOE JANE 1961"


def integers(n_samples: int, n_channels: int) -> np.ndarray:
    """Whole numbers (time, channel) of both signs; the extremes of each channel come first and last."""
    i, k = np.arange(n_samples)[:, None], np.arange(n_channels)[None, :]
    values = (i * (k + 3)) % 23 + 5 * k - 12
    values[0], values[-1] = -40 - k[0], 130 + k[0]
    return values


def hundredths(n_samples: int, n_channels: int) -> np.ndarray:
    """Numbers with two decimals (time, channel) of both signs."""
    i, k = np.arange(n_samples)[:, None], np.arange(n_channels)[None, :]
    return ((i * 37 + k * 101) % 1999 - 500) / 100


@dataclass
class Mms:
    """An MMS export; every part can be overridden to make a faulty one."""

    n_sensors: int = 22
    n_samples: int = 60
    first: int = 2442
    rate: str = "20"
    name: str = "X, X"
    marker: dict[int, int] = field(default_factory=lambda: {7: 100, 31: 100})
    resp: int = 0
    separator: str = ", "
    newline: str = "\r\n"
    extras: dict[str, dict[int, str]] = field(default_factory=dict)
    preamble: dict[str, str | None] = field(default_factory=dict)
    nan: tuple[tuple[int, int], ...] = ()
    with_marker: bool = True

    @property
    def distal_first(self) -> np.ndarray:
        """Pressures as in the file: P1 (most distal) first."""
        return integers(self.n_samples, self.n_sensors)

    @property
    def pressure(self) -> np.ndarray:
        """What a reader must find: (sensor, time), proximal first."""
        values = self.distal_first.astype(np.float32)
        for row, channel in self.nan:
            values[row, channel] = np.nan
        return np.ascontiguousarray(values[:, ::-1].T)

    @property
    def table(self) -> np.ndarray:
        other = np.zeros((self.n_samples, 7), dtype=int)
        other[:, 0] = self.resp
        for row, value in self.marker.items():
            other[row, 6] = value
        table = np.hstack([self.distal_first, other])
        return table if self.with_marker else table[:, :-1]

    @property
    def columns(self) -> list[str]:
        others = ["Resp1", "Resp2", "Resp3", "Swallow1", "Swallow2", "Swallow3", "Marker"]
        names = [f"P{k}" for k in range(1, self.n_sensors + 1)] + others
        return names if self.with_marker else names[:-1]

    def preamble_rows(self) -> list[list[str]]:
        n = len(self.columns)
        low = [str(value) for value in self.table.min(axis=0)]
        high = [str(value) for value in self.table.max(axis=0)]
        rows = {
            "Name": [self.name],
            "Channels": [str(n)],
            "Sf": [self.rate] * n,
            "Min": low,
            "Max": high,
        }
        for key, text in self.preamble.items():
            if text is None:
                rows.pop(key)
            else:
                rows[key] = text.split(", ")
        return [[f"{key}=", *cells] for key, cells in rows.items()]

    def data_rows(self) -> list[list[str]]:
        rows = []
        for at, values in enumerate(self.table):
            cells = [str(value) for value in values]
            for row, channel in self.nan:
                if row == at:
                    cells[channel] = "NaN"
            texts = [column.get(at, "") for column in self.extras.values()]
            rows.append([str(self.first + at), *cells, *texts])
        return rows

    def lines(self) -> list[str]:
        header = ["Sample number", *self.columns, *self.extras]
        rows = [*self.preamble_rows(), [], header, *self.data_rows()]
        if self.separator in (",", ";"):
            # A spreadsheet pads every row to the same number of cells.
            rows = [row + [""] * (len(header) - len(row)) for row in rows]
        return [self.separator.join(row) for row in rows]

    def text(self) -> str:
        return self.newline.join(self.lines()) + self.newline

    def bytes(self) -> bytes:
        return self.text().encode("utf-8")


def spreadsheet(**changes) -> Mms:
    """The hospital variant: an MMS export saved again by a spreadsheet."""
    extras = {
        "檢查流程": {2: "Landmark", 5: "Resting1", 9: "Resting1", 12: "Wet swallow1", 20: "MRS1"},
        "Contraction vigor": {12: "Normal"},
        "ws_10_vigor": {0: "Normal", 1: "無數據"},
    }
    return Mms(**{"separator": ",", "newline": "\n", "extras": extras, **changes})


def results_at_events(**changes) -> Mms:
    """The hospital variant with a reader's words on the rows of the events."""
    extras = {
        "檢查流程": {3: "Wet swallow1", 8: "Wet Swallow2", 14: "Wet swallow3", 20: "MRS1"},
        "Contraction vigor": {3: "Normal", 8: "Failed", 14: "Weak"},
        "Contraction pattern": {3: "Intact", 8: "Failed", 14: "Fragmented"},
    }
    return spreadsheet(**{"extras": extras, "marker": {}, **changes})


def results_from_the_top(**changes) -> Mms:
    """The newer variant: a table from the first row of samples down, and the catheter."""
    extras = {
        "檢查流程": {3: "Wet swallow1", 8: "Wet Swallow2", 14: "Wet swallow3", 20: "MRS1"},
        "ws_10_vigor": {0: "Normal", 1: "無數據", 2: "Weak"},
        "ws_10_pattern": {0: "Intact", 1: "無數據", 2: "Intact"},
        "ws_10_dci": {0: "1234.5", 1: "無數據", 2: "310"},
        "ws_10_irp40": {0: "8", 1: "無數據", 2: "-1.5"},
        "ws_10_dl": {0: "6.2", 1: "無數據", 2: "7"},
        "ws_10_large_break": {0: "0", 1: "無數據", 2: "2.5"},
        "catheter_type": {0: "CE4-0062"},
    }
    return spreadsheet(**{"extras": extras, "marker": {}, **changes})


@dataclass
class ManoView:
    """A ManoView export with its header."""

    n_samples: int = 50
    n_sensors: int = 36
    n_segments: int = 0
    first: float = 260.60
    rate: float = 100.0
    annotations: tuple[tuple[str, str], ...] = (("260.70", "WS 1"),)
    footer: bool = True
    newline: str = "\r\n"
    comma: bool = False

    @property
    def time(self) -> np.ndarray:
        return self.first + np.arange(self.n_samples) / self.rate

    @property
    def values(self) -> np.ndarray:
        return hundredths(self.n_samples, self.n_sensors)

    @property
    def pressure(self) -> np.ndarray:
        """What a reader must find: (sensor, time), proximal first."""
        return np.ascontiguousarray(self.values.T.astype(np.float32))

    @property
    def kiloohm(self) -> np.ndarray:
        return hundredths(self.n_samples, self.n_segments) + 10

    @property
    def impedance(self) -> np.ndarray | None:
        """What a reader must find: (segment, time) [ohm]."""
        if not self.n_segments:
            return None
        return np.ascontiguousarray((self.kiloohm.T * 1000).astype(np.float32))

    def data_rows(self) -> list[str]:
        rows = []
        for time, values, ohms in zip(self.time, self.values, self.kiloohm, strict=True):
            cells = [f"{time:.2f}", *(f"{value:.2f}" for value in values)]
            if self.n_segments:
                cells += ["", *(f"{ohm:.2f}" for ohm in ohms)]
            rows.append("\t".join(cells))
        return [row.replace(".", ",") for row in rows] if self.comma else rows

    def lines(self) -> list[str]:
        labels = [str(k) for k in range(1, self.n_sensors + 1)]
        if self.n_segments:
            labels += ["", *(str(k) for k in range(1, self.n_segments + 1))]
        footer = ["Annotations:", *(f"{time}\t{text}" for time, text in self.annotations)]
        rows = ["\t".join(["TIME:", *labels]), *self.data_rows()]
        return rows + footer if self.footer else rows

    def text(self) -> str:
        return self.newline.join(self.lines()) + self.newline

    def bytes(self) -> bytes:
        return self.text().encode("utf-8")


@dataclass
class Headless(ManoView):
    """A ManoView table without header: one swallow window."""

    annotations: tuple[tuple[str, str], ...] = ()
    footer: bool = False
    dummy: str | None = "0.0"
    newline: str = "\n"

    def lines(self) -> list[str]:
        rows = [row.replace("\t\t", "\t").replace("\t", "  ") for row in self.data_rows()]
        if self.dummy is None:
            return rows
        n_cells = 1 + self.n_sensors + self.n_segments
        return ["  ".join([self.dummy] + ["0.0"] * (n_cells - 1)), *rows]


@dataclass
class ManoBank(Headless):
    """One swallow as the ManoBank archives it: elapsed time, 36 pressures, 18 impedances."""

    first: float = 0.0
    n_segments: int = 18
    dummy: str | None = None
    newline: str = "\r\n"

    def lines(self) -> list[str]:
        return [row.replace("  ", "\t") for row in super().lines()]
