"""Repeated peaks, the contraction of the LES, and the subtypes of hypercontractility."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrm.catalog import Parameters
from hrm.kernels.integral import excess_2d
from hrm.kernels.peaks import count_peaks_2d
from hrm.metrics._base import LANDMARK_MISSING, SENSOR_FAILED, Field, Measurement, cut, known
from hrm.metrics.dci import Contraction

LES_NOT_COVERED = "les_not_covered"

#: In the order in which a swallow that shows several is named.
SUBTYPES = ("les_after_contraction", "multi_peak", "single_peak")

# Pressures are float32: 10 mmHg between two of them may come out a little short.
_ROUNDING_MMHG = 1e-4


def contraction_peaks(wave: Contraction | None, *, parameters: Parameters) -> Measurement:
    """Number of peaks of the contraction.

    Parameters
    ----------
    wave : Contraction or None
        From the transition zone to the proximal LES border.
    parameters : Parameters

    Returns
    -------
    Measurement [1]
        Greatest number of peaks that each of two levels at least ``peaks.levels_cm`` apart
        has. Peaks of one level reach ``dci.threshold_mmhg``, stand out by
        ``peaks.prominence_mmhg`` and lie ``peaks.spacing_s`` apart. 2 or more is
        multi-peaked. Detail: ``from_cm`` and ``to_cm`` of these levels.

    Notes
    -----
    SPEC section 5.6. A peak counts only after the pressure has risen to it and fallen
    from it inside the contraction window.
    """
    if wave is None:
        return Measurement.missing(LANDMARK_MISSING)
    box = wave.box
    if box.empty:
        return Measurement(0.0)
    if not np.isfinite(box.values).all():
        return Measurement.missing(SENSOR_FAILED)
    counts = count_peaks_2d(
        box.values,
        parameters["peaks.prominence_mmhg"] - _ROUNDING_MMHG,
        parameters["dci.threshold_mmhg"],
        math.ceil(parameters["peaks.spacing_s"] / box.step_s - 1e-6),
    )
    apart = parameters["peaks.levels_cm"] - 1e-6
    for number in range(int(counts.max()), 0, -1):
        levels = box.depth[counts >= number]
        if levels[-1] - levels[0] >= apart:
            detail = {"from_cm": float(levels[0]), "to_cm": float(levels[-1])}
            return Measurement(float(number), detail=detail)
    return Measurement(0.0)


def dci_les(
    field: Field,
    wave: Contraction | None,
    *,
    les_upper_cm: float,
    les_lower_cm: float,
    parameters: Parameters,
) -> Measurement:
    """Contractile integral of the LES during the contraction of the body.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
    wave : Contraction or None
        Gives the time.
    les_upper_cm, les_lower_cm : float [cm]
        LES borders at rest.
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg s cm]
        Everything above 20 mmHg, which is subtracted. The resting tone of the LES is in
        it as far as it exceeds 20 mmHg above atmospheric pressure.

    Notes
    -----
    SPEC section 5.1.
    """
    if wave is None or not known(les_upper_cm, les_lower_cm) or les_lower_cm <= les_upper_cm:
        return Measurement.missing(LANDMARK_MISSING)
    box = cut(field, les_upper_cm, les_lower_cm, wave.start_s, wave.stop_s)
    if box.empty or box.depth[-1] < les_lower_cm - 1.5 * box.step_cm:
        return Measurement.missing(LES_NOT_COVERED)
    keep = np.ones(box.values.shape, dtype=np.bool_)
    level = parameters["dci.threshold_mmhg"]
    value = excess_2d(box.values, keep, level, box.step_cm, box.step_s)
    if not math.isfinite(value):
        return Measurement.missing(SENSOR_FAILED)
    return Measurement(float(value), detail={"window_s": (wave.start_s, wave.stop_s)})


def les_after_contraction(les: float, body: float, parameters: Parameters) -> bool | None:
    """Whether the LES contracts vigorously after the wave.

    Parameters
    ----------
    les : float [mmHg s cm]
        From `dci_les`.
    body : float [mmHg s cm]
        Distal contractile integral, which leaves the LES out.
    parameters : Parameters

    Returns
    -------
    bool or None
        More than ``les_dci.share`` of both together and more than
        ``les_dci.least_mmhg_s_cm`` (SPEC section 5.6); None where a number is missing.
    """
    if not known(les, body):
        return None
    vigorous = les > parameters["les_dci.least_mmhg_s_cm"]
    return bool(vigorous and les > parameters["les_dci.share"] * (les + body))


def hypercontractile_subtype(
    peaks: float, after_contraction: bool | None, *, hypercontractile: bool
) -> str | None:
    """Name the subtype of a hypercontractile swallow.

    Parameters
    ----------
    peaks : float
        From `contraction_peaks`.
    after_contraction : bool or None
        From `les_after_contraction`.
    hypercontractile : bool
        Whether the swallow carries that flag.

    Returns
    -------
    str or None
        The first of `SUBTYPES` that applies (CHE21, SPEC section 5.6); None for every
        other swallow, and where a subtype that comes first cannot be ruled out.
    """
    if not hypercontractile or after_contraction is None:
        return None
    if after_contraction:
        return "les_after_contraction"
    if not known(peaks):
        return None
    return "multi_peak" if peaks >= 2 else "single_peak"


@dataclass(frozen=True)
class StudySubtypes:
    """The subtypes among the hypercontractile swallows of one study.

    Attributes
    ----------
    counts : dict
        Swallows of each of `SUBTYPES`.
    unknown : int
        Hypercontractile swallows whose subtype cannot be told.
    predominant : str or None
        The subtype of more than half of the hypercontractile swallows.
    """

    counts: dict[str, int]
    unknown: int
    predominant: str | None


def study_subtypes(subtypes: Sequence[str | None]) -> StudySubtypes:
    """Count the subtypes of a study.

    Parameters
    ----------
    subtypes : sequence of str or None
        From `hypercontractile_subtype`, of the evaluable hypercontractile swallows of the
        primary posture only.

    Returns
    -------
    StudySubtypes
        There are no data yet by which the subtypes differ clinically (CHE21): a
        description, which decides nothing.
    """
    counts = {name: sum(seen == name for seen in subtypes) for name in SUBTYPES}
    most = max(counts, key=lambda name: counts[name])
    predominant = most if 2 * counts[most] > len(subtypes) else None
    return StudySubtypes(counts, len(subtypes) - sum(counts.values()), predominant)
