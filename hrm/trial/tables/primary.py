"""The primary outcome: noninferiority, ratios, strata, sensitivity and tipping points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Followed
from hrm.trial.records import Variable
from hrm.trial.statistics import (
    noninferiority_test,
    odds_ratio,
    risk_ratio,
    stratified_risk_difference,
    tipping_point_binary,
)
from hrm.trial.tables._cells import (
    NOT_ESTIMABLE,
    RATIO_METHOD,
    ROUNDING,
    Arms,
    limits,
    percent,
    set_name,
    set_note,
)
from hrm.trial.tables.rounding import NOT_AVAILABLE, count_percent, half_up, p_value
from hrm.trial.tables.table import TrialTable

Counts = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One noninferiority comparison; the interval is that of the test, NaN if there is none."""

    name: str
    counts: Counts
    difference: float
    low: float
    high: float
    statistic: float
    p_value: float
    verdict: str

    def row(self) -> tuple[str, ...]:
        """Cells of its row."""
        x1, n1, x2, n2 = self.counts
        shares = (count_percent(x1, n1), count_percent(x2, n2))
        if not n1 or not n2:
            return (self.name, *shares, *[NOT_AVAILABLE] * 4, self.verdict)
        shown = half_up(100 * (Fraction(x1, n1) - Fraction(x2, n2)), 1)
        interval = limits(100 * self.low, 100 * self.high, 1)
        last = (half_up(self.statistic, 2), p_value(self.p_value), self.verdict)
        return (self.name, *shares, shown, interval, *last)


def compared(name: str, counts: Counts, plan: TrialPlan) -> Comparison:
    """Compare two proportions against the margin of the plan."""
    x1, n1, x2, n2 = counts
    if not n1 or not n2:
        nan = math.nan
        return Comparison(name, counts, nan, nan, nan, nan, nan, NOT_ESTIMABLE)
    test = noninferiority_test(x1, n1, x2, n2, margin=plan.margin, method=plan.method)
    interval = test.interval(plan.level)
    verdict = "noninferior" if test.p_value < plan.alpha else "not shown"
    return Comparison(
        *(name, counts, test.estimate, interval.low, interval.high),
        *(test.statistic, test.p_value, verdict),
    )


def filled(arms: Arms, first: str, second: str) -> Counts:
    """Successes and denominators with the missing of each arm taken as said."""
    out: list[int] = []
    for arm, rule in zip(arms, (first, second), strict=True):
        gap = arm.missing()
        out += [
            arm.successes() + (gap if rule == "success" else 0),
            len(arm.people) - (gap if rule == "exclude" else 0),
        ]
    return out[0], out[1], out[2], out[3]


def of_protocol(arms: Arms) -> Counts:
    """Successes and denominators of the per-protocol set."""
    return filled((arms[0].per_protocol(), arms[1].per_protocol()), "exclude", "exclude")


def analyses(arms: Arms, plan: TrialPlan) -> tuple[Comparison, Comparison]:
    """The two analyses that stand side by side."""
    rule = plan.missing_outcome
    return (
        compared(set_name(plan), filled(arms, rule, rule), plan),
        compared("Per protocol", of_protocol(arms), plan),
    )


def sensitivities(arms: Arms, plan: TrialPlan) -> tuple[Comparison, ...]:
    """The comparison under other rules for missing outcomes."""
    ways = (
        ("Missing as failure", "failure", "failure"),
        ("Missing as success", "success", "success"),
        ("Complete cases", "exclude", "exclude"),
        (f"Worst for {arms[0].label}", "failure", "success"),
        (f"Best for {arms[0].label}", "success", "failure"),
    )
    return tuple(compared(name, filled(arms, a, b), plan) for name, a, b in ways)


def comparison_heads(arms: Arms, plan: TrialPlan) -> tuple[str, ...]:
    """Column heads of a table of comparisons."""
    last = ("Difference, points", f"{percent(plan.level)} CI", "z", "p, one-sided", "Verdict")
    return ("", *(arm.label for arm in arms), *last)


def rule_note(plan: TrialPlan) -> str:
    """Say when a participant is a success, and when that is seen."""
    words = plan.rule.words()
    return (
        f"{words[0].upper()}{words[1:]}. Visit {plan.primary.name}, days "
        f"{plan.primary.first_day} to {plan.primary.last_day}; a visit outside: "
        f"{plan.outside_window}."
    )


def _notes(arms: Arms, plan: TrialPlan) -> tuple[str, ...]:
    return (
        rule_note(plan),
        (
            f"Difference: {arms[0].label} minus {arms[1].label}, in percentage points. Margin "
            f"{half_up(100 * plan.margin, 1)} points; one-sided alpha {plan.alpha!r}. Method of "
            f"the test, with the two-sided interval that inverts it: {plan.method}. z and p are of the "
            f"hypothesis that the difference is minus the margin or less. {ROUNDING}"
        ),
    )


def primary_table(arms: Arms, plan: TrialPlan) -> TrialTable:
    """Clinical success by intention to treat and per protocol, side by side."""
    rows = tuple(each.row() for each in analyses(arms, plan))
    followed = " and ".join(f"{len(a.people) - a.missing()} of {len(a.people)}" for a in arms)
    verdict = (
        "A claim of noninferiority rests on both analyses (CONSORT extension for noninferiority)."
    )
    return TrialTable(
        "primary",
        "Primary outcome: noninferiority",
        comparison_heads(arms, plan),
        rows,
        (*_notes(arms, plan), set_note(plan), f"Outcome known: {followed}.", verdict),
    )


def ratio_table(arms: Arms, plan: TrialPlan, strata: Variable | None) -> TrialTable:
    """Risk ratio and odds ratio beside the difference, and the difference pooled over strata."""
    rule = plan.missing_outcome
    rows: list[tuple[str, ...]] = []
    for name, found in (
        (set_name(plan), filled(arms, rule, rule)),
        ("Per protocol", of_protocol(arms)),
    ):
        for word, measure in (("risk ratio", risk_ratio), ("odds ratio", odds_ratio)):
            cells = (NOT_AVAILABLE, NOT_AVAILABLE)
            if found[1] and found[3]:
                made = measure(*found, method=RATIO_METHOD, level=plan.level)
                cells = (half_up(made.estimate, 2), limits(made.low, made.high, 2))
            rows.append((f"{name}: {word}", *cells))
    notes = [
        rule_note(plan),
        set_note(plan),
        f"Ratios: {arms[0].label} over {arms[1].label}, intervals by {RATIO_METHOD}. {ROUNDING}",
    ]
    if strata is not None:
        row, note = _pooled(arms, plan, strata)
        rows.append(row)
        notes.append(note)
    heads = ("", "Estimate", f"{percent(plan.level)} CI")
    return TrialTable("ratios", "Primary outcome: ratios", heads, tuple(rows), tuple(notes))


def by_level(arms: Arms, plan: TrialPlan, variable: Variable, level: str) -> Counts:
    """Successes and denominators of those at one level, missing outcomes as the plan has it."""

    def inside(each: Followed) -> bool:
        return variable.level(each.person.code) == level

    kept = [type(arm)(arm.label, tuple(filter(inside, arm.people))) for arm in arms]
    return filled((kept[0], kept[1]), plan.missing_outcome, plan.missing_outcome)


def _pooled(arms: Arms, plan: TrialPlan, strata: Variable) -> tuple[tuple[str, ...], str]:
    found = [by_level(arms, plan, strata, level) for level in strata.all_levels()]
    used = [counts for counts in found if counts[1] and counts[3]]
    left = sum(len(arm.people) for arm in arms) - sum(each[1] + each[3] for each in used)
    name = f"Difference over {strata.label}, points"
    cells = (NOT_AVAILABLE, NOT_AVAILABLE)
    method = "no stratum has participants of both arms"
    if used:
        made = stratified_risk_difference(*zip(*used, strict=True), level=plan.level)
        cells = (half_up(100 * made.estimate, 1), limits(100 * made.low, 100 * made.high, 1))
        method = f"{made.method}, weights {made.weights}"
    note = (
        f"Over {len(used)} strata of {strata.label}: {method}. Participants in no stratum with "
        f"both arms, or without a known outcome where missing ones are left out: {left}."
    )
    return (name, *cells), note


def sensitivity_table(arms: Arms, plan: TrialPlan) -> TrialTable:
    """The primary comparison under other rules for missing outcomes."""
    rows = tuple(each.row() for each in sensitivities(arms, plan))
    gaps = " and ".join(f"{arm.missing()} of {len(arm.people)}" for arm in arms)
    note = f"All randomized; outcomes missing: {gaps}."
    return TrialTable(
        "sensitivity",
        "Sensitivity to missing outcomes, all randomized",
        comparison_heads(arms, plan),
        rows,
        (*_notes(arms, plan), note),
    )


def tipping_grid(arms: Arms, plan: TrialPlan) -> NDArray[np.bool_] | None:
    """Verdict for every number of successes among the missing; None if nothing is known."""
    gaps = [arm.missing() for arm in arms]
    known = [len(arm.people) - gap for arm, gap in zip(arms, gaps, strict=True)]
    if not all(known):
        return None
    return tipping_point_binary(
        *(arms[0].successes(), known[0], gaps[0], arms[1].successes(), known[1], gaps[1]),
        margin=plan.margin,
        method=plan.method,
        level=plan.level,
    )


def tipping_table(arms: Arms, plan: TrialPlan) -> TrialTable:
    """Give the verdict for every number of successes among the missing."""
    heads = (f"Successes among missing: {arms[0].label}", *map(str, range(arms[1].missing() + 1)))
    notes: Sequence[str] = (
        (
            f"Columns: successes among the missing of {arms[1].label}. "
            "Y: noninferior with the margin, alpha and method of the primary table."
        ),
        f"Method: {plan.method}; margin {half_up(100 * plan.margin, 1)} points.",
    )
    grid = tipping_grid(arms, plan)
    if grid is None:
        notes = (*notes, "Not made: in one arm every outcome is missing.")
        return TrialTable("tipping", "Tipping points", heads, (), tuple(notes))
    rows = tuple(
        (str(number), *("Y" if holds else "no" for holds in line))
        for number, line in enumerate(grid.tolist())
    )
    return TrialTable("tipping", "Tipping points", heads, rows, tuple(notes))
