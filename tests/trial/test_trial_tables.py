"""Every further table of the trial of eight, worked out by hand, and what happens at the edges.

P1 to P4 are posterior (P4 was not treated), P5 to P8 anterior. Successes: P1 P2 and P5 P8.
"""

import dataclasses
import json
import math
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from hrm.errors import ParameterError
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.plan import read_plan
from hrm.trial.outcome import arms_of
from hrm.trial.outputs.figures import all_figures
from hrm.trial.outputs.report import report_files
from hrm.trial.records import (
    AdverseEvents,
    Deviation,
    Event,
    Failures,
    Measure,
    Pair,
    Readings,
    Records,
    Repeated,
    Variable,
)
from hrm.trial.statistics import ancova, risk_difference, risk_ratio
from hrm.trial.tables._cells import quantile, shift_cells
from hrm.trial.tables.assembled import all_tables
from hrm.trial.tables.described import standardized_difference
from hrm.trial.tables.primary import compared
from tests.trial import test_trial_report as eight

KIND = Variable(
    "Achalasia type",
    "category",
    dict(
        zip(
            ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"],
            ["I", "II", "II", "II", "I", "I", "II", "III"],
            strict=True,
        )
    ),
    levels=("I", "II", "III"),
)
AGE = Variable(
    *("Age", "mean", {"P1": 40, "P2": 50, "P3": 60, "P5": 30, "P6": 40, "P7": 50, "P8": 60}, "y")
)
DURATION = Variable(
    "Symptoms",
    "median",
    {"P1": 10, "P2": 20, "P3": 30, "P4": 40, "P5": 5, "P6": 6, "P7": 7},
    "months",
)
BEFORE = Variable(
    "Treated before", "yes-no", {"P1": 1, "P2": 0, "P3": 0, "P4": 0, "P5": 1, "P6": 1, "P7": 0}
)
PRESSURE = Measure(
    "LES resting pressure",
    "mm Hg",
    {
        "P1": Pair(30.0, 10.0),
        "P2": Pair(40.0, 12.0),
        "P3": Pair(35.0, None, after_reason="no study"),
        "P5": Pair(28.0, 14.0),
        "P6": Pair(32.0, 16.0),
        "P7": Pair(36.0, 18.0, excluded="different system"),
        "P8": Pair(40.0, None),
    },
    drawn=True,
    reviewed=5,
    automatic=7,
)
FAILURES = Failures(
    "months",
    (6.0, 12.0),
    {
        "P1": (12, False),
        "P2": (12, False),
        "P3": (6, True),
        "P5": (12, False),
        "P6": (3, True),
        "P7": (6, False),
        "P8": (12, True),
    },
    horizon=12.0,
)
EVENTS = AdverseEvents(
    "a lexicon",
    ("mild", "moderate", "severe"),
    ("during", "early", "late"),
    (
        Event("P1", "perforation", "moderate", "during", serious=True, related=True),
        Event("P1", "bleeding", "mild", "late", serious=False, related=False),
        Event("P4", "pain", "mild", None, serious=None, related=None),
        Event("P5", "bleeding", "mild", "early", serious=False, related=None),
        Event("P5", "bleeding", "mild", "late", serious=False, related=None),
        Event("P6", "mucosotomy", "mild", "during", serious=None, related=None, incident=True),
    ),
)
REFLUX = (
    Variable("Takes a PPI", "yes-no", {"P1": 1, "P2": 0, "P3": 1, "P5": 0, "P6": 1}),
    Variable("Acid exposure", "mean", {"P1": 4, "P2": 8, "P5": 6}, "%"),
)
DEVIATIONS = (
    Deviation("P4", "not treated", leaves=True),
    Deviation("P8", "unblinded", leaves=True),
    Deviation("P5", "late visit", leaves=False),
    Deviation("P1", "late visit", leaves=False),
)
READINGS = Readings("IRP-4s", "mm Hg", (10.0, 12.0, 14.0, 16.0), (9.0, 12.0, 13.0, 17.0))
PROCEDURE = Variable(
    "Duration",
    "mean",
    {f"P{k}": v for k, v in enumerate((60, 70, 80, 99, 50, 50, 60, 60), 1)},
    "min",
)
RECORDS = Records(
    characteristics=(AGE, DURATION, KIND, BEFORE),
    procedure=(PROCEDURE,),
    reflux=REFLUX,
    subgroups=(KIND,),
    measures=(PRESSURE,),
    failures=FAILURES,
    adverse_events=EVENTS,
    deviations=DEVIATIONS,
    readings=(READINGS,),
    strata=KIND,
    standardized=True,
)


@pytest.fixture(name="folder")
def _folder(tmp_path):
    for name, text in (
        ("trial.toml", eight.PLAN),
        ("participants.csv", eight.PARTICIPANTS),
        ("visits.csv", eight.VISITS),
        ("allocation.csv", eight.ALLOCATION),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(name="trial")
def _trial(folder):
    plan = read_plan(folder / "trial.toml")
    clinical = read_clinical(folder, plan, folder / "allocation.csv")
    return clinical, arms_of(clinical, plan), plan


def rows(trial, records=RECORDS):
    return {table.name: table.rows for table in all_tables(*trial, records).tables}


def notes(trial, name, records=RECORDS):
    made = {table.name: table.notes for table in all_tables(*trial, records).tables}
    return " ".join(made[name])


def test_baseline_by_hand(trial):
    # Age: SD 10; sqrt(500 / 3) = 12.9; all seven: mean 330 / 7, SD sqrt(742.857 / 6) = 11.1;
    # standardized 5 / sqrt((100 + 166.67) / 2) = 0.43. Symptoms, type 2: at 4 values a quarter
    # is a whole place, so two are averaged; at 3 it is not: the next one. Standardized
    # 19 / sqrt((166.67 + 1) / 2) = 2.08. Type: gap (1/2, -1/4) of II and III, mean covariance
    # ((.1875, -.03125), (-.03125, .09375)): sqrt(.02734375 / .0166015625) = 1.28. Treated
    # before: .41667 / sqrt((.1875 + .22222) / 2) = 0.92.
    assert rows(trial)["baseline"] == (
        ("Randomized", "4", "4", "8", ""),
        ("Age, y", "50.0 (10.0)", "45.0 (12.9)", "47.1 (11.1)", "0.43"),
        ("Age: missing", "1", "0", "1", ""),
        ("Symptoms, months", "25.0 [15.0, 35.0]", "6.0 [5.0, 7.0]", "10.0 [6.0, 30.0]", "2.08"),
        ("Symptoms: missing", "0", "1", "1", ""),
        ("Achalasia type: I", "1/4 (25.0%)", "2/4 (50.0%)", "3/8 (37.5%)", "1.28"),
        ("Achalasia type: II", "3/4 (75.0%)", "1/4 (25.0%)", "4/8 (50.0%)", ""),
        ("Achalasia type: III", "0/4 (0.0%)", "1/4 (25.0%)", "1/8 (12.5%)", ""),
        ("Treated before", "1/4 (25.0%)", "2/3 (66.7%)", "3/7 (42.9%)", "0.92"),
        ("Treated before: missing", "0", "1", "1", ""),
    )
    assert "SAS" in notes(trial, "baseline")
    plain = Records(characteristics=(DURATION,), quantiles="type-7")
    assert rows(trial, plain)["baseline"][1][1:3] == ("25.0 [17.5, 32.5]", "6.0 [5.5, 6.5]")
    assert "p" not in all_tables(*trial, plain).tables[1].columns


def test_ratios_by_hand(trial):
    # 2/4 against 2/4 at an odds ratio r: the restricted proportions are (1 +- d) / 2 with
    # r = ((1 + d) / (1 - d))^2, the score 7 d^2 / (1 - d^2), so d is the 0.5953 of the primary
    # table and r = (1.5953 / 0.4047)^2 = 15.53. Over strata: weights 2/3 and 3/4 of 1/2 and 1/3.
    made = {row[0]: row[1:] for row in rows(trial)["ratios"]}
    assert made["Intention to treat: odds ratio"] == ("1.00", "0.06 to 15.53")
    assert made["Intention to treat: risk ratio"][0] == "1.00"
    assert made["Per protocol: risk ratio"][0] == "1.33"
    assert made["Per protocol: odds ratio"][0] == "2.00"
    assert made["Difference over Achalasia type, points"][0] == "41.2"
    assert "both arms, or without" in notes(trial, "ratios")
    assert "left out: 1." in notes(trial, "ratios")


def test_continuous_by_hand(trial):
    # Changes -20 -28 and -14 -16 (P7 was on another system); t(1) times 4 and 1. Adjusted:
    # slope 14 / 58, difference -4 - 5 x 14 / 58 = -5.2069, s2 = 4 - 196 / 58, SE2 =
    # s2 (1 + 25 / 58) = 0.88823, half width 12.7062 x 0.94246 = 11.975, p = 2 atan(1 / 5.5248) / pi.
    made = rows(trial)["continuous"]
    assert made[2:] == (
        (
            *("LES resting pressure, mm Hg: posterior", "35.0 (5.0), n = 3", "11.0 (1.4), n = 2"),
            *("-24.0 (5.7), n = 2", "-74.8 to 26.8", "-5.2", "-17.2 to 6.8", "0.1140"),
        ),
        (
            *("LES resting pressure, mm Hg: anterior", "34.0 (5.2), n = 4", "16.0 (2.0), n = 3"),
            *("-15.0 (1.4), n = 2", "-27.7 to -2.3", "reference", "", ""),
        ),
    )
    said = notes(trial, "continuous")
    assert "pairs excluded from the change 0 and 1" in said
    assert "values reviewed by a reader 5, automatic 7" in said
    # Differences of changes: 2 3 0 1 4 5, and -6 -4 -14 -12; too few for limits.
    assert rows(trial)["ranks"] == (
        ("Eckardt score, points", "3", "2", "2.50", "NA", "level not reached"),
        ("LES resting pressure, mm Hg", "2", "2", "-9.0", "NA", "level not reached"),
    )


def test_a_skewed_measure_is_described_by_its_median(trial):
    # Before 30 35 40 and 28 32 36 40; after 10 12 and 14 16 18; changes -28 -20 and -16 -14. Type 2.
    skewed = dataclasses.replace(PRESSURE, kind="median", digits=0)
    made = rows(trial, Records(measures=(skewed,)))
    assert made["continuous"][2:] == (
        (
            *("LES resting pressure, mm Hg: posterior", "35 [30, 40], n = 3"),
            *("11 [10, 12], n = 2", "-24 [-28, -20], n = 2", "", "by ranks", "", ""),
        ),
        (
            *("LES resting pressure, mm Hg: anterior", "34 [30, 38], n = 4"),
            *("16 [14, 18], n = 3", "-15 [-16, -14], n = 2", "", "reference", "", ""),
        ),
    )
    assert "no normal distribution" in notes(trial, "continuous", Records(measures=(skewed,)))
    assert rows(trial, Records(measures=(skewed,)))["ranks"][1][3] == "-9"
    with pytest.raises(ParameterError, match="mean or median"):
        Measure("M", "", {}, kind="mode")


def test_missing_measurements_by_hand(trial):
    assert rows(trial)["missing"][8:] == (
        ("LES resting pressure, before: missing (reason not recorded)", "1", "0", "1"),
        ("LES resting pressure, 1 year: missing", "2", "1", "3"),
        ("LES resting pressure, 1 year: missing: no study", "1", "0", "1"),
        ("LES resting pressure, 1 year: missing: reason not recorded", "1", "1", "2"),
        ("LES resting pressure: pair excluded (different system)", "0", "1", "1"),
    )


def test_failure_by_hand(trial):
    # log-log: exponents exp(1.96 sqrt(sum d / n (n - d)) / -ln S). 2/3: sum 1/6; 3/4: 1/12;
    # 3/8: 1/12 + 1/2. Log-rank of the posterior arm: 1 - (3/7 + 1/2 + 1/2), variance 12/49 + 1/4 +
    # 1/4. Restricted means 6 + 6 x 2/3 and 3 + 9 x 3/4, variances 4^2 / 6 and 6.75^2 / 12.
    assert rows(trial)["failure"] == (
        ("Followed", "3", "4", ""),
        ("Failures", "1", "2", ""),
        (
            "Without failure at 6 months, %",
            "66.7 (5.4 to 94.5), at risk 3",
            "75.0 (12.8 to 96.1), at risk 3",
            "",
        ),
        (
            "Without failure at 12 months, %",
            "66.7 (5.4 to 94.5), at risk 2",
            "37.5 (1.1 to 80.8), at risk 2",
            "",
        ),
        ("Log-rank test", "", "", "chi-squared 0.25, df 1, p 0.6195"),
        (
            "Restricted mean to 12 months (95% CI)",
            "10.00 (6.80 to 13.20)",
            "9.75 (5.93 to 13.57)",
            "0.25 (-4.73 to 5.23)",
        ),
    )
    assert "log-log" in notes(trial, "failure")
    assert "without: 1." in notes(trial, "failure")


def test_procedure_is_of_the_treated(trial):
    # P4 was not treated: its 99 is in no cell. All: mean 430 / 7, SD sqrt(685.714 / 6). Welch:
    # variances of the means 100/3 and 25/3, 3.0 degrees of freedom, 15 -+ 3.1824 sqrt(125/3).
    assert rows(trial)["procedure"] == (
        ("Treated", "3", "4", "7", "", "", ""),
        ("Duration, min", "70.0 (10.0)", "55.0 (5.8)", "61.4 (10.7)", "15.0", "-5.5 to 35.5", ""),
    )


NUMBERS = st.lists(st.integers(-50, 50).map(lambda tenths: tenths / 10), min_size=2, max_size=12)


@given(NUMBERS, NUMBERS, st.sampled_from([0.9, 0.95]))
def test_difference_of_means_is_that_of_scipy(first, second, level):
    shown, interval = shift_cells((first, second), 3, level, ranks=False)
    assert float(shown) == pytest.approx(np.mean(first) - np.mean(second), abs=6e-4)
    if np.ptp(first) == np.ptp(second) == 0.0:
        assert interval == "NA"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one constant group is no fault here
        want = ttest_ind(first, second, equal_var=False).confidence_interval(level)
    assert list(map(float, interval.split(" to "))) == pytest.approx(list(want), abs=6e-4)


def test_shift_by_hand():
    # Differences -1 0 1 | 0 1 2 | 1 2 3: their median is 1.
    assert shift_cells(([2.0, 3.0, 4.0], [3.0, 2.0, 1.0]), 1, 0.5, ranks=True)[0] == "1.0"
    assert shift_cells(([], [1.0]), 1, 0.95, ranks=True) == ("NA", "NA")
    assert shift_cells(([2.0], [1.0]), 1, 0.95, ranks=False) == ("1.0", "NA")


def test_adverse_events_by_hand(trial):
    one, none, other, no_other = "1/3 (33.3%)", "0/3 (0.0%)", "1/4 (25.0%)", "0/4 (0.0%)"
    made = rows(trial)["adverse_events"]
    assert [row[:6] for row in made] == [
        ("Any adverse event", one, "2", other, "2", "8.3"),
        ("Serious", one, "1", no_other, "0", "33.3"),
        ("Related to the procedure", one, "1", no_other, "0", "33.3"),
        ("Type: bleeding", one, "1", other, "2", "8.3"),
        ("Type: perforation", one, "1", no_other, "0", "33.3"),
        ("Grade: mild", one, "1", other, "2", "8.3"),
        ("Grade: moderate", one, "1", no_other, "0", "33.3"),
        ("Grade: severe", none, "0", no_other, "0", "0.0"),
        ("Timing: during", one, "1", no_other, "0", "33.3"),
        ("Timing: early", none, "0", other, "1", "-25.0"),
        ("Timing: late", one, "1", other, "1", "8.3"),
        ("Any incident", none, "0", other, "1", "-25.0"),
        ("Incident: mucosotomy", none, "0", other, "1", "-25.0"),
    ]
    interval = risk_difference(1, 3, 1, 4)
    assert made[0][6] == f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"
    assert "not treated, not counted: 1" in notes(trial, "adverse_events")


def test_no_events_are_a_result(trial):
    made = rows(trial, Records(adverse_events=AdverseEvents("a lexicon", ("mild",), (), ())))
    assert [row[:6] for row in made["adverse_events"]] == [
        (name, "0/3 (0.0%)", "0", "0/4 (0.0%)", "0", "0.0")
        for name in (
            *("Any adverse event", "Serious", "Related to the procedure", "Grade: mild"),
            "Any incident",
        )
    ]


def test_reflux_has_a_denominator_a_row(trial):
    made = rows(trial)["reflux"]
    assert made[0] == ("Randomized", "4", "4", "", "", "")
    assert made[1][:4] == ("Takes a PPI", "2/3 (66.7%)", "1/2 (50.0%)", "16.7")
    interval = risk_ratio(2, 3, 1, 2, method="miettinen-nurminen")
    assert made[1][5] == f"1.33 ({interval.low:.2f} to {interval.high:.2f})"
    assert made[2] == ("Acid exposure, %", "6.0 (2.8), n = 2", "6.0 (NA), n = 1", "0.0", "NA", "")


def test_subgroups_by_hand(trial):
    # Interaction: Q = (1/2 - 1/3)^2 / (1/8 + 2/27) = 0.1395, one degree of freedom.
    made = rows(trial)["subgroups"]
    assert [(*row[:4], row[5]) for row in made] == [
        ("Achalasia type: I", "1/1 (100.0%)", "1/2 (50.0%)", "50.0", "0.7087"),
        ("Achalasia type: II", "1/3 (33.3%)", "0/1 (0.0%)", "33.3", ""),
        ("Achalasia type: III", "0/0 (NA)", "1/1 (100.0%)", "NA", ""),
    ]


def test_deviations_by_hand(trial):
    one, none = "1/4 (25.0%)", "0/4 (0.0%)"
    assert rows(trial)["deviations"] == (
        ("Any deviation", "2/4 (50.0%)", "2", "2/4 (50.0%)", "2"),
        ("Leaves the per-protocol set", one, "1", one, "1"),
        ("late visit", one, "1", one, "1"),
        ("not treated", one, "1", none, "0"),
        ("unblinded", none, "0", one, "1"),
    )
    crossed = Records(deviations=(Deviation("P1", "crossed over", leaves=True),))
    assert "yet flagged as in it: 1." in notes(trial, "deviations", crossed)


def test_agreement_by_hand(trial):
    # Differences 1 0 1 -1: bias 0.25, SD 0.9574, limits 0.25 -+ 1.8765, interval of the bias
    # t(3) SD / 2 = 1.5235. ICC: (17.125 - .45833) / (17.125 + .45833 + 2 (.125 - .45833) / 4).
    (row,) = rows(trial)["agreement"]
    assert row[:3] == (
        "IRP-4s, mm Hg (reader 1 minus reader 2)",
        "1/4 (25.0%)",
        "0.3 (-1.3 to 1.8)",
    )
    assert [cell.split(" ")[0] for cell in row[3:]] == ["-1.6", "2.1", "0.96"]
    assert "corrected" not in notes(trial, "agreement")
    left = dataclasses.replace(READINGS, second=READINGS.first, corrected=True)
    assert rows(trial, Records(readings=(left,)))["agreement"][0][1:] == (
        *("4/4 (100.0%)", "0.0", "NA", "NA", "NA"),
    )
    assert "before and after the corrections" in notes(
        trial, "agreement", Records(readings=(left,))
    )


def test_repeated_measures_of_complete_data_are_an_ancova_of_each_visit(trial):
    # With nothing missing, an unstructured covariance and baseline by visit, the visits part.
    rng = np.random.default_rng(5)
    people = [f"P{k}" for k in range(1, 9)]
    baseline = {code: float(rng.integers(5, 11)) for code in people}
    values = {(code, v): round(float(rng.normal(2, 1)), 2) for code in people for v in ("a", "b")}
    measure = Repeated("Eckardt score", "", ("a", "b"), baseline, values)
    made = rows(trial, Records(repeated=(measure,)))["repeated"]
    for row, visit in zip(made, ("a", "b"), strict=True):
        frame = pd.DataFrame(
            {
                "arm": ["test"] * 4 + ["control"] * 4,
                "before": [baseline[code] for code in people],
                "after": [values[code, visit] for code in people],
            }
        )
        want = ancova(frame, outcome="after", baseline="before", arm="arm", reference="control")
        shown = [float(row[3]), float(row[4]), *map(float, row[6].split(" to ")), float(row[7])]
        known = [want.difference, want.standard_error, want.low, want.high, want.p_value]
        assert shown == pytest.approx(known, abs=0.0051)
        assert row[5] == "5.0"
        assert row[1].endswith("n = 4")
    assert "covariance used: unstructured" in notes(trial, "repeated", Records(repeated=(measure,)))


def test_repeated_measures_fall_back_in_order_and_end_in_words(trial):
    measure = Repeated("Score", "", ("a", "b"), {"P1": 1.0}, {("P1", "a"): 2.0})
    records = Records(repeated=(measure,))
    assert rows(trial, records)["repeated"][0] == (
        *("Score: a", "NA, n = 1", "NA, n = 0", "not estimable"),
        *["NA"] * 4,
    )
    assert "no structure could be fitted" in notes(trial, "repeated", records)
    assert "any later value: 7." in notes(trial, "repeated", records)


def test_a_table_without_data_is_not_made_and_the_report_says_so(trial, folder):
    made = all_tables(*trial)
    assert made.absent == (
        *("Baseline", "Subgroups", "Repeated measures", "Time to failure", "Procedure"),
        *("Adverse events", "Reflux", "Protocol deviations", "Agreement of readings"),
    )
    assert not set(made.absent) & {table.title for table in made.tables}
    page = report_files(folder, records=Records())["report.html"].decode()
    assert f"no data for it: {', '.join(made.absent)}." in page


def test_everything_missing_is_defined(trial):
    nothing = Records(
        characteristics=tuple(
            Variable("V", kind, {}, levels=("x",))
            for kind in ("mean", "median", "category", "yes-no")
        ),
        procedure=(Variable("W", "mean", {}),),
        reflux=(Variable("R", "yes-no", {}), Variable("Q", "median", {})),
        subgroups=(Variable("S", "category", {}, levels=("x", "y")),),
        measures=(Measure("M", "", {}, drawn=True),),
        repeated=(Repeated("Z", "", ("a",), {}, {}),),
        failures=Failures("months", (6.0,), {}, horizon=6.0),
        adverse_events=AdverseEvents("a lexicon", (), (), ()),
        deviations=(),
        readings=(Readings("N", "", (), ()),),
        strata=Variable("T", "category", {}, levels=("x",)),
        standardized=True,
    )
    made = rows(trial, nothing)
    assert made["baseline"][1] == ("V", "NA", "NA", "NA", "NA")
    assert made["continuous"][2][1:] == (*["NA, n = 0"] * 3, *["NA"] * 4)
    assert made["failure"][2][1:] == ("NA", "NA", "")
    assert made["agreement"][0][1:] == ("0/0 (NA)", *["NA (NA)"] * 4)
    assert all_tables(*trial, nothing).absent == ()
    assert [each.name for each in all_figures(*trial, nothing)] == [
        *("figure_flow", "figure_margin", "figure_tipping", "figure_subgroups"),
    ]


def test_one_arm_without_data_is_defined(trial):
    first = {"P1": 1.0, "P2": 2.0, "P3": 4.0}
    half = Records(
        characteristics=(Variable("V", "mean", first),),
        measures=(Measure("M", "", {k: Pair(v, v + 1.0) for k, v in first.items()}),),
        failures=Failures("months", (1.0,), {k: (v, True) for k, v in first.items()}, horizon=2.0),
        reflux=(Variable("R", "yes-no", {"P1": 1}),),
        standardized=True,
    )
    made = rows(trial, half)
    assert made["baseline"][1] == ("V", "2.3 (1.5)", "NA", "2.3 (1.5)", "NA")
    # Every change is 1: an interval without width would claim a certainty that is not there.
    assert made["continuous"][2][3:] == ("1.0 (0.0), n = 3", *["NA"] * 4)
    assert made["failure"][-2][3] == "not estimable"
    assert made["failure"][-1][2:] == ("NA", "not estimable")
    assert made["reflux"][1][1:] == ("1/1 (100.0%)", "0/0 (NA)", "NA", "NA", "NA")


def test_no_failure_claims_no_certainty(trial):
    never = {f"P{k}": (12.0, False) for k in range(1, 9)}
    made = rows(trial, Records(failures=Failures("months", (6.0,), never, horizon=12.0)))["failure"]
    assert made[2][1] == "100.0 (NA), at risk 4"
    assert made[3][3] == "not estimable"
    assert made[4][1:] == ("12.00 (NA)", "12.00 (NA)", "0.00 (NA)")


def test_records_of_strangers_are_refused(trial):
    stranger = Event("P9", "pain", None, None, serious=None, related=None)
    with pytest.raises(ParameterError, match="1 of the participants were not randomized"):
        all_tables(*trial, Records(adverse_events=AdverseEvents("x", (), (), (stranger,))))
    with pytest.raises(ParameterError, match="protocol deviations"):
        all_tables(*trial, Records(deviations=(Deviation("P10", "x", leaves=False),)))
    with pytest.raises(ParameterError, match="grade or a timing"):
        AdverseEvents("x", ("mild",), (), (Event("P1", "y", "worse", None, None, None),))
    with pytest.raises(ParameterError, match="not among its levels"):
        Variable("V", "category", {"P1": "z"}, levels=("x",))
    with pytest.raises(ParameterError, match="quantile rule"):
        Records(quantiles="type-9")


def test_quantile_rules_as_published():
    # NumPy's own implementation of both, at places that part them.
    data = [10, 20, 30, 40, 150, 200]
    for share in (0.1, 0.25, 0.4, 0.5, 0.75, 0.9):
        exact = Fraction(str(share))
        assert float(quantile(data, exact, "type-7")) == pytest.approx(np.quantile(data, share))
        assert float(quantile(data, exact, "type-2")) == pytest.approx(
            np.quantile(data, share, method="averaged_inverted_cdf")
        )


def test_standardized_difference_at_the_edges(trial):
    arms = trial[1]
    alike = Variable(
        "V", "category", {f"P{k}": "xy"[k % 2] for k in range(1, 9)}, levels=("x", "y")
    )
    assert standardized_difference(arms, alike) == 0.0
    apart = Variable(
        "V", "category", {f"P{k}": "xy"[k > 4] for k in range(1, 9)}, levels=("x", "y", "z")
    )
    assert math.isnan(standardized_difference(arms, apart))
    constant = Variable("V", "mean", {f"P{k}": 2.0 for k in range(1, 9)})
    assert standardized_difference(arms, constant) == 0.0
    assert standardized_difference(arms, AGE) == standardized_difference((arms[1], arms[0]), AGE)


def test_a_set_without_the_missing_is_not_called_intention_to_treat(trial):
    clinical, arms, plan = trial
    known = dataclasses.replace(plan, missing_outcome="exclude")
    made = {table.name: table for table in all_tables(clinical, arms, known).tables}
    assert made["primary"].rows[0][:3] == ("Full analysis set", "2/3 (66.7%)", "2/3 (66.7%)")
    assert ("Analyzed: full analysis set", "3", "3", "6") in made["flow"].rows
    assert "ntention to treat" not in str([table.to_dict() for table in made.values()])


@pytest.mark.parametrize(
    ("counts", "verdict"),
    # The published 1-year counts, and one whose p of 0.0251 is just above the one-sided alpha.
    [
        ((63, 71, 60, 67), "noninferior"),
        ((57, 65, 63, 69), "not shown"),
        ((0, 0, 1, 1), "not estimable"),
    ],
)
def test_the_verdict_is_that_of_the_interval_too(trial, counts, verdict):
    plan = dataclasses.replace(trial[2], margin=0.15)
    made = compared("x", counts, plan)
    assert made.verdict == verdict
    assert (made.low > -plan.margin) is (verdict == "noninferior")


def test_made_up_data_say_so_under_every_table(trial):
    made = all_tables(*trial, Records(synthetic="All made up.")).tables
    assert all("All made up." in table.notes for table in made)


def test_every_table_says_version_plan_and_what_its_numbers_are(trial):
    for table in all_tables(*trial, RECORDS).tables:
        assert table.notes[-1].startswith("hrm ")
        assert len(table.notes) > 1
        assert {len(row) for row in table.rows} == {len(table.columns)}
    for name in ("primary", "ratios", "sensitivity", "subgroups"):
        assert "Eckardt score < 3" in notes(trial, name)
    for name in ("primary", "sensitivity", "tipping"):
        assert "20.0 points" in notes(trial, name)


def test_report_with_everything_is_blinded_and_the_same_twice(folder):
    files = report_files(folder, records=RECORDS)
    assert files == report_files(folder, records=RECORDS)
    for name, data in files.items():
        if name.endswith((".csv", ".json", ".svg", ".html")):
            text = data.decode().casefold()
            assert "posterior" not in text
            assert "anterior" not in text
    assert {name for name in files if name.endswith(".png")} == {
        f"figure_{name}.png"
        for name in ("flow", "margin", "tipping", "subgroups", "failure", "paired_1")
    }
    tables = json.loads(files["tables.json"])
    assert all(f"{table['name']}.csv" in files for table in tables)
    assert {"baseline", "failure", "agreement"} <= {table["name"] for table in tables}
