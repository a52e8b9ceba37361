"""What is asked for, and the marks that several explanations share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm.catalog import Parameters
from hrm.evidence import Bools, DepthLine, Evidence, FieldWindow, Floats, Mark, Trace
from hrm.explain.workings import Workings
from hrm.pipeline.one_swallow import SeenSwallow

#: What a source of evidence returns: the number as it came out again, and its evidence.
Answer = tuple[Any, Evidence]
#: Time shown before a swallow [s]; after its window the field simply ends.
LEAD_S = 3.0
#: Depth shown above the EGJ [cm].
_ABOVE_CM = 6.0


@dataclass(frozen=True)
class Request:
    """A metric of one study, swallow (from 0) or run (from 0)."""

    own: Workings
    name: str
    k: int = 0
    unfiltered: bool = False
    run: int = 0

    @property
    def parameters(self) -> Parameters:
        """Parameters that the study was measured with."""
        return self.own.parameters

    @property
    def seen(self) -> SeenSwallow:
        """The swallow as it was measured."""
        return self.own.swallow(self.k, unfiltered=self.unfiltered)

    @property
    def onset_s(self) -> float:
        """Onset of the swallow [s]."""
        return self.own.study.proposal.onsets[self.k].time_s

    def around(self, start_s: float, stop_s: float) -> FieldWindow | None:
        """Pressure between two times [s]."""
        return self.own.window(start_s, stop_s)

    def swallow_field(self) -> FieldWindow | None:
        """Pressure of the swallow, from before its onset to where its window ends."""
        return self.own.window(self.onset_s - LEAD_S, self.field_stop_s)

    @property
    def field_stop_s(self) -> float:
        """End of what is shown of a swallow [s]."""
        usual = self.onset_s + self.parameters["dci.window_s"] + 2.0
        last = self.seen.metrics.contraction_stop_s
        wanted = max(usual, last + 1.0) if math.isfinite(last) else usual
        return float(min(wanted, self.onset_s + self.parameters["dci.window_repetitive_s"] + 1.0))

    def landmarks(self, *names: str) -> tuple[Mark, ...]:
        """Lines at resting landmarks, as far as they are known."""
        return tuple(self._lines(names))

    @property
    def junction_cm(self) -> tuple[float, float] | None:
        """Depths of the EGJ with room above it; None where it was not found."""
        marks = self.own.study.proposal.landmarks
        depth = self.own.study.pressure["depth"].values
        if not math.isfinite(marks.les_peak_cm):
            return None
        top = (
            min(marks.les_peak_cm, marks.les_upper_cm)
            if math.isfinite(marks.les_upper_cm)
            else (marks.les_peak_cm)
        )
        return max(float(depth[0]), top - _ABOVE_CM), float(depth[-1])

    def _lines(self, names: Sequence[str]) -> Iterator[Mark]:
        marks = self.own.study.proposal.landmarks
        for name in names:
            depth = float(getattr(marks, f"{name}_cm"))
            if math.isfinite(depth):
                yield DepthLine(LABELS[name], depth, main=False)


LABELS = {
    "ues_upper": "UES upper border",
    "ues_lower": "UES lower border",
    "transition_zone": "transition zone",
    "les_upper": "LES upper border",
    "les_peak": "LES resting peak",
    "les_lower": "LES lower border",
    "crural_diaphragm": "crural diaphragm",
    "pressure_inversion_point": "pressure inversion point",
}


def at_times(time: Floats, wanted: Floats) -> Bools:
    """Samples of `time` that are among the times `wanted`."""
    return np.asarray(np.isin(np.round(time, 6), np.round(wanted, 6)), dtype=np.bool_)


def trace(
    label: str,
    unit: str,
    time: Any,
    values: Any,
    used: Any = None,
    levels: Mapping[str, float] | None = None,
) -> Trace:
    """Make a trace; without `used` every sample counts."""
    numbers = np.asarray(values, dtype=np.float64)
    marked = np.ones(numbers.size, dtype=np.bool_) if used is None else np.asarray(used, np.bool_)
    return Trace(label, unit, np.asarray(time, dtype=np.float64), numbers, marked, levels or {})


def none_of(size: int) -> NDArray[np.bool_]:
    """Nothing of an array is used."""
    return np.zeros(size, dtype=np.bool_)
