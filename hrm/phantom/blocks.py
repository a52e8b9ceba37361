"""Draw the provocation tests: multiple rapid swallows and rapid drinking.

Their swallows are made from the single ones of the study, so that the esophagus that is
provoked is the one that was drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hrm.catalog import Parameters
from hrm.errors import ParameterError
from hrm.phantom.field import Phantom, Pressurization, Swallow
from hrm.phantom.landmarks import Landmarks
from hrm.phantom.measure import measure

RDC_KINDS = ("none", "normal", "pressurized")

#: Time that a run of each test takes, with the quiet after it [s].
MRS_RUN_S, RDC_S = 45.0, 65.0

_MRS_SWALLOWS = 5
_MRS_GAP_S = (2.0, 2.5)
_RDC_SWALLOWS = (11, 14)
_RDC_GAP_S = (1.6, 2.2)
_HELD_S = 2.5
_WEAK_STRIATED = 0.35
_FITS = 12
_FIT_SHARE = 0.003
_LEAST_DCI = 1.0


@dataclass(frozen=True, slots=True)
class Provocation:
    """Which provocation tests a study has.

    Parameters
    ----------
    mrs_runs : int
        Runs of five rapid swallows after the supine block, at most 3.
    mrs_ratio : float
        Contractile integral of the swallow that ends a run, as a share of the mean of
        the supine single swallows; 0 leaves it without contraction.
    mrs_inhibited : bool
        Whether the body stays quiet and the LES open until the last swallow.
    rdc : {"none", "normal", "pressurized"}
        Rapid drinking at the end of the upright block; a pressurized one raises the
        whole body again and again, above an LES that opens badly.
    rdc_after : bool
        Whether a contraction follows the last swallow of the drinking.

    Raises
    ------
    ParameterError
        If an argument cannot be used.
    """

    mrs_runs: int = 1
    mrs_ratio: float = 1.5
    mrs_inhibited: bool = True
    rdc: str = "none"
    rdc_after: bool = True

    def __post_init__(self) -> None:
        """Check the arguments."""
        faults = []
        if not 0 <= self.mrs_runs <= 3:
            faults.append(f"mrs_runs must be from 0 to 3, got {self.mrs_runs!r}")
        if not (math.isfinite(self.mrs_ratio) and 0.0 <= self.mrs_ratio <= 5.0):
            faults.append(f"mrs_ratio must be from 0 to 5, got {self.mrs_ratio!r}")
        if self.rdc not in RDC_KINDS:
            faults.append(f"rdc must be one of {', '.join(RDC_KINDS)}, got {self.rdc!r}")
        if faults:
            raise ParameterError("cannot draw the provocation tests: " + "; ".join(faults))


def provoked(
    phantom: Phantom,
    wanted: Provocation,
    marks: Landmarks,
    parameters: Parameters,
    *,
    mrs_start_s: float,
    rdc_start_s: float,
) -> tuple[Swallow, ...]:
    """Draw the swallows of the provocation tests of a study.

    Parameters
    ----------
    phantom : Phantom
        With its single swallows, as the study holds them.
    wanted : Provocation
    marks : Landmarks
    parameters : Parameters
    mrs_start_s, rdc_start_s : float [s]
        First swallow of the first run of each test.
    """
    rng = np.random.default_rng([phantom.seed, 307])
    supine = [item for item in phantom.swallows if item.posture == "supine" and not item.second]
    out: list[Swallow] = []
    for run in range(wanted.mrs_runs):
        start = mrs_start_s + run * MRS_RUN_S
        out += _mrs_run(phantom, supine, wanted, marks, parameters, start, rng)
    if wanted.rdc != "none":
        upright = [item for item in phantom.swallows if item.posture == "upright"]
        out += _drinking(phantom, upright, wanted, rdc_start_s, rng)
    return tuple(out)


def _mrs_run(
    phantom: Phantom,
    singles: Sequence[Swallow],
    wanted: Provocation,
    marks: Landmarks,
    parameters: Parameters,
    start_s: float,
    rng: np.random.Generator,
) -> list[Swallow]:
    gaps = rng.uniform(*_MRS_GAP_S, _MRS_SWALLOWS - 1)
    onsets = start_s + np.concatenate([[0.0], np.cumsum(gaps)])
    sizes = [_dci(phantom, item, marks, parameters) for item in singles]
    mean = float(np.mean(sizes))
    template = singles[int(np.abs(np.array(sizes) - mean).argmin())]
    run = [
        _inhibited(template, singles, float(at), float(gap), "mrs", rng)
        for at, gap in zip(onsets[:-1], gaps, strict=True)
    ]
    if not wanted.mrs_inhibited:
        run = _uninhibited(phantom, run, template)
    last = _calm(template, "mrs", float(onsets[-1]))
    if wanted.mrs_ratio * mean < _LEAST_DCI:
        return [*run, _without_wave(last)]
    alone = replace(phantom, swallows=tuple(run))
    return [*run, _fitted_height(alone, last, wanted.mrs_ratio * mean, marks, parameters)]


def _drinking(
    phantom: Phantom,
    singles: Sequence[Swallow],
    wanted: Provocation,
    start_s: float,
    rng: np.random.Generator,
) -> list[Swallow]:
    count = int(rng.integers(*_RDC_SWALLOWS, endpoint=True))
    gaps = rng.uniform(*_RDC_GAP_S, count - 1)
    onsets = start_s + np.concatenate([[0.0], np.cumsum(gaps)])
    template = max(singles, key=lambda item: item.wave.smooth_mmhg)
    run = [
        _inhibited(template, singles, float(at), float(gap), "rdc", rng)
        for at, gap in zip(onsets[:-1], gaps, strict=True)
    ]
    last = _calm(template, "rdc", float(onsets[-1]))
    run.append(last if wanted.rdc_after else _without_wave(last))
    if wanted.rdc == "pressurized":
        residual = rng.uniform(14.0, 20.0)
        run = [
            replace(item, les_residual_mmhg=max(item.les_residual_mmhg, residual)) for item in run
        ]
        for i in range(1, count - 2, 3):
            run[i] = replace(run[i], pressurizations=(_raised(phantom, rng),))
    return run


def _raised(phantom: Phantom, rng: np.random.Generator) -> Pressurization:
    """Panesophageal pressurization of some seconds, above every dip of the breathing."""
    tone = phantom.upright
    height = rng.uniform(27.0, 46.0) - tone.thoracic + 0.4 * tone.thoracic_swing
    start = rng.uniform(0.6, 1.2)
    return Pressurization(height, start, start + rng.uniform(2.0, 4.0), 0.1, ahead=False)


def _calm(template: Swallow, protocol: str, onset_s: float) -> Swallow:
    """Swallow of a test, with the contraction of a single one and no pressurization."""
    return replace(template, onset_s=onset_s, protocol=protocol, pressurizations=())


def _without_wave(swallow: Swallow) -> Swallow:
    wave = replace(swallow.wave, smooth_mmhg=0.0, repeats=())
    return replace(swallow, wave=wave, after_mmhg=0.0)


def _inhibited(
    template: Swallow,
    singles: Sequence[Swallow],
    onset_s: float,
    gap_s: float,
    protocol: str,
    rng: np.random.Generator,
) -> Swallow:
    """Swallow whose contraction the next one stops, and which holds the LES open until then."""
    quiet = _without_wave(_calm(template, protocol, onset_s))
    striated = quiet.wave.striated_mmhg * _WEAK_STRIATED * rng.uniform(0.7, 1.3)
    return replace(
        quiet,
        pharynx_mmhg=template.pharynx_mmhg * rng.uniform(0.8, 1.2),
        ues_open_s=min(template.ues_open_s, 0.45 * gap_s),
        ues_overshoot=0.4 * template.ues_overshoot,
        les_residual_mmhg=float(np.median([item.les_residual_mmhg for item in singles])),
        les_recover_s=gap_s + _HELD_S,
        wave=replace(quiet.wave, striated_mmhg=striated),
    )


def _uninhibited(phantom: Phantom, run: list[Swallow], template: Swallow) -> list[Swallow]:
    """Let the first wave pass, and keep the LES half closed."""
    tone = phantom.supine
    height = max(template.wave.smooth_mmhg, 50.0)
    out = []
    for i, item in enumerate(run):
        high = 0.5 * (item.les_residual_mmhg + tone.les)
        wave = replace(item.wave, smooth_mmhg=height) if i == 0 else item.wave
        out.append(replace(item, les_residual_mmhg=max(high, item.les_residual_mmhg), wave=wave))
    return out


def _dci(phantom: Phantom, swallow: Swallow, marks: Landmarks, parameters: Parameters) -> float:
    found = measure(phantom, swallow, marks, parameters, onset_s=swallow.onset_s, fitting=True)
    return found.dci_mmhg_s_cm


def _fitted_height(
    shell: Phantom, swallow: Swallow, goal: float, marks: Landmarks, parameters: Parameters
) -> Swallow:
    """Move the height of a contraction until its integral is the wanted one, in its block."""
    if swallow.wave.smooth_mmhg <= 0:
        swallow = replace(swallow, wave=replace(swallow.wave, smooth_mmhg=60.0))
    for _ in range(_FITS):
        block = replace(shell, swallows=(*shell.swallows, swallow))
        ratio = goal / max(_dci(block, swallow, marks, parameters), _LEAST_DCI)
        if abs(ratio - 1) < _FIT_SHARE:
            break
        wave = swallow.wave
        # What lies below the threshold of the integral does not grow with it.
        excess = max(wave.smooth_mmhg - 17.0, 3.0) * min(max(ratio, 0.4), 2.5)
        swallow = replace(swallow, wave=replace(wave, smooth_mmhg=17.0 + excess))
    return swallow
