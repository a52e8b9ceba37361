"""Fuzz one reader and write down what came of it.

`python fuzz/run.py --reader mms --parse 200000 --open 5000`; see fuzz/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from fuzz._harness import HANG_S, RSS_MB, SEEDS, SLOW_S, WORK  # noqa: E402

READERS = (
    *("native", "source", "table", "layout", "edf", "mms", "manoview_headed", "manoview_headless"),
    *("sniff", "windows", "swallow_table", "offset_table", "convert"),
)
#: These have no way past xarray: all their executions are of `open`.
ONLY_OPEN = ("windows", "convert")
TOTALS = ROOT / "fuzz" / "totals.json"
TABLE = ROOT / "fuzz" / "TOTALS.md"
#: A fault that ends a process begins another, up to this many.
MOST_PARTS = 100
_ENDED = ("libFuzzer: timeout", "libFuzzer: out-of-memory", "libFuzzer: deadly signal")


def main() -> None:
    """Run what was asked for, a reader and a mode at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", choices=[*READERS, "all"], default="all")
    parser.add_argument("--parse", type=int, default=200_000, help="executions of parse")
    parser.add_argument("--open", type=int, default=5_000, help="executions of open_recording")
    parser.add_argument(
        "--keep", action="store_true", help="go on from the runs at hand, up to the totals given"
    )
    said = parser.parse_args()
    for name in READERS if said.reader == "all" else (said.reader,):
        if not said.keep:
            shutil.rmtree(WORK / name, ignore_errors=True)
        for mode, wanted in (("parse", said.parse), ("open", said.open)):
            if wanted and (mode == "open" or name not in ONLY_OPEN):
                note(name, mode, fuzz(name, mode, wanted))


def fuzz(name: str, mode: str, wanted: int) -> dict[str, Any]:
    """Run a target until the executions are done; a fault that ends the process begins another."""
    corpus = WORK / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = seeds_of(name)
    total = _nothing()
    parts = sorted((WORK / name).glob(f"{mode}-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in parts:
        _add(total, folder)
    for number in range(len(parts), MOST_PARTS):
        left = wanted - total["executions"]
        if left <= 0:
            break
        folder = WORK / name / f"{mode}-{number}"
        folder.mkdir(parents=True)
        begun = time.monotonic()
        _run(name, mode, left, folder, corpus, seeds)
        (folder / "seconds").write_text(f"{time.monotonic() - begun:.0f}")
        _add(total, folder)
    return total


def seeds_of(name: str) -> Path:
    """Folder of the seeds of a target."""
    if name != "native":
        return SEEDS / name
    folder = WORK / "native" / "seeds"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = f"from fuzz import seeds; from pathlib import Path; seeds.write('native', Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, cwd=ROOT)
    return folder


def _run(name: str, mode: str, runs: int, folder: Path, corpus: Path, seeds: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"}
    with (folder / "log").open("wb") as log:
        subprocess.run(
            [
                *(sys.executable, "-m", "fuzz._harness", name, mode, str(runs), str(folder)),
                *(str(corpus), str(seeds)),
            ],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )


def _nothing() -> dict[str, Any]:
    counts = (
        "executions",
        "read",
        "refused",
        "edges",
        "corpus",
        "slowest_s",
        "slowest_bytes",
        "rss_mb",
        "seconds",
    )
    return {**dict.fromkeys(counts, 0), "findings": {}, "processes": 0}


def _add(total: dict[str, Any], folder: Path) -> None:
    """Add what one process did; it may have ended at any moment."""
    log = (folder / "log").read_text(encoding="utf-8", errors="replace")
    tally: dict[str, Any] = {"findings": {}}
    with contextlib.suppress(FileNotFoundError):
        tally = json.loads((folder / "tally.json").read_text())
    for key in ("executions", "read", "refused"):
        total[key] += tally.get(key, 0)
    for key in ("slowest_s", "slowest_bytes"):
        if tally.get("slowest_s", 0) >= total["slowest_s"]:
            total[key] = tally.get(key, 0)
    for kind, count in tally["findings"].items():
        total["findings"][kind] = total["findings"].get(kind, 0) + count
    for kind in _ENDED:
        if kind in log:
            total["findings"][kind] = total["findings"].get(kind, 0) + 1
    status = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)/.*?rss: (\d+)Mb", log)
    if status:
        edges, corpus, _ = (int(text) for text in status[-1])
        total["edges"], total["corpus"] = max(total["edges"], edges), corpus
        total["rss_mb"] = max(total["rss_mb"], *(int(row[2]) for row in status))
    total["processes"] += 1
    with contextlib.suppress(FileNotFoundError):
        total["seconds"] += int((folder / "seconds").read_text())


def note(name: str, mode: str, total: dict[str, Any]) -> None:
    """Put the totals of a run into the record, and print them."""
    record = json.loads(TOTALS.read_text()) if TOTALS.exists() else {}
    record.setdefault(name, {})[mode] = {**total, **_circumstances()}
    TOTALS.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    TABLE.write_text(_table(record), encoding="utf-8")
    print(f"{name} {mode}: {json.dumps(total)}", flush=True)


def _circumstances() -> dict[str, str]:
    packages = ("atheris", "numpy", "xarray", "h5py", "edfio")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "commit": commit,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


_COLUMNS = (
    *("reader", "mode", "executions", "read", "refused", "edges", "findings", "slowest input"),
    *("memory", "time", "date", "commit"),
)


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _table(record: dict[str, Any]) -> str:
    rows = [
        _row(
            [
                *(name, mode, run["executions"], run["read"], run["refused"], run["edges"]),
                *(
                    sum(run["findings"].values()),
                    f"{run['slowest_s']} s ({run['slowest_bytes']} B)",
                ),
                *(f"{run['rss_mb']} MB", f"{run['seconds']} s", run["date"], run["commit"]),
            ]
        )
        for name, modes in record.items()
        for mode, run in modes.items()
    ]
    found = [
        f"- {name} {mode}: {kind} ({count} inputs)"
        for name, modes in record.items()
        for mode, run in modes.items()
        for kind, count in run["findings"].items()
    ]
    return "\n".join(
        [
            "# Documented runs",
            "",
            "Written by `fuzz/run.py`; versions of what was used are in `totals.json`.",
            f"Limits: {SLOW_S:g} s of processor time, {HANG_S} s by the clock, {RSS_MB} MB.",
            "",
            _row(_COLUMNS),
            _row(["---"] * len(_COLUMNS)),
            *rows,
            "",
            "## Findings of these runs",
            "",
            *(found or ["None."]),
            "",
        ]
    )


if __name__ == "__main__":
    main()
