"""After an operation: values without a label, and nothing imputed."""

import json
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hrm
from hrm import phantom
from hrm.metrics.post_treatment import describe

NAN = math.nan
EGJ = {"basal_mean_mmhg": 9.5, "basal_end_expiratory_mmhg": 6.0}


@dataclass
class Row:
    """One measured swallow, as the pipeline hands it over."""

    type: str | None
    posture: str = "supine"
    irp: float = 8.0
    dci: float = 50.0
    pressurization: str = "none"
    evaluable: bool = True
    flags: list[str] = field(default_factory=list)

    @property
    def metrics(self):
        return {"irp4s_mmhg": self.irp, "dci_mmhg_s_cm": self.dci}


def test_values_of_a_study_after_myotomy():
    rows = [
        Row("failed", irp=6.0, dci=30.0, pressurization="panesophageal"),
        Row("failed", irp=8.0, dci=80.0),
        Row("weak", irp=9.0, dci=300.0),
        Row("premature", irp=12.0, dci=900.0, flags=["premature"]),
        Row("normal", irp=99.0, dci=5000.0, evaluable=False),
        Row("normal", irp=3.0, dci=7000.0, posture="upright"),
    ]
    seen = describe(rows, EGJ, prior_surgery="myotomy")
    note = seen.pop("note")
    assert seen == {
        "prior_surgery": "myotomy",
        "posture": "supine",
        "n_evaluable": 4,
        "irp4s_median_supine_mmhg": 8.5,
        "irp4s_median_upright_mmhg": 3.0,
        "irp4s_median_unknown_mmhg": None,
        "basal_mean_mmhg": 9.5,
        "basal_end_expiratory_mmhg": 6.0,
        "percent_with_contraction": 50.0,
        "percent_panesophageal": 25.0,
        "percent_premature": 25.0,
        "greatest_dci_mmhg_s_cm": 900.0,
    }
    assert "change from before treatment" in note
    assert "obstruction" in note


def test_what_was_not_measured_is_none_and_never_zero():
    seen = describe([Row("failed", irp=NAN, dci=0.0)], {}, prior_surgery="dilation")
    lost = {name for name, value in seen.items() if value is None}
    assert lost == {
        "irp4s_median_supine_mmhg",
        "irp4s_median_upright_mmhg",
        "irp4s_median_unknown_mmhg",
        "basal_mean_mmhg",
        "basal_end_expiratory_mmhg",
    }
    assert (seen["percent_with_contraction"], seen["greatest_dci_mmhg_s_cm"]) == (0.0, 0.0)


def test_without_any_swallow_no_number_is_given():
    seen = describe([], EGJ, prior_surgery="other")
    assert (seen["posture"], seen["n_evaluable"]) == ("unknown", 0)
    shares = ("percent_with_contraction", "percent_panesophageal", "percent_premature")
    assert {seen[name] for name in (*shares, "greatest_dci_mmhg_s_cm")} == {None}


def test_an_upright_study_is_described_by_its_upright_swallows():
    seen = describe([Row("normal", posture="upright")] * 3, EGJ, prior_surgery="fundoplication")
    assert (seen["posture"], seen["n_evaluable"]) == ("upright", 3)
    assert seen["percent_with_contraction"] == 100.0


@given(st.lists(st.floats(0, 9000) | st.just(NAN), min_size=1, max_size=8))
def test_the_greatest_integral_does_not_depend_on_order_or_gaps(sizes):
    rows = [Row("normal", dci=size) for size in sizes]
    seen, turned = (
        describe(some, EGJ, prior_surgery="myotomy")["greatest_dci_mmhg_s_cm"]
        for some in (rows, rows[::-1])
    )
    known = [size for size in sizes if not math.isnan(size)]
    assert seen == turned == (max(known) if known else None)
    assert json.dumps(seen, allow_nan=False)


@pytest.fixture(scope="module")
def recording():
    made = phantom.draw("achalasia_type_2", seed=4, n_supine=3, n_upright=0)
    return phantom.sample(made, sampling_rate=20.0), phantom.swallow_table(made)


def classified(recording, **clinical):
    pressure, swallows = recording
    return hrm.to_dict(hrm.analyze(pressure, swallows=swallows, clinical=clinical))


@pytest.mark.parametrize("surgery", ["myotomy", "dilation", "fundoplication", "other"])
def test_an_operation_blocks_the_labels_and_brings_the_description(recording, surgery):
    seen = classified(recording, prior_surgery=surgery)
    for version in ("ccv4", "ccv3"):
        verdict = seen["classification"][version]
        assert verdict["diagnosis"] == "not_classified"
        assert verdict["considerations"] == ["prior_surgery"]
        assert verdict["provisional"] == []
    described = seen["classification"]["post_treatment"]
    assert described["prior_surgery"] == surgery
    assert described["irp4s_median_supine_mmhg"] == seen["study"]["irp4s_median_supine_mmhg"]
    assert described["n_evaluable"] == 3


@pytest.mark.parametrize("surgery", ["none", "unknown"])
def test_without_an_operation_there_is_a_label_and_no_description(recording, surgery):
    seen = classified(recording, prior_surgery=surgery)["classification"]
    assert seen["ccv4"]["diagnosis"] == "achalasia_type_2"
    assert "post_treatment" not in seen
