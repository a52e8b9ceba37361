"""Take a drawn study where drawing never goes: other breathing, sphincters and timing.

`draw` keeps anatomy, breathing and schedule within the narrow ranges of an ordinary study
and fits every swallow to its phenotype. What is changed here is changed afterwards, so
that `truth` has to say what became of the study; its diagnosis follows from the tree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.phantom.field import Phantom, Swallow
from hrm.phantom.landmarks import find_landmarks

_REST_S = 30.0
_BEFORE_QUIET_S = 2.5
_POSTURE_CHANGE_S = 15.0


@dataclass(frozen=True, slots=True)
class Alteration:
    """What to change in a drawn study; by default nothing.

    Parameters
    ----------
    breaths_per_min : float, optional
        From 6 to 40.
    les_width : float
        Factor on the width of the LES, from 0.4 to 2.5.
    les_skew : float
        From -0.6 to 0.6: the lower flank is wider by this share, the upper one narrower.
    ues_shift_cm : float [cm]
        How far the UES lies lower, at most 3 cm either way.
    vessel_mmhg : float [mmHg], optional
        Height of the cardiac pulse where the body meets the vessel, at most 40.
    first_s : float [s], optional
        First swallow, at least 3 s after the start.
    intervals_s : tuple of float [s], optional
        Shortest and longest time between swallows, drawn evenly, at least 12 s.

    Raises
    ------
    ParameterError
        If a value cannot be used.
    """

    breaths_per_min: float | None = None
    les_width: float = 1.0
    les_skew: float = 0.0
    ues_shift_cm: float = 0.0
    vessel_mmhg: float | None = None
    first_s: float | None = None
    intervals_s: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        rate, vessel = self.breaths_per_min, self.vessel_mmhg
        gaps = self.intervals_s
        fits = {
            "breaths_per_min must be from 6 to 40": rate is None or 6.0 <= rate <= 40.0,
            "les_width must be from 0.4 to 2.5": 0.4 <= self.les_width <= 2.5,
            "les_skew must be from -0.6 to 0.6": -0.6 <= self.les_skew <= 0.6,
            "ues_shift_cm must be from -3 to 3": -3.0 <= self.ues_shift_cm <= 3.0,
            "vessel_mmhg must be from 0 to 40": vessel is None or 0.0 <= vessel <= 40.0,
            "first_s must be at least 3 s": self.first_s is None or 3.0 <= self.first_s < math.inf,
            "intervals_s must be two times, the shorter one first and at least 12 s": gaps is None
            or 12.0 <= gaps[0] <= gaps[1] < math.inf,
        }
        faults = [fault for fault, fit in fits.items() if not fit]
        if faults:
            raise ParameterError("cannot alter the phantom: " + "; ".join(faults))


def alter(phantom: Phantom, change: Alteration, *, seed: int = 0) -> Phantom:
    """Change a drawn study.

    Parameters
    ----------
    phantom : Phantom
        Drawn by `draw`, without provocation tests and double swallows if its schedule
        is to change.
    change : Alteration
    seed : int
        Of the irregular intervals.

    Returns
    -------
    Phantom
        Its swallows are those of `phantom`, at other times if asked.

    Raises
    ------
    ParameterError
        If the schedule of a study with provocation tests or double swallows is to change.

    Examples
    --------
    >>> from hrm.phantom import Alteration, alter, draw
    >>> quick = alter(draw("normal", seed=1, n_supine=2, n_upright=0), Alteration(first_s=8.0))
    >>> quick.swallows[0].onset_s
    8.0
    """
    out = _settled(_with_anatomy(phantom, change))
    if change.first_s is not None or change.intervals_s is not None:
        out = _retimed(out, change, np.random.default_rng([seed & 0xFFFFFFFF, phantom.seed, 499]))
    return replace(out, altered=True)


def _with_anatomy(phantom: Phantom, change: Alteration) -> Phantom:
    anatomy = replace(
        phantom.anatomy,
        les_sd_cm=phantom.anatomy.les_sd_cm * change.les_width,
        les_skew=change.les_skew,
        ues_cm=phantom.anatomy.ues_cm + change.ues_shift_cm,
    )
    out = replace(phantom, anatomy=anatomy)
    if change.breaths_per_min is not None:
        breathing = replace(phantom.breathing, rate_hz=change.breaths_per_min / 60.0)
        out = replace(out, breathing=breathing)
    if change.vessel_mmhg is not None:
        tones = [replace(tone, vessel=change.vessel_mmhg) for tone in (out.supine, out.upright)]
        out = replace(out, supine=tones[0], upright=tones[1])
    return out


def _settled(phantom: Phantom) -> Phantom:
    """Let the body begin and end where the definitions now find the sphincters."""
    marks = find_landmarks(phantom, default_parameters())
    anatomy = replace(phantom.anatomy, body_top_cm=marks.ues_lower, body_bottom_cm=marks.les_upper)
    return replace(phantom, anatomy=anatomy)


def _retimed(phantom: Phantom, change: Alteration, rng: np.random.Generator) -> Phantom:
    """Lay the same swallows out anew; the quiet interval stays just before the first one."""
    swallows = phantom.swallows
    if any(item.second or item.protocol != "single" for item in swallows):
        raise ParameterError("cannot alter the phantom: only single swallows can change their time")
    supine = [item for item in swallows if item.posture != "upright"]
    upright = [item for item in swallows if item.posture == "upright"]
    start = supine[0].onset_s if change.first_s is None else change.first_s
    first, last = _moved(supine, start, change.intervals_s, rng)
    quiet = [_before(first[0].onset_s, phantom.quiet_s[0])]
    upright_s = phantom.upright_s
    if upright:
        upright_s = last + _REST_S
        length = phantom.quiet_s[1][1] - phantom.quiet_s[1][0]
        begin = upright_s + _POSTURE_CHANGE_S + length + _BEFORE_QUIET_S
        upright, last = _moved(upright, begin, change.intervals_s, rng)
        quiet.append(_before(begin, phantom.quiet_s[1]))
    return replace(
        phantom,
        swallows=(*first, *upright),
        upright_s=upright_s,
        quiet_s=tuple(quiet),
        duration_s=last + _REST_S,
    )


def _moved(
    swallows: list[Swallow],
    start_s: float,
    intervals_s: tuple[float, float] | None,
    rng: np.random.Generator,
) -> tuple[list[Swallow], float]:
    """Swallows from `start_s` on, and the time of the last one."""
    gaps = np.diff([item.onset_s for item in swallows])
    if intervals_s is not None:
        gaps = rng.uniform(*intervals_s, gaps.size)
    onsets = [float(at) for at in start_s + np.concatenate([[0.0], np.cumsum(gaps)])]
    moved = [replace(item, onset_s=at) for item, at in zip(swallows, onsets, strict=True)]
    return moved, onsets[-1]


def _before(onset_s: float, quiet_s: tuple[float, float]) -> tuple[float, float]:
    """Quiet interval of the same length that ends before an onset; it may begin before 0."""
    stop = onset_s - _BEFORE_QUIET_S
    return stop - (quiet_s[1] - quiet_s[0]), stop
