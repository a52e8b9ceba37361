"""Participants that a noninferiority trial needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special, stats

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import score

METHODS = ("farrington-manning", "wald")
DISTRIBUTIONS = ("t", "z")
#: A requirement this close above a whole number is that number: it is rounding error.
SLACK = 1e-9
#: Beyond this the noncentral t distribution is normal, and no trial is that large.
LARGEST = 10_000_000


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Participants for a noninferiority trial of two proportions.

    Parameters
    ----------
    n1, n2 : int
        Participants of group 1 (posterior, test) and group 2 (anterior, reference), each
        rounded up on its own.
    n1_unrounded, n2_unrounded : float
        What the formula says; their ratio is `ratio`.
    p1, p2 : float
        Expected proportions.
    margin, alpha, power, ratio : float
        Margin, one-sided significance level, wanted power and n1 / n2.
    method : str
    """

    n1: int
    n2: int
    n1_unrounded: float
    n2_unrounded: float
    p1: float
    p2: float
    margin: float
    alpha: float
    power: float
    ratio: float
    method: str

    @property
    def n(self) -> int:
        """Participants of both groups."""
        return self.n1 + self.n2


@dataclass(frozen=True, slots=True)
class MeansSampleSize:
    """Participants for a noninferiority trial of two means.

    Parameters
    ----------
    n_per_arm : int
    difference, sd, margin : float
        Expected difference of means, group 1 minus group 2, and standard deviation within a
        group, and margin, all in the unit of the outcome.
    alpha, power : float
        One-sided significance level and wanted power.
    distribution : str
        ``t`` or ``z``.
    achieved_power : float
        Power with `n_per_arm` under the same distribution.
    """

    n_per_arm: int
    difference: float
    sd: float
    margin: float
    alpha: float
    power: float
    distribution: str
    achieved_power: float

    @property
    def n(self) -> int:
        """Participants of both groups."""
        return 2 * self.n_per_arm


def sample_size_noninferiority(
    p1: float,
    p2: float,
    *,
    margin: float,
    alpha: float = 0.025,
    power: float = 0.8,
    ratio: float = 1.0,
    method: str = "farrington-manning",
) -> SampleSize:
    """Participants that a noninferiority trial of two proportions needs.

    Parameters
    ----------
    p1, p2 : float
        Expected proportions of group 1 (posterior, test) and group 2 (anterior, reference).
    margin : float
        Margin, a positive difference of proportions.
    alpha : float
        One-sided significance level.
    power : float
        Wanted probability to reject if the expected proportions are true.
    ratio : float
        n1 / n2.
    method : str
        ``farrington-manning`` or ``wald``.

    Returns
    -------
    SampleSize

    Raises
    ------
    ParameterError
        If an argument is out of its range, or the expected loss is not below the margin: no
        number of participants would do.

    Notes
    -----
    n2 = (z_alpha s0 + z_power s1)^2 / (p1 - p2 + margin)^2 with s1^2 = p1 q1 / ratio + p2 q2.
    ``farrington-manning`` takes s0^2 from the limit of the most likely proportions under the
    null hypothesis: C. P. Farrington and G. Manning, Stat Med 1990;9:1447-1454 (method 3),
    doi:10.1002/sim.4780091208. ``wald`` takes s0 = s1: W. C. Blackwelder, Control Clin Trials
    1982;3:345-353, doi:10.1016/0197-2456(82)90024-1. Each group is rounded up.

    Examples
    --------
    >>> sample_size_noninferiority(0.9, 0.9, margin=0.15).n1
    74
    """
    p1, p2 = check.probability("p1", p1), check.probability("p2", p2)
    margin = check.risk_margin(margin)
    alpha, power = _errors(alpha, power)
    ratio = check.positive("ratio", ratio)
    method = check.choice("method", method, METHODS)
    distance = _distance("p1 - p2", p1 - p2, margin)
    spread1 = _spread(p1, p2, ratio)
    spread0 = spread1
    if method == "farrington-manning":
        null = score.restricted_difference(ratio * p1, ratio, p2, 1.0, -margin)
        spread0 = _spread(float(null[0]), float(null[1]), ratio)
    z_alpha, z_power = -float(special.ndtri(alpha)), float(special.ndtri(power))
    if spread0 == 0.0:
        raise ParameterError(
            "p1 and p2 must not both be 0 or 1 for method wald: it sees no variance there; use "
            "farrington-manning"
        )
    n2 = ((z_alpha * spread0 + z_power * spread1) / distance) ** 2
    return SampleSize(
        n1=_rounded_up(ratio * n2),
        n2=_rounded_up(n2),
        n1_unrounded=ratio * n2,
        n2_unrounded=n2,
        p1=p1,
        p2=p2,
        margin=margin,
        alpha=alpha,
        power=power,
        ratio=ratio,
        method=method,
    )


def sample_size_noninferiority_means(
    *,
    difference: float = 0.0,
    sd: float,
    margin: float,
    alpha: float,
    power: float,
    distribution: str = "t",
) -> MeansSampleSize:
    """Participants per arm that a noninferiority trial of two means needs.

    Parameters
    ----------
    difference : float
        Expected difference of means, group 1 minus group 2, where more is better.
    sd : float
        Standard deviation within a group.
    margin : float
        Margin, positive, in the unit of the outcome.
    alpha : float
        One-sided significance level.
    power : float
        Wanted probability to reject if the expected difference is true.
    distribution : str
        ``t`` for the two-sample t test, whose power is that of a noncentral t, or ``z`` for
        the normal approximation.

    Returns
    -------
    MeansSampleSize
        The smallest number per arm with at least the wanted power.

    Raises
    ------
    ParameterError
        If an argument is out of its range, or the expected loss is not below the margin.

    Notes
    -----
    S. A. Julious, Sample sizes for clinical trials with normal data, Stat Med
    2004;23:1921-1986, doi:10.1002/sim.1783, section 4.

    Examples
    --------
    >>> sample_size_noninferiority_means(sd=10.0, margin=4.0, alpha=0.025, power=0.9).n_per_arm
    133
    """
    difference = check.number("difference", difference)
    sd, margin = check.positive("sd", sd), check.positive("margin", margin)
    alpha, power = _errors(alpha, power)
    distribution = check.choice("distribution", distribution, DISTRIBUTIONS)
    effect = _distance("difference", difference, margin) / sd
    z = float(special.ndtri(power)) - float(special.ndtri(alpha))
    start = 2.0 * (z / effect) ** 2
    if start > LARGEST:
        raise ParameterError(
            f"more than {LARGEST} participants per arm would be needed; check margin, difference "
            "and sd"
        )
    # Two groups of one have no variance to estimate; the t test needs a second participant.
    n = max(_rounded_up(start), 2 if distribution == "t" else 1)
    while distribution == "t" and _t_power(n, effect, alpha) < power:
        n += 1
    achieved = (
        _t_power(n, effect, alpha)
        if distribution == "t"
        else float(special.ndtr(effect * math.sqrt(n / 2.0) + special.ndtri(alpha)))
    )
    return MeansSampleSize(
        n_per_arm=n,
        difference=difference,
        sd=sd,
        margin=margin,
        alpha=alpha,
        power=power,
        distribution=distribution,
        achieved_power=achieved,
    )


def _t_power(n: int, effect: float, alpha: float) -> float:
    """Power of the one-sided two-sample t test with n per arm."""
    df = 2 * n - 2
    return float(stats.nct.sf(stats.t.isf(alpha, df), df, effect * math.sqrt(n / 2.0)))


def _errors(alpha: float, power: float) -> tuple[float, float]:
    alpha, power = check.open_fraction("alpha", alpha), check.open_fraction("power", power)
    if alpha >= 0.5:
        raise ParameterError(f"alpha must be below 0.5; got {alpha:g}")
    if power <= alpha:
        raise ParameterError(f"power must be above alpha; got {power:g} and {alpha:g}")
    return alpha, power


def _distance(name: str, difference: float, margin: float) -> float:
    """How far the expected difference lies above minus the margin."""
    distance = difference + margin
    if distance > SLACK * margin:
        return distance
    raise ParameterError(
        f"{name} must be above -margin, or no number of participants reaches the power; got "
        f"{name} = {difference:.6g} and margin = {margin:.6g}"
    )


def _spread(p1: float, p2: float, ratio: float) -> float:
    """Standard deviation of the difference, times the root of n2."""
    return math.sqrt(p1 * (1.0 - p1) / ratio + p2 * (1.0 - p2))


def _rounded_up(value: float) -> int:
    return max(math.ceil(value * (1.0 - SLACK)), 1)
