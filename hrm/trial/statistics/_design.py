"""From the columns of a table to a model matrix whose columns have names.

No formula is parsed: a column may have any name. A factor has its first level as reference;
the order of levels is that of a categorical column, otherwise ascending, with the numbers in
texts compared as numbers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

INTERCEPT = "intercept"
#: Column of a matrix that is so much a mixture of the others cannot be told from them.
RANK_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Factor:
    """A column of labels: `codes` (row) number the `levels`, 0 is the reference."""

    column: str
    levels: tuple[str, ...]
    codes: Codes
    ordered: bool

    def moved_to_front(self, level: str) -> Factor:
        """The same with another level as reference."""
        first = self.levels.index(level)
        order = [first, *(k for k in range(len(self.levels)) if k != first)]
        return Factor(
            self.column,
            tuple(self.levels[k] for k in order),
            np.argsort(order)[self.codes],
            self.ordered,
        )


@dataclass(frozen=True, eq=False)
class Part:
    """What a term is a product of: one number, or the indicators of a factor.

    `values` (row, k), `average` (k): where means of the arms are read; `names` one tuple for
    each of the k columns, the first is the name, the others are further spellings.
    """

    column: str
    values: Array
    average: Array
    names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Term:
    """A product of parts, with the place of its columns in the matrix."""

    parts: tuple[Part, ...]
    start: int
    names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Design:
    """Model matrix (row, coefficient) with the names of its coefficients."""

    matrix: Array
    terms: tuple[Term, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each coefficient."""
        return (INTERCEPT, *(found[0] for term in self.terms for found in term.names))

    def spellings(self) -> dict[str, Array]:
        """Unit contrast of each coefficient, by every spelling that stands for one only."""
        unit = np.eye(len(self.names))
        contrasts = dict(zip(self.names, unit, strict=True))
        taken: dict[str, set[int]] = {"Intercept": {0}, "(Intercept)": {0}}
        for term in self.terms:
            for offset, spelled in enumerate(term.names):
                for word in spelled:
                    taken.setdefault(word, set()).add(term.start + offset)
        further = {word: unit[min(at)] for word, at in taken.items() if len(at) == 1}
        return further | contrasts

    def row(self, at: Mapping[str, int]) -> Array:
        """Row of the matrix at a level of some factors, the rest at its average.

        `at` gives the code by column name; a column that is not named is averaged: a number at
        its mean over the rows, a factor with equal weight for each level.
        """
        found = np.zeros(self.matrix.shape[1])
        found[0] = 1.0
        for term in self.terms:
            product = np.ones(1)
            for part in term.parts:
                product = np.outer(product, _setting(part, at.get(part.column))).ravel()
            found[term.start : term.start + product.size] = product
        return found


def _setting(part: Part, code: int | None) -> Array:
    if code is None:
        return part.average
    return np.asarray(np.arange(1, part.average.size + 1) == code, dtype=np.float64)


def build(parts: Sequence[Sequence[Part]]) -> Design:
    """Matrix with an intercept and one term for each product of parts."""
    rows = parts[0][0].values.shape[0]
    columns, terms, start = [np.ones((rows, 1))], [], 1
    for factors in parts:
        values = factors[0].values
        for part in factors[1:]:
            values = (values[:, :, None] * part.values[:, None, :]).reshape(rows, -1)
        names = tuple(
            _joined(combination)
            for combination in itertools.product(*(part.names for part in factors))
        )
        terms.append(Term(tuple(factors), start, names))
        columns.append(values)
        start += values.shape[1]
    return Design(np.hstack(columns), tuple(terms))


def _joined(spellings: Sequence[Sequence[str]]) -> tuple[str, ...]:
    if len(spellings) == 1:
        return tuple(spellings[0])
    orders: Iterable[Any] = itertools.permutations(spellings)
    found = [":".join(words) for order in orders for words in itertools.product(*order)]
    return tuple(dict.fromkeys(found))


def factor_part(factor: Factor, role: str | None = None) -> Part:
    """Indicators of all levels but the reference."""
    count = len(factor.levels)
    codes = np.arange(1, count)
    names = tuple(_level_names(factor, level, role) for level in factor.levels[1:])
    values = (factor.codes[:, None] == codes[None, :]).astype(np.float64)
    return Part(factor.column, values, np.full(count - 1, 1.0 / count), names)


def _level_names(factor: Factor, level: str, role: str | None) -> tuple[str, ...]:
    words = (factor.column,) if role is None else (factor.column, role)
    found = [f"{word}[{level}]" for word in words]
    found += [f"{factor.column}{level}", f"{factor.column}[T.{level}]"]
    found += [f"C({factor.column})[T.{level}]"]
    if len(factor.levels) == 2:
        found += words
    return tuple(found if role is None else [*found, level])


def number_part(column: str, values: Array) -> Part:
    """A number as it is."""
    return Part(column, values[:, None], np.array([values.mean()]), ((column,),))


def covariate_part(frame: pd.DataFrame, column: str) -> Part:
    """A covariate: a number if its type is one, otherwise a factor."""
    import pandas as pd

    data = frame[column]
    if pd.api.types.is_bool_dtype(data.dtype) or not pd.api.types.is_numeric_dtype(data.dtype):
        found = factor(frame, column)
        if len(found.levels) < 2:
            raise ParameterError(f"column {column!r} must have at least two levels; it has one")
        return factor_part(found)
    return number_part(column, numbers(frame, column))


def table(frame: Any, columns: Sequence[str], roles: Mapping[str, str]) -> pd.DataFrame:
    """The columns of a table that an analysis needs, each there once.

    `roles` gives the column of each argument, so that an error can name the argument; any
    other column is one of `covariates`.

    Raises
    ------
    ParameterError
        If it is no data frame, is empty, or a column is missing, there twice or used twice.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ParameterError(f"frame must be a pandas DataFrame; got {type(frame).__name__}")
    for column in columns:
        found = sum(name == column for name in frame.columns)
        if found != 1:
            raise ParameterError(
                f"{argument_of(column, roles)}: frame must have the column {column!r} once; it is "
                f"there {found} times"
            )
    twice = [column for column in columns if list(columns).count(column) > 1]
    if twice:
        raise ParameterError(f"column {twice[0]!r} must be used once; it has two roles")
    if frame.empty:
        raise ParameterError("frame must have rows; it is empty")
    return frame.loc[:, list(columns)].reset_index(drop=True)


def argument_of(column: str, roles: Mapping[str, str]) -> str:
    """The argument that a column was given as."""
    return next((role for role, name in roles.items() if name == column), "covariates")


def column_name(argument: str, value: Any) -> str:
    """The name of a column as text."""
    if isinstance(value, str) and value:
        return value
    raise ParameterError(f"{argument} must be the name of a column; got {type(value).__name__}")


def column_names(argument: str, value: Any) -> tuple[str, ...]:
    """Names of columns; a single text is a mistake, its letters are no columns."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ParameterError(
            f"{argument} must be a list of column names; got {type(value).__name__}"
        )
    return tuple(column_name(f"each of {argument}", name) for name in value)


def numbers(frame: pd.DataFrame, column: str) -> Array:
    """A column of finite numbers."""
    data = frame[column]
    missing = np.flatnonzero(data.isna().to_numpy())
    if missing.size:
        raise ParameterError(
            f"column {column!r} must not be missing; {missing.size} of {len(data)} rows are, the "
            f"first is row {data.index[missing[0]]} (counted from 0). Leave them out or impute them"
        )
    return check.finite_column(f"column {column!r}", data.to_numpy())


def factor(frame: pd.DataFrame, column: str) -> Factor:
    """A column of labels.

    Raises
    ------
    ParameterError
        If a label is missing, or two labels would be written alike.
    """
    import pandas as pd

    data = frame[column]
    missing = np.flatnonzero(data.isna().to_numpy())
    if missing.size:
        raise ParameterError(
            f"column {column!r} must not be missing; {missing.size} of {len(data)} rows are, the "
            f"first is row {data.index[missing[0]]} (counted from 0)"
        )
    if isinstance(data.dtype, pd.CategoricalDtype):
        used = data.cat.remove_unused_categories()
        levels, codes, ordered = list(used.cat.categories), used.cat.codes.to_numpy(), True
    else:
        codes, found = pd.factorize(data)
        order = sorted(range(len(found)), key=lambda k: _natural(found[k]))
        codes, levels = np.argsort(order)[codes], [found[k] for k in order]
        ordered = _in_one_order(levels)
    labels = tuple(_label(level) for level in levels)
    if len(set(labels)) < len(labels):
        raise ParameterError(f"column {column!r} must have levels that are written differently")
    return Factor(column, labels, np.asarray(codes, dtype=np.int64), ordered)


def _label(level: Hashable) -> str:
    if isinstance(level, float | np.floating) and float(level).is_integer():
        return str(int(level))
    return str(level)


def _pieces(level: Hashable) -> list[str]:
    return re.split(r"(\d+)", str(level))


def _natural(level: Any) -> tuple[int, float, list[tuple[int, int, str]]]:
    """Numbers before text, and numbers in a text as numbers; capitals do not count.

    If they did, the reference would depend on how an arm is spelled.
    """
    if isinstance(level, int | float | np.number):
        return 0, float(level), []
    text = str(level).casefold()
    pieces = [(0, int(p), "") if k % 2 else (1, 0, p) for k, p in enumerate(_pieces(text))]
    return 1, 0.0, [*pieces, (1, 0, str(level))]


def _in_one_order(levels: Sequence[Any]) -> bool:
    """Whether the levels are in an order that nobody will dispute.

    Numbers and dates are, and texts that differ in one number only: visit 2 comes before
    visit 10, but nothing is known of 2 weeks and 1 year.
    """
    if not any(isinstance(level, str) for level in levels):
        return True
    shapes = {(len(_pieces(level)), *_pieces(level)[::2]) for level in levels}
    return len(shapes) == 1 and len(_pieces(levels[0])) == 3


def reference_level(found: Factor, reference: Any) -> Factor:
    """The factor with the level to compare with in front."""
    if reference is None:
        return found
    label = _label(reference)
    if label not in found.levels:
        raise ParameterError(
            f"reference must be a level of column {found.column!r}: {', '.join(found.levels)}"
        )
    return found.moved_to_front(label)


def require_full_rank(design: Design) -> None:
    """Stop if a coefficient cannot be told from the others.

    Raises
    ------
    ParameterError
        Naming coefficients without which the rest can be estimated.
    """
    lengths = np.linalg.norm(design.matrix, axis=0)
    scaled = design.matrix / np.where(lengths > 0.0, lengths, 1.0)
    triangle, order = linalg.qr(scaled, mode="r", pivoting=True)
    diagonal = np.zeros(design.matrix.shape[1])
    size = min(triangle.shape)
    diagonal[:size] = np.abs(np.diag(triangle)[:size])
    bad = sorted(order[diagonal < RANK_TOLERANCE])
    if bad:
        names = ", ".join(design.names[k] for k in bad)
        raise ParameterError(
            "the design must be of full rank; these cannot be told from the other coefficients, "
            f"or have no rows: {names}"
        )
