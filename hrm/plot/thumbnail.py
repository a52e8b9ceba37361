"""A small picture of a whole recording, made without a figure: a few milliseconds."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.plot.colors import HIGHEST_MMHG, LOWEST_MMHG, MISSING, choose

_WIDTH, _HEIGHT = 300, 72
#: Palette entry of what was not measured.
_MISSING = 255


def thumbnail(pressure: xr.DataArray) -> bytes:
    """Draw the pressure topography of a recording as a PNG.

    Parameters
    ----------
    pressure : DataArray (sensor, time) [mmHg]

    Returns
    -------
    bytes
        PNG with a palette, at most 300 by 72 pixels, depth downwards. A pixel shows the
        highest pressure of its stretch of time: means would hide short contractions.
    """
    values = pressure.transpose("sensor", "time").values
    pooled = _highest(values, _WIDTH)
    depth = pressure["depth"].values
    # Sensors are not evenly spaced: each row of pixels shows the nearest one.
    rows = np.linspace(depth[0], depth[-1], _HEIGHT)
    edges = (depth[:-1] + depth[1:]) / 2.0
    return _png(_indices(pooled[np.searchsorted(edges, rows)]))


def _highest(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Highest value in each of `width` stretches of time, NaN where all are."""
    n = values.shape[1]
    starts = np.unique(np.linspace(0, n, min(width, n), endpoint=False).astype(int))
    highest: NDArray[np.float32] = np.fmax.reduceat(values, starts, axis=1)
    return highest


def _indices(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    share = (values - LOWEST_MMHG) / (HIGHEST_MMHG - LOWEST_MMHG)
    level = np.clip(np.nan_to_num(share), 0.0, 1.0) * (_MISSING - 1)
    return np.where(np.isnan(values), _MISSING, level.astype(np.uint8)).astype(np.uint8)


@cache
def _palette() -> bytes:
    colors = choose("hrm").ramp(np.linspace(0.0, 1.0, _MISSING))[:, :3]
    missing = bytes.fromhex(MISSING.removeprefix("#"))
    levels: bytes = np.rint(colors * 255).astype(np.uint8).tobytes()
    return levels + missing


def _png(indices: NDArray[np.uint8]) -> bytes:
    height, width = indices.shape
    # Each row begins with its filter: none.
    lines = np.pad(indices, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", zlib.compress(lines, 6)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
