"""hrm analyze: what it prints, what it writes, and that both say the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import hrm
from hrm.phantom import swallow_table

MMS = ("--catheter", "CE4-0062")
ROOT = Path(__file__).resolve().parents[2]


def strict(text):
    def refuse(word):
        raise ValueError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_is_what_the_library_gives(run, mms, table, phantom):
    done = run("analyze", mms, *MMS, "--system", "manoscan", "--swallows", table, "--json", "-")
    assert done.exit_code == 0, done.stderr
    rows = [{**row, "protocol": "unknown"} for row in swallow_table(phantom)]
    study = hrm.open_recording(mms, catheter="CE4-0062", system="manoscan")
    expected = hrm.to_dict(hrm.analyze(study, swallows=rows))
    assert strict(done.stdout) == json.loads(json.dumps(expected))
    assert [row["posture"] for row in expected["swallows"]] == ["supine", "supine", "upright"]


def test_with_json_to_stdout_the_summary_goes_to_stderr(run, mms):
    done = run("analyze", mms, *MMS, "--json", "-")
    assert strict(done.stdout)["schema_version"] == "1"
    assert "Resting landmarks" in done.stderr


def test_summary_shows_the_numbers_of_the_json(run, mms, table):
    done = run(
        "analyze", mms, *MMS, "--system", "manoscan", "--swallows", table, "--json", "out.json"
    )
    result = strict(Path("out.json").read_text(encoding="utf-8"))
    lines = done.stdout.splitlines()
    for row in result["swallows"]:
        shown = next(
            line for line in lines if line.split()[:2] == [str(row["id"]), f"{row['onset_s']:.1f}"]
        )
        assert f"{row['irp4s_mmhg']:.1f}" in shown
        assert f"{row['dci_mmhg_s_cm']:.0f}" in shown
        assert row["type"] in shown
    assert f"{result['landmarks']['les_upper_cm']:.1f} to" in done.stdout
    assert "of 3" in done.stdout
    assert "irp4s.manoscan.supine.v4" in done.stdout
    assert "dci_failed.any.any.v4 (GYA21)" in done.stdout
    assert "research use only" in done.stdout


def test_posture_is_for_the_swallows_that_the_table_does_not_name(run, mms, table):
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].split(",")[0] + ","
    Path("table.csv").write_text("\n".join(lines), encoding="utf-8")
    done = run(
        "analyze", mms, *MMS, "--swallows", "table.csv", "--posture", "upright", "--json", "-"
    )
    postures = [row["posture"] for row in strict(done.stdout)["swallows"]]
    assert postures == ["upright", "supine", "upright"]


def median_text(text, posture):
    """What the summary says of a median, its lines joined."""
    return " ".join(text.split()).partition(f"Median IRP4s, {posture}")[2].partition(" Of ")[0]


def test_the_users_irp_limit_is_used_named_and_recorded(run, mms):
    arguments = ("analyze", mms, *MMS, "--posture", "supine", "--system", "manoscan")
    plain = run(*arguments, "--json", "-")
    median = strict(plain.stdout)["study"]["irp4s_median_supine_mmhg"]
    assert strict(plain.stdout)["engine"]["irp_limit"] is None
    for distance, words in ((-3.0, "above"), (3.0, "below"), (0.5, "borderline: within 1 mmHg")):
        limit = f"{median + distance:.3f}"
        done = run(*arguments, "--irp-limit", limit, "--json", "-")
        assert strict(done.stdout)["engine"]["irp_limit"] == {
            "value_mmhg": float(limit),
            "row": "user",
            "citation": "named by the user",
            "position": "any",
        }
        line = median_text(done.stderr, "supine")
        assert words in line
        assert ("borderline" in line) == (distance == 0.5)
        assert "--irp-limit: user, named by the user" in line


def test_no_irp_limit_is_said_with_the_reason(run, mms):
    unknown = run("analyze", mms, *MMS, "--posture", "supine").stdout
    assert "the system is unknown" in unknown
    water = run("analyze", mms, *MMS, "--posture", "supine", "--system", "mms_wp").stdout
    assert "gives none for Laborie/MMS and other water-perfused systems, supine" in " ".join(
        water.split()
    )
    postureless = run("analyze", mms, *MMS, "--system", "manoscan").stdout
    assert "the posture is unknown" in " ".join(postureless.split())


def test_a_missing_number_is_a_dash_with_its_reason(run, mms):
    lines = mms.read_bytes().split(b"\r\n")
    # Keep 6 s after the last onset; the preamble's extremes no longer hold.
    kept = [line for line in lines if not line.startswith((b"Min=", b"Max="))]
    Path("cut.csv").write_bytes(b"\r\n".join(kept[: len(kept) - 20 * 28]) + b"\r\n")
    done = run("analyze", "cut.csv", *MMS, "--strictness", "warn", "--json", "-")
    last = strict(done.stdout)["swallows"][-1]
    assert last["irp4s_mmhg"] is None
    assert not last["evaluable"]
    shown = next(line for line in done.stderr.splitlines() if line.split()[:1] == [str(last["id"])])
    assert "–" in shown
    assert "IRP4s" in shown
    assert "window truncated" in shown
    assert "nan" not in done.stderr.lower().split()


def test_parameters_can_be_set_and_are_recorded(run, mms):
    done = run(
        "analyze",
        mms,
        *MMS,
        "--set",
        "irp.window_s=9",
        "--set",
        "interpolation.kernel=linear",
        "--json",
        "-",
    )
    overrides = strict(done.stdout)["engine"]["parameter_overrides"]
    assert overrides == {"irp.window_s": 9.0, "interpolation.kernel": "linear"}
    assert "irp.window_s = 9.0" in done.stderr


@pytest.mark.parametrize("posture", [(), ("--posture", "supine")])
def test_saved_study_gives_the_same_results(run, manoview, posture):
    options = ("--system", "manoscan", *posture, "--save", "study.h5", "--json", "a.json")
    done = run("analyze", manoview, *options)
    assert done.exit_code == 0, done.stderr
    result = strict(Path("a.json").read_text(encoding="utf-8"))
    assert bool(result["warnings"]) == (not posture)  # without any, the list is empty
    assert hrm.to_dict(hrm.open_recording("study.h5")) == result


def test_participant_names_the_study(run, mms):
    done = run("analyze", mms, *MMS, "--participant", "P-07", "--json", "-")
    assert strict(done.stdout)["recording"]["study_id"] == "P-07"


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_nothing_of_a_name_gets_into_an_output(run, mms, suffix):
    figure = Path(f"figure.{suffix}")
    done = run("analyze", mms, *MMS, "--json", "out.json", "--figure", figure, "--save", "s.h5")
    assert done.exit_code == 0, done.stderr
    study = hrm.open_recording("s.h5")
    outputs = [
        done.stdout.encode(),
        Path("out.json").read_bytes(),
        figure.read_bytes(),
        str(study).encode(),
    ]
    for content in outputs:
        for part in (b"DOE_", b"DOE J", b"JANE"):
            assert part not in content
    assert "DOE" not in done.stderr


def test_manoview_needs_no_catheter(run, manoview):
    done = run("analyze", manoview, "--json", "-")
    assert done.exit_code == 0, done.stderr
    assert strict(done.stdout)["recording"]["catheter"] == "manoscan-36"


def test_a_reader_that_hangs_up_is_no_fault(mms):
    code = "import sys; from hrm.cli.main import main; main(prog_name='hrm')"
    with subprocess.Popen(
        [sys.executable, "-c", code, "analyze", str(mms), *MMS, "--json", "-"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        talk = process.stderr.read().decode()
    assert "Traceback" not in talk
    assert "unexpected" not in talk
    assert "Exception ignored" not in talk
    assert "Resting landmarks" in talk


def test_existing_outputs_are_kept_unless_forced(run, mms):
    Path("out.json").write_text("precious", encoding="utf-8")
    done = run("analyze", mms, *MMS, "--json", "out.json", "--figure", "out.png")
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert [(p.name, p.read_text()) for p in Path().iterdir()] == [("out.json", "precious")]
    assert run("analyze", mms, *MMS, "--json", "out.json", "--force").exit_code == 0
    assert strict(Path("out.json").read_text(encoding="utf-8"))["swallows"]


@pytest.fixture(scope="module")
def with_impedance(tmp_path_factory):
    """A study with impedance and rapid swallows in hrm's own file, and its swallow table."""
    from hrm.io import write_native
    from hrm.phantom import Provocation, draw, sample

    folder = tmp_path_factory.mktemp("impedance")
    drawn = draw("normal", seed=3, n_supine=2, n_upright=0, provocation=Provocation(mrs_runs=1))
    write_native(sample(drawn, sampling_rate=20.0, impedance=True), folder / "a.nc")
    rows = ["onset_s,posture,protocol"]
    rows += [f"{row['onset_s']},{row['posture']},{row['protocol']}" for row in swallow_table(drawn)]
    (folder / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "a.nc", folder / "a.csv"


def test_impedance_and_tests_are_in_the_summary(run, with_impedance):
    path, table = with_impedance
    done = run("analyze", path, "--system", "manoscan", "--swallows", table, "--json", "out.json")
    assert done.exit_code == 0, done.stderr
    result = strict(Path("out.json").read_text(encoding="utf-8"))
    lines = done.stdout.splitlines()
    for row in result["swallows"]:
        kind = result["impedance"]["swallows"][row["id"] - 1]["transit"]
        if row["protocol"] == "single":
            (line,) = [
                text for text in lines if text.startswith(f"{row['id']:>3} {row['onset_s']:>7.1f}")
            ]
            assert kind in line
    ids = result["provocation"]["mrs"]["runs"][0]["swallows"]
    (line,) = [text for text in lines if text.startswith(f"{ids[0]}–{ids[-1]} ")]
    assert "multiple rapid swallows" in line
    assert not any(text.startswith(f"{ids[1]:>3} ") for text in lines)
    for said in (
        "PhCI, median                  not measured: catheter starts in pharynx",
        "Bolus flow time               not measured: no bolus",
        f"{result['impedance']['distal_baseline_ohm']:.0f} ohm",
        "Drift                         not corrected, offsets not measured",
        "[dci_failed.any.any.v4]",
    ):
        assert said in done.stdout


def test_impedance_is_drawn_when_asked(run, with_impedance, mms):
    path, table = with_impedance
    for name, more in (("a", []), ("b", ["--impedance"])):
        done = run("analyze", path, "--swallows", table, "--figure", f"{name}.svg", *more)
        assert done.exit_code == 0, done.stderr
    assert Path("a.svg").read_bytes() != Path("b.svg").read_bytes()
    refused = run("analyze", mms, *MMS, "--figure", "c.png", "--report", "c.pdf", "--impedance")
    assert refused.exit_code == 2
    assert "has no impedance" in refused.stderr
    assert not Path("c.png").exists()
    assert not Path("c.pdf").exists()
