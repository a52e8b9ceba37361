"""hrm.preprocess takes pressure as it comes: any float type, byte order, stride or view."""

import numpy as np
import pytest
import xarray as xr

from hrm.errors import ParameterError
from hrm.preprocess import estimate_noise, filter_noise, interpolate_depth, usable_sensors

RATE = 20.0
DEPTH = np.array([0.0, 1.0, 2.0, 4.0, 5.0, 9.0])


def wrap(values):
    time = np.arange(values.shape[1]) / RATE
    return xr.DataArray(
        values,
        dims=("sensor", "time"),
        coords={
            "time": time,
            "depth": ("sensor", DEPTH),
            "sensor_ok": ("sensor", np.ones(DEPTH.size, bool)),
        },
        attrs={"units": "mmHg"},
    )


def plain():
    # Whole numbers: the same in every float type.
    rng = np.random.default_rng(5)
    return rng.integers(-20, 120, (DEPTH.size, 80)).astype(np.float32)


def _strided(values):
    wide = np.zeros((2 * values.shape[0], 3 * values.shape[1]), np.float32)
    wide[::2, ::3] = values
    return wide[::2, ::3]


def _read_only(values):
    copy = values.copy()
    copy.setflags(write=False)
    return copy


LAYOUTS = {
    "float64": lambda v: v.astype(np.float64),
    "float16": lambda v: v.astype(np.float16),
    "int32": lambda v: v.astype(np.int32),
    "big-endian float32": lambda v: v.astype(">f4"),
    "big-endian float64": lambda v: v.astype(">f8"),
    "Fortran order": np.asfortranarray,
    "transposed": lambda v: np.ascontiguousarray(v.T).T,
    "reversed twice": lambda v: np.ascontiguousarray(v[::-1, ::-1])[::-1, ::-1],
    "strided": _strided,
    "read-only": _read_only,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kernel", ["linear", "pchip", "cubic"])
def test_interpolation(layout, kernel):
    known = interpolate_depth(wrap(plain()), kernel=kernel)
    seen = interpolate_depth(wrap(LAYOUTS[layout](plain())), kernel=kernel)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen.values, known.values)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_filter_noise_and_quality(layout):
    known, seen = wrap(plain()), wrap(LAYOUTS[layout](plain()))
    given = seen.values.copy()
    np.testing.assert_array_equal(
        filter_noise(seen, sd_s=0.15).values, filter_noise(known, sd_s=0.15).values
    )
    np.testing.assert_array_equal(seen.values, given)
    assert estimate_noise(seen) == pytest.approx(estimate_noise(known), rel=1e-6)
    assert usable_sensors(seen, dead_variance=0.01).all()


def test_the_grid_carries_depth_time_and_units():
    field = interpolate_depth(wrap(plain()), step_cm=0.5)
    assert field.dims == ("depth", "time")
    assert field.attrs["units"] == "mmHg"
    assert field["depth"].attrs["units"] == "cm"
    np.testing.assert_allclose(field["depth"].values, np.arange(0, 9.01, 0.5))
    np.testing.assert_array_equal(field["time"].values, wrap(plain())["time"].values)


def test_unknown_kernel_and_width():
    with pytest.raises(ParameterError, match="linear, pchip, cubic"):
        interpolate_depth(wrap(plain()), kernel="nearest")
    for sd in (0.0, -1.0, float("nan")):
        with pytest.raises(ParameterError, match="positive"):
            filter_noise(wrap(plain()), sd_s=sd)


@pytest.mark.parametrize("sd", [0.5, 3.0, 8.0])
def test_noise_of_known_size_is_estimated_beside_contractions(sd):
    rng = np.random.default_rng(11)
    time = np.arange(2400) / RATE
    wave = 80 * np.exp(-0.5 * ((time - 50) / 1.2) ** 2) + 4 * np.sin(2 * np.pi * time / 4)
    values = wave + sd * rng.standard_normal((DEPTH.size, time.size))
    assert estimate_noise(wrap(values)) == pytest.approx(sd, rel=0.15, abs=0.1)


def test_noise_of_too_short_or_missing_pressure_is_unknown():
    assert np.isnan(estimate_noise(wrap(plain()[:, :5])))
    assert np.isnan(estimate_noise(wrap(np.full((DEPTH.size, 80), np.nan, np.float32))))


@pytest.mark.parametrize("rate", [20.0, 50.0])
def test_the_filter_lowers_white_noise_by_its_closed_form_and_keeps_time(rate):
    rng = np.random.default_rng(3)
    time = np.arange(int(80 * rate)) / rate
    noise = xr.DataArray(
        rng.standard_normal((6, time.size)).astype(np.float32),
        dims=("sensor", "time"),
        coords={"time": time},
    )
    # SD of the weighted mean of independent samples under a Gaussian of SD 0.15 s.
    known = np.sqrt(1 / (2 * np.sqrt(np.pi) * 0.15 * rate))
    assert float(filter_noise(noise, sd_s=0.15).std()) == pytest.approx(known, rel=0.05)
    pulse = noise.copy(data=np.exp(-0.5 * ((time - 40) / 1.0) ** 2 * np.ones((6, 1))))
    smooth = filter_noise(pulse, sd_s=0.15).values[0]
    assert time[np.argmax(smooth)] == pytest.approx(40.0, abs=1 / rate)
    assert smooth.max() == pytest.approx(1 / np.sqrt(1 + 0.15**2), rel=1e-3)


def test_bad_sensors_are_not_usable():
    values = plain()
    values[1] = 4.0
    values[3] = np.nan
    values[4, ::2] = np.nan
    pressure = wrap(values)
    pressure["sensor_ok"].values[0] = False
    seen = usable_sensors(pressure, dead_variance=0.01)
    assert seen.tolist() == [False, False, True, False, True, True]
