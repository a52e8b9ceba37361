"""Time `import hrm` in a new process, against Python doing nothing.

python -m pytest benchmarks/bench_import.py --benchmark-enable -s
"""

import subprocess
import sys
import time

import pytest

STATEMENTS = {
    "python": "pass",
    "import hrm": "import hrm; assert hrm.__version__",
    "hrm.catalog": "from hrm import catalog; assert catalog.default_parameters()",
    "hrm.open_recording": "from hrm import open_recording; assert open_recording",
    "hrm.analyze": "from hrm import analyze; assert analyze",
}
#: `import hrm` may cost this much more than Python itself [s].
ALLOWED_S = 0.05


def start(statement):
    subprocess.run([sys.executable, "-c", statement], check=True)


@pytest.mark.parametrize("name", STATEMENTS)
def test_start(benchmark, name):
    benchmark.pedantic(start, args=(STATEMENTS[name],), rounds=5, warmup_rounds=1)


def test_importing_hrm_costs_next_to_nothing():
    def best(statement):
        spent = []
        for _ in range(7):
            begin = time.perf_counter()
            start(statement)
            spent.append(time.perf_counter() - begin)
        return min(spent)

    bare, loaded = best(STATEMENTS["python"]), best(STATEMENTS["import hrm"])
    print(f"\npython {bare * 1e3:.0f} ms, with hrm {loaded * 1e3:.0f} ms")
    assert loaded - bare <= ALLOWED_S
