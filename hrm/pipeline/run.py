"""One recording from pressure to results: the order in which things happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import xarray as xr

from hrm import __version__, catalog
from hrm.catalog import Parameters
from hrm.corrections import correct, corrections_of, unreviewed, with_review
from hrm.detect.proposal import (
    markers,
    propose,
)
from hrm.detect.protocol import (
    StatedSwallow,
    stated_swallow,
    unpack_stated,
)
from hrm.edits import Edit
from hrm.errors import ParameterError, SchemaError
from hrm.metrics import chicago
from hrm.metrics.swallow_types import swallow_limits
from hrm.pipeline.one_swallow import measure_one
from hrm.pipeline.quality import clean
from hrm.pipeline.saved import told_before
from hrm.pipeline.study import Study
from hrm.pipeline.summary import summarize
from hrm.preprocess import estimate_noise, filter_noise
from hrm.results import StudyRecord, attach
from hrm.schema import POSTURES, check_esophageal, validate


def analyze(
    recording: xr.DataTree,
    *,
    system: str | None = None,
    posture: str | None = None,
    swallows: Sequence[Mapping[str, Any]] | None = None,
    clinical: Mapping[str, Any] | None = None,
    irp_limit: float | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    review: Sequence[Edit] | Path | None = None,
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
    clinical : mapping, optional
        What the recording cannot say of the patient: ``symptoms``, ``tbe``,
        ``flip``, ``opioids``, ``prior_surgery`` (see `hrm.metrics.chicago`).
    irp_limit : float [mmHg] or str, optional
        Upper limit of the IRP where the classification has none, as a number or
        as the id of a row of the limits table; the diagnosis is then not conclusive.
    parameters : mapping, optional
        Values that differ from ``hrm/data/parameters.toml``.
    review : sequence of Edit or Path, optional
        A reader's review log (see `hrm.annotate`), laid over what is found.

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
    AnnotationError
        If the review log is not sound, or a line of it does not fit the recording.

    Notes
    -----
    A study that was saved with its results keeps what it was analyzed with, until told
    otherwise here: posture and protocol, clinical information, IRP limit, parameters.
    """
    _, record = measure_recording(
        recording,
        system=system,
        posture=posture,
        swallows=swallows,
        clinical=clinical,
        irp_limit=irp_limit,
        parameters=parameters,
        review=review,
    )
    return attach(recording, record, __version__)


def measure_recording(
    recording: xr.DataTree,
    *,
    system: str | None = None,
    posture: str | None = None,
    swallows: Sequence[Mapping[str, Any]] | None = None,
    clinical: Mapping[str, Any] | None = None,
    irp_limit: float | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    review: Sequence[Edit] | Path | None = None,
) -> tuple[Study, StudyRecord]:
    """Measure one recording; arguments and errors as of `analyze`.

    Returns
    -------
    Study
        What was measured, with the corrections of a review, so that parts of it can be
        measured again.
    StudyRecord
        The results, not yet attached to the recording.
    """
    validate(recording)
    check_esophageal(recording)
    corrections = corrections_of(recording, review)
    study = prepared(
        recording,
        system=system,
        posture=posture,
        swallows=swallows,
        clinical=clinical,
        irp_limit=irp_limit,
        parameters=parameters,
    )
    record = _measured(study)
    if corrections is not None:
        usable = study.pressure[study.usable]
        proposal, reviews = correct(
            study.proposal, corrections, pressure=usable, parameters=study.parameters
        )
        study = replace(study, proposal=proposal, reviews=reviews)
        record = with_review(_measured(study), record, corrections, reviews)
    return study, record


def prepared(
    recording: xr.DataTree,
    *,
    system: str | None = None,
    posture: str | None = None,
    swallows: Sequence[Mapping[str, Any]] | None = None,
    clinical: Mapping[str, Any] | None = None,
    irp_limit: float | str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Study:
    """Prepare a valid recording of the esophagus, before any review.

    Arguments and errors as of `analyze`.

    Returns
    -------
    Study
    """
    before = told_before(recording)
    chosen = catalog.default_parameters().replace({**before.parameters, **(parameters or {})})
    if posture is not None and posture not in POSTURES:
        raise ParameterError(f"posture must be one of {', '.join(POSTURES)}, got {posture!r}")
    said = [stated_swallow(row, i + 1) for i, row in enumerate(swallows or ())]
    if posture is None and swallows is None and "stated" in recording.attrs:
        # A study that was saved with its results keeps what was said of it.
        posture, said = unpack_stated(str(recording.attrs["stated"]))
    return prepare(
        recording,
        system=catalog.check_system(system) if system else str(recording.attrs["system"]),
        posture=posture or "unknown",
        stated=said,
        clinical=chicago.clinical_from({**before.clinical, **(clinical or {})}),
        irp_limit=chicago.user_limit_from(before.irp_limit if irp_limit is None else irp_limit),
        parameters=chosen,
    )


def prepare(
    recording: xr.DataTree,
    *,
    system: str,
    posture: str,
    stated: Sequence[StatedSwallow],
    clinical: chicago.Clinical,
    irp_limit: chicago.UserLimit | None,
    parameters: Parameters,
) -> Study:
    """Clean a recording and find its swallows and landmarks, before any review.

    Parameters
    ----------
    recording : DataTree
        A valid one, of the esophagus.
    system, posture : str
    stated : sequence of StatedSwallow
    clinical : Clinical
    irp_limit : UserLimit or None
    parameters : Parameters

    Returns
    -------
    Study

    Raises
    ------
    SchemaError
        If nothing can be measured.
    ParameterError
        If an onset of `stated` lies outside the recording.
    """
    cleaned = clean(recording, parameters)
    raw, usable = cleaned.pressure, cleaned.usable
    if usable.sum() < 2:
        raise SchemaError(
            f"fewer than two sensors can be used, {int(usable.sum())} of {usable.size} in "
            f"{raw.sizes['time']} samples; nothing can be measured: see hrm quality"
        )
    end = float(raw["time"].values[-1])
    outside = [row.onset_s for row in stated if not 0.0 <= row.onset_s <= end]
    if outside:
        raise ParameterError(
            f"the swallow table has onsets outside the recording (0 to {end:.1f} s): "
            f"{', '.join(f'{onset:g}' for onset in outside)}; they count from the first sample"
        )
    noise = estimate_noise(raw[usable])
    noisy = noise > parameters["noise.filter_above_mmhg"]
    pressure = filter_noise(raw, sd_s=parameters["noise.gaussian_sd_s"]) if noisy else raw
    proposal = propose(
        pressure[usable],
        hints=markers(recording["events"].to_dataset()),
        stated=[row.onset_s for row in stated],
        parameters=parameters,
    )
    return Study(
        recording=recording,
        pressure=pressure,
        unfiltered=raw if noisy else None,
        noise_mmhg=noise,
        cleaned=cleaned,
        usable=usable,
        proposal=proposal,
        reviews=unreviewed(proposal.onsets),
        stated=stated,
        posture=posture,
        system=system,
        clinical=clinical,
        irp_limit=irp_limit,
        limits=swallow_limits(system),
        parameters=parameters,
    )


def _measured(study: Study) -> StudyRecord:
    return summarize(study, [measure_one(study, k) for k in range(len(study.reviews))])
