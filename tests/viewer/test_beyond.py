"""Marks of numbers beyond a limit, against the explanations of the same numbers."""

from dataclasses import replace

import pytest

import hrm
from hrm import phantom
from hrm.explain import explain_metric
from hrm.pipeline.run import measure_recording
from hrm.viewer.beyond import beyond_of_study, beyond_of_swallow

CASES = [
    *(("manoscan", "supine"), ("manoscan", "upright")),
    *(("mms_wp", "supine"), ("unknown", "supine"), ("manoscan", "unknown")),
]


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def measured(request):
    system, posture = request.param
    made = phantom.draw("egjoo", seed=3, n_supine=4, n_upright=0)
    recording = phantom.sample(made, sampling_rate=20.0, noise_mmhg=0.5, seed=1)
    said = {"posture": posture} | ({} if system == "unknown" else {"system": system})
    _, record = measure_recording(recording, **said)
    return record, hrm.analyze(recording, **said)


def expected(result, name, swallow):
    held = explain_metric(result, name, swallow).limits
    first = [each for each in held if each.limit.cc_version == "4.0"][:1]
    return dict((name, each.limit.id) for each in first if each.beyond)  # noqa: C402


def test_a_mark_is_what_the_explanation_says(measured):
    record, result = measured
    seen = set()
    for k, row in enumerate(record.swallows, 1):
        wanted = expected(result, "irp4s_mmhg", k) | expected(result, "ibp_mmhg", k)
        assert beyond_of_swallow(record, row) == wanted
        seen |= wanted.keys()
    posture = record.swallows[0].posture
    median = f"irp4s_median_{posture}_mmhg"
    of_study = {} if posture == "unknown" else expected(result, median, None)
    assert beyond_of_study(record) == of_study
    if "unknown" in (record.system, posture):
        assert not seen
    elif record.system == "manoscan":
        assert "irp4s_mmhg" in seen
        assert median in of_study


def test_a_limit_of_the_users_decides_in_its_posture(measured):
    record, _ = measured
    own = {"value_mmhg": 500.0, "position": "supine", "row": "user", "citation": "own"}
    there = replace(record, irp_limit=own)
    for row in record.swallows:
        before, now = beyond_of_swallow(record, row), beyond_of_swallow(there, row)
        if row.posture == "supine":
            assert "irp4s_mmhg" not in now
        else:
            assert now == before
