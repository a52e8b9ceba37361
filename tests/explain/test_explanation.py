"""What is asked for, what is refused, and the definition that stands beside a number."""

import json
import math

import pytest

import hrm
from hrm import phantom
from hrm.annotate import follow_up
from hrm.edits import Change
from hrm.errors import ParameterError, SchemaError
from hrm.explain import Workings, explain_metric, find_metric, lines
from tests.explain.recompute import recompute


@pytest.mark.parametrize(
    ("given", "name"),
    [
        *[("irp4s", "irp4s_mmhg"), ("IRP4S_mmhg", "irp4s_mmhg"), ("dci", "dci_mmhg_s_cm")],
        *[("distal_latency", "distal_latency_s"), ("peaks", "peaks"), ("dpe", "dpe")],
        ("dci_mmhg_s_cm_unfiltered", "dci_mmhg_s_cm_unfiltered"),
    ],
)
def test_a_metric_is_found_with_or_without_its_unit(given, name):
    assert find_metric(given) == name


@pytest.mark.parametrize("given", ["irp4", "", "gastric_reference_unfiltered", "dpe_unfiltered"])
def test_an_unknown_metric_is_refused(given):
    with pytest.raises(ParameterError, match="unknown metric"):
        find_metric(given)


def test_a_near_name_is_offered():
    with pytest.raises(ParameterError, match="did you mean irp4s"):
        find_metric("irp4")


@pytest.mark.parametrize(
    ("metric", "swallow", "message"),
    [
        ("irp4s", None, "one of the swallows 1 to .*; none was named"),
        ("irp4s", 0, "got 0"),
        ("irp4s", 99, "got 99"),
        ("gastric_reference", 1, "is a number of the study"),
        ("mrs_dci_after", 1, "in no run of MRS; they hold the swallows"),
        ("irp4s_unfiltered", 1, "the noise filter did not apply"),
    ],
)
def test_what_cannot_be_asked_is_refused(study, workings, metric, swallow, message):
    with pytest.raises(ParameterError, match=message):
        explain_metric(study("tests"), metric, swallow, workings=workings("tests"))


def test_a_study_without_swallows_has_none_to_explain():
    made = phantom.draw("normal", seed=1, n_supine=1, n_upright=0)
    recording = phantom.sample(made, sampling_rate=20.0)
    quiet = recording["pressure"].to_dataset().isel(time=slice(0, 500))["pressure"]
    rest = hrm.make_recording(quiet.values.T, sampling_rate=20.0, depth=quiet["depth"].values)
    with pytest.raises(ParameterError, match="none was found"):
        explain_metric(hrm.analyze(rest), "irp4s", 1)
    assert explain_metric(hrm.analyze(rest), "n_swallows").value == 0


def test_a_recording_without_results_is_refused():
    made = phantom.draw("normal", seed=1, n_supine=1, n_upright=0)
    with pytest.raises(SchemaError, match=r"run hrm\.analyze"):
        explain_metric(phantom.sample(made, sampling_rate=20.0), "irp4s", 1)


def test_a_number_that_does_not_come_out_again_is_not_explained(study):
    changed = study("hernia").copy(deep=True)
    changed["swallows"]["irp4s_mmhg"][0] += 0.01
    with pytest.raises(SchemaError, match="does not come out again"):
        explain_metric(changed, "irp4s", 1)
    assert explain_metric(changed, "irp4s", 2).status == "ok"


def test_results_of_another_version_are_not_explained(study):
    old = study("hernia").copy()
    old.attrs["engine_version"] = "0.0.9"
    with pytest.raises(SchemaError, match=r"of hrm 0\.0\.9"):
        explain_metric(old, "irp4s", 1)


def test_a_saved_study_is_explained_alike(study, tmp_path):
    hrm.write_native(study("hernia"), tmp_path / "study.h5")
    again = hrm.open_recording(tmp_path / "study.h5")
    for metric, swallow in (("dci", 1), ("egj_ci", None), ("solid_percent_effective", None)):
        mine = explain_metric(study("hernia"), metric, swallow).to_dict()
        assert explain_metric(again, metric, swallow).to_dict() == mine


def test_a_review_is_laid_over_again_without_its_log(study):
    tree = study("hernia")
    marks = hrm.to_dict(tree)["landmarks"]
    onset = hrm.to_dict(tree)["swallows"][1]["onset_s"]
    changes = [
        Change("landmarks", "les_upper_cm", marks["les_upper_cm"] - 0.4),
        Change("landmarks", "gastric_reference_mmhg", 6.0),
        Change(f"swallow@{onset:.2f}", "onset_s", round(onset + 0.3, 2)),
    ]
    given = {"sha256": str(tree.attrs["source_sha256"]), "reader": "AB", "reason": "better"}
    given["utc"] = "2026-01-31T09:30:00Z"
    edits = follow_up([], changes, **given, engine=hrm.__version__)
    seen = hrm.analyze(tree, review=edits)
    own = Workings(seen)
    for metric, swallow in (("irp4s", 1), ("irp4s", 2), ("dci", 2), ("basal_mean", None)):
        found = explain_metric(seen, metric, swallow, workings=own)
        assert recompute(found) == pytest.approx(found.value, rel=2e-6)
    assert explain_metric(seen, "irp4s", 1).value != explain_metric(tree, "irp4s", 1).value
    assert explain_metric(seen, "onset_s", 2, workings=own).evidence.notes == (
        "the time is a reader's",
    )
    for metric in ("les_upper", "gastric_reference"):
        assert "set by a reader" in explain_metric(seen, metric, workings=own).evidence.notes


def test_the_unfiltered_number_is_explained_too(study, workings):
    tree, own = study("noisy"), workings("noisy")
    both = [explain_metric(tree, f"dci{tail}", 1, workings=own) for tail in ("", "_unfiltered")]
    assert both[0].value != both[1].value
    for found in both:
        assert recompute(found) == pytest.approx(found.value, rel=2e-6)


def test_parameters_are_those_of_the_run(explain):
    found = explain("weak", "irp4s", 1)
    used = {each.key: each for each in found.parameters}
    assert used["gastric.reference"].value == "dynamic"
    assert used["gastric.reference"].changed
    assert not used["irp.window_s"].changed
    text = "\n".join(lines(found))
    assert "gastric.reference = dynamic (default constant)" in text
    assert "irp.window_s = 10.0 s (read in the source: GHO07, SPEC 4)" in text


def test_the_limit_says_whether_the_number_is_beyond(explain):
    found = explain("type II", "irp4s", 1)
    rows = {held.limit.id: held.beyond for held in found.limits}
    assert rows["irp4s.manoscan.supine.v4"] is (found.value >= 15.0)
    assert {ref.key for ref in found.references} >= {"GHO07", "YAD21"}
    failed = {held.limit.id: held.beyond for held in explain("type II", "dci", 1).limits}
    assert failed["dci_failed.any.any.v4"] is True
    assert failed["dci_hypercontractile.any.any.v4"] is False
    assert failed["contour_break.any.any.v4"] is None
    upright = explain("type II", "irp4s_median_upright").limits[0].limit
    assert (upright.id, upright.position) == ("irp4s.manoscan.upright.v4", "upright")


def test_the_users_own_limit_comes_first(study):
    again = hrm.analyze(study("hernia"), irp_limit=3.5)
    held = explain_metric(again, "irp4s_median_supine").limits[0]
    assert (held.limit.id, held.limit.value, held.beyond) == ("user", 3.5, True)
    row = "irp4s.mms_wp.supine.v4.bra"
    named = hrm.analyze(study("hernia"), irp_limit=row)
    assert explain_metric(named, "irp4s_median_supine").limits[0].limit.id == row


def test_json_is_strict_and_complete(explain):
    for metric, swallow in (("dci", 1), ("cfv", 1), ("onset_s", 1), ("crural_diaphragm", None)):
        found = explain("tests", metric, swallow)
        out = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert out["name"] == found.name
        assert out["row"]["definition"] == found.row.definition
        assert [mark["kind"] for mark in out["evidence"]["marks"]] == [
            type(mark).__name__ for mark in found.marks
        ]
        assert out["evidence"]["field"] is None


def test_json_of_a_region_keeps_what_counts(explain):
    region = explain("type II", "dci", 1).marks[0]
    plain = explain("type II", "dci", 1).to_dict()["evidence"]["marks"][0]
    count = sum(stop - start for row in plain["inside"] for start, stop in row)
    assert count == region.inside.sum() < region.inside.size
    assert "values" not in plain


def test_the_text_names_value_samples_and_source(explain):
    found = explain("tests", "irp4s", 1)
    text = "\n".join(lines(found))
    assert max(map(len, text.splitlines())) <= 100
    trace = found.evidence.traces[0]
    for part in (
        "irp4s_mmhg - integrated relaxation pressure, 4 s (swallow 1)",
        f"{found.value:.3f}".rstrip("0") + " mmHg",
        f"{int(trace.used.sum())} samples from {trace.time[trace.used][0]:.2f}",
        *("need not be contiguous", "formula", "citation      GHO07", found.engine),
    ):
        assert part in text


def test_a_missing_number_says_why_in_words(explain):
    found = explain("type II", "distal_latency", 1)
    assert (found.value, found.status) == (None, "no_contraction")
    assert "status        nothing contracts" in "\n".join(lines(found))
    assert math.isfinite(found.evidence.onset_s)
    assert found.evidence.field is not None
    undone = explain("tests", "solid_counted")
    assert (undone.status, undone.evidence.marks) == ("not_done", ())


def test_a_run_is_chosen_by_any_of_its_swallows(study, explain):
    runs = hrm.to_dict(study("tests"))["provocation"]["mrs"]["runs"]
    assert len(runs) == 2
    second = explain("tests", "mrs_start_s", runs[1]["swallows"][2])
    assert second.value == runs[1]["start_s"]
    assert explain("tests", "mrs_start_s").value == runs[0]["start_s"]
    assert "run 2 of 2" in second.evidence.notes[-1]
