"""One file of a batch, measured in a worker process; what comes back is plain and small."""

from __future__ import annotations

import json
import math
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hrm import __version__, catalog
from hrm.batch.inputs import is_remote
from hrm.batch.settings import Settings, settings_id
from hrm.errors import (
    AnnotationError,
    CorruptFileError,
    FormatError,
    HrmError,
    HrmWarning,
    MissingDependencyError,
    ParameterError,
    SchemaError,
    UnknownFormatError,
    UnsupportedVersionError,
)
from hrm.store.ledger import Attempted, Failed, Key, Measured

if TYPE_CHECKING:
    import xarray as xr

    from hrm.edits import Edit

#: Kinds of failure, the most special first, and what to do about each.
_CAUSES: tuple[tuple[type[Exception], str, str], ...] = (
    (UnknownFormatError, "unknown_format", "export the recording again, or describe its layout"),
    (UnsupportedVersionError, "unsupported", "export the recording as text, or in another version"),
    (CorruptFileError, "damaged", "copy or export the file again from where it came from"),
    (FormatError, "format", "name the reader of this file in its settings"),
    (AnnotationError, "review", "check the review log: hrm review FILE --verify"),
    (SchemaError, "recording", "check sensor positions, units and sampling in the settings"),
    (ParameterError, "settings", "say what the message asks for in the manifest or settings file"),
    (MissingDependencyError, "installation", "install what the message names"),
    (MemoryError, "memory", "give the workers more memory: --memory-limit"),
    (FileNotFoundError, "missing", "the file is not there; check the path in the manifest"),
    (PermissionError, "unreadable", "give the batch the right to read the file"),
    (OSError, "unreadable", "check the disk or network that holds the file"),
)


@dataclass(frozen=True)
class Job:
    """One file to measure."""

    input_id: int
    path: str
    settings: Settings
    engine: str


class _OtherEngineError(HrmError):
    """Numbers of the worker would not be those that the ledger says they are."""


class _ReplacedError(HrmError):
    """The file was replaced while it was read."""


@cache
def engine_id() -> str:
    """Version of hrm and digest of its definitions: what numbers depend on beside settings."""
    return f"{__version__}+{catalog.definitions_id()}"


def measure(job: Job) -> Attempted:
    """Measure one file; every fault of the file comes back as `Failed`, none is raised."""
    began = time.perf_counter()
    key = Key("", "", job.engine, "")
    said: list[str] = []
    outcome: Measured | Failed
    try:
        with _heard(said):
            key, outcome = _measured(job)
    except Exception as err:  # noqa: BLE001 - one bad file must not stop the rest
        outcome = _failed(err)
    if not key.settings_id:
        key = key._replace(settings_id=settings_key(job.settings))
    seconds = time.perf_counter() - began
    return Attempted(key, outcome, tuple(dict.fromkeys(said)), seconds)


def settings_key(settings: Settings) -> str:
    """Digest of the settings, empty if a file that they name cannot be read."""
    try:
        return settings_id(settings.to_json())
    except ParameterError:
        return ""  # the failure says which


@contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """Collect what hrm warns of; what libraries warn of may quote a file and is left out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            said += [str(each.message) for each in caught if issubclass(each.category, HrmWarning)]


def _measured(job: Job) -> tuple[Key, Measured]:
    from hrm.readings import warn_of_change
    from hrm.results import to_dict
    from hrm.stability import diagnosis_stability

    if engine_id() != job.engine:
        raise _OtherEngineError("the worker runs another version of hrm than the batch")
    settings_json = job.settings.to_json()
    recording = open_input(job)
    sha256 = str(recording.attrs["source_sha256"])
    edits = review_edits(sha256, job.path, job.settings)
    folder = _review_folder(job.path, job.settings)
    if not edits and folder and not is_remote(job.path):
        warn_of_change(Path(job.path), sha256, folder)
    key = Key(sha256, settings_id(settings_json), job.engine, review_hash(edits))
    study = diagnosis_stability(
        recording,
        system=job.settings.system,
        posture=job.settings.posture,
        swallows=swallows_of(job.settings, recording),
        clinical=job.settings.clinical(),
        irp_limit=job.settings.irp_limit,
        parameters=job.settings.parameters,
        review=edits or None,
    )
    result = to_dict(study)
    return key, _packed(study, result, job.settings, settings_json)


def open_input(job: Job) -> xr.DataTree:
    """Open the recording of a job with what its settings say."""
    from hrm.io import open_recording
    from hrm.io.offset_table import read_offset_table, with_offsets

    said = job.settings
    before = _stamp(job.path)
    with _source(job.path) as source:
        recording = open_recording(
            source,
            member=said.member,
            reader=said.reader,
            catheter=said.catheter,
            catheter_file=said.catheter_file,
            depths=said.depths,
            system=said.system,
            participant=said.participant,
            strictness=said.strictness or "raise",
            layout=said.layout,
            sampling_rate=said.sampling_rate,
            pressure_unit=said.pressure_unit,
            channel_order=said.channel_order,
        )
    if _stamp(job.path) != before:
        raise _ReplacedError("the file was replaced while it was read")
    if said.drift:
        return with_offsets(recording, read_offset_table(said.drift))
    return recording


def _stamp(path: str) -> tuple[int, int] | None:
    if is_remote(path):
        return None
    stat = Path(path).stat()
    return stat.st_size, stat.st_mtime_ns


@contextmanager
def _source(path: str) -> Iterator[str | BinaryIO]:
    """Give what `open_recording` reads: a path, or the open file behind an address."""
    if not is_remote(path):
        with nullcontext(path) as same:
            yield same
        return
    import fsspec

    with fsspec.open(path, "rb") as file:
        yield file


def review_edits(sha256: str, path: str, settings: Settings) -> list[Edit]:
    """Edits of the reading that counts, beside a recording or in the folder of the settings."""
    from hrm.readings import deciding, readings

    folder = _review_folder(path, settings)
    chosen = deciding(readings(sha256, folder)) if folder else None
    return list(chosen.edits) if chosen else []


def _review_folder(path: str, settings: Settings) -> str | None:
    return settings.review_dir or (None if is_remote(path) else str(Path(path).parent))


def review_hash(edits: list[Edit]) -> str:
    """Name the state of a review log; empty without one."""
    return edits[-1].hash if edits else ""


def swallows_of(settings: Settings, recording: xr.DataTree) -> list[dict[str, Any]] | None:
    """Rows of the swallow table that the settings name, in seconds."""
    from hrm.io.swallow_table import read_swallow_table

    if not settings.swallows:
        return None
    rate = float(recording.attrs["sampling_rate"])
    return read_swallow_table(settings.swallows, sampling_rate=rate)


def _packed(
    study: xr.DataTree, result: dict[str, Any], settings: Settings, settings_json: str
) -> Measured:
    from hrm.plot.thumbnail import thumbnail
    from hrm.store.tidy import long_rows

    metrics = tuple(
        (*row[2:4], None if math.isnan(row[4]) else row[4], *row[5:]) for row in long_rows(study)
    )
    return Measured(
        study_id=result["recording"]["study_id"],
        participant=settings.participant,
        visit=settings.visit,
        settings=settings_json,
        result=json.dumps(result, allow_nan=False, separators=(",", ":")),
        thumbnail=thumbnail(study["pressure"].to_dataset()["pressure"]),
        swallows=tuple(_swallow(row) for row in result["swallows"]),
        metrics=metrics,
    )


def _swallow(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("id", "onset_s", "posture", "protocol", "evaluable", "reason", "type")
    return (*(row[name] for name in names), row["pressurization"])


def _failed(err: BaseException) -> Failed:
    if isinstance(err, _ReplacedError):
        return Failed("changed", str(err), "run the batch again when the file is complete")
    if isinstance(err, _OtherEngineError):
        return Failed("installation", str(err), "install the same hrm on every worker")
    for kind, cause, advice in _CAUSES:
        if isinstance(err, kind):
            return Failed(cause, _words(err), advice)
    # Names and lines of hrm's own code only: the text of the error may quote the file.
    place = _place(err)
    advice = "this is a fault of hrm: please report it with this message"
    return Failed("fault", f"unexpected {type(err).__name__} at {place}", advice)


def _words(err: BaseException) -> str:
    if isinstance(err, MemoryError):
        return "the memory of the worker is exhausted"
    if isinstance(err, OSError):
        return (err.strerror or type(err).__name__).lower()
    return str(err)


def _place(err: BaseException) -> str:
    own = [frame for frame in traceback.extract_tb(err.__traceback__) if "hrm" in frame.filename]
    if not own:
        return "an unknown place"
    last = own[-1]
    parts = Path(last.filename).parts
    start = len(parts) - 1 - parts[::-1].index("hrm") if "hrm" in parts else len(parts) - 1
    return f"{'/'.join(parts[start:])}:{last.lineno}"


def quarantined(job: Job, message: str, *, cause: str, advice: str, seconds: float) -> Attempted:
    """Say of a file that it ended its worker."""
    key = Key("", settings_key(job.settings), job.engine, "")
    failed = Failed(cause, message, advice, quarantined=True)
    return Attempted(key, failed, (), seconds)


def not_run(job: Job, kind: str) -> Attempted:
    """Say of a file that its worker could not even begin."""
    key = Key("", settings_key(job.settings), job.engine, "")
    failed = Failed(
        "installation",
        f"the worker could not run hrm ({kind})",
        "install the same hrm, Python and dask on every worker",
    )
    return Attempted(key, failed, (), 0.0)
