"""What papers, SAS, PASS and R packages printed, to the last digit that they printed.

`published.json` holds the numbers with their sources.
"""

import json
from pathlib import Path

import pytest
from scipy import special

from hrm.trial.statistics import (
    noninferiority_test,
    odds_ratio,
    power_noninferiority_exact,
    risk_difference,
    risk_ratio,
    sample_size_noninferiority,
    sample_size_noninferiority_means,
    stratified_risk_difference,
    tipping_point_binary,
)

PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))


def near(value, tolerance):
    # A printed digit 5 may have been rounded either way.
    return pytest.approx(value, rel=0, abs=tolerance * (1 + 1e-9))


def table(case):
    return case["x1"], case["n1"], case["x2"], case["n2"]


def name(case):
    return "-".join(str(case[key]) for key in ("x1", "n1", "x2", "n2", "method") if key in case)


DIFFERENCES = [
    pytest.param(case, method, limits, id=f"{name(case)}-{method}")
    for case in PUBLISHED["difference"]
    for method, limits in case["limits"].items()
]


@pytest.mark.parametrize(("case", "method", "limits"), DIFFERENCES)
def test_limits_of_a_difference(case, method, limits):
    found = risk_difference(*table(case), method=method, level=case["level"])
    assert [found.low, found.high] == near(limits, case["tolerance"])
    assert found.estimate == pytest.approx(case["x1"] / case["n1"] - case["x2"] / case["n2"])


@pytest.mark.parametrize("case", PUBLISHED["ratio"], ids=name)
def test_limits_of_a_ratio(case):
    found = risk_ratio(*table(case), method=case["method"])
    assert [found.low, found.high] == near(case["limits"], case["tolerance"])


@pytest.mark.parametrize("case", PUBLISHED["odds"], ids=name)
def test_limits_of_an_odds_ratio(case):
    found = odds_ratio(*table(case), method=case["method"])
    assert [found.low, found.high] == near(case["limits"], case["tolerance"])


@pytest.mark.parametrize("case", PUBLISHED["noninferiority"], ids=name)
def test_noninferiority(case):
    found = noninferiority_test(*table(case), margin=case["margin"], method=case["method"])
    assert found.p_value == near(case["p_value"], case["tolerance"])
    if "statistic" in case:
        assert found.statistic == near(case["statistic"], case["statistic_tolerance"])
    if "sas_limits_90" in case:
        # SAS prints them beside the test: symmetric, with the standard error of the test.
        reach = special.ndtri(0.95) * found.standard_error
        limits = [found.estimate - reach, found.estimate + reach]
        assert limits == near(case["sas_limits_90"], 0.00005)


@pytest.mark.parametrize("case", PUBLISHED["stratified"], ids=lambda case: str(case["level"]))
def test_stratified_difference(case):
    found = stratified_risk_difference(*table(case), level=case["level"])
    assert found.estimate == pytest.approx(case["estimate"])
    assert [found.low, found.high] == near(case["limits"], case["tolerance"])
    assert found.statistic(case["at"]) == near(case["statistic"], 0.0005)


@pytest.mark.parametrize(
    "case", PUBLISHED["sample_size"], ids=lambda case: f"{case['p1']}-{case['ratio']}"
)
def test_sample_size(case):
    options = {key: case[key] for key in ("margin", "alpha", "power", "ratio")}
    found = sample_size_noninferiority(case["p1"], case["p2"], **options)
    assert found.n == case["n"]
    assert found.n1 == case.get("n1", found.n1)
    assert found.n2 == case.get("n2", found.n2)


@pytest.mark.parametrize(
    "case", PUBLISHED["sample_size_means"], ids=lambda case: str(case["standardized_margin"])
)
def test_sample_size_of_means(case):
    found = sample_size_noninferiority_means(
        sd=7.0,
        margin=7.0 * case["standardized_margin"],
        alpha=case["alpha"],
        power=case["power"],
    )
    assert found.n_per_arm == case["n_per_arm"]


@pytest.mark.parametrize("case", PUBLISHED["exact_power"], ids=lambda case: str(case["n1"]))
def test_exact_power(case):
    found = power_noninferiority_exact(
        case["n1"], case["n2"], case["p"], case["p"], margin=case["margin"], alpha=case["alpha"]
    )
    assert found == near(case["power"], case["tolerance"])


def test_sample_size_of_a_trial_like_the_published_one():
    # 0.90 in both arms and a margin of 0.15: 73.5 and 62.8 per arm before rounding.
    by_method = {
        method: sample_size_noninferiority(0.9, 0.9, margin=0.15, method=method)
        for method in ("farrington-manning", "wald")
    }
    assert by_method["farrington-manning"].n1_unrounded == near(73.5, 0.05)
    assert (by_method["farrington-manning"].n1, by_method["farrington-manning"].n2) == (74, 74)
    assert by_method["wald"].n2_unrounded == near(62.8, 0.05)
    assert by_method["wald"].n == 126


TIPPING = ["YY.....", "YYY....", "YYYYY..", "YYYYYY.", "YYYYYYY", "YYYYYYY", "YYYYYYY"]


def test_tipping_grid_of_the_first_solution():
    grid = tipping_point_binary(
        63, 71, 6, 60, 67, 6, margin=0.15, method="miettinen-nurminen", level=0.95
    )
    assert ["".join("Y" if holds else "." for holds in row) for row in grid] == TIPPING


@pytest.mark.parametrize(
    ("counts", "margin", "limits", "p_value"),
    [
        ((63, 71, 60, 67), 0.125, (-0.1182, 0.1035), 0.0192),
        ((62, 70, 61, 68), 0.15, (-0.1220, 0.0996), 0.0082),
        ((63, 77, 60, 73), 0.15, (-0.1288, 0.1229), 0.0112),
        ((63, 77, 66, 73), 0.15, (-0.2006, 0.0271), 0.131),
        ((45, 57, 46, 54), 0.15, (-0.2079, 0.0848), 0.116),
    ],
)
def test_recomputation_of_the_trial(counts, margin, limits, p_value):
    test = noninferiority_test(*counts, margin=margin)
    interval = test.interval()
    assert [interval.low, interval.high] == near(list(limits), 0.00005)
    assert test.p_value == near(p_value, 0.0005 if p_value > 0.1 else 0.00005)
