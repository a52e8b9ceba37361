"""Numbers of a swallow so near to a limit that a small change would alter its type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.metrics._base import Field, Measurement, cut
from hrm.metrics.dci import Contraction, dci
from hrm.metrics.front import Wavefront
from hrm.metrics.swallow_types import SwallowLimits

#: Lowest and greatest value that a number may as well have.
Range = tuple[float, float]


def borderline_ranges(
    numbers: Mapping[str, Measurement],
    limits: SwallowLimits,
    sensors_cm: NDArray[np.float64],
    parameters: Parameters,
) -> dict[str, Range]:
    """Ranges of the numbers that may lie on either side of a limit of the swallow types.

    Parameters
    ----------
    numbers : mapping of str to Measurement
        ``dci_mmhg_s_cm`` (its detail ``readings`` from `dci_readings`, if there are any),
        ``distal_latency_s`` and ``break_cm``, which may be missing.
    limits : SwallowLimits
    sensors_cm : array (sensor,) [cm]
        Depths of the sensors used, increasing.
    parameters : Parameters
        Those that start with ``borderline.`` and ``dl.borderline``.

    Returns
    -------
    dict of str to (float, float)
        For each borderline number the lowest and greatest value that it may as well
        have, in its own unit; the limit lies between them.
    """
    integral, latency, gap = (
        numbers[name] for name in ("dci_mmhg_s_cm", "distal_latency_s", "break_cm")
    )
    ranges = {
        "dci_mmhg_s_cm": _dci_range(integral, parameters),
        "distal_latency_s": _latency_range(latency, limits.premature.value, parameters),
        "break_cm": _break_range(gap, limits.fragmented.value, sensors_cm, parameters),
    }
    rows = {
        "dci_mmhg_s_cm": (limits.failed, limits.weak, limits.hypercontractile),
        "distal_latency_s": (limits.premature,),
        # A break decides only where the contraction is not ineffective already.
        "break_cm": () if limits.weak.crossed_by(integral.value) else (limits.fragmented,),
    }
    return {
        name: (low, high)
        for name, (low, high) in ranges.items()
        # Binary rounding must not decide at the very edge; with NaN nothing holds.
        if any(low - 1e-9 <= row.value <= high + 1e-9 for row in rows[name])
    }


def dci_readings(
    fields: Iterable[Field], wave: Contraction, front: Wavefront, parameters: Parameters
) -> tuple[float, ...]:
    """Contractile integrals with the pressure a little higher and lower, in each field.

    Parameters
    ----------
    fields : iterable of DataArray or Cut (depth, time) [mmHg]
        The swallow by each interpolation kernel.
    wave : Contraction
        Window and region, which stay as they are.
    front : Wavefront
    parameters : Parameters
        ``borderline.pressure_mmhg`` is the shift.

    Returns
    -------
    tuple of float [mmHg s cm]
        Two of each field; those that cannot be measured are left out.

    Notes
    -----
    The integral counts pressure above a threshold: a zero that is wrong by 1 mmHg changes
    it by 1 mmHg times the area inside the contour, which is much for a faint contraction
    and little for a strong one.
    """
    if wave.box.empty:
        return ()
    key, shift = "dci.threshold_mmhg", float(parameters["borderline.pressure_mmhg"])
    top, bottom = float(wave.box.depth[0]), float(wave.box.depth[-1])
    span = (wave.start_s, wave.stop_s)
    shifted = [parameters.replace({key: parameters[key] + step}) for step in (-shift, shift)]
    out = []
    for field in fields:
        own = Contraction(*span, cut(field, top, bottom, *span))
        out += [dci(own, front=front, parameters=rule).value for rule in shifted]
    return tuple(value for value in out if math.isfinite(value))


def _dci_range(integral: Measurement, parameters: Parameters) -> Range:
    """From the lowest to the greatest reading, each widened by the relative margin."""
    share = float(parameters["borderline.relative"])
    # Without a value (NaN) the readings say nothing: a comparison with NaN is false.
    values = [integral.value, *integral.detail.get("readings", ())]
    low, high = float(np.min(values)), float(np.max(values))
    return low / (1.0 + share), high / (1.0 - share)


def _latency_range(latency: Measurement, limit_s: float, parameters: Parameters) -> Range:
    """Margin of the onset (SPEC 2.6) and measured error of the front together."""
    error = float(parameters["dl.borderline_error_s"])
    earlier = parameters["dl.borderline_high_s"] - limit_s + error
    later = limit_s - parameters["dl.borderline_low_s"] + error
    return latency.value - earlier, latency.value + later


def _break_range(
    gap: Measurement, limit_cm: float, sensors_cm: NDArray[np.float64], parameters: Parameters
) -> Range:
    """Relative margin and a share of the sensor spacing at the ends of the gap."""
    margin = parameters["borderline.relative"] * limit_cm
    if "from_cm" in gap.detail:
        ends = (gap.detail["from_cm"], gap.detail["to_cm"])
        spacing = max(_spacing(sensors_cm, end) for end in ends)
        margin += parameters["borderline.break_spacings"] * spacing
    return gap.value - margin, gap.value + margin


def _spacing(sensors_cm: NDArray[np.float64], depth_cm: float) -> float:
    """Distance of the two sensors that enclose a depth [cm]; of the nearest two at a sensor."""
    below = int(np.searchsorted(sensors_cm, depth_cm + 1e-6))
    below = min(max(below, 1), len(sensors_cm) - 1)
    return float(sensors_cm[below] - sensors_cm[below - 1])
