"""The onset by both rules, from a fall whose crossing is known."""

import numpy as np
import pytest
import xarray as xr

from hrm.detect.onset import date_onset, ues_sleeve
from hrm.detect.profile import Sphincter
from hrm.detect.swallows import Candidate
from tests.detect.signals import PARAMETERS

ZONE = Sphincter(6.5, 8.0, 9.5, 60.0)
AT = 10.0
WAVE = tuple((float(z), AT + 0.05 * z) for z in range(5))


def falling(base, *, start=9.6, slope=200.0, rate=100.0, residual=2.0):
    """A UES that falls from `base` in a straight line of `slope` mmHg/s from `start` on."""
    time = np.arange(round(12 * rate)) / rate
    depth = np.round(np.arange(0, 12.01, 0.1), 6)
    course = np.maximum(base - slope * np.maximum(time - start, 0), residual)
    profile = np.exp(-0.5 * ((depth - 8.0) / 0.6) ** 8)
    values = (profile[:, None] * course).astype(np.float32)
    return xr.DataArray(values, dims=("depth", "time"), coords={"depth": depth, "time": time})


@pytest.mark.parametrize("rate", [20.0, 100.0])
@pytest.mark.parametrize(
    ("base", "level"), [(60.0, 30.0), (100.0, 35.0), (40.0, 20.0), (20.5, 10.25), (70.0, 35.0)]
)
def test_the_fall_through_half_of_the_base_or_35(rate, base, level):
    seen = date_onset(
        falling(base, rate=rate), Candidate(AT, WAVE, ues_fell=True), ZONE, PARAMETERS
    )
    assert seen.method == "ues_relaxation"
    assert seen.time_s == pytest.approx(9.6 + (base - level) / 200, abs=0.005)


@pytest.mark.parametrize("base", [0.0, 15.0, 19.5])
def test_below_a_base_of_20_the_wave_dates_the_onset(base):
    seen = date_onset(falling(base), Candidate(AT, WAVE, ues_fell=False), ZONE, PARAMETERS)
    assert (seen.method, seen.time_s) == ("pharyngeal_wave", pytest.approx(AT - 0.2))


def test_without_a_zone_the_wave_dates_the_onset():
    seen = date_onset(falling(60.0), Candidate(AT, WAVE, ues_fell=False), None, PARAMETERS)
    assert (seen.method, seen.time_s) == ("pharyngeal_wave", pytest.approx(AT - 0.2))


def test_a_ues_that_does_not_fall_leaves_it_to_the_wave():
    seen = date_onset(
        falling(60.0, start=99.0), Candidate(AT, WAVE, ues_fell=False), ZONE, PARAMETERS
    )
    assert seen.method == "pharyngeal_wave"


def test_a_base_cut_short_by_the_start_of_the_recording_is_no_base():
    late = falling(60.0).isel(time=slice(850, None))
    assert date_onset(late, Candidate(AT, WAVE, ues_fell=True), ZONE, PARAMETERS).method == (
        "pharyngeal_wave"
    )


def test_a_fall_without_wave_keeps_its_own_time():
    seen = date_onset(falling(60.0), Candidate(9.75, (), ues_fell=True), ZONE, PARAMETERS)
    assert (seen.method, seen.time_s) == ("ues_relaxation", pytest.approx(9.75, abs=0.005))


def test_the_last_fall_before_the_nadir_counts():
    """A first dip that recovers is not the relaxation."""
    field = falling(60.0)
    time = field["time"].values
    dip = ((time >= 9.2) & (time < 9.4)).astype(np.float32)
    dipped = field * (1 - 0.7 * dip)
    seen = date_onset(dipped, Candidate(AT, WAVE, ues_fell=True), ZONE, PARAMETERS)
    assert seen.time_s == pytest.approx(9.75, abs=0.005)


@pytest.mark.parametrize(("base", "known"), [(60.0, 10.3), (44.0, 10.28)])
def test_the_pharyngeal_wave_does_not_hide_the_relaxation(base, known):
    """The sleeve reaches 3 cm up; there it is cut before the foot of the wave arrives."""
    field = falling(base, start=known - base / 2 / 60, slope=60.0)
    depth, time = field["depth"].values[:, None], field["time"].values[None, :]
    lead = 0.08 * np.sqrt(2 * np.log(120 / 30))  # from 30 mmHg to the peak of the wave
    pharynx = 120 * np.exp(-0.5 * ((time - AT - 0.05 * depth - lead) / 0.08) ** 2) * (depth < 6)
    seen = date_onset(field + pharynx, Candidate(AT, WAVE, ues_fell=True), ZONE, PARAMETERS)
    assert (seen.method, seen.time_s) == ("ues_relaxation", pytest.approx(known, abs=0.01))


def test_the_sleeve_spans_the_zone_three_cm_up_and_one_down():
    depth, time = np.round(np.arange(0, 14.01, 0.1), 6), np.arange(50) / 50
    for place, inside in ((3.4, False), (3.6, True), (10.4, True), (10.7, False)):
        spike = (np.abs(depth - place) < 0.04)[:, None] * np.full((1, 50), 50.0)
        field = xr.DataArray(spike, dims=("depth", "time"), coords={"depth": depth, "time": time})
        sleeve = ues_sleeve(field, Candidate(0.5, (), ues_fell=True), ZONE, PARAMETERS)
        assert (sleeve == 50.0).all() == inside
