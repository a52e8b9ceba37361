"""One swallow as all draws make it: looked up in its table, with the error of its reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.metrics.swallow_types import SwallowLimits, swallow_type
from hrm.stability.model import Draws
from hrm.stability.table import Table


@dataclass(frozen=True)
class Drawn:
    """One swallow in every draw, all arrays (draw,); the zero of the pressures as found.

    Attributes
    ----------
    irp, ibp : array [mmHg]
    dci : array [mmHg s cm]
    distal_latency : array [s]
    break_length : array [cm]
    panesophageal : array of bool
    types : array of object
        Type of the swallow, or None where a number that decides is missing.
    """

    irp: NDArray[np.float64]
    dci: NDArray[np.float64]
    distal_latency: NDArray[np.float64]
    break_length: NDArray[np.float64]
    ibp: NDArray[np.float64]
    panesophageal: NDArray[np.bool_]
    types: NDArray[np.object_]


def drawn_swallow(table: Table, draws: Draws, k: int, limits: SwallowLimits) -> Drawn:
    """Give swallow `k` in every draw.

    Parameters
    ----------
    table : Table
        Of this swallow.
    draws : Draws
    k : int
    limits : SwallowLimits

    Returns
    -------
    Drawn
        Its numbers with the errors of reading. A contraction whose integral is read as
        failed has no front that could be timed, as in the pipeline; one that had none in
        the table and is read as more gets none.
    """
    at = (draws.border, draws.onset[:, k], draws.drift)
    # There is no contraction below none, and no break to misread where the contour has no gap.
    dci = np.maximum(table.dci[at] + draws.dci_mmhg_s_cm[:, k], 0.0)
    gap = table.break_length[at]
    gap = np.where(gap > 0.0, np.maximum(gap + draws.break_cm[:, k], 0.0), gap)
    failed = np.fromiter(map(limits.failed.crossed_by, dci.tolist()), dtype=bool)
    timed = [
        np.where(failed, np.nan, numbers)
        for numbers in (table.distal_latency[at], gap, table.ibp[at])
    ]
    kinds = [
        swallow_type(*numbers, limits).type
        for numbers in zip(dci.tolist(), timed[0].tolist(), timed[1].tolist(), strict=True)
    ]
    return Drawn(
        irp=table.irp[at],
        dci=dci,
        distal_latency=timed[0],
        break_length=timed[1],
        ibp=timed[2],
        panesophageal=table.panesophageal[at],
        types=np.array(kinds, dtype=object),
    )
