"""One recording from pressure to results: the order in which things happen."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm import __version__, catalog
from hrm.catalog import Parameters
from hrm.detect.landmarks import Landmarks
from hrm.detect.proposal import Proposal, propose
from hrm.errors import ParameterError
from hrm.metrics import egj
from hrm.metrics._base import Measurement
from hrm.metrics.chicago import SwallowLimits, swallow_limits
from hrm.metrics.swallow import Anatomy, SwallowMetrics, measure_swallow
from hrm.preprocess import estimate_noise, filter_noise, interpolate_depth, usable_sensors
from hrm.results import POSTURES, PROTOCOLS, StudyRecord, SwallowRecord, attach
from hrm.schema import validate

NAN = math.nan


@dataclass(frozen=True)
class StatedSwallow:
    """What the user says of a swallow: a row of the swallow table."""

    onset_s: float
    posture: str
    protocol: str


@dataclass(frozen=True)
class _Signal:
    """The pressure that is measured, and the unfiltered one where they differ."""

    headline: xr.DataArray
    unfiltered: xr.DataArray | None
    noise_mmhg: float


def analyze(
    recording: xr.DataTree,
    *,
    system: str | None = None,
    posture: str | None = None,
    swallows: Sequence[Mapping[str, Any]] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """Measure one recording.

    Parameters
    ----------
    recording : DataTree
        From `hrm.open_recording` or `hrm.make_recording`.
    system : str, optional
        Key of the manometry system, whose limits apply; overrides the recording's.
    posture : {"supine", "upright"}, optional
        Posture of the swallows that the table does not name; otherwise unknown.
    swallows : sequence of mapping, optional
        What the file cannot say, one row a swallow: ``onset_s`` [s from the first
        sample], ``posture``, ``protocol``.
    parameters : mapping, optional
        Values that differ from ``hrm/data/parameters.toml``.

    Returns
    -------
    DataTree
        The recording with ``/swallows``, ``/landmarks``, ``/egj`` and ``/study``.
        `hrm.to_dict` gives the published contract.

    Raises
    ------
    SchemaError
        If the recording breaks the data contract.
    ParameterError
        If an option has a value that cannot be used.
    """
    validate(recording)
    chosen = catalog.default_parameters().replace(parameters or {})
    known_system = catalog.check_system(system) if system else str(recording.attrs["system"])
    stated = [_stated(row, i + 1) for i, row in enumerate(swallows or ())]
    if posture is not None and posture not in POSTURES:
        raise ParameterError(f"posture must be one of {', '.join(POSTURES)}, got {posture!r}")
    record = _measure(recording, known_system, posture or "unknown", stated, chosen)
    return attach(recording, record, __version__)


def _stated(row: Mapping[str, Any], number: int) -> StatedSwallow:
    try:
        onset = float(row["onset_s"])
    except (KeyError, TypeError, ValueError) as err:
        raise ParameterError(f"swallow table row {number}: onset_s must be a number of seconds") from err
    posture, protocol = str(row.get("posture", "unknown")), str(row.get("protocol", "unknown"))
    if not math.isfinite(onset) or posture not in POSTURES or protocol not in PROTOCOLS:
        raise ParameterError(
            f"swallow table row {number}: expected a finite onset_s, posture one of "
            f"{', '.join(POSTURES)} and protocol one of {', '.join(PROTOCOLS)}; "
            f"got {onset}, {posture!r}, {protocol!r}"
        )
    return StatedSwallow(onset, posture, protocol)


def _measure(
    recording: xr.DataTree,
    system: str,
    posture: str,
    stated: Sequence[StatedSwallow],
    parameters: Parameters,
) -> StudyRecord:
    pressure = recording["pressure/pressure"]
    usable = usable_sensors(pressure, dead_variance=parameters["quality.dead_variance_mmhg2"])
    if usable.sum() < 2:
        raise ParameterError("fewer than two sensors can be used; nothing can be measured")
    signal = _prepare(pressure, usable, parameters)
    proposal = propose(
        _complete(signal.headline, usable),
        hints=_markers(recording),
        stated=[row.onset_s for row in stated],
        parameters=parameters,
    )
    limits = swallow_limits(system)
    rows = [
        _swallow(k, proposal, signal, usable, stated, posture, limits, parameters)
        for k in range(len(proposal.onsets))
    ]
    rest = _resting_junction(signal.headline, usable, proposal, parameters)
    return _summarize(recording, system, proposal, rows, rest, signal, usable, limits, parameters)


def _prepare(
    pressure: xr.DataArray, usable: NDArray[np.bool_], parameters: Parameters
) -> _Signal:
    noise = estimate_noise(pressure[usable])
    if not noise > parameters["noise.filter_above_mmhg"]:
        return _Signal(pressure, None, noise)
    smooth = filter_noise(pressure, sd_s=parameters["noise.gaussian_sd_s"])
    return _Signal(smooth, pressure, noise)


def _complete(pressure: xr.DataArray, usable: NDArray[np.bool_]) -> xr.DataArray:
    """Sensors for detection; gaps in time are bridged so that they are no event."""
    values = pressure.values[usable].copy()
    for row in values:
        missing = np.isnan(row)
        if missing.any():
            row[missing] = np.interp(
                np.flatnonzero(missing), np.flatnonzero(~missing), row[~missing]
            )
    return pressure[usable].copy(data=values)


def _markers(recording: xr.DataTree) -> list[float]:
    events = recording["events"].to_dataset()
    chosen = events["label"].values == "marker"
    return [float(onset) for onset in events["onset"].values[chosen]]


def _field(
    pressure: xr.DataArray,
    usable: NDArray[np.bool_],
    start_s: float,
    stop_s: float,
    parameters: Parameters,
) -> xr.DataArray:
    """Depth-interpolate one window.

    A single bad sensor between two good ones is bridged by the interpolation; of
    neighbors that are bad together the gap stays NaN and spoils what needs it.
    """
    columns = slice(*np.searchsorted(pressure["time"].values, [start_s - 5e-7, stop_s - 5e-7]))
    window = pressure[:, columns].copy()
    good = usable & ~np.isnan(window.values).any(axis=1)
    bad = ~good
    twice = bad & (np.roll(bad, 1) | np.roll(bad, -1))
    twice[[0, -1]] = False
    inner = np.flatnonzero(good)
    if inner.size < 2:
        window.values[:] = np.nan
        good[:] = True
    else:
        twice[: inner[0]] = twice[inner[-1] + 1 :] = False
    window.values[bad & twice] = np.nan
    return interpolate_depth(
        window[good | twice],
        step_cm=parameters["interpolation.step_cm"],
        kernel=parameters["interpolation.kernel"],
    )


def _swallow(
    k: int,
    proposal: Proposal,
    signal: _Signal,
    usable: NDArray[np.bool_],
    stated: Sequence[StatedSwallow],
    posture: str,
    limits: SwallowLimits,
    parameters: Parameters,
) -> SwallowRecord:
    onset = proposal.onsets[k]
    end = float(signal.headline["time"].values[-1]) + 1.0 / _rate(signal.headline)
    following = proposal.onsets[k + 1].time_s if k + 1 < len(proposal.onsets) else math.inf
    stop = min(end, following)
    start = max(0.0, onset.time_s)
    window_stop = min(onset.time_s + parameters["dci.window_repetitive_s"] + 1.0, stop)
    marks = proposal.landmarks
    anatomy = Anatomy(
        ues_lower_cm=marks.ues_lower_cm,
        les_upper_cm=marks.les_upper_cm,
        crural_diaphragm_cm=marks.crural_diaphragm_cm,
        gastric_mmhg=_gastric_reference(onset.time_s, signal.headline, proposal, parameters),
        gastric_trace=_gastric_trace(signal.headline, marks, start, window_stop, parameters),
    )
    place = {"onset_s": onset.time_s, "stop_s": stop, "anatomy": anatomy, "limits": limits}
    metrics, raw = (
        None
        if pressure is None
        else measure_swallow(
            _field(pressure, usable, start, window_stop, parameters), **place, parameters=parameters
        )
        for pressure in (signal.headline, signal.unfiltered)
    )
    said = _row_for(onset.time_s, stated, parameters)
    protocol = said.protocol if said else _protocol(k, proposal, parameters)
    reason = _why_not_evaluable(onset.time_s, following, end, protocol, proposal, parameters)
    return _record(
        onset, stop, end, metrics, raw, said.posture if said else posture, protocol, reason, parameters
    )


def _gastric_sensors(pressure: xr.DataArray, places_cm: Sequence[float]) -> NDArray[np.bool_]:
    return np.isin(pressure["depth"].values, places_cm)


def _gastric_reference(
    onset_s: float, pressure: xr.DataArray, proposal: Proposal, parameters: Parameters
) -> float:
    """Return the baseline's gastric pressure, or the local one far away from the baseline."""
    marks, baseline = proposal.landmarks, proposal.baseline
    if baseline is None or not math.isfinite(marks.gastric_reference_mmhg):
        return NAN
    away = max(baseline.start_s - onset_s, onset_s - baseline.stop_s)
    if away <= parameters["gastric.baseline_far_s"]:
        return marks.gastric_reference_mmhg
    time = pressure["time"].values
    before = (time >= onset_s - parameters["gastric.local_s"]) & (time < onset_s)
    chosen = _gastric_sensors(pressure, marks.gastric_sensors_cm)
    return float(np.median(np.nanmedian(pressure.values[chosen][:, before], axis=1)))


def _gastric_trace(
    pressure: xr.DataArray,
    marks: Landmarks,
    start_s: float,
    stop_s: float,
    parameters: Parameters,
) -> xr.DataArray | None:
    """Gastric pressure at each time, if the reference is to follow it."""
    chosen = _gastric_sensors(pressure, marks.gastric_sensors_cm)
    if parameters["gastric.reference"] != "dynamic" or not chosen.any():
        return None
    window = pressure.sel(time=slice(start_s, stop_s))
    trace = np.median(window.values[chosen], axis=0)
    return xr.DataArray(trace, dims="time", coords={"time": window["time"]})


def _rate(pressure: xr.DataArray) -> float:
    time = pressure["time"].values
    return 1.0 / float(time[1] - time[0])


def _row_for(
    onset_s: float, stated: Sequence[StatedSwallow], parameters: Parameters
) -> StatedSwallow | None:
    near = [row for row in stated if abs(row.onset_s - onset_s) <= parameters["swallows.match_s"]]
    return min(near, key=lambda row: abs(row.onset_s - onset_s)) if near else None


def _protocol(k: int, proposal: Proposal, parameters: Parameters) -> str:
    """Multiple rapid swallows show themselves; anything else has to be said."""
    times = [onset.time_s for onset in proposal.onsets]
    first = last = k
    while first > 0 and times[first] - times[first - 1] <= parameters["detect.mrs_gap_s"]:
        first -= 1
    while last + 1 < len(times) and times[last + 1] - times[last] <= parameters["detect.mrs_gap_s"]:
        last += 1
    return "mrs" if last - first + 1 >= parameters["detect.mrs_count"] else "unknown"


def _why_not_evaluable(
    onset_s: float,
    following_s: float,
    end_s: float,
    protocol: str,
    proposal: Proposal,
    parameters: Parameters,
) -> str:
    if protocol not in ("single", "unknown"):
        return f"protocol_{protocol}"
    if following_s - onset_s < parameters["detect.double_s"]:
        return "next_swallow_within_10_s"
    if any(onset_s - 1.0 <= cough <= onset_s + 10.0 for cough in proposal.coughs):
        return "cough"
    if end_s - onset_s < parameters["irp.minimum_window_s"]:
        return "window_truncated"
    return ""


def _record(
    onset: Any,
    stop_s: float,
    end_s: float,
    metrics: SwallowMetrics,
    raw: SwallowMetrics | None,
    posture: str,
    protocol: str,
    reason: str,
    parameters: Parameters,
) -> SwallowRecord:
    numbers = metrics.measurements()
    status = {name: m.status for name, m in numbers.items() if m.status != "ok"}
    status |= metrics.status
    if metrics.type.type is None:
        status["type"] = metrics.type.status
    if reason:
        status["type"] = "excluded"
    flags = list(metrics.type.flags)
    cut_short = end_s - onset.time_s < parameters["irp.window_s"]
    if cut_short or metrics.contraction_stop_s >= end_s - 1e-6:
        flags.append("window_truncated")
    if not reason and metrics.type.type is None:
        reason = metrics.type.status
    return SwallowRecord(
        onset_s=onset.time_s,
        onset_method=onset.method,
        window_s=(onset.time_s, min(onset.time_s + parameters["irp.window_s"], stop_s)),
        posture=posture,
        protocol=protocol,
        evaluable=not reason,
        reason=reason,
        metrics={name: m.value for name, m in numbers.items()},
        unfiltered={name: m.value for name, m in raw.measurements().items()} if raw else {},
        cdp_method=metrics.cdp.method if metrics.cdp else "",
        cdp_s=metrics.cdp.time_s if metrics.cdp else NAN,
        transition_zone_cm=metrics.transition_zone_cm,
        pressurization=metrics.pressurization,
        type=None if reason else metrics.type.type,
        flags=flags,
        borderline=_borderline(numbers, parameters),
        status=status,
    )


def _borderline(numbers: Mapping[str, Measurement], parameters: Parameters) -> list[str]:
    latency = numbers["distal_latency_s"].value
    low, high = parameters["dl.borderline_low_s"], parameters["dl.borderline_high_s"]
    return ["distal_latency_s"] if low <= latency <= high else []


def _resting_junction(
    pressure: xr.DataArray,
    usable: NDArray[np.bool_],
    proposal: Proposal,
    parameters: Parameters,
) -> dict[str, Any]:
    """Measure the EGJ over the baseline; morphology beside the numbers."""
    marks, baseline, breathing = proposal.landmarks, proposal.baseline, proposal.breathing
    separation = egj.les_cd_separation(marks.les_peak_cm, marks.crural_diaphragm_cm)
    out: dict[str, Any] = {
        "les_length_cm": egj.les_length(marks.les_upper_cm, marks.les_lower_cm),
        "les_cd_separation_cm": separation,
        "morphology": egj.morphology(
            separation,
            pressure_inversion_point_cm=marks.pressure_inversion_point_cm,
            les_peak_cm=marks.les_peak_cm,
            crural_diaphragm_cm=marks.crural_diaphragm_cm,
            parameters=parameters,
        ),
    }
    if baseline is None or breathing is None:
        missing = Measurement.missing("no_baseline")
        return out | {"basal_mean_mmhg": missing, "basal_end_expiratory_mmhg": missing}
    field = _field(pressure, usable, baseline.start_s, baseline.stop_s, parameters)
    sleeve = egj.resting_sleeve(
        field,
        les_upper_cm=marks.les_upper_cm,
        les_lower_cm=marks.les_lower_cm,
        gastric_mmhg=marks.gastric_reference_mmhg,
    )
    first = int(np.searchsorted(pressure["time"].values, baseline.start_s - 5e-7))
    quiet = baseline.quiet[first : first + sleeve.size]
    half = round(parameters["respiration.half_width_s"] * _rate(pressure))
    breaths = breathing.inspiration - first
    expirations = breathing.end_expiration - first
    return out | {
        "basal_mean_mmhg": egj.basal_mean(
            sleeve, breaths[breaths < sleeve.size], quiet, parameters
        ),
        "basal_end_expiratory_mmhg": egj.basal_end_expiratory(
            sleeve, expirations[expirations < sleeve.size], half, quiet
        ),
    }


def _summarize(
    recording: xr.DataTree,
    system: str,
    proposal: Proposal,
    rows: Sequence[SwallowRecord],
    rest: Mapping[str, Any],
    signal: _Signal,
    usable: NDArray[np.bool_],
    limits: SwallowLimits,
    parameters: Parameters,
) -> StudyRecord:
    marks, baseline = proposal.landmarks, proposal.baseline
    primary = _primary_posture(rows)
    medians, median_status = _medians(rows)
    zones = [row.transition_zone_cm for row in rows if row.type not in (None, "failed")]
    zones = [zone for zone in zones if math.isfinite(zone)]
    landmarks = {
        "ues_upper_cm": marks.ues_upper_cm,
        "ues_lower_cm": marks.ues_lower_cm,
        "transition_zone_cm": statistics.median(zones) if zones else NAN,
        "les_upper_cm": marks.les_upper_cm,
        "les_lower_cm": marks.les_lower_cm,
        "crural_diaphragm_cm": marks.crural_diaphragm_cm,
        "pressure_inversion_point_cm": marks.pressure_inversion_point_cm,
        "gastric_reference_mmhg": marks.gastric_reference_mmhg,
    }
    status = dict(marks.status)
    if not zones:
        status["transition_zone_cm"] = "no_contraction"
    numbers = {name: m for name, m in rest.items() if isinstance(m, Measurement)}
    return StudyRecord(
        system=system,
        landmarks=landmarks,
        landmark_status=status,
        egj={name: m.value for name, m in numbers.items()},
        egj_status={name: m.status for name, m in numbers.items() if m.status != "ok"},
        morphology=rest["morphology"],
        swallows=rows,
        study={
            "n_swallows": len(rows),
            "n_evaluable": sum(row.evaluable for row in rows),
            **medians,
        },
        study_status=median_status,
        percent=_percent(rows, primary),
        primary_posture=primary,
        baseline=_baseline_block(baseline),
        warnings=_warnings(recording, system, proposal, rows, signal, usable),
        parameters_id=parameters.id,
        parameter_overrides=parameters.overrides,
        limit_ids=limits.ids,
        noise_mmhg=signal.noise_mmhg,
        filtered=signal.unfiltered is not None,
    )


def _baseline_block(baseline: Any) -> dict[str, float | str]:
    if baseline is None:
        return {"status": "no_baseline"}
    return {"start_s": baseline.start_s, "stop_s": baseline.stop_s, "status": baseline.status}


def _primary_posture(rows: Sequence[SwallowRecord]) -> str:
    """Posture whose swallows make the percentages: supine when there is any."""
    seen = [row.posture for row in rows if row.evaluable]
    return next((posture for posture in POSTURES if posture in seen), "unknown")


def _medians(rows: Sequence[SwallowRecord]) -> tuple[dict[str, float], dict[str, str]]:
    medians, status = {}, {}
    for posture in POSTURES:
        name = f"irp4s_median_{posture}_mmhg"
        values = [
            row.metrics["irp4s_mmhg"] for row in rows if row.evaluable and row.posture == posture
        ]
        values = [value for value in values if math.isfinite(value)]
        medians[name] = statistics.median(values) if values else NAN
        if not values:
            status[name] = "no_evaluable_swallow"
    return medians, status


def _percent(rows: Sequence[SwallowRecord], posture: str) -> dict[str, float]:
    counted = [row for row in rows if row.evaluable and row.posture == posture]
    if not counted:
        return dict.fromkeys(
            ("failed", "weak", "ineffective", "fragmented", "premature", "hypercontractile", "panesophageal"),
            NAN,
        )

    def share(hits: Sequence[bool]) -> float:
        return 100.0 * sum(hits) / len(counted)

    shares = {
        name: share([row.type == name for row in counted])
        for name in ("failed", "weak", "fragmented")
    }
    # Premature and hypercontractile do not exclude each other; both are counted.
    for name in ("premature", "hypercontractile"):
        shares[name] = share([name in row.flags for row in counted])
    shares["ineffective"] = share(
        [row.type in ("failed", "weak", "fragmented") for row in counted]
    )
    shares["panesophageal"] = share([row.pressurization == "panesophageal" for row in counted])
    return shares


def _warnings(
    recording: xr.DataTree,
    system: str,
    proposal: Proposal,
    rows: Sequence[SwallowRecord],
    signal: _Signal,
    usable: NDArray[np.bool_],
) -> list[str]:
    found = []
    if signal.unfiltered is not None:
        found.append(
            f"white sensor noise is about {signal.noise_mmhg:.1f} mmHg: metrics are from the filtered "
            "pressure, the unfiltered values stand beside them"
        )
    if system == "unknown":
        found.append("system unknown: name it to get its limits")
    if not rows:
        found.append("no swallow was found")
    elif all(row.posture == "unknown" for row in rows):
        found.append("posture unknown: say it for the study or by swallow")
    if proposal.baseline is None:
        found.append("no swallow-free stretch of 5 s: resting landmarks could not be found")
    elif proposal.baseline.status != "ok":
        found.append(
            f"baseline is {proposal.baseline.stop_s - proposal.baseline.start_s:.1f} s "
            "and not clear of swallows by the full margin: resting values are less certain"
        )
    depth = recording["pressure/depth"].values
    lost = [f"{value:g}" for value in depth[~usable]]
    if lost:
        found.append(f"sensors at {', '.join(lost)} cm cannot be used")
    stated = sum(row.onset_method == "stated" for row in rows)
    if stated:
        found.append(f"{stated} swallow(s) of the table show no pharyngeal wave or UES relaxation")
    return found
