"""Impedance, pressure flow and pharynx in words, for summary and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hrm.plot._labels import TESTS
from hrm.report.wording import DASH, in_words, not_measured, number

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One number of a swallow in the table of the bolus."""

    key: str
    heading: str
    unit: str
    digits: int

    def text(self, row: Mapping[str, Any]) -> str:
        """Write the number of a swallow; a dash where there is none."""
        value = row[self.key]
        return DASH if value is None else f"{value:.{self.digits}f}"


#: Numbers of a swallow, in the order in which the bolus goes: whole way, body, EGJ, above it.
COLUMNS = (
    Column("transit_time_s", "time", "s", 2),
    Column("nadir_impedance_s", "TNadImp", "s", 2),
    Column("nadir_impedance_pressure_mmhg", "PNadImp", "mmHg", 1),
    Column("peak_pressure_mmhg", "PeakP", "mmHg", 0),
    Column("nadir_impedance_to_peak_s", "to peak", "s", 2),
    Column("flow_ibp_mmhg", "IBP", "mmHg", 1),
    Column("flow_ibp_slope_mmhg_s", "slope", "mmHg/s", 1),
    Column("impedance_ratio", "ratio", "", 2),
    Column("pressure_flow_index", "PFI", "", 1),
    Column("bolus_flow_time_s", "BFT", "s", 2),
    Column("ues_maximum_admittance_millisiemens", "UES adm.", "mS", 2),
    Column("pharyngeal_ibp_mmhg", "ph. IBP", "mmHg", 1),
    Column("pharyngeal_bolus_presence_s", "ph. BPT", "s", 2),
    Column("pharyngeal_distension_contraction_s", "ph. DCL", "s", 2),
)
HEADING = "Impedance and pressure flow"
TESTS_NOTE = "Swallows of a test of rapid ones are not judged one by one."
ABBREVIATIONS = (
    "time: bolus transit time; TNadImp, PNadImp: time from the onset, and pressure, at nadir "
    "impedance; PeakP: peak pressure; to peak: from nadir impedance to peak pressure; IBP: "
    "intrabolus pressure of the pressure-flow analysis, and its slope; ratio: impedance ratio; "
    "PFI: pressure flow index; BFT: bolus flow time; UES adm.: greatest admittance of the UES; "
    "ph.: above the UES, IBP, BPT bolus presence time, DCL distension-contraction latency. No "
    "limits are applied."
)
_STUDY = (
    ("Bolus transit time", "transit_time_median_s", "s"),
    ("Nadir impedance to peak", "nadir_impedance_to_peak_median_s", "s"),
    ("Pressure flow index", "pressure_flow_index_median", ".1f"),
    ("Impedance ratio", "impedance_ratio_median", ".2f"),
    ("Bolus flow time", "bolus_flow_time_median_s", "s"),
    ("Distal impedance at rest", "distal_baseline_ohm", "ohm"),
)
_PARTS = (("vci", "velo"), ("mci", "meso"), ("hpci", "hypo"))
_EVERYWHERE = "segment_positions_unknown"


def has_impedance(result: Result) -> bool:
    """Whether the recording has impedance at all."""
    return bool(result.get("impedance"))


def impedance_lines(result: Result) -> list[tuple[str, str]]:
    """Label and text of what the impedance amounts to over the study.

    Parameters
    ----------
    result : mapping
        The published contract.

    Returns
    -------
    list of (str, str)
        Empty for a recording without impedance.
    """
    block = result.get("impedance")
    if not block:
        return []
    if nowhere(result):
        return [("Impedance", not_measured(_EVERYWHERE))]
    return [("Complete bolus transit", _transit(block)), *_medians(block)]


def nowhere(result: Result) -> bool:
    """Whether nothing can be read, because nobody said where the segments lie."""
    block = result.get("impedance")
    if not block:
        return False
    return not block["segments"] and _EVERYWHERE in block["status"].values()


def _transit(block: Mapping[str, Any]) -> str:
    share = block["percent_complete_transit"]
    if share is None:
        return not_measured(block["status"].get("percent_complete_transit"))
    judged = block["n_transit_judged"]
    return f"{share:.0f} % ({round(share * judged / 100)} of {judged} judged)"


def _medians(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, key, form in _STUDY:
        value = block[key]
        if value is None:
            yield label, not_measured(block["status"].get(key))
        elif form.startswith("."):
            yield label, f"{value:{form}} (median)"
        elif form == "ohm":
            yield label, f"{value:.0f} ohm"
        else:
            yield label, f"{number(value, form)} (median)"


def transit(result: Result, k: int) -> str:
    """Write the bolus transit of the swallow at place `k`, for a narrow column."""
    said = result["impedance"]["swallows"][k]["transit"]
    return said or DASH


def transit_reason(result: Result, k: int) -> str:
    """Say why the transit of a swallow was not judged; empty where it was."""
    block = result["impedance"]["swallows"][k]
    return "" if block["transit"] else in_words(block["status"].get("transit", "not measured"))


def shown_swallows(result: Result) -> list[Mapping[str, Any]]:
    """Rows of the block that a table shows: all but the swallows of a test of rapid ones."""
    kinds = {row["id"]: row["protocol"] for row in result["swallows"]}
    return [row for row in result["impedance"]["swallows"] if kinds[row["id"]] not in TESTS]


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Columns with a number in at least one row; what the others lack is in the notes."""
    return [column for column in COLUMNS if any(row[column.key] is not None for row in rows)]


def missing_notes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say of each number that some swallow lacks why, the same reasons together.

    Parameters
    ----------
    rows : sequence of mapping
        Of the block ``swallows`` of the impedance.

    Returns
    -------
    list of str
        Like ``"BFT not measured: no bolus (swallows 1 to 10)"``.
    """
    found: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for key, heading in (("transit", "transit"), *((each.key, each.heading) for each in COLUMNS)):
        ids: dict[str, list[int]] = {}
        for row in rows:
            if row[key] is None:
                ids.setdefault(row["status"].get(key, ""), []).append(row["id"])
        for reason, lacking in ids.items():
            found.setdefault((reason, tuple(lacking)), []).append(heading)
    return [
        f"{', '.join(names)} {not_measured(reason)} ({_swallows(lacking, len(rows))})"
        for (reason, lacking), names in found.items()
    ]


def _swallows(ids: Sequence[int], count: int) -> str:
    if len(ids) == count:
        return "all swallows"
    return f"swallow{'s' if len(ids) > 1 else ''} {', '.join(str(each) for each in ids)}"


def pharynx_lines(result: Result) -> list[tuple[str, str]]:
    """Label and text of what was measured of the pharynx, or why it was not.

    Parameters
    ----------
    result : mapping
        The published contract.

    Returns
    -------
    list of (str, str)
        Empty for a study that a version without it has saved.
    """
    block = result.get("pharynx")
    if not block:
        return []
    value = block["phci_median_mmhg_s_cm"]
    if value is None:
        reason = block["status"].get("phci_median_mmhg_s_cm")
        return [("PhCI, median", not_measured(reason))]
    rows = [row for row in block["swallows"] if row["phci_mmhg_s_cm"] is not None]
    each = ", ".join(f"{row['phci_mmhg_s_cm']:.0f} (#{row['id']})" for row in rows)
    out = [("PhCI, median", number(value, "mmHg s cm")), ("PhCI, by swallow", each)]
    return [*out, *_parts(rows)]


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, part in _PARTS:
        key, label = f"{name}_mmhg_s_cm", f"{part}pharynx"
        had = ", ".join(f"{row[key]:.0f} (#{row['id']})" for row in rows if row[key] is not None)
        lacking = [row["status"].get(key) for row in rows if row[key] is None]
        yield f"  {label}", had or not_measured(lacking[0] if lacking else None)
