"""The tables of a trial's report: flow, scores, primary outcome, missing data, sensitivity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from hrm.errors import ParameterError
from hrm.trial.clinical import Clinical
from hrm.trial.outcome import Arm, Followed
from hrm.trial.plan import TrialPlan
from hrm.trial.rounding import NOT_AVAILABLE, count_percent, half_up, p_value
from hrm.trial.statistics import noninferiority_test, tipping_point_binary
from hrm.trial.table import TrialTable

Arms = tuple[Arm, Arm]


def all_tables(clinical: Clinical, arms: Arms, plan: TrialPlan) -> tuple[TrialTable, ...]:
    """Make every table of the report, in its order."""
    return (
        flow(clinical, arms, plan),
        scores(arms, plan),
        primary(arms, plan),
        missing(clinical, arms, plan),
        sensitivity(arms, plan),
        tipping(arms, plan),
    )


def _counts(arms: Arms, name: str, holds: Callable[[Followed], bool]) -> tuple[str, ...]:
    numbers = [sum(map(holds, arm.people)) for arm in arms]
    return (name, *(str(number) for number in numbers), str(sum(numbers)))


def flow(clinical: Clinical, arms: Arms, plan: TrialPlan) -> TrialTable:
    """Count the participants from assessment to analysis.

    Raises
    ------
    ParameterError
        If the boxes do not add up, which is a fault of hrm.
    """
    assessed = len(clinical.participants)
    reasons = Counter(each.excluded for each in clinical.participants if each.excluded)
    randomized = sum(len(arm.people) for arm in arms)
    if assessed != reasons.total() + randomized:
        raise ParameterError("the boxes of the participant flow do not add up")
    rows = [
        ("Assessed", "", "", str(assessed)),
        ("Excluded", "", "", str(reasons.total())),
        *((f"Excluded: {name}", "", "", str(reasons[name])) for name in plan.excluded_reasons),
        _counts(arms, "Randomized", lambda _: True),
        _counts(arms, "Treated", lambda x: x.person.treated),
        _counts(arms, "Not treated", lambda x: not x.person.treated),
        _counts(arms, "Primary outcome known", lambda x: x.success is not None),
        _counts(arms, "Primary outcome missing", lambda x: x.success is None),
        _counts(arms, "Analyzed per protocol", _in_per_protocol),
    ]
    notes = (
        f"Primary outcome at visit {plan.primary.name}. Per protocol: so flagged, and outcome known.",
    )
    return TrialTable("flow", "Participant flow", _heads(arms), tuple(rows), notes)


def _in_per_protocol(each: Followed) -> bool:
    return each.person.per_protocol and each.success is not None


def _heads(arms: Arms, first: str = "", last: str = "Total") -> tuple[str, ...]:
    return (first, *(arm.label for arm in arms), last)


def scores(arms: Arms, plan: TrialPlan) -> TrialTable:
    """Eckardt score before, after, and its change, of each arm."""
    rows = []
    for arm in arms:
        pairs = [
            (x.before, x.after) for x in arm.people if x.before is not None and x.after is not None
        ]
        columns = (
            [x.before for x in arm.people if x.before is not None],
            [x.after for x in arm.people if x.after is not None],
            [after - before for before, after in pairs],
        )
        rows.append((arm.label, *(_mean_sd(column) for column in columns)))
    heads = ("Arm", plan.baseline.name, plan.primary.name, "Change")
    notes = (
        (
            "Total of four items, 0 to 12: mean (SD), n. SD with n - 1. "
            "The change is of who has both totals; a total needs all four items."
        ),
    )
    return TrialTable("eckardt", "Eckardt score", heads, tuple(rows), notes)


def _mean_sd(values: Sequence[int]) -> str:
    n = len(values)
    if n == 0:
        return f"{NOT_AVAILABLE}, n = 0"
    mean = Fraction(sum(values), n)
    squares = sum((value - mean) ** 2 for value in values)
    spread = half_up(math.sqrt(squares / (n - 1)), 2) if n > 1 else NOT_AVAILABLE
    return f"{half_up(mean, 2)} ({spread}), n = {n}"


def _compared(name: str, counts: Sequence[int], plan: TrialPlan) -> tuple[str, ...]:
    """Row of a noninferiority comparison; the interval is that of the test."""
    x1, n1, x2, n2 = counts
    shares = (count_percent(x1, n1), count_percent(x2, n2))
    if not n1 or not n2:
        return (name, *shares, NOT_AVAILABLE, NOT_AVAILABLE, NOT_AVAILABLE, "not estimable")
    test = noninferiority_test(x1, n1, x2, n2, margin=plan.margin, method=plan.method)
    interval = test.interval(plan.level)
    shown = f"{half_up(100 * interval.low, 1)} to {half_up(100 * interval.high, 1)}"
    difference = half_up(100 * (Fraction(x1, n1) - Fraction(x2, n2)), 1)
    verdict = "noninferior" if test.p_value < plan.alpha else "not shown"
    return (name, *shares, difference, shown, p_value(test.p_value), verdict)


def _filled(arms: Arms, first: str, second: str) -> tuple[int, int, int, int]:
    """Successes and denominators with the missing of each arm taken as said."""
    out: list[int] = []
    for arm, rule in zip(arms, (first, second), strict=True):
        gap = arm.missing()
        out += [
            arm.successes() + (gap if rule == "success" else 0),
            len(arm.people) - (gap if rule == "exclude" else 0),
        ]
    return out[0], out[1], out[2], out[3]


def _comparison_heads(arms: Arms, plan: TrialPlan) -> tuple[str, ...]:
    level = half_up(100 * plan.level, 1)
    last = ("Difference, points", f"{level}% CI", "p, one-sided", "Verdict")
    return ("", *(arm.label for arm in arms), *last)


def _comparison_notes(arms: Arms, plan: TrialPlan) -> tuple[str, ...]:
    return (
        (
            f"{plan.rule.words()}. Visit {plan.primary.name}, days {plan.primary.first_day} to "
            f"{plan.primary.last_day}; a visit outside: {plan.outside_window}."
        ),
        (
            f"Difference: {arms[0].label} minus {arms[1].label}, in percentage points. Margin "
            f"{half_up(100 * plan.margin, 1)}; one-sided alpha {plan.alpha!r}. Method of the test, "
            f"with the interval that inverts it: {plan.method}. Rounding: half up."
        ),
    )


def primary(arms: Arms, plan: TrialPlan) -> TrialTable:
    """Clinical success by intention to treat and per protocol, side by side."""
    rule = plan.missing_outcome
    kept: Arms = (arms[0].per_protocol(), arms[1].per_protocol())
    rows = (
        _compared("Intention to treat", _filled(arms, rule, rule), plan),
        _compared("Per protocol", _filled(kept, "exclude", "exclude"), plan),
    )
    notes = (
        (
            f"Intention to treat: all randomized; missing outcome: {rule}. "
            "Per protocol: so flagged, outcome known."
        ),
    )
    return TrialTable(
        "primary",
        "Primary outcome: noninferiority",
        _comparison_heads(arms, plan),
        rows,
        _comparison_notes(arms, plan) + notes,
    )


def missing(clinical: Clinical, arms: Arms, plan: TrialPlan) -> TrialTable:
    """Missing scores, outcomes and visits, and visits outside their windows, by arm."""

    def visit(name: str, *, outside: bool) -> Callable[[Followed], bool]:
        def holds(each: Followed) -> bool:
            seen = clinical.visits.get((each.person.code, name))
            return (seen is not None and not seen.inside) if outside else seen is None

        return holds

    rows = [_counts(arms, "Randomized", lambda _: True)]
    for planned in (plan.baseline, plan.primary):
        rows.append(_counts(arms, f"{planned.name}: no visit", visit(planned.name, outside=False)))
        rows.append(
            _counts(arms, f"{planned.name}: outside window", visit(planned.name, outside=True))
        )
    rows += [
        _counts(arms, f"{plan.baseline.name}: no total score", lambda x: x.before is None),
        _counts(arms, f"{plan.primary.name}: no total score", lambda x: x.after is None),
        _counts(arms, "Primary outcome missing", lambda x: x.success is None),
    ]
    notes = (f"Participants. A visit outside its window: {plan.outside_window}.",)
    return TrialTable("missing", "Missing data", _heads(arms), tuple(rows), notes)


def sensitivity(arms: Arms, plan: TrialPlan) -> TrialTable:
    """The primary comparison under other rules for missing outcomes."""
    ways = (
        ("Missing as failure", "failure", "failure"),
        ("Missing as success", "success", "success"),
        ("Complete cases", "exclude", "exclude"),
        (f"Worst for {arms[0].label}", "failure", "success"),
        (f"Best for {arms[0].label}", "success", "failure"),
    )
    rows = tuple(_compared(name, _filled(arms, a, b), plan) for name, a, b in ways)
    return TrialTable(
        "sensitivity",
        "Sensitivity to missing outcomes, all randomized",
        _comparison_heads(arms, plan),
        rows,
        _comparison_notes(arms, plan),
    )


def tipping(arms: Arms, plan: TrialPlan) -> TrialTable:
    """Give the verdict for every number of successes among the missing."""
    heads = (f"Successes among missing: {arms[0].label}", *map(str, range(arms[1].missing() + 1)))
    notes = (
        (
            f"Columns: successes among the missing of {arms[1].label}. "
            "Y: noninferior with the margin, alpha and method of the primary table."
        ),
    )
    gaps = [arm.missing() for arm in arms]
    known = [len(arm.people) - gap for arm, gap in zip(arms, gaps, strict=True)]
    if not all(known):
        reason = ("Not made: in one arm every outcome is missing.",)
        return TrialTable("tipping", "Tipping points", heads, (), notes + reason)
    grid = tipping_point_binary(
        *(arms[0].successes(), known[0], gaps[0], arms[1].successes(), known[1], gaps[1]),
        margin=plan.margin,
        method=plan.method,
        level=plan.level,
    )
    rows = tuple(
        (str(number), *("Y" if holds else "no" for holds in line))
        for number, line in enumerate(grid.tolist())
    )
    return TrialTable("tipping", "Tipping points", heads, rows, notes)
