"""Twins of the metrics, word by word from their definitions.

A field is (depth, time) in mmHg on a 1 mm grid; `depth` in cm, `time` in s.
"""

import math
from itertools import pairwise

import numpy as np
import scipy.ndimage

EPS = 1e-6  # a place given in decimals belongs to its grid line


def lowest_mean(values, count):
    """Mean of the `count` smallest values."""
    return math.fsum(sorted(float(v) for v in values)[:count]) / count


def irp(values, depth, time, *, onset, end, les_upper, gastric, duration=4.0):
    """Integrated relaxation pressure: e-sleeve from 2 cm above the LES to 4 cm below its border."""
    rate = 1 / (time[1] - time[0])
    sleeve = []
    for k, t in enumerate(time):
        if onset - EPS <= t < min(onset + 10, end) - EPS:
            rows = [
                float(values[i, k])
                for i, z in enumerate(depth)
                if les_upper - 2 - EPS <= z <= les_upper + 4 + EPS
            ]
            sleeve.append(max(rows) - gastric)
    if len(sleeve) / rate < 8 - EPS:
        return math.nan
    return lowest_mean(sleeve, round(duration * rate))


def dci_box(values, depth, time, *, top, bottom, start, stop, keep=None):
    """Integral of max(P - 20, 0): trapezoids along depth, one value for each sample."""
    step_s = time[1] - time[0]
    rows = [i for i, z in enumerate(depth) if top - EPS <= z <= bottom + EPS]
    total = 0.0
    for k, t in enumerate(time):
        if not start - EPS <= t < stop - EPS:
            continue
        column = [
            max(float(values[i, k]) - 20, 0.0) if keep is None or keep[i, k] else 0.0 for i in rows
        ]
        total += np.trapezoid(column, depth[rows]) * step_s
    return float(total)


def wave_regions(values, time, level=20.0, shortest=0.3):
    """Connected samples above the level that hold, at some depth, a long run with its peak."""
    step = time[1] - time[0]
    labels = scipy.ndimage.label(values >= level)[0]
    members = set()
    for i in range(values.shape[0]):
        peak = int(np.argmax(values[i]))
        if values[i, peak] < level:
            continue
        first = last = peak
        while first > 0 and values[i, first - 1] >= level:
            first -= 1
        while last + 1 < values.shape[1] and values[i, last + 1] >= level:
            last += 1
        if last - first + 1 >= round(shortest / step):
            members.add(int(labels[i, peak]))
    return np.isin(labels, sorted(members))


def contraction_stop(values, depth, time, *, onset, end, top, bottom):
    """End of the contraction window of a single wave: half a second after it, at most 15 s."""
    latest = min(onset + 15, end)
    rows = (depth >= top - EPS) & (depth <= bottom + EPS)
    columns = (time >= onset + 0.5 - EPS) & (time < latest - EPS)
    wave = wave_regions(values[rows][:, columns], time[columns])
    if not wave.any():
        return onset + 1.0
    return min(time[columns][wave.any(axis=0)][-1] + 0.5, latest)


def longest_break(values, depth, time, *, onset, stop, ues_lower, les_upper):
    """Longest stretch between UES and LES without the 20 mmHg contour of the wave."""
    rows = (depth >= ues_lower - EPS) & (depth <= les_upper + EPS)
    columns = (time >= onset - EPS) & (time < stop - EPS)
    covered = wave_regions(values[rows][:, columns], time[columns]).any(axis=1)
    z = depth[rows]
    # Both ends of the region close a gap as a covered line would.
    places = [z[0], *z[covered], z[-1]]
    step = z[1] - z[0]
    gaps = [b - a for a, b in pairwise(places)]
    if covered[0]:
        gaps[0] = 0.0
    if covered[-1]:
        gaps[-1] = 0.0
    inner = [gap for gap in gaps[1:-1] if gap > 1.5 * step]
    return float(max([gaps[0], gaps[-1], *inner]))


def two_segments(z, t, first, last):
    """Continuous two-segment fit: the values at both ends and at the breakpoint are free.

    Returns breakpoint, time there, both slopes [s/cm] and the squared error.
    """
    best = None
    for knot in z:
        if not first - EPS <= knot <= last + EPS or knot in (z[0], z[1], z[-2], z[-1]):
            continue
        nodes = [z[0], knot, z[-1]]
        hats = np.column_stack([np.interp(z, nodes, row) for row in np.eye(3)])
        values, *_ = np.linalg.lstsq(hats, t, rcond=None)
        error = float(np.sum((hats @ values - t) ** 2))
        if best is None or error < best[-1]:
            slopes = np.diff(values) / np.diff(nodes)
            best = (float(knot), float(values[1]), float(slopes[0]), float(slopes[1]), error)
    return best


def one_line_error(z, t):
    """Squared error of a straight line."""
    return float(np.sum((np.polyval(np.polyfit(z, t, 1), z) - t) ** 2))
