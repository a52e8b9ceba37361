"""Cells that several tables share: describing numbers exactly, and who is in an arm."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from hrm.errors import ParameterError
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.outcome import Arm, Followed
from hrm.trial.statistics import hodges_lehmann, risk_difference, risk_ratio
from hrm.trial.statistics.pooling import t_quantile
from hrm.trial.tables.rounding import NOT_AVAILABLE, count_percent, half_up

Arms = tuple[Arm, Arm]
Holds = Callable[[Followed], bool]
Value = TypeVar("Value")
NOT_ESTIMABLE = "not estimable"
#: The interval that inverts each test of the plan; intervals of other tables are of the same kind.
INTERVAL_OF = {"miettinen-nurminen": "miettinen-nurminen", "farrington-manning": "mee"}
#: Of risk ratios and odds ratios.
RATIO_METHOD = "miettinen-nurminen"
ROUNDING = "Rounding: half up."


def exact(value: float | Fraction) -> Fraction:
    """Give a float as the shortest decimal that reads back as it, so that sums are exact."""
    return value if isinstance(value, Fraction) else Fraction(Decimal(repr(value)))


def mean(values: Sequence[float]) -> Fraction:
    """Mean, exactly."""
    return sum(map(exact, values), Fraction(0)) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Standard deviation with n - 1; NaN for fewer than two."""
    if len(values) < 2:
        return math.nan
    middle = mean(values)
    squares = sum(((exact(value) - middle) ** 2 for value in values), Fraction(0))
    return math.sqrt(squares / (len(values) - 1))


def mean_sd(values: Sequence[float], digits: int) -> str:
    """Write ``mean (SD)``."""
    if not values:
        return NOT_AVAILABLE
    return f"{half_up(mean(values), digits)} ({half_up(deviation(values), digits)})"


def quantile(values: Sequence[float], share: Fraction, rule: str) -> Fraction:
    """Quantile of one value or more, exactly, by a rule of `QUANTILES`."""
    ordered = sorted(map(exact, values))
    if rule == "type-2":
        place = len(ordered) * share
        whole = math.floor(place)
        if place != whole:
            return ordered[whole]
        return (ordered[whole - 1] + ordered[min(whole, len(ordered) - 1)]) / 2
    place = (len(ordered) - 1) * share
    whole = math.floor(place)
    above = ordered[min(whole + 1, len(ordered) - 1)]
    return ordered[whole] + (place - whole) * (above - ordered[whole])


def median_quartiles(values: Sequence[float], digits: int, rule: str) -> str:
    """Write ``median [Q1, Q3]``."""
    if not values:
        return NOT_AVAILABLE
    low, middle, high = (half_up(quantile(values, Fraction(k, 4), rule), digits) for k in (1, 2, 3))
    return f"{middle} [{low}, {high}]"


def limits(low: float, high: float, digits: int) -> str:
    """Write an interval, ``NA`` if a limit is none."""
    if math.isnan(low) or math.isnan(high):
        return NOT_AVAILABLE
    return f"{_limit(low, digits)} to {_limit(high, digits)}"


def _limit(value: float, digits: int) -> str:
    return "infinity" if value == math.inf else half_up(value, digits)


def mean_limits(values: Sequence[float], digits: int, level: float) -> str:
    """Write the interval of a mean by Student's t."""
    if len(values) < 2:
        return NOT_AVAILABLE
    error = deviation(values) / math.sqrt(len(values))
    if error == 0.0:
        # An interval without width would claim a certainty that is not there.
        return NOT_AVAILABLE
    reach, middle = t_quantile(level, len(values) - 1) * error, float(mean(values))
    return limits(middle - reach, middle + reach, digits)


def codes(arm: Arm, holds: Holds = lambda _: True) -> list[str]:
    """Participants of an arm of whom something holds."""
    return [each.person.code for each in arm.people if holds(each)]


def known(values: Mapping[str, Value], people: Sequence[str]) -> list[Value]:
    """Values of those who have one, in their order."""
    return [values[code] for code in people if code in values]


def counts(arms: Arms, name: str, holds: Holds) -> tuple[str, ...]:
    """Row of a count in each arm and in both."""
    numbers = [sum(map(holds, arm.people)) for arm in arms]
    return (name, *(str(number) for number in numbers), str(sum(numbers)))


def heads(arms: Arms, first: str = "", last: str = "Total") -> tuple[str, ...]:
    """Column heads of a table with a column for each arm."""
    return (first, *(arm.label for arm in arms), last)


def set_name(plan: TrialPlan) -> str:
    """Name of the set of the primary analysis: it is all randomized only if nobody is left out."""
    return "Full analysis set" if plan.missing_outcome == "exclude" else "Intention to treat"


def set_note(plan: TrialPlan) -> str:
    """Say who is in each of the two sets."""
    kept = " with a known outcome" if plan.missing_outcome == "exclude" else ""
    return (
        f"{set_name(plan)}: all randomized{kept}, in the arm they were randomized to; missing "
        f"outcome: {plan.missing_outcome}. Per protocol: so flagged, outcome known."
    )


def percent(level: float) -> str:
    """Write a confidence level, like ``95%``."""
    text = half_up(100 * level, 1)
    return f"{text.removesuffix('.0')}%"


def difference_cells(found: Sequence[int], plan: TrialPlan) -> tuple[str, str]:
    """Difference of two proportions in points, and its interval.

    Parameters
    ----------
    found : sequence of int
        Of the test arm and of the reference: who has it, and of how many.
    plan : TrialPlan
    """
    x1, n1, x2, n2 = found
    if not n1 or not n2:
        return NOT_AVAILABLE, NOT_AVAILABLE
    made = risk_difference(*(x1, n1, x2, n2), method=INTERVAL_OF[plan.method], level=plan.level)
    shown = half_up(100 * (Fraction(x1, n1) - Fraction(x2, n2)), 1)
    return shown, limits(100 * made.low, 100 * made.high, 1)


def ratio_cell(found: Sequence[int], plan: TrialPlan) -> str:
    """Risk ratio of two proportions with its interval, like ``1.20 (0.80 to 1.90)``."""
    if not found[1] or not found[3] or not (found[0] or found[2]):
        return NOT_AVAILABLE
    made = risk_ratio(*found, method=RATIO_METHOD, level=plan.level)
    return f"{half_up(made.estimate, 2)} ({limits(made.low, made.high, 2)})"


def shift_cells(
    found: Sequence[Sequence[float]], digits: int, level: float, *, ranks: bool
) -> tuple[str, str]:
    """Difference of two groups of numbers, and its interval.

    Parameters
    ----------
    found : sequence of sequence of float
        Values of the test arm and of the reference.
    digits : int
    level : float
        Two-sided.
    ranks : bool
        Hodges and Lehmann's shift; else the difference of means with Welch's interval
        (B. L. Welch, Biometrika 1947;34:28-35, doi:10.1093/biomet/34.1-2.28).
    """
    first, second = found
    if not first or not second:
        return NOT_AVAILABLE, NOT_AVAILABLE
    if ranks:
        made = hodges_lehmann(first, second, level=level)
        interval = limits(made.low, made.high, digits) if made.status == "ok" else NOT_AVAILABLE
        return half_up(made.estimate, digits), interval
    gap = mean(first) - mean(second)
    errors = [deviation(values) ** 2 / len(values) for values in found]
    # Without a spread there is no interval, and one without width would claim a certainty.
    if not sum(errors) > 0.0:
        return half_up(gap, digits), NOT_AVAILABLE
    parts = [error**2 / (len(v) - 1) for error, v in zip(errors, found, strict=True)]
    reach = t_quantile(level, sum(errors) ** 2 / sum(parts)) * math.sqrt(sum(errors))
    return half_up(gap, digits), limits(float(gap) - reach, float(gap) + reach, digits)


def shares(found: Sequence[int]) -> tuple[str, str]:
    """Count, denominator and share of both arms."""
    return count_percent(found[0], found[1]), count_percent(found[2], found[3])


def difference_note(arms: Arms, plan: TrialPlan) -> str:
    """Say what a column of differences of proportions is."""
    return (
        f"Difference: {arms[0].label} minus {arms[1].label}, in percentage points, with the "
        f"{percent(plan.level)} interval of the method {INTERVAL_OF[plan.method]}."
    )


def only_randomized(people: Sequence[str], arms: Arms, what: str) -> None:
    """Refuse a record of somebody who was not randomized.

    Raises
    ------
    ParameterError
        If there is one; counts them and names nobody.
    """
    strangers = len(set(people) - {code for arm in arms for code in codes(arm)})
    if strangers:
        raise ParameterError(f"{what}: {strangers} of the participants were not randomized")
