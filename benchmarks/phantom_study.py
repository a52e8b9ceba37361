"""Errors of the engine in one synthetic study, as lists that can be pooled."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr
from phantom_conditions import CLINICAL, Condition, Setup, missing_as_infinite

import hrm
from hrm import phantom
from hrm.catalog import find_limit
from hrm.errors import HrmError
from hrm.phantom.verdict import diagnosis_of

MATCH_S = 2.0
LEAST_DCI_PERCENT = 450.0

#: What each version calls a phenotype. The tenth is a diagnosis of version 3.0 only: for
#: version 4.0 its 60-70 % fragmented swallows are ineffective motility, not conclusive.
EXPECTED = {
    "ccv4": {name: name for name in phantom.PHENOTYPES} | {"fragmented_peristalsis": "iem"},
    "ccv3": {name: name for name in phantom.PHENOTYPES},
}
Row = dict[str, Any]


def study_errors(
    phenotype: str,
    seed: int,
    conditions: Sequence[Condition],
    setups: Sequence[Setup],
) -> list[Row]:
    """Errors of one phantom, for each condition that reads it and each catheter."""
    started = time.perf_counter()
    drawn = conditions[0].drawn(phenotype, seed)
    rows = []
    for setup in setups:
        offset = phantom.default_offset(drawn, setup.catheter) + conditions[0].shift_cm
        bolus = any(condition.bolus for condition in conditions)
        truth = phantom.truth(drawn, offset_cm=offset, impedance=bolus)
        for condition in conditions:
            recording = condition.sampled(drawn, setup, truth, offset_cm=offset, seed=seed)
            row = errors_of(drawn, recording, truth, condition)
            row.update(phenotype=phenotype, seed=seed, setup=setup.name, condition=condition.name)
            if not setup.one_cm:
                row["les"] = []
            rows.append(row)
    seconds = time.perf_counter() - started
    sys.stderr.write(f"{phenotype} {seed}: {len(rows)} studies in {seconds:.0f} s\n")
    return rows


def in_turn(phenotype: str, seed: int, setups: Sequence[Setup]) -> Sequence[Setup]:
    """The one catheter that reads a phantom when each has its turn."""
    return [setups[(seed + phantom.PHENOTYPES.index(phenotype)) % len(setups)]]


def errors_of(
    drawn: phantom.Phantom, recording: xr.DataTree, truth: Mapping[str, Any], condition: Condition
) -> Row:
    """Errors of one recording, read with nothing said of it and with the posture told."""
    try:
        blind = hrm.to_dict(hrm.analyze(recording, system="manoscan"))
        told = informed(drawn, recording)
    except HrmError as err:
        return {**nothing(truth), "error": f"{type(err).__name__}: {err}"}
    row = compare(truth, blind)
    row.update(diagnoses(drawn, truth, told))
    if condition.blocks:
        row.update(blocks(truth, told, blind))
    if condition.bolus:
        row.update(bolus(truth, told))
    return row


def nothing(truth: Mapping[str, Any]) -> Row:
    """Errors of a study that the engine refused: everything is missed."""
    return {
        "hits": 0,
        "missed": len(truth["swallows"]),
        "extra": 0,
        "diagnosis": [False],
        "misnamed": [("ccv4", "refused")],
    }


def informed(drawn: phantom.Phantom, recording: xr.DataTree) -> dict[str, Any]:
    """Result of the engine with what the recording cannot say."""
    told = phantom.swallow_table(drawn)
    return hrm.to_dict(hrm.analyze(recording, system="manoscan", swallows=told, clinical=CLINICAL))


def expected(drawn: phantom.Phantom, truth: Mapping[str, Any]) -> dict[str, str | None]:
    """What each version should call a study; None where the truth does not say."""
    if not (drawn.variability or drawn.altered):
        return {version: names[drawn.phenotype] for version, names in EXPECTED.items()}
    by_v3 = drawn.phenotype == "fragmented_peristalsis"
    return {
        "ccv4": diagnosis_of(truth["study"], "of version 4.0"),
        "ccv3": truth["diagnosis"] if by_v3 else None,
    }


def diagnoses(drawn: phantom.Phantom, truth: Mapping[str, Any], result: dict[str, Any]) -> Row:
    """Whether each version names the study as it should, and the name where not."""
    found, wanted = result["classification"], expected(drawn, truth)
    seen = {version: found[version]["diagnosis"] for version in EXPECTED}
    right = {version: wanted[version] in (None, seen[version]) for version in EXPECTED}
    # Fragmented peristalsis is for version 3.0 to name; version 4.0 must say what it is then.
    both = right["ccv4"] and (drawn.phenotype != "fragmented_peristalsis" or right["ccv3"])
    return {
        "diagnosis": [both],
        "diagnosis_v3": [right["ccv3"]] if wanted["ccv3"] else [],
        "borderline": [bears_flag(result)],
        "misnamed": [
            (version, seen[version], wanted[version]) for version in EXPECTED if not right[version]
        ],
    }


def bears_flag(result: dict[str, Any]) -> bool:
    """Whether anything that decides is flagged: an IRP, or a swallow of the primary posture."""
    primary = result["study"]["primary_posture"]
    rows = [row for row in result["swallows"] if row["evaluable"] and row["posture"] == primary]
    irp = "irp_borderline" in result["classification"]["ccv4"]["considerations"]
    return irp or any(row["borderline"] for row in rows)


def compare(truth: Mapping[str, Any], found: dict[str, Any]) -> Row:
    """Lists of errors of one study, and the counts of swallows found and missed."""
    pairs, missed, extra = match(truth["swallows"], found["swallows"])
    out: Row = {"hits": len(pairs), "missed": missed, "extra": extra, "lost": Counter()}
    for name in ("onset", "irp", "dci_percent", "dci_low", "dl", "type", "pressurization"):
        out[name] = []
    out["confusion"] = []
    for known, seen in pairs:
        out["onset"].append(abs(seen["onset_s"] - known["onset_s"]))
        if not known["evaluable"]:
            continue
        _add(out, "irp", known["irp4s_mmhg"], seen["irp4s_mmhg"])
        _add(out, "dl", known["distal_latency_s"], seen["distal_latency_s"])
        add_dci(out, known["dci_mmhg_s_cm"], seen["dci_mmhg_s_cm"])
        out["type"].append(seen["type"] == known["type"])
        out["confusion"].append((known["type"], str(seen["type"])))
        out["pressurization"].append(seen["pressurization"] == known["pressurization"])
    out["les"] = [
        error
        for name in ("les_upper_cm", "les_lower_cm")
        for error in missing_as_infinite(truth["landmarks"][name], found["landmarks"][name])
    ]
    out["lost"] = dict(out["lost"])
    return out


def add_dci(out: Row, known: float | None, seen: float | None) -> None:
    """Add the error of a DCI: in percent, or in mmHg s cm where there is little of it."""
    if known is not None and known < LEAST_DCI_PERCENT:
        _add(out, "dci_low", known, seen)
    elif known is not None:
        _add(out, "dci_percent", known, seen, scale=100.0 / known)


def _add(
    out: Row, name: str, known: float | None, seen: float | None, *, scale: float = 1.0
) -> None:
    """Add an absolute error, and count the numbers that the engine could not give."""
    if known is not None and seen is None:
        out["lost"][name] += 1
    out[name] += missing_as_infinite(known, seen, scale)


def match(
    known: Sequence[dict[str, Any]], seen: Sequence[dict[str, Any]]
) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], int, int]:
    """Pair each true swallow with the nearest one found within two seconds."""
    left = list(seen)
    pairs = []
    for row in known:
        near = [other for other in left if abs(other["onset_s"] - row["onset_s"]) <= MATCH_S]
        if near:
            best = min(near, key=lambda other: abs(other["onset_s"] - row["onset_s"]))
            left.remove(best)
            pairs.append((row, best))
    return pairs, len(known) - len(pairs), len(left)


def blocks(truth: Mapping[str, Any], told: dict[str, Any], blind: dict[str, Any]) -> Row:
    """Errors of the provocation tests and of the upright block."""
    out: Row = {name: [] for name in ("runs_found", "runs_blind", "inhibited", "les_during")}
    out.update({name: [] for name in ("dci_during", "dci_after_percent", "mrs_ratio")})
    out.update({name: [] for name in ("rdc_20_percent", "rdc_30_percent", "rdc_after")})
    known, found = truth["provocation"], told["provocation"]
    for protocol, posture in (("mrs", "supine"), ("rdc", "upright")):
        for run in _runs(known, protocol):
            seen = _same_run(run, _runs(found, protocol))
            out["runs_found"].append(seen is not None)
            out["runs_blind"].append(
                _same_run(run, _runs(blind["provocation"], protocol)) is not None
            )
            if seen is not None:
                _run_errors(out, run, seen, posture)
    if known["mrs"] is not None and found["mrs"] is not None:
        out["mrs_ratio"] = missing_as_infinite(known["mrs"]["ratio"], found["mrs"]["ratio"])
    return {**out, **_upright(truth, found["upright"])}


def _runs(provocation: Mapping[str, Any], protocol: str) -> list[dict[str, Any]]:
    block = provocation[protocol]
    if block is None:
        return []
    return list(block.get("runs", [block]))


def _same_run(known: dict[str, Any], seen: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The run that begins and ends where the true one does, with as many swallows."""
    for run in seen:
        ends = abs(run["start_s"] - known["start_s"]), abs(run["stop_s"] - known["stop_s"])
        if max(ends) <= 0.5 and len(run["swallows"]) == len(known["onsets_s"]):
            return run
    return None


def _run_errors(out: Row, known: dict[str, Any], seen: dict[str, Any], posture: str) -> None:
    limit = find_limit("irp4s", system="manoscan", position=posture, cc_version="4.0")
    shut = limit is not None and limit.crossed_by(known["les_during_mmhg"])
    out["inhibited"].append(seen["inhibited"] is (known["inhibited"] and not shut))
    out["les_during"] += missing_as_infinite(known["les_during_mmhg"], seen["les_during_mmhg"])
    during, after = known["dci_during_mmhg_s_cm"], known["dci_after_mmhg_s_cm"]
    out["dci_during"] += missing_as_infinite(during, seen["dci_during_mmhg_s_cm"])
    if after >= LEAST_DCI_PERCENT:
        scale = 100.0 / after
        out["dci_after_percent"] += missing_as_infinite(after, seen["dci_after_mmhg_s_cm"], scale)
    if "after_contraction" in known:
        for level, key in ((20, "low"), (30, "high")):
            share, own = known[f"pressurized_{level}_percent"], seen[f"pressurized_{key}_percent"]
            out[f"rdc_{level}_percent"] += missing_as_infinite(share, own)
        out["rdc_after"].append(seen["contraction_after"] is known["after_contraction"])


def _upright(truth: Mapping[str, Any], found: dict[str, Any] | None) -> Row:
    """Errors of the medians of the upright block."""
    rows = [row for row in truth["swallows"] if row["posture"] == "upright" and row["evaluable"]]
    seen = found or {"irp4s_median_mmhg": None, "dci_median_mmhg_s_cm": None}
    size = median([row["dci_mmhg_s_cm"] for row in rows])
    relaxation = median([row["irp4s_mmhg"] for row in rows])
    strong = size is not None and size >= LEAST_DCI_PERCENT
    return {
        "upright_irp": missing_as_infinite(relaxation, seen["irp4s_median_mmhg"]),
        "upright_dci_percent": missing_as_infinite(
            size, seen["dci_median_mmhg_s_cm"], 100.0 / (size or 1.0)
        )
        if strong
        else [],
    }


def median(values: Sequence[float]) -> float | None:
    """Median, or None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return 0.5 * (low + high)


def bolus(truth: Mapping[str, Any], found: dict[str, Any]) -> Row:
    """Errors of bolus transit: its verdict, its times, and the resting impedance."""
    out: Row = {name: [] for name in ("transit", "transit_time")}
    out.update({f"bolus_{name}": [] for name in ("entry", "exit", "nadir")})
    known, seen = truth["impedance"], found["impedance"]
    base = known["distal_baseline_ohm"]
    out["baseline_percent"] = missing_as_infinite(base, seen["distal_baseline_ohm"], 100.0 / base)
    ids = {row["id"]: row for row in seen["swallows"]}
    numbered = [
        {**row, "truth": own} for row, own in zip(truth["swallows"], known["swallows"], strict=True)
    ]
    pairs, _, _ = match(numbered, found["swallows"])
    for row, other in pairs:
        if row["evaluable"]:
            _bolus_errors(out, row["truth"], ids[other["id"]], truth["landmarks"]["les_upper_cm"])
    return out


def _bolus_errors(out: Row, known: dict[str, Any], seen: dict[str, Any], les_cm: float) -> None:
    if known["transit"] is not None:
        out["transit"].append(seen["transit"] == known["transit"])
    if known["transit_time_s"] is not None and seen["transit_time_s"] is not None:
        out["transit_time"].append(abs(seen["transit_time_s"] - known["transit_time_s"]))
    for i, above in enumerate(known["levels_cm"]):
        level = min(seen["levels"], key=lambda row: abs(row["depth_cm"] - (les_cm - above)))
        for name in ("entry", "exit", "nadir"):
            time, own = known["at_levels"][f"{name}_s"][i], level[f"{name}_s"]
            if name == "nadir" and known["at_levels"]["exit_s"][i] is None:
                # What stays has no lowest point worth a time.
                continue
            if (time is None) != (own is None):
                out[f"bolus_{name}"].append(math.inf)
            elif time is not None and own is not None:
                out[f"bolus_{name}"].append(abs(own - time))
