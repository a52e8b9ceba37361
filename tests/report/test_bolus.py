"""Impedance, pharynx and quality in words: each number, or why there is none."""

from dataclasses import fields

import numpy as np
import pytest

import hrm
from hrm.bolus import MEDIANS, SWALLOW_METRICS
from hrm.report import bolus, signal
from hrm.report.provoked import provocation_lines, upright_sentence


@pytest.fixture(scope="module")
def result(tested):
    return hrm.to_dict(tested)


def test_every_number_of_a_swallow_has_a_column():
    assert [each.key for each in bolus.COLUMNS] == list(SWALLOW_METRICS)
    assert len({each.heading for each in bolus.COLUMNS}) == len(bolus.COLUMNS)
    assert {field.name for field in fields(bolus.Column)} >= {"unit", "digits"}


def test_the_study_in_lines(result):
    said = dict(bolus.impedance_lines(result))
    block = result["impedance"]
    share, judged = block["percent_complete_transit"], block["n_transit_judged"]
    complete = sum(row["transit"] == "complete" for row in bolus.shown_swallows(result)[:judged])
    assert said["Complete bolus transit"] == f"{share:.0f} % ({complete} of {judged} judged)"
    assert said["Bolus transit time"] == f"{block['transit_time_median_s']:.2f} s (median)"
    assert said["Distal impedance at rest"] == f"{block['distal_baseline_ohm']:.0f} ohm"
    assert said["Bolus flow time"] == "not measured: no bolus"
    assert block["bolus_flow_time_median_s"] is None
    assert len(said) == len(MEDIANS) + 2


def test_a_number_that_is_zero_is_no_missing_one(result):
    block = {**result["impedance"], "pressure_flow_index_median": 0.0}
    said = dict(bolus.impedance_lines({**result, "impedance": block}))
    assert said["Pressure flow index"] == "0.0 (median)"


def test_without_impedance_nothing_is_said(make):
    plain = hrm.to_dict(make("normal", 4))
    assert plain["impedance"] is None
    assert not bolus.has_impedance(plain)
    assert bolus.impedance_lines(plain) == []


def test_unknown_positions_are_one_line(result):
    block = {
        "percent_complete_transit": None,
        "segments": [],
        "status": {"percent_complete_transit": "segment_positions_unknown"},
        "swallows": [],
    }
    said = bolus.impedance_lines({**result, "impedance": block})
    assert said == [("Impedance", "not measured: segment positions unknown")]


def test_swallows_of_a_test_are_not_listed_one_by_one(result):
    kinds = {row["id"]: row["protocol"] for row in result["swallows"]}
    assert {"mrs", "rdc"} <= set(kinds.values())
    shown = {kinds[row["id"]] for row in bolus.shown_swallows(result)}
    assert shown == {"single"}


def row(number, **numbers):
    block = {"id": number, "transit": "complete", **dict.fromkeys(SWALLOW_METRICS, 1.0)}
    block |= dict.fromkeys(numbers)
    return {**block, "status": {key: reason for key, reason in numbers.items() if reason}}


def test_notes_put_the_same_reasons_together():
    rows = [
        row(1, bolus_flow_time_s="no_bolus", transit="window_truncated"),
        row(2, bolus_flow_time_s="no_bolus", pharyngeal_ibp_mmhg="no_bolus"),
        row(3, bolus_flow_time_s="no_bolus", pharyngeal_ibp_mmhg="no_bolus", flow_ibp_mmhg=None),
    ]
    assert set(bolus.missing_notes(rows)) == {
        "transit not measured: window truncated (swallow 1)",
        "BFT not measured: no bolus (all swallows)",
        "ph. IBP not measured: no bolus (swallows 2, 3)",
        "IBP not measured (swallow 3)",
    }
    shown = [each.key for each in bolus.shown_columns(rows)]
    assert "bolus_flow_time_s" not in shown
    assert "pharyngeal_ibp_mmhg" in shown


def test_the_pharynx_says_what_it_lacks(result):
    assert bolus.pharynx_lines(result) == [
        ("PhCI, median", "not measured: catheter starts in pharynx")
    ]
    status = dict.fromkeys(
        ("vci_mmhg_s_cm", "mci_mmhg_s_cm", "hpci_mmhg_s_cm"), "pharyngeal_borders_unknown"
    )
    each = {"id": 1, "phci_mmhg_s_cm": 312.4, **dict.fromkeys(status), "status": status}
    block = {"phci_median_mmhg_s_cm": 312.4, "status": {}, "swallows": [each]}
    said = dict(bolus.pharynx_lines({**result, "pharynx": block}))
    assert said["PhCI, median"] == "312 mmHg s cm"
    assert said["PhCI, by swallow"] == "312 (#1)"
    assert said["  mesopharynx"] == "not measured: pharyngeal borders unknown"


def test_tests_state_their_rules(result):
    said = dict(provocation_lines(result))
    assert "DCI < 100 mmHg s cm [dci_failed.any.any.v4]" in said["Multiple rapid swallows"]
    assert "LES not ≥ 15 mmHg [irp4s.manoscan.supine.v4]" in said["Multiple rapid swallows"]
    assert "largest contractile integral after a run, over the mean" in said["Contractile reserve"]
    assert "NOT inhibited" in said["Rapid drinking"]
    assert "30 mmHg for " in said["Rapid drinking"]
    assert "(not failed)" in upright_sentence(result)


def test_a_reserve_that_is_not_known_states_reason_and_rule(result):
    mrs = {**result["provocation"]["mrs"], "ratio": None, "status": {"ratio": "no_swallow"}}
    said = dict(provocation_lines({**result, "provocation": {**result["provocation"], "mrs": mrs}}))
    assert said["Contractile reserve"].startswith("not measured: no swallow (rule: largest")


def test_quality_in_lines(result):
    said = dict(signal.quality_lines(result))
    assert said["Sensors"] == "36 of 36 without a fault"
    assert said["Drift"].startswith("not corrected, offsets not measured")
    assert said["Catheter crosses the EGJ"] == "yes"
    runs = [result["provocation"][test]["runs"][0]["swallows"] for test in ("mrs", "rdc")]
    for ids, words in zip(runs, ("multiple rapid swallows", "rapid drinking"), strict=True):
        assert f"{len(ids)} part of {words} ({ids[0]}–{ids[-1]})" in said["Swallows left out"]
    assert "Swallows left out" not in signal.quality_sentences(result)


def test_faults_and_drift_before_and_after(result):
    sensor = {**result["quality"]["sensors"][0], "rest_recorded_mmhg": 14.0, "rest_mmhg": 4.0}
    dead = {**sensor, "depth_cm": 7.0, "status": "dead", "share": 0.5, "usable": False}
    drift = {
        **result["quality"]["drift"],
        "mode": "linear",
        "mean_mmhg": 10.0,
        "max_mmhg": 15.25,
        "flag": True,
    }
    block = {
        **result["quality"],
        "sensors": [sensor, dead],
        "drift": drift,
        "egj_crossed": False,
        "artefacts": [{"kind": "catheter_shift", "time_s": 12.3, "shift_cm": -2.0}],
    }
    said = dict(signal.quality_lines({**result, "quality": block}))
    assert "1 of 2 without a fault; at 7 cm dead, 50 % of the time, not used" in said["Sensors"]
    assert "at rest, mean over the sensors: 14.0 mmHg before, 4.0 mmHg after" in said["Drift"]
    assert "mean 10.0, most 15.2 mmHg (DRIFT)" in said["Drift"]
    assert said["Catheter crosses the EGJ"] == "NO"
    assert said["Artefacts"] == "catheter shift at 12.3 s (-2.0 cm)"


def test_a_study_of_an_earlier_version_has_no_such_lines(result):
    old = {**result, "quality": None, "pharynx": None, "impedance": None}
    assert signal.quality_lines(old) == bolus.pharynx_lines(old) == []
    assert bolus.impedance_lines(old) == []
    assert np.isfinite(len(signal.quality_sentences(old)))
