"""The swallows in the summary: one line each, and what the impedance says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hrm.cli._lines import DASH, note, words
from hrm.cli._lines import row as labelled

if TYPE_CHECKING:
    from hrm.plot._labels import Group

#: Columns of the swallow table that are numbers: key, heading, name in remarks, format.
_NUMBERS = (
    ("irp4s_mmhg", "IRP4s", "{:.1f}"),
    ("dci_mmhg_s_cm", "DCI", "{:.0f}"),
    ("distal_latency_s", "DL", "{:.2f}"),
    ("break_cm", "break", "{:.1f}"),
)
_HEADINGS = (
    ("#", 3), ("onset", 7), ("posture", 8), ("type", 17), ("IRP4s", 6), ("DCI", 6), ("DL", 5),
    ("break", 5), ("pressurization", 18),
)  # fmt: skip
_UNITS = ("", "s", "", "", "mmHg", "*", "s", "cm", "")
_RIGHT = {"#", "onset", "IRP4s", "DCI", "DL", "break"}


def impedance_lines(result: Mapping[str, Any]) -> list[str]:
    """What impedance says of the study, and of each swallow."""
    from hrm.report import bolus

    if not bolus.has_impedance(result):
        return []
    lines = ["Impedance", *(labelled(label, text) for label, text in bolus.impedance_lines(result))]
    rows = [] if bolus.nowhere(result) else bolus.shown_swallows(result)
    if not rows:
        return lines
    columns = bolus.shown_columns(rows)
    lines += ["", "Pressure flow, swallow by swallow"]
    lines.append(_flow_cells("#", [column.heading for column in columns]))
    lines.append(_flow_cells("", [column.unit for column in columns]))
    lines += [_flow_cells(str(row["id"]), [each.text(row) for each in columns]) for row in rows]
    lines += [note(text, hanging=2) for text in bolus.missing_notes(rows)]
    return [*lines, note(bolus.ABBREVIATIONS)]


def _flow_cells(number: str, texts: Sequence[str]) -> str:
    return " ".join([number.rjust(3), *(text.rjust(8) for text in texts)]).rstrip()


def swallow_lines(result: Mapping[str, Any]) -> list[str]:
    """Write the table of the swallows; those of one run of a test share a line."""
    from hrm.plot._labels import groups
    from hrm.report import bolus

    swallows = result["swallows"]
    if not swallows:
        return ["Swallows", "  none found"]
    impedance = bolus.has_impedance(result)
    lines = [
        "Swallows (* DCI in mmHg s cm)",
        _cells([*(name for name, _ in _HEADINGS), *(["bolus"] if impedance else [])]) + "  remarks",
        _cells(_UNITS),
    ]
    for group in groups(result):
        if group.test:
            lines.append(_run_line(group, swallows))
            continue
        row = swallows[group.first]
        remarks = list(_remarks(row))
        cells = _swallow_cells(row)
        if impedance:
            cells.append(bolus.transit(result, group.first))
            reason = bolus.transit_reason(result, group.first)
            remarks += [f"bolus: {reason}"] if reason else []
        lines.append(f"{_cells(cells)}  {'; '.join(remarks)}")
    return [line.rstrip() for line in lines]


def _run_line(group: Group, swallows: Sequence[Mapping[str, Any]]) -> str:
    """One line for all swallows of a run of a test, which are not read one by one."""
    from hrm.plot._labels import TESTS

    row = swallows[group.first]
    number, onset = group.number(swallows), f"{row['onset_s']:.1f}"
    what = f"{TESTS[group.test]}: see provocation tests"
    return f"{number:<5}{onset:>6} {row['posture']:<8} {what}"


def _swallow_cells(row: Mapping[str, Any]) -> list[str]:
    numbers = [DASH if row[key] is None else form.format(row[key]) for key, _, form in _NUMBERS]
    kind = (row["type"] or DASH) if row["evaluable"] else "not evaluable"
    pressurization = DASH if "pressurization" in row["status"] else row["pressurization"]
    onset = f"{row['onset_s']:.1f}"
    return [str(row["id"]), onset, row["posture"], kind, *numbers, pressurization]


def _cells(texts: Sequence[str]) -> str:
    cells = [
        text.rjust(width) if name in _RIGHT else text.ljust(width)
        for text, (name, width) in zip(texts, (*_HEADINGS, ("bolus", 10)), strict=False)
    ]
    return " ".join(cells)


def _remarks(row: Mapping[str, Any]) -> Iterator[str]:
    from hrm.report.wording import out_of

    if not row["evaluable"]:
        yield out_of(row["reason"])
    if row["protocol"] not in ("single", "unknown") and row["evaluable"]:
        yield f"protocol {row['protocol']}"
    if row["onset_method"] == "stated":
        yield "onset as stated"
    if row["onset_method"] == "reader":
        yield "onset by a reader"
    if row["cdp_method"] == "reader":
        yield "deceleration point by a reader"
    for flag in row["flags"]:
        if flag not in (row["type"], row["reason"]):
            yield words(flag)
    if row.get("hypercontractile_subtype"):
        yield words(row["hypercontractile_subtype"])
    names = {key: name for key, name, _ in _NUMBERS}
    for key in row["borderline"]:
        yield f"{names.get(key, key)} borderline"
    if not (row["reason"] or "").startswith("protocol_"):
        # What a swallow of a test lacks by its nature is no remark.
        yield from _lacking(row)


def _lacking(row: Mapping[str, Any]) -> Iterator[str]:
    """Say which numbers are missing, those with the same reason together."""
    missing: dict[str, list[str]] = {}
    for key, name, _ in _NUMBERS:
        if row[key] is None:
            missing.setdefault(words(row["status"].get(key, "reason unknown")), []).append(name)
    if "pressurization" in row["status"]:
        missing.setdefault(words(row["status"]["pressurization"]), []).append("pressurization")
    for reason, metrics in missing.items():
        yield f"{', '.join(metrics)} not measured: {reason}"
