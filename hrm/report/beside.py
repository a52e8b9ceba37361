"""Two studies side by side in words: what they are called, their numbers, what changed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrm import catalog
from hrm.report import wording

NUMBERS = "Numbers side by side"
TYPICAL = "The swallow with the median IRP (s from onset)"
SYSTEMS_DIFFER = (
    "The systems differ. Pressures of one system are not those of another, so that no "
    "change is given, and each diagnosis rests on the limits of its own system."
)
#: Numbers of a block of the contract that are set beside each other.
_NUMBERS: tuple[tuple[str, str, str], ...] = (
    ("egj", "basal_end_expiratory_mmhg", "LES pressure at rest, end-expiratory"),
    ("egj", "basal_mean_mmhg", "LES pressure at rest, respiratory mean"),
    ("egj", "egj_ci_mmhg_cm", "EGJ-CI"),
    ("egj", "les_cd_separation_cm", "LES–CD separation"),
    ("ues", "ues_resting_mmhg", "UES pressure at rest"),
)
_SHARES = ("failed", "ineffective", "premature", "hypercontractile", "panesophageal")

Result = Mapping[str, Any]


def heading(names: Sequence[str]) -> str:
    """Title of the report."""
    return f"High-resolution esophageal manometry: {names[0]} and {names[1]}"


def source(result: Result) -> str:
    """Say which study this is, and how far it was looked at."""
    recording, study = result["recording"], result["study"]
    review = wording.review_sentence(result) if result["review"] else "automatic, not reviewed"
    return (
        f"study {recording['study_id']} · SHA-256 {recording['sha256'][:12]} · "
        f"system {recording['system']} · {study['n_evaluable']} evaluable of "
        f"{study['n_swallows']} swallows, judged: "
        f"{wording.posture(study['primary_posture'] or 'unknown')} · "
        f"{review}"
    )


def diagnoses(result: Result) -> Iterator[tuple[str, str]]:
    """Label and standing by each version of the classification."""
    for key, version in wording.VERSIONS:
        verdict = result["classification"][key]
        label = f"v{version}: {wording.diagnosis(verdict['diagnosis'])}"
        yield label, wording.standing(verdict, version)


def same_system(results: Sequence[Result]) -> bool:
    """Whether the pressures of both studies can be compared at all."""
    return bool(results[0]["recording"]["system"] == results[1]["recording"]["system"])


def table(results: Sequence[Result], names: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Rows of the numbers, the head first: name, the first, the second, the change."""
    same = same_system(results)
    rows = [("", names[0], names[1], "change" if same else "change: not given")]
    for name, unit, said in quantities(results):
        one, other = (shown(value, status, unit) for value, status in said)
        rows.append((name, one, other, change(said, unit) if same else ""))
    return rows


def typical_title(result: Result, name: str, k: int) -> str:
    """Title over the picture of a swallow of one of the studies."""
    said = result["swallows"][k]
    return f"{name}: swallow {said['id']}, {wording.in_words(said['type'] or 'no type')}"


def foot(result: Result) -> str:
    """What stands at the foot: what measured both."""
    engine = result["engine"]
    return f"hrm {engine['version']} · parameters {engine['parameters_id']}"


Said = tuple[float | None, str]


def quantities(results: Sequence[Result]) -> Iterator[tuple[str, str, tuple[Said, Said]]]:
    """Name, unit, and of each study the value or why there is none."""
    metrics = catalog.metrics()

    def both(block: str, key: str) -> tuple[Said, Said]:
        one, other = ((r[block][key], r[block]["status"].get(key, "")) for r in results)
        return one, other

    postures = {result["study"]["primary_posture"] for result in results} - {None}
    for posture in sorted(postures):
        key = f"irp4s_median_{posture}_mmhg"
        yield f"Median IRP-4s, {posture}", "mmHg", both("study", key)
    for block, key, name in _NUMBERS:
        yield name, metrics[key].units, both(block, key)
    one, other = (_median_dci(result) for result in results)
    yield "Median DCI of the evaluable swallows", "mmHg s cm", (one, other)
    for kind in _SHARES:
        shares = [(result["study"]["percent"][kind], "no_evaluable_swallow") for result in results]
        yield f"Swallows {wording.in_words(kind)}", "%", (shares[0], shares[1])


def _median_dci(result: Result) -> Said:
    posture = result["study"]["primary_posture"]
    values = [
        row["dci_mmhg_s_cm"]
        for row in result["swallows"]
        if row["evaluable"] and row["posture"] == posture and row["dci_mmhg_s_cm"] is not None
    ]
    return (statistics.median(values), "") if values else (None, "no_evaluable_swallow")


def shown(value: float | None, status: str, unit: str) -> str:
    """Write a value with its unit, or why there is none."""
    if value is None or not math.isfinite(value):
        return wording.not_measured(status or None)
    return wording.number(value, unit)


def change(said: tuple[Said, Said], unit: str) -> str:
    """Write by how much the second differs; empty where one is missing."""
    (one, _), (other, _) = said
    if one is None or other is None:
        return ""
    text = wording.number(other - one, unit)
    return f"+{text}" if other > one and not text.startswith("-") else text


def typical(result: Result) -> int | None:
    """Place of the swallow with the median IRP; None without one."""
    posture = result["study"]["primary_posture"]
    rows = [
        (row["irp4s_mmhg"], k)
        for k, row in enumerate(result["swallows"])
        if row["evaluable"] and row["posture"] == posture and row["irp4s_mmhg"] is not None
    ]
    return sorted(rows)[(len(rows) - 1) // 2][1] if rows else None
