"""Time the text kernel against pandas, Polars and NumPy on 30 min of text.

    python benchmarks/bench_text.py [--json] [--minutes 30] [--runs 7]
    python -m pytest benchmarks/bench_text.py --benchmark-enable -s

All read the same bytes in memory. The contestants take turns in one process, so that a
busy machine is busy for all of them; the median of the runs counts, of wall time and of
the CPU time of all threads, which others on the machine disturb less. hrm's time is that of
counting the rows, making the arrays and filling them, (sensor, time) contiguous as a
study needs them, in up to four threads. Polars, which only this benchmark uses, runs with
its own number of threads, and in a second process with one (against hrm with one); without it (pip install polars) its lines are
left out. Every answer is checked against NumPy's.
"""

import argparse
import importlib.util
import io
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from hrm.io._compiled import read_rows
from hrm.kernels.text import count_rows, parse_rows

if importlib.util.find_spec("polars"):
    import polars as pl
else:
    pl = None

MINUTES, RUNS, N_SENSORS, N_SEGMENTS, N_MMS = 30, 7, 36, 18, 29
#: Whether cells that are not read must be empty: here they are, but nobody asks.
BLANK = False
ALONE = "hrm, 1 thread"
NO_POLARS = "Polars is not installed (pip install polars)"
#: What the kernel shall reach: its rivals' time over its own.
WANTED = {"pandas": 2.0, "pandas float32": 3.0, "Polars": 1.7}


def pressures(rows, n, seed):
    """Rest, slow drift, contractions and noise: as wide as real pressures, some negative."""
    rng = np.random.default_rng(seed)
    t, depth = np.arange(rows)[:, None] / rows, np.arange(n)
    rest = rng.uniform(-6, 30, n) + 4 * np.sin(40 * t + depth)
    waves = 90 * np.exp(-0.5 * (((1000 * t - depth) % 60 - 30) / 2) ** 2)
    return rest + waves + rng.normal(0, 3, (rows, n))


def manoview(minutes, segments=0):
    """Make rows of a ManoView export: time, 36 pressures, and an impedance block if any."""
    rows = int(minutes * 60 * 100)
    columns = [260.6 + np.arange(rows) / 100, *pressures(rows, N_SENSORS, 1).T]
    pattern = "\t".join(["%.2f"] * (1 + N_SENSORS))
    if segments:
        columns += list(np.random.default_rng(2).uniform(0.2, 12, (segments, rows)))
        pattern += "\t\t" + "\t".join(["%.2f"] * segments)
    return "".join(pattern % row + "\n" for row in zip(*columns, strict=True)).encode()


def mms(minutes):
    """Make rows of an MMS export: sample number, 22 pressures, seven idle channels."""
    rows = int(minutes * 60 * 20)
    values = np.zeros((rows, N_MMS + 1), int)
    values[:, 0] = 2442 + np.arange(rows)
    values[:, 1:23] = np.rint(pressures(rows, 22, 3))
    return "".join(", ".join(map(str, row)) + "\r\n" for row in values.tolist()).encode()


class Case:
    """One file: its bytes, how it is laid out, and the cells that are read."""

    def __init__(self, name, data, separator, n_cells, empty=()):
        self.name, self.data, self.separator, self.n_cells = name, data, separator, n_cells
        self.columns = np.array([c for c in range(n_cells) if c not in empty])
        self.selection = self.columns.tolist() if empty else None


def cases(minutes):
    block = 1 + N_SENSORS + 1 + N_SEGMENTS
    yield Case("ManoView", manoview(minutes), "\t", 1 + N_SENSORS)
    yield Case("ManoView, impedance", manoview(minutes, N_SEGMENTS), "\t", block, {1 + N_SENSORS})
    yield Case("MMS", mms(minutes), ",", 1 + N_MMS)


def with_hrm(case, threads=None):
    data = np.frombuffer(case.data, np.uint8)
    separator, n_cells = ord(case.separator), case.n_cells
    seen = read_rows(data, separator, case.columns, n_cells, blank=BLANK, threads=threads)
    if seen is None:
        raise SystemExit(f"{case.name}: the kernel stopped")
    return seen


def with_hrm_alone(case):
    return with_hrm(case, threads=1)


def with_hrm_rows(case):
    """Fill (row, column) arrays and transpose them: the other way to get at a study's."""
    data = np.frombuffer(case.data, np.uint8)
    first, others = np.empty(count_rows(data)), None
    others = np.empty((first.size, case.columns.size - 1), np.float32)
    parse_rows(data, ord(case.separator), case.columns, case.n_cells, BLANK, first, others)
    return first, np.ascontiguousarray(others.T)


def with_pandas(case, **options):
    return pd.read_csv(
        io.BytesIO(case.data),
        sep=case.separator,
        header=None,
        usecols=case.selection,
        **options,
    )


def with_pandas_32(case):
    # As one would call it: the time column, too, is float32 then, and no longer exact.
    return with_pandas(case, dtype=np.float32)


def with_polars(case, schema=None):
    return pl.read_csv(
        case.data,
        separator=case.separator,
        has_header=False,
        columns=case.selection,
        schema_overrides=schema,
    )


def with_polars_32(case):
    names = [f"column_{c + 1}" for c in case.columns]
    types = dict.fromkeys(names, pl.Float32) | {names[0]: pl.Float64}
    return with_polars(case, types)


def with_numpy(case):
    lines = case.data.decode().splitlines()
    return np.loadtxt(lines, delimiter=case.separator, usecols=case.columns, comments=None)


CONTESTANTS = {
    "hrm": with_hrm,
    ALONE: with_hrm_alone,
    "hrm, transposed after": with_hrm_rows,
    "pandas": with_pandas,
    "pandas float32": with_pandas_32,
    "Polars": with_polars,
    "Polars float32": with_polars_32,
}


def same(case, seen):
    """Whether a contestant's first column and float32 values are exactly NumPy's."""
    known = with_numpy(case)
    first, others = known[:, 0], known[:, 1:].T.astype(np.float32)
    if not isinstance(seen, tuple):
        table = seen.to_numpy()
        if table.dtype == np.float32:
            first = first.astype(np.float32)
        seen = table[:, 0], table[:, 1:].T.astype(np.float32)
    return np.array_equal(seen[0], first) and np.array_equal(seen[1], others)


def contest(case, names, runs):
    """Medians [s] of contestants that take turns, wall and CPU; who cannot read the file."""
    spent, unable = {name: [] for name in names}, {}
    for turn in range(runs + 1):
        for name in names:
            start = time.perf_counter(), time.process_time()
            seen = CONTESTANTS[name](case)
            took = time.perf_counter() - start[0], time.process_time() - start[1]
            if turn:  # the first turn warms up: compiling, memory, threads
                spent[name].append(took)
            elif pl is not None and isinstance(seen, pl.DataFrame) and pl.String in seen.dtypes:
                unable[name] = "gives text, no numbers: blanks after the separator"
    able = {name: zip(*times, strict=True) for name, times in spent.items() if name not in unable}
    medians = {name: [statistics.median(kind) for kind in kinds] for name, kinds in able.items()}
    return *({name: took[kind] for name, took in medians.items()} for kind in (0, 1)), unable


def check(case, names):
    """Seconds that NumPy takes; stops if a contestant's answer is not NumPy's."""
    start = time.perf_counter()
    with_numpy(case)
    took = time.perf_counter() - start
    small = Case(case.name, b"".join(case.data.splitlines(keepends=True)[:5000]), case.separator, 0)
    small.n_cells, small.columns = case.n_cells, case.columns
    small.selection = case.selection
    wrong = [name for name in names if not same(small, CONTESTANTS[name](small))]
    if wrong:
        raise SystemExit(f"{case.name}: not the numbers that NumPy reads: {wrong}")
    return took


def measure(case, runs):
    """Times [s], ratios to hrm's time in the same run, and who was left out and why."""
    names = [name for name in CONTESTANTS if pl is not None or "Polars" not in name]
    medians, cpu, left_out = contest(case, names, runs)
    ratios = {name: took / medians["hrm"] for name, took in medians.items()}
    medians["numpy.loadtxt (once)"] = check(case, medians)
    ratios["numpy.loadtxt (once)"] = medians["numpy.loadtxt (once)"] / medians["hrm"]
    if pl is None:
        left_out["Polars"] = NO_POLARS
    cells = case.columns.size * count_rows(np.frombuffer(case.data, np.uint8))
    return {
        "file": case.name,
        "bytes": len(case.data),
        "cells": cells,
        "polars_threads": pl.thread_pool_size() if pl else None,
        "seconds": medians,
        "ratios": ratios,
        "cpu_seconds": cpu,
        "cpu_ratios": {name: took / cpu["hrm"] for name, took in cpu.items()},
        "left_out": left_out,
    }


def one_thread(case, runs):
    """Measure Polars with one thread, beside hrm, in the process that was started for it."""
    names = [ALONE, "Polars", "Polars float32"]
    medians, _, _ = contest(case, names, runs)
    return {name: took / medians[ALONE] for name, took in medians.items() if name != ALONE}


def in_one_thread(options):
    """Ratios of every case with Polars held to one thread, which a process chooses once."""
    command = [sys.executable, __file__, "--one-thread", "--json"]
    command += ["--minutes", str(options.minutes), "--runs", str(options.runs)]
    done = subprocess.run(
        command,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def table(result):
    """Lines to read: a contestant, its time, how many times hrm's that is, and in CPU time."""
    speed = result["bytes"] / result["seconds"]["hrm"] / 1e6
    lines = [f"\n{result['file']}: {result['bytes'] / 1e6:.1f} MB, {result['cells']} cells"]
    lines[0] += f", hrm reads {speed:.0f} MB/s"
    for name, took in result["seconds"].items():
        lines.append(f"  {name:24} {took * 1e3:9.1f} ms {result['ratios'][name]:7.2f} x")
        lines[-1] += (
            f"  CPU {result['cpu_ratios'][name]:5.2f} x" if name in result["cpu_ratios"] else ""
        )
        wanted = WANTED.get(name.replace(" float32", "") if "Polars" in name else name)
        if wanted:
            reached = "reached" if result["ratios"][name] >= wanted else "NOT reached"
            lines[-1] += f"   {wanted} wanted: {reached}"
    for name, ratio in result.get("one_thread", {}).items():
        lines.append(f"  {name + ', 1 thread':24} {'':12} {ratio:7.2f} x")
    lines += [f"  {name:24} left out: {why}" for name, why in result["left_out"].items()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--one-thread", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_thread:
        ratios = {c.name: one_thread(c, options.runs) for c in cases(options.minutes)}
        sys.stdout.write(json.dumps(ratios))
        return
    alone = in_one_thread(options) if pl else {}
    results = []
    for case in cases(options.minutes):
        results.append(measure(case, options.runs) | {"one_thread": alone.get(case.name, {})})
        if not options.json:
            print(table(results[-1]), flush=True)
    if options.json:
        print(json.dumps(results, indent=1))


@pytest.mark.parametrize("case", list(cases(0.5)), ids=lambda case: case.name)
def test_text(benchmark, case):
    seen = benchmark(with_hrm, case)
    assert same(case, seen)
    assert same(case, with_hrm_rows(case))
    ratio = contest(case, ["hrm", "pandas"], 3)[0]
    benchmark.extra_info["ratio"] = ratio["pandas"] / ratio["hrm"]
    print(f"\n{benchmark.extra_info['ratio']:6.1f} x as fast as pandas")


if __name__ == "__main__":
    main()
