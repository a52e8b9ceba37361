"""Residual covariance over the visits of a participant, by unbounded parameters.

Each structure maps any real vector to a positive definite matrix, so that an optimizer needs
no limits; and a matrix near what was observed to parameters to start from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Step of a complex derivative: squares of it vanish, nothing is subtracted.
_TINY = 1e-30
#: Start no nearer than this to a correlation of 1.
_LARGEST_START = 0.95


@dataclass(frozen=True)
class Structure:
    """A family of covariance matrices.

    `count` parameters for a number of visits; `matrix` (parameters, visits) -> (visit, visit);
    `start` (observed matrix) -> parameters; `by_order` if the order of visits matters.
    """

    count: Callable[[int], int]
    matrix: Callable[[Complex, int], Complex]
    start: Callable[[Array], Array]
    by_order: bool

    def value_and_slope(self, theta: Array, visits: int) -> tuple[Array, Array]:
        """Matrix (visit, visit) and its derivatives (parameter, visit, visit).

        Complex steps give derivatives to the last digit: W. Squire and G. Trapp, SIAM Rev
        1998;40:110-112, doi:10.1137/S003614459631241X.
        """
        slopes = np.empty((theta.size, visits, visits))
        for k in range(theta.size):
            moved = theta.astype(np.complex128)
            moved[k] += 1j * _TINY
            slopes[k] = self.matrix(moved, visits).imag / _TINY
        return self.matrix(theta.astype(np.complex128), visits).real, slopes


def _unstructured(theta: Complex, visits: int) -> Complex:
    # Log-Cholesky: J. C. Pinheiro and D. M. Bates, Statistics and Computing
    # 1996;6:289-296.
    factor = np.zeros((visits, visits), dtype=np.complex128)
    factor[np.diag_indices(visits)] = np.exp(theta[:visits])
    factor[np.tril_indices(visits, -1)] = theta[visits:]
    return factor @ factor.T


def _unstructured_start(observed: Array) -> Array:
    factor = np.linalg.cholesky(observed)
    lower = factor[np.tril_indices(len(factor), -1)]
    return np.concatenate([np.log(np.diag(factor)), lower])


def _toeplitz(theta: Complex, visits: int) -> Complex:
    # Any partial correlations between -1 and 1 make one Toeplitz correlation matrix and none
    # is left out: O. Barndorff-Nielsen and G. Schou, J Multivar Anal 1973;3:408-419.
    deviations = np.exp(theta[:visits])
    partial = np.tanh(theta[visits:])
    lags = np.ones(visits, dtype=np.complex128)
    weights = np.empty(0, dtype=np.complex128)
    left = 1.0 + 0.0j
    for lag in range(1, visits):
        kappa = partial[lag - 1]
        lags[lag] = kappa * left + weights @ lags[lag - 1 : 0 : -1]
        weights = np.append(weights - kappa * weights[::-1], kappa)
        left *= 1.0 - kappa**2
    place = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    found: Complex = deviations[:, None] * lags[place] * deviations[None, :]
    return found


def _correlation(observed: Array) -> Array:
    deviations = np.sqrt(np.diag(observed))
    found: Array = observed / np.outer(deviations, deviations)
    return found


def _neighbors(observed: Array) -> float:
    """Mean correlation of successive visits, away from its limits."""
    found = float(np.diag(_correlation(observed), 1).mean())
    return max(-_LARGEST_START, min(_LARGEST_START, found))


def _toeplitz_start(observed: Array) -> Array:
    further = np.zeros(len(observed) - 1)
    further[0] = math.atanh(_neighbors(observed))
    return np.concatenate([0.5 * np.log(np.diag(observed)), further])


def _ar1(theta: Complex, visits: int) -> Complex:
    rho = np.tanh(theta[1])
    # By products: a power of 0 has no complex logarithm.
    powers = np.cumprod(np.concatenate([[1.0], np.full(visits - 1, rho)]))
    place = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    found: Complex = np.exp(theta[0]) * powers[place]
    return found


def _ar1_start(observed: Array) -> Array:
    variance = float(np.diag(observed).mean())
    return np.array([math.log(variance), math.atanh(_neighbors(observed))])


def _compound_symmetry(theta: Complex, visits: int) -> Complex:
    # The eigenvalues: of the mean over visits, and of the differences between them.
    common, single = np.exp(theta[0]), np.exp(theta[1])
    found: Complex = single * np.eye(visits) + (common - single) / visits * np.ones(
        (visits, visits)
    )
    return found


def _compound_symmetry_start(observed: Array) -> Array:
    visits = len(observed)
    common = float(observed.sum()) / visits
    single = (float(np.trace(observed)) - common) / (visits - 1)
    return np.log([common, single])


STRUCTURES = {
    "unstructured": Structure(
        lambda visits: visits * (visits + 1) // 2,
        _unstructured,
        _unstructured_start,
        by_order=False,
    ),
    "toeplitz-heterogeneous": Structure(
        lambda visits: 2 * visits - 1, _toeplitz, _toeplitz_start, by_order=True
    ),
    "ar1": Structure(lambda _visits: 2, _ar1, _ar1_start, by_order=True),
    "compound-symmetry": Structure(
        lambda _visits: 2, _compound_symmetry, _compound_symmetry_start, by_order=False
    ),
}
