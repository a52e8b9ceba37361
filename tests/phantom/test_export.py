"""The exports, parsed back by readers of a few lines that know only the layout."""

import numpy as np
import pytest

from hrm.errors import ParameterError
from hrm.phantom import sample, write_manoview, write_mms_csv
from tests.phantom.studies import plain_phantom


@pytest.fixture(scope="module")
def study():
    return sample(plain_phantom(), catheter="CE4-0062", sampling_rate=20.0, offset_cm=10.0)


def lines(path):
    data = path.read_bytes()
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    return data.decode("utf-8").split("\r\n")[:-1]


def test_mms_layout(study, tmp_path):
    write_mms_csv(study, tmp_path / "mms.csv", first_sample=2442)
    rows = lines(tmp_path / "mms.csv")
    assert rows[0] == "Name=, X, X"
    assert rows[1] == "Channels=, 29"
    assert rows[2].split(", ") == ["Sf=", *["20"] * 29]
    assert not rows[5]
    names = rows[6].split(",")
    assert names[0] == "Sample number"
    assert names[1:23] == [f" P{i}" for i in range(1, 23)]
    assert names[23:] == [
        *(" Resp1", " Resp2", " Resp3", " Swallow1", " Swallow2", " Swallow3", " Marker")
    ]
    table = np.array([[int(cell) for cell in row.split(",")] for row in rows[7:]])
    np.testing.assert_array_equal(table[:, 0], 2442 + np.arange(len(table)))
    pressure = np.rint(study["pressure/pressure"].values)
    np.testing.assert_array_equal(table[:, 1], pressure[-1])  # P1 is the most distal
    np.testing.assert_array_equal(table[:, 1:23].T[::-1], pressure)
    for label, row, extreme in (
        ("Min=", rows[3], table.min(axis=0)),
        ("Max=", rows[4], table.max(axis=0)),
    ):
        first, *cells = row.split(", ")
        assert first == label
        assert [int(cell) for cell in cells] == extreme[1:].tolist()


def test_mms_markers(study, tmp_path):
    write_mms_csv(study, tmp_path / "mms.csv")
    marker = np.array([int(row.split(",")[-1]) for row in lines(tmp_path / "mms.csv")[7:]])
    onsets = study["events"].to_dataset()["onset"].values
    assert set(marker.tolist()) == {0, 100}
    np.testing.assert_array_equal(np.flatnonzero(marker), np.rint(onsets * 20.0))


def test_manoview_layout(study, tmp_path):
    write_manoview(study, tmp_path / "study.txt", start_s=260.6)
    rows = lines(tmp_path / "study.txt")
    assert rows[0].split("\t") == ["TIME:", *(str(i) for i in range(1, 23))]
    end = rows.index("Annotations:")
    table = np.array([[float(cell) for cell in row.split("\t")] for row in rows[1:end]])
    time = study["pressure/time"].values
    np.testing.assert_allclose(table[:, 0], 260.6 + time, atol=0.0051)
    np.testing.assert_allclose(table[:, 1:].T, study["pressure/pressure"].values, atol=0.0051)
    notes = [row.split("\t") for row in rows[end + 1 :]]
    onsets = study["events"].to_dataset()["onset"].values
    np.testing.assert_allclose([float(at) for at, _ in notes], 260.6 + onsets, atol=0.0051)


def test_manoview_impedance_is_set_apart_by_an_empty_column(study, tmp_path):
    count = study["pressure/time"].size
    impedance = np.arange(18 * count).reshape(18, count) / 100.0
    write_manoview(study, tmp_path / "z.txt", impedance=impedance)
    rows = lines(tmp_path / "z.txt")
    header, first = rows[0].split("\t"), rows[1].split("\t")
    assert not header[23]
    assert header[24:] == [str(i) for i in range(1, 19)]
    assert not first[23]
    np.testing.assert_allclose([float(cell) for cell in first[24:]], impedance[:, 0], atol=0.0051)


@pytest.mark.parametrize("with_impedance", [False, True])
def test_headless_table(study, tmp_path, with_impedance):
    count = study["pressure/time"].size
    impedance = np.ones((18, count)) if with_impedance else None
    write_manoview(study, tmp_path / "bare.txt", headed=False, impedance=impedance)
    table = np.loadtxt(tmp_path / "bare.txt")
    assert table.shape == (count + 1, 1 + 22 + (18 if with_impedance else 0))
    assert (table[0] == 0.0).all()
    np.testing.assert_allclose(table[1:, 1:23].T, study["pressure/pressure"].values, atol=0.0051)


def test_impedance_must_fit(study, tmp_path):
    with pytest.raises(ParameterError, match="impedance of shape"):
        write_manoview(study, tmp_path / "z.txt", impedance=np.zeros((3, 4)))
