"""What `draw` promises: determinism, margins, and swallows that make the phenotype."""

import numpy as np
import pytest

from hrm.catalog import find_limit
from hrm.errors import ParameterError
from hrm.phantom import PHENOTYPES, draw, swallow_table
from tests.phantom.studies import drawn, drawn_truth

MARGIN = 0.15
SEEDS = (0, 1)


def limit(quantity, position="any"):
    row = find_limit(quantity, system="manoscan", position=position, cc_version="4.0")
    return row.value


def distance(value, quantity, position="any"):
    """Distance to a limit as a share of it."""
    return abs(value / limit(quantity, position) - 1)


def supine(found):
    return [row for row in found["swallows"] if row["posture"] == "supine"]


def share(rows, **wanted):
    hits = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return len(hits) / len(rows)


def test_phenotypes_are_the_ten_of_the_classification():
    assert PHENOTYPES == (
        "normal",
        "achalasia_type_1",
        "achalasia_type_2",
        "achalasia_type_3",
        "egjoo",
        "absent_contractility",
        "des",
        "hypercontractile",
        "iem",
        "fragmented_peristalsis",
    )


def test_same_seed_same_study_and_another_seed_another():
    first, again = (draw("normal", seed=3, n_supine=2, n_upright=1) for _ in range(2))
    assert first == again
    assert first != draw("normal", seed=4, n_supine=2, n_upright=1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_every_limit_keeps_its_distance(phenotype, seed):
    found = drawn_truth(phenotype, seed)
    assert not found["borderline"]
    for position in ("supine", "upright"):
        median = found["study"][f"irp4s_median_{position}_mmhg"]
        assert distance(median, "irp4s", position) >= MARGIN - 0.01
    for row in found["swallows"]:
        for quantity in ("dci_failed", "dci_weak", "dci_hypercontractile"):
            assert distance(row["dci_mmhg_s_cm"], quantity) >= MARGIN - 0.01
        if row["type"] not in ("failed", "weak"):
            assert distance(row["distal_latency_s"], "dl_premature") >= MARGIN - 0.01
            assert distance(row["break_cm"], "break_fragmented") >= MARGIN - 0.01


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_swallows_and_relaxation_make_the_phenotype(phenotype, seed):
    found = drawn_truth(phenotype, seed)
    rows, study = supine(found), found["study"]
    assert found["diagnosis"] == phenotype
    assert len(rows) == 10
    assert study["n_evaluable"] == study["n_swallows"] == 12
    obstructed = phenotype.startswith("achalasia") or phenotype == "egjoo"
    assert (study["irp4s_median_supine_mmhg"] >= 15.0) is obstructed
    assert (study["irp4s_median_upright_mmhg"] >= 12.0) is obstructed
    ineffective = sum(share(rows, type=name) for name in ("failed", "weak", "fragmented"))
    panesophageal = share(rows, pressurization="panesophageal")
    if phenotype in ("achalasia_type_1", "achalasia_type_2", "absent_contractility"):
        assert share(rows, type="failed") == 1.0
    if phenotype == "achalasia_type_2":
        assert panesophageal >= 0.4
    else:
        assert panesophageal == 0.0
    if phenotype == "achalasia_type_3":
        assert share(rows, type="premature") >= 0.3
        assert share(rows, type="premature") + share(rows, type="failed") == 1.0
    if phenotype == "egjoo":
        assert np.mean([(row["ibp_mmhg"] or 0.0) >= 23.0 for row in rows]) >= 0.4
        assert ineffective <= 0.2
    if phenotype == "des":
        assert 0.3 <= share(rows, type="premature") <= 0.6
        assert share(rows, type="premature") + share(rows, type="normal") == 1.0
    if phenotype == "hypercontractile":
        assert share(rows, type="hypercontractile") >= 0.3
    if phenotype == "iem":
        assert ineffective >= 0.8
        assert share(rows, type="failed") < 0.5
    if phenotype == "fragmented_peristalsis":
        assert 0.6 <= share(rows, type="fragmented") <= 0.7
    if phenotype == "normal":
        assert ineffective <= 0.2


@pytest.mark.parametrize("phenotype", PHENOTYPES)
def test_borderline_study_lies_at_one_limit(phenotype):
    found = drawn_truth(phenotype, 0, borderline=True, n_upright=0)
    rows, quantity = supine(found), found["borderline_quantity"]
    assert found["borderline"]
    if quantity == "irp4s":
        close = [distance(found["study"]["irp4s_median_supine_mmhg"], quantity, "supine")]
    else:
        column = {"dl_premature": "distal_latency_s", "break_fragmented": "break_cm"}
        name = column.get(quantity, "dci_mmhg_s_cm")
        close = [distance(row[name], quantity) for row in rows if row[name] is not None]
    assert min(close) <= 0.05


@pytest.mark.parametrize(
    ("phenotype", "quantity"),
    [("des", "premature"), ("hypercontractile", "hypercontractile")],
)
def test_borderline_study_has_just_enough_swallows(phenotype, quantity):
    found = drawn_truth(phenotype, 0, borderline=True, n_upright=0)
    assert found["study"]["percent"][quantity] == 20.0


def test_course_of_the_study():
    phantom = drawn("normal", 0)
    table = swallow_table(phantom)
    onsets = np.array([row["onset_s"] for row in table])
    assert [row["posture"] for row in table] == ["supine"] * 10 + ["upright"] * 2
    assert {row["protocol"] for row in table} == {"single"}
    assert np.diff(onsets[:10]).min() > 25.0
    assert onsets[0] >= 44.0
    assert all(np.all((onsets < a) | (onsets > b)) for a, b in phantom.quiet_s)
    assert phantom.duration_s - onsets[-1] >= 30.0


def test_absent_ues_tone_is_drawn():
    assert draw("normal", seed=0, n_supine=1, n_upright=0, ues_tone="absent").supine.ues < 10.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"phenotype": "jackhammer"}, "phenotype must be one of"),
        ({"n_supine": 0}, "n_supine"),
        ({"interval_s": 5.0}, "interval_s"),
        ({"hernia_cm": -1.0}, "hernia_cm"),
        ({"ues_tone": "high"}, "ues_tone"),
        ({"doubles": 11}, "doubles"),
    ],
)
def test_arguments_that_cannot_be_used(wrong, message):
    with pytest.raises(ParameterError, match=message):
        draw(**{"phenotype": "normal", "seed": 0, **wrong})
