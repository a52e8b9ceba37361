"""Print how well the engine finds the truth of synthetic studies.

Every phenotype is sampled by four catheters at two noise levels; the truth is
computed on the noise-free field by code that shares nothing with the engine. For
all columns but two the engine gets the recording and nothing else: no table of
swallows, no posture. For `diagnosis` and `diagnosis_v3` it also gets the posture of
each swallow and the symptom dysphagia, which a recording cannot say. `diagnosis` is
that of version 4.0; fragmented peristalsis is named by version 3.0, and version 4.0
must call it ineffective motility. `diagnosis_v3` has no bound. `borderline` is the share
of studies that bear a flag although their deciding numbers keep away from every limit.

    python benchmarks/phantom_table.py --seeds 20 --jobs 2 --check

With `--borderline` the deciding quantity of each study lies within 5 % of its limit,
and the table says how many of these studies are flagged so.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import hrm
from hrm import phantom
from hrm.catalog import default_parameters, find_limit

MATCH_S = 2.0
CLINICAL = {"symptoms": ["dysphagia"]}

#: What each version calls a phenotype. The tenth is a diagnosis of version 3.0 only: for
#: version 4.0 its 60-70 % fragmented swallows are ineffective motility, not conclusive.
EXPECTED = {
    "ccv4": {name: name for name in phantom.PHENOTYPES} | {"fragmented_peristalsis": "iem"},
    "ccv3": {name: name for name in phantom.PHENOTYPES},
}
PARAMETERS = default_parameters()
#: Number of a swallow that a quantity of a borderline study is about.
NUMBERS = {
    "dci_failed": "dci_mmhg_s_cm",
    "dci_weak": "dci_mmhg_s_cm",
    "dci_hypercontractile": "dci_mmhg_s_cm",
    "dl_premature": "distal_latency_s",
    "break_fragmented": "break_cm",
}
#: How the rules begin that flag a supine median IRP.
IRP_RULES = ("median IRP, supine, distance to its limit", "median IRP, supine, across its limit")


@dataclass(frozen=True)
class Setup:
    """One catheter and how it is read."""

    name: str
    catheter: str | tuple[float, ...]
    sampling_rate: float
    integer: bool
    one_cm: bool


SETUPS = (
    Setup("36 x 1 cm, 100 Hz", "manoscan-36", 100.0, integer=False, one_cm=True),
    Setup("36 x 1 cm, 20 Hz, integer", "manoscan-36", 20.0, integer=True, one_cm=True),
    Setup("32 x 1 cm, 50 Hz", "diversatek-32", 50.0, integer=False, one_cm=True),
    Setup("22 irregular, 20 Hz, integer", "CE4-0062", 20.0, integer=True, one_cm=False),
)

#: Bounds of the table: name, comparator, bound.
BOUNDS = (
    ("recall", ">=", 0.99),
    ("precision", ">=", 0.98),
    ("onset", "<=", 0.15),
    ("irp", "<=", 1.0),
    ("dci_percent", "<=", 5.0),
    ("dci_low", "<=", 25.0),
    ("dl", "<=", 0.3),
    ("les", "<=", 0.6),
    ("type", ">=", 0.95),
    ("diagnosis", ">=", 0.98),
)


def study_errors(phenotype: str, seed: int, noises: Sequence[float]) -> list[dict[str, Any]]:
    """Errors of every swallow of one phantom, for each catheter and noise."""
    drawn = phantom.draw(phenotype, seed=seed)
    rows = []
    for setup in SETUPS:
        offset = phantom.default_offset(drawn, setup.catheter)
        truth = phantom.truth(drawn, offset_cm=offset)
        for noise in noises:
            recording = phantom.sample(
                drawn,
                catheter=setup.catheter,
                sampling_rate=setup.sampling_rate,
                integer=setup.integer,
                offset_cm=offset,
                noise_mmhg=noise,
                seed=seed,
            )
            found = hrm.to_dict(hrm.analyze(recording, system="manoscan"))
            row = compare(truth, found)
            row.update(diagnoses(drawn, recording))
            row.update(phenotype=phenotype, seed=seed, setup=setup.name, noise=noise)
            if not setup.one_cm:
                row["les"] = []
            rows.append(row)
    return rows


def informed(drawn: phantom.Phantom, recording: Any) -> dict[str, Any]:
    """Result of the engine with what the recording cannot say."""
    told = phantom.swallow_table(drawn)
    return hrm.to_dict(hrm.analyze(recording, system="manoscan", swallows=told, clinical=CLINICAL))


def diagnoses(drawn: phantom.Phantom, recording: Any) -> dict[str, Any]:
    """Whether each version names the phenotype as it should, and the name where not."""
    result = informed(drawn, recording)
    found = result["classification"]
    seen = {version: found[version]["diagnosis"] for version in EXPECTED}
    right = {version: seen[version] == EXPECTED[version][drawn.phenotype] for version in EXPECTED}
    # Fragmented peristalsis is for version 3.0 to name; version 4.0 must say what it is then.
    both = right["ccv4"] and (drawn.phenotype != "fragmented_peristalsis" or right["ccv3"])
    return {
        "diagnosis": [both],
        "diagnosis_v3": [right["ccv3"]],
        "borderline": [bears_flag(result)],
        "misnamed": [(version, seen[version]) for version in EXPECTED if not right[version]],
    }


def bears_flag(result: dict[str, Any]) -> bool:
    """Whether anything that decides is flagged: an IRP, or a swallow of the primary posture."""
    primary = result["study"]["primary_posture"]
    rows = [row for row in result["swallows"] if row["evaluable"] and row["posture"] == primary]
    irp = "irp_borderline" in result["classification"]["ccv4"]["considerations"]
    return irp or any(row["borderline"] for row in rows)


def borderline_flags(phenotype: str, seed: int, noises: Sequence[float]) -> list[dict[str, Any]]:
    """Whether a study at the edge of its phenotype is flagged, for each catheter and noise."""
    drawn = phantom.draw(phenotype, seed=seed, borderline=True)
    rows = []
    for setup in SETUPS:
        offset = phantom.default_offset(drawn, setup.catheter)
        truth = phantom.truth(drawn, offset_cm=offset)
        for noise in noises:
            recording = phantom.sample(
                drawn,
                catheter=setup.catheter,
                sampling_rate=setup.sampling_rate,
                integer=setup.integer,
                offset_cm=offset,
                noise_mmhg=noise,
                seed=seed,
            )
            found = informed(drawn, recording)
            row = flagged(truth, found)
            version = "ccv3" if phenotype == "fragmented_peristalsis" else "ccv4"
            verdict = found["classification"][version]
            name, right = verdict["diagnosis"], EXPECTED[version][phenotype]
            row.update(diagnosis=name, right=name == right)
            row["misled"] = name != right and verdict["conclusive"] and not any(row["flagged"])
            row.update(phenotype=phenotype, seed=seed, setup=setup.name, noise=noise)
            rows.append(row)
    return rows


def flagged(truth: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Flag of the quantity a borderline study is about, where it was measured, and the margin."""
    quantity = truth["borderline_quantity"]
    limit = find_limit(quantity, system="manoscan", position="supine", cc_version="4.0").value
    if quantity == "irp4s":
        rules = [rule["rule"] for rule in found["classification"]["ccv4"]["rationale"]]
        flags = [any(rule.startswith(IRP_RULES) for rule in rules)]
        margin = PARAMETERS["irp.borderline_mmhg"]
        span, seen = (limit - margin, limit + margin), [found["study"]["irp4s_median_supine_mmhg"]]
    else:
        name = NUMBERS[quantity]
        margin = PARAMETERS["borderline.relative"] * limit
        span = (limit - margin, limit + margin)
        if quantity == "dl_premature":
            span = (PARAMETERS["dl.borderline_low_s"], PARAMETERS["dl.borderline_high_s"])
        near = barely(truth, found, quantity, span)
        flags, seen = [name in row["borderline"] for row in near], [row[name] for row in near]
    within = [value is not None and span[0] <= value <= span[1] for value in seen]
    return {"quantity": quantity, "span": span, "flagged": flags, "within": within, "seen": seen}


def barely(
    truth: dict[str, Any], found: dict[str, Any], quantity: str, span: tuple[float, float]
) -> list[dict[str, Any]]:
    """Swallows found whose true number lies within `span`."""
    name = NUMBERS[quantity]
    pairs, _, _ = match(truth["swallows"], found["swallows"])
    return [
        seen
        for known, seen in pairs
        if known["posture"] == "supine"
        and known[name] is not None
        and span[0] <= known[name] <= span[1]
        # A break decides nothing in a failed or weak swallow.
        and (quantity != "break_fragmented" or known["type"] in ("normal", "fragmented"))
    ]


def borderline_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Lines of the borderline table, by deciding quantity and catheter."""
    head = ("studies", "numbers", "within", "flagged", "any", "right", "misled", "silent")
    lines = [f"{'quantity / setup':58s} " + " ".join(f"{name:>8s}" for name in head)]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        low, high = row["span"]
        margin = f"{row['quantity']} {low:g} to {high:g}"
        groups[f"{margin} / {row['setup']}"].append(row)
    for label, members in [*groups.items(), ("all", list(rows))]:
        numbers = [
            pair for row in members for pair in zip(row["within"], row["flagged"], strict=True)
        ]
        cells = (
            len(members),
            len(numbers),
            sum(within for within, _ in numbers),
            sum(flag for _, flag in numbers),
            sum(any(row["flagged"]) for row in members),
            sum(row["right"] for row in members),
            sum(row["misled"] for row in members),
            len(silent(members)),
        )
        lines.append(f"{label:58s} " + " ".join(f"{cell:8d}" for cell in cells))
    return lines


def silent(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Studies with a number measured within the margin and not flagged."""
    return [
        row
        for row in rows
        if any(
            within and not flag for within, flag in zip(row["within"], row["flagged"], strict=True)
        )
    ]


def compare(truth: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Lists of errors of one study, and the counts of swallows found and missed."""
    pairs, missed, extra = match(truth["swallows"], found["swallows"])
    out: dict[str, Any] = {"hits": len(pairs), "missed": missed, "extra": extra}
    for name in ("onset", "irp", "dci_percent", "dci_low", "dl", "type", "pressurization"):
        out[name] = []
    out["confusion"] = []
    out["lost"] = defaultdict(int)
    for known, seen in pairs:
        out["onset"].append(abs(seen["onset_s"] - known["onset_s"]))
        if not known["evaluable"]:
            continue
        difference(out, "irp", known["irp4s_mmhg"], seen["irp4s_mmhg"])
        difference(out, "dl", known["distal_latency_s"], seen["distal_latency_s"])
        size = known["dci_mmhg_s_cm"]
        if size is not None and size < 450:
            difference(out, "dci_low", size, seen["dci_mmhg_s_cm"])
        elif size is not None:
            difference(out, "dci_percent", size, seen["dci_mmhg_s_cm"], scale=100.0 / size)
        out["type"].append(seen["type"] == known["type"])
        out["confusion"].append((known["type"], str(seen["type"])))
        out["pressurization"].append(seen["pressurization"] == known["pressurization"])
    out["les"] = [
        abs(found["landmarks"][name] - truth["landmarks"][name])
        if found["landmarks"][name] is not None
        else math.inf
        for name in ("les_upper_cm", "les_lower_cm")
    ]
    out["lost"] = dict(out["lost"])
    return out


def difference(
    out: dict[str, Any], name: str, known: float | None, seen: float | None, scale: float = 1.0
) -> None:
    """Add an absolute error; a number that the engine could not give counts as infinite."""
    if known is None:
        return
    if seen is None:
        out["lost"][name] += 1
    out[name].append(abs(seen - known) * scale if seen is not None else math.inf)


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


def summary(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Recall, precision, medians and shares over some studies."""
    rows = list(rows)
    hits = sum(row["hits"] for row in rows)
    out = {
        "recall": hits / max(1, hits + sum(row["missed"] for row in rows)),
        "precision": hits / max(1, hits + sum(row["extra"] for row in rows)),
    }
    for name in ("onset", "irp", "dci_percent", "dci_low", "dl", "les"):
        values = [value for row in rows for value in row[name]]
        out[name] = float(np.median(values)) if values else math.nan
        out[f"{name}_p95"] = float(np.quantile(values, 0.95)) if values else math.nan
    for name in ("type", "pressurization", "diagnosis", "diagnosis_v3", "borderline"):
        values = [value for row in rows for value in row[name]]
        out[name] = float(np.mean(values)) if values else math.nan
    return out


def table(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> list[str]:
    """Lines of one table, grouped by `keys`, the whole last."""
    names = [name for name, _, _ in BOUNDS] + ["diagnosis_v3", "pressurization", "borderline"]
    head = f"{' / '.join(keys):58s} studies " + " ".join(f"{name[:11]:>11s}" for name in names)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[" / ".join(str(row[key]) for key in keys)].append(row)
    lines = [head]
    for label, members in [*groups.items(), ("all", list(rows))]:
        numbers = summary(members)
        cells = " ".join(f"{numbers[name]:11.3f}" for name in names)
        lines.append(f"{label:58s} {len(members):7d} {cells}")
    return lines


def failures(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Bounds that do not hold for a catheter at a noise level."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["setup"], row["noise"]].append(row)
    found = []
    for (setup, noise), members in groups.items():
        numbers = summary(members)
        for name, comparator, bound in BOUNDS:
            value = numbers[name]
            held = value >= bound if comparator == ">=" else value <= bound
            if not held and not math.isnan(value):
                found.append(
                    f"{setup}, noise {noise}: {name} {value:.3f}, wanted {comparator} {bound}"
                )
    return found


def confusions(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Type confusions, most frequent first."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        for known, seen in row["confusion"]:
            if known != seen:
                counts[row["phenotype"], known, seen] += 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [f"{n:5d}  {p}: {a} read as {b}" for (p, a, b), n in ordered[:15]]


def misnamed(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Wrong diagnoses, one line each."""
    return [
        f"{row['phenotype']} {row['seed']}, {row['setup']}, noise {row['noise']}: {version} {name}"
        for row in rows
        for version, name in row["misnamed"]
    ]


def report_borderline(rows: Sequence[dict[str, Any]], *, check: bool) -> int:
    """Print the borderline table and every study that is wrong or not flagged."""
    sys.stdout.write(
        "numbers: true ones within the margin; within: measured within it; flagged: of the numbers;\n"
        "any: studies with a flag; right: studies with the diagnosis as drawn; misled: conclusive,\n"
        "wrong and not flagged; silent: a number measured within the margin and not flagged\n"
    )
    sys.stdout.write("\n".join(borderline_table(rows)) + "\n")
    for row in rows:
        if not (row["right"] and all(row["flagged"])):
            seen = ", ".join("none" if value is None else f"{value:.2f}" for value in row["seen"])
            sys.stdout.write(
                f"{row['phenotype']} {row['seed']}, {row['setup']}, noise {row['noise']}: "
                f"{row['quantity']} {seen}, {sum(row['flagged'])} flagged, {row['diagnosis']}\n"
            )
    broken = silent(rows)
    sys.stdout.write(f"{len(broken)} studies with a borderline number that is not flagged\n")
    return 1 if check and broken else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.5, 3.0])
    parser.add_argument("--phenotypes", nargs="+", default=list(phantom.PHENOTYPES))
    parser.add_argument("--json", type=Path, help="keep the errors of every study")
    parser.add_argument("--check", action="store_true", help="exit 1 unless every bound holds")
    parser.add_argument(
        "--borderline", action="store_true", help="draw studies at the edge; count their flags"
    )
    options = parser.parse_args(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    work = [(name, seed, options.noise) for name in options.phenotypes for seed in seeds]
    with ProcessPoolExecutor(options.jobs) as pool:
        job = _borderline_study if options.borderline else _study
        rows = [row for part in pool.map(job, work) for row in part]
    if options.json:
        options.json.write_text(json.dumps(rows), encoding="utf-8")
    if options.borderline:
        return report_borderline(rows, check=options.check)
    for keys in (("setup", "noise"), ("phenotype",), ("phenotype", "setup", "noise")):
        sys.stdout.write("\n".join(table(rows, keys)) + "\n\n")
    sys.stdout.write("swallow types read otherwise:\n" + "\n".join(confusions(rows)) + "\n")
    sys.stdout.write("studies named otherwise:\n" + "\n".join(misnamed(rows)) + "\n")
    broken = failures(rows)
    sys.stdout.write("\n".join(broken or ["every bound holds on every catheter and noise"]) + "\n")
    return 1 if options.check and broken else 0


def _borderline_study(job: tuple[str, int, Sequence[float]]) -> list[dict[str, Any]]:
    return borderline_flags(*job)


def _study(job: tuple[str, int, Sequence[float]]) -> list[dict[str, Any]]:
    return study_errors(*job)


if __name__ == "__main__":
    sys.exit(main())
