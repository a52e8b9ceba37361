"""The review log: what readers changed, one JSON line for each edit, never rewritten.

A log lies beside its recording as ``<sha256>.review.jsonl``. Each line holds the
SHA-256 of the line before it, so a change of any line but the last breaks the
chain; ``<sha256>.review.head``, written with each edit, holds number and digest of
the last line, so that its change or loss is noticed too. Somebody who rewrites both
files is found out by ``head_hash`` in results computed before.

Automatic values are never overwritten: `replay` says what the edits amount to, and
the pipeline lays that over the automatic result.
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256 as _sha256
from pathlib import Path
from typing import Any

from hrm import __version__
from hrm._files import check_target, new_file
from hrm.edits import DIGEST, KEYS, Change, Edit
from hrm.errors import AnnotationError, ParameterError, ProvenanceWarning

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: What stands for "the line before" in the first line.
GENESIS = "0" * 64

_MOST_BYTES = 64 << 20
_RESTORE = "restore the log from a copy; a line is never changed, a new edit replaces it"


def log_path(sha256: str, directory: str | os.PathLike[str]) -> Path:
    """Where the log of a recording lies: named by the recording's digest only.

    Raises
    ------
    ParameterError
        If `sha256` is no digest.
    """
    if not DIGEST.fullmatch(sha256):
        raise ParameterError("a review log needs the SHA-256 of its recording")
    return Path(directory) / f"{sha256}.review.jsonl"


def head_path(log: str | os.PathLike[str]) -> Path:
    """Where number and digest of the last line of a log are kept."""
    return Path(log).with_suffix(".head")


def find_log(sha256: str, directory: str | os.PathLike[str]) -> Path | None:
    """Path of the log of a recording, if there is one, or was according to its head."""
    path = log_path(sha256, directory)
    return path if path.exists() or head_path(path).exists() else None


def read_log(path: str | os.PathLike[str]) -> list[Edit]:
    """Read a review log, and check all of it.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of Edit
        In the order of the lines; empty for an empty file.

    Raises
    ------
    AnnotationError
        Naming the line: chain broken, line incomplete, unknown object or field, a
        value that cannot be, lines of different recordings, or lines lost.
    FileNotFoundError
        If there is no log.
    """
    log = Path(path)
    # The head first: a line that is added meanwhile then lies beyond it, which is no fault.
    head = _read_head(log)
    lines = _content(log, head).split(b"\n")
    if lines.pop():
        raise AnnotationError(_incomplete(len(lines) + 1, head))
    edits: list[Edit] = []
    for number, line in enumerate(lines, 1):
        try:
            edits.append(_linked(_edit_of(line), number, edits))
        except AnnotationError as err:
            raise AnnotationError(f"review log, line {number}: {err}") from err
    _check_head(edits, head)
    named = log.name.partition(".")[0]
    if edits and DIGEST.fullmatch(named) and named != edits[0].sha256:
        raise AnnotationError(
            "review log, line 1: sha256 differs from the file name; the log belongs to another "
            "recording and was renamed"
        )
    if edits and head is None:
        warnings.warn(
            "there is no .head file beside the review log, so that a change or loss of its last "
            "line would not show; compare its head_hash with that of an earlier result",
            ProvenanceWarning,
            stacklevel=2,
        )
    return edits


def _incomplete(number: int, head: tuple[int, str] | None) -> str:
    where = f"review log, line {number}: the line is incomplete"
    if head is not None and head[0] >= number:
        return f"{where}, and its .head file says that it was whole; the log was cut: {_RESTORE}"
    return (
        f"{where}, because writing it was interrupted; delete that last line only, and make the "
        "edit again"
    )


def _content(log: Path, head: tuple[int, str] | None) -> bytes:
    try:
        if log.stat().st_size > _MOST_BYTES:
            raise AnnotationError("this is not a review log: it is larger than 64 MiB")
        return log.read_bytes()
    except FileNotFoundError as err:
        if head is None:
            raise
        raise AnnotationError(
            f"the review log is missing, but its .head file says that it has lines; {_RESTORE}"
        ) from err


def _edit_of(line: bytes) -> Edit:
    try:
        content = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as err:
        raise AnnotationError(f"not a line of JSON; {_RESTORE}") from err
    if not isinstance(content, dict) or content.keys() != KEYS:
        raise AnnotationError(f"expected the keys {', '.join(sorted(KEYS))}; {_RESTORE}")
    return Edit(**content, hash=_sha256(line).hexdigest())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key appears twice")
    return content


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _linked(edit: Edit, number: int, before: Sequence[Edit]) -> Edit:
    """Check that an edit continues the lines before it."""
    if edit.seq != number:
        raise AnnotationError(
            f"expected seq {number}, found {edit.seq}; lines were removed, added or moved: {_RESTORE}"
        )
    if edit.prev_hash != (before[-1].hash if before else GENESIS):
        changed = f"line {number - 1} was changed" if before else "the start of the log is missing"
        raise AnnotationError(f"prev_hash does not match, {changed}; {_RESTORE}")
    if before and edit.sha256 != before[0].sha256:
        raise AnnotationError(f"sha256 differs: an edit of another recording; {_RESTORE}")
    return edit


def _read_head(log: str | os.PathLike[str]) -> tuple[int, str] | None:
    try:
        text = head_path(log).read_bytes()
    except FileNotFoundError:
        return None
    match = re.fullmatch(rb"(\d{1,9}) ([0-9a-f]{64})\n", text)
    if match is None:
        raise AnnotationError(
            "the .head file beside the review log is damaged; restore it from a copy, or delete it "
            "after comparing the log with the head_hash of a result"
        )
    return int(match[1]), match[2].decode()


def _check_head(edits: Sequence[Edit], head: tuple[int, str] | None) -> None:
    if head is None:
        return
    number, digest = head
    if number > len(edits):
        raise AnnotationError(
            f"review log, line {len(edits) + 1}: lines {len(edits) + 1} to {number} are missing; {_RESTORE}"
        )
    if digest != (edits[number - 1].hash if number else GENESIS):
        raise AnnotationError(f"review log, line {number}: the line was changed; {_RESTORE}")


def append(
    path: str | os.PathLike[str],
    *changes: Change,
    sha256: str,
    reader: str,
    reason: str = "",
    engine: str = __version__,
    utc: str | None = None,
) -> list[Edit]:
    """Add edits to the end of a log, all or none; a log that is not there is begun.

    Parameters
    ----------
    path : path-like
        From `log_path`.
    *changes : Change
        Where the log holds an edit of the same field already, its `new` is what
        becomes `old`.
    sha256 : str
        Of the recording.
    reader : str
        Code of the reader.
    reason : str
    engine : str
    utc : str, optional
        Defaults to now.

    Returns
    -------
    list of Edit
        As written.

    Raises
    ------
    AnnotationError
        If a change breaks a rule, or the log as it is is not sound.
    OSError
        If the log cannot be written; it is then as before.
    """
    log = Path(path)
    said = {"sha256": sha256, "reader": reader, "reason": reason, "engine": engine}
    said["utc"] = utc or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    follow_up([], changes, **said)  # before a file is made
    check_target(head_path(log), overwrite=True)
    with _locked(log) as descriptor:
        before = read_log(log)
        added = follow_up(before, changes, **said)
        _write(descriptor, b"".join(edit.line() + b"\n" for edit in added))
        with new_file(head_path(log), overwrite=True) as place:
            last = added[-1]
            place.write_bytes(f"{last.seq} {last.hash}\n".encode("ascii"))
    return added


def follow_up(
    before: Sequence[Edit], changes: Sequence[Change], *, sha256: str, utc: str, **said: str
) -> list[Edit]:
    """Make the edits that would continue a log, without writing them.

    Parameters
    ----------
    before : sequence of Edit
    changes : sequence of Change
    sha256, utc : str
    **said : str
        ``reader``, ``reason``, ``engine``.

    Returns
    -------
    list of Edit

    Raises
    ------
    AnnotationError
        If a change breaks a rule, or the log is of another recording.
    """
    if not changes:
        raise AnnotationError("no change was given; name a field and its value")
    if before and before[0].sha256 != sha256:
        raise AnnotationError("the review log is of another recording; use its own log")
    edits = list(before)
    for change in changes:
        known = [e for e in edits if (e.object, e.field) == (change.object, change.field)]
        edited = known[-1].new if known else None
        edits.append(
            Edit(
                seq=len(edits) + 1,
                utc=utc,
                object=change.object,
                field=change.field,
                old=change.old if edited is None else edited,
                new=change.new,
                sha256=sha256,
                prev_hash=edits[-1].hash if edits else GENESIS,
                **said,
            )
        )
    return edits[len(before) :]


@contextmanager
def _locked(log: Path) -> Iterator[int]:
    """Open a log for appending while nobody else does."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    descriptor = os.open(log, flags, 0o666)
    try:
        if sys.platform == "win32":
            # A byte far beyond the end, because a locked byte cannot be read.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)  # also ends the lock


def _write(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except OSError:
        # A full disk must not leave half a line.
        os.ftruncate(descriptor, size)
        raise


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a log amounts to.

    Attributes
    ----------
    n_edits : int
    readers : tuple of str
        In order of their first edit.
    signed_off : bool
        Whether the last word is a signature: any later edit takes it back.
    head_hash : str
        Digest of the last line: names this very log.
    sha256 : str
        Of the recording; empty without edits.
    last : tuple of Edit
        The edit that counts of each field of each object, in order of the lines;
        one with `new` None stands for the automatic value.
    """

    n_edits: int
    readers: tuple[str, ...]
    signed_off: bool
    head_hash: str
    sha256: str
    last: tuple[Edit, ...]

    def of(self, kind: str) -> list[Edit]:
        """Give the edits that count of ``landmarks``, ``study`` or all swallows."""
        return [edit for edit in self.last if edit.object.partition("@")[0] == kind]


def replay(edits: Sequence[Edit]) -> Corrections:
    """Say what the edits of a log amount to: the last one of each field counts.

    Parameters
    ----------
    edits : sequence of Edit
        From `read_log`.

    Returns
    -------
    Corrections

    Raises
    ------
    AnnotationError
        If the edits are not one log from its start.
    """
    for k, edit in enumerate(edits):
        try:
            _linked(edit, k + 1, edits[:k])
        except AnnotationError as err:
            raise AnnotationError(f"review log, line {k + 1}: {err}") from err
    last = {(edit.object, edit.field): edit for edit in edits}
    counted = sorted(last.values(), key=lambda edit: edit.seq)
    end = edits[-1] if edits else None
    signed = end is not None and (end.object, end.field, end.new) == ("study", "signed_off", True)
    return Corrections(
        n_edits=len(edits),
        readers=tuple(dict.fromkeys(edit.reader for edit in edits)),
        signed_off=signed,
        head_hash=edits[-1].hash if edits else GENESIS,
        sha256=edits[0].sha256 if edits else "",
        last=tuple(counted),
    )
