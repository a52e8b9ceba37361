"""Contractile front velocity."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import ANY, Parameters, find_limit
from hrm.kernels.hinge import pair_slopes_1d
from hrm.metrics._base import NO_WAVEFRONT, Measurement
from hrm.metrics.front import DecelerationPoint, Wavefront

FRONT_TOO_SHORT = "front_too_short"
SIMULTANEOUS = "front_simultaneous"
RETROGRADE = "front_retrograde"


def contractile_front_velocity(
    front: Wavefront | None, point: DecelerationPoint | None, *, parameters: Parameters
) -> Measurement:
    """Velocity of the contractile front from the transition zone to the deceleration point.

    Parameters
    ----------
    front : Wavefront or None
        From the transition zone down (see `hrm.metrics.front.wavefront`).
    point : DecelerationPoint or None
        By any method; a reader's moves the velocity with it.
    parameters : Parameters

    Returns
    -------
    Measurement [cm/s]
        Reciprocal slope of a line through the times of the front; depths that the front
        does not reach are left out. NaN where it has no velocity: shorter than
        ``cdp.shortest_front_cm``, at one time to within ``cdp.resolution_s``, or running
        upward. Detail: ``slope_s_per_cm``, ``from_cm``, ``to_cm`` and the ``level_mmhg``
        of the contour.

    Notes
    -----
    SPEC section 5.4. The slope is the median over all pairs of depths (Theil and Sen).
    Beside the transition zone the contraction fades, and its contour bends back in time;
    a least-squares line is tilted by these few lines of the grid, by up to 40 % on the
    phantom, and the median is not.
    """
    if front is None or point is None:
        return Measurement.missing(NO_WAVEFRONT)
    # A micrometer keeps the binary rounding of depths out.
    used = np.isfinite(front.arrival) & (front.depth <= point.depth_cm + 1e-6)
    z, t = front.depth[used], front.arrival[used]
    if z.size < 2:
        return Measurement.missing(NO_WAVEFRONT)
    length = float(z[-1] - z[0])
    if length < parameters["cdp.shortest_front_cm"] - 1e-6:
        return Measurement.missing(FRONT_TOO_SHORT)
    slope = _slope(z, t)
    detail = {
        "slope_s_per_cm": slope,
        "from_cm": float(z[0]),
        "to_cm": float(z[-1]),
        "level_mmhg": front.level_mmhg,
    }
    if abs(slope) * length <= parameters["cdp.resolution_s"]:
        return Measurement(math.nan, SIMULTANEOUS, detail)
    if slope < 0.0:
        return Measurement(math.nan, RETROGRADE, detail)
    return Measurement(1.0 / slope, detail=detail)


def _slope(z: NDArray[np.float64], t: NDArray[np.float64]) -> float:
    return float(np.median(pair_slopes_1d(z, t)))


def is_rapid(velocity: Measurement) -> bool | None:
    """Whether a front is rapid by the classification of 2012.

    Parameters
    ----------
    velocity : Measurement [cm/s]
        From `contractile_front_velocity`.

    Returns
    -------
    bool or None
        By the row ``cfv_rapid`` of version 2.0; a front that is everywhere at one time
        is. None where it cannot be told. Versions 3.0 and 4.0 have no such criterion
        (SPEC section 5.4): this is a description, which decides no diagnosis there.
    """
    if velocity.status == SIMULTANEOUS:
        return True
    limit = find_limit("cfv_rapid", system=ANY, position=ANY, cc_version="2.0")
    if limit is None or not math.isfinite(velocity.value):
        return None
    return limit.crossed_by(velocity.value)
