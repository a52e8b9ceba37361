"""A reader's edits while the viewer is open: the review log, undo and redo, the signature.

An edit is measured before it is written, and is in the log, synced to the disk, before the
page hears of it. Undoing is a further edit that restores the value before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from hrm import __version__
from hrm.annotate import append, follow_up, log_path, replay
from hrm.edits import COMMENT, Change, Edit
from hrm.errors import AnnotationError
from hrm.readings import read_reading, reading_path

#: Who is written into edits that are not kept.
NOBODY = "NOT-KEPT"
#: Fields that say who stands behind a reading, not what was found.
_SIGNATURE = ("signed_off", "adjudicates")
_UNDONE, _REDONE = "undone", "done again"
#: Measures with a log; raises AnnotationError if one of the edits does not fit.
Check = Callable[[Sequence[Edit]], object]


@dataclass(frozen=True)
class Place:
    """Where a reader's edits go.

    Attributes
    ----------
    folder : Path
    sha256 : str
        Of the recording.
    reader : str
        Code; empty if nothing is to be kept.
    own : bool
        The reader's own log, which no other reader sees, instead of the shared one.
    """

    folder: Path
    sha256: str
    reader: str = ""
    own: bool = False

    @property
    def path(self) -> Path:
        """The log."""
        if self.own:
            return reading_path(self.sha256, self.folder, self.reader)
        return log_path(self.sha256, self.folder)

    @property
    def writable(self) -> bool:
        """Whether the folder takes a new file; rights alone do not tell."""
        if not self.folder.exists():
            return True  # it is made with the first edit, or that says why not
        try:
            with TemporaryFile(prefix=".hrm-", dir=self.folder):
                return True
        except OSError:
            return False

    def read(self) -> tuple[Edit, ...]:
        """Read the log as it is now; nothing if there is none yet.

        Raises
        ------
        AnnotationError
            If it is not sound.
        """
        try:
            return read_reading(self.path, self.reader if self.own else "").edits
        except FileNotFoundError:
            return ()


#: Values before and after a commit.
_Step = tuple[tuple[Change, ...], tuple[Change, ...]]


class Journal:
    """The edits of one recording, and what this session did of them.

    Parameters
    ----------
    place : Place
    edits : sequence of Edit
        What the session starts from: the log, or none.
    """

    def __init__(self, place: Place, edits: Sequence[Edit] = ()) -> None:
        self.place = place
        self._edits = list(edits)
        self._done, self._undone = _steps(self._edits, place.reader)

    @property
    def edits(self) -> list[Edit] | None:
        """What counts now; None where there never was an edit."""
        return list(self._edits) or None

    @property
    def keeps(self) -> bool:
        """Whether edits are written."""
        return bool(self.place.reader)

    @property
    def locked(self) -> bool:
        """Whether the study is signed off."""
        return replay(self._edits).signed_off

    @property
    def signatures(self) -> int:
        """How often the study was signed off: a change after that makes a new version."""
        return sum((edit.field, edit.new) == ("signed_off", True) for edit in self._edits)

    @property
    def comments(self) -> dict[str, dict[str, str]]:
        """Remarks that stand, by object of the log: their text, and whose they are."""
        last = [edit for edit in replay(self._edits).last if edit.field == COMMENT]
        return {
            edit.object: {"text": str(edit.new), "reader": edit.reader}
            for edit in last
            if edit.new is not None
        }

    @property
    def can(self) -> dict[str, bool]:
        """Whether there is something to undo, and to redo."""
        free = not self.locked
        return {"undo": free and bool(self._done), "redo": free and bool(self._undone)}

    def with_changes(self, changes: Sequence[Change], reason: str = "") -> list[Edit]:
        """Give the log as it would be with some changes; nothing is written.

        Raises
        ------
        AnnotationError
            If the study is signed off, or a change breaks a rule.
        """
        self._check_open(changes)
        said = {"sha256": self.place.sha256, "reason": reason, "engine": __version__}
        said["utc"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reader = self.place.reader or NOBODY
        return [*self._edits, *follow_up(self._edits, changes, reader=reader, **said)]

    def commit(self, changes: Sequence[Change], reason: str, check: Check) -> bool:
        """Write changes to the log, once they have been measured.

        Returns
        -------
        bool
            Whether somebody else had written to the log meanwhile; that counts too.

        Raises
        ------
        AnnotationError
            If they do not fit, or the log cannot be gone on with; nothing was written.
        OSError
            If the log cannot be written; it is as before.
        """
        before = tuple(replace(change, new=self._value(change)) for change in changes)
        others = self._write(changes, reason, check)
        if all(change.field not in _SIGNATURE for change in changes):
            self._done.append((before, tuple(changes)))
            self._undone.clear()
        return others

    def undo(self, check: Check) -> bool:
        """Restore what was before the reader's last commit, be it of an earlier day.

        Raises
        ------
        AnnotationError
            If there is nothing to undo; further as of `commit`.
        """
        if not self._done:
            raise AnnotationError("there is nothing to undo")
        before, _ = self._done[-1]
        others = self._write(before, _UNDONE, check)
        self._undone.append(self._done.pop())
        return others

    def redo(self, check: Check) -> bool:
        """Do again what was undone last; as `undo`."""
        if not self._undone:
            raise AnnotationError("there is nothing to do again")
        _, after = self._undone[-1]
        others = self._write(after, _REDONE, check)
        self._done.append(self._undone.pop())
        return others

    def _write(self, changes: Sequence[Change], reason: str, check: Check) -> bool:
        known, others = len(self._edits), False
        if self.keeps:
            now = self.place.read()
            others = len(now) != known
            self._edits = list(now)
        check(self.with_changes(changes, reason))
        if self.keeps:
            said = {"sha256": self.place.sha256, "reader": self.place.reader, "reason": reason}
            append(self.place.path, *changes, **said)
            self._edits = list(self.place.read())
        else:
            self._edits = self.with_changes(changes, reason)
        return others

    def _value(self, change: Change) -> float | str | bool | None:
        """What the log says of a field now; None for the automatic value."""
        for edit in reversed(self._edits):
            if (edit.object, edit.field) == (change.object, change.field):
                return edit.new
        return None

    def _check_open(self, changes: Sequence[Change]) -> None:
        if self.locked and any(change.field not in _SIGNATURE for change in changes):
            raise AnnotationError("the study is signed off; reopen it before you change it")


def _steps(edits: Sequence[Edit], reader: str) -> tuple[list[_Step], list[_Step]]:
    """Find in a log what a reader can undo, and do again.

    What somebody else changed afterwards is not the reader's to undo: the steps before it
    that touched the same field are left alone.
    """
    done: list[_Step] = []
    undone: list[_Step] = []
    values: dict[tuple[str, str], Any] = {}
    for group in _commits(edits):
        lines = [edit for edit in group if edit.field not in _SIGNATURE]
        after = tuple(Change(edit.object, edit.field, edit.new, edit.old) for edit in lines)
        places = {(change.object, change.field) for change in after}
        before = tuple(
            replace(change, new=values.get((change.object, change.field))) for change in after
        )
        values |= {(change.object, change.field): change.new for change in after}
        if not lines:
            continue
        if lines[0].reader != reader:
            done = [step for step in done if not places & {(c.object, c.field) for c in step[1]}]
        elif lines[0].reason == _UNDONE and done:
            undone.append(done.pop())
        elif lines[0].reason == _REDONE and undone:
            done.append(undone.pop())
        else:
            done.append((before, after))
            undone.clear()
    return done, undone


def _commits(edits: Sequence[Edit]) -> list[list[Edit]]:
    """Put together what was written at once; one commit names no field twice."""
    found: list[list[Edit]] = []
    for edit in edits:
        last = found[-1] if found else []
        alike = all(
            (e.utc, e.reader, e.reason) == (edit.utc, edit.reader, edit.reason) for e in last
        )
        if last and alike and all((e.object, e.field) != (edit.object, edit.field) for e in last):
            last.append(edit)
        else:
            found.append([edit])
    return found
