"""A review laid over the automatic result: what follows from an edit, and what does not fit."""

import math

import jsonschema
import numpy as np
import pytest

import hrm
from hrm import catalog, phantom
from hrm.annotate import append, follow_up, log_path, read_log
from hrm.edits import Change
from hrm.errors import AnnotationError
from hrm.preprocess import usable_sensors, window_field
from hrm.results import LANDMARKS, SWALLOW_METRICS
from tests.detect.signals import Act, study
from tests.naive import metrics as naive

PARAMETERS = catalog.default_parameters()
SCHEMA = jsonschema.Draft202012Validator(catalog.result_schema())
RATE = 50.0


@pytest.fixture(scope="module")
def recording():
    made = phantom.draw("normal", seed=3, n_supine=3, n_upright=0)
    return phantom.sample(made, sampling_rate=RATE, noise_mmhg=0.3)


@pytest.fixture(scope="module")
def plain(recording):
    return hrm.to_dict(hrm.analyze(recording, posture="supine"))


@pytest.fixture(scope="module")
def names(recording):
    return list(hrm.analyze(recording)["swallows"]["object"].values)


def edits_of(recording, *changes, reader="AB", sha256=None):
    said = {"reader": reader, "reason": "DOE JANE said so", "engine": "0.1.0"}
    sha256 = sha256 or recording.attrs["source_sha256"]
    return follow_up([], changes, sha256=sha256, utc="2026-01-31T09:30:00Z", **said)


def reviewed(recording, *changes, **options):
    tree = hrm.analyze(
        recording, review=edits_of(recording, *changes), **{"posture": "supine"} | options
    )
    result = hrm.to_dict(tree)
    # The trees have tests of their own.
    errors = [error for error in SCHEMA.iter_errors(result) if "classification" not in error.path]
    assert errors == []
    return result


def mark(field, value):
    return Change("landmarks", field, value)


def field_of(recording, row, les_upper_cm):
    """Pressure (depth, time) of a swallow's window, above the level of the onset."""
    pressure = recording["pressure"].to_dataset()["pressure"]
    usable = usable_sensors(pressure, dead_variance=PARAMETERS["quality.dead_variance_mmhg2"])
    start = row["onset_s"]
    window = (start, start + 16.0)
    return window_field(pressure, usable, *window, PARAMETERS, les_upper_cm=les_upper_cm)


# -- landmarks ---------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [-3.0, -4.0, 2.0])
def test_moving_the_les_moves_the_relaxation_as_measured_by_hand(recording, plain, shift):
    place = plain["landmarks"]["les_upper_cm"] + shift
    seen = reviewed(recording, mark("les_upper_cm", place))
    differences = []
    for row, before in zip(seen["swallows"], plain["swallows"], strict=True):
        field = field_of(recording, row, place)
        by_hand = naive.irp(
            *(field.values, field["depth"].values, field["time"].values),
            onset=row["onset_s"],
            end=math.inf,
            les_upper=place,
            gastric=plain["landmarks"]["gastric_reference_mmhg"],
        )
        assert row["irp4s_mmhg"] == pytest.approx(by_hand, abs=1e-3)
        differences.append(abs(row["irp4s_mmhg"] - before["irp4s_mmhg"]))
    assert max(differences) > 0.1
    length = plain["landmarks"]["les_lower_cm"] - place
    assert seen["egj"]["les_length_cm"] == pytest.approx(length)
    for name in set(LANDMARKS) - {"les_upper_cm", "transition_zone_cm"}:
        assert seen["landmarks"][name] == plain["landmarks"][name]


def test_a_gastric_reference_holds_for_every_swallow(recording, plain):
    seen = reviewed(recording, mark("gastric_reference_mmhg", 15.0))
    shift = 15.0 - plain["landmarks"]["gastric_reference_mmhg"]
    for row, before in zip(seen["swallows"], plain["swallows"], strict=True):
        assert row["irp4s_mmhg"] == pytest.approx(before["irp4s_mmhg"] - shift, abs=1e-3)
    for name in ("basal_mean_mmhg", "basal_end_expiratory_mmhg"):
        assert seen["egj"][name] == pytest.approx(plain["egj"][name] - shift, abs=1e-3)


def test_a_gastric_reference_holds_far_from_the_baseline_too(recording, plain):
    """Where the automatic one would be read again before the swallow."""
    near = {"gastric.baseline_far_s": 0.0}
    seen = reviewed(recording, mark("gastric_reference_mmhg", 15.0), parameters=near)
    kept = reviewed(recording, mark("gastric_reference_mmhg", 15.0))
    for row, known in zip(seen["swallows"], kept["swallows"], strict=True):
        assert row["irp4s_mmhg"] == known["irp4s_mmhg"]


def test_a_transition_zone_holds_for_all_swallows(recording, plain):
    place = plain["landmarks"]["transition_zone_cm"] + 4.0
    edits = edits_of(recording, mark("transition_zone_cm", place))
    tree = hrm.analyze(recording, posture="supine", review=edits)
    assert set(tree["swallows"]["transition_zone"].values) == {place}
    seen = hrm.to_dict(tree)
    assert seen["landmarks"]["transition_zone_cm"] == place
    for row, before in zip(seen["swallows"], plain["swallows"], strict=True):
        field = field_of(recording, before, plain["landmarks"]["les_upper_cm"])
        values, depth, time = field.values, field["depth"].values, field["time"].values
        bottom = seen["landmarks"]["les_upper_cm"]
        times = {"onset": row["onset_s"], "end": math.inf}
        stop = naive.contraction_stop(values, depth, time, **times, top=place, bottom=bottom)
        start = row["onset_s"] + PARAMETERS["dci.start_s"]
        by_hand = naive.dci_box(
            values, depth, time, top=place, bottom=bottom, start=start, stop=stop
        )
        assert row["dci_box_mmhg_s_cm"] == pytest.approx(by_hand, rel=0.01)
        assert row["dci_box_mmhg_s_cm"] != before["dci_box_mmhg_s_cm"]


def test_the_resting_peak_is_read_again_where_the_borders_left_it(recording, plain):
    """With the sphincter placed in the stomach its peak and its distance follow."""
    seen = reviewed(recording, mark("les_upper_cm", 32.5), mark("les_lower_cm", 34.0))
    peak = seen["landmarks"]["crural_diaphragm_cm"] - seen["egj"]["les_cd_separation_cm"]
    assert 32.5 <= peak <= 34.0
    before = plain["landmarks"]["crural_diaphragm_cm"] - plain["egj"]["les_cd_separation_cm"]
    assert plain["landmarks"]["les_upper_cm"] < before < plain["landmarks"]["les_lower_cm"]
    moved = reviewed(recording, mark("crural_diaphragm_cm", before + 1.5))
    assert moved["egj"]["les_cd_separation_cm"] == pytest.approx(1.5)
    assert (plain["egj"]["morphology"], moved["egj"]["morphology"]) == ("I", "II")


def test_a_reader_supplies_what_was_not_found():
    bare = above_the_sphincter()
    before = hrm.to_dict(hrm.analyze(bare, posture="supine"))
    assert before["landmarks"]["les_upper_cm"] is None
    assert [row["irp4s_mmhg"] for row in before["swallows"]] == [None]
    seen = reviewed(bare, mark("les_upper_cm", 20.0), mark("gastric_reference_mmhg", 8.0))
    (row,) = seen["swallows"]
    field = field_of(bare, row, 20.0)
    by_hand = naive.irp(
        *(field.values, field["depth"].values, field["time"].values),
        onset=row["onset_s"],
        end=math.inf,
        les_upper=20.0,
        gastric=8.0,
    )
    assert row["irp4s_mmhg"] == pytest.approx(by_hand, abs=1e-3)
    assert "les_upper_cm" not in seen["landmarks"]["status"]
    assert seen["review"]["applied"][0]["automatic"] is None


# -- swallows ----------------------------------------------------------------------------


def test_a_swallow_can_be_excluded(recording, plain, names):
    seen = reviewed(recording, Change(names[1], "include", new=False))
    row = seen["swallows"][1]
    assert (row["evaluable"], row["reason"], row["type"]) == (False, "excluded_by_reader", None)
    assert row["irp4s_mmhg"] == plain["swallows"][1]["irp4s_mmhg"]
    assert [r["evaluable"] for r in seen["swallows"]] == [True, False, True]
    assert seen["study"]["n_evaluable"] == plain["study"]["n_evaluable"] - 1
    kept = [plain["swallows"][k]["irp4s_mmhg"] for k in (0, 2)]
    assert seen["study"]["irp4s_median_supine_mmhg"] == pytest.approx(np.mean(kept))


def test_a_swallow_can_be_included(recording, plain, names):
    changes = [
        Change(names[0], "protocol", "solid"),
        Change(names[0], "include", new=True),
        Change(names[1], "include", new=True),
        Change(names[2], "protocol", "rdc"),
    ]
    first, second, third = reviewed(recording, *changes)["swallows"]
    assert (first["evaluable"], first["protocol"], first["reason"]) == (True, "solid", None)
    assert "included_by_reader" in first["flags"]
    assert first["type"] == plain["swallows"][0]["type"]
    assert second == plain["swallows"][1]  # it counted already
    assert (third["evaluable"], third["reason"]) == (False, "protocol_rdc")


def above_the_sphincter():
    """A recording by a catheter that ends above the LES: no body metrics."""
    made = study(Act(40.0), duration=60.0, depth=np.arange(28.0))
    return hrm.make_recording(
        made.values, sampling_rate=RATE, depth=made["depth"].values, dims=("sensor", "time")
    )


def test_including_cannot_make_up_a_type():
    short = above_the_sphincter()
    before = hrm.analyze(short)
    (row,) = hrm.to_dict(before)["swallows"]
    assert (row["evaluable"], row["type"]) == (False, None)
    name = before["swallows"]["object"].values[0]
    (seen,) = reviewed(short, Change(name, "include", new=True))["swallows"]
    assert (seen["evaluable"], seen["type"], seen["reason"]) == (False, None, row["reason"])
    assert "included_by_reader" not in seen["flags"]


def crossing(field, depth_cm, level=30.0):
    """Time at which the wave that holds the peak at a depth rises through a level, by hand."""
    line = field.values[int(np.argmin(np.abs(field["depth"].values - depth_cm)))].astype(float)
    time, k = field["time"].values, int(np.argmax(line))
    while line[k - 1] >= level:
        k -= 1
    part = (level - line[k - 1]) / (line[k] - line[k - 1])
    return time[k - 1] + part * (time[k] - time[k - 1])


def test_the_deceleration_point_is_read_on_the_front(recording, plain, names):
    for depth_cm in (22.0, 24.05, 26.0):
        row = reviewed(recording, Change(names[0], "cdp_cm", depth_cm))["swallows"][0]
        before = plain["swallows"][0]
        assert (row["cdp_cm"], row["cdp_method"]) == (depth_cm, "reader")
        field = field_of(recording, before, plain["landmarks"]["les_upper_cm"])
        when = crossing(field, depth_cm)
        assert row["distal_latency_s"] == pytest.approx(when - before["onset_s"], abs=0.04)
        moved = {"cdp_cm", "distal_latency_s", "ibp_mmhg", "ibp_mean_mmhg", "cfv_cm_s"}
        same = set(SWALLOW_METRICS) - moved
        assert {n: row[n] for n in same} == {n: before[n] for n in same}


# -- landmarks of one swallow --------------------------------------------------------------


@pytest.mark.parametrize("shift", [-2.0, 1.5])
def test_the_les_of_one_swallow_moves_its_relaxation_alone(recording, plain, names, shift):
    place = plain["landmarks"]["les_upper_cm"] + shift
    seen = reviewed(recording, Change(names[1], "les_upper_cm", place))
    before, row = plain["swallows"][1], seen["swallows"][1]
    field = field_of(recording, before, place)
    by_hand = naive.irp(
        *(field.values, field["depth"].values, field["time"].values),
        onset=row["onset_s"],
        end=math.inf,
        les_upper=place,
        gastric=plain["landmarks"]["gastric_reference_mmhg"],
    )
    assert row["irp4s_mmhg"] == pytest.approx(by_hand, abs=1e-3)
    assert row["irp4s_mmhg"] != before["irp4s_mmhg"]
    assert seen["landmarks"] == plain["landmarks"]
    assert seen["egj"] == plain["egj"]
    for k in (0, 2):
        assert seen["swallows"][k] == plain["swallows"][k]
    (applied,) = seen["review"]["applied"]
    assert (applied["object"], applied["automatic"]) == (
        names[1],
        plain["landmarks"]["les_upper_cm"],
    )


def test_the_gastric_reference_of_one_swallow_shifts_its_irp_alone(recording, plain, names):
    shift = 3.0
    new = plain["landmarks"]["gastric_reference_mmhg"] + shift
    seen = reviewed(recording, Change(names[0], "gastric_reference_mmhg", new))
    irp = [row["irp4s_mmhg"] for row in plain["swallows"]]
    expected = [irp[0] - shift, *irp[1:]]
    assert [row["irp4s_mmhg"] for row in seen["swallows"]] == pytest.approx(expected, abs=1e-3)


def test_the_ues_of_one_swallow_is_read_between_its_own_borders(recording, plain, names):
    upper = plain["landmarks"]["ues_upper_cm"]
    seen = reviewed(recording, Change(names[0], "ues_upper_cm", upper - 0.8))
    whole = reviewed(recording, mark("ues_upper_cm", upper - 0.8))
    rows, others = seen["swallows"], plain["swallows"]
    for name in ("ues_residual_mmhg", "ues_relaxation_s"):
        assert rows[0][name] == whole["swallows"][0][name]
        assert rows[1][name] == others[1][name]


def test_the_contour_of_the_front_is_the_readers(recording, plain, names):
    """By hand: the latency is to the time at which the reader's level is crossed at the CDP."""
    before = plain["swallows"][0]
    field = field_of(recording, before, plain["landmarks"]["les_upper_cm"])
    at = 24.05
    for level in (20.0, 45.0):
        changes = Change(names[0], "cdp_cm", at), Change(names[0], "contour_mmhg", level)
        row = reviewed(recording, *changes)["swallows"][0]
        when = crossing(field, at, level)
        assert row["distal_latency_s"] == pytest.approx(when - before["onset_s"], abs=0.04)


def test_impedance_and_pharynx_are_read_between_the_borders_of_the_swallow():
    made = phantom.draw("normal", seed=3, n_supine=2, n_upright=0)
    study_ = phantom.sample(made, sampling_rate=25.0, impedance=True)
    before = hrm.to_dict(hrm.analyze(study_))
    objects = hrm.analyze(study_)["swallows"]["object"].values
    for field, shift in (("les_upper_cm", -1.5), ("ues_upper_cm", 0.7), ("ues_lower_cm", 0.9)):
        new = before["landmarks"][field] + shift
        own = reviewed(study_, Change(objects[0], field, new))["impedance"]["swallows"]
        whole = reviewed(study_, mark(field, new))["impedance"]["swallows"]
        assert own == [whole[0], before["impedance"]["swallows"][1]]
        assert own[0] != before["impedance"]["swallows"][0]


def test_a_landmark_of_one_swallow_beats_that_of_the_study(recording, plain, names):
    les = plain["landmarks"]["les_upper_cm"]
    both = (mark("les_upper_cm", les - 1.0), Change(names[0], "les_upper_cm", les + 0.5))
    seen = reviewed(recording, *both)
    alone = reviewed(recording, Change(names[0], "les_upper_cm", les + 0.5))
    moved = reviewed(recording, mark("les_upper_cm", les - 1.0))
    assert seen["swallows"][0]["irp4s_mmhg"] == alone["swallows"][0]["irp4s_mmhg"]
    assert seen["swallows"][1]["irp4s_mmhg"] == moved["swallows"][1]["irp4s_mmhg"]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("les_upper_cm", 120.0, "catheter reaches"),
        ("ues_lower_cm", 33.0, "has to be less"),
        ("gastric_reference_mmhg", 90.0, "resting stomach"),
        ("crural_diaphragm_cm", 12.0, "diaphragm"),
    ],
)
def test_a_landmark_of_one_swallow_has_to_fit(recording, names, field, value, why):
    with pytest.raises(AnnotationError, match=why):
        reviewed(recording, Change(names[0], field, value))


@pytest.mark.parametrize("level", [5.0, 200.0, math.nan, "high", True])
def test_a_level_that_no_front_has_is_refused(names, recording, level):
    with pytest.raises(AnnotationError, match="contour_mmhg"):
        edits_of(recording, Change(names[0], "contour_mmhg", level))


def test_the_onset_is_clock_zero(recording, plain, names):
    before = plain["swallows"][1]
    at = before["onset_s"] - 0.6
    seen = reviewed(recording, Change(names[1], "onset_s", at))
    row = seen["swallows"][1]
    assert (row["onset_s"], row["onset_method"]) == (at, "reader")
    assert row["window_s"] == pytest.approx([at, at + 10.0])
    assert row["distal_latency_s"] == pytest.approx(before["distal_latency_s"] + 0.6, abs=0.02)
    assert seen["swallows"][0] == plain["swallows"][0]
    late = {"review.onset_move_s": 60.0}
    moved = Change(names[1], "onset_s", before["onset_s"] + 40.0)
    far = reviewed(recording, moved, parameters=late)
    assert [r["onset_s"] for r in far["swallows"]] == sorted(r["onset_s"] for r in far["swallows"])
    assert far["swallows"][2]["onset_method"] == "reader"


def test_posture_and_protocol(recording, names):
    changes = [Change(names[0], "posture", "upright"), Change(names[1], "protocol", "single")]
    stated = [{"onset_s": hrm_onset(names[0]) + 1.0, "posture": "supine", "protocol": "solid"}]
    rows = reviewed(recording, *changes, swallows=stated)["swallows"]
    assert [row["posture"] for row in rows] == ["upright", "supine", "supine"]
    assert [row["protocol"] for row in rows] == ["solid", "single", "unknown"]


def hrm_onset(name):
    return float(name.partition("@")[2])


def test_the_swallow_table_stays_with_a_swallow_that_was_dated_again(recording, names):
    stated = [{"onset_s": hrm_onset(names[0]) - 2.0, "posture": "upright"}]
    moved = Change(names[0], "onset_s", hrm_onset(names[0]) + 2.0)
    rows = reviewed(recording, moved, swallows=stated)["swallows"]
    assert [row["posture"] for row in rows] == ["upright", "supine", "supine"]


def test_a_swallow_can_be_added(recording, plain):
    seen = reviewed(
        recording,
        Change("swallow@20.00", "added", new=True),
        Change("swallow@20.00", "posture", "upright"),
    )
    first, *others = seen["swallows"]
    assert (first["onset_s"], first["onset_method"], first["posture"]) == (20, "reader", "upright")
    assert others == [{**row, "id": row["id"] + 1} for row in plain["swallows"]]
    assert any("20.0 s lies in the baseline" in text for text in seen["warnings"])
    taken_back = [
        Change("swallow@20.00", "added", new=True),
        Change("swallow@20.00", "posture", "upright"),
        Change("swallow@20.00", "added", new=None),
    ]
    assert reviewed(recording, *taken_back)["swallows"] == plain["swallows"]


def test_a_name_matches_within_half_a_second(recording, names):
    near = f"swallow@{hrm_onset(names[0]) + 0.4:.2f}"
    later = Change(names[0], "posture", "supine")
    assert reviewed(recording, Change(near, "posture", "upright"))["swallows"][0]["posture"] == (
        "upright"
    )
    both = reviewed(recording, Change(near, "posture", "upright"), later)
    assert both["swallows"][0]["posture"] == "supine"
    assert [row["object"] for row in both["review"]["applied"]] == [names[0]]


# -- the automatic values stay -----------------------------------------------------------


def test_the_automatic_values_stand_beside(recording, plain, names):
    changes = [
        mark("les_upper_cm", 27.0),
        mark("transition_zone_cm", 15.0),
        Change(names[0], "onset_s", plain["swallows"][0]["onset_s"] + 0.3),
        Change(names[1], "include", new=False),
        Change(names[2], "cdp_cm", 25.0),
        Change(names[2], "posture", "upright"),
        Change("study", "signed_off", new=True),
    ]
    edits = edits_of(recording, *changes)
    tree = hrm.analyze(recording, posture="supine", review=edits)
    review = hrm.to_dict(tree)["review"]
    assert (review["n_edits"], review["readers"], review["signed_off"]) == (7, ["AB"], True)
    assert review["head_hash"] == edits[-1].hash
    assert [(r["seq"], r["object"], r["field"], r["value"]) for r in review["applied"]] == [
        (k, c.object, c.field, c.new) for k, c in enumerate(changes, 1)
    ]
    assert [row["automatic"] for row in review["applied"]] == [
        plain["landmarks"]["les_upper_cm"],
        plain["landmarks"]["transition_zone_cm"],
        plain["swallows"][0]["onset_s"],
        True,
        plain["swallows"][2]["cdp_cm"],
        "supine",
        None,
    ]
    node = tree["landmarks"].to_dataset()
    sources = dict(zip(node["landmark"].values, node["source"].values, strict=True))
    assert sources.pop("les_upper_cm") == sources.pop("transition_zone_cm") == "reader:AB"
    assert set(sources.values()) == {"automatic"}
    assert node["gastric_reference"].attrs["source"] == "automatic"
    assert "JANE" not in str(hrm.to_dict(tree))


def test_without_a_review_there_is_none(plain):
    assert plain["review"] is None


def test_a_review_that_changes_nothing_changes_nothing(recording, plain):
    for changes in ([], [Change("study", "signed_off", new=True)]):
        seen = reviewed(recording, *changes) if changes else hrm.to_dict(
            hrm.analyze(recording, posture="supine", review=[])
        )  # fmt: skip
        assert {**seen, "review": None} == plain


def test_going_back_gives_the_automatic_result(recording, plain, names):
    there = [
        mark("les_upper_cm", 27.0),
        Change(names[0], "include", new=False),
        Change(names[1], "onset_s", 90.0),
    ]
    back = [Change(c.object, c.field, None) for c in there]
    seen = reviewed(recording, *there, *back)
    assert {**seen, "review": None} == plain
    assert (seen["review"]["n_edits"], seen["review"]["applied"]) == (6, [])


def test_replaying_twice_is_replaying_once(recording, plain):
    edits = edits_of(recording, mark("les_upper_cm", 27.0))
    once = hrm.analyze(recording, posture="supine", review=edits)
    twice = hrm.analyze(once, posture="supine", review=edits)
    assert hrm.to_dict(twice) == hrm.to_dict(once)
    assert hrm.to_dict(hrm.analyze(once, posture="supine")) == plain


def test_a_saved_study_keeps_its_review(recording, tmp_path):
    edits = edits_of(recording, mark("les_upper_cm", 27.0))
    tree = hrm.analyze(recording, review=edits)
    hrm.write_native(tree, tmp_path / "study.h5")
    assert hrm.to_dict(hrm.open_recording(tmp_path / "study.h5")) == hrm.to_dict(tree)


def test_a_log_is_read_from_its_path(recording, tmp_path):
    sha256 = recording.attrs["source_sha256"]
    log = log_path(sha256, tmp_path)
    append(log, mark("les_upper_cm", 27.0), sha256=sha256, reader="AB")
    seen = hrm.to_dict(hrm.analyze(recording, review=log))
    assert seen["landmarks"]["les_upper_cm"] == 27.0
    assert seen == hrm.to_dict(hrm.analyze(recording, review=read_log(log)))


# -- what does not fit -------------------------------------------------------------------


def test_a_log_of_another_recording_is_refused(recording):
    edits = edits_of(recording, mark("les_upper_cm", 27.0), sha256="b" * 64)
    with pytest.raises(AnnotationError, match="line 1: the log is of another recording"):
        hrm.analyze(recording, review=edits)


MISFITS = {
    "above the catheter": ([mark("ues_upper_cm", -3.0)], "catheter reaches from 0 to 35 cm"),
    "below the catheter": ([mark("crural_diaphragm_cm", 35.5)], "catheter reaches"),
    "borders crossed": ([mark("les_upper_cm", 33.0)], "les_upper_cm has to be less than"),
    "hardly an LES": ([mark("les_lower_cm", 28.4)], "a resting LES is at least 0.5 cm long"),
    "zone below the LES": ([mark("transition_zone_cm", 30.0)], "less than les_upper_cm"),
    "nowhere near": ([Change("swallow@10.00", "include", new=True)], "no swallow is found within"),
    "nearly near": ([Change("SWALLOW+0.60", "include", new=False)], "no swallow is found within"),
    "onset before the start": ([Change("SWALLOW+0.00", "onset_s", -1.0)], "recording lasts"),
    "onset after the end": ([Change("SWALLOW+0.00", "onset_s", 9000.0)], "recording lasts"),
    "onset far away": ([Change("SWALLOW+0.00", "onset_s", 75.0)], "moves by at most 5 s"),
    "onset on another": ([Change("SWALLOW+0.00", "onset_s", "NEXT")], "another swallow begins"),
    "no stomach": ([mark("gastric_reference_mmhg", 41.0)], "a resting stomach has -15 to 40 mmHg"),
    "no vacuum": ([mark("gastric_reference_mmhg", -16.0)], "a resting stomach has"),
    "diaphragm above": ([mark("crural_diaphragm_cm", 20.0)], "does not lie above the LES"),
    "inversion in the pharynx": ([mark("pressure_inversion_point_cm", 1.0)], "lies below the UES"),
    "added on another": ([Change("SWALLOW+0.30", "added", new=True)], "there is a swallow within"),
    "added beyond the end": ([Change("swallow@9000.00", "added", new=True)], "recording lasts"),
    "no front there": ([Change("SWALLOW+0.00", "cdp_cm", 3.0)], "no front near"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_refused_by_its_line(recording, plain, names, case):
    changes, words = MISFITS[case]

    def at(change):
        name, _, shift = change.object.partition("+")
        new = plain["swallows"][1]["onset_s"] + 0.2 if change.new == "NEXT" else change.new
        if name == "SWALLOW":
            name = f"swallow@{plain['swallows'][0]['onset_s'] + float(shift):.2f}"
        return Change(name, change.field, new)

    with pytest.raises(AnnotationError) as raised:
        reviewed(recording, mark("pressure_inversion_point_cm", 29.0), *map(at, changes))
    assert str(raised.value).startswith("review log, line 2: ")
    assert words in str(raised.value)


def test_an_edit_that_was_taken_back_need_not_fit(recording, plain):
    gone = [Change("swallow@10.00", "include", new=False), Change("swallow@10.00", "include", None)]
    wild = [mark("les_upper_cm", 90.0), mark("les_upper_cm", None)]
    assert reviewed(recording, *gone, *wild)["swallows"] == plain["swallows"]
