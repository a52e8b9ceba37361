"""Sphincters, body and provocation tests through the whole engine, against the phantom's truth."""

import math

import numpy as np
import pytest

import hrm
from hrm import phantom
from hrm.detect.breaths import breaths_between_swallows
from hrm.detect.proposal import propose
from tests.detect.signals import LES, PARAMETERS, Act, study

TESTS = phantom.Provocation(mrs_runs=2, mrs_ratio=1.5, rdc="pressurized", rdc_after=True)
STUDIES = {
    "normal": ("normal", 31, {}, {}),
    "type II": ("achalasia_type_2", 32, {}, {}),
    "hypercontractile": ("hypercontractile", 33, {}, {}),
    "hernia": ("normal", 34, {"hernia_cm": 4.0}, {}),
    "tests": ("normal", 35, {"provocation": TESTS}, {}),
    "noisy": ("normal", 36, {}, {"noise_mmhg": 3.0}),
}
#: Greatest distance of the study's median from the truth's [mmHg, but %: of the truth].
MEDIANS = {
    **dict.fromkeys(("irp02s_mmhg", "irp1s_mmhg", "irp2s_mmhg", "irp3s_mmhg", "irp5s_mmhg"), 2.0),
    "ues_residual_mmhg": 2.0,
    "ues_irp02s_mmhg": 3.0,
    "ibp_mean_mmhg": 2.0,
    "cfv_cm_s": 0.4,
}


@pytest.fixture(scope="module", params=STUDIES)
def pair(request):
    phenotype, seed, how, sampling = STUDIES[request.param]
    made = phantom.draw(phenotype, seed=seed, n_supine=4, n_upright=1, **how)
    recording = phantom.sample(made, sampling_rate=50.0, **sampling)
    result = hrm.to_dict(hrm.analyze(recording, swallows=phantom.swallow_table(made)))
    return result, phantom.truth(made, offset_cm=phantom.default_offset(made)), request.param


def test_every_swallow_metric_is_near_the_truth(pair):
    result, truth, _ = pair
    rows = [row for row in result["swallows"] if row["protocol"] != "mrs" and row["evaluable"]]
    known = [row for row in truth["swallows"] if row["evaluable"]]
    for name, room in MEDIANS.items():
        a, b = ([row[name] for row in each if row[name] is not None] for each in (rows, known))
        assert len(a) == len(b)
        if a:
            assert np.median(a) == pytest.approx(np.median(b), abs=room), name


def test_the_junction_is_near_the_truth(pair):
    result, truth, name = pair
    for key in ("egj_ci_mmhg_cm", "egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm"):
        seen, known = result["egj"][key], truth["egj"][key]
        assert (seen is None) == (known is None), key
        if seen is None:
            assert result["egj"]["status"][key] == "not_separated"
        else:
            assert seen == pytest.approx(known, rel=0.06, abs=1.0), key
    assert result["ues"]["ues_resting_mmhg"] == pytest.approx(
        truth["ues"]["resting_mmhg"], rel=0.05
    )
    assert (
        (result["egj"]["hernia_ccv3"] == "hernia") == truth["egj"]["hernia"] == (name == "hernia")
    )
    separation = truth["egj"]["les_cd_separation_cm"]
    assert result["egj"]["les_cd_separation_cm"] == pytest.approx(separation, abs=0.7)


def test_the_cut_offs_of_a_hernia_differ_between_2_and_3_cm():
    made = phantom.draw("normal", seed=37, n_supine=1, n_upright=0, hernia_cm=2.5)
    egj = hrm.to_dict(hrm.analyze(phantom.sample(made, sampling_rate=20.0)))["egj"]
    assert 2.0 < egj["les_cd_separation_cm"] < 3.0
    assert (egj["hernia_ccv3"], egj["hernia_alternative"]) == ("hernia", "none")
    assert egj["morphology"] in ("IIIa", "IIIb")
    assert egj["morphology_alternative"] == "II"


def test_the_gastric_reference_of_a_hernia_is_below_the_diaphragm(pair):
    result, truth, name = pair
    if name == "hernia":
        known = truth["landmarks"]["gastric_reference_mmhg"]
        assert result["landmarks"]["gastric_reference_mmhg"] == pytest.approx(known, abs=0.6)


def test_the_provocation_tests_are_near_the_truth(pair):
    result, truth, name = pair
    found, known = result["provocation"], truth["provocation"]
    assert (found["mrs"] is None, found["rdc"] is None) == (name != "tests",) * 2
    if name != "tests":
        return
    mrs = found["mrs"]
    assert mrs["ratio"] == pytest.approx(known["mrs"]["ratio"], rel=0.03)
    assert (mrs["reserve"], mrs["status"]) == (True, {})
    for run, drawn in zip(mrs["runs"], known["mrs"]["runs"], strict=True):
        assert len(run["swallows"]) == len(drawn["onsets_s"])
        assert run["start_s"] == pytest.approx(drawn["start_s"], abs=0.1)
        assert run["inhibited"] is drawn["inhibited"] is True
        for key in ("dci_during_mmhg_s_cm", "dci_after_mmhg_s_cm"):
            assert run[key] == pytest.approx(drawn[key], rel=0.03, abs=20.0)
        assert run["les_during_mmhg"] == pytest.approx(drawn["les_during_mmhg"], abs=3.0)
    (run,) = found["rdc"]["runs"]
    for level, key in ((20, "low"), (30, "high")):
        share = known["rdc"][f"pressurized_{level}_percent"]
        assert run[f"pressurized_{key}_percent"] == pytest.approx(share, abs=3.0)
    # The body does not contract, but pressure stands in the LES.
    assert run["dci_during_mmhg_s_cm"] < 100
    assert run["inhibited"] is False
    assert run["inhibited_by"] == ["irp4s.manoscan.upright.v4"]
    assert run["contraction_after"] is known["rdc"]["after_contraction"]
    assert set(run["inhibited_by"]) <= set(result["engine"]["limit_ids"])
    assert found["upright"]["n_evaluable"] == 1


def test_without_a_posture_there_is_no_reserve():
    tests = phantom.Provocation(mrs_runs=1)
    made = phantom.draw("normal", seed=35, n_supine=1, n_upright=0, provocation=tests)
    rows = [{**row, "posture": "unknown"} for row in phantom.swallow_table(made)]
    result = hrm.to_dict(hrm.analyze(phantom.sample(made, sampling_rate=20.0), swallows=rows))
    mrs = result["provocation"]["mrs"]
    assert (mrs["ratio"], mrs["reserve"]) == (None, None)
    assert mrs["status"]["ratio"] == "no_supine_single_swallow"
    assert {run["inhibited"] for run in mrs["runs"]} <= {None, False}


def test_a_contraction_of_the_upper_sphincter_survives_the_noise_filter(pair):
    result, _, name = pair
    if name == "noisy":
        assert result["study"]["filtered"]
        for row in result["swallows"]:
            assert row["ues_residual_mmhg"] == row["ues_residual_mmhg_unfiltered"]


def test_breaths_are_found_between_swallows_only():
    pressure = study(*(Act(at) for at in (30.0, 62.0)), duration=120.0)
    proposal = propose(pressure, hints=[], stated=[], parameters=PARAMETERS)
    onsets = [onset.time_s for onset in proposal.onsets]
    found = breaths_between_swallows(
        pressure, onsets=onsets, marks=proposal.landmarks, parameters=PARAMETERS
    )
    assert len(found) == 3
    assert proposal.landmarks.les_peak_cm == pytest.approx(LES, abs=0.2)
    for stretch in found:
        peaks = stretch.start_s + stretch.inspiration / 50.0
        assert ((peaks >= stretch.start_s) & (peaks < stretch.stop_s)).all()
        # Drawn breaths of 4 s, inspiration at whole multiples.
        away = np.abs(peaks / 4.0 - np.round(peaks / 4.0)) * 4.0
        assert np.median(away) < 0.2
        for onset in onsets:
            assert stretch.stop_s <= onset - 1.0 + 0.03 or stretch.start_s >= onset + 15.0 - 0.03
    lost = breaths_between_swallows(
        pressure,
        onsets=list(np.arange(0.0, 120.0, 10.0)),
        marks=proposal.landmarks,
        parameters=PARAMETERS,
    )
    assert lost == []
    assert math.isfinite(proposal.landmarks.gastric_reference_mmhg)
