"""What the tables beyond the primary outcome are made of: records by participant, never by arm.

Whose arm a participant is in is said by `hrm.trial.outcome.Arm` alone, so that nothing here can
unblind a report. Whatever a trial does not have stays empty, and its table is not made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrm.errors import ParameterError

#: How a variable is described.
MEAN, MEDIAN, CATEGORY, YES_NO = "mean", "median", "category", "yes-no"
KINDS = (MEAN, MEDIAN, CATEGORY, YES_NO)
#: Rules of a quantile, by their number in R and the software whose default they are.
QUANTILES = {
    "type-2": "type 2 of R, the default of SAS: the inverse distribution function, averaged at steps",
    "type-7": "type 7, the default of R and NumPy: linear between order statistics",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A characteristic of each participant, described by arm.

    Parameters
    ----------
    label : str
    kind : {"mean", "median", "category", "yes-no"}
    values : mapping of participant to number or str
        Who is not in it has no value. For ``yes-no`` 1 and 0.
    unit : str
    levels : tuple of str
        Of a ``category``, all that there can be, in the order of the table.
    digits : int
        Decimals of the mean or the median.
    """

    label: str
    kind: str
    values: Mapping[str, float | str]
    unit: str = ""
    levels: tuple[str, ...] = ()
    digits: int = 1

    def __post_init__(self) -> None:
        """Refuse a kind or a level that is not one."""
        if self.kind not in KINDS:
            raise ParameterError(f"a variable is described by one of {', '.join(KINDS)}")
        allowed = self.levels if self.kind == CATEGORY else (0, 1) if self.kind == YES_NO else None
        if allowed is not None and any(value not in allowed for value in self.values.values()):
            raise ParameterError("a variable holds a level that is not among its levels")

    @property
    def name(self) -> str:
        """Label with its unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    def level(self, participant: str) -> str | None:
        """Level of one participant as text; None if there is no value."""
        value = self.values.get(participant)
        if value is None or self.kind != YES_NO:
            return None if value is None else str(value)
        return "yes" if value else "no"

    def all_levels(self) -> tuple[str, ...]:
        """All levels, in the order of the table."""
        return ("yes", "no") if self.kind == YES_NO else self.levels


@dataclass(frozen=True, slots=True)
class Pair:
    """One participant's value before and after; None with the reason it is missing.

    `excluded` says why a pair whose values are both known is no change, like two systems.
    """

    before: float | None
    after: float | None
    before_reason: str = ""
    after_reason: str = ""
    excluded: str = ""

    def change(self) -> float | None:
        """After minus before, if the pair is one."""
        if self.before is None or self.after is None or self.excluded:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Measure:
    """A number measured at baseline and at the primary visit.

    Parameters
    ----------
    label, unit : str
    pairs : mapping of participant to Pair
        Who is not in it has neither value.
    digits : int
    drawn : bool
        Whether each participant's two values are drawn.
    limit : float, optional
        A line in the picture, like the upper limit of normal.
    reviewed, automatic : int, optional
        How many of the values a reader confirmed or changed, and how many not.
    kind : {"mean", "median"}
        How it is described: a skewed number by its median, and its arms compared by ranks only.
    """

    label: str
    unit: str
    pairs: Mapping[str, Pair]
    digits: int = 1
    drawn: bool = False
    limit: float | None = None
    reviewed: int | None = None
    automatic: int | None = None
    kind: str = MEAN

    def __post_init__(self) -> None:
        """Refuse a kind that is not one of a number."""
        if self.kind not in (MEAN, MEDIAN):
            raise ParameterError(f"a measure is described by {MEAN} or {MEDIAN}")

    @property
    def name(self) -> str:
        """Label with its unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Repeated:
    """A number measured at baseline and at several visits after it.

    Parameters
    ----------
    label, unit : str
    visits : tuple of str
        After baseline, in their order.
    baseline : mapping of participant to number
    values : mapping of (participant, visit) to number
    digits : int
    """

    label: str
    unit: str
    visits: tuple[str, ...]
    baseline: Mapping[str, float]
    values: Mapping[tuple[str, str], float]
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Failures:
    """Time to failure, and how it is read.

    Parameters
    ----------
    unit : str
    times : tuple of float
        Where the curve and the numbers at risk are read.
    followed : mapping of participant to (time, failed)
        Time from the start to failure, or to the last visit without.
    horizon : float, optional
        Of the restricted mean; not made without.
    interval : {"log-log", "log", "plain"}
        Scale of the limits of the curve.
    definition : str
        What a failure is, as a sentence.
    digits : int
        Decimals of the restricted mean.
    """

    unit: str
    times: tuple[float, ...]
    followed: Mapping[str, tuple[float, bool]]
    horizon: float | None = None
    interval: str = "log-log"
    definition: str = ""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Event:
    """An adverse event, or an incident: noted, of no consequence to the participant.

    Grade, timing, seriousness and relatedness are None where they were not said.
    """

    participant: str
    term: str
    grade: str | None
    timing: str | None
    serious: bool | None
    related: bool | None
    incident: bool = False


@dataclass(frozen=True, slots=True)
class AdverseEvents:
    """All adverse events and incidents of the trial.

    Parameters
    ----------
    lexicon : str
        Whose grades they are.
    grades, timings : tuple of str
        All there can be, from mild to grave and from early to late.
    events : tuple of Event
        None is a trial without events, which is a result.
    """

    lexicon: str
    grades: tuple[str, ...]
    timings: tuple[str, ...]
    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        """Refuse an event with a grade or a timing that is not one."""
        for event in self.events:
            if event.grade not in (None, *self.grades) or event.timing not in (None, *self.timings):
                raise ParameterError("an adverse event has a grade or a timing that is not one")


@dataclass(frozen=True, slots=True)
class Deviation:
    """A departure from the protocol; `leaves` if it takes the participant out of its set."""

    participant: str
    kind: str
    leaves: bool


@dataclass(frozen=True, slots=True)
class Readings:
    """One metric of the same studies by two readers, or by a reader and the software.

    Parameters
    ----------
    label, unit : str
    first, second : tuple of float
        In the same order; only studies that both have.
    readers : tuple of str
        Who the two are, in words that name nobody.
    digits : int
    corrected : bool
        Whether the second is the first after corrections, and no reading of its own.
    """

    label: str
    unit: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    readers: tuple[str, str] = ("reader 1", "reader 2")
    digits: int = 1
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that a trial may have beside its participants and primary outcome.

    None or empty: the trial does not have it, its table is not made, and the report says so.

    Parameters
    ----------
    characteristics, procedure, reflux, subgroups : tuple of Variable
        Subgroups by their levels. Strata of the randomization stand in `strata`.
    measures : tuple of Measure
    repeated : tuple of Repeated
    failures : Failures, optional
    adverse_events : AdverseEvents, optional
    deviations : tuple of Deviation, optional
        An empty tuple is a trial without any, None one that did not record them.
    readings : tuple of Readings
    strata : Variable, optional
        Over which the difference is pooled too.
    quantiles : {"type-2", "type-7"}
    standardized : bool
        Whether the baseline table holds standardized differences.
    synthetic : str
        What is said on every page if the data are made up; empty if they are not.
    """

    characteristics: tuple[Variable, ...] = ()
    procedure: tuple[Variable, ...] = ()
    reflux: tuple[Variable, ...] = ()
    subgroups: tuple[Variable, ...] = ()
    measures: tuple[Measure, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    failures: Failures | None = None
    adverse_events: AdverseEvents | None = None
    deviations: tuple[Deviation, ...] | None = None
    readings: tuple[Readings, ...] = ()
    strata: Variable | None = None
    quantiles: str = "type-2"
    standardized: bool = False
    synthetic: str = field(default="")

    def __post_init__(self) -> None:
        """Refuse a rule of quantiles that is not one."""
        if self.quantiles not in QUANTILES:
            raise ParameterError(f"a quantile rule is one of {', '.join(QUANTILES)}")
