"""Where a catheter lies in a phantom, and which of its sensors lies where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hrm import catalog
from hrm.catalog import default_parameters
from hrm.errors import ParameterError
from hrm.phantom.field import Array, Phantom
from hrm.phantom.landmarks import find_landmarks

PLACES = ("pharynx", "ues", "body", "les", "stomach")
_FARTHEST_CM = 2.0


def sensor_depths(catheter: str | Sequence[float]) -> Array:
    """Sensor positions below the first sensor [cm].

    Raises
    ------
    ParameterError
        If the model is unknown or has no positions, or positions do not increase.
    """
    if isinstance(catheter, str):
        known = {name: row for name, row in catalog.catheters().items() if row.depths_cm}
        if catheter not in known:
            raise ParameterError(
                f"unknown catheter {catheter!r}; models with positions: {', '.join(known)}"
            )
        return np.array(known[catheter].depths_cm)
    depths = np.asarray(catheter, dtype=np.float64)
    if depths.ndim != 1 or depths.size < 2 or not (np.diff(depths) > 0).all():
        raise ParameterError("expected at least two sensor depths in cm, increasing downwards")
    return np.asarray(depths - depths[0])


def default_offset(phantom: Phantom, catheter: str | Sequence[float] = "manoscan-36") -> float:
    """Place a catheter as a physician would [cm, phantom axis, of the first sensor].

    An evenly spaced catheter keeps about 3.5 cm in the stomach where it is long
    enough, and at least 2 cm of pharynx; one with a dense part gets that part
    across the EGJ. The placement varies by some mm from phantom to phantom.
    """
    depths = sensor_depths(catheter)
    marks = find_landmarks(phantom, default_parameters())
    jitter = float(np.random.default_rng([phantom.seed, 77]).uniform(-0.5, 0.5))
    bottom = max(marks.les_lower, marks.crural)
    steps = np.diff(depths)
    if np.ptp(steps) > 1e-6:
        dense = _dense_part(depths)
        return 0.5 * (marks.les_upper + bottom) - dense + 0.6 * jitter
    slack = float(depths[-1]) - (bottom - marks.ues_upper)
    gastric = 3.5 if slack >= 7.5 else max(0.45 * slack, slack - 3.0)
    return bottom + gastric - float(depths[-1]) + jitter * min(1.0, max(slack, 0.0) / 6.0)


def _dense_part(depths: Array) -> float:
    """Middle of the longest run of the closest spacing [cm]."""
    steps = np.diff(depths)
    close = np.concatenate([[0], (steps <= steps.min() + 1e-6).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(close)).reshape(-1, 2)
    start, stop = max(edges.tolist(), key=lambda edge: edge[1] - edge[0])
    return float(0.5 * (depths[start] + depths[stop]))


def sensor_at(
    phantom: Phantom,
    place: str,
    *,
    catheter: str | Sequence[float] = "manoscan-36",
    offset_cm: float | None = None,
) -> int:
    """Index of the sensor nearest to the middle of a place.

    Parameters
    ----------
    phantom : Phantom
    place : {"pharynx", "ues", "body", "les", "stomach"}
    catheter : str or sequence of float [cm]
        As for `hrm.phantom.sample`.
    offset_cm : float [cm], optional
        Position of the first sensor on the phantom's axis, as for `sample`.

    Raises
    ------
    ParameterError
        If the place is unknown, or no sensor is within 2 cm of it.
    """
    if place not in PLACES:
        raise ParameterError(f"expected one of {', '.join(PLACES)}, got {place!r}")
    marks, anatomy = find_landmarks(phantom, default_parameters()), phantom.anatomy
    middle = {
        "pharynx": anatomy.ues_cm - anatomy.ues_half_cm - 1.5,
        "ues": anatomy.ues_cm,
        "body": 0.5 * (anatomy.transition_cm + marks.les_upper),
        "les": anatomy.les_cm,
        "stomach": max(marks.les_lower, marks.crural) + 2.0,
    }[place]
    offset = default_offset(phantom, catheter) if offset_cm is None else offset_cm
    away = np.abs(sensor_depths(catheter) + offset - middle)
    nearest = int(away.argmin())
    if not away[nearest] <= _FARTHEST_CM:
        raise ParameterError(
            f"no sensor of this catheter lies within {_FARTHEST_CM:g} cm of the {place}"
        )
    return nearest
