"""Analysis of covariance against the normal equations, and its refusals."""

import copy
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hrm.errors import ParameterError
from hrm.trial.statistics import ancova

ROLES = {"outcome": "after", "baseline": "before", "arm": "arm"}


def table(seed=0, people=40):
    rng = np.random.default_rng(seed)
    before = rng.normal(7, 2, people)
    arm = np.where(np.arange(people) % 2, "posterior", "anterior")
    return pd.DataFrame(
        {
            "arm": arm,
            "before": before,
            "after": 1 + 0.3 * before - 0.5 * (arm == "posterior") + rng.normal(size=people),
            "age, years": rng.integers(20, 80, people),
            "site": rng.choice(["Lyon", "Athens", "Fukuoka"], people, p=[0.6, 0.3, 0.1]),
        }
    )


def by_hand(data):
    """Difference, its standard error and the adjusted means, by the normal equations."""
    sites = ["Fukuoka", "Lyon"]
    posterior = (data["arm"] == "posterior").to_numpy(dtype=float)
    numbers = [data[name].to_numpy(dtype=float) for name in ("before", "age, years")]
    dummies = [(data["site"] == site).to_numpy(dtype=float) for site in sites]
    x = np.column_stack([np.ones(len(data)), posterior, *numbers, *dummies])
    y = data["after"].to_numpy()
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    df = len(y) - x.shape[1]
    variance = ((y - x @ beta) ** 2).sum() / df
    base = [numbers[0].mean(), numbers[1].mean(), 1 / 3, 1 / 3]
    means = [np.array([1, arm, *base]) @ beta for arm in (0, 1)]
    return beta[1], math.sqrt(variance * inverse[1, 1]), df, means


@given(st.integers(0, 500), st.floats(0.5, 0.999))
def test_the_normal_equations_agree(seed, level):
    data = table(seed)
    if data["site"].nunique() < 3:
        return
    found = ancova(data, **ROLES, covariates=["age, years", "site"], level=level)
    difference, error, df, means = by_hand(data)
    assert (found.arms, found.df) == (("anterior", "posterior"), df)
    assert found.difference == pytest.approx(difference, rel=1e-8)
    assert found.standard_error == pytest.approx(error, rel=1e-8)
    reach = stats.t.ppf(0.5 + level / 2, df) * error
    assert [found.low, found.high] == pytest.approx([difference - reach, difference + reach])
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(difference / error), df), rel=1e-6)
    assert [found.ls_means["anterior"], found.ls_means["posterior"]] == pytest.approx(means)
    # Two arms: the F test is the t test squared.
    assert found.f_statistic == pytest.approx((difference / error) ** 2)
    assert found.f_p_value == pytest.approx(found.p_value, rel=1e-6)


def test_the_reference_turns_the_difference():
    data = table()
    one, other = ancova(data, **ROLES), ancova(data, **ROLES, reference="posterior")
    assert other.difference == pytest.approx(-one.difference)
    assert [other.low, other.high] == pytest.approx([-one.high, -one.low])
    assert one.contrasts["anterior", "posterior"].difference == pytest.approx(other.difference)
    data["arm"] = pd.Categorical(data["arm"], ["posterior", "anterior", "nobody"])
    assert ancova(data, **ROLES).arms == ("posterior", "anterior")


def test_an_adjusted_mean_is_a_number_with_its_error():
    mean = ancova(table(), **ROLES).ls_means["posterior"]
    assert mean == mean.estimate
    assert mean.low < mean < mean.high
    for twin in (pickle.loads(pickle.dumps(mean)), copy.copy(mean)):
        assert (twin, twin.standard_error) == (mean, mean.standard_error)


def three(data):
    data.loc[0, "arm"] = data.loc[2, "arm"] = "lateral"


def test_more_than_two_arms_have_no_single_difference():
    data = table()
    three(data)
    found = ancova(data, **ROLES)
    assert len(found.contrasts) == 6
    with pytest.raises(ParameterError, match="one difference needs two arms; there are 3"):
        _ = found.p_value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.__setitem__("arm", "a"), "column 'arm' must have at least two arms"),
        (lambda d: d.__setitem__("before", 7.0), "full rank.*before"),
        (lambda d: d.__setitem__("age, years", 2 * d["before"] + 1), "full rank"),
        (lambda d: d.__setitem__("site", d["arm"]), "full rank"),
        (
            lambda d: d.__setitem__("after", d["after"].where(d.index != 3)),
            "'after'.*1 of 40.*row 3",
        ),
        (
            lambda d: d.__setitem__("before", d["before"].where(d.index != 3)),
            "'before' must not be",
        ),
        (lambda d: d.__setitem__("arm", d["arm"].where(d.index != 3)), "'arm' must not be missing"),
        (lambda d: d.__setitem__("after", d["after"].astype(str)), "'after' must be"),
        (lambda d: d.__setitem__("after", math.inf), "'after' must be finite"),
        (lambda d: d.__setitem__("after", 2 + d["before"]), "vary beyond what the model explains"),
        (lambda d: d.head(5), "more rows than|full rank"),
        (lambda d: d.head(0), "it is empty"),
        (lambda d: d.pop("site"), "column 'site' once; it is there 0 times"),
    ],
)
def test_faults_of_the_table_are_named(change, message):
    data = table()
    changed = change(data)
    data = changed if isinstance(changed, pd.DataFrame) else data
    with pytest.raises(ParameterError, match=message):
        ancova(data, **ROLES, covariates=["age, years", "site"])


def test_faults_of_the_call_are_named():
    data = table()
    for options, message in (
        ({"level": 0}, "level must lie"),
        ({"reference": "lateral"}, "reference must be a level of column 'arm': anterior, post"),
        ({"covariates": ["before"]}, "column 'before' must be used once"),
        ({"covariates": "site"}, "covariates must be a list"),
        ({"covariates": [3]}, "each of covariates must be the name of a column; got int"),
    ):
        with pytest.raises(ParameterError, match=message):
            ancova(data, **ROLES, **options)
    with pytest.raises(ParameterError, match="frame must be a pandas DataFrame; got list"):
        ancova([1, 2], **ROLES)
    with pytest.raises(ParameterError, match="'arm' once; it is there 2 times"):
        ancova(pd.concat([data, data[["arm"]]], axis=1), **ROLES)
