"""Time to failure: Kaplan-Meier, the log-rank test and restricted mean survival time.

The curve and its Greenwood error come from statsmodels, as does the log-rank test. lifelines
would do too, but it depends on a package without a wheel and caps pandas below the version
that this project is locked to.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics.proportions import OK, two_sided_z

Array = NDArray[np.float64]

INTERVALS = ("log", "log-log", "plain")


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Kaplan-Meier estimate at chosen times.

    Parameters
    ----------
    times : array (time)
        As asked for, in the unit of the data.
    survival, low, high : array (time)
        Proportion without event, and pointwise limits. NaN beyond the last follow-up of a
        curve that has not come down to 0; the limits are NaN where the curve is 0, for
        Greenwood's variance does not exist there.
    standard_error : array (time)
        Greenwood's, of `survival`.
    at_risk : array (time)
        Participants still followed just before the time, whole numbers.
    events : array (time)
        Events from the start up to and at the time, whole numbers: a running count, where R
        prints those since the time before.
    status : tuple of str
        For each time ``ok``, ``beyond_follow_up``, ``no_limits`` (the curve is 0) or
        ``no_width`` (no event yet: the limits are 1 by convention, not by certainty).
    interval : str
        ``log``, ``log-log`` or ``plain``.
    level : float
        Two-sided confidence level.
    n : int
    """

    times: Array
    survival: Array
    low: Array
    high: Array
    standard_error: Array
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    status: tuple[str, ...]
    interval: str
    level: float
    n: int


@dataclass(frozen=True, slots=True)
class LogRankTest:
    """Test that the groups fail alike.

    Parameters
    ----------
    statistic : float
        Chi-squared, with one degree of freedom less than groups.
    df : int
    p_value : float
    groups : int
    n, events : int
        Participants and events over all groups.
    method : str
    """

    statistic: float
    df: int
    p_value: float
    groups: int
    n: int
    events: int
    method: str = "log-rank"


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time without event up to a horizon.

    Parameters
    ----------
    estimate, standard_error, low, high : float
        In the unit of the times; normal limits.
    horizon : float
    level : float
        Two-sided confidence level.
    n, events : int
        Participants, and events up to the horizon.
    status : str
        ``ok``, or ``no_width``: no event before the horizon, so no spread can be estimated.
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    horizon: float
    level: float
    n: int
    events: int
    status: str = OK


@dataclass(frozen=True, slots=True)
class _Steps:
    """The curve at each time with an event: survival from then on, at risk, events."""

    times: Array
    survival: Array
    at_risk: Array
    failed: Array


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    interval: str = "log",
    times: ArrayLike | None = None,
    level: float = 0.95,
) -> SurvivalCurve:
    """Proportion without event over time, with pointwise limits.

    Parameters
    ----------
    time : array (participant)
        Follow-up up to the event or to the last visit; at least 0.
    event : array (participant)
        1 or True for an event, 0 or False if follow-up ended without.
    interval : str
        Scale on which the limits are symmetric: ``log`` (the default of R), ``log-log`` (SAS,
        Stata) or ``plain``.
    times : array, optional
        Where to read the curve; each time with an event if not given.
    level : float
        Two-sided confidence level.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    ParameterError
        If nobody is followed, a time is not a finite number from 0 on, an event is neither 0
        nor 1, the columns differ in length, `times` is not given and there is no event, or the
        interval or level is not one.
    MissingDependencyError
        If statsmodels is not installed.

    Notes
    -----
    E. L. Kaplan and P. Meier, J Am Stat Assoc 1958;53:457-481,
    doi:10.1080/01621459.1958.10501452; variance of M. Greenwood 1926. Limits:
    J. D. Kalbfleisch and R. L. Prentice, The statistical analysis of failure time data,
    section 1.4. Follow-up that ends at the time of an event counts as at risk there.

    Examples
    --------
    >>> curve = kaplan_meier([6, 6, 6, 6, 7, 9, 10], [1, 1, 1, 0, 1, 0, 1], times=[6, 8])
    >>> curve.survival.round(4).tolist(), curve.at_risk.tolist()
    ([0.5714, 0.381], [7, 2])
    """
    followed, failed = _follow_up(time, event)
    interval = check.choice("interval", interval, INTERVALS)
    level = check.open_fraction("level", level)
    steps = _steps(followed, failed)
    asked = _asked(times, steps)
    place = np.searchsorted(steps.times, asked, side="right")
    survival = np.concatenate([[1.0], steps.survival])[place]
    relative = np.concatenate([[0.0], _greenwood(steps)])[place]
    beyond = (asked > followed.max()) & (survival > 0.0)
    survival[beyond] = np.nan
    relative[beyond | (survival == 0.0)] = np.nan
    low, high = _limits(survival, relative, interval, two_sided_z(level))
    at_risk = followed.size - np.searchsorted(np.sort(followed), asked, side="left")
    return SurvivalCurve(
        times=asked,
        survival=survival,
        low=low,
        high=high,
        standard_error=survival * relative,
        at_risk=at_risk.astype(np.int64),
        events=np.concatenate([[0], np.cumsum(steps.failed)])[place].astype(np.int64),
        status=tuple(map(_status, survival.tolist())),
        interval=interval,
        level=level,
        n=int(followed.size),
    )


def log_rank(time: ArrayLike, event: ArrayLike, group: ArrayLike) -> LogRankTest:
    """Test whether two or more groups have the same risk at all times.

    Parameters
    ----------
    time, event : array (participant)
        As in `kaplan_meier`.
    group : array (participant)
        Label of the group, numbers or text; none missing.

    Returns
    -------
    LogRankTest

    Raises
    ------
    ParameterError
        As `kaplan_meier`; also if a label is missing, there is one group only, nobody has
        an event, or no event happens while two groups are at risk.
    MissingDependencyError
        If statsmodels is not installed.

    Notes
    -----
    N. Mantel, Cancer Chemother Rep 1966;50:163-170; R. Peto and J. Peto, J R Stat Soc A
    1972;135:185-207, doi:10.2307/2344317. Hypergeometric variance, no continuity correction.

    Examples
    --------
    >>> test = log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], list("aabbab"))
    >>> round(test.statistic, 3), test.df
    (0.297, 1)
    """
    followed, failed = _follow_up(time, event)
    labels = _labels(group)
    check.same_length(time=followed, group=labels)
    count = int(labels.max()) + 1
    if count < 2:
        raise ParameterError("group must hold at least two groups; got 1")
    _require_comparison(followed, failed, labels)
    try:
        from statsmodels.duration.survfunc import survdiff
    except ImportError as err:
        raise check.missing_extra("statsmodels") from err
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            statistic = float(survdiff(followed, failed, labels)[0])
        except (np.linalg.LinAlgError, RuntimeWarning) as err:
            raise ParameterError(
                "group must not hold a group that is never at risk when another one has an event"
            ) from err
    return LogRankTest(
        statistic=statistic,
        df=count - 1,
        p_value=float(special.chdtrc(count - 1, statistic)),
        groups=count,
        n=int(followed.size),
        events=int(failed.sum()),
    )


def restricted_mean_survival_time(
    time: ArrayLike, event: ArrayLike, *, horizon: float, level: float = 0.95
) -> RestrictedMean:
    """Mean time without event up to a horizon: the area under the Kaplan-Meier curve.

    Parameters
    ----------
    time, event : array (participant)
        As in `kaplan_meier`.
    horizon : float
        Where to stop, in the unit of `time`. It must not lie beyond the last follow-up, unless
        that ended with an event and the curve is 0 from there.
    level : float
        Two-sided confidence level.

    Returns
    -------
    RestrictedMean

    Raises
    ------
    ParameterError
        As `kaplan_meier`; also if the horizon is not above 0 or lies beyond the last follow-up.
    MissingDependencyError
        If statsmodels is not installed.

    Notes
    -----
    P. Royston and M. K. B. Parmar, BMC Med Res Methodol 2013;13:152,
    doi:10.1186/1471-2288-13-152. The variance adds, over the times with an event, the squared
    area from there to the horizon times Greenwood's term, as R's survRM2 does.

    Examples
    --------
    >>> mean = restricted_mean_survival_time([1, 2, 3, 4], [1, 0, 1, 0], horizon=4)
    >>> mean.estimate, round(mean.standard_error, 4)
    (2.875, 0.6027)
    """
    followed, failed = _follow_up(time, event)
    horizon = check.positive("horizon", horizon)
    level = check.open_fraction("level", level)
    steps = _steps(followed, failed)
    down = steps.survival.size > 0 and float(steps.survival[-1]) == 0.0
    if horizon > followed.max() and not down:
        raise ParameterError(
            "horizon must not lie beyond the last follow-up, where the curve is unknown; the "
            f"horizon is {horizon:g}"
        )
    before = steps.times < horizon
    edges = np.concatenate([[0.0], steps.times[before], [horizon]])
    areas = np.concatenate([[1.0], steps.survival[before]]) * np.diff(edges)
    # Area from each event on; the first piece lies before all of them.
    ahead = np.cumsum(areas[:0:-1])[::-1]
    failing, at_risk = steps.failed[before], steps.at_risk[before]
    # All fail at the last event: nothing lies ahead of it, and it adds nothing.
    rest = np.where(at_risk > failing, at_risk - failing, np.inf)
    error = math.sqrt(float((ahead**2 * failing / (at_risk * rest)).sum()))
    estimate, reach = float(areas.sum()), two_sided_z(level) * error
    return RestrictedMean(
        estimate=estimate,
        standard_error=error,
        low=estimate - reach,
        high=estimate + reach,
        horizon=horizon,
        level=level,
        n=int(followed.size),
        events=int(steps.failed[steps.times <= horizon].sum()),
        status=OK if before.any() else "no_width",
    )


def _follow_up(time: ArrayLike, event: ArrayLike) -> tuple[Array, Array]:
    followed = check.finite_column("time", time)
    low = np.flatnonzero(followed < 0.0)
    if low.size:
        raise ParameterError(
            f"time must be at least 0; entry {low[0]} (counted from 0) is before the start"
        )
    raw = np.asarray(event)
    # True and False are what most tables have here, and can mean nothing else.
    failed = check.finite_column("event", raw.astype(np.int64) if raw.dtype.kind == "b" else raw)
    bad = np.flatnonzero((failed != 0.0) & (failed != 1.0))
    if bad.size:
        raise ParameterError(
            f"event must be 0 (follow-up ended) or 1 (event); entry {bad[0]} (counted from 0) "
            "is neither"
        )
    check.same_length(time=followed, event=failed)
    return followed, failed


def _steps(followed: Array, failed: Array) -> _Steps:
    if not failed.any():
        nothing = np.empty(0)
        return _Steps(nothing, nothing, nothing, nothing)
    try:
        from statsmodels.duration.survfunc import SurvfuncRight
    except ImportError as err:
        raise check.missing_extra("statsmodels") from err
    # Greenwood's term does not exist where all fail; it is taken apart in `_greenwood`.
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = SurvfuncRight(followed, failed)
    here = np.asarray(curve.n_events) > 0
    return _Steps(
        *(
            np.asarray(column, dtype=np.float64)[here]
            for column in (curve.surv_times, curve.surv_prob, curve.n_risk, curve.n_events)
        )
    )


def _greenwood(steps: _Steps) -> Array:
    """Standard error of the logarithm of survival from each event on."""
    rest = steps.at_risk - steps.failed
    with np.errstate(divide="ignore"):
        return np.sqrt(np.cumsum(steps.failed / (steps.at_risk * rest)))


def _limits(survival: Array, relative: Array, interval: str, z: float) -> tuple[Array, Array]:
    if interval == "plain":
        low, high = survival * (1.0 - z * relative), survival * (1.0 + z * relative)
    elif interval == "log":
        low, high = survival * np.exp(-z * relative), survival * np.exp(z * relative)
    else:
        # No event yet has no logarithm of a logarithm; its limits are 1, as in R.
        inner = np.where(survival == 1.0, 0.5, survival)
        inner = np.where(inner == 0.0, np.nan, inner)
        reach = z * relative / np.log(inner)
        low, high = inner ** np.exp(-reach), inner ** np.exp(reach)
        low, high = (np.where(survival == 1.0, 1.0, limit) for limit in (low, high))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def _status(survival: float) -> str:
    if math.isnan(survival):
        return "beyond_follow_up"
    return {0.0: "no_limits", 1.0: "no_width"}.get(survival, OK)


def _asked(times: ArrayLike | None, steps: _Steps) -> Array:
    if times is None:
        if not steps.times.size:
            raise ParameterError("times must be given if nobody has an event")
        return steps.times
    asked = check.finite_column("times", times)
    low = np.flatnonzero(asked < 0.0)
    if low.size:
        raise ParameterError(f"times must be at least 0; entry {low[0]} (counted from 0) is below")
    return asked


def _labels(group: ArrayLike) -> NDArray[np.int64]:
    import pandas as pd

    column: Any = pd.Series(group)
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        raise ParameterError(f"group must not be missing; entry {missing[0]} (counted from 0) is")
    return np.asarray(pd.factorize(column)[0], dtype=np.int64)


def _require_comparison(followed: Array, failed: Array, labels: NDArray[np.int64]) -> None:
    """Each group must be at risk at some event while another group is too."""
    if not failed.any():
        raise ParameterError("event must hold at least one event; nobody has one")
    last = np.array([followed[labels == k].max() for k in range(int(labels.max()) + 1)])
    first_event = followed[failed == 1.0].min()
    lonely = np.flatnonzero(last < first_event)
    if lonely.size:
        raise ParameterError(
            "group must not hold a group that is never at risk when an event happens; "
            f"{lonely.size} of {last.size} are not"
        )
