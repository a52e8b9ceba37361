"""Score statistics of two proportions the slow way: the likelihood is climbed, nothing is solved.

Every function takes one table and plain numbers, and shares no formula with the engine
beyond the definitions of the statistics.
"""

import math

from scipy.optimize import brentq


def _slope(p, events, misses):
    """Derivative of a binomial log-likelihood; infinite at an impossible end."""
    up = events / p if p > 0.0 else (math.inf if events else 0.0)
    down = misses / (1.0 - p) if p < 1.0 else (math.inf if misses else 0.0)
    return up - down


def _climb(rising, low, high):
    """Where a falling slope changes sign."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if rising(middle):
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def restricted(x1, n1, x2, n2, delta):
    """Most likely (p1, p2) with p1 - p2 = delta."""
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
    p2 = _climb(lambda p: _slope(p, x2, n2 - x2) + _slope(p + delta, x1, n1 - x1) > 0.0, low, high)
    return p2 + delta, p2


def difference_score(x1, n1, x2, n2, delta, *, correct):
    p1, p2 = restricted(x1, n1, x2, n2, delta)
    p1, p2 = min(max(p1, 0.0), 1.0), min(max(p2, 0.0), 1.0)
    variance = p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2
    if correct:
        variance *= (n1 + n2) / (n1 + n2 - 1)
    distance = x1 / n1 - x2 / n2 - delta
    if distance == 0.0:
        return 0.0
    return math.copysign(math.inf, distance) if variance <= 0.0 else distance / math.sqrt(variance)


def difference_limits(x1, n1, x2, n2, z, *, correct):
    """Limits by bracketed root-finding on the naive statistic."""
    observed = x1 / n1 - x2 / n2

    def root(target, low, high):
        def gap(delta):
            value = difference_score(x1, n1, x2, n2, delta, correct=correct) - target
            return min(max(value, -1e6), 1e6)

        if gap(low) <= 0.0:
            return low
        return high if gap(high) >= 0.0 else brentq(gap, low, high, xtol=1e-13)

    return root(z, -1.0, observed), root(-z, observed, 1.0)


def ratio_score(x1, n1, x2, n2, ratio, *, correct):
    """Score statistic of p1 / p2, p2 found by climbing the likelihood."""
    high = min(1.0, 1.0 / ratio)
    p2 = _climb(
        lambda p: _slope(p, x2, n2 - x2) + ratio * _slope(min(ratio * p, 1.0), x1, n1 - x1) > 0.0,
        0.0,
        high,
    )
    p1 = min(ratio * p2, 1.0)
    variance = p1 * (1.0 - p1) / n1 + ratio**2 * p2 * (1.0 - p2) / n2
    if correct:
        variance *= (n1 + n2) / (n1 + n2 - 1)
    return (x1 / n1 - ratio * x2 / n2) / math.sqrt(variance)


def odds_score(x1, n1, x2, n2, odds):
    """Corrected score statistic of the odds ratio; p2 makes the expected successes add up."""

    def first(p2):
        return odds * p2 / (1.0 - p2 + odds * p2)

    p2 = _climb(lambda p: n1 * first(p) + n2 * p < x1 + x2, 0.0, 1.0)
    p1 = first(p2)
    information = 1.0 / (1.0 / (n1 * p1 * (1.0 - p1)) + 1.0 / (n2 * p2 * (1.0 - p2)))
    return (x1 - n1 * p1) / math.sqrt(information * (n1 + n2) / (n1 + n2 - 1))


def binomial(k, n, p):
    return math.comb(n, k) * p**k * (1.0 - p) ** (n - k)


def exact_p_value(x1, n1, x2, n2, margin, points=2001):
    """Chan's p-value on a plain grid: table by table, proportion by proportion."""
    seen = difference_score(x1, n1, x2, n2, -margin, correct=False)
    tail = [
        (a, b)
        for a in range(n1 + 1)
        for b in range(n2 + 1)
        if difference_score(a, n1, b, n2, -margin, correct=False) >= seen - 1e-9
    ]
    largest = 0.0
    for k in range(points):
        p2 = margin + (1.0 - margin) * k / (points - 1)
        p1 = max(p2 - margin, 0.0)
        first = [binomial(a, n1, p1) for a in range(n1 + 1)]
        second = [binomial(b, n2, p2) for b in range(n2 + 1)]
        largest = max(largest, sum(first[a] * second[b] for a, b in tail))
    return largest


def cochran_mantel_haenszel(x1, n1, x2, n2):
    """Chi-square of Cochran, Mantel and Haenszel without continuity correction."""
    excess = variance = 0.0
    for a, m, c, k in zip(x1, n1, x2, n2, strict=True):
        total, successes = m + k, a + c
        excess += a - m * successes / total
        variance += m * k * successes * (total - successes) / (total**2 * (total - 1))
    return excess**2 / variance
