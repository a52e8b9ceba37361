"""A small analytic study on sensors, and all sphincter metrics of it.

Landmarks and breaths are known, so that only the metrics are at work: sensors are judged
and interpolated as in the pipeline, and everything else is given.
"""

import math

import numpy as np
import xarray as xr
from scipy.special import expit

from hrm.metrics import barrier, relaxation, ues
from hrm.preprocess import usable_sensors, window_field
from tests.metrics.fields import PARAMETERS

ONSET_S, END_S, BASELINE_S, BREATH_S = 40.0, 58.0, (1.0, 36.0), 4.0
UES_CM, LES_CM, LES_SD, CD_SD = 8.0, 26.3, 1.0, 0.7
RESIDUAL = 4.0
REACH = math.sqrt(-2 * math.log(0.2))  # of the border at a fifth, in SD


def bump(x):
    return np.exp(-0.5 * x**2)


def without(sensors, *places):
    """The same recording with the sensors at these depths marked bad."""
    out = sensors.copy(deep=True)
    for place in places:
        out["sensor_ok"].values[at(out, place)] = False
    return out


def changed(change, *, rate=50.0):
    """A recording whose pressures `change` spoils in place."""
    sensors = recording(rate)
    change(sensors.values, sensors)
    return sensors


def coarse(values, sensors):
    values[:] = 3.0 * np.round(values / 3.0)


def anatomy(separation=0.5):
    cd = LES_CM + separation
    return {
        "ues_upper": UES_CM - 1.5,
        "ues_lower": UES_CM + 1.5,
        "les_upper": LES_CM - REACH * LES_SD,
        "les_peak": LES_CM,
        "les_lower": LES_CM + REACH * LES_SD,
        "cd": cd,
        "gastric": 6.0,
    }


def pressure(t, z, separation=0.5):
    """Pressure [mmHg] at times (s, row) and depths (cm, column)."""
    x = t - ONSET_S
    inspiration = 0.5 + 0.5 * np.cos(2 * np.pi * t / BREATH_S)
    belly = expit((z - LES_CM - max(0.0, separation - 0.5)) / 0.15)
    out = belly * (5.0 + 2.0 * inspiration) - (1 - belly) * (1.0 + 4.0 * inspiration)
    open_les = expit((x - 1.0) / 0.2) * expit((7.5 - x) / 0.3)
    out = out + 24.0 * (1 - 0.75 * open_les) * bump((z - LES_CM) / LES_SD)
    out += (2.0 + 9.0 * inspiration) * bump((z - LES_CM - separation) / CD_SD)
    lift = 1.5 * expit(x / 0.05) * expit((0.9 - x) / 0.05)
    opened = expit(x / 0.04) * expit((0.75 - x) / 0.04)
    tone = 60.0 + (RESIDUAL - 60.0) * opened
    out += tone * bump((z - UES_CM + lift) / 1.27)
    pharynx = expit((UES_CM - 1.5 - z) / 0.3)
    out += 110.0 * pharynx * bump((x - 0.55 - (z - 3.0) / 12.0) / 0.1)
    body = expit((z - 10.5) / 0.3) * expit((LES_CM - 2.0 - z) / 0.3)
    return out + 65.0 * body * bump((x - 2.5 - (z - 11.0) / 3.2) / 0.8)


def recording(rate=50.0, depth=None, separation=0.5, start=0.0, stop=END_S):
    """Sensor pressure (sensor, time) with the coordinates of a recording."""
    depth = np.arange(36.0) if depth is None else np.asarray(depth, float)
    t = np.arange(round(start * rate), round(stop * rate)) / rate
    values = pressure(t[None, :], depth[:, None], separation).astype(np.float32)
    return xr.DataArray(
        values,
        dims=("sensor", "time"),
        coords={
            "time": t,
            "depth": ("sensor", depth),
            "sensor_ok": ("sensor", np.ones(depth.size, bool)),
        },
    )


def usable(sensors):
    return usable_sensors(sensors, dead_variance=PARAMETERS["quality.dead_variance_mmhg2"])


def at(sensors, depth):
    """Row of the sensor nearest to a depth."""
    return int(np.argmin(np.abs(sensors["depth"].values - depth)))


def measured(sensors, place=None, *, stop_s=math.inf, breathing=True, ceiling=math.inf):
    """Every sphincter metric by its name in the contract, as the pipeline would call them."""
    place = anatomy() if place is None else place
    end = float(sensors["time"][-1] + sensors["time"][1] - sensors["time"][0])
    stop = min(stop_s, end)
    swallow = _swallow(sensors, place, stop)
    if float(sensors["time"][0]) > BASELINE_S[0]:
        return swallow  # a recording that starts too late for a baseline
    return swallow | _rest(sensors, place, breathing=breathing, ceiling=ceiling)


def _swallow(sensors, place, stop):
    good = usable(sensors)
    sleeve = relaxation.relaxation_sleeve(
        window_field(sensors, good, ONSET_S, min(ONSET_S + 11.0, stop), PARAMETERS),
        onset_s=ONSET_S,
        stop_s=stop,
        les_upper_cm=place["les_upper"],
        les_lower_cm=place["les_lower"],
        gastric_mmhg=place["gastric"],
        parameters=PARAMETERS,
    )
    window = ues.swallow_window(ONSET_S, stop, PARAMETERS)
    opening = ues.ues_relaxation(
        window_field(sensors, good, *window, PARAMETERS),
        onset_s=ONSET_S,
        stop_s=stop,
        ues_upper_cm=place["ues_upper"],
        ues_lower_cm=place["ues_lower"],
        parameters=PARAMETERS,
    )
    return {
        **relaxation.relaxation_measurements(sleeve, PARAMETERS),
        **opening.measurements(),
    }


def _rest(sensors, place, *, breathing, ceiling):
    rate = 1.0 / float(sensors["time"][1] - sensors["time"][0])
    rest = window_field(sensors, usable(sensors), *BASELINE_S, PARAMETERS)
    quiet = np.ones(rest.sizes["time"], bool)
    peaks, ends = breaths(rest, rate) if breathing else (np.array([], int), np.array([], int))
    status = "ok" if breathing else "respiration_not_found"
    crural = barrier.crural_borders(
        rest,
        inspiration=peaks,
        end_expiration=ends,
        crural_diaphragm_cm=place["cd"],
        parameters=PARAMETERS,
    )
    boxes = barrier.egj_boxes(
        les_upper_cm=place["les_upper"],
        les_lower_cm=place["les_lower"],
        les_peak_cm=place["les_peak"],
        crural_diaphragm_cm=place["cd"],
        crural_cm=crural,
        deepest_cm=float(rest["depth"][-1]),
        parameters=PARAMETERS,
    )
    common = {"boxes": boxes, "gastric_mmhg": place["gastric"], "parameters": PARAMETERS}
    span = barrier.quietest_breaths(peaks, quiet, 1 / rate, PARAMETERS)
    return {
        **barrier.egj_contractile_integrals(rest, breaths=span, respiration=status, **common),
        "egj_ci_total_mmhg_cm": barrier.total_egj_contractile_integral(
            [(rest, peaks)], onsets_s=[ONSET_S], respiration=status, **common
        ),
        "basal_inspiratory_mmhg": barrier.basal_inspiratory(
            rest,
            peaks,
            quiet,
            les_upper_cm=place["les_upper"],
            les_lower_cm=place["les_lower"],
            gastric_mmhg=place["gastric"],
            parameters=PARAMETERS,
        ),
        "ues_resting_mmhg": ues.ues_resting(
            rest,
            quiet,
            ues_upper_cm=place["ues_upper"],
            ues_lower_cm=place["ues_lower"],
            parameters=PARAMETERS,
            ceiling_mmhg=ceiling,
        ),
    }


def breaths(rest, rate):
    """Samples of the inspiratory peaks and of end expiration, as they are drawn."""
    time = rest["time"].values
    first, last = math.ceil(time[0] / BREATH_S), math.floor(time[-1] / BREATH_S)
    peaks = np.round((np.arange(first, last + 1) * BREATH_S - time[0]) * rate).astype(int)
    return peaks, peaks[:-1] + round(BREATH_S / 2 * rate)


LES_SWALLOW = (
    *relaxation.IRP_PARAMETERS,
    "les_nadir_mmhg",
    "les_residual_mmhg",
)
CI = ("egj_ci_mmhg_cm", "egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm", "egj_ci_sum_mmhg_cm")
LES_REST = (CI[0], "egj_ci_total_mmhg_cm", "basal_inspiratory_mmhg")
UES_PRESSURES = ("ues_residual_mmhg", "ues_irp02s_mmhg")
UES_TIMES = ("ues_relaxation_s", "ues_time_to_nadir_s", "ues_recovery_s")


def check(seen, clean, names, rule):
    """Each number is near the clean one (`rule`: absolute, relative), or null with the reason."""
    for name in names:
        if isinstance(rule, str):
            assert (seen[name].status, math.isnan(seen[name].value)) == (rule, True), name
        else:
            absolute, relative = rule
            assert seen[name].status == "ok", name
            room = absolute + relative * abs(clean[name].value)
            assert abs(seen[name].value - clean[name].value) <= room, name
