"""Provocation tests of separate swallows: solid test swallows and the upright ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from hrm.catalog import Limit, Parameters
from hrm.metrics._base import Measurement, known
from hrm.metrics.provocation import Verdict
from hrm.metrics.study import PERCENTAGES, Row, irp_median, percentages

NO_SWALLOW = "no_swallow"
NOT_TOLD = "no_swallow_measured"


def solid_effective(
    dci: Sequence[float], break_cm: Sequence[float], *, fragmented: Limit, parameters: Parameters
) -> Measurement:
    """Share of solid test swallows that an effective contraction follows.

    Parameters
    ----------
    dci : sequence of float [mmHg s cm]
        Of every pharyngeal swallow of the test, measured up to the next one.
    break_cm : sequence of float [cm]
        Longest break of each; NaN where nothing contracts.
    fragmented : Limit
        Row of a large break.
    parameters : Parameters

    Returns
    -------
    Measurement [%]
        Effective: above ``solid.effective_mmhg_s_cm`` and no large break (SPEC section
        6). Swallows that cannot be told are left out. Detail: ``counted``,
        ``effective``, ``unknown``; ``told``, of each swallow, None where it cannot be.
    """
    told = [_effective(a, b, fragmented, parameters) for a, b in zip(dci, break_cm, strict=True)]
    counted = [value for value in told if value is not None]
    detail = {
        "counted": len(counted),
        "effective": sum(counted),
        "unknown": len(told) - len(counted),
        "told": told,
    }
    if not counted:
        return Measurement(math.nan, NOT_TOLD if told else NO_SWALLOW, detail)
    return Measurement(100.0 * sum(counted) / len(counted), detail=detail)


def _effective(
    dci: float, break_cm: float, fragmented: Limit, parameters: Parameters
) -> bool | None:
    if not known(dci):
        return None
    if not dci > parameters["solid.effective_mmhg_s_cm"]:
        return False
    return not fragmented.crossed_by(break_cm) if known(break_cm) else None


def solid_normal(effective: Measurement, parameters: Parameters) -> Verdict:
    """Whether enough solid test swallows are effective.

    Parameters
    ----------
    effective : Measurement [%]
        From `solid_effective`.
    parameters : Parameters

    Returns
    -------
    Verdict
        More than ``solid.normal_share`` (SPEC section 6).
    """
    if not known(effective.value):
        return Verdict(None, effective.status)
    key = "solid.normal_share"
    return Verdict(effective.value > 100.0 * parameters[key] + 1e-9, rows=(key,))


def upright_summary(rows: Sequence[Row]) -> dict[str, float]:
    """What the upright single swallows amount to.

    Parameters
    ----------
    rows : sequence of Row
        Every swallow of the study.

    Returns
    -------
    dict of str to float
        ``n_evaluable``; ``irp4s_median_mmhg`` and ``dci_median_mmhg_s_cm``; then
        ``percent_contracting`` (not failed: peristalsis that reappears) and the shares of
        `hrm.metrics.study.PERCENTAGES`. NaN without a swallow. No upright limit of the
        DCI is agreed: the types are by the supine ones (SPEC section 5.2).
    """
    counted = [row for row in rows if row.evaluable and row.posture == "upright"]
    sizes = [row.metrics["dci_mmhg_s_cm"] for row in counted]
    sizes = [size for size in sizes if known(size)]
    shares = percentages(rows, "upright")
    return {
        "n_evaluable": float(len(counted)),
        "irp4s_median_mmhg": irp_median(rows, "upright"),
        "dci_median_mmhg_s_cm": statistics.median(sizes) if sizes else math.nan,
        "percent_contracting": 100.0 - shares["failed"],
        **{f"percent_{name}": shares[name] for name in PERCENTAGES},
    }
