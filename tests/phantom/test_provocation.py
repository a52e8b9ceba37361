"""Multiple rapid swallows and rapid drinking: laid out, inhibited and answered as asked."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.errors import ParameterError
from hrm.phantom import Provocation, draw, sample, swallow_table, truth
from tests.phantom.studies import drawn, drawn_truth


@cache
def study_with(phenotype="normal", **options):
    return draw(phenotype, seed=0, n_upright=2, provocation=Provocation(**options))


@cache
def truth_with(phenotype="normal", **options):
    return truth(study_with(phenotype, **options), offset_cm=12.25)


def onsets(phantom, protocol):
    return np.array([item.onset_s for item in phantom.swallows if item.protocol == protocol])


def test_without_tests_the_study_is_the_same():
    assert draw("normal", seed=0, n_upright=2, provocation=Provocation(mrs_runs=0)) == drawn(
        "normal", 0
    )
    assert drawn_truth("normal", 0)["provocation"] == {"mrs": None, "rdc": None}


def test_supine_single_swallows_stay_as_they_were():
    names = ("onset_s", "dci_mmhg_s_cm", "distal_latency_s", "irp4s_mmhg", "break_cm")
    with_test, plain = truth_with(mrs_runs=2)["swallows"], drawn_truth("normal", 0)["swallows"]
    for row, same in zip(with_test[:10], plain[:10], strict=True):
        for name in names:
            # The later posture change is felt in the last digits, and by the fits.
            if same[name] is None:
                assert row[name] is None
            else:
                assert row[name] == pytest.approx(same[name], rel=1e-3, abs=1e-3)


def test_layout_of_a_run_of_rapid_swallows():
    phantom = study_with(mrs_runs=2)
    at = onsets(phantom, "mrs").reshape(2, 5)
    gaps = np.diff(at, axis=1)
    assert 2.0 <= gaps.min() <= gaps.max() <= 3.0
    assert (at[:, -1] - at[:, 0]).max() <= 10.0
    supine = [item.onset_s for item in phantom.swallows if item.posture == "supine"]
    assert at[0, 0] - supine[9] >= 29.0
    assert at[1, 0] - at[0, -1] >= 29.0
    assert phantom.upright_s - at[-1, -1] >= 15.0
    assert {item.posture for item in phantom.swallows if item.protocol == "mrs"} == {"supine"}


def test_rapid_drinking_is_upright_and_quick_and_lasts_some_20_s():
    phantom = study_with(mrs_runs=0, rdc="normal")
    at = onsets(phantom, "rdc")
    assert 1.5 < np.diff(at).min() < np.diff(at).max() < 2.5
    assert 15.0 < at[-1] - at[0] < 32.0
    assert at[0] > phantom.upright_s
    assert at[0] - onsets(phantom, "single")[-1] >= 29.0
    assert phantom.duration_s - at[-1] >= 30.0
    assert {item.posture for item in phantom.swallows if item.protocol == "rdc"} == {"upright"}


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 40),
    ratio=st.floats(0.4, 2.5),
    phenotype=st.sampled_from(["normal", "iem", "egjoo"]),
)
def test_contraction_after_the_run_has_the_asked_share(seed, ratio, phenotype):
    phantom = draw(
        phenotype, seed=seed, n_supine=3, n_upright=0, provocation=Provocation(mrs_ratio=ratio)
    )
    found = truth(phantom)
    mrs = found["provocation"]["mrs"]
    rows = [row for row in found["swallows"] if row["protocol"] == "single"]
    single = np.mean([row["dci_mmhg_s_cm"] for row in rows])
    assert mrs["single_dci_mean_mmhg_s_cm"] == pytest.approx(single)
    if single > 50:
        assert mrs["ratio"] == pytest.approx(ratio, rel=0.02)
    assert mrs["ratio"] == pytest.approx(mrs["runs"][0]["dci_after_mmhg_s_cm"] / single)


def test_no_contraction_after_the_run():
    mrs = truth_with(mrs_ratio=0.0)["provocation"]["mrs"]
    assert mrs["ratio"] < 0.02


def test_the_largest_contraction_of_all_runs_counts():
    mrs = truth_with("iem", mrs_runs=3, mrs_ratio=1.3)["provocation"]["mrs"]
    sizes = [run["dci_after_mmhg_s_cm"] for run in mrs["runs"]]
    assert len(sizes) == 3
    assert mrs["ratio"] == pytest.approx(max(sizes) / mrs["single_dci_mean_mmhg_s_cm"])


@pytest.mark.parametrize("inhibited", [True, False])
@pytest.mark.parametrize("phenotype", ["normal", "iem", "achalasia_type_1"])
def test_inhibition_during_the_run(phenotype, inhibited):
    phantom = study_with(phenotype, mrs_inhibited=inhibited)
    found = truth_with(phenotype, mrs_inhibited=inhibited)
    run = found["provocation"]["mrs"]["runs"][0]
    assert run["inhibited"] is inhibited
    assert (run["dci_during_mmhg_s_cm"] < 100.0) is inhibited
    z = np.linspace(phantom.anatomy.transition_cm, found["landmarks"]["les_upper_cm"] + 12.25, 400)
    t = np.arange(run["start_s"] + 0.5, run["stop_s"] + 0.5, 0.01)
    excess = np.maximum(phantom.pressure(t, z) - 20.0, 0.0)
    total = np.trapezoid(np.trapezoid(excess, z, axis=0), t)
    assert run["dci_during_box_mmhg_s_cm"] == pytest.approx(total, rel=0.01, abs=2.0)


def test_les_stays_open_during_the_run_only_if_inhibited():
    open_les, closing = (
        truth_with(mrs_inhibited=way)["provocation"]["mrs"]["runs"][0]["les_during_mmhg"]
        for way in (True, False)
    )
    rest = truth_with()["egj"]["basal_end_expiratory_mmhg"]
    assert open_les < rest - 3.0
    assert closing > open_les + 1.5


@pytest.mark.parametrize("kind", ["normal", "pressurized"])
def test_rapid_drinking_with_and_without_pressurization(kind):
    phantom, found = study_with(rdc=kind), truth_with(rdc=kind)
    rdc = found["provocation"]["rdc"]
    top = found["landmarks"]["ues_lower_cm"] + 12.25 + 1.0
    bottom = found["landmarks"]["les_upper_cm"] + 12.25 - 0.5
    t = np.arange(rdc["start_s"] + 0.5, rdc["stop_s"] + 0.5, 0.01)
    body = phantom.pressure(t, np.linspace(top, bottom, 300))
    for level in (20, 30):
        share = 100 * ((body >= level).mean(axis=0) >= 0.95).mean()
        assert rdc[f"pressurized_{level}_percent"] == pytest.approx(share, abs=1.5)
    assert rdc["inhibited"]
    assert rdc["after_contraction"]
    if kind == "normal":
        assert rdc["pressurized_20_percent"] < 8.0
        assert rdc["irp4s_mmhg"] < 12.0
    else:
        assert rdc["pressurized_20_percent"] > 25.0
        assert rdc["irp4s_mmhg"] > 12.0
        assert rdc["dci_during_box_mmhg_s_cm"] > 500.0


def test_drinking_without_a_contraction_after_it():
    assert not truth_with(rdc="normal", rdc_after=False)["provocation"]["rdc"]["after_contraction"]


def test_tests_are_no_single_swallows():
    found = truth_with(mrs_runs=2, rdc="normal")
    plain = drawn_truth("normal", 0)
    for row in found["swallows"]:
        assert row["evaluable"] is (row["protocol"] == "single")
    assert found["study"]["n_evaluable"] == 12
    assert found["study"]["percent"] == plain["study"]["percent"]
    name = "irp4s_median_supine_mmhg"
    assert found["study"][name] == pytest.approx(plain["study"][name], abs=1e-6)
    assert found["landmarks"]["transition_zone_cm"] == pytest.approx(
        plain["landmarks"]["transition_zone_cm"], abs=0.3
    )


def test_the_operator_notes_each_run_and_lists_its_swallows():
    phantom = study_with(mrs_runs=2, rdc="normal")
    events = sample(phantom, sampling_rate=10.0)["events"].to_dataset()
    noted = events.isel(event=np.flatnonzero(events["label"].values == "protocol"))
    assert noted["note"].values.tolist() == ["MRS", "MRS", "RDC"]
    runs = onsets(phantom, "mrs").reshape(2, 5)
    np.testing.assert_allclose(noted["onset"].values[:2], runs[:, 0])
    np.testing.assert_allclose(noted["duration"].values[:2], runs[:, -1] - runs[:, 0])
    rows = swallow_table(phantom)
    assert [row["protocol"] for row in rows].count("mrs") == 10
    markers = events["onset"].values[events["label"].values == "marker"]
    singles = onsets(phantom, "single")
    assert np.abs(markers[:, None] - singles).min(axis=1).max() < 10.0


def test_a_pharyngeal_wave_and_a_ues_relaxation_for_every_rapid_swallow():
    phantom, found = study_with(rdc="normal"), truth_with(rdc="normal")
    ues = phantom.anatomy.ues_cm
    for row in found["swallows"][10:]:
        t = row["onset_s"] + np.arange(0.0, 1.0, 0.01)
        assert phantom.pressure(t, [ues - 4.0]).max() > 30.0
        assert row["ues_residual_mmhg"] < 0.5 * found["ues"]["resting_mmhg"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mrs_runs": 4}, "mrs_runs"),
        ({"mrs_ratio": -1.0}, "mrs_ratio"),
        ({"mrs_ratio": float("nan")}, "mrs_ratio"),
        ({"rdc": "beer"}, "rdc must be one of"),
    ],
)
def test_arguments_that_cannot_be_used(wrong, message):
    with pytest.raises(ParameterError, match=message):
        Provocation(**wrong)


def test_drinking_needs_an_upright_block():
    with pytest.raises(ParameterError, match="n_upright"):
        draw("normal", seed=0, n_upright=0, provocation=Provocation(rdc="normal"))
