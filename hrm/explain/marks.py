"""Where the numbers of a swallow were read: what viewer and report draw over the pressure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from hrm.pipeline.one_swallow import SeenSwallow

#: Time drawn after the last onset of a block [s].
_AFTER_S = 1.0


class Told(NamedTuple):
    """What is known of a swallow beside its numbers; times in s."""

    posture: str
    protocol: str
    onset_s: float
    stop_s: float


def regions(seen: SeenSwallow) -> dict[str, Any]:
    """Say where the numbers of a swallow were read.

    Parameters
    ----------
    seen : SeenSwallow
        As it was measured.

    Returns
    -------
    dict
        ``cdp``, ``esleeve``, ``dci_box``, ``contour_mmhg``, ``landmarks``, as in the protocol
        of the viewer; times in s, depths in cm, None where there is none. Ready for JSON.
    """
    metrics, anatomy = seen.metrics, seen.anatomy
    places = {
        "ues_upper_cm": anatomy.ues_upper_cm,
        "ues_lower_cm": anatomy.ues_lower_cm,
        "transition_zone_cm": metrics.transition_zone_cm,
        "les_upper_cm": anatomy.les_upper_cm,
        "les_lower_cm": anatomy.les_lower_cm,
        "crural_diaphragm_cm": anatomy.crural_diaphragm_cm,
        "gastric_reference_mmhg": anatomy.gastric_mmhg,
    }
    wave, point = metrics.wave, metrics.cdp
    box = None
    if wave is not None and not wave.box.empty:
        depth = wave.box.depth
        box = {"time_s": [wave.start_s, wave.stop_s], "cm": [float(depth[0]), float(depth[-1])]}
    return {
        "cdp": None if point is None else {"time_s": point.time_s, "cm": point.depth_cm},
        "esleeve": _sleeve(seen),
        "dci_box": box,
        "contour_mmhg": known(metrics.front.level_mmhg) if metrics.front else None,
        "landmarks": {name: known(value) for name, value in places.items()},
    }


def _sleeve(seen: SeenSwallow) -> dict[str, Any] | None:
    sleeve = seen.metrics.sleeve
    if sleeve is None or "sleeve_cm" not in sleeve.detail:
        return None
    return {
        "cm": list(sleeve.detail["sleeve_cm"]),
        "time_s": list(sleeve.detail["window_s"]),
        "used": _runs(seen.metrics.irp4s.detail.get("times_s", ()), sleeve.step_s),
    }


def _runs(times: Any, step_s: float) -> list[list[float]]:
    """Stretches [s] of single samples that follow each other."""
    ordered = np.sort(np.asarray(times, dtype=np.float64))
    if not ordered.size:
        return []
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > 1.5 * step_s) + 1)
    return [[float(part[0]), float(part[-1]) + step_s] for part in parts]


def bands(rows: Sequence[Told]) -> list[dict[str, Any]]:
    """Bands of posture and of tests: neighbors that share them.

    Parameters
    ----------
    rows : sequence of Told
        Swallows in order of time.

    Returns
    -------
    list of dict
        ``time_s``, ``what``, ``of`` (``"posture"`` or ``"protocol"``); ready for JSON.
    """
    out: list[dict[str, Any]] = []
    for name in ("posture", "protocol"):
        for what, group in groupby(rows, key=attrgetter(name)):
            part = list(group)
            if what in ("unknown", "single"):
                continue
            end = part[-1].onset_s + _AFTER_S if name == "protocol" else part[-1].stop_s
            out.append({"time_s": [part[0].onset_s, end], "what": what, "of": name})
    for before, after in pairwise([block for block in out if block["of"] == "posture"]):
        # A posture lasts until another begins.
        before["time_s"][1] = max(before["time_s"][1], after["time_s"][0])
    return out


def no_regions() -> Mapping[str, Any]:
    """Give the regions of a swallow of which nothing is known."""
    empty = dict.fromkeys(("cdp", "esleeve", "dci_box", "contour_mmhg"))
    return {**empty, "landmarks": {}}


def known(value: float) -> float | None:
    """Give a number, or None for NaN."""
    return float(value) if math.isfinite(value) else None
