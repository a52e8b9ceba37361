"""One reader's worklist while it is served: kept up to date, and quick to ask."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from hrm.agreement.beside import beside, without_diagnosis
from hrm.edits import COMMENT
from hrm.errors import ParameterError
from hrm.readings import AGAIN, Reading, logs_in
from hrm.worklist.listing import Listed, as_dict, of_reader, read, standing
from hrm.worklist.plan import WorklistPlan
from hrm.worklist.results import Results
from hrm.worklist.studies import Study

_Stamp = tuple[str, int, int]


@dataclass
class _Logs:
    """The logs of a study: of whom, where, and what changes with their content."""

    paths: list[tuple[str, Path]] = field(default_factory=list)
    stamp: list[_Stamp] = field(default_factory=list)


class _NotYetError(Exception):
    """Two readings are still being compared."""


class Desk:
    """What one reader, or a coordinator, sees of a worklist.

    Parameters
    ----------
    folder : Path
    plan : WorklistPlan
    studies : sequence of Study
    reader : str
        Code; empty for a coordinator, who sees all and writes nothing.
    blinded : bool
        Other readings, and how far others are, are not told.
    no_diagnosis : bool
        The automatic diagnosis is not told, nor that of the own reading.
    """

    def __init__(
        self,
        folder: Path,
        plan: WorklistPlan,
        studies: Sequence[Study],
        *,
        reader: str = "",
        blinded: bool = False,
        no_diagnosis: bool = False,
    ) -> None:
        self._no_diagnosis = no_diagnosis
        self.plan, self.reader, self.blinded = plan, reader, blinded
        self._results = Results(folder)
        self._studies = {study.code: study for study in studies}
        self._rows: dict[str, tuple[list[_Stamp], Listed]] = {}
        # Two results take seconds; the list does not wait for them.
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="hrm-worklist")
        self._differ: dict[tuple[str, str], Future[bool]] = {}
        self._lock = Lock()
        if reader:
            of_reader([], reader, plan)
        # Every log is read before the first page asks; later only those that changed.
        self.rows()

    @property
    def adjudicates(self) -> bool:
        """Whether this reader settles what others disagree on."""
        return bool(self.reader) and self.reader == self.plan.adjudicator

    def close(self) -> None:
        """End what is computed beside."""
        self._beside.shutdown(wait=True, cancel_futures=True)

    def study(self, code: str) -> Study:
        """Give the study of a code.

        Raises
        ------
        ParameterError
            If this reader has no such study.
        """
        if code not in {row["code"] for row in self.rows()}:
            raise ParameterError("this study is not on the reader's list")
        return self._studies[code]

    def rows(self) -> list[dict[str, Any]]:
        """Give the list in the reader's order.

        Returns
        -------
        list of dict
            ``code``, ``status``, ``own`` (of this reader), ``readers`` (their states by code),
            ``waits_for`` and ``fault``. A blinded reader gets the own state as the status, and
            nothing of others; while two readings are compared the status is ``comparing``.
        """
        return [self._told(row) for row in self._mine()]

    def progress(self) -> dict[str, int]:
        """Count the studies of the list by their status."""
        return dict(Counter(row["status"] for row in self.rows()))

    def readings(self, code: str) -> dict[str, Any]:
        """Lay the signed readings of a study beside each other; see `beside`.

        Beside that the ``comments`` of other readers: ``side``, ``object`` (of the review log)
        and ``text``.

        For a reader: the own reading beside the automatic result. Those of others are laid
        beside it for the adjudicator and the coordinator, and for a reader who has signed and
        is not blinded.

        Raises
        ------
        HrmError
            If a recording or a log cannot be used.
        """
        study = self.study(code)
        row = self._row(study)
        own = next((each for each in row.readings if each.reader == self.reader), None)
        sides: dict[str, dict[str, Any]] = {"automatic": self._results.of(study, None)}
        comments: list[dict[str, str]] = []
        free = not self.reader or self.adjudicates
        if free or (own is not None and own.signed_off and not self.blinded):
            others = [
                each
                for each in row.readings
                if each.signed_off and not each.again and each.reader not in ("", self.reader)
            ]
            if self.blinded:
                # Who is the first must not be told by the alphabet.
                others.sort(key=lambda each: _drawn(self.plan.seed, study.code, each.reader))
            for k, each in enumerate(others, 1):
                name = f"reading {k}" if self.blinded else each.reader
                sides[name] = self._results.of(study, each)
                comments += _comments(each, name)
        if own is not None and self.reader:
            sides["own"] = self._results.of(study, own)
        if self._no_diagnosis:
            sides |= {k: without_diagnosis(sides[k]) for k in ("automatic", "own") if k in sides}
        return {**beside(sides), "comments": comments}

    def _mine(self) -> list[Listed]:
        logs = self._logs()
        rows = [self._row(study, logs) for study in self._studies.values()]
        if not self.reader:
            return rows
        own = of_reader(rows, self.reader, self.plan, settled=True)
        # They may turn out to be disagreements.
        open_ones = [row for row in rows if row.fault == _COMPARING and row not in own]
        return [*own, *open_ones] if self.adjudicates else own

    def _told(self, row: Listed) -> dict[str, Any]:
        told = as_dict(row)
        told["own"] = _own(row, self.reader) if self.reader else None
        if row.fault == _COMPARING:
            told["status"], told["fault"] = "comparing", None
            told["readers"] = {code: _own(row, code) for code in row.study.readers}
        if self.reader.endswith(AGAIN):
            told["status"] = told["own"]
        if self.blinded and self.reader:
            told["readers"], told["waits_for"] = {}, []
            # That two others disagree is what brought it to the adjudicator.
            told["status"] = told["status"] if self.adjudicates else told["own"]
        return told

    def _row(self, study: Study, logs: dict[str, _Logs] | None = None) -> Listed:
        found = (logs or self._logs()).get(study.sha256, _Logs())
        with self._lock:
            stamp, row = self._rows.get(study.sha256, (None, None))
        if row is None or stamp != found.stamp:
            row = read(study, found.paths)
        if row.state is None and not row.fault:
            try:
                row = standing(row, self.plan, self._differ_of(study))
            except _NotYetError:
                self._keep(study, found, row)
                return row._replace(fault=_COMPARING)
        self._keep(study, found, row)
        return row

    def _keep(self, study: Study, logs: _Logs, row: Listed) -> None:
        with self._lock:
            self._rows[study.sha256] = (logs.stamp, row)

    def _differ_of(self, study: Study) -> Any:
        differ = self._results.differ(study, self.plan)

        def known(one: Reading, other: Reading | None) -> bool:
            # A blinded reader is told of the own reading only: nothing needs to be compared.
            if self.blinded and self.reader and not self.adjudicates:
                return False
            against = other.corrections.head_hash if other else study.sha256
            key = (one.corrections.head_hash or "", against or "")
            with self._lock:
                asked = self._differ.get(key)
                if asked is None:
                    asked = self._beside.submit(differ, one, other)
                    self._differ[key] = asked
            if not asked.done():
                raise _NotYetError
            return asked.result()

        return known

    def _logs(self) -> dict[str, _Logs]:
        """Logs of every study, with size and time, from one look at each folder."""
        folders = {
            Path(each.settings.review_dir or each.path.parent) for each in self._studies.values()
        }
        found: dict[str, _Logs] = {}
        for folder in folders:
            for sha256, reader, path in logs_in(folder) if folder.is_dir() else ():
                logs = found.setdefault(sha256, _Logs())
                logs.paths.append((reader, path))
                logs.stamp.extend(_stamps(path))
        return found


def _stamps(log: Path) -> Iterator[_Stamp]:
    for each in (log, log.with_suffix(".head")):
        try:
            stat = each.stat()
        except OSError:
            continue
        yield each.name, stat.st_size, stat.st_mtime_ns


_COMPARING = "two readings are being compared"


def _drawn(seed: int, code: str, reader: str) -> str:
    return hashlib.sha256(f"{seed} {code} {reader}".encode()).hexdigest()


def _comments(reading: Reading, side: str) -> list[dict[str, str]]:
    """What a reader remarked, and why swallows were left out."""
    found = []
    for edit in reading.corrections.last:
        if edit.field == COMMENT and edit.new is not None:
            found.append({"side": side, "object": edit.object, "text": str(edit.new)})
        elif edit.field == "include" and edit.new is False:
            found.append({"side": side, "object": edit.object, "text": f"left out: {edit.reason}"})
    return found


def _own(row: Listed, reader: str) -> str:
    found = next((each for each in row.readings if each.reader == reader), None)
    if found is None or not found.edits:
        return "new"
    return "signed" if found.signed_off else "in_review"
