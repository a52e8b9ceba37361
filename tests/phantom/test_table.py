"""The phantom table itself: what it pools, what it calls a failure, and its exit status."""

import json
import math
import pickle
import sys
from pathlib import Path

import pytest

from hrm.phantom import PHENOTYPES, default_offset, draw, truth
from hrm.phantom.placement import sensor_depths

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import phantom_comparators
import phantom_conditions as conditions
import phantom_report as report
import phantom_study as study
import phantom_table

CATHETER = conditions.SETUPS[0].name


def swallow(onset, **numbers):
    row = {
        "onset_s": onset,
        "posture": "supine",
        "evaluable": True,
        "irp4s_mmhg": 8.0,
        "distal_latency_s": 6.0,
        "dci_mmhg_s_cm": 1000.0,
        "type": "normal",
        "pressurization": "none",
    }
    return {**row, **numbers}


def table_of(*swallows):
    return {"landmarks": {"les_upper_cm": 26.0, "les_lower_cm": 30.0}, "swallows": list(swallows)}


def row(condition="noise 5", phenotype="normal", **errors):
    out = {"hits": 10, "missed": 0, "extra": 0, "condition": condition, "setup": CATHETER}
    return {**out, "phenotype": phenotype, "seed": 0, **errors}


def broken(rows, level="condition"):
    return {item["quantity"] for item in report.failures(rows, level)}


def test_errors_of_a_study():
    known = table_of(swallow(10.0), swallow(40.0), swallow(70.0, dci_mmhg_s_cm=200.0))
    seen = table_of(
        swallow(10.1, irp4s_mmhg=9.5, dci_mmhg_s_cm=1040.0),
        swallow(70.0, dci_mmhg_s_cm=190.0, distal_latency_s=None, type="weak"),
        swallow(99.0),
    )
    errors = study.compare(known, seen)
    assert (errors["hits"], errors["missed"], errors["extra"]) == (2, 1, 1)
    assert errors["onset"] == pytest.approx([0.1, 0.0])
    assert errors["irp"] == pytest.approx([1.5, 0.0])
    assert errors["dci_percent"] == pytest.approx([4.0])
    assert errors["dci_low"] == pytest.approx([10.0])
    assert errors["dl"] == [0.0, math.inf]
    assert errors["lost"] == {"dl": 1}
    assert errors["confusion"] == [("normal", "normal"), ("normal", "weak")]
    assert errors["les"] == [0.0, 0.0]


def test_a_swallow_that_does_not_count_is_only_looked_for():
    errors = study.compare(table_of(swallow(10.0, evaluable=False)), table_of(swallow(10.0)))
    assert (errors["hits"], errors["irp"], errors["type"]) == (1, [], [])


def test_each_true_swallow_takes_the_nearest_found_one():
    known, seen = [swallow(10.0), swallow(11.5)], [swallow(9.0), swallow(11.4), swallow(30.0)]
    pairs, missed, extra = study.match(known, seen)
    assert [(a["onset_s"], b["onset_s"]) for a, b in pairs] == [(10.0, 9.0), (11.5, 11.4)]
    assert (missed, extra) == (0, 1)


@pytest.mark.parametrize(
    ("errors", "quantity"),
    [
        ({"irp": [0.2, 1.2, 1.3]}, "irp"),
        ({"irp": [0.1] * 18 + [3.1] * 2}, "irp_p95"),
        ({"dci_percent": [3.5]}, "dci_percent"),
        ({"dci_low": [26.0]}, "dci_low"),
        ({"dl": [0.25]}, "dl"),
        ({"type": [True] * 9 + [False]}, "type"),
        ({"pressurization": [True] * 30 + [False]}, "pressurization"),
        ({"diagnosis": [True] * 30 + [False]}, "diagnosis"),
        ({"missed": 1}, "recall"),
        ({"irp": [0.1, math.inf]}, "irp_p95"),
        ({"irp": [0.1, None]}, "irp_p95"),  # as a file has it
    ],
)
def test_a_bound_that_does_not_hold_is_named(errors, quantity):
    assert quantity in broken([row(**errors)])
    held = {"irp": [0.9], "dci_percent": [2.9], "type": [True], "diagnosis": [True]}
    assert broken([row(**held)]) == set()


def test_more_noise_allows_a_little_less():
    errors = {"diagnosis": [True] * 24 + [False]}  # 0.96
    assert broken([row("noise 5", **errors)]) == {"diagnosis"}
    assert broken([row("noise 8", **errors)]) == set()
    assert broken([row("noise 0", dci_percent=[4.0], dl=[0.25])]) == set()
    assert broken([row("noise 0", dci_percent=[5.5], dl=[0.35])]) == {"dci_percent", "dl"}


def test_a_cell_can_fail_where_the_whole_holds():
    rows = [row(irp=[0.2] * 9), row(phenotype="egjoo", irp=[1.5])]
    assert broken(rows) == broken(rows, "catheter") == set()
    (cell,) = report.failures(rows, "phenotype")
    assert cell["group"] == f"noise 5 / {CATHETER} / egjoo"
    assert (cell["quantity"], cell["found"], cell["bound"]) == ("irp", 1.5, 1.0)


def test_a_refused_study_fails_in_every_way():
    refused = {**row(), **study.nothing(table_of(swallow(10.0))), "error": "ParameterError: no"}
    found = report.failures([refused], "catheter")
    assert {item.get("quantity", "refused") for item in found} >= {"recall", "diagnosis", "refused"}
    assert any("refused, ParameterError: no" in line for line in report.failure_lines(found))


def test_status_follows_the_bounds_down_to_a_level(tmp_path, capsys):
    path = tmp_path / "errors.json"
    rows = [row(irp=[0.2] * 9), row(phenotype="egjoo", irp=[1.5, math.inf])]
    phantom_table._write(path, rows, {})
    assert json.loads(path.read_text())["studies"][1]["irp"] == [1.5, None]
    assert phantom_table.main(["--join", str(path), "--level", "phenotype"]) == 1
    out = capsys.readouterr().out
    assert f"noise 5 / {CATHETER} / egjoo: irp inf, wanted <= 1 (of 2)" in out
    rows[1]["irp"] = [0.5]
    phantom_table._write(path, rows, {})
    assert phantom_table.main(["--join", str(path)]) == 0
    assert "measured on other data" in capsys.readouterr().out


def test_every_published_figure_stands_beside_one_of_ours():
    numbers = report.summary([row(irp=[0.5], type=[True])])
    for published in phantom_comparators.PUBLISHED:
        assert published.ours in numbers
        assert set(published.conditions) <= set(conditions.CONDITIONS)
        assert published.confidence in {"seen", "seen-2nd"}
    lines = phantom_comparators.comparator_lines({"noise 5": numbers})
    assert any("4.49 mmHg" in line and "0.500 (noise 5)" in line for line in lines)


def test_conditions_that_read_one_phantom_are_drawn_once():
    groups = conditions.groups(list(conditions.EVERY))
    names = [item.name for group in groups for item in group]
    assert sorted(names) == sorted(conditions.EVERY)
    for group in groups:
        assert len({(item.shift_cm, item.blocks, item.setups) for item in group}) == 1
    (plain,) = (group for group in groups if group[0].name == "noise 0")
    assert {"noise 8", "drift 15", "dead body sensor", "impedance"} <= {x.name for x in plain}


@pytest.mark.parametrize("seed", range(4))
def test_the_dead_sensor_lies_in_the_body(seed):
    drawn = draw("normal", seed=seed, n_supine=1, n_upright=0)
    for setup in conditions.SETUPS:
        marks = truth(drawn, offset_cm=default_offset(drawn, setup.catheter))["landmarks"]
        dead = conditions.dead_body_sensor(drawn, setup, {"landmarks": marks})
        depth = sensor_depths(setup.catheter)[dead]
        assert marks["ues_lower_cm"] + 2 < depth < marks["les_upper_cm"] - 2


def test_catheters_take_turns():
    seen = [study.in_turn(name, 3, conditions.SETUPS)[0].name for name in PHENOTYPES[:4]]
    assert sorted(seen) == sorted(setup.name for setup in conditions.SETUPS)


def test_one_study_through_the_whole_table(tmp_path, capsys):
    path = tmp_path / "errors.json"
    arguments = ["--seeds", "1", "--jobs", "1", "--rotate", "--phenotypes", "absent_contractility"]
    status = phantom_table.main([*arguments, "--conditions", "blocks", "--json", str(path)])
    kept = json.loads(path.read_text(encoding="utf-8"))
    (only,) = kept["studies"]
    assert only["hits"] > 15
    assert only["diagnosis"] == [True]
    assert status == int(any(kept["failures"].values()))
    assert "blocks" in capsys.readouterr().out


def run_of(start, **numbers):
    row = {
        "start_s": start,
        "stop_s": start + 8.0,
        "onsets_s": [start, start + 2.0, start + 4.0, start + 6.0, start + 8.0],
        "swallows": [1, 2, 3, 4, 5],
        "dci_during_mmhg_s_cm": 10.0,
        "dci_after_mmhg_s_cm": 2000.0,
        "les_during_mmhg": 5.0,
        "inhibited": True,
    }
    return {**row, **numbers}


def provocation_of(run):
    rdc = {**run_of(300.0), "pressurized_20_percent": 30.0, "pressurized_30_percent": 10.0}
    return {"mrs": {"runs": [run], "ratio": 1.5}, "rdc": {**rdc, "after_contraction": True}}


def found_of(run):
    rdc = {**run_of(300.0), "pressurized_low_percent": 33.0, "pressurized_high_percent": 10.0}
    return {
        "mrs": {"runs": [run], "ratio": 1.4},
        "rdc": {"runs": [{**rdc, "contraction_after": True}]},
        "upright": {"irp4s_median_mmhg": 9.0, "dci_median_mmhg_s_cm": 1030.0},
    }


def blocks_of(known, seen, blind=None):
    truth_table = {
        "provocation": provocation_of(known),
        "swallows": [swallow(10.0, posture="upright"), swallow(40.0)],
    }
    found = found_of(seen)
    return study.blocks(truth_table, {"provocation": found}, {"provocation": blind or found})


def test_errors_of_the_provocation_tests():
    seen = run_of(100.1, dci_during_mmhg_s_cm=None, dci_after_mmhg_s_cm=1900.0, inhibited=None)
    nothing = {"mrs": None, "rdc": None}
    errors = blocks_of(run_of(100.0), seen, nothing)
    assert (errors["runs_found"], errors["runs_blind"]) == ([True, True], [False, False])
    assert errors["inhibited"] == [False, True]
    assert errors["dci_during"] == [math.inf, 0.0]
    assert errors["dci_after_percent"] == pytest.approx([5.0, 0.0])
    assert errors["mrs_ratio"] == pytest.approx([0.1])
    assert (errors["rdc_20_percent"], errors["rdc_30_percent"]) == ([3.0], [0.0])
    assert errors["rdc_after"] == [True]
    assert errors["upright_irp"] == pytest.approx([1.0])
    assert errors["upright_dci_percent"] == pytest.approx([3.0])


@pytest.mark.parametrize(
    "seen", [run_of(101.0), run_of(100.0, swallows=[1, 2, 3, 4]), run_of(100.0, stop_s=109.0)]
)
def test_a_run_with_other_ends_or_swallows_is_another_run(seen):
    assert blocks_of(run_of(100.0), seen)["runs_found"] == [False, True]


def test_an_open_les_is_part_of_inhibition():
    shut = run_of(100.0, les_during_mmhg=30.0)
    assert blocks_of(shut, {**shut, "inhibited": False})["inhibited"][0] is True
    assert blocks_of(shut, shut)["inhibited"][0] is False


def bolus_of(found_level, transit="complete"):
    times = {"entry_s": [11.0], "exit_s": [15.0], "nadir_s": [13.0]}
    known = {"transit": "complete", "transit_time_s": 4.0, "levels_cm": [5.0], "at_levels": times}
    truth_table = {
        **table_of(swallow(10.0)),
        "impedance": {"distal_baseline_ohm": 2000.0, "swallows": [known]},
    }
    seen = {"id": 1, "transit": transit, "transit_time_s": 4.3, "levels": [found_level]}
    impedance = {"distal_baseline_ohm": 2100.0, "swallows": [seen]}
    return study.bolus(truth_table, {"swallows": [swallow(10.0, id=1)], "impedance": impedance})


def test_errors_of_the_bolus():
    level = {"depth_cm": 21.0, "entry_s": 11.2, "exit_s": None, "nadir_s": 12.6}
    errors = bolus_of(level, "incomplete")
    assert errors["transit"] == [False]
    assert errors["transit_time"] == pytest.approx([0.3])
    assert errors["baseline_percent"] == pytest.approx([5.0])
    assert errors["bolus_entry"] == pytest.approx([0.2])
    assert errors["bolus_exit"] == [math.inf]
    assert errors["bolus_nadir"] == pytest.approx([0.4])


def test_work_can_be_handed_to_another_process():
    for condition in conditions.EVERY.values():
        assert pickle.loads(pickle.dumps(condition)) == condition
