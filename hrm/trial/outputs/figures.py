"""The figures of a trial's report, from the same numbers as its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hrm.trial.inputs.clinical import Clinical
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Arm
from hrm.trial.records import Failures, Measure, Records
from hrm.trial.statistics import kaplan_meier
from hrm.trial.tables._cells import Arms, percent, set_name
from hrm.trial.tables.assembled import all_measures
from hrm.trial.tables.continuous import complete
from hrm.trial.tables.flow import ArmFlow, participant_flow
from hrm.trial.tables.primary import Comparison, analyses, sensitivities, tipping_grid
from hrm.trial.tables.rounding import count_percent, p_value
from hrm.trial.tables.subgroups import interaction, subgroups
from hrm.trial.tables.time_to_failure import Followed, curve, followed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hrm.plot.trial import Curve, Interval, Pairs


#: In each picture and each CSV of data that are made up; the page says more.
MARK = "SYNTHETIC DATA"
_MARK_INK = "#b03a2e"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure: name of its files, caption, table it stands below, and both forms of it."""

    name: str
    caption: str
    below: str
    png: bytes
    svg: bytes


def all_figures(
    clinical: Clinical, arms: Arms, plan: TrialPlan, records: Records | None = None
) -> tuple[Drawn, ...]:
    """Draw every figure that the trial has data for.

    Parameters
    ----------
    clinical : Clinical
    arms : tuple of Arm
        The test arm first; real ones, or dummies.
    plan : TrialPlan
    records : Records, optional
        Everything beyond participants and primary outcome.

    Returns
    -------
    tuple of Drawn
        In the order of the tables they stand below. The same inputs give the same bytes with the same libraries.
    """
    held = Records() if records is None else records
    made = _all(clinical, arms, plan, held)
    mark = MARK if held.synthetic else ""
    return tuple(_written(each, mark) for each in made)


def _all(clinical: Clinical, arms: Arms, plan: TrialPlan, held: Records) -> list[_Made]:
    made = [_flow(clinical, arms, plan), _margin(arms, plan)]
    if any(arm.missing() for arm in arms):
        made += _tipping(arms, plan)
    if held.subgroups:
        made.append(_forest(arms, plan, held))
    drawn = [measure for measure in all_measures(arms, held) if measure.drawn]
    for number, measure in enumerate(drawn, 1):
        made += _paired(arms, plan, measure, number)
    if held.failures:
        made += _survival(arms, plan, held.failures)
    return made


@dataclass(frozen=True, slots=True)
class _Made:
    """A figure before it is written."""

    name: str
    caption: str
    below: str
    figure: Figure


def _written(made: _Made, mark: str) -> Drawn:
    from hrm.plot.trial import figure_bytes

    if mark:
        # A title of the figure has room of its own: text would lie over what is drawn.
        made.figure.suptitle(mark, x=0.01, ha="left", color=_MARK_INK, fontsize=8)
    png, svg = (figure_bytes(made.figure, kind) for kind in ("png", "svg"))
    return Drawn(made.name, made.caption, made.below, png, svg)


def _flow(clinical: Clinical, arms: Arms, plan: TrialPlan) -> _Made:
    from hrm.plot.trial import flow_diagram

    flow = participant_flow(clinical, arms, plan)
    reasons = [f"{name}: {count}" for name, count in flow.reasons.items()]
    figure = flow_diagram(
        f"Assessed for eligibility\nn = {flow.assessed}",
        "\n".join([f"Excluded, n = {sum(flow.reasons.values())}", *reasons]),
        f"Randomized\nn = {flow.randomized}",
        [_boxes(arm, plan) for arm in flow.arms],
    )
    caption = "Flow of participants, from assessment to analysis."
    return _Made("figure_flow", caption, "flow", figure)


def _boxes(arm: ArmFlow, plan: TrialPlan) -> list[str]:
    return [
        f"{arm.label}, n = {arm.randomized}\ntreated: {arm.treated}\nnot treated: {arm.not_treated}",
        (
            f"Primary outcome at {plan.primary.name}\nknown: {arm.outcome_known}\n"
            f"missing: {arm.outcome_missing}{_reasons(arm.missing)}"
        ),
        (
            f"{set_name(plan)}\nanalyzed: {arm.analyzed}, not: {arm.not_analyzed}\n"
            f"Per protocol\nanalyzed: {arm.per_protocol}, not: {arm.not_per_protocol}"
            f"{_reasons(arm.left)}"
        ),
    ]


def _reasons(found: Mapping[str, int]) -> str:
    """Add a line for each reason that somebody has."""
    lines = [f"{why}: {count}" for why, count in found.items() if count]
    return "\n".join([", of whom", *lines]) if lines else ""


def _interval(each: Comparison) -> Interval:
    from hrm.plot.trial import Interval

    x1, n1, x2, n2 = each.counts
    text = f"{x1}/{n1} against {x2}/{n2}"
    return Interval(each.name, 100 * each.difference, 100 * each.low, 100 * each.high, text)


def _difference_label(arms: Arms, plan: TrialPlan) -> str:
    return (
        f"difference in success, {arms[0].label} minus {arms[1].label}, percentage points "
        f"({percent(plan.level)} CI)"
    )


def _better(arms: Arms) -> tuple[str, str]:
    return f"{arms[1].label} better", f"{arms[0].label} better"


def _margin(arms: Arms, plan: TrialPlan) -> _Made:
    from hrm.plot.trial import interval_figure

    rows = [_interval(each) for each in (*analyses(arms, plan), *sensitivities(arms, plan))]
    figure = interval_figure(
        rows,
        xlabel=_difference_label(arms, plan),
        margin=round(100 * plan.margin, 10),
        better=_better(arms),
    )
    caption = (
        "Intervals of the primary outcome against the noninferiority margin: the two analyses, "
        f"then other rules for missing outcomes. Method {plan.method}."
    )
    return _Made("figure_margin", caption, "sensitivity", figure)


def _tipping(arms: Arms, plan: TrialPlan) -> list[_Made]:
    from hrm.plot.trial import tipping_figure

    grid = tipping_grid(arms, plan)
    if grid is None:
        return []
    figure = tipping_figure(grid, labels=(arms[0].label, arms[1].label))
    caption = "Verdict of noninferiority for every number of successes among the missing."
    return [_Made("figure_tipping", caption, "tipping", figure)]


def forest_rows(arms: Arms, plan: TrialPlan, records: Records) -> list[Interval]:
    """Give the intervals of the subgroups in percentage points, after that of all."""
    from hrm.plot.trial import Interval

    rows = [_interval(analyses(arms, plan)[0])]
    for variable in records.subgroups:
        found = subgroups(arms, plan, variable)
        shown = p_value(interaction(found))
        for place, each in enumerate(found):
            x1, n1, x2, n2 = each.counts
            text = f"{x1}/{n1} against {x2}/{n2}" + ("" if place else f"; interaction p {shown}")
            low, high = 100 * each.low, 100 * each.high
            label = f"{each.variable}: {each.level}"
            rows.append(Interval(label, 100 * each.difference, low, high, text))
    return rows


def _forest(arms: Arms, plan: TrialPlan, records: Records) -> _Made:
    from hrm.plot.trial import interval_figure

    rows = forest_rows(arms, plan, records)
    figure = interval_figure(rows, xlabel=_difference_label(arms, plan), better=_better(arms))
    caption = "Primary outcome in subgroups; no margin is applied in a subgroup."
    return _Made("figure_subgroups", caption, "subgroups", figure)


def _survival(arms: Arms, plan: TrialPlan, failures: Failures) -> list[_Made]:
    from hrm.plot.trial import survival_figure

    groups = [followed(arm, failures) for arm in arms]
    if not failures.times or not all(group.times for group in groups):
        return []
    figure = survival_figure(
        [_curve(group, failures, plan.level) for group in groups],
        sorted({0.0, *failures.times}),
        xlabel=f"time, {failures.unit}",
        ylabel="without failure",
    )
    caption = (
        "Kaplan-Meier estimate of time to failure with pointwise "
        f"{percent(plan.level)} CI, {failures.interval} scale, and numbers at risk."
    )
    return [_Made("figure_failure", caption, "failure", figure)]


def _curve(group: Followed, failures: Failures, level: float) -> Curve:
    from hrm.plot.trial import Curve

    failed = {time for time, event in zip(group.times, group.failed, strict=True) if event}
    steps = sorted(failed | {max(group.times)})
    made = kaplan_meier(
        group.times, group.failed, interval=failures.interval, times=steps, level=level
    )
    below = curve(group, failures, level)
    at_risk = [] if below is None else below.at_risk.tolist()
    return Curve(
        group.label,
        steps,
        made.survival.tolist(),
        made.low.tolist(),
        made.high.tolist(),
        at_risk if 0.0 in failures.times else [len(group.times), *at_risk],
    )


def _paired(arms: Arms, plan: TrialPlan, measure: Measure, number: int) -> list[_Made]:
    from hrm.plot.trial import paired_figure

    panels = [_pairs(arm, measure) for arm in arms]
    if not any(panel.before for panel in panels):
        return []
    figure = paired_figure(
        panels,
        names=(plan.baseline.name, plan.primary.name),
        ylabel=measure.name,
        limit=measure.limit,
    )
    sizes: Sequence[str] = [
        f"{arm.label} {count_percent(len(panel.before), len(arm.people))}"
        for arm, panel in zip(arms, panels, strict=True)
    ]
    caption = (
        f"{measure.label} before and after, each participant with both values a line, median "
        f"bold: {', '.join(sizes)}."
    )
    return [_Made(f"figure_paired_{number}", caption, "continuous", figure)]


def _pairs(arm: Arm, measure: Measure) -> Pairs:
    from hrm.plot.trial import Pairs

    found = complete(arm, measure)
    before = [float(pair.before) for pair in found if pair.before is not None]
    after = [float(pair.after) for pair in found if pair.after is not None]
    return Pairs(arm.label, before, after)
