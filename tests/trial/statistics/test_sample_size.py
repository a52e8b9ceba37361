"""Sample sizes: they reach the power, one fewer does not, and bad wishes are refused."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from hrm.errors import ParameterError
from hrm.trial.statistics import (
    power_noninferiority_exact,
    sample_size_noninferiority,
    sample_size_noninferiority_means,
)
from tests.naive import two_proportions as naive


def asymptotic_power(n1, n2, p1, p2, margin, alpha):
    """Power by the normal approximation, null variance from climbing the expected likelihood."""
    null = naive.restricted(n1 * p1, n1, n2 * p2, n2, -margin)
    s0 = math.sqrt(sum(p * (1 - p) / n for p, n in zip(null, (n1, n2), strict=True)))
    s1 = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    return stats.norm.cdf((p1 - p2 + margin - stats.norm.isf(alpha) * s0) / s1)


@given(
    st.floats(0.05, 0.95),
    st.floats(0.05, 0.95),
    st.floats(0.02, 0.5),
    st.sampled_from([0.01, 0.025, 0.05]),
    st.sampled_from([0.7, 0.8, 0.9]),
    st.sampled_from([0.5, 1.0, 1.5, 3.0]),
)
def test_the_unrounded_size_has_exactly_the_power(p1, p2, margin, alpha, power, ratio):
    assume(p1 - p2 + margin > 0.02)
    found = sample_size_noninferiority(p1, p2, margin=margin, alpha=alpha, power=power, ratio=ratio)
    assert found.n1_unrounded == pytest.approx(ratio * found.n2_unrounded)
    reached = asymptotic_power(found.n1_unrounded, found.n2_unrounded, p1, p2, margin, alpha)
    assert reached == pytest.approx(power, abs=1e-6)
    assert (found.n1, found.n2) == tuple(
        math.ceil(n) for n in (found.n1_unrounded, found.n2_unrounded)
    )
    assert found.n == found.n1 + found.n2


def test_the_exact_power_is_near_the_wanted_one():
    size = sample_size_noninferiority(0.85, 0.85, margin=0.1, power=0.9)
    reached = power_noninferiority_exact(size.n1, size.n2, 0.85, 0.85, margin=0.1)
    assert reached == pytest.approx(0.9, abs=0.01)


def test_wald_is_the_formula_of_the_textbook():
    found = sample_size_noninferiority(0.8, 0.85, margin=0.15, ratio=2.0, method="wald")
    z = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    expected = z**2 * (0.8 * 0.2 / 2.0 + 0.85 * 0.15) / 0.1**2
    assert found.n2_unrounded == pytest.approx(expected)
    assert (found.n1, found.n2) == (math.ceil(2 * expected), math.ceil(expected))


def test_a_whole_requirement_is_not_rounded_up_for_its_last_digit():
    # p (1 - p) is chosen so that the formula says 50 exactly, up to rounding error.
    z = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    variance = 50 * 0.2**2 / (2 * z**2)
    p = 0.5 + math.sqrt(0.25 - variance)
    found = sample_size_noninferiority(p, p, margin=0.2, method="wald")
    assert found.n2_unrounded == pytest.approx(50.0, rel=1e-12)
    assert (found.n1, found.n2) == (50, 50)


@given(
    st.floats(0.1, 2.0),
    st.floats(-0.5, 0.5),
    st.sampled_from([0.025, 0.05]),
    st.sampled_from([0.8, 0.9]),
    st.sampled_from(["t", "z"]),
)
def test_means_the_size_is_the_smallest_that_reaches_the_power(
    margin, share, alpha, power, distribution
):
    difference = share * margin

    def reached(n):
        effect = (margin + difference) / 1.3 * math.sqrt(n / 2)
        if distribution == "z":
            return stats.norm.cdf(effect - stats.norm.isf(alpha))
        df = 2 * n - 2
        return 1.0 - stats.nct.cdf(stats.t.ppf(1 - alpha, df), df, effect)

    found = sample_size_noninferiority_means(
        difference=difference,
        sd=1.3,
        margin=margin,
        alpha=alpha,
        power=power,
        distribution=distribution,
    )
    n = found.n_per_arm
    assert reached(n) >= power - 1e-9
    assert found.achieved_power == pytest.approx(reached(n), abs=1e-7)
    assert found.n == 2 * n
    if n > 2:
        assert reached(n - 1) < power


def test_the_t_test_needs_two_in_each_arm():
    found = sample_size_noninferiority_means(sd=1.0, margin=100.0, alpha=0.05, power=0.8)
    assert found.n_per_arm == 2
    normal = sample_size_noninferiority_means(
        sd=1.0, margin=100.0, alpha=0.05, power=0.8, distribution="z"
    )
    assert normal.n_per_arm == 1


def test_power_of_the_t_test_by_simulation():
    found = sample_size_noninferiority_means(
        difference=-0.1, sd=1.0, margin=0.8, alpha=0.025, power=0.8
    )
    n = found.n_per_arm
    rng = np.random.default_rng(20)
    first, second = rng.normal(-0.1, 1.0, (20_000, n)), rng.normal(0.0, 1.0, (20_000, n))
    t = stats.ttest_ind(first + 0.8, second, axis=1, alternative="greater")
    assert np.mean(t.pvalue < 0.025) == pytest.approx(found.achieved_power, abs=0.01)


BAD = [
    ((1.1, 0.9), {"margin": 0.1}, "p1 must lie from 0 to 1; got 1.1"),
    ((0.9, math.nan), {"margin": 0.1}, "p2 must be a finite number; got nan"),
    ((0.9, 0.9), {"margin": 0.0}, "^margin must be above 0"),
    ((0.9, 0.9), {"margin": -0.1}, "^margin must be above 0"),
    ((0.8, 0.9), {"margin": 0.1}, "p1 - p2 must be above -margin"),
    ((0.7, 0.9), {"margin": 0.1}, "p1 - p2 must be above -margin"),
    ((0.9, 0.9), {"margin": 0.1, "alpha": 0.0}, "^alpha must lie between"),
    ((0.9, 0.9), {"margin": 0.1, "power": 1.0}, "^power must lie between"),
    ((0.9, 0.9), {"margin": 0.1, "ratio": 0.0}, "^ratio must be above 0"),
    ((0.9, 0.9), {"margin": 0.1, "ratio": math.inf}, "^ratio must be a finite"),
    ((0.9, 0.9), {"margin": 0.1, "method": "mee"}, "^method must be one of"),
]


@pytest.mark.parametrize(("arguments", "options", "message"), BAD)
def test_bad_wishes_for_proportions_are_refused(arguments, options, message):
    with pytest.raises(ParameterError, match=message):
        sample_size_noninferiority(*arguments, **options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sd": 0.0}, "^sd must be above 0"),
        ({"sd": math.nan}, "^sd must be a finite"),
        ({"margin": -1.0}, "^margin must be above 0"),
        ({"difference": -2.0}, "^difference must be above -margin"),
        ({"difference": "0"}, "^difference must be a finite"),
        ({"alpha": 1.5}, "^alpha must lie between"),
        ({"power": 0.0}, "^power must lie between"),
        ({"distribution": "normal"}, "^distribution must be one of t, z"),
        ({"sd": 1e6, "margin": 1e-3}, "participants per arm would be needed"),
    ],
)
def test_bad_wishes_for_means_are_refused(changes, message):
    options = {"sd": 1.0, "margin": 2.0, "alpha": 0.025, "power": 0.8} | changes
    with pytest.raises(ParameterError, match=message):
        sample_size_noninferiority_means(**options)
