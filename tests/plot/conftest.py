"""Analyzed synthetic studies, made once."""

import pytest

import hrm
from hrm.phantom import draw, sample, swallow_table


@pytest.fixture(scope="session")
def study():
    """Five swallows, one too close to the next; the uneven 22-sensor catheter."""
    drawn = draw("normal", seed=21, n_supine=3, n_upright=1, doubles=1)
    recording = sample(drawn, catheter="CE4-0062", sampling_rate=20.0, system="manoscan")
    rows = [{**row, "protocol": "single"} for row in swallow_table(drawn)]
    return hrm.analyze(recording, swallows=rows)


@pytest.fixture(scope="session")
def result(study):
    return hrm.to_dict(study)
