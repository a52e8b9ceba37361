"""The MMS reader: order, markers, the preamble against the samples, the hospital variant."""

import numpy as np
import pytest

import hrm.io
from hrm.errors import CorruptFileError, DataQualityWarning, UnsupportedVersionError
from tests.io.layouts import Mms, spreadsheet


@pytest.fixture
def read(tmp_path):
    def run(file, **options):
        path = tmp_path / "recording.csv"
        path.write_bytes(file if isinstance(file, bytes) else file.bytes())
        return hrm.io.open_recording(path, **{"catheter": "CE4-0062", **options})

    return run


def edited(change, file=None):
    """Bytes of a file after `change` has edited its list of lines."""
    lines = (file or Mms()).lines()
    change(lines)
    return ("\r\n".join(lines) + "\r\n").encode()


def test_p1_is_the_deepest_sensor(read):
    study = read(Mms())
    node = study["pressure"].to_dataset()
    assert node["depth"].values[-1] == 40
    np.testing.assert_array_equal(node["pressure"].values[-1], Mms().distal_first[:, 0])
    np.testing.assert_array_equal(node["pressure"].values[0], Mms().distal_first[:, 21])


def test_sample_numbers_are_absolute(read):
    study = read(Mms(first=2442))
    assert study.attrs["first_sample_index"] == 2442
    assert isinstance(study.attrs["first_sample_index"], int)
    assert study.attrs["time_offset_s"] == 122.1
    assert study["pressure/time"].values[0] == 0


def test_a_marker_is_the_first_sample_of_a_run(read):
    study = read(Mms(marker={0: 100, 7: 100, 8: 100, 9: 50, 30: 1, 59: 100}))
    events = study["events"].to_dataset()
    np.testing.assert_allclose(events["onset"], np.array([0, 7, 30, 59]) / 20)
    assert set(events["label"].values) == {"marker"}
    assert set(events["source"].values) == {"operator"}
    np.testing.assert_array_equal(events["duration"], 0)


def test_a_file_without_events_has_an_empty_events_node(read):
    assert read(Mms(marker={}))["events"].to_dataset().sizes["event"] == 0


def test_silent_channels_are_dropped_and_others_named(read):
    assert "unread_channels" not in read(Mms()).attrs
    assert read(Mms(resp=3)).attrs["unread_channels"] == "Resp1"


def test_spreadsheet_variant_events(read):
    events = read(spreadsheet())["events"].to_dataset()
    rows = [
        (round(float(onset) * 20), label, note)
        for onset, label, note in zip(
            events["onset"].values, events["label"].values, events["note"].values, strict=True
        )
    ]
    assert rows == [
        (2, "landmark", "Landmark"),
        (5, "resting", "Resting1"),
        (7, "marker", ""),
        (9, "resting", "Resting1"),
        (12, "protocol", "Wet swallow1"),
        (20, "protocol", "MRS1"),
        (31, "marker", ""),
    ]


def test_columns_that_are_not_known_are_counted(read):
    extras = {"procedure": {3: "Wet swallow1"}, "mrs_5_dci": {0: "12"}, "seen by": {1: "x"}}
    study = read(spreadsheet(extras=extras, marker={}))
    assert study.attrs["unread_columns"] == 2
    assert "swallows" not in study.children


def test_text_of_an_event_column_outside_the_vocabulary_loses_its_note(read):
    extras = {"procedure": {3: "Wet swallow1", 8: "called Dr Smith"}}
    file = spreadsheet(extras=extras, marker={})
    events = read(file)["events"].to_dataset()
    assert list(events["label"].values) == ["protocol", "annotation"]
    assert list(events["note"].values) == ["Wet swallow1", ""]
    kept = read(file, keep_phi=True)["events"].to_dataset()
    assert list(kept["note"].values) == ["Wet swallow1", "called Dr Smith"]


def test_results_and_absent_data_are_no_events(read):
    extras = {
        "procedure": {3: "Wet swallow1", 8: "無數據"},
        "ws_10_pattern": {0: "cough", 1: "MRS1"},
        "Contraction pattern": {3: "baseline"},
    }
    with pytest.warns(DataQualityWarning, match="2 of pattern"):
        study = read(spreadsheet(extras=extras, marker={}))
    assert list(study["events/note"].values) == ["Wet swallow1"]


def test_a_quoted_comma_in_a_text_cell_is_no_shift(read):
    file = spreadsheet(extras={"procedure": {3: '"Wet swallow1, again"', 8: "WS 2"}}, marker={})
    events = read(file, keep_phi=True)["events"].to_dataset()
    assert list(events["note"].values) == ["Wet swallow1, again", "WS 2"]
    assert list(events["label"].values) == ["annotation", "protocol"]


def test_a_cell_to_the_right_of_the_last_column_is_an_error(read):
    file = spreadsheet(extras={"procedure": {3: "Wet swallow1,again"}})
    with pytest.raises(CorruptFileError, match="line 11: found a cell to the right"):
        read(file)


def drop(at):
    return lambda lines: lines.pop(at)


def repeat(at):
    return lambda lines: lines.insert(at, lines[at])


def swap(first, second):
    def run(lines):
        lines[first], lines[second] = lines[second], lines[first]

    return run


def cell(line, column, text):
    def run(lines):
        cells = lines[line].split(", ")
        cells[column] = text
        lines[line] = ", ".join(cells)

    return run


FAULTY_LINES = {
    "missing row": (drop(30), "line 31: the sample number jumps"),
    "missing first row": (drop(7), "Min/Max rows contradict"),
    "missing last row": (drop(-1), "Min/Max rows contradict"),
    "doubled row": (repeat(30), "line 32: the sample number repeats"),
    "swapped rows": (swap(30, 40), "line 31: the sample number jumps"),
    "row above the header": (swap(6, 7), "line 7: expected 'key=' in the preamble"),
    "backwards": (cell(30, 0, "5"), "line 31: the sample number goes back"),
    "fractional sample": (cell(30, 0, "2465.5"), "line 31: the sample number"),
    "NaN sample": (cell(30, 0, "NaN"), "line 31: the sample number"),
    "fractional first sample": (cell(7, 0, "2441.5"), "line 8: expected a whole"),
    "text": (cell(30, 4, "abc"), "line 31, column 5: expected a number, found 3 characters"),
    "star": (cell(30, 4, "*"), "line 31, column 5: expected a number, found 1 char"),
    "empty cell": (cell(30, 4, ""), "line 31, column 5: expected a number, found an empty cell"),
    "infinite": (cell(30, 4, "inf"), "line 31, column 5: expected a number"),
    "overflow": (cell(30, 4, "1e999"), "line 31, column 5: .* found a number out of range"),
    "hexadecimal": (cell(30, 4, "0x10"), "line 31, column 5"),
    "control character": (cell(30, 4, "1\x1c"), "control byte"),
    "no-break space": (cell(30, 4, "1\xa0"), "line 31, column 5"),
    "NaN marker": (cell(30, 29, "NaN"), "line 31: only a pressure may be NaN"),
    "ragged": (lambda lines: lines.__setitem__(30, lines[30] + ", 0"), "line 31: expected 30"),
    "cut row": (lambda lines: lines.__setitem__(30, "2465, 1"), "line 31: expected 30 cells"),
    "blank row": (lambda lines: lines.insert(30, ""), "line 31: .* an empty line"),
    "no samples": (lambda lines: lines.__delitem__(slice(8, None)), "at least 2 rows"),
    "no header": (drop(6), "expected a header row"),
    "no Sf": (drop(2), "expected a preamble row 'Sf='"),
    "no Channels": (drop(1), "no row 'Channels='"),
    "no Min": (drop(3), "no row 'Min='"),
    "two Sf": (repeat(2), "line 4: the preamble row 'Sf=' is there twice"),
    "wrong Channels": (cell(1, 1, "28"), "line 2: 'Channels=' contradicts the header"),
    "text in Channels": (cell(1, 1, "many"), "line 2: 'Channels='"),
    "short Min": (lambda lines: lines.__setitem__(3, "Min=, 1, 2"), "line 4: expected 29 numbers"),
    "text in Max": (cell(4, 3, "abc"), "line 5: expected 29 numbers"),
    "zero Sf": (lambda lines: lines.__setitem__(2, "Sf=" + ", 0" * 29), "line 3: .* positive"),
    "wrong Min": (cell(3, 3, "-500"), "contradict the samples of P3: .* truncated"),
    "missing P": (cell(6, 4, "P5"), "line 7: expected the columns P1, P2"),
    "P out of order": (
        lambda lines: lines.__setitem__(6, lines[6].replace("P3, P4", "P4, P3")),
        "line 7: expected the columns P1, P2",
    ),
    "Marker twice": (cell(6, 25, "Marker"), "line 7"),
}


@pytest.mark.parametrize("name", FAULTY_LINES)
def test_a_faulty_line_is_named(name, read):
    change, message = FAULTY_LINES[name]
    with pytest.raises(CorruptFileError, match=message):
        read(edited(change))


def test_unknown_numeric_columns_are_refused(read):
    with pytest.raises(UnsupportedVersionError, match="line 7, column 25"):
        read(edited(cell(6, 24, "Impedance1")))


def test_unequal_rates_are_refused(read):
    with pytest.raises(UnsupportedVersionError, match=r"line 3: .* unequal sampling rates"):
        read(edited(cell(2, 5, "10")))


@pytest.mark.parametrize(
    ("change", "check"),
    [(cell(3, 3, "-500"), "failed"), (drop(3), "not_available"), (drop(1), "passed")],
)
def test_warn_reads_what_is_there(change, check, read):
    with pytest.warns(DataQualityWarning):
        study = read(edited(change), strictness="warn")
    assert study.attrs["integrity_check"] == check
    np.testing.assert_array_equal(study["pressure/pressure"].values, Mms().pressure)


def test_integrity_check_is_recorded(read):
    assert read(Mms()).attrs["integrity_check"] == "passed"


def test_a_dead_channel_of_nan_is_not_ok(read):
    study = read(Mms(nan=tuple((row, 3) for row in range(60))))
    ok = study["pressure/sensor_ok"].values
    assert not ok[21 - 3]
    assert ok.sum() == 21


def test_cut_inside_the_last_marker(read):
    data = Mms(marker={59: 100}).bytes()
    assert read(data.rstrip(b"\r\n"))["events"].to_dataset().sizes["event"] == 1
    with pytest.raises(CorruptFileError, match=r"line 67: the last row is cut: it has no line end"):
        read(data.rstrip(b"\r\n")[:-1])
