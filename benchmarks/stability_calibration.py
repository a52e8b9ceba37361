"""Draw how often a diagnosis that is reported stable is right, on synthetic studies.

    python benchmarks/stability_calibration.py --seeds 6 --jobs 2 --out calibration

Every phenotype is sampled by one of four catheters in turn, as a plain study (all that decides keeps away
from its limit), as a borderline one (the deciding quantity within 5 % of its limit), and
with contractions that vary from swallow to swallow. Among the studies reported at least
0.95 stable, at least 0.95 must be right; the borderline ones must be reported unstable:
most of them below 0.95. Writes a PNG and a JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import hrm
from hrm import phantom
from hrm._files import new_file

CLINICAL = {"symptoms": ["dysphagia"]}
#: Catheter, sampling rate [Hz], and whether it gives whole mmHg.
SETUPS: tuple[tuple[str, float, bool], ...] = (
    ("manoscan-36", 50.0, False),
    ("manoscan-36", 20.0, True),
    ("diversatek-32", 50.0, False),
    ("CE4-0062", 20.0, True),
)
KINDS = ("plain", "varied", "borderline")
STABLE, WANTED = 0.95, 0.95
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


def drawn_study(phenotype: str, seed: int, kind: str) -> phantom.Phantom:
    """One synthetic study of a kind."""
    if kind == "varied":
        return phantom.draw(phenotype, seed=seed, variability=0.35)
    return phantom.draw(phenotype, seed=seed, borderline=kind == "borderline")


def study_row(phenotype: str, seed: int, kind: str, draws: int) -> dict[str, Any]:
    """Stability of one phantom, and whether its diagnosis is right."""
    made = drawn_study(phenotype, seed, kind)
    # The catheters take turns: another phantom says more than another catheter in the same.
    turn = seed + list(phantom.PHENOTYPES).index(phenotype) + KINDS.index(kind)
    catheter, rate, integer = SETUPS[turn % len(SETUPS)]
    offset = phantom.default_offset(made, catheter)
    recording = phantom.sample(
        made,
        catheter=catheter,
        sampling_rate=rate,
        integer=integer,
        offset_cm=offset,
        noise_mmhg=1.0,
        seed=seed,
    )
    study = hrm.diagnosis_stability(
        recording,
        draws=draws,
        seed=seed,
        system="manoscan",
        swallows=phantom.swallow_table(made),
        clinical=CLINICAL,
    )
    # Fragmented peristalsis is a diagnosis of version 3.0 only.
    version = "ccv3" if made.phenotype == "fragmented_peristalsis" else "ccv4"
    tree = hrm.to_dict(study)["classification"][version]
    known = phantom.truth(made, offset_cm=offset)["diagnosis"]
    return {
        "phenotype": made.phenotype,
        "seed": seed,
        "kind": kind,
        "setup": f"{catheter}, {rate:g} Hz",
        "diagnosis": tree["diagnosis"],
        "truth": known,
        "right": tree["diagnosis"] == known,
        **tree["stability"],
    }


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share by Wilson's formula."""
    if not count:
        return 0.0, 1.0
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    half /= 1 + z * z / count
    return max(0.0, middle - half), min(1.0, middle + half)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts of the studies by how stable they are reported."""
    known = [row for row in rows if row["agreement"] is not None]
    stable = [row for row in known if row["agreement"] >= STABLE]
    hits = sum(row["right"] for row in stable)
    low, high = wilson(hits, len(stable))
    by_kind = {}
    for kind in KINDS:
        own = [row for row in known if row["kind"] == kind]
        by_kind[kind] = {
            "studies": len(own),
            "stable": sum(row["agreement"] >= STABLE for row in own),
            "right": sum(row["right"] for row in own),
            "stable_and_right": sum(row["agreement"] >= STABLE and row["right"] for row in own),
            "median_agreement": float(np.median([row["agreement"] for row in own]))
            if own
            else None,
        }
    return {
        "studies": len(rows),
        "without_agreement": len(rows) - len(known),
        "stable": len(stable),
        "stable_and_right": hits,
        "share_right_of_stable": hits / len(stable) if stable else None,
        "interval": [low, high],
        "kinds": by_kind,
        "bins": bins(known),
    }


def bins(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Share that is right, by reported agreement."""
    out = []
    for low, high in pairwise(EDGES):
        last = high == EDGES[-1]
        own = [r for r in rows if low <= r["agreement"] < high or (last and r["agreement"] == high)]
        if own:
            hits = sum(row["right"] for row in own)
            mean = float(np.mean([row["agreement"] for row in own]))
            span = list(wilson(hits, len(own)))
            out.append({"mean": mean, "studies": len(own), "right": hits, "interval": span})
    return out


def picture(rows: Sequence[dict[str, Any]], found: dict[str, Any], path: Path) -> None:
    """Calibration above, and how the kinds of studies are reported below."""
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, figsize=(6.4, 7.2), height_ratios=(3, 2), sharex=True, layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="0.7", lw=1, label="share right = share that agrees")
    above.axvspan(STABLE, 1.0, color="0.9", label=f"reported stable (at least {STABLE:g})")
    above.axhline(WANTED, color="tab:red", lw=1, ls="--", label=f"wanted: {WANTED:g} right")
    for row in found["bins"]:
        share, (low, high) = row["right"] / row["studies"], row["interval"]
        above.errorbar(
            row["mean"],
            share,
            [[share - low], [high - share]],
            fmt="o",
            color="tab:blue",
            capsize=3,
        )
        above.annotate(
            f"{row['right']}/{row['studies']}",
            (row["mean"], share),
            xytext=(-6, -10),
            textcoords="offset points",
            ha="right",
            fontsize=8,
        )
    above.set(ylabel="share of diagnoses that are right", ylim=(0, 1.04), xlim=(0.0, 1.01))
    above.legend(loc="lower left", fontsize=8, frameon=False)
    colors = ("tab:green", "tab:olive", "tab:orange")
    values = [
        [r["agreement"] for r in rows if r["kind"] == kind and r["agreement"] is not None]
        for kind in KINDS
    ]
    below.hist(values, bins=np.linspace(0, 1, 21), stacked=True, color=colors, label=KINDS)
    below.axvline(STABLE, color="0.5", lw=1)
    below.set(xlabel="share of the draws that keep the diagnosis", ylabel="studies")
    below.legend(title="synthetic studies", fontsize=8, frameon=False, loc="upper left")
    with new_file(path, overwrite=True) as place:
        figure.savefig(place, dpi=130, format="png")
    plt.close(figure)


def failures(found: dict[str, Any]) -> list[str]:
    """What of the calibration does not hold."""
    out = []
    share = found["share_right_of_stable"]
    if share is None or share < WANTED:
        out.append(f"of the studies reported stable {share} are right, wanted {WANTED}")
    edge = found["kinds"]["borderline"]
    if edge["median_agreement"] is None or edge["median_agreement"] >= STABLE:
        out.append("the borderline studies are not reported unstable")
    if edge["stable"] > edge["studies"] / 2:
        out.append(f"{edge['stable']} of {edge['studies']} borderline studies are reported stable")
    return out


def main() -> int:
    """Run the studies, write both files, and say whether the calibration holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("stability-calibration"))
    given = parser.parse_args()
    cases = [
        (phenotype, seed, kind)
        for seed in range(given.first_seed, given.first_seed + given.seeds)
        for kind in KINDS
        for phenotype in phantom.PHENOTYPES
    ]
    run = partial(_case, draws=given.draws)
    with ProcessPoolExecutor(given.jobs) as pool:
        rows = list(pool.map(run, cases))
    found = summary(rows)
    picture(rows, found, given.out.with_suffix(".png"))
    with new_file(given.out.with_suffix(".json"), overwrite=True) as place:
        text = json.dumps({"summary": found, "studies": rows}, indent=1, allow_nan=False)
        place.write_text(text + "\n", encoding="utf-8")
    print(json.dumps({**found, "bins": len(found["bins"])}, indent=1))
    broken = failures(found)
    print("\n".join(broken) or "the calibration holds")
    return 1 if broken else 0


def _case(case: tuple[str, int, str], draws: int) -> dict[str, Any]:
    return study_row(*case, draws)


if __name__ == "__main__":
    sys.exit(main())
