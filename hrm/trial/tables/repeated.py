"""A number over several visits: adjusted means and differences at each, by a mixed model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrm.errors import ConvergenceError, ParameterError
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.records import Repeated
from hrm.trial.statistics import mmrm
from hrm.trial.tables._cells import NOT_ESTIMABLE, ROUNDING, Arms, codes, limits, percent
from hrm.trial.tables.rounding import NOT_AVAILABLE, half_up, p_value
from hrm.trial.tables.table import TrialTable

if TYPE_CHECKING:
    import pandas as pd

    from hrm.trial.statistics.mixed import MixedModel

#: Fixed before the data were seen: the first that the data determine is used.
STRUCTURES = ("unstructured", "toeplitz-heterogeneous", "ar1", "compound-symmetry")
_TEST, _REFERENCE = "test", "reference"


def repeated_table(arms: Arms, plan: TrialPlan, measures: tuple[Repeated, ...]) -> TrialTable:
    """Adjusted mean of each arm and their difference at each visit after baseline."""
    rows: list[tuple[str, ...]] = []
    fits = []
    for measure in measures:
        frame, left = _frame(arms, measure)
        model = _fitted(frame)
        rows += _rows(plan, measure, frame, model)
        used = "no structure could be fitted" if model is None else model.covariance
        fits.append(
            f"{measure.label}: covariance used: {used}; randomized participants left out, without "
            f"a baseline or any later value: {left}."
        )
    heads = (
        "",
        *(f"{arm.label}: mean (SE), n" for arm in arms),
        *("Difference", "SE", "df", f"{percent(plan.level)} CI", "p, two-sided"),
    )
    notes = (
        (
            "Mixed model for repeated measures, restricted maximum likelihood, degrees of freedom "
            "of Satterthwaite; arm, visit, their interaction, baseline and baseline by visit. "
            "Adjusted means at the mean baseline. Valid if values are missing at random."
        ),
        f"Covariance between visits: the first that can be fitted of {', '.join(STRUCTURES)}.",
        *fits,
        (
            f"Difference: {arms[0].label} minus {arms[1].label}; interval and p of the same t; no "
            f"margin, and not adjusted for the number of visits. {ROUNDING}"
        ),
    )
    return TrialTable("repeated", "Repeated measures", heads, tuple(rows), notes)


def _frame(arms: Arms, measure: Repeated) -> tuple[pd.DataFrame, int]:
    """Rows with an outcome, and how many participants have none."""
    import pandas as pd

    rows = [
        (code, name, measure.baseline[code], f"v{k}", float(measure.values[code, visit]))
        for name, arm in zip((_TEST, _REFERENCE), arms, strict=True)
        for code in codes(arm)
        if code in measure.baseline
        for k, visit in enumerate(measure.visits)
        if (code, visit) in measure.values
    ]
    frame = pd.DataFrame(rows, columns=["participant", "arm", "baseline", "visit", "value"])
    seen = [f"v{k}" for k in range(len(measure.visits)) if f"v{k}" in set(frame["visit"])]
    frame["visit"] = pd.Categorical(frame["visit"], categories=seen, ordered=True)
    left = sum(len(arm.people) for arm in arms) - frame["participant"].nunique()
    return frame.astype({"baseline": float, "value": float}), int(left)


def _fitted(frame: pd.DataFrame) -> MixedModel | None:
    for structure in STRUCTURES:
        try:
            return mmrm(
                frame,
                outcome="value",
                subject="participant",
                visit="visit",
                arm="arm",
                covariates=("baseline", "baseline:visit"),
                covariance=structure,
                reference=_REFERENCE,
            )
        except (ParameterError, ConvergenceError):
            # What the data do not determine is left to the next structure; the note says which.
            continue
    return None


def _rows(
    plan: TrialPlan,
    measure: Repeated,
    frame: pd.DataFrame,
    model: MixedModel | None,
) -> list[tuple[str, ...]]:
    rows = []
    for k, visit in enumerate(measure.visits):
        sizes = [
            int(((frame["arm"] == name) & (frame["visit"] == f"v{k}")).sum())
            for name in (_TEST, _REFERENCE)
        ]
        name = f"{measure.label}: {visit}"
        if model is None or f"v{k}" not in model.visits:
            cells = [f"{NOT_AVAILABLE}, n = {size}" for size in sizes]
            rows.append((name, *cells, NOT_ESTIMABLE, *[NOT_AVAILABLE] * 4))
        else:
            rows.append((name, *_cells(model, f"v{k}", sizes, measure.digits, plan.level)))
    return rows


def _cells(
    model: MixedModel, visit: str, sizes: list[int], digits: int, level: float
) -> tuple[str, ...]:
    means = []
    for name, size in zip((_TEST, _REFERENCE), sizes, strict=True):
        made = model.effect(f"mean of arm[{name}] at visit[{visit}]", level=level)
        shown = f"{half_up(made.estimate, digits)} ({half_up(made.standard_error, digits)})"
        means.append(f"{shown}, n = {size}")
    gap = model.effect(f"arm[{_TEST}] at visit[{visit}]", level=level)
    return (
        *means,
        *(half_up(gap.estimate, digits), half_up(gap.standard_error, digits)),
        *(half_up(gap.df, 1), limits(gap.low, gap.high, digits), p_value(gap.p_value)),
    )
