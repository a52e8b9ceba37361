"""Twins of the impedance, pressure-flow and pharyngeal metrics, word by word.

Impedance is (time,) in ohm at one place; a field is (depth, time) in mmHg; `depth` in cm,
`time` in s.
"""

import math
import statistics

EPS = 1e-6


def passage(time, ohm, *, onset, stop):
    """Entry, exit and nadir time of a bolus, or the word that says why not.

    Half way between the median of the 3 s that end 0.5 s before the onset and the least
    value of the next 15 s; the exit lasts 5 s.
    """
    rest = [v for t, v in zip(time, ohm, strict=True) if onset - 3.5 - EPS <= t < onset - 0.5 - EPS]
    if len(rest) * (time[1] - time[0]) < 1.5:
        return "window_truncated"
    end = min(onset + 20, stop)
    look = [i for i, t in enumerate(time) if onset - EPS <= t < min(onset + 15, end) - EPS]
    if len(look) < 2:
        return "window_truncated"
    base, least = statistics.median(rest), min(ohm[i] for i in look)
    if least > 0.7 * base:
        return "no_bolus"
    level = (base + least) / 2
    run = [i for i in look if ohm[i] == least]
    last = run[0]
    while last + 1 in look and ohm[last + 1] == least:
        last += 1
    low = (run[0] + last) // 2
    entry = math.nan
    for i in range(low):
        if time[i] >= onset - 0.5 - EPS and ohm[i] >= level > ohm[i + 1]:
            entry = between(time, ohm, i, level)
    inside = [i for i, t in enumerate(time) if i >= low and t < end - EPS]
    return entry, exit_time(time, ohm, inside, level), time[low]


def exit_time(time, ohm, inside, level):
    """First time from which the impedance is at or above the level for 5 s."""
    n = math.ceil(5 / (time[1] - time[0]) - EPS)
    for k, i in enumerate(inside[1:], start=1):
        ahead = inside[k : k + n]
        rises = ohm[i - 1] < level <= ohm[i]
        if rises and len(ahead) == n and all(ohm[j] >= level for j in ahead):
            return between(time, ohm, i - 1, level)
    return math.nan


def between(time, ohm, i, level):
    """Time at which the straight line between two samples meets the level."""
    return time[i] + (time[i + 1] - time[i]) * (ohm[i] - level) / (ohm[i] - ohm[i + 1])


def level_flow(time, pressure, ohm, *, onset, stop, nadir_s, nadir_ohm):
    """Pressure and flow at one segment; time of both series the same."""
    inside = [i for i, t in enumerate(time) if onset + 0.5 - EPS <= t < min(onset + 15, stop) - EPS]
    peak = max(inside, key=lambda i: (pressure[i], -i))
    middle = (nadir_s + time[peak]) / 2
    early = [i for i, t in enumerate(time) if nadir_s - EPS <= t <= middle + EPS]
    ts, ps = [time[i] for i in early], [pressure[i] for i in early]
    # No line through one sample: the peak follows the nadir at once.
    slope = statistics.linear_regression(ts, ps).slope if len(early) > 1 else math.nan
    at_nadir = min(range(len(time)), key=lambda i: abs(time[i] - nadir_s))
    return {
        "peak_s": time[peak],
        "peak_mmhg": pressure[peak],
        "nadir_mmhg": pressure[at_nadir],
        "ibp_mmhg": statistics.median(ps),
        "slope_mmhg_s": slope,
        "impedance_ratio": nadir_ohm / ohm[peak],
    }


def bolus_flow_time(values, depth, time, ohms, *, onset, les_upper, egj_lower, gastric):
    """Time with every level below half way and pressure falling towards the stomach."""
    step, counted = time[1] - time[0], 0
    halfway = []
    for ohm in ohms:
        before = [
            v for t, v in zip(time, ohm, strict=True) if onset - 3.5 - EPS <= t < onset - 0.5 - EPS
        ]
        after = [v for t, v in zip(time, ohm, strict=True) if onset - EPS <= t < onset + 15 - EPS]
        halfway.append((statistics.median(before) + min(after)) / 2)
    above = min(range(len(depth)), key=lambda i: abs(depth[i] - (les_upper - 2)))
    rows = [i for i, z in enumerate(depth) if les_upper - EPS <= z <= egj_lower + EPS]
    for k, t in enumerate(time):
        if not onset - EPS <= t < onset + 15 - EPS:
            continue
        bolus = all(ohm[k] < level for ohm, level in zip(ohms, halfway, strict=True))
        here = values[above][k]
        counted += bolus and here > max(values[i][k] for i in rows) and here > gastric
    return counted * step


def contractile_integral(values, depth, time, *, top, bottom, start, stop):
    """Pressure above 20 mmHg over depth (trapezoids) and time."""
    rows = [i for i, z in enumerate(depth) if top - EPS <= z <= bottom + EPS]
    step_s, total = time[1] - time[0], 0.0
    for k, t in enumerate(time):
        if start - EPS <= t < stop - EPS:
            excess = [max(float(values[i][k]) - 20, 0) for i in rows]
            for i in range(len(rows) - 1):
                wide = depth[rows[i + 1]] - depth[rows[i]]
                total += (excess[i] + excess[i + 1]) / 2 * wide * step_s
    return total
