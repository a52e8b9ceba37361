"""Time the kernels on one 26 s window of a 36-sensor study at 100 Hz.

    python -m pytest benchmarks/bench_kernels.py --benchmark-enable -s

Every benchmark checks its answer against scipy or NumPy, and prints how its time
compares with theirs in the same run. Compiling is timed on its own, in a new process
without the disk cache.
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from scipy.interpolate import CubicSpline, PchipInterpolator

from hrm.kernels.contour import (
    axial_sd_1d,
    axial_share_1d,
    peak_run_2d,
    pressed_ahead_1d,
    reached_2d,
)
from hrm.kernels.filters import smooth_2d
from hrm.kernels.hinge import hinge_fits_1d, pair_slopes_1d
from hrm.kernels.integral import column_means_2d, excess_2d
from hrm.kernels.interpolate import depth_grid, interpolate_2d
from hrm.kernels.peaks import prominences_1d
from hrm.kernels.scan import below_habit_1d, rising_share_1d, row_medians_1d

RATE, SECONDS, N_SENSORS = 100, 26, 36
DEPTH = np.arange(float(N_SENSORS))
GRID = depth_grid(DEPTH, 0.1)


def waves(depth):
    """A swallow in closed form, with some ripple so that nothing is trivially zero."""
    t, z = np.arange(RATE * SECONDS)[None, :] / RATE, depth[:, None]
    peak = 90 * np.exp(-0.5 * ((t - 4 - z / 4) / 1.2) ** 2)
    les = 25 * np.exp(-0.5 * (z - 30) ** 2)
    return (peak + les + 3 * np.sin(t + z)).astype(np.float32)


SENSORS, FIELD = waves(DEPTH), waves(GRID)
#: Some minutes, in which every swallow is as the first.
LONG = np.tile(SENSORS, (1, 12))
ABOVE = FIELD >= 20


def best_of(function, repeats=3):
    """Shortest time of some runs [s]."""
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return min(spent)


@pytest.fixture
def compare(benchmark):
    """Run a kernel, check it against a rival, and print the ratio of their times."""

    def run(kernel, rival, **tolerance):
        seen, known = benchmark(kernel), rival()
        np.testing.assert_allclose(seen, known, equal_nan=True, **tolerance)
        ours, theirs = best_of(kernel, 5), best_of(rival)
        benchmark.extra_info["ratio"] = theirs / ours
        print(f"\n{ours * 1e3:8.3f} ms, {theirs / ours:6.1f} x as fast as the rival")

    return run


def test_pchip(compare):
    compare(
        lambda: interpolate_2d(SENSORS, DEPTH, GRID, "pchip"),
        lambda: PchipInterpolator(DEPTH, SENSORS, axis=0)(GRID),
        atol=1e-3,
    )


def test_cubic(compare):
    compare(
        lambda: interpolate_2d(SENSORS, DEPTH, GRID, "cubic"),
        lambda: CubicSpline(DEPTH, SENSORS, axis=0, bc_type="natural")(GRID),
        atol=1e-3,
    )


def test_linear(compare):
    def rival():
        left = np.minimum(GRID.astype(int), N_SENSORS - 2)
        share = (GRID - left)[:, None]
        return (1 - share) * SENSORS[left] + share * SENSORS[left + 1]

    compare(lambda: interpolate_2d(SENSORS, DEPTH, GRID, "linear"), rival, atol=1e-3)


def test_smooth(compare):
    half = np.exp(-0.5 * (np.arange(61) / 15) ** 2)
    weights = np.concatenate([half[:0:-1], half])

    def rival():
        norm = scipy.ndimage.convolve1d(np.ones(SENSORS.shape), weights, axis=1, mode="constant")
        return scipy.ndimage.convolve1d(SENSORS, weights, axis=1, mode="constant") / norm

    compare(lambda: smooth_2d(SENSORS, half), rival, atol=1e-3)


def test_reached(compare):
    rows = np.arange(FIELD.shape[0])
    peaks = FIELD.argmax(axis=1)

    def rival():
        labels = scipy.ndimage.label(ABOVE)[0]
        return ABOVE & np.isin(labels, labels[rows, peaks])

    compare(lambda: reached_2d(ABOVE, rows, peaks), rival)


def test_pressed_ahead(compare):
    stop = np.clip((4 + GRID / 4) * RATE, 0, FIELD.shape[1]).astype(np.int64)

    def rival():
        ahead = np.arange(FIELD.shape[1])[None, :] < stop[:, None]
        return (ahead & (FIELD >= 30)).sum(axis=0)

    compare(lambda: pressed_ahead_1d(FIELD, stop, 30.0)[1], rival)


def test_pair_slopes(compare):
    t = GRID / 4 + 0.05 * np.sin(7 * GRID)

    def rival():
        above, below = np.triu_indices(GRID.size, 1)
        return (t[below] - t[above]) / (GRID[below] - GRID[above])

    compare(lambda: pair_slopes_1d(GRID, t), rival)


def test_hinge(compare):
    z = GRID[50:250]
    t = z / 4 + np.maximum(z - 18, 0) + 0.05 * np.sin(7 * z)
    knots = z[20:-20]

    def rival():
        errors = []
        for knot in knots:
            design = np.column_stack([np.ones_like(z), z, np.maximum(z - knot, 0.0)])
            fit = np.linalg.lstsq(design, t, rcond=None)[0]
            errors.append(np.sum((t - design @ fit) ** 2))
        return np.array(errors)

    compare(lambda: hinge_fits_1d(z, t, knots)[0], rival, rtol=1e-8)


def test_column_means(compare):
    first = np.clip(np.arange(FIELD.shape[1]) // 10, 0, GRID.size - 30)
    stop = first + 20

    def rival():
        return np.array(
            [FIELD[a:b, k].mean() for k, (a, b) in enumerate(zip(first, stop, strict=True))]
        )

    compare(lambda: column_means_2d(FIELD, first, stop), rival, rtol=1e-4, atol=1e-4)


def test_peak_run(compare):
    def rival():
        peak = FIELD.argmax(axis=1)
        low = FIELD < 30
        starts = []
        for row, top, below in zip(FIELD, peak, low, strict=True):
            before = np.flatnonzero(below[:top])
            if row[top] < 30 or before.size == 0:
                starts.append(np.nan if row[top] < 30 else 0.0)
                continue
            k = before[-1]
            starts.append(k + (30 - row[k]) / (row[k + 1] - row[k]))
        return np.array(starts)

    compare(lambda: peak_run_2d(FIELD, 30.0, 1)[0], rival, rtol=1e-5)


def test_axial_share(compare):
    compare(lambda: axial_share_1d(FIELD, 20.0), lambda: (FIELD >= 20).mean(axis=0), rtol=1e-6)


def test_axial_sd(compare):
    compare(lambda: axial_sd_1d(FIELD), lambda: FIELD.astype(np.float64).std(axis=0), rtol=1e-6)


def test_excess(compare):
    def rival():
        over = np.where(ABOVE, np.maximum(FIELD.astype(np.float64) - 20, 0), 0)
        return np.trapezoid(over, dx=0.1, axis=0).sum() / RATE

    compare(lambda: excess_2d(FIELD, ABOVE, 20.0, 0.1, 1 / RATE), rival, rtol=1e-9)


def test_row_medians(compare):
    compare(lambda: row_medians_1d(LONG), lambda: np.nanmedian(LONG.astype(float), axis=1))


def test_rising_share(compare):
    def rival():
        share = np.zeros(LONG.shape[1])
        share[20:] = (LONG[:, 20:] - LONG[:, :-20] >= 2.0).mean(axis=0)
        return share

    compare(lambda: rising_share_1d(LONG, 20, 2.0), rival)


def test_below_habit(compare):
    trace = LONG[20].astype(float)

    def rival():
        low = np.zeros(trace.size, bool)
        for k in range(400, trace.size, 25):
            base = np.median(trace[k - 400 : k - 100])
            low[k : k + 25] = (trace[k : k + 25] < 0.5 * base) & (base >= 1.0)
        return low

    compare(lambda: below_habit_1d(trace, 300, 100, 25, 0.5, 1.0), rival)


def test_prominences(compare):
    trace = LONG[20].astype(float)
    peaks = np.flatnonzero((trace[1:-1] > trace[:-2]) & (trace[1:-1] >= trace[2:])) + 1
    compare(
        lambda: prominences_1d(trace, peaks),
        lambda: scipy.signal.peak_prominences(trace, peaks)[0],
    )


COMPILE = """
import time
start = time.perf_counter()
import numpy as np
from hrm.kernels import contour, filters, hinge, integral, interpolate
loaded = time.perf_counter()
field = np.ones((4, 6), np.float32)
mask = field > 0
depth = np.arange(4.0)
interpolate.interpolate_2d(field, depth, depth, "pchip")
interpolate.interpolate_2d(field, depth, depth, "cubic")
filters.smooth_2d(field, np.ones(2))
contour.peak_run_2d(field, 0.5, 1)
places = np.arange(4)
contour.reached_2d(mask, places, places)
hinge.hinge_fits_1d(depth, depth, depth)
integral.column_means_2d(field, np.zeros(6, int), np.ones(6, int))
contour.axial_share_1d(field, 0.5)
contour.axial_sd_1d(field)
total = integral.excess_2d(field, mask, 0.0, 1.0, 1.0)
print(loaded - start, time.perf_counter() - loaded, total)
"""


def compile_all(cache):
    """Seconds to import and to compile (or load) every kernel in a new process."""
    env = {**os.environ, "HRM_NUMBA_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE], env=env, capture_output=True, text=True, check=True
    )
    imported, compiled, total = map(float, done.stdout.split())
    assert total == 18.0
    return imported, compiled


def test_compile(benchmark):
    imported, compiled = benchmark.pedantic(compile_all, args=("off",), rounds=1)
    print(f"\nimport {imported:.2f} s, compile all kernels {compiled:.2f} s")


def test_load_compiled(benchmark, tmp_path):
    compile_all(tmp_path)
    imported, loaded = benchmark.pedantic(compile_all, args=(tmp_path,), rounds=1)
    print(f"\nimport {imported:.2f} s, load all kernels from the cache {loaded:.2f} s")
