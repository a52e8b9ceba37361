"""The shared checks of arguments: what passes comes back plain, what does not is named."""

import decimal
import math

import numpy as np
import pandas as pd
import pytest

from hrm.errors import ParameterError
from hrm.trial.statistics import _checks as check


@pytest.mark.parametrize("value", [56, 56.0, np.int8(56), np.float32(56), decimal.Decimal(56)])
def test_a_whole_number_comes_back_as_int(value):
    found = check.whole("n", value)
    assert (found, type(found)) == (56, int)


@pytest.mark.parametrize(
    "value", [56.5, True, np.True_, "56", b"56", None, pd.NA, math.nan, math.inf, [56], 56 + 0j]
)
def test_anything_else_is_no_whole_number(value):
    with pytest.raises(ParameterError, match="n must be a whole number"):
        check.whole("n", value)


@pytest.mark.parametrize("value", [2**54, 10**400, 1e300])
def test_a_count_that_a_double_cannot_hold_is_refused(value):
    with pytest.raises(ParameterError, match="n must be at most 9007199254740992"):
        check.whole("n", value)
    with pytest.raises(ParameterError, match="n must be"):
        check.count_column("n", [value])


@pytest.mark.parametrize(
    ("function", "good", "bad"),
    [
        (check.number, [-3, 0.0, np.float32(2)], [math.nan, -math.inf, "1", None, True, [1.0]]),
        (check.positive, [1e-300, 5], [0, -1.0, math.inf, math.nan]),
        (check.open_fraction, [0.025, 1 - 1e-9], [0.0, 1.0, 95, -0.1]),
        (check.probability, [0, 1, 0.5], [-1e-9, 1.01, math.nan]),
    ],
)
def test_numbers_in_their_range(function, good, bad):
    for value in good:
        found = function("q", value)
        assert (found, type(found)) == (float(value), float)
    for value in bad:
        with pytest.raises(ParameterError, match=r"^q must"):
            function("q", value)


def test_a_choice_shows_what_there_is():
    assert check.choice("method", "wald", ("mee", "wald")) == "wald"
    for value in ("Wald", None, ["wald"]):
        with pytest.raises(ParameterError, match="method must be one of mee, wald"):
            check.choice("method", value, ("mee", "wald"))


@pytest.mark.parametrize(
    "values",
    [[1, 2.5], (1, 2.5), np.array([1, 2.5]), pd.Series([1, 2.5], index=[7, 3]), pd.array([1, 2.5])],
)
def test_columns_of_many_kinds(values):
    found = check.finite_column("v", values)
    assert found.tolist() == [1.0, 2.5]
    assert found.dtype == np.float64


def test_a_bad_entry_is_named_by_its_place_and_not_quoted():
    with pytest.raises(ParameterError, match=r"v must be above 0; entry 2") as caught:
        check.positive_column("v", [1.0, 2.0, -77.125])
    assert "77" not in str(caught.value)
    with pytest.raises(ParameterError, match=r"v must be numbers; entry 1") as caught:
        check.finite_column("v", np.array([1.0, "secret"], dtype=object))
    assert "secret" not in str(caught.value)
    with pytest.raises(ParameterError, match=r"v must have at least 3 entries; got 2"):
        check.finite_column("v", [1.0, 2.0], at_least=3)
    with pytest.raises(ParameterError, match=r"one-dimensional column of numbers; got 2 dim"):
        check.finite_column("v", [[1.0, 2.0]])


def test_the_missing_extra_is_named():
    error = check.missing_extra("statsmodels")
    assert "pip install hrm[trial]" in str(error)
    assert isinstance(error, ImportError)
