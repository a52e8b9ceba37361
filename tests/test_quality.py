"""Quality of whole studies: phantoms with a fault that is known, and what becomes of it."""

import jsonschema
import numpy as np
import pytest

import hrm
from hrm import catalog, phantom
from hrm.errors import ParameterError
from hrm.io.offset_table import read_offset_table, with_offsets
from hrm.phantom.faults import write_offsets
from hrm.quality import NOT_LOOKED_FOR, block_of

RATE = 20.0


@pytest.fixture(scope="module")
def drawn():
    return phantom.draw("normal", seed=11, n_supine=4, n_upright=0)


@pytest.fixture(scope="module")
def egjoo():
    return phantom.draw("egjoo", seed=101)


def sampled(made, **faults):
    return phantom.sample(made, sampling_rate=RATE, noise_mmhg=0.4, seed=2, **faults)


def analyzed(recording, made, **how):
    rows = phantom.swallow_table(made)
    return hrm.to_dict(hrm.analyze(recording, swallows=rows, **how))


@pytest.fixture(scope="module")
def plain(drawn):
    return analyzed(sampled(drawn), drawn)


def place(made, name, part=0.5):
    """Index of the sensor at a share of the way through a sphincter."""
    truth = phantom.truth(made, offset_cm=phantom.default_offset(made))["landmarks"]
    upper, lower = truth[f"{name}_upper_cm"], truth[f"{name}_lower_cm"]
    return round(upper + part * (lower - upper))


def numbers(result, name):
    return np.array([row[name] for row in result["swallows"]], dtype=float)


def test_a_sound_study(plain):
    block = plain["quality"]
    assert {row["status"] for row in block["sensors"]} == {"ok"}
    assert not any(row["repaired"] for row in block["sensors"])
    assert (block["failed_zones"], block["bridged_zones"], block["artefacts"]) == ([], [], [])
    assert block["egj_crossed"] is True
    assert block["window_s"] == 10.0
    assert block["drift"]["mode"] == "none"
    assert block["drift"]["mean_mmhg"] is block["drift"]["flag"] is None
    assert block["not_looked_for"] == list(NOT_LOOKED_FOR)
    assert [row["depth_cm"] for row in block["sensors"]] == plain["recording"]["depths_cm"]


def test_every_phenotype_is_without_a_fault():
    for phenotype in phantom.PHENOTYPES:
        made = phantom.draw(phenotype, seed=5, n_supine=3, n_upright=2)
        block = analyzed(sampled(made), made)["quality"]
        assert {row["status"] for row in block["sensors"]} == {"ok"}, phenotype
        assert block["artefacts"] == [], phenotype


def test_linear_drift_with_offsets_leaves_no_trace(drawn, plain):
    recording = sampled(drawn, drift_mmhg=15.0, drift_course="linear")
    before = recording["pressure/pressure"].values.copy()
    seen = analyzed(recording, drawn)
    assert (recording["pressure/pressure"].values == before).all()
    drift = seen["quality"]["drift"]
    assert (drift["mode"], drift["flag"]) == ("linear", True)
    offsets = recording["pressure/offset_end_mmhg"].values
    assert drift["mean_mmhg"] == pytest.approx(np.abs(offsets).mean())
    assert drift["max_mmhg"] == pytest.approx(np.abs(offsets).max())
    assert numbers(seen, "irp4s_mmhg") == pytest.approx(numbers(plain, "irp4s_mmhg"), abs=0.05)
    for a, b in zip(seen["quality"]["sensors"], plain["quality"]["sensors"], strict=True):
        assert a["rest_mmhg"] == pytest.approx(b["rest_mmhg"], abs=0.05)
        assert a["rest_recorded_mmhg"] != pytest.approx(b["rest_recorded_mmhg"], abs=1e-4)
    assert any(text.startswith("DRIFT") for text in seen["warnings"])


def test_drift_is_left_when_the_vendor_corrected_or_the_user_says_so(drawn):
    recording = sampled(drawn, drift_mmhg=15.0, drift_course="linear")
    off = analyzed(recording, drawn, parameters={"drift.mode": "none"})
    recording.attrs["thermal_compensation"] = "applied"
    applied = analyzed(recording, drawn)
    for seen in (off, applied):
        assert seen["quality"]["drift"]["mode"] == "none"
        assert seen["quality"]["drift"]["flag"] is True
        rest = [(row["rest_mmhg"], row["rest_recorded_mmhg"]) for row in seen["quality"]["sensors"]]
        assert all(a == b for a, b in rest)


def test_drift_without_offsets_is_said_and_not_corrected():
    made = phantom.draw("normal", seed=11)
    seen = analyzed(sampled(made, drift_mmhg=20.0), made)
    drift = seen["quality"]["drift"]
    assert (drift["mode"], drift["mean_mmhg"], drift["flag"]) == ("none", None, None)
    assert drift["rest_change_mean_mmhg"] > 5.0
    assert any("nothing was corrected" in text for text in seen["warnings"])


def test_a_table_of_offsets(drawn, tmp_path):
    recording = sampled(drawn, drift_mmhg=15.0, drift_course="linear")
    write_offsets(recording, tmp_path / "offsets.csv")
    bare = recording.copy(deep=False)
    node = bare["pressure"].to_dataset().drop_vars(["offset_start_mmhg", "offset_end_mmhg"])
    bare["pressure"].dataset = node
    told = with_offsets(bare, read_offset_table(tmp_path / "offsets.csv"))
    assert "offset_end_mmhg" not in bare["pressure"].to_dataset()
    seen, wanted = analyzed(told, drawn), analyzed(recording, drawn)
    assert numbers(seen, "irp4s_mmhg") == pytest.approx(numbers(wanted, "irp4s_mmhg"), abs=0.01)
    assert seen["quality"]["drift"]["mode"] == "linear"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a table of drift offsets"),
        ("name\nDoe\n", "not a table of drift offsets"),
        ("sensor,depth_cm,offset_end_mmhg,time_end_s\n", "no row"),
        ("sensor,depth_cm,offset_end_mmhg,time_end_s\n0,0,DOE,9\n", "row 1"),
        ("sensor,depth_cm,offset_end_mmhg,time_end_s\n0,0,1,9\n0,1,1,9\n", "numbered from 0"),
        ("sensor,depth_cm,offset_end_mmhg,time_end_s\n0,0,1,9\n1,1,1,8\n", "time_end_s differs"),
        ("sensor,depth_cm,offset_end_mmhg,time_end_s\n0,0,nan,9\n", "finite"),
        ("sensor,depth_cm,offset_end_mmhg,time_end_s\n0,0,2000,9\n", "check the unit"),
        (
            "time_end_s,sensor,depth_cm,offset_end_mmhg,offset_start_mmhg,time_start_s\n9,0,0,1,1,9\n",
            "not later",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, said):
    (tmp_path / "offsets.csv").write_text(text)
    with pytest.raises(ParameterError, match=said) as caught:
        read_offset_table(tmp_path / "offsets.csv")
    assert "DOE" not in str(caught.value).upper()


def test_the_table_of_another_catheter_is_refused(drawn, tmp_path):
    head = "sensor,depth_cm,offset_end_mmhg,time_end_s\n"
    for rows, said in (
        (["0,0,1,9"], "1 sensors"),
        ([f"{k},{k + 1},1,9" for k in range(36)], "1 cm"),
    ):
        (tmp_path / "offsets.csv").write_text(head + "\n".join(rows))
        with pytest.raises(ParameterError, match=said):
            with_offsets(sampled(drawn), read_offset_table(tmp_path / "offsets.csv"))


def test_offsets_of_the_end_alone_correct_only_when_asked(drawn, tmp_path):
    rows = [f"{k},{k},6.5,900" for k in range(36)]
    text = "sensor,depth_cm,offset_end_mmhg,time_end_s\n" + "\n".join(rows)
    (tmp_path / "offsets.csv").write_text(text)
    told = with_offsets(sampled(drawn), read_offset_table(tmp_path / "offsets.csv"))
    assert analyzed(told, drawn)["quality"]["drift"]["mode"] == "none"
    seen = analyzed(told, drawn, parameters={"drift.mode": "offset"})
    for row in seen["quality"]["sensors"]:
        assert row["rest_mmhg"] == pytest.approx(row["rest_recorded_mmhg"] - 6.5, abs=1e-3)


def test_a_saturated_sensor_of_the_body_is_repaired(drawn, plain):
    k = place(drawn, "les", 0.0) - 5
    seen = analyzed(sampled(drawn, saturated_sensors=(k,), rail_mmhg=25.0), drawn)
    row = seen["quality"]["sensors"][k]
    assert (row["status"], row["usable"], row["repaired"]) == ("rail", True, True)
    name = "dci_mmhg_s_cm"
    assert numbers(seen, name) == pytest.approx(numbers(plain, name), rel=0.02)


def test_a_dead_sensor_in_the_middle_of_the_les_leaves_no_number_and_no_label(egjoo):
    """A bridge would read the IRP of this phantom 7 mmHg low, and the study as normal."""
    clinical = {"symptoms": ["dysphagia"]}
    recording = sampled(egjoo, dead_sensors=(place(egjoo, "les"),))
    seen = analyzed(recording, egjoo, clinical=clinical, system="manoscan")
    block, verdict = seen["quality"], seen["classification"]["ccv4"]
    assert (block["failed_zones"], block["bridged_zones"]) == (["les"], [])
    for name in ("irp4s_mmhg", "les_nadir_mmhg", "dci_les_mmhg_s_cm"):
        assert np.isnan(numbers(seen, name)).all()
        assert {row["status"][name] for row in seen["swallows"]} == {"sensor_failed"}
    for name in ("basal_mean_mmhg", "egj_ci_mmhg_cm", "egj_ci_total_mmhg_cm"):
        assert (seen["egj"][name], seen["egj"]["status"][name]) == (None, "sensor_failed")
    assert np.isfinite(numbers(seen, "dci_mmhg_s_cm")).all()
    assert not verdict["conclusive"]
    assert verdict["diagnosis"] in ("not_classified", "inconclusive")


def test_a_dead_sensor_at_the_border_of_the_les_is_bridged_with_a_remark(egjoo):
    plain = analyzed(sampled(egjoo), egjoo)
    seen = analyzed(sampled(egjoo, dead_sensors=(place(egjoo, "les", 0.0),)), egjoo)
    assert (seen["quality"]["failed_zones"], seen["quality"]["bridged_zones"]) == ([], ["les"])
    assert all("les_sensor_bridged" in row["flags"] for row in seen["swallows"])
    assert seen["egj"]["status"]["basal_mean_mmhg"] == "sensor_bridged"
    assert "kernel_bridged" in seen["study"]["irp4s_readings_mmhg"]["supine"]
    assert numbers(seen, "irp4s_mmhg") == pytest.approx(numbers(plain, "irp4s_mmhg"), abs=3.0)


@pytest.mark.parametrize("zone", ["les", "ues"])
def test_two_dead_neighbors_in_a_sphincter_are_not_measured(drawn, zone):
    k = place(drawn, zone)
    seen = analyzed(sampled(drawn, dead_sensors=(k, k + 1)), drawn)
    names = {"les": ("irp4s_mmhg", "irp1s_mmhg"), "ues": ("ues_residual_mmhg", "ues_irp02s_mmhg")}
    for row in seen["swallows"]:
        for name in names[zone]:
            assert row[name] is None
            assert row["status"][name] in ("sensor_failed", "landmark_missing")
    if zone in seen["quality"]["failed_zones"]:
        assert any("side by side" in text for text in seen["warnings"])


def test_a_hole_too_wide_to_bridge_is_not_measured(drawn):
    """At 1.5 cm spacing, one dead sensor leaves the LES a hole of 3 cm."""
    depths = np.arange(0.0, 36.0, 1.5)
    k = int(np.argmin(np.abs(depths - place(drawn, "les"))))
    how = {"catheter": depths, "offset_cm": phantom.default_offset(drawn)}
    plain = analyzed(sampled(drawn, **how), drawn)
    assert np.isfinite(numbers(plain, "irp4s_mmhg")).all()
    seen = analyzed(sampled(drawn, dead_sensors=(k,), **how), drawn)
    assert seen["quality"]["failed_zones"] == ["les"]
    assert {row["status"]["irp4s_mmhg"] for row in seen["swallows"]} == {"sensor_failed"}
    assert np.isfinite(numbers(seen, "dci_mmhg_s_cm")).all()


def test_a_cough_is_the_reason_of_its_swallow(drawn, plain):
    onset = plain["swallows"][1]["onset_s"]
    block = analyzed(sampled(drawn, cough_at_s=(onset + 4.0,)), drawn)["quality"]
    assert [one["kind"] for one in block["artefacts"]] == ["cough"]
    assert [(row["swallow"], row["reason"]) for row in block["excluded"]] == [(2, "cough")]


def test_a_catheter_that_moved_leaves_its_swallows_out(drawn, plain):
    offset = phantom.default_offset(drawn)
    values = [
        sampled(drawn, offset_cm=offset + shift)["pressure/pressure"].values for shift in (0.0, 2.0)
    ]
    since = round((plain["swallows"][2]["onset_s"] - 8.0) * RATE)
    joined = np.concatenate([values[0][:, :since], values[1][:, since:]], axis=1)
    recording = hrm.make_recording(
        joined, sampling_rate=RATE, depth=np.arange(36.0), dims=("sensor", "time")
    )
    seen = hrm.to_dict(hrm.analyze(recording, posture="supine"))
    shifts = [one for one in seen["quality"]["artefacts"] if one["kind"] == "catheter_shift"]
    assert [one["shift_cm"] for one in shifts] == pytest.approx([2.0, 2.0], abs=0.4)
    assert [row["reason"] for row in seen["swallows"]] == [None, None, *["catheter_shift"] * 2]
    assert any("left out" in text for text in seen["warnings"])


def test_a_catheter_that_does_not_cross(drawn):
    depths = np.arange(26.0)
    recording = phantom.sample(
        drawn, catheter=depths, sampling_rate=RATE, offset_cm=phantom.default_offset(drawn)
    )
    seen = analyzed(recording, drawn)
    assert seen["quality"]["egj_crossed"] is False
    assert any("did not cross" in text for text in seen["warnings"])
    assert np.isnan(numbers(seen, "irp4s_mmhg")).all()


def test_the_block_is_valid_and_survives_the_file(drawn, tmp_path):
    recording = sampled(drawn, drift_mmhg=9.0, drift_course="linear", dead_sensors=(15,))
    study = hrm.analyze(recording, swallows=phantom.swallow_table(drawn))
    part = {"$ref": "#/$defs/quality", "$defs": catalog.result_schema()["$defs"]}
    assert list(jsonschema.Draft202012Validator(part).iter_errors(block_of(study))) == []
    hrm.write_native(study, tmp_path / "study.h5")
    again = hrm.open_recording(tmp_path / "study.h5")
    assert block_of(again) == block_of(study)
    assert (again["quality/flag"].values == study["quality/flag"].values).all()
    # What was measured says how it was corrected, and can be measured again.
    assert block_of(hrm.analyze(again)) == block_of(study)


def test_a_study_of_an_earlier_version_has_no_block(drawn):
    study = hrm.analyze(sampled(drawn))
    del study["quality"]
    assert hrm.to_dict(study)["quality"] is None
