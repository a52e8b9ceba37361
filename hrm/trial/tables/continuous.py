"""Numbers before and after: described, adjusted for baseline, and without a distribution."""

from __future__ import annotations

from collections.abc import Sequence

from hrm.errors import ParameterError
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Arm
from hrm.trial.records import MEAN, MEDIAN, QUANTILES, Measure, Pair
from hrm.trial.statistics import ancova, hodges_lehmann
from hrm.trial.tables._cells import (
    NOT_ESTIMABLE,
    ROUNDING,
    Arms,
    limits,
    mean_limits,
    mean_sd,
    median_quartiles,
    percent,
)
from hrm.trial.tables.rounding import NOT_AVAILABLE, half_up, p_value
from hrm.trial.tables.table import TrialTable

_TEST, _REFERENCE = "test", "reference"
_RANKS = ("by ranks", "", "")


def eckardt_total(arms: Arms) -> Measure:
    """Total score as a measure, from the visits that count."""
    pairs = {
        each.person.code: Pair(
            each.before,
            each.after,
            "" if each.before is not None else "no total score",
            "" if each.after is not None else "no total score",
        )
        for arm in arms
        for each in arm.people
    }
    return Measure("Eckardt score", "points", pairs, digits=2)


def _pairs(arm: Arm, measure: Measure) -> list[Pair]:
    found = (measure.pairs.get(each.person.code) for each in arm.people)
    return [pair for pair in found if pair is not None]


def complete(arm: Arm, measure: Measure) -> list[Pair]:
    """Pairs of an arm whose change counts."""
    return [pair for pair in _pairs(arm, measure) if pair.change() is not None]


def changes(arm: Arm, measure: Measure) -> list[float]:
    """Changes of an arm, of who has both values."""
    found = (pair.change() for pair in _pairs(arm, measure))
    return [change for change in found if change is not None]


def continuous_table(
    arms: Arms, plan: TrialPlan, measures: Sequence[Measure], quantiles: str
) -> TrialTable:
    """Before, after, change within each arm, and the difference adjusted for baseline."""
    rows: list[tuple[str, ...]] = []
    failed: list[str] = []
    for measure in measures:
        adjusted, reason = _adjusted(arms, plan, measure) if measure.kind == MEAN else (_RANKS, "")
        failed += [f"{measure.label}: {NOT_ESTIMABLE} ({reason})."] if reason else []
        for arm, cells in zip(arms, (adjusted, ("reference", "", "")), strict=True):
            rows.append(
                (f"{measure.name}: {arm.label}", *_within(arm, plan, measure, quantiles), *cells)
            )
    level = percent(plan.level)
    heads = (
        *("", plan.baseline.name, plan.primary.name, "Change", f"Change, {level} CI"),
        *("Adjusted difference", f"{level} CI", "p, two-sided"),
    )
    notes = (
        (
            "All randomized with the value: mean (SD), n; SD with n - 1. The change is of who has "
            "both values and whose pair is not excluded; its interval is by Student's t."
        ),
        (
            f"Adjusted difference: {arms[0].label} minus {arms[1].label} at {plan.primary.name}, "
            "analysis of covariance on the value before (ordinary least squares, arm and baseline, "
            f"no interaction), complete pairs; interval and p of the same t. Other than the "
            f"primary outcome: no margin, and not adjusted for the number of outcomes. {ROUNDING}"
        ),
        *_median_note(measures, quantiles),
        *failed,
        *_sources(arms, measures),
    )
    return TrialTable("continuous", "Continuous outcomes", heads, tuple(rows), notes)


def _median_note(measures: Sequence[Measure], quantiles: str) -> tuple[str, ...]:
    skewed = [measure.label for measure in measures if measure.kind == MEDIAN]
    if not skewed:
        return ()
    return (
        (
            f"{', '.join(skewed)}: median [Q1, Q3], n, as no normal distribution describes it; "
            f"quantiles of {QUANTILES[quantiles]}. Arms compared in the table of ranks."
        ),
    )


def _within(arm: Arm, plan: TrialPlan, measure: Measure, quantiles: str) -> tuple[str, ...]:
    pairs, change = _pairs(arm, measure), changes(arm, measure)
    before = [pair.before for pair in pairs if pair.before is not None]
    after = [pair.after for pair in pairs if pair.after is not None]
    columns = (before, after, change)
    if measure.kind == MEDIAN:
        shown = (median_quartiles(v, measure.digits, quantiles) for v in columns)
        return (*(f"{text}, n = {len(v)}" for text, v in zip(shown, columns, strict=True)), "")
    described = (f"{mean_sd(v, measure.digits)}, n = {len(v)}" for v in columns)
    return (*described, mean_limits(change, measure.digits, plan.level))


def _adjusted(arms: Arms, plan: TrialPlan, measure: Measure) -> tuple[tuple[str, str, str], str]:
    """Cells of the adjusted difference, and why there is none."""
    import pandas as pd

    data = [
        (name, pair.before, pair.after)
        for name, arm in zip((_TEST, _REFERENCE), arms, strict=True)
        for pair in complete(arm, measure)
    ]
    frame = pd.DataFrame(data, columns=["arm", "before", "after"])
    if frame["arm"].nunique() < 2:
        return (NOT_AVAILABLE,) * 3, "an arm has no complete pair"
    try:
        made = ancova(
            frame.astype({"before": float, "after": float}),
            outcome="after",
            baseline="before",
            arm="arm",
            level=plan.level,
            reference=_REFERENCE,
        )
    except ParameterError:
        return (NOT_AVAILABLE,) * 3, "too few pairs, or nothing varies"
    shown = half_up(made.difference, measure.digits)
    return (shown, limits(made.low, made.high, measure.digits), p_value(made.p_value)), ""


def _sources(arms: Arms, measures: Sequence[Measure]) -> tuple[str, ...]:
    """What the team should know of the values of a measure."""
    said: dict[str, list[str]] = {}
    for measure in measures:
        excluded = [
            sum(
                bool(pair.excluded) and pair.before is not None and pair.after is not None
                for pair in _pairs(arm, measure)
            )
            for arm in arms
        ]
        words = []
        if any(excluded):
            words.append(f"pairs excluded from the change {excluded[0]} and {excluded[1]}")
        if measure.reviewed is not None and measure.automatic is not None:
            words.append(
                f"values reviewed by a reader {measure.reviewed}, automatic {measure.automatic}"
            )
        if words:
            said.setdefault("; ".join(words), []).append(measure.label)
    return tuple(f"{', '.join(labels)}: {words}." for words, labels in said.items())


def rank_table(arms: Arms, plan: TrialPlan, measures: Sequence[Measure]) -> TrialTable:
    """Shift of the change between arms, for scores that no normal distribution describes."""
    rows = []
    for measure in measures:
        first, second = (changes(arm, measure) for arm in arms)
        sizes = (str(len(first)), str(len(second)))
        if not first or not second:
            rows.append((measure.name, *sizes, NOT_AVAILABLE, NOT_AVAILABLE, NOT_ESTIMABLE))
            continue
        made = hodges_lehmann(first, second, level=plan.level)
        shown = half_up(made.estimate, measure.digits)
        if made.status == "ok":
            interval = limits(made.low, made.high, measure.digits)
            rows.append((measure.name, *sizes, shown, interval, made.method))
        else:
            words = made.status.replace("_", " ")
            rows.append((measure.name, *sizes, shown, NOT_AVAILABLE, words))
    heads = (
        *("", *(f"{arm.label}, n" for arm in arms), "Shift of the change"),
        *(f"{percent(plan.level)} CI", "Limits"),
    )
    notes = (
        (
            f"Hodges-Lehmann: median of all differences of a change of {arms[0].label} minus one "
            f"of {arms[1].label}; complete pairs of all randomized. Limits of the rank sum: exact, "
            f"or its normal approximation where values are tied. {ROUNDING}"
        ),
    )
    return TrialTable("ranks", "Continuous outcomes by ranks", heads, tuple(rows), notes)
