"""Plain tables: read as described, never guessed, every fault by its line."""

import contextlib
import tracemalloc
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.errors import CorruptFileError, DataQualityWarning, HrmError, ParameterError
from hrm.io._units import IMPEDANCE_UNITS, PRESSURE_UNITS
from hrm.schema import validate
from tests.io.conformance import Case, check_attrs, check_native_round_trip, check_values
from tests.io.layouts import Headless
from tests.io.test_privacy import assert_clean, everything_said, whole

RATE = 50.0
SAID = {
    "sampling_rate": RATE,
    "depths": (0, 1, 2, 3, 4),
    "pressure_unit": "mmHg",
    "channel_order": "proximal_first",
}


def numbers(n_rows=30, n_columns=5, seed=0):
    """Pressures with two decimals, which every float32 of them prints again."""
    rng = np.random.default_rng(seed)
    return rng.integers(-800, 20_000, (n_rows, n_columns)) / 100


def text_of(table, separator=",", comma=False):
    rows = [separator.join(f"{value:.2f}" for value in row) for row in table]
    text = "\n".join(rows) + "\n"
    return text.replace(".", ",") if comma else text


def write(tmp_path, text, name="secret.bin", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def layout(tmp_path, pressure="", table="", time="sampling_rate_hz = 50", rest=""):
    said = 'unit = "mmHg"\norder = "proximal_first"\n'
    path = tmp_path / "layout.toml"
    path.write_text(
        f"[table]\n{table}\n[time]\n{time}\n[pressure]\n{pressure or said}\n{rest}",
        encoding="utf-8",
    )
    return path


def full(columns, order="proximal_first", unit="mmHg"):
    return f'columns = {columns}\nunit = "{unit}"\norder = "{order}"'


def values(study):
    return study["pressure/pressure"].values


TEXTS = {
    "comma": text_of,
    "blanks after commas": lambda t: text_of(t, ", "),
    "semicolon": lambda t: text_of(t, ";"),
    "tab": lambda t: text_of(t, "\t"),
    "blanks": lambda t: text_of(t, "   "),
    "semicolon, decimal comma": lambda t: text_of(t, ";", comma=True),
    "tab, decimal comma": lambda t: text_of(t, "\t", comma=True),
    "blanks, decimal comma": lambda t: text_of(t, " ", comma=True),
    "header": lambda t: "P1,P2,P3,P4,P5\n" + text_of(t),
    "quoted": lambda t: text_of(t, '","').replace("\n", '"\n"').removesuffix('"').join(['"', ""]),
    "crlf": lambda t: text_of(t).replace("\n", "\r\n"),
    "no line end at the end": lambda t: text_of(t).removesuffix("\n"),
    "blank lines at the end": lambda t: text_of(t) + "\n,,,,\n\n",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_separator_decimal_mark_and_encoding(name, encoding, tmp_path):
    table = numbers()
    path = write(tmp_path, TEXTS[name](table), encoding=encoding)
    study = hrm.io.open_recording(path, **SAID)
    case = Case("plain-table", "plain-table", table.T.astype(np.float32), RATE, 0.0, np.arange(5.0))
    validate(study)
    check_values(study, case)
    check_attrs(study, case, path)
    check_native_round_trip(study, tmp_path)
    assert hrm.io.peek(path)["reader"] == "plain-table"


def test_with_nothing_said_the_error_says_how(tmp_path):
    path = write(tmp_path, text_of(numbers()))
    for given_ in ({}, {"sampling_rate": 50}, {"depths": (0, 1, 2, 3, 4)}, {"catheter": "x"}):
        with pytest.raises(ParameterError, match="hrm layout --init"):
            hrm.io.open_recording(path, **given_)


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("sampling_rate", "to be said .* the sampling rate"),
        ("depths", "where the sensors sit"),
        ("pressure_unit", "pressure_unit="),
        ("channel_order", "channel_order="),
    ],
)
def test_nothing_is_assumed(left_out, words, tmp_path):
    path = write(tmp_path, text_of(numbers()))
    with pytest.raises(ParameterError, match=words):
        hrm.io.open_recording(path, **{k: v for k, v in SAID.items() if k != left_out})


def test_a_layout_picks_turns_and_converts(tmp_path):
    table = numbers(40, 9)
    path = write(tmp_path, "made by X\nt,a,b,c,d,e,z1,z2,m\n" + text_of(table))
    said = layout(
        tmp_path,
        pressure='columns = ["B", "c", "d"]\nunit = "kPa"\norder = "distal_first"\n'
        "depths_cm = [12.5, 11, 10]",
        table="header_lines = 2",
        rest='[impedance]\ncolumns = "7-8"\nunit = "kohm"\norder = "distal_first"\n',
    )
    study = hrm.io.open_recording(path, layout=said)
    kpa = float(PRESSURE_UNITS["kPa"])
    np.testing.assert_allclose(values(study), table[:, [4, 3, 2]].T * kpa, rtol=1e-7)
    np.testing.assert_array_equal(study["pressure/depth"], [0, 1, 2.5])
    ohm = study["impedance/impedance"].values
    np.testing.assert_allclose(ohm, table[:, [7, 6]].T * 1000, rtol=1e-7)
    assert len(study.attrs["layout_sha256"]) == 64


def test_the_units_are_the_exact_conventional_ones():
    mmhg = Fraction("13.5951") * Fraction("9.80665")
    assert mmhg == Fraction("133.322387415")
    for unit, pascal in (("kPa", 1000), ("hPa", 100), ("mbar", 100), ("Pa", 1)):
        assert PRESSURE_UNITS[unit] == pascal / mmhg
    assert PRESSURE_UNITS["cmH2O"] == Fraction("98.0665") / mmhg
    assert PRESSURE_UNITS["mmHg"] == 1
    assert dict(IMPEDANCE_UNITS) == {"ohm": 1, "kohm": 1000}


TIMES = {
    "s": ("s", lambda k: f"{260.6 + k / 50:.2f}", 260.6),
    "ms": ("ms", lambda k: f"{1000 + 20 * k}", 1.0),
    "sample": ("sample", lambda k: f"{2442 + k}", 2442 / 50),
}


@pytest.mark.parametrize("where", [0, 3, 5])
@pytest.mark.parametrize("name", TIMES)
def test_a_time_column_anywhere(name, where, tmp_path):
    unit, printed, first = TIMES[name]
    table = numbers()
    rows = [row.split(",") for row in text_of(table).splitlines()]
    for k, row in enumerate(rows):
        row.insert(where, printed(k))
    path = write(tmp_path, "\n".join(map(",".join, rows)) + "\n")
    rate = "sampling_rate_hz = 50\n" if unit == "sample" else ""
    time = f'{rate}column = {where + 1}\nunit = "{unit}"'
    study = hrm.io.open_recording(path, layout=layout(tmp_path, time=time), depths=SAID["depths"])
    np.testing.assert_array_equal(values(study), table.T.astype(np.float32))
    assert study.attrs["sampling_rate"] == 50
    assert study.attrs["time_offset_s"] == pytest.approx(first)


def test_time_faults_are_named_by_line(tmp_path):
    def read(cells, unit, rate=""):
        rows = [
            f"{cell},{row}" for cell, row in zip(cells, text_of(numbers(6)).split(), strict=True)
        ]
        path = write(tmp_path, "\n".join(rows) + "\n")
        said = layout(tmp_path, time=f'{rate}column = 1\nunit = "{unit}"')
        return hrm.io.open_recording(path, layout=said, depths=SAID["depths"])

    with pytest.raises(CorruptFileError, match="line 4: the time jumps"):
        read(["0.00", "0.02", "0.04", "0.10", "0.12", "0.14"], "s")
    with pytest.raises(CorruptFileError, match="line 3: expected whole sample numbers"):
        read([0, 1, 1, 2, 3, 4], "sample", "sampling_rate_hz = 50\n")
    with pytest.raises(CorruptFileError, match="line 1: expected whole sample numbers"):
        read([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], "sample", "sampling_rate_hz = 50\n")
    with pytest.raises(ParameterError, match="says 50 Hz, the sampling rate given is 40 Hz"):
        read(["0.00", "0.02", "0.04", "0.06", "0.08", "0.10"], "s", "sampling_rate_hz = 40\n")
    with pytest.raises(ParameterError, match=r"to be said .* the sampling rate"):
        read([0, 1, 2, 3, 4, 5], "sample")


def test_markers_and_notes_become_events(tmp_path):
    rows = [f"{row},0," for row in text_of(numbers(12)).split()]
    for k in (3, 4, 8):
        rows[k] = rows[k].replace(",0,", ",1,")
    rows[5] += "wet swallow 1"
    rows[6] += "Doe, Jane".replace(",", "")
    path = write(tmp_path, "a,b,c,d,e,mark,note\n" + "\n".join(rows) + "\n")
    said = layout(
        tmp_path,
        rest='[events]\nmarker = "mark"\ntext = 7',
        table="header_lines=1\nseparator='comma'",
    )
    study = hrm.io.open_recording(path, layout=said, depths=SAID["depths"])
    events = study["events"].to_dataset()
    assert events["onset"].values.tolist() == [3 / 50, 5 / 50, 6 / 50, 8 / 50]
    assert events["label"].values.tolist() == ["marker", "protocol", "annotation", "marker"]
    assert events["note"].values.tolist() == ["", "wet swallow 1", "", ""]
    kept = hrm.io.open_recording(path, layout=said, depths=SAID["depths"], keep_phi=True)
    assert "Doe Jane" in kept["events/note"].values


def test_columns_that_nobody_names_may_hold_anything(tmp_path):
    rows = [f"12:00:0{k},{row},ok?" for k, row in enumerate(text_of(numbers(8)).split())]
    path = write(tmp_path, "\n".join(rows) + "\n")
    said = layout(tmp_path, pressure=full('"2-6"'), table='separator = "comma"\nheader_lines = 0')
    study = hrm.io.open_recording(path, layout=said, depths=SAID["depths"])
    np.testing.assert_array_equal(values(study), numbers(8).T.astype(np.float32))


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_missing_samples_are_nan_and_nothing_else(separator, tmp_path):
    table = numbers(10)
    rows = [row.split(separator) for row in text_of(table, separator).split("\n")[:-1]]
    spots = {(0, 0): "NA", (0, 1): "NA", (3, 4): "", (9, 4): "-9999", (4, 2): "-9999.0", (5, 0): ""}
    for (row, column), code in spots.items():
        rows[row][column] = code
        table[row, column] = np.nan
    path = write(tmp_path, "\n".join(map(separator.join, rows)) + "\n")
    said = layout(tmp_path, table='missing = ["NA", "", "-9999"]\nheader_lines = 0')
    study = hrm.io.open_recording(path, layout=said, depths=SAID["depths"])
    np.testing.assert_array_equal(values(study), table.T.astype(np.float32))
    plain = layout(
        tmp_path,
        table="header_lines = 0\nseparator = "
        + repr({",": "comma", "\t": "tab", ";": "semicolon"}[separator]),
    )
    with pytest.raises(CorruptFileError, match="line 1, column 1: expected a number"):
        hrm.io.open_recording(path, layout=plain, depths=SAID["depths"])


@pytest.mark.parametrize(
    ("text", "table", "words"),
    [
        ("1,2,3,4,5\n1,2,3,4\n", "", "line 2: the last row is cut: expected 5 cells, found 4"),
        ("1,2,3,4,5\n1,2,x,4,5\n", "", "line 2, column 3"),
        ("1,2,3,4,5\n", "", "expected at least 2 samples, found 1"),
        ("1;2;3;4;5\n1,5;2;3;4;5\n", 'decimal = "point"', "line 2: found a decimal mark"),
        ("1;2;3;4;5\n1.5;2;3;4;5\n", 'decimal = "comma"', "line 2: found a decimal mark"),
        ("1;2;3;4;5\n1,5;2.5;3;4;5\n", "", "line 2, column 1"),
        ("a\nb\n", "header_lines = 2", "ends above the first row"),
        ("1,2,3,4,5\n1,2,3,4,1e9\n", "", "beyond what any instrument measures"),
        ("1,2,3,4,5\n\0,2,3,4,5\n", "", "control byte"),
        ("a b c\nd e f\n", "", "expected numbers apart"),
    ],
)
def test_damage_is_named_by_its_place(text, table, words, tmp_path):
    said = layout(tmp_path, table=table)
    with pytest.raises(CorruptFileError, match=words):
        hrm.io.open_recording(write(tmp_path, text), layout=said, depths=SAID["depths"])


@pytest.mark.parametrize(
    ("pressure", "rest", "words"),
    [
        (full('"1-9"'), "", "pressure.columns, entry 6 is 6, but the rows have 5 cells"),
        (full('["a", "zz"]'), "", "pressure.columns, entry 2 is a name"),
        (full('["a", "e"]'), "", "there 2 times"),
        (full('["a", "b"]'), "[events]\nmarker = 1\n", "two things"),
        (full('["a", "b"]'), "[events]\nmarker = 4\ntext = 4\n", "two things"),
        (
            full("[1, 2]"),
            '[impedance]\ncolumns = [3]\norder = "proximal_first"\n',
            "impedance.unit",
        ),
    ],
)
def test_a_layout_that_does_not_fit_the_table(pressure, rest, words, tmp_path):
    path = write(tmp_path, "a,b,c,e,e\n" + text_of(numbers()))
    said = layout(tmp_path, pressure=pressure, rest=rest)
    with pytest.raises(ParameterError, match=words):
        hrm.io.open_recording(path, layout=said, depths=(0, 1))


def test_option_and_layout_must_agree(tmp_path):
    path = write(tmp_path, text_of(numbers()))
    said = layout(tmp_path)
    study = hrm.io.open_recording(path, layout=said, **SAID)
    assert study.attrs["sampling_rate"] == 50
    for name, other in (
        ("sampling_rate", 20.0),
        ("pressure_unit", "kPa"),
        ("channel_order", "distal_first"),
    ):
        with pytest.raises(ParameterError, match=f"{name}= .* different things"):
            hrm.io.open_recording(path, layout=said, **{**SAID, name: other})


def test_a_layout_reads_as_a_table_what_another_reader_knows(tmp_path):
    file = Headless(n_samples=40)
    path = write(tmp_path, file.bytes())
    assert hrm.io.open_recording(path).attrs["reader"] == "manoview-headless"
    said = layout(
        tmp_path,
        pressure=full('"2-37"') + '\ncatheter = "manoscan-36"',
        table="header_lines = 1",
        time='column = 1\nunit = "s"',
    )
    study = hrm.io.open_recording(path, layout=said)
    assert study.attrs["reader"] == "plain-table"
    np.testing.assert_array_equal(values(study), file.pressure)
    assert study.attrs["time_offset_s"] == pytest.approx(file.first)


def test_a_file_cut_inside_its_last_number_is_told(tmp_path):
    text = text_of(numbers())
    assert values(hrm.io.open_recording(write(tmp_path, text[:-1]), **SAID)).shape == (5, 30)
    path = write(tmp_path, text[:-2])
    with pytest.raises(CorruptFileError, match="line 30: the last row is cut: it has no line end"):
        hrm.io.open_recording(path, **SAID)
    with pytest.warns(DataQualityWarning, match="line 30: the last row is cut and left out"):
        study = hrm.io.open_recording(path, strictness="warn", **SAID)
    np.testing.assert_array_equal(values(study), numbers()[:-1].T.astype(np.float32))


def test_blocks_of_any_size_give_the_same(tmp_path, monkeypatch):
    rows = [f"{k / 50:.2f},{row},{k % 3}," for k, row in enumerate(text_of(numbers()).split())]
    rows[7] += "WS 1"
    path = write(tmp_path, "\n".join(rows) + "\n")
    said = layout(
        tmp_path,
        pressure=full('"2-6"'),
        table='separator = "comma"\nheader_lines = 0',
        time='column = 1\nunit = "s"',
        rest="[events]\nmarker = 7\ntext = 8\n",
    )
    options = {"layout": said, "depths": SAID["depths"]}
    study = hrm.io.open_recording(path, **options)
    hrm.io.convert_recording(path, tmp_path / "a.nc", **options)
    converted = hrm.io.open_recording(tmp_path / "a.nc")
    for size in (1, 7, 64, 500):
        monkeypatch.setattr("hrm.io._lines.BLOCK_BYTES", size)
        again = hrm.io.open_recording(path, **options)
        for other in (again, converted):
            np.testing.assert_array_equal(values(other), values(study))
            assert other.attrs == study.attrs
            for name in ("onset", "label", "note"):
                assert (
                    other["events"][name].values.tolist() == study["events"][name].values.tolist()
                )
    assert study["events"].sizes["event"] == 11


def test_a_long_table_converts_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("hrm.io._lines.BLOCK_BYTES", 1 << 18)
    block = text_of(numbers(2000))
    path = write(tmp_path, block * 100)
    hrm.io.convert_recording(write(tmp_path, block, "small"), tmp_path / "warm.nc", **SAID)
    tracemalloc.start()
    hrm.io.convert_recording(path, tmp_path / "a.nc", **SAID)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert hrm.io.peek(tmp_path / "a.nc")["n_samples"] == 200_000
    assert peak < path.stat().st_size


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damaged_bytes_raise_nothing_but_hrm_errors(data, tmp_path):
    content = bytearray(text_of(numbers(20)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = write(tmp_path, bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in (hrm.io.peek, hrm.io.open_recording):
            with contextlib.suppress(HrmError):
                function(
                    path, reader="plain-table", **(SAID if function is not hrm.io.peek else {})
                )


def test_a_name_in_any_place_is_never_quoted(tmp_path):
    head = "Doe,Jane,b,c,d,e\n"
    rows = text_of(numbers(9)).split()
    layouts = [
        layout(tmp_path),
        layout(tmp_path, pressure=full('["Doe", "Jane"]'), table="header_lines = 1"),
    ]
    plants = [
        head + "\n".join(rows) + "\n",
        "\n".join([*rows[:4], "Doe,Jane,3,4,5", *rows[4:]]),
        "\n".join(["Doe Jane", *rows]),
        "\n".join([*rows, "Jane Doe"]),
        "\n".join(row + ",Jane" for row in rows),
        "Doe;Jane\n",
    ]
    for text in plants:
        path = write(tmp_path, text)
        for said in layouts:
            for reader in (None, "plain-table"):
                found = everything_said(
                    lambda path=path, said=said, reader=reader: hrm.io.open_recording(
                        path, layout=said, depths=SAID["depths"], reader=reader
                    )
                ).casefold()
                assert "jane" not in found
                assert "doe" not in found.replace("does", "")


def test_notes_and_names_of_the_file_stay_there(tmp_path):
    rows = [f"{row},Jane Doe" for row in text_of(numbers(9)).split()]
    path = write(tmp_path, "a,b,c,d,e,Doe\n" + "\n".join(rows) + "\n")
    said = layout(
        tmp_path,
        table='separator = "comma"',
        rest='[events]\ntext = "Doe"\n',
        pressure=full('"1-5"'),
    )
    study = hrm.io.open_recording(path, layout=said, depths=SAID["depths"])
    assert study["events"].sizes["event"] == 9
    assert_clean(repr(whole(study)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pressure_unit": "kPa"}, "pressure_unit=: "),
        ({"channel_order": "distal_first"}, "channel_order=: "),
        (
            {"layout": "layout.toml", "reader": "manoview-headless"},
            "layout=, pressure_unit=, channel_order=: ",
        ),
    ],
)
def test_what_another_format_says_itself_is_refused_not_ignored(options, words, tmp_path):
    path = write(tmp_path, Headless(n_samples=40).bytes())
    if "layout" in options:
        options = {**options, "layout": layout(tmp_path, time="")}
    with pytest.raises(ParameterError, match=words + ".*manoview-headless says it itself"):
        hrm.io.open_recording(path, **options)
    with pytest.raises(ParameterError, match=words):
        hrm.io.convert_recording(path, tmp_path / "a.nc", **options)


def test_peek_refuses_what_is_no_text(tmp_path):
    path = write(tmp_path, bytes(range(256)) * 9)
    with pytest.raises(CorruptFileError, match="control byte"):
        hrm.io.peek(path, reader="plain-table")
