"""What is compared with what: sources, matching, coverage, and the page."""

import copy
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hrm
from hrm import catalog
from hrm.agreement import as_dict, bland_altman, compare, from_results, from_rows, page, read_source
from hrm.agreement.definitions import (
    headline,
    labels,
    metric_of,
    rules,
    statuses_with_a_number,
)
from hrm.agreement.estimate import Estimate
from hrm.agreement.matching import match
from hrm.agreement.wording import caution, coefficient
from hrm.errors import (
    CorruptFileError,
    FormatError,
    ParameterError,
    UnitsError,
    UnsupportedVersionError,
)
from hrm.phantom import Provocation, draw, sample, swallow_table
from hrm.store import to_long
from tests.naive import agreement as naive

PLANT = "DOE JANE 1961"


def row(subject, swallow, metric, value, unit="mmHg", **more):
    cells = {"subject": subject, "swallow": swallow, "metric": metric, "value": value}
    return {**cells, "unit": unit, **more}


def irps(subject, values, **more):
    return [row(subject, n, "irp4s_mmhg", x, **more) for n, x in enumerate(values, start=1)]


@pytest.fixture(scope="module")
def study():
    phantom = draw("normal", seed=5, n_supine=3, n_upright=0, provocation=Provocation(mrs_runs=1))
    swallows = swallow_table(phantom)
    return hrm.analyze(sample(phantom, sampling_rate=20.0), swallows=swallows)


@pytest.fixture(scope="module")
def result(study):
    return hrm.to_dict(study)


def test_the_rules_name_what_there_is():
    schema = catalog.result_schema()["$defs"]
    assert all(metric_of(name) for name in headline())
    assert set(labels()["type"].categories) == set(
        schema["swallow"]["properties"]["type"]["enum"]
    ) - {None}
    known = schema["swallow"]["properties"]["pressurization"]["enum"]
    assert set(labels()["pressurization"].categories) == set(known)
    assert set(labels()["diagnosis_ccv4"].categories) == set(schema["diagnosis"]["enum"])
    assert set(labels()["diagnosis_ccv3"].categories) == set(schema["diagnosis"]["enum"])
    known = schema["egj"]["properties"]["morphology"]["enum"]
    assert set(labels()["morphology"].categories) == set(known) - {None}
    for label in labels().values():
        assert set(label.order) <= set(label.categories)
        assert label.confidence in catalog.CONFIDENCES
        assert label.text
    for each in rules().values():
        assert each.confidence in catalog.CONFIDENCES
        assert each.unit
        assert each.text


def test_other_rules_on_the_two_sides_are_told(study, result):
    other = copy.deepcopy(result)
    other["engine"]["parameters_id"] = "1-of-somebody"
    both = compare(from_results([result]), from_results([other]))
    assert both.n_other_rules == as_dict(both)["measured_by_other_rules"] == 1
    assert "other parameters" in page(both)
    table = from_rows(to_long(study).to_dict("records"))
    for same in (from_results([result]), table):
        known = compare(from_results([result]), same)
        assert known.n_other_rules == 0
        assert "other parameters" not in page(known)


def test_a_result_agrees_with_itself_and_with_its_table(study, result):
    for other in (
        from_results([copy.deepcopy(result)]),
        from_rows(to_long(study).to_dict("records")),
    ):
        found = compare(from_results([result]), other, metrics=["all"])
        assert len(found.matching.pairs) == 1
        assert {pair.by for pair in found.matching.pairs} == {"onset"}
        assert found.matching.pairs[0].only_a == ()
        assert found.matching.pairs[0].only_b == ()
        assert found.only_b == () if other.kind == "results" else True
        for metric in found.metrics:
            assert metric.coverage.n_missing_a == metric.coverage.n_missing_b
            assert metric.coverage.status_a == metric.coverage.status_b
            for level in metric.levels:
                np.testing.assert_allclose(level.a, level.b)


def test_every_number_of_the_table_is_in_the_result_too(study, result):
    table = to_long(study)
    mine = from_results([result]).studies[result["recording"]["study_id"], ""].readings
    yours = (
        from_rows(table.to_dict("records")).studies[result["recording"]["study_id"], ""].readings
    )
    lost = {name for name, _ in yours} - {name for name, _ in mine}
    # Counts and times that are about the study or the baseline rather than of the patient.
    assert lost <= {
        *("baseline_start_s", "baseline_stop_s"),
        *(name for name in catalog.metrics() if name.startswith("hypercontractile_subtypes_")),
    }
    for key in mine.keys() & yours.keys():
        assert mine[key] == yours[key], key


def test_swallows_that_are_not_evaluable_do_not_count(result):
    other = copy.deepcopy(result)
    good = [each for each in other["swallows"] if each["evaluable"]]
    good[0].update(evaluable=False, reason="cough")
    found = compare(from_results([result]), from_results([other]), metrics=["irp4s_mmhg", "type"])
    n, bad = len(result["swallows"]), len(result["swallows"]) - len(good)
    assert len(good) > 2
    for coverage in (found.metrics[0].coverage, found.labels[0].coverage):
        assert (coverage.n_matched, coverage.n_compared) == (n, len(good) - 1)
        reasons_a, reasons_b = dict(coverage.status_a), dict(coverage.status_b)
        assert reasons_b.pop("excluded") == reasons_a.pop("excluded", 0) + 1
        assert reasons_a == reasons_b
        assert coverage.n_missing_a == bad


def test_the_same_holds_of_a_table_that_marks_the_onset():
    a = from_rows([*irps("S1", [10, 12, 14]), row("S1", 2, "onset_s", 30, "s", status="excluded")])
    b = from_rows(irps("S1", [11, 12, 15]))
    found = compare(a, b, metrics=["irp4s_mmhg"]).metrics[0]
    assert found.coverage.status_a == {"excluded": 1}
    np.testing.assert_array_equal(found.levels[1].a, [10, 14])


def test_swallows_match_by_onset_where_there_are_onsets():
    def timed(subject, onsets, values):
        times = [row(subject, n, "onset_s", t, "s") for n, t in enumerate(onsets, start=1)]
        return from_rows([*times, *irps(subject, values)])

    a = timed("S1", [10.0, 40.0, 70.0], [1, 2, 3])
    b = timed("S1", [39.7, 70.5, 100.0], [20, 30, 40])
    pair = match(a, b).pairs[0]
    assert (pair.by, pair.swallows) == ("onset", ((2, 1), (3, 2)))
    assert (pair.only_a, pair.only_b) == ((1,), (3,))
    by_number = match(a, b, how="number").pairs[0]
    assert by_number.swallows == ((1, 1), (2, 2), (3, 3))
    untimed = from_rows(irps("S1", [20, 30, 40]))
    assert match(a, untimed).pairs[0].by == "number"
    assert match(a, untimed, how="onset").pairs[0].swallows == ()
    late = timed("S1", [10.51], [1])
    assert match(a, late).pairs[0].swallows == ()
    nearest = match(timed("S1", [10.0], [1]), timed("S1", [9.6, 10.1], [1, 2]))
    assert nearest.pairs[0].swallows == ((1, 2),)
    with pytest.raises(ParameterError, match="auto, onset, number"):
        match(a, b, how="name")


ONSETS = st.lists(st.floats(0.0, 60.0), min_size=1, max_size=12)


@settings(max_examples=60)
@given(ONSETS, ONSETS)
def test_no_swallow_is_matched_twice_or_lost(first, second):
    a, b = (
        from_rows([row("S1", n, "onset_s", t, "s") for n, t in enumerate(times, start=1)])
        for times in (first, second)
    )
    pair = match(a, b).pairs[0]
    mine, yours = [m for m, _ in pair.swallows], [n for _, n in pair.swallows]
    assert sorted([*mine, *pair.only_a]) == list(range(1, len(first) + 1))
    assert sorted([*yours, *pair.only_b]) == list(range(1, len(second) + 1))
    assert all(abs(first[m - 1] - second[n - 1]) <= 0.5 for m, n in pair.swallows)
    back = match(b, a).pairs[0]
    assert len(back.swallows) == len(pair.swallows)


def test_studies_match_by_subject_and_visit():
    a = from_rows(
        [
            *irps("S1", [10], visit="V1"),
            *irps("S1", [12], visit="V2"),
            *irps("S2", [14], visit="V1"),
            *irps("S3", [9]),
            *irps("S5", [9], visit="V1"),
        ]
    )
    b = from_rows(
        [
            *irps("S1", [10], visit="V2"),
            *irps("S2", [14]),
            *irps("S4", [9], visit="V1"),
            *irps("S5", [9], visit="V2"),
        ]
    )
    found = match(a, b)
    assert [pair.name for pair in found.pairs] == [("S1", "V2"), ("S2", "V1")]
    assert found.only_a == (("S1", "V1"), ("S3", ""), ("S5", "V1"))
    assert found.only_b == (("S4", "V1"), ("S5", "V2"))
    assert found.visit_stated_once == 1


def test_two_visits_of_a_subject_are_one_subject():
    a = from_rows(
        [r for s in range(4) for v in ("V1", "V2") for r in irps(f"S{s}", [s, s + 3], visit=v)]
    )
    b = from_rows(
        [
            r
            for s in range(4)
            for v in ("V1", "V2")
            for r in irps(f"S{s}", [s + 1 + s % 2, s], visit=v)
        ]
    )
    median, swallow = compare(a, b).metrics[0].levels
    assert (median.name, median.limits.n, median.limits.n_subjects) == ("study_median", 8, 4)
    assert median.limits.method == "repeated"
    assert (swallow.limits.n, swallow.limits.n_subjects) == (16, 4)


def test_the_median_of_a_study_is_over_the_swallows_that_count_on_both_sides():
    a = from_rows([*irps("S1", [1, 2, 30]), *irps("S2", [5, 6, 7]), *irps("S3", [8, 8, 9])])
    b = from_rows(
        [
            *irps("S1", [2, 4, "NA"]),
            *irps("S2", [5, 5, 8]),
            *irps("S3", [8, 9, 9]),
        ]
    )
    found = compare(a, b).metrics[0]
    median = found.levels[0]
    np.testing.assert_array_equal(median.a, [1.5, 6, 8])
    np.testing.assert_array_equal(median.b, [3, 5, 9])
    assert median.limits == bland_altman([1.5, 6, 8], [3, 5, 9])
    assert found.coverage.status_b == {"not_reported": 1}
    assert (found.coverage.n_matched, found.coverage.n_compared) == (9, 8)


def test_what_is_missing_keeps_its_status():
    gone = {"value": "NA", "status": "landmark_missing"}
    a = from_rows([*irps("S1", [1, 2]), {**row("S1", 3, "irp4s_mmhg", ""), **gone}])
    b = from_rows(irps("S1", [1, 2, 3]))
    coverage = compare(a, b).metrics[0].coverage
    assert coverage.status_a == {"landmark_missing": 1}
    assert coverage.n_missing_b == 0


def test_the_integral_is_compared_by_ratio_too():
    def dci(factor):
        values = [100.0, 450.0, 2000.0, 8000.0]
        rows = [
            row(f"S{k}", 1, "dci_mmhg_s_cm", x * f, "mmHg s cm")
            for k, (x, f) in enumerate(zip(values, factor, strict=True))
        ]
        return from_rows(rows)

    a, b = dci([1, 1, 1, 1]), dci([2, 2, 2, 2])
    ratio = compare(a, b).metrics[0].levels[0].ratio
    assert ratio.bias.value == pytest.approx(0.5)
    assert ratio.status == "no_disagreement"
    spread = compare(a, dci([2, 0.5, 2, 0.5])).metrics[0].levels[0].ratio
    assert spread.bias.value == pytest.approx(1.0)
    assert spread.lower.value * spread.upper.value == pytest.approx(1.0)
    zero = compare(a, dci([0, 1, 1, 1])).metrics[0].levels[0].ratio
    assert zero.status == "not_positive"
    assert (
        compare(from_rows(irps("S1", [1])), from_rows(irps("S1", [2]))).metrics[0].levels[0].ratio
        is None
    )


def diagnoses(codes):
    return from_rows([row(f"S{k}", "", "diagnosis_ccv4", code, "") for k, code in enumerate(codes)])


def test_weights_follow_the_order_and_not_what_was_seen():
    a = diagnoses(
        ["achalasia_type_1", "achalasia_type_2", "normal", "normal", "iem", "not_classified"]
    )
    near = diagnoses(["achalasia_type_2", "achalasia_type_2", "normal", "normal", "iem", "normal"])
    far = diagnoses(["normal", "achalasia_type_2", "normal", "normal", "iem", "normal"])
    close, distant = (compare(a, b).labels[0] for b in (near, far))
    assert close.n_equal == distant.n_equal == 4
    assert close.n_ordered == 5  # a study that is not classified has no place in the order
    assert close.quadratic.value > close.linear.value > close.kappa.value
    assert close.linear.value > distant.linear.value
    order = list(labels()["diagnosis_ccv4"].order)
    pairs = [("achalasia_type_1", "normal"), ("achalasia_type_2", "achalasia_type_2")]
    pairs += [("normal", "normal"), ("normal", "normal"), ("iem", "iem")]
    assert distant.linear.value == pytest.approx(naive.kappa(pairs, order, 1))
    assert distant.quadratic.value == pytest.approx(naive.kappa(pairs, order, 2))
    place = {name: k for k, name in enumerate(close.categories)}
    assert close.table[place["achalasia_type_1"]][place["achalasia_type_2"]] == 1
    assert close.table[place["not_classified"]][place["normal"]] == 1
    assert sum(map(sum, close.table)) == 6


def test_types_of_one_subject_are_no_independent_pairs():
    rng = np.random.default_rng(2)
    kinds = labels()["type"].categories
    rows_a, rows_b = [], []
    for s in range(6):
        for n in range(1, 11):
            kind = int(rng.integers(0, 6))
            rows_a.append(row(f"S{s}", n, "type", kinds[kind], ""))
            # Two readers who differ in some subjects only.
            rows_b.append(row(f"S{s}", n, "type", kinds[min(kind + (s > 3), 5)], ""))
    many = compare(from_rows(rows_a), from_rows(rows_b)).labels[0]
    apart = [{**each, "subject": f"T{k}", "swallow": 1} for k, each in enumerate(rows_a)]
    other = [{**each, "subject": f"T{k}", "swallow": 1} for k, each in enumerate(rows_b)]
    single = compare(from_rows(apart), from_rows(other)).labels[0]
    assert many.kappa.value == single.kappa.value
    assert many.kappa.high - many.kappa.low > single.kappa.high - single.kappa.low
    assert many.n_subjects == 6


def test_swapping_the_sides_flips_the_bias_and_keeps_the_rest():
    rng = np.random.default_rng(0)
    values = rng.normal(15, 5, (8, 6))
    a = from_rows([r for s in range(8) for r in irps(f"S{s}", values[s])])
    b = from_rows([r for s in range(8) for r in irps(f"S{s}", values[s] + rng.normal(1, 1, 6))])
    there, back = compare(a, b).metrics[0], compare(b, a).metrics[0]
    for mine, yours in zip(there.levels, back.levels, strict=True):
        assert mine.limits.bias.value == pytest.approx(-yours.limits.bias.value)
        assert mine.limits.lower.low == pytest.approx(-yours.limits.upper.high)
        assert mine.icc_2_1.low == pytest.approx(yours.icc_2_1.low)
        assert -1.0 < mine.icc_3_1.low < mine.icc_3_1.value < mine.icc_3_1.high < 1.0


def test_what_the_file_reports_is_compared_with_what_was_measured(result):
    both = copy.deepcopy(result)
    for each in both["swallows"][:2]:
        each["reported"] = {
            "onset_s": None,
            "number": 1,
            "label": None,
            "irp4s_mmhg": each["irp4s_mmhg"] + 1.0,
            "dci_mmhg_s_cm": None,
            "large_break_cm": 1.0,
            "status": {},
        }
    both["reported_unmatched"] = [{"onset_s": 1.0, "number": 9, "label": None, "status": {}}]
    yours = from_results([both], reported=True)
    assert yours.left_out["unmatched"] == 1
    found = compare(from_results([both]), yours)
    assert [metric.metric for metric in found.metrics] == ["irp4s_mmhg", "dci_mmhg_s_cm"]
    np.testing.assert_allclose(found.metrics[0].levels[1].b - found.metrics[0].levels[1].a, 1.0)
    assert found.metrics[1].coverage.status_b == {"not_reported": 2}
    rows = [
        *irps("S1", [1, 2]),
        row("S1", 1, "reported_irp4s_mmhg", 4),
        row("S1", "", "reported_irp4s_mmhg", 9, status="unmatched"),
    ]
    assert from_rows(rows).left_out == {"other_origin": 2}
    table = from_rows(rows, reported=True)
    assert table.left_out == {"other_origin": 2, "unmatched": 1}
    assert table.studies["S1", ""].readings["irp4s_mmhg", 1].value == 4.0


def test_nothing_in_common_is_an_error():
    a, b = from_rows(irps("S1", [1])), from_rows(irps("S2", [1]))
    with pytest.raises(ParameterError, match="none of the 1 studies of A is among the 1 of B"):
        compare(a, b)
    other = from_rows([row("S1", "", "percent_failed", 20, "%")])
    with pytest.raises(ParameterError, match="no metric in common"):
        compare(a, other)
    with pytest.raises(ParameterError, match="not on both sides: break_cm; both have irp4s_mmhg"):
        compare(a, a, metrics=["break_cm"])


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (
            [row("S1", 1, "irp4s_mmhg", 10, "kPa")],
            UnitsError,
            "line 1: expected irp4s_mmhg in mmHg, found another",
        ),
        ([row("S1", 1, "irp4s_mmhg", 10, "")], UnitsError, "found no unit"),
        ([row(PLANT, 1, "irp4s_mmhg", 10)], FormatError, "line 1: subject must be a code"),
        ([row("", 1, "irp4s_mmhg", 10)], FormatError, "subject must be a code"),
        ([row("S1", 1, "irp4s_mmhg", 10, visit=PLANT)], FormatError, "visit must be a code"),
        ([row("S1", 1, "irp4s_mmhg", PLANT)], CorruptFileError, "expected a number for irp4s_mmhg"),
        ([row("S1", 1, "irp4s_mmhg", "inf")], CorruptFileError, "expected a number"),
        ([row("S1", 1.5, "irp4s_mmhg", 10)], CorruptFileError, "whole number from 1"),
        ([row("S1", PLANT, "irp4s_mmhg", 10)], CorruptFileError, "whole number from 1"),
        (
            [row("S1", 1, "type", PLANT, "")],
            CorruptFileError,
            "expected for type one of failed, weak",
        ),
        ([row("S1", 1, "irp4s_mmhg", 10, status=PLANT)], CorruptFileError, "status must be a code"),
        (
            [row("S1", 1, "irp4s_mmhg", 10, status="artefact")],
            CorruptFileError,
            "line 1: expected beside a number the status ok",
        ),
        (irps("S1", [1]) * 2, CorruptFileError, "line 2: the same number .* twice"),
        ([{"subject": "S1", "metric": "x"}], CorruptFileError, "missing: swallow, value, unit"),
        ([], CorruptFileError, "found none"),
    ],
)
def test_a_wrong_table_is_named_and_not_quoted(rows, error, message):
    with pytest.raises(error, match=message) as caught:
        from_rows(rows)
    assert "DOE" not in str(caught.value)


def test_rows_of_unknown_metrics_are_counted():
    source = from_rows([*irps("S1", [1]), row("S1", 1, PLANT, 3, "furlong")])
    assert source.left_out == {"unknown_metric": 1}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda r: r.pop("schema_version"), CorruptFileError, "found another JSON"),
        (
            lambda r: r.update(schema_version="2"),
            UnsupportedVersionError,
            "expected schema_version 1",
        ),
        (lambda r: r.pop("egj"), CorruptFileError, "is not complete"),
        (lambda r: r["swallows"][0].pop("window_s"), CorruptFileError, "is not complete"),
        (lambda r: r.update(swallows=[1]), CorruptFileError, "is not complete"),
        (lambda r: r["recording"].update(study_id=PLANT), FormatError, "must be a code"),
    ],
)
def test_a_wrong_result_is_named(result, change, error, message):
    broken = copy.deepcopy(result)
    change(broken)
    with pytest.raises(error, match=message) as caught:
        from_results([broken])
    assert "DOE" not in str(caught.value)


def test_a_study_twice_is_an_error(result):
    with pytest.raises(CorruptFileError, match="the same study"):
        from_results([result, result])


def test_files_and_folders_are_read(tmp_path, result):
    for name in ("one", "two"):
        other = copy.deepcopy(result)
        other["recording"]["study_id"] = name
        (tmp_path / f"{name}.json").write_text(json.dumps(other), encoding="utf-8")
    assert sorted(read_source(tmp_path).studies) == [("one", ""), ("two", "")]
    assert list(read_source(tmp_path / "one.json").studies) == [("one", "")]
    (tmp_path / "x.csv").write_text(
        "﻿subject,swallow,metric,value,unit\nS1,1,irp4s_mmhg,1,mmHg\n", encoding="utf-8"
    )
    assert list(read_source(tmp_path / "x.csv").studies) == [("S1", "")]
    (tmp_path / "broken.json").write_text('{"a":', encoding="utf-8")
    with pytest.raises(CorruptFileError, match="no valid JSON") as caught:
        read_source(tmp_path)
    assert caught.value.path.endswith("broken.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorruptFileError, match=r"no \.json file"):
        read_source(tmp_path / "empty")
    (tmp_path / "latin.csv").write_bytes(b"subject\xe9,swallow\n")
    with pytest.raises(CorruptFileError, match="comma-separated table in UTF-8"):
        read_source(tmp_path / "latin.csv")
    with pytest.raises(FormatError, match="that the recording's file reports"):
        read_source(tmp_path / "one.json", reported=True)
    (tmp_path / "kpa.csv").write_text(
        "subject,swallow,metric,value,unit\nS1,1,irp4s_mmhg,1,kPa\n", encoding="utf-8"
    )
    with pytest.raises(UnitsError, match="line 2: expected irp4s_mmhg in mmHg") as caught:
        read_source(tmp_path / "kpa.csv")
    assert caught.value.path.endswith("kpa.csv")


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(4)
    a, b = [], []
    for s in range(6):
        for n in range(1, 6):
            value, kind = rng.normal(15, 4), str(rng.choice(labels()["type"].categories))
            a += [row(f"S{s}", n, "irp4s_mmhg", value), row(f"S{s}", n, "type", kind, "")]
            if (s, n) != (2, 5):
                b += [row(f"S{s}", n, "irp4s_mmhg", value + rng.normal(1, 1))]
                b += [row(f"S{s}", n, "type", kind, "")]
    a += irps("S7", [1])
    return compare(from_rows(a), from_rows(b))


def test_the_page_stands_alone(comparison):
    text = page(
        comparison, {("irp4s_mmhg", "swallow"): b"\x89PNG"}, sides=("engine", "<b>reader</b>")
    )
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert not re.search(r'(?:src|href)\s*=\s*"(?!data:)', text)
    assert "url(" not in text
    assert "<b>reader" not in text
    assert "&lt;b&gt;reader" in text
    assert text.count("data:image/png;base64,") == 1
    assert "Studies in engine only (1): S7." in text
    for words in (
        "Integrated relaxation pressure, 4 s (mmHg)",
        "Type of swallow",
        "no disagreement",
    ):
        assert words in text
    for tag in ("table", "section", "h2", "div", "p"):
        assert len(re.findall(f"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag


def test_the_page_says_what_the_statistics_say(comparison):
    text = page(comparison)
    level = comparison.metrics[0].levels[0]
    assert f"<td>{level.limits.bias.value:.3f}</td>".replace("-", "−") in text or (
        f"<td>{level.limits.bias.value:.2f}</td>".replace("-", "−") in text
    )
    assert f"{level.icc_2_1.value:.2f} (" in text


def test_the_json_has_no_nan_and_no_measured_value(comparison):
    text = json.dumps(as_dict(comparison), allow_nan=False)
    block = json.loads(text)
    assert block["a"]["unmatched"] == [{"subject": "S7", "visit": ""}]
    lost = [each["swallows_only_a"] for each in block["matched"] if each["swallows_only_a"]]
    assert lost == [[5]]
    first = block["metrics"][0]
    assert [level["level"] for level in first["levels"]] == ["study_median", "swallow"]
    assert (
        first["levels"][0]["limits"]["bias"]["value"]
        == comparison.metrics[0].levels[0].limits.bias.value
    )
    assert block["labels"][0]["kappa"] == {
        "value": 1.0,
        "low": None,
        "high": None,
        "status": "no_disagreement",
    }
    assert "subjects" not in first["levels"][0]


def test_a_single_study_gives_its_bias_and_no_limits():
    a, b = from_rows(irps("S1", [10, 12, 14])), from_rows(irps("S1", [11, 12, 15]))
    median, swallow = compare(a, b).metrics[0].levels
    assert median.limits.status == "too_few_pairs"
    assert swallow.limits.bias.value == pytest.approx(-2 / 3)
    assert math.isnan(swallow.limits.bias.low)
    assert math.isnan(swallow.limits.lower.value)
    assert "too few subjects for an interval" in page(compare(a, b))


def test_names_without_units_and_units_of_other_spelling():
    from hrm.agreement.source import from_rows

    def table(metric, unit):
        row = {"subject": "P1", "swallow": "1", "metric": metric, "value": "5", "unit": unit}
        return set(from_rows([row]).studies["P1", ""].readings)

    for metric in ("dci_mmhg_s_cm", "dci", "DCI"):
        for unit in ("mmHg s cm", "mmHg·s·cm", "mmHg.s.cm", "mmHg*s*cm", "mmhg s cm"):
            assert table(metric, unit) == {("dci_mmhg_s_cm", 1)}
    with pytest.raises(UnitsError):
        table("dci", "mmHg cm s")


def test_a_wrong_name_is_answered_with_a_few_that_are_near():
    from hrm.agreement.comparison import _chosen

    shared = [f"irp{k}s_mmhg" for k in range(40)]
    assert _chosen(shared, ["irp4s"]) == ["irp4s_mmhg"]
    with pytest.raises(ParameterError, match=r"not on both sides: irpp; both have .* and 30 more"):
        _chosen(shared, ["irpp"])


def test_a_remark_of_the_engine_itself_is_never_refused():
    told = row("S1", 1, "irp4s_mmhg", 10, status="a_remark_of_a_later_version")
    with pytest.raises(CorruptFileError, match="expected beside a number"):
        from_rows([told])
    assert from_rows([{**told, "source": "0f3a;0.2.0;1-ab;auto"}]).studies
    missing = {**told, "value": "NA"}
    assert from_rows([missing]).studies["S1", ""].readings["irp4s_mmhg", 1].value is None


def test_statuses_beside_a_number_are_explained_in_the_documentation():
    text = (Path(__file__).parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    assert [code for code in statuses_with_a_number() if f"`{code}`" not in text] == ["ok"]


@pytest.mark.parametrize(("n", "said"), [(1, "1 subject,"), (9, "9 subjects,"), (10, "")])
def test_few_subjects_stand_with_a_caution(n, said):
    assert said in caution(n)
    assert bool(caution(n)) == bool(said)
    sides = [from_rows([r for k in range(n) for r in irps(f"S{k}", [k + by])]) for by in (1.0, 1.2)]
    assert ("Caution:" in page(compare(*sides))) == bool(said)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.99996, 0.9991, 0.99999), ">0.99 (>0.99 to >0.99)"),
        (Estimate(0.87, -0.2, 0.994), "0.87 (−0.20 to 0.99)"),
        (Estimate(1.0, status="no_disagreement"), "1.00 (no disagreement, so no interval)"),
        (Estimate(0.5, status="too_few_subjects"), "0.50 (too few subjects for an interval)"),
        (Estimate(math.nan, status="too_few_pairs"), "– (too few pairs)"),
    ],
)
def test_rounding_makes_no_perfect_agreement_and_no_interval_vanishes(estimate, text):
    assert coefficient(estimate) == text


def test_tables_of_the_page_are_in_words():
    def side(codes):
        return from_rows(
            row(f"S{k}", "", "diagnosis_ccv4", code, "") for k, code in enumerate(codes)
        )

    text = page(compare(side(["egjoo", "iem", "des"]), side(["egjoo", "iem", "iem"])))
    for code in ("egjoo", "iem", "des"):
        assert f">{code}<" not in text
    assert '<th scope="row">Ineffective esophageal motility</th>' in text
