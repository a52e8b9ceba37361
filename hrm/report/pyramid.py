"""Signals in tiles at falling resolution: the mean and the greatest value of each column.

The mean alone would thin a swallow out of half an hour, the greatest value alone would
show noise only; the page chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

#: Columns of a tile; the last one of a level is shorter.
TILE_COLUMNS = 1024
KINDS = ("mean", "max")


class Pyramid:
    """One signal at all levels.

    Parameters
    ----------
    values : array (sensor, time)
        NaN where missing. Level 0; it is shared, not copied, if it is float32.

    Attributes
    ----------
    levels : int
        Number of them. A column of level k stands for ``2**k`` samples; the last level
        fits one tile.
    """

    def __init__(self, values: NDArray[np.floating]) -> None:
        first = np.asarray(values, dtype=np.float32)
        means = _whole_means(first)
        holes = np.isnan(first).any(axis=1)
        if holes.any():
            for level, right in zip(means[1:], _means(first[holes])[1:], strict=True):
                level[holes] = right
        self._kinds = {"mean": means, "max": _greatest(first)}
        self.levels = len(self._kinds["mean"])

    def level(self, level: int, kind: str = "mean") -> Values:
        """Give all columns of a level, as an array (sensor, column)."""
        return self._kinds[kind][level]

    def tile(self, level: int, index: int, kind: str = "mean") -> bytes | None:
        """Give a tile as little-endian float32, one sensor after the other.

        Parameters
        ----------
        level, index : int
        kind : {"mean", "max"}

        Returns
        -------
        bytes or None
            None if there is no such tile.
        """
        if kind not in KINDS or not 0 <= level < self.levels or index < 0:
            return None
        found = self._kinds[kind][level]
        part = found[:, index * TILE_COLUMNS : (index + 1) * TILE_COLUMNS]
        return part.astype("<f4", order="C").tobytes() if part.shape[1] else None


def _pairs(values: Values) -> tuple[Values, Values]:
    """Even columns, and the odd ones beside them; a last one without partner is doubled."""
    even, odd = values[:, 0::2], values[:, 1::2]
    if odd.shape[1] < even.shape[1]:
        odd = np.concatenate([odd, even[:, -1:]], axis=1)
    return even, odd


def _greatest(first: Values) -> Sequence[Values]:
    out = [first]
    while out[-1].shape[1] > TILE_COLUMNS:
        out.append(np.fmax(*_pairs(out[-1])))
    return out


def _whole_means(first: Values) -> Sequence[Values]:
    """Means of sensors of which nothing is missing: only the last column stands for fewer samples."""
    out, last = [first], 1  # samples in the last column
    while out[-1].shape[1] > TILE_COLUMNS:
        values, full = out[-1], 1 << (len(out) - 1)
        means = np.add(*_pairs(values)) * np.float32(0.5)
        if values.shape[1] % 2 == 0:
            pair = np.average(values[:, -2:], axis=1, weights=[full, last])
            means[:, -1], last = pair, last + full
        out.append(means)
    return out


def _means(first: Values) -> Sequence[Values]:
    """Means of the samples that are there, each counted once."""
    out, counts = [first], np.isfinite(first).astype(np.float32)
    while out[-1].shape[1] > TILE_COLUMNS:
        even, odd = _pairs(np.nan_to_num(out[-1]))
        left, right = counts[:, 0::2], counts[:, 1::2]
        if right.shape[1] < left.shape[1]:
            right = np.concatenate([right, np.zeros_like(left[:, -1:])], axis=1)
        counts = left + right
        with np.errstate(invalid="ignore"):
            out.append(np.asarray((even * left + odd * right) / counts, dtype=np.float32))
    return out
