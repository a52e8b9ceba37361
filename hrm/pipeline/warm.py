"""Compile ahead: measure a made-up recording, so that later ones find the kernels ready."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrm.errors import HrmWarning
from hrm.pipeline.run import analyze
from hrm.schema import make_recording

_RATE_HZ = 20.0
_DEPTH_CM = np.arange(36, dtype=np.float64)
_DURATION_S = 180.0
_SWALLOWS_S = (60.0, 95.0, 130.0)


def warm_kernels() -> None:
    """Call every kernel that an analysis calls once, which compiles it into the cache."""
    for noise in (0.0, 6.0):  # noise of 6 mmHg asks for the filter
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrmWarning)
            analyze(made_up(noise))


def warm_text() -> None:
    """Call the compiled parser of long text files in every way in which a reader does."""
    from hrm.io._compiled import read_rows

    row, columns = b"0.00\t1.25\t-2.50\n", np.arange(3)
    for dtype in (np.float32, np.float64):
        # Arrays of one row, of all rows and of some of them lie differently in memory.
        for copies, threads in ((1, 1), (8, 1), (8, 2)):
            data = np.frombuffer(row * copies, dtype=np.uint8)
            read_rows(data, ord("\t"), columns, 3, blank=False, dtype=dtype, threads=threads)


def made_up(noise_mmhg: float) -> xr.DataTree:
    """Make a plain recording with both sphincters and three swallows.

    Parameters
    ----------
    noise_mmhg : float [mmHg]
        Standard deviation of white noise.

    Returns
    -------
    DataTree
    """
    pressure = _recording(noise_mmhg)
    return make_recording(pressure, sampling_rate=_RATE_HZ, depth=_DEPTH_CM)


def _recording(noise_mmhg: float) -> NDArray[np.float32]:
    """Pressure of a plain recording with both sphincters and swallows (time, sensor) [mmHg]."""
    time = np.arange(int(_DURATION_S * _RATE_HZ)) / _RATE_HZ
    depth = _DEPTH_CM[:, None]
    breathing = np.sin(2.0 * np.pi * time / 4.0)
    ues, les = _bump(depth, 6.0, 1.2), _bump(depth, 27.0, 1.0)
    gastric = (depth > 28.0) * (8.0 + 2.0 * breathing)
    chest = (depth <= 28.0) * (-2.0 - 2.0 * breathing)
    open_ues = sum(_bump(time, onset + 0.4, 0.4) for onset in _SWALLOWS_S)
    open_les = sum(_bump(time, onset + 4.0, 2.5) for onset in _SWALLOWS_S)
    pressure = gastric + chest + 60.0 * ues * (1.0 - open_ues) + 25.0 * les * (1.0 - open_les)
    for onset in _SWALLOWS_S:
        pressure = pressure + 90.0 * _bump(depth, 1.0, 1.5) * _bump(time, onset + 0.5, 0.25)
        front = onset + 1.5 + (depth - 8.0) / 4.0
        inside = (depth > 8.0) & (depth < 26.0)
        pressure = pressure + 70.0 * inside * np.exp(-0.5 * ((time - front) / 0.9) ** 2)
    noise = np.random.default_rng(0).normal(0.0, 1.0, pressure.shape) * noise_mmhg
    return np.ascontiguousarray((pressure + noise).T, dtype=np.float32)


def _bump(at: NDArray[np.float64], center: float, width: float) -> NDArray[np.float64]:
    return np.exp(-0.5 * ((at - center) / width) ** 2)
