"""Rows shared by threads are the rows of one thread."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.io import _compiled
from hrm.io._compiled import read_rows, usual_threads

TAB = ord("\t")
NUMBERS = st.integers(-99_999, 99_999).map(lambda n: f"{n / 100:.2f}")


def bytes_of(rows, end="\n"):
    text = "".join("\t".join(row) + end for row in rows)
    return np.frombuffer(text.encode(), np.uint8)


def read(data, n_cells, threads):
    return read_rows(data, TAB, np.arange(n_cells), n_cells, blank=False, threads=threads)


@given(
    rows=st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=40),
    threads=st.integers(1, 9),
    cut=st.booleans(),
)
def test_any_number_of_threads_reads_the_same(rows, threads, cut):
    data = bytes_of(rows)[: -1 if cut else None]
    first, values = read(data, 3, threads)
    known = np.array(rows, dtype=float)
    np.testing.assert_array_equal(first, known[:, 0])
    np.testing.assert_array_equal(values, known[:, 1:].T.astype(np.float32))
    assert values.flags.c_contiguous


@given(bad=st.integers(0, 199), threads=st.integers(1, 4))
def test_one_unusual_row_anywhere_leaves_the_block_to_the_library(bad, threads):
    rows = [["1.00", "2.50"] for _ in range(200)]
    rows[bad] = ["1.00", "x"]
    assert read(bytes_of(rows), 2, threads) is None


def test_a_row_longer_than_a_part_is_not_cut():
    rows = [["1.5"] * 40_000, ["2.5"] * 40_000]
    first, values = read(bytes_of(rows), 40_000, 4)
    assert first.tolist() == [1.5, 2.5]
    assert values.shape == (39_999, 2)


@pytest.mark.parametrize(
    ("told", "size", "expected"),
    [("1", 100 << 20, 1), ("2", 100 << 20, 2), ("64", 100 << 20, 4), ("3", 1000, 1), ("", 0, 1)],
)
def test_threads_follow_size_and_what_a_worker_was_told(monkeypatch, told, size, expected):
    monkeypatch.setenv("NUMBA_NUM_THREADS", told)
    assert usual_threads(size) == expected


def test_threads_do_not_exceed_the_processors_of_the_container(monkeypatch):
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    monkeypatch.setattr(_compiled, "_processors", lambda: 2)
    assert usual_threads(100 << 20) == 2
