"""One look over a whole recording: what rises at once, what falls below its habit, medians."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrm.kernels._jit import kernel

#: Samples done at a time, so that the counts stay in the first cache.
_BLOCK = 4096
_HALF, _BINS = 16, 1 << 16


@kernel
def rising_share_1d(values: NDArray[np.float32], lag: int, rise: float) -> NDArray[np.float64]:
    """Share of sensors that rose by `rise` or more within `lag` samples.

    Parameters
    ----------
    values : array (sensor, time) float32
    lag : int
        At least 1.
    rise : float
        Compared in float32, as the pressures are.

    Returns
    -------
    array (time,) float64
        0 for the first `lag` samples; NaN does not rise.
    """
    n, m = values.shape
    least = np.float32(rise)
    share = np.zeros(m)
    # Counted in the width of the pressures, a block at a time: whole numbers, and in cache.
    count = np.empty(min(m, _BLOCK), dtype=np.float32)
    for start in range(lag, m, _BLOCK):
        size = min(m - start, _BLOCK)
        count[:] = 0.0
        for i in range(n):
            now, before = values[i, start : start + size], values[i, start - lag :]
            for k in range(size):
                count[k] += np.float32(now[k] - before[k] >= least)
        for k in range(size):
            share[start + k] = count[k] / np.float64(n)
    return share


@kernel
def _median_1d(values: NDArray[np.float64]) -> float:
    middle = values.size // 2
    split = np.partition(values, middle)
    above = below = split[middle]
    if values.size % 2 == 0:
        below = split[0]
        for k in range(1, middle):
            below = split[k] if split[k] > below else below
    return float(0.5 * (below + above))


@kernel
def below_habit_1d(
    trace: NDArray[np.float64], length: int, gap: int, stride: int, share: float, least: float
) -> NDArray[np.bool_]:
    """Say where a trace lies below a share of the median of what it was some time before.

    Parameters
    ----------
    trace : array (time,) float64
    length : int
        Samples that the median is taken of, at least 1.
    gap : int
        Samples between the last of them and the sample that it is for.
    stride : int
        Samples for which a median holds, at least 1.
    share : float
        Between 0 and 1.
    least : float
        A median below this does not count.

    Returns
    -------
    array (time,) bool
        False before ``gap + length``, and where one of the samples before is NaN.
    """
    low = np.zeros(trace.size, dtype=np.bool_)
    for k in range(gap + length, trace.size, stride):
        before, now = trace[k - gap - length : k - gap], trace[k : k + stride]
        # A median is no more than the maximum, which is had for a tenth of the price.
        highest, lowest, missing = -np.inf, np.inf, 0
        for i in range(length):
            highest = before[i] if before[i] > highest else highest
            missing += before[i] != before[i]
        for i in range(now.size):
            lowest = now[i] if now[i] < lowest else lowest
        if missing or highest < least or not lowest < share * highest:
            continue
        base = _median_1d(before)
        if base >= least:
            for i in range(now.size):
                low[k + i] = now[i] < share * base
    return low


@kernel
def _ordinal(bits: np.int64 | int) -> np.int64 | int:
    # Of the bits of a float32: whole numbers in the order of the values.
    return (bits ^ 0xFFFFFFFF) if bits & 0x80000000 else (bits | 0x80000000)


@kernel
def _nth_bits(bits: NDArray[np.uint32], n: int) -> int:
    # Ordinal of the n-th smallest (from 0): counted by its upper half, then by its lower.
    upper, known = -1, 0
    for shift in (_HALF, 0):
        counts = np.zeros(_BINS, dtype=np.int64)
        for k in range(bits.size):
            ordinal = _ordinal(np.int64(bits[k]))
            if upper < 0 or ordinal >> _HALF == upper:
                counts[(ordinal >> shift) & (_BINS - 1)] += 1
        digit = 0
        while n >= counts[digit]:
            n -= counts[digit]
            digit += 1
        known = (known << _HALF) | digit
        upper = digit
    return known


@kernel
def row_medians_1d(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Take the median of each row, NaN left out.

    Parameters
    ----------
    values : array (sensor, time) float32

    Returns
    -------
    array (sensor,) float64
        As `numpy.nanmedian` in float64; NaN where there is nothing.
    """
    n, m = values.shape
    out = np.full(n, np.nan)
    row = np.empty(m, dtype=np.float32)
    middle = np.empty(2, dtype=np.uint32)
    for i in range(n):
        size = 0
        for k in range(m):
            if not np.isnan(values[i, k]):
                row[size] = values[i, k]
                size += 1
        if size == 0:
            continue
        bits = row[:size].view(np.uint32)
        for side in range(2):
            ordinal = _nth_bits(bits, (size - 1 + side) // 2)
            middle[side] = ordinal ^ 0x80000000 if ordinal & 0x80000000 else ordinal ^ 0xFFFFFFFF
        below, above = middle.view(np.float32)
        out[i] = 0.5 * (np.float64(below) + np.float64(above))
    return out
