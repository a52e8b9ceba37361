"""Sensor positions between which a sphincter can be missed or read too low."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hrm import catalog

SPARSE, TOO_CLOSE = "sparse", "too_close"


@dataclass(frozen=True, slots=True)
class SpacingFinding:
    """Two neighboring sensors whose distance makes a measurement uncertain.

    `code` is ``sparse`` or ``too_close``; `upper_cm` and `lower_cm` are the depths of the two
    [cm, of the recording's own reference], `text` says it in words.
    """

    code: str
    upper_cm: float
    lower_cm: float
    text: str


def sensor_spacing_findings(
    depth_cm: ArrayLike,
    *,
    les_cm: Sequence[float] | None = None,
    parameters: catalog.Parameters | None = None,
) -> list[SpacingFinding]:
    """Find neighbors that are too far apart to measure the LES, or nearer than can be.

    Parameters
    ----------
    depth_cm : array (sensor,) [cm]
        Sensor positions, increasing.
    les_cm : (float, float) [cm], optional
        Upper and lower border of the LES, from the same reference. A wide gap then counts
        only if it overlaps it. Not given, every wide gap counts: the LES may lie in it.
    parameters : Parameters, optional
        Those of the run; the default set if not given.

    Returns
    -------
    list of SpacingFinding
        From proximal to distal; empty if there is nothing to say.

    Notes
    -----
    SPEC 1.1 gives the spacing that catheters have at the sphincters, and 1.4 what a wider
    one costs: of a sphincter of 30 mmHg, at 2 cm as little as 18 mmHg is seen.

    Examples
    --------
    >>> [each.code for each in sensor_spacing_findings([0, 1, 2, 6, 7])]
    ['sparse']
    >>> sensor_spacing_findings([0, 1, 2, 6, 7], les_cm=(0.2, 1.8))
    []
    """
    rules = catalog.default_parameters() if parameters is None else parameters
    key = "spacing.widest_les_cm" if les_cm is None else "spacing.widest_known_les_cm"
    widest, nearest = rules[key], rules["spacing.nearest_cm"]
    depths = np.asarray(depth_cm, dtype=np.float64)
    found = []
    for upper, lower in itertools.pairwise(depths):
        # Positions are printed with few decimals; float64 adds far less than this.
        gap = round(float(lower - upper), 6)
        if gap > widest and _overlaps(float(upper), float(lower), les_cm):
            found.append(_sparse(float(upper), float(lower), gap, known=les_cm is not None))
        elif gap < nearest:
            text = (
                f"the sensors at {upper:g} and {lower:g} cm are {gap:g} cm apart, nearer than "
                "sensors can be; look whether the positions are right"
            )
            found.append(SpacingFinding(TOO_CLOSE, float(upper), float(lower), text))
    return found


def _overlaps(upper: float, lower: float, les_cm: Sequence[float] | None) -> bool:
    return les_cm is None or (upper < les_cm[1] and les_cm[0] < lower)


def _sparse(upper: float, lower: float, gap: float, *, known: bool) -> SpacingFinding:
    where = "at the LES" if known else "if the LES lies between them"
    text = (
        f"the sensors at {upper:g} and {lower:g} cm are {gap:g} cm apart: {where}, its pressure, "
        "IRP, EGJ-CI and the EGJ morphology are uncertain"
    )
    return SpacingFinding(SPARSE, upper, lower, text)
