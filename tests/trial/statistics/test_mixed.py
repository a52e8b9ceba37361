"""The mixed model: closed forms of balanced data, a dense twin, faults of the table."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.errors import ConvergenceError, ParameterError
from hrm.trial.statistics import mmrm
from hrm.trial.statistics._covariance import STRUCTURES
from tests.naive import trial as naive

FILE = Path(__file__).with_name("published_continuous.json")
GROWTH = json.loads(FILE.read_text(encoding="utf-8"))["growth"]
GIRLS, BOYS = np.array(GROWTH["girls"]), np.array(GROWTH["boys"])
COLUMNS = {"outcome": "y", "subject": "id", "visit": "age", "arm": "sex"}


def growth():
    rows = [
        (child, age, "F" if child < 11 else "M", value)
        for child, values in enumerate([*GIRLS, *BOYS])
        for age, value in zip(GROWTH["ages"], values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["id", "age", "sex", "y"])


def trial(seed=3, people=24, visits=4):
    """A trial with a covariate, a factor and visits that are missing."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        level, base = rng.normal(), rng.normal()
        for visit in range(visits):
            y = 2 * base + level + 0.5 * visit + (person % 2) * 0.4 + rng.normal()
            y = y if rng.random() > 0.2 or visit == person % visits else math.nan
            rows.append((person, visit, "ab"[person % 2], base, "xyz"[person // 2 % 3], y))
    return pd.DataFrame(rows, columns=["id", "visit", "arm", "base", "site", "y"])


ROLES = {"outcome": "y", "subject": "id", "visit": "visit", "arm": "arm"}


def test_unstructured_without_missing_is_the_pooled_covariance():
    model = mmrm(growth(), **COLUMNS)
    centered = [group - group.mean(axis=0) for group in (GIRLS, BOYS)]
    pooled = sum(group.T @ group for group in centered) / 25
    np.testing.assert_allclose(model.residual_covariance, pooled, rtol=1e-9)
    for k, age in enumerate(GROWTH["ages"]):
        found = model.effect(f"sex[M] at age[{age}]")
        assert found.estimate == pytest.approx(BOYS[:, k].mean() - GIRLS[:, k].mean())
        assert found.standard_error == pytest.approx(math.sqrt(pooled[k, k] * (1 / 11 + 1 / 16)))
        # A Wishart matrix with 25 degrees of freedom: known without approximation.
        assert found.df == pytest.approx(25, abs=1e-6)
    # As SAS PROC MIXED prints it.
    assert model.deviance == pytest.approx(414.0, abs=0.05)


def test_compound_symmetry_without_missing_is_the_split_plot():
    model = mmrm(growth(), **COLUMNS, covariance="compound-symmetry")
    assert model.deviance == pytest.approx(423.4, abs=0.05)
    assert model.effect("sex over age").df == pytest.approx(25, abs=1e-6)
    assert model.effect("sexM:age14").df == pytest.approx(75, abs=1e-6)
    within = sum(
        ((g - g.mean(1, keepdims=True) - g.mean(0) + g.mean()) ** 2).sum() for g in (GIRLS, BOYS)
    )
    single = within / 75
    assert model.effect("sexM:age14").standard_error == pytest.approx(
        math.sqrt(2 * single * (1 / 11 + 1 / 16))
    )


def matrix_of(model, data):
    """The model matrix, built once more by hand from the names."""
    data = data.dropna()
    columns = []
    for name in model.names:
        column = np.ones(len(data))
        for word in name.split(":"):
            if word == "base":
                column = column * data["base"]
            elif word != "intercept":
                label, level = word.rstrip("]").split("[")
                column = column * (data[label].astype(str) == level)
        columns.append(np.asarray(column, dtype=float))
    return np.column_stack(columns), data


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_dense_twin_agrees(structure):
    data = trial()
    model = mmrm(data, **ROLES, covariates=["base", "site"], covariance=structure)
    x, kept = matrix_of(model, data)
    table = kept["id"].to_numpy(), kept["visit"].to_numpy(), x, kept["y"].to_numpy()
    sigma = model.residual_covariance
    deviance, beta, covariance = naive.reml(sigma, *table)
    assert model.deviance == pytest.approx(deviance, rel=1e-10)
    for k, name in enumerate(model.names):
        found = model.effect(name)
        assert found.estimate == pytest.approx(beta[k], rel=1e-7)
        assert found.standard_error == pytest.approx(math.sqrt(covariance[k, k]), rel=1e-7)
    # No other matrix of the family does better.
    best = naive.natural_parameters(structure, sigma)
    assert best.size == model.parameters
    for k, sign in itertools.product(range(best.size), (-0.02, 0.02)):
        moved = best.copy()
        moved[k] += sign * max(0.1, abs(moved[k]))
        other = naive.natural_covariance(structure, moved, 4)
        assert naive.reml(other, *table)[0] > deviance
    for name in ("arm[b]", "base"):
        row = np.eye(len(model.names))[model.names.index(name)]
        df = naive.satterthwaite(structure, sigma, row, *table)
        assert model.effect(name).df == pytest.approx(df, rel=2e-3)


def test_names_of_one_effect():
    model = mmrm(trial(), **ROLES, covariates=["base", "base:visit", "site"])
    for words in (
        ["arm[b]", "arm", "armb", "arm[T.b]", "C(arm)[T.b]", "b", "arm[b] at visit[0]", "b at 0"],
        ["arm[b]:visit[2]", "visit[2]:arm[b]", "armb:visit2", "b:2"],
        ["arm[b] at visit[2]", "arm at 2", "armb at visit2"],
        ["site[y]", "sitey", "site[T.y]"],
        ["base:visit[3]", "visit3:base"],
        ["intercept", "Intercept", "(Intercept)"],
    ):
        found = {round(model.effect(word).estimate, 12) for word in words}
        assert len(found) == 1
    difference = model.effect("arm[b] at visit[2]").estimate
    means = [model.effect(f"mean of arm[{arm}] at visit[2]").estimate for arm in "ab"]
    assert difference == pytest.approx(means[1] - means[0])
    parts = model.effect("arm[b]").estimate + model.effect("arm[b]:visit[2]").estimate
    assert difference == pytest.approx(parts)
    with pytest.raises(ParameterError, match=r"name must be an effect.*arm\[b\] at visit\[2\]"):
        model.effect("arm[c]")


@settings(max_examples=8, deadline=None)
@given(
    st.integers(0, 1000),
    st.floats(0.01, 100),
    st.floats(-50, 50),
    st.sampled_from(sorted(STRUCTURES)),
)
def test_units_order_and_names_of_arms_do_not_matter(seed, factor, shift, structure):
    data = trial(seed)
    one = mmrm(data, **ROLES, covariates=["base"], covariance=structure)
    changed = data.sample(frac=1.0, random_state=seed)
    changed["y"] = shift + factor * changed["y"]
    changed["base"] = 3 - 7 * changed["base"]
    changed["arm"] = changed["arm"].map({"a": "z", "b": "b"})
    other = mmrm(changed, **ROLES, covariates=["base"], covariance=structure)
    first, second = one.effect("arm[b] at visit[3]"), other.effect("arm[z] at visit[3]")
    assert second.estimate == pytest.approx(-factor * first.estimate, rel=1e-6, abs=1e-8 * factor)
    assert second.standard_error == pytest.approx(factor * first.standard_error, rel=1e-6)
    assert second.df == pytest.approx(first.df, rel=1e-5)


def test_reference_and_order_of_visits():
    data = trial()
    turned = mmrm(data, **ROLES, reference="b")
    assert turned.arms == ("b", "a")
    assert turned.effect("arm[a]").estimate == pytest.approx(
        -mmrm(data, **ROLES).effect("arm").estimate
    )
    data["visit"] = data["visit"].map(lambda v: f"visit {9 + v}")
    assert mmrm(data, **ROLES, covariance="ar1").visits[:2] == ("visit 9", "visit 10")
    words = dict(zip(range(9, 13), ["2 weeks", "3 months", "6 months", "1 year"], strict=True))
    data["visit"] = data["visit"].map(lambda v: words[int(v.split()[1])])
    with pytest.raises(ParameterError, match="order of the visits matters for ar1"):
        mmrm(data, **ROLES, covariance="ar1")
    data["visit"] = pd.Categorical(data["visit"], list(words.values()), ordered=True)
    assert mmrm(data, **ROLES, covariance="ar1").visits == tuple(words.values())


def spoiled(change):
    data = trial()
    change(data)
    return data


def nothing_seen(data):
    data.loc[data["id"] == 5, "y"] = math.nan


def one_twice(data):
    data.loc[1, "visit"] = 0
    data.loc[[0, 1], "y"] = 1.0


def two_arms(data):
    data.loc[0, "y"], data.loc[1, "y"], data.loc[1, "arm"] = 1.0, 1.0, "b"


def empty_cell(data):
    data.loc[(data["arm"] == "a") & (data["visit"] == 2) & (data["id"] % 4 != 2), "y"] = math.nan
    data.loc[(data["arm"] == "a") & (data["visit"] == 2), "y"] = math.nan
    data.loc[(data["arm"] == "a") & (data["visit"] == 0), "y"] = data["base"]


def never_together(data):
    data.loc[data["visit"].isin([0, 3]), "y"] = np.where(
        (data["id"] % 4 < 2) == (data["visit"] == 0), data["base"], math.nan
    )[data["visit"].isin([0, 3])]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (nothing_seen, "1 have none, the first is in row 20 "),
        (one_twice, "one row for a visit"),
        (two_arms, "one arm"),
        (empty_cell, r"full rank.*arm\[b\]|full rank.*visit\[2\]"),
        (never_together, "visits 0 and 3 were never seen in one participant"),
        (lambda d: d.__setitem__("arm", "a"), "column 'arm' must have at least two arms"),
        (lambda d: d.__setitem__("visit", 1), "column 'visit' must have at least two visits"),
        (lambda d: d.__setitem__("base", 2.0), "full rank.*base"),
        (lambda d: d.__setitem__("base", math.nan), "column 'base' must not be missing"),
        (lambda d: d.__setitem__("visit", d["visit"].where(d["id"] > 0)), "'visit' must not be m"),
        (lambda d: d.__setitem__("id", d["id"].where(d["id"] > 0)), "'id' must not be missing"),
        (lambda d: d.__setitem__("y", d["y"].replace(d["y"][0], math.inf)), "'y' must be finite"),
        (lambda d: d.__setitem__("y", d["y"].astype(str)), "'y' must be"),
        (lambda d: d.pop("base"), "column 'base' once; it is there 0 times"),
    ],
)
def test_faults_of_the_table_are_named(change, message):
    with pytest.raises(ParameterError, match=message):
        mmrm(spoiled(change), **ROLES, covariates=["base"])


def test_faults_of_the_call_are_named():
    data = trial()
    for options, message in (
        ({"covariates": "base"}, "covariates must be a list of column names"),
        ({"covariates": ["base:visit"]}, "must hold 'base' before its interaction"),
        ({"covariates": ["base", "base"]}, "'base' is repeated"),
        ({"covariates": ["arm"]}, "column 'arm' must be used once"),
        ({"covariance": "banded"}, "covariance must be one of unstructured"),
        ({"reference": "c"}, "reference must be a level of column 'arm': a, b"),
    ):
        with pytest.raises(ParameterError, match=message):
            mmrm(data, **ROLES, **options)


def test_what_cannot_be_estimated_is_no_number():
    data = trial()
    # The last visit repeats the first: their residuals are one.
    wide = data.pivot_table(index="id", columns="visit", values="y")
    copy = data.set_index(["id", "visit"])["y"].copy()
    for person in wide.index:
        copy[person, 0] = copy[person, 3] = wide.loc[person].mean()
    data["y"] = copy.to_numpy()
    with pytest.raises(ConvergenceError, match="did not converge from any of 2 starts"):
        mmrm(data, **ROLES)
    data["y"] = data["visit"] * 1.5 + data["base"]
    with pytest.raises(ConvergenceError, match="does not vary beyond what the model explains"):
        mmrm(data, **ROLES, covariates=["base"])


def test_too_few_participants_for_the_structure():
    data = trial(people=6, visits=4).fillna({"y": 0.5})
    data["y"] += np.random.default_rng(0).normal(size=len(data))
    with pytest.raises(ConvergenceError):
        mmrm(data[data["id"] < 4], **ROLES)
