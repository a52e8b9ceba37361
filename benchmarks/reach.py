"""Print how fast the engine is, as ratios to named references in the same run.

    python benchmarks/reach.py [--runs 7] [--only kernels|swallows|processes|scaling]
        [--longest 80] [--json FILE]

One table for all that issue 7 set out to reach: kernels against SciPy, NumPy and the time to
fill their output, ten swallows against the naive twins, whole processes against pandas and
against Python doing nothing, memory, and how cost grows with duration and sensors. All
contestants take turns; medians count, of wall time and of processor time. Every answer is
checked before it is timed.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from _clock import call, in_turns, process, write

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the twins of the tests

RATE_HZ, SECONDS, N_SENSORS = 100, 1800, 36
DEPTH = np.arange(float(N_SENSORS))
CATHETER = "manoscan-36"


def pressures(n=SECONDS * RATE_HZ):
    """Slow swings, contractions and noise (sensor, time)."""
    time = np.arange(n) / RATE_HZ
    noise = np.random.default_rng(0).normal(0, 3, (N_SENSORS, n))
    wave = 80 * np.exp(-0.5 * (((time - DEPTH[:, None] / 4) % 30 - 15) / 1.2) ** 2)
    return (15 * np.sin(time / 3 + DEPTH[:, None]) + wave + noise).astype(np.float32)


def row(work, reference, ours, theirs, wanted, *, faster):
    """One line: `faster` says whether a greater ratio is better."""
    pairs = [(theirs, ours)] if faster else [(ours, theirs)]
    (up, down) = pairs[0]
    return {
        "work": work,
        "reference": reference,
        "ratio": up.wall / down.wall,
        "cpu_ratio": up.cpu / down.cpu,
        "ours_s": ours.wall,
        "reference_s": theirs.wall,
        "wanted": f"{'>=' if faster else '<='} {wanted:g}",
        "reached": up.wall / down.wall >= wanted if faster else up.wall / down.wall <= wanted,
    }


def kernels(runs):
    """Interpolation of half an hour, and the search for swallows in it."""
    from scipy.interpolate import CubicSpline, PchipInterpolator

    from hrm.kernels.interpolate import depth_grid, interpolate_2d

    values, grid = pressures(), depth_grid(DEPTH, 0.1)
    exact, columns = values.astype(float), np.ascontiguousarray(values.T, dtype=float)
    out = np.empty((grid.size, values.shape[1]), np.float32)

    def fill():
        return np.full(out.shape, 1.5, np.float32)

    def by_column():
        known = np.empty((columns.shape[0], grid.size))
        for k, column in enumerate(columns):
            known[k] = np.interp(grid, DEPTH, column)
        return known

    rivals = {
        "pchip": lambda: PchipInterpolator(DEPTH, exact, axis=0)(grid),
        "cubic": lambda: CubicSpline(DEPTH, exact, axis=0, bc_type="natural")(grid),
        "linear": by_column,
    }
    for name, rival in rivals.items():
        known = rival() if name != "linear" else rival().T
        np.testing.assert_allclose(interpolate_2d(values, DEPTH, grid, name), known, atol=2e-3)
    ours = {name: lambda name=name: interpolate_2d(values, DEPTH, grid, name) for name in rivals}
    runners = {f"{name} rival": rival for name, rival in rivals.items()} | ours
    runners["into"] = lambda: interpolate_2d(values, DEPTH, grid, "pchip", out)
    runners |= {"fill": fill, "refill": lambda: out.fill(1.5)}
    runners |= scans()
    seen = in_turns({key: lambda run=run: call(run) for key, run in runners.items()}, runs)
    names = {"pchip": "PchipInterpolator", "linear": "np.interp loop", "cubic": "CubicSpline"}
    for name, wanted in (("pchip", 25), ("linear", 20), ("cubic", 20)):
        yield row(name, names[name], seen[name], seen[f"{name} rival"], wanted, faster=True)
    yield row("pchip", "filling a new array", seen["pchip"], seen["fill"], 2.5, faster=False)
    into = "pchip into an array that exists"
    yield row(into, "PchipInterpolator", seen["into"], seen["pchip rival"], 25, faster=True)
    yield row(into, "filling it", seen["into"], seen["refill"], 2.5, faster=False)
    yield row("swallow scan", "max(axis=0)", seen["scan"], seen["max"], 5, faster=False)


def scans():
    """The search for coughs and swallows, and one NumPy pass over the same samples."""
    import xarray as xr

    from hrm import catalog
    from hrm.detect.profile import find_ues
    from hrm.detect.swallows import find_candidates, find_coughs

    values, depth = half_hour(36)
    coords = {"time": np.arange(values.shape[1]) / RATE_HZ, "depth": ("sensor", depth)}
    pressure = xr.DataArray(values, dims=("sensor", "time"), coords=coords)
    rules = catalog.default_parameters()
    ues = find_ues(pressure, rules)

    def scan():
        coughs = find_coughs(pressure, rules)
        return find_candidates(pressure, ues, coughs=coughs, hints=(), parameters=rules)

    assert ues is not None
    assert len(scan()) == 52
    return {"scan": scan, "max": lambda: values.max(axis=0)}


def swallows(runs):
    """Ten swallows in memory, against the twins (one swallow, which stands for each)."""
    from hrm import phantom
    from hrm.pipeline.one_swallow import measure_one, see_one
    from hrm.pipeline.run import measure_recording
    from tests.naive import kernels as naive
    from tests.naive import metrics as twins

    made = phantom.draw("normal", seed=1, n_supine=10, n_upright=0)
    recording = phantom.sample(made, catheter=CATHETER, sampling_rate=20.0)
    study, record = measure_recording(recording, system="manoscan")
    first = see_one(study, 0)
    (start, stop), place, depth = first.window, first.anatomy, study.pressure["depth"].values
    inside = study.pressure[:, slice(*np.searchsorted(study.pressure["time"], (start, stop)))]
    time, grid = inside["time"].values, first.field["depth"].values
    span = {"onset": start, "end": first.stop_s, "les_upper": place.les_upper_cm}
    body = {"top": place.ues_lower_cm, "bottom": place.les_upper_cm}

    def twin():
        # The engine takes the spline for the LES, and PCHIP for what lies above.
        sleeve = naive.natural_spline(inside.values, depth, grid)
        irp = twins.irp(sleeve, grid, time, **span, gastric=place.gastric_mmhg)
        field = naive.pchip(inside.values, depth, grid)
        end = twins.contraction_stop(field, grid, time, onset=start, end=first.stop_s, **body)
        rows = (grid >= body["top"] - 1e-6) & (grid <= body["bottom"] + 1e-6)
        twins.dci_box(field[rows], grid[rows], time, start=start + 0.5, stop=end, **body)
        borders = {"ues_lower": place.ues_lower_cm, "les_upper": place.les_upper_cm}
        twins.longest_break(field, grid, time, onset=start, stop=end, **borders)
        return irp

    assert abs(twin() - record.swallows[0].metrics["irp4s_mmhg"]) < 0.05
    ten = range(len(record.swallows))
    runners = {
        "ours": lambda: call(lambda: [measure_one(study, k) for k in ten]),
        "twin": lambda: call(twin),
    }
    seen = in_turns(runners, runs)
    theirs = seen["twin"]._replace(wall=seen["twin"].wall * 10, cpu=seen["twin"].cpu * 10)
    work = "10 swallows, 25 s, 20 Hz"
    yield row(work, "naive twins", seen["ours"], theirs, 10, faster=True)
    limit = theirs._replace(wall=0.005, cpu=0.005)
    yield row(work, "5 ms", seen["ours"], limit, 1, faster=False)


def half_hour(n_supine):
    """Half an hour at 100 Hz (sensor, time), and depths; rest once the swallows are over."""
    from hrm import phantom

    n_upright = 16 if n_supine == 36 else 5
    made = phantom.draw("normal", seed=0, n_supine=n_supine, n_upright=n_upright)
    study = phantom.sample(
        made, catheter=CATHETER, sampling_rate=float(RATE_HZ), noise_mmhg=0.5, seed=0
    )
    values = study["pressure"]["pressure"].values
    # Rest from before the first swallow, to and fro.
    rest = values[:, : 25 * RATE_HZ]
    fold = np.concatenate([rest, rest[:, ::-1]], axis=1)
    more = np.tile(fold, (1, 1 + SECONDS * RATE_HZ // fold.shape[1]))
    whole = np.concatenate([values, more], axis=1)[:, : SECONDS * RATE_HZ]
    return np.ascontiguousarray(whole), study["pressure"]["depth"].values


def half_hours(folder):
    """Two ManoView exports of half an hour: swallows all the time, and a study's fifteen."""
    from hrm import make_recording, phantom

    for name, n_supine in (("52 swallows", 36), ("15 swallows", 10)):
        values, depth = half_hour(n_supine)
        study = make_recording(values.T, sampling_rate=float(RATE_HZ), depth=depth)
        path = Path(folder) / f"{name.replace(' ', '_')}.txt"
        phantom.write_manoview(study, path)
        yield name, path, values.nbytes / 2**20


def processes(runs):
    """Whole processes, from start to end, with the compiled kernels in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"HRM_NUMBA_CACHE": os.environ.get("HRM_NUMBA_CACHE", folder)}
        hrm = ("-m", "hrm")
        starts = {
            "pass": ("-c", "pass"),
            "import": ("-c", "import hrm"),
            "help": (*hrm, "--help"),
        }
        small = {key: lambda what=what: process(what, env) for key, what in starts.items()}
        seen = in_turns(small, runs)
        yield row("import hrm", "python -c pass", seen["import"], seen["pass"], 3, faster=False)
        yield row("hrm --help", "python -c pass", seen["help"], seen["pass"], 6, faster=False)
        for name, path, megabytes in half_hours(folder):
            analyze = (*hrm, "analyze", path, "--system", "manoscan", "--json", "-")
            table = f"import pandas; pandas.read_csv({str(path)!r}, sep='\\t', low_memory=False)"
            runners = {
                "ours": lambda analyze=analyze: process(analyze, env, memory=True),
                "pandas": lambda table=table: process(("-c", table)),
            }
            seen = in_turns(runners, runs)
            work = f"hrm analyze, 30 min, {name}"
            yield row(work, "pandas.read_csv", seen["ours"], seen["pandas"], 2.5, faster=False)
            memory = seen["ours"]._replace(wall=seen["ours"].peak, cpu=seen["ours"].peak)
            floor = memory._replace(wall=megabytes, cpu=megabytes)
            yield row("its peak memory", "samples", memory, floor, 12, faster=False)


def exponent(sizes, seconds):
    """Slope of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def scaling(runs, longest_min=80):
    """Cost of the analysis in memory against duration and sensors, at 20 Hz."""
    import hrm
    from hrm import phantom

    made = phantom.draw("normal", seed=2, n_supine=10, n_upright=0)
    part = phantom.sample(made, catheter=CATHETER, sampling_rate=20.0, noise_mmhg=0.5, seed=2)
    values = part["pressure"]["pressure"].values[:, : 300 * 20]
    depth = part["pressure"]["depth"].values

    def run(copies, n_sensors):
        places = np.linspace(depth[0], depth[-1], n_sensors)
        each = [np.interp(places, depth, column) for column in values.T]
        tiled = np.tile(np.array(each, np.float32), (copies, 1))
        recording = hrm.make_recording(tiled, sampling_rate=20.0, depth=places)
        return lambda: call(lambda: hrm.analyze(recording, system="manoscan"))

    copies = [2**k for k in range(20) if 5 * 2**k <= longest_min]
    spent = in_turns({k: run(k, N_SENSORS) for k in copies}, runs)
    minutes = [5 * k for k in copies]
    yield growth("duration", "min", minutes, [spent[k].cpu for k in copies], 1.05)
    sensors = [20, 36, 64, 128]
    spent = in_turns({n: run(2, n) for n in sensors}, runs)
    yield growth("sensors", "", sensors, [spent[n].cpu for n in sensors], 1.05)


def growth(of, unit, sizes, seconds, wanted):
    """One line for an exponent."""
    slope = exponent(sizes, seconds)
    return {
        "work": f"cost against {of}, {sizes[0]} to {sizes[-1]} {unit}".strip(),
        "reference": "exponent",
        "ratio": slope,
        "cpu_ratio": slope,
        "ours_s": seconds[-1],
        "reference_s": seconds[0],
        "wanted": f"<= {wanted:g}",
        "reached": slope <= wanted,
    }


PARTS = {"kernels": kernels, "swallows": swallows, "processes": processes, "scaling": scaling}
#: Runs that take long are fewer.
FEWER = {"swallows": 3, "scaling": 3}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--longest", type=int, default=80, metavar="MINUTES")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    print(f"{'work':38} {'against':22} {'ratio':>7} {'(CPU)':>7}  {'wanted':8}")
    rows = []
    for name in given.only or PARTS:
        more = {"longest_min": given.longest} if name == "scaling" else {}
        for each in PARTS[name](min(given.runs, FEWER.get(name, given.runs)), **more):
            rows.append(each)
            mark = "" if each["reached"] else "  not reached"
            print(
                f"{each['work']:38} {each['reference']:22} {each['ratio']:7.2f} "
                f"{each['cpu_ratio']:7.2f}  {each['wanted']:8}{mark}",
                flush=True,
            )
    if given.json:
        write(given.json, rows)


if __name__ == "__main__":
    main()
