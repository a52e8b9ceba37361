"""Columns to the right of the marker: which of them hold what a reader found."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence

from hrm.errors import DataQualityWarning
from hrm.io.mms.header import NAME, Header, corrupt

CATHETER = "catheter_type"

#: Known columns by the name of what they hold in `hrm.reported`. The number of swallows
#: within a name ("ws_10_dci") may be another.
_WS = {
    "vigor": "vigor",
    "pattern": "pattern",
    "dci": "dci_mmhg_s_cm",
    "irp40": "irp4s_mmhg",
    "dl": "distal_latency_s",
    "large_break": "large_break_cm",
}
KNOWN = {
    "contraction_vigor": "vigor",
    "contraction_pattern": "pattern",
    **{f"ws_n_{name}": held for name, held in _WS.items()},
    CATHETER: CATHETER,
}
#: A slip in one of these still tells what is meant; "dl" is one letter from other metrics.
_LONG = tuple(name for name in KNOWN if name not in ("ws_n_dci", "ws_n_irp40", "ws_n_dl"))
_MOST_SLIPS = 2


#: Pressures and rate [Hz] of the exports of colonic studies. The file does not name the organ.
_COLONIC = (40, 10.0)


def has_catheter_column(header: Header) -> bool:
    """Whether the file may name its catheter, in a column of that name or nearly so."""
    plain = [_plain(name) for name in header.extras]
    return CATHETER in plain or any(_meant(name) == CATHETER for name in plain)


def colonic_layout(header: Header) -> dict[str, str | float | int]:
    """Note, with a warning, that a file has the layout of a colonic study."""
    if (header.n_pressure, header.rate_hz) != _COLONIC:
        return {}
    warnings.warn(
        f"[{NAME}] {header.n_pressure} pressures at {header.rate_hz:g} Hz are the layout of a "
        "colonic recording; the file does not name the organ. hrm measures the esophagus only",
        DataQualityWarning,
        stacklevel=2,
    )
    return {"organ": "colon_suspected"}


def known_columns(names: Sequence[str], line: int, n_before: int) -> dict[int, str]:
    """Find the known columns among those after Marker, by the keys of `KNOWN`.

    A name with a slip is accepted with a warning, if no other column has the name without.

    Parameters
    ----------
    names : sequence of str
        Names after Marker.
    line : int
        1-based line of the names, for messages.
    n_before : int
        Columns to the left of them.

    Raises
    ------
    CorruptFileError
        If a known column is there twice.
    """
    plain = [_plain(name) for name in names]
    found = {k: name for k, name in enumerate(plain) if name in KNOWN}
    if len(set(found.values())) < len(found):
        raise corrupt("a column of reported results is there twice; keep one of the two", line)
    slips = {k: _meant(name) for k, name in enumerate(plain) if k not in found}
    meant = Counter(slips.values())
    for k, name in slips.items():
        if name is None or meant[name] > 1 or name in found.values():
            continue
        warnings.warn(
            f"[{NAME}] column {n_before + k + 1} is read as '{_shown(name)}', though its name is "
            "spelled otherwise; correct the name if it is something else",
            DataQualityWarning,
            stacklevel=2,
        )
        found[k] = name
    return dict(sorted(found.items()))


def _plain(name: str) -> str:
    joined = re.sub(r"[\s_]+", "_", name.strip().casefold())
    return re.sub(r"^ws_?\d{1,2}_", "ws_n_", joined, flags=re.ASCII)


def _shown(name: str) -> str:
    if name.startswith("contraction_"):
        return name.replace("_", " ").capitalize()
    return name.replace("ws_n_", "ws_10_")


def _meant(name: str) -> str | None:
    # A number is no slip: "Contraction vigor 2" may be that of a second reader.
    if re.search(r"\d", name):
        return None
    near = [known for known in _LONG if _slips(name, known) <= _MOST_SLIPS]
    return near[0] if len(near) == 1 else None


def _slips(a: str, b: str) -> int:
    """Letters to insert, delete or replace between two names; more than allowed counts as many."""
    if abs(len(a) - len(b)) > _MOST_SLIPS:
        return _MOST_SLIPS + 1
    # What both begin with needs no slip; in a header of very many names this is what counts.
    shorter = min(len(a), len(b))
    n_same = next((k for k in range(shorter) if a[k] != b[k]), shorter)
    a, b = a[n_same:], b[n_same:]
    before = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
        if min(row) > _MOST_SLIPS:
            return _MOST_SLIPS + 1
        before = row
    return before[-1]
