"""Detection and protocol in the results of whole recordings."""

import numpy as np
import pytest

import hrm
from hrm import phantom
from tests.detect.signals import Act, study

RUN = [40.0, 44.5, 49.0, 53.5]
ALONE = [80.0, 110.0]


def recording(*acts, events=(), noise=0.0, **how):
    made = study(*acts, **how)
    values = made.values + noise * np.random.default_rng(2).standard_normal(made.shape)
    return hrm.make_recording(
        values.astype(np.float32),
        sampling_rate=50.0,
        depth=made["depth"].values,
        dims=("sensor", "time"),
        events=events,
        attrs={"system": "manoscan"},
    )


def result(made, **how):
    return hrm.to_dict(hrm.analyze(made, **how))


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_pharynx_where_nothing_happens(noise):
    """Without noise its sensors count as dead, and only those next to the UES are left."""
    times = [20.0, 50.0, 80.0]
    acts = [Act(at, wave=False) for at in times]
    made = result(recording(*acts, noise=noise, duration=110.0), posture="supine")
    rows = made["swallows"]
    assert [row["onset_s"] for row in rows] == [pytest.approx(at + 0.1, abs=0.1) for at in times]
    assert {row["onset_method"] for row in rows} == {"ues_relaxation"}
    assert all(row["evaluable"] for row in rows)


def test_falls_that_may_be_swallows_are_named():
    acts = [Act(at, wave=False, body=0, relaxes=False) for at in (20.0, 50.0)]
    seen = result(recording(*acts, noise=0.5))
    assert seen["swallows"] == []
    assert any("the UES falls 2 times" in text for text in seen["warnings"])


def drinking(**how):
    acts = [Act(at) for at in (*RUN, *ALONE)]
    return recording(*acts, duration=140.0, **how)


def protocols(seen):
    return [row["protocol"] for row in seen["swallows"]]


@pytest.mark.parametrize("duration", [0.0, 14.0])
def test_an_event_names_the_test(duration):
    event = {"onset": 39.5, "duration": duration, "label": "protocol", "note": "RDC"}
    assert protocols(result(drinking())) == ["unknown"] * 6
    seen = result(drinking(events=[event]))
    assert protocols(seen) == ["rdc"] * 4 + ["unknown"] * 2
    assert seen["provocation"]["rdc"]["runs"][0]["swallows"] == [1, 2, 3, 4]
    assert seen["provocation"]["mrs"] is None


def test_an_event_wins_over_what_the_swallows_show_and_a_statement_over_both():
    acts = [Act(40.0 + 3 * k) for k in range(4)]
    event = {"onset": 40.0, "label": "protocol", "note": "rapid drinking challenge"}
    made = recording(*acts, Act(80.0), duration=110.0, events=[event])
    assert protocols(result(made)) == ["rdc"] * 4 + ["unknown"]
    said = [{"onset_s": 40.0 + 3 * k, "protocol": "mrs"} for k in range(4)]
    assert protocols(result(made, swallows=said)) == ["mrs"] * 4 + ["unknown"]


def test_a_posture_event_holds_for_what_follows():
    event = {"onset": 70.0, "label": "annotation", "note": "upright"}
    made = drinking(events=[event])

    def postures(**how):
        return [row["posture"] for row in result(made, **how)["swallows"]]

    assert postures() == ["unknown"] * 4 + ["upright"] * 2
    assert postures(posture="supine") == ["supine"] * 4 + ["upright"] * 2
    said = [{"onset_s": 80.0, "posture": "supine"}]
    assert postures(swallows=said) == ["unknown"] * 4 + ["supine", "upright"]
    assert any("upright" in text for text in result(made, posture="supine")["warnings"])


def test_rapid_swallows_where_nothing_contracts_are_measured():
    tests = phantom.Provocation(mrs_runs=1, mrs_ratio=0.0, mrs_inhibited=True)
    made = phantom.draw("absent_contractility", seed=0, n_supine=3, n_upright=0, provocation=tests)
    (run,) = result(phantom.sample(made, sampling_rate=50.0), posture="supine")["provocation"][
        "mrs"
    ]["runs"]
    (known,) = phantom.truth(made)["provocation"]["mrs"]["runs"]
    assert run["dci_during_mmhg_s_cm"] == pytest.approx(known["dci_during_mmhg_s_cm"], abs=5.0)
    assert run["inhibited"] is True
