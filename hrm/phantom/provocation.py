"""What a provocation test of a phantom shows, by definition on the noise-free field (SPEC 6)."""

from __future__ import annotations

from typing import Any

import numpy as np

from hrm.catalog import Parameters, find_limit
from hrm.phantom.field import Array, Phantom, Swallow
from hrm.phantom.grid import Mask, long_runs
from hrm.phantom.landmarks import Landmarks
from hrm.phantom.measure import RATE_HZ, STEP_CM, Measured, lowest_mean

_RUN_GAP_S = 10.0
_RDC_LEVELS_MMHG = (20.0, 30.0)


def runs_of(phantom: Phantom, protocol: str) -> list[list[int]]:
    """Indices of the swallows of each run of a test."""
    chosen = [i for i, item in enumerate(phantom.swallows) if item.protocol == protocol]
    out: list[list[int]] = []
    for i in chosen:
        before = phantom.swallows[out[-1][-1]].onset_s if out else -np.inf
        if phantom.swallows[i].onset_s - before > _RUN_GAP_S:
            out.append([])
        out[-1].append(i)
    return out


def provocation(
    phantom: Phantom,
    found: list[Measured],
    marks: Landmarks,
    parameters: Parameters,
    single_dci: float | None,
) -> dict[str, Any]:
    """Measure the provocation tests.

    Parameters
    ----------
    phantom : Phantom
    found : list of Measured
        Of every swallow, in order.
    marks : Landmarks
    parameters : Parameters
    single_dci : float [mmHg s cm], optional
        Mean over the evaluable supine single swallows.

    Returns
    -------
    dict
        ``mrs`` with its ``runs`` and ``ratio`` (the largest contraction after a run,
        over the mean of the single swallows), and ``rdc``; None for a test not done.
    """
    mrs = [_run(phantom, run, found, marks, parameters) for run in runs_of(phantom, "mrs")]
    rdc = [_drinking(phantom, run, found, marks, parameters) for run in runs_of(phantom, "rdc")]
    return {"mrs": _mrs(mrs, single_dci) if mrs else None, "rdc": rdc[0] if rdc else None}


def _mrs(runs: list[dict[str, Any]], single_dci: float | None) -> dict[str, Any]:
    best = max(run["dci_after_mmhg_s_cm"] for run in runs)
    return {
        "runs": runs,
        "single_dci_mean_mmhg_s_cm": single_dci,
        "ratio": best / single_dci if single_dci else None,
    }


def _run(
    phantom: Phantom,
    indices: list[int],
    found: list[Measured],
    marks: Landmarks,
    parameters: Parameters,
) -> dict[str, Any]:
    """What every run of rapid swallows shows, multiple swallows or drinking."""
    swallows = [phantom.swallows[i] for i in indices]
    start = swallows[0].onset_s + float(parameters["dci.start_s"])
    stop = swallows[-1].onset_s + float(parameters["dci.start_s"])
    body = _body(phantom, marks, start, stop)
    excess = np.maximum(body - float(parameters["dci.threshold_mmhg"]), 0.0)
    box = float(np.trapezoid(excess.sum(axis=1), dx=STEP_CM) / RATE_HZ)
    excess[:, _plateau(body, parameters)] = 0.0
    during = float(np.trapezoid(excess.sum(axis=1), dx=STEP_CM) / RATE_HZ)
    limit = find_limit("dci_failed", system="manoscan", position="supine", cc_version="4.0")
    return {
        "start_s": swallows[0].onset_s,
        "stop_s": swallows[-1].onset_s,
        "onsets_s": [item.onset_s for item in swallows],
        "dci_during_box_mmhg_s_cm": box,
        "dci_during_mmhg_s_cm": during,
        "inhibited": limit is not None and limit.crossed_by(during),
        "les_during_mmhg": float(np.median(_sleeve(phantom, swallows, marks, parameters))),
        "dci_after_mmhg_s_cm": found[indices[-1]].dci_mmhg_s_cm,
    }


def _drinking(
    phantom: Phantom,
    indices: list[int],
    found: list[Measured],
    marks: Landmarks,
    parameters: Parameters,
) -> dict[str, Any]:
    out = _run(phantom, indices, found, marks, parameters)
    swallows = [phantom.swallows[i] for i in indices]
    body = _body(
        *(phantom, marks, out["start_s"], out["stop_s"]),
        top=marks.ues_lower + float(parameters["pep.below_ues_cm"]),
        bottom=marks.les_upper - float(parameters["pep.above_les_cm"]),
    )
    share = float(parameters["pep.share"])
    for level in _RDC_LEVELS_MMHG:
        filled = (body >= level).mean(axis=0) >= share
        out[f"pressurized_{level:.0f}_percent"] = 100.0 * float(filled.mean())
    count = round(float(parameters["irp.duration_s"]) * RATE_HZ)
    sleeve = _sleeve(phantom, swallows, marks, parameters)
    limit = find_limit("dci_failed", system="manoscan", position="supine", cc_version="4.0")
    return {
        **out,
        "irp4s_mmhg": lowest_mean(sleeve, count),
        "after_contraction": limit is not None and not limit.crossed_by(out["dci_after_mmhg_s_cm"]),
    }


def _plateau(body: Array, parameters: Parameters) -> Mask:
    """Times at which most of the body is raised evenly: pressurization, no contraction."""
    share = (body >= float(parameters["dci.threshold_mmhg"])).mean(axis=0)
    flat = share >= float(parameters["dci.plateau_fraction"])
    flat &= body.std(axis=0) < float(parameters["dci.plateau_sd_mmhg"])
    return long_runs(flat, round(float(parameters["dci.plateau_s"]) * RATE_HZ))


def _body(
    phantom: Phantom,
    marks: Landmarks,
    start_s: float,
    stop_s: float,
    *,
    top: float | None = None,
    bottom: float | None = None,
) -> Array:
    """Field of the body over an interval, by default below the transition zone [mmHg]."""
    first = phantom.anatomy.transition_cm if top is None else top
    last = marks.les_upper if bottom is None else bottom
    z = last - STEP_CM * np.arange(round((last - first) / STEP_CM), -1, -1)
    return phantom.pressure(np.arange(start_s, stop_s, 1 / RATE_HZ), z)


def _sleeve(
    phantom: Phantom, swallows: list[Swallow], marks: Landmarks, parameters: Parameters
) -> Array:
    """e-sleeve above the stomach, from the first relaxation to the last swallow [mmHg]."""
    start = swallows[0].onset_s + swallows[0].les_relax_s + 0.5
    t = np.arange(start, swallows[-1].onset_s, 1 / RATE_HZ)
    top = marks.les_upper - float(parameters["irp.sleeve_above_cm"])
    length = float(parameters["irp.sleeve_length_cm"])
    z = np.linspace(top, top + length, round(length / STEP_CM) + 1)
    return np.asarray(phantom.pressure(t, z).max(axis=0) - marks.gastric(swallows[0].posture))
