"""Limits of agreement, ICC and kappa: published examples, slow twins, and their symmetries."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from hrm.agreement import (
    Estimate,
    bland_altman,
    bland_altman_repeated,
    cohen_kappa,
    icc,
)
from hrm.agreement.correlation import icc_value
from hrm.agreement.estimate import jackknifed, subject_codes
from hrm.agreement.kappa import confusion, kappa_value
from hrm.agreement.limits import components
from hrm.errors import ParameterError
from tests.naive import agreement as naive

# Peak expiratory flow, first readings, liters a minute: J. M. Bland and D. G. Altman,
# Lancet 1986;i:307, table of 17 subjects.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

# Cardiac output by radionuclide ventriculography and by impedance, 12 subjects: Bland and
# Altman, Stat Methods Med Res 1999;8:135, table 4, analyzed in J Biopharm Stat 2007;17:571.
CARDIAC = {
    1: ([7.83, 7.42, 7.89, 7.12, 7.88], [6.57, 5.62, 6.90, 6.57, 6.35]),
    2: ([6.16, 7.26, 6.71, 6.54], [4.06, 4.29, 4.26, 4.09]),
    3: ([4.75, 5.24, 4.86, 4.78, 6.05, 5.42], [4.71, 5.50, 5.08, 5.02, 6.01, 5.67]),
    4: ([4.21, 3.61, 3.72, 3.87, 3.92], [4.14, 4.20, 4.61, 4.68, 5.04]),
    5: ([3.13, 2.98, 2.85, 3.17, 3.09, 3.12], [3.03, 2.86, 2.77, 2.46, 2.32, 2.43]),
    6: ([5.92, 6.42, 5.92, 6.27], [5.90, 5.81, 5.70, 5.76]),
    7: ([7.13, 6.62, 6.58, 6.93], [5.09, 4.63, 4.61, 5.09]),
    8: ([4.54, 4.81, 5.11, 5.29, 5.39, 5.57], [4.72, 4.61, 4.36, 4.20, 4.36, 4.20]),
    9: ([4.48, 4.92, 3.97], [3.17, 3.12, 2.96]),
    10: ([4.22, 4.65, 4.74, 4.44, 4.50], [4.35, 4.62, 3.16, 3.53, 3.53]),
    11: ([6.78, 6.07, 6.52, 6.42, 6.41, 5.76], [7.20, 6.09, 7.00, 7.10, 7.40, 6.80]),
    12: ([5.06, 4.72, 4.90, 4.80, 4.90, 5.10], [4.50, 4.20, 3.80, 3.80, 4.20, 4.50]),
}

# Six targets by four judges: P. E. Shrout and J. L. Fleiss, Psychol Bull 1979;86:420, table 2.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

# A 3 x 3 table with the estimates that SAS PROC FREQ prints for it, which the tests of
# statsmodels 0.15 (cohens_kappa) quote.
SAS_TABLE = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]


def cardiac():
    a = [x for first, _ in CARDIAC.values() for x in first]
    b = [x for _, second in CARDIAC.values() for x in second]
    return a, b, [s for s, (first, _) in CARDIAC.items() for _ in first]


def printed(estimate, digits):
    return [round(x, digits) for x in (estimate.value, estimate.low, estimate.high)]


def test_limits_of_the_peak_flow_example():
    # The paper takes 2 SD: bias -2.1 (-22.0 to 17.8), SD 38.8, limits -79.7 and 75.5, the
    # limits from rounded figures.
    found = bland_altman(WRIGHT, MINI, multiplier=2.0)
    assert printed(found.bias, 1) == [-2.1, -22.0, 17.8]
    assert round(found.sd, 1) == 38.8
    assert found.lower.value == pytest.approx(-79.7, abs=0.11)
    assert found.upper.value == pytest.approx(75.5, abs=0.11)


def test_the_approximate_interval_as_published():
    # The vignette "Agreement Analysis" of the R package SimplyAgree (A. R. Caldwell), data set
    # reps: 80 % limits with 90 % intervals.
    x = [7.83, 7.42, 7.89, 7.12, 6.16, 7.26, 6.71, 4.75, 5.24]
    x += [4.86, 4.78, 6.05, 5.42, 4.21, 3.61, 3.72, 3.87, 3.92]
    y = [6.57, 5.62, 6.90, 6.57, 4.06, 4.29, 4.26, 4.71, 5.50]
    y += [5.08, 5.02, 6.01, 5.67, 4.14, 4.20, 4.61, 4.68, 5.04]
    z = stats.norm.ppf(0.9)
    found = bland_altman(x, y, level=0.90, multiplier=z, interval="approximate")
    assert printed(found.bias, 4) == [0.4383, -0.0607, 0.9374]
    assert printed(found.lower, 4) == [-1.1214, -1.8037, -0.4391]
    assert printed(found.upper, 4) == [1.9980, 1.3157, 2.6803]


def test_limits_with_several_pairs_a_subject_as_published():
    # The 2007 paper prints its analysis of variance: mean squares 4.2090856 and 0.170714026,
    # divisor 4.9818182, SD 0.99062408, bias 0.6021667, limits -1.3394565 and 2.5437899.
    a, b, subjects = cardiac()
    found = bland_altman_repeated(a, b, subjects, multiplier=1.96)
    assert (found.n, found.n_subjects) == (60, 12)
    assert found.bias.value == pytest.approx(0.6021667, abs=1e-7)
    assert found.sd == pytest.approx(0.99062408, abs=1e-7)
    assert found.sd_within**2 == pytest.approx(0.170714026, abs=5e-8)
    assert found.sd_between**2 == pytest.approx((4.2090856 - 0.170714026) / 4.9818182, abs=1e-6)
    assert found.lower.value == pytest.approx(-1.3394565, abs=1e-6)
    assert found.upper.value == pytest.approx(2.5437899, abs=1e-6)
    # Taken as independent pairs the paper finds an SD of 0.9610571, and too narrow limits.
    assert bland_altman(a, b).sd == pytest.approx(0.9610571, abs=5e-8)


@pytest.mark.parametrize(("n", "factor"), [(10, 2.911), (20, 2.396), (30, 2.220)])
def test_the_exact_interval_is_the_tolerance_factor(n, factor):
    # One-sided 95 %/95 % factors of a normal sample, as every table of them prints.
    difference = np.random.default_rng(n).normal(0.0, 1.0, n)
    z = stats.norm.ppf(0.95)
    found = bland_altman(difference, np.zeros(n), level=0.90, multiplier=z)
    assert round((found.upper.high - found.bias.value) / found.sd, 3) == factor
    assert round((found.bias.value - found.lower.low) / found.sd, 3) == factor


@pytest.mark.parametrize("interval", ["exact", "approximate"])
def test_a_limit_lies_in_its_interval_as_often_as_said(interval):
    rng, n, hits = np.random.default_rng(11), 40, 0
    true, repeats = stats.norm.ppf(0.975), 600
    for _ in range(repeats):
        found = bland_altman(rng.normal(0.0, 1.0, n), np.zeros(n), interval=interval)
        hits += found.upper.low <= true <= found.upper.high
    assert abs(hits / repeats - 0.95) < 0.03


def test_the_jackknife_over_subjects_covers_where_pairs_alone_do_not():
    rng, hits, naive_hits, repeats = np.random.default_rng(5), 0, 0, 300
    subjects = np.repeat(np.arange(20), 8)
    for _ in range(repeats):
        difference = rng.normal(0.0, 1.0, 20)[subjects] + rng.normal(0.0, 0.5, subjects.size)
        zero = np.zeros(subjects.size)
        bias = bland_altman_repeated(difference, zero, subjects).bias
        hits += bias.low <= 0.0 <= bias.high
        wrong = bland_altman(difference, zero).bias
        naive_hits += wrong.low <= 0.0 <= wrong.high
    assert hits / repeats > 0.92
    assert naive_hits / repeats < 0.7


def test_intraclass_correlations_of_the_four_judges():
    # Shrout and Fleiss print 0.29 and 0.71; R psych::ICC, on the same table, the intervals
    # 0.019 to 0.761 and 0.342 to 0.946.
    assert printed(icc(JUDGES, "2,1"), 3) == [0.290, 0.019, 0.761]
    assert printed(icc(JUDGES, "3,1"), 3) == [0.715, 0.342, 0.946]


def test_consistent_ratings_that_differ_by_a_constant():
    # The example of the manual of MedCalc: consistency 1, absolute agreement 0.6667.
    ratings = [[2, 4], [4, 6], [6, 8]]
    assert round(icc(ratings, "2,1").value, 4) == 0.6667
    assert icc(ratings, "3,1") == same(Estimate(1.0, status="no_disagreement"))


def test_kappas_as_sas_prints_them():
    assert printed(cohen_kappa(SAS_TABLE), 4) == [0.4842, 0.2137, 0.7547]
    assert printed(cohen_kappa(SAS_TABLE, weights="linear"), 4) == [0.4701, 0.1845, 0.7558]


def test_kappa_of_the_textbook_table():
    # J. L. Fleiss, Statistical Methods for Rates and Proportions, 1981, table 13.1: 0.68.
    table = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    assert round(cohen_kappa(table).value, 2) == 0.68


class same:  # noqa: N801 - reads as a word
    """Equal with NaN equal to NaN."""

    def __init__(self, estimate):
        self.estimate = estimate

    def __eq__(self, other):
        mine = (self.estimate.value, self.estimate.low, self.estimate.high)
        yours = (other.value, other.low, other.high)
        return np.array_equal(mine, yours, equal_nan=True) and self.estimate.status == other.status

    def __repr__(self):
        return f"same({self.estimate})"

    __hash__ = None


NUMBERS = st.floats(-500.0, 500.0).map(lambda x: round(x, 3))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=25)
LABELS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=3, max_size=40
)


@given(PAIRS)
def test_limits_agree_with_the_slow_twin_and_swap(pairs):
    a, b = (list(column) for column in zip(*pairs, strict=True))
    assume(np.std(np.subtract(a, b)) > 1e-6)
    found, back = bland_altman(a, b), bland_altman(b, a)
    twin = naive.limits(a, b, stats.norm.ppf(0.975))
    got = (found.bias.value, found.lower.value, found.upper.value)
    np.testing.assert_allclose(got, twin, rtol=1e-9, atol=1e-9)
    for mine, yours in ((found.bias, back.bias), (found.lower, back.upper)):
        np.testing.assert_allclose(
            (mine.value, mine.low, mine.high),
            (-yours.value, -yours.high, -yours.low),
            rtol=1e-9,
            atol=1e-9,
        )
    assert found.lower.low < found.lower.value < found.lower.high
    assert found.upper.low < found.upper.value < found.upper.high


@settings(max_examples=50)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 4)), min_size=6, max_size=30))
def test_repeated_limits_agree_with_the_slow_twin(rows):
    a, b, subjects = (list(column) for column in zip(*rows, strict=True))
    assume(3 <= len(set(subjects)) < len(subjects))
    assume(np.std(np.subtract(a, b)) > 1e-6)
    found = bland_altman_repeated(a, b, subjects)
    twin = naive.repeated_limits(a, b, subjects, stats.norm.ppf(0.975))
    got = (found.bias.value, found.lower.value, found.upper.value)
    np.testing.assert_allclose(got, twin, rtol=1e-9, atol=1e-7)
    error = naive.standard_error_over_subjects(
        subjects, lambda kept: float(np.mean([a[k] - b[k] for k in kept]))
    )
    if found.bias.status == "ok":
        reach = stats.t.ppf(0.975, len(set(subjects)) - 1) * error
        assert found.bias.high - found.bias.value == pytest.approx(reach, rel=1e-9)


@given(PAIRS)
def test_one_pair_a_subject_has_the_limits_of_independent_pairs(pairs):
    a, b = (list(column) for column in zip(*pairs, strict=True))
    assume(np.std(np.subtract(a, b)) > 1e-6)
    plain, repeated = bland_altman(a, b), bland_altman_repeated(a, b, range(len(a)))
    assert repeated.lower.value == pytest.approx(plain.lower.value)
    assert math.isnan(repeated.sd_within)


@given(PAIRS, st.sampled_from(["2,1", "3,1"]), st.floats(-50.0, 50.0))
def test_icc_agrees_with_the_slow_twin_and_its_symmetries(pairs, form, shift):
    ratings = np.array(pairs)
    squares = ratings.std(axis=0)
    assume(squares.min() > 0.1)
    value = icc_value(ratings, form)
    assert value == pytest.approx(naive.icc(pairs, form), rel=1e-6, abs=1e-9)
    assert icc_value(ratings[:, ::-1], form) == pytest.approx(value)
    # A shift of everybody changes nothing; of one rater it changes absolute agreement only.
    assert icc_value(ratings + shift, form) == pytest.approx(value, rel=1e-6, abs=1e-9)
    one = ratings + np.array([shift, 0.0])
    assert icc_value(one, "3,1") == pytest.approx(icc_value(ratings, "3,1"), rel=1e-6, abs=1e-9)


@given(PAIRS, st.sampled_from(["2,1", "3,1"]))
def test_the_interval_of_an_icc_holds_it(pairs, form):
    ratings = np.array(pairs)
    assume(ratings.std(axis=0).min() > 0.1)
    found = icc(ratings, form)
    if found.status == "ok" and found.value > 0.0:
        assert found.low <= found.value <= found.high <= 1.0


def test_a_shift_between_raters_lowers_absolute_agreement():
    shifted = np.array(JUDGES)[:, :2] + np.array([10.0, 0.0])
    assert icc(shifted, "2,1").value < icc(np.array(JUDGES)[:, :2], "2,1").value


@given(LABELS, st.sampled_from([("none", 0), ("linear", 1), ("quadratic", 2)]))
def test_kappa_agrees_with_the_slow_twin_and_is_symmetrical(pairs, kind):
    weights, power = kind
    a, b = zip(*pairs, strict=True)
    found = cohen_kappa(confusion(a, b, "abcd"), weights=weights)
    twin = naive.kappa(pairs, "abcd", power)
    if math.isnan(twin):
        assert found == same(Estimate(math.nan, status="one_category"))
        return
    assert found.value == pytest.approx(twin, abs=1e-12)
    back = cohen_kappa(confusion(b, a, "abcd"), weights=weights)
    np.testing.assert_allclose(
        (back.value, back.low, back.high), (found.value, found.low, found.high), atol=1e-9
    )
    assert -1.0 <= found.value <= 1.0


@given(LABELS, st.permutations("abcd"))
def test_plain_kappa_does_not_depend_on_the_order(pairs, order):
    a, b = zip(*pairs, strict=True)
    plain = kappa_value(confusion(a, b, "abcd"))
    assert kappa_value(confusion(a, b, order)) == pytest.approx(plain, nan_ok=True)


@given(st.lists(st.sampled_from("abc"), min_size=3, max_size=20))
def test_perfect_agreement_is_one(column):
    assume(len(set(column)) > 1)
    for weights in ("none", "linear", "quadratic"):
        found = cohen_kappa(confusion(column, column, "abc"), weights=weights)
        assert found == same(Estimate(1.0, status="no_disagreement"))
    numbers = [float("abc".index(x)) for x in column]
    for form in ("2,1", "3,1"):
        found = icc(np.column_stack([numbers, numbers]), form)
        assert found == same(Estimate(1.0, status="no_disagreement"))
    limits = bland_altman(numbers, numbers)
    assert (limits.lower.value, limits.bias.value, limits.upper.value) == (0.0, 0.0, 0.0)
    assert limits.status == "no_disagreement"


def test_what_is_not_defined_has_a_reason():
    assert bland_altman([1, 2], [1, 3]).status == "too_few_pairs"
    assert math.isnan(bland_altman([1, 2], [1, 3]).bias.value)
    assert icc([[1, 2], [2, 3]], "2,1").status == "too_few_pairs"
    assert icc([[4, 4], [4, 4], [4, 4]], "3,1").status == "no_variation"
    assert icc([[4, 5], [4, 5], [4, 5]], "3,1").status == "no_variation"
    assert cohen_kappa([[1, 0], [0, 1]]).status == "too_few_pairs"
    assert cohen_kappa([[5, 0], [0, 0]]).status == "one_category"
    one_sided = cohen_kappa([[2, 0], [3, 0]])
    assert one_sided == same(Estimate(0.0, status="no_variation"))
    two_subjects = bland_altman_repeated([1, 2, 4], [1, 1, 1], ["x", "x", "y"])
    assert two_subjects.bias == same(Estimate(4 / 3, status="too_few_subjects"))
    assert math.isnan(two_subjects.lower.value)
    assert bland_altman_repeated([1, 2], [1, 1], ["x", "x"]).status == "too_few_pairs"


def test_the_components_of_variance_of_groups_that_do_not_differ():
    between, within = components(np.array([1.0, -1.0, 1.0, -1.0]), np.array([0, 0, 1, 1]))
    assert (between, within) == (0.0, 2.0)


def test_a_jackknife_that_fails_without_one_subject_gives_no_interval():
    codes = subject_codes(["x", "y", "z"], 3)
    found = jackknifed(codes, lambda kept: 1.0 if 0 in kept else math.nan, 0.95)
    assert found == same(Estimate(1.0, status="too_few_subjects"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bland_altman([1, 2, 3], [1, 2]), "one length"),
        (lambda: bland_altman([1, 2, math.nan], [1, 2, 3]), "leave out the pairs"),
        (lambda: bland_altman([1, 2, 3], [1, 2, 4], level=95), "between 0 and 1"),
        (lambda: bland_altman([1, 2, 3], [1, 2, 4], interval="best"), "exact, approximate"),
        (lambda: bland_altman_repeated([1, 2, 3], [1, 2, 4], [1]), "for each of 3 pairs"),
        (lambda: icc([[1, 2], [2, 3], [3, 5]], "1,1"), "form must be"),
        (lambda: icc([[1], [2], [3]], "2,1"), "two raters"),
        (lambda: icc([[1, 2], [2, math.inf], [3, 5]], "2,1"), "finite"),
        (lambda: cohen_kappa([[1, 2, 3], [1, 2, 3]]), "square"),
        (lambda: cohen_kappa([[1, 2], [3, -1]]), "from 0"),
        (lambda: cohen_kappa([[4, 2], [3, 1]], weights="cubic"), "none, linear, quadratic"),
        (lambda: confusion(["a"], ["b", "a"], "ab"), "the same things"),
        (lambda: confusion(["a"], ["x"], "ab"), "not among"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
