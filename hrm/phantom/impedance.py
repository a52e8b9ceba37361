"""The bolus of each swallow as intraluminal impedance, and when it came and went.

The impedance is a closed form of depth and time. A bolus enters behind the open UES,
runs ahead of the contraction and leaves with it wherever the contraction is strong
enough to carry it (gaps of up to 2 cm are bridged); elsewhere it stays for 20 s or more. Nothing here
looks at pressure samples, and the truth is read off the field by definition (SPEC 9.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from hrm.phantom.field import Array, Phantom, Swallow, amplitudes
from hrm.phantom.landmarks import Landmarks

N_SEGMENTS = 18
SEGMENT_CM = 2.0
#: Levels above the LES at which transit is judged [cm], the most distal first (SPEC 9.1).
LEVELS_CM = (5.0, 10.0, 15.0)

_STAYS_S = 5.0
_LOOK_S = 15.0
_RATE_HZ = 100.0
_BEFORE_S = (3.0, 0.5)
_ENTRY_TAU_S, _EXIT_TAU_S, _CLEAR_TAU_S = 0.1, 0.12, 0.8
_LEAST_DWELL_S = 0.9
_CARRIES_MMHG, _CARRIES_WIDTH_MMHG, _CARRIES_ACROSS_CM = 27.0, 1.5, 1.2
_DOME = 0.15


@dataclass(frozen=True, slots=True)
class Bolus:
    """One bolus; times in s after the onset of its swallow."""

    enters_s: float
    head_cm_s: float
    clears_s: float


@dataclass(frozen=True, slots=True)
class Lumen:
    """Impedance without bolus and filled with it [ohm]."""

    body_ohm: float
    distal_ohm: float
    wave_ohm: float
    wave_cm: float
    phase: float
    gastric_ohm: float
    pharynx_ohm: float
    bolus_ohm: float
    boluses: tuple[Bolus, ...]


def segment_depths() -> Array:
    """Depth of the middle of each segment below the first sensor [cm]."""
    return np.asarray(0.5 + SEGMENT_CM * np.arange(N_SEGMENTS))


def lumen_of(phantom: Phantom) -> Lumen:
    """Draw impedances and boluses of a phantom, from a generator of their own."""
    rng = np.random.default_rng([phantom.seed, 409])
    body = rng.uniform(2200.0, 3000.0)
    return Lumen(
        body_ohm=body,
        distal_ohm=body * rng.uniform(0.75, 1.0),
        wave_ohm=rng.uniform(50.0, 200.0),
        wave_cm=rng.uniform(9.0, 16.0),
        phase=rng.uniform(0.0, 2 * math.pi),
        gastric_ohm=rng.uniform(350.0, 600.0),
        pharynx_ohm=rng.uniform(1800.0, 2600.0),
        bolus_ohm=rng.uniform(250.0, 450.0),
        boluses=tuple(
            Bolus(rng.uniform(0.45, 0.65), rng.uniform(14.0, 28.0), rng.uniform(20.0, 24.0))
            for _ in phantom.swallows
        ),
    )


def impedance(phantom: Phantom, t: ArrayLike, z: ArrayLike) -> Array:
    """Impedance without noise.

    Parameters
    ----------
    phantom : Phantom
    t : array (time,) [s]
        Not decreasing.
    z : array (segment,) [cm]
        On the phantom's axis.

    Returns
    -------
    array (segment, time) [ohm]
    """
    times, depths = np.atleast_1d(np.asarray(t, float)), np.atleast_1d(np.asarray(z, float))
    lumen = lumen_of(phantom)
    empty = np.ones((depths.size, times.size))
    for i, swallow in enumerate(phantom.swallows):
        lo, hi = np.searchsorted(times, (swallow.onset_s - 3.0, swallow.onset_s + 40.0))
        if hi > lo:
            empty[:, lo:hi] *= 1 - _presence(phantom, lumen, i, times[lo:hi], depths)
    base = baseline(phantom, lumen, depths)
    depth_of_fall = np.maximum(base - lumen.bolus_ohm, 0.0)
    return np.asarray(base[:, None] - depth_of_fall[:, None] * (1 - empty))


def baseline(phantom: Phantom, lumen: Lumen, z: Array) -> Array:
    """Impedance without bolus at depth z [ohm]."""
    anatomy = phantom.anatomy
    share = np.clip((z - anatomy.body_top_cm) / (anatomy.les_cm - anatomy.body_top_cm), 0.0, 1.0)
    body = lumen.body_ohm + share * (lumen.distal_ohm - lumen.body_ohm)
    body = body + lumen.wave_ohm * np.sin(2 * np.pi * z / lumen.wave_cm + lumen.phase)
    below = expit((z - anatomy.les_cm - 0.5) / 0.5)
    above = expit((anatomy.ues_cm - z) / 0.5)
    mixed = body * (1 - below) * (1 - above)
    return np.asarray(mixed + lumen.gastric_ohm * below + lumen.pharynx_ohm * above * (1 - below))


def entry_times(phantom: Phantom, bolus: Bolus, z: Array) -> Array:
    """Time at which the head of a bolus passes depth z [s after onset]."""
    return np.asarray(bolus.enters_s + (z - phantom.anatomy.body_top_cm) / bolus.head_cm_s)


def exit_times(phantom: Phantom, swallow: Swallow, entry: Array, z: Array) -> tuple[Array, Array]:
    """Time of the tail at depth z [s after onset], and the share of the bolus left behind."""
    wave, anatomy = swallow.wave, phantom.anatomy
    striated, smooth = amplitudes(anatomy, wave, z)
    early = wave.striated_s + 0.3 + (z - anatomy.body_top_cm) / wave.striated_cm_s
    # The two segments overlap around the transition zone: the later, stronger one decides.
    share = smooth / np.maximum(striated + smooth, 1e-9)
    tail = early + share * (np.maximum(wave.front(z), early) - early)
    # A short gap is bridged: the walls on both sides of it carry the bolus on.
    strength = np.stack(
        [
            np.maximum(*amplitudes(anatomy, wave, z + shift))
            for shift in (-_CARRIES_ACROSS_CM, 0.0, _CARRIES_ACROSS_CM)
        ]
    ).max(axis=0)
    left = expit((_CARRIES_MMHG - strength) / _CARRIES_WIDTH_MMHG)
    return np.maximum(tail, entry + _LEAST_DWELL_S), left


def _presence(phantom: Phantom, lumen: Lumen, index: int, t: Array, z: Array) -> Array:
    """How far the bolus of one swallow fills the lumen, (depth, time), 0 to 1."""
    swallow, bolus = phantom.swallows[index], lumen.boluses[index]
    entry = entry_times(phantom, bolus, z)
    tail, left = exit_times(phantom, swallow, entry, z)
    x = t - swallow.onset_s
    filled = expit((x[None, :] - entry[:, None]) / _ENTRY_TAU_S)
    filled *= 1 - (1 - left[:, None]) * expit((x[None, :] - tail[:, None]) / _EXIT_TAU_S)
    filled *= expit((bolus.clears_s - x) / _CLEAR_TAU_S)
    dwell = (tail - entry)[:, None]
    middle = (x[None, :] - (entry + 0.6 * (tail - entry))[:, None]) / (0.35 * dwell)
    filled *= 1 - _DOME * -np.expm1(-0.5 * middle * middle)
    for later in range(index + 1, len(phantom.swallows)):
        if phantom.swallows[later].onset_s - swallow.onset_s > bolus.clears_s:
            break
        filled *= _swept(phantom, lumen, later, t, z)
    anatomy = phantom.anatomy
    inside = expit((z - anatomy.body_top_cm) / 0.3) * expit((anatomy.body_bottom_cm - z) / 0.3)
    return np.asarray(filled * inside[:, None])


def _swept(phantom: Phantom, lumen: Lumen, index: int, t: Array, z: Array) -> Array:
    """What a later contraction leaves of a bolus that is still there."""
    swallow = phantom.swallows[index]
    tail, left = exit_times(phantom, swallow, entry_times(phantom, lumen.boluses[index], z), z)
    passed = expit((t[None, :] - swallow.onset_s - tail[:, None]) / _EXIT_TAU_S)
    return np.asarray(1 - (1 - left[:, None]) * passed)


def impedance_truth(
    phantom: Phantom, marks: Landmarks, onsets_s: Sequence[float], offset_cm: float
) -> dict[str, Any]:
    """Baselines and bolus transit by definition on the noise-free impedance.

    Parameters
    ----------
    phantom : Phantom
    marks : Landmarks
    onsets_s : sequence of float [s]
        Defined onset of each swallow.
    offset_cm : float [cm]
        Position of the first sensor on the phantom's axis.

    Returns
    -------
    dict
        ``segment_depth_cm``, ``baseline_ohm`` of each segment over the supine quiet
        interval, ``distal_baseline_ohm`` 3 cm above the LES, and for each swallow
        ``entry_s``, ``exit_s`` and ``nadir_s`` of each segment and at 5, 10 and 15 cm
        above the LES [s from the first sample], ``transit`` and ``transit_time_s``.
    """
    segments = segment_depths()
    t = np.arange(*phantom.quiet_s[0], 1.0)
    place = np.array([marks.les_upper - 3.0])
    return {
        "segment_depth_cm": segments.tolist(),
        "baseline_ohm": impedance(phantom, t, segments + offset_cm).mean(axis=1).tolist(),
        "distal_baseline_ohm": float(impedance(phantom, t, place).mean()),
        "swallows": [
            _transit(phantom, marks, i, list(onsets_s), segments + offset_cm)
            for i in range(len(phantom.swallows))
        ],
    }


def _transit(
    phantom: Phantom, marks: Landmarks, index: int, onsets: list[float], segments: Array
) -> dict[str, Any]:
    levels = marks.les_upper - np.array(LEVELS_CM)
    start = onsets[index]
    following = onsets[index + 1] if index + 1 < len(onsets) else math.inf
    stop = min(start + _LOOK_S + _STAYS_S, following, phantom.duration_s)
    z = np.concatenate([segments, levels])
    t = np.arange(start - _BEFORE_S[0], stop, 1 / _RATE_HZ)
    rows = [
        _passage(t, row, start) if marks.ues_lower < depth < marks.les_upper else (None,) * 3
        for depth, row in zip(z.tolist(), impedance(phantom, t, z), strict=True)
    ]
    entry, leave, nadir = (list(column) for column in zip(*rows, strict=True))
    n = segments.size
    at_levels = {"entry_s": entry[n:], "exit_s": leave[n:], "nadir_s": nadir[n:]}
    enough = stop - start >= _LOOK_S
    whole = entry[-1] is not None and all(value is not None for value in leave[n:])
    return {
        "entry_s": entry[:n],
        "exit_s": leave[:n],
        "nadir_s": nadir[:n],
        "levels_cm": list(LEVELS_CM),
        "at_levels": at_levels,
        "transit": ("complete" if whole else "incomplete") if enough else None,
        "transit_time_s": leave[n] - entry[-1] if whole and enough else None,
    }


def _passage(t: Array, ohm: Array, onset_s: float) -> tuple[float | None, float | None, float]:
    """Entry, exit and nadir of a bolus at one place [s], by the level half way down."""
    rest = ohm[(t >= onset_s - _BEFORE_S[0]) & (t <= onset_s - _BEFORE_S[1])].mean()
    first = int(np.searchsorted(t, onset_s))
    low = first + int(ohm[first:].argmin())
    level = 0.5 * (rest + ohm[low])
    above = np.flatnonzero(ohm[first:low] >= level)
    entry = None
    if above.size:
        i = first + int(above[-1])
        entry = float(np.interp(-level, -ohm[i : i + 2], t[i : i + 2]))
    return entry, _exit(t, ohm, low, level), float(t[low])


def _exit(t: Array, ohm: Array, low: int, level: float) -> float | None:
    """First time after the nadir from which the level is kept for 5 s, None if it is not."""
    high = (ohm[low:] >= level).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], high, [0]]))).reshape(-1, 2)
    for start, stop in edges:
        if (stop - start) / _RATE_HZ >= _STAYS_S:
            i = low + int(start)
            return float(np.interp(level, ohm[i - 1 : i + 1], t[i - 1 : i + 1]))
    return None
