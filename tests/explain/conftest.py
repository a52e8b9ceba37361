"""Small studies that together show every metric, analyzed once."""

import functools

import numpy as np
import pytest
import xarray as xr

import hrm
from hrm import phantom
from hrm.explain import Workings, explain_metric

_TESTS = phantom.Provocation(mrs_runs=2, mrs_ratio=1.5, rdc="pressurized", rdc_after=True)
#: Phenotype, seed, and what is drawn, sampled and said differently.
STUDIES = {
    "tests": ("normal", 51, {"provocation": _TESTS}, {"impedance": True}, {}),
    "hernia": ("normal", 52, {"hernia_cm": 3.5}, {}, {}),
    "type II": ("achalasia_type_2", 53, {}, {}, {}),
    "noisy": ("hypercontractile", 54, {}, {"noise_mmhg": 3.0}, {}),
    "bolus": ("normal", 56, {}, {"impedance": True}, {}),
    "weak": ("iem", 55, {}, {}, {"gastric.reference": "dynamic"}),
}


@functools.cache
def analyzed(name):
    phenotype, seed, how, sampling, parameters = STUDIES[name]
    made = phantom.draw(phenotype, seed=seed, n_supine=3, n_upright=2, **how)
    recording = phantom.sample(made, sampling_rate=25.0, **sampling)
    rows = phantom.swallow_table(made)
    if name == "bolus":
        recording = _with_bolus_everywhere(recording, [row["onset_s"] for row in rows])
    if name == "hernia":
        rows[-1]["protocol"] = rows[-2]["protocol"] = "solid"
    return hrm.analyze(recording, swallows=rows, parameters=parameters)


def _with_bolus_everywhere(recording, onsets):
    """A bolus at every segment, in pharynx and EGJ too, where that of a phantom is not seen."""
    node = recording["impedance"].to_dataset().copy(deep=True)
    time, depth = node["impedance_time"].values, node["segment_depth"].values
    ohm = np.full((depth.size, time.size), 2000.0)
    for onset in onsets:
        since = time[None, :] - onset - 0.2 - 0.05 * depth[:, None]
        ohm -= 1700.0 * np.exp(-0.5 * ((since - 0.8) / 0.5) ** 2)
    node["impedance"] = node["impedance"].copy(data=ohm.astype(node["impedance"].dtype))
    nodes = {each.path: each.to_dataset() for each in recording.subtree} | {"/impedance": node}
    return xr.DataTree.from_dict(nodes)


@functools.cache
def contract(name):
    return hrm.to_dict(analyzed(name))


@functools.cache
def worked(name):
    return Workings(analyzed(name))


@functools.cache
def explained(name, metric, swallow=None):
    return explain_metric(analyzed(name), metric, swallow, workings=worked(name))


@pytest.fixture(scope="session")
def explain():
    """Explanations by study, metric and swallow, each made once."""
    return explained


@pytest.fixture(scope="session")
def study():
    """Analyzed studies by their names."""
    return analyzed


@pytest.fixture(scope="session")
def workings():
    """Their workings, so that each is prepared once."""
    return worked
