"""One swallow measured again at the levels of the perturbations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.metrics.irp import irp
from hrm.metrics.relaxation import relaxation_sleeve
from hrm.metrics.swallow import Anatomy, measure_swallow
from hrm.pipeline.quality import without_failed
from hrm.pipeline.study import Study
from hrm.stability.model import Model

#: Levels of border, onset and drift.
Levels = tuple[int, int, int]


@dataclass(frozen=True)
class Drifted:
    """A study under each pattern of residual drift, as it was read first."""

    study: Study
    model: Model

    @cached_property
    def studies(self) -> Sequence[Study]:
        """The study with the pressure of each pattern."""
        patterns = self.model.drift_mmhg[1:]
        return [self.study, *(replace(self.study, pressure=self._under(p)) for p in patterns)]

    def _under(self, pattern: NDArray[np.float64]) -> xr.DataArray:
        return drifted_pressure(self.study, pattern)


def drifted_pressure(study: Study, pattern: NDArray[np.float64]) -> xr.DataArray:
    """Add a residual drift to the pressure that is measured.

    Parameters
    ----------
    study : Study
    pattern : array (sensor,) [mmHg]
        At the end of the recording.

    Returns
    -------
    DataArray (sensor, time) float32 [mmHg]
        With a straight line from 0 at the end of the baseline, or from the start of the
        recording where there is none.
    """
    time = study.pressure["time"].values
    baseline = study.proposal.baseline
    start = float(time[0]) if baseline is None else baseline.stop_s
    share = np.clip((time - start) / max(float(time[-1]) - start, 1e-9), 0.0, 1.0)
    values = study.pressure.values + np.outer(pattern, share).astype(np.float32)
    return study.pressure.copy(data=values)


@dataclass(frozen=True)
class Node:
    """What the trees ask of one swallow, measured at one place; NaN where it is missing.

    `failed` says whether the contraction failed, so that it has no front to be timed.
    """

    irp: float
    dci: float
    distal_latency: float
    break_length: float
    ibp: float
    panesophageal: bool
    failed: bool


@dataclass(frozen=True)
class Place:
    """Where swallow `k` is measured.

    The field is interpolated once for each pattern of drift: borders and onsets only move
    what is cut out of it.
    """

    drifted: Drifted
    k: int

    @property
    def shape(self) -> Levels:
        """Number of levels of border, onset and drift."""
        return self.drifted.model.shape

    @property
    def study(self) -> Study:
        """The study as it was found."""
        return self.drifted.study

    def one_at_a_time(self) -> dict[Levels, Node]:
        """Measure at every level of one axis, the others being as found."""
        places = (at for at in np.ndindex(self.shape) if np.count_nonzero(at) < 2)
        return {_levels(at): self.node(_levels(at)) for at in places}

    def together(self) -> dict[Levels, Node]:
        """Measure at every combination of levels that differ on two axes or three."""
        places = (at for at in np.ndindex(self.shape) if np.count_nonzero(at) > 1)
        return {_levels(at): self.node(_levels(at)) for at in places}

    def pressures(self) -> NDArray[np.float64]:
        """IRP at every pair of border and onset, without drift [mmHg]."""
        borders, onsets, _ = self.shape
        out = np.array([[self._irp(b, o) for o in range(onsets)] for b in range(borders)])
        return np.full_like(out, np.nan) if "les" in self.study.doubts.failed_zones else out

    def node(self, at: Levels) -> Node:
        """Measure at one place.

        Parameters
        ----------
        at : tuple of int
            Levels of border, onset and drift.

        Returns
        -------
        Node
        """
        _, onset, drift = at
        metrics = measure_swallow(
            self._fields[drift],
            onset_s=self._onset_at(onset),
            stop_s=self._stop_s,
            anatomy=self._anatomy(at),
            limits=self.study.limits,
            parameters=self.study.parameters,
        )
        metrics = without_failed(metrics, self.study.doubts.failed_zones)
        return Node(
            irp=metrics.irp4s.value,
            dci=metrics.dci.value,
            distal_latency=metrics.distal_latency.value,
            break_length=metrics.break_length.value,
            ibp=metrics.ibp.value,
            panesophageal=metrics.pressurization == "panesophageal",
            failed=metrics.type.type == "failed",
        )

    @cached_property
    def _onset_s(self) -> float:
        return self.study.proposal.onsets[self.k].time_s

    @cached_property
    def _stop_s(self) -> float:
        following = [onset.time_s for onset in self.study.proposal.onsets[self.k + 1 :]]
        return min([self.study.end_s, *following[:1]])

    @cached_property
    def _fields(self) -> list[xr.DataArray]:
        """The window of all onsets under each pattern of drift."""
        reach = float(np.abs(self.drifted.model.onset_s).max())
        window = (
            max(0.0, self._onset_s - reach),
            min(self._onset_s + reach + self._longest_s, self._stop_s),
        )
        return [study.for_swallow(self.k).field(window) for study in self.drifted.studies]

    @property
    def _longest_s(self) -> float:
        return float(self.study.parameters["dci.window_repetitive_s"]) + 1.0

    def _onset_at(self, level: int) -> float:
        return max(0.0, self._onset_s + float(self.drifted.model.onset_s[level]))

    def _anatomy(self, at: Levels) -> Anatomy:
        border, onset, drift = at
        start = self._onset_at(onset)
        window = (start, min(start + self._longest_s, self._stop_s))
        found = self.drifted.studies[drift].for_swallow(self.k).anatomy(start, window)
        review = self.study.reviews[self.k]
        shift = float(self.drifted.model.border_cm[border])
        return replace(
            found,
            les_upper_cm=found.les_upper_cm + shift,
            les_lower_cm=found.les_lower_cm + shift,
            cdp_cm=review.cdp_cm,
            contour_mmhg=review.contour_mmhg,
        )

    def _irp(self, border: int, onset: int) -> float:
        anatomy = self._anatomy((border, onset, 0))
        sleeve = relaxation_sleeve(
            self._fields[0],
            onset_s=self._onset_at(onset),
            stop_s=self._stop_s,
            les_upper_cm=anatomy.les_upper_cm,
            les_lower_cm=anatomy.les_lower_cm,
            gastric_mmhg=anatomy.gastric_mmhg,
            gastric_trace=anatomy.gastric_trace,
            parameters=self.study.parameters,
        )
        return irp(sleeve, self.study.parameters).value


def _levels(at: tuple[int, ...]) -> Levels:
    border, onset, drift = at
    return border, onset, drift
