"""How well two readings of the same studies agree; arms play no part in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hrm.agreement import Estimate, bland_altman, icc
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.records import Readings
from hrm.trial.tables._cells import ROUNDING, limits, percent
from hrm.trial.tables.rounding import NOT_AVAILABLE, count_percent, half_up
from hrm.trial.tables.table import TrialTable


def agreement_table(plan: TrialPlan, readings: Sequence[Readings]) -> TrialTable:
    """Equal readings, bias, limits of agreement and intraclass correlation of each metric."""
    rows = []
    for each in readings:
        made = bland_altman(each.first, each.second, level=plan.level)
        name = f"{each.label}, {each.unit}" if each.unit else each.label
        correlation = icc(
            np.column_stack([each.first, each.second]).reshape(-1, 2), "2,1", level=plan.level
        )
        numbers = (made.bias, made.lower, made.upper)
        cells = (*(_shown(number, each.digits) for number in numbers), _shown(correlation, 2))
        same = sum(a == b for a, b in zip(each.first, each.second, strict=True))
        if made.n and same == made.n:
            # Limits of what does not differ at all would claim a precision that is not there.
            cells = (cells[0].partition(" ")[0], *[NOT_AVAILABLE] * 3)
        first = (f"{name} ({each.readers[0]} minus {each.readers[1]})", count_percent(same, made.n))
        rows.append((*first, *cells))
    heads = ("", "Equal", "Bias", "Lower limit", "Upper limit", "ICC(2,1)")
    notes = (
        (
            "Recordings with both readings, of both arms and of every visit; equal readings, of all "
            f"(%); {percent(plan.level)} CI in brackets. Limits of agreement of Bland and Altman with "
            "exact intervals; intraclass correlation for absolute agreement of single readings. "
            f"NA: too few recordings, or no difference. {ROUNDING}"
        ),
        (
            "Intervals take recordings as independent; two of one participant are not. The correlation "
            "falls with the spread of the recordings, and is low where all are alike."
        ),
        *_corrected(readings),
        "Readers are described, not tested: no p-values.",
    )
    return TrialTable("agreement", "Agreement of readings", heads, tuple(rows), notes)


def _corrected(readings: Sequence[Readings]) -> tuple[str, ...]:
    """Say what it means that a reader began with what the software had found."""
    if not any(each.corrected for each in readings):
        return ()
    return (
        (
            "Software against reader: of the recordings that a reader corrected, the number before and "
            "after the corrections. What the reader left is equal, so that this shows how much "
            "corrections change and not how well independent readings agree."
        ),
    )


def _shown(number: Estimate, digits: int) -> str:
    return f"{half_up(number.value, digits)} ({limits(number.low, number.high, digits)})"
