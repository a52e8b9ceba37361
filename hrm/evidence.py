"""What made a number: typed marks in time and depth, traces, profiles and entries.

`hrm.explain` fills these records; `hrm.plot.explain` and the viewer draw from them alone.
They hold plain arrays, no definition: to know what a mark means, read its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Limit, Metric, Reference, Unimplemented

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Instant:
    """A moment [s]. Marks with `main` made the number, the others show where it lies."""

    label: str
    time_s: float
    main: bool = True


@dataclass(frozen=True, eq=False)
class Span:
    """A stretch of time [s]."""

    label: str
    start_s: float
    stop_s: float
    main: bool = True


@dataclass(frozen=True, eq=False)
class DepthLine:
    """A place on the catheter [cm]."""

    label: str
    depth_cm: float
    main: bool = True


@dataclass(frozen=True, eq=False)
class Box:
    """A rectangle in time [s] and depth [cm]."""

    label: str
    start_s: float
    stop_s: float
    top_cm: float
    bottom_cm: float
    main: bool = True


@dataclass(frozen=True, eq=False)
class Polyline:
    """A line through times [s] and depths [cm]; NaN breaks it."""

    label: str
    time: Floats
    depth: Floats
    main: bool = True


@dataclass(frozen=True, eq=False)
class Points:
    """Single places in time [s] and depth [cm], each with a value where it has one."""

    label: str
    time: Floats
    depth: Floats
    values: Floats | None = None
    main: bool = True


@dataclass(frozen=True, eq=False)
class Region:
    """Samples of the pressure field that count.

    Attributes
    ----------
    label : str
    depth : array (depth,) [cm]
    time : array (time,) [s]
    values : array (depth, time) [mmHg]
    inside : array (depth, time) of bool
        Which of them count.
    level_mmhg : float [mmHg]
        What is below it adds nothing, and it is taken away from what is above.
    """

    label: str
    depth: Floats
    time: Floats
    values: NDArray[np.float32]
    inside: Bools
    level_mmhg: float
    main: bool = True


@dataclass(frozen=True, eq=False)
class Contour:
    """An isobaric contour [mmHg] of the pressure field."""

    label: str
    level_mmhg: float
    main: bool = False


Mark = Instant | Span | DepthLine | Box | Polyline | Points | Region | Contour


@dataclass(frozen=True, eq=False)
class Trace:
    """A quantity over time.

    Attributes
    ----------
    label, unit : str
    time : array (time,) [s]
    values : array (time,), in `unit`
    used : array (time,) of bool
        Samples that made the number.
    levels : mapping of str to float
        Values that the trace is held against.
    """

    label: str
    unit: str
    time: Floats
    values: Floats
    used: Bools
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Profile:
    """A quantity along the catheter at rest.

    Attributes
    ----------
    label, unit : str
    depth : array (depth,) [cm]
    values : array (depth,), in `unit`
    used : array (depth,) of bool
        Places that made the number.
    levels : mapping of str to float
    """

    label: str
    unit: str
    depth: Floats
    values: Floats
    used: Bools
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One of the numbers that another number is made of.

    Attributes
    ----------
    label : str
    value : float
    role : str
        ``counted``, ``left_out``, ``numerator`` or ``denominator``.
    note : str
    swallow : int or None
    """

    label: str
    value: float
    role: str = "counted"
    note: str = ""
    swallow: int | None = None


@dataclass(frozen=True, eq=False)
class FieldWindow:
    """The pressure that the marks lie on: as it was measured, on the depth grid.

    Attributes
    ----------
    depth : array (depth,) [cm]
    time : array (time,) [s]
    values : array (depth, time) [mmHg]
    """

    depth: Floats
    time: Floats
    values: NDArray[np.float32]


@dataclass(frozen=True)
class Used:
    """A parameter with the value that was used."""

    key: str
    value: Any
    unit: str
    default: Any
    confidence: str
    source: str
    text: str

    @property
    def changed(self) -> bool:
        """Whether it differs from the table."""
        return bool(self.value != self.default)


@dataclass(frozen=True)
class Held:
    """A limit that the number is held against, and whether it lies beyond."""

    limit: Limit
    beyond: bool | None


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a number was read from.

    Attributes
    ----------
    rule : str
        How the number follows from marks, traces and entries; see `RULES`.
    marks : tuple of Mark
    traces : tuple of Trace
    profiles : tuple of Profile
    entries : tuple of Entry
    field : FieldWindow or None
    notes : tuple of str
    onset_s : float
        Zero of the time axis of a picture [s]; NaN for the first sample.
    focus_cm : (float, float) or None
        Depths to look at, where the whole catheter would show too little.
    """

    rule: str = "none"
    marks: tuple[Mark, ...] = ()
    traces: tuple[Trace, ...] = ()
    profiles: tuple[Profile, ...] = ()
    entries: tuple[Entry, ...] = ()
    field: FieldWindow | None = None
    notes: tuple[str, ...] = ()
    onset_s: float = float("nan")
    focus_cm: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where a number came from, and the definition behind it.

    Attributes
    ----------
    row : Metric or Unimplemented
        Of the catalogue.
    name : str
        As in the contract, with ``_unfiltered`` where that was asked for.
    swallow : int or None
        Number of the swallow, from 1; None for a number of the study.
    value : float, (float, float) or None
        In the unit of `row`.
    status, reason : str
        Code as in the contract, and the same in words; ``ok`` and empty with a number
        that nothing speaks against.
    parameters : tuple of Used
    limits : tuple of Held
    references : tuple of Reference
    evidence : Evidence
    study_id : str
        Code of the recording.
    engine : str
        Version and id of the parameters.
    limit_note : str
        Why it is held against no limit, where others are.
    """

    row: Metric | Unimplemented
    name: str
    swallow: int | None
    value: float | tuple[float, float] | None
    status: str
    reason: str
    parameters: tuple[Used, ...]
    limits: tuple[Held, ...]
    references: tuple[Reference, ...]
    evidence: Evidence
    study_id: str
    engine: str
    limit_note: str = ""

    @property
    def changed(self) -> tuple[Used, ...]:
        """Parameters that this run set to another value than the default."""
        return tuple(used for used in self.parameters if used.changed)

    @property
    def unit(self) -> str:
        """Unit of `value`."""
        return self.row.units

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Marks in time and depth."""
        return self.evidence.marks

    def to_dict(self) -> dict[str, Any]:
        """Give everything but the pressure field, ready for JSON.

        Returns
        -------
        dict
            Of a mark ``kind`` is the name of its class. What is not finite is None. The
            pressures of a `Region` are left out too; ``inside`` says per depth from which
            sample to which, end not included, a run of samples counts.
        """
        out = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        out["unit"] = self.unit
        return out


#: How a number follows from what is marked; the first trace, profile or region counts.
RULES: Mapping[str, str] = {
    "none": "nothing is marked",
    "nothing_found": "nothing was found that would count",
    "mean": "mean of the marked samples",
    "median": "median of the marked samples",
    "least": "least of the marked samples",
    "greatest": "greatest of the marked samples",
    "time": "the marked time",
    "span": "start and end of the marked time",
    "span_start": "start of the marked time",
    "span_stop": "end of the marked time",
    "between_times": "time from the first to the second mark",
    "on_level": "time at which the trace passes the level",
    "depth": "the marked depth",
    "between_depths": "distance of the two marked depths",
    "on_profile_level": "depth at which the profile passes the level",
    "vertex": "vertex of a parabola through the marked points of the profile",
    "excess": "integral over time and depth of the pressure above the level in the marked region",
    "excess_per_time": "integral over time and depth of the pressure above the level in the marked "
    "region, divided by its time",
    "sum_of_regions": "sum of the integrals of the marked regions, each divided by its time",
    "velocity": "reciprocal of the median slope between any two marked points",
    "count_peaks": "peaks that both traces have",
    "entries_median": "median of the numbers that count",
    "entries_mean": "mean of the numbers that count",
    "entries_sum": "sum of the numbers that count",
    "entries_ratio_greatest": "greatest of the numbers above, over the mean of those below",
    "entries_ratio_mean": "mean of the numbers above, over the mean of those below",
    "product_over": "product of the numbers above, over the number below",
    "time_used": "time for which the marked samples stand",
    "value_at": "value of the trace at the marked time",
    "thousand_over_least": "1000 over the least of the marked samples",
}


def _plain(value: Any) -> Any:
    if isinstance(value, Region):
        return _plain_region(value)
    if isinstance(value, FieldWindow):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": type(value).__name__} if isinstance(value, Mark) else {}
        return kind | {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value


def _plain_region(region: Region) -> dict[str, Any]:
    edges = np.diff(np.pad(region.inside.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    return {
        "kind": "Region",
        "label": region.label,
        "main": region.main,
        "level_mmhg": region.level_mmhg,
        "depth": _plain(region.depth),
        "time": _plain(region.time),
        "inside": [np.flatnonzero(row).reshape(-1, 2).tolist() for row in edges],
    }
