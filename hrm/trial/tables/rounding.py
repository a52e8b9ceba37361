"""Numbers as they stand in a table: half-up decimal rounding, in this one place."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

#: Shown where there is no number.
NOT_AVAILABLE = "NA"
_SMALLEST_P = Fraction(1, 10_000)


def half_up(value: float | Fraction, digits: int) -> str:
    """Round to decimals, a half away from zero.

    Parameters
    ----------
    value : float or Fraction
        A float counts as the shortest decimal that reads back as it, so that 2.675 is a half.
    digits : int
        Decimals, 0 or more.

    Returns
    -------
    str
        Without a sign if it rounds to 0; ``NA`` if the value is not finite.

    Examples
    --------
    >>> half_up(2.675, 2), half_up(-0.04, 1), half_up(Fraction(1, 8), 2)
    ('2.68', '0.0', '0.13')
    """
    if isinstance(value, float) and not math.isfinite(value):
        return NOT_AVAILABLE
    exact = value if isinstance(value, Fraction) else Fraction(Decimal(repr(value)))
    scaled = math.floor(abs(exact) * 10**digits + Fraction(1, 2))
    text = str(scaled).rjust(digits + 1, "0")
    number = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"-{number}" if exact < 0 and scaled else number


def count_percent(count: int, total: int, digits: int = 1) -> str:
    """Write a count with its denominator and share, like ``3/4 (75.0%)``."""
    if total == 0:
        return f"{count}/0 ({NOT_AVAILABLE})"
    return f"{count}/{total} ({half_up(Fraction(100 * count, total), digits)}%)"


def p_value(value: float) -> str:
    """Write a p-value with four decimals, ``<0.0001`` below that."""
    if math.isfinite(value) and value < _SMALLEST_P:
        return "<0.0001"
    return half_up(value, 4)
