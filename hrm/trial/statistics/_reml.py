"""Restricted maximum likelihood of a linear model with correlated residuals.

Participants are rows of blocks in which a visit that is missing is all zero, and its place in
the covariance matrix is one of the identity: it then adds nothing to any sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from hrm.errors import ConvergenceError
from hrm.trial.statistics._covariance import Structure

Array = NDArray[np.float64]

#: Fall of the deviance that Newton's step still promises: with the first the step is taken as
#: it is, for the fall drowns in rounding; with the second the minimum is reached.
CLOSE = 1e-6
DECREMENT = 1e-15
#: Flattest direction of the deviance against the steepest; flatter ones are not determined.
FLATTEST = 1e-9
#: Smallest eigenvalue of the correlations between visits; below, one visit is a mixture of others.
SMALLEST_EIGENVALUE = 1e-9
_NEWTON_STEPS = 50
_STEP = 2e-3


@dataclass(frozen=True, eq=False)
class Blocks:
    """Outcome (participant, visit), design (participant, visit, coefficient), what is there."""

    outcome: Array
    design: Array
    seen: NDArray[np.bool_]

    @property
    def visits(self) -> int:
        """Number of visits."""
        return int(self.seen.shape[1])


@dataclass(frozen=True, eq=False)
class _State:
    """Everything at one covariance matrix.

    `slope` (visit, visit) is the derivative of the deviance by the entries of the matrix,
    `weighted` (participant, visit, coefficient) the design times the inverse matrix.
    """

    deviance: float
    slope: Array
    beta: Array
    information: Array
    weighted: Array


@dataclass(frozen=True, eq=False)
class Fit:
    """The solution.

    `beta` (coefficient), `covariance` (coefficient, coefficient), `residual` (visit, visit)
    and `_slopes` (parameter, coefficient, coefficient), the derivatives of the information.
    """

    deviance: float
    beta: Array
    covariance: Array
    residual: Array
    parameters: int
    _slopes: Array
    _uncertainty: Array

    def contrast(self, row: Array) -> tuple[float, float, float]:
        """Estimate, standard error and Satterthwaite's degrees of freedom of ``row @ beta``."""
        half = self.covariance @ row
        variance = float(row @ half)
        slope = -np.einsum("i,kij,j->k", half, self._slopes, half)
        spread = float(slope @ self._uncertainty @ slope)
        df = 2.0 * variance**2 / spread if spread > 0.0 else math.inf
        return float(row @ self.beta), math.sqrt(variance), df


class _Likelihood:
    """Deviance of scaled data as a function of the parameters of a structure."""

    def __init__(self, blocks: Blocks, structure: Structure) -> None:
        self.blocks, self.structure = blocks, structure
        patterns, which = np.unique(blocks.seen, axis=0, return_inverse=True)
        self.which = which.ravel()
        self.times = np.bincount(self.which).astype(np.float64)
        self.pairs = patterns[:, :, None] & patterns[:, None, :]
        self.rows = int(blocks.seen.sum())
        self.count = blocks.design.shape[2]

    def at(self, sigma: Array) -> _State:
        """Deviance and its derivative at a covariance matrix."""
        outcome, design = self.blocks.outcome, self.blocks.design
        filled = np.where(self.pairs, sigma, np.eye(len(sigma)))
        inverse = np.linalg.inv(filled) * self.pairs
        each = inverse[self.which]
        weighted = each @ design
        flat = weighted.reshape(-1, self.count)
        information = design.reshape(-1, self.count).T @ flat
        factor = linalg.cho_factor(information)
        beta = linalg.cho_solve(factor, flat.T @ outcome.ravel())
        half = (flat @ linalg.cho_solve(factor, np.eye(self.count))).reshape(weighted.shape)
        residual = outcome - design @ beta
        pull = (each @ residual[:, :, None])[:, :, 0]
        spent = np.tensordot(half, weighted, axes=((0, 2), (0, 2)))
        slope = np.tensordot(self.times, inverse, 1) - pull.T @ pull - spent
        deviance = (
            self.times @ np.linalg.slogdet(filled)[1]
            + 2.0 * np.log(np.diag(factor[0])).sum()
            + (residual * pull).sum()
            + (self.rows - self.count) * math.log(2.0 * math.pi)
        )
        return _State(float(deviance), slope, beta, information, weighted)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Deviance and gradient; infinite where the matrix cannot be handled."""
        # Only a wild step of the optimizer goes there.
        if np.abs(theta).max() > 300.0:
            return math.inf, np.zeros(theta.size)
        sigma, slopes = self.structure.value_and_slope(theta, self.blocks.visits)
        try:
            state = self.at(sigma)
        except (np.linalg.LinAlgError, ValueError):
            return math.inf, np.zeros(theta.size)
        if not math.isfinite(state.deviance):
            return math.inf, np.zeros(theta.size)
        return state.deviance, np.tensordot(slopes, state.slope, 2)

    def hessian(self, theta: Array) -> Array:
        """Observed second derivatives, by central differences of fourth order."""
        found = np.empty((theta.size, theta.size))
        for k in range(theta.size):
            step = np.zeros(theta.size)
            step[k] = _STEP
            near = self(theta + step)[1] - self(theta - step)[1]
            far = self(theta + 2.0 * step)[1] - self(theta - 2.0 * step)[1]
            found[k] = (8.0 * near - far) / (12.0 * _STEP)
        return (found + found.T) / 2.0


def fit(blocks: Blocks, structure: Structure) -> Fit:
    """Coefficients and covariance with the least deviance.

    Raises
    ------
    ConvergenceError
        If no start leads to a minimum, or the minimum does not determine all parameters.
    """
    scaled, turn, size = _scaled(blocks)
    likelihood = _Likelihood(scaled, structure)
    arrived = []
    faults = []
    for start in _starts(scaled, structure):
        try:
            arrived.append(_minimum(likelihood, start))
        except ConvergenceError as err:
            faults.append(str(err))
    if not arrived:
        raise ConvergenceError(
            f"the mixed model did not converge from any of {len(faults)} starts; {faults[0]}. A "
            "covariance with fewer parameters, or fewer visits, may be estimable"
        )
    theta, hessian = min(arrived, key=lambda found: likelihood(found[0])[0])
    return _unscaled(likelihood, theta, hessian, turn, size)


def _scaled(blocks: Blocks) -> tuple[Blocks, Array, float]:
    """Orthogonal design and outcome of unit spread, so that no unit of measure matters."""
    rows = blocks.design[blocks.seen]
    basis, turn = np.linalg.qr(rows)
    outcome = blocks.outcome[blocks.seen]
    residual = outcome - basis @ (basis.T @ outcome)
    size = float(np.sqrt(residual @ residual / (rows.shape[0] - rows.shape[1])))
    if size <= 1e-12 * max(1e-300, float(np.abs(outcome).max())):
        raise ConvergenceError(
            "the outcome does not vary beyond what the model explains; no covariance can be estimated"
        )
    design = np.zeros_like(blocks.design)
    design[blocks.seen] = basis
    return Blocks(blocks.outcome / size, design, blocks.seen), turn, size


def _starts(blocks: Blocks, structure: Structure) -> list[Array]:
    """Parameters to start from: near what was observed, and with correlations of 0.3."""
    design = blocks.design[blocks.seen]
    residual = np.zeros_like(blocks.outcome)
    outcome = blocks.outcome[blocks.seen]
    residual[blocks.seen] = outcome - design @ (design.T @ outcome)
    seen = blocks.seen.astype(np.float64)
    together = np.maximum(seen.T @ seen, 1.0)
    observed = residual.T @ residual / together
    variances = np.maximum(np.diag(observed), 0.01)
    plain = np.full((blocks.visits, blocks.visits), 0.3)
    np.fill_diagonal(plain, 1.0)
    plain *= np.sqrt(np.outer(variances, variances))
    # Pairs of visits seen in different participants may not fit together; half of `plain`
    # keeps the start well inside.
    values, vectors = np.linalg.eigh(0.5 * (observed + plain))
    mixed = (vectors * np.maximum(values, 0.02 * values.max())) @ vectors.T
    return [structure.start(mixed), structure.start(plain)]


def _minimum(likelihood: _Likelihood, start: Array) -> tuple[Array, Array]:
    """The minimum reached from one start, with the second derivatives there."""
    with np.errstate(all="ignore"):
        # Differences with an infinite deviance, where the search steps back.
        found = optimize.minimize(
            likelihood, start, jac=True, method="BFGS", options={"maxiter": 500, "gtol": 1e-5}
        )
    theta = np.asarray(found.x)
    for _ in range(_NEWTON_STEPS):
        value, gradient = likelihood(theta)
        hessian = likelihood.hessian(theta)
        step, decrement = _newton(gradient, hessian)
        if decrement < DECREMENT:
            _require_regular(likelihood, theta)
            return theta, hessian
        theta = theta + step if decrement < CLOSE else _search(likelihood, theta, value, step)
    raise ConvergenceError("the deviance still falls after the last step")


def _newton(gradient: Array, hessian: Array) -> tuple[Array, float]:
    """Newton's step and the fall of the deviance that it promises."""
    if not np.isfinite(hessian).all():
        raise ConvergenceError("the deviance has no curvature that can be computed")
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    if values[0] <= FLATTEST * values[-1]:
        raise ConvergenceError(
            "some covariance parameters are not determined by the data (flat or falling deviance)"
        )
    step = -(vectors @ ((vectors.T @ (gradient / scale)) / values)) / scale
    return step, float(-gradient @ step) / 2.0


def _search(likelihood: _Likelihood, theta: Array, value: float, step: Array) -> Array:
    for shrink in 0.5 ** np.arange(30):
        moved: Array = theta + shrink * step
        if likelihood(moved)[0] < value:
            return moved
    raise ConvergenceError("no step along the gradient lowers the deviance")


def _require_regular(likelihood: _Likelihood, theta: Array) -> None:
    sigma = likelihood.structure.value_and_slope(theta, likelihood.blocks.visits)[0]
    deviations = np.sqrt(np.diag(sigma))
    if np.linalg.eigvalsh(sigma / np.outer(deviations, deviations))[0] < SMALLEST_EIGENVALUE:
        raise ConvergenceError("the residuals of one visit are a mixture of those of others")


def _unscaled(
    likelihood: _Likelihood, theta: Array, hessian: Array, turn: Array, size: float
) -> Fit:
    """The solution in the units of the data."""
    sigma, slopes = likelihood.structure.value_and_slope(theta, likelihood.blocks.visits)
    state = likelihood.at(sigma)
    back = np.linalg.inv(turn)
    covariance = size**2 * back @ np.linalg.inv(state.information) @ back.T
    shapes = -np.einsum("ntp,ktu,nuq->kpq", state.weighted, slopes, state.weighted, optimize=True)
    moved = 2.0 * (likelihood.rows - likelihood.count) * math.log(size)
    widened = 2.0 * float(np.log(np.abs(np.diag(turn))).sum())
    return Fit(
        deviance=state.deviance + moved + widened,
        beta=size * back @ state.beta,
        covariance=covariance,
        residual=size**2 * sigma,
        parameters=theta.size,
        _slopes=turn.T @ shapes @ turn / size**2,
        _uncertainty=np.asarray(2.0 * np.linalg.inv(hessian), dtype=np.float64),
    )
