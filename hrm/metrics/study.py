"""What the swallows of one study amount to: medians and percentages."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Protocol

from hrm.schema import POSTURES

PERCENTAGES = (
    "failed",
    "weak",
    "ineffective",
    "fragmented",
    "premature",
    "hypercontractile",
    "panesophageal",
)
_INEFFECTIVE = ("failed", "weak", "fragmented")


class Row(Protocol):
    """What is needed of a measured swallow."""

    @property
    def evaluable(self) -> bool:
        """Whether it counts."""

    @property
    def posture(self) -> str:
        """One of `hrm.schema.POSTURES`."""

    @property
    def type(self) -> str | None:
        """Type of the swallow."""

    @property
    def flags(self) -> Sequence[str]:
        """Remarks; ``premature`` and ``hypercontractile`` may both be there."""

    @property
    def pressurization(self) -> str:
        """Pattern of pressurization."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Numbers by the name they have in the contract."""


class ReadRow(Row, Protocol):
    """A measured swallow whose IRP was read in several ways."""

    @property
    def irp_readings(self) -> Mapping[str, float]:
        """IRP by other admissible readings (see `hrm.metrics.irp.irp_readings`)."""


def primary_posture(rows: Sequence[Row]) -> str:
    """Posture whose swallows make the percentages: supine when there is any."""
    seen = [row.posture for row in rows if row.evaluable]
    return next((posture for posture in POSTURES if posture in seen), "unknown")


def irp_median(rows: Sequence[Row], posture: str) -> float:
    """Median IRP-4s over the evaluable swallows of a posture [mmHg].

    Parameters
    ----------
    rows : sequence of Row
    posture : str

    Returns
    -------
    float
        NaN without any (SPEC section 4).
    """
    return metric_median(rows, posture, "irp4s_mmhg")


def metric_median(rows: Sequence[Row], posture: str, name: str) -> float:
    """Median of a number over the evaluable swallows of a posture, in its unit.

    Parameters
    ----------
    rows : sequence of Row
    posture : str
    name : str
        As in the contract.

    Returns
    -------
    float
        NaN where no such swallow has it.
    """
    values = [row.metrics[name] for row in rows if row.evaluable and row.posture == posture]
    values = [value for value in values if math.isfinite(value)]
    return statistics.median(values) if values else math.nan


def irp_readings_medians(rows: Sequence[ReadRow]) -> dict[str, dict[str, float]]:
    """Median IRP-4s by every other admissible reading, for each posture [mmHg].

    Parameters
    ----------
    rows : sequence of ReadRow

    Returns
    -------
    dict of str to dict of str to float
        By posture, of the evaluable swallows, and then by the name of the reading.
    """
    good = [row for row in rows if row.evaluable]
    own = {name: [r.irp_readings for r in good if r.posture == name] for name in POSTURES}
    return {name: median_readings(readings) for name, readings in own.items() if any(readings)}


def median_readings(readings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median over swallows of each reading that they have.

    Parameters
    ----------
    readings : sequence of mapping of str to float

    Returns
    -------
    dict of str to float
    """
    names = dict.fromkeys(name for row in readings for name in row)
    return {name: statistics.median([r[name] for r in readings if name in r]) for name in names}


def percentages(rows: Sequence[Row], posture: str) -> dict[str, float]:
    """Share of each kind among the evaluable swallows of a posture [%].

    Parameters
    ----------
    rows : sequence of Row
    posture : str

    Returns
    -------
    dict
        By the names of `PERCENTAGES`; NaN without any swallow. Ineffective is
        failed, weak or fragmented, as in Chicago Classification v4.0 (GYA21).
    """
    counted = [row for row in rows if row.evaluable and row.posture == posture]
    if not counted:
        return dict.fromkeys(PERCENTAGES, math.nan)

    def share(hits: Sequence[bool]) -> float:
        return 100.0 * sum(hits) / len(counted)

    out = {
        name: share([row.type == name for row in counted])
        for name in ("failed", "weak", "fragmented")
    }
    out["ineffective"] = share([row.type in _INEFFECTIVE for row in counted])
    # Premature and hypercontractile do not exclude each other; both are counted.
    for name in ("premature", "hypercontractile"):
        out[name] = share([name in row.flags for row in counted])
    out["panesophageal"] = share([row.pressurization == "panesophageal" for row in counted])
    return {name: out[name] for name in PERCENTAGES}
