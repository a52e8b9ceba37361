"""One study from the files of its windows: joined by time, never stretched, never filled."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrm.errors import CorruptFileError, DataQualityWarning, ParameterError, ProvenanceWarning
from hrm.io._notes import AnnotationsLeftOut
from hrm.io.identity import PHI_PREFIX, slot_of

if TYPE_CHECKING:
    import xarray as xr

#: Formats whose files say at which moment of the study they begin.
JOINABLE = frozenset({"manoview-ascii", "manoview-headless", "mms-csv"})

# How far, in samples, a window may lie off the grid of the first: the noise of float64 only.
_OFF_GRID = 0.01
# Times of events are printed with few decimals; what float64 adds lies far below this.
_TIME_DECIMALS = 6
_MOST_TIMES = 5
#: Attributes that say something of one file only; `_attrs` says what becomes of them.
_OF_ONE_FILE = frozenset(
    {
        "source_sha256",
        "study_id",
        "time_offset_s",
        "first_sample_index",
        "integrity_check",
        "unread_channels",
        "unread_columns",
    }
)


@dataclass(frozen=True, slots=True)
class _Window:
    """One file: the samples `start` to `stop` of the study; `number` is its place in the call."""

    number: int
    study: xr.DataTree
    start: int
    pressure: NDArray[np.float32]
    impedance: NDArray[np.float32] | None

    @property
    def stop(self) -> int:
        return self.start + int(self.pressure.shape[1])


def join_windows(windows: Sequence[xr.DataTree], *, participant: str | None = None) -> xr.DataTree:
    """Join recordings that are windows of one study.

    Parameters
    ----------
    windows : sequence of DataTree
        Recordings of the same sensors at the same rate, in any order, of a format whose
        times are those of the study (`JOINABLE`).
    participant : str, optional
        Code to carry as ``study_id`` instead of a digest of the files.

    Returns
    -------
    DataTree
        The study from the first sample of the earliest window to the last of the latest. Samples
        that several windows hold are there once, and so are events.

    Raises
    ------
    ParameterError
        If the recordings differ in what a study has only one of, hold results, or come from a
        format whose times begin anew in each file.
    CorruptFileError
        If windows contradict each other where they overlap, or leave a gap.

    Notes
    -----
    ``source_sha256`` is the SHA-256 of the sorted hexadecimal digests of the files, each
    followed by a line feed; files with the same content count once. If there is only one
    content, the digest is that of the file.
    """
    from hrm.schema import make_recording

    if not windows:
        raise ParameterError("no files to join: give the windows of one study")
    if len(windows) == 1:
        return windows[0]
    for number, study in enumerate(windows, 1):
        _check_kind(study, number)
        _check_alike(windows[0], study, number)
    placed = _placed(windows)
    _check_gaps(placed)
    first = placed[0]
    node = first.study["pressure"].to_dataset()
    impedance: dict[str, Any] = {}
    if first.impedance is not None:
        parts = [(each, each.impedance) for each in placed if each.impedance is not None]
        impedance = {
            "impedance": _merged(parts, "impedances"),
            "impedance_depth": first.study["impedance/segment_depth"].values,
        }
    return make_recording(
        _merged([(each, each.pressure) for each in placed], "pressures"),
        dims=("sensor", "time"),
        sampling_rate=_rate(first.study),
        depth=node["depth"].values,
        depth_reference=node["depth"].attrs["depth_reference"],
        sensor_ok=np.logical_and.reduce([_not_known_dead(each) for each in placed]),
        events=_events(placed),
        attrs=_attrs(placed, participant),
        **impedance,
    )


@contextmanager
def annotations_of_windows(windows: Sequence[xr.DataTree]) -> Iterator[None]:
    """Warn once of the annotations that lie outside every window, not of each window's own.

    Each file of a study lists all annotations of the study, and holds the samples of some.

    Parameters
    ----------
    windows : sequence of DataTree
        Filled with the windows while they are read within.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AnnotationsLeftOut)
        yield
    times: set[float] = set()
    for each in caught:
        if isinstance(each.message, AnnotationsLeftOut):
            times.update(each.message.times_s)
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    outside = sorted(time for time in times if not any(_holds(study, time) for study in windows))
    if outside:
        listed = ", ".join(f"{time:g} s" for time in outside[:_MOST_TIMES])
        more = f" and {len(outside) - _MOST_TIMES} more" if len(outside) > _MOST_TIMES else ""
        warnings.warn(
            f"{_counted(len(outside))} (at {listed}{more}) {'lie' if len(outside) > 1 else 'lies'} "
            "in none of the files that were joined, and not carried over; those within a file are kept, each once. If they matter, "
            "export the time around them too and join it",
            DataQualityWarning,
            stacklevel=4,
        )


def _counted(n: int) -> str:
    return f"{n} annotation{'s' if n > 1 else ''}"


def _holds(study: xr.DataTree, time_s: float) -> bool:
    rate, first_s = _rate(study), _offset(study)
    last_s = first_s + (study["pressure"].sizes["time"] - 1) / rate
    return first_s - 1 / rate <= time_s <= last_s + 1 / rate


def _check_kind(study: xr.DataTree, number: int) -> None:
    source_format = str(study.attrs["source_format"])
    if source_format not in JOINABLE:
        raise ParameterError(
            f"file {number} is no window of a study: the times in it begin anew in each file. "
            f"Formats that can be joined: {', '.join(sorted(JOINABLE))}"
        )
    if set(study.children) - {"pressure", "impedance", "events"}:
        raise ParameterError(
            f"file {number} holds findings of swallows, which count from its own first one; join "
            "files that hold a recording only"
        )


def _check_alike(first: xr.DataTree, study: xr.DataTree, number: int) -> None:
    found = _described(study)
    different = [name for name, value in _described(first).items() if value != found[name]]
    names = sorted(
        name
        for name in (set(map(str, first.attrs)) | set(map(str, study.attrs))) - _OF_ONE_FILE
        if first.attrs.get(name) != study.attrs.get(name)
    )
    different += [_harmless_name(name) for name in names if name != "sampling_rate"]
    if different:
        raise ParameterError(
            f"file {number} is not of the same study as file 1: they differ in "
            f"{', '.join(different)}. Join the windows of one study only, read with the same options"
        )


def _described(study: xr.DataTree) -> dict[str, Any]:
    """Facts that all windows of a study share, by the words of an error message."""
    pressure = study["pressure"].to_dataset()
    segments = study["impedance"].to_dataset() if "impedance" in study.children else None
    depth = pressure["depth"]
    return {
        "the number of pressure sensors": pressure.sizes["sensor"],
        "the sampling rate": _rate(study),
        "the sensor positions": (depth.attrs["depth_reference"], depth.values.tobytes()),
        "the number of impedance segments": 0 if segments is None else segments.sizes["segment"],
        "the positions of the impedance segments": b""
        if segments is None
        else segments["segment_depth"].values.tobytes(),
        # Of no format that can be joined, but a study may have been made so.
        "the impedance times": segments is None
        or np.array_equal(segments["impedance_time"].values, pressure["time"].values),
    }


def _harmless_name(name: str) -> str:
    """Name of an attribute; that of a header row kept on request may be a patient's own."""
    return f"the header field '{slot_of(name)}'" if name.startswith(PHI_PREFIX) else name


def _rate(study: xr.DataTree) -> float:
    return float(study.attrs["sampling_rate"])


def _offset(study: xr.DataTree) -> float:
    return float(study.attrs["time_offset_s"])


def _placed(windows: Sequence[xr.DataTree]) -> list[_Window]:
    """Windows with their place on the grid of the earliest, in the order of time."""
    rate, first_s = _rate(windows[0]), min(map(_offset, windows))
    placed = []
    for number, study in enumerate(windows, 1):
        exact = (_offset(study) - first_s) * rate
        start = round(exact)
        if abs(exact - start) > _OFF_GRID:
            raise CorruptFileError(
                f"the samples of file {number} lie between those of the earliest file, not on "
                f"them (at {rate:g} Hz); the files are not of one study, or their times are "
                "printed too coarsely to join them: export the study as one file",
            )
        pressure = study["pressure"].to_dataset()["pressure"].values
        placed.append(_Window(number, study, start, pressure, _impedance(study)))
    return sorted(placed, key=lambda each: (each.start, each.stop, each.number))


def _impedance(study: xr.DataTree) -> NDArray[np.float32] | None:
    if "impedance" not in study.children:
        return None
    return np.asarray(study["impedance"].to_dataset()["impedance"].values, dtype=np.float32)


def _check_gaps(placed: Sequence[_Window]) -> None:
    """Refuse windows between which samples are missing; all gaps are listed."""
    first_s, rate = _offset(placed[0].study), _rate(placed[0].study)
    gaps, covered = [], placed[0]
    for each in placed[1:]:
        if each.start > covered.stop:
            last, following = (covered.stop - 1) / rate + first_s, each.start / rate + first_s
            gaps.append(
                f"from {last:.3f} s (end of file {covered.number}) to {following:.3f} s "
                f"(begin of file {each.number})"
            )
        elif each.start == covered.stop:
            warnings.warn(
                f"files {covered.number} and {each.number} touch, but share no sample: nothing but "
                "their times shows that they are of one study",
                ProvenanceWarning,
                stacklevel=4,
            )
        covered = max(covered, each, key=lambda window: window.stop)
    if gaps:
        raise CorruptFileError(
            f"no file holds the samples between two windows: {'; '.join(gaps)}. A gap is never "
            "filled: export what is missing, or read the parts separately"
        )


def _merged(parts: Sequence[tuple[_Window, NDArray[np.float32]]], what: str) -> NDArray[np.float32]:
    """Put the samples of all windows in one array (channel, time), each compared with the others.

    Raises
    ------
    CorruptFileError
        If two windows hold different samples at one time.
    """
    whole = np.empty((parts[0][1].shape[0], max(each.stop for each, _ in parts)), dtype=np.float32)
    covered = 0
    for each, values in parts:
        n_shared = min(max(covered - each.start, 0), values.shape[1])
        there, here = whole[:, each.start : each.start + n_shared], values[:, :n_shared]
        same = (there == here) | (np.isnan(there) & np.isnan(here))
        if not same.all():
            at = each.start + int(np.argmin(same.all(axis=0)))
            study = parts[0][0].study
            raise CorruptFileError(
                f"the files are not of one study: file {each.number} holds other {what} than "
                "a file with the same times, or its times count from its own begin",
                where=f"{at / _rate(study) + _offset(study):.3f} s",
            )
        whole[:, each.start + n_shared : each.stop] = values[:, n_shared:]
        covered = max(covered, each.stop)
    return whole


def _not_known_dead(window: _Window) -> NDArray[np.bool_]:
    # A sensor silent in one window only is alive; one that somebody called dead is not.
    good = np.asarray(window.study["pressure/sensor_ok"].values, dtype=bool)
    return good | np.isnan(window.pressure).all(axis=1)


def _events(placed: Sequence[_Window]) -> list[Mapping[str, Any]]:
    """Events of all windows; one that several hold is there once, two alike in one stay two."""
    merged: Counter[tuple[float, float, str, str, str]] = Counter()
    for each in placed:
        # The union of two counters takes the larger count.
        merged |= Counter(_timed_events(each.study))
    first_s = _offset(placed[0].study)
    return [
        {
            "onset": time - first_s,
            "duration": duration,
            "label": label,
            "source": source,
            "note": note,
        }
        for time, duration, label, source, note in sorted(merged.elements())
    ]


def _timed_events(study: xr.DataTree) -> Iterable[tuple[float, float, str, str, str]]:
    """Events by the time in the study."""
    events = study["events"].to_dataset()
    columns = [events[name].values for name in ("onset", "duration", "label", "source", "note")]
    for onset, duration, *texts in zip(*columns, strict=True):
        label, source, note = map(str, texts)
        time = round(float(onset) + _offset(study), _TIME_DECIMALS)
        yield time, float(duration), label, source, note


def _attrs(placed: Sequence[_Window], participant: str | None) -> dict[str, Any]:
    first = placed[0].study.attrs
    digest = joined_digest(str(each.study.attrs["source_sha256"]) for each in placed)
    out = {str(name): value for name, value in first.items() if name not in _OF_ONE_FILE}
    del out["sampling_rate"]
    out |= {
        "source_sha256": digest,
        "study_id": participant or digest[:12],
        "time_offset_s": first["time_offset_s"],
    }
    if "first_sample_index" in first:
        out["first_sample_index"] = first["first_sample_index"]
    checks = {str(each.study.attrs.get("integrity_check", "")) for each in placed}
    if checks != {""}:
        out["integrity_check"] = _worst_check(checks)
    channels = {
        name for each in placed for name in str(each.study.attrs.get("unread_channels", "")).split()
    }
    if channels:
        out["unread_channels"] = " ".join(sorted(channels))
    n_unread = max(int(each.study.attrs.get("unread_columns", 0)) for each in placed)
    return out | ({"unread_columns": n_unread} if n_unread else {})


def _worst_check(found: set[str]) -> str:
    return next((word for word in ("failed", "not_available") if word in found), "passed")


def joined_digest(digests: Iterable[str]) -> str:
    r"""Digest of a joined study, from those of its files in hexadecimal.

    Examples
    --------
    >>> joined_digest(["aa", "aa"])
    'aa'
    >>> joined_digest(["bb", "aa"]) == hashlib.sha256(b"aa\nbb\n").hexdigest()
    True
    """
    unique = sorted(set(digests))
    if len(unique) == 1:
        return unique[0]
    return hashlib.sha256("".join(f"{each}\n" for each in unique).encode("ascii")).hexdigest()
