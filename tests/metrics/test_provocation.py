"""Multiple rapid swallows, rapid drinking, solid and upright swallows."""

import math
from dataclasses import dataclass, replace
from dataclasses import field as member

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm.catalog import find_limit
from hrm.metrics._base import Measurement
from hrm.metrics.dci import contraction, dci
from hrm.metrics.provocation import (
    During,
    Run,
    contractile_reserve,
    contraction_after,
    during,
    inhibition,
    mrs_remarks,
    pressurized_shares,
    response,
    runs,
)
from hrm.metrics.provocation_swallows import solid_effective, solid_normal, upright_summary
from hrm.metrics.swallow import Anatomy
from hrm.metrics.swallow_types import swallow_limits
from hrm.preprocess import window_field
from tests.metrics.fields import INF, PARAMETERS, between, depths, field, times
from tests.naive import body as naive

UES, ZONE, LES, GASTRIC, NAN = 5.0, 9.0, 24.0, 6.0, math.nan
ANATOMY = Anatomy(UES, LES, 27.0, GASTRIC, transition_zone_cm=ZONE)
MRS = Run((3, 4, 5, 6, 7), (2.0, 4.0, 6.0, 8.0, 10.0))
FAILED = swallow_limits("manoscan").failed
FRAGMENTED = swallow_limits("manoscan").fragmented
SUPINE = find_limit("irp4s", system="manoscan", position="supine", cc_version="4.0")


def quiet(t, z):
    """An LES of 30 mmHg that opens to 11 mmHg 1 s after the first swallow; body at 5."""
    les = np.where(between(t, 3.0, 14.0) > 0, 11.0, 30.0) * between(z, LES + 0.05, 28)
    return np.where(z > 28, GASTRIC, 5.0 * (z < LES + 0.05) + les)


def block(t, z, *, level=60.0, start=5.0, stop=7.0, top=12.0, bottom=16.0):
    """A contraction in part of the body."""
    return level * between(t, start, stop) * between(z, top, bottom + 0.05)


def seen_in(pressure, run=MRS, anatomy=ANATOMY):
    return during(pressure, run, anatomy=anatomy, parameters=PARAMETERS)


# -- runs ---------------------------------------------------------------------------


def test_swallows_of_a_test_make_runs():
    onsets = [0, 30, 60, 62, 64, 66, 90, 92, 94, 97, 120, 130.1]
    names = ["single", "unknown", *["mrs"] * 8, "rdc", "mrs"]
    found = runs(onsets, names, "mrs", PARAMETERS)
    assert [run.indices for run in found] == [(2, 3, 4, 5), (6, 7, 8, 9), (11,)]
    assert found[1].onsets_s == (90.0, 92.0, 94.0, 97.0)
    assert (found[1].length_s, found[1].largest_gap_s) == (7.0, 3.0)
    assert (found[2].length_s, found[2].largest_gap_s) == (0.0, 0.0)
    assert runs(onsets, names, "solid", PARAMETERS) == []
    assert runs([], [], "mrs", PARAMETERS) == []


@pytest.mark.parametrize(("gap", "n_runs"), [(10.0, 1), (10.1, 2)])
def test_a_pause_ends_a_run(gap, n_runs):
    assert len(runs([0.0, gap], ["rdc"] * 2, "rdc", PARAMETERS)) == n_runs


def test_another_swallow_ends_a_run():
    found = runs([0.0, 2.0, 4.0], ["mrs", "single", "mrs"], "mrs", PARAMETERS)
    assert [run.indices for run in found] == [(0,), (2,)]


@given(
    swallows=st.lists(
        st.tuples(st.floats(0.5, 20), st.sampled_from(["single", "mrs", "rdc"])), max_size=12
    )
)
def test_runs_agree_with_the_twin(swallows):
    onsets = list(np.cumsum([gap for gap, _ in swallows]))
    names = [name for _, name in swallows]
    found = [list(run.indices) for run in runs(onsets, names, "mrs", PARAMETERS)]
    assert found == naive.runs(onsets, names, "mrs")


@pytest.mark.parametrize(
    ("onsets", "remarks"),
    [
        ((0, 2, 4, 6, 8), ()),
        ((0, 2, 4, 6, 10), ()),
        ((0, 2, 4, 6, 10.1), ("slow_swallows", "long_run")),
        ((0, 2.5, 5), ("few_swallows",)),
        ((0, 5, 10, 15), ("slow_swallows", "long_run")),
        ((0,), ("few_swallows",)),
    ],
)
def test_a_run_that_is_no_proper_run_is_remarked_upon(onsets, remarks):
    assert mrs_remarks(Run(tuple(range(len(onsets))), onsets), PARAMETERS) == remarks


# -- during a run -------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8.0, 20.0, 50.0, 200.0])
def test_an_inhibited_run(rate):
    seen = seen_in(field(quiet, time=times(16, rate)))
    assert (seen.dci.value, seen.dci.status) == (0.0, "ok")
    assert seen.les_median.value == pytest.approx(11 - GASTRIC)
    assert seen.irp4s.value == pytest.approx(11 - GASTRIC)
    verdict = inhibition(seen, failed=FAILED, irp_limit=SUPINE)
    assert (verdict.value, verdict.rows) == (True, (FAILED.id, SUPINE.id))


@pytest.mark.parametrize("rate", [8.0, 20.0, 200.0])
def test_a_body_that_contracts_is_not_inhibited(rate):
    """40 mmHg above 20, over 4 cm (and half a line at either end) for 2 s."""
    seen = seen_in(
        field(lambda t, z: quiet(t, z) * (z > 16.05) + block(t, z), time=times(16, rate))
    )
    assert seen.dci.value == pytest.approx(40 * 4.1 * 2.0, rel=1e-5)
    verdict = inhibition(seen, failed=FAILED, irp_limit=SUPINE)
    assert (verdict.value, verdict.rows) == (False, (FAILED.id,))
    # A contraction decides whether or not the LES has a limit.
    assert inhibition(seen, failed=FAILED, irp_limit=None).value is False


@pytest.mark.parametrize(
    ("start", "stop", "share"), [(1.0, 4.0, 1.5), (2.5, 4.5, 2.0), (9.5, 13.0, 1.0), (11, 14, 0)]
)
def test_the_body_is_read_from_half_a_second_after_the_first_to_after_the_last(start, stop, share):
    made = field(lambda t, z: block(t, z, start=start, stop=stop))
    assert seen_in(made).dci.value == pytest.approx(40 * 4.1 * share, rel=1e-5, abs=1e-9)


def test_during_and_after_share_no_sample_and_leave_none_out():
    made = field(lambda t, z: block(t, z, start=8.0, stop=13.0))
    after = contraction(
        made, onset_s=10.0, stop_s=INF, top_cm=ZONE, bottom_cm=LES, parameters=PARAMETERS
    )
    parts = seen_in(made).dci.value + dci(after, front=None, parameters=PARAMETERS).value
    assert parts == pytest.approx(40 * 4.1 * 5.0, rel=1e-5)


def test_pressurization_is_no_contraction():
    made = field(lambda t, z: quiet(t, z) + 30 * between(t, 5, 6) * (z < LES + 0.05))
    seen = seen_in(made)
    assert seen.dci.value == 0.0
    assert seen.dci.detail["box"] == pytest.approx(15 * (LES - ZONE) * 1.0, rel=1e-5)
    assert inhibition(seen, failed=FAILED, irp_limit=SUPINE).value is True


@pytest.mark.parametrize(("pressure", "value"), [(20.9, True), (21.0, False), (26.0, False)])
def test_an_les_that_stays_closed_is_not_inhibited(pressure, value):
    """The limit is 15 mmHg above gastric (6), and reached at 21."""
    made = field(lambda t, z: np.where(z > 28, GASTRIC, pressure * (z > LES + 0.05) + 0 * t))
    seen = seen_in(made)
    assert seen.les_median.value == pytest.approx(pressure - GASTRIC, abs=1e-5)
    assert inhibition(seen, failed=FAILED, irp_limit=SUPINE).value is value


def test_the_median_sees_an_les_that_closes_between_the_swallows():
    """Open for 4 of 8 s and a little less: the lowest 4 s would not show it."""

    def pressure(t, z):
        shut = 40 * between(np.mod(t, 2.0), 0.9, 2.0)
        return np.where(z > 28, GASTRIC, (10 + shut) * (z > LES + 0.05))

    seen = seen_in(field(pressure))
    assert seen.les_median.value == pytest.approx(44.0)
    assert seen.irp4s.value < 15
    assert inhibition(seen, failed=FAILED, irp_limit=SUPINE).value is False


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([8.0, 20.0, 50.0]))
def test_the_les_agrees_with_the_twin(seed, rate):
    rng = np.random.default_rng(seed)
    depth, time = depths(30.0, 0.5), times(14.0, rate)
    made = field(lambda t, z: 0 * t * z, depth, time)
    made.values[:] = rng.uniform(0, 60, made.shape)
    seen = seen_in(made)
    sleeve = naive.sleeve(
        made.values, depth, time, start=2.5, stop=10.5, les_upper=LES, gastric=GASTRIC
    )
    assert seen.les_median.value == pytest.approx(naive.median(sleeve), rel=1e-6)
    lowest = math.fsum(sorted(sleeve)[: round(4 * rate)]) / round(4 * rate)
    assert seen.irp4s.value == pytest.approx(lowest, rel=1e-6)


def test_a_gastric_reference_that_changes_is_followed():
    made = field(quiet)
    trace = made.isel(depth=0, drop=True) * 0 + GASTRIC + 2.0
    seen = seen_in(made, anatomy=replace(ANATOMY, gastric_trace=trace))
    assert seen.les_median.value == pytest.approx(11 - GASTRIC - 2.0)


NO_LES = replace(ANATOMY, les_upper_cm=NAN)
NO_ZONE = replace(ANATOMY, transition_zone_cm=NAN)
NO_GASTRIC = replace(ANATOMY, gastric_mmhg=NAN)
MISSING, CUT, LOST = "landmark_missing", "window_truncated", "sensor_failed"


@pytest.mark.parametrize(
    ("run", "anatomy", "seconds", "body", "les", "irp"),
    [
        (MRS, ANATOMY, 12, "ok", "ok", "ok"),
        (MRS, NO_LES, 12, MISSING, MISSING, MISSING),
        (MRS, NO_ZONE, 12, MISSING, "ok", "ok"),
        (MRS, NO_GASTRIC, 12, "ok", MISSING, MISSING),
        (MRS, ANATOMY, 9, CUT, CUT, CUT),
        (MRS, ANATOMY, 10.48, "ok", "ok", "ok"),  # half a second less one sample
        (Run((0,), (2.0,)), ANATOMY, 12, CUT, CUT, CUT),
        (Run((0, 1), (2.0, 5.0)), ANATOMY, 12, "ok", "ok", CUT),
        (Run((0, 1), (2.0, 7.0)), ANATOMY, 12, "ok", "ok", "ok"),  # 5 s apart
        (Run((0, 1), (40.0, 42.0)), ANATOMY, 12, CUT, CUT, CUT),
        (MRS, replace(ANATOMY, les_upper_cm=40.0), 12, "ok", LOST, LOST),
    ],
)
def test_a_run_that_cannot_be_measured_says_why(run, anatomy, seconds, body, les, irp):
    seen = seen_in(field(quiet, time=times(seconds)), run, anatomy)
    parts = (seen.dci, seen.les_median, seen.irp4s)
    assert tuple(part.status for part in parts) == (body, les, irp)
    for part in parts:
        assert math.isfinite(part.value) == (part.status == "ok")
    verdict = inhibition(seen, failed=FAILED, irp_limit=SUPINE)
    if body == les == "ok":
        assert verdict.value is not None
    else:
        assert (verdict.value, verdict.reason) == (None, body if body != "ok" else les)


def recorded(pressure, bad):
    """The field as the pipeline makes it from sensors 1 cm apart, of which some fail."""
    sensors = field(pressure, depths(30.0, 1.0)).rename(depth="sensor")
    raw = sensors.assign_coords(depth=("sensor", sensors["sensor"].values))
    usable = np.ones(31, dtype=bool)
    usable[list(bad)] = False
    return window_field(raw, usable, 0.0, 20.0, PARAMETERS)


@pytest.mark.parametrize(
    ("bad", "body", "les"),
    [((), "ok", "ok"), ((15,), "ok", "ok"), ((15, 16), LOST, "ok"), ((27, 28), "ok", LOST)],
)
def test_sensors_that_fail(bad, body, les):
    made = recorded(quiet, bad)
    seen = seen_in(made)
    assert (seen.dci.status, seen.les_median.status) == (body, les)
    (share, _) = shares(made, MRS)
    assert share.status == body


def test_a_failed_gastric_trace_is_told():
    made = field(quiet)
    trace = made.isel(depth=0, drop=True) * np.nan
    seen = seen_in(made, anatomy=replace(ANATOMY, gastric_trace=trace))
    assert seen.les_median.status == seen.irp4s.status == "sensor_failed"


def test_without_an_irp_limit_the_les_has_no_verdict():
    verdict = inhibition(seen_in(field(quiet)), failed=FAILED, irp_limit=None)
    assert (verdict.value, verdict.reason) == (None, "no_irp_limit_for_system")


@pytest.mark.parametrize(
    ("body", "les", "value"),
    [
        (99.9, 14.9, True),
        (100.0, 14.9, False),
        (99.9, 15.0, False),
        (100.0, NAN, False),
        (99.9, NAN, None),
        (NAN, 15.0, False),
        (NAN, 14.9, None),
    ],
)
def test_what_inhibition_is(body, les, value):
    parts = [
        Measurement(number) if math.isfinite(number) else Measurement.missing("sensor_failed")
        for number in (body, les)
    ]
    verdict = inhibition(During(*parts, Measurement(0.0)), failed=FAILED, irp_limit=SUPINE)
    assert verdict.value is value
    assert bool(verdict.reason) == (value is None)
    assert bool(verdict.rows) == (value is not None)


# -- after a run --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "stop", "end", "seen"),
    [
        (900.0, "ok", 30.0, 18.0, "ok"),
        (900.0, "ok", 20.0, 18.0, "ok"),
        (900.0, "ok", 19.9, 18.0, CUT),
        (900.0, "ok", 15.0, 14.0, CUT),  # the next swallow 5 s later
        (900.0, "ok", 22.0, 22.0, CUT),  # the recording ends inside the contraction
        (0.0, "ok", 30.0, 11.0, "ok"),
        (NAN, LOST, 30.0, 18.0, LOST),
        (NAN, MISSING, 12.0, NAN, MISSING),
    ],
)
def test_a_response_needs_time_to_unfold(value, status, stop, end, seen):
    found = response(
        Measurement(value, status),
        onset_s=10.0,
        contraction_stop_s=end,
        stop_s=stop,
        parameters=PARAMETERS,
    )
    assert found.status == seen
    assert math.isfinite(found.value) == (seen == "ok")


@pytest.mark.parametrize(
    ("value", "status", "verdict"),
    [(100.0, "ok", True), (99.9, "ok", False), (NAN, CUT, None)],
)
def test_a_contraction_after_drinking(value, status, verdict):
    found = contraction_after(Measurement(value, status), FAILED)
    assert found.value is verdict
    assert found.reason == ("" if verdict is not None else CUT)


def reserve(after, single):
    made = [Measurement(v) if math.isfinite(v) else Measurement.missing(CUT) for v in after]
    return contractile_reserve(made, single, failed=FAILED, parameters=PARAMETERS)


@pytest.mark.parametrize(
    ("after", "single", "ratio", "ratio_of_mean", "present"),
    [
        ([600.0], [400.0, 600.0], 1.2, 1.2, True),
        ([600.0, 800.0, 400.0], [500.0], 1.6, 1.2, True),
        ([500.0], [500.0], 1.0, 1.0, False),
        ([0.0], [500.0], 0.0, 0.0, False),
        ([NAN, 600.0], [500.0, NAN], 1.2, 1.2, True),
        ([600.0, 300.0], [500.0], 1.2, 0.9, True),
        # A mean at the limit of a failed contraction is one that contracts.
        ([600.0], [100.0], 6.0, 6.0, True),
        ([600.0], [0.0, 0.0, 900.0], 2.0, 2.0, True),
    ],
)
def test_the_contractile_reserve(after, single, ratio, ratio_of_mean, present):
    seen = reserve(after, single)
    assert seen.ratio.value == pytest.approx(ratio)
    assert seen.ratio_of_mean.value == pytest.approx(ratio_of_mean)
    assert (seen.present.value, seen.present.rows) == (present, ("mrs.reserve_ratio",))
    known = sum(math.isfinite(v) for v in after), sum(math.isfinite(v) for v in single)
    assert (seen.ratio.detail["runs"], seen.ratio.detail["single_swallows"]) == known
    assert "largest" in seen.rule


@pytest.mark.parametrize(
    ("after", "single", "reason"),
    [
        ([], [500.0], "no_run"),
        ([NAN], [500.0], CUT),
        ([600.0], [], "no_supine_single_swallow"),
        ([600.0], [NAN], "no_supine_single_swallow"),
        ([600.0], [0.0, 0.0], "single_swallows_without_contraction"),
        ([0.0], [0.0], "single_swallows_without_contraction"),
        # The remains of respiration and noise are no contraction to compare with.
        ([600.0], [4.0, 11.0], "single_swallows_without_contraction"),
        ([2.0], [1.0], "single_swallows_without_contraction"),
        ([600.0], [99.9], "single_swallows_without_contraction"),
    ],
)
def test_no_reserve_without_what_it_is_compared_with(after, single, reason):
    seen = reserve(after, single)
    assert math.isnan(seen.ratio.value)
    assert math.isnan(seen.ratio_of_mean.value)
    assert seen.ratio.status == seen.ratio_of_mean.status == seen.present.reason == reason
    assert seen.present.value is None


# -- rapid drinking -----------------------------------------------------------------

RDC = Run(tuple(range(8)), tuple(2.0 + 1.5 * k for k in range(8)))  # 10.5 s


def shares(pressure, run=RDC, anatomy=ANATOMY):
    return pressurized_shares(pressure, run, anatomy=anatomy, parameters=PARAMETERS)


@pytest.mark.parametrize("rate", [8.0, 20.0, 200.0])
@pytest.mark.parametrize(
    ("level", "low", "high"), [(25.0, 3.0, 0.0), (35.0, 3.0, 3.0), (20.0, 3.0, 0.0), (19.0, 0, 0)]
)
def test_the_time_under_pressurization(level, low, high, rate):
    made = field(lambda t, z: level * between(t, 5, 8) + 0 * z, time=times(16, rate))
    expected = [100 * low / 10.5, 100 * high / 10.5]
    assert [share.value for share in shares(made)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pressure", "counts"),
    [
        (lambda t, z: 25 * between(t, 5, 8) * between(z, 6.8, 30), True),  # 96 % of the body
        (lambda t, z: 25 * between(t, 5, 8) * between(z, 7.2, 30), False),  # 93 %
        (lambda t, z: (25 + 100 * between(z, 14, 16)) * between(t, 5, 8), False),  # uneven
        (lambda t, z: 25 * between(t, 5, 5.32) + 0 * z, True),
        (lambda t, z: 25 * between(t, 5, 5.28) + 0 * z, False),  # shorter than 0.3 s
        (lambda t, z: 60 * between(t - z / 4, 2, 4), False),  # a contraction that travels
        (lambda t, z: 12 + 0 * t * z, False),
    ],
)
def test_what_counts_as_panesophageal(pressure, counts):
    assert (shares(field(pressure))[0].value > 0) == counts


def test_a_constant_pressure_is_pressurization_all_the_time():
    assert [share.value for share in shares(field(lambda t, z: 25 + 0 * t * z))] == [100.0, 0.0]


@pytest.mark.parametrize(
    ("anatomy", "seconds", "status"),
    [
        (replace(ANATOMY, ues_lower_cm=NAN), 16, MISSING),
        (NO_LES, 16, MISSING),
        (replace(ANATOMY, les_upper_cm=UES), 16, MISSING),
        (NO_ZONE, 16, "ok"),
        (ANATOMY, 8, CUT),
    ],
)
def test_a_share_that_cannot_be_measured_says_why(anatomy, seconds, status):
    for share in shares(field(quiet, time=times(seconds)), anatomy=anatomy):
        assert share.status == status
        assert math.isfinite(share.value) == (status == "ok")


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([8.0, 20.0]))
def test_the_share_agrees_with_the_twin(seed, rate):
    rng = np.random.default_rng(seed)
    depth, time = depths(30.0, 0.5), times(14.0, rate)
    made = field(lambda t, z: 0 * t * z, depth, time)
    slow = np.repeat(rng.uniform(10, 45, time.size // 4 + 1), 4)[: time.size]
    made.values[:] = slow + rng.uniform(0, 12) * rng.normal(size=made.shape)
    for level, share in zip((20.0, 30.0), shares(made), strict=True):
        known = naive.pressurized_percent(
            made.values, depth, time, start=2.5, stop=13.0, top=6.0, bottom=23.5, level=level
        )
        assert share.value == pytest.approx(known, abs=1e-9)


# -- solid and upright swallows -----------------------------------------------------


@pytest.mark.parametrize(
    ("integrals", "breaks", "percent", "unknown", "normal"),
    [
        ([1001.0, 1000.0, 50.0, 2000.0], [0.0, 0.0, NAN, 5.1], 25.0, 0, True),
        ([1500.0] + [200.0] * 4, [5.0] + [9.0] * 4, 20.0, 0, False),
        ([1500.0, NAN, 200.0], [0.0, 0.0, NAN], 50.0, 1, True),
        ([1500.0, 1500.0], [NAN, 1.0], 100.0, 1, True),
        ([0.0] * 10, [NAN] * 10, 0.0, 0, False),
    ],
)
def test_solid_swallows(integrals, breaks, percent, unknown, normal):
    seen = solid_effective(integrals, breaks, fragmented=FRAGMENTED, parameters=PARAMETERS)
    assert seen.value == pytest.approx(percent)
    assert seen.detail["unknown"] == unknown
    assert seen.detail["counted"] + unknown == len(integrals)
    assert seen.detail["effective"] == round(percent / 100 * seen.detail["counted"])
    verdict = solid_normal(seen, PARAMETERS)
    assert (verdict.value, verdict.rows) == (normal, ("solid.normal_share",))


@pytest.mark.parametrize(
    ("integrals", "breaks", "status"),
    [([], [], "no_swallow"), ([NAN], [0.0], "no_swallow_measured")],
)
def test_solid_swallows_that_cannot_be_told(integrals, breaks, status):
    seen = solid_effective(integrals, breaks, fragmented=FRAGMENTED, parameters=PARAMETERS)
    verdict = solid_normal(seen, PARAMETERS)
    assert math.isnan(seen.value)
    assert (verdict.value, seen.status, verdict.reason) == (None, status, status)


def test_solid_swallows_need_a_break_for_each():
    with pytest.raises(ValueError, match="zip"):
        solid_effective([1.0], [], fragmented=FRAGMENTED, parameters=PARAMETERS)


@dataclass
class Swallow:
    dci: float
    irp: float = 5.0
    type: str | None = "normal"
    posture: str = "upright"
    evaluable: bool = True
    pressurization: str = "none"
    flags: tuple = ()
    metrics: dict = member(init=False)

    def __post_init__(self):
        self.metrics = {"irp4s_mmhg": self.irp, "dci_mmhg_s_cm": self.dci}


def test_the_upright_swallows():
    rows = [
        Swallow(900.0, irp=4.0),
        Swallow(20.0, irp=9.0, type="failed", pressurization="panesophageal"),
        Swallow(300.0, irp=5.0, type="weak"),
        Swallow(NAN, irp=NAN, type="weak"),
        Swallow(5000.0, irp=30.0, posture="supine"),
        Swallow(7000.0, irp=30.0, evaluable=False),
    ]
    seen = upright_summary(rows)
    assert seen["n_evaluable"] == 4.0
    assert seen["irp4s_median_mmhg"] == 5.0
    assert seen["dci_median_mmhg_s_cm"] == 300.0
    assert seen["percent_contracting"] == 75.0
    assert (seen["percent_weak"], seen["percent_panesophageal"]) == (50.0, 25.0)


def test_without_upright_swallows_nothing_is_said():
    seen = upright_summary([Swallow(900.0, posture="supine"), Swallow(900.0, posture="unknown")])
    assert seen.pop("n_evaluable") == 0.0
    assert all(math.isnan(value) for value in seen.values())
