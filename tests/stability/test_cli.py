"""``hrm analyze --stability``: its options, and its lines of the summary."""

import json

import pytest
from click.testing import CliRunner

from hrm.cli._stability import stability_lines
from hrm.cli.main import main
from hrm.phantom import draw, sample, swallow_table, write_manoview


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    made = draw("des", seed=3, borderline=True, n_supine=4, n_upright=2)
    write_manoview(sample(made, sampling_rate=20.0), folder / "study.txt")
    rows = [f"{row['onset_s']:.3f},{row['posture']}" for row in swallow_table(made)]
    (folder / "swallows.csv").write_text("\n".join(["onset_s,posture", *rows]) + "\n")
    return folder


def run(files, *options):
    said = ["--system", "manoscan", "--swallows", files / "swallows.csv", "--json", "-"]
    words = ["analyze", files / "study.txt", *said, *options]
    return CliRunner().invoke(main, [str(word) for word in words])


def test_one_line_a_tree(files):
    done = run(files, "--stability-draws", 40, "--stability-seed", 3)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    seen = found["classification"]["ccv4"]["stability"]
    assert (seen["draws"], seen["seed"]) == (40, 3)
    kept = seen["diagnoses"][found["classification"]["ccv4"]["diagnosis"]]
    assert f"Chicago v4.0: keeps the diagnosis in {kept} of 40 draws; otherwise" in done.stderr
    assert "Chicago v3.0: keeps the diagnosis" in done.stderr
    assert "decided by percentage of premature swallows" in " ".join(done.stderr.split())


def test_few_swallows_are_said_to_be_few(files):
    done = run(files, "--stability-draws", 20)
    assert json.loads(done.stdout)["study"]["n_evaluable"] == 6
    assert "Only 4 evaluable swallows (supine)" in done.stderr


def test_nothing_without_the_option(files):
    done = run(files)
    assert "Stability" not in done.stderr
    assert "stability" not in json.loads(done.stdout)["classification"]["ccv4"]


def test_a_study_that_cannot_be_perturbed_says_why(files):
    done = run(files, "--stability", "--prior-surgery", "myotomy")
    assert done.exit_code == 0
    assert "Chicago v4.0: not known: operation on the foregut" in " ".join(done.stderr.split())


@pytest.mark.parametrize("options", [("--stability-draws", "0"), ("--stability-seed", "-1")])
def test_options_out_of_range_are_refused(files, options):
    done = run(files, *options)
    assert done.exit_code == 2
    assert options[0] in done.stderr


def block(**changed):
    usual = {
        "agreement": 0.824,
        "runner_up": "egjoo",
        "diagnoses": {"normal": 412, "egjoo": 88},
        "drivers": [{"quantity": "irp4s", "row": "r", "draws": 88}],
        "draws": 500,
        "seed": 0,
        "status": "ok",
    }
    return {"diagnosis": "normal", "limited": False, "stability": usual | changed}


def lines(swallows=(), **changed):
    trees = {"ccv4": block(**changed), "ccv3": block()}
    return list(stability_lines({"classification": trees, "swallows": list(swallows)}))


def test_the_words_of_a_line():
    known = (
        "Chicago v4.0: keeps the diagnosis in 412 of 500 draws; otherwise "
        "Esophagogastric junction outflow obstruction in 88; decided by IRP-4s (88)"
    )
    assert " ".join(lines()[1].split()) == known


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ("percent_failed", "percentage of failed swallows (88)"),
        ("percent_absent", "percentage of swallows without peristalsis (88)"),
        ("no_evaluable_swallow", "no evaluable swallow (88)"),
    ],
)
def test_quantities_in_words(quantity, words):
    driver = {"quantity": quantity, "row": "", "draws": 88}
    assert words in " ".join(lines(drivers=[driver])[1].split())


def test_swallows_whose_type_changes_are_named():
    rows = [
        {"id": 1, "type": "normal", "type_stability": {"agreement": 1.0, "runner_up": None}},
        {"id": 2, "type": "premature", "type_stability": {"agreement": 0.66, "runner_up": "weak"}},
        {"id": 3, "type": None, "type_stability": None},
    ]
    assert lines(rows)[-1] == "  Type of a swallow changes: 2 (premature 66%)"
