"""What is said of a swallow, of what kind it is, and why it cannot be evaluated."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hrm.catalog import Parameters
from hrm.errors import ParameterError
from hrm.schema import POSTURES, PROTOCOLS


@dataclass(frozen=True)
class StatedSwallow:
    """What the user says of a swallow: a row of the swallow table."""

    onset_s: float
    posture: str
    protocol: str


def stated_swallow(row: Mapping[str, Any], number: int) -> StatedSwallow:
    """Check one row of the swallow table.

    Parameters
    ----------
    row : mapping
        ``onset_s`` [s from the first sample], and optionally ``posture`` and
        ``protocol``.
    number : int
        Of the row, for the message.

    Returns
    -------
    StatedSwallow

    Raises
    ------
    ParameterError
        If a value cannot be used.
    """
    try:
        onset = float(row["onset_s"])
    except (KeyError, TypeError, ValueError) as err:
        raise ParameterError(
            f"swallow table row {number}: onset_s must be a number of seconds"
        ) from err
    posture, protocol = str(row.get("posture", "unknown")), str(row.get("protocol", "unknown"))
    if not math.isfinite(onset) or posture not in POSTURES or protocol not in PROTOCOLS:
        raise ParameterError(
            f"swallow table row {number}: expected a finite onset_s, posture one of "
            f"{', '.join(POSTURES)} and protocol one of {', '.join(PROTOCOLS)}; "
            f"got {onset}, {posture!r}, {protocol!r}"
        )
    return StatedSwallow(onset, posture, protocol)


def protocol_of(index: int, onsets: Sequence[float], parameters: Parameters) -> str:
    """Say whether a swallow is one of multiple rapid swallows.

    Parameters
    ----------
    index : int
        Of the swallow in `onsets`.
    onsets : sequence of float [s]
    parameters : Parameters

    Returns
    -------
    {"mrs", "unknown"}
        Multiple rapid swallows show themselves: at least four, at most 4 s apart
        (SPEC section 11). Every other protocol has to be said by the user.
    """
    gap = parameters["detect.mrs_gap_s"]
    first = last = index
    while first > 0 and onsets[first] - onsets[first - 1] <= gap:
        first -= 1
    while last + 1 < len(onsets) and onsets[last + 1] - onsets[last] <= gap:
        last += 1
    return "mrs" if last - first + 1 >= parameters["detect.mrs_count"] else "unknown"


def why_not_evaluable(
    onset_s: float,
    *,
    following_s: float,
    end_s: float,
    protocol: str,
    coughs: Sequence[float],
    shows_itself: bool,
    parameters: Parameters,
) -> str:
    """Give the reason why a swallow leaves the denominators; empty if it stays.

    Parameters
    ----------
    onset_s : float [s]
    following_s : float [s]
        Onset of the next swallow; infinite for the last one.
    end_s : float [s]
        End of the recording.
    protocol : str
    coughs : sequence of float [s]
    shows_itself : bool
        Whether the recording shows the swallow (see `shows_itself`).
    parameters : Parameters

    Returns
    -------
    str
        SPEC section 7. Swallows of a provocation test are measured, but are no
        single swallows.
    """
    if protocol not in ("single", "unknown"):
        return f"protocol_{protocol}"
    if not shows_itself:
        return "no_swallow_seen"
    if following_s - onset_s < parameters["detect.double_s"]:
        return "next_swallow_within_10_s"
    if any(onset_s - 1.0 <= cough <= onset_s + parameters["irp.window_s"] for cough in coughs):
        return "cough"
    if end_s - onset_s < parameters["irp.minimum_window_s"]:
        return "window_truncated"
    return ""


def shows_itself(index: int, methods: Sequence[str]) -> bool:
    """Whether a swallow may count as one by what the recording shows of it.

    Parameters
    ----------
    index : int
        Of the swallow in `methods`.
    methods : sequence of str
        How each onset was found (see `hrm.detect.onset.Onset`).

    Returns
    -------
    bool
        A stated swallow with neither a pharyngeal wave nor a relaxation of the UES is
        none where others have one (SPEC section 7): its time is wrong, and quiet
        esophagus would count as a failed contraction. Where no swallow has either, the
        catheter does not reach that high, and the statement is all there is.
    """
    own = [method for method in methods if method not in ("stated", "reader")]
    return methods[index] != "stated" or not own


def stated_warnings(
    stated: Sequence[StatedSwallow], onsets: Sequence[float], parameters: Parameters
) -> list[str]:
    """Say where a stated swallow was found well away from the onset that was given.

    Parameters
    ----------
    stated : sequence of StatedSwallow
    onsets : sequence of float [s]
        Used for measuring.
    parameters : Parameters

    Returns
    -------
    list of str
    """
    found = []
    for row in stated:
        nearest = min(onsets, key=lambda onset: abs(onset - row.onset_s), default=row.onset_s)
        if abs(nearest - row.onset_s) > parameters["swallows.remark_s"]:
            found.append(
                f"the swallow stated at {row.onset_s:.1f} s was measured from {nearest:.1f} s, where "
                "the recording shows one; check both"
            )
    return found


def pack_stated(posture: str, stated: Sequence[StatedSwallow]) -> str:
    """Write what the user said as text, to be kept with the results."""
    return json.dumps({"posture": posture, "swallows": [asdict(row) for row in stated]})


def unpack_stated(text: str) -> tuple[str, list[StatedSwallow]]:
    """Read what `pack_stated` wrote."""
    kept = json.loads(text)
    rows = [stated_swallow(row, i + 1) for i, row in enumerate(kept["swallows"])]
    return str(kept["posture"]), rows
