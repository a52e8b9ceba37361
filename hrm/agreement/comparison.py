"""The comparison of two sources: every metric and label that both sides have."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm import catalog
from hrm.agreement.correlation import FORMS, icc, icc_value
from hrm.agreement.definitions import Label, by_ratio, headline, labels, metric_of, title_of
from hrm.agreement.estimate import (
    NO_VARIATION,
    NOT_POSITIVE,
    OK,
    TOO_FEW_PAIRS,
    Array,
    Estimate,
    checked_level,
    jackknifed,
    minimum_pairs,
    missing,
    subject_codes,
)
from hrm.agreement.kappa import WEIGHTS, cohen_kappa, confusion, kappa_value
from hrm.agreement.limits import Limits, bland_altman, bland_altman_repeated
from hrm.agreement.matching import Matching, StudyPair, match
from hrm.agreement.source import Reading, Source
from hrm.errors import ParameterError

#: Names that an error lists.
_MOST_NAMED = 10
_MISSING = Reading(None, "not_reported")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What could be compared of the matched swallows or studies, and why not the others.

    `status_a` and `status_b` count the reasons on each side; `excluded` is a swallow that
    is not evaluable there.
    """

    n_matched: int
    n_compared: int
    n_missing_a: int
    n_missing_b: int
    status_a: dict[str, int]
    status_b: dict[str, int]


@dataclass(frozen=True, slots=True)
class Level:
    """Agreement over pairs of one kind: ``swallow``, ``study`` or ``study_median``."""

    name: str
    a: Array
    b: Array
    subjects: NDArray[np.intp]
    limits: Limits
    ratio: Limits | None
    icc_2_1: Estimate
    icc_3_1: Estimate


@dataclass(frozen=True, slots=True)
class MetricAgreement:
    """Agreement of one number; `levels` begin with the one that is to be quoted."""

    metric: str
    unit: str
    title: str
    coverage: Coverage
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Agreement of one label; rows of `table` are A's, columns B's.

    `kappa` is over all pairs; the weighted ones are over the `n_ordered` pairs in which both
    labels have a place in the order.
    """

    name: str
    title: str
    scope: str
    coverage: Coverage
    categories: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]
    n_subjects: int
    n_equal: int
    n_ordered: int
    kappa: Estimate
    linear: Estimate
    quadratic: Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a comparison found."""

    a: Source
    b: Source
    level: float
    matching: Matching
    metrics: tuple[MetricAgreement, ...]
    labels: tuple[LabelAgreement, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def n_other_rules(self) -> int:
        """Matched studies whose two sides are known to be measured by other rules."""
        known = [{pair.a.rules, pair.b.rules} - {""} for pair in self.matching.pairs]
        return sum(len(rules) > 1 for rules in known)


def compare(
    a: Source,
    b: Source,
    *,
    metrics: Sequence[str] | None = None,
    how: str = "auto",
    level: float | None = None,
) -> Comparison:
    """Compare two sources.

    Parameters
    ----------
    a, b : Source
        Differences are A minus B.
    metrics : sequence of str, optional
        Numbers and labels to compare; by default the headline metrics and the labels that
        both sides have, or, if they share none of these, everything they share. ``["all"]``
        is everything they share.
    how : {"auto", "onset", "number"}
        How swallows are matched, see `hrm.agreement.matching.match`.
    level : float, optional
        Of the intervals; 0.95.

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError
        If no study is on both sides, or they share none of the metrics.
    """
    level = checked_level(level)
    matching = match(a, b, how=how)
    if not matching.pairs:
        raise ParameterError(
            f"none of the {len(a.studies)} studies of A is among the {len(b.studies)} of B; "
            "they are matched by subject (hrm analyze --participant) and visit"
        )
    mine, yours = _names(a), _names(b)
    chosen = _chosen([name for name in mine if name in set(yours)], metrics)
    return Comparison(
        a=a,
        b=b,
        level=level,
        matching=matching,
        metrics=tuple(_of_metric(n, matching, level) for n in chosen if n not in labels()),
        labels=tuple(_of_label(labels()[n], matching, level) for n in chosen if n in labels()),
        only_a=tuple(sorted(set(mine) - set(yours))),
        only_b=tuple(sorted(set(yours) - set(mine))),
    )


def _names(source: Source) -> list[str]:
    keys = (name for study in source.studies.values() for name, _ in study.readings)
    return list(dict.fromkeys(keys))


def _full_name(name: str, shared: Sequence[str]) -> str:
    """Take a name without its unit, like ``irp4s``, for the metric of that name."""
    plain = name.strip().lower()
    return next((each for each in shared if plain in (each, catalog.without_unit(each))), plain)


def _chosen(shared: list[str], wanted: Sequence[str] | None) -> list[str]:
    if not shared:
        raise ParameterError(
            "the two sides have no metric in common; 'hrm metrics' lists the names"
        )
    if wanted and "all" not in wanted:
        named = [_full_name(name, shared) for name in wanted]
        unknown = [name for name in named if name not in shared]
        if unknown:
            near = difflib.get_close_matches(unknown[0], shared, n=_MOST_NAMED, cutoff=0.3)
            some = near if near and len(shared) > _MOST_NAMED else shared[:_MOST_NAMED]
            more = f" and {len(shared) - len(some)} more" if len(shared) > len(some) else ""
            raise ParameterError(
                f"not on both sides: {', '.join(sorted(unknown))}; both have "
                f"{', '.join(some)}{more}"
            )
        return list(dict.fromkeys(named))
    usual = [name for name in (*headline(), *labels()) if name in shared]
    return usual if usual and not wanted else shared


@dataclass(frozen=True, slots=True)
class _Pair:
    """One number or label on both sides."""

    study: int
    swallow: bool
    a: Reading
    b: Reading

    @property
    def counts(self) -> bool:
        return self.a.counts and self.b.counts


def _pairs(name: str, matching: Matching) -> list[_Pair]:
    return [pair for k, studies in enumerate(matching.pairs) for pair in _in(name, k, studies)]


def _in(name: str, k: int, studies: StudyPair) -> Iterator[_Pair]:
    mine, yours = studies.a.readings, studies.b.readings
    places: list[tuple[int | None, int | None]] = [(None, None), *studies.swallows]
    for first, second in places:
        if (name, first) in mine or (name, second) in yours:
            yield _Pair(
                study=k,
                swallow=first is not None,
                a=mine.get((name, first), _MISSING),
                b=yours.get((name, second), _MISSING),
            )


def _coverage(pairs: list[_Pair]) -> Coverage:
    reason_a = Counter(_reason(pair.a) for pair in pairs if not pair.a.counts)
    reason_b = Counter(_reason(pair.b) for pair in pairs if not pair.b.counts)
    return Coverage(
        n_matched=len(pairs),
        n_compared=sum(pair.counts for pair in pairs),
        n_missing_a=reason_a.total(),
        n_missing_b=reason_b.total(),
        status_a=dict(sorted(reason_a.items())),
        status_b=dict(sorted(reason_b.items())),
    )


def _reason(reading: Reading) -> str:
    return reading.status if reading.status != OK else "not_measured"


def _of_metric(name: str, matching: Matching, level: float) -> MetricAgreement:
    pairs = _pairs(name, matching)
    counted = [pair for pair in pairs if pair.counts]
    metric = metric_of(name)
    levels = []
    by_swallow = [pair for pair in counted if pair.swallow]
    by_study = [pair for pair in counted if not pair.swallow]
    if any(pair.swallow for pair in pairs):
        levels += [
            _level("study_median", name, *_medians(by_swallow), matching, level),
            _level("swallow", name, *_columns(by_swallow), matching, level),
        ]
    if any(not pair.swallow for pair in pairs) or not levels:
        levels.append(_level("study", name, *_columns(by_study), matching, level))
    return MetricAgreement(
        metric=name,
        unit=metric.units if metric else "",
        title=title_of(name),
        coverage=_coverage(pairs),
        levels=tuple(levels),
    )


def _columns(pairs: list[_Pair]) -> tuple[Array, Array, list[int]]:
    first = np.array([pair.a.value for pair in pairs], dtype=np.float64)
    second = np.array([pair.b.value for pair in pairs], dtype=np.float64)
    return first, second, [pair.study for pair in pairs]


def _medians(pairs: list[_Pair]) -> tuple[Array, Array, list[int]]:
    """Median of each study over the swallows that count on both sides."""
    first, second, studies = _columns(pairs)
    order, places = list(dict.fromkeys(studies)), np.array(studies)
    mine = np.array([np.median(first[places == k]) for k in order], dtype=np.float64)
    yours = np.array([np.median(second[places == k]) for k in order], dtype=np.float64)
    return mine, yours, order


def _level(
    kind: str,
    metric: str,
    a: Array,
    b: Array,
    studies: list[int],
    matching: Matching,
    level: float,
) -> Level:
    subjects = _subjects(studies, matching)
    ratio = None
    if by_ratio(metric):
        ratio = _ratio(a, b, subjects, level)
    of_2_1, of_3_1 = (_icc(a, b, subjects, form, level) for form in FORMS)
    return Level(
        name=kind,
        a=a,
        b=b,
        subjects=subjects,
        limits=_limits(a, b, subjects, level),
        ratio=ratio,
        icc_2_1=of_2_1,
        icc_3_1=of_3_1,
    )


def _subjects(studies: list[int], matching: Matching) -> NDArray[np.intp]:
    """Number the subjects: two visits of one are no two subjects."""
    names = [matching.pairs[k].a.subject for k in studies]
    return subject_codes(names, len(names))


def _independent(subjects: NDArray[np.intp]) -> bool:
    return np.unique(subjects).size == subjects.size


def _limits(a: Array, b: Array, subjects: NDArray[np.intp], level: float) -> Limits:
    if _independent(subjects):
        return bland_altman(a, b, level=level)
    return bland_altman_repeated(a, b, subjects, level=level)


def _ratio(a: Array, b: Array, subjects: NDArray[np.intp], level: float) -> Limits:
    """Limits of A / B, from the differences of the logarithms (Bland and Altman 1999)."""
    if not ((a > 0.0).all() and (b > 0.0).all()):
        none = missing(NOT_POSITIVE)
        n_subjects = np.unique(subjects).size
        return Limits(a.size, n_subjects, none, none, none, math.nan, status=NOT_POSITIVE)
    found = _limits(np.log(a), np.log(b), subjects, level)
    return Limits(
        n=found.n,
        n_subjects=found.n_subjects,
        bias=found.bias.mapped(math.exp),
        lower=found.lower.mapped(math.exp),
        upper=found.upper.mapped(math.exp),
        sd=found.sd,
        sd_between=found.sd_between,
        sd_within=found.sd_within,
        method=found.method,
        status=found.status,
    )


def _icc(a: Array, b: Array, subjects: NDArray[np.intp], form: str, level: float) -> Estimate:
    ratings = np.column_stack([a, b])
    found = icc(ratings, form, level=level)
    if _independent(subjects) or math.isnan(found.value) or found.status != OK:
        return found
    # On Fisher's scale, so that no end of the interval lies beyond 1.
    fisher = jackknifed(subjects, lambda kept: _fisher(icc_value(ratings[kept], form)), level)
    if math.isnan(fisher.low):
        return Estimate(found.value, status=fisher.status)
    return Estimate(found.value, math.tanh(fisher.low), math.tanh(fisher.high))


def _fisher(correlation: float) -> float:
    return math.atanh(correlation) if abs(correlation) < 1.0 else math.nan


def _of_label(label: Label, matching: Matching, level: float) -> LabelAgreement:
    pairs = _pairs(label.name, matching)
    counted = [pair for pair in pairs if pair.counts]
    a, b = [str(pair.a.value) for pair in counted], [str(pair.b.value) for pair in counted]
    subjects = _subjects([pair.study for pair in counted], matching)
    seen = tuple(name for name in label.categories if name in {*a, *b})
    placed = [k for k in range(len(a)) if {a[k], b[k]} <= set(label.order)]
    kappas = {}
    for weights in WEIGHTS:
        kept = range(len(a)) if weights == "none" else placed
        # The whole order, not only what was seen: else the distance would depend on the data.
        names = label.categories if weights == "none" else label.order
        chosen = np.array(list(kept), dtype=np.intp)
        columns = [a[k] for k in kept], [b[k] for k in kept]
        kappas[weights] = _kappa(*columns, names, subjects[chosen], weights, level)
    return LabelAgreement(
        name=label.name,
        title=label.long_name,
        scope=label.scope,
        coverage=_coverage(pairs),
        categories=seen,
        table=tuple(tuple(int(n) for n in row) for row in confusion(a, b, seen)),
        n_subjects=int(np.unique(subjects).size),
        n_equal=sum(x == y for x, y in zip(a, b, strict=True)),
        n_ordered=len(placed),
        kappa=kappas["none"],
        linear=kappas["linear"],
        quadratic=kappas["quadratic"],
    )


def _kappa(
    a: list[str],
    b: list[str],
    categories: Sequence[str],
    subjects: NDArray[np.intp],
    weights: str,
    level: float,
) -> Estimate:
    if len(a) < minimum_pairs():
        return missing(TOO_FEW_PAIRS)
    found = cohen_kappa(confusion(a, b, categories), weights=weights, level=level)
    if _independent(subjects) or found.status != OK:
        return found
    codes = subject_codes(subjects, len(a))

    def without(kept: NDArray[np.intp]) -> float:
        table = confusion([a[k] for k in kept], [b[k] for k in kept], categories)
        return kappa_value(table, weights=weights)

    clustered = jackknifed(codes, without, level)
    if math.isnan(clustered.low):
        return (
            clustered if clustered.status != OK else Estimate(clustered.value, status=NO_VARIATION)
        )
    low, high = max(clustered.low, -1.0), min(clustered.high, 1.0)
    return Estimate(clustered.value, low, high, clustered.status)
