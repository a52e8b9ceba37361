"""Twins of the body and provocation metrics, word by word from their definitions.

A field is (depth, time) in mmHg; `depth` in cm, `time` in s.
"""

import math
import statistics
from itertools import combinations

import numpy as np
import scipy.signal

EPS = 1e-6  # a place given in decimals belongs to its grid line


def front_velocity(depth, arrival, cdp):
    """Reciprocal of the median slope between any two depths of the front down to the CDP."""
    front = [
        (float(z), float(t))
        for z, t in zip(depth, arrival, strict=True)
        if math.isfinite(t) and z <= cdp + EPS
    ]
    return 1 / statistics.median(
        (t2 - t1) / (z2 - z1) for (z1, t1), (z2, t2) in combinations(front, 2)
    )


def peaks_of_level(values, step, *, prominence=10.0, spacing=1.0, least=20.0):
    """Most peaks that lie far enough apart, tried out over all sets of them."""
    found = scipy.signal.find_peaks(np.asarray(values, float), prominence=prominence)[0]
    found = [int(k) for k in found if values[k] >= least]
    apart = math.ceil(spacing / step - EPS)

    def most(start):
        best = 0
        for i in range(start, len(found)):
            after = next(
                (j for j in range(i + 1, len(found)) if found[j] - found[i] >= apart), len(found)
            )
            best = max(best, 1 + most(after))
        return best

    return most(0)


def contraction_peaks(values, depth, step, *, apart=3.0):
    """Greatest number that two levels far enough apart both have."""
    counts = [peaks_of_level(row, step) for row in values]
    best = 0
    for i, above in enumerate(counts):
        for j in range(i + 1, len(counts)):
            if depth[j] - depth[i] >= apart - EPS:
                best = max(best, min(above, counts[j]))
    return best


def sleeve(values, depth, time, *, start, stop, les_upper, gastric):
    """Greatest pressure over the 6 cm from 2 cm above the LES, above gastric."""
    rows = [i for i, z in enumerate(depth) if les_upper - 2 - EPS <= z <= les_upper + 4 + EPS]
    return [
        max(float(values[i, k]) for i in rows) - gastric
        for k, t in enumerate(time)
        if start - EPS <= t < stop - EPS
    ]


def median(values):
    return statistics.median(values)


def pressurized_percent(values, depth, time, *, start, stop, top, bottom, level):
    """Share of time under a uniform pressure: 95 % of depths, SD at most 15, 0.3 s."""
    rows = [i for i, z in enumerate(depth) if top - EPS <= z <= bottom + EPS]
    step = time[1] - time[0]
    flags = []
    for k, t in enumerate(time):
        if start - EPS <= t < stop - EPS:
            column = [float(values[i, k]) for i in rows]
            full = sum(p >= level for p in column) >= 0.95 * len(column) - EPS
            flags.append(full and statistics.pstdev(column) <= 15)
    kept, run = 0, 0
    for flag in [*flags, False]:
        if flag:
            run += 1
        else:
            kept += run if run >= round(0.3 / step) else 0
            run = 0
    return 100 * kept / len(flags)


def runs(onsets, protocols, protocol, *, gap=10.0):
    """Swallows of a test that follow each other without another swallow or a long pause."""
    out, open_run = [], []
    for k, name in enumerate(protocols):
        joined = open_run and name == protocol and onsets[k] - onsets[open_run[-1]] <= gap
        if not joined and open_run:
            out.append(open_run)
            open_run = []
        if name == protocol:
            open_run.append(k)
    return [*out, open_run] if open_run else out
