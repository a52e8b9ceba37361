"""Print how well the engine finds the truth of synthetic studies.

Every phenotype is sampled by four catheters at two noise levels; the truth is
computed on the noise-free field by code that shares nothing with the engine. The
engine gets the recording and nothing else: no table of swallows, no posture.

    python benchmarks/phantom_table.py --seeds 20 --jobs 2 --check
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

MATCH_S = 2.0


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
            row.update(phenotype=phenotype, seed=seed, setup=setup.name, noise=noise)
            if not setup.one_cm:
                row["les"] = []
            rows.append(row)
    return rows


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
    for name in ("type", "pressurization"):
        values = [value for row in rows for value in row[name]]
        out[name] = float(np.mean(values)) if values else math.nan
    return out


def table(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> list[str]:
    """Lines of one table, grouped by `keys`, the whole last."""
    names = [name for name, _, _ in BOUNDS] + ["pressurization"]
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
    options = parser.parse_args(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    work = [(name, seed, options.noise) for name in options.phenotypes for seed in seeds]
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = [row for part in pool.map(_study, work) for row in part]
    if options.json:
        options.json.write_text(json.dumps(rows), encoding="utf-8")
    for keys in (("setup", "noise"), ("phenotype",), ("phenotype", "setup", "noise")):
        sys.stdout.write("\n".join(table(rows, keys)) + "\n\n")
    sys.stdout.write("swallow types read otherwise:\n" + "\n".join(confusions(rows)) + "\n")
    broken = failures(rows)
    sys.stdout.write("\n".join(broken or ["every bound holds on every catheter and noise"]) + "\n")
    return 1 if options.check and broken else 0


def _study(job: tuple[str, int, Sequence[float]]) -> list[dict[str, Any]]:
    return study_errors(*job)


if __name__ == "__main__":
    sys.exit(main())
