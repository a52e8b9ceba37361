"""Write the synthetic trial: its plan, its clinical data, and recordings of the phantom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrm.trial.inputs.demo import DemoRecording

#: Short and coarse, so that a demonstration is quick: swallows, their distance [s], rate [Hz].
_SWALLOWS, _INTERVAL_S, _RATE_HZ = 5, 20.0, 20.0
_NOISE_MMHG = 0.5
#: How far the made-up reader moves a border of the LES [cm], and when.
_MOVES_CM, _WHEN = (0.4, -0.3, 0.2, -0.5), "2026-01-01T00:00:00Z"


def write_demo(folder: Path, *, pairs: int, overwrite: bool = False) -> Path:
    """Write the synthetic trial into a folder, which is made if it is not there.

    Parameters
    ----------
    folder : Path
    pairs : int
        How many participants have recordings.
    overwrite : bool

    Returns
    -------
    Path
        The plan.

    Raises
    ------
    FileExistsError
        If a file is there and `overwrite` is not set; then none is written.
    """
    from hrm._files import check_target, new_file
    from hrm.trial.inputs.demo import demo_files, demo_recordings, manifest
    from hrm.trial.inputs.layout import VISITS
    from hrm.trial.inputs.plan import FILE_NAME

    texts = demo_files()
    recordings = demo_recordings(texts[VISITS], pairs)
    texts["recordings.csv"] = manifest(recordings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recordings").mkdir(exist_ok=True)
    places = [folder / "recordings" / each.file_name for each in recordings]
    for place in (*(folder / name for name in texts), *places):
        check_target(place, overwrite=overwrite)
    for name, text in texts.items():
        with new_file(folder / name, overwrite=overwrite) as temporary:
            temporary.write_bytes(text.encode())
    for each, place in zip(recordings, places, strict=True):
        with new_file(place, overwrite=overwrite) as temporary:
            _write_recording(each, temporary)
    return folder / FILE_NAME


def _write_recording(each: DemoRecording, path: Path) -> None:
    from hrm.phantom import draw, sample, write_manoview

    phantom = draw(
        each.phenotype, seed=each.seed, n_supine=_SWALLOWS, n_upright=0, interval_s=_INTERVAL_S
    )
    study = sample(phantom, sampling_rate=_RATE_HZ, noise_mmhg=_NOISE_MMHG, seed=each.seed)
    write_manoview(study, path)


def write_reviews(folder: Path, count: int) -> int:
    """Write corrections of a reader who does not exist, beside recordings that were measured.

    Parameters
    ----------
    folder : Path
        Of the synthetic trial, with its results.
    count : int
        How many of the recordings before treatment.

    Returns
    -------
    int
        How many logs were written; one that is there is left as it is.
    """
    import json

    from hrm.annotate import append, log_path
    from hrm.edits import Change
    from hrm.store import Ledger

    with Ledger(folder / "results") as ledger:
        rows = ledger.connection.execute(
            "SELECT DISTINCT sha256, result FROM study WHERE visit = 'baseline' "
            "AND review_hash = '' ORDER BY participant LIMIT ?",
            (count,),
        ).fetchall()
    written = 0
    for number, (sha256, result) in enumerate(rows):
        log = log_path(sha256, folder / "recordings")
        found = json.loads(result)["landmarks"]["les_upper_cm"]
        if found is None or log.exists():
            continue
        moved = round(found + _MOVES_CM[number % len(_MOVES_CM)], 1)
        change = Change("landmarks", "les_upper_cm", moved, found)
        append(log, change, sha256=sha256, reader="R1", reason="synthetic", utc=_WHEN)
        written += 1
    return written
