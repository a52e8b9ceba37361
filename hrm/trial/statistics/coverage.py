"""How often an interval of a difference of proportions holds the truth: no simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

#: A limit this close to the true difference holds it: both are rounded numbers.
TOUCHING = 1e-9


def difference_coverage(low: Array, high: Array, p1: Array, p2: Array) -> Array:
    """Exact coverage probability of an interval of p1 - p2.

    Parameters
    ----------
    low, high : array (n1 + 1, n2 + 1)
        Limits for x1 and x2 successes at ``[x1, x2]``; NaN where a method gives none, which
        counts as a miss.
    p1, p2 : array (a,), array (b,)
        True proportions of group 1 and group 2.

    Returns
    -------
    array (a, b)
        Sum of the binomial probabilities of all tables whose interval holds the difference.
    """
    n1, n2 = (size - 1 for size in low.shape)
    first = stats.binom.pmf(np.arange(n1 + 1), n1, p1[:, None])
    second = stats.binom.pmf(np.arange(n2 + 1), n2, p2[:, None])
    difference = np.round(p1[:, None] - p2, 12)
    out = np.empty(difference.shape)
    # Pairs with one difference share the set of tables that hold it.
    for value in np.unique(difference):
        held = (low <= value + TOUCHING) & (high >= value - TOUCHING)
        rows, columns = np.nonzero(difference == value)
        out[rows, columns] = np.einsum("ki,ki->k", first[rows] @ held, second[columns])
    return out
