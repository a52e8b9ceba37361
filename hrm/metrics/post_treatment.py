"""What can be said of a study after myotomy, dilation or another foregut operation.

The Chicago Classification is for primary disorders; here the values stand without
a label, to be compared with those before treatment (SPEC section 10).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hrm.metrics.study import Row, irp_median, percentages, primary_posture
from hrm.schema import POSTURES

_NOTE = (
    "after an operation no Chicago label is given: report the change from before treatment in "
    "the same posture and system, and do not call obstruction from the IRP alone"
)


def describe(
    rows: Sequence[Row], egj: Mapping[str, float], *, prior_surgery: str
) -> dict[str, Any]:
    """Describe a study after treatment.

    Parameters
    ----------
    rows : sequence of Row
    egj : mapping of str to float
        ``basal_mean_mmhg`` and ``basal_end_expiratory_mmhg``.
    prior_surgery : str

    Returns
    -------
    dict
        None where a number was not measured.
    """
    posture = primary_posture(rows)
    counted = [row for row in rows if row.evaluable and row.posture == posture]
    shares = percentages(rows, posture)
    contracting = [row for row in counted if row.type not in (None, "failed")]
    sizes = [row.metrics["dci_mmhg_s_cm"] for row in counted]
    # With NaN among the values, max would depend on their order.
    greatest = max(filter(math.isfinite, sizes), default=math.nan)
    medians = {f"irp4s_median_{name}_mmhg": _plain(irp_median(rows, name)) for name in POSTURES}
    return {
        "prior_surgery": prior_surgery,
        "posture": posture,
        "n_evaluable": len(counted),
        **medians,
        "basal_mean_mmhg": _plain(egj.get("basal_mean_mmhg", math.nan)),
        "basal_end_expiratory_mmhg": _plain(egj.get("basal_end_expiratory_mmhg", math.nan)),
        "percent_with_contraction": _plain(
            100.0 * len(contracting) / len(counted) if counted else math.nan
        ),
        "percent_panesophageal": _plain(shares["panesophageal"]),
        "percent_premature": _plain(shares["premature"]),
        "greatest_dci_mmhg_s_cm": _plain(greatest),
        "note": _NOTE,
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
