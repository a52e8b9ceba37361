"""What a recording and its results say, as a page reads it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import xarray as xr


@cache
def words() -> Mapping[str, str]:
    """Give codes of results in words, also as ``section.code`` where two share a code."""
    from hrm.explain.words import WORDS

    text = (files("hrm") / "data" / "words.toml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for section, rows in tomllib.loads(text).items():
        if section == "event":
            continue  # the other way round: texts of files, by what they mean
        for code, said in rows.items():
            found[f"{section}.{code}"] = str(said)
            found.setdefault(code, str(said))
    return {**WORDS, **found}


def notes_of(recording: xr.DataTree, *, notes: bool) -> list[dict[str, Any]]:
    """Say what a file says of moments.

    Parameters
    ----------
    recording : DataTree
    notes : bool
        As it was typed; otherwise in words of hrm only.

    Returns
    -------
    list of dict
        ``time_s``, ``duration_s``, ``text``.
    """
    events = recording["events"].to_dataset()
    rows = zip(
        *(events[name].values.tolist() for name in ("onset", "duration", "label", "note")),
        strict=True,
    )
    return [
        {
            "time_s": float(onset),
            "duration_s": known(duration) or 0.0,
            "text": str((notes and note) or label),
        }
        for onset, duration, label, note in rows
    ]


def known(value: Any) -> float | None:
    """Give a number for JSON, which has no NaN."""
    number = float(value)
    return number if math.isfinite(number) else None
