"""Everything that measuring one recording needs, prepared once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.corrections import SwallowReview
from hrm.detect.events import Told, protocols_told, read_events
from hrm.detect.gastric import gastric_reference, gastric_trace
from hrm.detect.proposal import (
    Proposal,
)
from hrm.detect.protocol import (
    StatedSwallow,
)
from hrm.metrics import chicago
from hrm.metrics.swallow import Anatomy
from hrm.metrics.swallow_types import SwallowLimits
from hrm.pipeline.missing import Missing, missing_sensors
from hrm.pipeline.quality import Cleaned, Doubts, bell_bridged, doubts
from hrm.preprocess.grid import window_field

T = TypeVar("T")

#: Not linear: it reads the IRP as PCHIP does, and the DCI farther below the truth.
_READ_BY = ("pchip", "cubic")


@dataclass(frozen=True)
class Study:
    """Everything that measuring one recording needs, prepared once.

    `pressure` is what is measured; `unfiltered` is the recording's own pressure
    where the noise filter applies, else None.
    """

    recording: xr.DataTree
    pressure: xr.DataArray
    unfiltered: xr.DataArray | None
    noise_mmhg: float
    cleaned: Cleaned
    usable: NDArray[np.bool_]
    proposal: Proposal
    reviews: Sequence[SwallowReview]
    stated: Sequence[StatedSwallow]
    posture: str
    system: str
    clinical: chicago.Clinical
    irp_limit: chicago.UserLimit | None
    limits: SwallowLimits
    parameters: Parameters

    @property
    def rate_hz(self) -> float:
        """Sampling rate [Hz]."""
        return float(self.recording.attrs["sampling_rate"])

    def field(
        self,
        window: tuple[float, float],
        *,
        pressure: xr.DataArray | None = None,
        near: slice | None = None,
        parameters: Parameters | None = None,
    ) -> xr.DataArray:
        """Interpolate one window of the study onto the depth grid.

        Parameters
        ----------
        window : tuple of float [s]
        pressure : DataArray (sensor, time) [mmHg], optional
            Instead of the study's own, of the same sensors.
        near : slice, optional
            Of the sensors.
        parameters : Parameters, optional
            Instead of the study's own.

        Returns
        -------
        DataArray (depth, time) [mmHg]
        """
        values = self.pressure if pressure is None else pressure
        rules = self.parameters if parameters is None else parameters
        usable, les = self.usable, self.proposal.landmarks.les_upper_cm
        if near is not None:
            values, usable = values[near], usable[near]
        return window_field(values, usable, *window, rules, les_upper_cm=les)

    def other_fields(self, window: tuple[float, float], key: str) -> dict[str, xr.DataArray]:
        """The same window by each kernel worth a second reading but the one reported.

        Parameters
        ----------
        window : tuple of float [s]
        key : {"interpolation.kernel", "interpolation.les_kernel"}

        Returns
        -------
        dict of str to DataArray (depth, time) [mmHg]
            By the names of the kernels, and ``bridged`` with a missing sensor of the LES as
            high as it may have been.
        """
        rules = self.parameters
        others = [name for name in _READ_BY if name != rules[key]]
        found = {name: self.field(window, parameters=rules.replace({key: name})) for name in others}
        if self.bell_bridged is not None:
            pressure, usable = self.bell_bridged
            les = self.proposal.landmarks.les_upper_cm
            found["bridged"] = window_field(pressure, usable, *window, rules, les_upper_cm=les)
        return found

    def kept(self, _name: str, _key: Hashable, make: Callable[[], T], /) -> T:
        """Give what depends on its key only; a study that is measured again may remember it."""
        return make()

    def for_swallow(self, k: int) -> Study:
        """Give the study with the landmarks that a reader set for swallow `k` alone.

        Returns
        -------
        Study
            This one where there are none. What events, sensors and quality say of the study
            is as it was: the borders of one swallow do not change it.
        """
        marks = self.proposal.landmarks
        own = self.reviews[k].landmarks(marks)
        if own is marks:
            return self
        other = replace(self, proposal=replace(self.proposal, landmarks=own))
        for name in ("told", "protocols_told", "doubts", "missing"):
            vars(other)[name] = getattr(self, name)
        return other

    @cached_property
    def told(self) -> list[Told]:
        """What the recording's events say of protocol and posture."""
        return read_events(self.recording["events"].to_dataset())

    @cached_property
    def protocols_told(self) -> list[str]:
        """The test to which the events put each swallow; ``unknown`` where they do not."""
        onsets = [onset.time_s for onset in self.proposal.onsets]
        return protocols_told(self.told, onsets, self.parameters)

    @cached_property
    def doubts(self) -> Doubts:
        """What speaks against single swallows and sphincters."""
        return doubts(self.cleaned, self.pressure, self.proposal, self.parameters)

    @cached_property
    def missing(self) -> Missing:
        """Which sensors are missing at which times."""
        return missing_sensors(self.cleaned.recorded, self.cleaned.sensors, self.parameters)

    @cached_property
    def les_missing(self) -> NDArray[np.bool_]:
        """Times at which the LES cannot be read, (time,)."""
        marks = self.proposal.landmarks
        return self.missing.in_sphincter(marks.les_upper_cm, marks.les_lower_cm)

    @cached_property
    def ues_missing(self) -> NDArray[np.bool_]:
        """Times at which the UES cannot be read, (time,)."""
        marks = self.proposal.landmarks
        return self.missing.in_sphincter(marks.ues_upper_cm, marks.ues_lower_cm)

    @cached_property
    def bell_bridged(self) -> tuple[xr.DataArray, NDArray[np.bool_]] | None:
        """The pressure with a missing LES sensor as high as it may have been, if one is."""
        return bell_bridged(self)

    @property
    def ues_status(self) -> str:
        """Why the pressures of the UES are not to be read; empty if they are."""
        status = self.proposal.landmarks.status
        return status.get("ues_upper_cm", "") or status.get("ues_lower_cm", "")

    def anatomy(self, onset_s: float, window: tuple[float, float]) -> Anatomy:
        """Give the landmarks and the gastric reference that hold for a window [s]."""
        marks = self.proposal.landmarks

        def reference() -> float:
            return gastric_reference(self.pressure, self.proposal, onset_s, self.parameters)

        zero = (onset_s, repr(marks.gastric_reference_mmhg), marks.gastric_sensors_cm)
        return Anatomy(
            ues_upper_cm=marks.ues_upper_cm,
            ues_lower_cm=marks.ues_lower_cm,
            ues_status=self.ues_status,
            les_upper_cm=marks.les_upper_cm,
            les_lower_cm=marks.les_lower_cm,
            crural_diaphragm_cm=marks.crural_diaphragm_cm,
            gastric_mmhg=self.kept("gastric", zero, reference),
            gastric_trace=gastric_trace(self.pressure, marks, window, self.parameters),
            transition_zone_cm=marks.transition_zone_cm,
        )

    @cached_property
    def end_s(self) -> float:
        """End of the recording [s]."""
        return float(self.pressure["time"].values[-1]) + 1.0 / self.rate_hz
