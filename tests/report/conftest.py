"""Analyzed synthetic studies of several sizes, each made once."""

from functools import cache

import pytest

import hrm
from hrm.phantom import Provocation, draw, sample, swallow_table


@cache
def analyzed(phenotype, n_supine, n_upright=0, seed=21, posture=True, noise=0.0, **options):
    drawn = draw(phenotype, seed=seed, n_supine=n_supine, n_upright=n_upright)
    recording = sample(drawn, sampling_rate=20.0, noise_mmhg=noise)
    options = {key: dict(value) if key == "clinical" else value for key, value in options.items()}
    return hrm.analyze(recording, swallows=swallow_table(drawn) if posture else None, **options)


@pytest.fixture(scope="session")
def make():
    return analyzed


@pytest.fixture(scope="session")
def tested():
    """Impedance, multiple rapid swallows and rapid drinking in one study."""
    drawn = draw(
        "normal",
        seed=3,
        n_supine=3,
        n_upright=1,
        provocation=Provocation(mrs_runs=1, rdc="pressurized"),
    )
    recording = sample(drawn, sampling_rate=20.0, system="manoscan", impedance=True)
    return hrm.analyze(recording, swallows=swallow_table(drawn))
