"""Slow twins of the trial statistics, written from the definitions with loops."""

import itertools
import math

import numpy as np


def natural_covariance(structure, parameters, visits):
    """Covariance from variances and correlations as a textbook writes them."""
    sigma = np.empty((visits, visits))
    for i, j in itertools.product(range(visits), repeat=2):
        lag = abs(i - j)
        if structure == "unstructured":
            low, high = min(i, j), max(i, j)
            place = list(itertools.combinations_with_replacement(range(visits), 2))
            sigma[i, j] = parameters[place.index((low, high))]
        elif structure == "toeplitz-heterogeneous":
            rho = 1.0 if lag == 0 else parameters[visits + lag - 1]
            sigma[i, j] = parameters[i] * parameters[j] * rho
        elif structure == "ar1":
            sigma[i, j] = parameters[0] * parameters[1] ** lag
        else:
            sigma[i, j] = parameters[0] * (1.0 if lag == 0 else parameters[1])
    return sigma


def natural_parameters(structure, sigma):
    """The other way round."""
    visits = len(sigma)
    correlation = sigma / np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
    if structure == "unstructured":
        return np.array(
            [sigma[i, j] for i, j in itertools.combinations_with_replacement(range(visits), 2)]
        )
    if structure == "toeplitz-heterogeneous":
        return np.concatenate([np.sqrt(np.diag(sigma)), correlation[0, 1:]])
    return np.array([sigma[0, 0], correlation[0, 1]])


def reml(sigma, subject, visit, x, y):
    """-2 restricted log-likelihood, coefficients and their covariance, from the whole matrix."""
    n, p = x.shape
    v = np.zeros((n, n))
    for i, j in itertools.product(range(n), repeat=2):
        if subject[i] == subject[j]:
            v[i, j] = sigma[visit[i], visit[j]]
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ y)
    residual = y - x @ beta
    deviance = (
        np.linalg.slogdet(v)[1]
        + np.linalg.slogdet(information)[1]
        + residual @ inverse @ residual
        + (n - p) * math.log(2 * math.pi)
    )
    return deviance, beta, np.linalg.inv(information)


def satterthwaite(structure, sigma, row, subject, visit, x, y):
    """Degrees of freedom in natural parameters, all derivatives by differences."""
    visits = len(sigma)
    center = natural_parameters(structure, sigma)
    steps = 1e-3 * np.maximum(np.abs(center), 0.1)

    def at(*moves):
        moved = center.copy()
        for place, times in moves:
            moved[place] += times * steps[place]
        deviance, _, covariance = reml(
            natural_covariance(structure, moved, visits), subject, visit, x, y
        )
        return deviance, row @ covariance @ row

    count = center.size
    hessian, slope = np.empty((count, count)), np.empty(count)
    for i in range(count):
        slope[i] = (at((i, 1))[1] - at((i, -1))[1]) / (2 * steps[i])
        for j in range(count):
            corners = [s * t * at((i, s), (j, t))[0] for s in (1, -1) for t in (1, -1)]
            hessian[i, j] = sum(corners) / (4 * steps[i] * steps[j])
    variance = at()[1]
    return 2 * variance**2 / (slope @ (2 * np.linalg.inv(hessian)) @ slope)


def survival(time, event, at):
    """Kaplan-Meier estimate, Greenwood's sum and number at risk."""
    product, total = 1.0, 0.0
    for t in sorted({t for t, e in zip(time, event, strict=True) if e and t <= at}):
        risk = sum(u >= t for u in time)
        died = sum(u == t and e for u, e in zip(time, event, strict=True))
        product *= 1 - died / risk
        total = total + died / (risk * (risk - died)) if died < risk else math.inf
    return product, total, sum(u >= at for u in time)


def restricted_mean(time, event, horizon):
    """Area under the curve, and its standard error."""
    events = sorted({t for t, e in zip(time, event, strict=True) if e and t < horizon})

    def area(start):
        edges = [start, *(t for t in events if t > start), horizon]
        return sum(
            survival(time, event, low)[0] * (high - low) for low, high in itertools.pairwise(edges)
        )

    variance = 0.0
    for t in events:
        risk = sum(u >= t for u in time)
        died = sum(u == t and e for u, e in zip(time, event, strict=True))
        if died < risk:
            variance += area(t) ** 2 * died / (risk * (risk - died))
    return area(0.0), math.sqrt(variance)


def log_rank(time, event, group):
    """Chi-squared of two groups."""
    first = min(group)
    excess = variance = 0.0
    for t in sorted({t for t, e in zip(time, event, strict=True) if e}):
        risk = [(u, e, g) for u, e, g in zip(time, event, group, strict=True) if u >= t]
        n, n1 = len(risk), sum(g == first for _, _, g in risk)
        d = sum(u == t and e for u, e, _ in risk)
        excess += sum(u == t and e and g == first for u, e, g in risk) - d * n1 / n
        if n > 1:
            variance += d * n1 / n * (1 - n1 / n) * (n - d) / (n - 1)
    return excess**2 / variance


def rank_sum_tail(m, n):
    """Number of orders with 0, 1, ..., m n pairs in which a exceeds b, by listing them."""
    counts = [0] * (m * n + 1)
    for places in itertools.combinations(range(m + n), m):
        counts[sum(place - k for k, place in enumerate(places))] += 1
    return counts
