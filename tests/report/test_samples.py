"""Samples of a page against the recording that they are of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hrm.report import samples
from hrm.report.samples import pack
from tests.report.pages import unpacked

VALUES = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 90)),
    elements=st.one_of(
        st.floats(-4000, 4000, width=32, allow_subnormal=False), st.just(float("nan"))
    ),
)


@given(VALUES)
def test_what_comes_out_is_what_went_in(values):
    packed = pack(values, 10.0, [], 100_000)
    (found,) = unpacked(packed.text, packed.parts, len(values), packed.step_mmhg)
    # 16 bits hold some 3277 mmHg either way, more than any sensor.
    expected = np.clip(values, -3276.7, 3276.7)
    np.testing.assert_allclose(found, expected, atol=0.0505, equal_nan=True)


def noisy(seconds, rate=100.0):
    return np.random.default_rng(5).normal(8, 2, (8, int(seconds * rate))).astype(np.float32)


@pytest.mark.parametrize("room", [310_000, 160_000, 90_000, 30_000])
def test_with_less_room_the_whole_is_coarser_and_swallows_are_kept_longest(room):
    values = noisy(400.0)
    packed = pack(values, 100.0, [(60.0, 60.0), (75.0, 75.0), (300.0, 330.0)], room)
    assert len(packed.text) <= room
    found = unpacked(packed.text, packed.parts, 8, packed.step_mmhg)
    whole = [p for p in packed.parts if p["first"] == 0 and p["level"] == packed.parts[0]["level"]]
    level = whole[0]["level"]
    assert level > 0
    assert {p["kind"] for p in whole} == {"mean", "max"}
    width = 2**level
    for part, got in zip(packed.parts, found, strict=True):
        if part["level"] == 0:
            first, stop = part["first"], part["first"] + part["columns"]
            assert first % width == 0
            np.testing.assert_allclose(got, values[:, first:stop], atol=0.126)
            continue
        pool = np.max if part["kind"] == "max" else np.mean
        count = values.shape[1] // width
        slow = pool(values[:, : count * width].reshape(8, count, width), axis=2)
        np.testing.assert_allclose(got[:, :count], slow, atol=0.126)
    near = [
        (p["first"] / 100, (p["first"] + p["columns"]) / 100)
        for p in packed.parts
        if not p["level"]
    ]
    if near:
        # Neighbors are one part; a run of a test is kept from its first onset to its last.
        assert near == [pytest.approx((55, 95), abs=0.4), pytest.approx((295, 350), abs=0.4)]
    assert ("all samples as recorded" in packed.said) == bool(near)
    assert f"every {width} samples" in packed.said
    assert f"({100 / width:g} Hz)" in packed.said


def test_the_room_is_used_and_not_much_more_is_expected_than_comes():
    coded = [samples._bytes(samples.Part("mean", 0, 0, noisy(60.0)), 0.1)]
    assert len(samples._text(coded)) <= samples._expected(coded) <= 1.2 * len(samples._text(coded))
