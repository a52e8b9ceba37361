"""What a batch costs beyond the work itself.

Usage: ``python benchmarks/bench_batch.py [FILES [TINY [ROUNDS]]]``. FILES recordings of 10
minutes (default 12, half MMS, half ManoView) are measured by bare processes, by the batch's
crew, and by joblib where it is installed, each with one worker and with two, in turns by 50
files, and the better of ROUNDS (default 2) counts; only ratios are worth reading. TINY files
that are no recordings (default 2000) show the overhead of a file and the memory of the
coordinator. ``bench_batch.py 200 10000 1`` is what docs/batch.md asks for: 900 times the time
of one study, some 20 minutes on two idle cores, and half an hour in all.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hrm.batch import Input, Options, Settings, run_batch
from hrm.batch.cluster import Crew, local_cluster
from hrm.batch.worker import Job, engine_id, measure
from hrm.phantom import draw, sample, write_manoview, write_mms_csv

for _name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"


def recordings(folder: Path, n: int) -> list[Job]:
    """Write recordings, and give the work of each."""
    jobs = []
    for seed in range(n):
        made = draw("normal", seed=seed, n_supine=12, n_upright=5)
        said = Settings(system="manoscan")
        if seed % 2:
            path = folder / f"{seed}.csv"
            write_mms_csv(sample(made, catheter="CE4-0062", sampling_rate=20.0), path)
            said = Settings(system="manoscan", catheter="CE4-0062")
        else:
            path = folder / f"{seed}.txt"
            write_manoview(sample(made, sampling_rate=20.0), path)
        jobs.append(Job(seed, str(path), said, engine_id()))
    return jobs


def _part(jobs: Sequence[Job], ready: object, go: object) -> None:
    measure(jobs[0])  # imports and compiled kernels are start-up
    ready.release()  # type: ignore[attr-defined]
    go.wait()  # type: ignore[attr-defined]
    for job in jobs:
        measure(job)


def bare(jobs: Sequence[Job], workers: int) -> float:
    """Time of plain processes, each with its share given beforehand."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    parts = [jobs[k::workers] for k in range(workers)]
    started = [context.Process(target=_part, args=(part, ready, go)) for part in parts]
    for process in started:
        process.start()
    for _ in started:
        ready.acquire()
    began = time.perf_counter()
    go.set()
    for process in started:
        process.join()
    return time.perf_counter() - began


def crew(jobs: Sequence[Job], workers: int) -> float:
    """Time of the batch's own workers."""
    with local_cluster(workers=workers, memory_limit=None) as client:
        list(Crew(client, 600.0).run(jobs[:workers]))
        began = time.perf_counter()
        list(Crew(client, 600.0).run(jobs))
        return time.perf_counter() - began


def joblib(jobs: Sequence[Job], workers: int) -> float:
    """Time of joblib's processes."""
    from joblib import Parallel, delayed

    with Parallel(n_jobs=workers, batch_size=1) as pool:
        pool(delayed(measure)(job) for job in jobs[:workers])
        began = time.perf_counter()
        pool(delayed(measure)(job) for job in jobs)
        return time.perf_counter() - began


#: Files that one way measures before it is the next one's turn.
_TURN = 50


def compare(jobs: Sequence[Job], rounds: int) -> None:
    """Print times and ratios, the ways taking turns."""
    ways: dict[str, Callable[[Sequence[Job], int], float]] = {"bare": bare, "crew": crew}
    if importlib.util.find_spec("joblib"):
        ways["joblib"] = joblib
    best: dict[tuple[str, int], float] = {}
    for start in range(0, len(jobs), _TURN):
        part = jobs[start : start + _TURN]
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(rounds):
            for workers in (1, 2):
                for name, way in ways.items():
                    times.setdefault((name, workers), []).append(way(part, workers))
        for key, values in times.items():
            best[key] = best.get(key, 0.0) + min(values)
        print(
            f"{start + len(part)} of {len(jobs)} studies, load {os.getloadavg()[0]:.1f}", flush=True
        )
    for (name, workers), seconds in best.items():
        print(f"{name:>8} with {workers}: {seconds:7.2f} s, {seconds / len(jobs):.3f} s a file")
    gain = {name: best[name, 1] / best[name, 2] for name in ways}
    print(f"two against one: bare {gain['bare']:.2f}, crew {gain['crew']:.2f}; ", end="")
    print(f"share of bare {gain['crew'] / gain['bare']:.2f} (wanted 0.9)")
    if "joblib" in ways:
        print(
            f"crew against joblib: {best['crew', 2] / best['joblib', 2]:.2f} (wanted at most 1.2)"
        )


def start_up(folder: Path, job: Job) -> float:
    """Time from the call to the ledger for one file, less that of measuring it."""
    measure(job)
    began = time.perf_counter()
    measure(job)
    alone = time.perf_counter() - began
    began = time.perf_counter()
    how = Options(workers=2)
    run_batch(folder / "one", [Input(job.path)], options=job.settings, how=how)
    return time.perf_counter() - began - alone


class _Memory:
    """Memory of this process after each share of the files [MB]."""

    def __init__(self) -> None:
        self.files, self.at, self.last, self.gaps = 0, [], 0.0, []

    def planned(self, states: object, to_do: int) -> None:
        """Nothing to be said yet."""

    def measured(self, planned: object, attempted: object) -> None:  # noqa: ARG002
        """Note how much there is."""
        self.files += 1
        if self.last:
            self.gaps.append(time.perf_counter() - self.last)
        self.last = time.perf_counter()
        if self.files % 250 == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.at.append(pages * resource.getpagesize() / 1e6)


def tiny(folder: Path, n: int) -> None:
    """Print overhead and memory over many files that take no time."""
    for k in range(n):
        (folder / f"{k}.txt").write_bytes(b"no recording %d\n" % k)
    seen = _Memory()
    inputs = [Input(str(folder / f"{k}.txt")) for k in range(n)]
    began = time.perf_counter()
    run_batch(folder / "out", inputs, how=Options(workers=2), progress=seen)
    print(f"{n} tiny files in {time.perf_counter() - began:.1f} s")
    print(f"overhead of a file, median: {1e3 * statistics.median(seen.gaps):.1f} ms (wanted 20)")
    print("memory of the coordinator [MB]: " + ", ".join(f"{mb:.0f}" for mb in seen.at))


def main() -> None:
    """Print the figures."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    n_tiny = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = recordings(folder, files)
        print(f"start-up: {start_up(folder, jobs[0]):.1f} s (wanted 4)")
        (folder / "tiny").mkdir()
        if n_tiny:
            tiny(folder / "tiny", n_tiny)
        compare(jobs, rounds)
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
