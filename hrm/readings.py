"""Readings of one recording, each in a log of its own, and the one that counts.

A log without a reader in its name is that of a laboratory where readings are not
compared. Where they are, each reader writes ``<sha256>.<READER>.review.jsonl`` and
sees no other; the third, who adjudicates, says so in the log.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import scrypt
from itertools import count
from pathlib import Path

from hrm._files import new_file
from hrm.annotate import Corrections, find_log, log_path, read_log, replay
from hrm.edits import READER, Edit
from hrm.errors import AnnotationError, ProvenanceWarning

#: Ending of the code under which a reader reads a study again, to be compared with oneself.
AGAIN = "-R2"
_SALT = b"hrm: which file was reviewed"
_DIGESTED = re.compile(r"[0-9a-f]{64}\.review\.json")
_ASIDE = re.compile(rf"([0-9a-f]{{64}})(?:\.({READER}))?\.aside-\d+\.review\.jsonl")
_NAME = re.compile(rf"([0-9a-f]{{64}})(?:\.({READER}))?\.review\.jsonl")


@dataclass(frozen=True)
class Reading:
    """What one reader, or one laboratory, made of a recording.

    Attributes
    ----------
    path : Path
        The log.
    reader : str
        Code of the reader; empty for the log that all share.
    edits : tuple of Edit
    corrections : Corrections
    """

    path: Path
    reader: str
    edits: tuple[Edit, ...]
    corrections: Corrections

    @property
    def signed_off(self) -> bool:
        """Whether the reader stands behind it."""
        return self.corrections.signed_off

    @property
    def again(self) -> bool:
        """Whether it is a second look of the same reader, which never counts."""
        return self.reader.endswith(AGAIN)

    @property
    def adjudicates(self) -> bool:
        """Whether it settles what other readers disagree on."""
        said = [e for e in self.corrections.of("study") if e.field == "adjudicates"]
        return bool(said and said[-1].new)


def reading_path(sha256: str, directory: str | os.PathLike[str], reader: str = "") -> Path:
    """Where a reader's own log of a recording lies; without a reader, the shared one.

    Raises
    ------
    AnnotationError
        If the reader is no code.
    ParameterError
        If `sha256` is no digest.
    """
    if reader and not re.fullmatch(READER, reader):
        raise AnnotationError(
            "reader must be a code of 2 to 12 of the characters A-Z, 0-9, - and _, not a name"
        )
    path = log_path(sha256, directory)
    return path.with_name(f"{sha256}.{reader}.review.jsonl") if reader else path


def logs_in(directory: str | os.PathLike[str]) -> list[tuple[str, str, Path]]:
    """Find every log of a folder: digest of its recording, reader, path; in this order."""
    found = []
    for path in Path(directory).iterdir():
        # A log that is lost but for its head is a log too: reading it says so.
        name = path.name.removesuffix(".head") + ".jsonl" if path.suffix == ".head" else path.name
        match = _NAME.fullmatch(name)
        if match:
            found.append((match[1], match[2] or "", path.with_name(name)))
    return sorted(set(found))


def aside_path(log: Path) -> Path:
    """Where a log that is not sound can be kept; a name that no log has yet."""
    stem = log.name.removesuffix(".review.jsonl")
    for number in count(1):
        path = log.with_name(f"{stem}.aside-{number}.review.jsonl")
        if not path.exists() and not path.with_suffix(".head").exists():
            return path
    raise AnnotationError("no name is left for a log that is kept aside")


def logs_aside(directory: str | os.PathLike[str]) -> list[tuple[str, str, Path]]:
    """Find every log that was kept aside: digest of its recording, reader, path."""
    found = set()
    for path in Path(directory).iterdir():
        name = path.name.removesuffix(".head") + ".jsonl" if path.suffix == ".head" else path.name
        match = _ASIDE.fullmatch(name)
        if match:
            found.add((match[1], match[2] or "", path.with_name(name)))
    return sorted(found)


def remember_file(file: Path, sha256: str, directory: str | os.PathLike[str]) -> None:
    """Write down which file a recording was, so that a change of the file shows later.

    The name may be a patient's: what is written can be compared with a name, not read.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(directory) / f"{sha256}.review.json"
    names = {*_files_of(path), _name_key(file, Path(directory))}
    if names != _files_of(path):
        with new_file(path, overwrite=True) as place:
            place.write_text(json.dumps({"files": sorted(names)}), encoding="utf-8")


def changed_since_review(file: Path, sha256: str, directory: str | os.PathLike[str]) -> bool:
    """Whether a file of this name was reviewed here with another content, and not with this."""
    folder = Path(directory)
    others = [path for path in folder.glob("*.review.json") if _DIGESTED.fullmatch(path.name)]
    if not others:
        return False
    key = _name_key(file, folder)
    known = {path.name.partition(".")[0] for path in others if key in _files_of(path)}
    return bool(known) and sha256 not in known


def warn_of_change(file: Path, sha256: str, directory: str | os.PathLike[str]) -> None:
    """Say of a recording without a review that there is one of what its file held before.

    Warns
    -----
    ProvenanceWarning
    """
    if changed_since_review(file, sha256, directory):
        warnings.warn(
            "the file was changed since it was reviewed here: the review is of what it held "
            "before, and does not count",
            ProvenanceWarning,
            stacklevel=2,
        )


def _files_of(path: Path) -> set[str]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    names = said.get("files") if isinstance(said, dict) else None
    return {str(name) for name in names} if isinstance(names, list) else set()


def _name_key(file: Path, folder: Path) -> str:
    try:
        # As seen from the log, so that both can move together.
        name = os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:
        name = str(file.resolve())  # on another drive
    # Slow on purpose: names of patients can be guessed one after the other.
    name = Path(name).as_posix()
    return scrypt(name.encode("utf-8", "surrogateescape"), salt=_SALT, n=1 << 14, r=8, p=1).hex()


def readings(sha256: str, directory: str | os.PathLike[str]) -> list[Reading]:
    """Read every reading of a recording.

    Parameters
    ----------
    sha256 : str
        Of the recording.
    directory : path-like

    Returns
    -------
    list of Reading
        The shared one first, then by reader.

    Raises
    ------
    AnnotationError
        If a log is not sound, or a reader's log holds an edit of another.
    """
    folder = Path(directory)
    own = sorted(folder.glob(f"{sha256}.*.review.*")) if folder.is_dir() else []
    codes = {m[2] for path in own if (m := _NAME.fullmatch(f"{path.stem}.jsonl")) and m[2]}
    shared = find_log(sha256, folder)
    paths = [("", shared)] if shared else []
    paths += [(code, reading_path(sha256, folder, code)) for code in sorted(codes)]
    return [read_reading(path, code) for code, path in paths]


def read_reading(path: Path, reader: str = "") -> Reading:
    """Read one log; `reader` is the code in its name.

    Raises
    ------
    AnnotationError
        If the log is not sound, or holds an edit of another reader.
    """
    edits = tuple(read_log(path))
    for edit in edits if reader else ():
        if edit.reader != reader:
            raise AnnotationError(
                f"review log, line {edit.seq}: an edit of another reader in the log of {reader}"
            )
    return Reading(path, reader, edits, replay(edits))


def deciding(found: Sequence[Reading]) -> Reading | None:
    """Choose the reading that counts.

    Parameters
    ----------
    found : sequence of Reading
        All of one recording.

    Returns
    -------
    Reading or None
        The signed adjudication; else the only signed reading; else, where there is no
        reader's own log, the shared log as it stands, not signed; else None: the
        automatic result.

    Raises
    ------
    AnnotationError
        If there are two adjudications.

    Warns
    -----
    ProvenanceWarning
        If two readings are signed and nobody has adjudicated.
    """
    found = [reading for reading in found if not reading.again]
    signed = [reading for reading in found if reading.signed_off]
    settled = [reading for reading in signed if reading.adjudicates]
    if len(settled) > 1:
        codes = ", ".join(reading.reader or "the shared log" for reading in settled)
        raise AnnotationError(f"two readings adjudicate one recording ({codes}); only one can")
    if settled:
        return settled[0]
    if len(signed) == 1:
        return signed[0]
    if signed:
        warnings.warn(
            f"{len(signed)} signed readings and no adjudication: the automatic result stands",
            ProvenanceWarning,
            stacklevel=2,
        )
        return None
    return found[0] if len(found) == 1 and not found[0].reader else None


def deciding_log(sha256: str, directory: str | os.PathLike[str]) -> Path | None:
    """Path of the log that counts, or None for the automatic result; see `deciding`."""
    chosen = deciding(readings(sha256, directory))
    return chosen.path if chosen else None
