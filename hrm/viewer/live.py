"""A study that is measured again with every edit, but only what the edit changes.

The functions are those of the pipeline, in its order. What they gave before is taken where
everything they read is as it was; the keys below list what that is, and a test holds every
edit against `hrm.analyze` with the same log.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from hrm import catalog
from hrm.annotate import Corrections
from hrm.bolus import BolusRecord
from hrm.catalog import Parameters
from hrm.corrections import correct, corrections_of, with_review
from hrm.detect.artefacts import catheter_shifts
from hrm.detect.landmarks import Landmarks
from hrm.detect.protocol import protocol_of, shows_itself
from hrm.edits import Edit
from hrm.metrics import chicago
from hrm.metrics._base import Measurement
from hrm.metrics.swallow_types import swallow_limits
from hrm.pipeline.impedance import BolusSwallow, Swallows, bolus_record
from hrm.pipeline.one_swallow import record_of, see_one
from hrm.pipeline.quality import Doubts, doubts
from hrm.pipeline.run import prepare, prepared
from hrm.pipeline.study import Study
from hrm.pipeline.summary import Parts, summarize
from hrm.quality import QualityRecord
from hrm.results import StudyRecord, SwallowRecord
from hrm.schema import check_esophageal, validate
from hrm.viewer.marks import SwallowMarks, swallow_marks

T = TypeVar("T")

#: Of a kind of number the last so many are kept: there and back again costs nothing.
_MOST = 400
#: Some hold arrays as long as the recording.
_MOST_LONG = 3
#: So many swallows are measured in full under the hand too.
_FEW = 3
#: Of fields on the depth grid so many samples are kept in all.
_MOST_SAMPLES = 15_000_000
#: The field of a swallow ends 1 s after its longest window; what lies beyond is not read [s].
_BEYOND_S = 2.0


class Memory:
    """What functions gave, by what they read."""

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[Hashable, Any]] = {}

    def last(self, name: str) -> Any:
        """Give what was kept or asked for last of a kind; None before the first."""
        kept = self._kept.get(name)
        return next(reversed(kept.values())) if kept else None

    def has(self, name: str, key: Hashable) -> bool:
        """Whether something is kept under a key."""
        return key in self._kept.get(name, ())

    def get(self, name: str, key: Hashable, make: Callable[[], T], most: int = _MOST) -> T:
        """Give what is kept under a key, or else make and keep it."""
        kept = self._kept.setdefault(name, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
        else:
            kept[key] = make()
            if len(kept) > most:
                kept.popitem(last=False)
        found: T = kept[key]
        return found

    def trim(self, name: str, size: Callable[[Any], int], most: int) -> None:
        """Forget the oldest of a kind until the rest is not too large together."""
        kept = self._kept[name]
        sizes = deque(size(value) for value in kept.values())
        while len(kept) > 1 and sum(sizes) > most:
            kept.popitem(last=False)
            sizes.popleft()


@dataclass(frozen=True)
class Measured:
    """A study with some edits.

    Attributes
    ----------
    study : Study
    record : StudyRecord
    swallows : sequence of SwallowMarks
        Where the numbers of each swallow were read.
    """

    study: Study
    record: StudyRecord
    swallows: Sequence[SwallowMarks]


@dataclass(frozen=True)
class _Keys:
    """What the numbers of a study depend on; of one swallow see `swallow`."""

    landmarks: Landmarks
    onsets: tuple[tuple[float, str], ...]
    settings: Hashable

    @classmethod
    def of(cls, study: Study) -> _Keys:
        """Take them from a study."""
        onsets = tuple((onset.time_s, onset.method) for onset in study.proposal.onsets)
        settings = (study.system, study.posture, repr(study.irp_limit))
        return cls(study.proposal.landmarks, onsets, settings)

    @property
    def marks(self) -> str:
        """All landmarks."""
        return repr(self.landmarks)

    @property
    def anatomy(self) -> Hashable:
        """Those that single swallows are measured by (see `Study.anatomy`)."""
        marks, status = self.landmarks, self.landmarks.status
        return (
            *(marks.ues_upper_cm, marks.ues_lower_cm),
            *(status.get("ues_upper_cm"), status.get("ues_lower_cm")),
            *(marks.les_upper_cm, marks.les_lower_cm, marks.crural_diaphragm_cm),
            *(marks.transition_zone_cm, marks.gastric_reference_mmhg, marks.gastric_sensors_cm),
        )

    def swallow(self, study: Study, k: int) -> Hashable:
        """Everything that `see_one` and `record_of` read of swallow `k`."""
        times = [time for time, _ in self.onsets]
        review = study.reviews[k]
        return (
            *(repr(self.anatomy), self.settings, self.onsets[k], self._near(study, k)),
            shows_itself(k, [method for _, method in self.onsets]),
            *(protocol_of(k, times, study.parameters), study.protocols_told[k]),
            *(study.doubts.belches, study.doubts.shifts_cm[k]),
            *(study.doubts.failed_zones, study.doubts.bridged_zones),
            *(review.object, review.automatic_s),
            tuple((name, edit.new) for name, edit in sorted(review.edits.items())),
        )

    def following(self, k: int) -> float:
        """Onset of the swallow after this one."""
        return self.onsets[k + 1][0] if k + 1 < len(self.onsets) else math.inf

    def _near(self, study: Study, k: int) -> float:
        """Give the following onset, where it lies so near that it cuts a window off."""
        rules, following = study.parameters, self.following(k)
        window = max(rules["dci.window_repetitive_s"], rules["detect.double_s"]) + _BEYOND_S
        return following if following - self.onsets[k][0] < window else math.inf

    @property
    def rest(self) -> Hashable:
        """What resting values depend on."""
        return (self.marks, tuple(time for time, _ in self.onsets))


class LiveStudy:
    """One recording, measured again with every edit.

    Parameters
    ----------
    recording : DataTree
    **options
        As of `hrm.analyze`, but for ``review``.

    Raises
    ------
    HrmError
        As of `hrm.analyze`.
    """

    def __init__(self, recording: xr.DataTree, **options: Any) -> None:
        validate(recording)
        check_esophageal(recording)
        self._begin(recording, prepared(recording, **options))

    def _begin(self, recording: xr.DataTree, found: Study) -> None:
        self._memory = Memory()
        self.recording = recording
        self.found = found
        # Taking sensors copies the recording: only where some cannot be used.
        self._usable = found.pressure if found.usable.all() else found.pressure[found.usable]
        self.automatic = self._measured(self.found)

    def settings(
        self, *, system: str, posture: str, irp_limit: float | str | None, drift: str
    ) -> LiveStudy:
        """Give the same study by the limits of another system, IRP limit or posture.

        With another ``drift`` (``drift.mode``) everything is prepared and measured anew.

        Raises
        ------
        ParameterError
            If one of them cannot be used.
        """
        key = catalog.check_system(system)
        if drift != self.found.parameters["drift.mode"]:
            return self._with_drift(
                drift, system=key, posture=posture, irp_limit=chicago.user_limit_from(irp_limit)
            )
        other = object.__new__(LiveStudy)
        other.__dict__.update(self.__dict__)
        other.found = replace(
            self.found,
            system=key,
            limits=swallow_limits(key),
            posture=posture,
            irp_limit=chicago.user_limit_from(irp_limit),
        )
        other.automatic = other._measured(other.found)
        return other

    def _with_drift(self, mode: str, **chosen: Any) -> LiveStudy:
        found, other = self.found, object.__new__(LiveStudy)
        usual = catalog.default_parameters()
        changed = {k: v for k, v in found.parameters.overrides.items() if k != "drift.mode"}
        # Back to the default is no override.
        own = {} if mode == usual["drift.mode"] else {"drift.mode": mode}
        rules = usual.replace({**changed, **own})
        anew = prepare(
            self.recording,
            stated=found.stated,
            clinical=found.clinical,
            parameters=rules,
            **chosen,
        )
        other._begin(self.recording, anew)
        return other

    def measure(self, edits: Sequence[Edit] | None, *, quick: bool = False) -> Measured:
        """Measure with a review log, as `hrm.analyze` does.

        Parameters
        ----------
        edits : sequence of Edit or None
            None for no log, which is not the same in a result as an empty one.
        quick : bool
            For an edit under the hand: swallows, medians and diagnoses are measured, but
            where that are many swallows not by the other readings that tell what is
            borderline, which take as long again; resting values,
            quality, impedance, and what belches and shifts of the catheter say of
            swallows, stay as they were measured last.

        Raises
        ------
        AnnotationError
            If an edit does not fit the recording.
        """
        corrections = corrections_of(self.recording, edits)
        if corrections is None:
            return self.automatic
        study = self._corrected(corrections)
        now = self._measured(study, quick=quick)
        record = with_review(now.record, self.automatic.record, corrections, study.reviews)
        return replace(now, record=record)

    def ahead(self, edits: Sequence[Edit] | None) -> Iterator[None]:
        """Measure what `measure` with `quick` will be asked for, one swallow at each step.

        Parameters
        ----------
        edits : sequence of Edit or None

        Raises
        ------
        AnnotationError
            If an edit does not fit the recording.
        """
        corrections = corrections_of(self.recording, edits)
        if corrections is not None:
            study = self._corrected(corrections)
            self._carry_over(study, quick=True)
            yield from (None for _ in self._swallows(study, _Keys.of(study), quick=True))

    def _corrected(self, corrections: Corrections) -> Study:
        found = self.found
        proposal, reviews = correct(
            found.proposal, corrections, pressure=self._usable, parameters=found.parameters
        )
        return replace(found, proposal=proposal, reviews=reviews)

    def _measured(self, study: Study, *, quick: bool = False) -> Measured:
        self._carry_over(study, quick=quick)
        keys = _Keys.of(study)
        seen = list(self._swallows(study, keys, quick=quick))
        rows = [row for row, _ in seen]
        parts = (_OldParts if quick else _KeptParts)(self._memory, keys)
        return Measured(study, summarize(study, rows, parts), [marks for _, marks in seen])

    def _swallows(
        self, study: Study, keys: _Keys, *, quick: bool
    ) -> Iterator[tuple[SwallowRecord, SwallowMarks]]:
        wanted = [keys.swallow(study, k) for k in range(len(study.reviews))]
        fresh = sum(not self._memory.has("swallow", key) for key in wanted)
        draft = quick and fresh > _FEW

        def one(k: int) -> tuple[SwallowRecord, SwallowMarks]:
            seen = see_one(study, k, readings=not draft)
            row = record_of(study, k, seen)
            return row, swallow_marks(study, k, seen, row)

        def kept(k: int) -> tuple[SwallowRecord, SwallowMarks]:
            known = self._memory.has("swallow", wanted[k])
            name = "draft" if draft and not known else "swallow"
            return self._memory.get(name, wanted[k], partial(one, k))

        return (kept(k) for k in range(len(wanted)))

    def _carry_over(self, study: Study, *, quick: bool) -> None:
        """Hand on what a study works out at leisure, where it is as it was."""
        vars(study).update(field=partial(self._field, study), kept=self._memory.get)
        if study is self.found:
            return
        kept, onsets = vars(study), [onset.time_s for onset in study.proposal.onsets]
        kept["told"], kept["missing"] = self.found.told, self.found.missing
        old: tuple[float, ...] | None = self._memory.last("shifts") if quick else None
        if old is not None and len(old) == len(onsets):
            kept["doubts"] = replace(self._memory.last("of_marks")["doubts"], shifts_cm=old)
            return
        marks = _Keys.of(study).marks
        same = self._memory.get("of_marks", marks, lambda: self._of_marks(study), _MOST_LONG)
        kept.update(same)
        shifts = self._memory.get(
            "shifts", (marks, tuple(onsets)), lambda: self._shifts(study, onsets)
        )
        kept["doubts"] = replace(same["doubts"], shifts_cm=shifts)

    def _field(
        self,
        study: Study,
        window: tuple[float, float],
        *,
        pressure: xr.DataArray | None = None,
        near: slice | None = None,
        parameters: Parameters | None = None,
    ) -> xr.DataArray:
        """As `Study.field`, which the border of the LES changes only across a sensor."""

        def make() -> xr.DataArray:
            return Study.field(study, window, pressure=pressure, near=near, parameters=parameters)

        plain = near is None and parameters is None and pressure is None
        longest = study.parameters["dci.window_repetitive_s"] + _BEYOND_S
        if not plain or window[1] - window[0] > longest:
            return make()
        depth = study.pressure["depth"].values
        above = int(np.searchsorted(depth, study.proposal.landmarks.les_upper_cm, side="right"))
        if self._memory.has("field", (window, above)):
            return self._memory.get("field", (window, above), make)
        made = self._memory.get("field", (window, above), make)
        self._memory.trim("field", lambda field: field.size, _MOST_SAMPLES)
        return made

    def _shifts(self, study: Study, onsets: Sequence[float]) -> tuple[float, ...]:
        found, rules = study.proposal, study.parameters
        return tuple(catheter_shifts(self._usable, found.landmarks, found.baseline, onsets, rules))

    @staticmethod
    def _of_marks(study: Study) -> dict[str, Any]:
        """What depends on the landmarks only."""
        without = replace(study.proposal, onsets=())
        alone: Doubts = doubts(study.cleaned, study.pressure, without, study.parameters)
        vars(study)["doubts"] = alone
        return {
            "doubts": alone,
            "les_missing": study.les_missing,
            "ues_missing": study.ues_missing,
            "bell_bridged": study.bell_bridged,
        }


class _KeptParts(Parts):
    """Parts of a summary that are kept while what they read is as it was."""

    def __init__(self, memory: Memory, keys: _Keys) -> None:
        self._memory, self._keys = memory, keys

    def at_rest(self, study: Study) -> tuple[dict[str, Measurement], Measurement]:
        key = self._keys.rest
        return self._memory.get("rest", key, lambda: Parts.at_rest(self, study), _MOST_LONG)

    def quality(self, study: Study) -> QualityRecord:
        key = self._keys.rest
        return self._memory.get("quality", key, lambda: Parts.quality(self, study), _MOST_LONG)

    def bolus(self, study: Study, rows: Sequence[SwallowRecord]) -> BolusRecord:
        found = bolus_record(study, rows, _KeptSwallows(self._memory, self._keys))
        return self._memory.get("bolus_record", object(), lambda: found, 1)


class _OldParts(_KeptParts):
    """Parts as they were measured last, whatever changed since."""

    def at_rest(self, study: Study) -> tuple[dict[str, Measurement], Measurement]:
        found: tuple[dict[str, Measurement], Measurement] | None = self._memory.last("rest")
        return super().at_rest(study) if found is None else found

    def quality(self, study: Study) -> QualityRecord:
        found: QualityRecord | None = self._memory.last("quality")
        return super().quality(study) if found is None else found

    def bolus(self, study: Study, rows: Sequence[SwallowRecord]) -> BolusRecord:
        found: BolusRecord | None = self._memory.last("bolus_record")
        if found is None or len(found.pharynx_swallows) != len(rows):
            return super().bolus(study, rows)
        return found


class _KeptSwallows(Swallows):
    """Impedance and pharynx of single swallows."""

    def __init__(self, memory: Memory, keys: _Keys) -> None:
        self._memory, self._keys = memory, keys

    def _key(self, study: Study, k: int) -> tuple[Hashable, ...]:
        keys = self._keys
        own = repr(study.reviews[k].landmarks(keys.landmarks))
        return (repr(keys.anatomy), own, keys.onsets[k][0], keys.following(k))

    def pharynx(self, study: Study, k: int) -> dict[str, Measurement]:
        key = self._key(study, k)
        return self._memory.get("pharynx", key, lambda: Swallows.pharynx(self, study, k))

    def bolus(
        self, study: Study, recorded: xr.DataArray, row: SwallowRecord, k: int
    ) -> BolusSwallow:
        key = (*self._key(study, k), row.transition_zone_cm)

        def make() -> BolusSwallow:
            # The samples that it was read from are large, and nobody asks for them here.
            return replace(Swallows.bolus(self, study, recorded, row, k), found=None, flow=None)

        return self._memory.get("bolus", key, make)


def settings_of(study: Study) -> Mapping[str, Any]:
    """System, posture, IRP limit and mode of drift that a study is measured by."""
    limit = study.irp_limit
    return {
        "system": study.system,
        "posture": study.posture,
        "irp_limit": None if limit is None else limit.value if limit.row == "user" else limit.row,
        "drift": study.parameters["drift.mode"],
    }
