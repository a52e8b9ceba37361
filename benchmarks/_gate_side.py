"""One side of the gate: run the kernels of a tree, a call for each line of input.

    python benchmarks/_gate_side.py TREE CACHE

Prints the names of the kernels that the tree has, then for each name read the time of a call.
"""

import importlib
import os
import sys
import time

tree, os.environ["HRM_NUMBA_CACHE"] = sys.argv[1:]
sys.path[0] = tree

import numpy as np  # noqa: E402 - the path and the cache come first

RATE, SECONDS, N_SENSORS = 100, 26, 36
DEPTH = np.arange(float(N_SENSORS))
GRID = 0.1 * np.arange(351)


def waves(depth, seconds=SECONDS):
    """A swallow in closed form, with some ripple so that nothing is trivially zero."""
    t, z = np.arange(RATE * seconds)[None, :] / RATE, depth[:, None]
    peak = 90 * np.exp(-0.5 * (((t - 4 - z / 4) % 30) / 1.2) ** 2)
    return (peak + 25 * np.exp(-0.5 * (z - 30) ** 2) + 3 * np.sin(t + z)).astype(np.float32)


def kernel(module, name):
    """Take a kernel of the tree; AttributeError or ModuleNotFoundError if it has none."""
    return getattr(importlib.import_module(f"hrm.kernels.{module}"), name)


SENSORS, FIELD, LONG = waves(DEPTH), waves(GRID), waves(DEPTH, 300)
ABOVE, HALF = FIELD >= 20, np.exp(-0.5 * (np.arange(61) / 15) ** 2)
TIME = np.arange(FIELD.shape[1]) / RATE
ARRIVAL = np.clip(4 + GRID / 4, 0, 20)
AHEAD = np.searchsorted(TIME, ARRIVAL)
COLUMNS = np.zeros(FIELD.shape[1], int), np.full(FIELD.shape[1], 20)
TRACE = LONG[20].astype(np.float64)
PEAKS = np.flatnonzero((TRACE[1:-1] > TRACE[:-2]) & (TRACE[1:-1] >= TRACE[2:])) + 1
ROWS = "".join("\t".join(f"{v:.2f}" for v in row) + "\n" for row in SENSORS.T).encode()
TEXT = np.frombuffer(ROWS, np.uint8)
FIRST = np.empty(SENSORS.shape[1])
OTHERS = np.empty((N_SENSORS - 1, SENSORS.shape[1]), np.float32)

#: Module and name of each kernel, and the arguments of a call.
CALLS = {
    "pchip": ("interpolate", "interpolate_2d", (SENSORS, DEPTH, GRID, "pchip")),
    "linear": ("interpolate", "interpolate_2d", (SENSORS, DEPTH, GRID, "linear")),
    "cubic": ("interpolate", "interpolate_2d", (SENSORS, DEPTH, GRID, "cubic")),
    "smooth": ("filters", "smooth_2d", (SENSORS, HALF)),
    "peak_run": ("contour", "peak_run_2d", (FIELD, 30.0, 1)),
    "reached": ("contour", "reached_2d", (ABOVE, np.arange(GRID.size), FIELD.argmax(axis=1))),
    "pressed_ahead": ("contour", "pressed_ahead_1d", (FIELD, AHEAD, 30.0)),
    "pair_slopes": ("hinge", "pair_slopes_1d", (GRID, ARRIVAL)),
    "hinge": ("hinge", "hinge_fits_1d", (GRID, ARRIVAL, GRID[20:-20])),
    "column_means": ("integral", "column_means_2d", (FIELD, *COLUMNS)),
    "axial_share": ("contour", "axial_share_1d", (FIELD, 20.0)),
    "axial_sd": ("contour", "axial_sd_1d", (FIELD,)),
    "excess": ("integral", "excess_2d", (FIELD, ABOVE, 20.0, 0.1, 0.01)),
    "count_peaks": ("peaks", "count_peaks_2d", (FIELD, 10.0, 20.0, 100)),
    "prominences": ("peaks", "prominences_1d", (TRACE, PEAKS)),
    "plateau": ("plateau", "plateau_ahead_2d", (FIELD, TIME, ARRIVAL, 2.0, 10, 5.0)),
    "rising_share": ("scan", "rising_share_1d", (LONG, 20, 15.0)),
    "below_habit": ("scan", "below_habit_1d", (TRACE, 300, 100, 25, 0.5, 10.0)),
    "row_medians": ("scan", "row_medians_1d", (LONG,)),
    "count_rows": ("text", "count_rows", (TEXT,)),
    "parse_rows": (
        *("text", "parse_rows"),
        (TEXT, ord("\t"), np.arange(N_SENSORS), N_SENSORS, False, FIRST, OTHERS.T),
    ),
}


def ready():
    """Compile each kernel of the tree, and say how often it runs in a call of 2 ms or more."""
    found = {}
    for name, (module, function, arguments) in CALLS.items():
        try:
            run = kernel(module, function)
        except (AttributeError, ModuleNotFoundError):
            continue
        run(*arguments)
        start = time.perf_counter()
        run(*arguments)
        found[name] = run, arguments, max(1, round(0.002 / (time.perf_counter() - start)))
    return found


def main():
    found = ready()
    print(*found, flush=True)
    for line in sys.stdin:
        run, arguments, repeats = found[line.strip()]
        start = time.perf_counter()
        for _ in range(repeats):
            run(*arguments)
        print((time.perf_counter() - start) / repeats, flush=True)


if __name__ == "__main__":
    main()
