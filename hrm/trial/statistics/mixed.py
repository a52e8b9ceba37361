"""Mixed model for repeated measures: arms compared at each visit, whoever missed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check
from hrm.trial.statistics import _design as designs
from hrm.trial.statistics import _reml as reml
from hrm.trial.statistics._covariance import STRUCTURES
from hrm.trial.statistics.pooling import t_p_value, t_quantile

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """A coefficient, a difference between arms or an adjusted mean.

    Parameters
    ----------
    name : str
        What it is, spelled in full.
    estimate, standard_error, low, high : float
    df : float
        Satterthwaite's degrees of freedom.
    statistic, p_value : float
        t against 0, two-sided.
    level : float
        Two-sided confidence level.
    """

    name: str
    estimate: float
    standard_error: float
    df: float
    low: float
    high: float
    statistic: float
    p_value: float
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class MixedModel:
    """Fitted mixed model for repeated measures.

    Parameters
    ----------
    deviance : float
        -2 times the restricted log-likelihood, with its constant, as SAS and R's mmrm print it.
    covariance : str
        Structure of the residual covariance.
    residual_covariance : array (visit, visit)
    parameters : int
        Number of covariance parameters.
    names : tuple of str
        Coefficients, in the order of the model.
    arms, visits : tuple of str
        Levels; the first is the reference.
    subjects, observations : int
        Participants, and outcomes that were seen.
    missing : int
        Rows without an outcome, which were left out.
    outcome, subject, visit, arm : str
        Columns.
    covariates : tuple of str
    method : str
    """

    deviance: float
    covariance: str
    residual_covariance: Array
    parameters: int
    names: tuple[str, ...]
    arms: tuple[str, ...]
    visits: tuple[str, ...]
    subjects: int
    observations: int
    missing: int
    outcome: str
    subject: str
    visit: str
    arm: str
    covariates: tuple[str, ...]
    _fit: reml.Fit = field(repr=False)
    _contrasts: Mapping[str, tuple[str, Array]] = field(repr=False)
    method: str = "REML, Satterthwaite degrees of freedom from the observed information"

    @property
    def effects(self) -> tuple[str, ...]:
        """Full names of everything that `effect` gives."""
        return tuple(dict.fromkeys(full for full, _ in self._contrasts.values()))

    def effect(self, name: str, *, level: float = 0.95) -> Effect:
        """A coefficient, a difference between arms or an adjusted mean, by its name.

        Parameters
        ----------
        name : str
            With columns ``arm`` (anterior, posterior) and ``visit`` (1, 2), and the first level
            of each as reference:

            - a coefficient: ``intercept``, ``arm[posterior]`` (the difference between the arms
              at the first visit), ``visit[2]`` (the change in the reference arm),
              ``arm[posterior]:visit[2]`` (how much more the other arm changed), the column of a
              numeric covariate, ``sex[male]``;
            - the difference between the arms at a visit: ``arm[posterior] at visit[2]``, or
              averaged over the visits with equal weight: ``arm[posterior] over visit``;
            - an adjusted mean: ``mean of arm[posterior] at visit[2]``.

            Spellings of R (``armposterior:visit2``) and of Python formulas
            (``C(arm)[T.posterior]``) are understood too; so are the bare column of a factor with
            two levels, the words ``arm`` and ``visit`` for the columns of that role, and the
            bare level of either (``posterior at 2``).
        level : float
            Two-sided confidence level.

        Returns
        -------
        Effect

        Raises
        ------
        ParameterError
            If there is no such effect; the message lists those there are.
        """
        level = check.open_fraction("level", level)
        if name not in self._contrasts:
            raise ParameterError(f"name must be an effect of this model: {', '.join(self.effects)}")
        full, row = self._contrasts[name]
        estimate, error, df = self._fit.contrast(row)
        reach = t_quantile(level, df) * error
        return Effect(
            name=full,
            estimate=estimate,
            standard_error=error,
            df=df,
            low=estimate - reach,
            high=estimate + reach,
            statistic=estimate / error,
            p_value=t_p_value(estimate / error, df),
            level=level,
        )


def mmrm(
    frame: pd.DataFrame,
    *,
    outcome: str,
    subject: str,
    visit: str,
    arm: str,
    covariates: Sequence[str] = (),
    covariance: str = "unstructured",
    reference: Any = None,
) -> MixedModel:
    """Fit a mixed model for repeated measures by restricted maximum likelihood.

    Parameters
    ----------
    frame : DataFrame (participant and visit)
        One row for each visit of each participant. A row whose outcome is missing is left
        out, and counted in the result.
    outcome : str
        Column of numbers.
    subject, visit, arm : str
        Columns of labels; two visits and two arms at least. The order of the visits is that
        of a categorical column, otherwise ascending.
    covariates : sequence of str
        Further columns; one of numbers is a slope, any other a factor. ``a:b`` is the
        interaction of two of them, or of one with the visit.
    covariance : str
        ``unstructured``, ``toeplitz-heterogeneous`` (a variance for each visit, a correlation for
        each distance), ``ar1`` or ``compound-symmetry`` (both with one variance). Distance
        is counted in visits.
    reference : optional
        Arm to compare with; otherwise the first category of a categorical column, or the
        first in ascending order whatever its capitals (anterior before posterior). Of arms
        with other names, say which: the sign of every difference depends on it.

    Returns
    -------
    MixedModel

    Raises
    ------
    ParameterError
        If a column is not there, a label or covariate is missing, a participant has no visit
        with an outcome, two rows for one visit or two arms, there is one arm or visit only, the
        design is singular, two visits were never seen in one participant (``unstructured``), or
        the order of the visits matters and is not known.
    ConvergenceError
        If the likelihood has no maximum that the data determine.

    Notes
    -----
    Outcome on arm, visit, their interaction and the covariates; residuals of one participant
    correlated, of different participants not. C. H. Mallinckrodt and others, Drug Inf J
    2008;42:303-319, doi:10.1177/009286150804200402. Degrees of freedom: F. E. Satterthwaite,
    Biometrics 1946;2:110-114, in the form of SAS PROC MIXED and R's mmrm: twice the
    squared variance of a contrast over the variance of that variance, by the delta method,
    with the observed information of the covariance parameters. Standard errors are not
    corrected for small samples (no Kenward-Roger).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         "id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
    ...         "visit": [1, 2] * 6,
    ...         "arm": ["anterior"] * 6 + ["posterior"] * 6,
    ...         "score": [3.0, 1.0, 2.0, 2.0, 4.0, 1.5, 3.0, 0.5, 2.5, 1.0, 4.0, 0.0],
    ...     }
    ... )
    >>> model = mmrm(frame, outcome="score", subject="id", visit="visit", arm="arm")
    >>> late = model.effect("arm[posterior] at visit[2]")
    >>> round(late.estimate, 3), round(late.standard_error, 3), round(late.df, 3)
    (-1.0, 0.408, 4.0)
    """
    roles = {"outcome": outcome, "subject": subject, "visit": visit, "arm": arm}
    columns = [designs.column_name(role, name) for role, name in roles.items()]
    further = designs.column_names("covariates", covariates)
    covariance = check.choice("covariance", covariance, tuple(STRUCTURES))
    products = _products(frame, further, visit)
    single = [name for product in products for name in product if name != visit]
    table = designs.table(frame, [*columns, *dict.fromkeys(single)], roles)
    data = _with_outcome(table, outcome, subject)
    people = designs.factor(data, subject)
    arms = designs.reference_level(designs.factor(data, arm), reference)
    visits = designs.factor(data, visit)
    _require_layout(people, arms, visits, covariance, data.index.to_numpy())
    design = _design(data, arms, visits, products)
    designs.require_full_rank(design)
    blocks = _blocks(design, designs.numbers(data, outcome), people, visits)
    _require_pairs(blocks, visits, covariance)
    solution = reml.fit(blocks, STRUCTURES[covariance])
    return MixedModel(
        deviance=solution.deviance,
        covariance=covariance,
        residual_covariance=solution.residual,
        parameters=solution.parameters,
        names=design.names,
        arms=arms.levels,
        visits=visits.levels,
        subjects=len(people.levels),
        observations=len(data),
        missing=len(table) - len(data),
        outcome=outcome,
        subject=subject,
        visit=visit,
        arm=arm,
        covariates=further,
        _fit=solution,
        _contrasts=_named(design, arms, visits),
    )


def _products(frame: Any, covariates: Sequence[str], visit: str) -> list[tuple[str, ...]]:
    """Columns that each covariate is a product of; a column of that very name is itself."""
    present = set(getattr(frame, "columns", ()))
    found: list[tuple[str, ...]] = []
    for name in covariates:
        parts = (name,) if name in present or ":" not in name else tuple(name.split(":"))
        lonely = [p for p in parts if p != visit and (p,) not in found] if len(parts) > 1 else []
        if lonely:
            raise ParameterError(
                f"covariates must hold {lonely[0]!r} before its interaction {name!r}"
            )
        if parts in found or len(set(parts)) < len(parts) or parts == (visit,):
            raise ParameterError(f"covariates must hold each column once; {name!r} is repeated")
        found.append(parts)
    return found


def _with_outcome(table: pd.DataFrame, outcome: str, subject: str) -> pd.DataFrame:
    """Rows that have an outcome; every participant must have one."""
    named = table[subject].notna()
    if not named.all():
        row = int(np.flatnonzero(~named.to_numpy())[0])
        raise ParameterError(
            f"column {subject!r} must not be missing; row {row} (counted from 0) is"
        )
    seen = table[outcome].notna()
    without = table.loc[~table[subject].isin(table.loc[seen, subject])]
    if len(without):
        raise ParameterError(
            f"each participant must have a visit with an outcome; {without[subject].nunique()} "
            f"have none, the first is in row {without.index[0]} (counted from 0). Leave their rows "
            "out, and say so where the result is reported"
        )
    # The index goes on counting the rows of the caller's frame, for errors.
    return table.loc[seen]


def _require_layout(
    people: designs.Factor,
    arms: designs.Factor,
    visits: designs.Factor,
    covariance: str,
    places: NDArray[np.int64],
) -> None:
    for found, what in ((arms, "arms"), (visits, "visits")):
        if len(found.levels) < 2:
            raise ParameterError(f"column {found.column!r} must have at least two {what}")
    if STRUCTURES[covariance].by_order and not visits.ordered:
        raise ParameterError(
            f"the order of the visits matters for {covariance}, and text in column "
            f"{visits.column!r} does not tell it: make it numbers or an ordered categorical"
        )
    cells = people.codes * len(visits.levels) + visits.codes
    twice = np.setdiff1d(np.arange(cells.size), np.unique(cells, return_index=True)[1])
    if twice.size:
        raise ParameterError(
            "each participant must have one row for a visit; one is repeated in row "
            f"{places[twice[0]]} (counted from 0)"
        )
    first = np.full(len(people.levels), -1)
    first[people.codes[::-1]] = arms.codes[::-1]
    crossed = np.flatnonzero(first[people.codes] != arms.codes)
    if crossed.size:
        raise ParameterError(
            "each participant must be in one arm; another one is in row "
            f"{places[crossed[0]]} (counted from 0)"
        )


def _design(
    data: pd.DataFrame,
    arms: designs.Factor,
    visits: designs.Factor,
    products: Sequence[tuple[str, ...]],
) -> designs.Design:
    arm, visit = designs.factor_part(arms, "arm"), designs.factor_part(visits, "visit")
    single = {
        name: designs.covariate_part(data, name)
        for product in products
        for name in product
        if name != visits.column
    }
    single[visits.column] = visit
    further = [[single[name] for name in product] for product in products]
    return designs.build([*further, [arm], [visit], [arm, visit]])


def _blocks(
    design: designs.Design, outcome: Array, people: designs.Factor, visits: designs.Factor
) -> reml.Blocks:
    shape = (len(people.levels), len(visits.levels))
    seen = np.zeros(shape, dtype=np.bool_)
    values, rows = np.zeros(shape), np.zeros((*shape, design.matrix.shape[1]))
    at = people.codes, visits.codes
    seen[at], values[at], rows[at] = True, outcome, design.matrix
    if int(seen.sum()) <= design.matrix.shape[1]:
        raise ParameterError(
            f"frame must have more outcomes than the model has coefficients; {int(seen.sum())} "
            f"for {design.matrix.shape[1]}"
        )
    return reml.Blocks(values, rows, seen)


def _require_pairs(blocks: reml.Blocks, visits: designs.Factor, covariance: str) -> None:
    """An unstructured covariance of two visits needs a participant with both."""
    seen = blocks.seen.astype(np.int64)
    never = np.argwhere(np.triu(seen.T @ seen == 0, 1))
    if covariance == "unstructured" and len(never):
        one, other = (visits.levels[k] for k in never[0])
        raise ParameterError(
            f"visits {one} and {other} were never seen in one participant, so their covariance "
            "cannot be estimated; choose another structure"
        )


def _named(
    design: designs.Design, arms: designs.Factor, visits: designs.Factor
) -> dict[str, tuple[str, Array]]:
    """Every effect by every spelling, with its full name; the full names win."""
    found: dict[str, tuple[str, Array]] = {}
    for word, row in design.spellings().items():
        found[word] = (design.names[int(np.argmax(row))], row)
    for name, arm_words, arm_code in _words(arms, "arm"):
        for at, visit_words, visit_code in [("", [], -1), *_words(visits, "visit")]:
            place = {} if visit_code < 0 else {visits.column: visit_code}
            row = design.row({arms.column: arm_code} | place)
            tail = f" at {at}" if at else f" over {visits.column}"
            tails = [f" at {word}" for word in visit_words] or [tail, " over visit"]
            full = f"mean of {name}{tail}"
            spelled = {f"mean of {a}{b}": (full, row) for a in arm_words for b in tails}
            if arm_code:
                difference = row - design.row({arms.column: 0} | place)
                short = [*arm_words, *((arms.column, "arm") if len(arms.levels) == 2 else ())]
                spelled |= {f"{a}{b}": (name + tail, difference) for a in short for b in tails}
            found = spelled | found
    return found


def _words(found: designs.Factor, role: str) -> list[tuple[str, list[str], int]]:
    """Full name, all spellings and code of each level."""
    words = []
    for code, level in enumerate(found.levels):
        full = f"{found.column}[{level}]"
        words.append((full, [full, f"{role}[{level}]", f"{found.column}{level}", level], code))
    return words
