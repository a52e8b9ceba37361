"""What papers, SAS, Stata and R printed of continuous outcomes, survival and pooled studies.

`published_continuous.json` holds the data and the numbers with their sources.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hrm.trial.statistics import (
    ancova,
    hodges_lehmann,
    kaplan_meier,
    log_rank,
    mantel_haenszel_risk_ratio,
    meta_analysis,
)

FILE = Path(__file__).with_name("published_continuous.json")
PUBLISHED = json.loads(FILE.read_text(encoding="utf-8"))


def near(value, tolerance):
    return pytest.approx(value, rel=0, abs=tolerance * (1 + 1e-9))


def drug_trial():
    rows = [
        (arm, before, after)
        for arm in "ADF"
        for before, after in zip(
            PUBLISHED["drug"]["before"][arm], PUBLISHED["drug"]["after"][arm], strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["drug", "before", "after"])


def test_ancova_of_sas():
    case = PUBLISHED["drug"]
    found = ancova(drug_trial(), outcome="after", baseline="before", arm="drug")
    for arm, mean in case["ls_means"].items():
        assert found.ls_means[arm] == near(mean, 5e-8)
    assert found.coefficients["before"] == near(case["slope"], 5e-10)
    assert found.residual_sd == near(case["root_mse"], 5e-7)
    for arm, (difference, error, p_value) in case["differences"].items():
        contrast = found.contrasts[arm, "F"]
        assert contrast.difference == near(difference, 5e-10)
        assert contrast.standard_error == near(error, 5e-9)
        assert contrast.p_value == near(p_value, 5e-5)


@pytest.mark.parametrize(
    ("interval", "key", "tolerance"),
    [("log", "log (R survival)", 5e-4), ("log-log", "log-log (Stata sts list)", 5e-5)],
)
def test_remission_of_leukemia(interval, key, tolerance):
    case = PUBLISHED["leukemia"]
    found = kaplan_meier(case["drug_time"], case["drug_event"], interval=interval)
    assert found.times.tolist() == case["times"]
    assert found.at_risk.tolist() == case["at_risk"]
    assert found.survival.tolist() == near(case["survival"], 5e-4)
    assert found.standard_error.tolist() == near(case["standard_error"], 5e-5)
    low, high = np.transpose(case[key])
    assert found.low.tolist() == near(low.tolist(), tolerance)
    assert found.high.tolist() == near(high.tolist(), tolerance)


def test_log_rank_of_leukemia():
    case = PUBLISHED["leukemia"]
    time = case["drug_time"] + case["placebo_time"]
    event = case["drug_event"] + [1] * 21
    found = log_rank(time, event, ["drug"] * 21 + ["placebo"] * 21)
    assert found.statistic == near(case["log_rank"], 5e-3)
    assert (found.df, found.events) == (1, 30)
    assert found.p_value == near(4.17e-5, 5e-8)


def trials_of_bcg():
    case = PUBLISHED["bcg"]
    a, b, c, d = (np.array(case[name]) for name in "abcd")
    return a, a + b, c, c + d


@pytest.mark.parametrize("method", ["fixed", "dersimonian-laird"])
def test_meta_analysis_of_bcg(method):
    a, n1, c, n2 = trials_of_bcg()
    case = PUBLISHED["bcg"]
    ratios, variances = np.log(a / n1 / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2
    found = meta_analysis(ratios, variances, method=method)
    for name, value in case[method].items():
        assert getattr(found, name) == near(value, 5e-5)
    assert found.q == near(case["q"], 5e-5)
    assert 100 * found.i2 == near(case["i2_percent"], 5e-3)


def test_mantel_haenszel_of_bcg():
    found = mantel_haenszel_risk_ratio(*trials_of_bcg())
    case = PUBLISHED["bcg"]["mantel_haenszel"]
    assert np.log(found.estimate) == near(case["log_estimate"], 5e-5)
    assert found.log_standard_error == near(case["log_standard_error"], 5e-5)
    assert np.log(found.low) == near(case["log_low"], 5e-5)
    assert np.log(found.high) == near(case["log_high"], 5e-5)


def test_hodges_lehmann_of_r():
    case = PUBLISHED["permeability"]
    found = hodges_lehmann(case["a"], case["b"])
    assert (found.method, found.estimate) == ("exact", near(case["estimate"], 5e-4))
    assert [found.low, found.high] == near(case["limits"], 5e-3)
