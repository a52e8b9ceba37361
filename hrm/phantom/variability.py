"""Let the height of the contractions vary, from swallow to swallow and along the body."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from hrm.phantom.field import Swallow

_BETWEEN = 0.5
_TERMS = 3
_WAVELENGTHS_CM = (6.0, 15.0)
_FARTHEST_SD = 2.5


def varied(
    swallows: list[Swallow], failed: list[bool], variability: float, seed: int
) -> list[Swallow]:
    """Multiply the height of each contraction by a log-normal factor of mean 1.

    Half of the variance lies between swallows, half in a smooth ripple along the
    body, so that neighboring sensors vary together. A failed swallow stays as it is:
    there is hardly a contraction that could vary.

    Parameters
    ----------
    swallows : list of Swallow
    failed : list of bool
        Which of them were drawn as failed.
    variability : float
        Coefficient of variation of the height at any one place.
    seed : int
        Of the phantom; the numbers come from a generator of their own.
    """
    if not variability:
        return swallows
    rng = np.random.default_rng([seed, 211])
    variance = math.log1p(variability**2)
    between = math.sqrt(_BETWEEN * variance)
    weight = math.sqrt((1 - _BETWEEN) * variance * 2 / _TERMS)
    out = [_varied(swallow, between, weight, variance, rng) for swallow in swallows]
    return [swallows[i] if failed[i] else out[i] for i in range(len(out))]


def _varied(
    swallow: Swallow, between: float, weight: float, variance: float, rng: np.random.Generator
) -> Swallow:
    gain = float(np.clip(rng.standard_normal(), -_FARTHEST_SD, _FARTHEST_SD))
    # One wavelength from each part of the range: equal ones could add up to one big wave.
    edges = np.geomspace(*_WAVELENGTHS_CM, _TERMS + 1)
    ripple = tuple(
        (weight, float(rng.uniform(low, high)), float(rng.uniform(0.0, 2 * math.pi)))
        for low, high in pairwise(edges.tolist())
    )
    wave = replace(swallow.wave, log_gain=gain * between - 0.5 * variance, ripple=ripple)
    return replace(swallow, wave=wave)
