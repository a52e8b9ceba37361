"""The layout file: what the user says about a table, or an EDF file, that does not say it.

A TOML file, checked as a whole: every fault is told at once, and no text of it is quoted,
because a header row copied into it may hold a patient's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hrm._toml import MOST_BYTES, load_toml_bounded
from hrm.catheters import is_number
from hrm.errors import FormatError, ParameterError
from hrm.io._registry import CHANNEL_ORDERS, ReadOptions
from hrm.io._units import IMPEDANCE_UNITS, PRESSURE_UNITS

#: Words for the cell separators; ``auto`` takes the one that makes the first row numbers.
SEPARATORS: Mapping[str, bytes | None] = {
    "tab": b"\t",
    "semicolon": b";",
    "comma": b",",
    "blank": None,
}
DECIMALS = ("point", "comma")
ENCODINGS = ("auto", "utf-8", "cp1252", "cp950")
TIME_UNITS = ("s", "ms", "sample")

_KEYS = {
    "table": {"separator", "header_lines", "decimal", "encoding", "missing"},
    "time": {"sampling_rate_hz", "column", "unit", "part"},
    "pressure": {"columns", "unit", "order", "depths_cm", "catheter"},
    "impedance": {"columns", "unit", "order"},
    "events": {"marker", "text"},
}

TEMPLATE = """\
# What hrm cannot see in a plain table of numbers (or in an EDF file), said by you.
# Read with:    hrm analyze FILE --layout THIS.toml
# Check with:   hrm layout THIS.toml --for FILE
# A line that begins with # is not read; take the mark away where the line is true.
# Never put a patient's data here.

# --- How the text is written. Leave this table out for an EDF file. ---------------------
[table]
# tab, semicolon, comma, blank (any run of blanks or tabs), or auto.
separator = "auto"
# Lines above the first row of numbers; the last of them may hold the names of the columns.
# Left out: none, or one if the first line is not all numbers.
# header_lines = 1
# Decimal mark: point or comma.
decimal = "point"
# Only the names and notes depend on it: auto, utf-8, cp1252 or cp950.
# encoding = "auto"
# What stands where a sample is missing. Left out: only NaN does.
# missing = ["-9999", "NA", ""]

# --- When the samples were taken. One of the two, or both; not for an EDF file. ---------
[time]
# Samples per second of every column.
# sampling_rate_hz = 50
# Column of the time, by number from 1 or by name, in s, ms, or sample (a running number).
# column = 1
# unit = "s"
# Of an EDF+ file with gaps: which part between them, counted from 1.
# part = 1

# --- The pressures. ---------------------------------------------------------------------
[pressure]
# "first-last" counted from 1, a list of numbers, or a list of names (of an EDF file: labels).
columns = "1-36"
# mmHg, cmH2O, kPa, hPa, mbar or Pa. Nothing is assumed. An EDF file states its own.
# unit = "mmHg"
# Which end of the catheter the first of these columns is: proximal_first (pharynx) or
# distal_first (stomach). Nothing is assumed: read the wrong way round, all is wrong.
# order = "proximal_first"
# Where the sensors sit, in cm from any fixed point, one for each of the columns and in
# the same order; or the name of a catheter that 'hrm catheters' lists.
# depths_cm = [0, 1, 2, 3]
# catheter = "manoscan-36"

# --- Impedances, if there are any. ------------------------------------------------------
# [impedance]
# columns = "37-54"
# unit = "kohm"                 # ohm or kohm
# order = "proximal_first"

# --- What happened, if the table says it. -----------------------------------------------
# [events]
# marker = 55                   # a column that is not 0 while a button is pressed
# text = 56                     # a column of notes, empty on most rows
"""


@dataclass(frozen=True, slots=True)
class Signals:
    """Columns of one kind of signal, by number from 1 or by name, in the order of the file.

    None of `columns` means all that are left. `depths_cm` are parallel to `columns`.
    """

    columns: tuple[int | str, ...] | None = None
    unit: str | None = None
    order: str | None = None
    depths_cm: tuple[float, ...] | None = None
    catheter: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked layout; `separator` is ``auto`` or a key of `SEPARATORS`."""

    separator: str = "auto"
    header_lines: int | None = None
    decimal: str | None = None
    encoding: str = "auto"
    missing: tuple[str, ...] = ()
    sampling_rate_hz: float | None = None
    time_column: int | str | None = None
    time_unit: str = "s"
    part: int | None = None
    pressure: Signals = field(default_factory=Signals)
    impedance: Signals | None = None
    marker: int | str | None = None
    text: int | str | None = None
    sha256: str = ""


def read_layout(path: Path) -> Layout:
    """Read a layout file and check all of it.

    Raises
    ------
    ParameterError
        Listing every fault; texts of the file are not quoted.
    """
    with path.open("rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    tables, faults = _tables(data)
    faults = faults or _faults(tables)
    if faults:
        raise ParameterError(
            "layout file: " + "; ".join(faults) + ". 'hrm layout --init' writes one to fill in"
        )
    return _layout(tables, hashlib.sha256(data).hexdigest())


def _tables(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """Tables of a file, and why it has none."""
    try:
        return load_toml_bounded(data), []
    except FormatError as err:
        return {}, [str(err)]


def with_layout(options: ReadOptions) -> ReadOptions:
    """Say with the options what the layout file says of rate, positions, unit and order.

    Raises
    ------
    ParameterError
        If the file is faulty, or an option says something else.
    """
    if options.layout is None:
        return options
    layout = read_layout(options.layout)
    pressure = layout.pressure
    depths = None if pressure.depths_cm is None else _from_the_first(pressure.depths_cm)
    stated: dict[str, Any] = {
        "sampling_rate": layout.sampling_rate_hz,
        "depths": depths,
        "catheter": pressure.catheter,
        "pressure_unit": pressure.unit,
        "channel_order": pressure.order,
    }
    given = {name: value for name, value in stated.items() if value is not None}
    for name, value in given.items():
        asked = getattr(options, name)
        if asked is not None and asked != value:
            raise ParameterError(
                f"{name}= and the layout file say different things; leave one of them out"
            )
    return replace(options, **given)


def _from_the_first(depths: tuple[float, ...]) -> tuple[float, ...]:
    """Depths proximal to distal, counted from the first sensor."""
    rising = depths if depths[0] < depths[-1] else depths[::-1]
    if rising[0] == 0:
        return rising
    # A printed position has few decimals; the rest is what a subtraction of floats leaves.
    return tuple(round(depth - rising[0], 6) for depth in rising)


def layout_of(options: ReadOptions) -> Layout:
    """Layout that the options name; an empty one if they name none."""
    return Layout() if options.layout is None else read_layout(options.layout)


def _layout(tables: Mapping[str, Any], sha256: str) -> Layout:
    table, time = tables.get("table", {}), tables.get("time", {})
    events, impedance = tables.get("events", {}), tables.get("impedance")
    rate = time.get("sampling_rate_hz")
    return Layout(
        separator=table.get("separator", "auto"),
        header_lines=table.get("header_lines"),
        decimal=table.get("decimal"),
        encoding=table.get("encoding", "auto"),
        missing=tuple(table.get("missing", ())),
        sampling_rate_hz=None if rate is None else float(rate),
        time_column=time.get("column"),
        time_unit=time.get("unit", "s"),
        part=time.get("part"),
        pressure=_signals(tables["pressure"]),
        impedance=None if impedance is None else _signals(impedance),
        marker=events.get("marker"),
        text=events.get("text"),
        sha256=sha256,
    )


def _signals(table: Mapping[str, Any]) -> Signals:
    depths = table.get("depths_cm")
    return Signals(
        columns=None if "columns" not in table else _columns(table["columns"]),
        unit=table.get("unit"),
        order=table.get("order"),
        depths_cm=None if depths is None else tuple(float(depth) for depth in depths),
        catheter=table.get("catheter"),
    )


def _columns(value: Any) -> tuple[int | str, ...] | None:
    """Columns in their order; None if the text is no range or the list no list of them."""
    if isinstance(value, str):
        first, dash, last = value.partition("-")
        if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
            return None
        low, high = int(first), int(last)
        return tuple(range(low, high + 1)) if 1 <= low <= high <= 100_000 else None
    if not isinstance(value, list) or not value:
        return None
    kinds = {type(each) for each in value}
    sound = all(_is_column(each) for each in value) and len(kinds) == 1
    return tuple(value) if sound and len(set(value)) == len(value) else None


def _is_column(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _faults(tables: Mapping[str, Any]) -> list[str]:
    faults = []
    if set(tables) - set(_KEYS):
        faults.append(f"a table that is none of {', '.join(f'[{name}]' for name in _KEYS)}")
    for name, keys in _KEYS.items():
        table = tables.get(name, {})
        if not isinstance(table, dict):
            return [*faults, f"[{name}] is not a table"]
        if set(table) - keys:
            faults.append(f"[{name}] has a key that is none of {', '.join(sorted(keys))}")
    if "pressure" not in tables:
        faults.append("there is no table [pressure]")
    faults += _text_faults(tables.get("table", {})) + _time_faults(tables.get("time", {}))
    faults += _signal_faults("pressure", tables.get("pressure", {}), PRESSURE_UNITS)
    faults += _position_faults(tables.get("pressure", {}))
    if "impedance" in tables:
        faults += _impedance_faults(tables["impedance"])
    for name in ("marker", "text"):
        if not _is_column(tables.get("events", {}).get(name, 1)):
            faults.append(f"events.{name} is no column: a number from 1, or a name")
    return faults or _overlap_faults(tables)


def _text_faults(table: Mapping[str, Any]) -> list[str]:
    faults = _word_faults(
        "table",
        table,
        {"separator": ("auto", *SEPARATORS), "decimal": DECIMALS, "encoding": ENCODINGS},
    )
    n_lines = table.get("header_lines", 0)
    if isinstance(n_lines, bool) or not isinstance(n_lines, int) or not 0 <= n_lines <= 1000:
        faults.append("table.header_lines is not a whole number from 0 to 1000")
    missing = table.get("missing", [])
    if not isinstance(missing, list) or not all(isinstance(each, str) for each in missing):
        faults.append('table.missing is not a list of texts, like ["-9999", "NA"]')
    elif any(mark in each for each in missing for mark in ("\n", "\r", "\t", ";")):
        faults.append("table.missing holds a text with a line end or a separator")
    if table.get("separator") == "comma" and table.get("decimal") == "comma":
        faults.append("separator and decimal mark cannot both be a comma")
    return faults


def _time_faults(time: Mapping[str, Any]) -> list[str]:
    faults = _word_faults("time", time, {"unit": TIME_UNITS})
    rate = time.get("sampling_rate_hz", 1)
    if not is_number(rate) or rate <= 0:
        faults.append("time.sampling_rate_hz is not a positive number")
    if not _is_column(time.get("column", 1)):
        faults.append("time.column is no column: a number from 1, or a name")
    part = time.get("part", 1)
    if isinstance(part, bool) or not isinstance(part, int) or part < 1:
        faults.append("time.part is not a whole number from 1")
    if "column" in time and "unit" not in time:
        faults.append(f"time.unit is missing: {', '.join(TIME_UNITS)}")
    return faults


def _signal_faults(name: str, table: Mapping[str, Any], units: Mapping[str, Any]) -> list[str]:
    words = {"unit": tuple(units), "order": CHANNEL_ORDERS}
    faults = _word_faults(name, table, words)
    if "columns" in table and _columns(table["columns"]) is None:
        faults.append(
            f'{name}.columns is not a range like "1-36", nor a list of column numbers from 1, '
            "nor a list of names, each once"
        )
    return faults


def _impedance_faults(table: Mapping[str, Any]) -> list[str]:
    lacking = [f"impedance.{key} is missing" for key in ("columns", "order") if key not in table]
    return lacking + _signal_faults("impedance", table, IMPEDANCE_UNITS)


def _position_faults(table: Mapping[str, Any]) -> list[str]:
    faults = []
    if not isinstance(table.get("catheter", ""), str):
        faults.append("pressure.catheter is not a text")
    if "depths_cm" not in table:
        return faults
    depths = table["depths_cm"]
    if not isinstance(depths, list) or len(depths) < 2 or not all(is_number(d) for d in depths):
        return [*faults, "pressure.depths_cm is not a list of two or more numbers"]
    columns = _columns(table.get("columns"))
    if columns is not None and len(columns) != len(depths):
        faults.append(f"pressure has {len(columns)} columns but {len(depths)} depths_cm")
    return faults + _order_faults(depths, table.get("order"))


def _order_faults(depths: Sequence[float], order: Any) -> list[str]:
    steps = [after - before for before, after in pairwise(depths)]
    rising, falling = all(step > 0 for step in steps), all(step < 0 for step in steps)
    if not rising and not falling:
        return ["pressure.depths_cm neither rise nor fall from column to column; sort the columns"]
    if order in CHANNEL_ORDERS and rising != (order == "proximal_first"):
        return [
            "pressure.depths_cm go from "
            + ("proximal to distal" if rising else "distal to proximal")
            + ", but pressure.order says the opposite; depths_cm stand in the order "
            "of the columns and grow towards the stomach"
        ]
    return []


def _overlap_faults(tables: Mapping[str, Any]) -> list[str]:
    used: list[int | str] = [*(_columns(tables["pressure"].get("columns")) or ())]
    used += _columns(tables.get("impedance", {}).get("columns")) or ()
    named = (tables.get("time", {}).get("column"), *tables.get("events", {}).values())
    used += [column for column in named if column is not None]
    return ["a column is given for two things"] if len(set(used)) != len(used) else []


def _word_faults(
    name: str, table: Mapping[str, Any], words: Mapping[str, Sequence[str]]
) -> list[str]:
    return [
        f"{name}.{key} is none of {', '.join(known)}"
        for key, known in words.items()
        if key in table and table[key] not in known
    ]
