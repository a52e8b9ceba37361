"""Rows of numbers against exact arithmetic, bit by bit, and every way to be unusual."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hrm.kernels import text
from hrm.kernels.text import (
    EMPTY_CELL,
    NEAR_TIE,
    NO_ROOM,
    NOT_PLAIN,
    OK,
    TOO_LONG,
    WRONG_CELLS,
    count_rows,
    parse_rows,
)
from tests.naive import text as naive

TAB, COMMA, SEMICOLON, BLANKS = 9, 44, 59, 0
BLANK = False  # whether cells that are not asked for must be empty
#: float64 takes each for the middle of two float32, and rounds it to the wrong one.
DOUBLE_ROUNDED = [b"3.130644679069519", b"40.72799110412598", b"0.6330594122409821"]


def read(
    data, separator=TAB, columns=(0, 1), n_cells=2, n_rows=None, *, blank=False, dtype=np.float32
):
    """Call the kernel as a reader would; outputs start as something that no cell holds."""
    columns, rows = np.array(columns, np.int64), n_rows
    data = np.frombuffer(data, np.uint8)
    rows = count_rows(data) if n_rows is None else n_rows
    first = np.full(rows, -77.0)
    others = np.full((max(columns.size - 1, 0), rows), -77, dtype)
    seen = parse_rows(data, separator, columns, n_cells, blank, first, others.T)
    return seen, first, others.T


def agree(data, separator, columns, n_cells):
    """Status, place, and every bit of what was read are those of the twin; float32's status."""
    layout = (data, separator, columns, n_cells)
    for dtype, blank in ((np.float64, True), (np.float64, False), (np.float32, True)):
        agree_as(*layout, dtype=dtype, blank=blank)
    return agree_as(*layout, dtype=np.float32, blank=False)


def agree_as(data, *layout, dtype, blank):
    (n_rows, *seen), first, others = read(data, *layout, dtype=dtype, blank=blank)
    status, row, column, known = naive.parse_rows(
        data, *layout, first.size, blank=blank, wide=dtype == np.float64
    )
    assert seen == [status, row, column]
    assert n_rows == len(known)
    for i, values in enumerate(known):
        assert first[i].tobytes() == values[0].tobytes(), data
        assert others[i].tobytes() == np.array(values[1:], dtype).tobytes(), data
    return status


@st.composite
def decimals(draw, longest=11):
    """Write a plain number in any of its ways: sign, leading zeros, no digit beside the point."""
    sign = draw(st.sampled_from(["", "", "-", "+"]))
    digits = draw(st.text("0123456789", min_size=1, max_size=longest))
    at = draw(st.none() | st.integers(0, len(digits)))
    return (sign + (digits if at is None else digits[:at] + "." + digits[at:])).encode()


ODD = [b"", b"NaN", b"*", b"1e5", b"1,5", b"-", b"+", b".", b"-.", b"1.2.3", b"--1", b"-+1"]
ODD += [b"1-", b"1-2", b"\x00", b"1\x001", b"\xb5", b"1\xb5", b"1 2", b"1\r", b"\r2", b"0x1F"]
ODD += [b"\xef\xbb\xbf1", b"1" * 17, b"9" * 22, b"0." + b"0" * 22 + b"1", b"1/2", b"3:4", b"inf"]
NUMBERS = decimals()
CELLS = st.one_of(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.sampled_from(ODD + DOUBLE_ROUNDED))
LINE_ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r\r\n"])


@st.composite
def blocks(draw, cells=CELLS):
    """Rows of cells as (data, separator, columns, n_cells), most of them in good order."""
    separator = draw(st.sampled_from([TAB, COMMA, SEMICOLON, BLANKS]))
    n_cells = draw(st.integers(1, 5))
    asked = draw(st.sets(st.integers(0, n_cells - 1), min_size=1))
    pad = draw(st.sampled_from([b"", b"", b" ", b"  "]))
    between = pad + bytes([separator or draw(st.sampled_from([9, 32]))]) + pad
    end = draw(LINE_ENDS)
    rows = draw(st.lists(st.lists(cells, min_size=n_cells, max_size=n_cells), max_size=5))
    return b"".join(between.join(row) + end for row in rows), separator, sorted(asked), n_cells


@given(block=blocks(NUMBERS))
def test_rows_of_numbers_agree_with_exact_arithmetic(block):
    assert agree(*block) in {OK, NEAR_TIE}


@given(block=blocks())
@example(block=(b"1\x001\n", BLANKS, [0], 1))  # NUL is no separator, though its code says blanks
def test_rows_with_odd_cells_agree_with_the_twin(block):
    agree(*block)


@given(
    block=blocks(),
    cut=st.integers(0, 60),
    put=st.sampled_from([b"", b" ", b"\t", b",", b"\n", b"\r", b"-", b".", b"7", b"\x00", b"\xff"]),
    rest=st.booleans(),
)
def test_damaged_rows_agree_with_the_twin(block, cut, put, rest):
    data, *layout = block
    agree(data[:cut] + put + (data[cut:] if rest else b""), *layout)


@given(number=decimals(longest=25), separator=st.sampled_from([TAB, COMMA, BLANKS]))
def test_a_long_number_is_read_exactly_or_not_at_all(number, separator):
    cells = [number, number, b"1.25", b"2"]
    data = bytes([separator or 32]).join(cells) + b"\n"
    assert agree(data * 2, separator, [0, 1, 2, 3], 4) in {OK, TOO_LONG, NEAR_TIE}


@st.composite
def near_ties(draw):
    """Write the middle of two float32, or what is nearest to it, with up to 16 digits."""
    low = draw(st.floats(np.float32(1e-6), np.float32(1e9), width=32))
    high = np.nextafter(np.float32(low), np.float32(np.inf))
    middle = (Fraction(low) + Fraction(float(high))) / 2
    room = [k for k in range(23) if middle * 10**k <= 2**53]
    k = draw(st.sampled_from(room[-3:]))
    digits = str(round(middle * 10**k) + draw(st.sampled_from([0, 0, -1, 1]))).zfill(k + 1)
    return f"{digits[:-k]}.{digits[-k:]}".encode() if k else digits.encode()


@given(number=near_ties(), minus=st.booleans())
@example(number=b"16777217", minus=False)
@example(number=b"16777219.0", minus=True)
@example(number=b"8388609.5", minus=False)
@example(number=b"8192.00048828125", minus=False)
def test_ties_are_read_exactly_or_not_at_all(number, minus):
    number = b"-" * minus + number
    assert agree(b"1\t%b\t5\n6\t7\t8.25\n" % number, TAB, [0, 1, 2], 3) in {OK, NEAR_TIE}


@pytest.mark.parametrize("number", DOUBLE_ROUNDED)
def test_a_number_that_float64_would_round_wrongly_is_not_read(number):
    assert np.float32(float(number)) != naive.nearest_float32(Fraction(number.decode()))
    assert read(b"1\t2\n1\t" + number + b"\n")[0] == (1, NEAR_TIE, 1, 1)
    # float64 itself is right: only the second rounding is not.
    seen, _, wide = read(b"1\t" + number + b"\n", dtype=np.float64)
    assert seen == (1, OK, -1, -1)
    assert wide[0, 0] == float(number)
    assert read(number + b"\t2\n", columns=[0])[1] == float(number)


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (b"16777217", 0x4B800000),  # halfway, to even: down
        (b"16777219", 0x4B800002),  # halfway, to even: up
        (b"16777217.0", 0x4B800000),
        (b"16777217.000001", 0x4B800001),
        (b"-0", 0x80000000),
        (b"-0.00", 0x80000000),
        (b"0.00", 0),
        (b"+0", 0),
        (b"9999999", 0x4B18967F),
        (b"-9999999", 0xCB18967F),
        (b"0.1", 0x3DCCCCCD),
        (b"-000.10", 0xBDCCCCCD),
        (b".1", 0x3DCCCCCD),
        (b"1.", 0x3F800000),
        (b"9007199254740992", 0x5A000000),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\n1\t2\n", b"", b" \r\n"])
def test_known_bits(number, bits, end):
    (_, status, _, _), _, values = read(b"1\t " + number + end)
    assert (status, int(values[0, 0].view(np.uint32))) == (OK, bits)


def test_powers_of_ten_are_exact():
    assert [int(p) for p in text._POWERS] == [10**k for k in range(23)]
    narrow = text._POWERS[: text._MOST_DECIMALS_32 + 1].astype(np.float32)
    assert [int(p) for p in narrow] == [10**k for k in range(11)]


@pytest.mark.parametrize("number", [b"1" * 17, b"9007199254740993", b"." + b"0" * 40 + b"1"])
def test_too_many_digits_a_subnormal_too(number):
    assert read(b"1\t2\n3\t" + number + b"\n")[0] == (1, TOO_LONG, 1, 1)
    assert read(b"1\t2\n" + number + b"\t3\n")[0] == (1, TOO_LONG, 1, 0)


UNUSUAL = [
    b"1e5",
    b"1E5",
    b"NaN",
    b"nan",
    b"*",
    b"-",
    b".",
    b"-.",
    b"1,5",
    b"1.2.3",
    b"1 2",
    b"4\x00",
]
UNUSUAL += [
    b"\x00",
    b"\xb51",
    b"1\xa0",
    b"\xd9\xa1",
    b"4-",
    b"--4",
    b"+-4",
    b"1\r2",
    b"4;5",
    b"/",
    b":",
]
UNUSUAL += [b"2\x0c", b"inf", b"1_0", b'"4"', b"1.5.", b"12345.67e1", b"1234567x", b"-.e"]


@pytest.mark.parametrize("cell", UNUSUAL)
@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\n1\t2\t3\n"])
def test_an_unusual_cell_is_named(cell, column, tail):
    row = [b"1", b"-2.5", b"3"]
    row[column] = cell
    data = b"1\t2\t3\n4\t5\t6\n" + b"\t".join(row) + tail
    assert read(data, columns=(0, 1, 2), n_cells=3)[0] == (2, NOT_PLAIN, 2, column)


@pytest.mark.parametrize("cell", [b"", b" "])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_an_empty_cell_is_named_if_it_is_asked_for(cell, column):
    row = [b"7", b"8", b"9"]
    row[column] = cell
    data = b"1\t2\t3\n" + b"\t".join(row) + b"\n4\t5\t6\n7\t8\t9\n"
    assert read(data, columns=(0, 1, 2), n_cells=3)[0] == (1, EMPTY_CELL, 1, column)
    rest = [c for c in range(3) if c != column]
    assert read(data, columns=rest, n_cells=3)[0] == (4, OK, -1, -1)


@pytest.mark.parametrize("columns", [(0, 1, 2), (0, 1), (1, 2), (1,), (2,)])
@pytest.mark.parametrize("separator", [b"\t", b",", b" "])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"", b"\n6\n5_4_3\n2_1_0\n", b"\n5_4_3\n2_1_0\n"])
def test_rows_too_short_and_too_long(columns, separator, end):
    code = 0 if separator == b" " else separator[0]
    for cells, place in (([b"7", b"8"], 2), ([b"7", b"8", b"9", b"6"], 3)):
        data = (b"1_2_3\n4_5_6\n" + b"_".join(cells) + end).replace(b"_", separator)
        assert read(data, code, columns, 3)[0] == (2, WRONG_CELLS, 2, place)


def test_an_empty_line():
    assert read(b"1\t2\n\n1\t2\n")[0] == (1, EMPTY_CELL, 1, 0)
    assert read(b"1 2\n \n1 2\n", BLANKS)[0] == (1, WRONG_CELLS, 1, 0)


def test_no_data():
    assert read(b"")[0] == (0, OK, -1, -1)
    assert count_rows(np.empty(0, np.uint8)) == 0


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n"])
@pytest.mark.parametrize("n_cells", [2, 3])
def test_line_ends_and_a_last_row_without_one(end, n_cells):
    row = b"10.5\t-3.25" + b"\ttext" * (n_cells - 2)
    for last in (b"", end, end[:-1]):
        seen, first, values = read(end.join([row] * 5) + last, n_cells=n_cells)
        assert seen == (5, OK, -1, -1)
        assert (first == 10.5).all()
        assert (values == -3.25).all()


def test_a_lone_carriage_return_is_no_line_end():
    assert read(b"1\t2\r3\t4\r")[0] == (0, NOT_PLAIN, 0, 1)
    assert read(b"1\t2\r\r\r\n")[0] == (0, NOT_PLAIN, 0, 1)


def test_data_cut_at_every_byte():
    data = b"260.60\t-2.13\t\tnote\t12.45\r\n260.61\t-0.81\t\t\xb5m\t7\r\n260.62\t0\t\t\t-0.5"
    for cut in range(len(data)):
        agree(data[:cut], TAB, [0, 1, 4], 5)
    assert agree(data, TAB, [0, 1, 4], 5) == OK


@pytest.mark.parametrize(
    "text_cell", [b"Wet swallow1", b"\xc0\xcb\xac\x64", b"1e5", b"", b"NaN", b"\xff" * 9]
)
def test_cells_that_nobody_asked_for_may_hold_text(text_cell):
    for column in range(3):
        row = [b"1", b"2", b"3"]
        row[column] = text_cell
        rest = [c for c in range(3) if c != column]
        (n_rows, status, _, _), first, values = read((b", ".join(row) + b"\n") * 4, COMMA, rest, 3)
        assert (n_rows, status) == (4, OK)
        assert (first == rest[0] + 1).all()
        assert (values == rest[1] + 1).all()


@pytest.mark.parametrize("separator", [b"\t", b","])
@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("cell", [b"7", b"some text", b"-", b"longer than a word"])
def test_cells_that_must_be_empty(cell, column, separator):
    rest = [c for c in range(3) if c != column]
    rows = [[b"1", b"2", b"3"] for _ in range(3)]
    for row in rows:
        row[column] = b" "
    usual = b"\n".join(separator.join(row) for row in rows)
    rows[1][column] = cell
    full = b"\n".join(separator.join(row) for row in rows)
    for data, blank, seen in (
        (usual, False, (3, OK, -1, -1)),
        (usual, True, (3, OK, -1, -1)),
        (full, False, (3, OK, -1, -1)),
        (full, True, (1, NOT_PLAIN, 1, column)),
    ):
        assert read(data, separator[0], rest, 3, blank=blank)[0] == seen


def test_a_control_byte_is_unusual_wherever_it_is():
    for column in range(3):
        row = [b"1", b"2", b"3"]
        row[column] = b"some\x00text"
        rest = [c for c in range(3) if c != column]
        data = b"1,2,3\n" + b",".join(row) + b"\n1,2,3\n1,2,3\n"
        assert read(data, COMMA, rest, 3)[0] == (1, NOT_PLAIN, 1, column)


def test_an_unusual_row_between_plain_ones_is_read_too():
    data = b"1\t2.5\n100000000.25\t-123456.789\n+3\t 1 \n-4\t-0.5\n5\t6\n"
    (n_rows, status, _, _), first, values = read(data)
    assert (n_rows, status) == (5, OK)
    assert first.tolist() == [1, 100000000.25, 3, -4, 5]
    assert values[:, 0].tolist() == [2.5, np.float32(-123456.789), 1, -0.5, 6]


def test_outputs_that_are_too_small():
    assert read(b"1\t2\n3\t4\n5\t6\n", n_rows=2)[0] == (2, NO_ROOM, 2, 0)
    data, columns = np.frombuffer(b"1\t2\n", np.uint8), np.arange(2)
    narrow, short = np.empty((1, 0), np.float32), np.empty((1, 1), np.float32)
    assert parse_rows(data, TAB, columns, 2, BLANK, np.empty(1), narrow)[:2] == (0, NO_ROOM)
    assert parse_rows(data, TAB, columns, 2, BLANK, np.empty(0), short)[:2] == (0, NO_ROOM)


@pytest.mark.parametrize(
    ("columns", "n_cells", "column"),
    [
        ([0, 2], 2, 2),
        ([1, 0], 2, 0),
        ([0, 0], 2, 0),
        ([-1, 0], 2, 0),
        ([0], 0, 0),
        ([], 0, 0),
    ],
)
def test_columns_that_no_row_has(columns, n_cells, column):
    assert read(b"1\t2\n", columns=columns, n_cells=n_cells)[0] == (0, NO_ROOM, 0, column)


@pytest.mark.parametrize("order", ["C", "F", "view"])
def test_any_layout_of_the_output(order):
    data, rows = np.frombuffer(b"1\t2\t3\n4\t-5\t6\n7\t8\t9.5\n", np.uint8), 3
    wide = np.zeros((2 * rows, 7), np.float32)
    out = wide[::2, 5:1:-2] if order == "view" else np.zeros((rows, 2), np.float32, order)
    assert parse_rows(data, TAB, np.arange(3), 3, BLANK, np.empty(rows), out)[1] == OK
    assert out.tolist() == [[2, 3], [-5, 6], [8, 9.5]]


@given(data=st.lists(st.sampled_from([b"1", b"\n", b"22\n", b"x" * 50]), max_size=12).map(b"".join))
@example(data=b"1\n" * 64)
@example(data=b"\n" * 300)
@example(data=b"\n" * 255 + b"1")
def test_rows_are_counted(data):
    assert count_rows(np.frombuffer(data, np.uint8)) == len(data.splitlines())
