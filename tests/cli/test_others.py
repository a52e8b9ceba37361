"""hrm info, convert and phantom, and the command line as such."""

import csv
import json
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import hrm
from hrm.io import peek
from hrm.io.swallow_table import read_swallow_table
from hrm.phantom import Provocation, default_offset, draw, sample, sensor_at, swallow_table
from hrm.phantom import truth as truth_of

MMS = ("--catheter", "CE4-0062")
ROOT = Path(__file__).resolve().parents[2]


def python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_info_names_versions_and_what_is_known(run, monkeypatch):
    monkeypatch.setenv("HRM_NUMBA_CACHE", "off")
    facts = json.loads(run("info", "--json").stdout)
    assert facts["hrm"] == hrm.__version__
    assert facts["packages"]["numpy"] == version("numpy")
    assert facts["kernel_cache"] is None
    assert "mms-csv" in facts["readers"]
    text = run("info").stdout
    for word in (
        f"hrm {hrm.__version__}",
        version("xarray"),
        "manoview-ascii",
        "mms_wp",
        "CE4-0062",
    ):
        assert word in text


def test_info_names_the_kernel_cache_that_the_kernels_use(run, monkeypatch, tmp_path):
    from hrm.kernels import _jit

    monkeypatch.setenv("HRM_NUMBA_CACHE", str(tmp_path))
    shown = Path(json.loads(run("info", "--json").stdout)["kernel_cache"])
    _jit.cache_folder.cache_clear()
    try:
        assert _jit.cache_folder().parent == shown
    finally:
        _jit.cache_folder.cache_clear()


def test_info_of_a_file_is_what_peek_says(run, mms):
    done = run("info", mms, "--json")
    assert json.loads(done.stdout) == peek(mms) | {"packing": "none", "to_be_said": []}
    text = run("info", mms).stdout
    assert "pressure sensors              22" in text
    assert "needs --catheter or --depths  yes" in text
    for part in ("DOE", "JANE", "1961"):
        assert part not in text + done.stdout


def test_info_of_a_file_is_light_and_quick(mms):
    code = (
        "import sys; from hrm.cli.main import main;"
        "main(['info', sys.argv[1]], standalone_mode=False); print(*sys.modules)"
    )
    start = time.perf_counter()
    done = python("-c", code, str(mms))
    took = time.perf_counter() - start
    loaded = set(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert {"xarray", "numba", "matplotlib", "pandas", "scipy"} & loaded == set()
    assert took < 5.0  # 0.4 s on an idle machine; a slow one must not fail


def test_convert_keeps_the_recording(run, mms):
    done = run("convert", mms, "out.h5", *MMS, "--system", "mms_wp")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    direct = hrm.open_recording(mms, catheter="CE4-0062", system="mms_wp")
    again = hrm.open_recording("out.h5")
    assert again["pressure"].to_dataset().identical(direct["pressure"].to_dataset())
    assert again.attrs["study_id"] == direct.attrs["study_id"]


def test_convert_refuses_to_overwrite(run, mms):
    Path("out.h5").write_bytes(b"precious")
    assert run("convert", mms, "out.h5", *MMS).exit_code == 2
    assert Path("out.h5").read_bytes() == b"precious"
    # It may be a recording that was to be read: not even --force replaces it.
    assert run("convert", mms, "out.h5", *MMS, "--force").exit_code == 2
    assert Path("out.h5").read_bytes() == b"precious"


def test_convert_replaces_its_own_output_when_told_to(run, mms):
    assert run("convert", mms, "out.h5", *MMS).exit_code == 0
    assert run("convert", mms, "out.h5", *MMS, "--system", "mms_wp").exit_code == 2
    assert run("convert", mms, "out.h5", *MMS, "--system", "mms_wp", "--force").exit_code == 0
    assert hrm.open_recording("out.h5").attrs["system"] == "mms_wp"


@pytest.mark.parametrize(
    ("layout", "options"), [("mms-csv", MMS), ("manoview", ()), ("native", ())]
)
def test_phantom_writes_what_the_readers_read(run, layout, options):
    done = run(
        *("phantom", "--phenotype", "iem", "--layout", layout),
        *("--seed", 3, "--supine", 1, "--upright", 1, "out", "--swallows", "table.csv"),
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    drawn = draw("iem", seed=3, n_supine=1, n_upright=1)
    catheter, rate = ("CE4-0062", 20.0) if layout == "mms-csv" else ("manoscan-36", 100.0)
    expected = sample(drawn, catheter=catheter, sampling_rate=rate, seed=3)
    study = hrm.open_recording("out", **({"catheter": "CE4-0062"} if options else {}))
    difference = study["pressure/pressure"].values - expected["pressure/pressure"].values
    assert np.abs(difference).max() <= {"mms-csv": 0.5, "manoview": 0.0051, "native": 0.0}[layout]
    rows = read_swallow_table("table.csv")
    for row, truth in zip(rows, swallow_table(drawn), strict=True):
        assert row["onset_s"] == pytest.approx(truth["onset_s"], abs=5e-4)
        assert row["posture"] == truth["posture"]


def test_phantom_writes_both_files_or_none(run):
    Path("table.csv").write_text("precious", encoding="utf-8")
    done = run("phantom", "out.h5", "--supine", 1, "--upright", 0, "--swallows", "table.csv")
    assert done.exit_code == 2
    assert [(p.name, p.read_text()) for p in Path().iterdir()] == [("table.csv", "precious")]


def test_phantom_lists_the_phenotypes(run):
    done = run("phantom", "out.h5", "--phenotype", "x")
    assert done.exit_code == 2
    assert "achalasia_type_3" in done.stderr


def test_phantom_draws_everything_that_is_asked(run):
    done = run(
        *("phantom", "out.h5", "--seed", 3, "--supine", 2, "--upright", 1, "--noise", 5),
        *("--variability", 0.35, "--hernia", 3, "--inversion", "les", "--quantum", 3),
        *("--mrs", 1, "--mrs-ratio", 0.8, "--mrs-inhibition", "failed", "--rdc", "pressurized"),
        *("--impedance", "--drift", 15, "--dead-sensor", "body", "--dead-sensor", 2),
        *("--saturated-sensor", "les", "--rail", 25),
        *("--drift-table", "drift.csv", "--truth", "truth.json", "--swallows", "table.csv"),
    )
    assert done.exit_code == 0, done.stderr
    tests = Provocation(mrs_ratio=0.8, mrs_inhibited=False, rdc="pressurized")
    drawn = draw(
        "normal",
        seed=3,
        n_supine=2,
        n_upright=1,
        variability=0.35,
        hernia_cm=3.0,
        inversion="les",
        provocation=tests,
    )
    body, les = sensor_at(drawn, "body"), sensor_at(drawn, "les")
    expected = sample(
        drawn,
        noise_mmhg=5.0,
        quantum_mmhg=3.0,
        drift_mmhg=15.0,
        drift_course="linear",
        dead_sensors=(body, 2),
        saturated_sensors=(les,),
        rail_mmhg=25.0,
        impedance=True,
        seed=3,
    )
    study = hrm.open_recording("out.h5")
    for name in ("pressure", "impedance", "events"):
        assert study[name].to_dataset().identical(expected[name].to_dataset())
    found = truth_of(drawn, offset_cm=default_offset(drawn), impedance=True)
    assert json.loads(Path("truth.json").read_text("utf-8")) == json.loads(json.dumps(found))
    with Path("drift.csv").open(newline="") as stream:
        ends = [float(row["offset_end_mmhg"]) for row in csv.DictReader(stream)]
    np.testing.assert_allclose(ends, study["pressure/offset_end_mmhg"].values, atol=5.1e-4)
    protocols = [row["protocol"] for row in read_swallow_table("table.csv")]
    assert protocols.count("mrs") == 5
    assert protocols.count("rdc") >= 11


def test_phantom_writes_impedance_into_a_text_export(run):
    options = ("--supine", 1, "--upright", 0, "--impedance")
    assert run("phantom", "out.txt", "--layout", "manoview", *options).exit_code == 0
    found = hrm.open_recording("out.txt")["impedance/impedance"].values
    drawn = draw("normal", seed=0, n_supine=1, n_upright=0)
    expected = sample(drawn, impedance=True)["impedance/impedance"].values
    np.testing.assert_allclose(found, expected, atol=5.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layout", "mms-csv", "--impedance"), "mms-csv has no impedance"),
        (("--drift-table", "drift.csv"), "--drift-table needs --drift"),
        (("--dead-sensor", "liver"), "expected one of pharynx"),
        (("--dead-sensor", "36"), "dead_sensors must be from 0 to 35"),
        (("--inversion", "les"), "hernia_cm must be at least 1"),
        (("--rdc", "normal", "--upright", "0"), "n_upright must be at least 1"),
    ],
)
def test_phantom_refuses_what_cannot_be(run, options, message):
    done = run("phantom", "out", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert list(Path().iterdir()) == []


def test_help_lists_every_subcommand(run):
    text = run("--help").stdout
    for name in ("info", "analyze", "convert", "phantom"):
        assert f"  {name} " in text
        assert run(name, "--help").exit_code == 0


def test_python_dash_m():
    done = python("-m", "hrm", "--version")
    assert done.returncode == 0
    assert done.stdout.split() == ["hrm,", "version", hrm.__version__]
    assert python("-m", "hrm", "info", "no-such-file").returncode == 2


def test_a_warning_of_a_reader_is_one_line_on_stderr(run, mms):
    lines = mms.read_bytes().split(b"\r\n")
    Path("cut.csv").write_bytes(b"\r\n".join(lines[:1200]) + b"\r\n")
    strict = run("convert", "cut.csv", "strict.h5", *MMS)
    assert strict.exit_code == 2
    done = run("convert", "cut.csv", "out.h5", *MMS, "--strictness", "warn")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith("hrm: warning: [mms-csv]")
    assert len(done.stderr.splitlines()) == 2  # the warning, and what was written
