"""Clocks that a shared machine disturbs little: in turns, medians, processor time."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple


class Spent(NamedTuple):
    """Time of one run [s]; of a process also its peak memory [MB]."""

    wall: float
    cpu: float
    peak: float = float("nan")


def call(function):
    """Run a function once; processor time is that of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def process(arguments, env=None, *, memory=False):
    """Run Python with some arguments in a new process, by the kernel's own account."""
    start = time.perf_counter()
    done = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "MPLBACKEND": "Agg", **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # The account of memory begins with what this process had when it forked: it is read while
    # the other one runs, and only where it is asked for, because looking takes time.
    peak = _greatest_memory(done.pid) if memory else float("nan")
    _, status, used = os.wait4(done.pid, 0)
    wall = time.perf_counter() - start
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with {done.returncode}")
    return Spent(wall, used.ru_utime + used.ru_stime, peak)


def _greatest_memory(pid):
    """Watch a process until it ends; its greatest resident memory [MB]."""
    peak = 0.0
    while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        seen = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        peak = max([peak, *(int(each) / 1024 for each in seen)])
        time.sleep(0.01)
    return peak


def in_turns(contestants, runs=7, warm=1):
    """Run each contestant in turn, again and again; medians by name."""
    for run in contestants.values():
        for _ in range(warm):
            run()
    seen = {name: [] for name in contestants}
    for _ in range(runs):
        for name, run in contestants.items():
            seen[name].append(run())
    return {
        name: Spent(*(statistics.median(each) for each in zip(*rows, strict=True)))
        for name, rows in seen.items()
    }


def conditions():
    """What a number has to be read with."""
    import numba
    import numpy as np

    return {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "numba": numba.__version__,
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def write(path, rows):
    """Keep rows and conditions as JSON."""
    text = json.dumps({"conditions": conditions(), "rows": rows}, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
