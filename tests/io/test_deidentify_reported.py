"""What a vendor's file reports of its swallows leaves the house as numbers and known words only."""

import json
import math

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import hrm.io
from hrm import reported
from hrm.io.deidentify import deidentify
from hrm.io.identity import note_to_keep
from hrm.reported import ReportedSwallow, to_dataset
from hrm.schema import make_recording

PLANT = "PLANT-770012345"
ROWS = [
    ReportedSwallow(
        4.5,
        number=1,
        label="Wet swallow 1",
        words={"vigor": "weak", "pattern": "intact"},
        metrics={"irp4s_mmhg": -1.5, "dci_mmhg_s_cm": 812.0},
    ),
    ReportedSwallow(
        math.nan,
        number=2,
        words={"vigor": "", "pattern": "failed"},
        metrics={"irp4s_mmhg": 9.25, "dci_mmhg_s_cm": math.nan},
        status={"onset": "no_event", "vigor": "unrecognized", "dci_mmhg_s_cm": "no_data"},
    ),
]


def study_of(rows, node="swallows"):
    study = make_recording(np.ones((400, 4)), sampling_rate=50.0, depth=[0, 1, 2, 3])
    dataset = to_dataset(rows)
    if node == "reported":
        dataset = dataset.rename(swallow="row").assign(swallow_id=("row", [0] * len(rows)))
        study["swallows"] = xr.Dataset({"onset": ("swallow", [4.0]), "reader": ("swallow", [1.0])})
    study[node] = dataset
    return study


@pytest.mark.parametrize("node", ["swallows", "reported"])
def test_numbers_and_known_words_survive_the_way_through_a_file(node, tmp_path):
    clean, changes = deidentify(study_of(ROWS, node))
    hrm.io.write_native(clean, tmp_path / "a.nc")
    found = hrm.io.open_recording(tmp_path / "a.nc")["swallows"].to_dataset()
    xr.testing.assert_identical(found, to_dataset(ROWS))
    said = {(each.slot, each.action): each.count for each in changes}
    # Three words and three numbers; of an analyzed study, the results are the one other node.
    assert said["reported values of swallows", "kept"] == 6
    assert said.get(("results and other nodes", "dropped"), 0) == (node == "reported")


def planted():
    """Each place where a text can stand, with an identity in it."""
    for name, value in (
        ("label", f"Wet swallow 1 {PLANT}"),
        ("label", PLANT),
        ("vigor", PLANT),
        ("pattern", "WEAK"),
        ("status", json.dumps({PLANT: "no_data"})),
        ("status", json.dumps({"vigor": PLANT})),
        ("status", json.dumps([PLANT])),
        ("status", json.dumps({"vigor": [PLANT]})),
        ("status", PLANT),
        ("status", "[" * 100_000),
    ):
        study = study_of(ROWS)
        study["swallows"][f"reported_{name}"].values[0] = value
        yield study
    for extra in ("reported_comment", PLANT, f"reported_{PLANT}"):
        study = study_of(ROWS)
        study["swallows"] = study["swallows"].to_dataset().assign({extra: ("swallow", [PLANT] * 2)})
        yield study
    study = study_of(ROWS)
    study["swallows"] = study["swallows"].to_dataset().assign_attrs(note=PLANT)
    yield study
    # Numbers given as texts, and a number that no count reaches.
    study = study_of(ROWS)
    swallows = study["swallows"].to_dataset()
    texts = np.array([PLANT, "770012345"], dtype=object)
    study["swallows"] = swallows.assign(reported_irp4s_mmhg=("swallow", texts))
    yield study
    study = study_of(ROWS)
    study["swallows"]["reported_number"].values[0] = 770012345
    yield study


def all_of(path):
    said = []
    with h5py.File(path) as file:

        def visit(name, item):
            said.extend([name, *item.attrs, *map(str, item.attrs.values())])
            if isinstance(item, h5py.Dataset):
                values = item.asstr()[()] if item.dtype.kind == "O" else item[()]
                said.extend(str(value) for value in np.ravel(values))

        file.visititems(visit)
    return " ".join(said)


@pytest.mark.parametrize("study", list(planted()))
def test_no_planted_identity_survives(study, tmp_path):
    clean, changes = deidentify(study)
    hrm.io.write_native(clean, tmp_path / "a.nc")
    everything = all_of(tmp_path / "a.nc") + str(changes)
    assert "PLANT" not in everything
    assert "770012345" not in everything
    assert b"PLANT" not in (tmp_path / "a.nc").read_bytes()
    # What was sound stays.
    found = clean["swallows"].to_dataset()
    assert found["reported_pattern"].values[1] == "failed"
    assert found["reported_onset"].values[0] == 4.5


CODES = {"no_data", "unrecognized", "contradictory", "no_event", "several_events"}
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["weak", "Wet swallow 3", '{"vigor": "no_data"}'])
)


@given(*[TEXTS] * 4, st.integers(-(2**62), 2**62))
def test_every_text_that_survives_is_of_a_vocabulary(label, vigor, pattern, status, number):
    study = study_of(ROWS[:1])
    swallows = study["swallows"].to_dataset()
    for name, value in {
        "label": label,
        "vigor": vigor,
        "pattern": pattern,
        "status": status,
        "number": number,
    }.items():
        swallows[f"reported_{name}"].values[0] = value
    study["swallows"] = swallows
    row = deidentify(study)[0]["swallows"].to_dataset().isel(swallow=0)
    assert str(row["reported_label"].values) in {"", " ".join(label.split())}
    assert note_to_keep(str(row["reported_label"].values), keep_phi=False) == str(
        row["reported_label"].values
    )
    for name, allowed in reported.WORDS.items():
        assert str(row[f"reported_{name}"].values) in allowed | {""}
    kept = json.loads(str(row["reported_status"].values))
    assert set(kept) <= {"onset", *reported.WORDS, *reported.METRICS}
    assert set(kept.values()) <= CODES
    assert 0 <= int(row["reported_number"].values) < 100


def test_a_study_that_reports_nothing_gets_no_swallows():
    study = make_recording(np.ones((400, 4)), sampling_rate=50.0, depth=[0, 1, 2, 3])
    assert "swallows" not in deidentify(study)[0].children
    study["swallows"] = xr.Dataset({"irp": ("swallow", [1.0])})
    assert "swallows" not in deidentify(study)[0].children
