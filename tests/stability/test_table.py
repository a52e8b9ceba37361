"""Tables of one swallow: what is measured stays, what is not is added up."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hrm.metrics.swallow_types import swallow_limits
from hrm.stability.nodes import Node
from hrm.stability.table import tabulate

SHAPE = (3, 3, 3)
LIMITS = swallow_limits("manoscan")
NAN = math.nan
PLAIN = Node(10.0, 1500.0, 6.0, 1.0, 8.0, panesophageal=False, failed=False)
AXES = [at for at in np.ndindex(SHAPE) if np.count_nonzero(at) < 2]
NODES = st.fixed_dictionaries(
    {
        at: st.builds(
            replace,
            st.just(PLAIN),
            irp=st.floats(-5, 40),
            dci=st.floats(200, 9000),
            distal_latency=st.floats(3, 9),
            break_length=st.floats(0, 9),
        )
        for at in AXES
    }
)


def table(changed=None, **pairs):
    nodes = dict.fromkeys(AXES, PLAIN) | (changed or {})
    pressures = np.array([[nodes[b, 0, 0].irp] * 3 for b in range(3)])
    return tabulate(nodes, pressures, SHAPE, LIMITS)


@given(NODES)
def test_what_was_measured_stays_and_effects_are_added(nodes):
    made = table(nodes)
    for at in np.ndindex(SHAPE):
        border, onset, drift = at
        parts = [nodes[border, 0, 0], nodes[0, onset, 0], nodes[0, 0, drift]]
        for name in ("dci", "distal_latency", "break_length"):
            start = getattr(nodes[0, 0, 0], name)
            known = start + sum(getattr(part, name) - start for part in parts)
            if made.dci[at] >= 100.0:
                np.testing.assert_allclose(getattr(made, name)[at], known, atol=1e-9)
        if at in nodes:
            assert made.dci[at] == nodes[at].dci


def test_a_number_that_is_lost_at_one_level_is_lost_in_every_combination():
    made = table({(1, 0, 0): replace(PLAIN, distal_latency=NAN)})
    assert np.isnan(made.distal_latency[1]).all()
    assert np.isfinite(made.distal_latency[[0, 2]]).all()
    assert all(kind is None for kind in made.types[1].flat)


def test_a_failed_level_has_no_say_in_the_latency_of_a_combination():
    failed = replace(PLAIN, dci=90.0, distal_latency=NAN, break_length=NAN, ibp=NAN, failed=True)
    base = replace(PLAIN, dci=110.0)
    onsets = {(0, 1, 0): replace(base, dci=140.0, distal_latency=5.8)}
    nodes = dict.fromkeys(AXES, base) | {(1, 0, 0): failed} | onsets
    made = table(nodes)
    assert made.types[1, 0, 0] == "failed"
    assert np.isnan(made.distal_latency[1, 0, 0])
    # 110 - 20 + 30: no longer failed, and timed as at the other onset.
    assert made.types[1, 1, 0] == "weak"
    np.testing.assert_allclose(made.distal_latency[1, 1, 0], 5.8)


def test_a_combination_that_fails_has_no_front():
    weaker = {(1, 0, 0): replace(PLAIN, dci=800.0), (0, 1, 0): replace(PLAIN, dci=750.0)}
    made = table(weaker)
    assert made.dci[1, 1, 0] == 50.0
    assert made.types[1, 1, 0] == "failed"
    assert np.isnan([made.distal_latency[1, 1, 0], made.break_length[1, 1, 0]]).all()


def test_a_failed_swallow_that_recovers_at_one_level_is_timed_there():
    failed = replace(PLAIN, dci=95.0, distal_latency=NAN, break_length=NAN, ibp=NAN, failed=True)
    nodes = dict.fromkeys(AXES, failed) | {(2, 0, 0): replace(PLAIN, dci=300.0, distal_latency=4.0)}
    made = table(nodes)
    assert set(made.types[2].flat) == {"weak"}
    np.testing.assert_allclose(made.distal_latency[2], 4.0)
    assert np.isnan(made.distal_latency[:2]).all()


def test_pressurization_changes_wherever_a_level_changes_it():
    made = table({(0, 0, 2): replace(PLAIN, panesophageal=True)})
    assert made.panesophageal[:, :, 2].all()
    assert not made.panesophageal[:, :, :2].any()
    assert made.changes


def test_nothing_changes_where_all_levels_agree():
    assert not table().changes


def test_the_irp_keeps_its_pairs_and_adds_the_drift():
    nodes = dict.fromkeys(AXES, PLAIN) | {(0, 0, 1): replace(PLAIN, irp=11.5)}
    pressures = np.array([[10.0, 9.0, 12.0], [8.0, 7.5, 9.5], [14.0, 13.0, 15.0]])
    nodes |= {(b, 0, 0): replace(PLAIN, irp=pressures[b, 0]) for b in (1, 2)}
    nodes |= {(0, o, 0): replace(PLAIN, irp=pressures[0, o]) for o in (1, 2)}
    made = tabulate(nodes, pressures, SHAPE, LIMITS)
    np.testing.assert_array_equal(made.irp[:, :, 0], pressures)
    assert made.irp[2, 1, 1] == 14.5
    assert made.irp[0, 0, 1] == 11.5
