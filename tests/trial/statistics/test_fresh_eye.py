"""What a statistician who knew only the documentation stumbled over."""

import numpy as np
import pandas as pd
import pytest

from hrm.errors import ParameterError
from hrm.trial import statistics as s


def frame(first, second):
    return pd.DataFrame(
        {
            "arm": [first] * 3 + [second] * 3,
            "before": [6, 7, 9, 5, 8, 9],
            "after": [1.0, 1.5, 2.0, 0.5, 1.0, 1.5],
        }
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("anterior", "Posterior"), ("Anterior", "posterior"), ("control", "POEM-post")],
)
def test_the_reference_does_not_depend_on_capitals(first, second):
    found = s.ancova(frame(first, second), outcome="after", baseline="before", arm="arm")
    assert found.contrast.reference == first
    assert found.difference == pytest.approx(-0.5)


def test_an_interval_without_width_shows_no_noninferiority():
    wald = s.tipping_point_binary(2, 2, 0, 2, 2, 0, margin=0.15, method="wald", level=0.95)
    assert wald.tolist() == [[False]]


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_method_that_sees_no_variance_gives_no_sample_size(p):
    with pytest.raises(ParameterError, match=r"p1 and p2 .* wald"):
        s.sample_size_noninferiority(p, p, margin=0.1, method="wald")
    assert s.sample_size_noninferiority(1.0, 1.0, margin=0.1).n1 == 35


@pytest.mark.parametrize(
    ("alpha", "power", "named"), [(0.6, 0.8, "alpha"), (0.025, 0.02, "power"), (0.1, 0.1, "power")]
)
def test_planning_values_that_cannot_be_meant(alpha, power, named):
    with pytest.raises(ParameterError, match=f"^{named} must"):
        s.sample_size_noninferiority(0.9, 0.9, margin=0.1, alpha=alpha, power=power)
    with pytest.raises(ParameterError, match=f"^{named} must"):
        s.sample_size_noninferiority_means(sd=1.0, margin=0.5, alpha=alpha, power=power)


def test_results_without_width_say_so():
    assert s.mantel_haenszel_risk_ratio([10], [10], [10], [10]).status == "no_width"
    assert s.hodges_lehmann([0] * 20, [0] * 20).status == "no_width"
    assert s.hodges_lehmann([0, 1, 2, 3, 4], [5, 6, 7, 8, 9]).status == "ok"


def test_the_fraction_of_missing_information_is_that_of_mianalyze():
    # r = 4/3 / 0.5; old df = 2 / (r / (r + 1))^2 = 3.78125; (r + 2 / (df + 3)) / (r + 1).
    pooled = s.rubin_pool([1, 2, 3], [0.5] * 3)
    assert pooled.missing_variance == pytest.approx(8 / 11)
    assert pooled.missing_information == pytest.approx((8 / 3 + 2 / 6.78125) / (11 / 3))


def test_a_missing_column_is_named_with_its_argument():
    with pytest.raises(ParameterError, match=r"^baseline: .* column 'zz' once"):
        s.ancova(frame(*"xy"), outcome="after", baseline="zz", arm="arm")
    with pytest.raises(ParameterError, match=r"^covariates: .* column 'zz' once"):
        s.ancova(frame(*"xy"), outcome="after", baseline="before", arm="arm", covariates=["zz"])


def test_too_few_rows_are_said_to_be_too_few():
    with pytest.raises(ParameterError, match="more rows than the model has coefficients; 2 for 3"):
        s.ancova(frame(*"xy").iloc[[0, 3]], outcome="after", baseline="before", arm="arm")


def visits(missing=()):
    rows = pd.DataFrame(
        {
            "id": np.repeat(np.arange(8), 2),
            "visit": [1, 2] * 8,
            "arm": ["anterior"] * 8 + ["posterior"] * 8,
            "score": np.arange(16.0) % 5 + np.sin(np.arange(16)),
            "age": np.arange(16.0) ** 2,
        }
    )
    rows.loc[list(missing), "score"] = np.nan
    return rows


def test_rows_are_counted_in_the_frame_that_was_given():
    names = {"outcome": "score", "subject": "id", "visit": "visit", "arm": "arm"}
    doubled = pd.concat([visits([0, 2]), visits().iloc[[5]]])
    with pytest.raises(ParameterError, match="repeated in row 16 "):
        s.mmrm(doubled, **names)
    without_age = visits([0, 2])
    without_age.loc[5, "age"] = np.nan
    with pytest.raises(ParameterError, match="the first is row 5 "):
        s.mmrm(without_age, **names, covariates=["age"])


def test_a_model_prints_on_one_screen():
    model = s.mmrm(visits(), outcome="score", subject="id", visit="visit", arm="arm")
    assert len(repr(model)) < 2000
