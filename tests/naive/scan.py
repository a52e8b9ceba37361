"""Twins of the kernels that look over a whole recording."""

import math
import statistics


def rising_share(values, lag, rise):
    """Share of sensors that rose by `rise` within `lag` samples."""
    out = [0.0] * values.shape[1]
    for k in range(lag, values.shape[1]):
        rose = [row[k] - row[k - lag] >= values.dtype.type(rise) for row in values]
        out[k] = sum(rose) / len(rose)
    return out


def below_habit(trace, length, gap, stride, share, least):
    """Whether a sample lies below a share of the median of `length` samples, `gap` before."""
    out = [False] * len(trace)
    for k in range(gap + length, len(trace), stride):
        before = [float(v) for v in trace[k - gap - length : k - gap]]
        if any(map(math.isnan, before)) or statistics.median(before) < least:
            continue
        for later in range(k, min(k + stride, len(trace))):
            out[later] = bool(trace[later] < share * statistics.median(before))
    return out


def row_medians(values):
    """Median of each row, NaN left out."""
    rows = [[float(v) for v in row if not math.isnan(v)] for row in values]
    return [statistics.median(row) if row else math.nan for row in rows]


def prominence(values, peak):
    """Height above the higher of the lowest values on either side."""
    lowest = []
    for side in (values[:peak][::-1], values[peak + 1 :]):
        higher = [k for k, v in enumerate(side) if v > values[peak]]
        reach = side[: higher[0]] if higher else side
        lowest.append(min([*reach, values[peak]]))
    return values[peak] - max(lowest)
