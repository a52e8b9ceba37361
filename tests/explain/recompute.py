"""A number again from the marks of its explanation alone, by slow plain NumPy.

No function of hrm is used: what an explanation shows must be enough to get its number.
"""

import statistics

import numpy as np

from hrm.evidence import DepthLine, Instant, Points, Region, Span


def recompute(found):
    """The value that the marks, traces and entries of an explanation amount to."""
    return _RULES[found.evidence.rule](found.evidence)


def main_marks(evidence, kind):
    return [mark for mark in evidence.marks if isinstance(mark, kind) and mark.main]


def _used(evidence):
    series = (*evidence.traces, *evidence.profiles)[0]
    return [float(v) for v, use in zip(series.values, series.used, strict=True) if use]


def _entries(evidence, role):
    return [entry.value for entry in evidence.entries if entry.role == role]


def excess(region):
    """Trapezoids along depth, sums along time, of what is above the level and counts."""
    dz = float(np.mean(np.diff(region.depth)))
    dt = float(np.mean(np.diff(region.time)))
    above = np.clip(region.values.astype(float) - region.level_mmhg, 0.0, None) * region.inside
    return float(np.trapezoid(above, dx=dz, axis=0).sum() * dt)


def _per_time(region):
    return excess(region) / (region.time.size * float(np.mean(np.diff(region.time))))


def _between(values):
    first, second = values
    return second - first


def _crossings(place, values, level):
    out = []
    for k in range(len(values) - 1):
        a, b = values[k] - level, values[k + 1] - level
        if np.isfinite(a) and np.isfinite(b) and a != b and min(a, b) <= 0.0 <= max(a, b):
            out.append(place[k] + (place[k + 1] - place[k]) * a / (a - b))
    return out


def _on_level(evidence):
    trace = evidence.traces[0]
    return _crossings(trace.time, trace.values, trace.levels["level"])[-1]


def _on_profile(evidence):
    profile = evidence.profiles[0]
    (line,) = main_marks(evidence, DepthLine)
    level = list(profile.levels.values())[-1]
    found = _crossings(profile.depth, profile.values, level)
    return min(found, key=lambda depth: abs(depth - line.depth_cm))


def _vertex(evidence):
    profile = evidence.profiles[0]
    z, p = profile.depth[profile.used], profile.values[profile.used]
    a, b, _ = np.polyfit(z - z[1], p, 2)
    low, high = 0.5 * (z[0] - z[1]), 0.5 * (z[2] - z[1])
    return float(z[1] + min(max(-b / (2 * a), low), high))


def _velocity(evidence):
    points = next(m for m in main_marks(evidence, Points))
    n = points.time.size
    slopes = [
        (points.time[j] - points.time[i]) / (points.depth[j] - points.depth[i])
        for i in range(n)
        for j in range(i + 1, n)
    ]
    return 1.0 / statistics.median(slopes)


def _peaks(evidence):
    """Rises to 20 mmHg or more that stand 10 mmHg above what is between them."""
    return float(min(_count(trace.values.tolist()) for trace in evidence.traces))


def _count(values):
    count, low, high, rising = 0, values[0], values[0], True
    for value in values:
        if rising:
            high = max(high, value)
            if high - value >= 10.0 - 1e-4:
                count += high >= 20.0 and high - low >= 10.0 - 1e-4
                rising, low = False, value
        else:
            low = min(low, value)
            if value - low >= 10.0 - 1e-4:
                rising, high = True, value
    return count


def _value_at(evidence):
    (mark,) = main_marks(evidence, Instant)
    trace = evidence.traces[0]
    return float(np.interp(mark.time_s, trace.time, trace.values))


def _used_time(evidence):
    trace = evidence.traces[0]
    return float(trace.used.sum() * np.mean(np.diff(trace.time)))


def _ratio(pick):
    def rule(evidence):
        return pick(_entries(evidence, "numerator")) / statistics.fmean(
            _entries(evidence, "denominator")
        )

    return rule


_RULES = {
    "mean": lambda e: statistics.fmean(_used(e)),
    "median": lambda e: statistics.median(_used(e)),
    "least": lambda e: min(_used(e)),
    "greatest": lambda e: max(_used(e)),
    "time": lambda e: main_marks(e, Instant)[0].time_s,
    "span": lambda e: next((m.start_s, m.stop_s) for m in main_marks(e, Span)),
    "span_start": lambda e: main_marks(e, Span)[0].start_s,
    "span_stop": lambda e: main_marks(e, Span)[0].stop_s,
    "between_times": lambda e: _between([m.time_s for m in main_marks(e, Instant)]),
    "on_level": _on_level,
    "depth": lambda e: main_marks(e, DepthLine)[0].depth_cm,
    "between_depths": lambda e: _between([m.depth_cm for m in main_marks(e, DepthLine)]),
    "on_profile_level": _on_profile,
    "vertex": _vertex,
    "nothing_found": lambda _: 0.0,
    "excess": lambda e: excess(main_marks(e, Region)[0]),
    "excess_per_time": lambda e: _per_time(main_marks(e, Region)[0]),
    "sum_of_regions": lambda e: sum(_per_time(m) for m in main_marks(e, Region)),
    "velocity": _velocity,
    "count_peaks": _peaks,
    "entries_median": lambda e: statistics.median(_entries(e, "counted")),
    "entries_mean": lambda e: statistics.fmean(_entries(e, "counted")),
    "entries_sum": lambda e: sum(_entries(e, "counted")),
    "entries_ratio_greatest": _ratio(max),
    "entries_ratio_mean": _ratio(statistics.fmean),
    "product_over": lambda e: (
        float(np.prod(_entries(e, "numerator"))) / _entries(e, "denominator")[0]
    ),
    "time_used": _used_time,
    "value_at": _value_at,
    "thousand_over_least": lambda e: 1000.0 / min(_used(e)),
}
RULES = frozenset(_RULES)
