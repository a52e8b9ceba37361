"""The picture of an agreement shows the pairs and the lines that it is given."""

import math
from itertools import pairwise

import numpy as np
import pytest

from hrm.plot.agreement import Lines, agreement_figure, png_of

LINES = Lines((-0.5, -1.0, 0.0), (-2.0, -2.6, -1.4), (1.0, 0.4, 1.6))
NONE = Lines(*((math.nan,) * 3,) * 3)


def drawn(a, b, lines=LINES, **more):
    return agreement_figure(a, b, lines, title="t", unit="mmHg s cm", **more)


def heights(ax):
    lines = (line for line in ax.lines if line.get_marker() in ("None", None, ""))
    return sorted({float(np.asarray(line.get_ydata())[0]) for line in lines})


def test_pairs_and_limits_are_where_they_belong():
    left, right = drawn([10.0, 12.0, 14.0], [11.0, 12.0, 16.0], sides=("engine", "$x$")).axes
    points = next(line for line in left.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(points.get_xydata(), [[10, 11], [12, 12], [14, 16]])
    points = next(line for line in right.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(points.get_xydata(), [[10.5, -1], [12, 0], [15, -2]])
    assert heights(right) == [-2.0, -0.5, 0.0, 1.0]
    bands = sorted(round(patch.get_y(), 6) for patch in right.patches)
    assert bands == [-2.6, -1.0, 0.4]
    assert left.get_xlabel() == "engine (mmHg·s·cm)"
    assert left.get_ylabel() == "$x$ (mmHg·s·cm)"
    assert right.get_ylabel() == "engine − $x$ (mmHg·s·cm)"
    low, high = right.get_ylim()
    assert low < -2.6
    assert high > 1.6


@pytest.mark.parametrize("values", [([], []), ([5.0], [5.0]), ([0.0, 0.0], [0.0, 0.0])])
def test_nothing_to_see_is_drawn_without_a_warning(values):
    figure = drawn(*values, lines=NONE)
    assert heights(figure.axes[1]) == [0.0]
    assert png_of(figure).startswith(b"\x89PNG")


def test_the_same_pairs_give_the_same_bytes():
    first, second = (png_of(drawn([1.0, 2.0], [1.0, 3.0])) for _ in range(2))
    assert first == second
    assert b"Matplotlib" not in first


def names(figure):
    return [text for text in figure.axes[1].texts if "\n" in text.get_text()]


def test_lines_that_lie_on_each_other_share_one_label():
    zero = (0.0, math.nan, math.nan)
    equal = drawn([10.0, 12.0], [10.0, 12.0], lines=Lines(zero, zero, zero))
    assert [text.get_text() for text in names(equal)] == ["bias, lower, upper\n0"]


def test_labels_do_not_lie_on_each_other():
    close = Lines((0.0, -0.1, 0.1), (-0.5, -60.0, 59.0), (0.5, -58.0, 60.0))
    figure = drawn([10.0, 12.0, 90.0], [11.0, 15.0, 50.0], lines=close)
    png_of(figure)
    boxes = sorted((text.get_window_extent() for text in names(figure)), key=lambda box: box.y0)
    assert len(boxes) == 3
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
