"""What is read, how fast, and what the fuzzers found, in one table.

`python benchmarks/readers_table.py` writes a small synthetic file of every layout, reads it
through the public functions, and compares every pressure with what was written; then it runs
the text benchmark, and prints the totals of the fuzz runs that `fuzz/run.py` documented.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import hrm.io  # noqa: E402 - the folder of the tests must be importable first
from hrm.errors import HrmError  # noqa: E402
from hrm.io._registry import builtin_readers  # noqa: E402
from hrm.io._variants import variants_of  # noqa: E402
from tests.io import edf_bytes  # noqa: E402
from tests.io.test_conformance import FILES  # noqa: E402

INFO_LIMIT_S = 0.5
TABLE_LAYOUT = """[table]
separator = "comma"
header_lines = 1
[time]
sampling_rate_hz = 50
[pressure]
columns = "1-5"
unit = "mmHg"
order = "proximal_first"
depths_cm = [0, 1, 2, 3, 4]
"""


def samples(folder):
    """Yield name, file, what to say of it, and the pressures (sensor, time) that are in it."""
    for name, (layout, case) in FILES.items():
        file = folder / f"{name}.bin"
        file.write_bytes(layout.bytes())
        yield name, file, case(layout).options, layout.pressure
    yield plain_table(folder)
    yield edf(folder)
    yield native(folder)


def plain_table(folder):
    values = np.random.default_rng(0).integers(-20, 150, (60, 5)) / 4
    file, layout = folder / "table.csv", folder / "table.toml"
    rows = [",".join(f"{value:g}" for value in row) for row in values]
    file.write_text("\n".join(["a,b,c,d,e", *rows]) + "\n", encoding="ascii")
    layout.write_text(TABLE_LAYOUT, encoding="ascii")
    return "table", file, {"layout": layout}, values.T.astype(np.float32)


def edf(folder):
    signals = edf_bytes.pressures()
    file = folder / "recording.edf"
    file.write_bytes(edf_bytes.Edf(signals).bytes())
    said = {"channel_order": "proximal_first", "depths": list(range(len(signals)))}
    return "edf", file, said, np.stack([edf_bytes.mmhg(signal) for signal in signals])


def native(folder):
    values = np.random.default_rng(1).normal(20, 5, (500, 8)).astype(np.float32)
    study = hrm.make_recording(values, sampling_rate=50.0, depth=range(8))
    file = folder / "native.h5"
    hrm.io.write_native(study, file)
    return "native", file, {}, values.T


def read_one(file, said, pressure):
    """What was found in a file, or in what way it differs from what was written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = hrm.io.open_recording(file, **said)
    seen = study["pressure/pressure"].values
    impedance = study["impedance/impedance"].shape[0] if "impedance" in study.children else 0
    return {
        "reader": hrm.io.peek(file)["reader"],
        "pressures": int(seen.shape[0]),
        "impedances": int(impedance),
        "events": int(study["events"].sizes["event"]),
        "equal": bool(np.array_equal(seen, pressure, equal_nan=True)),
    }


def info_seconds(file):
    """Shortest of three runs of `hrm info FILE --json` as a process of its own."""
    command = [sys.executable, "-m", "hrm", "info", str(file), "--json"]
    took = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        took.append(time.perf_counter() - start)
        if done.returncode not in (0, 2):
            raise SystemExit(f"hrm info failed on {file.name}")
    return min(took)


def read_all():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, file, said, pressure in samples(Path(folder)):
            try:
                found = read_one(file, said, pressure)
            except HrmError as err:
                found = {"error": f"{type(err).__name__}: {err}"}
            rows.append({"layout": name, **found, "info_s": info_seconds(file)})
    return rows


def print_formats():
    print("Formats: what each layout rests on, and whether it is read")
    for reader in builtin_readers():
        for variant in variants_of(reader):
            state = "read" if variant.read else "refused, with advice"
            print(f"  {reader.name:18} {variant.name:34} [{variant.evidence}] {state}")


def print_layouts(rows):
    print("\nRead back: every layout, written by the tests and compared value by value")
    head = ("layout", "reader", "pressures", "impedances", "events", "equal", "info s")
    print("  {:34} {:18} {:>9} {:>10} {:>6} {:>6} {:>7}".format(*head))
    for row in rows:
        if "error" in row:
            print(f"  {row['layout']:34} {row['error']}")
            continue
        print(
            f"  {row['layout']:34} {row['reader']:18} {row['pressures']:9} {row['impedances']:10} "
            f"{row['events']:6} {'yes' if row['equal'] else 'NO':>6} {row['info_s']:7.2f}"
        )


def print_fuzz():
    totals = json.loads((ROOT / "fuzz" / "totals.json").read_text(encoding="utf-8"))
    print("\nFuzzing (fuzz/run.py), documented runs")
    for reader, modes in totals.items():
        for mode, run in modes.items():
            print(
                f"  {reader:18} {mode:6} {run['executions']:8} executions, {run['edges']} edges, "
                f"{len(run['findings'])} findings, slowest {run['slowest_s']:.2f} s, "
                f"{run['rss_mb']} MB, {run['date']}"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--no-speed", action="store_true", help="leave the text benchmark out")
    parser.add_argument("--check", action="store_true", help="fail if a layout is not read")
    options = parser.parse_args()
    print_formats()
    rows = read_all()
    print_layouts(rows)
    if not options.no_speed:
        print("\nText speed (bench_text.py)", flush=True)
        subprocess.run([sys.executable, str(ROOT / "benchmarks" / "bench_text.py")], check=True)
    print_fuzz()
    bad = [row["layout"] for row in rows if not row.get("equal")]
    slow = [row["layout"] for row in rows if row["info_s"] > INFO_LIMIT_S]
    if bad or slow:
        print(f"\nnot read as written: {', '.join(bad) or 'none'}; slow info: {', '.join(slow)}")
    if options.check and bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
