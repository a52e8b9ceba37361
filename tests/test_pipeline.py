"""From a recording to the result: phantoms with known truth, bad input, invariances."""

import json
import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import hrm
from hrm import phantom
from hrm.detect.protocol import shows_itself
from hrm.errors import ParameterError, SchemaError
from hrm.results import SWALLOW_METRICS
from tests.detect.signals import Act, study

PHENOTYPES = ("normal", "achalasia_type_2", "des")
# One example costs a whole analysis: no search for a smaller one.
FEW = settings(max_examples=5, phases=[Phase.explicit, Phase.generate])


def result(recording, **options):
    return hrm.to_dict(hrm.analyze(recording, **options))


def remake(recording, change=None, *, step=1, **options):
    """The same recording, its pressure (sensor, time) changed."""
    values = recording["pressure/pressure"].values[:, ::step].astype(float)
    if change is not None:
        values = change(values)
    events = recording["events"].to_dataset().to_dataframe().to_dict("records")
    given = {
        "sampling_rate": recording.attrs["sampling_rate"] / step,
        "depth": recording["pressure/depth"].values,
        "dims": ("sensor", "time"),
        "events": events,
        "attrs": {"system": recording.attrs["system"]},
    }
    return hrm.make_recording(values, **given | options)


@pytest.fixture(scope="module")
def drawn():
    """Results and truth of two studies of each phenotype, by phenotype and seed."""
    out = {}
    for phenotype in PHENOTYPES:
        for seed in (11, 12):
            made = phantom.draw(phenotype, seed=seed, n_supine=4, n_upright=2)
            known = phantom.truth(made, offset_cm=phantom.default_offset(made))
            recording = phantom.sample(made, sampling_rate=50.0, noise_mmhg=0.5)
            seen = result(recording, swallows=phantom.swallow_table(made))
            out[phenotype, seed] = (seen, known)
    return out


@pytest.fixture(scope="module")
def normal():
    """A short normal study at 100 Hz: quiet breathing, then three swallows."""
    made = phantom.draw("normal", seed=3, n_supine=3, n_upright=0)
    return phantom.sample(made, noise_mmhg=0.3)


@pytest.fixture(scope="module")
def plain(normal):
    return result(normal, posture="supine")


def pairs_of(drawn):
    for seen, known in drawn.values():
        yield from zip(seen["swallows"], known["swallows"], strict=True)


def errors(drawn, name):
    return [
        abs(a[name] - b[name]) if a[name] is not None else math.inf
        for a, b in pairs_of(drawn)
        if b[name] is not None
    ]


def test_every_swallow_is_found_and_dated(drawn):
    onsets = errors(drawn, "onset_s")
    assert len(onsets) == 6 * len(drawn)
    assert max(onsets) < 1.0
    assert np.median(onsets) <= 0.15


def test_metrics_are_those_of_the_phantom(drawn):
    """The bounds of the phantom table, over 36 swallows."""
    assert np.median(errors(drawn, "irp4s_mmhg")) <= 1.0
    assert max(errors(drawn, "irp4s_mmhg")) <= 4.0
    assert np.median(errors(drawn, "distal_latency_s")) <= 0.3
    assert np.median(errors(drawn, "break_cm")) <= 1.0
    effective = [
        a["dci_mmhg_s_cm"] / b["dci_mmhg_s_cm"]
        for a, b in pairs_of(drawn)
        if b["dci_mmhg_s_cm"] >= 450
    ]
    assert len(effective) >= 20
    assert np.median(np.abs(np.array(effective) - 1)) <= 0.05
    low = [
        abs(a["dci_mmhg_s_cm"] - b["dci_mmhg_s_cm"])
        for a, b in pairs_of(drawn)
        if b["dci_mmhg_s_cm"] < 450
    ]
    assert np.median(low) <= 25.0


def test_types_and_patterns_are_those_of_the_phantom(drawn):
    for name, share in (("type", 0.95), ("pressurization", 0.9), ("posture", 1.0)):
        assert np.mean([a[name] == b[name] for a, b in pairs_of(drawn)]) >= share
    assert {b["type"] for _, b in pairs_of(drawn)} >= {"normal", "failed", "premature"}
    assert "panesophageal" in {b["pressurization"] for _, b in pairs_of(drawn)}


def test_landmarks_and_the_junction_are_those_of_the_phantom(drawn):
    for seen, known in drawn.values():
        for name, within in (
            ("les_upper_cm", 1.0),
            ("les_lower_cm", 1.0),
            ("ues_upper_cm", 0.6),
            ("ues_lower_cm", 0.6),
            ("gastric_reference_mmhg", 1.0),
        ):
            assert seen["landmarks"][name] == pytest.approx(known["landmarks"][name], abs=within)
        for name in (
            *("basal_mean_mmhg", "basal_end_expiratory_mmhg"),
            "basal_inspiratory_mmhg",
        ):
            # A tight sphincter is read some percent low between sensors (SPEC 1.4).
            assert seen["egj"][name] == pytest.approx(known["egj"][name], abs=3.0, rel=0.06)
        assert seen["study"]["baseline"]["status"] == "ok"
    borders = [
        abs(seen["landmarks"][name] - known["landmarks"][name])
        for seen, known in drawn.values()
        for name in ("les_upper_cm", "les_lower_cm")
    ]
    assert np.median(borders) <= 0.6


def test_study_numbers_follow_from_the_swallows(drawn):
    for seen, known in drawn.values():
        for posture in ("supine", "upright"):
            values = [
                row["irp4s_mmhg"]
                for row in seen["swallows"]
                if row["evaluable"] and row["posture"] == posture
            ]
            name = f"irp4s_median_{posture}_mmhg"
            assert seen["study"][name] == pytest.approx(np.median(values))
        assert seen["study"]["n_evaluable"] == known["study"]["n_evaluable"]
        assert seen["study"]["primary_posture"] == "supine"
        supine = [row for row in seen["swallows"] if row["posture"] == "supine"]
        for name in ("failed", "weak", "fragmented"):
            share = 100 * np.mean([row["type"] == name for row in supine])
            assert seen["study"]["percent"][name] == pytest.approx(share)


def test_the_same_input_gives_the_same_output(normal, plain):
    assert json.dumps(result(normal, posture="supine")) == json.dumps(plain)


def test_the_recording_is_not_changed(normal):
    before = normal["pressure/pressure"].values.copy()
    hrm.analyze(normal, system="starlet")
    np.testing.assert_array_equal(normal["pressure/pressure"].values, before)
    assert normal.attrs["system"] == "manoscan"
    assert "swallows" not in normal.children


# -- bad input ---------------------------------------------------------------------------


def sensor_at(recording, depth_cm):
    return int(np.argmin(np.abs(recording["pressure/depth"].values - depth_cm)))


def dead(recording, *sensors, by="nan"):
    def change(values):
        values[list(sensors)] = np.nan if by == "nan" else 7.0
        return values

    return remake(recording, change)


def statuses(seen, name):
    return {row["status"].get(name, "ok") for row in seen["swallows"]}


@pytest.mark.parametrize("by", ["nan", "constant"])
def test_one_dead_sensor_is_bridged(normal, plain, by):
    for place in (plain["landmarks"]["les_upper_cm"], 18.0):
        k = sensor_at(normal, place)
        seen = result(dead(normal, k, by=by), posture="supine")
        assert seen["warnings"][-1] == f"sensors at {k} cm cannot be used"
        assert len(seen["swallows"]) == len(plain["swallows"])
        for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
            assert a["evaluable"]
            assert a["irp4s_mmhg"] == pytest.approx(b["irp4s_mmhg"], abs=3.0)
            assert a["dci_mmhg_s_cm"] == pytest.approx(b["dci_mmhg_s_cm"], rel=0.05)


@pytest.mark.parametrize("by", ["nan", "constant"])
def test_two_dead_neighbors_in_the_les_leave_the_contraction(normal, plain, by):
    middle = 0.5 * (plain["landmarks"]["les_upper_cm"] + plain["landmarks"]["les_lower_cm"])
    k = sensor_at(normal, middle)
    seen = result(dead(normal, k, k + 1, by=by), posture="supine")
    for row in seen["swallows"]:
        assert row["irp4s_mmhg"] is None
        assert row["status"]["irp4s_mmhg"] in ("sensor_failed", "landmark_missing")
    assert any("cannot be used" in text for text in seen["warnings"])


@pytest.mark.parametrize("by", ["nan", "constant"])
def test_two_dead_neighbors_in_the_body_leave_the_relaxation(normal, plain, by):
    k = sensor_at(normal, 18.0)
    seen = result(dead(normal, k, k + 1, by=by), posture="supine")
    assert statuses(seen, "dci_mmhg_s_cm") == {"sensor_failed"}
    assert statuses(seen, "irp4s_mmhg") == {"ok"}
    for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
        assert (a["type"], a["evaluable"], a["reason"]) == (None, False, "dci_missing")
        assert a["irp4s_mmhg"] == pytest.approx(b["irp4s_mmhg"], abs=0.1)
    assert seen["study"]["n_evaluable"] == 0


def test_a_gap_in_time_touches_only_its_swallow(normal, plain):
    first = plain["swallows"][0]["onset_s"]

    def change(values):
        values[:, round((first + 3) * 100) : round((first + 3.5) * 100)] = np.nan
        return values

    seen = result(remake(normal, change), posture="supine")
    assert len(seen["swallows"]) == len(plain["swallows"])
    hit, *others = seen["swallows"]
    assert hit["irp4s_mmhg"] is None
    assert hit["dci_mmhg_s_cm"] is None
    assert not hit["evaluable"]
    for a, b in zip(others, plain["swallows"][1:], strict=True):
        assert a["irp4s_mmhg"] == pytest.approx(b["irp4s_mmhg"], abs=0.01)


def test_a_gap_at_one_sensor_is_bridged(normal, plain):
    k, first = sensor_at(normal, 18.0), plain["swallows"][0]["onset_s"]

    def change(values):
        values[k, round((first + 3) * 100) : round((first + 5) * 100)] = np.nan
        return values

    seen = result(remake(normal, change), posture="supine")
    assert seen["swallows"][0]["dci_mmhg_s_cm"] == pytest.approx(
        plain["swallows"][0]["dci_mmhg_s_cm"], rel=0.05
    )
    assert seen["warnings"] == plain["warnings"]


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_sensors_cannot_be_measured(normal, n):
    def change(values):
        values[n:] = 3.0
        return values

    with pytest.raises(SchemaError, match=f"fewer than two sensors can be used, {n} of 36"):
        hrm.analyze(remake(normal, change))


def test_a_catheter_that_does_not_cross_the_egj(normal, plain):
    cut = plain["landmarks"]["les_upper_cm"] - 1.0
    inside = normal["pressure/depth"].values < cut
    seen = result(
        remake(normal, lambda v: v[inside], depth=normal["pressure/depth"].values[inside])
    )
    assert seen["landmarks"]["gastric_reference_mmhg"] is None
    assert len(seen["swallows"]) == len(plain["swallows"])
    assert all(row["irp4s_mmhg"] is None for row in seen["swallows"])
    assert any(text.startswith("landmark") for text in seen["warnings"])


def closed_form(*acts, **how):
    made = study(*acts, **how)
    return hrm.make_recording(
        made.values,
        sampling_rate=50.0,
        depth=made["depth"].values,
        dims=("sensor", "time"),
        attrs={"system": "manoscan"},
    )


def test_no_swallow():
    seen = result(closed_form())
    assert seen["swallows"] == []
    assert (seen["study"]["n_swallows"], seen["study"]["n_evaluable"]) == (0, 0)
    assert "no swallow was found" in seen["warnings"]
    assert seen["egj"]["basal_mean_mmhg"] == pytest.approx(17, abs=5)


def test_a_window_cut_off_at_the_end(normal, plain):
    last = plain["swallows"][-1]["onset_s"]

    def ending(after):
        return result(
            remake(normal, lambda v: v[:, : round((last + after) * 100)]), posture="supine"
        )["swallows"][-1]

    usable, partial, short = ending(11.5), ending(9.0), ending(6.0)
    assert usable["evaluable"]
    assert "window_truncated" in partial["flags"]
    assert partial["window_s"][1] == pytest.approx(last + 9.0, abs=0.02)
    whole = plain["swallows"][-1]["dci_mmhg_s_cm"]
    assert usable["dci_mmhg_s_cm"] == pytest.approx(whole, rel=0.02)
    # The relaxation is seen, but the contraction still goes on.
    assert partial["irp4s_mmhg"] == pytest.approx(plain["swallows"][-1]["irp4s_mmhg"], abs=2.0)
    assert (partial["dci_mmhg_s_cm"], partial["type"]) == (None, None)
    assert (partial["evaluable"], partial["reason"]) == (False, "window_truncated")
    assert short["onset_s"] == pytest.approx(last, abs=0.01)
    assert (short["evaluable"], short["reason"]) == (False, "window_truncated")
    assert short["irp4s_mmhg"] is None
    assert short["status"]["irp4s_mmhg"] == "window_truncated"


@pytest.mark.parametrize("before", [0.5, 2.0])
def test_a_window_cut_off_at_the_start(normal, plain, before):
    first = plain["swallows"][0]["onset_s"]
    start = round((first - before) * 100)
    seen = result(remake(normal, lambda v: v[:, start:]), posture="supine")
    assert seen["swallows"][0]["onset_s"] == pytest.approx(before, abs=0.2)
    assert len(seen["swallows"]) == len(plain["swallows"])


def test_swallows_five_seconds_apart():
    seen = result(closed_form(Act(40.0), Act(45.0), Act(70.0), duration=100.0), posture="supine")
    first, second, third = seen["swallows"]
    assert (first["evaluable"], first["reason"]) == (False, "next_swallow_within_10_s")
    assert first["type"] is None
    assert first["irp4s_mmhg"] is None
    assert second["evaluable"]
    assert third["evaluable"]
    assert seen["study"]["n_evaluable"] == 2


def test_four_rapid_swallows_are_a_protocol_of_their_own():
    acts = [Act(40.0 + 3 * k) for k in range(4)]
    seen = result(closed_form(*acts, Act(80.0), duration=110.0))
    assert [row["protocol"] for row in seen["swallows"]] == ["mrs"] * 4 + ["unknown"]
    assert [row["reason"] for row in seen["swallows"]] == ["protocol_mrs"] * 4 + [None]


def test_a_cough_during_a_swallow():
    made = phantom.draw("normal", seed=3, n_supine=3, n_upright=0)
    at = made.swallows[1].onset_s + 4.0
    seen = result(phantom.sample(made, sampling_rate=50.0, cough_at_s=(at,)), posture="supine")
    assert [row["reason"] for row in seen["swallows"]] == [None, "cough", None]
    assert seen["swallows"][1]["irp4s_mmhg"] is not None
    assert seen["study"]["n_evaluable"] == 2


def test_a_stated_swallow_without_sign_is_kept_and_named_but_does_not_count(normal, plain):
    stated = [{"onset_s": 20.0, "posture": "upright"}]
    seen = result(normal, posture="supine", swallows=stated)
    first, *others = seen["swallows"]
    assert (first["onset_s"], first["onset_method"], first["posture"]) == (
        20.0,
        "stated",
        "upright",
    )
    assert (first["evaluable"], first["reason"]) == (False, "no_swallow_seen")
    assert [row["posture"] for row in others] == ["supine"] * len(plain["swallows"])
    assert any("are only stated" in text for text in seen["warnings"])


def test_a_table_with_another_clock_gives_no_label(normal, plain):
    """Quiet esophagus at made-up times must not count as failed contractions."""
    shifted = [{"onset_s": row["onset_s"] + 13.0, "posture": "supine"} for row in plain["swallows"]]
    seen = result(normal, swallows=shifted)
    assert sum(row["reason"] == "no_swallow_seen" for row in seen["swallows"]) == len(shifted)
    assert seen["classification"]["ccv4"]["diagnosis"] == "not_classified"


@pytest.mark.parametrize(
    ("methods", "shown"),
    [
        (["ues_relaxation", "stated"], [True, False]),
        (["stated", "pharyngeal_wave", "reader"], [False, True, True]),
        (["stated", "stated"], [True, True]),
        (["stated", "reader"], [True, True]),
    ],
)
def test_a_statement_is_enough_only_where_nothing_shows_any_swallow(methods, shown):
    assert [shows_itself(k, methods) for k in range(len(methods))] == shown


def test_a_stated_swallow_is_dated_by_its_own_signs(normal, plain):
    known = plain["swallows"][0]["onset_s"]
    stated = [{"onset_s": known + 1.2, "posture": "upright", "protocol": "single"}]
    first = result(normal, swallows=stated)["swallows"][0]
    assert (first["onset_s"], first["posture"], first["protocol"]) == (known, "upright", "single")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"system": "sandhill"}, "unknown system 'sandhill'; known systems: manoscan"),
        ({"posture": "lying"}, "supine, upright"),
        ({"swallows": [{"onset_s": "x"}]}, "row 1: onset_s"),
        ({"swallows": [{}]}, "row 1: onset_s"),
        ({"swallows": [{"onset_s": 9.0}, {"onset_s": float("nan")}]}, "row 2"),
        ({"swallows": [{"onset_s": 9.0, "posture": "left"}]}, "row 1: .* 'left'"),
        ({"swallows": [{"onset_s": 9.0, "protocol": "dry"}]}, "row 1: .* 'dry'"),
        ({"swallows": [{"onset_s": 1e5}]}, "outside the recording"),
        ({"swallows": [{"onset_s": -1.0}]}, "outside the recording"),
        ({"parameters": {"irp.windows_s": 8.0}}, "unknown parameter"),
        ({"parameters": {"irp.window_s": "ten"}}, "expects a float"),
        ({"parameters": {"interpolation.kernel": "nearest"}}, "linear, pchip, cubic"),
    ],
)
def test_wrong_options_are_refused(normal, options, message):
    with pytest.raises(ParameterError, match=message):
        hrm.analyze(normal, **options)


def test_something_else_than_a_recording_is_refused(normal):
    with pytest.raises(SchemaError, match="missing"):
        hrm.analyze(normal["pressure"])


def test_parameters_change_the_result_and_its_name(normal, plain):
    seen = result(normal, posture="supine", parameters={"irp.duration_s": 2.0})
    assert seen["engine"]["parameters_id"] != plain["engine"]["parameters_id"]
    assert seen["engine"]["parameter_overrides"] == {"irp.duration_s": 2.0}
    for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
        assert a["irp4s_mmhg"] < b["irp4s_mmhg"]
        assert a["dci_mmhg_s_cm"] == b["dci_mmhg_s_cm"]


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
def test_the_kernel_hardly_matters_at_one_cm(normal, plain, kernel):
    seen = result(normal, posture="supine", parameters={"interpolation.kernel": kernel})
    for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
        assert a["dci_mmhg_s_cm"] == pytest.approx(b["dci_mmhg_s_cm"], rel=0.03)
        assert a["irp4s_mmhg"] == pytest.approx(b["irp4s_mmhg"], abs=1.5)
        assert a["dci_mmhg_s_cm"] != b["dci_mmhg_s_cm"]


def test_system_and_posture_are_said_or_warned_about(normal, plain):
    nameless = remake(normal, attrs={})
    seen = result(nameless)
    assert seen["recording"]["system"] == "unknown"
    assert any(text.startswith("system unknown") for text in seen["warnings"])
    assert any(text.startswith("posture unknown") for text in seen["warnings"])
    assert plain["warnings"] == []
    starlet = result(normal, system="starlet")
    assert starlet["recording"]["system"] == "starlet"
    assert "dci_weak.starlet.any.v4" in starlet["engine"]["limit_ids"]


def test_noise_is_filtered_named_and_kept_beside(normal, plain):
    rng = np.random.default_rng(2)
    noisy = remake(normal, lambda v: v + 6.0 * rng.standard_normal(v.shape))
    seen = result(noisy, posture="supine")
    assert seen["study"]["filtered"]
    assert seen["study"]["noise_mmhg"] == pytest.approx(6.0, rel=0.1)
    assert any("noise is about 6" in text for text in seen["warnings"])
    assert not plain["study"]["filtered"]
    for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
        assert {f"{name}_unfiltered" for name in SWALLOW_METRICS} <= a.keys()
        assert not any(name.endswith("_unfiltered") for name in b)
        filtered, raw = a["irp4s_mmhg"], a["irp4s_mmhg_unfiltered"]
        assert abs(filtered - b["irp4s_mmhg"]) < 1.0
        assert abs(filtered - b["irp4s_mmhg"]) < abs(raw - b["irp4s_mmhg"])


def test_noise_below_the_limit_is_not_filtered(normal, plain):
    rng = np.random.default_rng(2)
    noisy = remake(normal, lambda v: v + 1.7 * rng.standard_normal(v.shape))
    assert not result(noisy)["study"]["filtered"]


# -- invariances -------------------------------------------------------------------------


def same_metrics(seen, known, *, names=tuple(SWALLOW_METRICS), shift=0.0, **tolerance):
    assert len(seen["swallows"]) == len(known["swallows"])
    for a, b in zip(seen["swallows"], known["swallows"], strict=True):
        assert a["type"] == b["type"]
        for name in names:
            moved = b[name] + shift if name == "cdp_cm" and b[name] is not None else b[name]
            if moved is None:
                assert a[name] is None
            else:
                assert a[name] == pytest.approx(moved, **tolerance), name


@FEW
@given(shift=st.integers(-30, 60))
def test_shifting_the_origin_of_depth_shifts_the_landmarks_only(normal, plain, shift):
    depth = normal["pressure/depth"].values + shift
    seen = result(remake(normal, depth=depth), posture="supine")
    # A grid line at the very edge of a box may fall to either side of it by rounding.
    same_metrics(seen, plain, shift=shift, rel=1e-4, abs=0.05)
    for name, value in plain["landmarks"].items():
        if name.endswith("_cm"):
            assert seen["landmarks"][name] == pytest.approx(value + shift, abs=1e-6)
    for name, value in plain["egj"].items():
        known = pytest.approx(value, abs=1e-3) if isinstance(value, float) else value
        assert seen["egj"][name] == known


def test_a_distal_first_recording_gives_the_same_result(normal, plain):
    turned = remake(normal, lambda v: v[::-1], depth=normal["pressure/depth"].values[::-1])
    seen = result(turned, posture="supine")
    seen["recording"] = plain["recording"]
    assert seen == plain


@FEW
@given(offset=st.floats(-4, 4))
def test_a_constant_on_all_sensors_does_not_change_what_is_above_gastric(normal, plain, offset):
    seen = result(remake(normal, lambda v: v + offset), posture="supine")
    marks, known = seen["landmarks"], plain["landmarks"]
    assert marks["gastric_reference_mmhg"] == pytest.approx(
        known["gastric_reference_mmhg"] + offset, abs=0.05
    )
    assert marks["les_upper_cm"] == pytest.approx(known["les_upper_cm"], abs=0.02)
    # The onset is a level of absolute pressure and moves by some ms.
    for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
        assert a["irp4s_mmhg"] == pytest.approx(b["irp4s_mmhg"], abs=0.15)
    assert seen["egj"]["basal_mean_mmhg"] == pytest.approx(plain["egj"]["basal_mean_mmhg"], abs=0.1)


@pytest.mark.parametrize(("step", "within"), [(2, 0.3), (5, 0.6)])
def test_half_the_sampling_rate_hardly_changes_the_relaxation(normal, plain, step, within):
    seen = result(remake(normal, step=step), posture="supine")
    same_metrics(seen, plain, names=("irp4s_mmhg",), abs=within)
    same_metrics(seen, plain, names=("dci_mmhg_s_cm",), rel=0.03)


def test_quiet_time_before_the_study_changes_only_the_times(normal, plain):
    """Ten seconds of the recording's own rest, played backwards, come first."""
    seen = result(
        remake(normal, lambda v: np.concatenate([v[:, 1000:0:-1], v], axis=1)), posture="supine"
    )
    for a, b in zip(seen["swallows"], plain["swallows"], strict=True):
        assert a["onset_s"] == pytest.approx(b["onset_s"] + 10.0, abs=0.02)
        assert a["irp4s_mmhg"] == pytest.approx(b["irp4s_mmhg"], abs=0.3)


@settings(FEW, max_examples=15)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([8.0, 20.0]), n=st.integers(2, 12))
def test_any_pressure_gives_a_result_or_a_typed_error(seed, rate, n):
    rng = np.random.default_rng(seed)
    length = int(rng.integers(2, 900))
    steps = rng.uniform(0.3, 4.0, n)
    values = np.cumsum(rng.normal(0, rng.choice([0.1, 3, 30]), (n, length)), axis=1)
    values[rng.random(values.shape) < rng.choice([0.0, 0.001, 0.05])] = np.nan
    made = hrm.make_recording(
        values, sampling_rate=rate, depth=np.cumsum(steps), dims=("sensor", "time")
    )
    try:
        seen = result(made)
    except ParameterError:
        return
    assert all(math.isfinite(row["onset_s"]) for row in seen["swallows"])
    json.dumps(seen, allow_nan=False)


def test_a_saved_study_keeps_what_was_said_of_it(normal, tmp_path):
    table = [{"onset_s": row["onset_s"], "posture": "supine"} for row in result(normal)["swallows"]]
    first = hrm.analyze(normal, swallows=table, posture="upright")
    hrm.write_native(first, tmp_path / "study.h5")
    again = hrm.analyze(hrm.open_recording(tmp_path / "study.h5"))
    assert hrm.to_dict(again) == hrm.to_dict(first)
    assert {row["posture"] for row in hrm.to_dict(again)["swallows"]} == {"supine"}
    other = hrm.to_dict(hrm.analyze(hrm.open_recording(tmp_path / "study.h5"), posture="upright"))
    assert {row["posture"] for row in other["swallows"]} == {"upright"}


def test_a_saved_study_keeps_its_context_limit_and_parameters(normal, tmp_path):
    told = {
        "clinical": {"prior_surgery": "myotomy"},
        "irp_limit": 18.0,
        "parameters": {"dci.threshold_mmhg": 25.0},
    }
    first = hrm.analyze(normal, **told)
    hrm.write_native(first, tmp_path / "study.h5")
    saved = hrm.open_recording(tmp_path / "study.h5")
    assert hrm.to_dict(hrm.analyze(saved)) == hrm.to_dict(first)
    assert hrm.to_dict(hrm.analyze(saved)) != result(normal)
    other = hrm.to_dict(hrm.analyze(saved, irp_limit=12.0, clinical={"opioids": True}))
    engine = other["engine"]
    assert engine["irp_limit"]["value_mmhg"] == 12.0
    assert engine["clinical"]["prior_surgery"] == "myotomy"
    assert engine["clinical"]["opioids"] is True
    assert engine["parameter_overrides"] == {"dci.threshold_mmhg": 25.0}


@pytest.mark.parametrize("text", ["{", "[1]", '{"nobody": 1}', '{"prior_surgery": [}'])
@pytest.mark.parametrize("name", ["clinical", "irp_limit", "parameter_overrides"])
def test_a_damaged_note_of_an_earlier_analysis_is_told(normal, name, text):
    study = normal.copy()
    study.attrs = {**normal.attrs, name: text}
    with pytest.raises(ParameterError, match=name):
        hrm.analyze(study)


def test_a_stated_onset_far_from_the_one_measured_is_remarked_upon(normal):
    (first, *_) = result(normal)["swallows"]
    near, far = first["onset_s"] + 0.5, first["onset_s"] + 2.0
    quiet = result(normal, swallows=[{"onset_s": near}])["warnings"]
    loud = result(normal, swallows=[{"onset_s": far}])["warnings"]
    assert not any("stated at" in text for text in quiet)
    assert any(f"stated at {far:.1f} s" in text for text in loud)


def test_a_catheter_of_another_technology_than_the_limits_is_named():
    made = phantom.draw("normal", seed=3, n_supine=3, n_upright=0)
    recording = phantom.sample(made, catheter="CE4-0062", sampling_rate=20.0, system="manoscan")
    recording.attrs["catheter"] = "CE4-0062"
    assert any("water perfused" in text for text in result(recording)["warnings"])
    assert not any("sensors: no" in text for text in result(recording, system="mms_wp")["warnings"])


def test_a_failed_swallow_has_no_break(drawn):
    seen, _ = drawn["achalasia_type_2", 11]
    failed = [row for row in seen["swallows"] if row["type"] == "failed"]
    assert failed
    assert {row["break_cm"] for row in failed} == {None}
    assert {row["status"]["break_cm"] for row in failed} == {"no_contraction"}


def test_every_limit_row_that_decided_is_named(drawn):
    seen, _ = drawn["normal", 11]
    assert "irp4s.manoscan.supine.v4" in seen["engine"]["limit_ids"]
    assert len(set(seen["engine"]["limit_ids"])) == len(seen["engine"]["limit_ids"])
