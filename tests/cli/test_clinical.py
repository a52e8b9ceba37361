"""hrm analyze: what is said of the patient, the classification in the summary, the report."""

import json
from pathlib import Path

import pytest

import hrm
from hrm.phantom import draw, sample, swallow_table, write_manoview


def recorded(folder, phenotype, n_supine, n_upright):
    drawn = draw(phenotype, seed=8, n_supine=n_supine, n_upright=n_upright)
    path, table = folder / f"{phenotype}.txt", folder / f"{phenotype}.csv"
    write_manoview(sample(drawn, sampling_rate=20.0), path)
    rows = [f"{row['onset_s']:.3f},{row['posture']}" for row in swallow_table(drawn)]
    table.write_text("\n".join(["onset_s,posture", *rows]) + "\n", encoding="utf-8")
    return (path, "--system", "manoscan", "--swallows", table)


@pytest.fixture(scope="module")
def egjoo(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("egjoo"), "egjoo", 7, 3)


@pytest.fixture(scope="module")
def spastic(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("des"), "des", 7, 0)


def verdicts(done):
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["classification"]


def flat(done):
    return " ".join(done.stdout.split())


def test_symptoms_and_a_test_make_a_pattern_conclusive(run, egjoo):
    bare = verdicts(run("analyze", *egjoo, "--json", "-"))["ccv4"]
    assert (bare["diagnosis"], bare["conclusive"]) == ("egjoo", False)
    for options, conclusive in (
        (("--symptoms", "dysphagia", "--tbe", "abnormal"), True),
        (("--symptoms", "chest_pain, dysphagia", "--flip", "abnormal"), True),
        (("--symptoms", "dysphagia", "--tbe", "normal", "--flip", "normal"), False),
        (("--symptoms", "none", "--tbe", "abnormal"), False),
        (("--tbe", "abnormal"), False),
    ):
        found = verdicts(run("analyze", *egjoo, *options, "--json", "-"))["ccv4"]
        assert (found["diagnosis"], found["conclusive"]) == ("egjoo", conclusive), options


def test_opioids_are_named_where_they_may_be_the_cause(run, spastic):
    for given, named in ((("--opioids", "yes"), True), (("--opioids", "no"), False), ((), False)):
        found = verdicts(run("analyze", *spastic, *given, "--json", "-"))["ccv4"]
        assert ("repeat_off_opioids" in found["considerations"]) is named
    assert "opioids can cause this pattern" in flat(run("analyze", *spastic, "--opioids", "yes"))


def test_an_operation_takes_the_label_and_gives_values(run, egjoo):
    done = run("analyze", *egjoo, "--prior-surgery", "myotomy", "--json", "out.json")
    found = json.loads(Path("out.json").read_text(encoding="utf-8"))["classification"]
    assert found["ccv4"]["diagnosis"] == found["ccv3"]["diagnosis"] == "not_classified"
    text = flat(done)
    assert "Not classified" in text
    assert "After treatment" in text
    assert f"{found['post_treatment']['irp4s_median_supine_mmhg']:.1f} mmHg" in text
    assert "do not call obstruction" in text
    assert "outflow obstruction" not in text
    none = run("analyze", *egjoo, "--prior-surgery", "none", "--json", "-")
    assert verdicts(none)["ccv4"]["diagnosis"] == "egjoo"
    assert "post_treatment" not in verdicts(none)


def test_the_summary_shows_both_versions_with_every_rule(run, egjoo):
    done = run("analyze", *egjoo, "--json", "out.json")
    found = json.loads(Path("out.json").read_text(encoding="utf-8"))["classification"]
    text = flat(done)
    assert "CC v4.0 CC v3.0" in text
    assert "Esophagogastric junction outflow" in text
    assert "NOT conclusive" in text
    for name in ("ccv4", "ccv3"):
        for rule in found[name]["rationale"]:
            said = "yes" if rule["met"] else "no"
            assert f"{said} {rule['rule']}: " in text
            assert rule["citation"] in text
            assert rule["row"] in text
    assert "a timed barium esophagram or FLIP should settle it" in text


def test_the_summary_says_why_the_versions_differ(run, tmp_path_factory):
    path = recorded(tmp_path_factory.mktemp("fragmented"), "fragmented_peristalsis", 10, 0)
    done = run("analyze", *path, "--json", "out.json")
    found = json.loads(Path("out.json").read_text(encoding="utf-8"))["classification"]
    assert found["ccv3"]["diagnosis"] == "fragmented_peristalsis"
    assert found["ccv4"]["diagnosis"] == "iem"
    assert f"Why they differ {found['difference']}" in flat(done)


def test_the_summary_shows_what_it_would_be(run, egjoo):
    done = run("analyze", egjoo[0], "--system", "manoscan")
    text = flat(done)
    assert "no label is given" in text
    assert (
        "It would be Medtronic ManoScan, supine, IRP limit 15 mmHg (irp4s.manoscan.supine.v4)"
        in text
    )


def test_a_row_as_irp_limit(run, egjoo):
    row = "irp4s.laborie_ss.supine.v4.bogte2013"
    done = run("analyze", *egjoo, "--irp-limit", row, "--json", "out.json")
    result = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert result["engine"]["irp_limit"]["value_mmhg"] == 28.0
    for name in ("ccv4", "ccv3"):
        (first, *_) = result["classification"][name]["rationale"]
        assert (first["row"], first["limit"]) == (row, 28.0)
        assert result["classification"][name]["conclusive"] is False
    text = flat(done)
    assert f">= 28 mmHg; --irp-limit: {row}, Bogte 2013" in text
    assert "the IRP limit is the user's" in text


def test_a_report_is_written_beside_the_rest(run, mms):
    done = run(
        "analyze",
        mms,
        *("--catheter", "CE4-0062", "--system", "manoscan", "--posture", "supine"),
        *("--report", "out.pdf", "--json", "out.json", "--colors", "accessible", "--save", "a.h5"),
        *("--reason-for-referral", "Globus of Mr. Roe", "--clinical-diagnosis", "Zenker's"),
    )
    assert done.exit_code == 0, done.stderr
    assert "wrote out.pdf" in done.stderr
    content = Path("out.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"DOE" not in content
    rest = [done.output.encode(), Path("out.json").read_bytes(), Path("a.h5").read_bytes()]
    rest.append(str(hrm.open_recording("a.h5")).encode())
    for output in rest:
        assert b"Globus" not in output
        assert b"Zenker" not in output
    again = run("analyze", mms, "--catheter", "CE4-0062", "--report", "out.pdf")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert Path("out.pdf").read_bytes() == content
