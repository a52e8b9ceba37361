"""Landmarks and resting pressures of a phantom, by definition on the noise-free field.

Shares nothing with the engine: the definitions are applied to the analytic
end-expiratory profile, not to sensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrm.catalog import Parameters
from hrm.phantom.field import (
    Array,
    Phantom,
    crural_profile,
    inspiratory_swing,
    les_profile,
    static_profile,
    ues_profile,
)

FINE_CM = 0.01
_RATE_HZ = 50.0


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Resting landmarks [cm, phantom axis] and gastric references [mmHg]."""

    ues_upper: float
    ues_lower: float
    les_upper: float
    les_lower: float
    crural: float
    inversion: float
    gastric_supine: float
    gastric_upright: float

    def gastric(self, posture: str) -> float:
        """Gastric reference of a posture."""
        return self.gastric_upright if posture == "upright" else self.gastric_supine


def find_landmarks(phantom: Phantom, parameters: Parameters) -> Landmarks:
    """Apply the definitions of the resting landmarks.

    Parameters
    ----------
    phantom : Phantom
        Only its resting field is looked at.
    parameters : Parameters
        Border fractions and gastric rule.
    """
    ues_upper, ues_lower = _ues_borders(phantom, parameters)
    les_upper, les_lower = _les_borders(phantom, parameters)
    crural = phantom.anatomy.crural_cm
    below = max(les_lower, crural) + float(parameters["gastric.below_egj_cm"])
    gastric = [gastric_median(phantom, posture, below) for posture in ("supine", "upright")]
    return Landmarks(
        ues_upper,
        ues_lower,
        les_upper,
        les_lower,
        crural,
        _inversion_point(phantom),
        gastric[0],
        gastric[1],
    )


def end_expiratory_profile(phantom: Phantom, z: Array) -> Array:
    """Supine resting pressure at end-expiration [mmHg], without breathing and pulse."""
    anatomy, tone = phantom.anatomy, phantom.supine
    above, below = static_profile(anatomy, z)
    lumen = above * tone.thoracic + below * tone.gastric
    height = tone.les + 0.5 * (tone.gastric - tone.thoracic)
    crural = tone.crural_tonic * crural_profile(anatomy, z)
    sphincters = height * les_profile(anatomy, z) + tone.ues * ues_profile(anatomy, z)
    return np.asarray(lumen + crural + sphincters)


def gastric_median(phantom: Phantom, posture: str, below_cm: float) -> float:
    """Median gastric pressure over the quiet interval of a posture [mmHg]."""
    start, stop = phantom.quiet_s[-1 if posture == "upright" else 0]
    t = np.arange(start, stop, 1 / _RATE_HZ)
    return float(np.median(phantom.pressure(t, np.array([below_cm + 0.5, below_cm + 1.5]))))


def resting_les(phantom: Phantom, marks: Landmarks) -> tuple[float, float, float]:
    """Respiratory mean, end-expiratory and inspiratory LES pressure above the stomach [mmHg]."""
    start, stop = phantom.quiet_s[0]
    t = np.arange(start, stop, 1 / _RATE_HZ)
    z = np.linspace(marks.les_upper, marks.les_lower, 61)
    sleeve = phantom.pressure(t, z).max(axis=0) - marks.gastric_supine
    turns = phantom.breathing.angle(t) / (2 * np.pi)
    first = np.ceil(turns[0])
    whole = (turns >= first) & (turns < first + np.floor(turns[-1] - first))
    ends = np.interp(np.arange(np.ceil(turns[0]) + 0.5, np.floor(turns[-1]), 1.0), turns, t)
    near = (np.abs(t[:, None] - ends[None, :]) <= 0.25).any(axis=1)
    # Inspiration is the half of the breath around its fullest point, a whole turn.
    inside = np.abs(turns - np.round(turns)) <= 0.25
    breaths = range(int(np.ceil(turns[0] + 0.25)), int(np.floor(turns[-1] - 0.25)) + 1)
    tops = [float(sleeve[inside & (np.round(turns) == breath)].max()) for breath in breaths]
    return float(sleeve[whole].mean()), float(sleeve[near & whole].mean()), float(np.mean(tops))


def _crossing(z: Array, values: Array, level: float, start: int, step: int) -> float:
    """First place, from index `start` in direction `step`, where `values` falls below `level`."""
    i = start
    while 0 <= i + step < z.size and values[i] >= level:
        i += step
    share = (values[i - step] - level) / (values[i - step] - values[i])
    return float(z[i - step] + share * (z[i] - z[i - step]))


def _les_borders(phantom: Phantom, parameters: Parameters) -> tuple[float, float]:
    tone, middle = phantom.supine, phantom.anatomy.les_cm
    z = np.arange(middle - 6.0, middle + 6.0, FINE_CM)
    profile = end_expiratory_profile(phantom, z) - tone.gastric
    # A hernia's diaphragm may be the higher peak: look at the LES itself.
    near = np.flatnonzero(np.abs(z - middle) <= 1.0)
    top = int(near[profile[near].argmax()])
    share = float(parameters["les.border_fraction"]) * profile[top]
    floor = float(parameters["les.border_floor_mmhg"])
    above = max(tone.thoracic - tone.gastric + floor, share)
    return (
        _crossing(z, profile, above, top, -1),
        _crossing(z, profile, max(floor, share), top, +1),
    )


def _ues_borders(phantom: Phantom, parameters: Parameters) -> tuple[float, float]:
    middle, tone = phantom.anatomy.ues_cm, phantom.supine
    z = np.arange(middle - 5.0, middle + 5.0, FINE_CM)
    profile = end_expiratory_profile(phantom, z)
    top = int(profile.argmax())
    part = float(parameters["ues.border_fraction"])
    levels = [base + part * (profile[top] - base) for base in (0.0, tone.thoracic)]
    return _crossing(z, profile, levels[0], top, -1), _crossing(z, profile, levels[1], top, +1)


def _inversion_point(phantom: Phantom) -> float:
    """Most caudal level where the inspiratory swing turns negative, going up."""
    bottom = phantom.anatomy.crural_cm + 4.0
    z = np.arange(phantom.anatomy.ues_cm + 8.0, bottom, FINE_CM)
    swing = inspiratory_swing(phantom, z)
    i = int(np.flatnonzero(swing < 0)[-1])
    return float(z[i] + FINE_CM * swing[i] / (swing[i] - swing[i + 1]))
