"""One swallow on a fine grid, with the known course of its contraction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.phantom.field import Array

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Field:
    """The body of one swallow on a fine grid, with the known course of its wave.

    `ridge` is the column of the peak of the smooth segment at each depth, `course`
    the modelled time of its front [s].
    """

    t: Array
    z: Array
    p: Array
    ridge: NDArray[np.intp]
    course: Array
    onset_s: float
    rate_hz: float
    step_cm: float

    def samples(self, seconds: float) -> int:
        """Return the number of samples in a time."""
        return round(seconds * self.rate_hz)

    def rows(self, top: float, bottom: float) -> slice:
        """Rows with top <= z <= bottom."""
        lo, hi = np.searchsorted(self.z, (top - 1e-9, bottom + 1e-9))
        return slice(int(lo), int(hi))

    def columns(self, start: float, stop: float) -> slice:
        """Columns with start <= t <= stop."""
        lo, hi = np.searchsorted(self.t, (start - 1e-9, stop + 1e-9))
        return slice(int(lo), int(hi))


def long_runs(flags: Mask, least: int) -> Mask:
    """Keep only the runs of at least `least` samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    out = np.zeros_like(flags)
    for start, stop in edges.reshape(-1, 2):
        out[start:stop] = stop - start >= least
    return out


def run_start(flags: Mask, index: int) -> int:
    """First sample of the run of `flags` that holds `index`."""
    low = np.flatnonzero(~flags[:index])
    return int(low[-1]) + 1 if low.size else 0


def connected(mask: Mask, seed: Mask) -> Mask:
    """Grow `seed` within `mask` along rows and columns until nothing changes."""
    grown, size = seed, -1
    while int(grown.sum()) != size:
        size = int(grown.sum())
        grown = _fill_runs(mask, grown)
        grown = np.ascontiguousarray(_fill_runs(mask.T, grown.T).T)
    return grown


def _fill_runs(mask: Mask, seed: Mask) -> Mask:
    """Every run of `mask` along the last axis that holds a sample of `seed`."""
    starts = mask.copy()
    starts[:, 1:] &= ~mask[:, :-1]
    label = np.cumsum(starts.ravel()).reshape(mask.shape)
    touched = np.zeros(int(label.max()) + 1, dtype=bool)
    touched[label[seed & mask]] = True
    return np.asarray(mask & touched[label])


def known_front(z: Array, front: Array) -> tuple[Array, Array]:
    """Depths [cm] that have a front, and its times there [s]."""
    good = np.isfinite(front)
    return z[good], front[good]


def front_times(field: Field, region: slice, parameters: Parameters) -> tuple[Array | None, Array]:
    """Times of the front, and the pressure just ahead of it, for each depth.

    The level of the front rises above a plateau ahead of it. The plateau is read
    before the modelled front: one above 30 mmHg joins the contraction in a single
    run, so that the crossing of 30 mmHg would date the plateau itself.
    """
    level = float(parameters["front.level_mmhg"])
    front = _front_at(field, region, level, parameters)
    known = np.where(np.isfinite(front), field.course[region], np.nan)
    ahead = plateau_ahead(field, region, known, parameters)
    high = ahead >= float(parameters["front.plateau_mmhg"])
    if high.mean() > float(parameters["front.plateau_share"]):
        level = 5.0 * math.ceil((float(np.percentile(ahead[high], 95)) + 5.0) / 5.0)
        front = _front_at(field, region, level, parameters)
    return (front if np.isfinite(front).any() else None), ahead


def _front_at(field: Field, region: slice, level: float, parameters: Parameters) -> Array:
    """Start of the run at or above `level` that holds the ridge, for each depth [s]."""
    p, ridge = field.p[region], field.ridge[region]
    out = np.full(p.shape[0], np.nan)
    least = field.samples(float(parameters["front.run_s"]))
    for i, row in enumerate(p):
        peak = _climb(row, int(ridge[i]), field.samples(0.5))
        if row[peak] < level:
            continue
        low = np.flatnonzero(row < level)
        before, after = low[low < peak], low[low > peak]
        end = int(after[0]) if after.size else row.size
        if not before.size or end - int(before[-1]) - 1 < least:
            continue
        j = int(before[-1])
        share = (level - row[j]) / (row[j + 1] - row[j])
        out[i] = field.t[j] + share / field.rate_hz
    return out


def _climb(row: Array, start: int, reach: int) -> int:
    """Index of the highest sample within `reach` of `start`."""
    lo = max(0, start - reach)
    return lo + int(row[lo : start + reach + 1].argmax())


def plateau_ahead(field: Field, region: slice, front: Array, parameters: Parameters) -> Array:
    """Median pressure just before the front around each depth (NaN without front)."""
    out = np.full(front.size, np.nan)
    half = round(float(parameters["front.plateau_half_cm"]) / field.step_cm)
    back = field.samples(float(parameters["front.plateau_s"]))
    for i in np.flatnonzero(np.isfinite(front)):
        stop = int(np.searchsorted(field.t, front[i]))
        row = region.start + int(i)
        box = field.p[max(0, row - half) : row + half + 1, max(0, stop - back) : stop]
        if box.size:
            middle = box.size // 2
            out[i] = np.partition(box, middle, axis=None)[middle]
    return out
