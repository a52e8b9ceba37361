"""Draw a phantom: anatomy, resting pressures, the course of the study, its swallows."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters, default_parameters, find_limit
from hrm.errors import ParameterError
from hrm.phantom.blocks import MRS_RUN_S, RDC_S, Provocation, provoked
from hrm.phantom.field import Anatomy, Breathing, Phantom, Swallow, Tone
from hrm.phantom.landmarks import Landmarks, find_landmarks
from hrm.phantom.recipes import (
    KINDS,
    PHENOTYPES,
    RECIPES,
    Range,
    Recipe,
    pressurized_swallows,
    swallow_kinds,
)
from hrm.phantom.swallows import MARGIN, Goal, between, dci_goal, fitted_swallow
from hrm.phantom.variability import varied

_UES_TONES = ("normal", "absent")
_INVERSIONS = ("crural", "les")
_NO_TESTS = Provocation(mrs_runs=0)


def draw(
    phenotype: str,
    *,
    seed: int,
    borderline: bool = False,
    n_supine: int = 10,
    n_upright: int = 5,
    interval_s: float = 30.0,
    hernia_cm: float = 0.0,
    ues_tone: str = "normal",
    doubles: int = 0,
    variability: float = 0.0,
    inversion: str = "crural",
    provocation: Provocation | None = None,
) -> Phantom:
    """Draw a synthetic study of a phenotype.

    Parameters
    ----------
    phenotype : str
        One of `PHENOTYPES`.
    seed : int
        The same seed gives the same study.
    borderline : bool
        Put the deciding quantity within 5 % of its limit; otherwise every
        quantity that decides keeps 15 % away.
    n_supine, n_upright : int
        Swallows in each posture.
    interval_s : float [s]
        Mean time between swallows, at least 20.
    hernia_cm : float [cm]
        Separation of LES and crural diaphragm, at most 6.
    ues_tone : {"normal", "absent"}
        Resting tone of the UES.
    doubles : int
        Supine swallows that are followed by a second one within 10 s.
    variability : float
        Coefficient of variation, at most 0.6, of the height of the contractions, from
        swallow to swallow and along the body. The swallows are fitted to the phenotype
        first and varied then: `truth` says what became of them.
    inversion : {"crural", "les"}
        In a hernia, where the sign of breathing turns round: at the diaphragm, or
        already at the LES.
    provocation : Provocation, optional
        Rapid swallows and rapid drinking, none by default.

    Returns
    -------
    Phantom

    Raises
    ------
    ParameterError
        If an argument cannot be used.

    Examples
    --------
    >>> from hrm.phantom import draw
    >>> len(draw("normal", seed=1, n_supine=2, n_upright=1).swallows)
    3
    """
    tests = _NO_TESTS if provocation is None else provocation
    _check(phenotype, n_supine, n_upright, interval_s, hernia_cm, ues_tone, doubles)
    _check_options(variability, inversion, hernia_cm, tests, n_upright)
    recipe, parameters = RECIPES[phenotype], default_parameters()
    rng = np.random.default_rng(
        [seed & 0xFFFFFFFF, zlib.crc32(phenotype.encode()), int(borderline)]
    )
    shell = _shell(phenotype, recipe, rng, borderline, hernia_cm, ues_tone)
    shell = _turned_round(shell, inversion, variability)
    shell, onsets = _schedule(shell, n_supine, n_upright, interval_s, tests, rng)
    shell, marks = _settle(shell, parameters)
    goals = [
        *_goals(recipe, "supine", n_supine, rng, borderline=borderline),
        *_goals(recipe, "upright", n_upright, rng, borderline=False),
    ]
    postures = ["supine"] * n_supine + ["upright"] * n_upright
    swallows = [
        fitted_swallow(shell, onset, posture, goal, marks, parameters, rng)
        for onset, posture, goal in zip(onsets, postures, goals, strict=True)
    ]
    failed = [goal.kind.type == "failed" for goal in goals]
    swallows = varied(swallows, failed, variability, shell.seed)
    last = max(interval_s, 30.0)
    starts = onsets[n_supine - 1] + last, onsets[-1] + last
    swallows = _doubled(swallows, rng.permutation(n_supine)[:doubles], rng)
    phantom = _in_order(shell, swallows)
    more = provoked(
        *(phantom, tests, marks, parameters), mrs_start_s=starts[0], rdc_start_s=starts[1]
    )
    return _in_order(phantom, [*swallows, *more])


def _in_order(shell: Phantom, swallows: list[Swallow]) -> Phantom:
    return replace(shell, swallows=tuple(sorted(swallows, key=lambda item: item.onset_s)))


def _check_options(
    variability: float, inversion: str, hernia_cm: float, tests: Provocation, n_upright: int
) -> None:
    faults = []
    if not 0.0 <= variability <= 0.6:
        faults.append(f"variability must be from 0 to 0.6, got {variability!r}")
    if inversion not in _INVERSIONS:
        faults.append(f"inversion must be one of {', '.join(_INVERSIONS)}, got {inversion!r}")
    elif inversion == "les" and hernia_cm < 1.0:
        faults.append("inversion 'les' is that of a hernia: hernia_cm must be at least 1")
    if tests.rdc != "none" and n_upright < 1:
        faults.append("rapid drinking is done upright: n_upright must be at least 1")
    if faults:
        raise ParameterError("cannot draw the phantom: " + "; ".join(faults))


def _turned_round(shell: Phantom, inversion: str, variability: float) -> Phantom:
    """Say how much the swallows vary, and move the level at which breathing turns round."""
    shell = replace(shell, variability=variability)
    if inversion != "les":
        return shell
    rng = np.random.default_rng([shell.seed, 103])
    hiatus = shell.anatomy.les_cm - rng.uniform(0.3, 0.8)
    return replace(shell, anatomy=replace(shell.anatomy, hiatus_cm=hiatus))


def _check(
    phenotype: str,
    n_supine: int,
    n_upright: int,
    interval_s: float,
    hernia_cm: float,
    ues_tone: str,
    doubles: int,
) -> None:
    faults = []
    if phenotype not in RECIPES:
        faults.append(f"phenotype must be one of {', '.join(PHENOTYPES)}, got {phenotype!r}")
    if n_supine < 1 or n_upright < 0:
        faults.append(f"expected n_supine >= 1 and n_upright >= 0, got {n_supine} and {n_upright}")
    if not 20.0 <= interval_s <= 600.0:
        faults.append(f"interval_s must be from 20 to 600 s, got {interval_s!r}")
    if not 0.0 <= hernia_cm <= 6.0:
        faults.append(f"hernia_cm must be from 0 to 6 cm, got {hernia_cm!r}")
    if ues_tone not in _UES_TONES:
        faults.append(f"ues_tone must be one of {', '.join(_UES_TONES)}, got {ues_tone!r}")
    if not 0 <= doubles <= n_supine:
        faults.append(f"doubles must be from 0 to n_supine, got {doubles!r}")
    if faults:
        raise ParameterError("cannot draw the phantom: " + "; ".join(faults))


def _shell(
    phenotype: str,
    recipe: Recipe,
    rng: np.random.Generator,
    borderline: bool,
    hernia_cm: float,
    ues_tone: str,
) -> Phantom:
    """Phantom without swallows, with a provisional length of the body."""
    ues, half = rng.uniform(19.0, 21.0), rng.uniform(1.35, 1.7)
    crural = ues + half + rng.uniform(19.6, 22.2)
    les = crural - (hernia_cm if hernia_cm > 0 else rng.uniform(0.0, 0.7))
    les_rest = between(rng, recipe.les)
    flat = bool(rng.random() < 0.4)
    order, sd = (3.5, rng.uniform(1.25, 1.6)) if flat else (2.0, rng.uniform(0.9, 1.2))
    top, bottom = ues + half, les - 1.7
    anatomy = Anatomy(
        ues_cm=ues,
        ues_half_cm=half,
        ues_order=rng.uniform(2.0, 3.5),
        pharynx_length_cm=rng.uniform(6.0, 8.0),
        body_top_cm=top,
        body_bottom_cm=bottom,
        transition_cm=top + rng.uniform(0.24, 0.34) * (bottom - top),
        les_cm=les,
        les_sd_cm=sd,
        les_order=order,
        crural_cm=crural,
        crural_sd_cm=rng.uniform(0.6, 0.85),
        hiatus_cm=crural - rng.uniform(0.3, 0.8),
        vessel_cm=top + rng.uniform(0.3, 0.5) * (bottom - top),
    )
    supine = Tone(
        gastric=rng.uniform(5.0, 10.0),
        thoracic=rng.uniform(0.5, 5.0),
        gastric_swing=rng.uniform(1.5, 4.0),
        thoracic_swing=rng.uniform(3.0, 7.0),
        crural_swing=rng.uniform(7.0, 18.0) if hernia_cm >= 1.0 else rng.uniform(2.0, 9.0),
        # Below the border fraction of the LES, so that a hernia's trough ends the LES.
        crural_tonic=rng.uniform(0.05, 0.15) * les_rest,
        les=les_rest,
        ues=rng.uniform(40.0, 110.0) if ues_tone == "normal" else rng.uniform(3.0, 9.0),
        vessel=rng.uniform(0.0, 4.0) if rng.random() < 0.5 else 0.0,
    )
    upright = replace(
        supine,
        gastric=supine.gastric + rng.uniform(-1.0, 2.0),
        thoracic=supine.thoracic - rng.uniform(0.0, 2.0),
        les=max(8.5, supine.les * rng.uniform(0.75, 0.95)),
    )
    breathing = Breathing(
        rate_hz=rng.uniform(0.2, 0.33),
        phase=rng.uniform(0.0, 2 * math.pi),
        wobble=rng.uniform(0.1, 0.5),
        wobble_hz=rng.uniform(0.02, 0.04),
        sharpness=rng.uniform(1.0, 1.6),
        pulse_hz=rng.uniform(0.95, 1.4),
    )
    name = recipe.borderline if borderline else ""
    seed = int(rng.integers(2**31))
    return Phantom(
        phenotype, seed, name, anatomy, supine, upright, math.inf, breathing, (), (), 0.0
    )


def _schedule(
    shell: Phantom,
    n_supine: int,
    n_upright: int,
    interval_s: float,
    tests: Provocation,
    rng: np.random.Generator,
) -> tuple[Phantom, list[float]]:
    """Lay the study out in time: quiet, supine block, posture change, quiet, upright block."""
    quiet = [(4.0, rng.uniform(44.0, 60.0))]
    onsets = _block(quiet[0][1] + 2.5, n_supine, interval_s, rng)
    upright_s = math.inf
    mrs_s = tests.mrs_runs * MRS_RUN_S
    if n_upright:
        upright_s = onsets[-1] + interval_s + rng.uniform(0.0, 5.0) + mrs_s
        start = upright_s + 5 * 3.0
        quiet.append((start, start + rng.uniform(34.0, 45.0)))
        onsets += _block(quiet[1][1] + 2.5, n_upright, interval_s, rng)
    duration = onsets[-1] + max(interval_s, 30.0) + (RDC_S if tests.rdc != "none" else 0.0)
    if not n_upright:
        duration += mrs_s
    return replace(shell, upright_s=upright_s, quiet_s=tuple(quiet), duration_s=duration), onsets


def _block(first: float, count: int, interval_s: float, rng: np.random.Generator) -> list[float]:
    steps = interval_s * rng.uniform(0.95, 1.08, count)
    return [float(first + value) for value in np.concatenate([[0.0], np.cumsum(steps[1:])])]


def _settle(shell: Phantom, parameters: Parameters) -> tuple[Phantom, Landmarks]:
    """Put the end of the body where the definition finds the upper LES border."""
    marks = find_landmarks(shell, parameters)
    anatomy = replace(shell.anatomy, body_top_cm=marks.ues_lower, body_bottom_cm=marks.les_upper)
    return replace(shell, anatomy=anatomy), marks


def _goals(
    recipe: Recipe, posture: str, count: int, rng: np.random.Generator, *, borderline: bool
) -> list[Goal]:
    kinds = swallow_kinds(recipe, count, rng, borderline=borderline)
    raised = pressurized_swallows(recipe, kinds, rng)
    irp = recipe.irp_upright if posture == "upright" else recipe.irp_supine
    span = _irp_span(irp, posture)
    if borderline and recipe.borderline == "irp4s":
        irp, span = recipe.borderline_irp, (math.inf, -math.inf)
    median = between(rng, irp)
    spread = rng.normal(0.0, rng.uniform(0.6, 1.6), count)
    spread -= np.median(spread) if count else 0.0
    return [
        Goal(
            kind=KINDS[kinds[i]],
            irp=max(median + float(spread[i]), 0.5),
            irp_span=span,
            dci=dci_goal(KINDS[kinds[i]], rng),
            latency=between(rng, KINDS[kinds[i]].latency),
            gap=between(rng, KINDS[kinds[i]].gap),
            pressurization=recipe.pressurization if i in raised else "none",
            level=between(rng, recipe.level),
            margin=0.0 if borderline and kinds[i].startswith("barely") else MARGIN,
        )
        for i in range(count)
    ]


def _irp_span(irp: Range, posture: str) -> Range:
    """All IRPs that lie on the side of `irp`, with the margin kept.

    A contraction that reaches the e-sleeve early puts a floor under the IRP: then
    any value that leaves the study's median where it belongs will do.
    """
    limit = find_limit("irp4s", system="manoscan", position=posture, cc_version="4.0")
    cut = limit.value if limit is not None else math.inf
    if irp[1] < cut:
        return -math.inf, min(irp[1], (1 - MARGIN) * cut)
    return max(irp[0], (1 + MARGIN) * cut), math.inf


def _doubled(
    swallows: list[Swallow], chosen: NDArray[np.intp], rng: np.random.Generator
) -> list[Swallow]:
    """Swallows with a second one 3 to 7 s after each chosen one, whose wave it inhibits."""
    out = list(swallows)
    for i in sorted(int(i) for i in chosen):
        first = out[i]
        second = replace(
            first,
            onset_s=first.onset_s + rng.uniform(3.0, 7.0),
            second=True,
            pharynx_mmhg=first.pharynx_mmhg * rng.uniform(0.8, 1.2),
        )
        stopped = replace(first.wave, smooth_mmhg=0.0, repeats=())
        out[i] = replace(first, wave=stopped, after_mmhg=0.0, pressurizations=())
        out.append(second)
    return out
