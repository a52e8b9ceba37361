"""The primary outcome in subgroups, and whether the difference is the same in all levels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Followed
from hrm.trial.records import Variable
from hrm.trial.statistics import meta_analysis, risk_difference
from hrm.trial.tables._cells import (
    INTERVAL_OF,
    ROUNDING,
    Arms,
    difference_cells,
    difference_note,
    percent,
    shares,
)
from hrm.trial.tables.primary import Counts, by_level, rule_note
from hrm.trial.tables.rounding import NOT_AVAILABLE, p_value
from hrm.trial.tables.table import TrialTable


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One level: who succeeded of whom, difference and limits (NaN if there is none)."""

    variable: str
    level: str
    counts: Counts
    difference: float
    low: float
    high: float


def subgroups(arms: Arms, plan: TrialPlan, variable: Variable) -> list[Subgroup]:
    """Compare the arms at each level of a variable."""
    made = []
    for level in variable.all_levels():
        found = by_level(arms, plan, variable, level)
        estimate = low = high = math.nan
        if found[1] and found[3]:
            interval = risk_difference(*found, method=INTERVAL_OF[plan.method], level=plan.level)
            estimate, low, high = interval.estimate, interval.low, interval.high
        made.append(Subgroup(variable.label, level, found, estimate, low, high))
    return made


def interaction(found: list[Subgroup]) -> float:
    """p-value that the difference is the same in all levels; NaN if that cannot be tested.

    Cochran's Q of the observed differences, weighted by the inverse of their variance
    (`hrm.trial.statistics.meta_analysis`). A level in which that variance is 0, for all or none
    of each arm succeed, says nothing to it, and then there is no test.
    """
    estimates, variances = [], []
    for each in found:
        x1, n1, x2, n2 = each.counts
        if not n1 or not n2:
            continue
        estimates.append(each.difference)
        variances.append(x1 * (n1 - x1) / n1**3 + x2 * (n2 - x2) / n2**3)
    if len(estimates) < 2 or not all(variances):
        return math.nan
    return meta_analysis(estimates, variances, method="fixed").q_p_value


def subgroup_table(arms: Arms, plan: TrialPlan, variables: tuple[Variable, ...]) -> TrialTable:
    """Success at each level of each variable, with a test of interaction each variable."""
    rows: list[tuple[str, ...]] = []
    unknown = []
    for variable in variables:
        found = subgroups(arms, plan, variable)
        shown = p_value(interaction(found))
        for place, each in enumerate(found):
            cells = (*shares(each.counts), *difference_cells(each.counts, plan))
            rows.append((f"{each.variable}: {each.level}", *cells, "" if place else shown))
        gap = sum(_without(variable, person) for arm in arms for person in arm.people)
        unknown += [f"{variable.label} not known: {gap}."] if gap else []
    heads = (
        *("", *(arm.label for arm in arms), "Difference, points", f"{percent(plan.level)} CI"),
        "p of interaction",
    )
    notes = (
        rule_note(plan),
        f"All randomized; missing outcome: {plan.missing_outcome}. {difference_note(arms, plan)}",
        (
            "p of interaction: Cochran's Q of the differences, inverse-variance weights, two-sided; "
            f"{NOT_AVAILABLE} if a level has no variance. It belongs to no interval of the table. No "
            f"margin is applied in a subgroup; not adjusted for the number of them. {ROUNDING}"
        ),
        *unknown,
    )
    return TrialTable("subgroups", "Primary outcome in subgroups", heads, tuple(rows), notes)


def _without(variable: Variable, person: Followed) -> bool:
    return person.person.code not in variable.values
