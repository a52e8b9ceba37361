"""The ramps: the colors that physicians expect, and an order that survives without hue."""

import colorsys

import numpy as np
import pytest

from hrm.errors import ParameterError
from hrm.plot.colors import HIGHEST_MMHG, LOWEST_MMHG, choose


def color(name, mmhg):
    return choose(name).ramp((mmhg - LOWEST_MMHG) / (HIGHEST_MMHG - LOWEST_MMHG))[:3]


# Degrees on the color wheel: red 0, yellow 60, green 120, cyan 180, blue 240, magenta 300.
HUES = [
    (-8.0, 235, 245),
    (0.0, 235, 245),
    (15.0, 195, 235),
    (20.0, 180, 210),
    (30.0, 125, 175),
    (40.0, 80, 140),
    (60.0, 48, 64),
    (100.0, -8, 8),
    (150.0, 290, 310),
    (190.0, 290, 310),
]


@pytest.mark.parametrize(("mmhg", "low", "high"), HUES)
def test_hrm_ramp_has_the_hues_that_physicians_know(mmhg, low, high):
    hue = 360.0 * colorsys.rgb_to_hsv(*color("hrm", mmhg))[0]
    assert low <= (hue - 360.0 if hue > 345.0 else hue) <= high


def test_hrm_ramp_is_dark_at_zero_and_light_at_twenty():
    assert colorsys.rgb_to_hsv(*color("hrm", 0.0))[2] < 0.55
    assert colorsys.rgb_to_hsv(*color("hrm", 18.0))[2] > 0.9


def luminance(rgb):
    linear = np.where(
        np.array(rgb) <= 0.04045, np.array(rgb) / 12.92, ((np.array(rgb) + 0.055) / 1.055) ** 2.4
    )
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_accessible_ramp_only_gets_lighter():
    light = [
        luminance(color("accessible", mmhg)) for mmhg in np.linspace(LOWEST_MMHG, HIGHEST_MMHG, 60)
    ]
    assert (np.diff(light) > 0).all()


@pytest.mark.parametrize("name", ["hrm", "accessible"])
def test_a_gap_looks_like_no_pressure(name):
    chosen = choose(name)
    gap = np.array(chosen.ramp(np.ma.masked_invalid([np.nan]))[0][:3])
    levels = np.linspace(LOWEST_MMHG, HIGHEST_MMHG, 321)
    assert min(np.abs(gap - color(name, mmhg)).max() for mmhg in levels) > 0.15


@pytest.mark.parametrize("name", ["hrm", "accessible"])
def test_contours_stand_out_where_they_run(name):
    line = {"black": 0.0, "white": 1.0}[choose(name).contour]
    for mmhg in (20.0, 30.0):
        levels = sorted((line, luminance(color(name, mmhg))))
        assert (levels[1] + 0.05) / (levels[0] + 0.05) > 3.0  # contrast, as WCAG defines it


def test_unknown_ramp():
    with pytest.raises(ParameterError, match="hrm, accessible"):
        choose("jet")
