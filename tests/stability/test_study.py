"""Stability of whole studies: in the tree, in the contract, and where there is none."""

import copy
import json

import jsonschema
import numpy as np
import pytest

import hrm
from hrm import phantom
from hrm.annotate import append, log_path, read_log
from hrm.catalog import result_schema
from hrm.edits import Change
from hrm.errors import ParameterError
from tests.stability.studies import CLINICAL, recorded

#: Phenotype, seed, and whether its deciding quantity lies within 5 % of its limit.
EDGE = ("des", 3, True)
SCHEMA = jsonschema.Draft202012Validator(result_schema())


def result(key, **options):
    recording, said = recorded(*key)
    return hrm.to_dict(hrm.diagnosis_stability(recording, **{**said, **options}))


def without(found):
    """The contract as it is when nobody asks for the stability."""
    out = copy.deepcopy(found)
    for version in ("ccv4", "ccv3"):
        del out["classification"][version]["stability"]
    for row in out["swallows"]:
        del row["type_stability"]
    return out


@pytest.fixture(scope="module")
def edge():
    return result(EDGE, draws=60, seed=7)


def test_it_is_the_analysis_and_the_stability(edge):
    recording, said = recorded(*EDGE)
    assert without(edge) == hrm.to_dict(hrm.analyze(recording, **said))
    SCHEMA.validate(edge)
    for version in ("ccv4", "ccv3"):
        seen = edge["classification"][version]["stability"]
        assert (seen["draws"], seen["seed"], seen["status"]) == (60, 7, "ok")
        assert sum(seen["diagnoses"].values()) == 60


def test_a_study_on_the_edge_says_so(edge):
    seen = edge["classification"]["ccv4"]["stability"]
    assert seen["agreement"] < 0.95
    assert seen["runner_up"] is not None
    assert seen["drivers"][0]["draws"] >= seen["drivers"][-1]["draws"]


def test_a_study_far_from_the_edge_says_so_too():
    found = result(("absent_contractility", 4), draws=60)
    assert found["classification"]["ccv4"]["stability"]["agreement"] == 1.0
    kept = [row["type_stability"] for row in found["swallows"] if row["evaluable"]]
    assert kept == [{"agreement": 1.0, "runner_up": None}] * 6


def test_the_same_seed_gives_the_same_result(edge):
    again = result(EDGE, draws=60, seed=7)
    assert json.dumps(again) == json.dumps(edge)
    other = result(EDGE, draws=60, seed=8)
    assert other["classification"] != edge["classification"]
    assert without(other) == without(edge)


def test_a_saved_study_gives_the_same_answer(tmp_path):
    recording, said = recorded(*EDGE)
    study = hrm.diagnosis_stability(recording, draws=20, **said)
    path = tmp_path / "study.h5"
    hrm.write_native(study, path)
    assert hrm.to_dict(hrm.open_recording(path)) == hrm.to_dict(study)


def test_nothing_is_said_where_it_was_not_asked():
    recording, said = recorded(*EDGE)
    found = hrm.to_dict(hrm.analyze(recording, **said))
    assert "stability" not in found["classification"]["ccv4"]
    assert all("type_stability" not in row for row in found["swallows"])
    SCHEMA.validate(found)


def test_with_no_perturbation_only_the_swallows_vary():
    still = {
        f"stability.{name}": 0.0
        for name in (
            *("border_cm", "onset_s", "gastric_mmhg", "drift_mmhg"),
            *("dci_mmhg_s_cm", "break_share"),
        )
    }
    found = result(EDGE, draws=60, parameters=still)
    kinds = [row["type_stability"] for row in found["swallows"] if row["evaluable"]]
    assert kinds == [{"agreement": 1.0, "runner_up": None}] * len(kinds)
    uniform = result(("achalasia_type_1", 4), draws=60, parameters=still)
    assert uniform["classification"]["ccv4"]["stability"]["agreement"] == 1.0


def unknown(found, reason):
    SCHEMA.validate(found)
    for version in ("ccv4", "ccv3"):
        seen = found["classification"][version]["stability"]
        assert seen["status"] == reason
        assert seen["agreement"] is seen["runner_up"] is None
        assert seen["drivers"] == []


def test_a_study_without_landmarks_cannot_be_perturbed():
    made = phantom.draw("normal", seed=5, n_supine=3, n_upright=0)
    recording = phantom.sample(made, catheter=tuple(range(24)), sampling_rate=20.0)
    found = hrm.to_dict(hrm.diagnosis_stability(recording, posture="supine", system="manoscan"))
    assert found["landmarks"]["les_upper_cm"] is None
    unknown(found, "landmark_missing")
    assert all(row["type_stability"] is None for row in found["swallows"])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"clinical": {**CLINICAL, "prior_surgery": "myotomy"}}, "prior_surgery"),
        ({"system": "starlet"}, "no_irp_limit_for_system"),
        ({"swallows": None}, "posture_unknown"),
    ],
)
def test_what_is_not_classified_has_no_stability(said, reason):
    found = result(EDGE, draws=20, **said)
    unknown(found, reason)
    # The swallows have types, and these can be perturbed all the same.
    assert any(row["type_stability"] is not None for row in found["swallows"])


def test_a_recording_without_a_swallow_has_none():
    values = np.zeros((36, 4000)) + np.random.default_rng(0).normal(0, 0.3, (36, 4000))
    recording = hrm.make_recording(
        values, sampling_rate=50.0, depth=range(36), dims=("sensor", "time")
    )
    unknown(hrm.to_dict(hrm.diagnosis_stability(recording)), "landmark_missing")


def test_a_review_is_perturbed_as_corrected(tmp_path):
    recording, said = recorded("achalasia_type_1", 4)
    found = hrm.to_dict(hrm.analyze(recording, **said))
    lower = found["landmarks"]["gastric_reference_mmhg"]
    median = found["study"]["irp4s_median_supine_mmhg"]
    log = log_path(recording.attrs["source_sha256"], tmp_path)
    # With a zero this high the IRP lies near its limit.
    change = Change("landmarks", "gastric_reference_mmhg", lower + median - 15.2)
    append(log, change, reader="AB", sha256=recording.attrs["source_sha256"])
    reviewed = result(("achalasia_type_1", 4), draws=200, review=read_log(log))
    assert reviewed["classification"]["ccv4"]["stability"]["agreement"] < 0.8
    assert reviewed["classification"]["ccv4"]["stability"]["drivers"][0]["quantity"] == "irp4s"
    assert reviewed["review"]["n_edits"] == 1


@pytest.mark.parametrize("said", [{"draws": 0}, {"draws": 200_000}, {"seed": -1}])
def test_draws_and_seed_out_of_range_are_refused(said):
    with pytest.raises(ParameterError):
        result(("absent_contractility", 4), **said)
