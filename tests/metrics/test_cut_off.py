"""A swallow that is cut off before its contraction can have ended has no number of the body."""

import hrm
from hrm import phantom
from hrm.results import SWALLOW_METRICS

#: What the UES shows is over by then.
EARLY = tuple(name for name in SWALLOW_METRICS if name.startswith("ues_"))


def test_nothing_is_measured_of_a_contraction_that_was_not_seen():
    made = phantom.draw("normal", seed=2, n_supine=3, n_upright=0)
    recording = phantom.sample(made, sampling_rate=20.0)
    whole = hrm.to_dict(hrm.analyze(recording, posture="supine"))
    onset = whole["swallows"][-1]["onset_s"]
    pressure = recording["pressure/pressure"]
    kept = pressure[:, : int((onset + 5.0) * 20.0)]
    cut = hrm.make_recording(kept.values.T, sampling_rate=20.0, depth=pressure["depth"].values)
    hints = [{"onset_s": row["onset_s"], "posture": "supine"} for row in whole["swallows"]]
    row = hrm.to_dict(hrm.analyze(cut, swallows=hints))["swallows"][-1]
    assert abs(row["onset_s"] - onset) < 0.1
    told = {name: row[name] for name in SWALLOW_METRICS if name not in EARLY}
    assert set(told.values()) == {None}, told
    assert row["status"]["dci_mmhg_s_cm"] == "window_truncated"
