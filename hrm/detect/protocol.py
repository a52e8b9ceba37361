"""What kind of swallow it is, and why a swallow cannot be evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from hrm.catalog import Parameters


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
    parameters : Parameters

    Returns
    -------
    str
        SPEC section 7. Swallows of a provocation test are measured, but are no
        single swallows.
    """
    if protocol not in ("single", "unknown"):
        return f"protocol_{protocol}"
    if following_s - onset_s < parameters["detect.double_s"]:
        return "next_swallow_within_10_s"
    if any(onset_s - 1.0 <= cough <= onset_s + parameters["irp.window_s"] for cough in coughs):
        return "cough"
    if end_s - onset_s < parameters["irp.minimum_window_s"]:
        return "window_truncated"
    return ""
