"""Fail if a kernel became much slower than it was in the base commit.

    python benchmarks/gate.py [--base COMMIT] [--head FOLDER] [--limit 1.5]

The kernels of the commit named in `benchmarks/BASE` and those of this checkout run in two
processes at once alive, one call here and one call there, over and over; the shortest times
of both are compared, so that what else runs on the machine counts for neither. A kernel above
the limit is measured again, with more runs, before it fails. Kernels that only one of both has
are named and pass. Without the commit (no file, no git, a shallow clone) the gate says so and
passes. BASE is moved forward on purpose, in a change that says why.
"""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT, RUNS, RETRIES = 1.5, 15, 3


class Side:
    """One tree's kernels in a process of their own, which runs one call when told."""

    def __init__(self, tree, cache):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", ROOT / "benchmarks" / "_gate_side.py", tree, cache],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.names = self._line().split()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("gate: a side ended early; its message is above")
        return line.strip()

    def seconds(self, name):
        """Time of one call."""
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ratio(base, head, name, runs):
    """Shortest time of head over that of base, in turns."""
    pairs = [(base.seconds(name), head.seconds(name)) for _ in range(runs)]
    return min(pair[1] for pair in pairs) / min(pair[0] for pair in pairs)


def judged(base, head, name, limit):
    """Ratio of a kernel, measured again while it is above the limit."""
    seen = ratio(base, head, name, RUNS)
    for retry in range(RETRIES):
        if seen <= limit:
            break
        seen = min(seen, ratio(base, head, name, RUNS * (retry + 2)))
    return seen


def unpack(commit, folder):
    """Put the kernels of a commit into a folder; what is wrong if they cannot be had."""
    wanted = ["git", "archive", commit, "hrm/kernels", "hrm/__init__.py"]
    try:
        done = subprocess.run(wanted, cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return "git is not installed"
    if done.returncode:
        return f"git cannot give {commit[:12]} (a shallow clone?)"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        # Python 3.11 has filters from 3.11.4 on; what is unpacked is our own in any case.
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **safe)
    return ""


def named_base():
    """Commit in benchmarks/BASE, past its comments; empty without one."""
    path = ROOT / "benchmarks" / "BASE"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.strip() for line in lines if line.strip() and line[0] != "#"), "")


def compare(base_tree, head_tree, limit):
    """Print a line for each kernel; names of those that are slower."""
    with tempfile.TemporaryDirectory() as cache:
        base, head = Side(base_tree, Path(cache) / "base"), Side(head_tree, Path(cache) / "head")
        slower = []
        try:
            for name in sorted({*base.names, *head.names}):
                if name not in base.names or name not in head.names:
                    print(f"{name:24} only in {'head' if name in head.names else 'base'}")
                    continue
                seen = judged(base, head, name, limit)
                slower += [name] if seen > limit else []
                print(f"{name:24} {seen:6.2f}{'  slower' if seen > limit else ''}", flush=True)
        finally:
            base.close()
            head.close()
    return slower


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default=named_base(), metavar="COMMIT")
    parser.add_argument("--head", type=Path, default=ROOT, metavar="FOLDER")
    parser.add_argument("--limit", type=float, default=LIMIT)
    given = parser.parse_args()
    if not given.base:
        print("gate: benchmarks/BASE names no commit: nothing to compare with, passed")
        return
    with tempfile.TemporaryDirectory() as folder:
        wrong = unpack(given.base, folder)
        if wrong:
            print(f"gate: {wrong}: nothing to compare with, passed")
            return
        print(f"time of head over that of {given.base[:12]}, shortest of {RUNS} runs in turns")
        slower = compare(folder, given.head, given.limit)
    if slower:
        raise SystemExit(f"gate: more than {given.limit:g} times slower: {', '.join(slower)}")
    print("gate: passed")


if __name__ == "__main__":
    main()
