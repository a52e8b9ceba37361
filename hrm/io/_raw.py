"""What a parser hands on, and how it becomes a study: the same for every text format."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, DataQualityWarning, ParameterError
from hrm.io._catheter import Placement, resolve
from hrm.io._registry import ReadOptions
from hrm.io.identity import PHI_PREFIX

if TYPE_CHECKING:
    import xarray as xr

    from hrm.reported import ReportedSwallow

# Far beyond any transducer: such a number is a damaged cell, not a pressure.
MAX_PRESSURE_MMHG = 1e5
MAX_IMPEDANCE_OHM = 1e9


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event; `onset_s` counts from the first sample."""

    onset_s: float
    label: str
    note: str = ""
    source: str = "operator"
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a recording once its last sample was read.

    `sampling_rate_hz` is that of the pressures, `impedance_rate_hz` that of the impedances
    where it is another; `time_offset_s` the time of the first sample in the file;
    `catheter` the model, known to `hrm.catalog`, that the file itself names; `reported` what
    the file says that somebody found in its swallows.
    """

    source_format: str
    reader: str
    reader_version: str
    sha256: str
    sampling_rate_hz: float
    time_offset_s: float
    events: tuple[RawEvent, ...] = ()
    attrs: Mapping[str, str | float | int] = field(default_factory=dict)
    impedance_rate_hz: float | None = None
    catheter: str | None = None
    reported: tuple[ReportedSwallow, ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """A parsed file, before any claim about where its sensors sit.

    `pressure` is (sensor, time) [mmHg] and `impedance` (segment, time) [ohm], float32,
    C-contiguous and proximal to distal.
    """

    facts: Facts
    pressure: NDArray[np.float32]
    impedance: NDArray[np.float32] | None = None


def place(
    n_sensors: int, options: ReadOptions, *, default_catheter: str | None = None
) -> Placement:
    """Find where the sensors of a file sit, from what the caller said about it.

    Raises
    ------
    ParameterError
        If the sensor positions are unknown, or contradict the file.
    """
    return resolve(
        n_sensors,
        catheter=options.catheter,
        depths=options.depths,
        catheter_file=options.catheter_file,
        default=default_catheter,
    )


def build(raw: Raw, options: ReadOptions, placement: Placement) -> xr.DataTree:
    """Make a study of a parsed file.

    Parameters
    ----------
    raw : Raw
        The parsed file.
    options : ReadOptions
        What the caller said about it.
    placement : Placement
        Where its sensors sit; from `place`.

    Returns
    -------
    DataTree
        A validated study; impedance segments have NaN depths, as no export
        carries their positions.

    Raises
    ------
    ParameterError
        If the caller said what the file contradicts.
    SchemaError
        If the samples break the contract.
    """
    import xarray as xr

    from hrm.schema import make_recording

    facts = raw.facts
    _check_rate(facts, options)
    impedance: dict[str, Any] = {}
    if raw.impedance is not None:
        unknown = np.full(raw.impedance.shape[0], np.nan)
        impedance = {
            "impedance": raw.impedance,
            "impedance_depth": unknown,
            "impedance_sampling_rate": facts.impedance_rate_hz,
        }
    study = make_recording(
        raw.pressure,
        dims=("sensor", "time"),
        sampling_rate=facts.sampling_rate_hz,
        depth=placement.depths_cm,
        depth_reference="first_sensor",
        events=[
            {
                "onset": e.onset_s,
                "duration": e.duration_s,
                "label": e.label,
                "source": e.source,
                "note": e.note,
            }
            for e in facts.events
        ],
        attrs=_root_attrs(facts, options, placement.model),
        **impedance,
    )
    if facts.reported:
        from hrm.reported import to_dataset

        study["swallows"] = xr.DataTree(to_dataset(facts.reported))
    return study


def _check_rate(facts: Facts, options: ReadOptions) -> None:
    asked, found = options.sampling_rate, facts.sampling_rate_hz
    if asked is not None and asked != found:
        raise ParameterError(
            f"the file is sampled at {found:g} Hz, not at the {asked:g} Hz given as "
            "sampling_rate=; leave the option out"
        )


def _root_attrs(facts: Facts, options: ReadOptions, model: str) -> dict[str, str | float | int]:
    kept = {f"{PHI_PREFIX}notes": "kept"} if options.keep_phi else {}
    return {
        **facts.attrs,
        **kept,
        "source_format": facts.source_format,
        "source_sha256": facts.sha256,
        "reader": facts.reader,
        "reader_version": facts.reader_version,
        "catheter": model,
        "system": options.system or "unknown",
        "insertion_depth": "unknown",
        "thermal_compensation": "unknown",
        "time_offset_s": facts.time_offset_s,
        "study_id": options.participant or facts.sha256[:12],
    }


def check_range(
    values: NDArray[np.float32], limit: float, what: str, *, first_sample: int, reader: str
) -> None:
    """Refuse a number that no instrument measures; `values` are (row, channel).

    Raises
    ------
    CorruptFileError
        Naming the sample (1-based, `first_sample` rows lie before) and the channel.
    """
    if not values.size:
        return
    lowest, highest = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if not max(highest, -lowest) > limit:
        return
    row, channel = (int(axis[0]) for axis in np.nonzero(np.abs(values) > limit))
    raise CorruptFileError(
        f"{what} channel {channel + 1} (counted from proximal) is beyond what any instrument "
        "measures; the cell is damaged: export the file again",
        reader=reader,
        where=f"sample {first_sample + row + 1}",
    )


def recoverable(message: str, *, options: ReadOptions, reader: str, where: str = "") -> None:
    """Raise, or warn if the caller said so, about a fault that leaves the samples readable.

    Raises
    ------
    CorruptFileError
        Unless ``strictness="warn"``.
    """
    if options.strictness == "raise":
        raise CorruptFileError(
            f'{message}; strictness="warn" reads what is there', reader=reader, where=where or None
        )
    warnings.warn(f"[{reader}] {message}", DataQualityWarning, stacklevel=2)


def peek_result(
    *,
    name: str,
    n_sensors: int,
    rate_hz: float | None,
    n_samples: int | None,
    first_time_s: float | None,
    has_impedance: bool,
    needs_catheter: bool,
    size: int | None,
) -> dict[str, Any]:
    """Return what `peek` reports, in one layout for every reader."""
    duration = None if n_samples is None or rate_hz is None else n_samples / rate_hz
    return {
        "format": name,
        "reader": name,
        "n_sensors": n_sensors,
        "sampling_rate_hz": rate_hz,
        "n_samples": n_samples,
        "duration_s": duration,
        "first_time_s": first_time_s,
        "has_impedance": has_impedance,
        "needs_catheter": needs_catheter,
        "size_bytes": size,
    }
