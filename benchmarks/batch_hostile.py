"""Good and hostile recordings of both vendors through one batch; print what came of each kind.

Usage: ``python benchmarks/batch_hostile.py [FILES [OUT]]``. FILES (default 500) recordings,
half MMS and half ManoView, of which every second is spoilt in one of the ways of `SPOILT`.
OUT is where ledger and ``report.html`` go (default: a temporary folder). Ends with 1 if a
good file has no result, a fault of hrm shows, a worker is lost, or a planted name is told.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hrm.batch import Input, Options, Settings, SettingsFile, run_batch
from hrm.batch.report import batch_report
from hrm.phantom import PHENOTYPES, draw, sample, write_manoview, write_mms_csv
from hrm.store import Ledger
from hrm.store.tables import input_table, long_table, study_table

PLANT = b"DOE_JANE_1961"
Spoil = Callable[[bytes, np.random.Generator], bytes]


def _lines(change: Callable[[list[bytes], int], None]) -> Spoil:
    """Spoil one line of the second half."""

    def spoil(data: bytes, rng: np.random.Generator) -> bytes:
        lines = data.split(b"\n")
        change(lines, int(rng.integers(len(lines) // 2, len(lines) - 2)))
        return b"\n".join(lines)

    return spoil


def _flipped(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for at in rng.integers(0, len(out), 20):
        out[at] ^= 1 << int(rng.integers(0, 8))
    return bytes(out)


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(1, len(data)))]


def _nulls(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(data)))
    return data[:at] + bytes(64) + data[at:]


#: Ways to spoil a recording; the planted name goes into some of them.
SPOILT: dict[str, Spoil] = {
    "cut anywhere": _cut,
    "bits flipped": _flipped,
    "bytes of 0": _nulls,
    "line removed": _lines(lambda lines, at: lines.pop(at)),
    "line twice": _lines(lambda lines, at: lines.insert(at, lines[at])),
    "name between rows": _lines(lambda lines, at: lines.insert(at, PLANT)),
    "row of too many cells": _lines(lambda lines, at: lines.__setitem__(at, lines[at] * 2)),
    "number beyond all": _lines(
        lambda lines, at: lines.__setitem__(at, lines[at].replace(b"1", b"1e308", 1))
    ),
    "first line lost": lambda data, _: data.partition(b"\n")[2],
    "header only": lambda data, _: b"\n".join(data.split(b"\n")[:3]),
    "empty": lambda *_: b"",
    "a letter": lambda *_: b"Dear " + PLANT + b",\nplease find enclosed\n" * 20,
    "a picture": lambda *_: b"\xff\xd8\xff\xe0" + bytes(2000),
    "line ends mixed": lambda data, _: data.replace(b"\n", b"\r\n", 900),
    "byte order mark": lambda data, _: b"\xef\xbb\xbf" + data,
}


def recordings(folder: Path, n: int) -> Iterator[tuple[str, str, Path]]:
    """Write the files: vendor, kind and path of each; their names hold the planted one."""
    rng, kinds = np.random.default_rng(0), list(SPOILT)
    names = sorted(PHENOTYPES)
    for k in range(n):
        vendor = ("mms", "manoview")[k // 2 % 2]
        made = draw(names[k % len(names)], seed=k, n_supine=2, n_upright=1)
        path = folder / f"{PLANT.decode()}_{k:04d}{'.csv' if vendor == 'mms' else '.txt'}"
        if vendor == "mms":
            write_mms_csv(sample(made, catheter="CE4-0062", sampling_rate=20.0), path)
        else:
            write_manoview(sample(made, sampling_rate=20.0), path)
        kind = kinds[k // 4 % len(kinds)] if k % 2 else "good"
        if kind != "good":
            path.write_bytes(SPOILT[kind](path.read_bytes(), rng))
        yield vendor, kind, path


def _table(ledger: Ledger, made: dict[str, tuple[str, str]]) -> list[str]:
    """Print how many of each kind came to what, and give what must not be."""
    inputs, wrong = input_table(ledger), []
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row in inputs.to_dict("records"):
        vendor, kind = made[str(row["path"])]
        came = "measured" if row["status"] == "ok" else str(row["cause"])
        counts.setdefault((kind, vendor), Counter())[came] += 1
        if (kind == "good" and came != "measured") or came in ("fault", "killed", "timeout"):
            wrong.append(f"{vendor}, {kind}: {came}: {row['message']}")
    for (kind, vendor), found in sorted(counts.items()):
        said = ", ".join(f"{count} {came}" for came, count in found.most_common())
        print(f"{kind:<24}{vendor:<10}{said}")
    return wrong


def main() -> int:
    """Write the files, run the batch, print the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        out = Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "out"
        (folder / "in").mkdir()
        made = {str(path): (vendor, kind) for vendor, kind, path in recordings(folder / "in", n)}
        rules = SettingsFile(files=(("*.csv", Settings(catheter="CE4-0062")),))
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        began = time.perf_counter()
        summary = run_batch(
            out,
            [Input(path) for path in made],
            options=Settings(system="manoscan", posture="supine"),
            settings=rules,
            how=Options(timeout_s=120.0),
        )
        seconds = time.perf_counter() - began
        with Ledger(out) as ledger:
            wrong = _table(ledger, made)
            page = batch_report(ledger)
            (out / "report.html").write_text(page, encoding="utf-8")
            told = page + study_table(ledger).to_csv() + long_table(ledger).to_csv()
        if PLANT.decode() in told.upper():
            wrong.append("the planted name is in the report or an export")
        print(f"{summary.ok} measured, {summary.failed} failed in {seconds:.0f} s")
        print("\n".join(wrong) or "no fault of hrm, no worker lost, every good file measured")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
