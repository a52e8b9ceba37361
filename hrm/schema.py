"""The data contract: what a study is, checked in one place.

A study is a plain `xarray.DataTree`. Every reader, the phantom and every user
array end in `make_recording`, so an invariant stated here holds everywhere:

* ``/pressure``: ``pressure(sensor, time)`` float32 [mmHg], C-contiguous;
  coords ``time`` float64 [s from the first sample], ``depth(sensor)`` float64
  [cm, strictly increasing downwards], ``sensor_ok(sensor)`` bool;
* ``/impedance``, if any: ``impedance(segment, impedance_time)`` float32 [ohm];
* ``/events``: ``onset``, ``duration`` [s], ``label``, ``source``, ``note``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrm import catalog
from hrm.errors import ParameterError, SchemaError, UnitsError

SCHEMA_VERSION = "1"

TIME_FIRST = ("time", "sensor")
DEPTH_REFERENCES = ("nares", "first_sensor")
# An esophageal catheter spans 20 to 50 cm, with sensors 0.5 to 5 cm apart. Depths in mm go
# beyond the first of these, depths in m below the second.
MAX_SPAN_CM = 150.0
MIN_SPACING_CM = 0.1
# From the pharynx into the stomach; colonic catheters span a meter.
MAX_ESOPHAGEAL_SPAN_CM = 60.0
THERMAL_COMPENSATION = ("applied", "not_applied", "unknown")
POSTURES = ("supine", "upright", "unknown")
PROTOCOLS = ("single", "mrs", "rdc", "solid", "unknown")
EVENT_LABELS = ("marker", "annotation", "swallow", "landmark", "resting", "protocol")

#: Root attributes that every study carries; text unless the default is a number.
REQUIRED_ATTRS: Mapping[str, str | float] = {
    "schema_version": SCHEMA_VERSION,
    "source_format": "array",
    "source_sha256": "",
    "reader": "make_recording",
    "reader_version": "",
    "sampling_rate": math.nan,
    "catheter": "unknown",
    "system": "unknown",
    "insertion_depth": "unknown",
    "pressure_reference": "atmospheric",
    "thermal_compensation": "unknown",
    "start_time": "unknown",
    "time_offset_s": 0.0,
    "study_id": "",
}

_EVENT_COLUMNS: tuple[tuple[str, str | float], ...] = (
    ("onset", math.nan),
    ("duration", 0.0),
    ("label", "annotation"),
    ("source", "unknown"),
    ("note", ""),
)


def make_recording(
    pressure: ArrayLike,
    *,
    sampling_rate: float,
    depth: ArrayLike,
    dims: Sequence[str] | None = None,
    units: str = "mmHg",
    depth_reference: str = "first_sensor",
    sensor_ok: ArrayLike | None = None,
    impedance: ArrayLike | None = None,
    impedance_depth: ArrayLike | None = None,
    impedance_sampling_rate: float | None = None,
    events: Iterable[Mapping[str, Any]] = (),
    attrs: Mapping[str, str | float | int] | None = None,
) -> xr.DataTree:
    """Make a study from a pressure array: the one way a recording comes to be.

    Parameters
    ----------
    pressure : array (time, sensor) or (sensor, time) [mmHg]
        Said by `dims`. NaN is a missing sample; infinities are refused. The dims
        ``time`` and ``sensor`` and the attribute ``units`` of a DataArray are heeded.
    sampling_rate : float [Hz]
        Constant over the recording.
    depth : array (sensor,) [cm]
        Position of each sensor, strictly increasing downwards, or strictly
        decreasing (a distal-first file), in which case both are turned round.
        At least 0.1 cm apart, and at most 150 cm from the first to the last.
    dims : sequence of str, optional
        Order of the axes of `pressure` and of `impedance`. If not given, that of
        the DataArray, or else ``("time", "sensor")``.
    units : str
        Unit of `pressure`; only ``"mmHg"`` is accepted, nothing is guessed.
    depth_reference : {"first_sensor", "nares"}
        What depth 0 is. An unknown insertion depth is never added.
    sensor_ok : array (sensor,) of bool, optional
        False for a sensor known to be dead; in the order of `depth`.
    impedance : array (time, segment) or (segment, time) [ohm], optional
        Axis order as `pressure`.
    impedance_depth : array (segment,) [cm], optional
        Required with `impedance`; NaN where a position is unknown.
    impedance_sampling_rate : float [Hz], optional
        Defaults to `sampling_rate`.
    events : iterable of mapping
        Each with ``onset`` [s from the first sample], and optionally
        ``duration`` [s], ``label`` (one of `EVENT_LABELS`), ``source``, ``note``.
    attrs : mapping
        Root attributes (provenance): text or numbers, see `REQUIRED_ATTRS`.

    Returns
    -------
    DataTree
        A validated study.

    Raises
    ------
    SchemaError
        If shapes, order or values break the contract; all faults are listed.
    UnitsError
        If `units`, or the attribute ``units`` of a DataArray, is not mmHg (of
        impedance: ohm).
    ParameterError
        If `dims` contradicts those of a DataArray, or an argument is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from hrm import make_recording
    >>> study = make_recording(np.zeros((200, 3)), sampling_rate=50.0, depth=[0, 1, 2])
    >>> study["pressure/pressure"].dims
    ('sensor', 'time')
    """
    if units != "mmHg":
        raise UnitsError(
            f"pressure must be in mmHg, got units={units!r}; convert before making the recording"
        )
    values = _sensor_by_time(pressure, dims, "mmHg")
    depths = np.asarray(depth, dtype=np.float64).ravel()
    good = (
        np.ones(depths.size, dtype=bool)
        if sensor_ok is None
        else np.asarray(sensor_ok, dtype=bool).ravel()
    )
    _raise_faults(_input_faults(values, depths, good, sampling_rate, depth_reference))
    if depths.size > 1 and depths[0] > depths[-1]:
        values, depths, good = values[::-1], depths[::-1], good[::-1]
    values = np.ascontiguousarray(values, dtype=np.float32)
    good = good & ~np.isnan(values).all(axis=1)
    nodes: dict[str, xr.Dataset] = {
        "/": xr.Dataset(attrs=_root_attrs(values, depths, sampling_rate, attrs)),
        "/pressure": _pressure_dataset(values, depths, good, sampling_rate, depth_reference),
        "/events": _events_dataset(events),
    }
    if impedance is not None:
        nodes["/impedance"] = _impedance_dataset(
            _sensor_by_time(impedance, dims, "ohm"),
            impedance_depth,
            impedance_sampling_rate or sampling_rate,
        )
    tree = xr.DataTree.from_dict(nodes)
    validate(tree)
    return tree


def validate(study: xr.DataTree) -> None:
    """Check a study against the contract, listing every fault at once.

    Parameters
    ----------
    study : DataTree
        As made by `make_recording` or read from a native file.

    Raises
    ------
    SchemaError
        If anything of the contract does not hold.
    TypeError
        If `study` is not a DataTree at all.
    """
    if not isinstance(study, xr.DataTree):
        raise TypeError(
            f"expected a study (an xarray.DataTree), got {type(study).__name__}; "
            "open_recording(path) makes one of a file, make_recording(array, ...) of an array"
        )
    faults = [
        f"root attribute {name!r} is missing" for name in REQUIRED_ATTRS if name not in study.attrs
    ]
    for name, value in study.attrs.items():
        # netCDF cannot hold a bool, which Python counts among the integers.
        plain = isinstance(value, str | int | float | np.integer | np.floating | list)
        if not plain or isinstance(value, bool):
            faults.append(
                f"root attribute {name!r} is a {type(value).__name__}, not text or a number"
            )
    if "pressure" not in study.children or "pressure" not in study["pressure"].data_vars:
        _raise_faults([*faults, "node /pressure with variable 'pressure' is missing"])
    node = study["pressure"].to_dataset()
    pressure = node["pressure"]
    if pressure.dims != ("sensor", "time"):
        faults.append(f"pressure has dims {pressure.dims}, expected ('sensor', 'time')")
    if pressure.dtype != np.float32:
        faults.append(f"pressure is {pressure.dtype}, expected float32")
    if pressure.attrs.get("units") != "mmHg":
        faults.append(f"pressure has units {pressure.attrs.get('units')!r}, expected 'mmHg'")
    faults += _coordinate_faults(node)
    if "events" not in study.children:
        faults.append("node /events is missing")
    _raise_faults(faults)


def check_esophageal(study: xr.DataTree) -> None:
    """Refuse a study whose sensors span more than an esophagus with its sphincters.

    Raises
    ------
    ParameterError
        If they do: its metrics would mean nothing.
    """
    depths = study["pressure"].to_dataset()["depth"].values
    span = float(depths[-1] - depths[0])
    if span > MAX_ESOPHAGEAL_SPAN_CM:
        raise ParameterError(
            f"the sensors span {span:g} cm, expected at most {MAX_ESOPHAGEAL_SPAN_CM:g} cm of an "
            "esophageal catheter; hrm measures the esophagus only (a colonic recording can be "
            "read and converted). If it is esophageal, correct the sensor positions"
        )


def organ_warnings(study: xr.DataTree) -> list[str]:
    """Say what speaks against a recording of the esophagus."""
    text = (
        "the file has the layout of a colonic recording, and does not name the organ: the metrics "
        "hold for the esophagus only"
    )
    return [text] if study.attrs.get("organ") == "colon_suspected" else []


def _coordinate_faults(node: xr.Dataset) -> list[str]:
    faults = [
        f"coordinate {name!r} is missing from /pressure"
        for name in ("time", "depth", "sensor_ok")
        if name not in node.coords
    ]
    if "depth" in node.coords:
        depths = np.asarray(node["depth"].values, dtype=np.float64)
        if not bool(np.all(np.diff(depths) > 0)):
            faults.append("depth is not strictly increasing downwards")
        elif depths.size > 1:
            faults += _scale_faults(depths)
        if node["depth"].attrs.get("depth_reference") not in DEPTH_REFERENCES:
            faults.append(f"depth_reference is not one of {', '.join(DEPTH_REFERENCES)}")
    if "time" in node.coords and not bool(np.all(np.diff(node["time"].values) > 0)):
        faults.append("time is not strictly increasing")
    return faults


def sampling_rate(study: xr.DataTree) -> float:
    """Sampling rate of the pressure node [Hz]."""
    return float(study.attrs["sampling_rate"])


def _sensor_by_time(array: ArrayLike, dims: Sequence[str] | None, unit: str) -> NDArray[Any]:
    if isinstance(array, xr.DataArray):
        _check_unit(array, unit)
    values = np.asarray(array)
    if values.ndim != 2:
        raise SchemaError(f"expected a 2-D array (time, sensor), got {values.ndim} dimension(s)")
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise SchemaError(f"expected numbers, got an array of {values.dtype}")
    return values.T if _axes(array, dims)[0] == "time" else values


def _check_unit(array: xr.DataArray, unit: str) -> None:
    found = array.attrs.get("units", unit)
    if found != unit:
        raise UnitsError(
            f"the array says units={found!r}, expected {unit!r}; convert it (and set its attribute "
            "units) before making the recording"
        )


def _axes(array: ArrayLike, dims: Sequence[str] | None) -> tuple[str, ...]:
    """Order of the axes: as the caller says, as the array says, or time first."""
    if dims is not None and sorted(dims) != sorted(TIME_FIRST):
        raise ParameterError(f"dims must name 'time' and 'sensor', got {tuple(dims)}")
    named = _named_axes(array)
    if dims is None:
        return named or TIME_FIRST
    if named and named != tuple(dims):
        raise ParameterError(
            f"dims={tuple(dims)} contradicts the dims of the array, which say {named}; "
            "leave dims= out, or rename those of the array"
        )
    return tuple(dims)


def _named_axes(array: ArrayLike) -> tuple[str, ...] | None:
    # One known name is enough to tell the order of two axes.
    if not isinstance(array, xr.DataArray):
        return None
    first, second = array.dims
    if first == "time" or second == "sensor":
        return TIME_FIRST
    return TIME_FIRST[::-1] if first == "sensor" or second == "time" else None


def _input_faults(
    values: NDArray[Any],
    depths: NDArray[np.float64],
    good: NDArray[np.bool_],
    rate: float,
    depth_reference: str,
) -> list[str]:
    faults = []
    n_sensors, n_samples = values.shape
    if n_sensors < 2 or n_samples < 2:
        faults.append(f"expected at least 2 sensors and 2 samples, got {n_sensors} and {n_samples}")
    if depths.size != n_sensors:
        faults.append(
            f"{n_sensors} sensors but {depths.size} depths (the array was read as "
            f"{n_samples} samples of {n_sensors} sensors; dims= says the order of its axes)"
        )
    if good.size != n_sensors:
        faults.append(f"{n_sensors} sensors but {good.size} entries in sensor_ok")
    faults += _depth_faults(depths)
    if not (math.isfinite(rate) and rate > 0):
        faults.append(f"sampling_rate must be a positive number of Hz, got {rate!r}")
    elif not math.isfinite(n_samples / float(rate)):
        faults.append(f"sampling_rate must give times that are numbers, got {rate!r} Hz")
    if np.isinf(values).any():
        faults.append("pressure holds infinite values")
    if depth_reference not in DEPTH_REFERENCES:
        faults.append(
            f"depth_reference must be one of {', '.join(DEPTH_REFERENCES)}, got {depth_reference!r}"
        )
    return faults


def _depth_faults(depths: NDArray[np.float64]) -> list[str]:
    steps = np.diff(depths)
    if not np.isfinite(depths).all():
        return ["depth holds NaN or infinity"]
    if not ((steps > 0).all() or (steps < 0).all()):
        return ["depth must be strictly increasing (or strictly decreasing), in cm"]
    return [] if depths.size < 2 else _scale_faults(depths)


def _scale_faults(depths: NDArray[np.float64]) -> list[str]:
    faults = []
    span, least = abs(float(depths[-1] - depths[0])), float(np.abs(np.diff(depths)).min())
    if span > MAX_SPAN_CM + 1e-6:
        faults.append(
            f"the sensors span {span:g} cm, expected at most {MAX_SPAN_CM:g} cm; "
            "depths are in cm, not in mm"
        )
    if least < MIN_SPACING_CM - 1e-6:
        faults.append(
            f"two sensors are {least:g} cm apart, expected at least {MIN_SPACING_CM:g} cm; "
            "depths are in cm, not in m"
        )
    return faults


def _raise_faults(faults: Sequence[str]) -> None:
    if faults:
        raise SchemaError("not a valid recording: " + "; ".join(faults))


def _root_attrs(
    values: NDArray[np.float32],
    depths: NDArray[np.float64],
    rate: float,
    attrs: Mapping[str, str | float | int] | None,
) -> dict[str, Any]:
    given = dict(attrs or {})
    out = {**REQUIRED_ATTRS, **given, "sampling_rate": float(rate)}
    if not out["source_sha256"]:
        digest = hashlib.sha256(np.float64(rate).tobytes() + depths.tobytes())
        digest.update(values.tobytes())
        out["source_sha256"] = digest.hexdigest()
    if not out["study_id"]:
        out["study_id"] = str(out["source_sha256"])[:12]
    if not out["reader_version"]:
        from hrm import __version__

        out["reader_version"] = __version__
    if out["thermal_compensation"] not in THERMAL_COMPENSATION:
        raise ParameterError(
            f"thermal_compensation must be one of {', '.join(THERMAL_COMPENSATION)}, "
            f"got {out['thermal_compensation']!r}"
        )
    if out["system"] != "unknown":
        catalog.check_system(str(out["system"]))
    return out


def _pressure_dataset(
    values: NDArray[np.float32],
    depths: NDArray[np.float64],
    good: NDArray[np.bool_],
    rate: float,
    depth_reference: str,
) -> xr.Dataset:
    time = np.arange(values.shape[1], dtype=np.float64) / rate
    return xr.Dataset(
        {"pressure": (("sensor", "time"), values, {"units": "mmHg", "long_name": "pressure"})},
        coords={
            "time": ("time", time, {"units": "s", "long_name": "time from the first sample"}),
            "depth": ("sensor", depths, {"units": "cm", "depth_reference": depth_reference}),
            "sensor_ok": ("sensor", good, {"long_name": "sensor can be used"}),
        },
    )


def _impedance_dataset(values: NDArray[Any], depth: ArrayLike | None, rate: float) -> xr.Dataset:
    n_segments, n_samples = values.shape
    if depth is None:
        raise SchemaError("impedance needs impedance_depth (NaN where a position is unknown)")
    depths = np.asarray(depth, dtype=np.float64).ravel()
    if depths.size != n_segments:
        raise SchemaError(f"{n_segments} impedance segments but {depths.size} impedance depths")
    if not (rate > 0 and math.isfinite(n_samples / rate)):
        raise SchemaError(f"impedance_sampling_rate must give times that are numbers, got {rate!r}")
    time = np.arange(n_samples, dtype=np.float64) / rate
    data = np.ascontiguousarray(values, dtype=np.float32)
    return xr.Dataset(
        {"impedance": (("segment", "impedance_time"), data, {"units": "ohm"})},
        coords={
            "impedance_time": ("impedance_time", time, {"units": "s"}),
            "segment_depth": ("segment", depths, {"units": "cm"}),
        },
    )


def _events_dataset(events: Iterable[Mapping[str, Any]]) -> xr.Dataset:
    rows = sorted(events, key=lambda row: float(row["onset"]))
    for row in rows:
        label = row.get("label", "annotation")
        if label not in EVENT_LABELS:
            raise SchemaError(
                f"event label must be one of {', '.join(EVENT_LABELS)}, got {label!r}"
            )
        if not math.isfinite(float(row["onset"])):
            raise SchemaError("an event has no finite onset")
    data = {}
    for name, default in _EVENT_COLUMNS:
        column = [row.get(name, default) for row in rows]
        values = (
            np.array(column, dtype=np.float64)
            if isinstance(default, float)
            else np.array([str(value) for value in column], dtype=object)
        )
        data[name] = ("event", values, {"units": "s"} if isinstance(default, float) else {})
    return xr.Dataset(data)
