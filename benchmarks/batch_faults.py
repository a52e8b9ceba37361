"""Try every fault of a batch, at 20 random moments where the moment matters; print a table.

Usage: ``python benchmarks/batch_faults.py [REPEATS]``. Takes some 15 minutes; the same
tests at fewer moments are ``make test-faults``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]


def run(repeats: int) -> ET.Element:
    """Run the tests in a process of their own, and read what came of each."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "tests/batch/faults.py", f"--junitxml={report}"],
            cwd=ROOT,
            env={**os.environ, "HRM_FAULT_REPEATS": str(repeats)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return ET.parse(report).getroot()


def main() -> int:
    """Print one line a fault."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    found: dict[str, list[bool]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    for case in run(repeats).iter("testcase"):
        name = case.get("name", "").partition("[")[0].removeprefix("test_").replace("_", " ")
        found[name].append(case.find("failure") is None and case.find("error") is None)
        seconds[name] += float(case.get("time", 0.0))
    print(f"{'fault':<55}{'tried':>7}{'survived':>10}{'s each':>8}")
    for name, results in found.items():
        n = len(results)
        print(f"{name:<55}{n:>7}{sum(results):>10}{seconds[name] / n:>8.0f}")
    return 0 if found and all(map(all, found.values())) else 1


if __name__ == "__main__":
    sys.exit(main())
