"""Statistics and codes of a comparison in words, for the page and the command line."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hrm.agreement.definitions import rules
from hrm.agreement.estimate import OK, Estimate

_WORDS: Mapping[str, str] = {
    "too_few_pairs": "too few pairs",
    "too_few_subjects": "too few subjects for an interval",
    "no_variation": "nothing varies",
    "one_category": "only one category",
    "no_disagreement": "no disagreement, so no interval",
    "not_positive": "not all values are positive",
    "excluded": "the swallow is not evaluable",
    "egj": "at the EGJ",
}
#: Most digits that a coefficient is written with before it is only said to lie near 1.
_DIGITS = 2


def other_rules(count: int) -> str:
    """Say that studies were measured by other rules on the two sides; empty if none was."""
    if not count:
        return ""
    return (
        f"in {count} matched studies the two sides were measured with other parameters (the "
        "parameters_id of the results): what differs may be the rules and not the readings"
    )


def in_words(code: str) -> str:
    """Write a status or a label as words.

    Parameters
    ----------
    code : str
        Of a statistic, a reading, a type of swallow or a diagnosis.

    Returns
    -------
    str
    """
    return _WORDS.get(code) or _diagnoses().get(code, code.replace("_", " "))


@cache
def _diagnoses() -> Mapping[str, str]:
    text = (files("hrm") / "data" / "words.toml").read_text(encoding="utf-8")
    words: dict[str, str] = tomllib.loads(text)["diagnosis"]
    # As a label of a swallow, too, these stand for themselves.
    return {
        code: name for code, name in words.items() if code not in ("normal", "hypercontractile")
    }


def coefficient(estimate: Estimate) -> str:
    """Write an ICC or a kappa with its interval, or why there is none.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    str
        Two digits; what only rounding would make 1 is written as above 0.99, since 1 is
        said of perfect agreement alone.

    Examples
    --------
    >>> coefficient(Estimate(0.99996, 0.991, 0.99999))
    '>0.99 (0.99 to >0.99)'
    >>> coefficient(Estimate(1.0, status="no_disagreement"))
    '1.00 (no disagreement, so no interval)'
    """
    if not math.isfinite(estimate.value):
        return f"– ({in_words(estimate.status)})"
    text = _near_one(estimate.value)
    if math.isfinite(estimate.low):
        return f"{text} ({_near_one(estimate.low)} to {_near_one(estimate.high)})"
    return text if estimate.status == OK else f"{text} ({in_words(estimate.status)})"


def _near_one(value: float) -> str:
    text = f"{value:.{_DIGITS}f}".replace("-", "−")
    return ">0.99" if text == "1.00" and value < 1.0 else text


def caution(n_subjects: int) -> str:
    """Say that few subjects settle little.

    Parameters
    ----------
    n_subjects : int

    Returns
    -------
    str
        Empty from as many subjects on as ``caution.subjects`` says.
    """
    least = int(rules()["caution.subjects"].value)
    if n_subjects >= least:
        return ""
    who = "1 subject" if n_subjects == 1 else f"{n_subjects} subjects"
    return (
        f"Caution: {who}, fewer than {least}. The statistics describe these subjects; they "
        "say little of others, and the intervals are wide or cannot be given."
    )
