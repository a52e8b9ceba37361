"""Twins of the kernels, one sample at a time, everything in float64."""

import math
from itertools import pairwise

import numpy as np


def linear(values, depth, grid):
    """Straight lines between neighboring sensors; NaN outside the end sensors."""
    out = np.full((len(grid), values.shape[1]), np.nan)
    for k in range(values.shape[1]):
        for g, z in enumerate(grid):
            for i in range(len(depth)):
                if z == depth[i]:
                    out[g, k] = values[i, k]
                elif i + 1 < len(depth) and depth[i] < z < depth[i + 1]:
                    share = (z - depth[i]) / (depth[i + 1] - depth[i])
                    out[g, k] = (1 - share) * float(values[i, k]) + share * float(values[i + 1, k])
    return out


def pchip(values, depth, grid):
    """Fritsch-Carlson monotone cubic with three-point end slopes (Fritsch & Butland weights)."""
    out = np.full((len(grid), values.shape[1]), np.nan)
    for k in range(values.shape[1]):
        column = [float(v) for v in values[:, k]]
        slopes = pchip_slopes(column, depth)
        for g, z in enumerate(grid):
            if not depth[0] <= z <= depth[-1]:
                continue
            i = max(j for j in range(len(depth) - 1) if depth[j] <= z)
            h = depth[i + 1] - depth[i]
            s = (z - depth[i]) / h
            out[g, k] = (
                (2 * s**3 - 3 * s**2 + 1) * column[i]
                + (s**3 - 2 * s**2 + s) * h * slopes[i]
                + (-2 * s**3 + 3 * s**2) * column[i + 1]
                + (s**3 - s**2) * h * slopes[i + 1]
            )
    return out


def pchip_slopes(column, depth):
    n = len(column)
    h = [depth[i + 1] - depth[i] for i in range(n - 1)]
    d = [(column[i + 1] - column[i]) / h[i] for i in range(n - 1)]
    if n == 2:
        return [d[0], d[0]]
    inner = []
    for i in range(1, n - 1):
        if math.isnan(d[i - 1]) or math.isnan(d[i]):
            inner.append(math.nan)
        elif d[i - 1] == 0 or d[i] == 0 or (d[i - 1] > 0) != (d[i] > 0):
            inner.append(0.0)
        else:
            w1, w2 = 2 * h[i] + h[i - 1], h[i] + 2 * h[i - 1]
            inner.append((w1 + w2) / (w1 / d[i - 1] + w2 / d[i]))
    return [_pchip_end(h[0], h[1], d[0], d[1]), *inner, _pchip_end(h[-1], h[-2], d[-1], d[-2])]


def _pchip_end(h0, h1, d0, d1):
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if math.isnan(slope):
        return math.nan
    if np.sign(slope) != np.sign(d0):
        return 0.0
    if np.sign(d0) != np.sign(d1) and abs(slope) > 3 * abs(d0):
        return 3 * d0
    return slope


def natural_spline(values, depth, grid):
    """Cubic spline with second derivative zero at both ends; the tridiagonal system by hand."""
    out = np.full((len(grid), values.shape[1]), np.nan)
    n = len(depth)
    h = [depth[i + 1] - depth[i] for i in range(n - 1)]
    for k in range(values.shape[1]):
        y = [float(v) for v in values[:, k]]
        m = _second_derivatives(y, h)
        for g, z in enumerate(grid):
            if not depth[0] <= z <= depth[-1]:
                continue
            i = max(j for j in range(n - 1) if depth[j] <= z)
            a, b = (depth[i + 1] - z) / h[i], (z - depth[i]) / h[i]
            out[g, k] = (
                a * y[i]
                + b * y[i + 1]
                + ((a**3 - a) * m[i] + (b**3 - b) * m[i + 1]) * h[i] ** 2 / 6
            )
    return out


def _second_derivatives(y, h):
    n = len(y)
    if n == 2:
        return [0.0, 0.0]
    # Thomas algorithm over the inner sensors.
    diagonal = [2 * (h[i - 1] + h[i]) for i in range(1, n - 1)]
    right = [6 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1]) for i in range(1, n - 1)]
    for i in range(1, n - 2):
        factor = h[i] / diagonal[i - 1]
        diagonal[i] -= factor * h[i]
        right[i] -= factor * right[i - 1]
    inner = [0.0] * (n - 2)
    for i in range(n - 3, -1, -1):
        after = h[i + 1] * inner[i + 1] if i + 1 < n - 2 else 0.0
        inner[i] = (right[i] - after) / diagonal[i]
    return [0.0, *inner, 0.0]


def smooth(values, half):
    """Weighted mean of the samples around each sample; missing ones have no weight."""
    out = np.full(values.shape, np.nan)
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            if np.isnan(values[i, k]):
                continue
            total = weight = 0.0
            for other in range(values.shape[1]):
                lag = abs(other - k)
                if lag < len(half) and not np.isnan(values[i, other]):
                    total += half[lag] * float(values[i, other])
                    weight += half[lag]
            out[i, k] = total / weight
    return out


def peak_run(field, level, shortest):
    """Run at or above `level` around the maximum of each row: start, peak, stop."""
    rows = [_peak_run_row([float(v) for v in row], level, shortest) for row in field]
    starts, peaks, stops = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(starts, float), np.array(peaks, int), np.array(stops, int)


def _peak_run_row(row, level, shortest):
    numbers = [v for v in row if not math.isnan(v)]
    if not numbers:
        return math.nan, -1, -1
    peak = row.index(max(numbers))
    inside = [v >= level for v in row]
    if not inside[peak]:
        return math.nan, peak, -1
    first = last = peak
    while first > 0 and inside[first - 1]:
        first -= 1
    while last + 1 < len(row) and inside[last + 1]:
        last += 1
    if last - first + 1 < shortest:
        return math.nan, peak, -1
    start = float(first)
    if first > 0 and not math.isnan(row[first - 1]):
        start = first - (row[first] - level) / (row[first] - row[first - 1])
    return start, peak, last + 1


def reached(mask, rows, columns):
    """What is 4-connected in a mask to one of some places."""
    labels = label(mask)
    wanted = {labels[i, k] for i, k in zip(rows, columns, strict=True)} - {0}
    return np.isin(labels, list(wanted))


def hinge_fit(x, y, knot):
    """Sum of squares and coefficients of ``a + b x + c max(x - knot, 0)``."""
    design = np.column_stack([np.ones_like(x), x, np.maximum(x - knot, 0.0)])
    fit, *_ = np.linalg.lstsq(design, y, rcond=None)
    return float(np.sum((y - design @ fit) ** 2)), fit


def column_means(field, first, stop):
    """Mean of each column over rows of its own."""
    out = []
    for k, (a, b) in enumerate(zip(first, stop, strict=True)):
        rows = [float(field[i, k]) for i in range(a, b)]
        out.append(sum(rows) / len(rows) if rows else math.nan)
    return np.array(out)


def label(mask):
    """4-connected regions, numbered from 1 in reading order; spreads until nothing changes."""
    n, m = mask.shape
    labels = np.zeros((n, m), int)
    count = 0
    for i in range(n):
        for k in range(m):
            if not mask[i, k] or labels[i, k]:
                continue
            count += 1
            labels[i, k] = count
            changed = True
            while changed:
                changed = False
                for a in range(n):
                    for b in range(m):
                        beside = [(a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)]
                        touches = any(
                            0 <= c < n and 0 <= d < m and labels[c, d] == count for c, d in beside
                        )
                        if mask[a, b] and not labels[a, b] and touches:
                            labels[a, b] = count
                            changed = True
    return labels


def axial_share(field, level):
    """Share of the known depths at or above `level`, for each time."""
    out = []
    for k in range(field.shape[1]):
        column = [float(v) for v in field[:, k] if not np.isnan(v)]
        out.append(sum(v >= level for v in column) / len(column) if column else math.nan)
    return np.array(out)


def pressed_ahead(field, stop, level):
    """Depths ahead of a front, those of them at or above `level`, and whether any is passed."""
    columns = range(field.shape[1])
    rows = range(field.shape[0])
    ahead = [[i for i in rows if k < stop[i]] for k in columns]
    pressed = [sum(field[i, k] >= level for i in of) for k, of in zip(columns, ahead, strict=True)]
    passed = [any(0 <= stop[i] <= k for i in rows) for k in columns]
    return np.array([len(of) for of in ahead], int), np.array(pressed, int), np.array(passed, bool)


def axial_sd(field):
    """Standard deviation of the known depths, for each time; two passes."""
    out = []
    for k in range(field.shape[1]):
        column = [float(v) for v in field[:, k] if not np.isnan(v)]
        if not column:
            out.append(math.nan)
            continue
        mean = sum(column) / len(column)
        out.append(math.sqrt(sum((v - mean) ** 2 for v in column) / len(column)))
    return np.array(out)


def excess(field, keep, threshold, depth_step, time_step):
    """Integral of max(P - threshold, 0): trapezoids along depth, one value for each interval."""
    total = 0.0
    for k in range(field.shape[1]):
        column = []
        for i in range(field.shape[0]):
            over = float(field[i, k]) - threshold
            column.append((math.nan if math.isnan(over) else max(over, 0.0)) if keep[i, k] else 0.0)
        for upper, lower in pairwise(column):
            total += 0.5 * (upper + lower) * depth_step * time_step
    return total
