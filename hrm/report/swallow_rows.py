"""The swallows in words: the cells of their table, its notes, and the title over a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hrm.plot._labels import TESTS, Group, groups
from hrm.report import wording

MARKS = {"above": "▲", "below": "▼"}
NOT_NORMAL = "●"
SIGNS = {*MARKS.values(), NOT_NORMAL}
#: Heading and unit of each column; `REMARKS` stands after the last.
COLUMNS = (
    ("#", ""),
    ("Onset", "s"),
    ("Posture", ""),
    ("Type", ""),
    ("IRP4s", "mmHg"),
    ("DCI", "mmHg s cm"),
    ("DL", "s"),
    ("Break", "cm"),
    ("IBP", "mmHg"),
    ("Pressurization", ""),
)
REMARKS = "Remarks"
#: Columns of numbers, which stand below each other by their last digit.
RIGHT = {"#", "Onset", "IRP4s", "DCI", "DL", "Break", "IBP"}
_NUMBERS = (
    ("irp4s_mmhg", "IRP4s", "{:.1f}"),
    ("dci_mmhg_s_cm", "DCI", "{:.0f}"),
    ("distal_latency_s", "DL", "{:.2f}"),
    ("break_cm", "break", "{:.1f}"),
    ("ibp_mmhg", "IBP", "{:.1f}"),
)


def run_cells(result: Mapping[str, Any], group: Group) -> tuple[str, str, str, str]:
    """First cells of the row of a run of a test, whose swallows are not read one by one."""
    row = result["swallows"][group.first]
    return (
        group.number(result["swallows"]),
        f"{row['onset_s']:.1f}",
        row["posture"],
        f"{TESTS[group.test]}: see Provocation tests",
    )


def reasons(result: Mapping[str, Any]) -> dict[str, str]:
    """Letter for each reason why a number is missing, in the order in which they occur."""
    swallows = [result["swallows"][each.first] for each in groups(result) if not each.test]
    found = dict.fromkeys(reason for row in swallows for reason in _missing(row).values())
    return {reason: chr(ord("a") + k) for k, reason in enumerate(found)}


def _missing(row: Mapping[str, Any]) -> dict[str, str]:
    """Reason for each number of a row that is missing, and for its pressurization."""
    status = row["status"]
    out = {key: status.get(key, "not measured") for key, _, _ in _NUMBERS if row[key] is None}
    if "pressurization" in status:
        out["pressurization"] = status["pressurization"]
    return out


def cells(
    result: Mapping[str, Any], row: Mapping[str, Any], letters: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Text and mark of each cell but the remarks; a mark is a sign, or the letter of a reason."""
    beyond = wording.abnormal(result, row) if row["evaluable"] else {}
    absent = {key: letters[reason] for key, reason in _missing(row).items()}
    kind = (row["type"], "" if row["type"] == "normal" else NOT_NORMAL)
    out = [
        (str(row["id"]), ""),
        (f"{row['onset_s']:.1f}", ""),
        (row["posture"], ""),
        kind if row["evaluable"] else ("not evaluable", ""),
    ]
    for key, _, form in _NUMBERS:
        mark = absent.get(key, MARKS.get(beyond.get(key, ""), ""))
        out.append((wording.DASH if row[key] is None else form.format(row[key]), mark))
    pattern = row["pressurization"]
    if "pressurization" in absent:
        return [*out, (f"{wording.DASH} {absent['pressurization']}", "")]
    return [*out, (wording.pressurization(pattern), "" if pattern == "none" else NOT_NORMAL)]


def remarks(row: Mapping[str, Any]) -> Iterator[str]:
    """What else is to be said of a swallow."""
    if not row["evaluable"]:
        yield wording.out_of(row["reason"])
    named = row["reason"] == f"protocol_{row['protocol']}"
    if row["protocol"] not in ("single", "unknown") and not named:
        yield row["protocol"]
    if row["onset_method"] == "stated":
        yield "onset as stated"
    for flag in row["flags"]:
        if flag not in (row["type"], row["reason"]):
            yield wording.flag(flag)
    if row.get("hypercontractile_subtype"):
        yield wording.in_words(row["hypercontractile_subtype"])
    names = {key: name for key, name, _ in _NUMBERS}
    for key in row["borderline"]:
        yield f"{names.get(key, key)} borderline"


def footnote(result: Mapping[str, Any], letters: Mapping[str, str]) -> str:
    """Say what the marks and abbreviations of the table mean."""
    said = [f"{letter} {wording.in_words(reason)}" for reason, letter in letters.items()]
    absent = f"; {wording.DASH} not measured: {', '.join(said)}" if said else ""
    text = (
        f"▲ above, ▼ below its limit, {NOT_NORMAL} not normal (bold){absent}. The limit of the "
        "IRP is meant for the median of a posture. IRP4s: integrated relaxation pressure, 4 s; "
        "DCI: distal contractile integral; DL: distal latency; break: longest gap in the 20 mmHg "
        "contour; IBP: intrabolus pressure."
    )
    if result["study"]["filtered"]:
        text += " All are from the filtered pressure."
    return text


def title(result: Mapping[str, Any], group: Group) -> tuple[str, str]:
    """Two lines over the picture of a swallow or of a run of a test: which, and its numbers."""
    if group.test:
        return run_title(result, group)
    return panel_title(result, result["swallows"][group.first])


def run_title(result: Mapping[str, Any], group: Group) -> tuple[str, str]:
    """Two lines over the panel of a run of a test: which swallows, and what it shows."""
    posture = wording.posture(result["swallows"][group.first]["posture"])
    head = f"#{group.number(result['swallows'])} · {posture} · {group.test.upper()}"
    after = group.run["dci_after_mmhg_s_cm"]
    said = f"DCI after {after:.0f}" if after is not None else "DCI after: not measured"
    return head, f"{TESTS[group.test]}; {said}"


def panel_title(result: Mapping[str, Any], swallow: Mapping[str, Any]) -> tuple[str, str]:
    """Two lines over a panel: which swallow, and its numbers or why it does not count."""
    kind = swallow["type"] if swallow["evaluable"] else "not evaluable"
    head = f"#{swallow['id']} · {wording.posture(swallow['posture'])} · {kind}"
    if not swallow["evaluable"]:
        return head, wording.out_of(swallow["reason"])
    beyond = wording.abnormal(result, swallow)
    parts = []
    for key, name, form in (
        ("irp4s_mmhg", "IRP", "{:.1f}"),
        ("dci_mmhg_s_cm", "DCI", "{:.0f}"),
        ("distal_latency_s", "DL", "{:.2f}"),
        ("break_cm", "break", "{:.1f}"),
    ):
        value = wording.DASH if swallow[key] is None else form.format(swallow[key])
        parts.append(f"{name} {value}{MARKS.get(beyond.get(key, ''), '')}")
    return head, "  ".join(parts)
