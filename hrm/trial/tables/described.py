"""Participants described by arm: at baseline, at the procedure, and their reflux afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.records import CATEGORY, MEAN, QUANTILES, YES_NO, Records, Variable
from hrm.trial.tables._cells import (
    RATIO_METHOD,
    ROUNDING,
    Arms,
    Holds,
    codes,
    deviation,
    difference_cells,
    difference_note,
    heads,
    known,
    mean,
    mean_sd,
    median_quartiles,
    percent,
    ratio_cell,
    shift_cells,
)
from hrm.trial.tables.flow import treated
from hrm.trial.tables.rounding import count_percent, half_up
from hrm.trial.tables.table import TrialTable

Rows = list[tuple[str, ...]]


def _everybody(_: object) -> bool:
    return True


def baseline_table(arms: Arms, records: Records) -> TrialTable:
    """Table 1: who was randomized; without tests, as CONSORT has it."""
    rows = [_size(arms, "Randomized", _everybody)]
    for variable in records.characteristics:
        rows += _described(arms, variable, records.quantiles, _everybody)
    top = heads(arms)
    notes = [
        *_describing_notes(records, records.characteristics),
        "No test between arms: whatever differs at baseline differs by chance (CONSORT 2025).",
    ]
    if records.standardized:
        top = (*top, "Standardized difference")
        rows = _with_standardized(arms, rows, records.characteristics)
        notes.append(
            "Standardized difference: absolute, of means over the root of the mean variance; of "
            "categories by Yang and Dalton, SAS Global Forum 2012, paper 335."
        )
    return TrialTable("baseline", "Baseline", top, tuple(rows), ("All randomized.", *notes))


def procedure_table(arms: Arms, plan: TrialPlan, records: Records) -> TrialTable:
    """Times, lengths and course of the procedure, of those who had one."""
    rows = [(*_size(arms, "Treated", treated), *_NO_CELLS)]
    groups = _groups(arms, treated)
    for variable in records.procedure:
        between = _between(plan, variable, groups[:2])
        for row in _described(arms, variable, records.quantiles, treated):
            rows.append((*row, *between.get(row[0], _NO_CELLS)))
    notes = (
        "All treated, in the arm they were randomized to.",
        *_describing_notes(records, records.procedure),
        _between_note(arms, plan, records.procedure),
    )
    top = (*heads(arms), *_between_heads(plan))
    return TrialTable("procedure", "Procedure", top, tuple(rows), notes)


def reflux_table(arms: Arms, plan: TrialPlan, records: Records) -> TrialTable:
    """Reflux; each row has its own denominator, for not everybody had each examination."""
    rows: Rows = [(*_size(arms, "Randomized", _everybody)[:-1], *_NO_CELLS)]
    for variable in records.reflux:
        rows += _reflux_rows(arms, plan, variable, records.quantiles)
    notes = (
        "All randomized who had the examination: the denominator or n of each row.",
        *_describing_notes(records, records.reflux)[:1],
        _between_note(arms, plan, records.reflux),
    )
    top = ("", *(arm.label for arm in arms), *_between_heads(plan))
    return TrialTable("reflux", "Reflux", top, tuple(rows), notes)


def _size(arms: Arms, name: str, holds: Holds) -> tuple[str, ...]:
    sizes = [len(codes(arm, holds)) for arm in arms]
    return (name, *map(str, sizes), str(sum(sizes)))


def _describing_notes(records: Records, variables: Sequence[Variable]) -> tuple[str, ...]:
    kinds = {variable.kind for variable in variables}
    words = ["Numbers: mean (SD), with n - 1"] if MEAN in kinds else []
    if "median" in kinds:
        words.append(f"median [Q1, Q3], quantiles of {QUANTILES[records.quantiles]}")
    if kinds & {CATEGORY, YES_NO}:
        words.append("categories: n/N (%), N those whose value is known")
    text = "; ".join(words)
    return (
        f"{text[:1].upper()}{text[1:]}.",
        f"Missing values are counted, and in no denominator. {ROUNDING}",
    )


def _groups(arms: Arms, holds: Holds) -> list[list[str]]:
    of_arms = [codes(arm, holds) for arm in arms]
    return [*of_arms, of_arms[0] + of_arms[1]]


def _described(arms: Arms, variable: Variable, rule: str, holds: Holds) -> Rows:
    groups = _groups(arms, holds)
    gaps = [sum(code not in variable.values for code in group) for group in groups]
    if variable.kind in (CATEGORY, YES_NO):
        rows = _levels(variable, groups)
    else:
        write = _writer(variable, rule)
        rows = [(variable.name, *(write(_numbers(variable, group)) for group in groups))]
    if any(gaps):
        rows.append((f"{variable.label}: missing", *map(str, gaps)))
    return rows


def _numbers(variable: Variable, people: Sequence[str]) -> list[float]:
    return [value for value in known(variable.values, people) if not isinstance(value, str)]


def _writer(variable: Variable, rule: str) -> Callable[[Sequence[float]], str]:
    if variable.kind == MEAN:
        return lambda values: mean_sd(values, variable.digits)
    return lambda values: median_quartiles(values, variable.digits, rule)


def _levels(variable: Variable, groups: Sequence[Sequence[str]]) -> Rows:
    """One row for each level; of yes and no only yes, for no is the rest."""
    rows = []
    for level in variable.all_levels()[: 1 if variable.kind == YES_NO else None]:
        name = variable.name if variable.kind == YES_NO else f"{variable.name}: {level}"
        found = [_having(variable, level, group) for group in groups]
        rows.append((name, *(count_percent(count, total) for count, total in found)))
    return rows


def _having(variable: Variable, level: str, people: Sequence[str]) -> tuple[int, int]:
    there = [code for code in people if code in variable.values]
    return sum(variable.level(code) == level for code in there), len(there)


def _reflux_rows(arms: Arms, plan: TrialPlan, variable: Variable, rule: str) -> Rows:
    groups = _groups(arms, _everybody)[:2]
    if variable.kind not in (CATEGORY, YES_NO):
        write = _writer(variable, rule)
        cells = []
        for group in groups:
            values = _numbers(variable, group)
            cells.append(f"{write(values)}, n = {len(values)}")
        return [(variable.name, *cells, *_between(plan, variable, groups)[variable.name])]
    between = _between(plan, variable, groups)
    return [(*row, *between[row[0]]) for row in _levels(variable, groups)]


def _between(
    plan: TrialPlan, variable: Variable, groups: Sequence[Sequence[str]]
) -> dict[str, tuple[str, str, str]]:
    """Difference between the arms, its interval and the ratio, by the name of the row."""
    if variable.kind not in (CATEGORY, YES_NO):
        values = [_numbers(variable, group) for group in groups]
        ranks = variable.kind != MEAN
        cells = shift_cells(values, variable.digits, plan.level, ranks=ranks)
        return {variable.name: (*cells, "")}
    out = {}
    for row, level in zip(_levels(variable, groups), variable.all_levels(), strict=False):
        first, second = (_having(variable, level, group) for group in groups)
        found = (*first, *second)
        out[row[0]] = (*difference_cells(found, plan), ratio_cell(found, plan))
    return out


_NO_CELLS = ("", "", "")


def _between_heads(plan: TrialPlan) -> tuple[str, str, str]:
    level = percent(plan.level)
    return "Difference", f"{level} CI", f"Risk ratio ({level} CI)"


def _between_note(arms: Arms, plan: TrialPlan, variables: Sequence[Variable]) -> str:
    """Say what the differences of a table are."""
    kinds = {variable.kind for variable in variables}
    words = []
    if kinds & {CATEGORY, YES_NO}:
        ratio = f"Risk ratio: {arms[0].label} over {arms[1].label}, {RATIO_METHOD}."
        words += [difference_note(arms, plan), ratio]
    if MEAN in kinds:
        words.append("Of means: the difference, with Welch's interval.")
    if "median" in kinds:
        words.append(
            "Of medians: the shift of Hodges and Lehmann, which is no difference of medians."
        )
    if not kinds & {CATEGORY, YES_NO}:
        words.insert(0, f"Difference: {arms[0].label} minus {arms[1].label}.")
    return f"{' '.join(words)} No tests; not adjusted for the number of rows. {ROUNDING}"


def _with_standardized(arms: Arms, rows: Rows, variables: Sequence[Variable]) -> Rows:
    """Add the column; it stands in the first row of each variable."""
    first: dict[str, str] = {}
    for variable in variables:
        level = variable.all_levels()[:1]
        name = f"{variable.name}: {level[0]}" if variable.kind == CATEGORY else variable.name
        first[name] = half_up(standardized_difference(arms, variable), 2)
    return [(*row, first.get(row[0], "")) for row in rows]


def standardized_difference(arms: Arms, variable: Variable) -> float:
    """Distance of the arms at baseline in standard deviations, never negative.

    Parameters
    ----------
    arms : tuple of Arm
    variable : Variable
        Of numbers: the difference of means over the root of the mean variance. Of categories:
        the Mahalanobis distance of the proportions (D. Yang and J. E. Dalton, SAS Global
        Forum 2012, paper 335); levels that nobody has play no part.

    Returns
    -------
    float
        0 if both arms are exactly alike; NaN if an arm has no value, or nothing varies within
        the arms.
    """
    groups = _groups(arms, _everybody)[:2]
    if variable.kind in (CATEGORY, YES_NO):
        return _of_categories(variable, groups)
    values = [_numbers(variable, group) for group in groups]
    if min(map(len, values)) < 2:
        return math.nan
    gap = float(mean(values[0]) - mean(values[1]))
    spread = math.sqrt((deviation(values[0]) ** 2 + deviation(values[1]) ** 2) / 2)
    return _over(abs(gap), spread)


def _over(gap: float, spread: float) -> float:
    if spread == 0.0:
        return 0.0 if gap == 0.0 else math.nan
    return gap / spread


def _of_categories(variable: Variable, groups: Sequence[Sequence[str]]) -> float:
    table = np.array(
        [
            [_having(variable, level, group)[0] for level in variable.all_levels()]
            for group in groups
        ],
        dtype=float,
    )
    table = table[:, table.sum(axis=0) > 0]
    totals = table.sum(axis=1, keepdims=True)
    if not totals.all():
        return math.nan
    share = table / totals
    gap = (share[0] - share[1])[1:]
    if not gap.any():
        return 0.0
    covariances = [np.diag(p[1:]) - np.outer(p[1:], p[1:]) for p in share]
    middle = (covariances[0] + covariances[1]) / 2
    # Disjoint levels leave nothing that varies in some direction: then there is no distance.
    if np.linalg.matrix_rank(middle) < gap.size:
        return math.nan
    return math.sqrt(float(gap @ np.linalg.solve(middle, gap)))
