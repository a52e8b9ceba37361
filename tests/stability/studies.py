"""Phantoms measured once for all tests of the stability."""

from functools import cache

from hrm import phantom
from hrm.pipeline.run import measure_recording
from hrm.stability.model import draw
from hrm.stability.nodes import Drifted, Place
from hrm.stability.study import _counted, model_of

CLINICAL = {"symptoms": ["dysphagia"]}


@cache
def recorded(phenotype, seed, borderline=False):
    """A short study at 50 Hz, and what a file cannot say of its swallows."""
    made = phantom.draw(phenotype, seed=seed, borderline=borderline, n_supine=4, n_upright=2)
    recording = phantom.sample(made, sampling_rate=50.0, noise_mmhg=0.5)
    return recording, {
        "system": "manoscan",
        "swallows": phantom.swallow_table(made),
        "clinical": CLINICAL,
    }


@cache
def measured(phenotype, seed, borderline=False):
    """The study as the pipeline prepares it, and its results."""
    recording, said = recorded(phenotype, seed, borderline)
    return measure_recording(recording, **said)


def places(study, seed=0):
    """The perturbation model of a study, and where each swallow is measured."""
    model = model_of(study, seed=seed)
    drifted = Drifted(study, model)
    return model, [Place(drifted, k) for k in range(len(study.reviews))]


def drawn(model, record, draws, seed=0):
    """Some draws for the swallows of a study."""
    return draw(model, _counted(record), len(record.swallows), draws=draws, seed=seed)
