"""The studies of a worklist: which files, named by what code, read by whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrm._files import new_file
from hrm.batch.inputs import Input, find_inputs, read_manifest
from hrm.batch.settings import Settings, read_settings
from hrm.errors import HrmError, ParameterError
from hrm.worklist.order import assigned, codes
from hrm.worklist.plan import WorklistPlan
from hrm.worklist.stored import is_store, stored_inputs

#: What a worklist keeps for itself, in the folder of the recordings.
KEPT = ".hrm-worklist"
MANIFEST, SETTINGS = "manifest.csv", "settings.toml"
_BLOCK = 1 << 20
_HDF5 = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Study:
    """One recording of a worklist.

    Attributes
    ----------
    sha256 : str
    code : str
        What it is called where nothing of it may be seen.
    path : Path
        For this machine only.
    settings : Settings
        What is said of it.
    readers : tuple of str
        Who is to read it.
    """

    sha256: str
    code: str
    path: Path
    settings: Settings
    readers: tuple[str, ...]


def find_studies(folder: Path, plan: WorklistPlan) -> list[Study]:
    """Find the studies of a folder, and remember who reads each.

    Parameters
    ----------
    folder : Path
        Holds the recordings, or is the output of a batch of them; in it ``manifest.csv`` and
        ``settings.toml`` as of a batch, if they are there.
    plan : WorklistPlan

    Returns
    -------
    list of Study
        By code; a recording that is there twice is listed once.

    Raises
    ------
    ParameterError
        If there is no recording, or the manifest or the settings cannot be used.
    OSError
        If the assignment cannot be written down.
    """
    said = read_settings(folder / SETTINGS) if (folder / SETTINGS).exists() else None
    inputs = _inputs(folder)
    if not inputs:
        raise ParameterError("this folder holds no recording")
    digests = _digests(folder, [each.path for each in inputs])
    by_digest: dict[str, Input] = {}
    for each in inputs:
        by_digest.setdefault(digests[each.path], each)
    who = _assignments(folder, plan, by_digest)
    named = codes(by_digest, plan.seed)
    studies = []
    for sha256, each in by_digest.items():
        settings = said.of(each.path, options=Settings(), row=each.said) if said else each.said
        settings = settings.beside(each.path)
        studies.append(Study(sha256, named[sha256], Path(each.path), settings, who[sha256]))
    return sorted(studies, key=lambda study: study.code)


def _inputs(folder: Path) -> list[Input]:
    if (folder / MANIFEST).exists():
        return read_manifest(folder / MANIFEST)
    if is_store(folder):
        return stored_inputs(folder, settings_too=(folder / SETTINGS).exists())
    return find_inputs([str(folder)], out=folder / KEPT)[0]


def _digests(folder: Path, paths: list[str]) -> dict[str, str]:
    """Digest of each file; a file of the same size and time is not read again."""
    known = _kept(folder, "digests.json")
    found: dict[str, str] = {}
    stamps: dict[str, Any] = {}
    for path in paths:
        stat = Path(path).stat()
        # The name of a file may be a patient's, so it is not written down either.
        name = hashlib.sha256(path.encode()).hexdigest()
        stamp = [stat.st_size, stat.st_mtime_ns]
        before = known.get(name) or {}
        found[path] = before["sha256"] if before.get("stamp") == stamp else _digest(path)
        stamps[name] = {"stamp": stamp, "sha256": found[path]}
    _keep(folder, "digests.json", stamps, known)
    return found


def _digest(path: str) -> str:
    """Digest by which review logs know a recording: of the file that came from the device."""
    made = hashlib.sha256()
    with Path(path).open("rb") as file:
        if file.read(len(_HDF5)) == _HDF5 and (source := _source_digest(path)):
            return source
        file.seek(0)
        while block := file.read(_BLOCK):
            made.update(block)
    return made.hexdigest()


def _source_digest(path: str) -> str:
    """What a file in hrm's own format says of the file it was made from; empty if it is none."""
    from hrm.batch.worker import Job, engine_id, open_input

    try:
        recording = open_input(Job(0, path, Settings(), engine_id()))
    except HrmError:
        return ""
    return str(recording.attrs["source_sha256"])


def _assignments(
    folder: Path, plan: WorklistPlan, digests: Mapping[str, Input]
) -> dict[str, tuple[str, ...]]:
    kept = _kept(folder, "assignments.json")
    before = {sha256: readers for sha256, readers in kept.items() if isinstance(readers, list)}
    gone = {code for readers in before.values() for code in readers} - set(plan.readers)
    if gone:
        raise ParameterError(
            f"studies are assigned to {', '.join(sorted(gone))}, who is no reader of the plan any "
            f"more; name the reader again, or delete {KEPT}/assignments.json to assign all anew"
        )
    who = assigned(digests, plan, before)
    _keep(folder, "assignments.json", {key: list(value) for key, value in who.items()}, kept)
    return who


def _kept(folder: Path, name: str) -> dict[str, Any]:
    path = folder / KEPT / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as err:
        raise ParameterError(f"{KEPT}/{name} is damaged; delete it, it is made anew") from err
    return content if isinstance(content, dict) else {}


def _keep(folder: Path, name: str, content: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    if content == before:
        return
    place = folder / KEPT
    place.mkdir(exist_ok=True)
    with new_file(place / name, overwrite=True) as temporary:
        temporary.write_text(json.dumps(content, sort_keys=True, indent=0), encoding="utf-8")
