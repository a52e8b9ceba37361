"""Sphincters by definition on the noise-free field: EGJ barrier, UES, relaxation pressures.

SPEC 2.4, 3.3, 3.4 and 4, with the known breaths and landmarks in place of any detection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrm.catalog import Parameters
from hrm.phantom.field import Array, Phantom, Swallow, pharynx_peak
from hrm.phantom.landmarks import Landmarks
from hrm.phantom.measure import RATE_HZ, egj_sleeve, lowest_mean

#: Durations of the integrated relaxation pressure [s] and what each is called.
IRP_DURATIONS: tuple[tuple[float, str], ...] = (
    (0.2, "irp02s_mmhg"),
    (1.0, "irp1s_mmhg"),
    (2.0, "irp2s_mmhg"),
    (3.0, "irp3s_mmhg"),
    (5.0, "irp5s_mmhg"),
)
_FINE_CM = 0.02
_UES_STEP_CM = 0.05
_FINE_HZ = 250.0
_BREATHS = 3
_EQUAL_S2 = 1e-6
_UES_RESIDUAL_S = 1.5
_UES_IRP_S = 0.2
_FOOT_SD = 2.5
_UES_LAST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Boxes:
    """Depth ranges of the EGJ [cm, phantom axis]; `crural` is None in an EGJ of one piece."""

    whole: tuple[float, float]
    les: tuple[float, float]
    crural: tuple[float, float] | None


def relaxation_family(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    parameters: Parameters,
    onset_s: float,
) -> dict[str, float | None]:
    """Integrated relaxation pressures of several durations, and the nadir [mmHg above gastric]."""
    sleeve = egj_sleeve(phantom, swallow, marks, parameters, onset_s=onset_s)
    if sleeve is None:
        return dict.fromkeys([*(name for _, name in IRP_DURATIONS), "les_nadir_mmhg"])
    out: dict[str, float | None] = {
        name: lowest_mean(sleeve, round(seconds * RATE_HZ)) for seconds, name in IRP_DURATIONS
    }
    return {**out, "les_nadir_mmhg": float(sleeve.min())}


def ues_relaxation(
    phantom: Phantom,
    swallow: Swallow,
    marks: Landmarks,
    parameters: Parameters,
    onset_s: float,
) -> dict[str, float]:
    """UES residual and integrated relaxation pressure over 0.2 s [mmHg].

    The sleeve ends at the foot of the pharyngeal wave, and the search with it once the
    wave has reached the lower quarter of the sphincter, where it is lifted to: what is left
    of the sleeve after that is esophagus.
    """
    z = _ues_sleeve(marks, parameters)
    foot = pharynx_peak(phantom.anatomy, swallow, z) - _FOOT_SD * swallow.pharynx_sd_s
    foot += swallow.onset_s
    last = marks.ues_lower - _UES_LAST_SHARE * (marks.ues_lower - marks.ues_upper)
    last -= swallow.ues_lift_cm
    stop = min(onset_s + _UES_RESIDUAL_S, float(np.interp(last, z, foot)))
    t = np.arange(onset_s, max(stop, onset_s + _UES_IRP_S), 1 / _FINE_HZ)
    field = phantom.pressure(t, z)
    field[t[None, :] >= foot[:, None]] = -math.inf
    sleeve = field.max(axis=0)
    sleeve = sleeve[np.isfinite(sleeve)]
    return {
        "ues_residual_mmhg": float(sleeve.min()),
        "ues_irp02s_mmhg": lowest_mean(sleeve, round(_UES_IRP_S * _FINE_HZ)),
    }


def resting_ues(phantom: Phantom, marks: Landmarks, parameters: Parameters) -> float:
    """Mean over the quiet interval of the highest pressure of the UES [mmHg]."""
    t = np.arange(*phantom.quiet_s[0], 1 / RATE_HZ)
    return float(phantom.pressure(t, _ues_sleeve(marks, parameters)).max(axis=0).mean())


def _ues_sleeve(marks: Landmarks, parameters: Parameters) -> Array:
    top = marks.ues_upper - float(parameters["ues.sleeve_up_cm"])
    bottom = marks.ues_lower + float(parameters["ues.sleeve_down_cm"])
    return np.linspace(top, bottom, math.ceil((bottom - top) / _UES_STEP_CM) + 1)


def barrier(phantom: Phantom, marks: Landmarks, parameters: Parameters) -> dict[str, Any]:
    """EGJ contractile integral over the three most even breaths, and morphology.

    Returns
    -------
    dict
        ``egj_ci_*_mmhg_cm`` of the whole box and, with LES and diaphragm apart, of
        each (else None); ``breaths_s``, the interval that was taken; ``hernia``;
        ``morphology``, I, II, IIIa or IIIb, by the separation as drawn.
    """
    interval = quietest_breaths(phantom)
    boxes = egj_boxes(phantom, marks, parameters)
    level = marks.gastric_supine + float(parameters["egj_ci.above_gastric_mmhg"])

    def integral(box: tuple[float, float] | None) -> float | None:
        return None if box is None else contractility(phantom, box, interval, level)

    whole, les, crural = (integral(box) for box in (boxes.whole, boxes.les, boxes.crural))
    apart = crural is not None
    return {
        "egj_ci_mmhg_cm": whole,
        "egj_ci_les_mmhg_cm": les if apart else None,
        "egj_ci_crural_mmhg_cm": crural,
        "breaths_s": interval,
        "hernia": _separation(phantom) >= float(parameters["egj.hernia_cm"]),
        "morphology": morphology(phantom, marks, parameters),
    }


def contractility(
    phantom: Phantom,
    box: tuple[float, float],
    interval: tuple[float, float],
    level_mmhg: float,
) -> float:
    """Integral over depth of the excess above a level, as a mean over an interval [mmHg cm]."""
    z = np.linspace(*box, math.ceil((box[1] - box[0]) / _FINE_CM) + 1)
    t = np.linspace(*interval, math.ceil((interval[1] - interval[0]) * RATE_HZ) + 1)
    excess = np.maximum(phantom.pressure(t, z) - level_mmhg, 0.0)
    total = np.trapezoid(np.trapezoid(excess, z, axis=0), t)
    return float(total / (interval[1] - interval[0]))


def quietest_breaths(phantom: Phantom) -> tuple[float, float]:
    """Three consecutive breaths of the quiet interval, the most even ones, earliest first [s]."""
    start, stop = phantom.quiet_s[0]
    t = np.arange(start, stop, 1 / _FINE_HZ)
    turns = phantom.breathing.angle(t) / (2 * np.pi)
    peaks = np.interp(np.arange(np.ceil(turns[0]), np.floor(turns[-1]) + 1), turns, t)
    lengths = np.lib.stride_tricks.sliding_window_view(np.diff(peaks), _BREATHS)
    spread = lengths.var(axis=1)
    first = int(np.flatnonzero(spread <= spread.min() + _EQUAL_S2)[0])
    return float(peaks[first]), float(peaks[first + _BREATHS])


def egj_boxes(phantom: Phantom, marks: Landmarks, parameters: Parameters) -> Boxes:
    """Where the EGJ is integrated: from the upper LES border to below the diaphragm.

    The diaphragm ends where its inspiratory augmentation has fallen to the share of its
    peak that also makes the LES border.
    """
    anatomy = phantom.anatomy
    reach = math.sqrt(-2 * math.log(float(parameters["les.border_fraction"])))
    top = marks.crural - reach * anatomy.crural_sd_cm
    bottom = marks.crural + reach * anatomy.crural_sd_cm
    crural = None
    if _separation(phantom) > float(parameters["egj.hernia_cm"]):
        crural = (max(top, marks.les_lower), bottom)
    return Boxes(
        whole=(marks.les_upper, max(bottom, marks.les_lower)),
        les=(marks.les_upper, marks.les_lower),
        crural=crural,
    )


def morphology(phantom: Phantom, marks: Landmarks, parameters: Parameters) -> str:
    """EGJ type in the wording of version 3.0.

    Breathing that turns round nearer to the middle of the LES than to the diaphragm makes
    a IIIb of a III; the wording leaves open what lies between.
    """
    separation = _separation(phantom)
    if separation <= float(parameters["egj.type_2_cm"]):
        return "I"
    if separation <= float(parameters["egj.hernia_cm"]):
        return "II"
    middle = 0.5 * (phantom.anatomy.les_cm + phantom.anatomy.crural_cm)
    return "IIIb" if marks.inversion < middle else "IIIa"


def _separation(phantom: Phantom) -> float:
    return phantom.anatomy.crural_cm - phantom.anatomy.les_cm
