"""What a parser hands on, and how it becomes a study: the same for every text format."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, DataQualityWarning
from hrm.io._catheter import resolve
from hrm.io._registry import ReadOptions
from hrm.io.identity import PHI_PREFIX

if TYPE_CHECKING:
    import xarray as xr

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


@dataclass(frozen=True, slots=True)
class Raw:
    """A parsed file, before any claim about where its sensors sit.

    `pressure` is (time, sensor) [mmHg] and `impedance` (time, segment) [ohm],
    both proximal to distal.
    """

    source_format: str
    reader: str
    reader_version: str
    sha256: str
    sampling_rate_hz: float
    time_offset_s: float
    pressure: NDArray[np.float64]
    impedance: NDArray[np.float64] | None = None
    events: tuple[RawEvent, ...] = ()
    attrs: Mapping[str, str | float | int] = field(default_factory=dict)


def build(raw: Raw, options: ReadOptions, *, default_catheter: str | None = None) -> xr.DataTree:
    """Make a study of a parsed file.

    Parameters
    ----------
    raw : Raw
        The parsed file.
    options : ReadOptions
        What the caller said about it.
    default_catheter : str, optional
        Model that the format implies for its usual channel count.

    Returns
    -------
    DataTree
        A validated study; impedance segments have NaN depths, as no export
        carries their positions.

    Raises
    ------
    ParameterError
        If the sensor positions are unknown.
    CorruptFileError
        If a value is beyond what any instrument measures.
    """
    from hrm.schema import make_recording

    placement = resolve(
        raw.pressure.shape[1],
        catheter=options.catheter,
        depths=options.depths,
        catheter_file=options.catheter_file,
        default=default_catheter,
    )
    _check_range(raw.pressure, MAX_PRESSURE_MMHG, "pressure", raw.reader)
    impedance: dict[str, Any] = {}
    if raw.impedance is not None:
        _check_range(raw.impedance, MAX_IMPEDANCE_OHM, "impedance", raw.reader)
        unknown = np.full(raw.impedance.shape[1], np.nan)
        impedance = {"impedance": raw.impedance, "impedance_depth": unknown}
    return make_recording(
        raw.pressure,
        sampling_rate=raw.sampling_rate_hz,
        depth=placement.depths_cm,
        depth_reference="first_sensor",
        events=[
            {"onset": e.onset_s, "label": e.label, "source": e.source, "note": e.note}
            for e in raw.events
        ],
        attrs=_root_attrs(raw, options, placement.model),
        **impedance,
    )


def _root_attrs(raw: Raw, options: ReadOptions, model: str) -> dict[str, str | float | int]:
    kept = {f"{PHI_PREFIX}notes": "kept"} if options.keep_phi else {}
    return {
        **raw.attrs,
        **kept,
        "source_format": raw.source_format,
        "source_sha256": raw.sha256,
        "reader": raw.reader,
        "reader_version": raw.reader_version,
        "catheter": model,
        "system": options.system or "unknown",
        "insertion_depth": "unknown",
        "thermal_compensation": "unknown",
        "time_offset_s": raw.time_offset_s,
        "study_id": options.participant or raw.sha256[:12],
    }


def _check_range(values: NDArray[np.float64], limit: float, what: str, reader: str) -> None:
    beyond = np.abs(values) > limit
    if beyond.any():
        row, channel = (int(axis[0]) for axis in np.nonzero(beyond))
        raise CorruptFileError(
            f"{what} channel {channel + 1} (counted from proximal) is beyond what any instrument "
            "measures; the cell is damaged: export the file again",
            reader=reader,
            where=f"sample {row + 1}",
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
    size: int,
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
