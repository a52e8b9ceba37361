"""Bytes to numbers: every cell or an error, encodings, the printed time column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.errors import CorruptFileError
from hrm.io._lines import as_text, guess_encoding, sniff_lines
from hrm.io._text import BlockLayout, parse_block, parse_number, strip_blank_end
from hrm.io._timebase import time_grid


def parse(lines, separator=b",", n_cells=3, columns=(0, 1, 2)):
    layout = BlockLayout(separator, columns, n_cells, dtype=np.float64)
    table = parse_block(b"\n".join(lines) + b"\n", layout, first_line=10, reader="test")
    return np.column_stack([table.first, table.values])


def test_values_are_those_written():
    found = parse([b"1, -2.50, +3", b"1e2,.5,nan"])
    np.testing.assert_array_equal(found, [[1, -2.5, 3], [100, 0.5, np.nan]])


def test_columns_are_picked_by_position():
    found = parse([b"1\t\t2\t3"], separator=b"\t", n_cells=4, columns=(0, 2, 3))
    np.testing.assert_array_equal(found, [[1, 2, 3]])


@pytest.mark.parametrize("separator", [b"\t", b";", None])
def test_decimal_comma(separator):
    joint = separator or b"  "
    found = parse([joint.join([b"1,5", b"-2,25", b"3"])], separator=separator)
    np.testing.assert_array_equal(found, [[1.5, -2.25, 3]])


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (b"1;2,5;3.5", "line 11, column 2"),
        (b"1;2,;3", "line 11, column 2"),
        (b"1;1.000,5;3", "line 11, column 2"),
        (b"1;2;1,000,000", "line 11, column 3"),
    ],
)
def test_mixed_decimal_marks_are_an_error(line, where):
    with pytest.raises(CorruptFileError, match=where):
        parse([b"1;2;3", line], separator=b";")


@pytest.mark.parametrize(
    "cell", [b"", b" ", b"*", b"-", b"1 2", b"1_0", b"0x1", b"inf", b"1e999", b"\xa01", b"1e", b"nan1",
             b"--1", b"1-", b"12a", b"\xd9\xa1"],
)  # fmt: skip
def test_a_bad_cell_is_named_and_never_zero(cell):
    with pytest.raises(CorruptFileError, match="line 12, column 2") as caught:
        parse([b"1,2,3", b"1,2,3", b"1," + cell + b",3"])
    assert caught.value.where == "line 12, column 2"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("row", [b"1,2", b"1,2,3,4", b""])
def test_a_ragged_row_is_named(row):
    with pytest.raises(CorruptFileError, match="line 11: expected 3 cells"):
        parse([b"1,2,3", row])


finite = st.floats(allow_nan=True, allow_infinity=False, width=64)


@given(st.lists(st.lists(finite, min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_printed_float_comes_back_exactly(rows):
    lines = [",".join(repr(value) for value in row).encode() for row in rows]
    np.testing.assert_array_equal(parse(lines), np.array(rows))


@given(st.lists(st.binary(max_size=12).filter(lambda b: b"\n" not in b), min_size=1, max_size=4))
def test_any_bytes_parse_or_raise(lines):
    try:
        found = parse(lines)
    except CorruptFileError:
        return
    cells = [[cell.strip(b" \t") for cell in line.split(b",")] for line in lines]
    np.testing.assert_array_equal(found, [[float(cell) for cell in row] for row in cells])


@pytest.mark.parametrize(
    ("cell", "number"),
    [(b" 1.5 ", 1.5), (b"1,5", 1.5), (b"1,", None), (b"", None), (b"1,5,5", None), (b"x", None)],
)
def test_one_cell(cell, number):
    assert parse_number(cell) == number


@pytest.mark.parametrize("byte", [0, 1, 8, 27])
def test_control_bytes_are_located(byte):
    with pytest.raises(CorruptFileError, match="byte 2: expected text"):
        as_text(b"ab" + bytes([byte]), reader="test")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"abc", "ascii"),
        ("é".encode(), "utf-8"),
        ("檢查流程 無數據".encode("cp950"), "cp950"),
        ("Übung für Größe".encode("cp1252"), "cp1252"),
        ("réel".encode("cp1252"), "cp1252"),  # decodes as Big5 too
    ],
)
def test_guess_encoding(data, encoding):
    assert guess_encoding(data) == encoding


def test_half_a_utf_16_character_is_an_error():
    with pytest.raises(CorruptFileError, match="UTF-16"):
        as_text("TIME:\t1\t2".encode("utf-16")[:-1], reader="test")


@given(st.binary(max_size=200))
def test_sniffing_never_raises(head):
    assert isinstance(sniff_lines(head), list)


def test_strip_blank_end():
    assert strip_blank_end([b"1", b"", b"2", b" ,, ", b""], b",") == [b"1", b"", b"2"]


@given(
    rate=st.sampled_from([10, 20, 25, 30, 50, 60, 64, 75, 80, 90, 100]),
    first=st.integers(0, 200_000),
    n=st.integers(2, 500),
)
def test_a_printed_time_column_gives_its_rate(rate, first, n):
    exact = first / 100 + np.arange(n) / rate
    printed = np.array([float(f"{time:.2f}") for time in exact])
    steps = np.unique(np.rint(np.diff(printed) * 100))
    try:
        grid = time_grid(printed, first_line=1, reader="test")
    except CorruptFileError:
        # Too few rows to tell rounding from a gap.
        assert len(steps) > 1
        assert n < 60
        return
    assert grid.first_s == printed[0]
    # The first and the last time are each known to half a printed unit.
    assert abs(1 / grid.rate_hz - 1 / rate) <= 0.011 / (n - 1)
    if 100 % rate == 0 or n > 300:
        assert grid.rate_hz == rate


@pytest.mark.parametrize(("at", "shift"), [(3, 0.01), (40, 0.5), (97, -0.01), (50, 100.0)])
def test_a_shifted_time_is_located(at, shift):
    times = np.round(5 + np.arange(100) / 50, 2)
    times[at:] += shift
    with pytest.raises(CorruptFileError, match=f"line {at + 1}: the time"):
        time_grid(np.round(times, 2), first_line=1, reader="test")


def test_a_changing_rate_is_refused():
    times = np.round(np.concatenate([np.arange(200) / 80, 2.5 + np.arange(200) / 70]), 2)
    with pytest.raises(CorruptFileError, match=r"rate changes|the time jumps"):
        time_grid(times, first_line=1, reader="test")
