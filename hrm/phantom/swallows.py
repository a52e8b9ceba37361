"""Draw one swallow and fit it to what was drawn for it, with the margins kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hrm.catalog import Parameters, find_limit
from hrm.errors import ParameterError
from hrm.phantom.field import Anatomy, Phantom, Pressurization, Swallow, Tone, Wave
from hrm.phantom.landmarks import Landmarks
from hrm.phantom.measure import RATE_HZ, STEP_CM, Measured, egj_sleeve, find_onset, irp, measure
from hrm.phantom.recipes import Kind, Range

MARGIN = 0.15
_ATTEMPTS = 40
_REDRAW_EVERY = 5
_COARSE = (25.0, 0.2)
_IRP_TOLERANCE_MMHG = 0.15
_LOWEST_RESIDUAL_MMHG = -3.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What one swallow is fitted to; None leaves a quantity free."""

    kind: Kind
    irp: float
    irp_span: Range
    dci: float
    latency: float
    gap: float
    pressurization: str
    level: float
    margin: float


def near_limit(quantity: str, value: float, margin: float) -> bool:
    """Whether `value` lies within `margin` (a share) of the limit of `quantity`."""
    limit = find_limit(quantity, system="manoscan", position="supine", cc_version="4.0")
    return limit is not None and abs(value / limit.value - 1) < margin


def between(rng: np.random.Generator, span: Range) -> float:
    """Draw a number, evenly over `span`."""
    return float(rng.uniform(*span))


def fitted_swallow(
    shell: Phantom,
    onset_s: float,
    posture: str,
    goal: Goal,
    marks: Landmarks,
    parameters: Parameters,
    rng: np.random.Generator,
) -> Swallow:
    """Draw swallows until one measures as wanted, with all margins kept."""
    for attempt in range(1, _ATTEMPTS + 1):
        swallow = _first_guess(shell, onset_s, posture, goal, rng)
        swallow = _fit(shell, swallow, goal, marks, parameters)
        truth = measure(replace(shell, swallows=(swallow,)), swallow, marks, parameters)
        if _acceptable(truth, goal):
            return swallow
        if attempt % _REDRAW_EVERY == 0:
            goal = _redrawn(goal, rng)
    raise ParameterError(
        f"no {goal.kind.type} swallow with these margins was found in {_ATTEMPTS} attempts; "
        "try another seed"
    )


def _first_guess(
    shell: Phantom, onset_s: float, posture: str, goal: Goal, rng: np.random.Generator
) -> Swallow:
    wave = _first_wave(shell.anatomy, goal, rng)
    tone = shell.tone(posture)
    opened = rng.uniform(0.6, 0.9)
    premature = goal.kind.type == "premature"
    recover = rng.uniform(7.0, 9.5)
    after = 0.0
    if wave.smooth_mmhg > 0:
        recover = float(wave.front(np.array([shell.anatomy.les_cm]))[0])
        if premature:
            # The contraction leaves the e-sleeve before the LES closes again.
            recover = goal.latency + rng.uniform(5.0, 6.5)
        recover = min(max(recover, 6.2), 11.0)
        span = (0.0, 0.2) if goal.kind.type == "failed" else (0.2, 0.9)
        after = between(rng, span) * tone.les
    return Swallow(
        onset_s=onset_s,
        posture=posture,
        protocol="single",
        pharynx_mmhg=rng.uniform(80.0, 200.0),
        pharynx_s=rng.uniform(0.3, 0.45),
        pharynx_cm_s=rng.uniform(10.0, 15.0),
        pharynx_sd_s=rng.uniform(0.1, 0.14),
        ues_residual_mmhg=rng.uniform(0.0, 7.0),
        ues_open_s=opened,
        ues_lift_cm=rng.uniform(1.0, 2.0),
        ues_overshoot=rng.uniform(0.2, 1.0),
        les_residual_mmhg=goal.irp,
        les_relax_s=rng.uniform(0.6, 0.9) if premature else rng.uniform(0.8, 1.5),
        les_recover_s=recover,
        after_mmhg=after,
        after_sd_s=rng.uniform(1.0, 1.8),
        wave=wave,
        pressurizations=_pressurizations(tone, wave, goal, rng),
    )


def _first_wave(anatomy: Anatomy, goal: Goal, rng: np.random.Generator) -> Wave:
    strong = goal.kind.type == "hypercontractile"
    length = anatomy.body_bottom_cm - anatomy.transition_cm
    above = rng.uniform(0.15, 0.5)
    fall = rng.uniform(1.5, 2.6) if strong else rng.uniform(0.8, 1.3)
    amplitude = 20.0 + goal.dci / (length * (fall + 0.5)) if goal.dci > 0 else 0.0
    repeats: tuple[tuple[float, float], ...] = ()
    if strong and rng.random() < 0.5:
        count = int(rng.integers(1, 3))
        repeats = tuple((2.6 * (i + 1), rng.uniform(0.5, 0.9)) for i in range(count))
    return Wave(
        striated_mmhg=rng.uniform(40.0, 110.0),
        striated_s=rng.uniform(0.75, 1.1),
        striated_cm_s=rng.uniform(3.5, 6.0),
        smooth_mmhg=amplitude,
        gap_top_cm=anatomy.transition_cm - above * goal.gap,
        gap_bottom_cm=anatomy.transition_cm + (1 - above) * goal.gap,
        edge_cm=rng.uniform(0.5, 0.9),
        dip=rng.uniform(0.0, 0.3),
        dip_cm=anatomy.body_bottom_cm - rng.uniform(4.0, 7.0),
        skew=rng.uniform(-0.2, 0.6),
        cdp_cm=anatomy.body_bottom_cm - rng.uniform(1.8, 3.4),
        cdp_s=goal.latency,
        fast_cm_s=between(rng, goal.kind.fast_cm_s),
        slow_cm_s=rng.uniform(0.9, 1.6),
        rise_s=rng.uniform(0.4, 0.58),
        fall_s=fall,
        repeats=repeats,
    )


def _pressurizations(
    tone: Tone, wave: Wave, goal: Goal, rng: np.random.Generator
) -> tuple[Pressurization, ...]:
    if goal.pressurization == "panesophageal":
        start = rng.uniform(2.6, 5.0)
        height = goal.level - tone.thoracic + 0.4 * tone.thoracic_swing
        return (Pressurization(height, start, start + rng.uniform(2.0, 5.5), 0.07, ahead=False),)
    if goal.pressurization == "compartmentalized":
        start = max(wave.cdp_s - rng.uniform(1.8, 3.2), 2.5)
        height = goal.level - tone.thoracic + 0.4 * tone.thoracic_swing
        return (Pressurization(height, start, wave.cdp_s + 1.5, 0.12, ahead=True),)
    height = rng.uniform(1.0, 9.0)
    if wave.smooth_mmhg <= 0:
        start = rng.uniform(2.5, 4.0)
        return (Pressurization(height, start, start + rng.uniform(2.0, 6.0), 0.3, ahead=False),)
    return (Pressurization(height, rng.uniform(2.2, 3.5), wave.cdp_s + 2.0, 0.4, ahead=True),)


def _fit(
    shell: Phantom, swallow: Swallow, goal: Goal, marks: Landmarks, parameters: Parameters
) -> Swallow:
    """Move height, time, gap and LES residual of a swallow until it measures as wanted."""
    onset = find_onset(replace(shell, swallows=(swallow,)), swallow, marks, parameters)
    rate, step = _COARSE if goal.margin else (RATE_HZ, STEP_CM)
    for _ in range(7):
        single = replace(shell, swallows=(swallow,))
        residual = goal.irp - _irp(single, marks, parameters, onset)
        residual = max(residual, _LOWEST_RESIDUAL_MMHG - swallow.les_residual_mmhg)
        ratio, late, wider = 1.0, 0.0, 0.0
        if swallow.wave.smooth_mmhg > 0:
            now = measure(
                *(single, swallow, marks, parameters),
                rate_hz=rate,
                step_cm=step,
                onset_s=onset,
                fitting=True,
            )
            ratio = goal.dci / max(now.dci_mmhg_s_cm, 1.0)
            late = goal.latency - now.distal_latency_s if now.distal_latency_s is not None else 0.0
            wider = goal.gap - now.break_cm if goal.kind.type == "fragmented" else 0.0
        off = (abs(ratio - 1) / 0.003, abs(late) / 0.01, abs(residual) / 0.05, abs(wider) / step)
        if max(off) < 1:
            break
        swallow = _moved(swallow, ratio, late, residual, wider)
    return swallow


def _irp(single: Phantom, marks: Landmarks, parameters: Parameters, onset: float) -> float:
    """IRP of the one swallow on a coarse grid [mmHg]."""
    rate, step = _COARSE
    sleeve = egj_sleeve(
        *(single, single.swallows[0], marks, parameters),
        onset_s=onset,
        rate_hz=rate,
        step_cm=step,
    )
    value = irp(sleeve, parameters, rate_hz=rate)
    # The schedule leaves room for the whole window after every onset.
    return math.nan if value is None else value


def _moved(swallow: Swallow, ratio: float, late: float, residual: float, wider: float) -> Swallow:
    wave = swallow.wave
    excess = max(wave.smooth_mmhg - 17.0, 3.0) * min(max(ratio, 0.4), 2.5)
    height = 17.0 + excess if wave.smooth_mmhg > 0 else 0.0
    return replace(
        swallow,
        les_residual_mmhg=max(swallow.les_residual_mmhg + residual, _LOWEST_RESIDUAL_MMHG),
        les_recover_s=min(max(swallow.les_recover_s + late, 6.2), 11.0),
        wave=replace(
            wave,
            smooth_mmhg=height,
            cdp_s=wave.cdp_s + late,
            gap_bottom_cm=wave.gap_bottom_cm + wider,
        ),
    )


def _acceptable(truth: Measured, goal: Goal) -> bool:
    """Whether a swallow is of its kind, with every limit that concerns it far enough."""
    if truth.type != goal.kind.type or truth.pressurization != goal.pressurization:
        return False
    relaxation = truth.irp4s_mmhg
    if relaxation is None:
        return False
    low, high = goal.irp_span
    if abs(relaxation - goal.irp) > _IRP_TOLERANCE_MMHG and not low <= relaxation <= high:
        return False
    if goal.margin == 0.0:
        return _on_the_edge(truth, goal)
    checks = [("dci_failed", truth.dci_mmhg_s_cm), ("dci_weak", truth.dci_mmhg_s_cm)]
    checks.append(("dci_hypercontractile", truth.dci_mmhg_s_cm))
    if truth.type not in ("failed", "weak"):
        if truth.distal_latency_s is None:
            return False
        checks.append(("dl_premature", truth.distal_latency_s))
        checks.append(("break_fragmented", truth.break_cm))
    return all(not near_limit(name, value, goal.margin) for name, value in checks)


def _on_the_edge(truth: Measured, goal: Goal) -> bool:
    """Whether the quantity that a borderline swallow is about came out as drawn."""
    low, high = goal.kind.dci
    if high / low < 1.1:
        return low * 0.997 <= truth.dci_mmhg_s_cm <= high * 1.003
    if goal.kind.type == "premature":
        return truth.distal_latency_s is not None and truth.distal_latency_s > 4.275
    return truth.break_cm <= 5.25


def _redrawn(goal: Goal, rng: np.random.Generator) -> Goal:
    """Draw another swallow of the same kind, IRP and pressurization."""
    kind = goal.kind
    return replace(
        goal,
        dci=dci_goal(kind, rng),
        latency=between(rng, kind.latency),
        gap=between(rng, kind.gap),
    )


def dci_goal(kind: Kind, rng: np.random.Generator) -> float:
    """Draw a DCI: log-uniform, and often nothing at all in a failed swallow."""
    low, high = kind.dci
    if low <= 0:
        return 0.0 if rng.random() < 0.7 else float(rng.uniform(10.0, high))
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))
