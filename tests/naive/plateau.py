"""Twin of the kernel that looks for a plateau ahead of a front."""

import numpy as np


def plateau_ahead(field, time, arrival, length_s, below, halves_mmhg):
    """Row by row with `numpy.median`."""
    out = np.full(arrival.size, np.nan)
    for i in np.flatnonzero(np.isfinite(arrival)):
        first, middle, last = np.searchsorted(
            time, [arrival[i] - length_s, arrival[i] - 0.5 * length_s, arrival[i] - 1e-9]
        )
        if middle - first < 1 or last - middle < 1:
            continue
        own = field[i]
        rise = float(np.median(own[middle:last]) - np.median(own[first:middle]))
        if rise <= halves_mmhg:
            around = np.median(field[i : i + below + 1, first:last])
            out[i] = min(float(around), float(np.median(own[first:last])))
    return out
