"""The tables against the naive loop: the whole pipeline again for the same draws."""

from functools import cache

import numpy as np
import pytest

from hrm.annotate import follow_up
from hrm.edits import Change
from hrm.pipeline.run import measure_recording
from hrm.stability import study as of_study
from hrm.stability.nodes import Node
from hrm.stability.study import _drawn, _tables
from hrm.stability.table import swallow_table
from hrm.stability.verdicts import Cast, classifier
from tests.naive import stability as naive
from tests.stability.studies import drawn, measured, places, recorded
from tests.stability.test_verdicts import PLAIN, table

#: Two with swallows on the edge of a type, and one with tone and pressurization.
STUDIES = (("normal", 5, True), ("des", 3, True), ("achalasia_type_2", 3, True))
NUMBERS = {
    "irp": "irp4s_mmhg",
    "dci": "dci_mmhg_s_cm",
    "distal_latency": "distal_latency_s",
    "break_length": "break_cm",
    "ibp": "ibp_mmhg",
}
#: Greatest error of adding effects, where no type changes; the DCI as a share of itself, or of
#: 350 mmHg s cm where it is less (`docs/stability.md`).
TOLERANCES = {"irp": 0.4, "dci": 0.03, "distal_latency": 0.1, "break_length": 0.2, "ibp": 1.5}


@cache
def tables(key):
    study, record = measured(*key)
    model, _ = places(study)
    return model, _tables(study, record, model)


def again(study, model, k, at):
    border, onset, drift = at
    return naive.measure_one(
        naive.perturbed(
            study,
            k,
            border_cm=model.border_cm[border],
            onset_s=model.onset_s[onset],
            drift=model.drift_mmhg[drift],
        ),
        k,
    )


def assert_same(table, at, row):
    for name, key in NUMBERS.items():
        np.testing.assert_array_equal(getattr(table, name)[at], row.metrics[key], err_msg=name)
    assert table.panesophageal[at] == (row.pressurization == "panesophageal")
    assert table.types[at] == row.type


@pytest.mark.parametrize("key", STUDIES)
def test_one_perturbation_at_a_time_is_the_pipeline_value_for_value(key):
    study, _ = measured(*key)
    model, made = tables(key)
    for at in np.ndindex(model.shape):
        if np.count_nonzero(at) < 2:
            for k in (0, 2, 5):
                assert_same(made[k], at, again(study, model, k, at))


@pytest.mark.parametrize("key", STUDIES)
def test_a_swallow_that_changes_is_the_pipeline_at_every_combination(key):
    study, _ = measured(*key)
    model, made = tables(key)
    loose = [k for k, table in enumerate(made) if table is not None and table.changes]
    assert loose or key[0] == "normal"
    for k in loose[:1]:
        for at in ((1, 1, 1), (2, 2, 2), (1, 2, 0), (0, 1, 2), (2, 0, 1)):
            assert_same(made[k], at, again(study, model, k, at))


def test_the_irp_is_the_pipeline_at_every_pair_of_border_and_onset():
    study, _ = measured(*STUDIES[0])
    model, made = tables(STUDIES[0])
    for at in ((1, 1, 0), (1, 2, 0), (2, 1, 0), (2, 2, 0)):
        row = again(study, model, 1, at)
        np.testing.assert_array_equal(made[1].irp[at], row.metrics["irp4s_mmhg"])


def test_what_a_reader_set_for_one_swallow_holds_in_its_draws():
    """Without a perturbation the pipeline's numbers with that review."""
    recording, said = recorded(*STUDIES[0])
    _, record = measured(*STUDIES[0])
    les = record.landmarks["les_upper_cm"]
    changes = (
        Change(record.swallows[1].object, "les_upper_cm", les + 0.8),
        Change(record.swallows[1].object, "contour_mmhg", 45.0),
    )
    told = {"reader": "AB", "reason": "test", "engine": "0", "utc": "2026-01-31T09:30:00Z"}
    edits = follow_up([], changes, sha256=recording.attrs["source_sha256"], **told)
    study, reviewed = measure_recording(recording, **said, review=edits)
    _, made = places(study)
    node = made[1].node((0, 0, 0))
    row = reviewed.swallows[1].metrics
    assert (node.irp, node.distal_latency) == (row["irp4s_mmhg"], row["distal_latency_s"])
    assert node.irp != record.swallows[1].metrics["irp4s_mmhg"]
    assert node.distal_latency != record.swallows[1].metrics["distal_latency_s"]


@pytest.mark.parametrize("key", STUDIES)
def test_the_draws_are_the_naive_loop(key):
    study, record = measured(*key)
    model, made = tables(key)
    draws = drawn(model, record, 8)
    postures = [row.posture for row in record.swallows]
    cast = Cast(_drawn(made, draws, study.limits), postures, draws, gastric_bolus=False)
    for i in range(len(draws)):
        rows = naive.measured(study, model, draws, i)
        for k, row in enumerate(rows):
            assert_near(cast.swallow(i, k), made[k], row, cast.swallows[k].types[i])
        known = naive.diagnoses(study, rows, draws.picks[i])
        seen = {name: classifier(study, name)(cast.of(i)).diagnosis for name in known}
        assert seen == known


def assert_near(swallow, table, row, kind):
    assert kind == row.type
    assert swallow.panesophageal == (row.pressurization == "panesophageal")
    for name, key in NUMBERS.items():
        scale = max(350.0, row.metrics[key]) if name == "dci" else 1.0
        wanted = 1e-9 if table.changes else TOLERANCES[name]
        np.testing.assert_allclose(
            getattr(swallow, name), row.metrics[key], rtol=0.0, atol=wanted * scale, err_msg=name
        )


def test_the_type_of_each_swallow_is_judged_by_its_own_draws(monkeypatch):
    study, record = measured(*STUDIES[1])
    early = {**PLAIN.__dict__, "distal_latency": 4.0}
    late = table(lambda b, o, d: Node(**early) if o == 1 else PLAIN)
    monkeypatch.setattr(of_study, "_tables", lambda *_: [late] * len(record.swallows))
    draws = drawn(places(study)[0], record, 60)
    for k, row in enumerate(of_study.with_stability(study, record, draws=60).swallows):
        # The integral and the break are far from their limits and cannot be misread.
        share = np.mean((draws.onset[:, k] == 1) == (row.type == "premature"))
        assert row.type_stability["agreement"] == share


def test_both_borders_move_together():
    _, at = places(measured(*STUDIES[0])[0])
    found, lower = at[1]._anatomy((0, 0, 0)), at[1]._anatomy((2, 0, 0))
    for name in ("les_upper_cm", "les_lower_cm"):
        assert getattr(lower, name) - getattr(found, name) == pytest.approx(0.5)
    assert lower.crural_diaphragm_cm == found.crural_diaphragm_cm


def test_a_swallow_that_does_not_change_is_not_measured_together(monkeypatch):
    study, _ = measured("achalasia_type_1", 4)
    _, at = places(study)
    calls = []
    real = type(at[0]).node
    monkeypatch.setattr(type(at[0]), "node", lambda self, at: calls.append(at) or real(self, at))
    table = swallow_table(at[0], study.limits)
    assert not table.changes
    assert len(calls) == 7
