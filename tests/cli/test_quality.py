"""``hrm quality``: what it prints, writes and draws, and ``--drift``."""

import json
from pathlib import Path

import pytest

import hrm
from hrm.phantom import draw, sample
from hrm.phantom.faults import write_offsets


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    """A study with a drift, a dead sensor and a cough; its file, and the table of offsets."""
    folder = tmp_path_factory.mktemp("DOE_JANE")
    study = sample(
        draw("normal", seed=11, n_supine=3, n_upright=0),
        sampling_rate=20.0,
        noise_mmhg=0.3,
        drift_mmhg=15.0,
        drift_course="linear",
        dead_sensors=(15,),
        cough_at_s=(100.0,),
    )
    write_offsets(study, folder / "offsets.csv")
    node = study["pressure"].to_dataset()
    study["pressure"].dataset = node.drop_vars(["offset_start_mmhg", "offset_end_mmhg"])
    hrm.write_native(study, folder / "study.h5")
    return folder


def test_it_says_what_is_wrong(run, drifting):
    ran = run("quality", drifting / "study.h5")
    assert ran.exit_code == 0, ran.stderr
    for said in (
        "at 15 cm", "dead, 100% of the time; not used, bridged", "35 of 36", "not corrected",
        "--drift gives them", "cough", "Not looked for", "talking", "Catheter crosses the EGJ",
    ):  # fmt: skip
        assert said in ran.stdout
    assert "offset start" not in ran.stdout
    assert "DOE" not in ran.stdout


def test_a_table_of_offsets_corrects_and_shows_both(run, drifting):
    ran = run("quality", drifting / "study.h5", "--drift", drifting / "offsets.csv")
    assert ran.exit_code == 0, ran.stderr
    assert "a straight line for each sensor taken away" in ran.stdout
    assert "flag DRIFT" in ran.stdout
    assert "rest recorded   measured" in ran.stdout
    rows = [line.split() for line in ran.stdout.splitlines() if line.split()[:1] == ["15"]]
    # A sensor that is not used has no measured rest.
    assert [row[-1] for row in rows] == ["–"]


def test_the_block_as_json_and_the_picture(run, drifting):
    ran = run("quality", drifting / "study.h5", "--json", "q.json", "--figure", "q.png")
    assert ran.exit_code == 0, ran.stderr
    block = json.loads(Path("q.json").read_text(encoding="utf-8"))
    assert block["sensors"][15]["status"] == "dead"
    assert Path("q.png").read_bytes()[:4] == b"\x89PNG"
    again = run("quality", drifting / "study.h5", "--json", "q.json")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    to_stdout = run("quality", drifting / "study.h5", "--json", "-")
    assert json.loads(to_stdout.stdout) == block


def test_analyze_takes_the_table_too(run, drifting):
    ran = run("analyze", drifting / "study.h5", "--drift", drifting / "offsets.csv", "--json", "-")
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)["quality"]["drift"]["mode"] == "linear"


def test_a_wrong_table_or_figure_is_refused(run, drifting):
    for arguments, said in (
        (("--drift", drifting / "study.h5"), "drift offsets"),
        (("--figure", "q.txt"), ".png, .pdf or .svg"),
    ):
        ran = run("quality", drifting / "study.h5", *arguments)
        assert ran.exit_code == 2
        assert said in ran.stderr
        assert "Traceback" not in ran.stderr
