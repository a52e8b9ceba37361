"""The workings of an analyzed study: its pressure and swallows as they were measured.

A result holds numbers only. What they were read from is measured once more, by the same
functions with the same options, and `hrm.explain.metric` checks that the number comes out
again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from hrm import __version__, catalog
from hrm.annotate import GENESIS, Corrections
from hrm.corrections import correct
from hrm.detect.landmarks import RestingProfiles, resting_profiles
from hrm.detect.onset import Onset
from hrm.detect.protocol import unpack_stated
from hrm.edits import Edit
from hrm.errors import SchemaError
from hrm.evidence import FieldWindow
from hrm.metrics import chicago
from hrm.metrics._base import Measurement
from hrm.pipeline.impedance import BolusSwallow, measure_bolus
from hrm.pipeline.one_swallow import SeenSwallow, measure_one, see_one
from hrm.pipeline.rest import Rest, at_rest, resting
from hrm.pipeline.run import prepare
from hrm.pipeline.study import Study
from hrm.results import SwallowRecord, to_dict

#: Fields are large: only the last few are kept.
_MOST_WINDOWS = 8


class Workings:
    """An analyzed study with what its numbers were read from.

    Parameters
    ----------
    result : DataTree
        From `hrm.analyze`, or read back from a native file.

    Raises
    ------
    SchemaError
        If the study has not been analyzed.

    Notes
    -----
    Whatever is measured again is kept: to explain several numbers of one study, make this
    once and hand it to `hrm.explain_metric`.
    """

    def __init__(self, result: xr.DataTree) -> None:
        self.tree = result
        self.result: Mapping[str, Any] = to_dict(result)
        self._swallows: dict[tuple[int, bool], SeenSwallow] = {}
        self._rows: dict[int, SwallowRecord] = {}
        self._bolus: dict[int, BolusSwallow] = {}
        self._windows: dict[tuple[float, float], FieldWindow] = {}

    @cached_property
    def parameters(self) -> catalog.Parameters:
        """Parameters that the study was measured with."""
        return catalog.default_parameters().replace(self.result["engine"]["parameter_overrides"])

    @cached_property
    def _found(self) -> Study:
        """The study as it was found, without the corrections of a review."""
        if str(self.tree.attrs["engine_version"]) != __version__:
            raise SchemaError(
                f"these results are of hrm {self.tree.attrs['engine_version']}, and this is "
                f"{__version__}: numbers are explained by the version that measured them; "
                "analyze the recording again"
            )
        posture, stated = unpack_stated(str(self.tree.attrs["stated"]))
        return prepare(
            self.tree,
            system=str(self.tree.attrs["system"]),
            posture=posture,
            stated=stated,
            clinical=chicago.clinical_from(None),
            irp_limit=None,
            parameters=self.parameters,
        )

    @cached_property
    def study(self) -> Study:
        """The study as it was measured, with the corrections of its review."""
        found, review = self._found, self.result["review"]
        if review is None:
            return found
        proposal, reviews = correct(
            found.proposal,
            _corrections(review, str(self.tree.attrs["source_sha256"])),
            pressure=found.pressure[found.usable],
            parameters=self.parameters,
        )
        return replace(found, proposal=proposal, reviews=reviews)

    def automatic_onset(self, k: int) -> Onset | None:
        """Onset of swallow `k` as it was found; None if a reader moved or added it."""
        now = self.study.proposal.onsets[k]
        same = [each for each in self._found.proposal.onsets if each.time_s == now.time_s]
        return same[0] if same and now.method != "reader" else None

    def swallow(self, k: int, *, unfiltered: bool = False) -> SeenSwallow:
        """Measure swallow `k` (from 0) again, with what its numbers were read from."""
        if (k, unfiltered) not in self._swallows:
            self._swallows[k, unfiltered] = see_one(self.study, k, unfiltered=unfiltered)
        return self._swallows[k, unfiltered]

    def row(self, k: int) -> SwallowRecord:
        """Record of swallow `k` (from 0), as the pipeline hands it on."""
        if k not in self._rows:
            self._rows[k] = measure_one(self.study, k)
        return self._rows[k]

    @property
    def rows(self) -> list[SwallowRecord]:
        """Records of all swallows."""
        return [self.row(k) for k in range(len(self.result["swallows"]))]

    def bolus(self, k: int) -> BolusSwallow | None:
        """Impedance of swallow `k` (from 0); None without impedance of known position."""
        if self.impedance is None:
            return None
        if k not in self._bolus:
            self._bolus[k] = measure_bolus(self.study, self.impedance, self.row(k), k)
        return self._bolus[k]

    @cached_property
    def impedance(self) -> xr.DataArray | None:
        """Impedance of the recording, if the position of any segment is known."""
        if "impedance" not in self.tree.children:
            return None
        recorded = self.tree["impedance"].to_dataset()["impedance"]
        known = np.isfinite(recorded["segment_depth"].values).any()
        return recorded if known else None

    @cached_property
    def rest(self) -> Rest | None:
        """The baseline on the depth grid; None without one."""
        baseline, breathing = self.study.proposal.baseline, self.study.proposal.breathing
        if baseline is None or breathing is None:
            return None
        return resting(self.study, baseline, breathing)

    @cached_property
    def profiles(self) -> RestingProfiles | None:
        """Resting profiles that the landmarks were found in; None without a baseline."""
        baseline, breathing = self.study.proposal.baseline, self.study.proposal.breathing
        if baseline is None or breathing is None:
            return None
        pressure = self.study.pressure[self.study.usable]
        return resting_profiles(pressure, baseline, breathing, self.parameters)

    def window(self, start_s: float, stop_s: float) -> FieldWindow | None:
        """Pressure as it was measured, between two times [s]; None without two samples."""
        start, stop = max(0.0, start_s), min(stop_s, self.study.end_s)
        if not math.isfinite(start + stop) or stop - start < 2.0 / self.study.rate_hz:
            return None
        if (start, stop) not in self._windows:
            field = self.study.field((start, stop), parameters=self.parameters)
            if len(self._windows) >= _MOST_WINDOWS:
                self._windows.pop(next(iter(self._windows)))
            self._windows[start, stop] = field_window(field)
        return self._windows[start, stop]

    @cached_property
    def at_rest(self) -> tuple[dict[str, Measurement], Measurement]:
        """The junction and the upper sphincter at rest (see `hrm.pipeline.rest.at_rest`)."""
        return at_rest(self.study)


def field_window(pressure_field: xr.DataArray) -> FieldWindow:
    """Take a field as plain arrays.

    Parameters
    ----------
    pressure_field : DataArray (depth, time) [mmHg]

    Returns
    -------
    FieldWindow
    """
    return FieldWindow(
        np.asarray(pressure_field["depth"].values, dtype=np.float64),
        np.asarray(pressure_field["time"].values, dtype=np.float64),
        np.asarray(pressure_field.values, dtype=np.float32),
    )


def _corrections(review: Mapping[str, Any], sha256: str) -> Corrections:
    """Edits that a result says it was measured with; the log itself is not needed."""
    edits = [
        Edit(
            seq=int(row["seq"]),
            utc="2000-01-01T00:00:00Z",
            reader=str(row["reader"]),
            object=str(row["object"]),
            field=str(row["field"]),
            old=None,
            new=row["value"],
            reason="laid over again to explain a number",
            engine=__version__,
            sha256=sha256,
            prev_hash=GENESIS,
        )
        for row in review["applied"]
    ]
    return Corrections(
        n_edits=int(review["n_edits"]),
        readers=tuple(review["readers"]),
        signed_off=bool(review["signed_off"]),
        head_hash=str(review["head_hash"]),
        sha256=sha256,
        last=tuple(edits),
    )


def same_number(a: Any, b: Any) -> bool:
    """Whether two values of the contract are the same, to what float64 loses in a file."""
    if a is None or b is None:
        return a is None and b is None
    return bool(np.allclose(json_numbers(a), json_numbers(b), rtol=1e-6, atol=1e-9))


def json_numbers(value: Any) -> list[float]:
    """Numbers of a value of the contract as a list."""
    return [float(item) for item in value] if isinstance(value, list | tuple) else [float(value)]
