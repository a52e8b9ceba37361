"""A block of usual rows through the compiled parser, in as many threads as pay."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hrm.kernels.text import OK, count_rows, parse_rows

#: A thread takes 0.1 ms to start, in which the parser reads 60 kB.
_BYTES_A_THREAD = 1 << 20
#: Memory, not the processor, is the limit beyond that.
_MOST_THREADS = 4
_LF = 10


def read_rows(
    data: NDArray[np.uint8],
    separator: int,
    columns: NDArray[np.int64],
    n_cells: int,
    *,
    blank: bool,
    dtype: DTypeLike = np.float32,
    threads: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.floating]] | None:
    """Read rows of plain decimal numbers.

    Parameters
    ----------
    data : array (byte,) uint8
        Whole rows.
    separator, columns, n_cells, blank
        As `hrm.kernels.text.parse_rows` takes them.
    dtype : dtype, optional
        float32 or float64, of the values.
    threads : int, optional
        How many share the rows; chosen by size and processors if None. The numbers are
        the same for any.

    Returns
    -------
    first : array (row,) float64
    values : array (column, row)
        Rows side by side, as a study needs them.
        None instead of both if any row is unusual, right or wrong.
    """
    parts = _parts(data, usual_threads(data.size) if threads is None else threads)
    with ThreadPoolExecutor(len(parts)) as pool:
        rows = np.cumsum([0, *pool.map(count_rows, parts)])
        first = np.empty(rows[-1])
        values = np.empty((columns.size - 1, rows[-1]), dtype=dtype)

        def fill(k: int) -> bool:
            own = slice(rows[k], rows[k + 1])
            return bool(
                parse_rows(
                    parts[k], separator, columns, n_cells, blank, first[own], values[:, own].T
                )[1]
                == OK
            )

        return (first, values) if all(pool.map(fill, range(len(parts)))) else None


def usual_threads(size: int) -> int:
    """Threads for a block of `size` bytes: one in a worker that was told to use one."""
    told = os.environ.get("NUMBA_NUM_THREADS", "")
    processors = int(told) if told.isdigit() and int(told) else _processors()
    return max(1, min(processors, _MOST_THREADS, size // _BYTES_A_THREAD))


def _processors() -> int:
    # A container may have fewer than the machine; macOS and Windows cannot say.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parts(data: NDArray[np.uint8], n: int) -> list[NDArray[np.uint8]]:
    """Cut whole rows into about equal parts of whole rows."""
    edges = [0]
    for k in range(1, n):
        at = max(edges[-1], data.size * k // n)
        # A row is far shorter than a part; one that is not just makes the part longer.
        ends = np.flatnonzero(data[at : at + (1 << 16)] == _LF)
        edges.append(at + int(ends[0]) + 1 if ends.size else edges[-1])
    return [data[a:b] for a, b in zip(edges, [*edges[1:], data.size], strict=True)]
