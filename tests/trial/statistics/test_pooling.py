"""Rubin's rules, meta-analysis, the Mantel-Haenszel risk ratio and the rank-based shift."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.meta_analysis import combine_effects

from hrm.errors import ParameterError
from hrm.trial.statistics import (
    hodges_lehmann,
    mantel_haenszel_risk_ratio,
    meta_analysis,
    rubin_pool,
)
from hrm.trial.statistics.rank import rank_sum_distribution
from tests.naive import trial as naive

REAL = st.floats(-100, 100).map(lambda v: round(v, 3))
STUDIES = st.lists(st.tuples(REAL, st.floats(0.01, 50)), min_size=2, max_size=12)


@given(STUDIES, st.floats(1, 500))
def test_rubin_rules_step_by_step(rows, complete):
    values, variances = [v for v, _ in rows], [v for _, v in rows]
    m, between = len(values), statistics.variance(values)
    total = statistics.fmean(variances) + (1 + 1 / m) * between
    found = rubin_pool(values, variances)
    assert found.estimate == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert found.standard_error == pytest.approx(math.sqrt(total))
    if between < 1e-9:
        assert found.df > 1e6
        return
    ratio = (1 + 1 / m) * between / statistics.fmean(variances)
    old = (m - 1) * (1 + 1 / ratio) ** 2
    assert found.df == pytest.approx(old, rel=1e-6)
    share = (1 + 1 / m) * between / total
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    small = rubin_pool(values, variances, df_complete=complete)
    assert small.df == pytest.approx(1 / (1 / old + 1 / observed), rel=1e-6)
    assert small.df <= min(found.df, complete)
    reach = stats.t.ppf(0.975, small.df) * small.standard_error
    assert [small.low, small.high] == pytest.approx(
        [small.estimate - reach, small.estimate + reach]
    )
    p_value = 2 * stats.t.sf(abs(small.estimate) / small.standard_error, small.df)
    assert small.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-300)


def test_imputations_that_agree():
    found = rubin_pool([2.0, 2.0], [1.0, 1.0])
    assert (found.df, found.missing_information) == (math.inf, 0)
    assert found.high == pytest.approx(2 + 1.959964)
    # Without missing values Barnard and Rubin leave a little less than the complete data.
    assert rubin_pool([2.0, 2.0], [1.0, 1.0], df_complete=40).df == pytest.approx(40 * 41 / 43)


@pytest.mark.parametrize("pool", [rubin_pool, meta_analysis])
def test_faults_of_the_columns(pool):
    for values, variances, message in (
        ([1.0], [1.0], "estimates must have at least 2 entries; got 1"),
        ([1.0, math.nan], [1.0, 1.0], "estimates must be finite numbers; entry 1"),
        ([1.0, 2.0], [1.0, 0.0], "variances must be above 0; entry 1"),
        ([1.0, 2.0], [1.0, 1.0, 1.0], "estimates has 2, variances has 3"),
    ):
        with pytest.raises(ParameterError, match=message):
            pool(values, variances)
    with pytest.raises(ParameterError, match="level must lie"):
        pool([1.0, 2.0], [1.0, 1.0], level=1.0)
    with pytest.raises(ParameterError, match="df_complete must be above 0"):
        rubin_pool([1.0, 2.0], [1.0, 1.0], df_complete=0)
    with pytest.raises(ParameterError, match="method must be one of fixed, dersimonian-laird"):
        meta_analysis([1.0, 2.0], [1.0, 1.0], method="reml")


@given(STUDIES, st.floats(0.5, 0.99))
def test_meta_analysis_against_statsmodels(rows, level):
    values, variances = np.array([v for v, _ in rows]), np.array([v for _, v in rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = combine_effects(values, variances, method_re="chi2")
    random = meta_analysis(values, variances, level=level)
    fixed = meta_analysis(values, variances, method="fixed", level=level)
    assert random.tau2 == pytest.approx(max(0, expected.tau2), rel=1e-6, abs=1e-9)
    assert random.q == pytest.approx(expected.q, rel=1e-6, abs=1e-9)
    if expected.tau2 > 0:
        assert random.i2 == pytest.approx(expected.i2, rel=1e-6, abs=1e-9)
        assert random.estimate == pytest.approx(expected.mean_effect_re, rel=1e-6, abs=1e-6)
        assert random.standard_error == pytest.approx(expected.sd_eff_w_re, rel=1e-6)
    else:
        # statsmodels goes on with a negative variance between the studies.
        assert random.i2 == pytest.approx(0, abs=1e-9)
        assert [random.low, random.high] == pytest.approx([fixed.low, fixed.high], abs=1e-9)
    assert fixed.estimate == pytest.approx(expected.mean_effect_fe, rel=1e-6, abs=1e-6)
    assert fixed.standard_error == pytest.approx(expected.sd_eff_w_fe, rel=1e-6)
    assert random.standard_error >= fixed.standard_error * (1 - 1e-12)
    assert fixed.tau2 == 0
    assert sum(random.weights) == pytest.approx(1)
    z = stats.norm.ppf(0.5 + level / 2)
    assert random.high - random.low == pytest.approx(2 * z * random.standard_error)


STRATA = st.lists(
    st.tuples(st.integers(1, 30), st.integers(1, 30), st.floats(0, 1), st.floats(0, 1)).map(
        lambda v: (round(v[0] * v[2]), v[0], round(v[1] * v[3]), v[1])
    ),
    min_size=1,
    max_size=6,
)


@given(STRATA)
def test_mantel_haenszel_against_its_definition(strata):
    a, n1, c, n2 = (list(column) for column in zip(*strata, strict=True))
    found = mantel_haenszel_risk_ratio(a, n1, c, n2)
    if not sum(a) or not sum(c):
        nothing = not sum(a) and not sum(c)
        assert found.status == ("not_estimable" if nothing else "zero_cell")
        assert (found.low, found.high) == (0, math.inf)
        assert math.isnan(found.estimate) if nothing else found.estimate in {0, math.inf}
        return
    top = sum(x * m / (n + m) for x, n, _, m in strata)
    bottom = sum(y * n / (n + m) for _, n, y, m in strata)
    spread = sum(((x + y) * n * m - x * y * (n + m)) / (n + m) ** 2 for x, n, y, m in strata)
    error = math.sqrt(spread / (top * bottom))
    assert found.estimate == pytest.approx(top / bottom)
    assert found.low == pytest.approx(top / bottom * math.exp(-1.9599640 * error), rel=1e-6)
    turned = mantel_haenszel_risk_ratio(c, n2, a, n1)
    assert turned.low == pytest.approx(1 / found.high)
    if len(strata) == 1:
        assert found.estimate == pytest.approx(a[0] / n1[0] / (c[0] / n2[0]))


def test_mantel_haenszel_risk_ratio_of_statsmodels():
    strata = [(4, 123, 11, 139), (6, 306, 29, 303), (62, 13598, 248, 12867)]
    tables = [np.array([[a, n1 - a], [c, n2 - c]]) for a, n1, c, n2 in strata]
    found = mantel_haenszel_risk_ratio(*zip(*strata, strict=True))
    assert found.estimate == pytest.approx(StratifiedTable(tables).riskratio_pooled)


def test_faults_of_strata():
    for counts, message in (
        (([5], [4], [1], [4]), "a must not exceed n1; it does in stratum 0"),
        (([1], [4], [1], [0]), "n2 must be at least 1 in each stratum; stratum 0"),
        (([1.5], [4], [1], [4]), "a must be whole numbers"),
        (([-1], [4], [1], [4]), "a must be at least 0"),
        (([1, 1], [4, 4], [1], [4]), "n1 has 2, n2 has 1"),
        (([math.nan], [4], [1], [4]), "a must be finite"),
    ):
        with pytest.raises(ParameterError, match=message):
            mantel_haenszel_risk_ratio(*counts)


@pytest.mark.parametrize(("m", "n"), list(itertools.product(range(1, 6), repeat=2)))
def test_distribution_of_the_rank_sum_by_listing_all_orders(m, n):
    counts = np.array(naive.rank_sum_tail(m, n))
    np.testing.assert_allclose(rank_sum_distribution(m, n), counts / counts.sum(), atol=1e-14)


VALUES = st.lists(st.integers(-1000, 1000).map(lambda v: v / 8), min_size=1, max_size=25)
#: Clinical scores: nearly all values are tied.
SCORES = st.lists(st.integers(0, 3).map(float), min_size=4, max_size=40)


def r_statistic(a, b, shift, tail):
    """R's wilcox.test at a shift: standardized, corrected, with the variance for ties."""
    ranks = stats.rankdata(np.concatenate([np.array(a) - shift, b]))
    m, n = len(a), len(b)
    difference = ranks[:m].sum() - m * (m + 1) / 2 - m * n / 2
    ties = np.unique(ranks, return_counts=True)[1]
    total = m + n
    spread = m * n / 12 * (total + 1 - (ties**3 - ties).sum() / (total * (total - 1)))
    return (difference - np.sign(difference) * 0.5) / math.sqrt(max(spread, 1e-300)) - tail


@given(st.one_of(st.tuples(VALUES, VALUES), st.tuples(SCORES, SCORES)), st.floats(0.7, 0.97))
def test_limits_invert_the_rank_test(groups, level):
    a, b = groups
    found = hodges_lehmann(a, b, level=level)
    differences = sorted(x - y for x, y in itertools.product(a, b))
    assert found.estimate == pytest.approx(statistics.median(differences), abs=1e-12)
    assert found.low <= found.estimate <= found.high
    assert {found.low, found.high} <= set(differences)
    turned = hodges_lehmann(b, a, level=level)
    assert [-turned.high, -turned.low] == [found.low, found.high]
    moved = hodges_lehmann([x + 16 for x in a], b, level=level)
    assert [moved.low - 16, moved.high - 16] == [found.low, found.high]
    tied = len({*a, *b}) < len(a) + len(b)
    assert found.method == ("normal" if tied else "exact")
    nudge = 1e-7
    if found.status == "no_width":
        assert found.low == found.high
    elif found.status != "ok":
        assert (found.low, found.high) == (differences[0], differences[-1])
    elif tied:
        tail = stats.norm.ppf(0.5 + level / 2)
        assert r_statistic(a, b, found.low + nudge, tail) <= 1e-9
        assert r_statistic(a, b, found.low - nudge, tail) >= -1e-9
    else:
        # Just outside the limit the exact test rejects, just inside it does not.
        outside, inside = (
            stats.mannwhitneyu(np.array(a) - shift, b, method="exact").pvalue
            for shift in (found.low - nudge, found.low + nudge)
        )
        assert outside <= 1 - level + 1e-12 < inside + 1e-9
        assert found.achieved_level >= level - 1e-12


def test_large_groups_are_approximated():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 50), rng.normal(0, 1, 20)
    found = hodges_lehmann(a, b)
    assert (found.method, math.isnan(found.achieved_level)) == ("normal", True)
    tail = stats.norm.ppf(0.975)
    assert (
        r_statistic(a, b, found.low - 1e-9, tail) > 0 >= r_statistic(a, b, found.low + 1e-9, tail)
    )
    exact = hodges_lehmann(a[:49], b)
    assert exact.method == "exact"


def test_groups_too_small_for_the_level_say_so():
    found = hodges_lehmann([3.0, 5.0], [1.0, 2.5])
    assert (found.low, found.high, found.status) == (0.5, 4.0, "level_not_reached")
    assert found.achieved_level == pytest.approx(1 - 2 / 6)
    with pytest.raises(ParameterError, match="b must have at least 1 entries"):
        hodges_lehmann([1.0], [])
    with pytest.raises(ParameterError, match="a must be finite"):
        hodges_lehmann([math.nan], [1.0])
