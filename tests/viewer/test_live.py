"""What the viewer measures again is what `hrm.analyze` gives, value for value."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hrm
from hrm import phantom
from hrm.edits import FIELDS, SWALLOW_LANDMARKS
from hrm.errors import AnnotationError, ParameterError
from hrm.viewer import live
from hrm.viewer.journal import Place
from hrm.viewer.session import Opened, Session

NEARBY = {
    "ues_upper_cm": 1.0,
    "ues_lower_cm": 1.0,
    "les_upper_cm": 1.5,
    "les_lower_cm": 1.0,
    "crural_diaphragm_cm": 1.0,
    "pressure_inversion_point_cm": 1.0,
    "gastric_reference_mmhg": 4.0,
    "transition_zone_cm": 2.0,
}


def study(**options):
    """A small one with rapid swallows, impedance and a sensor of the LES that is missing."""
    made = phantom.draw("normal", seed=3, n_supine=3, n_upright=1, **options)
    return phantom.sample(made, sampling_rate=25.0)


def opened(recording, **options):
    place = Place(Path("nowhere"), recording.attrs["source_sha256"])
    return Session(Opened(Path(__file__), recording, options, place))


@pytest.fixture(scope="module")
def recording():
    return study()


@pytest.fixture(scope="module")
def shared(recording):
    return opened(recording, system="manoscan", posture="supine")


def analyzed(session):
    options = session._opened.options | session._standing()["settings"]
    drift = options.pop("drift")
    if drift != "auto":
        options["parameters"] = {"drift.mode": drift}
    review = session.journal.edits
    return hrm.to_dict(hrm.analyze(session._opened.recording, **options, review=review))


def around(session, name, share, flag):
    """A value near a landmark of the study, or the automatic one."""
    at = session.live.automatic.record.landmarks[name]
    return None if flag else at + share * NEARBY[name]


def near(session, row):
    """A value near the automatic one, or another word."""
    name, field, share, flag = row
    if name == "landmarks":
        return {"object": name, "field": field, "new": around(session, field, share, flag)}
    swallows = session.live.automatic.record.swallows
    found = swallows[int(abs(share) * 0.999 * len(swallows))]
    new = {
        "onset_s": found.onset_s + share,
        "include": flag,
        "posture": "upright" if flag else "supine",
        "protocol": "mrs" if flag else "solid",
        "cdp_cm": found.metrics["cdp_cm"] + share,
        "contour_mmhg": None if flag else 30.0 + 15.0 * share,
        "added": True,
        "comment": None if flag else "read twice",
        **{name: around(session, name, share, flag) for name in SWALLOW_LANDMARKS},
    }[field]
    key = found.object
    if field == "added":
        key = f"swallow@{found.onset_s + 8.0 + 4.0 * share:.2f}"
    return {"object": key, "field": field, "new": new}


EDITS = st.tuples(
    st.just("landmarks"), st.sampled_from(sorted(NEARBY)), st.floats(-1, 1), st.booleans()
) | st.tuples(
    st.just("swallow"),
    st.sampled_from([*SWALLOW_LANDMARKS, *FIELDS["swallow"]]),
    st.floats(-1, 1),
    st.booleans(),
)


@settings(max_examples=25)
@given(rows=st.lists(EDITS, min_size=1, max_size=4))
def test_any_edits_give_what_analyze_gives(shared, rows):
    for row in rows:
        edit = near(shared, row)
        try:
            shared.edit([edit], commit=False, quick=True)
            draft = shared.edit([edit], commit=False)
            done = shared.edit([edit], commit=True)
        except AnnotationError:
            continue
        # What a drag promised is what it became.
        assert shared._contract.of(shared._now.record) == shared._result
        assert draft["marks"] == done["marks"]
        json.dumps(done, allow_nan=False)
    assert shared._result == analyzed(shared)


def test_without_edits_it_is_the_automatic_result(recording):
    session = opened(recording, system="manoscan", posture="supine")
    assert session._result == hrm.to_dict(
        hrm.analyze(recording, system="manoscan", posture="supine")
    )


def changed(session, **news):
    for field, new in news.items():
        session.edit([{"object": "landmarks", "field": field, "new": new}], commit=True)


@pytest.mark.parametrize("faulty", ["dead", "noisy", "impedance"])
def test_faulty_recordings_and_impedance_too(faulty):
    made = phantom.draw("normal", seed=4, n_supine=2, n_upright=1)
    if faulty == "impedance":
        recording = phantom.sample(made, sampling_rate=25.0, impedance=True)
    elif faulty == "dead":
        recording = phantom.sample(made, sampling_rate=25.0)
        values = recording["pressure"]["pressure"].values.copy()
        les = hrm.to_dict(hrm.analyze(recording))["landmarks"]["les_upper_cm"]
        depth = recording["pressure"]["depth"].values
        values[int(abs(depth - les - 0.5).argmin())] = 0.0
        recording = hrm.make_recording(values.T, sampling_rate=25.0, depth=depth)
    else:
        recording = phantom.sample(made, sampling_rate=25.0, noise_mmhg=6.0, seed=1)
    session = opened(recording, system="manoscan")
    marks, onset = session._result["landmarks"], session._result["swallows"][1]["onset_s"]
    changed(session, les_upper_cm=marks["les_upper_cm"] - 0.4)
    key = session._now.record.swallows[1].object
    session.edit([{"object": key, "field": "onset_s", "new": onset + 0.3}], commit=True)
    assert session._result == analyzed(session)
    for field, shift in (("les_upper_cm", 0.8), ("ues_upper_cm", -0.5)):
        edit = {"object": key, "field": field, "new": marks[field] + shift}
        session.edit([edit], commit=True)
        assert session._result == analyzed(session)


def test_other_settings_give_what_analyze_gives_by_them(recording):
    session = opened(recording, system="manoscan", posture="supine")
    changed(session, les_upper_cm=session._result["landmarks"]["les_upper_cm"] - 0.5)
    for given_ in ({"system": "mms_wp"}, {"irp_limit": 12.0}, {"posture": "upright"}):
        out = session.act("settings", given_)
        assert out["settings"].items() >= given_.items()
        assert session._result == analyzed(session)


def test_drift_is_corrected_or_not_as_the_reader_wants():
    made = phantom.draw("normal", seed=5, n_supine=2, n_upright=0)
    drifted = phantom.sample(made, sampling_rate=25.0, drift_mmhg=12.0, drift_course="linear")
    session = opened(drifted, system="manoscan")
    corrected = session._result
    changed(session, les_upper_cm=corrected["landmarks"]["les_upper_cm"] - 0.5)
    kept = session._result
    session.act("settings", {"drift": "none"})
    raw = session._result
    assert (kept["quality"]["drift"]["mode"], raw["quality"]["drift"]["mode"]) == ("linear", "none")
    assert raw["engine"]["parameter_overrides"] == {"drift.mode": "none"}
    assert raw == analyzed(session)
    session.act("settings", {"drift": "auto"})
    assert session._result == kept
    with pytest.raises(ParameterError, match=r"drift\.mode"):
        session.act("settings", {"drift": "sideways"})


def test_stability_is_of_the_study_as_it_is_shown(recording):
    session = opened(recording, system="manoscan", posture="supine")
    changed(session, les_upper_cm=session._result["landmarks"]["les_upper_cm"] - 0.5)
    told = session.act("stability", {})["result"]["classification"]
    options = session._opened.options | {"review": session.journal.edits}
    known = hrm.to_dict(hrm.diagnosis_stability(recording, **options))["classification"]
    assert told == json.loads(json.dumps(known))
    after = session.act("undo", {})["result"]
    assert "stability" not in after["classification"]["ccv4"]


def test_a_quick_draft_has_the_swallows_and_diagnoses_of_the_full_one(recording):
    session = opened(recording, system="manoscan", posture="supine")
    key, onset = session._now.record.swallows[1].object, session._result["swallows"][1]["onset_s"]
    session.study()
    edit = [{"object": key, "field": "onset_s", "new": onset + 0.2}]
    quick = session.edit(edit, commit=False, quick=True)["result"]
    session._shown = {"": session._result["swallows"]}
    full = session.edit(edit, commit=False)["result"]
    for block in ("swallows_changed", "study", "classification", "landmarks"):
        assert quick[block] == full[block]
    assert [row["id"] for row in quick["swallows_changed"]] == [2]


def test_a_border_under_the_hand_gives_every_number_but_what_is_borderline(recording):
    session = opened(recording, system="manoscan", posture="supine")
    les = session._result["landmarks"]["les_upper_cm"]
    session.study()
    edit = [{"object": "landmarks", "field": "les_upper_cm", "new": les - 0.6}]
    quick = session.edit(edit, commit=False, quick=True)["result"]
    session._shown = {"": session._result["swallows"]}
    full = session.edit(edit, commit=False)["result"]
    assert len(quick["swallows_changed"]) > live._FEW
    later = {"borderline", "borderline_range", "flags"}
    for row, known in zip(quick["swallows_changed"], full["swallows_changed"], strict=True):
        assert {k: v for k, v in row.items() if k not in later} == {
            k: v for k, v in known.items() if k not in later
        }
    readings = {"irp4s_readings_mmhg"}
    assert quick["study"].keys() == full["study"].keys()
    for key in quick["study"].keys() - readings:
        assert quick["study"][key] == full["study"][key], key
    for version in ("ccv4", "ccv3"):
        seen, known = quick["classification"][version], full["classification"][version]
        assert seen["diagnosis"] == known["diagnosis"]


def test_the_page_gets_changed_swallows_only_and_all_when_their_number_changes(recording):
    session = opened(recording, system="manoscan", posture="supine")
    total = len(session.study()["result"]["swallows"])
    key, onset = session._now.record.swallows[0].object, session._result["swallows"][0]["onset_s"]
    out = session.edit([{"object": key, "field": "include", "new": False}], commit=True)["result"]
    assert "swallows" not in out
    assert [row["id"] for row in out["swallows_changed"]] == [1]
    added = {"object": f"swallow@{onset + 10:.2f}", "field": "added", "new": True}
    out = session.edit([added], commit=True)
    assert len(out["result"]["swallows"]) == total + 1
    assert [each["number"] for each in out["marks"]["swallows"]] == list(range(1, total + 2))


def test_marks_say_where_the_numbers_were_read(recording):
    session = opened(recording, system="manoscan", posture="supine")
    marks, result = session.study()["marks"], session._result
    assert marks["study"]["les_upper_cm"] == {
        "value": result["landmarks"]["les_upper_cm"],
        "automatic": result["landmarks"]["les_upper_cm"],
        "reviewed": False,
    }
    for each, row in zip(marks["swallows"], result["swallows"], strict=True):
        assert each["number"] == row["id"]
        assert each["onset_s"] == row["onset_s"]
        assert each["cdp"]["cm"] == row["cdp_cm"]
        used = sum(stop - start for start, stop in each["esleeve"]["used"])
        assert used == pytest.approx(4.0, abs=0.05)
        low, high = each["dci_box"]["cm"]
        assert low < high <= result["landmarks"]["les_upper_cm"] + 0.1
    changed(session, les_upper_cm=result["landmarks"]["les_upper_cm"] - 0.5)
    now = session._marks(session._now)["study"]["les_upper_cm"]
    assert now["reviewed"]
    assert now["automatic"] == pytest.approx(now["value"] + 0.5)
