"""Agreement by the definitions, one number at a time; shares no code with the engine."""

import math


def kappa(pairs, order, power):
    """Cohen's kappa from a list of pairs; power 0 counts every disagreement as 1."""
    n = len(pairs)

    def apart(x, y):
        return 0.0 if x == y else float(abs(order.index(x) - order.index(y))) ** power

    observed = sum(apart(x, y) for x, y in pairs) / n
    by_chance = sum(apart(x, y) for x, _ in pairs for _, y in pairs) / n**2
    return 1.0 - observed / by_chance if by_chance else math.nan


def icc(rows, form):
    """ICC(2,1) or ICC(3,1) from variance components: subject, rater and what is left."""
    n, k = len(rows), len(rows[0])
    total = sum(sum(row) for row in rows)
    correction = total**2 / (n * k)
    all_squares = sum(x * x for row in rows for x in row) - correction
    of_rows = sum(sum(row) ** 2 for row in rows) / k - correction
    of_raters = sum(sum(row[j] for row in rows) ** 2 for j in range(k)) / n - correction
    error = (all_squares - of_rows - of_raters) / ((n - 1) * (k - 1))
    var_row = (of_rows / (n - 1) - error) / k
    var_rater = (of_raters / (k - 1) - error) / n
    below = var_row + error + (var_rater if form == "2,1" else 0.0)
    return var_row / below


def limits(a, b, z):
    """Bias and limits of independent pairs."""
    differences = [x - y for x, y in zip(a, b, strict=True)]
    bias = sum(differences) / len(differences)
    sd = math.sqrt(sum((d - bias) ** 2 for d in differences) / (len(differences) - 1))
    return bias, bias - z * sd, bias + z * sd


def repeated_limits(a, b, subjects, z):
    """Bias and limits with several pairs a subject (Bland and Altman 2007, section 3)."""
    groups = {}
    for x, y, subject in zip(a, b, subjects, strict=True):
        groups.setdefault(subject, []).append(x - y)
    everything = [d for group in groups.values() for d in group]
    n, m = len(everything), len(groups)
    bias = sum(everything) / n
    means = {subject: sum(group) / len(group) for subject, group in groups.items()}
    within = sum((d - means[s]) ** 2 for s, group in groups.items() for d in group) / (n - m)
    between = sum(len(group) * (means[s] - bias) ** 2 for s, group in groups.items()) / (m - 1)
    size = (n - sum(len(group) ** 2 for group in groups.values()) / n) / (m - 1)
    sd = math.sqrt(max((between - within) / size, 0.0) + within)
    return bias, bias - z * sd, bias + z * sd


def standard_error_over_subjects(subjects, statistic):
    """Standard error from the numbers without one subject each."""
    names = sorted(set(subjects))
    without = [statistic([k for k, s in enumerate(subjects) if s != name]) for name in names]
    m = len(names)
    mean = sum(without) / m
    return math.sqrt((m - 1) / m * sum((value - mean) ** 2 for value in without))
