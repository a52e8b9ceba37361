"""A result as the page gets it: the published contract, in parts where little changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import xarray as xr

from hrm import __version__
from hrm.results import StudyRecord, SwallowRecord, attach, to_dict

#: Node of what a file reported of its swallows; laid beside them by their order.
_REPORTED = "reported"
#: Rows that are kept: there and back again costs nothing.
_MOST_ROWS = 500
_BESIDE = ("quality", "impedance", "pharynx")


class Contract:
    """Results of one recording as the contract has them; unchanged swallows are kept.

    Parameters
    ----------
    recording : DataTree
    """

    def __init__(self, recording: xr.DataTree) -> None:
        # Without samples, which are no part of a result but are copied with the tree.
        self._recording = recording
        self._rows: dict[int, tuple[SwallowRecord, dict[str, Any]]] = {}
        self._beside: tuple[object, object] = (None, None)
        self._beside_blocks: dict[str, Any] = {}

    def of(self, record: StudyRecord) -> dict[str, Any]:
        """Give the contract, as `hrm.to_dict` does after `hrm.analyze`."""
        whole = _REPORTED in self._recording.children or "swallows" in self._recording.children
        fresh = [
            k
            for k, row in enumerate(record.swallows)
            if whole or id(row) not in self._rows or self._rows[id(row)][0] is not row
        ]
        part = replace(record, swallows=[record.swallows[k] for k in fresh])
        out = self._with_beside(part)
        for k, made in zip(fresh, out["swallows"], strict=True):
            self._rows[id(record.swallows[k])] = (record.swallows[k], made)
        rows = [self._rows[id(row)][1] for row in record.swallows]
        out["swallows"] = [{**made, "id": k + 1} for k, made in enumerate(rows)]
        if out["quality"] is not None:
            out["quality"] = {**out["quality"], "excluded": _excluded(out["swallows"])}
        self._forget()
        return out

    def _forget(self) -> None:
        """Of many rows let the oldest go; a row that is kept holds its record, and its address."""
        for key in list(self._rows)[: max(0, len(self._rows) - _MOST_ROWS)]:
            del self._rows[key]

    def _with_beside(self, record: StudyRecord) -> dict[str, Any]:
        """Quality and impedance make most of the work, and seldom change."""
        known, now = self._beside, (record.quality, record.bolus)
        if known[0] is not now[0] or known[1] is not now[1] or not self._beside_blocks:
            out = to_dict(attach(self._recording, record, __version__))
            self._beside = now
            self._beside_blocks = {name: out[name] for name in _BESIDE}
            return out
        alone = replace(record, quality=None, bolus=None)
        return to_dict(attach(self._recording, alone, __version__)) | self._beside_blocks


def _excluded(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Swallows that do not count, as the block of quality lists them."""
    return [
        {"swallow": row["id"], "onset_s": row["onset_s"], "reason": row["reason"] or ""}
        for row in rows
        if not row["evaluable"]
    ]


def changed_only(now: dict[str, Any], before: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    """Give a result with only the swallows that differ from what the page has.

    Parameters
    ----------
    now : dict
        A whole result.
    before : sequence of dict or None
        Swallows that the page has.

    Returns
    -------
    dict
        With ``swallows_changed`` in place of ``swallows``, unless their number changed.
    """
    rows = now["swallows"]
    if before is None or len(before) != len(rows):
        return now
    out = {name: block for name, block in now.items() if name != "swallows"}
    out["swallows_changed"] = [row for row, known in zip(rows, before, strict=True) if row != known]
    return out
