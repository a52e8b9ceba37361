"""What a file reports of its swallows, against a slow twin: pairing, moving, giving back."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import hrm
from hrm import reported
from hrm.reported import (
    ReportedSwallow,
    block_of,
    lay_beside,
    match,
    plain_rows,
    rows_of,
    to_dataset,
)

times = st.lists(st.one_of(st.integers(0, 40).map(lambda n: n / 2), st.just(math.nan)), max_size=7)
onsets = st.lists(st.integers(0, 40).map(lambda n: n / 2), max_size=7, unique=True).map(sorted)


def naive_match(times, onsets, within_s):
    """Take the nearest pair that is left, again and again; the earlier of equals."""
    found = [-1] * len(times)
    while True:
        best = None
        for i, time in enumerate(times):
            for k, onset in enumerate(onsets):
                if found[i] != -1 or k in found or math.isnan(time):
                    continue
                far = abs(onset - time)
                if far <= within_s and (best is None or far < best[0]):
                    best = (far, i, k)
        if best is None:
            return found
        found[best[1]] = best[2]


@settings(deadline=None, derandomize=True)
@given(times=times, onsets=onsets, within_s=st.sampled_from([0.0, 1.0, 4.0]))
def test_pairing_agrees_with_the_slow_way(times, onsets, within_s):
    assert match(times, onsets, within_s) == naive_match(times, onsets, within_s)


def test_pairing_by_hand():
    assert match([10.0, 13.0], [12.0, 40.0], 4.0) == [-1, 0]
    assert match([10.0, 13.0], [9.0, 12.0], 4.0) == [0, 1]
    assert match([8.0], [12.0], 4.0) == [0]
    assert match([7.9], [12.0], 4.0) == [-1]


def row(onset_s, number):
    return ReportedSwallow(
        onset_s, number, "WS 1", {"vigor": "weak"}, {"dci_mmhg_s_cm": 10.0 * number}, {"x": "y"}
    )


@settings(deadline=None, derandomize=True)
@given(times=times.filter(len), onsets=onsets)
def test_every_row_is_somewhere_and_only_once(times, onsets):
    rows = to_dataset([row(time, k) for k, time in enumerate(times, 1)])
    swallows = xr.Dataset({"onset": ("swallow", np.array(onsets, dtype=float))})
    beside, kept = lay_beside(swallows, rows, 4.0)
    assert kept["reported_number"].values.tolist() == list(range(1, len(times) + 1))
    ids = kept["swallow_id"].values.tolist()
    for swallow in range(1, len(onsets) + 1):
        number = int(beside["reported_number"].values[swallow - 1])
        block = block_of(plain_rows(beside, "swallow")[swallow - 1])
        if number == 0:
            assert swallow not in ids
            assert block is None
            assert math.isnan(beside["reported_dci_mmhg_s_cm"].values[swallow - 1])
        else:
            assert ids[number - 1] == swallow
            assert ids.count(swallow) == 1
            assert block["dci_mmhg_s_cm"] == 10 * number
    tree = xr.DataTree.from_dict({"/swallows": beside, "/reported": kept})
    lost = reported.unmatched(tree)
    assert [each["number"] for each in lost] == [k for k, i in enumerate(ids, 1) if i == 0]
    xr.testing.assert_identical(rows_of(tree), rows)


def test_units_stay_with_the_numbers():
    rows = to_dataset([row(1.0, 1)])
    beside, kept = lay_beside(xr.Dataset({"onset": ("swallow", np.array([1.0]))}), rows, 4.0)
    for node in (beside, kept):
        assert node["reported_dci_mmhg_s_cm"].attrs["units"] == "mmHg s cm"
        assert node["reported_onset"].attrs["units"] == "s"


def test_a_column_is_there_only_if_the_file_has_it():
    rows = to_dataset([ReportedSwallow(math.nan, metrics={"irp4s_mmhg": math.nan})])
    block = block_of(plain_rows(rows, "swallow")[0])
    assert block == {
        **dict.fromkeys(("onset_s", "number", "label", "irp4s_mmhg")),
        "status": {},
    }


def test_measured_swallows_are_not_taken_for_reported():
    study = hrm.make_recording(np.zeros((400, 5)), sampling_rate=20.0, depth=range(5))
    assert rows_of(study) is None
    study["swallows"] = xr.DataTree(xr.Dataset({"onset": ("swallow", np.array([1.0]))}))
    assert rows_of(study) is None
    study["swallows"] = xr.DataTree(to_dataset([row(1.0, 1)]))
    assert json.loads(str(rows_of(study)["reported_status"].values[0])) == {"x": "y"}


@pytest.mark.parametrize(("span", "fine"), [(60.0, True), (60.5, False)])
def test_a_catheter_longer_than_the_esophagus_is_not_measured(span, fine):
    study = hrm.make_recording(
        np.random.default_rng(1).normal(size=(400, 5)),
        sampling_rate=20.0,
        depth=np.linspace(0, span, 5),
    )
    if fine:
        hrm.analyze(study)
        return
    with pytest.raises(hrm.errors.ParameterError, match=r"span 60.5 cm, expected at most 60 cm"):
        hrm.analyze(study)
