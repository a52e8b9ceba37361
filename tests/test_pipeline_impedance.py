"""Impedance and pharynx of whole studies, against the truth of the phantom."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr

import hrm
from hrm.bolus import (
    PHARYNX_METRICS,
    STUDY_METRICS,
    SWALLOW_METRICS,
    BolusRecord,
    blocks_of,
    to_dataset,
)
from hrm.phantom import default_offset, draw, sample, swallow_table, truth
from hrm.pipeline import run
from hrm.pipeline.impedance import bolus_record

RATE = 50.0
PHENOTYPES = ("normal", "fragmented_peristalsis", "absent_contractility")


@cache
def phantom(phenotype):
    return draw(phenotype, seed=3, n_supine=5, n_upright=1)


@cache
def recorded(phenotype, **options):
    return sample(phantom(phenotype), sampling_rate=RATE, impedance=True, **options)


def prepared(study, **said):
    """What the pipeline hands over to the summary, caught on its way, and the result."""
    caught = []

    def watch(*both):
        caught.append(both)
        return summarize(*both)

    summarize = run.summarize
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "summarize", watch)
        result = hrm.analyze(study, system="manoscan", **(said or {"posture": "supine"}))
    return *caught[0], hrm.to_dict(result)


def measured(study, **said):
    ready, rows, result = prepared(study, **said)
    return bolus_record(ready, rows), result


@cache
def found(phenotype):
    return measured(recorded(phenotype))


@cache
def known(phenotype):
    drawn = phantom(phenotype)
    return truth(drawn, offset_cm=default_offset(drawn, "manoscan-36"), impedance=True)


def pairs(phenotype):
    """Measured and true block of each swallow that was found."""
    record, result = found(phenotype)
    rows, true = record.impedance_swallows, known(phenotype)
    onsets = np.array([row["onset_s"] for row in true["swallows"]])
    for row, seen in zip(rows, result["swallows"], strict=True):
        k = int(np.argmin(np.abs(onsets - seen["onset_s"])))
        assert abs(onsets[k] - seen["onset_s"]) < 0.5
        yield row, true["impedance"]["swallows"][k]


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_entry_exit_and_nadir_of_every_segment(phenotype):
    depths = np.array(known(phenotype)["impedance"]["segment_depth_cm"])
    compared = 0
    for seen, true in pairs(phenotype):
        for one in seen["segments"]:
            k = int(np.argmin(np.abs(depths - one["depth_cm"])))
            for name, near in (("entry_s", 0.02), ("exit_s", 0.02), ("nadir_s", 0.5)):
                if true[name][k] is not None and one[name] is not None:
                    assert one[name] == pytest.approx(true[name][k], abs=near)
                    compared += 1
    assert compared > 100


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_transit(phenotype):
    agreed = [seen["transit"] == true["transit"] for seen, true in pairs(phenotype)]
    # What stays at a level between two segments that are both clear is not seen.
    assert sum(agreed) >= len(agreed) - 1
    for seen, true in pairs(phenotype):
        if seen["transit"] == true["transit"] == "complete":
            assert seen["transit_time_s"] == pytest.approx(true["transit_time_s"], abs=0.1)
        elif seen["transit"] == "incomplete":
            assert seen["status"]["transit_time_s"] == "no_bolus_exit"


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_impedance_at_rest(phenotype):
    block, true = found(phenotype)[0].impedance, known(phenotype)["impedance"]
    seen = [one["baseline_ohm"] for one in block["segments"]]
    np.testing.assert_allclose(seen, true["baseline_ohm"], rtol=2e-3)
    # Between segments the phantom's impedance is a sine, which is read as straight.
    assert block["distal_baseline_ohm"] == pytest.approx(true["distal_baseline_ohm"], rel=0.02)


def test_the_study_counts_the_evaluable_swallows_of_the_primary_posture():
    record, result = found("fragmented_peristalsis")
    counted = [
        row
        for row, swallow in zip(record.impedance_swallows, result["swallows"], strict=True)
        if swallow["evaluable"] and row["transit"] is not None
    ]
    block = record.impedance
    complete = [row for row in counted if row["transit"] == "complete"]
    assert block["n_transit_judged"] == len(counted)
    assert block["percent_complete_transit"] == pytest.approx(100 * len(complete) / len(counted))
    times = [row["transit_time_s"] for row in complete]
    if times:
        assert block["transit_time_median_s"] == pytest.approx(np.median(times))
    index = [row["pressure_flow_index"] for row in counted]
    index = [value for value in index if value is not None]
    assert block["pressure_flow_index_median"] == pytest.approx(np.median(index))


def test_upright_swallows_and_tests_are_left_out_of_the_study():
    table = [dict(row) for row in swallow_table(phantom("fragmented_peristalsis"))]
    table[1]["protocol"] = "mrs"
    study = recorded("fragmented_peristalsis")
    record, result = measured(study, swallows=table)
    rows = [
        (swallow["posture"], swallow["protocol"], row["transit_time_s"])
        for row, swallow in zip(record.impedance_swallows, result["swallows"], strict=True)
    ]
    assert [posture for posture, *_ in rows] == ["supine"] * 5 + ["upright"]
    assert record.impedance["n_transit_judged"] == 4
    index = [
        row["pressure_flow_index"]
        for k, row in enumerate(record.impedance_swallows)
        if k not in (1, 5)
    ]
    assert record.impedance["pressure_flow_index_median"] == pytest.approx(
        np.median([value for value in index if value is not None])
    )


def test_a_swallow_soon_followed_by_another_is_not_judged():
    first, second, *rest = phantom("normal").swallows
    soon = (first, replace(second, onset_s=first.onset_s + 13.0), *rest)
    study = sample(replace(phantom("normal"), swallows=soon), sampling_rate=RATE, impedance=True)
    early, late, *_ = measured(study)[0].impedance_swallows
    assert (early["transit"], early["status"]["transit"]) == (None, "window_truncated")
    assert late["transit"] == "complete"


def test_only_the_quiet_part_of_the_baseline_counts():
    ready, rows, _ = prepared(recorded("normal"))
    baseline = ready.proposal.baseline
    middle = 0.5 * (baseline.start_s + baseline.stop_s)
    time = ready.pressure["time"].values
    half = replace(baseline, quiet=baseline.quiet & (time >= middle))
    nodes = {node.path: node.to_dataset() for node in ready.recording.subtree}
    ohm = nodes["/impedance"]["impedance"].copy(deep=True)
    ohm[:, ohm["impedance_time"].values < middle - 0.5] *= 0.5
    nodes["/impedance"] = nodes["/impedance"].assign(impedance=ohm)
    changed = replace(
        ready,
        recording=xr.DataTree.from_dict(nodes),
        proposal=replace(ready.proposal, baseline=half),
    )
    seen = bolus_record(changed, rows).impedance
    whole = found("normal")[0].impedance
    assert seen["distal_baseline_ohm"] == pytest.approx(whole["distal_baseline_ohm"], rel=2e-3)
    for one, other in zip(seen["segments"], whole["segments"], strict=True):
        assert one["baseline_ohm"] == pytest.approx(other["baseline_ohm"], rel=2e-3)
    none = replace(ready, proposal=replace(ready.proposal, baseline=None))
    assert bolus_record(none, rows).impedance["status"]["distal_baseline_ohm"] == "no_baseline"


def test_pressure_flow_is_plausible_on_a_normal_study():
    for row in found("normal")[0].impedance_swallows:
        assert 20 < row["peak_pressure_mmhg"] < 250
        assert 0.5 < row["nadir_impedance_to_peak_s"] < 6
        assert 0.05 < row["impedance_ratio"] < 0.5
        assert row["pressure_flow_index"] == pytest.approx(
            row["flow_ibp_mmhg"] * row["flow_ibp_slope_mmhg_s"] / row["nadir_impedance_to_peak_s"]
        )


def test_a_failed_swallow_has_no_pressure_flow():
    rows = found("absent_contractility")[0].impedance_swallows
    assert {row["transit"] for row in rows} == {"incomplete"}
    told = [row["status"].get("pressure_flow_index") for row in rows]
    assert told.count("no_contraction") >= len(rows) / 2
    # What is left of a failed contraction may still reach 20 mmHg.
    assert all(row["peak_pressure_mmhg"] < 30 for row in rows if row["peak_pressure_mmhg"])


def every_null_is_explained(block, names):
    assert set(block) >= {*names, "status"}
    for name in names:
        assert (block[name] is None) == (name in block["status"])


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_every_null_has_its_reason(phenotype):
    record = found(phenotype)[0]
    every_null_is_explained(record.impedance, STUDY_METRICS)
    for row in record.impedance_swallows:
        every_null_is_explained(row, SWALLOW_METRICS)
        assert (row["transit"] is None) == ("transit" in row["status"])
    every_null_is_explained(record.pharynx, ["phci_median_mmhg_s_cm"])
    for row in record.pharynx_swallows:
        every_null_is_explained(row, PHARYNX_METRICS)


def test_a_catheter_that_starts_in_the_pharynx_says_so():
    record = found("normal")[0]
    assert record.pharynx["status"] == {"phci_median_mmhg_s_cm": "catheter_starts_in_pharynx"}
    told = {row["status"]["phci_mmhg_s_cm"] for row in record.pharynx_swallows}
    assert told == {"catheter_starts_in_pharynx"}


def rebuilt(study, depths=None, *, impedance_every=1):
    """The same recording with other segment depths, or another rate of the impedance."""
    pressure, ohm = study["pressure"].to_dataset(), study["impedance"].to_dataset()
    values = ohm["impedance"].values[:, ::impedance_every]
    return hrm.make_recording(
        pressure["pressure"].values,
        dims=("sensor", "time"),
        sampling_rate=RATE,
        depth=pressure["depth"].values,
        impedance=None if depths == "none" else values,
        impedance_depth=ohm["segment_depth"].values if depths is None else depths,
        impedance_sampling_rate=RATE / impedance_every,
    )


def test_positions_that_nobody_knows_leave_everything_open():
    study = recorded("normal")
    record, _ = measured(rebuilt(study, [np.nan] * 18))
    told = {"segment_positions_unknown"}
    assert set(record.impedance["status"].values()) == told
    assert set(record.impedance["status"]) == set(STUDY_METRICS)
    for row in record.impedance_swallows:
        assert set(row["status"].values()) == told
        assert set(row["status"]) == {*SWALLOW_METRICS, "transit"}
        every_null_is_explained(row, SWALLOW_METRICS)


def test_a_recording_without_impedance_has_no_such_block():
    record, _ = measured(rebuilt(recorded("normal"), "none"))
    assert (record.impedance, record.impedance_swallows) == (None, ())
    assert len(record.pharynx_swallows) == 6


def test_impedance_with_a_rate_of_its_own():
    record, _ = measured(rebuilt(recorded("normal"), impedance_every=5))
    whole = found("normal")[0]
    assert record.impedance["distal_baseline_ohm"] == pytest.approx(
        whole.impedance["distal_baseline_ohm"], rel=2e-3
    )
    for seen, other in zip(record.impedance_swallows, whole.impedance_swallows, strict=True):
        assert seen["transit"] == other["transit"]
        assert seen["transit_time_s"] == pytest.approx(other["transit_time_s"], abs=0.06)


def test_blocks_survive_the_tree_whatever_their_size():
    record = found("normal")[0]
    many = BolusRecord(
        record.impedance, record.pharynx, record.impedance_swallows * 20, record.pharynx_swallows
    )
    assert len(json.dumps(many.impedance_swallows)) > 2**16
    tree = xr.DataTree.from_dict({"/bolus": to_dataset(found("normal")[0])})
    blocks = blocks_of(tree)
    assert [row.pop("id") for row in blocks["impedance"]["swallows"]] == [1, 2, 3, 4, 5, 6]
    assert blocks["impedance"].pop("swallows") == list(record.impedance_swallows)
    assert blocks["impedance"] == record.impedance
    assert [row["id"] for row in blocks["pharynx"]["swallows"]] == [1, 2, 3, 4, 5, 6]
    nothing = to_dataset(BolusRecord(None, record.pharynx, (), record.pharynx_swallows))
    assert blocks_of(xr.DataTree.from_dict({"/bolus": nothing}))["impedance"] is None
    assert blocks_of(xr.DataTree()) == {"impedance": None, "pharynx": None}


@pytest.mark.parametrize("again", [False, True])
def test_the_contract_holds_what_was_measured(again):
    study = recorded("normal")
    result = hrm.analyze(study, system="manoscan", posture="supine")
    if again:
        result = hrm.analyze(result, system="manoscan", posture="supine")
    record, blocks = found("normal")[0], hrm.to_dict(result)
    rows = blocks["impedance"].pop("swallows")
    assert blocks["impedance"] == record.impedance
    assert [row.pop("id") for row in rows] == [swallow["id"] for swallow in blocks["swallows"]]
    assert rows == list(record.impedance_swallows)
    assert len(blocks["pharynx"]["swallows"]) == len(rows) == 6
