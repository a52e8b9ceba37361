"""Which sensors can be believed, when, and what stands in for them.

Every rule speaks of a window of 10 s (SPEC section 1.2). Each errs on the side of
the sensor: a sphincter, a long contraction and a coarse number are no fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.kernels.interpolate import interpolate_2d
from hrm.preprocess.noise import sensor_noise

#: What may be said of a sensor in a window; the code is the place in this list.
FLAGS = ("ok", "marked", "missing", "dead", "noisy", "outlier", "rail")
#: Flags of which no sample can be used; at the rail only some are wrong.
_LOST = (1, 2, 3, 4, 5)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SensorQuality:
    """What is wrong with each sensor.

    Attributes
    ----------
    edges : array (window + 1,) of int
        First sample of each window, and the end.
    flags : array (sensor, window) of int8
        Index into `FLAGS`.
    usable : array (sensor,) of bool
        False where too much is lost for the sensor to serve at all.
    railed : mapping of int to array (time,) of bool
        Samples at the end of a sensor's range, by sensor.
    """

    edges: NDArray[np.int64]
    flags: NDArray[np.int8]
    usable: Mask
    railed: Mapping[int, Mask] = field(default_factory=dict)

    @property
    def status(self) -> tuple[str, ...]:
        """The flag that each sensor bears longest, ``ok`` if none."""
        counts = np.stack([(self.flags == code).sum(axis=1) for code in range(len(FLAGS))], axis=1)
        counts[:, 0] = 0
        worst = np.where(counts.any(axis=1), counts.argmax(axis=1), 0)
        return tuple(FLAGS[code] for code in worst)

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the time in windows with a flag, by sensor."""
        lengths = np.diff(self.edges)
        return np.asarray(((self.flags > 0) * lengths).sum(axis=1) / lengths.sum())

    def lost(self, sensor: int) -> Mask:
        """Samples of a sensor that cannot be used, (time,)."""
        bad = np.repeat(np.isin(self.flags[sensor], _LOST), np.diff(self.edges))
        railed = self.railed.get(sensor)
        return bad if railed is None else bad | railed


def usable_sensors(pressure: xr.DataArray, *, dead_variance: float) -> Mask:
    """Say which sensors can be used: neither marked bad, nor constant, nor empty.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coord ``sensor_ok``
    dead_variance : float [mmHg^2]
        A sensor that varies less over the whole recording is dead.

    Returns
    -------
    array (sensor,) of bool
    """
    values = pressure.values
    variance = np.full(values.shape[0], np.nan)
    known = np.isfinite(values).any(axis=1)
    for k in np.flatnonzero(known):  # one at a time: a copy of all in float64 is large
        variance[k] = np.nanvar(values[k].astype(np.float64))
    return np.asarray(pressure["sensor_ok"].values & known & (variance >= dead_variance))


def resolution(values: NDArray[np.float32]) -> float:
    """Step between the numbers that a sensor gives [mmHg]; 0 if there are too few to tell."""
    seen = np.unique(values[np.isfinite(values)])
    return float(np.min(np.diff(seen))) if seen.size > 1 else 0.0


def judge_sensors(pressure: xr.DataArray, parameters: Parameters) -> SensorQuality:
    """Judge every sensor in every window.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg], coords ``depth``, ``sensor_ok``
        As recorded: neither corrected nor filtered.
    parameters : Parameters
        Rows ``quality...``.

    Returns
    -------
    SensorQuality

    Notes
    -----
    SPEC section 1.2, with what keeps these rules from taking physiology for a fault. A
    constant stretch tells a dead sensor only if it lasts all the recording, or while both
    neighbors move. An outlier is judged against the sensor's own habit, at rest only, and
    must last: a sphincter always differs from the line between its neighbors.
    """
    values, time = pressure.values, pressure["time"].values
    edges = _windows(time, parameters["quality.window_s"])
    alive = usable_sensors(pressure, dead_variance=parameters["quality.dead_variance_mmhg2"])
    alive |= _quiet_ends(pressure, alive, parameters)
    flags = np.zeros((values.shape[0], edges.size - 1), dtype=np.int8)
    railed = _railed(values, alive, float(time[1] - time[0]), parameters)
    for k, at_rail in railed.items():
        flags[k, np.add.reduceat(at_rail, edges[:-1]) > 0] = FLAGS.index("rail")
    flags[_outliers(pressure, alive, edges, parameters)] = FLAGS.index("outlier")
    flags[_dead_windows(values, edges, parameters)] = FLAGS.index("dead")
    flags[_noisy(pressure, alive, parameters)] = FLAGS.index("noisy")
    gaps = np.add.reduceat(np.isnan(values), edges[:-1], axis=1) / np.diff(edges)
    flags[gaps > parameters["quality.missing_share"]] = FLAGS.index("missing")
    flags[~alive & np.isfinite(values).any(axis=1)] = FLAGS.index("dead")
    flags[~pressure["sensor_ok"].values & np.isfinite(values).any(axis=1)] = FLAGS.index("marked")
    lost = (np.isin(flags, _LOST) * np.diff(edges)).sum(axis=1) / values.shape[1]
    usable = alive & (lost <= parameters["quality.unusable_share"])
    return SensorQuality(edges, flags, usable, railed)


def _quiet_ends(pressure: xr.DataArray, alive: Mask, parameters: Parameters) -> Mask:
    """Constant sensors at an end of the catheter that only rest below the resolution.

    In whole or even coarser mmHg, the pharynx or the stomach can read as one number for all
    the study. Two or more sensors side by side that do so, and agree, are believed.
    """
    values = pressure.values
    step = max((resolution(row) for row in values[alive]), default=0.0)
    out = np.zeros_like(alive)
    # Rounding hides a variance of a twelfth of the squared step.
    if step**2 < 12.0 * parameters["quality.dead_variance_mmhg2"] or not alive.any():
        return out
    known = np.flatnonzero(alive)
    for part in (slice(0, int(known[0])), slice(int(known[-1]) + 1, alive.size)):
        group = values[part]
        sound = pressure["sensor_ok"].values[part] & np.isfinite(group).any(axis=1)
        if group.shape[0] > 1 and sound.all() and np.nanmax(group) - np.nanmin(group) <= step:
            out[part] = True
    return out


def _windows(time: NDArray[np.float64], length_s: float) -> NDArray[np.int64]:
    """Edges of the windows; what is left over at the end belongs to the last one."""
    length = max(1, round(length_s / float(time[1] - time[0])))
    count = max(1, time.size // length)
    return np.append(np.arange(count) * length, time.size).astype(np.int64)


def _railed(
    values: NDArray[np.float32], alive: Mask, step_s: float, parameters: Parameters
) -> dict[int, Mask]:
    """Samples at the rail, by sensor; neighbors that stand still elsewhere are at no rail."""
    found = {int(k): _at_rail(values[k], step_s, parameters) for k in np.flatnonzero(alive)}
    found = {k: mask for k, mask in found.items() if mask.any()}
    level = {k: float(np.abs(values[k][mask]).max()) for k, mask in found.items()}
    near = parameters["quality.rail_near_mmhg"]
    # The range is that of the amplifiers: side by side, two sensors have the same.
    alike = {
        k
        for k in found
        if all(abs(level[k] - level[j]) <= near for j in (k - 1, k + 1) if j in level)
    }
    return {k: mask for k, mask in found.items() if k in alike}


def _at_rail(values: NDArray[np.float32], step_s: float, parameters: Parameters) -> Mask:
    """Samples at a value that the sensor reaches often and never passes, up or down."""
    out = np.zeros(values.size, dtype=np.bool_)
    shortest = parameters["quality.rail_least_s"] / step_s
    near_mmhg = parameters["quality.rail_near_mmhg"]
    for signed in (values, -values):
        top = np.nanmax(signed)
        if not top >= parameters["quality.rail_least_mmhg"]:
            continue
        at = signed >= top
        if at.sum() < max(shortest, 2):
            continue
        step = resolution(values)
        fine = step < 0.5 * near_mmhg
        ratio = parameters["quality.rail_fine_ratio" if fine else "quality.rail_ratio"]
        # A signal that turns by itself was on its way there for longer than it stayed.
        near = signed >= top - 1.001 * max(step, near_mmhg)
        before = int(near.sum()) - int(at.sum())
        if at.sum() >= ratio * before:
            out |= at
    return out


def _dead_windows(
    values: NDArray[np.float32], edges: NDArray[np.int64], parameters: Parameters
) -> Mask:
    """Windows in which a sensor stands still between two neighbors that move."""
    high = np.maximum.reduceat(values, edges[:-1], axis=1)
    low = np.minimum.reduceat(values, edges[:-1], axis=1)
    span = high - low  # NaN where anything is missing
    still = 0.25 * span**2 < parameters["quality.dead_variance_mmhg2"]
    moves = span > parameters["quality.stuck_mmhg"]
    out = np.zeros_like(still)
    out[1:-1] = still[1:-1] & moves[:-2] & moves[2:]
    return np.asarray(out)


def _noisy(pressure: xr.DataArray, alive: Mask, parameters: Parameters) -> Mask:
    """Sensors whose noise is far above that of the others."""
    noise = sensor_noise(pressure)
    known = alive & np.isfinite(noise)
    if known.sum() < 3:
        return np.zeros_like(alive)
    usual = float(np.median(noise[known]))
    level = max(parameters["quality.noisy_ratio"] * usual, parameters["quality.noisy_least_mmhg"])
    return np.asarray(known & (noise > level))


def _outliers(
    pressure: xr.DataArray, alive: Mask, edges: NDArray[np.int64], parameters: Parameters
) -> Mask:
    """Windows of a long stretch in which a sensor leaves its habit and its neighbors do not."""
    depth = pressure["depth"].values
    # Ten samples a second tell enough about stretches of half a minute.
    stride = max(1, round(0.1 / float(np.diff(pressure["time"].values[:2])[0])))
    values = pressure.values[:, ::stride].astype(np.float64)
    window = np.searchsorted(edges, np.arange(values.shape[1]) * stride, side="right") - 1
    sizes = np.maximum(np.bincount(window, minlength=edges.size - 1), 1)
    out = np.zeros((values.shape[0], edges.size - 1), dtype=np.bool_)
    away = np.full(values.shape, np.inf)
    away[alive] = np.abs(values[alive] - np.nanmedian(values[alive], axis=1, keepdims=True))
    quiet = away <= parameters["quality.outlier_rest_mmhg"]
    longest = round(parameters["quality.outlier_lasts_s"] / parameters["quality.window_s"])
    for k in range(1, depth.size - 1):
        if not alive[k - 1 : k + 2].all():
            continue
        share = (depth[k] - depth[k - 1]) / (depth[k + 1] - depth[k - 1])
        residual = values[k] - (1.0 - share) * values[k - 1] - share * values[k + 1]
        odd = _robust_z(residual, parameters) > parameters["quality.outlier_z"]
        odd &= quiet[k - 1] & quiet[k + 1]
        shares = np.bincount(window, weights=odd, minlength=sizes.size) / sizes
        out[k] = _lasting(shares > parameters["quality.outlier_share"], longest)
    return out


def _robust_z(residual: NDArray[np.float64], parameters: Parameters) -> NDArray[np.float64]:
    known = residual[np.isfinite(residual)]
    if known.size == 0:
        return np.zeros(residual.size)
    center = np.median(known)
    scale = max(
        1.4826 * np.median(np.abs(known - center)), parameters["quality.outlier_scale_mmhg"]
    )
    return np.asarray(np.abs(residual - center) / scale)


def _lasting(mask: Mask, count: int) -> Mask:
    """Keep only runs of at least `count`."""
    out = np.zeros_like(mask)
    padded = np.concatenate(([False], mask, [False])).astype(np.int8)
    for start, stop in np.flatnonzero(np.diff(padded)).reshape(-1, 2):
        out[start:stop] = stop - start >= count
    return out


def repair_sensors(pressure: xr.DataArray, quality: SensorQuality, *, kernel: str) -> xr.DataArray:
    """Put interpolated pressure where a usable sensor lost samples.

    Parameters
    ----------
    pressure : DataArray (sensor, time) float32 [mmHg], coord ``depth`` [cm]
        Corrected for drift, or not.
    quality : SensorQuality
    kernel : {"linear", "pchip", "cubic"}
        Of the interpolation along the catheter.

    Returns
    -------
    DataArray (sensor, time) float32 [mmHg]
        Lost samples are interpolated between the two neighbors where both are good, and
        NaN where not (SPEC section 1.2). At the rail the pressure is at least the rail. A
        sensor that is not usable at all is left as it is; the depth grid bridges it.
    """
    values = pressure.values
    bad = np.isnan(values)
    for k in np.flatnonzero(quality.usable):
        bad[k] |= quality.lost(int(k))
    bad[~quality.usable] = True
    broken = np.flatnonzero(quality.usable & bad.any(axis=1))
    if broken.size == 0:
        return pressure
    out = values.copy()
    depth = np.asarray(pressure["depth"].values, dtype=np.float64)
    for k in broken:
        lost = bad[k]
        filled = _between(values, bad, depth, int(k), kernel)
        railed = quality.railed.get(int(k))
        if railed is not None:
            beyond = np.sign(values[k]) * np.fmax(np.sign(values[k]) * filled, np.abs(values[k]))
            filled = np.where(railed & np.isfinite(filled), beyond, filled)
        out[k, lost] = filled[lost]
    return pressure.copy(data=out)


def _between(
    values: NDArray[np.float32],
    bad: Mask,
    depth: NDArray[np.float64],
    k: int,
    kernel: str,
) -> NDArray[np.float32]:
    """Pressure at sensor `k` from its neighbors, two on each side where they are good too."""
    out = np.full(values.shape[1], np.nan, dtype=np.float32)
    if k in (0, depth.size - 1):
        return out
    lost = bad[k] & ~bad[k - 1] & ~bad[k + 1]
    far = [j for j in (k - 2, k + 2) if 0 <= j < depth.size]
    groups = np.zeros(lost.size, dtype=np.int8)
    for bit, j in enumerate(far):
        groups += (1 << bit) * (~bad[j]).astype(np.int8)
    for group in np.unique(groups[lost]):
        columns = np.flatnonzero(lost & (groups == group))
        rows = sorted([k - 1, k + 1, *(j for bit, j in enumerate(far) if group >> bit & 1)])
        part = np.ascontiguousarray(values[rows][:, columns], dtype=np.float32)
        out[columns] = interpolate_2d(part, depth[rows], depth[k : k + 1].copy(), kernel)[0]
    return out
