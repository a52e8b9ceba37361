"""How often a diagnosis holds, against closed forms; and what takes it away."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.catalog import default_parameters
from hrm.metrics.chicago import Clinical
from hrm.metrics.chicago.study import classify_version
from hrm.metrics.swallow_types import TYPES, swallow_limits
from hrm.stability.drawn import drawn_swallow
from hrm.stability.model import draw, perturbation_model
from hrm.stability.nodes import Node
from hrm.stability.study import _type
from hrm.stability.table import tabulate
from hrm.stability.verdicts import Cast, tree_stability

PLAIN = Node(8.0, 1500.0, 6.0, 1.0, 8.0, panesophageal=False, failed=False)
SHAPE = (3, 3, 3)
LIMITS = swallow_limits("manoscan")
RULES = default_parameters()
DRAWS = 4000
#: Four standard errors of a share over that many draws.
ERROR = 4 * 0.5 / math.sqrt(DRAWS)


def table(nodes):
    """A swallow that is one thing, or by (border, onset) what a function says."""
    at = {levels: nodes(*levels) for levels in np.ndindex(SHAPE)}
    pressures = np.array([[at[b, o, 0].irp for o in range(3)] for b in range(3)])
    return tabulate(at, pressures, SHAPE, LIMITS)


def same(**changed):
    node = Node(**{**PLAIN.__dict__, **changed})
    return table(lambda *_: node)


def classify(version):
    def run(swallows):
        return classify_version(
            version,
            swallows,
            system="manoscan",
            clinical=Clinical(symptoms=frozenset({"dysphagia"})),
            user_limit=None,
            parameters=RULES,
        )

    return run


def stability(tables, *, version="ccv3", draws=DRAWS, seed=0, **parameters):
    # Nothing is misread where a test does not ask for it.
    sizes = {"dci_mmhg_s_cm": 0.0, "break_share": 0.0, **parameters}
    rules = {f"stability.{name}": value for name, value in sizes.items()}
    model = perturbation_model(36, RULES.replace(rules), spacing_cm=1.0, seed=seed)
    counted = {"supine": np.arange(len(tables))}
    drawn = draw(model, counted, len(tables), draws=draws, seed=seed)
    cast = cast_of(tables, drawn)
    as_found = cast_of(tables, nothing(len(tables)))
    verdict = classify(version)(as_found.of(0))
    found = {
        "diagnosis": verdict.diagnosis,
        "rationale": [vars(rule) for rule in verdict.rationale],
    }
    return verdict.diagnosis, tree_stability(found, classify(version), cast), drawn


def cast_of(tables, drawn):
    seen = [drawn_swallow(table, drawn, k, LIMITS) for k, table in enumerate(tables)]
    return Cast(seen, ["supine"] * len(tables), drawn, gastric_bolus=False)


def nothing(count):
    """One draw that perturbs nothing and takes every swallow once."""
    model = perturbation_model(36, RULES, spacing_cm=1.0, seed=0)
    drawn = draw(model, {"supine": np.arange(count)}, count, draws=1, seed=0)
    names = ("border", "onset", "drift", "dci_mmhg_s_cm", "break_cm")
    zero = {name: np.zeros_like(getattr(drawn, name)) for name in names}
    picks = np.arange(count)[None, :]
    return type(drawn)(**zero, gastric_mmhg=np.zeros(1), picks=picks)


def test_a_study_far_from_every_limit_always_keeps_its_diagnosis():
    name, seen, _ = stability([same()] * 10)
    assert name == "normal"
    assert seen == {
        "agreement": 1.0,
        "runner_up": None,
        "diagnoses": {"normal": DRAWS},
        "drivers": [],
    }


@pytest.mark.parametrize(("irp", "share"), [(14.5, 0.625), (13.5, 0.875), (16.0, 0.75)])
def test_the_zero_alone_moves_the_irp_by_the_length_of_its_range(irp, share):
    # The limit of version 3.0 is 15 mmHg, and the error is even over 4 mmHg.
    name, seen, _ = stability([same(irp=irp)] * 10)
    assert name == ("egjoo" if irp > 15 else "normal")
    assert seen["agreement"] == pytest.approx(share, abs=ERROR)
    assert seen["runner_up"] == ("normal" if irp > 15 else "egjoo")
    (driver,) = seen["drivers"]
    assert (driver["quantity"], driver["row"]) == ("irp4s", "irp4s.manoscan.supine.v3")
    assert driver["draws"] == DRAWS - seen["diagnoses"][name]


def test_swallows_drawn_anew_follow_the_binomial():
    # Two of ten are hypercontractile, and two are enough.
    tables = [same(dci=12000.0)] * 2 + [same()] * 8
    name, seen, _ = stability(tables, gastric_mmhg=0.0)
    assert name == "hypercontractile"
    assert seen["agreement"] == pytest.approx(1 - 0.8**10 - 10 * 0.2 * 0.8**9, abs=ERROR)
    assert [row["quantity"] for row in seen["drivers"]] == ["percent_hypercontractile"]


def test_borders_are_one_for_all_swallows_and_onsets_are_not():
    by_border = table(lambda b, o, d: Node(**{**PLAIN.__dict__, "irp": 20.0 if b == 2 else 8.0}))
    by_onset = table(lambda b, o, d: Node(**{**PLAIN.__dict__, "irp": 20.0 if o == 2 else 8.0}))
    assert stability([by_border] * 10)[1]["agreement"] == pytest.approx(2 / 3, abs=ERROR)
    # More than half of the ten (or a median of 14, in equal halves) must have moved.
    raised = sum(math.comb(10, k) / 3**k * (2 / 3) ** (10 - k) for k in range(6, 11))
    alone, _ = stability([by_onset] * 10, gastric_mmhg=0.0)[1:]
    assert alone["agreement"] > 0.8
    # A swallow that is drawn twice brings the same onset twice: the spread is wider.
    assert alone["agreement"] < 1 - raised + ERROR


def test_a_swallow_at_its_limit_changes_its_type_at_one_level_of_three():
    late = table(
        lambda b, o, d: Node(**{**PLAIN.__dict__, "distal_latency": 4.6 - (0.0, -0.2, 0.2)[o]})
    )
    _, _, drawn = stability([late] * 10)
    seen = _type("normal", drawn_swallow(late, drawn, 3, LIMITS))
    assert seen["agreement"] == pytest.approx(2 / 3, abs=ERROR)
    assert seen["runner_up"] == "premature"
    assert _type(None, drawn_swallow(late, drawn, 3, LIMITS)) is None
    assert _type("normal", None) is None


def test_a_type_that_can_only_not_be_told_has_no_runner_up():
    lost = table(
        lambda b, o, d: Node(**{**PLAIN.__dict__, "distal_latency": 6.0 if o else math.nan})
    )
    _, _, drawn = stability([same()] * 10)
    found = _type("normal", drawn_swallow(lost, drawn, 0, LIMITS))
    assert found["agreement"] == pytest.approx(2 / 3, abs=ERROR)
    assert found["runner_up"] is None


def beyond(limit, value, sd):
    """Share of a normal error that carries a value across its limit."""
    return 0.5 * math.erfc(abs(limit - value) / sd / math.sqrt(2.0))


@pytest.mark.parametrize(
    ("number", "value", "limit", "kinds"),
    [
        ("dci", 90.0, 100.0, ("failed", "weak")),
        ("dci", 108.0, 100.0, ("weak", "failed")),
        ("dci", 440.0, 450.0, ("weak", "normal")),
        ("break_length", 4.9, 5.0, ("normal", "fragmented")),
        ("break_length", 5.2, 5.0, ("fragmented", "normal")),
    ],
)
def test_a_number_near_its_limit_may_be_misread_across_it(number, value, limit, kinds):
    near = same(**{number: value})
    _, _, drawn = stability([near] * 10, dci_mmhg_s_cm=9.0, break_share=0.2)
    seen = _type(kinds[0], drawn_swallow(near, drawn, 4, LIMITS))
    share = beyond(limit, value, 9.0 if number == "dci" else 0.2)
    assert seen["agreement"] == pytest.approx(1 - share, abs=ERROR)
    assert seen["runner_up"] == kinds[1]


def test_what_is_misread_is_never_less_than_nothing():
    still, small = same(dci=0.0, break_length=0.0), same(break_length=0.1)
    _, _, drawn = stability([still, small], dci_mmhg_s_cm=30.0, break_share=0.2)
    seen = drawn_swallow(still, drawn, 0, LIMITS)
    assert seen.dci.min() == 0.0
    assert (np.nan_to_num(seen.break_length) == 0.0).all()
    assert drawn_swallow(small, drawn, 1, LIMITS).break_length.min() == 0.0


def test_one_contraction_just_below_the_limit_takes_absence_away():
    # Each is misread by itself, and one that is drawn twice is misread alike twice.
    faint = same(irp=8.0, dci=92.0)
    tables = [same(irp=8.0, dci=0.0)] * 9 + [faint]
    name, seen, _ = stability(tables, version="ccv4", gastric_mmhg=0.0, dci_mmhg_s_cm=9.0)
    assert name == "absent_contractility"
    drawn_once = 1 - 0.9**10
    kept = 1 - drawn_once * beyond(100.0, 92.0, 9.0)
    assert seen["agreement"] == pytest.approx(kept, abs=ERROR)
    assert [row["quantity"] for row in seen["drivers"]] == ["percent_absent"]


def test_a_contraction_that_is_misread_as_failed_has_no_front():
    faint = same(dci=101.0)
    _, _, drawn = stability([faint], dci_mmhg_s_cm=9.0)
    seen = drawn_swallow(faint, drawn, 0, LIMITS)
    failed = seen.types == "failed"
    assert 0.3 < failed.mean() < 0.6
    for numbers in (seen.distal_latency, seen.break_length, seen.ibp):
        np.testing.assert_array_equal(np.isnan(numbers), failed)


def test_swallows_whose_type_cannot_be_told_do_not_count():
    lost = table(
        lambda b, o, d: Node(**{**PLAIN.__dict__, "distal_latency": 6.0 if b == 0 else math.nan})
    )
    _, seen, _ = stability([lost] * 10)
    assert seen["agreement"] == pytest.approx(1 / 3, abs=ERROR)
    assert seen["runner_up"] == "not_classified"
    assert seen["drivers"][0]["quantity"] == "no_evaluable_swallow"


def test_the_fork_is_the_first_limit_that_turns():
    # No swallow shows peristalsis, and one of ten may: at the absent limit, not at the IRP.
    strong = {**PLAIN.__dict__, "irp": 25.0}
    weak = table(lambda b, o, d: Node(**{**strong, "dci": 130.0 if b == 2 else 80.0}))
    tables = [same(irp=25.0, dci=50.0)] * 9 + [weak]
    name, seen, _ = stability(tables, version="ccv4", gastric_mmhg=0.0)
    assert name == "achalasia_type_1"
    assert [row["quantity"] for row in seen["drivers"]] == ["percent_absent"]
    drawn_once = 1 - 0.9**10
    assert seen["agreement"] == pytest.approx(1 - drawn_once / 3, abs=ERROR)


def test_a_step_that_only_the_other_way_takes_is_named():
    # Half of the swallows have an intrabolus pressure as found, which is not enough.
    tables = [same(irp=15.0, dci=60.0), same(irp=15.0, dci=9000.0)]
    name, seen, _ = stability(tables, version="ccv4", draws=400)
    assert name == "egjoo"
    named = {row["quantity"] for row in seen["drivers"]}
    assert named == {"irp4s", "percent_absent", "percent_ibp"}


@settings(max_examples=15)
@given(
    numbers=st.lists(
        st.builds(
            same,
            irp=st.floats(5, 25),
            dci=st.sampled_from([60.0, 300.0, 1500.0, 9000.0]),
            distal_latency=st.sampled_from([4.0, 6.0]),
            break_length=st.sampled_from([1.0, 6.0]),
            panesophageal=st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    version=st.sampled_from(["ccv4", "ccv3"]),
    seed=st.integers(0, 99),
)
def test_the_counts_add_up(numbers, version, seed):
    name, seen, _ = stability(numbers, version=version, draws=40, seed=seed)
    assert sum(seen["diagnoses"].values()) == 40
    kept = seen["diagnoses"].get(name, 0)
    assert seen["agreement"] == kept / 40
    assert sum(row["draws"] for row in seen["drivers"]) == 40 - kept
    assert all(row["quantity"] != "unknown" for row in seen["drivers"])
    others = Counter({key: n for key, n in seen["diagnoses"].items() if key != name})
    top = max(others.values(), default=0)
    assert seen["runner_up"] is None if not others else others[seen["runner_up"]] == top
    assert {kind for one in numbers for kind in one.types.flat} <= {*TYPES, None}
