"""The ManoView readers: columns by position, time, annotations, the dummy row."""

import numpy as np
import pytest

import hrm.io
from hrm.errors import (
    CorruptFileError,
    DataQualityWarning,
    ParameterError,
    UnsupportedVersionError,
)
from tests.io.layouts import Headless, ManoView


@pytest.fixture
def read(tmp_path):
    def run(file, **options):
        path = tmp_path / "recording.txt"
        path.write_bytes(file if isinstance(file, bytes) else file.bytes())
        return hrm.io.open_recording(path, **options)

    return run


def edited(change, file=None):
    file = file or ManoView()
    lines = file.lines()
    change(lines)
    return (file.newline.join(lines) + file.newline).encode()


def test_channel_1_is_the_most_proximal(read):
    study = read(ManoView())
    np.testing.assert_array_equal(
        study["pressure/pressure"].values[0], ManoView().values[:, 0].astype(np.float32)
    )
    assert study.attrs["catheter"] == "manoscan-36"
    assert study.attrs["thermal_compensation"] == "unknown"
    assert study.attrs["system"] == "unknown"


def test_impedance_labels_repeat_and_are_read_by_position(read):
    file = ManoView(n_segments=18)
    study = read(file)
    assert study["impedance/impedance"].shape == (18, 50)
    assert study["impedance/impedance"].values[2, 7] == np.float32(file.kiloohm[7, 2] * 1000)


def test_impedance_without_the_empty_column(read):
    file = ManoView(n_segments=18)
    study = read(file.text().replace("\t\t", "\t").encode())
    np.testing.assert_array_equal(study["pressure/pressure"].values, file.pressure)
    np.testing.assert_allclose(study["impedance/impedance"].values, file.impedance, rtol=1e-6)


def test_another_channel_count_needs_a_catheter(read):
    file = ManoView(n_sensors=32)
    with pytest.raises(ParameterError, match=r"32 pressure channels: .*diversatek-32"):
        read(file)
    assert read(file, depths=range(32))["pressure/depth"].size == 32


def test_protocol_annotations_are_kept_and_free_text_is_not(read):
    annotations = (("260.65", "wet  swallow 3"), ("260.70", "Dr Smith says hello"), ("261.00", ""))
    file = ManoView(annotations=annotations)
    events = read(file)["events"].to_dataset()
    np.testing.assert_allclose(events["onset"], [0.05, 0.1, 0.4], atol=1e-9)
    assert list(events["label"].values) == ["protocol", "annotation", "annotation"]
    assert list(events["note"].values) == ["wet swallow 3", "", ""]
    kept = read(file, keep_phi=True)["events"].to_dataset()
    assert list(kept["note"].values) == ["wet swallow 3", "Dr Smith says hello", ""]


def test_an_annotation_may_run_over_several_lines(read):
    data = edited(lambda lines: lines.append("and says goodbye"))
    events = read(data, keep_phi=True)["events"].to_dataset()
    assert list(events["note"].values) == ["WS 1 and says goodbye"]


def test_the_words_of_annotations_become_labels_of_the_vocabulary(read):
    texts = {"Landmark": "landmark", "resting 2": "resting", "MRS": "protocol", "Schluck": ""}
    rows = tuple((f"260.7{k}", text) for k, text in enumerate(texts))
    labels = read(ManoView(annotations=rows))["events/label"].values.tolist()
    # Words of other languages have not been seen, and none is guessed.
    assert labels == [label or "annotation" for label in texts.values()]


@pytest.mark.parametrize("comma", [False, True])
def test_times_of_annotations_have_the_mark_of_the_table(comma, read):
    time = "260,75" if comma else "260.75"
    study = read(ManoView(comma=comma, annotations=((time, "WS 1"),)))
    np.testing.assert_allclose(study["events/onset"].values, [0.15], atol=1e-9)


def test_annotations_half_a_sample_beyond_the_ends_belong_to_the_window(read):
    rows = (("260.595", "WS 1"), ("261.095", "WS 2"), ("260.58", "WS 3"), ("261.11", "WS 4"))
    with pytest.warns(DataQualityWarning, match="2 of 4 annotations lie outside"):
        study = read(ManoView(annotations=rows))
    assert study["events/note"].values.tolist() == ["WS 1", "WS 2"]


def test_an_empty_footer_is_fine(read):
    assert read(ManoView(annotations=()))["events"].to_dataset().sizes["event"] == 0


def test_annotations_outside_the_samples_are_left_out_aloud(read):
    file = ManoView(annotations=(("260.70", "WS 1"), ("900.00", "WS 2")))
    with pytest.warns(DataQualityWarning, match="1 of 2 annotations lie outside"):
        study = read(file)
    assert study["events"].to_dataset().sizes["event"] == 1


def test_a_missing_footer_is_flagged(read):
    with pytest.warns(DataQualityWarning, match="no 'Annotations:' footer"):
        study = read(ManoView(footer=False))
    assert study["pressure/pressure"].shape == (36, 50)


def test_cells_right_of_the_last_label_may_be_padded_or_left_out(read):
    file = ManoView()
    rows = [
        line + "\t\t" if "Ann" not in line and "WS" not in line else line for line in file.lines()
    ]
    rows[9] = rows[9].rstrip("\t")
    study = read(("\r\n".join(rows) + "\r\n").encode())
    np.testing.assert_array_equal(study["pressure/pressure"].values, file.pressure)


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
        cells = lines[line].split("\t")
        cells[column] = text
        lines[line] = "\t".join(cells)

    return run


FAULTY_LINES = {
    "missing row": (drop(20), "line 21: the time jumps"),
    "doubled row": (repeat(20), "line 22: the time repeats"),
    "swapped rows": (swap(20, 30), "line 21: the time jumps"),
    "backwards": (cell(20, 0, "1.00"), "line 21: the time goes back"),
    "NaN time": (cell(20, 0, "NaN"), "line 21: expected a time"),
    "absurd time": (cell(20, 0, "1e300"), "line 21: expected a time"),
    "implausible": (cell(20, 4, "1e7"), r"sample 20: pressure channel 4 .* beyond"),
    "implausible, negative": (cell(20, 1, "-1e7"), r"sample 20: pressure channel 1 .* beyond"),
    "empty cell": (cell(20, 4, ""), "line 21, column 5: expected a number, found an empty cell"),
    "text": (cell(20, 4, "-"), "line 21, column 5: expected a number, found 1 character"),
    "decimal comma in one cell": (cell(20, 4, "1,5"), "line 21, column 5: expected a number"),
    "cut row": (lambda lines: lines.__setitem__(20, "260.79\t1"), "line 21: expected 37 cells"),
    "blank row": (lambda lines: lines.insert(20, ""), "line 21: .* an empty line"),
    "row in the footer": (lambda lines: lines.append("12"), "line 54: expected 'time<TAB>text'"),
    "footer without time": (
        lambda lines: lines.append("x\ty"),
        "line 54: expected 'time<TAB>text'",
    ),
    "no samples": (
        lambda lines: lines.__delitem__(slice(2, 51)),
        "line 2: expected at least 2 rows",
    ),
}


@pytest.mark.parametrize("name", FAULTY_LINES)
def test_a_faulty_line_is_named(name, read):
    change, message = FAULTY_LINES[name]
    with pytest.raises(CorruptFileError, match=message):
        read(edited(change))


def test_a_value_in_the_empty_column_is_an_error(read):
    with pytest.raises(CorruptFileError, match="line 21: found a value in a column"):
        read(edited(cell(20, 37, "3"), ManoView(n_segments=18)))


@pytest.mark.parametrize("labels", ["1\t3\t2", "1\t2\t\t3\t4", "1\t2\t1\t2\t1\t2", "a\tb", "1"])
def test_unknown_headers_are_refused(labels, read):
    with pytest.raises(UnsupportedVersionError, match="line 1: expected pressure labels"):
        read(f"TIME:\t{labels}\r\n1.00\t1\t2\r\n1.01\t1\t2\r\nAnnotations:\r\n".encode())


def hd_headers():
    usual = [str(k) for k in range(1, 37)]
    ohms = [str(k) for k in range(1, 19)]
    more = [str(k) for k in range(1, 129)]
    return {
        "a second block": [*usual, "", *more],
        "one long block": [str(k) for k in range(1, 165)],
        "before the impedances": [*usual, "", *more, "", *ohms],
        "after the impedances": [*usual, "", *ohms, "", *more],
        "other names": [*usual, *(f"C{k}" for k in range(128))],
        "columns only": [*usual, *ohms, *usual, *usual, *usual, *usual],
    }


@pytest.mark.parametrize("name", hd_headers())
def test_hd_catheters_are_refused_by_name(name, read):
    labels = hd_headers()[name]
    row = "\t".join("1.00" if label else "" for label in labels)
    lines = ["\t".join(["TIME:", *labels]), f"1.00\t{row}", f"1.01\t{row}", "Annotations:", ""]
    with pytest.raises(UnsupportedVersionError, match=r"line 1: .* 3-D or HD catheter.*layout="):
        read("\r\n".join(lines).encode())


@pytest.mark.parametrize("n_segments", [1, 2, 17, 19, 36])
def test_a_second_block_that_is_no_impedance_is_refused(n_segments, read):
    with pytest.raises(UnsupportedVersionError, match=f"found a second block of {n_segments} "):
        read(ManoView(n_segments=n_segments))


@pytest.mark.parametrize("n_segments", [128, 146])
def test_headless_tables_of_hd_catheters_are_refused_by_name(n_segments, read):
    with pytest.raises(UnsupportedVersionError, match=r"line 2: .* 3-D or HD catheter"):
        read(Headless(n_segments=n_segments))


def test_a_missing_sample_is_not_taken_for_print_rounding(read):
    for at in range(2, 50):
        with pytest.raises(CorruptFileError, match=f"line {at + 1}: the time jumps"):
            read(edited(drop(at)))


def test_a_file_cut_inside_its_last_number(read):
    data = ManoView(footer=False).bytes().rstrip(b"\r\n")
    with pytest.raises(CorruptFileError, match="line 51: the last row is cut: it has no line end"):
        read(data[:-1])


def test_headless_dummy_row_is_not_a_sample(read):
    for dummy in ("0.0", "0.00", "0"):
        study = read(Headless(dummy=dummy))
        assert study["pressure/pressure"].shape == (36, 50)
        assert study.attrs["time_offset_s"] == 260.6
    file = Headless(first=0.01)
    labels = "  ".join(["0.0", *(str(k) for k in range(1, 37))])
    study = read("\n".join([labels, *file.lines()[1:], ""]).encode())
    np.testing.assert_array_equal(study["pressure/pressure"].values, file.pressure)


def test_headless_dummy_row_of_any_content_above_time_zero(read):
    file = Headless(first=0.0)
    lines = file.lines()
    lines[0] = "  ".join(["0.0", *(["7.5"] * 36)])
    study = read(("\n".join(lines) + "\n").encode())
    np.testing.assert_array_equal(study["pressure/pressure"].values, file.pressure)


def test_headless_faults(read):
    with pytest.raises(CorruptFileError, match="line 21: the time jumps"):
        read(edited(drop(20), Headless()))
    with pytest.raises(CorruptFileError, match="line 51: the last row is cut: it has no line end"):
        read(Headless().bytes()[:-2])
    # Of another width it is any table, which its owner must describe.
    with pytest.raises(ParameterError, match="hrm layout --init"):
        read(Headless(n_sensors=35))


def test_headless_with_another_column_count_on_request(read):
    with pytest.raises(UnsupportedVersionError, match="found 36"):
        read(Headless(n_sensors=35), reader="manoview-headless")
