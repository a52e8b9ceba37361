"""Draw how often a diagnosis that is reported stable is right, on synthetic studies.

    python benchmarks/stability_calibration.py --seeds 6 --jobs 2 --out calibration

Every phenotype is sampled by one of four catheters in turn, as a plain study (all that decides keeps away
from its limit), as a borderline one (the deciding quantity within 5 % of its limit), and
with contractions that vary from swallow to swallow. Among the studies reported at least
0.95 stable, at least 0.95 must be right. Among the borderline ones those are on the edge whose known
diagnosis changes when what lies within 5 % of its limit is put on the other side; they
must be reported unstable. In the others a limit is near and nothing hangs on it. Writes a
PNG and a JSON.

    python benchmarks/stability_calibration.py --read-errors --first-seed 300 --seeds 5

measures instead how far the numbers of swallows are from the truth, which sizes the errors
of reading in the perturbation model. Use other seeds than for the calibration.
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
from hrm.catalog import find_limit
from hrm.errors import ParameterError
from hrm.phantom.verdict import diagnosis_of

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
#: What a swallow within `NEAR` of a limit is of before and after it has crossed it.
NEAR = 0.05
CROSSINGS = {
    "dci_failed": ("dci_mmhg_s_cm", "failed", "weak"),
    "dci_weak": ("dci_mmhg_s_cm", "weak", "normal"),
    "dci_hypercontractile": ("dci_mmhg_s_cm", "hypercontractile", "normal"),
    "dl_premature": ("distal_latency_s", "premature", "normal"),
    "break_fragmented": ("break_cm", "fragmented", "normal"),
}
#: A seed for which no such study is found is replaced by one this much farther.
_NEXT_SEED, _TRIES = 10_000, 5
#: Numbers of a swallow, and the true values from which to which their errors are taken.
READ = {
    "irp4s_mmhg": (-math.inf, math.inf),
    "distal_latency_s": (0.0, math.inf),
    "dci_mmhg_s_cm": (30.0, 450.0),
    "break_cm": (2.0, math.inf),
}
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


def drawn_study(phenotype: str, seed: int, kind: str) -> phantom.Phantom:
    """One synthetic study of a kind."""
    how: dict[str, Any] = (
        {"variability": 0.35} if kind == "varied" else {"borderline": kind == "borderline"}
    )
    for attempt in range(_TRIES - 1):
        try:
            return phantom.draw(phenotype, seed=seed + attempt * _NEXT_SEED, **how)
        except ParameterError:
            continue
    return phantom.draw(phenotype, seed=seed + (_TRIES - 1) * _NEXT_SEED, **how)


def on_the_edge(known: dict[str, Any], phenotype: str) -> bool:
    """Whether the known diagnosis changes when what is near its limit crosses it.

    Swallows cross one after the other, so that a share can pass its limit with any of them.
    """
    quantity, study = known["borderline_quantity"], known["study"]
    if quantity is None:
        return False
    here = diagnosis_of(study, phenotype)
    limit = find_limit(quantity, system="manoscan", position="supine", cc_version="4.0")
    if limit is None:
        limit = find_limit(quantity, system="manoscan", position="supine", cc_version="3.0")
    if limit is None:
        raise ParameterError(f"expected a limit for {quantity}, found none in the table")
    if quantity == "irp4s":
        median = study["irp4s_median_supine_mmhg"]
        # A limit holds at its value or beyond it: the other side is as far away again.
        moved = {**study, "irp4s_median_supine_mmhg": 2.0 * limit.value - median}
        return diagnosis_of(moved, phenotype) != here
    name, before, after = CROSSINGS[quantity]
    supine = [row for row in known["swallows"] if row["evaluable"] and row["posture"] == "supine"]
    near = sum(
        row["type"] == before and abs(row[name] / limit.value - 1.0) <= NEAR for row in supine
    )
    return any(
        diagnosis_of(
            {**study, "percent": _crossed(study["percent"], before, after, share)}, phenotype
        )
        != here
        for share in (100.0 * k / len(supine) for k in range(1, near + 1))
    )


def _crossed(percent: dict[str, float], before: str, after: str, share: float) -> dict[str, float]:
    """Percentages when a share of the swallows [%] is of another type."""
    out = dict(percent)
    out[before] -= share
    if after in out:
        out[after] += share
    out["ineffective"] = out["failed"] + out["weak"] + out["fragmented"]
    return out


def sampled(phenotype: str, seed: int, kind: str) -> tuple[phantom.Phantom, Any, str, float]:
    """One synthetic study, its recording, its setup, and the offset of its depths [cm]."""
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
    return made, recording, f"{catheter}, {rate:g} Hz", offset


def study_row(phenotype: str, seed: int, kind: str, draws: int) -> dict[str, Any]:
    """Stability of one phantom, and whether its diagnosis is right."""
    made, recording, setup, offset = sampled(phenotype, seed, kind)
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
    table = phantom.truth(made, offset_cm=offset)
    known = table["diagnosis"]
    return {
        "phenotype": made.phenotype,
        "seed": seed,
        "kind": kind,
        "on_the_edge": on_the_edge(table, made.phenotype),
        "setup": setup,
        "diagnosis": tree["diagnosis"],
        "truth": known,
        "right": tree["diagnosis"] == known,
        **tree["stability"],
    }


def error_rows(phenotype: str, seed: int, kind: str) -> list[dict[str, Any]]:
    """How far the numbers of the swallows of one phantom are from the truth."""
    made, recording, setup, offset = sampled(phenotype, seed, kind)
    found = hrm.analyze(recording, system="manoscan", swallows=phantom.swallow_table(made))
    pairs = zip(
        phantom.truth(made, offset_cm=offset)["swallows"],
        hrm.to_dict(found)["swallows"],
        strict=True,
    )
    return [
        {
            "spacing_cm": 2 if setup.startswith("CE4") else 1,
            "quantity": name,
            "error": b[name] - a[name],
        }
        for a, b in pairs
        for name, (low, high) in READ.items()
        if b["evaluable"] and None not in (a[name], b[name]) and low <= a[name] < high
    ]


def read_errors(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and root mean square of the errors, by quantity and spacing of the sensors."""
    out = []
    for name in READ:
        for spacing in (1, 2):
            own = [r["error"] for r in rows if (r["quantity"], r["spacing_cm"]) == (name, spacing)]
            if own:
                size = float(np.sqrt(np.mean(np.square(own))))
                seen = {"swallows": len(own), "mean": float(np.mean(own)), "rms": size}
                out.append({"quantity": name, "spacing_cm": spacing, **seen})
    return out


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
    sets = {kind: [row for row in known if row["kind"] == kind] for kind in KINDS}
    sets["on the edge"] = [row for row in known if row["on_the_edge"]]
    by_kind = {}
    for kind, own in sets.items():
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
            (row["mean"], low),
            xytext=(8, -3),
            textcoords="offset points",
            ha="right",
            va="top",
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
    edge = found["kinds"]["on the edge"]
    if not edge["studies"]:
        out.append("no study is on the edge")
    elif edge["stable"]:
        out.append(f"{edge['stable']} of {edge['studies']} studies on the edge are reported stable")
    return out


def main() -> int:
    """Run the studies, write both files, and say whether the calibration holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("stability-calibration"))
    parser.add_argument("--read-errors", action="store_true")
    given = parser.parse_args()
    cases = [
        (phenotype, seed, kind)
        for seed in range(given.first_seed, given.first_seed + given.seeds)
        for kind in KINDS
        for phenotype in phantom.PHENOTYPES
    ]
    if given.read_errors:
        with ProcessPoolExecutor(given.jobs) as pool:
            errors = [row for rows in pool.map(_errors, cases) for row in rows]
        print("\n".join(map(json.dumps, read_errors(errors))))
        return 0
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


def _errors(case: tuple[str, int, str]) -> list[dict[str, Any]]:
    return error_rows(*case)


if __name__ == "__main__":
    sys.exit(main())
