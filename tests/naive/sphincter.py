"""Twins of the sphincter metrics, word by word from their definitions.

A field is (depth, time) in mmHg on a 1 mm grid; `depth` in cm, `time` in s.
"""

import math
import statistics
from itertools import pairwise

from tests.naive.metrics import EPS, lowest_mean


def e_sleeve(values, depth, time, *, onset, end, les_upper, gastric):
    """Greatest pressure of the 6 cm from 2 cm above the LES, in the 10 s after the onset."""
    sleeve = []
    for k, t in enumerate(time):
        if onset - EPS <= t < min(onset + 10, end) - EPS:
            rows = [
                float(values[i, k])
                for i, z in enumerate(depth)
                if les_upper - 2 - EPS <= z <= les_upper + 4 + EPS
            ]
            sleeve.append(max(rows) - gastric)
    return sleeve


def relaxation(values, depth, time, **place):
    """Every relaxation pressure of one swallow, or None with less than 8 s."""
    rate = 1 / (time[1] - time[0])
    sleeve = e_sleeve(values, depth, time, **place)
    if len(sleeve) / rate < 8 - EPS:
        return None
    n = round(3 * rate)
    stretches = [statistics.fmean(sleeve[k : k + n]) for k in range(len(sleeve) - n + 1)]
    durations = {"02": 0.2, "1": 1, "2": 2, "3": 3, "5": 5}
    return {
        **{
            f"irp{name}s_mmhg": lowest_mean(sleeve, round(seconds * rate))
            for name, seconds in durations.items()
        },
        "les_nadir_mmhg": min(sleeve),
        "les_residual_mmhg": min(stretches),
    }


def quietest(peaks, quiet, step):
    """First and last peak of the three breaths whose lengths have the least variance."""
    found = []
    for k in range(len(peaks) - 3):
        part = peaks[k : k + 4]
        lengths = [(b - a) * step for a, b in pairwise(part)]
        if max(lengths) <= 10 + EPS and all(quiet[part[0] : part[-1]]):
            found.append((round(statistics.pvariance(lengths), 12), k))
    if not found:
        return None
    k = min(found)[1]
    return peaks[k], peaks[k + 3]


def egj_ci(values, depth, time, *, top, bottom, start, stop, gastric):
    """Mean over time of the area above gastric + 2 along depth, by trapezoids."""
    rows = [i for i, z in enumerate(depth) if top - EPS <= z <= bottom + EPS]
    step = depth[1] - depth[0]
    areas = []
    for k, t in enumerate(time):
        if start - EPS <= t < stop - EPS:
            over = [max(float(values[i, k]) - gastric - 2, 0.0) for i in rows]
            areas.append(sum((a + b) / 2 * step for a, b in pairwise(over)))
    return statistics.fmean(areas)


def total_egj_ci(values, depth, time, peaks, onsets, *, top, bottom, gastric):
    """Mean over the breaths that stay 1 s before and 15 s after every onset."""
    each = []
    for a, b in pairwise(peaks):
        start, stop = time[a], time[0] + b * (time[1] - time[0])
        if stop - start > 10 + EPS:
            continue
        if any(stop > onset - 1 + EPS and start < onset + 15 - EPS for onset in onsets):
            continue
        place = {"top": top, "bottom": bottom, "start": start, "stop": stop}
        each.append(egj_ci(values, depth, time, **place, gastric=gastric))
    return statistics.fmean(each) if len(each) >= 3 else math.nan


def inspiratory(sleeve, peaks, quiet):
    """Mean over breaths of the greatest pressure in the half of the breath around each peak."""
    quarter = math.floor(statistics.median([b - a for a, b in pairwise(peaks)]) / 4)
    tops = []
    for k in peaks:
        span = range(k - quarter, k + quarter + 1)
        if span[0] >= 0 and span[-1] < len(sleeve) and all(quiet[j] for j in span):
            tops.append(max(float(sleeve[j]) for j in span))
    return statistics.fmean(tops) if len(tops) >= 3 else math.nan


def ues(values, depth, time, *, onset, upper, lower, wave):
    """Lowest pressure, mean of the lowest 0.2 s and relaxation times of the UES.

    `wave` gives the time at which the pharyngeal wave reaches a depth (infinite: none).
    The sphincter may have risen by 3 cm; once the wave is past where it then ends,
    nothing is seen of it but that the lower half of its resting place closes, which
    ends the relaxation.
    """
    step = time[1] - time[0]
    rows = [i for i, z in enumerate(depth) if upper - 3 - EPS <= z <= lower + 1 + EPS]
    trace = []
    for k, t in enumerate(time):
        left = [
            float(values[i, k])
            for i in rows
            if t < wave(depth[i]) - (0.3 if depth[i] < upper else 0.0)
        ]
        trace.append(max(left) if left and t < wave(lower - 3) else math.nan)
    window = [
        (p, k)
        for k, (t, p) in enumerate(zip(time, trace, strict=True))
        if onset - EPS <= t < onset + 1.5 - EPS and not math.isnan(p)
    ]
    lowest, nadir = min(window)
    last = nadir  # of a flat bottom the middle
    while last + 1 <= window[-1][1] and trace[last + 1] == lowest:
        last += 1
    nadir += (last - nadir) // 2
    base = statistics.median(
        p for t, p in zip(time, trace, strict=True) if onset - 4 <= t < onset - 1
    )
    level = min(0.5 * base, 35.0)
    fall = end = math.nan
    for k in range(nadir, 0, -1):
        if trace[k - 1] >= level:
            fall = time[k] - step * (level - trace[k]) / (trace[k - 1] - trace[k])
            break
    half = [i for i in rows if depth[i] >= (upper + lower) / 2 - EPS]
    shut = [max(float(values[i, k]) for i in half) for k in range(len(time))]
    for k in range(nadir, len(shut) - 1):
        if shut[k + 1] >= level:
            end = time[k] + step * (level - shut[k]) / (shut[k + 1] - shut[k])
            break
    return {
        "ues_residual_mmhg": lowest,
        "ues_irp02s_mmhg": lowest_mean([p for p, _ in window], round(0.2 / step)),
        "ues_relaxation_s": end - fall,
        "ues_time_to_nadir_s": time[nadir] - fall,
        "ues_recovery_s": end - time[nadir],
    }
