"""Time to failure: the curve at chosen times, the test of the curves, the restricted mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hrm.errors import ParameterError
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Arm
from hrm.trial.records import Failures
from hrm.trial.statistics import kaplan_meier, log_rank, restricted_mean_survival_time
from hrm.trial.statistics.proportions import two_sided_z
from hrm.trial.statistics.survival import RestrictedMean, SurvivalCurve
from hrm.trial.tables._cells import NOT_ESTIMABLE, ROUNDING, Arms, codes, known, limits, percent
from hrm.trial.tables.rounding import NOT_AVAILABLE, half_up, p_value
from hrm.trial.tables.table import TrialTable


@dataclass(frozen=True, slots=True)
class Followed:
    """Times and failures of one arm."""

    label: str
    times: tuple[float, ...]
    failed: tuple[bool, ...]


def followed(arm: Arm, failures: Failures) -> Followed:
    """Times and failures of those of an arm who were followed at all."""
    found = known(failures.followed, codes(arm))
    return Followed(arm.label, tuple(t for t, _ in found), tuple(bool(f) for _, f in found))


def curve(group: Followed, failures: Failures, level: float) -> SurvivalCurve | None:
    """Kaplan-Meier estimate at the times of the table; None if nobody was followed."""
    if not group.times or not failures.times:
        return None
    return kaplan_meier(
        *(group.times, group.failed),
        interval=failures.interval,
        times=failures.times,
        level=level,
    )


def failure_table(arms: Arms, plan: TrialPlan, failures: Failures) -> TrialTable:
    """Who has not failed at each time, with those at risk; then the two arms compared."""
    groups = [followed(arm, failures) for arm in arms]
    rows: list[tuple[str, ...]] = [
        ("Followed", *(str(len(group.times)) for group in groups), ""),
        ("Failures", *(str(sum(group.failed)) for group in groups), ""),
    ]
    curves = [curve(group, failures, plan.level) for group in groups]
    for k, time in enumerate(failures.times):
        at = f"Without failure at {half_up(float(time), 1).removesuffix('.0')} {failures.unit}, %"
        rows.append((at, *(_at(each, k) for each in curves), ""))
    rows += _compared(groups, failures, plan)
    heads = ("", *(arm.label for arm in arms), f"{arms[0].label} minus {arms[1].label}")
    left = sum(len(codes(arm)) for arm in arms) - sum(len(group.times) for group in groups)
    notes = (
        *((failures.definition,) if failures.definition else ()),
        f"All randomized with any follow-up; without: {left}.",
        (
            f"Kaplan-Meier estimate ({percent(plan.level)} CI, pointwise, {failures.interval} "
            "scale, variance of Greenwood), at risk just before. NA: beyond the last follow-up, or "
            "no limits exist."
        ),
        (
            "Failure is found at a visit and happened at some time before it: times are those of "
            "visits, and differences between visits mean nothing."
        ),
        (
            "Log-rank: test of equal risk at all times. Restricted mean: area under the curve up "
            f"to the horizon, its difference with normal limits; neither belongs to the other. "
            f"No hazard ratio is given. {ROUNDING}"
        ),
    )
    return TrialTable("failure", "Time to failure", heads, tuple(rows), notes)


def _at(found: SurvivalCurve | None, k: int) -> str:
    if found is None:
        return NOT_AVAILABLE
    shown = half_up(100 * float(found.survival[k]), 1)
    # Before the first failure the limits are 1 by convention, which would claim a certainty.
    sure = found.status[k] == "no_width"
    low, high = (math.nan, math.nan) if sure else (found.low[k], found.high[k])
    interval = limits(100 * float(low), 100 * float(high), 1)
    return f"{shown} ({interval}), at risk {int(found.at_risk[k])}"


def _compared(groups: list[Followed], failures: Failures, plan: TrialPlan) -> list[tuple[str, ...]]:
    first, second = groups
    rows: list[tuple[str, ...]] = []
    cell = NOT_ESTIMABLE
    try:
        test = log_rank(
            first.times + second.times,
            first.failed + second.failed,
            [0] * len(first.times) + [1] * len(second.times),
        )
        cell = f"chi-squared {half_up(test.statistic, 2)}, df {test.df}, p {p_value(test.p_value)}"
    except ParameterError:
        # Nobody failed, or nobody was followed in an arm: there is nothing to test.
        pass
    rows.append(("Log-rank test", "", "", cell))
    if failures.horizon is None:
        return rows
    means = [_restricted(group, failures.horizon, plan.level) for group in groups]
    horizon = half_up(float(failures.horizon), 1).removesuffix(".0")
    name = f"Restricted mean to {horizon} {failures.unit} ({percent(plan.level)} CI)"
    digits = failures.digits
    cells = [_mean(made, digits) for made in means]
    rows.append((name, *cells, _gap(means[0], means[1], plan.level, digits)))
    return rows


def _restricted(group: Followed, horizon: float, level: float) -> RestrictedMean | None:
    try:
        return restricted_mean_survival_time(
            group.times, group.failed, horizon=horizon, level=level
        )
    except ParameterError:
        # The horizon lies beyond the follow-up of the arm.
        return None


def _mean(made: RestrictedMean | None, digits: int) -> str:
    if made is None:
        return NOT_AVAILABLE
    interval = limits(made.low, made.high, digits) if made.status == "ok" else NOT_AVAILABLE
    return f"{half_up(made.estimate, digits)} ({interval})"


def _gap(
    first: RestrictedMean | None, second: RestrictedMean | None, level: float, digits: int
) -> str:
    if first is None or second is None:
        return NOT_ESTIMABLE
    difference = first.estimate - second.estimate
    error = math.hypot(first.standard_error, second.standard_error)
    if "no_width" in (first.status, second.status):
        return f"{half_up(difference, digits)} ({NOT_AVAILABLE})"
    reach = two_sided_z(level) * error
    return (
        f"{half_up(difference, digits)} ({limits(difference - reach, difference + reach, digits)})"
    )
