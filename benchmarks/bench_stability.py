"""Time the stability of a diagnosis against a naive loop over the pipeline, in one run.

    python -m pytest benchmarks/bench_stability.py --benchmark-enable -s

A study of 15 swallows, 36 sensors at 50 Hz; 500 draws must take 2 s of one core at most
after warm-up, and one draw a twentieth of what the naive loop takes. The naive loop, which
is also the oracle of the tests, applies each draw as an edit of landmarks, onsets and
pressure and measures every swallow again with the pipeline; it runs over a few draws only.
Time is that of the process, so that other work on the machine does not count.
"""

import os
import time

import pytest

from hrm import phantom
from hrm.pipeline.run import measure_recording
from hrm.stability import with_stability
from hrm.stability.model import draw
from hrm.stability.study import _counted, model_of
from tests.naive import stability as naive

DRAWS, NAIVE_DRAWS = 500, 4
LONGEST_S, LEAST_RATIO = 2.0, 20.0
#: A plain study; one with bolus pressure, whose front costs most; one on the edge, in which
#: swallows that change are measured at every combination.
STUDIES = {"normal": False, "egjoo": False, "des": True, "hypercontractile": True}


def measured(phenotype, borderline):
    made = phantom.draw(phenotype, seed=3, borderline=borderline)
    recording = phantom.sample(
        made, catheter="manoscan-36", sampling_rate=50.0, noise_mmhg=1.0, seed=3
    )
    told = phantom.swallow_table(made)
    clinical = {"symptoms": ["dysphagia"]}
    return measure_recording(recording, system="manoscan", swallows=told, clinical=clinical)


def spent(function):
    """Processor time of one call [s]."""
    start = time.process_time()
    function()
    return time.process_time() - start


def naive_loop(study, record, count):
    """Both trees for some draws, everything measured again."""
    model = model_of(study, seed=0)
    draws = draw(model, _counted(record), len(record.swallows), draws=count, seed=0)
    for i in range(count):
        rows = naive.measured(study, model, draws, i)
        naive.diagnoses(study, rows, draws.picks[i])


@pytest.mark.parametrize("phenotype", STUDIES)
def test_five_hundred_draws(benchmark, phenotype):
    study, record = measured(phenotype, STUDIES[phenotype])
    assert len(record.swallows) == 15
    assert study.pressure.shape[0] == 36

    def run():
        return with_stability(study, record, draws=DRAWS)

    found = run()
    assert found.classification["ccv4"]["stability"]["draws"] == DRAWS
    benchmark.pedantic(run, rounds=3)
    ours = min(spent(run) for _ in range(3))
    theirs = spent(lambda: naive_loop(study, record, NAIVE_DRAWS)) / NAIVE_DRAWS * DRAWS
    loose = sum(
        row.type_stability is not None and row.type_stability["agreement"] < 1.0
        for row in found.swallows
    )
    benchmark.extra_info["ratio"] = theirs / ours
    print(
        f"\n{phenotype}: {ours:.2f} s for {DRAWS} draws ({loose} swallows change), the naive loop "
        f"{theirs:.0f} s, {theirs / ours:.0f} x; load {os.getloadavg()[0]:.1f}"
    )
    assert theirs / ours >= LEAST_RATIO
    assert ours <= LONGEST_S
