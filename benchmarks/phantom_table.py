"""Print how well the engine finds the truth of synthetic studies.

Every phenotype is sampled by four catheters under every condition: white noise,
contractions that vary, drift, a dead sensor, a hernia, provocation tests, impedance.
The truth is computed on the noise-free field by code that shares nothing with the
engine. For all columns but the diagnoses the engine gets the recording and nothing else:
no table of swallows, no posture. For `diagnosis` and `diagnosis_v3`, for the provocation
tests and for the bolus it also gets posture and protocol of each swallow and the
symptom dysphagia, which a recording cannot say. `diagnosis` is that of version 4.0;
fragmented peristalsis is named by version 3.0, and version 4.0 must call it
ineffective motility. `borderline` is the share of studies that bear a flag although
their deciding numbers keep away from every limit.

    python benchmarks/phantom_table.py --seeds 5 --jobs 2 --json errors.json

Every bound that does not hold is named, by condition, by catheter and by phenotype, and
the status is 1; `--level` says how fine to look. With `--borderline` the deciding
quantity of each study lies within 5 % of its limit, and the table says how many of these
studies are flagged so.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from phantom_borderline import borderline_flags, report_borderline
from phantom_comparators import comparator_lines
from phantom_conditions import CONDITIONS, EVERY, UNUSUAL, Condition, Setup, groups
from phantom_report import (
    LEVELS,
    confusions,
    failure_lines,
    failures,
    grouped,
    lost,
    markdown,
    misnamed,
    more_table,
    summary,
    table,
)
from phantom_study import Row, in_turn, study_errors

import hrm
from hrm import phantom

SETS = {
    "ordinary": ("noise 0", "noise 0.5", "noise 3"),
    "extended": tuple(CONDITIONS),
    "unusual": tuple(UNUSUAL),
}
Job = tuple[str, int, Sequence[Condition], Sequence[Setup]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table."""
    options = _options(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    rows: list[Row] = []
    for path in options.join or ():
        rows += json.loads(path.read_text(encoding="utf-8"))["studies"]
    names = [] if options.join else options.conditions
    jobs = [
        (name, seed, group, setups_of(name, seed, group, rotate=options.rotate))
        for seed in seeds
        for group in groups(names)
        for name in options.phenotypes
    ]
    rows += run(_borderline if options.borderline else _study, jobs, options.jobs)
    if options.borderline:
        return report_borderline(rows)
    broken = {level: failures(rows, level) for level in LEVELS}
    if options.json:
        _write(options.json, rows, broken)
    report(rows)
    if options.markdown:
        sys.stdout.write("\n".join(markdown(rows, LEVELS["condition"])) + "\n\n")
        sys.stdout.write("\n".join(markdown(rows, LEVELS["catheter"])) + "\n\n")
    return verdict(broken, options.level)


def setups_of(
    phenotype: str, seed: int, group: Sequence[Condition], *, rotate: bool
) -> Sequence[Setup]:
    """Catheters that read a phantom: all, or each in its turn."""
    own = group[0].setups
    return in_turn(phenotype, seed, own) if rotate else own


def run(job: Callable[[Job], list[Row]], jobs: Sequence[Job], processes: int) -> list[Row]:
    """Do all jobs and put their rows into one list, in order."""
    if processes == 1:
        return [row for item in jobs for row in job(item)]
    with ProcessPoolExecutor(processes) as pool:
        return [row for part in pool.map(job, jobs) for row in part]


def report(rows: Sequence[Row]) -> None:
    """Print every table."""
    for keys in (*LEVELS.values(), ("condition", "phenotype")):
        sys.stdout.write("\n".join(table(rows, keys)) + "\n\n")
    parts = {
        "provocation and bolus": more_table(rows),
        "numbers that were not given": lost(rows),
        "swallow types read otherwise": confusions(rows),
        "studies named otherwise": misnamed(rows),
    }
    for head, lines in parts.items():
        sys.stdout.write("\n  ".join([f"{head}:", *(lines or ["none"])]) + "\n\n")
    numbers = {name: summary(part) for name, part in grouped(rows, ("condition",)).items()}
    sys.stdout.write("\n".join(comparator_lines(numbers)) + "\n\n")


def verdict(broken: dict[str, list[dict[str, Any]]], finest: str) -> int:
    """Print the bounds that do not hold down to a level, and say whether all of them do."""
    looked = list(LEVELS)[: list(LEVELS).index(finest) + 1]
    for level in looked:
        lines = failure_lines(broken[level]) or ["every bound holds"]
        sys.stdout.write("\n  ".join([f"bounds by {level}:", *lines]) + "\n")
    return 1 if any(broken[level] for level in looked) else 0


def _write(path: Path, rows: list[Row], broken: dict[str, list[dict[str, Any]]]) -> None:
    """Keep the errors of every study; an infinite error is written as null."""
    kept = {
        "version": hrm.__version__,
        "commit": _commit(),
        "failures": broken,
        "studies": rows,
    }
    path.write_text(json.dumps(_finite(kept), allow_nan=False), encoding="utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _commit() -> str:
    """Commit of the tree, or nothing outside of one."""
    told = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        *("--conditions",),
        nargs="+",
        choices=[*EVERY, *SETS],
        metavar="NAME",
        help=f"some of: {'; '.join(EVERY)}; or of the sets {', '.join(SETS)}; by default extended",
    )
    parser.add_argument("--phenotypes", nargs="+", default=list(phantom.PHENOTYPES))
    parser.add_argument(
        "--rotate", action="store_true", help="one catheter for each phantom, in turn, not all"
    )
    parser.add_argument("--json", type=Path, help="keep the errors of every study")
    parser.add_argument("--join", type=Path, nargs="+", help="run nothing; report these files")
    parser.add_argument("--markdown", action="store_true", help="print the table for a page too")
    parser.add_argument("--level", choices=list(LEVELS), default="phenotype")
    parser.add_argument(
        "--borderline", action="store_true", help="draw studies at the edge; count their flags"
    )
    options = parser.parse_args(arguments)
    wanted = options.conditions or (["noise 0.5", "noise 3"] if options.borderline else CONDITIONS)
    options.conditions = list(
        dict.fromkeys(name for word in wanted for name in SETS.get(word, (word,)))
    )
    return options


def _borderline(job: Job) -> list[Row]:
    return borderline_flags(*job)


def _study(job: Job) -> list[Row]:
    return study_errors(*job)


if __name__ == "__main__":
    sys.exit(main())
