"""Numbers of a swallow so near to a limit that a small change would alter its type."""

from __future__ import annotations

from collections.abc import Mapping

from hrm.catalog import Limit, Parameters
from hrm.metrics._base import Measurement
from hrm.metrics.swallow_types import SwallowLimits


def borderline_numbers(
    numbers: Mapping[str, Measurement], limits: SwallowLimits, parameters: Parameters
) -> list[str]:
    """Names of the numbers that lie close to a limit of the swallow types.

    Parameters
    ----------
    numbers : mapping of str to Measurement
        ``dci_mmhg_s_cm``, ``distal_latency_s`` and ``break_cm``, which may be missing.
    limits : SwallowLimits
    parameters : Parameters
        ``borderline.relative``, ``dl.borderline_low_s``, ``dl.borderline_high_s``.

    Returns
    -------
    list of str
    """
    dci, latency, gap = (
        numbers[name].value for name in ("dci_mmhg_s_cm", "distal_latency_s", "break_cm")
    )
    share = float(parameters["borderline.relative"])

    def near(value: float, row: Limit) -> bool:
        return abs(value - row.value) <= share * row.value

    sizes = (limits.failed, limits.weak, limits.hypercontractile)
    found = {
        "dci_mmhg_s_cm": any(near(dci, row) for row in sizes),
        "distal_latency_s": parameters["dl.borderline_low_s"]
        <= latency
        <= parameters["dl.borderline_high_s"],
        # A break decides only where the contraction is not ineffective already.
        "break_cm": not limits.weak.crossed_by(dci) and near(gap, limits.fragmented),
    }
    return [name for name, close in found.items() if close]
