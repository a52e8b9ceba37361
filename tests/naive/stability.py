"""Twin of the stability: the whole pipeline again for every draw and swallow."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from hrm.metrics.swallow_types import swallow_type
from hrm.pipeline.one_swallow import measure_one
from hrm.pipeline.study import Study
from hrm.pipeline.summary import _classify


@dataclass(frozen=True)
class Perturbed(Study):
    """A study whose landmarks are a little off wherever the pipeline asks for them."""

    border_cm: float = 0.0
    gastric_mmhg: float = 0.0

    def anatomy(self, onset_s, window):
        found = super().anatomy(onset_s, window)
        trace = found.gastric_trace
        return replace(
            found,
            les_upper_cm=found.les_upper_cm + self.border_cm,
            les_lower_cm=found.les_lower_cm + self.border_cm,
            gastric_mmhg=found.gastric_mmhg + self.gastric_mmhg,
            gastric_trace=None if trace is None else trace + self.gastric_mmhg,
        )


def perturbed(study, k, *, border_cm=0.0, onset_s=0.0, gastric_mmhg=0.0, drift=None):
    """The study with the onset of swallow `k`, the landmarks and the sensors off."""
    own = {field.name: getattr(study, field.name) for field in fields(Study)}
    out = Perturbed(**own, border_cm=border_cm, gastric_mmhg=gastric_mmhg)
    onsets = list(study.proposal.onsets)
    onsets[k] = replace(onsets[k], time_s=max(0.0, onsets[k].time_s + onset_s))
    out = replace(out, proposal=replace(study.proposal, onsets=tuple(onsets)))
    if drift is not None and np.any(drift):
        out = replace(out, pressure=_drifting(study, drift))
    # What speaks against a swallow is not perturbed: it would need the whole recording.
    out.__dict__["doubts"] = study.doubts
    return out


def _drifting(study, drift):
    """Each sensor off by a line from the end of the baseline to that of the recording."""
    time = study.pressure["time"].values
    start = study.proposal.baseline.stop_s
    values = study.pressure.values.copy()
    for sensor, last in enumerate(drift):
        line = last * np.clip((time - start) / (time[-1] - start), 0.0, 1.0)
        values[sensor] += line.astype(np.float32)
    return study.pressure.copy(data=values)


def measured(study, model, draws, i):
    """Every swallow of one draw."""
    return [
        misread(
            measure_one(
                perturbed(
                    study,
                    k,
                    border_cm=model.border_cm[draws.border[i]],
                    onset_s=model.onset_s[draws.onset[i, k]],
                    gastric_mmhg=draws.gastric_mmhg[i],
                    drift=model.drift_mmhg[draws.drift[i]],
                ),
                k,
            ),
            study.limits,
            dci=draws.dci_mmhg_s_cm[i, k],
            gap=draws.break_cm[i, k],
        )
        for k in range(len(study.reviews))
    ]


def misread(row, limits, *, dci, gap):
    """The swallow with its integral and its break read a little wrong."""
    numbers = dict(row.metrics)
    numbers["dci_mmhg_s_cm"] = max(0.0, numbers["dci_mmhg_s_cm"] + dci)
    if numbers["break_cm"] > 0.0:
        numbers["break_cm"] = max(0.0, numbers["break_cm"] + gap)
    if numbers["dci_mmhg_s_cm"] < 100.0:
        for name in ("distal_latency_s", "break_cm", "ibp_mmhg"):
            numbers[name] = math.nan
    names = ("dci_mmhg_s_cm", "distal_latency_s", "break_cm")
    kind = swallow_type(*(numbers[name] for name in names), limits).type
    return replace(row, metrics=numbers, type=kind)


def diagnoses(study, rows, picks):
    """What both trees make of the swallows that a draw picks."""
    found = _classify(study, [rows[k] for k in picks], {})
    return {version: found[version]["diagnosis"] for version in ("ccv4", "ccv3")}
