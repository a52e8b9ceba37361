"""One opened recording: what the page asks of it, and what the page does to it."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import xarray as xr

from hrm import __version__, catalog
from hrm.edits import COMMENT, SWALLOW_LANDMARKS, Change, Edit
from hrm.errors import AnnotationError, HrmError, HrmWarning, ParameterError
from hrm.readings import changed_since_review, remember_file
from hrm.report.pyramid import TILE_COLUMNS, Pyramid
from hrm.results import attach
from hrm.viewer.ahead import Ahead
from hrm.viewer.contract import Contract, changed_only
from hrm.viewer.journal import Journal, Place
from hrm.viewer.live import LiveStudy, Measured, settings_of
from hrm.viewer.marks import marks_of, no_marks
from hrm.viewer.mask import Mask
from hrm.viewer.said import known, notes_of, words

T = TypeVar("T")

_REASON = "set in the viewer"
_MOST_EDITS = 100
_NO_LOG = "The review log cannot be used"
_CHANGED = (
    "This recording was changed since it was reviewed here, so that it can be looked at but no "
    "edit is kept: the review is of what the file held before. Put the file of that time back; if "
    "this is another recording, give its file a name of its own."
)


@dataclass(frozen=True)
class Opened:
    """What `hrm view` was asked to show.

    Attributes
    ----------
    file : Path
    recording : DataTree
    options : mapping
        Of `hrm.analyze`; ``review`` is the log that counts, a path or None.
    place : Place
        Where edits go.
    ignore_review : bool
        Start from what was found automatically.
    mask : Mask
        What the study is called, and what is hidden of it.
    adjudicates : bool
        Signing settles what other readers disagree on.
    """

    file: Path
    recording: xr.DataTree
    options: Mapping[str, Any]
    place: Place
    ignore_review: bool = False
    mask: Mask = field(default_factory=Mask)
    adjudicates: bool = False


class Session:
    """The state behind one page.

    Every method that measures may take a second; call them in one thread, one after the
    other.

    Parameters
    ----------
    opened : Opened
    """

    def __init__(self, opened: Opened) -> None:
        self.id = secrets.token_urlsafe(12)
        self._mask = opened.mask
        opened = replace(opened, recording=self._mask.recording(opened.recording))
        self._opened = opened
        self._stamp = _stamp(opened.file)
        self.problems: list[str] = []
        #: Whether the log is not sound, so that it can be kept aside.
        self._broken = False
        with ThreadPoolExecutor(1) as beside:
            pyramids = beside.submit(self._pyramids)
            self.live = self._analyzed()
            self.journal = self._journal()
            self._contract = Contract(opened.recording)
            self._now = self._first()
            self._tiles = pyramids.result()
        self._result = None if self._now is None else self._contract.of(self._now.record)
        #: Swallows that each page has: two windows may look at one session.
        self._shown: dict[str, Sequence[dict[str, Any]]] = {}
        self._page = ""
        self._ahead = Ahead()

    def _analyzed(self) -> LiveStudy | None:
        options = {name: value for name, value in self._opened.options.items() if name != "review"}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HrmWarning)
                return LiveStudy(self._opened.recording, **options)
        except HrmError as err:
            self.problems.append(f"This recording cannot be analyzed: {err}.")
            return None

    def _journal(self) -> Journal:
        place = self._opened.place
        if self._opened.ignore_review:
            return Journal(Place(place.folder, place.sha256))
        if place.reader and not place.writable:
            self.problems.append(
                "The folder for the review log cannot be written, so that no edit is kept: name "
                "another one with --review-dir (in a worklist: review_dir in settings.toml)."
            )
            place = replace(place, reader="", own=False)
        elif changed_since_review(self._opened.file, place.sha256, place.folder):
            self.problems.append(_CHANGED)
            return Journal(Place(place.folder, place.sha256))
        try:
            return Journal(place, self._opened.place.read())
        except AnnotationError as err:
            self.problems.append(f"{_NO_LOG}, and no edit is kept: {err}.")
            self._broken = bool(place.reader)
            return Journal(Place(place.folder, place.sha256))

    def _first(self) -> Measured | None:
        if self.live is None:
            return None
        try:
            return self.live.measure(self.journal.edits)
        except AnnotationError as err:
            self.problems.append(f"The review log does not fit, and no edit is kept: {err}.")
            self.journal = Journal(Place(self._opened.place.folder, self._opened.place.sha256))
            return self.live.measure(None)

    # --- What is shown ---------------------------------------------------------------

    def study(self) -> dict[str, Any]:
        """Give everything that the page needs to begin with."""
        node = self._opened.recording["pressure"].to_dataset()
        rate = float(self._opened.recording.attrs["sampling_rate"])
        if self._result is not None:
            self._shown[self._page] = self._result["swallows"]
        return {
            "id": self.id,
            "code": self._mask.code or None,
            "version": __version__,
            "duration_s": node.sizes["time"] / rate,
            "sampling_rate_hz": rate,
            "n_samples": int(node.sizes["time"]),
            "start_s": float(node["time"].values[0]),
            "depth_cm": [float(cm) for cm in node["depth"].values],
            "depth_reference": str(node["depth"].attrs.get("depth_reference", "")),
            "tile_columns": TILE_COLUMNS,
            "levels": self._tiles["mean"].levels,
            "impedance": self._impedance(),
            "annotations": notes_of(self._opened.recording, notes=not self._mask.blinded),
            "reader": self.journal.place.reader or None,
            **self._standing(),
            "problems": self._mask.words(self.problems),
            "broken_log": self._broken,
            "systems": [{"id": key, "name": row.name} for key, row in catalog.systems().items()],
            "result": self._mask.result(self._result),
            "marks": self._marks(self._now),
            "words": dict(words()),
        }

    def _standing(self) -> dict[str, Any]:
        settings = None if self.live is None else dict(settings_of(self.live.found))
        journal = self.journal
        return {
            "locked": journal.locked,
            "signatures": journal.signatures,
            "comments": journal.comments,
            "can": journal.can,
            "settings": settings,
        }

    def _impedance(self) -> dict[str, Any] | None:
        if "impedance" not in self._tiles:
            return None
        node = self._opened.recording["impedance"].to_dataset()
        seconds = node["impedance_time"].values
        rate = (seconds.size - 1) / float(seconds[-1] - seconds[0]) if seconds.size > 1 else 1.0
        return {
            "depth_cm": [known(cm) for cm in node["segment_depth"].values],
            "levels": self._tiles["impedance"].levels,
            "sampling_rate_hz": rate,
            "n_samples": int(seconds.size),
            "start_s": float(seconds[0]) if seconds.size else 0.0,
        }

    def _pyramids(self) -> dict[str, Pyramid]:
        found = self._opened.recording
        tiles = {"mean": Pyramid(found["pressure"].to_dataset()["pressure"].values)}
        if "impedance" in found.children:
            tiles["impedance"] = Pyramid(found["impedance"].to_dataset()["impedance"].values)
        return tiles

    def tile(self, level: int, index: int, kind: str) -> bytes | None:
        """Give a tile (see `hrm.report.pyramid`), or None."""
        if kind == "impedance":
            tiles = self._tiles.get("impedance")
            return tiles.tile(level, index) if tiles else None
        return self._tiles["mean"].tile(level, index, kind)

    def _marks(self, now: Measured | None) -> dict[str, Any]:
        if now is None or self.live is None:
            return no_marks()
        return dict(self._mask.words(marks_of(now, self.live.automatic.record)))

    def explain(self, metric: str, swallow: int | None) -> dict[str, Any]:
        """Say where a number came from, as `hrm explain` does.

        Raises
        ------
        ParameterError
            If there is no such number.
        """
        from hrm.explain import explain_metric
        from hrm.explain.text import facts_of

        if self._now is None:
            raise ParameterError("this recording could not be analyzed")
        if not self._mask.explains(metric):
            raise ParameterError("the diagnosis is hidden from this reader")
        tree = attach(self._opened.recording, self._now.record, __version__)
        found = explain_metric(tree, metric, swallow)
        return {
            "facts": self._mask.words([list(fact) for fact in facts_of(found)]),
            "evidence": self._mask.words(found.to_dict()),
        }

    def readings(self) -> dict[str, Any]:
        """Lay what was found automatically and what is shown now beside each other."""
        from hrm.agreement.beside import beside, without_diagnosis

        if self.live is None or self._result is None:
            raise ParameterError("this recording could not be analyzed")
        # Rows of the automatic result are kept apart from those that are shown.
        automatic = Contract(self._opened.recording).of(self.live.automatic.record)
        sides = {"automatic": automatic, "reviewed": self._result}
        if self._mask.no_diagnosis:
            sides = {name: without_diagnosis(side) for name, side in sides.items()}
        found: dict[str, Any] = self._mask.words(beside(sides))
        return found

    # --- What is done ----------------------------------------------------------------

    def as_page(self, page: str, do: Callable[[Session], T]) -> T:
        """Do something for one of the pages that look at this session."""
        self._page = page
        try:
            return do(self)
        finally:
            self._page = ""

    def whole(self) -> dict[str, Any]:
        """Give a page everything as it is now, because another one changed it."""
        self.forget(self._page)
        return self._answer(self._now, draft=False)

    def forget(self, page: str) -> None:
        """Forget what a page has, which went away or is out of date."""
        self._shown.pop(page, None)

    def edit(self, rows: Sequence[Any], *, commit: bool, quick: bool = False) -> dict[str, Any]:
        """Measure with edits of the page, and keep them if `commit` is set.

        With `quick` a draft is measured as `LiveStudy.measure` says.

        Raises
        ------
        AnnotationError
            If they do not fit; nothing was written.
        """
        changes, reason = self._changes(rows)
        if not commit:
            now = self._measure(self.journal.with_changes(changes, reason), quick=quick)
            if quick:
                self._ahead.expect(changes, self._measured_ahead)
            return {**self._answer(now, draft=True), "settled": not quick}
        return self._settled(others=self._committed(changes, reason))

    def near(self, rows: Sequence[Any]) -> dict[str, Any]:
        """Expect a draft of these edits: the hand is at a handle."""
        with suppress(AnnotationError):
            changes, _ = self._changes(rows)
            self._ahead.expect(changes, self._measured_ahead, measured=False)
        return {"draft": True}

    def ahead(self) -> dict[str, Any]:
        """Measure one swallow where the hand may go next; say whether there was one."""
        return {"draft": True, "more": self._ahead.step()}

    def _measured_ahead(self, changes: Sequence[Change]) -> Iterator[None]:
        if self.live is not None:
            yield from self.live.ahead(self.journal.with_changes(changes))

    def act(self, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Do one of ``undo``, ``redo``, ``sign_off``, ``reopen``, ``settings``, ``stability``, ``set_aside``.

        Raises
        ------
        HrmError
            If it cannot be done.
        """
        if action == "settings":
            return self._settings(given)
        if action == "stability":
            return self._stability()
        if action == "set_aside":
            return self._set_aside()
        self._check_file()
        if action in ("undo", "redo"):
            do = self.journal.undo if action == "undo" else self.journal.redo
            return self._settled(others=do(self._measure))
        if action not in ("sign_off", "reopen"):
            raise ParameterError("unknown action")
        if not self.journal.keeps:
            raise AnnotationError("nothing is kept: start hrm view with --reviewer CODE to sign")
        changes = [Change("study", "signed_off", action == "sign_off", action != "sign_off")]
        if action == "sign_off" and self._opened.adjudicates:
            # Before the signature, which any later edit would take back.
            changes.insert(0, Change("study", "adjudicates", new=True))
        reason = _text(given.get("reason"))
        if action == "reopen" and not reason:
            raise AnnotationError(
                "say why a signed study is opened again; the log keeps the reason"
            )
        reason = reason or action.replace("_", " ")
        return self._settled(others=self._committed(changes, reason))

    def _committed(self, changes: Sequence[Change], reason: str) -> bool:
        self._check_file()
        others = self.journal.commit(changes, reason, self._measure)
        if self.journal.keeps:
            place = self.journal.place
            # The edit is kept all the same.
            with suppress(OSError):
                remember_file(self._opened.file, place.sha256, place.folder)
        return others

    def _set_aside(self) -> dict[str, Any]:
        """Keep a log that is not sound aside, and begin with what is left of it."""
        from hrm.viewer.aside import set_aside

        if not self._broken:
            raise AnnotationError("the review log is sound; there is nothing to keep aside")
        set_aside(self._opened.place)
        self._broken = False
        self.problems = [text for text in self.problems if not text.startswith(_NO_LOG)]
        self.journal = self._journal()
        self._ahead = Ahead()
        self._now = self._first()
        return self._answer(self._now, draft=False)

    def _stability(self) -> dict[str, Any]:
        """Say whether the diagnoses hold; the next edit makes that out of date."""
        from hrm.stability import with_stability

        if self._now is None:
            raise ParameterError("this recording could not be analyzed")
        record = with_stability(self._now.study, self._now.record)
        return self._answer(replace(self._now, record=record), draft=False)

    def _settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.live is None:
            raise ParameterError("this recording could not be analyzed")
        known = dict(settings_of(self.live.found))
        wanted = {name: given.get(name, value) for name, value in known.items()}
        # Nothing said of it is "as recorded".
        posture = wanted["posture"] or "unknown"
        if posture not in ("supine", "upright", "unknown"):
            raise ParameterError("posture must be supine, upright or unknown")
        limit = wanted["irp_limit"] or None
        if isinstance(limit, bool) or not isinstance(limit, int | float | str | None):
            raise ParameterError("the IRP limit must be a number of mmHg, or a row of the table")
        if not isinstance(wanted["system"], str):
            raise ParameterError("the system must be one of the list")
        live = self.live.settings(
            system=wanted["system"], posture=posture, irp_limit=limit, drift=wanted["drift"]
        )
        self._now, self.live = live.measure(self.journal.edits), live
        return self._settled(others=False)

    def _measure(self, edits: Sequence[Edit], *, quick: bool = False) -> Measured:
        if self.live is None:
            raise AnnotationError("this recording could not be analyzed; there is nothing to edit")
        return self.live.measure(edits, quick=quick)

    def _settled(self, *, others: bool) -> dict[str, Any]:
        self._ahead = Ahead()
        if self.live is not None:
            self._now = self.live.measure(self.journal.edits)
        out = self._answer(self._now, draft=False)
        if others:
            out["notice"] = (
                "Somebody else wrote to the review log meanwhile; their edits are shown too."
            )
        return out

    def _answer(self, now: Measured | None, *, draft: bool) -> dict[str, Any]:
        out: dict[str, Any] = {"draft": draft, "marks": self._marks(now), **self._standing()}
        if now is None:
            return {**out, "result": None}
        result = self._contract.of(now.record)
        if not draft:
            self._result = result
        out["result"] = self._mask.result(changed_only(result, self._shown.get(self._page)))
        self._shown[self._page] = result["swallows"]
        return out

    def _changes(self, rows: Sequence[Any]) -> tuple[list[Change], str]:
        if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_EDITS:
            raise AnnotationError(f"expected a list of 1 to {_MOST_EDITS} edits")
        changes, reasons = [], []
        for row in rows:
            if not isinstance(row, dict) or not {"object", "field", "new"} <= row.keys():
                raise AnnotationError("an edit needs object, field and new")
            name, field = str(row["object"]), str(row["field"])
            if name == "study" and field != COMMENT:
                raise AnnotationError("a study is signed off and reopened by its own action")
            changes.append(Change(name, field, row["new"], self._old(name, field)))
            reasons.append(_text(row.get("reason")))
        return changes, "; ".join(dict.fromkeys(filter(None, reasons))) or _REASON

    def _old(self, name: str, field: str) -> float | str | bool | None:
        """Value of a field as it is shown now."""
        if self._now is None:
            return None
        record = self._now.record
        if field == COMMENT:
            return None
        if name == "landmarks":
            return known(record.landmarks.get(field, float("nan")))
        row = next((row for row in record.swallows if row.object == name), None)
        if field == "added":
            return row is not None
        if row is None:
            return None
        if field == "cdp_cm":
            return known(row.metrics["cdp_cm"])
        if field in SWALLOW_LANDMARKS:
            return known(record.landmarks[field])
        old: float | str | bool | None = getattr(
            row, "evaluable" if field == "include" else field, None
        )
        return old

    def _check_file(self) -> None:
        if _stamp(self._opened.file) != self._stamp:
            raise AnnotationError(
                "the file of the recording was changed or removed since it was opened; nothing "
                "was written. Open it again"
            )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes with a file's content."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
