"""Quality of the recording in words, for summary and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from hrm.report.wording import in_words, not_measured, out_of

Result = Mapping[str, Any]
_MODES = {
    "none": "not corrected",
    "offset": "one offset for each sensor taken away",
    "linear": "a straight line for each sensor taken away",
}


def quality_sentences(result: Result) -> str:
    """Say the same in one paragraph; swallows that are left out stand in the table."""
    said = [each for each in quality_lines(result) if each[0] != "Swallows left out"]
    return " ".join(f"{label}: {text}." for label, text in said)


def quality_lines(result: Result) -> list[tuple[str, str]]:
    """Label and text of what was found of sensors, drift and artefacts.

    Parameters
    ----------
    result : mapping
        The published contract.

    Returns
    -------
    list of (str, str)
        Empty for a study that a version without it has saved.
    """
    block = result.get("quality")
    if not block:
        return []
    crossed = {True: "yes", False: "NO"}.get(
        block["egj_crossed"], "cannot be told from the pressures"
    )
    return [
        ("Sensors", "; ".join(_sensors(block))),
        ("Drift", "; ".join(drift_sentences(block))),
        ("Catheter crosses the EGJ", crossed),
        ("Artefacts", _artefacts(block)),
        ("Swallows left out", _left_out(block)),
    ]


def _sensors(block: Mapping[str, Any]) -> Iterator[str]:
    bad = [row for row in block["sensors"] if row["status"] != "ok"]
    count = len(block["sensors"])
    yield f"{count - len(bad)} of {count} without a fault"
    for row in bad:
        yield f"at {row['depth_cm']:g} cm {fault(row)}"
    for zone in block["failed_zones"]:
        yield f"{zone.upper()} not measured: a sensor in its middle failed, or several side by side"
    for zone in block["bridged_zones"]:
        yield f"{zone.upper()}: a missing sensor is bridged, pressures may read low"


def fault(row: Mapping[str, Any]) -> str:
    """Say what is wrong with a sensor, for how long, and what was done."""
    done = "bridged by its neighbors" if row["repaired"] else "not repaired"
    used = "" if row["usable"] else "not used, "
    return f"{row['status']}, {100 * row['share']:.0f} % of the time, {used}{done}"


def drift_sentences(block: Mapping[str, Any]) -> Iterator[str]:
    """Say how drift was corrected, and the pressures at rest before and after.

    Parameters
    ----------
    block : mapping
        Block ``quality`` of the published contract.

    Yields
    ------
    str
        Parts of one sentence.
    """
    drift = block["drift"]
    if drift["mean_mmhg"] is None:
        yield f"{_MODES[drift['mode']]}, offsets not measured: none given"
    else:
        yield _MODES[drift["mode"]]
        flag = " (DRIFT)" if drift["flag"] else ""
        yield f"offsets at the end: mean {drift['mean_mmhg']:.1f}, most {drift['max_mmhg']:.1f} mmHg{flag}"
    if drift["mode"] != "none":
        before, after = (_mean_rest(block, key) for key in ("rest_recorded_mmhg", "rest_mmhg"))
        yield f"at rest, mean over the sensors: {before} before, {after} after"
    change = drift["rest_change_mean_mmhg"]
    if change is None:
        yield f"change at rest {not_measured('too little rest')}"
    else:
        yield (
            f"change at rest, first to last part: mean {change:.1f}, most "
            f"{drift['rest_change_max_mmhg']:.1f} mmHg"
        )


def _mean_rest(block: Mapping[str, Any], key: str) -> str:
    values = [row[key] for row in block["sensors"] if row["usable"] and row[key] is not None]
    return f"{fmean(values):.1f} mmHg" if values else "not measured"


def _artefacts(block: Mapping[str, Any]) -> str:
    shown = [
        f"{in_words(one['kind'])} at {one['time_s']:.1f} s"
        + ("" if one["shift_cm"] is None else f" ({one['shift_cm']:+.1f} cm)")
        for one in block["artefacts"]
    ]
    return ", ".join(shown) or "none found"


def _left_out(block: Mapping[str, Any]) -> str:
    excluded: Sequence[Mapping[str, Any]] = block["excluded"]
    counts = Counter(row["reason"] for row in excluded).most_common()
    return (
        "; ".join(
            f"{count} {out_of(reason)} ({_numbers(excluded, reason)})" for reason, count in counts
        )
        or "none"
    )


def _numbers(excluded: Sequence[Mapping[str, Any]], reason: str) -> str:
    """Numbers of the swallows with a reason; neighbors joined."""
    ids = [int(row["swallow"]) for row in excluded if row["reason"] == reason]
    runs: list[list[int]] = []
    for each in sorted(ids):
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
