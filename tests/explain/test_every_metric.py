"""Every metric of the catalogue is explained, and its number follows from its marks."""

import math

import numpy as np
import pytest

from hrm import catalog
from hrm.evidence import RULES, Region
from hrm.explain import lines
from hrm.explain.metric import SOURCES
from hrm.explain.names import OF_RUN, OF_SWALLOW, reported
from tests.explain.conftest import STUDIES, contract
from tests.explain.recompute import RULES as RECOMPUTED
from tests.explain.recompute import main_marks, recompute

MEASURED = sorted(catalog.metrics())


def cases(study_name, name):
    """Swallows to ask for: some of each protocol for a number of a swallow, else None."""
    rows = contract(study_name)["swallows"]
    if name not in OF_SWALLOW:
        return [None]
    seen = {}
    for row in rows:
        seen.setdefault((row["protocol"], row["type"]), row["id"])
    return sorted(seen.values())


def test_the_catalogue_is_covered_and_nothing_else():
    assert set(SOURCES) - set(OF_RUN) == set(MEASURED) - set(OF_RUN)
    assert set(MEASURED) & set(OF_RUN) <= set(SOURCES)
    assert set(RULES) - {"none"} == set(RECOMPUTED)


@pytest.mark.parametrize("study_name", STUDIES)
def test_every_number_follows_from_its_marks(explain, study_name):
    explained = 0
    for name in MEASURED:
        for swallow in cases(study_name, name):
            found = explain(study_name, name, swallow)
            if found.value is None:
                assert found.reason, name
                assert found.evidence.rule == "none", name
                continue
            assert found.evidence.rule != "none", (name, swallow)
            again = recompute(found)
            # Pressures are float32, and a mean of them may be taken in either precision.
            assert again == pytest.approx(found.value, rel=2e-6, abs=2e-5), (name, swallow)
            explained += 1
    assert explained > 60


def test_every_metric_has_a_number_in_some_study():
    """Otherwise its marks would be tested by nothing."""
    without = []
    for name in MEASURED:
        found = [
            reported(contract(each), name, swallow).value
            for each in STUDIES
            for swallow in cases(each, name)
        ]
        if all(value is None for value in found):
            without.append(name)
    # The catheter of a phantom does not span the pharynx, whose parts only a reader names.
    assert without == sorted(
        [
            *("hpci_mmhg_s_cm", "irp4s_median_unknown_mmhg", "mci_mmhg_s_cm", "phci_mmhg_s_cm"),
            *("phci_median_mmhg_s_cm", "vci_mmhg_s_cm"),
        ]
    )


@pytest.mark.parametrize("name", sorted(catalog.unimplemented_metrics()))
def test_what_is_not_measured_has_its_reason(explain, name):
    found = explain("tests", name)
    row = catalog.unimplemented_metrics()[name]
    assert (found.value, found.status, found.reason) == (None, "not_implemented", row.reason)
    assert found.evidence.marks == ()
    assert " ".join(row.reason.split()[:4]) in " ".join("\n".join(lines(found)).split())


@pytest.mark.parametrize("study_name", STUDIES)
def test_the_marks_lie_on_the_field_that_is_shown(explain, study_name):
    """Trace of the IRP: greatest pressure of the field in the marked box, above gastric."""
    gastric = contract(study_name)["landmarks"]["gastric_reference_mmhg"]
    found = explain(study_name, "irp4s", 1)
    field, trace = found.evidence.field, found.evidence.traces[0]
    box = found.marks[0]
    rows = (field.depth >= box.top_cm - 1e-6) & (field.depth <= box.bottom_cm + 1e-6)
    columns = (field.time >= box.start_s - 1e-6) & (field.time < box.stop_s - 1e-6)
    sleeve = field.values[rows][:, columns].max(axis=0)
    zero = found.evidence.traces[1].values if study_name == "weak" else np.array([gastric])
    if zero.size > 1:
        zero = np.interp(trace.time, found.evidence.traces[1].time, zero)
    np.testing.assert_allclose(sleeve - zero, trace.values, atol=2e-4)
    assert trace.used.sum() == round(4.0 * 25.0)
    assert trace.values[trace.used].max() <= trace.values[~trace.used].min() + 1e-9


@pytest.mark.parametrize("study_name", STUDIES)
def test_the_region_of_the_integral_is_a_cut_of_the_field(explain, study_name):
    found = explain(study_name, "dci", 1)
    (region,) = main_marks(found.evidence, Region)
    field = found.evidence.field
    rows = np.searchsorted(field.depth, region.depth - 1e-6)
    columns = np.searchsorted(field.time, region.time - 1e-6)
    shown = columns < field.time.size
    part = field.values[rows][:, columns[shown]]
    np.testing.assert_allclose(part, region.values[:, shown], atol=1e-4)


def test_pressurization_is_left_out_of_the_contractile_integral_only(explain):
    contractile, whole = (
        main_marks(explain("type II", name, 1).evidence, Region)[0].inside
        for name in ("dci", "dci_box")
    )
    assert whole.all()
    assert not contractile.all()


def test_the_two_lines_meet_at_the_deceleration_point(explain):
    seen = 0
    for swallow in (1, 2, 3):
        found = explain("tests", "cdp_cm", swallow)
        fit = [m for m in found.marks if getattr(m, "label", "") == "fit of two lines"]
        if not fit:
            continue
        (point,) = [m for m in found.marks if getattr(m, "label", "") == "deceleration point"][1:]
        front = next(m for m in found.marks if m.label.startswith("contractile front"))
        assert np.interp(point.depth[0], fit[0].depth, fit[0].time) == pytest.approx(point.time[0])
        # Least squares: no other pair of lines with this bend lies nearer to the front.
        reached = np.isfinite(front.time)
        z, t = front.depth[reached], front.time[reached]
        bend = fit[0].depth[1]
        design = np.column_stack([np.ones_like(z), z, np.maximum(z - bend, 0.0)])
        best = design @ np.linalg.lstsq(design, t, rcond=None)[0]
        np.testing.assert_allclose(np.interp(z, fit[0].depth, fit[0].time), best, atol=1e-6)
        seen += 1
    assert seen


def test_the_border_level_is_that_of_the_definition(explain):
    """A fifth of the peak above gastric, or 2 mmHg above the chest."""
    found = explain("hernia", "les_upper_cm")
    profile = found.evidence.profiles[0]
    gastric, level = profile.levels["gastric reference"], profile.levels["border level"]
    near = np.abs(profile.depth - 0.5 * (found.value + profile.depth[-1])) < 5.0
    below = near & (profile.depth > found.value)
    peak = int(np.flatnonzero(below)[np.argmax(profile.values[below])])
    z = profile.depth
    chest = (z <= z[peak] - 3.0) & (z >= z[peak] - 10.0)
    rule = max(
        0.2 * (profile.values[peak] - gastric), np.median(profile.values[chest]) - gastric + 2.0
    )
    assert level - gastric == pytest.approx(rule, abs=0.05)
    between = (z > found.value) & (z <= z[peak])
    assert (profile.values[between] >= level - 1e-6).all()


def test_every_breath_of_the_total_is_clear_of_swallows(explain):
    found = explain("tests", "egj_ci_total")
    onsets = [row["onset_s"] for row in contract("tests")["swallows"]]
    boxes = [m for m in found.marks if getattr(m, "label", "").startswith("breath ")]
    assert len(boxes) >= len(found.evidence.entries) > 3
    for box in boxes:
        assert all(
            box.stop_s <= at - 1.0 + 1e-6 or box.start_s >= at + 15.0 - 1e-6 for at in onsets
        )


def test_values_that_are_left_out_say_why(explain):
    found = explain("tests", "irp4s_median_supine")
    left_out = [entry for entry in found.evidence.entries if entry.role == "left_out"]
    assert left_out
    assert all(entry.note for entry in left_out)
    assert {entry.note for entry in left_out} >= {"posture upright"}
    assert not any(math.isnan(e.value) for e in found.evidence.entries if e.role == "counted")
