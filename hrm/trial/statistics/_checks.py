"""Checks of arguments, shared by all trial statistics.

Each gives the value back in its plain type or raises a ParameterError that names the
argument, says what it must be and what was found. Single numbers are quoted; of a column the
position of the first bad entry is, never its value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrm.errors import MissingDependencyError, ParameterError

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


#: Beyond this a double no longer counts by ones.
LARGEST_COUNT = 2**53


def choice(name: str, value: Any, allowed: Collection[str]) -> str:
    """One of the words that an option may have."""
    if isinstance(value, str) and value in allowed:
        return value
    raise ParameterError(f"{name} must be one of {', '.join(allowed)}; got {_shown(value)}")


def number(name: str, value: Any) -> float:
    """A finite real number."""
    if _is_number(value):
        found = float(value)
        if math.isfinite(found):
            return found
    raise ParameterError(f"{name} must be a finite number; got {_shown(value)}")


def positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    found = number(name, value)
    if found > 0.0:
        return found
    raise ParameterError(f"{name} must be above 0; got {_shown(value)}")


def open_fraction(name: str, value: Any) -> float:
    """A number strictly between 0 and 1, such as a level, an alpha or a power."""
    found = number(name, value)
    if 0.0 < found < 1.0:
        return found
    raise ParameterError(f"{name} must lie between 0 and 1, both excluded; got {_shown(value)}")


def probability(name: str, value: Any) -> float:
    """A number from 0 to 1."""
    found = number(name, value)
    if 0.0 <= found <= 1.0:
        return found
    raise ParameterError(f"{name} must lie from 0 to 1; got {_shown(value)}")


def risk_margin(value: Any) -> float:
    """Margin of a risk difference: above 0 and below 1, so that it can be exceeded."""
    found = number("margin", value)
    if 0.0 < found < 1.0:
        return found
    raise ParameterError(
        "margin must be above 0 and below 1 (it is a risk difference, given without its minus "
        f"sign); got {_shown(value)}"
    )


def whole(name: str, value: Any, *, at_least: int = 0) -> int:
    """A whole number; 56.0 is one, 56.5 and True are not."""
    found = _as_whole(value)
    if found is None:
        raise ParameterError(f"{name} must be a whole number; got {_shown(value)}")
    if found < at_least:
        raise ParameterError(f"{name} must be at least {at_least}; got {found}")
    if found > LARGEST_COUNT:
        raise ParameterError(f"{name} must be at most {LARGEST_COUNT}; got a larger number")
    return found


def count_of(x_name: str, x: Any, n_name: str, n: Any) -> tuple[int, int]:
    """Successes and the number of participants they are counted in.

    Raises
    ------
    ParameterError
        If either is not a whole number, nobody was counted, or there are more successes than
        participants; the message names the argument.
    """
    size = whole(n_name, n, at_least=1)
    events = whole(x_name, x)
    if events > size:
        raise ParameterError(f"{x_name} must not exceed {n_name}; got {events} of {size}")
    return events, size


def two_arms(x1: Any, n1: Any, x2: Any, n2: Any) -> tuple[int, int, int, int]:
    """Successes and participants of both arms."""
    return (*count_of("x1", x1, "n1", n1), *count_of("x2", x2, "n2", n2))


def finite_column(name: str, values: ArrayLike, *, at_least: int = 1) -> Array:
    """A one-dimensional column of finite numbers with at least so many entries."""
    found = _column(name, values)
    if found.size < at_least:
        raise ParameterError(f"{name} must have at least {at_least} entries; got {found.size}")
    bad = np.flatnonzero(~np.isfinite(found))
    if bad.size:
        raise ParameterError(
            f"{name} must be finite numbers; entry {bad[0]} (counted from 0) is not"
        )
    return found


def positive_column(name: str, values: ArrayLike, *, at_least: int = 1) -> Array:
    """A column of finite numbers above zero, such as variances."""
    found = finite_column(name, values, at_least=at_least)
    bad = np.flatnonzero(found <= 0.0)
    if bad.size:
        raise ParameterError(f"{name} must be above 0; entry {bad[0]} (counted from 0) is not")
    return found


def count_column(name: str, values: ArrayLike, *, at_least: int = 0) -> Counts:
    """A column of whole numbers, none below `at_least`."""
    found = finite_column(name, values)
    bad = np.flatnonzero(found != np.floor(found))
    if bad.size:
        raise ParameterError(
            f"{name} must be whole numbers; entry {bad[0]} (counted from 0) is not"
        )
    low = np.flatnonzero(found < at_least)
    if low.size:
        raise ParameterError(
            f"{name} must be at least {at_least}; entry {low[0]} (counted from 0) is not"
        )
    high = np.flatnonzero(found > LARGEST_COUNT)
    if high.size:
        raise ParameterError(
            f"{name} must be at most {LARGEST_COUNT}; entry {high[0]} (counted from 0) is not"
        )
    return found.astype(np.int64)


def count_columns(
    x_name: str, x: ArrayLike, n_name: str, n: ArrayLike, *, of: str = "entry"
) -> tuple[Counts, Counts]:
    """Successes and participants, one entry per stratum or study.

    Raises
    ------
    ParameterError
        If an entry is not a whole number, nobody was counted, there are more successes than
        participants, or the columns differ in length. `of` says what an entry is.
    """
    sizes, events = count_column(n_name, n), count_column(x_name, x)
    same_length(**{n_name: sizes, x_name: events})
    empty = np.flatnonzero(sizes == 0)
    if empty.size:
        raise ParameterError(
            f"{n_name} must be at least 1 in each {of}; {of} {empty[0]} (counted from 0) is empty"
        )
    over = np.flatnonzero(events > sizes)
    if over.size:
        raise ParameterError(
            f"{x_name} must not exceed {n_name}; it does in {of} {over[0]} (counted from 0)"
        )
    return events, sizes


def same_length(**columns: NDArray[Any]) -> None:
    """Columns that belong together, entry by entry."""
    sizes = {name: column.size for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ParameterError(f"expected columns of one length; {found}")


def missing_extra(package: str) -> MissingDependencyError:
    """Error to raise when a package of the extra `trial` cannot be imported."""
    return MissingDependencyError(
        f"this needs {package}, which is not installed: pip install hrm[trial]"
    )


def _column(name: str, values: ArrayLike) -> Array:
    raw = np.asarray(values)
    # Text that looks like numbers is not taken for numbers, and True is not taken for 1.
    if raw.ndim != 1 or raw.dtype.kind not in "iufO":
        raise ParameterError(
            f"{name} must be a one-dimensional column of numbers; got {raw.ndim} dimensions of "
            f"type {raw.dtype}"
        )
    if raw.dtype.kind == "O" and not all(_is_number(value) for value in raw):
        bad = next(k for k, value in enumerate(raw) if not _is_number(value))
        raise ParameterError(f"{name} must be numbers; entry {bad} (counted from 0) is not")
    return raw.astype(np.float64)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_ | str | bytes) or np.ndim(value) != 0:
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not np.iscomplexobj(value)


def _as_whole(value: Any) -> int | None:
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)
    except TypeError:
        pass
    if not _is_number(value) or not math.isfinite(float(value)) or float(value) % 1.0 != 0.0:
        return None
    return int(float(value))


def _shown(value: Any) -> str:
    """A number as it is, anything else by its type."""
    if isinstance(value, int | float | np.number | np.bool_):
        return str(value)
    return repr(value) if isinstance(value, str) and len(value) <= 40 else type(value).__name__
