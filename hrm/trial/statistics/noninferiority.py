"""Is the test arm not worse by the margin or more: one-sided tests of two proportions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import exact, score
from hrm.trial.statistics.proportions import DIFFERENCE, ProportionInterval, risk_difference

#: The one interval that inverts a test and may stand beside it.
INTERVAL_OF = {"miettinen-nurminen": "miettinen-nurminen", "farrington-manning": "mee"}
METHODS = (*INTERVAL_OF, "exact")


@dataclass(frozen=True, slots=True)
class NoninferiorityTest:
    """One-sided test of the hypothesis that the difference is at most minus the margin.

    Parameters
    ----------
    estimate : float
        Observed difference.
    statistic : float
        Score statistic; large if the difference is above minus the margin.
    p_value : float
        One-sided.
    standard_error : float
        Of the difference, if it were minus the margin: the denominator of `statistic`.
    margin : float
    method : str
    x1, n1, x2, n2 : int
        Successes and participants of group 1 and group 2.
    orientation : str
        Which group is compared with which.
    hypothesis : str
        What is rejected if `p_value` is small.
    """

    estimate: float
    statistic: float
    p_value: float
    standard_error: float
    margin: float
    method: str
    x1: int
    n1: int
    x2: int
    n2: int
    orientation: str = DIFFERENCE
    hypothesis: str = "difference <= -margin"

    def interval(self, level: float = 0.95) -> ProportionInterval:
        """The interval that agrees with this test.

        Its lower limit is above minus the margin exactly when `p_value` is below
        ``(1 - level) / 2``.

        Parameters
        ----------
        level : float
            Two-sided confidence level.

        Returns
        -------
        ProportionInterval
            Of Miettinen and Nurminen, or of Mee for the test of Farrington and Manning.

        Raises
        ------
        ParameterError
            For the exact test: none of the intervals here inverts it.
        """
        if self.method not in INTERVAL_OF:
            raise ParameterError(
                f"no interval of hrm inverts the {self.method} test; report its p-value alone, or "
                f"choose one of {', '.join(INTERVAL_OF)}"
            )
        method = INTERVAL_OF[self.method]
        return risk_difference(self.x1, self.n1, self.x2, self.n2, method=method, level=level)


def noninferiority_test(
    x1: int,
    n1: int,
    x2: int,
    n2: int,
    *,
    margin: float,
    method: str = "miettinen-nurminen",
) -> NoninferiorityTest:
    """Test that group 1 succeeds less often than group 2 by at least the margin.

    Parameters
    ----------
    x1, n1, x2, n2 : int
        Successes and participants of group 1 (posterior, test) and group 2 (anterior,
        reference).
    margin : float
        Largest acceptable loss, as a positive difference of proportions. It has no default:
        it is a clinical decision.
    method : str
        ``miettinen-nurminen``, ``farrington-manning`` or ``exact``.

    Returns
    -------
    NoninferiorityTest
        A small one-sided p-value says that the loss is less than the margin.

    Raises
    ------
    ParameterError
        If a count is not whole or out of range, nobody was counted in a group, the margin is
        not between 0 and 1, or the method is not one; for ``exact`` also if there are too many
        tables to enumerate.

    Notes
    -----
    The null hypothesis is p1 - p2 <= -margin. ``farrington-manning`` is the score test:
    C. P. Farrington and G. Manning, Stat Med 1990;9:1447-1454, doi:10.1002/sim.4780091208.
    ``miettinen-nurminen`` divides its statistic by the root of N / (N - 1): O. S. Miettinen
    and M. Nurminen, Stat Med 1985;4:213-226, doi:10.1002/sim.4780040211. ``exact`` orders all
    tables by the statistic of Farrington and Manning and takes the largest probability of the
    observed one or a more extreme one over all p2 on the border of the hypothesis: I. S. F.
    Chan, Exact tests of equivalence and efficacy with a non-zero lower bound for comparative
    studies, Stat Med 1998;17:1403-1413.

    Examples
    --------
    >>> test = noninferiority_test(63, 71, 60, 67, margin=0.15)
    >>> round(test.p_value, 4), test.interval().low > -0.15
    (0.0069, True)
    """
    x1, n1, x2, n2 = check.two_arms(x1, n1, x2, n2)
    margin = check.risk_margin(margin)
    method = check.choice("method", method, METHODS)
    estimate = x1 / n1 - x2 / n2
    variance = float(score.difference_variance(x1, n1, x2, n2, -margin))
    if method == "miettinen-nurminen":
        variance *= (n1 + n2) / (n1 + n2 - 1)
    # With a margin between 0 and 1 the proportions cannot all be 0 or 1: never no variance.
    standard_error = math.sqrt(variance)
    statistic = (estimate + margin) / standard_error
    if method == "exact":
        p_value = exact.unconditional_p_value(x1, n1, x2, n2, margin)
    else:
        p_value = float(special.ndtr(-statistic))
    return NoninferiorityTest(
        estimate=estimate,
        statistic=statistic,
        p_value=p_value,
        standard_error=standard_error,
        margin=margin,
        method=method,
        x1=x1,
        n1=n1,
        x2=x2,
        n2=n2,
    )
