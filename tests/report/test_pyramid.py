"""Tiles against a slow count over the samples that they stand for."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.report.pyramid import TILE_COLUMNS, Pyramid


def naive(values, level, kind):
    size = 1 << level
    columns = -(-values.shape[1] // size)
    out = np.full((values.shape[0], columns), np.nan, np.float32)
    reduce = {"mean": np.nanmean, "max": np.nanmax}[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for k in range(columns):
            out[:, k] = reduce(values[:, k * size : (k + 1) * size].astype(float), axis=1)
    return out


def whole(pyramid, level, kind, rows):
    parts, index = [], 0
    while (tile := pyramid.tile(level, index, kind)) is not None:
        parts.append(np.frombuffer(tile, "<f4").reshape(rows, -1))
        index += 1
    assert all(part.shape[1] == TILE_COLUMNS for part in parts[:-1])
    return np.concatenate(parts, axis=1)


@given(
    n=st.integers(1, 5 * TILE_COLUMNS),
    share=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
    seed=st.integers(0, 99),
)
def test_every_level_is_mean_and_maximum_of_the_samples_that_are_there(n, share, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(20, 30, (3, n)).astype(np.float32)
    values[1, rng.random(n) < share] = np.nan
    pyramid = Pyramid(values)
    for level in range(pyramid.levels):
        for kind in ("mean", "max"):
            found = whole(pyramid, level, kind, 3)
            np.testing.assert_allclose(found, naive(values, level, kind), rtol=2e-5, atol=1e-4)
    assert whole(pyramid, pyramid.levels - 1, "mean", 3).shape[1] <= TILE_COLUMNS


def test_the_first_level_is_the_recording_itself():
    values = np.arange(2 * 1500, dtype=np.float32).reshape(2, 1500)
    np.testing.assert_array_equal(whole(Pyramid(values), 0, "max", 2), values)


@pytest.mark.parametrize(
    ("level", "index", "kind"),
    [(0, 2, "mean"), (9, 0, "max"), (-1, 0, "mean"), (0, -1, "mean"), (0, 0, "min")],
)
def test_what_is_not_there_is_none(level, index, kind):
    assert Pyramid(np.zeros((2, 1500), np.float32)).tile(level, index, kind) is None
