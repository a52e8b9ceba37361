"""Bytes to numbers: every cell or an error, encodings, the printed time column."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.errors import CorruptFileError
from hrm.io import _text
from hrm.io._lines import Rows, as_text, guess_encoding, sniff_lines
from hrm.io._text import BlockLayout, TableParser, parse_block, parse_number, strip_blank_end
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


def both_ways(block, layout):
    """What the library says of a block, and whether the compiled parser read it: bit for bit."""

    def outcome(**how):
        try:
            table = parse_block(block, layout, first_line=10, reader="test", **how)
        except CorruptFileError as err:
            return str(err)
        assert table.values.dtype == layout.dtype
        return table.values.shape, table.first.tobytes(), table.values.tobytes()

    usual = _text._by_kernel(block, layout) is not None
    assert outcome(compiled=True) == outcome(compiled=False)
    return usual


ODD_CELLS = [
    b"",
    b" ",
    b"nan",
    b"*",
    b"1e5",
    b"1,5",
    b"-",
    b".",
    b"1,",
    b"text",
    b"3.130644679069519",
]
ODD_CELLS += [b"\xa01", b"1 2", b"9" * 25, b"1\r", b"1\x0c", b"1_0", b"inf"]
PLAIN_CELLS = st.floats(-1e4, 1e4).map(lambda x: f"{x:.2f}".encode())
PLAIN_CELLS |= st.sampled_from([b"-0.00", b"7", b"+.5", b"5.", b"123456789.125", b" 1.25 "])
CELLS = st.one_of(*[PLAIN_CELLS] * 6, st.sampled_from(ODD_CELLS))


@st.composite
def cell_blocks(draw, cells=CELLS):
    """Rows of any reader's layout as (block, layout): some cells odd, some rows too short."""
    separator = draw(st.sampled_from([b"\t", b",", b";", b"|", None]))
    n_cells = draw(st.integers(1, 5))
    asked = draw(st.sets(st.integers(0, n_cells - 1), min_size=1))
    unread = sorted(set(range(n_cells)) - asked)
    empty = draw(st.booleans())
    rows = draw(
        st.lists(st.lists(cells, min_size=n_cells, max_size=n_cells), min_size=1, max_size=4)
    )
    if empty:
        rows = [[b"" if c in unread else cell for c, cell in enumerate(row)] for row in rows]
    if draw(st.booleans()):
        rows = [[cell.replace(b".", b",") for cell in row] for row in rows]
    cut = draw(st.integers(1, n_cells))
    short = draw(st.sampled_from([range(0), range(0), range(1), range(len(rows))]))
    rows = [row[:cut] if at in short else row for at, row in enumerate(rows)]
    layout = BlockLayout(
        separator,
        tuple(sorted(asked)),
        n_cells,
        may_be_short=draw(st.booleans()),
        blank=tuple(draw(st.sampled_from([unread, unread, [], unread[:1]]))),
        dtype=draw(st.sampled_from([np.float32, np.float64])),
    )
    end = draw(st.sampled_from([b"\n", b"\n", b""]))
    return b"\n".join((separator or b" ").join(row) for row in rows) + end, layout


@given(cell_blocks())
def test_the_compiled_parser_and_the_library_agree(block_and_layout):
    both_ways(*block_and_layout)


@given(cell_blocks(PLAIN_CELLS))
def test_the_compiled_parser_and_the_library_agree_on_numbers(block_and_layout):
    both_ways(*block_and_layout)


TWO_OF_FOUR = BlockLayout(b"\t", (0, 2), 4)
BLANK_REST = BlockLayout(b"\t", (0, 2), 4, blank=(1, 3))
SHORT_REST = BlockLayout(b"\t", (0, 2), 4, may_be_short=True, blank=(1, 3))


@pytest.mark.parametrize(
    ("block", "layout", "usual"),
    [
        (b"1.5\t\t-2\t\n", BLANK_REST, True),
        (b"1.5\t\t-2\t7\n", BLANK_REST, False),
        (b"1.5\t7\t-2\t\n", BLANK_REST, False),
        (b"1.5\t\t-2\n2.5\t\t3\n", BLANK_REST, False),
        (b"1.5\t7\t-2\t8\n", BlockLayout(b"\t", (0, 2), 4, blank=(1,)), False),
        (b"1.5\t-2\r\n", BlockLayout(b"\t", (0, 1), 2), False),
        (b"1.5\t\t-2\n2.5\t\t3\n", SHORT_REST, True),
        (b"1.5\t\t-2\t\n2.5\t\t3\t\n", SHORT_REST, True),
        (b"1.5\t\t-2\n2.5\t\t3\t\n", SHORT_REST, False),
        (b"1.5\t\n2.5\t\n", SHORT_REST, False),
        (b"1.5\t\t-2\t\t\n", SHORT_REST, False),
        (b"1.5\t7\t-2\t8", TWO_OF_FOUR, True),
        (b"1.5\ttext\t-2\t8\n", TWO_OF_FOUR, False),
        (b"1.5\t7\t-2\t1,5\n", TWO_OF_FOUR, False),
        (b"1,5\t7\t-2\t1,5\n", TWO_OF_FOUR, True),
        (b"1,5\t7\t-2,\t1\n", TWO_OF_FOUR, False),
        (b"1.5\t7\t-2\t8\r\n", TWO_OF_FOUR, False),
        (b"1|7|2|3\n", BlockLayout(b"|", (0, 2), 4), False),
        (b"1\t7\t2\t3\n", BlockLayout(b"\t", (0, 2), 4, dtype=np.float16), False),
    ],
)
def test_what_the_compiled_parser_reads(block, layout, usual):
    assert both_ways(block, layout) is usual


def test_only_a_long_file_loads_the_compiled_parser(tmp_path):
    code = (
        "import sys\n"
        "from hrm.io._lines import Rows\n"
        "from hrm.io._text import BlockLayout, TableParser\n"
        "rows = b'1\\t2.5\\n' * int(sys.argv[1])\n"
        "parser = TableParser(BlockLayout(b'\\t', (0, 1), 2), reader='test')\n"
        "assert parser.parse(Rows(1, rows)).values.sum() == 2.5 * int(sys.argv[1])\n"
        "print('numba' in sys.modules)\n"
    )
    root = Path(_text.__file__).parents[2]
    for n_rows, loaded in ((150_000, "False"), (750_000, "True")):
        command = [sys.executable, "-c", code, str(n_rows)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == loaded


def test_the_small_last_block_of_a_long_file_is_read_as_the_others_were(monkeypatch):
    seen = []
    monkeypatch.setattr(_text, "_COMPILED_BYTES", 100)
    monkeypatch.setattr(_text, "_COMPILED_BYTES_LOADED", 100)
    monkeypatch.setattr(
        _text,
        "_by_kernel",
        lambda block, layout, real=_text._by_kernel: seen.append(len(block)) or real(block, layout),
    )
    parser = TableParser(BlockLayout(b"\t", (0, 1), 2), reader="test")
    for data in (b"1\t2\n" * 5, b"1\t2\n" * 25, b"1\t2\n"):
        np.testing.assert_array_equal(parser.parse(Rows(1, data)).values, 2)
    assert seen == [100, 4]


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
